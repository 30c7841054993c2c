/* prune.c - circuit-tracer's pruning, from CSR, made to be run again at every slider step.
 *
 * Nodes: those that make up node_threshold of the influence. Edges: on what is left, with rows
 * normalised anew, those that make up edge_threshold of all edge scores. Then nodes without
 * edges go, until none does. Without a cycle everything up to the edge scores is one pass over
 * the rows of kept nodes, from the logits down: a node's influence is complete when its row is
 * reached. What a threshold does not change (influence, ranks, buffers) stays in the pruner. */
#include "graph/influence.h"
#include "graph/weighted-select.h"

#include <math.h>
#include <string.h>

struct _CwPruner {
  CwGraph *graph;
  float *influence;        /* [N] */
  uint32_t *rank;          /* [N] nodes by falling influence */
  double *share;           /* [N] cumulative share at that rank */
  float *cumulative_share; /* [N] the same, by node */
  CwSelect select;
  /* Buffers of a run. Kept edges are listed row by row. */
  double *reduced;        /* [N] influence on the kept nodes alone */
  double *passed;         /* [N] with a cycle: what was passed on so far */
  int64_t *kept_start;    /* [N] */
  int64_t *kept_end;      /* [N] */
  uint32_t *n_in, *n_out; /* [N] kept edges into and out of a node */
  uint32_t *kept_edge;    /* [E] */
  float *score;           /* [E] */
};

#define MAX_SWEEPS     200
#define LEFT_TO_IGNORE 1e-12

void
cw_pruned_free(CwPruned *pruned)
{
  if (pruned == NULL)
    return;
  g_free(pruned->node_mask);
  g_free(pruned->edge_mask);
  g_free(pruned->influence);
  g_free(pruned->cumulative_share);
  g_free(pruned);
}

void
cw_pruner_free(CwPruner *pruner)
{
  if (pruner == NULL)
    return;
  cw_graph_unref(pruner->graph);
  g_free(pruner->influence);
  g_free(pruner->rank);
  g_free(pruner->share);
  g_free(pruner->cumulative_share);
  cw_select_clear(&pruner->select);
  g_free(pruner->reduced);
  g_free(pruner->passed);
  g_free(pruner->kept_start);
  g_free(pruner->kept_end);
  g_free(pruner->n_in);
  g_free(pruner->n_out);
  g_free(pruner->kept_edge);
  g_free(pruner->score);
  g_free(pruner);
}

static gint
compare_influence(gconstpointer a, gconstpointer b, gpointer influence)
{
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  float x = ((const float *)influence)[i], y = ((const float *)influence)[j];
  if (x != y)
    return x > y ? -1 : 1;
  return i < j ? -1 : i > j;
}

static void
rank_nodes(CwPruner *pruner)
{
  size_t n = pruner->graph->parts.n_nodes;
  double total = 0, sum = 0;
  for (size_t i = 0; i < n; i++)
    pruner->rank[i] = (uint32_t)i;
  g_qsort_with_data(pruner->rank, (gint)n, sizeof *pruner->rank, compare_influence,
                    pruner->influence);
  for (size_t i = 0; i < n; i++)
    total += (double)pruner->influence[pruner->rank[i]];
  for (size_t i = 0; i < n; i++) {
    sum += (double)pruner->influence[pruner->rank[i]];
    pruner->share[i] = total > 0 ? sum / total : 1;
    pruner->cumulative_share[pruner->rank[i]] = (float)pruner->share[i];
  }
}

static bool
allocate(CwPruner *pruner, GError **error)
{
  size_t n = pruner->graph->parts.n_nodes + 1, n_edges = pruner->graph->n_edges + 1;
  pruner->influence = g_try_malloc_n(n, sizeof *pruner->influence);
  pruner->rank = g_try_malloc_n(n, sizeof *pruner->rank);
  pruner->share = g_try_malloc_n(n, sizeof *pruner->share);
  pruner->cumulative_share = g_try_malloc_n(n, sizeof *pruner->cumulative_share);
  pruner->reduced = g_try_malloc_n(n, sizeof *pruner->reduced);
  pruner->passed = g_try_malloc_n(n, sizeof *pruner->passed);
  pruner->kept_start = g_try_malloc_n(n, sizeof *pruner->kept_start);
  pruner->kept_end = g_try_malloc_n(n, sizeof *pruner->kept_end);
  pruner->n_in = g_try_malloc_n(n, sizeof *pruner->n_in);
  pruner->n_out = g_try_malloc_n(n, sizeof *pruner->n_out);
  pruner->kept_edge = g_try_malloc_n(n_edges, sizeof *pruner->kept_edge);
  pruner->score = g_try_malloc_n(n_edges, sizeof *pruner->score);
  if (pruner->influence == NULL || pruner->rank == NULL || pruner->share == NULL ||
      pruner->cumulative_share == NULL || pruner->reduced == NULL || pruner->passed == NULL ||
      pruner->kept_start == NULL || pruner->kept_end == NULL || pruner->n_in == NULL ||
      pruner->n_out == NULL || pruner->kept_edge == NULL || pruner->score == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "No memory to prune a graph of %zu nodes and %zu edges", n - 1, n_edges - 1);
    return false;
  }
  return cw_select_init(&pruner->select, error);
}

