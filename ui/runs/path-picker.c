/* path-picker.c - see path-picker.h. */
#include "runs/path-picker.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "panes/hint.h"

#define PATH_CHARS 26

struct _CwuPathPicker {
  GtkWidget parent_instance;
  GtkWidget *box, *entry, *count, *clear, *offers; /* entry: of one; count, clear: of many */
  char *title, *text;
  bool is_many, is_filling;
};

G_DEFINE_TYPE(CwuPathPicker, cwu_path_picker, GTK_TYPE_WIDGET)

enum { CHANGED, ACTIVATE, N_SIGNALS };
static guint signals[N_SIGNALS];

const char *
cwu_path_picker_peek_text(CwuPathPicker *self)
{
  return self->text;
}

/* "notes.txt", "notes.txt and 2 more". */
static char *
dup_count(const char *text)
{
  g_auto(GStrv) paths = g_strsplit(text, "\n", -1);
  guint n = g_strv_length(paths);
  if (n == 0)
    return g_strdup(_("None yet"));
  g_autofree char *name = g_path_get_basename(paths[0]);
  g_autofree char *shown = g_filename_display_name(name);
  if (n == 1)
    return g_steal_pointer(&shown);
  return g_strdup_printf(ngettext("%s and %u more", "%s and %u more", n - 1), shown, n - 1);
}

void
cwu_path_picker_set_text(CwuPathPicker *self, const char *text)
{
  if (strcmp(self->text, text) == 0)
    return;
  g_free(self->text);
  self->text = g_strdup(text);
  self->is_filling = true;
  if (self->is_many) {
    g_autofree char *count = dup_count(text);
    gtk_label_set_text(GTK_LABEL(self->count), count);
    gtk_widget_set_tooltip_text(self->count, *text != '\0' ? text : NULL);
    gtk_widget_set_visible(self->clear, *text != '\0');
  } else {
    gtk_editable_set_text(GTK_EDITABLE(self->entry), text);
    /* Paths differ at their ends. */
    gtk_editable_set_position(GTK_EDITABLE(self->entry), -1);
  }
  self->is_filling = false;
}

static void
change(CwuPathPicker *self, const char *text)
{
  cwu_path_picker_set_text(self, text);
  g_signal_emit(self, signals[CHANGED], 0);
}

void
cwu_path_picker_take(CwuPathPicker *self, const char *path)
{
  bool adds = self->is_many && *self->text != '\0';
  g_autofree char *text = adds ? g_strjoin("\n", self->text, path, NULL) : g_strdup(path);
  g_auto(GStrv) before = g_strsplit(self->text, "\n", -1);
  bool is_there = adds && g_strv_contains((const char *const *)before, path);
  if (!is_there && strchr(path, '\n') == NULL)
    change(self, text);
}

static void
take_file(CwuPathPicker *self, GFile *file)
{
  g_autofree char *path = g_file_get_path(file);
  if (path != NULL)
    cwu_path_picker_take(self, path);
}

static void
typed_cb(CwuPathPicker *self)
{
  if (self->is_filling)
    return;
  g_free(self->text);
  self->text = g_strdup(gtk_editable_get_text(GTK_EDITABLE(self->entry)));
  g_signal_emit(self, signals[CHANGED], 0);
}

static void
activate_cb(CwuPathPicker *self)
{
  g_signal_emit(self, signals[ACTIVATE], 0);
}

static void
clear_cb(CwuPathPicker *self)
{
  change(self, "");
}

/* ---- choosing --------------------------------------------------------------------------- */

static void
response_cb(GtkNativeDialog *dialog, int response, CwuPathPicker *self)
{
  g_autoptr(GListModel) files = gtk_file_chooser_get_files(GTK_FILE_CHOOSER(dialog));
  guint n = response == GTK_RESPONSE_ACCEPT ? g_list_model_get_n_items(files) : 0;
  for (guint i = 0; i < n; i++) {
    g_autoptr(GFile) file = g_list_model_get_item(files, i);
    take_file(self, file);
  }
  g_object_unref(dialog);
}

static void
open_dialog(CwuPathPicker *self, GtkFileChooserAction action)
{
  GtkWindow *window = GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(self)));
  GtkFileChooserNative *dialog =
      gtk_file_chooser_native_new(self->title, window, action, _("_Choose"), _("_Cancel"));
  g_auto(GStrv) paths = g_strsplit(self->text, "\n", -1);
  if (paths[0] != NULL && g_path_is_absolute(paths[0])) {
    g_autoptr(GFile) file = g_file_new_for_path(paths[0]);
    g_autoptr(GFile) folder = g_file_get_parent(file);
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), folder, NULL);
  }
  gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(dialog), self->is_many);
  g_signal_connect_object(dialog, "response", G_CALLBACK(response_cb), self, 0);
  gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
  gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static void
choose_file_cb(CwuPathPicker *self)
{
  open_dialog(self, GTK_FILE_CHOOSER_ACTION_OPEN);
}

