/* node-facts.c - see node-facts.h. */
#include "panes/node-facts.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "panes/wrap-layout.h"
#include "picture/node-name.h"

struct _CwuNodeFacts {
  GtkGrid parent_instance;
  CwuDocument *document;
  int n_rows;
};

G_DEFINE_TYPE(CwuNodeFacts, cwu_node_facts, GTK_TYPE_GRID)

/* ---- numbers --------------------------------------------------------------------------- */

double
cwu_error_share(const CwGraph *graph, size_t node)
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

/* A file's influence is the cumulative share at the node's rank: small = important. */
static CwuInfluence
influence_of_file(const CwGraph *graph, size_t node)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  CwuInfluence result = { NAN, 1, 0, nodes[node].influence };
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++) {
    result.n += !isnan(nodes[i].influence);
    result.rank += nodes[i].influence < nodes[node].influence;
  }
  return result;
}

CwuInfluence
cwu_influence_of(const CwGraph *graph, const CwPruned *pruned, size_t node)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  CwuInfluence result = { NAN, 0, 0, NAN };
  if (nodes[node].kind == CW_NODE_LOGIT)
    return result;
  if (cw_graph_has_ranks(graph) && !isnan(nodes[node].influence))
    return influence_of_file(graph, node);
  double sum = 0;
  result = (CwuInfluence){ NAN, 1, 0, pruned->cumulative_share[node] };
  for (size_t i = 0; i < pruned->n_nodes; i++) {
    if (nodes[i].kind == CW_NODE_LOGIT)
      continue;
    sum += pruned->influence[i];
    result.n++;
    result.rank += pruned->influence[i] > pruned->influence[node];
  }
  result.share = sum > 0 ? pruned->influence[node] / sum : NAN;
  return result;
}

char **
cwu_promoted_dup(const char *label)
{
  if (!g_str_has_prefix(label, "~ ") || label[2] == '\0')
    return NULL;
  return g_strsplit(label + 2, ", ", -1);
}

/* ---- rows ------------------------------------------------------------------------------ */

static void
clear(CwuNodeFacts *self)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child(GTK_WIDGET(self))) != NULL)
    gtk_grid_remove(GTK_GRID(self), child);
  self->n_rows = 0;
}

static void
add_row(CwuNodeFacts *self, const char *key, GtkWidget *value)
{
  GtkWidget *label =
      g_object_new(GTK_TYPE_LABEL, "label", key, "xalign", 0.0f, "yalign", 0.0f, NULL);
  gtk_widget_add_css_class(label, "key");
  gtk_widget_set_hexpand(value, TRUE);
  gtk_grid_attach(GTK_GRID(self), label, 0, self->n_rows, 1, 1);
  gtk_grid_attach(GTK_GRID(self), value, 1, self->n_rows, 1, 1);
  self->n_rows++;
}

static void
add_text(CwuNodeFacts *self, const char *key, const char *text)
{
  add_row(self, key,
          g_object_new(GTK_TYPE_LABEL, "label", text, "xalign", 0.0f, "wrap", TRUE, NULL));
}

static void
add_influence(CwuNodeFacts *self, const CwuInfluence *influence)
{
  if (influence->rank == 0 || isnan(influence->within))
    return;
  g_autofree char *rank =
      g_strdup_printf(_("rank %'zu of %'zu"), influence->rank, influence->n);
  g_autofree char *within =
      isnan(influence->share)
          ? g_strdup_printf(_("first %.0f%%"), MAX(100 * influence->within, 1))
          : g_strdup_printf("%.2f%%", 100 * influence->share);
  g_autofree char *text = isnan(influence->share) ? g_strjoin(" · ", rank, within, NULL)
                                                  : g_strjoin(" · ", within, rank, NULL);
  add_text(self, _("Influence"), text);
}

static void
add_errors(CwuNodeFacts *self, double share)
{
  if (isnan(share) || share <= 0)
    return;
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *bar = gtk_level_bar_new_for_interval(0, 1);
  g_autofree char *text = g_strdup_printf(_("%.0f%% of its input"), 100 * share);
  gtk_level_bar_set_value(GTK_LEVEL_BAR(bar), share);
  gtk_widget_set_size_request(bar, 64, -1);
  gtk_widget_set_valign(bar, GTK_ALIGN_CENTER);
  gtk_accessible_update_property(GTK_ACCESSIBLE(bar), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Unexplained"), GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text,
                                 -1);
  gtk_box_append(GTK_BOX(box), bar);
  gtk_box_append(GTK_BOX(box), g_object_new(GTK_TYPE_LABEL, "label", text, "xalign", 0.0f,
                                            "wrap", TRUE, NULL));
  gtk_widget_set_tooltip_text(box, _("Comes from errors: what the transcoder does not explain "
                                     "of its layers."));
  add_row(self, _("Unexplained"), box);
}

static void
add_promoted(CwuNodeFacts *self, const char *label)
{
  g_auto(GStrv) tokens = cwu_promoted_dup(label);
  if (tokens == NULL)
    return;
  GtkWidget *box = cwu_wrap_box_new(4, 4);
  for (guint i = 0; tokens[i] != NULL; i++) {
    g_autofree char *piece = cwu_piece_dup_display(tokens[i]);
    GtkWidget *chip =
        g_object_new(GTK_TYPE_LABEL, "label", piece, "ellipsize", PANGO_ELLIPSIZE_END, NULL);
    gtk_widget_add_css_class(chip, "chip");
    gtk_box_append(GTK_BOX(box), chip);
  }
  add_row(self, _("Promotes"), box);
}

static void
update(CwuNodeFacts *self)
{
  int64_t i = cwu_document_get_selected(self->document);
  const CwGraph *graph = cwu_document_peek_graph(self->document);
  clear(self);
  if (i < 0 || graph == NULL)
    return;
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  CwuInfluence influence =
      cwu_influence_of(graph, cwu_document_peek_pruned(self->document), (size_t)i);
  if (node->kind == CW_NODE_LOGIT) {
    g_autofree char *text = g_strdup_printf("%.1f%%", 100.0 * node->probability);
    add_text(self, _("Probability"), text);
  }
  if (!isnan(node->activation)) {
    g_autofree char *text = g_strdup_printf("%.3g", node->activation);
    add_text(self, _("Activation"), text);
  }
  add_influence(self, &influence);
  add_errors(self, cwu_error_share(graph, (size_t)i));
  add_promoted(self, cw_graph_peek_label(graph, (size_t)i));
  gtk_widget_set_visible(GTK_WIDGET(self), self->n_rows > 0);
}

static void
cwu_node_facts_dispose(GObject *object)
{
  g_clear_object(&CWU_NODE_FACTS(object)->document);
  G_OBJECT_CLASS(cwu_node_facts_parent_class)->dispose(object);
}

static void
cwu_node_facts_class_init(CwuNodeFactsClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_node_facts_dispose;
}

static void
cwu_node_facts_init(CwuNodeFacts *self)
{
  gtk_grid_set_column_spacing(GTK_GRID(self), 12);
  gtk_grid_set_row_spacing(GTK_GRID(self), 4);
  gtk_widget_add_css_class(GTK_WIDGET(self), "node-facts");
}

GtkWidget *
cwu_node_facts_new(CwuDocument *document)
{
  CwuNodeFacts *self = g_object_new(CWU_TYPE_NODE_FACTS, NULL);
  self->document = g_object_ref(document);
  g_signal_connect_object(document, "selection-changed", G_CALLBACK(update), self,
                          G_CONNECT_SWAPPED);
  update(self);
  return GTK_WIDGET(self);
}
