/* graph-difference.c - see graph-difference.h. */
#include "graph-difference.h"

#include <math.h>
#include <string.h>

#define N_TOP 50

/* ---- the same nodes ---------------------------------------------------------------------- */

static guint
hash_node(gconstpointer data)
{
  const CwNode *node = data;
  uint64_t key = ((uint64_t)node->feature * 1000003u + (uint64_t)node->layer) * 1000003u +
                 (uint64_t)node->position * 8u + (uint64_t)node->kind;
  return (guint)(key ^ (key >> 32));
}

static gboolean
is_same_node(gconstpointer a, gconstpointer b)
{
  const CwNode *x = a, *y = b;
  return x->kind == y->kind && x->layer == y->layer && x->position == y->position &&
         x->feature == y->feature;
}

/* [nodes of a] index in b, -1 where b has none. */
static int64_t *
match_nodes(const CwGraph *a, const CwGraph *b)
{
  g_autoptr(GHashTable) index = g_hash_table_new(hash_node, is_same_node);
  const CwNode *nodes_a = cw_graph_peek_nodes(a), *nodes_b = cw_graph_peek_nodes(b);
  for (size_t i = 0; i < cw_graph_get_n_nodes(b); i++)
    g_hash_table_insert(index, (gpointer)&nodes_b[i], GSIZE_TO_POINTER(i + 1));
  int64_t *match = g_new(int64_t, cw_graph_get_n_nodes(a) + 1);
  for (size_t i = 0; i < cw_graph_get_n_nodes(a); i++)
    match[i] = (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(index, &nodes_a[i])) - 1;
  return match;
}

static size_t
count_features(const CwGraph *graph)
{
  size_t n = 0;
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++)
    n += cw_graph_peek_nodes(graph)[i].kind == CW_NODE_FEATURE;
  return n;
}

/* ---- relative differences ---------------------------------------------------------------- */

typedef struct {
  double difference, reference; /* sums of squares */
} Norms;

static void
norms_add(Norms *norms, double a, double b)
{
  norms->difference += (a - b) * (a - b);
  norms->reference += b * b;
}

static double
norms_relative(const Norms *norms)
{
  return sqrt(norms->difference / norms->reference);
}

static void
compare_activations(const CwGraph *a, const CwGraph *b, const int64_t *match,
                    GraphDifference *difference)
{
  const CwNode *nodes_a = cw_graph_peek_nodes(a), *nodes_b = cw_graph_peek_nodes(b);
  Norms norms = { 0, 0 };
  for (size_t i = 0; i < cw_graph_get_n_nodes(a); i++) {
    if (nodes_a[i].kind != CW_NODE_FEATURE || match[i] < 0)
      continue;
    difference->n_features_shared++;
    norms_add(&norms, (double)nodes_a[i].activation, (double)nodes_b[match[i]].activation);
  }
  difference->activation = norms_relative(&norms);
}

/* One shared target. row_a: scratch, [nodes of b], zeros; left as zeros. */
static void
compare_row(const CwGraph *a, const CwGraph *b, const int64_t *match, const uint8_t *is_shared,
            size_t target, float *row_a, Norms *norms)
{
  const int64_t *start_a = cw_graph_peek_row_start(a), *start_b = cw_graph_peek_row_start(b);
  const uint32_t *source_a = cw_graph_peek_source(a), *source_b = cw_graph_peek_source(b);
  const CwNode *nodes = cw_graph_peek_nodes(b);
  size_t t = (size_t)match[target], n = cw_graph_get_n_nodes(b);
  g_autofree float *row_b = g_new0(float, n + 1);
  for (int64_t e = start_a[target]; e < start_a[target + 1]; e++)
    if (match[source_a[e]] >= 0)
      row_a[match[source_a[e]]] = cw_graph_peek_weight(a)[e];
  for (int64_t e = start_b[t]; e < start_b[t + 1]; e++)
    if (is_shared[source_b[e]])
      row_b[source_b[e]] = cw_graph_peek_weight(b)[e];
  for (size_t s = 0; s < n; s++) {
    norms_add(&norms[0], (double)row_a[s], (double)row_b[s]);
    if (nodes[s].kind != CW_NODE_ERROR)
      norms_add(&norms[1], (double)row_a[s], (double)row_b[s]);
    if (nodes[t].kind == CW_NODE_LOGIT)
      norms_add(&norms[2], (double)row_a[s], (double)row_b[s]);
  }
  memset(row_a, 0, n * sizeof *row_a);
}

static void
compare_edges(const CwGraph *a, const CwGraph *b, const int64_t *match,
              GraphDifference *difference)
{
  Norms norms[3] = { { 0, 0 } };
  size_t n_a = cw_graph_get_n_nodes(a), n_b = cw_graph_get_n_nodes(b);
  g_autofree uint8_t *is_shared = g_new0(uint8_t, n_b + 1);
  g_autofree float *row = g_new0(float, n_b + 1);
  for (size_t i = 0; i < n_a; i++)
    if (match[i] >= 0)
      is_shared[match[i]] = 1;
  for (size_t i = 0; i < n_a; i++)
    if (match[i] >= 0)
      compare_row(a, b, match, is_shared, i, row, norms);
  difference->edges = norms_relative(&norms[0]);
  difference->edges_of_sparse = norms_relative(&norms[1]);
  difference->edges_to_logits = norms_relative(&norms[2]);
}

