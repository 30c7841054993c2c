/* message-row.c - see message-row.h. */
#include "trace/message-row.h"

#include <glib/gi18n-lib.h>

#include "panes/hint.h"

struct _CwuMessageRow {
  GtkWidget parent_instance;
  GtkWidget *revealer, *box, *icon, *label, *settings, *close;
};

G_DEFINE_TYPE(CwuMessageRow, cwu_message_row, GTK_TYPE_WIDGET)

enum { CLOSED, SETTINGS_REQUESTED, N_SIGNALS };
static guint signals[N_SIGNALS];

void
cwu_message_row_set(CwuMessageRow *self, CwuMessageKind kind, const char *text,
                    bool has_settings, bool can_close)
{
  g_return_if_fail(CWU_IS_MESSAGE_ROW(self));
  bool is_error = kind == CWU_MESSAGE_ERROR;
  gtk_revealer_set_reveal_child(GTK_REVEALER(self->revealer), kind != CWU_MESSAGE_NONE);
  if (kind == CWU_MESSAGE_NONE)
    return; /* what was said stays while it is folded away */
  gtk_label_set_text(GTK_LABEL(self->label), text);
  gtk_image_set_from_icon_name(GTK_IMAGE(self->icon),
                               is_error ? "dialog-error-symbolic" : "dialog-warning-symbolic");
  gtk_widget_remove_css_class(self->box, is_error ? "cwu-warning" : "cwu-error");
  gtk_widget_add_css_class(self->box, is_error ? "cwu-error" : "cwu-warning");
  gtk_widget_set_visible(self->settings, has_settings);
  gtk_widget_set_visible(self->close, can_close);
}

static void
settings_cb(CwuMessageRow *self)
{
  g_signal_emit(self, signals[SETTINGS_REQUESTED], 0);
}

static void
close_cb(CwuMessageRow *self)
{
  g_signal_emit(self, signals[CLOSED], 0);
}

static void
dispose(GObject *object)
{
  CwuMessageRow *self = CWU_MESSAGE_ROW(object);
  g_clear_pointer(&self->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_message_row_parent_class)->dispose(object);
}

static void
cwu_message_row_class_init(CwuMessageRowClass *class)
{
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role(GTK_WIDGET_CLASS(class), GTK_ACCESSIBLE_ROLE_ALERT);
  signals[CLOSED] = g_signal_new("closed", CWU_TYPE_MESSAGE_ROW, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
  signals[SETTINGS_REQUESTED] =
      g_signal_new("settings-requested", CWU_TYPE_MESSAGE_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                   NULL, G_TYPE_NONE, 0);
}

static void
cwu_message_row_init(CwuMessageRow *self)
{
  self->revealer = gtk_revealer_new();
  self->box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 10);
  self->icon = gtk_image_new();
  self->label = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                             PANGO_WRAP_WORD_CHAR, "hexpand", TRUE, "selectable", TRUE, NULL);
  self->settings = gtk_button_new_with_label(_("Settings"));
  self->close = gtk_button_new_from_icon_name("window-close-symbolic");
  gtk_widget_add_css_class(self->box, "cwu-message");
  gtk_widget_add_css_class(self->close, "flat");
  gtk_widget_set_valign(self->settings, GTK_ALIGN_CENTER);
  gtk_widget_set_valign(self->close, GTK_ALIGN_CENTER);
  cwu_hint_set(self->close, _("Close"));
  g_signal_connect_swapped(self->settings, "clicked", G_CALLBACK(settings_cb), self);
  g_signal_connect_swapped(self->close, "clicked", G_CALLBACK(close_cb), self);
  gtk_box_append(GTK_BOX(self->box), self->icon);
  gtk_box_append(GTK_BOX(self->box), self->label);
  gtk_box_append(GTK_BOX(self->box), self->settings);
  gtk_box_append(GTK_BOX(self->box), self->close);
  gtk_revealer_set_child(GTK_REVEALER(self->revealer), self->box);
  gtk_widget_set_parent(self->revealer, GTK_WIDGET(self));
}

CwuMessageRow *
cwu_message_row_new(void)
{
  return g_object_new(CWU_TYPE_MESSAGE_ROW, NULL);
}