CwPruner *
cw_pruner_new(CwGraph *graph, CwCancel *cancel, GError **error)
{
  g_autoptr(CwPruner) pruner = g_new0(CwPruner, 1);
  pruner->graph = cw_graph_ref(graph);
  if (!allocate(pruner, error))
    return NULL;
  if (!cw_influence_sweep(graph, NULL, pruner->reduced, NULL, cancel)) {
    cw_cancel_check(cancel, error);
    return NULL;
  }
  for (size_t i = 0; i < graph->parts.n_nodes; i++)
    pruner->influence[i] = (float)pruner->reduced[i];
  rank_nodes(pruner);
  return g_steal_pointer(&pruner);
}

/* The least influence that stays: that of the first rank whose share reaches the threshold. A
 * threshold of 1 asks for every node with any influence. */
static float
node_threshold_score(const CwPruner *pruner, double threshold)
{
  size_t n = pruner->graph->parts.n_nodes, low = 0, high = n - 1;
  if (n == 0)
    return 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (pruner->share[middle] >= threshold)
      high = middle;
    else
      low = middle + 1;
  }
  if (threshold >= 1)
    while (low + 1 < n && pruner->influence[pruner->rank[low + 1]] > 0)
      low++;
  return pruner->influence[pruner->rank[low]];
}

static bool
always_stays(const CwPruner *pruner, const CwPruneOptions *options, size_t i)
{
  CwNodeKind kind = pruner->graph->parts.nodes[i].kind;
  return kind == CW_NODE_TOKEN || kind == CW_NODE_LOGIT ||
         (options->pinned != NULL && options->pinned[i]);
}

/* By the cumulative shares of the file, or, if it has none, by those of what it holds. */
static void
keep_nodes_as_file(const CwPruner *pruner, const CwPruneOptions *options, uint8_t *node_mask)
{
  const CwGraphParts *parts = &pruner->graph->parts;
  bool is_ranked = cw_graph_has_ranks(pruner->graph);
  for (size_t i = 0; i < parts->n_nodes; i++) {
    float share = is_ranked ? parts->nodes[i].influence : pruner->cumulative_share[i];
    node_mask[i] = options->node_threshold >= 1 || isnan(share) ||
                   (double)share <= options->node_threshold || always_stays(pruner, options, i);
  }
}

static void
keep_nodes(const CwPruner *pruner, const CwPruneOptions *options, uint8_t *node_mask)
{
  if (options->ranks_as_file) {
    keep_nodes_as_file(pruner, options, node_mask);
    return;
  }
  float threshold = node_threshold_score(pruner, options->node_threshold);
  for (size_t i = 0; i < pruner->graph->parts.n_nodes; i++)
    node_mask[i] = pruner->influence[i] >= threshold || always_stays(pruner, options, i);
}

/* Lists row t's edges between kept nodes from `place` on and sums their magnitudes. */
static int64_t
list_row(CwPruner *pruner, const uint8_t *node_mask, uint32_t t, int64_t place, double *sum)
{
  const CwGraphParts *parts = &pruner->graph->parts;
  double total = 0;
  uint32_t *kept_edge = pruner->kept_edge;
  pruner->kept_start[t] = place;
  for (int64_t e = parts->row_start[t]; e < parts->row_start[t + 1]; e++) {
    float weight = node_mask[parts->source[e]] ? parts->weight[e] : 0;
    kept_edge[place] = (uint32_t)e;
    place += weight != 0;
    total += fabs((double)weight);
  }
  pruner->kept_end[t] = place;
  *sum = total;
  return place;
}

