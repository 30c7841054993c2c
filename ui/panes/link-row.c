/* link-row.c - see link-row.h. */
#include "panes/link-row.h"

#include "picture/painter.h"
#include "window/theme-watch.h"

#define GLYPH_PX  5.0
#define BAR_ALPHA 0.16

struct _CwuLinkRow {
  GtkWidget parent_instance;
  GtkWidget *name, *place, *value;
  CwuLinkItem *item;
  CwuDocument *document; /* not owned: the list view keeps it */
};

G_DEFINE_TYPE(CwuLinkRow, cwu_link_row, GTK_TYPE_WIDGET)

static CwuColour
bar_colour(const CwuLinkItem *item, const CwuTheme *theme)
{
  if (item->meaning == CWU_LINK_PROBABILITY)
    return theme->node_pale;
  return item->value < 0 ? theme->negative : theme->positive;
}

static void
snapshot_glyph(CwuLinkRow *self, GtkSnapshot *snapshot, int height)
{
  const CwuTheme *theme = cwu_theme_now();
  graphene_rect_t bounds = GRAPHENE_RECT_INIT(0, 0, 24, (float)height);
  bool is_error = self->item->kind == CW_NODE_ERROR;
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_node(canvas, theme, self->item->kind, (CwuPoint){ 13, height / 2.0 },
                        GLYPH_PX, is_error ? theme->node_pale : theme->node_strong);
  cairo_destroy(cr);
}

static void
cwu_link_row_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuLinkRow *self = CWU_LINK_ROW(widget);
  int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
  if (self->item != NULL) {
    GdkRGBA colour =
        cwu_colour_to_rgba(cwu_colour_fade(bar_colour(self->item, cwu_theme_now()), BAR_ALPHA));
    GskRoundedRect bar;
    gsk_rounded_rect_init_from_rect(
        &bar,
        &GRAPHENE_RECT_INIT(2, 2, (float)MAX(4, (width - 4) * self->item->length),
                            (float)height - 4),
        4);
    gtk_snapshot_push_rounded_clip(snapshot, &bar);
    gtk_snapshot_append_color(snapshot, &colour, &bar.bounds);
    gtk_snapshot_pop(snapshot);
    snapshot_glyph(self, snapshot, height);
  }
  GTK_WIDGET_CLASS(cwu_link_row_parent_class)->snapshot(widget, snapshot);
}

static void
enter_cb(GtkEventControllerMotion *controller, double x, double y, CwuLinkRow *self)
{
  if (self->item != NULL && self->document != NULL)
    cwu_document_set_hovered(self->document, self->item->node);
}

static void
leave_cb(GtkEventControllerMotion *controller, CwuLinkRow *self)
{
  if (self->document != NULL)
    cwu_document_set_hovered(self->document, -1);
}

static void
set_value_label(CwuLinkRow *self)
{
  const CwuLinkItem *item = self->item;
  double percent = 100 * item->value;
  g_autofree char *text = NULL;
  if (item->meaning == CWU_LINK_PROBABILITY)
    text = percent < 0.5 ? g_strdup("<1%") : g_strdup_printf("%.0f%%", percent);
  else if (percent > -0.95 && percent < 0.95)
    text = g_strdup_printf("%+.1f%%", percent);
  else
    text = g_strdup_printf("%+.0f%%", percent);
  gtk_label_set_text(GTK_LABEL(self->value), text);
  gtk_widget_remove_css_class(self->value, "positive");
  gtk_widget_remove_css_class(self->value, "negative");
  if (item->meaning == CWU_LINK_SHARE)
    gtk_widget_add_css_class(self->value, item->value < 0 ? "negative" : "positive");
}

