/* layout-graph.c - see layout-graph.h. */
#include "layout-graph.h"

#include <math.h>

static LayoutGraph *
layout_graph_new(size_t n, size_t n_edges_most)
{
  LayoutGraph *graph = g_new0(LayoutGraph, 1);
  graph->source = g_new(uint32_t, n_edges_most + 1);
  graph->target = g_new(uint32_t, n_edges_most + 1);
  graph->share = g_new(float, n_edges_most + 1);
  graph->home_x = g_new(float, n + 1);
  graph->home_y = g_new(float, n + 1);
  graph->node = g_new(int64_t, n + 1);
  return graph;
}

void
layout_graph_free(LayoutGraph *graph)
{
  if (graph == NULL)
    return;
  g_free(graph->source);
  g_free(graph->target);
  g_free(graph->share);
  g_free(graph->home_x);
  g_free(graph->home_y);
  g_free(graph->node);
  g_free(graph);
}

static void
take_edges_into(LayoutGraph *layout, const CwGraph *graph, const CwPruned *pruned,
                const int64_t *place, size_t t)
{
  const int64_t *row_start = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  const float *weight = cw_graph_peek_weight(graph);
  double sum = 0;
  for (int64_t k = row_start[t]; k < row_start[t + 1]; k++)
    sum += fabs((double)weight[k]);
  for (int64_t k = row_start[t]; k < row_start[t + 1]; k++)
    if (pruned->edge_mask[k] && place[source[k]] >= 0 && place[t] >= 0) {
      layout->source[layout->n_edges] = (uint32_t)place[source[k]];
      layout->target[layout->n_edges] = (uint32_t)place[t];
      layout->share[layout->n_edges++] = (float)((double)weight[k] / sum);
    }
}

LayoutGraph *
layout_graph_prune(CwGraph *graph, double node_threshold, double edge_threshold)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  g_assert_no_error(error);
  CwPruneOptions options = { node_threshold, edge_threshold, NULL };
  g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &options, NULL, &error);
  g_assert_no_error(error);
  size_t n = cw_graph_get_n_nodes(graph);
  LayoutGraph *layout = layout_graph_new(pruned->n_kept_nodes, pruned->n_kept_edges);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  float last = (float)MAX(cw_graph_get_n_positions(graph) - 1, 1);
  float height = (float)cw_graph_get_n_layers(graph) + 1;
  g_autofree int64_t *place = g_new(int64_t, n + 1);
  for (size_t i = 0; i < n; i++) {
    place[i] = -1;
    if (!pruned->node_mask[i])
      continue;
    layout->home_x[layout->n] = (float)nodes[i].position / last;
    layout->home_y[layout->n] = (float)(nodes[i].layer + 1) / height;
    layout->node[layout->n] = (int64_t)i;
    place[i] = (int64_t)layout->n++;
  }
  for (size_t t = 0; t < n; t++)
    take_edges_into(layout, graph, pruned, place, t);
  return layout;
}

LayoutGraph *
layout_graph_random(size_t n, size_t n_edges, uint64_t seed)
{
  LayoutGraph *layout = layout_graph_new(n, n_edges);
  layout->n = n;
  layout->n_edges = n_edges;
  for (size_t i = 0; i < n; i++) {
    layout->home_x[i] = (float)(i % 10) / 9;
    layout->home_y[i] = (float)i / (float)n;
    layout->node[i] = (int64_t)i;
  }
  for (size_t e = 0; e < n_edges; e++) {
    uint64_t draw[3];
    for (int k = 0; k < 3; k++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      draw[k] = seed >> 33;
    }
    layout->source[e] = (uint32_t)(draw[0] % n);
    layout->target[e] = (uint32_t)(draw[1] % n);
    layout->share[e] = (float)(draw[2] % 1000) / 1000;
  }
  return layout;
}

CwForceGraph
layout_graph_view(const LayoutGraph *graph)
{
  return (CwForceGraph){ .n_nodes = graph->n,
                         .n_edges = graph->n_edges,
                         .source = graph->source,
                         .target = graph->target,
                         .share = graph->share,
                         .home_x = graph->home_x,
                         .home_y = graph->home_y };
}

int64_t *
layout_graph_map(const LayoutGraph *graph, const LayoutGraph *before)
{
  int64_t *previous = g_new(int64_t, graph->n + 1);
  for (size_t i = 0, k = 0; i < graph->n; i++) {
    while (k < before->n && before->node[k] < graph->node[i])
      k++;
    previous[i] = k < before->n && before->node[k] == graph->node[i] ? (int64_t)k : -1;
  }
  return previous;
}
