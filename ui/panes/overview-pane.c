/* overview-pane.c - see overview-pane.h. */
#include "panes/overview-pane.h"

#include <glib/gi18n-lib.h>

#include "desktop/settings.h"
#include "desktop/theme-watch.h"
#include "panes/link-list.h"
#include "panes/link-row.h"
#include "panes/note-list.h"
#include "picture/legend.h"
#include "picture/painter.h"

/* Of a list that are seen without scrolling in it. */
#define MAX_ROWS_PX 304 /* ten outputs, as many as are traced unless more are asked for */

struct _CwuOverviewPane {
  GtkBox parent_instance;
  CwuDocument *document;
  GtkWidget *logits, *pins, *pins_box, *counts, *remarks, *remarks_box;
};

G_DEFINE_TYPE(CwuOverviewPane, cwu_overview_pane, GTK_TYPE_BOX)

/* ---- a drawn sample of a mark ---------------------------------------------------------- */

typedef enum {
  SAMPLE_SQUARE,
  SAMPLE_CIRCLE,
  SAMPLE_DIAMOND,
  SAMPLE_NAMED,
  SAMPLE_ADDS,
  SAMPLE_TAKES,
  SAMPLE_FEEDS,
  SAMPLE_FED
} Sample;

static void
draw_sample_cb(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  static const CwNodeKind kinds[] = { CW_NODE_TOKEN, CW_NODE_FEATURE, CW_NODE_ERROR };
  const CwuTheme *theme = cwu_theme_now();
  Sample sample = GPOINTER_TO_INT(data);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cwu_canvas_cairo_set_target(canvas, cr);
  if (sample == SAMPLE_ADDS || sample == SAMPLE_TAKES) {
    bool takes = sample == SAMPLE_TAKES;
    CwuStyle edge = { .stroke = takes ? theme->negative : theme->positive,
                      .stroke_px = 2,
                      .is_dashed = takes };
    canvas->class->line(canvas, (CwuPoint){ 2, height / 2.0 },
                        (CwuPoint){ width - 2, height / 2.0 }, &edge);
    return;
  }
  CwuPoint middle = { width / 2.0, height / 2.0 };
  if (sample == SAMPLE_NAMED)
    cwu_legend_draw_named(canvas, theme, middle, 5);
  else if (sample == SAMPLE_FEEDS)
    cwu_legend_draw_feeder(canvas, theme, middle, 5);
  else if (sample == SAMPLE_FED)
    cwu_legend_draw_arrow(canvas, theme, (CwuPoint){ 2, height / 2.0 }, width - 5);
  else
    cwu_painter_draw_node(canvas, theme, kinds[sample], middle, 5,
                          sample == SAMPLE_DIAMOND ? theme->node_pale : theme->node_strong);
}

static void
add_sample(GtkGrid *grid, int row, Sample sample, const char *words)
{
  GtkWidget *area = gtk_drawing_area_new();
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "label", words, "xalign", 0.0f, "wrap", TRUE,
                                  "hexpand", TRUE, NULL);
  gtk_drawing_area_set_content_width(GTK_DRAWING_AREA(area), 28);
  gtk_drawing_area_set_content_height(GTK_DRAWING_AREA(area), 18);
  gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(area), draw_sample_cb,
                                 GINT_TO_POINTER(sample), NULL);
  gtk_widget_set_valign(area, GTK_ALIGN_START);
  cwu_theme_watch(area);
  gtk_grid_attach(grid, area, 0, row, 1, 1);
  gtk_grid_attach(grid, label, 1, row, 1, 1);
}

/* ---- contents -------------------------------------------------------------------------- */

/* "12 features": every language counts in its own way. */
static char *
dup_count(CwNodeKind kind, size_t n)
{
  switch (kind) {
  case CW_NODE_FEATURE:
    return g_strdup_printf(ngettext("%'zu feature", "%'zu features", n), n);
  case CW_NODE_ERROR:
    return g_strdup_printf(ngettext("%'zu error node", "%'zu error nodes", n), n);
  case CW_NODE_TOKEN:
    return g_strdup_printf(ngettext("%'zu token", "%'zu tokens", n), n);
  case CW_NODE_LOGIT:
    return g_strdup_printf(ngettext("%'zu output", "%'zu outputs", n), n);
  default:
    return g_strdup_printf(ngettext("%'zu other node", "%'zu other nodes", n), n);
  }
}