static void
choose_folder_cb(CwuPathPicker *self)
{
  open_dialog(self, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
}

static gboolean
drop_cb(GtkDropTarget *target, const GValue *value, double x, double y, CwuPathPicker *self)
{
  GSList *files = g_value_get_boxed(value);
  for (GSList *l = files; l != NULL; l = l->next)
    take_file(self, l->data);
  return files != NULL;
}

/* ---- what is at hand -------------------------------------------------------------------- */

static void
offer_cb(GtkListBox *list, GtkListBoxRow *row, CwuPathPicker *self)
{
  gtk_menu_button_popdown(GTK_MENU_BUTTON(self->offers));
  cwu_path_picker_take(self, g_object_get_data(G_OBJECT(row), "path"));
}

static GtkWidget *
offer_new(const char *path)
{
  GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *name = g_path_get_basename(folder);
  g_autofree char *shown = g_filename_display_name(name),
                  *whole = g_filename_display_name(path);
  GtkWidget *title = g_object_new(GTK_TYPE_LABEL, "label", shown, "xalign", 0.0f, NULL);
  GtkWidget *place = g_object_new(GTK_TYPE_LABEL, "label", whole, "xalign", 0.0f, "ellipsize",
                                  PANGO_ELLIPSIZE_START, "max-width-chars", 44, NULL);
  gtk_widget_add_css_class(place, "dim-label");
  gtk_widget_add_css_class(place, "caption");
  gtk_widget_add_css_class(row, "offer");
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), place);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
  g_object_set_data_full(G_OBJECT(row), "path", g_strdup(path), g_free);
  return row;
}

void
cwu_path_picker_set_suggestions(CwuPathPicker *self, const char *const *paths)
{
  GtkWidget *list = gtk_list_box_new(), *popover = gtk_popover_new();
  gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
  for (const char *const *path = paths; *path != NULL; path++)
    gtk_list_box_append(GTK_LIST_BOX(list), offer_new(*path));
  g_signal_connect(list, "row-activated", G_CALLBACK(offer_cb), self);
  gtk_widget_add_css_class(list, "offers");
  gtk_popover_set_child(GTK_POPOVER(popover), list);
  gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->offers), popover);
  gtk_widget_set_visible(self->offers, *paths != NULL);
}

/* ---- the widget ------------------------------------------------------------------------- */

static GtkWidget *
add_button(CwuPathPicker *self, const char *icon, const char *what, GCallback callback)
{
  GtkWidget *button = gtk_button_new_from_icon_name(icon);
  g_autofree char *name = g_strdup_printf("%s: %s", self->title, what);
  gtk_widget_add_css_class(button, "flat");
  cwu_hint_set(button, name);
  gtk_widget_set_tooltip_text(button, what);
  g_signal_connect_swapped(button, "clicked", callback, self);
  gtk_box_append(GTK_BOX(self->box), button);
  return button;
}

static void
build(CwuPathPicker *self)
{
  GtkDropTarget *drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
  g_autofree char *at_hand = g_strdup_printf("%s: %s", self->title, _("Made by runs"));
  if (self->is_many) {
    self->count =
        g_object_new(GTK_TYPE_LABEL, "ellipsize", PANGO_ELLIPSIZE_MIDDLE, "max-width-chars",
                     PATH_CHARS, "label", _("None yet"), "margin-end", 6, NULL);
    gtk_widget_add_css_class(self->count, "dim-label");
    gtk_box_append(GTK_BOX(self->box), self->count);
  } else {
    self->entry = gtk_entry_new();
    gtk_editable_set_width_chars(GTK_EDITABLE(self->entry), PATH_CHARS);
    g_signal_connect_swapped(self->entry, "changed", G_CALLBACK(typed_cb), self);
    g_signal_connect_swapped(self->entry, "activate", G_CALLBACK(activate_cb), self);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   self->title, -1);
    gtk_box_append(GTK_BOX(self->box), self->entry);
  }
  self->offers = gtk_menu_button_new();
  gtk_widget_add_css_class(self->offers, "flat");
  gtk_widget_set_visible(self->offers, FALSE);
  cwu_hint_set(self->offers, at_hand);
  gtk_widget_set_tooltip_text(self->offers, _("Made by runs"));
  gtk_box_append(GTK_BOX(self->box), self->offers);
  add_button(self, "document-open-symbolic",
             self->is_many ? _("Add files") : _("Choose a file"), G_CALLBACK(choose_file_cb));
  add_button(self, "folder-symbolic", self->is_many ? _("Add a folder") : _("Choose a folder"),
             G_CALLBACK(choose_folder_cb));
  self->clear = add_button(self, "edit-clear-symbolic", _("Remove all"), G_CALLBACK(clear_cb));
  gtk_widget_set_visible(self->clear, FALSE);
  g_signal_connect(drop, "drop", G_CALLBACK(drop_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drop));
}

static void
cwu_path_picker_dispose(GObject *object)
{
  g_clear_pointer(&CWU_PATH_PICKER(object)->box, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_path_picker_parent_class)->dispose(object);
}

static void
cwu_path_picker_finalize(GObject *object)
{
  CwuPathPicker *self = CWU_PATH_PICKER(object);
  g_free(self->title);
  g_free(self->text);
  G_OBJECT_CLASS(cwu_path_picker_parent_class)->finalize(object);
}

static void
cwu_path_picker_class_init(CwuPathPickerClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_path_picker_dispose;
  G_OBJECT_CLASS(class)->finalize = cwu_path_picker_finalize;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  signals[CHANGED] = g_signal_new("changed", CWU_TYPE_PATH_PICKER, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
  signals[ACTIVATE] = g_signal_new("activate", CWU_TYPE_PATH_PICKER, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 0);
}

static void
cwu_path_picker_init(CwuPathPicker *self)
{
  self->box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
  self->text = g_strdup("");
  gtk_widget_set_parent(self->box, GTK_WIDGET(self));
}

CwuPathPicker *
cwu_path_picker_new(const char *title, bool is_many)
{
  CwuPathPicker *self = g_object_new(CWU_TYPE_PATH_PICKER, NULL);
  self->title = g_strdup(title);
  self->is_many = is_many;
  build(self);
  return self;
}
