/* node-cell.c - see node-cell.h. A cell is a label; that of names has the node's glyph before
 * it, that of pins is a button, by which a node that is pruned away comes back. */
#include "panes/node-cell.h"

#include <glib/gi18n-lib.h>

#include "picture/painter.h"
#include "window/theme-watch.h"

#define GLYPH_PX 5.0

#define CWU_TYPE_NODE_CELL (cwu_node_cell_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeCell, cwu_node_cell, CWU, NODE_CELL, GtkBox)

struct _CwuNodeCell {
  GtkBox parent_instance;
  CwuDocument *document; /* not owned: the table keeps it */
  CwuNodeColumn column;
  GtkWidget *glyph, *label, *pin; /* those there are */
  CwuNodeItem *item;
  bool is_updating;
};

G_DEFINE_TYPE(CwuNodeCell, cwu_node_cell, GTK_TYPE_BOX)

static bool
is_number(CwuNodeColumn column)
{
  return column == CWU_COLUMN_LAYER || column == CWU_COLUMN_ACTIVATION ||
         column == CWU_COLUMN_INFLUENCE || column == CWU_COLUMN_INPUTS ||
         column == CWU_COLUMN_OUTPUTS;
}

static void
draw_glyph_cb(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
  CwuNodeCell *self = user_data;
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (self->item == NULL || graph == NULL ||
      cwu_node_item_get_node(self->item) >= cw_graph_get_n_nodes(graph))
    return;
  const CwuTheme *theme = cwu_theme_now();
  const CwNode *node = &cw_graph_peek_nodes(graph)[cwu_node_item_get_node(self->item)];
  bool is_strong = node->kind != CW_NODE_ERROR && cwu_node_item_is_shown(self->item);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_node(canvas, theme, node->kind, (CwuPoint){ width / 2.0, height / 2.0 },
                        GLYPH_PX, is_strong ? theme->node_strong : theme->node_pale);
}

static void
update_pin(CwuNodeCell *self)
{
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  bool is_pinned = cw_document_state_is_pinned(state, cwu_node_item_get_node(self->item));
  self->is_updating = true;
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->pin), is_pinned);
  self->is_updating = false;
  gtk_widget_set_tooltip_text(self->pin, is_pinned ? _("Unpin") : _("Pin"));
}

static void
update(CwuNodeCell *self)
{
  if (self->item == NULL)
    return;
  if (self->pin != NULL) {
    update_pin(self);
    return;
  }
  g_autofree char *text = cwu_node_item_dup_text(self->item, self->column);
  gtk_label_set_text(GTK_LABEL(self->label), text);
  if (cwu_node_item_is_shown(self->item))
    gtk_widget_remove_css_class(GTK_WIDGET(self), "dim-label");
  else
    gtk_widget_add_css_class(GTK_WIDGET(self), "dim-label");
  if (self->glyph != NULL) {
    gtk_widget_set_tooltip_text(GTK_WIDGET(self), text);
    gtk_widget_queue_draw(self->glyph);
  }
}

static void
pinned_cb(GtkToggleButton *button, CwuNodeCell *self)
{
  if (self->is_updating || self->item == NULL)
    return;
  uint32_t node = (uint32_t)cwu_node_item_get_node(self->item);
  cw_document_set_pinned(cwu_document_peek_core(self->document), &node, 1,
                         gtk_toggle_button_get_active(button));
  cwu_document_sync(self->document);
}

static void
cwu_node_cell_dispose(GObject *object)
{
  g_clear_object(&CWU_NODE_CELL(object)->item);
  G_OBJECT_CLASS(cwu_node_cell_parent_class)->dispose(object);
}

static void
cwu_node_cell_class_init(CwuNodeCellClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_node_cell_dispose;
}

static void
cwu_node_cell_init(CwuNodeCell *self)
{
  gtk_widget_add_css_class(GTK_WIDGET(self), "node-cell");
}

static void
add_glyph(CwuNodeCell *self)
{
  self->glyph = gtk_drawing_area_new();
  gtk_drawing_area_set_content_width(GTK_DRAWING_AREA(self->glyph), 24);
  gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(self->glyph), 18);
  gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(self->glyph), draw_glyph_cb, self, NULL);
  cwu_theme_watch(self->glyph);
  gtk_box_append(GTK_BOX(self), self->glyph);
}

static void
add_pin(CwuNodeCell *self)
{
  self->pin = gtk_toggle_button_new();
  gtk_button_set_icon_name(GTK_BUTTON(self->pin), "view-pin-symbolic");
  gtk_widget_add_css_class(self->pin, "flat");
  gtk_widget_add_css_class(self->pin, "small-button");
  gtk_widget_add_css_class(self->pin, "pin-button");
  gtk_widget_set_halign(self->pin, GTK_ALIGN_CENTER);
  gtk_widget_set_hexpand(self->pin, TRUE);
  g_signal_connect(self->pin, "toggled", G_CALLBACK(pinned_cb), self);
  gtk_box_append(GTK_BOX(self), self->pin);
}

static void
add_label(CwuNodeCell *self)
{
  bool is_right = is_number(self->column);
  self->label = g_object_new(GTK_TYPE_LABEL, "xalign", is_right ? 1.0f : 0.0f, "hexpand", TRUE,
                             "ellipsize", PANGO_ELLIPSIZE_END, NULL);
  if (is_right)
    gtk_widget_add_css_class(self->label, "numeric");
  gtk_box_append(GTK_BOX(self), self->label);
}

/* ---- the factory ----------------------------------------------------------------------- */

typedef struct {
  CwuDocument *document;
  CwuNodeModel *model;
  CwuNodeColumn column;
} Maker;

static void
setup_cb(GtkSignalListItemFactory *factory, GtkListItem *list_item, Maker *maker)
{
  CwuNodeCell *self = g_object_new(CWU_TYPE_NODE_CELL, NULL);
  self->document = maker->document;
  self->column = maker->column;
  if (maker->column == CWU_COLUMN_NAME)
    add_glyph(self);
  if (maker->column == CWU_COLUMN_PINNED)
    add_pin(self);
  else
    add_label(self);
  g_signal_connect_object(maker->model, "refresh", G_CALLBACK(update), self, G_CONNECT_SWAPPED);
  gtk_list_item_set_child(list_item, GTK_WIDGET(self));
}

static void
bind_cb(GtkSignalListItemFactory *factory, GtkListItem *list_item, Maker *maker)
{
  CwuNodeCell *self = CWU_NODE_CELL(gtk_list_item_get_child(list_item));
  g_set_object(&self->item, CWU_NODE_ITEM(gtk_list_item_get_item(list_item)));
  update(self);
}

static void
unbind_cb(GtkSignalListItemFactory *factory, GtkListItem *list_item, Maker *maker)
{
  g_clear_object(&CWU_NODE_CELL(gtk_list_item_get_child(list_item))->item);
}

static void
free_maker(gpointer maker, GClosure *closure)
{
  g_free(maker);
}

GtkListItemFactory *
cwu_node_cell_factory_new(CwuDocument *document, CwuNodeModel *model, CwuNodeColumn column)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
  Maker *maker = g_new(Maker, 1);
  *maker = (Maker){ document, model, column };
  g_signal_connect_data(factory, "setup", G_CALLBACK(setup_cb), maker, free_maker, 0);
  g_signal_connect(factory, "bind", G_CALLBACK(bind_cb), maker);
  g_signal_connect(factory, "unbind", G_CALLBACK(unbind_cb), maker);
  return factory;
}
