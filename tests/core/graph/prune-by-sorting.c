/* prune-by-sorting.c - the definition of pruning, literally: sort all scores, sum them up, look
 * up the share. In double, edge by edge, for tests and as the benchmark's baseline. */
#include "golden-graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
compare_falling(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x > y ? -1 : x < y;
}

static double
threshold_by_sorting(const double *scores, size_t n, double share)
{
  g_autofree double *sorted = g_memdup2(scores, n * sizeof *scores);
  double total = 0, sum = 0;
  qsort(sorted, n, sizeof *sorted, compare_falling);
  for (size_t i = 0; i < n; i++)
    total += sorted[i];
  for (size_t i = 0; i < n; i++) {
    sum += sorted[i];
    if (sum / total >= share)
      return sorted[i];
  }
  return n > 0 ? sorted[n - 1] : 0;
}

/* influence = w (A + A^2 + ...) over the edges with mask set, by powers of the matrix. */
static void
influence_by_powers(const CwGraph *graph, const uint8_t *mask, double *normal,
                    double *influence)
{
  size_t n = cw_graph_get_n_nodes(graph);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  const int64_t *row = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  const float *weight = cw_graph_peek_weight(graph);
  g_autofree double *now = g_new0(double, n), *next = g_new(double, n);
  for (size_t t = 0; t < n; t++) {
    double sum = 0;
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      sum += mask == NULL || mask[e] ? fabs((double)weight[e]) : 0;
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      normal[e] = mask == NULL || mask[e] ? fabs((double)weight[e]) / fmax(sum, 1e-10) : 0;
    now[t] = nodes[t].kind == CW_NODE_LOGIT ? (double)nodes[t].probability : 0;
    influence[t] = 0;
  }
  for (bool is_over = false; !is_over;) {
    is_over = true;
    memset(next, 0, n * sizeof *next);
    for (size_t t = 0; t < n; t++)
      for (int64_t e = row[t]; now[t] != 0 && e < row[t + 1]; e++)
        next[source[e]] += normal[e] * now[t];
    for (size_t i = 0; i < n; i++) {
      influence[i] += next[i];
      is_over = is_over && next[i] == 0;
      now[i] = next[i];
    }
  }
}

static bool
drop_round(const CwGraph *graph, CwPruned *pruned)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  const int64_t *row = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  size_t n = pruned->n_nodes;
  g_autofree uint8_t *has_in = g_new0(uint8_t, n), *has_out = g_new0(uint8_t, n);
  bool has_changed = false;
  for (size_t t = 0; t < n; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      if (pruned->edge_mask[e])
        has_in[t] = has_out[source[e]] = 1;
  for (size_t i = 0; i < n; i++) {
    bool is_feature = nodes[i].kind == CW_NODE_FEATURE;
    bool is_error = nodes[i].kind == CW_NODE_ERROR;
    if (pruned->node_mask[i] &&
        (((is_feature || is_error) && !has_out[i]) || (is_feature && !has_in[i]))) {
      pruned->node_mask[i] = 0;
      has_changed = true;
    }
  }
  for (size_t t = 0; t < n && has_changed; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      pruned->edge_mask[e] &= pruned->node_mask[t] && pruned->node_mask[source[e]];
  return has_changed;
}

CwPruned *
prune_by_sorting(const CwGraph *graph, double node_threshold, double edge_threshold)
{
  size_t n = cw_graph_get_n_nodes(graph), n_edges = cw_graph_get_n_edges(graph);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  const int64_t *row = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  g_autofree double *normal = g_new(double, n_edges + 1), *influence = g_new(double, n);
  CwPruned *pruned = g_new0(CwPruned, 1);
  pruned->n_nodes = n;
  pruned->n_edges = n_edges;
  pruned->node_mask = g_new0(uint8_t, n);
  pruned->edge_mask = g_new0(uint8_t, n_edges + 1);
  pruned->influence = g_new(float, n);
  influence_by_powers(graph, NULL, normal, influence);
  double threshold = threshold_by_sorting(influence, n, node_threshold);
  for (size_t i = 0; i < n; i++) {
    pruned->influence[i] = (float)influence[i];
    pruned->node_mask[i] = influence[i] >= threshold || nodes[i].kind == CW_NODE_TOKEN ||
                           nodes[i].kind == CW_NODE_LOGIT;
  }
  for (size_t t = 0; t < n; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      pruned->edge_mask[e] = pruned->node_mask[t] && pruned->node_mask[source[e]];
  influence_by_powers(graph, pruned->edge_mask, normal, influence);
  for (size_t t = 0; t < n; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      normal[e] *=
          influence[t] + (nodes[t].kind == CW_NODE_LOGIT ? (double)nodes[t].probability : 0);
  threshold = threshold_by_sorting(normal, n_edges, edge_threshold);
  for (size_t e = 0; e < n_edges; e++)
    pruned->edge_mask[e] &= normal[e] >= threshold;
  while (drop_round(graph, pruned))
    continue;
  for (size_t i = 0; i < n; i++)
    pruned->n_kept_nodes += pruned->node_mask[i];
  for (size_t e = 0; e < n_edges; e++)
    pruned->n_kept_edges += pruned->edge_mask[e];
  return pruned;
}
