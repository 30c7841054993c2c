/* influence.c - how much of the logits every node accounts for, directly and through others.
 *
 * With A^ the magnitudes of A divided by their row's sum, influence is w (A^ + A^^2 + ...). In
 * a graph without cycles that series is one sweep: a node's influence is complete once all its
 * targets have passed theirs on. Each node passes on what it has received and not yet passed,
 * so the same loop, repeated, is the series of a graph with cycles; there it stops when next to
 * nothing is left to pass on, or after MAX_SWEEPS. The dense product of the definition was
 * rejected: L + 1 products of N x N against one pass over the edges. */
#include "graph/influence.h"

#include <math.h>
#include <string.h>

#define MAX_SWEEPS     200
#define LEFT_TO_IGNORE 1e-12 /* share of all influence: below the last bit of a float */

static double
sum_row(const float *weight, const uint8_t *mask, size_t n)
{
  double part[4] = { 0 };
  size_t i = 0;
  if (mask != NULL) {
    for (; i < n; i++)
      part[0] += mask[i] ? fabs((double)weight[i]) : 0;
    return part[0];
  }
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; k++)
      part[k] += fabs((double)weight[i + k]);
  for (; i < n; i++)
    part[0] += fabs((double)weight[i]);
  return (part[0] + part[1]) + (part[2] + part[3]);
}

static void
pass_on(const uint32_t *source, const float *weight, const uint8_t *mask, size_t n,
        double factor, double *influence)
{
  if (mask == NULL)
    for (size_t i = 0; i < n; i++)
      influence[source[i]] += fabs((double)weight[i]) * factor;
  else
    for (size_t i = 0; i < n; i++)
      if (mask[i])
        influence[source[i]] += fabs((double)weight[i]) * factor;
}

/* One sweep, ended early by `cancel`; passed: what each node has passed on in earlier ones,
 * NULL in the first and only. Returns the influence passed on. */
static double
sweep(const CwGraph *graph, const uint8_t *edge_mask, double *influence, double *row_sum,
      double *passed, const CwCancel *cancel)
{
  const CwGraphParts *parts = &graph->parts;
  double total = 0;
  for (size_t k = parts->n_nodes; k-- > 0 && !cw_cancel_is_triggered(cancel);) {
    uint32_t t = graph->order[k];
    int64_t start = parts->row_start[t];
    size_t n = (size_t)(parts->row_start[t + 1] - start);
    const uint8_t *mask = edge_mask != NULL ? edge_mask + start : NULL;
    double pending = influence[t] + cw_influence_own_weight(&parts->nodes[t]);
    if (passed != NULL) {
      pending -= passed[t];
      passed[t] += pending;
    }
    double sum = 0;
    if (n > 0 && (pending > 0 || row_sum != NULL))
      sum = sum_row(parts->weight + start, mask, n);
    if (row_sum != NULL)
      row_sum[t] = sum;
    if (sum > 0 && pending > 0) {
      pass_on(parts->source + start, parts->weight + start, mask, n,
              pending / MAX(sum, CW_ROW_SUM_FLOOR), influence);
      total += pending;
    }
  }
  return total;
}

bool
cw_influence_sweep(const CwGraph *graph, const uint8_t *edge_mask, double *influence,
                   double *row_sum, const CwCancel *cancel)
{
  size_t n = graph->parts.n_nodes;
  memset(influence, 0, n * sizeof *influence);
  if (!graph->has_cycle) {
    sweep(graph, edge_mask, influence, row_sum, NULL, cancel);
    return !cw_cancel_is_triggered(cancel);
  }
  g_autofree double *passed = g_new0(double, n + 1);
  double total = 0;
  for (int i = 0; i < MAX_SWEEPS; i++) {
    double moved = sweep(graph, edge_mask, influence, i == 0 ? row_sum : NULL, passed, cancel);
    total += moved;
    if (moved <= total * LEFT_TO_IGNORE || cw_cancel_is_triggered(cancel))
      break;
  }
  return !cw_cancel_is_triggered(cancel);
}

void
cw_influence_compute(const CwGraph *graph, float *out, bool *has_cycle)
{
  size_t n = graph->parts.n_nodes;
  g_autofree double *influence = g_new(double, n + 1);
  cw_influence_sweep(graph, NULL, influence, NULL, NULL);
  for (size_t i = 0; i < n; i++)
    out[i] = (float)influence[i];
  if (has_cycle != NULL)
    *has_cycle = graph->has_cycle;
}
