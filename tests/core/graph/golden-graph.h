/* golden-graph.h - graphs for tests: from golden tensors, from dense matrices, at random. */
#pragma once

#include "cw-graph.h"

/* What a golden case says of a graph; matrices are [N, N], row = target. */
typedef struct {
  size_t n_nodes;
  CwGraph *graph;
  float *adjacency;
  uint8_t *node_mask, *edge_mask;
  float *cumulative_share;
  float *influence; /* NULL where the case has none */
} GoldenGraph;

/* Reads expected.safetensors or attribution-1024.safetensors; fails the test on any error. */
GoldenGraph *golden_graph_load(const char *path);
void golden_graph_free(GoldenGraph *golden);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GoldenGraph, golden_graph_free)

/* A graph of all edges of a dense matrix that are not 0. nodes: copied. */
CwGraph *graph_from_dense(const float *adjacency, const CwNode *nodes, size_t n,
                          int64_t n_layers, int64_t n_positions);

/* A layered graph as attribution makes them: features, errors, tokens and logits; every feature
 * and logit is fed by about `density` of what lies below it. */
CwGraph *graph_random(int64_t n_features, int64_t n_layers, int64_t n_positions, double density,
                      uint64_t seed);

/* The same prune by sorting all scores in double, as the definition says. */
CwPruned *prune_by_sorting(const CwGraph *graph, double node_threshold, double edge_threshold);
