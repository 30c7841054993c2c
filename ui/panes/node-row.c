/* node-row.c - see node-row.h. A row draws its texts, the node's glyph before its name; the pin
 * is a button, by which a node that is pruned away comes back. */
#include "panes/node-row.h"

#include <glib/gi18n-lib.h>

#include "desktop/theme-watch.h"
#include "panes/hint.h"
#include "panes/lazy-rows.h"
#include "picture/painter.h"

#define GLYPH_PX      5.0
#define GLYPH_ROOM_PX 24
#define PALE_ALPHA    0.55f

struct _CwuNodeRow {
  GtkWidget parent_instance;
  CwuDocument *document;               /* not owned: the table keeps it */
  CwuNodeColumns *columns;             /* not owned: the list keeps them */
  PangoLayout *layouts[CWU_N_COLUMNS]; /* made when they are drawn; NULL: not yet */
  GtkWidget *pin;
  CwuNodeItem *item;
  bool is_updating;
};

G_DEFINE_TYPE(CwuNodeRow, cwu_node_row, GTK_TYPE_WIDGET)

/* ---- drawing --------------------------------------------------------------------------- */

static void
snapshot_glyph(CwuNodeRow *self, GtkSnapshot *snapshot, double x, int height)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (graph == NULL || cwu_node_item_get_node(self->item) >= cw_graph_get_n_nodes(graph))
    return;
  const CwuTheme *theme = cwu_theme_now();
  const CwNode *node = &cw_graph_peek_nodes(graph)[cwu_node_item_get_node(self->item)];
  bool is_strong = node->kind != CW_NODE_ERROR && cwu_node_item_is_shown(self->item);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT((float)x, 0, GLYPH_ROOM_PX, (float)height);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_node(canvas, theme, node->kind,
                        (CwuPoint){ x + GLYPH_ROOM_PX / 2 - 2, height / 2.0 }, GLYPH_PX,
                        is_strong ? theme->node_strong : theme->node_pale);
  cairo_destroy(cr);
}

static PangoLayout *
layout_of(CwuNodeRow *self, CwuNodeColumn column)
{
  if (self->layouts[column] == NULL) {
    g_autofree char *text = cwu_node_item_dup_text(self->item, column);
    self->layouts[column] = gtk_widget_create_pango_layout(GTK_WIDGET(self), text);
    pango_layout_set_ellipsize(self->layouts[column], PANGO_ELLIPSIZE_END);
    pango_layout_set_single_paragraph_mode(self->layouts[column], TRUE);
  }
  return self->layouts[column];
}

/* A name leaves room for its glyph, on the side where lines begin. */
static CwuSpan
span_of(CwuNodeRow *self, CwuNodeColumn column)
{
  CwuSpan span =
      cwu_node_columns_place(self->columns, column, gtk_widget_get_width(GTK_WIDGET(self)));
  if (column != CWU_COLUMN_NAME)
    return span;
  span.width = MAX(span.width - GLYPH_ROOM_PX, 0);
  if (gtk_widget_get_direction(GTK_WIDGET(self)) != GTK_TEXT_DIR_RTL)
    span.x += GLYPH_ROOM_PX;
  return span;
}

static void
snapshot_text(CwuNodeRow *self, GtkSnapshot *snapshot, CwuNodeColumn column,
              const GdkRGBA *colour)
{
  CwuSpan span = span_of(self, column);
  PangoLayout *layout = layout_of(self, column);
  int width, height, room = gtk_widget_get_height(GTK_WIDGET(self));
  pango_layout_set_width(layout, span.width * PANGO_SCALE);
  pango_layout_get_pixel_size(layout, &width, &height);
  bool is_rtl = gtk_widget_get_direction(GTK_WIDGET(self)) == GTK_TEXT_DIR_RTL;
  bool is_right = cwu_node_columns_is_number(column) != is_rtl;
  pango_layout_set_alignment(layout, is_right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
  gtk_snapshot_save(snapshot);
  gtk_snapshot_translate(snapshot,
                         &GRAPHENE_POINT_INIT((float)span.x, (float)(room - height) / 2));
  gtk_snapshot_append_layout(snapshot, layout, colour);
  gtk_snapshot_restore(snapshot);
}

static void
cwu_node_row_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuNodeRow *self = CWU_NODE_ROW(widget);
  GdkRGBA colour;
  if (self->item == NULL)
    return;
  gtk_style_context_get_color(gtk_widget_get_style_context(widget), &colour);
  if (!cwu_node_item_is_shown(self->item))
    colour.alpha *= PALE_ALPHA;
  for (int i = 0; i < CWU_N_COLUMNS; i++)
    if (i != (int)CWU_COLUMN_PINNED)
      snapshot_text(self, snapshot, (CwuNodeColumn)i, &colour);
  CwuSpan name = span_of(self, CWU_COLUMN_NAME);
  bool is_rtl = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
  snapshot_glyph(self, snapshot, is_rtl ? name.x + name.width : name.x - GLYPH_ROOM_PX,
                 gtk_widget_get_height(widget));
  GTK_WIDGET_CLASS(cwu_node_row_parent_class)->snapshot(widget, snapshot);
}

static void
forget_layouts(CwuNodeRow *self)
{
  for (int i = 0; i < CWU_N_COLUMNS; i++)
    g_clear_object(&self->layouts[i]);
}

static void
cwu_node_row_css_changed(GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS(cwu_node_row_parent_class)->css_changed(widget, change);
  forget_layouts(CWU_NODE_ROW(widget));
}