/* A number and what it counts stay on one line. */
static void
append_count(GString *out, const char *count)
{
  g_auto(GStrv) parts = g_strsplit(count, " ", -1);
  g_autofree char *joined = g_strjoinv("\u00a0", parts);
  g_string_append_printf(out, "%s%s", out->len > 0 ? ", " : "", joined);
}

static void
update_counts(CwuOverviewPane *self)
{
  static const CwNodeKind kinds[] = { CW_NODE_FEATURE, CW_NODE_ERROR, CW_NODE_TOKEN,
                                      CW_NODE_LOGIT, CW_NODE_OTHER };
  const CwGraph *graph = cwu_document_peek_graph(self->document);
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  size_t count[CW_NODE_OTHER + 1] = { 0 };
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++)
    count[cw_graph_peek_nodes(graph)[i].kind] += pruned->node_mask[i];
  GString *out = g_string_new(NULL);
  for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
    if (count[kinds[k]] > 0) {
      g_autofree char *words = dup_count(kinds[k], count[kinds[k]]);
      append_count(out, words);
    }
  size_t n_edges = pruned->n_kept_edges;
  g_autofree char *edges =
      g_strdup_printf(ngettext("%'zu edge", "%'zu edges", n_edges), n_edges);
  append_count(out, edges);
  gtk_label_set_text(GTK_LABEL(self->counts), out->str);
  g_string_free(out, TRUE);
}

static void
update_pins(CwuOverviewPane *self)
{
  g_autoptr(CwuLinkList) pins = cwu_link_list_new_pins(cwu_document_peek_state(self->document));
  cwu_link_list_view_set_model(self->pins, pins);
  gtk_widget_set_visible(self->pins_box, g_list_model_get_n_items(G_LIST_MODEL(pins)) > 0);
}

static void
update_graph(CwuOverviewPane *self)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (graph == NULL)
    return;
  g_autoptr(CwuLinkList) logits =
      cwu_link_list_new_logits(graph, cwu_document_peek_pruned(self->document));
  cwu_link_list_view_set_model(self->logits, logits);
  update_counts(self);
  const char *const *remarks = cwu_document_peek_remarks(self->document);
  g_autofree char *text = g_strjoinv("\n", (char **)remarks);
  gtk_label_set_text(GTK_LABEL(self->remarks), text);
  gtk_widget_set_visible(self->remarks_box, *text != 0);
}

static void
changed_cb(CwuOverviewPane *self, guint parts)
{
  if (parts & CW_DOCUMENT_GRAPH) /* Rows must not stand for nodes of another graph. */
    cwu_link_list_view_set_model(self->logits, NULL);
  if (parts & (CW_DOCUMENT_GRAPH | CW_DOCUMENT_PINS))
    update_pins(self);
}

/* ---- the widget ------------------------------------------------------------------------ */

static GtkWidget *
add_section(GtkWidget *box, const char *title)
{
  GtkWidget *section = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *heading = g_object_new(GTK_TYPE_LABEL, "label", title, "xalign", 0.0f, NULL);
  gtk_widget_add_css_class(heading, "heading");
  gtk_box_append(GTK_BOX(section), heading);
  gtk_box_append(GTK_BOX(box), section);
  return section;
}

static GtkWidget *
add_text(GtkWidget *section)
{
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                                  PANGO_WRAP_WORD_CHAR, NULL);
  gtk_box_append(GTK_BOX(section), label);
  return label;
}

static GtkWidget *
add_list(GtkWidget *section, CwuDocument *document, const char *title)
{
  GtkWidget *list = cwu_link_list_view_new(document, title);
  GtkWidget *scroller = gtk_scrolled_window_new();
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scroller), TRUE);
  gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scroller), MAX_ROWS_PX);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), list);
  gtk_widget_add_css_class(scroller, "short-list");
  gtk_box_append(GTK_BOX(section), scroller);
  return list;
}

