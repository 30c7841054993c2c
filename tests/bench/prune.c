/* prune.c - how long pruning takes, beside the definition done literally in the same run.
 *
 * Two graphs: 8,634 nodes with every edge that causality allows (circuit-tracer's size for a
 * short prompt), and 10,000 nodes with half a million edges, where the thresholds are moved
 * like a slider. Results are compared before anything is timed. Prints one JSON object. */
#include "bench-support.h"
#include "golden-graph.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* CPU time of this thread: the bound is for one core, and the machine may be shared. */
static double
now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static CwPruned *
run(CwPruner *pruner, double node_threshold, double edge_threshold)
{
  g_autoptr(GError) error = NULL;
  CwPruneOptions options = { node_threshold, edge_threshold, NULL };
  CwPruned *pruned = cw_pruner_run(pruner, &options, NULL, &error);
  if (pruned == NULL)
    g_error("%s", error->message);
  return pruned;
}

/* Prunes from the graph alone, best of `rounds`. */
static double
time_full(CwGraph *graph, int rounds)
{
  double best = 1e30;
  for (int i = 0; i < rounds; i++) {
    double start = now_ms();
    g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, NULL);
    g_autoptr(CwPruned) pruned = run(pruner, 0.8, 0.98);
    best = MIN(best, now_ms() - start);
  }
  return best;
}

/* The slowest and the mean step of a slider moved from 0.5 to 1. */
static void
time_slider(CwGraph *graph, double *slowest, double *mean)
{
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, NULL);
  int n = 26;
  *slowest = *mean = 0;
  g_autoptr(CwPruned) first = run(pruner, 1, 1);
  for (int i = 0; i < n; i++) {
    double start = now_ms();
    g_autoptr(CwPruned) pruned = run(pruner, 0.5 + 0.02 * i, 0.98);
    double took = now_ms() - start;
    *slowest = MAX(*slowest, took);
    *mean += took / n;
  }
}

static bool
is_same(const CwPruned *a, const CwPruned *b)
{
  return memcmp(a->node_mask, b->node_mask, a->n_nodes) == 0 &&
         memcmp(a->edge_mask, b->edge_mask, a->n_edges) == 0;
}

static bool
bench_graph(const char *name, CwGraph *graph, const char *separator)
{
  double start = now_ms(), slowest, mean;
  g_autoptr(CwPruned) sorted = prune_by_sorting(graph, 0.8, 0.98);
  double sorting = now_ms() - start;
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, NULL);
  g_autoptr(CwPruned) ours = run(pruner, 0.8, 0.98);
  if (!is_same(ours, sorted)) {
    fprintf(stderr, "%s: pruning by selection and by sorting differ\n", name);
    return false;
  }
  double full = time_full(graph, 3);
  time_slider(graph, &slowest, &mean);
  printf(
      "  \"%s\": {\"nodes\": %zu, \"edges\": %zu, \"kept_nodes\": %zu, \"kept_edges\": %zu, "
      "\"equal_to_sorting\": true, \"sorting_ms\": %.1f, \"full_ms\": %.2f, \"ratio\": %.1f, "
      "\"slider_step_mean_ms\": %.2f, \"slider_step_slowest_ms\": %.2f}%s\n",
      name, ours->n_nodes, ours->n_edges, ours->n_kept_nodes, ours->n_kept_edges, sorting, full,
      sorting / full, mean, slowest, separator);
  return true;
}

int
main(void)
{
  g_autofree char *machine = bench_describe_machine();
  g_autoptr(CwGraph) full = graph_random(8192, 26, 16, 1.0, 1);
  g_autoptr(CwGraph) slider = graph_random(9600, 16, 22, 0.0203, 2);
  printf("{\n  \"case\": \"prune\", \"machine\": \"%s\",\n", machine);
  bool is_good = bench_graph("full", full, ",") && bench_graph("slider", slider, "");
  printf("}\n");
  return is_good ? 0 : 1;
}