/* Other fonts, or another resolution. */
static void
cwu_node_row_system_setting_changed(GtkWidget *widget, GtkSystemSetting setting)
{
  GTK_WIDGET_CLASS(cwu_node_row_parent_class)->system_setting_changed(widget, setting);
  forget_layouts(CWU_NODE_ROW(widget));
}

/* ---- space ----------------------------------------------------------------------------- */

static void
cwu_node_row_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                     int *natural, int *minimum_baseline, int *natural_baseline)
{
  CwuNodeRow *self = CWU_NODE_ROW(widget);
  int least;
  gtk_widget_measure(self->pin, orientation, -1, &least, NULL, NULL, NULL);
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = *natural = 0; /* The heads say. */
    return;
  }
  PangoFontMetrics *metrics =
      pango_context_get_metrics(gtk_widget_get_pango_context(widget), NULL, NULL);
  int line = PANGO_PIXELS_CEIL(pango_font_metrics_get_height(metrics));
  pango_font_metrics_unref(metrics);
  *minimum = *natural = MAX(line, least);
}

static void
cwu_node_row_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  CwuNodeRow *self = CWU_NODE_ROW(widget);
  CwuSpan span = cwu_node_columns_place(self->columns, CWU_COLUMN_PINNED, width);
  int least;
  gtk_widget_measure(self->pin, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  gtk_widget_size_allocate(
      self->pin, &(GtkAllocation){ span.x + (span.width - least) / 2, 0, least, height }, -1);
}

/* ---- what it says ---------------------------------------------------------------------- */

static void
update_pin(CwuNodeRow *self)
{
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  bool is_pinned = cw_document_state_is_pinned(state, cwu_node_item_get_node(self->item));
  self->is_updating = true;
  gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->pin), is_pinned);
  self->is_updating = false;
}

/* "say Paris, feature, Layer 19, Token 5 · is, ..." */
static void
update_name(CwuNodeRow *self)
{
  g_autoptr(GString) words = g_string_new(NULL);
  for (int i = 0; i < CWU_N_COLUMNS; i++) {
    g_autofree char *text = cwu_node_item_dup_text(self->item, (CwuNodeColumn)i);
    if (*text == '\0')
      continue;
    if (i == CWU_COLUMN_NAME || i == CWU_COLUMN_TYPE)
      g_string_append_printf(words, "%s%s", words->len > 0 ? ", " : "", text);
    else
      g_string_append_printf(words, ", %s %s", cwu_node_columns_get_title((CwuNodeColumn)i),
                             text);
  }
  cwu_lazy_rows_name(GTK_WIDGET(self), words->str);
}

static void
update(CwuNodeRow *self)
{
  forget_layouts(self);
  if (self->item == NULL)
    return;
  update_pin(self);
  update_name(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

void
cwu_node_row_set_item(CwuNodeRow *self, CwuNodeItem *item)
{
  if (g_set_object(&self->item, item))
    update(self);
}

static void
pinned_cb(GtkToggleButton *button, CwuNodeRow *self)
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
cwu_node_row_query_tooltip(GtkWidget *widget, int x, int y, gboolean keyboard,
                           GtkTooltip *tooltip)
{
  CwuNodeRow *self = CWU_NODE_ROW(widget);
  int column = cwu_node_columns_find(self->columns, x, gtk_widget_get_width(widget));
  PangoLayout *layout = column >= 0 ? self->layouts[column] : NULL;
  if (layout == NULL || !pango_layout_is_ellipsized(layout))
    return FALSE;
  gtk_tooltip_set_text(tooltip, pango_layout_get_text(layout));
  return TRUE;
}

/* ---- building -------------------------------------------------------------------------- */

static void
cwu_node_row_dispose(GObject *object)
{
  CwuNodeRow *self = CWU_NODE_ROW(object);
  g_clear_object(&self->item);
  forget_layouts(self);
  g_clear_pointer(&self->pin, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_node_row_parent_class)->dispose(object);
}

static void
cwu_node_row_class_init(CwuNodeRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_node_row_dispose;
  widget_class->snapshot = cwu_node_row_snapshot;
  widget_class->measure = cwu_node_row_measure;
  widget_class->size_allocate = cwu_node_row_size_allocate;
  widget_class->css_changed = cwu_node_row_css_changed;
  widget_class->system_setting_changed = cwu_node_row_system_setting_changed;
  widget_class->query_tooltip = cwu_node_row_query_tooltip;
  gtk_widget_class_set_css_name(widget_class, "noderow");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
cwu_node_row_init(CwuNodeRow *self)
{
  self->pin = gtk_toggle_button_new();
  gtk_button_set_icon_name(GTK_BUTTON(self->pin), "view-pin-symbolic");
  gtk_widget_add_css_class(self->pin, "flat");
  gtk_widget_add_css_class(self->pin, "small-button");
  gtk_widget_add_css_class(self->pin, "pin-button");
  cwu_hint_set(self->pin, _("Pin or unpin the node"));
  g_signal_connect(self->pin, "toggled", G_CALLBACK(pinned_cb), self);
  gtk_widget_set_parent(self->pin, GTK_WIDGET(self));
  gtk_widget_set_has_tooltip(GTK_WIDGET(self), TRUE);
  cwu_theme_watch(GTK_WIDGET(self));
}

GtkWidget *
cwu_node_row_new(CwuDocument *document, CwuNodeModel *model, CwuNodeColumns *columns)
{
  CwuNodeRow *self = g_object_new(CWU_TYPE_NODE_ROW, NULL);
  self->document = document;
  self->columns = columns;
  g_signal_connect_object(model, "refresh", G_CALLBACK(update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object(columns, "resized", G_CALLBACK(gtk_widget_queue_resize), self,
                          G_CONNECT_SWAPPED);
  return GTK_WIDGET(self);
}