/* Passes a row's influence on and, if it is final, scores its edges. */
static void
score_row(CwPruner *pruner, uint32_t t, double pending, double all, double sum)
{
  const CwGraphParts *parts = &pruner->graph->parts;
  double scale = 1 / MAX(sum, CW_ROW_SUM_FLOOR), *reduced = pruner->reduced;
  for (int64_t k = pruner->kept_start[t]; k < pruner->kept_end[t]; k++) {
    uint32_t e = pruner->kept_edge[k];
    double part = fabs((double)parts->weight[e]) * scale;
    reduced[parts->source[e]] += part * pending;
    pruner->score[k] = (float)(part * all);
  }
}

/* Lists and scores the edges between kept nodes, as far as `cancel` lets it; returns their
 * number. */
static int64_t
score_edges(CwPruner *pruner, const uint8_t *node_mask, const CwCancel *cancel)
{
  const CwGraph *graph = pruner->graph;
  const CwGraphParts *parts = &graph->parts;
  bool has_cycle = graph->has_cycle;
  int64_t n_kept = 0;
  g_autofree double *sums = has_cycle ? g_new0(double, parts->n_nodes + 1) : NULL;
  memset(pruner->reduced, 0, parts->n_nodes * sizeof *pruner->reduced);
  memset(pruner->passed, 0, parts->n_nodes * sizeof *pruner->passed);
  double total = 0, moved = 0;
  for (int round = 0; round < (has_cycle ? MAX_SWEEPS : 1); round++) {
    moved = 0;
    for (size_t i = parts->n_nodes; i-- > 0 && !cw_cancel_is_triggered(cancel);) {
      uint32_t t = graph->order[i];
      double sum = has_cycle ? sums[t] : 0;
      if (round == 0) {
        pruner->kept_start[t] = pruner->kept_end[t] = n_kept;
        if (node_mask[t])
          n_kept = list_row(pruner, node_mask, t, n_kept, &sum);
        if (has_cycle)
          sums[t] = sum;
      }
      double all = pruner->reduced[t] + cw_influence_own_weight(&parts->nodes[t]);
      double pending = all - pruner->passed[t];
      pruner->passed[t] = all;
      if (pruner->kept_end[t] > pruner->kept_start[t]) {
        score_row(pruner, t, pending, all, sum);
        moved += pending;
      }
    }
    total += moved;
    if (moved <= total * LEFT_TO_IGNORE || cw_cancel_is_triggered(cancel))
      break;
  }
  return n_kept;
}

/* Shortens every row's list to the edges with a score of at least `threshold`, and counts. */
static void
keep_edges(CwPruner *pruner, float threshold)
{
  const CwGraphParts *parts = &pruner->graph->parts;
  memset(pruner->n_in, 0, parts->n_nodes * sizeof *pruner->n_in);
  memset(pruner->n_out, 0, parts->n_nodes * sizeof *pruner->n_out);
  for (size_t t = 0; t < parts->n_nodes; t++) {
    int64_t place = pruner->kept_start[t];
    for (int64_t k = pruner->kept_start[t]; k < pruner->kept_end[t]; k++) {
      uint32_t e = pruner->kept_edge[k];
      if (pruner->score[k] < threshold)
        continue;
      pruner->kept_edge[place++] = e;
      pruner->n_out[parts->source[e]]++;
    }
    pruner->kept_end[t] = place;
    pruner->n_in[t] = (uint32_t)(place - pruner->kept_start[t]);
  }
}

/* A feature without inputs, or a source without targets, explains nothing any more. */
static bool
is_stranded(const CwPruner *pruner, const CwPruneOptions *options, size_t i)
{
  if (options->ranks_as_file || always_stays(pruner, options, i))
    return false;
  return pruner->n_out[i] == 0 ||
         (pruner->graph->parts.nodes[i].kind == CW_NODE_FEATURE && pruner->n_in[i] == 0);
}

static void
drop_edges_of_dropped(CwPruner *pruner, const uint8_t *node_mask)
{
  const CwGraphParts *parts = &pruner->graph->parts;
  for (size_t t = 0; t < parts->n_nodes; t++) {
    int64_t place = pruner->kept_start[t];
    for (int64_t k = pruner->kept_start[t]; k < pruner->kept_end[t]; k++) {
      uint32_t e = pruner->kept_edge[k];
      if (node_mask[t] && node_mask[parts->source[e]])
        pruner->kept_edge[place++] = e;
      else
        pruner->n_out[parts->source[e]]--;
    }
    pruner->kept_end[t] = place;
    pruner->n_in[t] = (uint32_t)(place - pruner->kept_start[t]);
  }
}

