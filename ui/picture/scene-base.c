/* scene-base.c - see scene-base.h. Edges are put in order by a counting sort over quantised
 * square roots of their shares (the drawn width): finer would be seen by nobody. Expected:
 * 10,000 nodes and 500,000 edges; 14,000 and 16 million at the most. */
#include "picture/scene-base.h"

#include <math.h>

#include "picture/node-name.h"

#define N_STRENGTHS 4096

static void
fill_shares(CwuSceneBase *base)
{
  const int64_t *row_start = cw_graph_peek_row_start(base->graph);
  const float *weight = cw_graph_peek_weight(base->graph);
  size_t n_nodes = cw_graph_get_n_nodes(base->graph);
  for (size_t t = 0; t < n_nodes; t++) {
    double input = 0;
    for (int64_t e = row_start[t]; e < row_start[t + 1]; e++)
      input += fabs((double)weight[e]);
    for (int64_t e = row_start[t]; e < row_start[t + 1]; e++)
      base->share[e] = input > 0 ? (float)((double)weight[e] / input) : 0;
  }
}

static unsigned
strength(float share)
{
  double root = sqrt(MIN(fabs((double)share), 1.0));
  return N_STRENGTHS - 1 - (unsigned)(root * (N_STRENGTHS - 1));
}

static void
order_edges(CwuSceneBase *base)
{
  uint32_t start[N_STRENGTHS + 1] = { 0 };
  size_t n_edges = cw_graph_get_n_edges(base->graph);
  for (size_t e = 0; e < n_edges; e++)
    start[strength(base->share[e]) + 1]++;
  for (unsigned s = 0; s < N_STRENGTHS; s++)
    start[s + 1] += start[s];
  for (uint32_t e = 0; e < n_edges; e++)
    base->order[start[strength(base->share[e])]++] = e;
}

CwuSceneBase *
cwu_scene_base_new(CwGraph *graph, GError **error)
{
  size_t n_nodes = cw_graph_get_n_nodes(graph), n_edges = cw_graph_get_n_edges(graph);
  g_autoptr(CwuSceneBase) base = g_new0(CwuSceneBase, 1);
  base->n_references = 1;
  base->graph = cw_graph_ref(graph);
  base->share = g_try_new(float, n_edges + 1);
  base->order = g_try_new(uint32_t, n_edges + 1);
  base->labels = g_try_new0(char *, n_nodes + 1);
  if (base->share == NULL || base->order == NULL || base->labels == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "Not enough memory to draw a graph of %zu nodes and %zu edges", n_nodes,
                n_edges);
    return NULL;
  }
  fill_shares(base);
  order_edges(base);
  for (size_t i = 0; i < n_nodes; i++)
    base->labels[i] = cwu_node_dup_label(graph, i);
  return g_steal_pointer(&base);
}

CwuSceneBase *
cwu_scene_base_ref(CwuSceneBase *base)
{
  g_atomic_int_inc(&base->n_references);
  return base;
}

void
cwu_scene_base_unref(CwuSceneBase *base)
{
  if (base == NULL || !g_atomic_int_dec_and_test(&base->n_references))
    return;
  for (size_t i = 0; base->labels != NULL && i < cw_graph_get_n_nodes(base->graph); i++)
    g_free(base->labels[i]);
  g_free(base->labels);
  g_free(base->order);
  g_free(base->share);
  cw_graph_unref(base->graph);
  g_free(base);
}
