/* link-row.c - see link-row.h. */
#include "panes/link-row.h"

#include <glib/gi18n-lib.h>

#include "desktop/theme-watch.h"
#include "panes/hint.h"
#include "panes/lazy-rows.h"
#include "picture/node-name.h"
#include "picture/painter.h"

#define GLYPH_PX  5.0
#define BAR_ALPHA 0.16

struct _CwuLinkRow {
  GtkWidget parent_instance;
  GtkWidget *name, *place, *value;
  GtkWidget *pin, *unpin; /* few rows have one; NULL: not made yet */
  CwuLinkItem *item;
  CwuDocument *document; /* not owned: the list view keeps it */
};

G_DEFINE_TYPE(CwuLinkRow, cwu_link_row, GTK_TYPE_WIDGET)

/* ---- drawing --------------------------------------------------------------------------- */

static CwNodeKind
kind_of(CwuLinkRow *self)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  bool is_node = self->item->node >= 0 && graph != NULL &&
                 (size_t)self->item->node < cw_graph_get_n_nodes(graph);
  return is_node ? cw_graph_peek_nodes(graph)[self->item->node].kind : CW_NODE_OTHER;
}

static CwuColour
bar_colour(const CwuLinkItem *item, const CwuTheme *theme)
{
  if (item->meaning != CWU_LINK_SHARE)
    return theme->node_pale;
  return item->value < 0 ? theme->negative : theme->positive;
}

static void
snapshot_glyph(CwuLinkRow *self, GtkSnapshot *snapshot, int height)
{
  const CwuTheme *theme = cwu_theme_now();
  graphene_rect_t bounds = GRAPHENE_RECT_INIT(0, 0, 24, (float)height);
  CwNodeKind kind = kind_of(self);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_node(canvas, theme, kind, (CwuPoint){ 13, height / 2.0 }, GLYPH_PX,
                        kind == CW_NODE_ERROR ? theme->node_pale : theme->node_strong);
  cairo_destroy(cr);
}

static void
snapshot_bar(CwuLinkRow *self, GtkSnapshot *snapshot, int width, int height)
{
  GdkRGBA colour =
      cwu_colour_to_rgba(cwu_colour_fade(bar_colour(self->item, cwu_theme_now()), BAR_ALPHA));
  float length = (float)MAX(4, (width - 4) * self->item->length);
  bool is_rtl = gtk_widget_get_direction(GTK_WIDGET(self)) == GTK_TEXT_DIR_RTL;
  GskRoundedRect bar;
  gsk_rounded_rect_init_from_rect(
      &bar,
      &GRAPHENE_RECT_INIT(is_rtl ? (float)width - 2 - length : 2, 2, length, (float)height - 4),
      4);
  gtk_snapshot_push_rounded_clip(snapshot, &bar);
  gtk_snapshot_append_color(snapshot, &colour, &bar.bounds);
  gtk_snapshot_pop(snapshot);
}

static void
cwu_link_row_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuLinkRow *self = CWU_LINK_ROW(widget);
  int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
  if (self->item != NULL && self->item->meaning != CWU_LINK_PINNED)
    snapshot_bar(self, snapshot, width, height);
  if (self->item != NULL && self->item->node >= 0)
    snapshot_glyph(self, snapshot, height);
  GTK_WIDGET_CLASS(cwu_link_row_parent_class)->snapshot(widget, snapshot);
}

/* ---- words ----------------------------------------------------------------------------- */

/* A short place for a row: "L19 · to"; only "to" where the name has the layer already. */
static char *
dup_short_place(CwuLinkRow *self, size_t i)
{
  const CwGraph *graph = cwu_document_peek_graph(self->document);
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  g_autofree char *piece =
      cwu_piece_dup_display(cw_graph_peek_prompt_token(graph, node->position));
  if (node->kind == CW_NODE_TOKEN)
    return g_strdup(_("token"));
  if (node->kind == CW_NODE_LOGIT)
    return g_strdup(self->item->meaning == CWU_LINK_PROBABILITY ? "" : _("output"));
  g_autofree char *label = cwu_node_dup_label(graph, i);
  bool has_label = label != NULL || cw_document_state_peek_label(state, i) != NULL;
  if (!has_label && node->kind != CW_NODE_ERROR)
    return g_strdup(piece);
  return g_strdup_printf("L%d · %s", node->layer, piece);
}

