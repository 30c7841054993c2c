/* influence.h - the sweep that influence, pruning and scores share. */
#pragma once

#include "graph/graph-private.h"

/* The floor under a row's sum of magnitudes: circuit-tracer's. */
#define CW_ROW_SUM_FLOOR 1e-10

/* The weight a node brings itself: a logit's probability. */
static inline double
cw_influence_own_weight(const CwNode *node)
{
  return node->kind == CW_NODE_LOGIT ? (double)node->probability : 0.0;
}

/* Sweeps from the logits down over the edges with edge_mask set (NULL: all). influence
 * [n_nodes] f64; row_sum [n_nodes] f64, sum of the magnitudes of a row's edges, may be NULL.
 * False if cancel (which may be NULL) was raised before the end: nothing is then filled. */
bool cw_influence_sweep(const CwGraph *graph, const uint8_t *edge_mask, double *influence,
                        double *row_sum, const CwCancel *cancel);
