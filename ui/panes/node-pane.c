/* node-pane.c - see node-pane.h. */
#include "panes/node-pane.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "panes/link-item.h"
#include "panes/link-row.h"
#include "picture/node-name.h"

struct _CwuNodePane {
  GtkBox parent_instance;
  CwuDocument *document;
  GtkWidget *name, *place, *facts;
  GtkWidget *sources, *targets;           /* lists */
  GtkWidget *source_count, *target_count; /* labels */
  GtkWidget *source_box, *target_box;     /* hidden where there is nothing */
};

G_DEFINE_TYPE(CwuNodePane, cwu_node_pane, GTK_TYPE_BOX)

/* ---- what is said about a node --------------------------------------------------------- */

static void
clear_grid(GtkGrid *grid)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child(GTK_WIDGET(grid))) != NULL)
    gtk_grid_remove(grid, child);
}

static void add_fact(GtkGrid *grid, int *row, const char *key, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void
add_fact(GtkGrid *grid, int *row, const char *key, const char *format, ...)
{
  va_list values;
  va_start(values, format);
  g_autofree char *text = g_strdup_vprintf(format, values);
  va_end(values);
  GtkWidget *left = g_object_new(GTK_TYPE_LABEL, "label", key, "xalign", 0.0f, NULL);
  GtkWidget *right = g_object_new(GTK_TYPE_LABEL, "label", text, "xalign", 0.0f, "wrap", TRUE,
                                  "hexpand", TRUE, NULL);
  gtk_widget_add_css_class(left, "key");
  gtk_widget_set_valign(left, GTK_ALIGN_START);
  gtk_grid_attach(grid, left, 0, *row, 1, 1);
  gtk_grid_attach(grid, right, 1, *row, 1, 1);
  (*row)++;
}

/* Share of a node's input that comes from what the transcoder does not explain; NaN: no input.
 */
static double
error_share(const CwGraph *graph, size_t node)
{
  const int64_t *row_start = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  const float *weight = cw_graph_peek_weight(graph);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  double all = 0, errors = 0;
  for (int64_t e = row_start[node]; e < row_start[node + 1]; e++) {
    all += fabs((double)weight[e]);
    if (nodes[source[e]].kind == CW_NODE_ERROR)
      errors += fabs((double)weight[e]);
  }
  return all > 0 ? errors / all : NAN;
}

static void
update_facts(CwuNodePane *self, size_t i)
{
  const CwGraph *graph = cwu_document_peek_graph(self->document);
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  GtkGrid *grid = GTK_GRID(self->facts);
  double share = isnan(node->influence) ? pruned->cumulative_share[i] : node->influence;
  double errors = error_share(graph, i);
  int row = 0;
  clear_grid(grid);
  if (node->kind == CW_NODE_LOGIT)
    add_fact(grid, &row, _("Probability"), "%.1f%%", 100.0 * node->probability);
  if (!isnan(node->activation))
    add_fact(grid, &row, _("Activation"), "%.3g", node->activation);
  if (node->kind != CW_NODE_LOGIT && !isnan(share))
    add_fact(grid, &row, _("Influence"), _("in the top %.0f%%"), MAX(100 * share, 1));
  if (!isnan(errors) && errors > 0)
    add_fact(grid, &row, _("Unexplained"), _("%.0f%% of its input"), 100 * errors);
  if (!isnan(node->value) && !isnan(node->unattributed))
    add_fact(grid, &row, _("Not attributed"), _("%.3g of %.3g: biases, first position"),
             node->unattributed, node->value);
  gtk_widget_set_visible(self->facts, row > 0);
}

/* "Feature 5287 of layer 19, at “to”" */
static char *
dup_subtitle(const CwGraph *graph, size_t i)
{
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  g_autofree char *place = cwu_node_dup_place(graph, i);
  const char *kind = cwu_node_kind_word(node->kind);
  if (node->kind == CW_NODE_FEATURE && node->feature >= 0)
    return g_strdup_printf("%s %" G_GINT64_FORMAT " · %s", kind, node->feature, place);
  return g_strdup_printf("%s · %s", kind, place);
}

static void
fill_list(GtkWidget *list, GtkWidget *count, GtkWidget *box, GListModel *model)
{
  guint n = g_list_model_get_n_items(model);
  g_autofree char *text = g_strdup_printf("%u", n);
  cwu_link_list_view_set_model(list, model);
  gtk_label_set_text(GTK_LABEL(count), text);
  gtk_widget_set_visible(box, n > 0);
}

static void
update_cb(CwuNodePane *self)
{
  int64_t node = cwu_document_get_selected(self->document);
  CwGraph *graph = cwu_document_peek_graph(self->document);
  if (node < 0 || graph == NULL)
    return;
  const CwPruned *pruned = cwu_document_peek_pruned(self->document);
  g_autofree char *name = cwu_node_dup_name(graph, (size_t)node);
  g_autofree char *place = dup_subtitle(graph, (size_t)node);
  g_autoptr(GListModel) sources = cwu_link_list_new_sources(graph, pruned, node);
  g_autoptr(GListModel) targets = cwu_link_list_new_targets(graph, pruned, node);
  gtk_label_set_text(GTK_LABEL(self->name), name);
  gtk_label_set_text(GTK_LABEL(self->place), place);
  update_facts(self, (size_t)node);
  fill_list(self->sources, self->source_count, self->source_box, sources);
  fill_list(self->targets, self->target_count, self->target_box, targets);
}

/* ---- the widget ------------------------------------------------------------------------ */

static GtkWidget *
add_label(GtkBox *box, const char *css_class)
{
  GtkWidget *label = g_object_new(GTK_TYPE_LABEL, "xalign", 0.0f, "wrap", TRUE, "wrap-mode",
                                  PANGO_WRAP_WORD_CHAR, "selectable", FALSE, NULL);
  gtk_widget_add_css_class(label, css_class);
  gtk_box_append(box, label);
  return label;
}

static GtkWidget *
add_list(CwuNodePane *self, const char *title, GtkWidget **count, GtkWidget **box)
{
  GtkWidget *heading = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *label = gtk_label_new(title), *scroller = gtk_scrolled_window_new();
  GtkWidget *list = cwu_link_list_view_new(self->document);
  *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
  *count = gtk_label_new(NULL);
  gtk_widget_add_css_class(label, "heading");
  gtk_widget_add_css_class(*count, "dim-label");
  gtk_widget_set_hexpand(label, TRUE);
  gtk_label_set_xalign(GTK_LABEL(label), 0);
  gtk_box_append(GTK_BOX(heading), label);
  gtk_box_append(GTK_BOX(heading), *count);
  gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER,
                                 GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), list);
  gtk_widget_set_vexpand(scroller, TRUE);
  gtk_widget_set_vexpand(*box, TRUE);
  gtk_widget_add_css_class(*box, "link-section");
  gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                 -1);
  gtk_box_append(GTK_BOX(*box), heading);
  gtk_box_append(GTK_BOX(*box), scroller);
  gtk_box_append(GTK_BOX(self), *box);
  return list;
}

