/* node-cell.c - see node-cell.h. A cell draws its text, that of names with the node's glyph
 * before it; that of pins is a button, by which a node that is pruned away comes back. Cells of
 * GtkLabels were rejected: a list of GTK's keeps 200 rows, 1,800 cells, and making and
 * measuring so many labels held the window up for 0.4 s. */
#include "panes/node-cell.h"

#include <glib/gi18n-lib.h>

#include "picture/painter.h"
#include "window/theme-watch.h"

#define GLYPH_PX      5.0
#define GLYPH_ROOM_PX 24
#define LEAST_NAME_PX 180
#define LEAST_PX      40

#define CWU_TYPE_NODE_CELL (cwu_node_cell_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeCell, cwu_node_cell, CWU, NODE_CELL, GtkWidget)

struct _CwuNodeCell {
  GtkWidget parent_instance;
  CwuDocument *document; /* not owned: the table keeps it */
  CwuNodeColumn column;
  GtkWidget *pin;      /* that of pins only */
  PangoLayout *layout; /* made when it is seen; NULL: not yet */
  CwuNodeItem *item;
  bool is_updating;
};

G_DEFINE_TYPE(CwuNodeCell, cwu_node_cell, GTK_TYPE_WIDGET)

static bool
is_number(CwuNodeColumn column)
{
  return column == CWU_COLUMN_LAYER || column == CWU_COLUMN_ACTIVATION ||
         column == CWU_COLUMN_INFLUENCE || column == CWU_COLUMN_INPUTS ||
         column == CWU_COLUMN_OUTPUTS;
}

static void
snapshot_glyph(CwuNodeCell *self, GtkSnapshot *snapshot, int height)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (graph == NULL || cwu_node_item_get_node(self->item) >= cw_graph_get_n_nodes(graph))
    return;
  const CwuTheme *theme = cwu_theme_now();
  const CwNode *node = &cw_graph_peek_nodes(graph)[cwu_node_item_get_node(self->item)];
  bool is_strong = node->kind != CW_NODE_ERROR && cwu_node_item_is_shown(self->item);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT(0, 0, GLYPH_ROOM_PX, (float)height);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_node(canvas, theme, node->kind,
                        (CwuPoint){ GLYPH_ROOM_PX / 2 - 2, height / 2.0 }, GLYPH_PX,
                        is_strong ? theme->node_strong : theme->node_pale);
  cairo_destroy(cr);
}

static PangoLayout *
layout_of(CwuNodeCell *self)
{
  if (self->layout == NULL) {
    g_autofree char *text = cwu_node_item_dup_text(self->item, self->column);
    self->layout = gtk_widget_create_pango_layout(GTK_WIDGET(self), text);
    pango_layout_set_ellipsize(self->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_single_paragraph_mode(self->layout, TRUE);
  }
  return self->layout;
}

static void
cwu_node_cell_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuNodeCell *self = CWU_NODE_CELL(widget);
  int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
  if (self->pin != NULL || self->item == NULL) {
    GTK_WIDGET_CLASS(cwu_node_cell_parent_class)->snapshot(widget, snapshot);
    return;
  }
  int room = self->column == CWU_COLUMN_NAME ? GLYPH_ROOM_PX : 0, text_width, text_height;
  PangoLayout *layout = layout_of(self);
  GdkRGBA colour;
  pango_layout_set_width(layout, MAX(width - room, 0) * PANGO_SCALE);
  pango_layout_get_pixel_size(layout, &text_width, &text_height);
  gtk_style_context_get_color(gtk_widget_get_style_context(widget), &colour);
  if (!cwu_node_item_is_shown(self->item))
    colour.alpha *= 0.55f;
  if (room > 0)
    snapshot_glyph(self, snapshot, height);
  double x = is_number(self->column) ? width - text_width : room;
  gtk_snapshot_save(snapshot);
  gtk_snapshot_translate(snapshot,
                         &GRAPHENE_POINT_INIT((float)x, (float)(height - text_height) / 2));
  gtk_snapshot_append_layout(snapshot, layout, &colour);
  gtk_snapshot_restore(snapshot);
}

