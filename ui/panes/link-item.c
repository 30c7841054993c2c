/* link-item.c - see link-item.h. A node of a pruned graph has at most a few hundred links: the
 * list is made whole; rows exist only while they are seen. */
#include "panes/link-item.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "picture/node-name.h"

G_DEFINE_TYPE(CwuLinkItem, cwu_link_item, G_TYPE_OBJECT)

static void
cwu_link_item_finalize(GObject *object)
{
  CwuLinkItem *self = CWU_LINK_ITEM(object);
  g_free(self->name);
  g_free(self->place);
  G_OBJECT_CLASS(cwu_link_item_parent_class)->finalize(object);
}

static void
cwu_link_item_class_init(CwuLinkItemClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_link_item_finalize;
}

static void
cwu_link_item_init(CwuLinkItem *self)
{
}

/* A short place for a row: "L19 · to"; only "to" where the name has the layer already. */
static char *
dup_short_place(const CwGraph *graph, size_t i, CwuLinkMeaning meaning)
{
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  g_autofree char *piece =
      cwu_piece_dup_display(cw_graph_peek_prompt_token(graph, node->position));
  if (node->kind == CW_NODE_TOKEN)
    return g_strdup(_("token"));
  if (node->kind == CW_NODE_LOGIT)
    return g_strdup(meaning == CWU_LINK_PROBABILITY ? "" : _("output"));
  g_autofree char *label = cwu_node_dup_label(graph, i);
  if (label == NULL && node->kind != CW_NODE_ERROR)
    return g_strdup(piece);
  return g_strdup_printf("L%d · %s", node->layer, piece);
}

static void
append(GListStore *store, CwGraph *graph, size_t node, CwuLinkMeaning meaning, double value)
{
  const CwNode *n = &cw_graph_peek_nodes(graph)[node];
  g_autoptr(CwuLinkItem) item = g_object_new(CWU_TYPE_LINK_ITEM, NULL);
  item->node = (int64_t)node;
  item->kind = n->kind;
  item->meaning = meaning;
  item->value = value;
  item->name = n->kind == CW_NODE_ERROR ? g_strdup(_("error")) : cwu_node_dup_name(graph, node);
  item->place = dup_short_place(graph, node, meaning);
  g_list_store_append(store, item);
}

static int
compare_value(gconstpointer a, gconstpointer b, gpointer user_data)
{
  const CwuLinkItem *x = a, *y = b;
  double u = fabs(x->value), v = fabs(y->value);
  return u > v ? -1 : u < v ? 1 : x->node < y->node ? -1 : 1;
}

/* Sorts and scales the bars to the largest value. */
static GListModel *
finish(GListStore *store)
{
  g_list_store_sort(store, compare_value, NULL);
  double largest = 0;
  for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(store)); i++) {
    g_autoptr(CwuLinkItem) item = g_list_model_get_item(G_LIST_MODEL(store), i);
    largest = MAX(largest, fabs(item->value));
    item->length = largest > 0 ? fabs(item->value) / largest : 0;
  }
  return G_LIST_MODEL(store);
}

static double
input_of(CwGraph *graph, size_t target)
{
  const int64_t *row_start = cw_graph_peek_row_start(graph);
  const float *weight = cw_graph_peek_weight(graph);
  double sum = 0;
  for (int64_t e = row_start[target]; e < row_start[target + 1]; e++)
    sum += fabs((double)weight[e]);
  return sum;
}

static bool
shows(const CwPruned *pruned, int64_t edge, size_t other)
{
  return pruned->edge_mask[edge] && pruned->node_mask[other];
}

GListModel *
cwu_link_list_new_sources(CwGraph *graph, const CwPruned *pruned, int64_t node)
{
  const int64_t *row_start = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  const float *weight = cw_graph_peek_weight(graph);
  GListStore *store = g_list_store_new(CWU_TYPE_LINK_ITEM);
  double input = input_of(graph, (size_t)node);
  for (int64_t e = row_start[node]; e < row_start[node + 1]; e++)
    if (shows(pruned, e, source[e]) && weight[e] != 0)
      append(store, graph, source[e], CWU_LINK_SHARE, weight[e] / input);
  return finish(store);
}

GListModel *
cwu_link_list_new_targets(CwGraph *graph, const CwPruned *pruned, int64_t node)
{
  const int64_t *start;
  const uint32_t *edge, *target;
  const float *weight = cw_graph_peek_weight(graph);
  GListStore *store = g_list_store_new(CWU_TYPE_LINK_ITEM);
  cw_graph_peek_outgoing(graph, &start, &edge, &target);
  for (int64_t i = start[node]; i < start[node + 1]; i++)
    if (shows(pruned, edge[i], target[i]) && weight[edge[i]] != 0)
      append(store, graph, target[i], CWU_LINK_SHARE,
             weight[edge[i]] / input_of(graph, target[i]));
  return finish(store);
}

GListModel *
cwu_link_list_new_logits(CwGraph *graph, const CwPruned *pruned)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  GListStore *store = g_list_store_new(CWU_TYPE_LINK_ITEM);
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++)
    if (nodes[i].kind == CW_NODE_LOGIT && pruned->node_mask[i])
      append(store, graph, i, CWU_LINK_PROBABILITY, nodes[i].probability);
  return finish(store);
}
