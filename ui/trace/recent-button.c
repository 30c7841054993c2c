/* recent-button.c - see recent-button.h. */
#include "trace/recent-button.h"

#include <glib/gi18n-lib.h>

#define N_SHOWN          20
#define MAX_HEIGHT_PX    480
#define MAX_PROMPT_CHARS 52

struct _CwuRecentButton {
  GtkWidget parent_instance;
  GtkWidget *button, *list;
};

G_DEFINE_TYPE(CwuRecentButton, cwu_recent_button, GTK_TYPE_WIDGET)

static guint chosen_signal;

/* One line each: what a prompt begins with is what it is known by. */
static GtkWidget *
row_new(gpointer item, gpointer user_data)
{
  GtkWidget *row = gtk_list_box_row_new();
  const char *text = gtk_string_object_get_string(item);
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "label", text, "xalign", 0.0f, "ellipsize",
                                  PANGO_ELLIPSIZE_END, "single-line-mode", TRUE,
                                  "max-width-chars", MAX_PROMPT_CHARS, NULL);
  gtk_widget_set_tooltip_text(row, text);
  gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), label);
  g_object_set_data_full(G_OBJECT(row), "cwu-prompt", g_strdup(text), g_free);
  return row;
}

void
cwu_recent_button_set_model(CwuRecentButton *self, GListModel *model)
{
  g_return_if_fail(CWU_IS_RECENT_BUTTON(self));
  g_autoptr(GtkSliceListModel) shown =
      model != NULL ? gtk_slice_list_model_new(g_object_ref(model), 0, N_SHOWN) : NULL;
  gtk_list_box_bind_model(GTK_LIST_BOX(self->list), G_LIST_MODEL(shown), row_new, NULL, NULL);
}

static void
row_activated_cb(GtkListBox *list, GtkListBoxRow *row, CwuRecentButton *self)
{
  g_autofree char *text = g_strdup(g_object_get_data(G_OBJECT(row), "cwu-prompt"));
  gtk_menu_button_popdown(GTK_MENU_BUTTON(self->button));
  g_signal_emit(self, chosen_signal, 0, text);
}

static void
dispose(GObject *object)
{
  CwuRecentButton *self = CWU_RECENT_BUTTON(object);
  g_clear_pointer(&self->button, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_recent_button_parent_class)->dispose(object);
}

static void
cwu_recent_button_class_init(CwuRecentButtonClass *class)
{
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  chosen_signal = g_signal_new("chosen", CWU_TYPE_RECENT_BUTTON, G_SIGNAL_RUN_LAST, 0, NULL,
                               NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
cwu_recent_button_init(CwuRecentButton *self)
{
  GtkWidget *popover = gtk_popover_new(), *scroller = gtk_scrolled_window_new();
  GtkWidget *none = gtk_label_new(_("Prompts you trace are listed here"));
  gtk_widget_add_css_class(none, "dim-label");
  self->list = gtk_list_box_new();
  gtk_list_box_set_selection_mode(GTK_LIST_BOX(self->list), GTK_SELECTION_NONE);
  gtk_list_box_set_placeholder(GTK_LIST_BOX(self->list), none);
  gtk_widget_add_css_class(self->list, "cwu-recent-list");
  g_signal_connect(self->list, "row-activated", G_CALLBACK(row_activated_cb), self);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_propagate_natural_width(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), MAX_HEIGHT_PX);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), self->list);
  gtk_popover_set_child(GTK_POPOVER(popover), scroller);
  self->button = gtk_menu_button_new();
  gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(self->button), "document-open-recent-symbolic");
  gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->button), popover);
  gtk_widget_add_css_class(self->button, "flat");
  gtk_widget_set_tooltip_text(self->button, _("Recent prompts"));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Recent prompts"), -1);
  gtk_widget_set_parent(self->button, GTK_WIDGET(self));
}

CwuRecentButton *
cwu_recent_button_new(void)
{
  return g_object_new(CWU_TYPE_RECENT_BUTTON, NULL);
}
