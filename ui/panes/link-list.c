/* link-list.c - see link-list.h. A node of a whole graph may have thousands of edges: the list
 * is an array of numbers, and items are made of the few that rows ask for. */
#include "panes/link-list.h"

#include <math.h>

/* ---- items ----------------------------------------------------------------------------- */

G_DEFINE_TYPE(CwuLinkItem, cwu_link_item, G_TYPE_OBJECT)

static void
cwu_link_item_class_init(CwuLinkItemClass *class)
{
}

static void
cwu_link_item_init(CwuLinkItem *self)
{
}

/* ---- inputs ---------------------------------------------------------------------------- */

struct _CwuInputs {
  CwGraph *graph;
  double *sum; /* [N] NaN: not summed yet; NULL without memory for it */
};

CwuInputs *
cwu_inputs_new(CwGraph *graph)
{
  CwuInputs *inputs = g_new0(CwuInputs, 1);
  size_t n = cw_graph_get_n_nodes(graph);
  inputs->graph = cw_graph_ref(graph);
  inputs->sum = g_try_new(double, n);
  for (size_t i = 0; inputs->sum != NULL && i < n; i++)
    inputs->sum[i] = NAN;
  return inputs;
}

void
cwu_inputs_free(CwuInputs *inputs)
{
  if (inputs == NULL)
    return;
  cw_graph_unref(inputs->graph);
  g_free(inputs->sum);
  g_free(inputs);
}

CwGraph *
cwu_inputs_peek_graph(const CwuInputs *inputs)
{
  return inputs->graph;
}

double
cwu_inputs_get(CwuInputs *inputs, size_t node)
{
  if (inputs->sum != NULL && !isnan(inputs->sum[node]))
    return inputs->sum[node];
  const int64_t *row_start = cw_graph_peek_row_start(inputs->graph);
  const float *weight = cw_graph_peek_weight(inputs->graph);
  double sum = 0;
  for (int64_t e = row_start[node]; e < row_start[node + 1]; e++)
    sum += fabs((double)weight[e]);
  if (inputs->sum != NULL)
    inputs->sum[node] = sum;
  return sum;
}

/* ---- lists ----------------------------------------------------------------------------- */

typedef struct {
  int64_t node;
  double value;
  CwuLinkMeaning meaning;
} Entry;

struct _CwuLinkList {
  GObject parent_instance;
  GArray *entries; /* Entry */
  size_t n_listed, n_all;
  double listed_share, largest;
};

static GType
get_item_type(GListModel *model)
{
  return CWU_TYPE_LINK_ITEM;
}

static guint
get_n_items(GListModel *model)
{
  return CWU_LINK_LIST(model)->entries->len;
}

static gpointer
get_item(GListModel *model, guint position)
{
  CwuLinkList *self = CWU_LINK_LIST(model);
  if (position >= self->entries->len)
    return NULL;
  const Entry *entry = &g_array_index(self->entries, Entry, position);
  CwuLinkItem *item = g_object_new(CWU_TYPE_LINK_ITEM, NULL);
  item->node = entry->node;
  item->meaning = entry->meaning;
  item->value = entry->value;
  item->length = self->largest > 0 ? MIN(fabs(entry->value) / self->largest, 1) : 0;
  return item;
}

static void
implement_model(GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_TYPE_WITH_CODE(CwuLinkList, cwu_link_list, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, implement_model))

static void
cwu_link_list_finalize(GObject *object)
{
  g_array_unref(CWU_LINK_LIST(object)->entries);
  G_OBJECT_CLASS(cwu_link_list_parent_class)->finalize(object);
}

static void
cwu_link_list_class_init(CwuLinkListClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_link_list_finalize;
}

static void
cwu_link_list_init(CwuLinkList *self)
{
  self->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
}