/* Columns give the width; rows are as high as a line of the font. */
static void
cwu_node_cell_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                      int *natural, int *minimum_baseline, int *natural_baseline)
{
  CwuNodeCell *self = CWU_NODE_CELL(widget);
  if (self->pin != NULL) {
    gtk_widget_measure(self->pin, orientation, for_size, minimum, natural, NULL, NULL);
    return;
  }
  *minimum = *natural = self->column == CWU_COLUMN_NAME ? LEAST_NAME_PX : LEAST_PX;
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    return;
  PangoFontMetrics *metrics =
      pango_context_get_metrics(gtk_widget_get_pango_context(widget), NULL, NULL);
  *minimum = *natural = PANGO_PIXELS_CEIL(pango_font_metrics_get_height(metrics));
  pango_font_metrics_unref(metrics);
}

static void
cwu_node_cell_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  CwuNodeCell *self = CWU_NODE_CELL(widget);
  if (self->pin != NULL)
    gtk_widget_size_allocate(self->pin, &(GtkAllocation){ 0, 0, width, height }, -1);
}

static void
update_pin(CwuNodeCell *self)
{
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  bool is_pinned = cw_document_state_is_pinned(state, cwu_node_item_get_node(self->item));
  self->is_updating = true;
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->pin), is_pinned);
  self->is_updating = false;
}

static void
update(CwuNodeCell *self)
{
  g_clear_object(&self->layout);
  if (self->item == NULL)
    return;
  if (self->pin != NULL) {
    update_pin(self);
    return;
  }
  g_autofree char *text = cwu_node_item_dup_text(self->item, self->column);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
cwu_node_cell_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS(cwu_node_cell_parent_class)->css_changed(widget, change);
  g_clear_object(&CWU_NODE_CELL(widget)->layout);
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

/* Asked for when it is wanted: to set a tooltip costs two round trips to an X server. */
static gboolean
cwu_node_cell_query_tooltip(GtkWidget *widget, int x, int y, gboolean keyboard,
                            GtkTooltip *tooltip)
{
  CwuNodeCell *self = CWU_NODE_CELL(widget);
  if (self->layout == NULL || !pango_layout_is_ellipsized(self->layout))
    return FALSE;
  gtk_tooltip_set_text(tooltip, pango_layout_get_text(self->layout));
  return TRUE;
}

static void
cwu_node_cell_dispose(GObject *object)
{
  CwuNodeCell *self = CWU_NODE_CELL(object);
  g_clear_object(&self->item);
  g_clear_object(&self->layout);
  g_clear_pointer(&self->pin, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_node_cell_parent_class)->dispose(object);
}

static void
cwu_node_cell_class_init(CwuNodeCellClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_node_cell_dispose;
  widget_class->snapshot = cwu_node_cell_snapshot;
  widget_class->measure = cwu_node_cell_measure;
  widget_class->size_allocate = cwu_node_cell_size_allocate;
  widget_class->css_changed = cwu_node_cell_css_changed;
  widget_class->query_tooltip = cwu_node_cell_query_tooltip;
  gtk_widget_class_set_css_name(widget_class, "nodecell");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_LABEL);
}

static void
cwu_node_cell_init(CwuNodeCell *self)
{
}

static void
add_pin(CwuNodeCell *self)
{
  self->pin = gtk_toggle_button_new();
  gtk_button_set_icon_name(GTK_BUTTON(self->pin), "view-pin-symbolic");
  gtk_widget_add_css_class(self->pin, "flat");
  gtk_widget_add_css_class(self->pin, "small-button");
  gtk_widget_add_css_class(self->pin, "pin-button");
  gtk_widget_set_tooltip_text(self->pin, _("Pin or unpin the node"));
  gtk_widget_set_halign(self->pin, GTK_ALIGN_CENTER);
  g_signal_connect(self->pin, "toggled", G_CALLBACK(pinned_cb), self);
  gtk_widget_set_parent(self->pin, GTK_WIDGET(self));
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
  if (maker->column == CWU_COLUMN_PINNED)
    add_pin(self);
  else
    gtk_widget_set_has_tooltip(GTK_WIDGET(self), TRUE);
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
