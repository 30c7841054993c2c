/* layout-quality.h - how good a drawing of a graph is, by the measures the literature uses
 * (Mooney and others, "The multi-dimensional landscape of graph drawing metrics", 2024) and two
 * of our own. Edges count as undirected, loops and repetitions once. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
  size_t n_nodes, n_edges;
  const uint32_t *source, *target;
  const float *x, *y;
} DrawnGraph;

typedef struct {
  double stress;           /* mean of (drawn / hops - 1)^2 at the best scale; small is good */
  double neighbourhood;    /* mean Jaccard of neighbours and as many nearest; large is good */
  double crossings;        /* share of sampled pairs of edges that cross */
  double length_variation; /* standard deviation of edge lengths over their mean */
} LayoutQuality;

/* From every node, or from 500 spread over all where there are more than 4,000. */
void layout_quality_measure(const DrawnGraph *drawn, LayoutQuality *quality);
/* Share of the edges whose target lies above its source (y upwards). */
double layout_quality_upwardness(const DrawnGraph *drawn);
/* Rank correlation (Spearman's, ties at their mean) of x and the nodes' tokens. */
double layout_quality_token_order(const DrawnGraph *drawn, const float *token);
/* Pairs of discs that overlap by more than `slack`. */
size_t layout_quality_overlaps(const DrawnGraph *drawn, const float *radius, double slack);
