/* scores.c - how much of a graph is explained by features rather than by error nodes.
 *
 * replacement: of the influence that ends in tokens and errors, the tokens' part.
 * completeness: the share of its inputs that is no error, averaged over nodes by influence. */
#include "graph/influence.h"

#include <math.h>

static double
error_share(const CwGraph *graph, const uint8_t *edge_mask, size_t t, double row_sum)
{
  const CwGraphParts *parts = &graph->parts;
  double sum = 0;
  for (int64_t e = parts->row_start[t]; e < parts->row_start[t + 1]; e++)
    if ((edge_mask == NULL || edge_mask[e]) &&
        parts->nodes[parts->source[e]].kind == CW_NODE_ERROR)
      sum += fabs((double)parts->weight[e]);
  return sum / MAX(row_sum, CW_ROW_SUM_FLOOR);
}

void
cw_scores_compute(const CwGraph *graph, const CwPruned *pruned, CwScores *scores)
{
  const CwGraphParts *parts = &graph->parts;
  const uint8_t *edge_mask = pruned != NULL ? pruned->edge_mask : NULL;
  g_autofree double *influence = g_new(double, parts->n_nodes + 1);
  g_autofree double *row_sum = g_new(double, parts->n_nodes + 1);
  double tokens = 0, errors = 0, complete = 0, total = 0;
  cw_influence_sweep(graph, edge_mask, influence, row_sum, NULL);
  for (size_t t = 0; t < parts->n_nodes; t++) {
    double weight = influence[t] + cw_influence_own_weight(&parts->nodes[t]);
    if (parts->nodes[t].kind == CW_NODE_TOKEN)
      tokens += influence[t];
    else if (parts->nodes[t].kind == CW_NODE_ERROR)
      errors += influence[t];
    total += weight;
    if (weight > 0)
      complete += weight * (1 - error_share(graph, edge_mask, t, row_sum[t]));
  }
  scores->replacement = tokens + errors > 0 ? tokens / (tokens + errors) : 0;
  scores->completeness = total > 0 ? complete / total : 0;
}
