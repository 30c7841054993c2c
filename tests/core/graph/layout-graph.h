/* layout-graph.h - graphs for layouts: from a pruned attribution graph, or made up. */
#pragma once

#include "cw-graph.h"
#include "cw-layout.h"

typedef struct {
  size_t n, n_edges;
  uint32_t *source, *target;
  float *share, *home_x, *home_y;
  int64_t *node; /* [n] index in the attribution graph */
} LayoutGraph;

/* What is left of a graph at these thresholds. Shares are of the whole graph's input. */
LayoutGraph *layout_graph_prune(CwGraph *graph, double node_threshold, double edge_threshold);
/* n nodes in a line of homes and as many edges as wanted between nodes drawn at random. */
LayoutGraph *layout_graph_random(size_t n, size_t n_edges, uint64_t seed);
void layout_graph_free(LayoutGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutGraph, layout_graph_free)

CwForceGraph layout_graph_view(const LayoutGraph *graph);
/* previous[i] of `graph`'s nodes in `before`; transfer full. */
int64_t *layout_graph_map(const LayoutGraph *graph, const LayoutGraph *before);