/* ---- ranks ------------------------------------------------------------------------------- */

static gint
compare_by_value(gconstpointer a, gconstpointer b, gpointer values)
{
  double x = ((const double *)values)[*(const size_t *)a];
  double y = ((const double *)values)[*(const size_t *)b];
  return (x > y) - (x < y);
}

/* Values become their ranks, equal ones the mean of theirs. */
static void
rank(double *values, size_t n)
{
  g_autofree size_t *order = g_new(size_t, n + 1);
  g_autofree double *ranks = g_new(double, n + 1);
  for (size_t i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data(order, (gint)n, sizeof *order, compare_by_value, values);
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && values[order[end]] == values[order[i]])
      end++;
    for (size_t j = i; j < end; j++)
      ranks[order[j]] = (double)(i + end - 1) / 2;
    i = end;
  }
  memcpy(values, ranks, n * sizeof *values);
}

static double
correlation(const double *a, const double *b, size_t n)
{
  double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < n; i++) {
    mean_a += a[i] / (double)n;
    mean_b += b[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / sqrt(aa * bb);
}

/* Marks the N_TOP features of most influence. */
static uint8_t *
mark_top(const CwGraph *graph, const float *influence)
{
  uint8_t *is_top = g_new0(uint8_t, cw_graph_get_n_nodes(graph) + 1);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  for (int k = 0; k < N_TOP; k++) {
    int64_t best = -1;
    for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++)
      if (nodes[i].kind == CW_NODE_FEATURE && !is_top[i] &&
          (best < 0 || influence[i] > influence[best]))
        best = (int64_t)i;
    if (best >= 0)
      is_top[best] = 1;
  }
  return is_top;
}

static void
compare_influence(const CwGraph *a, const CwGraph *b, const int64_t *match,
                  GraphDifference *difference)
{
  size_t n_a = cw_graph_get_n_nodes(a), n = 0, n_top = 0;
  g_autofree float *influence_a = g_new(float, n_a + 1);
  g_autofree float *influence_b = g_new(float, cw_graph_get_n_nodes(b) + 1);
  g_autofree double *x = g_new(double, n_a + 1), *y = g_new(double, n_a + 1);
  cw_influence_compute(a, influence_a, NULL);
  cw_influence_compute(b, influence_b, NULL);
  g_autofree uint8_t *top_a = mark_top(a, influence_a), *top_b = mark_top(b, influence_b);
  for (size_t i = 0; i < n_a; i++) {
    if (cw_graph_peek_nodes(a)[i].kind != CW_NODE_FEATURE || match[i] < 0)
      continue;
    n_top += top_a[i] && top_b[match[i]];
    x[n] = (double)influence_a[i];
    y[n++] = (double)influence_b[match[i]];
  }
  rank(x, n);
  rank(y, n);
  difference->rank_correlation = correlation(x, y, n);
  difference->top_shared = (double)n_top / N_TOP;
}

/* ---- pruning and all ----------------------------------------------------------------------
 */

static CwPruned *
prune(CwGraph *graph, GError **error)
{
  CwPruneOptions options = { .node_threshold = 0.8, .edge_threshold = 0.98 };
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, error);
  return pruner != NULL ? cw_pruner_run(pruner, &options, NULL, error) : NULL;
}

static bool
compare_pruned(CwGraph *a, CwGraph *b, const int64_t *match, GraphDifference *difference,
               GError **error)
{
  size_t n_both = 0;
  g_autoptr(CwPruned) kept_a = prune(a, error);
  g_autoptr(CwPruned) kept_b = kept_a != NULL ? prune(b, error) : NULL;
  if (kept_b == NULL)
    return false;
  for (size_t i = 0; i < kept_a->n_nodes; i++)
    n_both += match[i] >= 0 && kept_a->node_mask[i] && kept_b->node_mask[match[i]];
  difference->pruned_shared =
      (double)n_both / (double)(kept_a->n_kept_nodes + kept_b->n_kept_nodes - n_both);
  return true;
}

bool
graph_difference(CwGraph *a, CwGraph *b, GraphDifference *difference, GError **error)
{
  g_autofree int64_t *match = match_nodes(a, b);
  *difference =
      (GraphDifference){ .n_features_a = count_features(a), .n_features_b = count_features(b) };
  compare_activations(a, b, match, difference);
  compare_edges(a, b, match, difference);
  compare_influence(a, b, match, difference);
  cw_scores_compute(a, NULL, &difference->scores_a);
  cw_scores_compute(b, NULL, &difference->scores_b);
  return compare_pruned(a, b, match, difference, error);
}