static GtkWidget *
samples_new(void)
{
  GtkWidget *grid = gtk_grid_new();
  gtk_grid_set_column_spacing(GTK_GRID(grid), 10);
  gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
  add_sample(GTK_GRID(grid), 0, SAMPLE_SQUARE, _("A token of the prompt, or an output"));
  add_sample(GTK_GRID(grid), 1, SAMPLE_CIRCLE,
             _("A feature, named by what it promotes; darker with more influence"));
  add_sample(GTK_GRID(grid), 2, SAMPLE_DIAMOND, _("What the features do not explain"));
  add_sample(GTK_GRID(grid), 3, SAMPLE_NAMED, _("Filled: its name stands beside it"));
  add_sample(GTK_GRID(grid), 4, SAMPLE_ADDS, _("Adds to its target; width by its share"));
  add_sample(GTK_GRID(grid), 5, SAMPLE_TAKES, _("Takes away from its target"));
  add_sample(GTK_GRID(grid), 6, SAMPLE_FEEDS,
             _("In the colour of its edge: feeds the selected node"));
  add_sample(GTK_GRID(grid), 7, SAMPLE_FED, _("Arrow: leads to what the selected node feeds"));
  return grid;
}

/* Whoever knows it closes it, once. */
static GtkWidget *
reading_guide_new(void)
{
  GtkWidget *expander = gtk_expander_new(NULL), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *heading = gtk_label_new(_("How to read it")), *hint = add_text(box);
  gtk_label_set_text(
      GTK_LABEL(hint),
      _("Tokens run across, layers upwards. Click a node to see what feeds it and "
        "what it feeds; Escape lets go. The wheel zooms, dragging pans, arrow keys "
        "walk from node to node."));
  gtk_widget_add_css_class(hint, "dim-label");
  gtk_widget_add_css_class(heading, "heading");
  gtk_box_append(GTK_BOX(box), samples_new());
  gtk_widget_set_margin_top(box, 6);
  gtk_expander_set_label_widget(GTK_EXPANDER(expander), heading);
  gtk_accessible_update_property(GTK_ACCESSIBLE(expander), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("How to read it"), -1);
  gtk_expander_set_child(GTK_EXPANDER(expander), box);
  g_settings_bind(cwu_settings_peek(), "reading-guide-open", expander, "expanded",
                  G_SETTINGS_BIND_DEFAULT);
  return expander;
}

static void
build(CwuOverviewPane *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 20);
  gtk_widget_add_css_class(box, "pane");
  self->logits = add_list(add_section(box, _("The model says next")), self->document,
                          _("The model says next"));
  self->pins_box = add_section(box, _("Pinned"));
  self->pins = add_list(self->pins_box, self->document, _("Pinned"));
  gtk_box_append(GTK_BOX(box), cwu_note_list_new(self->document, CWU_NOTES_ALL));
  self->counts = add_text(add_section(box, _("In this picture")));
  self->remarks_box = add_section(box, _("Remarks on the file"));
  self->remarks = add_text(self->remarks_box);
  gtk_box_append(GTK_BOX(box), reading_guide_new());
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), box);
  /* All of it scrolls: lists that gave way to what is below them would show half a row. */
  gtk_scrollable_set_vscroll_policy(GTK_SCROLLABLE(gtk_widget_get_parent(box)),
                                    GTK_SCROLL_NATURAL);
  gtk_widget_set_vexpand(scroller, TRUE);
  gtk_box_append(GTK_BOX(self), scroller);
}

static void
cwu_overview_pane_dispose(GObject *object)
{
  g_clear_object(&CWU_OVERVIEW_PANE(object)->document);
  G_OBJECT_CLASS(cwu_overview_pane_parent_class)->dispose(object);
}

static void
cwu_overview_pane_class_init(CwuOverviewPaneClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_overview_pane_dispose;
}

static void
cwu_overview_pane_init(CwuOverviewPane *self)
{
  gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
}

GtkWidget *
cwu_overview_pane_new(CwuDocument *document)
{
  CwuOverviewPane *self = g_object_new(CWU_TYPE_OVERVIEW_PANE, NULL);
  self->document = g_object_ref(document);
  build(self);
  update_pins(self);
  update_graph(self);
  g_signal_connect_object(document, "changed", G_CALLBACK(changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(update_graph), self,
                          G_CONNECT_SWAPPED);
  return GTK_WIDGET(self);
}
