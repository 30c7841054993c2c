/* graph.c - the immutable graph: checks on the way in, topological order, outgoing edges.
 *
 * Edges are stored by target because that is how attribution makes them and how influence,
 * shares and pruning read them. The topological order is found at once, from the incoming edges
 * alone: a node none of whose outgoing edges is left is placed last, and its row then releases
 * its sources. Expected sizes: up to 30,000 nodes and 20 million edges of our own, 2 GB files.
 */
#include "graph/graph-private.h"

#include <math.h>
#include <string.h>

void
cw_graph_text_free(CwGraphText *text)
{
  if (text == NULL)
    return;
  g_free(text->text);
  g_free(text->metadata_json);
  g_strfreev(text->node_ids);
  g_free(text->link_edge);
  g_free(text);
}

static void
free_strings(char **strings, size_t n)
{
  for (size_t i = 0; strings != NULL && i < n; i++)
    g_free(strings[i]);
  g_free(strings);
}

void
cw_graph_parts_clear(CwGraphParts *parts)
{
  g_free(parts->prompt);
  free_strings(parts->prompt_tokens, (size_t)MAX(parts->n_positions, 0));
  g_free(parts->token_ids);
  g_free(parts->nodes);
  free_strings(parts->labels, parts->n_nodes);
  g_free(parts->row_start);
  g_free(parts->source);
  g_free(parts->weight);
  g_free(parts->settings_json);
  memset(parts, 0, sizeof *parts);
}

static bool
check_nodes(const CwGraphParts *parts, GError **error)
{
  for (size_t i = 0; i < parts->n_nodes; i++) {
    const CwNode *node = &parts->nodes[i];
    if (node->layer < -1 || node->layer > parts->n_layers || node->position < 0 ||
        node->position >= parts->n_positions || (unsigned)node->kind > CW_NODE_OTHER) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "Graph node %zu is at layer %d, position %d; the graph has %" G_GINT64_FORMAT
                  " layers and %" G_GINT64_FORMAT " positions",
                  i, node->layer, node->position, parts->n_layers, parts->n_positions);
      return false;
    }
    if (!isfinite(node->probability) || node->probability < 0) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "Graph node %zu has the probability %g; it must be finite and not negative",
                  i, (double)node->probability);
      return false;
    }
  }
  return true;
}

static bool
check_row(const CwGraphParts *parts, size_t target, GError **error)
{
  int64_t previous = -1;
  for (int64_t e = parts->row_start[target]; e < parts->row_start[target + 1]; e++) {
    if (parts->source[e] >= parts->n_nodes || (int64_t)parts->source[e] <= previous) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "Graph edge %" G_GINT64_FORMAT " into node %zu comes from node %u after node "
                  "%" G_GINT64_FORMAT "; sources must ascend and be below %zu",
                  e, target, parts->source[e], previous, parts->n_nodes);
      return false;
    }
    if (!isfinite(parts->weight[e])) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "Graph edge %" G_GINT64_FORMAT " from node %u into node %zu has no finite "
                  "weight",
                  e, parts->source[e], target);
      return false;
    }
    previous = parts->source[e];
  }
  return true;
}

static bool
check_parts(const CwGraphParts *parts, CwCancel *cancel, GError **error)
{
  const int64_t *row_start = parts->row_start;
  bool is_shaped = parts->n_nodes < INT32_MAX && parts->n_layers >= 0 &&
                   parts->n_layers < INT32_MAX && parts->n_positions >= 0 &&
                   parts->n_positions < INT32_MAX && row_start != NULL && row_start[0] == 0;
  for (size_t t = 0; is_shaped && t < parts->n_nodes; t++)
    is_shaped = row_start[t] <= row_start[t + 1];
  if (is_shaped && row_start[parts->n_nodes] >= (int64_t)UINT32_MAX)
    is_shaped = false;
  if (!is_shaped) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_FORMAT,
                        "The graph's row starts or sizes are not those of a graph: rows must "
                        "ascend from 0 to fewer than 2^32 edges");
    return false;
  }
  if (!check_nodes(parts, error))
    return false;
  for (size_t t = 0; t < parts->n_nodes; t++)
    if (cw_cancel_check(cancel, error) || !check_row(parts, t, error))
      return false;
  return true;
}

static gint
compare_layer(gconstpointer a, gconstpointer b, gpointer nodes)
{
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  int32_t x = ((const CwNode *)nodes)[i].layer, y = ((const CwNode *)nodes)[j].layer;
  if (x != y)
    return x < y ? -1 : 1;
  return i < j ? -1 : i > j;
}

