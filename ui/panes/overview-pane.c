/* overview-pane.c - see overview-pane.h. */
#include "panes/overview-pane.h"

#include <glib/gi18n-lib.h>

#include "panes/link-item.h"
#include "panes/link-row.h"
#include "picture/painter.h"
#include "window/theme-watch.h"

/* Rows of the list of logits that are seen without scrolling. */
#define MAX_LOGIT_ROWS 8
#define ROW_PX         30

struct _CwuOverviewPane {
  GtkBox parent_instance;
  CwuDocument *document;
  GtkWidget *logits, *logit_scroller, *counts, *remarks, *remarks_box;
};

G_DEFINE_TYPE(CwuOverviewPane, cwu_overview_pane, GTK_TYPE_BOX)

/* ---- a drawn sample of a mark ---------------------------------------------------------- */

typedef enum { SAMPLE_SQUARE, SAMPLE_CIRCLE, SAMPLE_DIAMOND, SAMPLE_ADDS, SAMPLE_TAKES } Sample;

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
  cwu_painter_draw_node(canvas, theme, kinds[sample], (CwuPoint){ width / 2.0, height / 2.0 },
                        5, sample == SAMPLE_DIAMOND ? theme->node_pale : theme->node_strong);
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
static void
append_count(GString *out, CwNodeKind kind, size_t n)
{
  switch (kind) {
  case CW_NODE_FEATURE:
    g_string_append_printf(out, ngettext("%'zu feature", "%'zu features", n), n);
    return;
  case CW_NODE_ERROR:
    g_string_append_printf(out, ngettext("%'zu error node", "%'zu error nodes", n), n);
    return;
  case CW_NODE_TOKEN:
    g_string_append_printf(out, ngettext("%'zu token", "%'zu tokens", n), n);
    return;
  case CW_NODE_LOGIT:
    g_string_append_printf(out, ngettext("%'zu output", "%'zu outputs", n), n);
    return;
  default:
    g_string_append_printf(out, ngettext("%'zu other node", "%'zu other nodes", n), n);
  }
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
      append_count(out, kinds[k], count[kinds[k]]);
      g_string_append(out, ", ");
    }
  g_string_append_printf(out, ngettext("%'zu edge", "%'zu edges", pruned->n_kept_edges),
                         pruned->n_kept_edges);
  gtk_label_set_text(GTK_LABEL(self->counts), out->str);
  g_string_free(out, TRUE);
}

static void
update_cb(CwuOverviewPane *self)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (graph == NULL)
    return;
  g_autoptr(GListModel) logits =
      cwu_link_list_new_logits(graph, cwu_document_peek_pruned(self->document));
  guint n = g_list_model_get_n_items(logits);
  cwu_link_list_view_set_model(self->logits, logits);
  gtk_widget_set_size_request(self->logit_scroller, -1, (int)MIN(n, MAX_LOGIT_ROWS) * ROW_PX);
  update_counts(self);
  const char *const *remarks = cwu_document_peek_remarks(self->document);
  g_autofree char *text = g_strjoinv("\n", (char **)remarks);
  gtk_label_set_text(GTK_LABEL(self->remarks), text);
  gtk_widget_set_visible(self->remarks_box, *text != 0);
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

static void
add_reading_guide(GtkWidget *box)
{
  GtkWidget *section = add_section(box, _("How to read it"));
  GtkWidget *grid = gtk_grid_new(), *hint = add_text(section);
  gtk_label_set_text(
      GTK_LABEL(hint),
      _("Tokens run across, layers upwards. Click a node to see what feeds it and "
        "what it feeds; Escape lets go. The wheel zooms, dragging pans, arrow keys "
        "walk from node to node."));
  gtk_widget_add_css_class(hint, "dim-label");
  gtk_grid_set_column_spacing(GTK_GRID(grid), 10);
  gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
  add_sample(GTK_GRID(grid), 0, SAMPLE_SQUARE, _("A token of the prompt, or an output"));
  add_sample(GTK_GRID(grid), 1, SAMPLE_CIRCLE,
             _("A feature, named by what it promotes; darker with more influence"));
  add_sample(GTK_GRID(grid), 2, SAMPLE_DIAMOND, _("What the features do not explain"));
  add_sample(GTK_GRID(grid), 3, SAMPLE_ADDS, _("Adds to its target; width by its share"));
  add_sample(GTK_GRID(grid), 4, SAMPLE_TAKES, _("Takes away from its target"));
  gtk_box_append(GTK_BOX(section), grid);
}

static void
build(CwuOverviewPane *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 20);
  GtkWidget *section = add_section(box, _("The model says next"));
  self->logits = cwu_link_list_view_new(self->document);
  self->logit_scroller = gtk_scrolled_window_new();
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(self->logit_scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->logit_scroller), self->logits);
  gtk_box_append(GTK_BOX(section), self->logit_scroller);
  self->counts = add_text(add_section(box, _("In this picture")));
  self->remarks_box = add_section(box, _("Remarks on the file"));
  self->remarks = add_text(self->remarks_box);
  add_reading_guide(box);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), box);
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
  gtk_widget_add_css_class(GTK_WIDGET(self), "pane");
}

GtkWidget *
cwu_overview_pane_new(CwuDocument *document)
{
  CwuOverviewPane *self = g_object_new(CWU_TYPE_OVERVIEW_PANE, NULL);
  self->document = g_object_ref(document);
  build(self);
  g_signal_connect_object(document, "graph-changed", G_CALLBACK(update_cb), self,
                          G_CONNECT_SWAPPED);
  return GTK_WIDGET(self);
}