static void
append(CwuLinkList *self, int64_t node, CwuLinkMeaning meaning, double value)
{
  Entry entry = { node, value, meaning };
  g_array_append_val(self->entries, entry);
  self->largest = MAX(self->largest, fabs(value)); /* Bars are lengths of one scale. */
  if (meaning == CWU_LINK_UNATTRIBUTED)
    return;
  self->n_listed++;
  self->listed_share += fabs(value);
}

static int
compare_entries(gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;
  double u = fabs(x->value), v = fabs(y->value);
  if (u != v)
    return u > v ? -1 : 1;
  return x->node < y->node ? -1 : x->node > y->node;
}

/* An edge that weighs nothing is none. */
static void
append_edge(CwuLinkList *self, const CwPruned *pruned, int64_t edge, size_t other, double share)
{
  if (share == 0)
    return;
  self->n_all++;
  if (pruned->edge_mask[edge] && pruned->node_mask[other])
    append(self, (int64_t)other, CWU_LINK_SHARE, share);
}

CwuLinkList *
cwu_link_list_new_sources(CwuInputs *inputs, const CwPruned *pruned, size_t node)
{
  const CwNode *target = &cw_graph_peek_nodes(inputs->graph)[node];
  const int64_t *row_start = cw_graph_peek_row_start(inputs->graph);
  const uint32_t *source = cw_graph_peek_source(inputs->graph);
  const float *weight = cw_graph_peek_weight(inputs->graph);
  CwuLinkList *self = g_object_new(CWU_TYPE_LINK_LIST, NULL);
  double input = cwu_inputs_get(inputs, node);
  for (int64_t e = row_start[node]; input > 0 && e < row_start[node + 1]; e++)
    append_edge(self, pruned, e, source[e], weight[e] / input);
  if (input > 0 && !isnan(target->unattributed) && target->unattributed != 0)
    append(self, -1, CWU_LINK_UNATTRIBUTED, target->unattributed / input);
  g_array_sort(self->entries, compare_entries);
  return self;
}

CwuLinkList *
cwu_link_list_new_targets(CwuInputs *inputs, const CwPruned *pruned, size_t node)
{
  const int64_t *start;
  const uint32_t *edge, *target;
  const float *weight = cw_graph_peek_weight(inputs->graph);
  CwuLinkList *self = g_object_new(CWU_TYPE_LINK_LIST, NULL);
  cw_graph_peek_outgoing(inputs->graph, &start, &edge, &target);
  for (int64_t i = start[node]; i < start[node + 1]; i++)
    if (weight[edge[i]] != 0)
      append_edge(self, pruned, edge[i], target[i],
                  weight[edge[i]] / cwu_inputs_get(inputs, target[i]));
  g_array_sort(self->entries, compare_entries);
  return self;
}

CwuLinkList *
cwu_link_list_new_logits(CwGraph *graph, const CwPruned *pruned)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  CwuLinkList *self = g_object_new(CWU_TYPE_LINK_LIST, NULL);
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++)
    if (nodes[i].kind == CW_NODE_LOGIT && pruned->node_mask[i])
      append(self, (int64_t)i, CWU_LINK_PROBABILITY, nodes[i].probability);
  g_array_sort(self->entries, compare_entries);
  return self;
}

CwuLinkList *
cwu_link_list_new_pins(const CwDocumentState *state)
{
  size_t n;
  const uint32_t *pins = cw_document_state_peek_pins(state, &n);
  CwuLinkList *self = g_object_new(CWU_TYPE_LINK_LIST, NULL);
  for (size_t i = 0; i < n; i++)
    append(self, pins[i], CWU_LINK_PINNED, 0);
  return self;
}

size_t
cwu_link_list_get_n_listed(CwuLinkList *self)
{
  return self->n_listed;
}

size_t
cwu_link_list_get_n_all(CwuLinkList *self)
{
  return self->n_all;
}

double
cwu_link_list_get_listed_share(CwuLinkList *self)
{
  return self->listed_share;
}
