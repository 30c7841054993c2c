/* next-strip.c - see next-strip.h. */
#include "trace/next-strip.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define N_ON_BUTTON       3
#define MAX_PIECE_CHARS   14
#define LEAST_SHOWN_SHARE 0.005 /* would read 0 % */

struct _CwuNextStrip {
  GtkWidget parent_instance;
  GtkWidget *button, *labels, *list;
  int32_t *ids; /* [rows] */
};

G_DEFINE_TYPE(CwuNextStrip, cwu_next_strip, GTK_TYPE_WIDGET)

static guint target_chosen_signal;

/* The space that begins most tokens is left out; blank tokens are named by what they are. */
static char *
dup_shown_piece(const char *piece)
{
  g_autofree char *bare = g_strstrip(g_strdup(piece));
  return *bare != '\0' ? g_steal_pointer(&bare) : cw_escape_dup(piece, true);
}

static GtkWidget *
label_new(const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new(text);
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  gtk_label_set_max_width_chars(GTK_LABEL(label), MAX_PIECE_CHARS);
  gtk_widget_add_css_class(label, css_class);
  return label;
}

static char *
dup_percent(double share)
{
  return share < LEAST_SHOWN_SHARE ? g_strdup_printf("%.1f%%", 100 * share)
                                   : g_strdup_printf("%.0f%%", 100 * share);
}

static void
remove_children(GtkWidget *box)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child(box)) != NULL)
    gtk_box_remove(GTK_BOX(box), child);
}

static void
fill_button(CwuNextStrip *self, const CwuNextToken *next, size_t n)
{
  GString *spoken = g_string_new(_("The model says next:"));
  remove_children(self->labels);
  for (size_t i = 0; i < MIN(n, N_ON_BUTTON); i++) {
    if (i > 0 && next[i].probability < LEAST_SHOWN_SHARE)
      break;
    g_autofree char *shown = dup_shown_piece(next[i].piece);
    g_autofree char *percent = dup_percent(next[i].probability);
    GtkWidget *pair = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    gtk_box_append(GTK_BOX(pair), label_new(shown, i == 0 ? "cwu-first" : "cwu-other"));
    gtk_box_append(GTK_BOX(pair), label_new(percent, "cwu-share"));
    gtk_box_append(GTK_BOX(self->labels), pair);
    g_string_append_printf(spoken, " %s %s", shown, percent);
  }
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 spoken->str, -1);
  g_string_free(spoken, TRUE);
}

static GtkWidget *
row_new(const CwuNextToken *next, double largest)
{
  GtkWidget *grid = gtk_grid_new(), *bar = gtk_level_bar_new_for_interval(0, 1);
  g_autofree char *quoted = cw_escape_dup(next->piece, true);
  g_autofree char *percent = g_strdup_printf("%.1f%%", 100 * next->probability);
  GtkWidget *name = label_new(quoted, "cwu-piece"), *share = label_new(percent, "cwu-share");
  gtk_label_set_xalign(GTK_LABEL(name), 0);
  gtk_label_set_xalign(GTK_LABEL(share), 1);
  gtk_label_set_width_chars(GTK_LABEL(name), MAX_PIECE_CHARS);
  gtk_label_set_width_chars(GTK_LABEL(share), 6);
  gtk_level_bar_set_value(GTK_LEVEL_BAR(bar), largest > 0 ? next->probability / largest : 0);
  gtk_level_bar_add_offset_value(GTK_LEVEL_BAR(bar), GTK_LEVEL_BAR_OFFSET_LOW, 0);
  gtk_widget_set_size_request(bar, 90, -1);
  gtk_widget_set_valign(bar, GTK_ALIGN_CENTER);
  gtk_grid_set_column_spacing(GTK_GRID(grid), 10);
  gtk_grid_attach(GTK_GRID(grid), name, 0, 0, 1, 1);
  gtk_grid_attach(GTK_GRID(grid), bar, 1, 0, 1, 1);
  gtk_grid_attach(GTK_GRID(grid), share, 2, 0, 1, 1);
  gtk_widget_set_tooltip_text(grid, _("Explain this token"));
  return grid;
}

