/* graph-difference.h - how much two attribution graphs of one prompt differ. */
#pragma once

#include "cw-graph.h"

/* Nodes are the same if kind, layer, position and feature are. Relative differences are
 * |a - b| / |b| in the Euclidean norm. */
typedef struct {
  size_t n_features_a, n_features_b, n_features_shared;
  double activation;       /* of shared features, relative */
  double edges;            /* between shared nodes, relative */
  double edges_of_sparse;  /* the same without those from error nodes */
  double edges_to_logits;  /* the same as `edges`, into logits only */
  double rank_correlation; /* Spearman's, of the influence of shared features */
  double top_shared;       /* share of b's 50 most influential features among a's 50 */
  double pruned_shared;    /* nodes kept in both over kept in either, thresholds 0.8 and 0.98 */
  CwScores scores_a, scores_b;
} GraphDifference;

/* False without memory only. */
bool graph_difference(CwGraph *a, CwGraph *b, GraphDifference *difference, GError **error);