static void
drop_stranded(CwPruner *pruner, const CwPruneOptions *options, uint8_t *node_mask)
{
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (size_t i = 0; i < pruner->graph->parts.n_nodes; i++)
      if (node_mask[i] && is_stranded(pruner, options, i)) {
        node_mask[i] = 0;
        has_changed = true;
      }
    if (has_changed)
      drop_edges_of_dropped(pruner, node_mask);
  }
}

static CwPruned *
pruned_new(const CwPruner *pruner, GError **error)
{
  size_t n = pruner->graph->parts.n_nodes;
  g_autoptr(CwPruned) pruned = g_new0(CwPruned, 1);
  pruned->n_nodes = n;
  pruned->n_edges = pruner->graph->n_edges;
  pruned->node_mask = g_try_malloc0(n + 1);
  pruned->edge_mask = g_try_malloc0(pruned->n_edges + 1);
  pruned->influence = g_try_malloc_n(n + 1, sizeof *pruned->influence);
  pruned->cumulative_share = g_try_malloc_n(n + 1, sizeof *pruned->cumulative_share);
  if (pruned->node_mask == NULL || pruned->edge_mask == NULL || pruned->influence == NULL ||
      pruned->cumulative_share == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "No memory for the masks of %zu nodes and %zu edges", n, pruned->n_edges);
    return NULL;
  }
  memcpy(pruned->influence, pruner->influence, n * sizeof *pruned->influence);
  memcpy(pruned->cumulative_share, pruner->cumulative_share,
         n * sizeof *pruned->cumulative_share);
  pruned->has_cycle = pruner->graph->has_cycle;
  return g_steal_pointer(&pruned);
}

/* Edges of weight zero are in no list of kept ones; a file that has them shows them. */
static void
fill_whole_masks(const CwPruner *pruner, CwPruned *pruned)
{
  const CwGraphParts *parts = &pruner->graph->parts;
  for (size_t t = 0; t < pruned->n_nodes; t++) {
    pruned->n_kept_nodes += pruned->node_mask[t];
    for (int64_t e = parts->row_start[t]; e < parts->row_start[t + 1]; e++)
      pruned->edge_mask[e] = pruned->node_mask[t] && pruned->node_mask[parts->source[e]];
  }
  for (size_t e = 0; e < pruned->n_edges; e++)
    pruned->n_kept_edges += pruned->edge_mask[e];
}

static void
fill_masks(const CwPruner *pruner, CwPruned *pruned)
{
  for (size_t t = 0; t < pruned->n_nodes; t++) {
    pruned->n_kept_nodes += pruned->node_mask[t];
    pruned->n_kept_edges += (size_t)(pruner->kept_end[t] - pruner->kept_start[t]);
    for (int64_t k = pruner->kept_start[t]; k < pruner->kept_end[t]; k++)
      pruned->edge_mask[pruner->kept_edge[k]] = 1;
  }
}

static bool
check_options(const CwPruneOptions *options, GError **error)
{
  if (options->node_threshold >= 0 && options->node_threshold <= 1 &&
      options->edge_threshold >= 0 && options->edge_threshold <= 1)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "A node threshold of %g and an edge threshold of %g: both must be from 0 to 1",
              options->node_threshold, options->edge_threshold);
  return false;
}

CwPruned *
cw_pruner_run(CwPruner *pruner, const CwPruneOptions *options, CwCancel *cancel, GError **error)
{
  if (!check_options(options, error))
    return NULL;
  g_autoptr(CwPruned) pruned = pruned_new(pruner, error);
  if (pruned == NULL)
    return NULL;
  keep_nodes(pruner, options, pruned->node_mask);
  if (options->ranks_as_file && options->edge_threshold >= 1) {
    fill_whole_masks(pruner, pruned);
    return g_steal_pointer(&pruned);
  }
  int64_t n_kept = score_edges(pruner, pruned->node_mask, cancel);
  if (cw_cancel_check(cancel, error))
    return NULL;
  float threshold = 0;
  if (options->edge_threshold < 1) {
    cw_select_reset(&pruner->select);
    for (int64_t k = 0; k < n_kept; k++)
      cw_select_add(&pruner->select, pruner->score[k]);
    threshold = cw_select_threshold(&pruner->select, pruner->score, (size_t)n_kept,
                                    options->edge_threshold);
  }
  if (cw_cancel_check(cancel, error))
    return NULL;
  keep_edges(pruner, threshold);
  drop_stranded(pruner, options, pruned->node_mask);
  fill_masks(pruner, pruned);
  return g_steal_pointer(&pruned);
}
