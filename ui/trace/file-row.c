/* file-row.c - see file-row.h. */
#include "trace/file-row.h"

#include <glib/gi18n-lib.h>

struct _CwuFileRow {
  GtkWidget parent_instance;
  GtkWidget *box, *name, *installed;
  const char *title, *suffix;
  char *path;
  bool is_missing;
};

G_DEFINE_TYPE(CwuFileRow, cwu_file_row, GTK_TYPE_WIDGET)

static guint changed_signal;

const char *
cwu_file_row_peek_path(CwuFileRow *self)
{
  return self->path;
}

static void
show_name(CwuFileRow *self)
{
  g_autofree char *name = self->path != NULL ? g_path_get_basename(self->path) : NULL;
  g_autofree char *shown = name != NULL ? g_filename_display_name(name) : NULL;
  const char *none = self->is_missing ? _("Not installed") : _("Comes with Clew");
  gtk_label_set_text(GTK_LABEL(self->name), shown != NULL ? shown : none);
}

void
cwu_file_row_set_path(CwuFileRow *self, const char *path)
{
  g_autofree char *old = g_steal_pointer(&self->path);
  self->path = g_strdup(path);
  show_name(self);
  gtk_widget_set_tooltip_text(self->name, path);
  gtk_widget_set_sensitive(self->installed, path != NULL);
}

void
cwu_file_row_set_missing(CwuFileRow *self, bool is_missing)
{
  self->is_missing = is_missing;
  show_name(self);
}

static void
choose(CwuFileRow *self, const char *path)
{
  cwu_file_row_set_path(self, path);
  g_signal_emit(self, changed_signal, 0);
}

static void
response_cb(GtkNativeDialog *dialog, int response, CwuFileRow *self)
{
  g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
  g_autofree char *path = file != NULL ? g_file_get_path(file) : NULL;
  if (response == GTK_RESPONSE_ACCEPT && path != NULL)
    choose(self, path);
  g_object_unref(dialog);
}

static void
open_dialog(CwuFileRow *self, GtkFileChooserAction action)
{
  GtkWindow *window = GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(self)));
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new(self->title, window, action, _("_Choose"), _("_Cancel"));
  g_autoptr(GtkFileFilter) filter = gtk_file_filter_new();
  if (action == GTK_FILE_CHOOSER_ACTION_OPEN) {
    g_autofree char *pattern = g_strdup_printf("*.%s", self->suffix);
    gtk_file_filter_set_name(filter, pattern);
    gtk_file_filter_add_suffix(filter, self->suffix);
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
  }
  if (self->path != NULL) {
    g_autoptr(GFile) file = g_file_new_for_path(self->path);
    g_autoptr(GFile) folder = g_file_get_parent(file);
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), folder, NULL);
  }
  g_signal_connect_object(dialog, "response", G_CALLBACK(response_cb), self, 0);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void
choose_file_cb(CwuFileRow *self)
{
  open_dialog(self, GTK_FILE_CHOOSER_ACTION_OPEN);
}

static void
choose_folder_cb(CwuFileRow *self)
{
  open_dialog(self, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
}

static void
choose_installed_cb(CwuFileRow *self)
{
  choose(self, NULL);
}

static GtkWidget *
add_button(CwuFileRow *self, const char *icon, const char *what, GCallback callback)
{
  GtkWidget *button = gtk_button_new_from_icon_name(icon);
  g_autofree char *name = g_strdup_printf("%s: %s", self->title, what);
  gtk_widget_add_css_class(button, "flat");
  gtk_widget_set_tooltip_text(button, what);
  gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                 -1);
  g_signal_connect_swapped(button, "clicked", callback, self);
  gtk_box_append(GTK_BOX(self->box), button);
  return button;
}

static void
dispose(GObject *object)
{
  CwuFileRow *self = CWU_FILE_ROW(object);
  g_clear_pointer(&self->box, gtk_widget_unparent);
  g_clear_pointer(&self->path, g_free);
  G_OBJECT_CLASS(cwu_file_row_parent_class)->dispose(object);
}

static void
cwu_file_row_class_init(CwuFileRowClass *class)
{
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  changed_signal = g_signal_new("changed", CWU_TYPE_FILE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 0);
}

static void
cwu_file_row_init(CwuFileRow *self)
{
  self->box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_set_parent(self->box, GTK_WIDGET(self));
}

CwuFileRow *
cwu_file_row_new(const char *title, const char *tooltip, const char *suffix)
{
  CwuFileRow *self = g_object_new(CWU_TYPE_FILE_ROW, NULL);
  GtkWidget *heading = gtk_label_new(title);
  self->title = title;
  self->suffix = suffix;
  self->name = g_object_new(GTK_TYPE_LABEL, "xalign", 1.0f, "ellipsize", PANGO_ELLIPSIZE_MIDDLE,
                            "hexpand", TRUE, "max-width-chars", 18, "margin-start", 12, NULL);
  gtk_widget_set_tooltip_text(heading, tooltip);
  gtk_widget_add_css_class(self->name, "dim-label");
  gtk_box_append(GTK_BOX(self->box), heading);
  gtk_box_append(GTK_BOX(self->box), self->name);
  add_button(self, "document-open-symbolic", _("Choose a file"), G_CALLBACK(choose_file_cb));
  add_button(self, "folder-symbolic", _("Choose a folder"), G_CALLBACK(choose_folder_cb));
  self->installed = add_button(self, "edit-undo-symbolic", _("The one that comes with Clew"),
                               G_CALLBACK(choose_installed_cb));
  cwu_file_row_set_path(self, NULL);
  return self;
}