/* An error is named by its place alone, unless somebody has called it something. */
static char *
dup_name(CwuLinkRow *self, size_t node)
{
  const CwDocumentState *state = cwu_document_peek_state(self->document);
  bool is_plain_error =
      kind_of(self) == CW_NODE_ERROR && cw_document_state_peek_label(state, node) == NULL;
  return is_plain_error ? g_strdup(_("error"))
                        : cwu_document_dup_node_name(self->document, node);
}

/* "−12%", "+0.5%" or "+0.02%": never a nought, which would have no sign. */
static char *
dup_share(double percent)
{
  const char *sign = percent < 0 ? "−" : "+";
  double size = ABS(percent);
  if (size < 0.005)
    return g_strdup("<0.01%");
  if (size < 0.095)
    return g_strdup_printf("%s%.2f%%", sign, size);
  return size < 0.95 ? g_strdup_printf("%s%.1f%%", sign, size)
                     : g_strdup_printf("%s%.0f%%", sign, size);
}

char *
cwu_link_dup_value(const CwuLinkItem *item)
{
  double percent = 100 * item->value;
  if (item->meaning == CWU_LINK_PINNED)
    return g_strdup("");
  if (item->meaning != CWU_LINK_PROBABILITY)
    return dup_share(percent);
  return percent < 0.5 ? g_strdup("<1%") : g_strdup_printf("%.0f%%", percent);
}

static void
set_value_label(CwuLinkRow *self)
{
  const CwuLinkItem *item = self->item;
  g_autofree char *text = cwu_link_dup_value(item);
  gtk_label_set_text(GTK_LABEL(self->value), text);
  gtk_widget_set_visible(self->value, item->meaning != CWU_LINK_PINNED);
  gtk_widget_remove_css_class(self->value, "positive");
  gtk_widget_remove_css_class(self->value, "negative");
  if (item->meaning == CWU_LINK_SHARE)
    gtk_widget_add_css_class(self->value, item->value < 0 ? "negative" : "positive");
}

static void
show_pin(CwuLinkRow *self, bool is_shown)
{
  if (self->pin == NULL && is_shown) {
    self->pin = gtk_image_new_from_icon_name("view-pin-symbolic");
    gtk_image_set_pixel_size(GTK_IMAGE(self->pin), 12);
    gtk_widget_insert_after(self->pin, GTK_WIDGET(self), self->name);
  }
  if (self->pin != NULL)
    gtk_widget_set_visible(self->pin, is_shown);
}

static void
unpin_cb(CwuLinkRow *self)
{
  uint32_t node = (uint32_t)self->item->node;
  cw_document_set_pinned(cwu_document_peek_core(self->document), &node, 1, false);
  cwu_document_sync(self->document);
}

static void
show_unpin(CwuLinkRow *self, bool is_shown)
{
  if (self->unpin == NULL && is_shown) {
    self->unpin = gtk_button_new_from_icon_name("window-close-symbolic");
    gtk_widget_add_css_class(self->unpin, "flat");
    gtk_widget_add_css_class(self->unpin, "small-button");
    cwu_hint_set(self->unpin, _("Unpin"));
    g_signal_connect_swapped(self->unpin, "clicked", G_CALLBACK(unpin_cb), self);
    gtk_widget_insert_after(self->unpin, GTK_WIDGET(self), self->value);
  }
  if (self->unpin != NULL)
    gtk_widget_set_visible(self->unpin, is_shown);
}

static void
set_words(CwuLinkRow *self, const char *name, const char *place, bool is_pinned)
{
  bool is_pin_list = self->item->meaning == CWU_LINK_PINNED;
  gtk_label_set_text(GTK_LABEL(self->name), name);
  gtk_label_set_text(GTK_LABEL(self->place), place);
  gtk_widget_set_visible(self->place, *place != '\0');
  show_pin(self, is_pinned && !is_pin_list);
  show_unpin(self, is_pin_list);
  g_autofree char *words =
      g_strjoin(", ", name, *place != '\0' ? place : gtk_label_get_text(GTK_LABEL(self->value)),
                *place != '\0' ? gtk_label_get_text(GTK_LABEL(self->value)) : NULL, NULL);
  cwu_lazy_rows_name(GTK_WIDGET(self), words);
}