/* Nodes left over by a cycle: earlier layers first, so that sweeps converge in few rounds. */
static void
place_rest(const CwGraphParts *parts, const uint32_t *n_left, uint32_t *order, size_t n_rest)
{
  size_t k = 0;
  for (size_t i = 0; i < parts->n_nodes; i++)
    if (n_left[i] > 0)
      order[k++] = (uint32_t)i;
  g_assert(k == n_rest);
  g_qsort_with_data(order, (gint)k, sizeof *order, compare_layer, parts->nodes);
}

/* Fills graph->order from the back. n_left[s]: edges out of s into nodes not yet placed. */
static bool
find_order(CwGraph *graph, CwCancel *cancel, GError **error)
{
  const CwGraphParts *parts = &graph->parts;
  size_t n = parts->n_nodes, end = n, next = n;
  g_autofree uint32_t *n_left = g_try_malloc0_n(n + 1, sizeof *n_left);
  uint32_t *order = graph->order = g_try_malloc_n(n + 1, sizeof *order);
  if (n_left == NULL || order == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory to order %zu graph nodes", n);
    return false;
  }
  for (size_t t = 0; t < n; t++) {
    if (cw_cancel_check(cancel, error))
      return false;
    for (int64_t e = parts->row_start[t]; e < parts->row_start[t + 1]; e++)
      n_left[parts->source[e]]++;
  }
  for (size_t i = n; i-- > 0;)
    if (n_left[i] == 0)
      order[--end] = (uint32_t)i;
  while (next > end) {
    if (cw_cancel_check(cancel, error))
      return false;
    uint32_t target = order[--next];
    for (int64_t e = parts->row_start[target]; e < parts->row_start[target + 1]; e++)
      if (--n_left[parts->source[e]] == 0)
        order[--end] = parts->source[e];
  }
  graph->has_cycle = end > 0;
  if (graph->has_cycle)
    place_rest(parts, n_left, order, end);
  return true;
}

/* Cumulative shares rise fast and then ever slower, so that they are more than half of the
 * largest on average; shares of single nodes fall off as fast, and are less. */
static bool
find_ranks(const CwGraphParts *parts)
{
  double sum = 0, largest = 0;
  size_t n = 0;
  for (size_t i = 0; i < parts->n_nodes; i++) {
    double influence = (double)parts->nodes[i].influence;
    if (isnan(influence))
      continue;
    sum += influence;
    largest = MAX(largest, influence);
    n++;
  }
  return n > 0 && sum >= largest / 2 * (double)n;
}

CwGraph *
cw_graph_new_take(CwGraphParts *parts, CwCancel *cancel, GError **error)
{
  if (!check_parts(parts, cancel, error)) {
    cw_graph_parts_clear(parts);
    return NULL;
  }
  CwGraph *graph = g_new0(CwGraph, 1);
  g_atomic_ref_count_init(&graph->ref_count);
  g_mutex_init(&graph->lock);
  graph->parts = *parts;
  memset(parts, 0, sizeof *parts);
  graph->n_edges = (size_t)graph->parts.row_start[graph->parts.n_nodes];
  graph->has_ranks = find_ranks(&graph->parts);
  if (!find_order(graph, cancel, error)) {
    cw_graph_unref(graph);
    return NULL;
  }
  return graph;
}

CwGraph *
cw_graph_ref(CwGraph *graph)
{
  g_atomic_ref_count_inc(&graph->ref_count);
  return graph;
}

void
cw_graph_unref(CwGraph *graph)
{
  if (graph == NULL || !g_atomic_ref_count_dec(&graph->ref_count))
    return;
  cw_graph_parts_clear(&graph->parts);
  cw_graph_text_free(graph->text);
  g_free(graph->order);
  g_free(graph->outgoing_start);
  g_free(graph->outgoing_edge);
  g_free(graph->outgoing_target);
  g_mutex_clear(&graph->lock);
  g_free(graph);
}

size_t
cw_graph_get_n_nodes(const CwGraph *graph)
{
  return graph->parts.n_nodes;
}

size_t
cw_graph_get_n_edges(const CwGraph *graph)
{
  return graph->n_edges;
}

int64_t
cw_graph_get_n_layers(const CwGraph *graph)
{
  return graph->parts.n_layers;
}

int64_t
cw_graph_get_n_positions(const CwGraph *graph)
{
  return graph->parts.n_positions;
}

const CwNode *
cw_graph_peek_nodes(const CwGraph *graph)
{
  return graph->parts.nodes;
}

const int64_t *
cw_graph_peek_row_start(const CwGraph *graph)
{
  return graph->parts.row_start;
}