static void
fill_list(CwuNextStrip *self, const CwuNextToken *next, size_t n)
{
  GtkWidget *row;
  while ((row = gtk_widget_get_first_child(self->list)) != NULL)
    gtk_list_box_remove(GTK_LIST_BOX(self->list), row);
  g_free(self->ids);
  self->ids = g_new(int32_t, MAX(n, 1));
  for (size_t i = 0; i < n; i++) {
    self->ids[i] = next[i].id;
    gtk_list_box_append(GTK_LIST_BOX(self->list), row_new(&next[i], next[0].probability));
  }
}

void
cwu_next_strip_set(CwuNextStrip *self, const CwuNextToken *next, size_t n, bool is_current)
{
  g_return_if_fail(CWU_IS_NEXT_STRIP(self));
  gtk_widget_set_visible(self->button, n > 0);
  if (is_current || n == 0) {
    fill_button(self, next, n);
    fill_list(self, next, n);
  }
  if (is_current)
    gtk_widget_remove_css_class(self->button, "cwu-stale");
  else
    gtk_widget_add_css_class(self->button, "cwu-stale");
}

static void
row_activated_cb(GtkListBox *list, GtkListBoxRow *row, CwuNextStrip *self)
{
  gtk_menu_button_popdown(GTK_MENU_BUTTON(self->button));
  g_signal_emit(self, target_chosen_signal, 0, self->ids[gtk_list_box_row_get_index(row)]);
}

static void
dispose(GObject *object)
{
  CwuNextStrip *self = CWU_NEXT_STRIP(object);
  g_clear_pointer(&self->button, gtk_widget_unparent);
  g_clear_pointer(&self->ids, g_free);
  G_OBJECT_CLASS(cwu_next_strip_parent_class)->dispose(object);
}

static void
cwu_next_strip_class_init(CwuNextStripClass *class)
{
  G_OBJECT_CLASS(class)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
  target_chosen_signal = g_signal_new("target-chosen", CWU_TYPE_NEXT_STRIP, G_SIGNAL_RUN_LAST,
                                      0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
}

static void
cwu_next_strip_init(CwuNextStrip *self)
{
  GtkWidget *popover = gtk_popover_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *title = label_new(_("The model says next"), "heading");
  GtkWidget *hint = gtk_label_new(_("Choose one to explain it alone."));
  gtk_label_set_max_width_chars(GTK_LABEL(title), -1);
  gtk_widget_add_css_class(hint, "dim-label");
  gtk_widget_add_css_class(hint, "caption");
  gtk_label_set_xalign(GTK_LABEL(title), 0);
  gtk_label_set_xalign(GTK_LABEL(hint), 0);
  self->labels = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 14);
  self->list = gtk_list_box_new();
  gtk_list_box_set_selection_mode(GTK_LIST_BOX(self->list), GTK_SELECTION_NONE);
  gtk_widget_add_css_class(self->list, "cwu-next-list");
  g_signal_connect(self->list, "row-activated", G_CALLBACK(row_activated_cb), self);
  gtk_box_append(GTK_BOX(box), title);
  gtk_box_append(GTK_BOX(box), self->list);
  gtk_box_append(GTK_BOX(box), hint);
  gtk_popover_set_child(GTK_POPOVER(popover), box);
  self->button = gtk_menu_button_new();
  gtk_menu_button_set_child(GTK_MENU_BUTTON(self->button), self->labels);
  gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->button), popover);
  gtk_widget_add_css_class(self->button, "flat");
  gtk_widget_add_css_class(self->button, "cwu-next");
  gtk_widget_set_tooltip_text(self->button, _("What the model says next"));
  gtk_widget_set_visible(self->button, FALSE);
  gtk_widget_set_parent(self->button, GTK_WIDGET(self));
}

CwuNextStrip *
cwu_next_strip_new(void)
{
  return g_object_new(CWU_TYPE_NEXT_STRIP, NULL);
}