static void
update(CwuLinkRow *self)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (self->item == NULL || graph == NULL ||
      self->item->node >= (int64_t)cw_graph_get_n_nodes(graph))
    return;
  set_value_label(self);
  if (self->item->node < 0) {
    set_words(self, _("not attributed"), "", false);
    return;
  }
  size_t node = (size_t)self->item->node;
  g_autofree char *name = dup_name(self, node), *place = dup_short_place(self, node);
  set_words(self, name, place,
            cw_document_state_is_pinned(cwu_document_peek_state(self->document), node));
}

/* Asked for when it is wanted: to set a tooltip costs two round trips to an X server. */
static gboolean
cwu_link_row_query_tooltip(GtkWidget *widget, int x, int y, gboolean keyboard,
                           GtkTooltip *tooltip)
{
  CwuLinkRow *self = CWU_LINK_ROW(widget);
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (self->item == NULL || graph == NULL ||
      self->item->node >= (int64_t)cw_graph_get_n_nodes(graph))
    return FALSE;
  if (self->item->node < 0) {
    gtk_tooltip_set_text(tooltip, _("Comes from no node: biases and the first position."));
    return TRUE;
  }
  g_autofree char *name = cwu_document_dup_node_name(self->document, (size_t)self->item->node);
  g_autofree char *place = cwu_node_dup_place(graph, (size_t)self->item->node);
  g_autofree char *text = g_strdup_printf("%s\n%s", name, place);
  gtk_tooltip_set_text(tooltip, text);
  return TRUE;
}

static void
changed_cb(CwuLinkRow *self, guint parts)
{
  if (parts & CW_DOCUMENT_GRAPH)
    return; /* The list is about to be another. */
  if (parts & (CW_DOCUMENT_LABELS | CW_DOCUMENT_PINS))
    update(self);
}

static void
set_item(CwuLinkRow *self, CwuLinkItem *item)
{
  g_set_object(&self->item, item);
  update(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* ---- pointing -------------------------------------------------------------------------- */

static void
enter_cb(GtkEventControllerMotion *controller, double x, double y, CwuLinkRow *self)
{
  if (self->item != NULL)
    cwu_document_set_hovered(self->document, self->item->node);
}

static void
leave_cb(GtkEventControllerMotion *controller, CwuLinkRow *self)
{
  cwu_document_set_hovered(self->document, -1);
}

/* Ctrl pins, before the list takes the click for itself. */
static void
pressed_cb(GtkGestureClick *gesture, int n_press, double x, double y, CwuLinkRow *self)
{
  GdkModifierType modifiers =
      gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));
  if (!(modifiers & GDK_CONTROL_MASK) || self->item == NULL || self->item->node < 0)
    return;
  gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  cwu_document_toggle_pin(self->document, self->item->node);
}

/* ---- the row --------------------------------------------------------------------------- */

static void
cwu_link_row_dispose(GObject *object)
{
  CwuLinkRow *self = CWU_LINK_ROW(object);
  GtkWidget *child;
  g_clear_object(&self->item);
  while ((child = gtk_widget_get_first_child(GTK_WIDGET(self))) != NULL)
    gtk_widget_unparent(child);
  G_OBJECT_CLASS(cwu_link_row_parent_class)->dispose(object);
}

