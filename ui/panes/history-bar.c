/* history-bar.c - see history-bar.h. Buttons say which step they take: "Undo: Pin “water, ice”
 * (Ctrl+Z)". */
#include "panes/history-bar.h"

#include <glib/gi18n-lib.h>

#include "panes/history-list.h"
#include "window/action-table.h"

struct _CwuHistoryBar {
  GtkBox parent_instance;
  CwuDocument *document;
  GtkWidget *undo, *redo, *menu;
  CwuHistoryList *list;
};

G_DEFINE_TYPE(CwuHistoryBar, cwu_history_bar, GTK_TYPE_BOX)

/* The step is the one that the button would take back or do again; negative or past the last:
 * there is none. */
static void
name_button(CwuHistoryBar *self, GtkWidget *button, const char *action, gint64 step)
{
  g_autofree char *plain = cwu_action_dup_tooltip(action);
  CwDocument *core = self->document != NULL ? cwu_document_peek_core(self->document) : NULL;
  if (core == NULL || step < 1 || step >= (gint64)cw_document_get_n_steps(core)) {
    gtk_widget_set_tooltip_text(button, plain);
    return;
  }
  const CwuAction *entry = cwu_action_table_find(action);
  g_autofree char *name = cwu_step_dup_name(cw_document_get_step(core, (size_t)step));
  g_autofree char *keys = cwu_action_dup_keys(action);
  /* Translators: a button, what it takes back or does again, its keys. */
  g_autofree char *text = g_strdup_printf(_("%s: %s (%s)"), _(entry->title), name, keys);
  gtk_widget_set_tooltip_text(button, text);
  gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 name, -1);
}

static void
update(CwuHistoryBar *self)
{
  gint64 position =
      self->document != NULL
          ? (gint64)cw_document_get_position(cwu_document_peek_core(self->document))
          : -1;
  bool has_steps = self->document != NULL &&
                   cw_document_get_n_steps(cwu_document_peek_core(self->document)) > 1;
  name_button(self, self->undo, "win.undo", position);
  name_button(self, self->redo, "win.redo", position + 1);
  gtk_widget_set_sensitive(self->menu, has_steps);
}

void
cwu_history_bar_set_document(CwuHistoryBar *self, CwuDocument *document)
{
  if (self->document == document)
    return;
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data(self->document, self);
  g_set_object(&self->document, document);
  cwu_history_list_set_document(self->list, document);
  if (document != NULL)
    g_signal_connect_object(document, "history-changed", G_CALLBACK(update), self,
                            G_CONNECT_SWAPPED);
  update(self);
}

void
cwu_history_bar_popup(CwuHistoryBar *self)
{
  if (gtk_widget_get_sensitive(self->menu))
    gtk_menu_button_popup(GTK_MENU_BUTTON(self->menu));
}

static GtkWidget *
button_new(const char *action)
{
  GtkWidget *button = gtk_button_new();
  cwu_action_bind(button, action);
  return button;
}

static void
cwu_history_bar_dispose(GObject *object)
{
  CwuHistoryBar *self = CWU_HISTORY_BAR(object);
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data(self->document, self);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_history_bar_parent_class)->dispose(object);
}

static void
cwu_history_bar_class_init(CwuHistoryBarClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_history_bar_dispose;
}

static void
cwu_history_bar_init(CwuHistoryBar *self)
{
  GtkWidget *popover = gtk_popover_new();
  g_autofree char *tooltip = cwu_action_dup_tooltip("win.history");
  self->undo = button_new("win.undo");
  self->redo = button_new("win.redo");
  self->menu = gtk_menu_button_new();
  self->list = cwu_history_list_new();
  gtk_popover_set_child(GTK_POPOVER(popover), GTK_WIDGET(self->list));
  gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->menu), popover);
  gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(self->menu), "pan-down-symbolic");
  gtk_widget_set_tooltip_text(self->menu, tooltip);
  gtk_widget_add_css_class(self->menu, "history-menu");
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->menu), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("History of changes"), -1);
  gtk_box_append(GTK_BOX(self), self->undo);
  gtk_box_append(GTK_BOX(self), self->redo);
  gtk_box_append(GTK_BOX(self), self->menu);
  update(self);
}

CwuHistoryBar *
cwu_history_bar_new(void)
{
  return g_object_new(CWU_TYPE_HISTORY_BAR, NULL);
}