const uint32_t *
cw_graph_peek_source(const CwGraph *graph)
{
  return graph->parts.source;
}

const float *
cw_graph_peek_weight(const CwGraph *graph)
{
  return graph->parts.weight;
}

const char *
cw_graph_peek_prompt(const CwGraph *graph)
{
  return graph->parts.prompt != NULL ? graph->parts.prompt : "";
}

/* A special token is written in angle brackets by every tokenizer there is. */
const char *
cw_graph_peek_typed_prompt(const CwGraph *graph)
{
  const char *prompt = cw_graph_peek_prompt(graph);
  const char *first =
      cw_graph_get_n_positions(graph) > 0 ? cw_graph_peek_prompt_token(graph, 0) : "";
  size_t n = strlen(first);
  if (n > 2 && first[0] == '<' && first[n - 1] == '>' && g_str_has_prefix(prompt, first))
    prompt += n;
  return prompt;
}

const char *
cw_graph_peek_prompt_token(const CwGraph *graph, int64_t position)
{
  if (graph->parts.prompt_tokens == NULL || position < 0 ||
      position >= graph->parts.n_positions || graph->parts.prompt_tokens[position] == NULL)
    return "";
  return graph->parts.prompt_tokens[position];
}

const char *
cw_graph_peek_label(const CwGraph *graph, size_t node)
{
  if (graph->parts.labels == NULL || graph->parts.labels[node] == NULL)
    return "";
  return graph->parts.labels[node];
}

char *
cw_graph_dup_node_id(const CwGraph *graph, size_t i)
{
  if (graph->text != NULL)
    return g_strdup(graph->text->node_ids[i]);
  const CwNode *node = &graph->parts.nodes[i];
  switch (node->kind) {
  case CW_NODE_TOKEN:
    return g_strdup_printf("E_%" G_GINT64_FORMAT "_%d", node->feature, node->position);
  case CW_NODE_LOGIT:
    return g_strdup_printf("%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT "_%d",
                           graph->parts.n_layers + 1, node->feature, node->position);
  case CW_NODE_ERROR:
    return g_strdup_printf("%d_-1_%d", node->layer, node->position);
  default:
    return g_strdup_printf("%d_%" G_GINT64_FORMAT "_%d", node->layer, node->feature,
                           node->position);
  }
}

const char *
cw_graph_peek_settings_json(const CwGraph *graph)
{
  return graph->parts.settings_json != NULL ? graph->parts.settings_json : "{}";
}

const char *
cw_graph_peek_metadata_json(const CwGraph *graph)
{
  if (graph->text != NULL && graph->text->metadata_json != NULL)
    return graph->text->metadata_json;
  return "{}";
}

bool
cw_graph_is_whole(const CwGraph *graph)
{
  return graph->text == NULL;
}

bool
cw_graph_has_ranks(const CwGraph *graph)
{
  return graph->has_ranks;
}

const uint32_t *
cw_graph_peek_topological_order(const CwGraph *graph)
{
  return graph->has_cycle ? NULL : graph->order;
}

static void
make_outgoing(CwGraph *graph)
{
  const CwGraphParts *parts = &graph->parts;
  size_t n = parts->n_nodes;
  int64_t *start = g_new0(int64_t, n + 2);
  uint32_t *edge = g_new(uint32_t, graph->n_edges + 1);
  uint32_t *target = g_new(uint32_t, graph->n_edges + 1);
  /* Counted two places on, so that placing moves start[s + 1] to where it belongs. */
  for (size_t e = 0; e < graph->n_edges; e++)
    start[parts->source[e] + 2]++;
  for (size_t i = 2; i <= n; i++)
    start[i] += start[i - 1];
  for (size_t t = 0; t < n; t++)
    for (int64_t e = parts->row_start[t]; e < parts->row_start[t + 1]; e++) {
      int64_t k = start[parts->source[e] + 1]++;
      edge[k] = (uint32_t)e;
      target[k] = (uint32_t)t;
    }
  graph->outgoing_edge = edge;
  graph->outgoing_target = target;
  graph->outgoing_start = start;
}

void
cw_graph_peek_outgoing(CwGraph *graph, const int64_t **start, const uint32_t **edge,
                       const uint32_t **target)
{
  g_mutex_lock(&graph->lock);
  if (graph->outgoing_start == NULL)
    make_outgoing(graph);
  g_mutex_unlock(&graph->lock);
  if (start != NULL)
    *start = graph->outgoing_start;
  if (edge != NULL)
    *edge = graph->outgoing_edge;
  if (target != NULL)
    *target = graph->outgoing_target;
}