static void
cwu_link_row_class_init(CwuLinkRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_link_row_dispose;
  widget_class->snapshot = cwu_link_row_snapshot;
  widget_class->query_tooltip = cwu_link_row_query_tooltip;
  gtk_widget_class_set_css_name(widget_class, "linkrow");
  gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
add_children(CwuLinkRow *self)
{
  GtkWidget *const children[] = { self->name, self->place, self->value };
  for (size_t i = 0; i < G_N_ELEMENTS(children); i++)
    gtk_widget_set_parent(children[i], GTK_WIDGET(self));
}

static void
cwu_link_row_init(CwuLinkRow *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new();
  GtkGesture *click = gtk_gesture_click_new();
  self->name = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "hexpand", TRUE, "ellipsize",
                            PANGO_ELLIPSIZE_END, "margin-start", 26, NULL);
  self->place = g_object_new(GTK_TYPE_LABEL, "xalign", 1.0f, "ellipsize", PANGO_ELLIPSIZE_END,
                             "max-width-chars", 14, "margin-start", 8, NULL);
  self->value = g_object_new(GTK_TYPE_LABEL, "xalign", 1.0f, "width-chars", 7, "margin-start",
                             6, "margin-end", 8, NULL);
  gtk_widget_add_css_class(self->place, "dim-label");
  gtk_widget_add_css_class(self->place, "caption");
  gtk_widget_add_css_class(self->value, "numeric");
  gtk_widget_add_css_class(self->value, "share");
  add_children(self);
  g_signal_connect(motion, "enter", G_CALLBACK(enter_cb), self);
  g_signal_connect(motion, "leave", G_CALLBACK(leave_cb), self);
  g_signal_connect(click, "pressed", G_CALLBACK(pressed_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), motion);
  gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(click));
  gtk_widget_set_has_tooltip(GTK_WIDGET(self), TRUE);
  cwu_theme_watch(GTK_WIDGET(self));
}

/* ---- lists ----------------------------------------------------------------------------- */

static GtkWidget *
make_row(gpointer document)
{
  CwuLinkRow *row = g_object_new(CWU_TYPE_LINK_ROW, NULL);
  row->document = document;
  g_signal_connect_object(document, "changed", G_CALLBACK(changed_cb), row, G_CONNECT_SWAPPED);
  return GTK_WIDGET(row);
}

static bool
bind_row(GtkWidget *row, gpointer item, gpointer document)
{
  set_item(CWU_LINK_ROW(row), item);
  return item != NULL && CWU_LINK_ITEM(item)->node >= 0;
}

static void
activate_cb(CwuLazyRows *list, guint position, CwuDocument *document)
{
  g_autoptr(CwuLinkItem) item =
      g_list_model_get_item(G_LIST_MODEL(cwu_lazy_rows_peek_model(list)), position);
  if (item != NULL && item->node >= 0)
    cwu_document_show_node(document, item->node);
}

/* The keyboard stands on the selected row. */
static void
stand_cb(GtkSingleSelection *selection, GParamSpec *pspec, CwuDocument *document)
{
  CwuLinkItem *item = gtk_single_selection_get_selected_item(selection);
  cwu_document_set_hovered(document, item != NULL ? item->node : -1);
}

static void
left_cb(GtkEventControllerFocus *controller, CwuLazyRows *list)
{
  GtkSingleSelection *model = cwu_lazy_rows_peek_model(list);
  if (model != NULL)
    gtk_single_selection_set_selected(model, GTK_INVALID_LIST_POSITION);
}

GtkWidget *
cwu_link_list_view_new(CwuDocument *document, const char *name)
{
  static const CwuRowMaker maker = { make_row, bind_row };
  GtkWidget *list = cwu_lazy_rows_new(&maker, document, true);
  GtkEventController *focus = gtk_event_controller_focus_new();
  g_autoptr(GtkSingleSelection) selection = gtk_single_selection_new(NULL);
  gtk_single_selection_set_autoselect(selection, FALSE);
  gtk_single_selection_set_can_unselect(selection, TRUE);
  g_signal_connect_object(selection, "notify::selected-item", G_CALLBACK(stand_cb), document,
                          0);
  cwu_lazy_rows_set_model(CWU_LAZY_ROWS(list), selection);
  gtk_widget_add_css_class(list, "links");
  gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  g_signal_connect_object(list, "activate", G_CALLBACK(activate_cb), document, 0);
  g_signal_connect(focus, "leave", G_CALLBACK(left_cb), list);
  gtk_widget_add_controller(list, focus);
  return list;
}

void
cwu_link_list_view_set_model(GtkWidget *list, CwuLinkList *model)
{
  GtkSingleSelection *selection = cwu_lazy_rows_peek_model(CWU_LAZY_ROWS(list));
  bool had_focus = gtk_widget_get_focus_child(list) != NULL;
  gtk_single_selection_set_model(selection, G_LIST_MODEL(model));
  cwu_lazy_rows_scroll_to_top(CWU_LAZY_ROWS(list), GTK_INVALID_LIST_POSITION);
  if (had_focus && model != NULL && g_list_model_get_n_items(G_LIST_MODEL(model)) > 0)
    gtk_widget_grab_focus(list);
}