static void
cwu_node_pane_dispose(GObject *object)
{
  g_clear_object(&CWU_NODE_PANE(object)->document);
  G_OBJECT_CLASS(cwu_node_pane_parent_class)->dispose(object);
}

static void
cwu_node_pane_class_init(CwuNodePaneClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_node_pane_dispose;
}

static void
cwu_node_pane_init(CwuNodePane *self)
{
  gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
  gtk_widget_add_css_class(GTK_WIDGET(self), "pane");
}

GtkWidget *
cwu_node_pane_new(CwuDocument *document)
{
  CwuNodePane *self = g_object_new(CWU_TYPE_NODE_PANE, "spacing", 4, NULL);
  self->document = g_object_ref(document);
  self->name = add_label(GTK_BOX(self), "node-name");
  self->place = add_label(GTK_BOX(self), "dim-label");
  self->facts = gtk_grid_new();
  gtk_grid_set_column_spacing(GTK_GRID(self->facts), 12);
  gtk_grid_set_row_spacing(GTK_GRID(self->facts), 2);
  gtk_widget_add_css_class(self->facts, "node-facts");
  gtk_box_append(GTK_BOX(self), self->facts);
  self->sources = add_list(self, _("Fed by"), &self->source_count, &self->source_box);
  self->targets = add_list(self, _("Feeds"), &self->target_count, &self->target_box);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(update_cb), self,
                          G_CONNECT_SWAPPED);
  return GTK_WIDGET(self);
}