void
cwu_link_row_set_item(CwuLinkRow *self, CwuLinkItem *item)
{
  g_set_object(&self->item, item);
  if (item != NULL) {
    gtk_label_set_text(GTK_LABEL(self->name), item->name);
    gtk_label_set_text(GTK_LABEL(self->place), item->place);
    set_value_label(self);
  }
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
cwu_link_row_dispose(GObject *object)
{
  CwuLinkRow *self = CWU_LINK_ROW(object);
  g_clear_object(&self->item);
  g_clear_pointer(&self->name, gtk_widget_unparent);
  g_clear_pointer(&self->place, gtk_widget_unparent);
  g_clear_pointer(&self->value, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_link_row_parent_class)->dispose(object);
}

static void
cwu_link_row_class_init(CwuLinkRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_link_row_dispose;
  widget_class->snapshot = cwu_link_row_snapshot;
  gtk_widget_class_set_css_name(widget_class, "linkrow");
  gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BOX_LAYOUT);
}

static void
cwu_link_row_init(CwuLinkRow *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new();
  self->name = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "hexpand", TRUE, "ellipsize",
                            PANGO_ELLIPSIZE_END, "margin-start", 26, NULL);
  self->place = g_object_new(GTK_TYPE_LABEL, "xalign", 1.0f, "ellipsize", PANGO_ELLIPSIZE_END,
                             "max-width-chars", 14, "margin-start", 8, NULL);
  self->value =
      g_object_new(GTK_TYPE_LABEL, "xalign", 1.0f, "width-chars", 6, "margin-end", 8, NULL);
  gtk_widget_add_css_class(self->place, "dim-label");
  gtk_widget_add_css_class(self->place, "caption");
  gtk_widget_add_css_class(self->value, "numeric");
  gtk_widget_add_css_class(self->value, "share");
  gtk_widget_set_parent(self->name, GTK_WIDGET(self));
  gtk_widget_set_parent(self->place, GTK_WIDGET(self));
  gtk_widget_set_parent(self->value, GTK_WIDGET(self));
  g_signal_connect(motion, "enter", G_CALLBACK(enter_cb), self);
  g_signal_connect(motion, "leave", G_CALLBACK(leave_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), motion);
  cwu_theme_watch(GTK_WIDGET(self));
}

/* ---- lists ----------------------------------------------------------------------------- */

static void
setup_cb(GtkSignalListItemFactory *factory, GtkListItem *list_item, CwuDocument *document)
{
  CwuLinkRow *row = g_object_new(CWU_TYPE_LINK_ROW, NULL);
  row->document = document;
  gtk_list_item_set_child(list_item, GTK_WIDGET(row));
}

static void
bind_cb(GtkSignalListItemFactory *factory, GtkListItem *list_item, CwuDocument *document)
{
  cwu_link_row_set_item(CWU_LINK_ROW(gtk_list_item_get_child(list_item)),
                        gtk_list_item_get_item(list_item));
}

static void
activate_cb(GtkListView *list, guint position, CwuDocument *document)
{
  g_autoptr(CwuLinkItem) item =
      g_list_model_get_item(G_LIST_MODEL(gtk_list_view_get_model(list)), position);
  if (item != NULL)
    cwu_document_set_selected(document, item->node);
}

GtkWidget *
cwu_link_list_view_new(CwuDocument *document)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
  g_signal_connect_object(factory, "setup", G_CALLBACK(setup_cb), document, 0);
  g_signal_connect_object(factory, "bind", G_CALLBACK(bind_cb), document, 0);
  GtkWidget *list = gtk_list_view_new(NULL, factory);
  gtk_list_view_set_single_click_activate(GTK_LIST_VIEW(list), TRUE);
  gtk_widget_add_css_class(list, "links");
  g_signal_connect_object(list, "activate", G_CALLBACK(activate_cb), document, 0);
  return list;
}

void
cwu_link_list_view_set_model(GtkWidget *list, GListModel *model)
{
  g_autoptr(GtkNoSelection) selection =
      gtk_no_selection_new(model != NULL ? g_object_ref(model) : NULL);
  gtk_list_view_set_model(GTK_LIST_VIEW(list), GTK_SELECTION_MODEL(selection));
}
