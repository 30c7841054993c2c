/* graph-facts.c - what commands say about a graph. */
#include "graph-facts.h"

#include <stdio.h>

/* More remarks than this say nothing new. */
#define MAX_REMARKS 10

static void
print_remarks(const char *path, const CwLoadReport *report)
{
  guint n = report->messages != NULL ? report->messages->len : 0;
  for (guint i = 0; i < MIN(n, MAX_REMARKS); i++)
    fprintf(stderr, "%s: %s\n", path, (const char *)report->messages->pdata[i]);
  if (n > MAX_REMARKS)
    fprintf(stderr, "%s: and %u remarks more\n", path, n - MAX_REMARKS);
}

CwGraph *
cwa_graph_load(const char *path, CwaRun *run, CwViewState *state, GError **error)
{
  CwLoadReport report = { 0 };
  CwGraph *graph = cw_graph_load(path, &report, state, run->cancel, error);
  if (graph != NULL && !cwa_arguments_flag(run->arguments, "quiet")) {
    cwa_progress_finish(run->progress);
    print_remarks(path, &report);
  }
  cw_load_report_clear(&report);
  return graph;
}

void
cwa_graph_facts_add(CwaFacts *facts, const CwGraph *graph)
{
  static const char *const names[] = { [CW_NODE_FEATURE] = "features",
                                       [CW_NODE_ERROR] = "errors",
                                       [CW_NODE_TOKEN] = "tokens",
                                       [CW_NODE_LOGIT] = "logits",
                                       [CW_NODE_OTHER] = "other_nodes" };
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  size_t n_nodes = cw_graph_get_n_nodes(graph);
  int64_t counts[G_N_ELEMENTS(names)] = { 0 };
  for (size_t i = 0; i < n_nodes; i++)
    counts[MIN(nodes[i].kind, CW_NODE_OTHER)]++;
  cwa_facts_add_text(facts, "prompt", cw_graph_peek_prompt(graph));
  cwa_facts_add_integer(facts, "positions", cw_graph_get_n_positions(graph));
  cwa_facts_add_integer(facts, "layers", cw_graph_get_n_layers(graph));
  cwa_facts_add_integer(facts, "nodes", (int64_t)n_nodes);
  for (size_t kind = 0; kind < G_N_ELEMENTS(names); kind++)
    cwa_facts_add_integer(facts, names[kind], counts[kind]);
  cwa_facts_add_integer(facts, "edges", (int64_t)cw_graph_get_n_edges(graph));
}

void
cwa_graph_facts_add_pruned(CwaFacts *facts, const CwGraph *graph, const CwPruned *pruned)
{
  CwScores scores = { 0 };
  cw_scores_compute(graph, NULL, &scores);
  cwa_facts_add_integer(facts, "kept_nodes", (int64_t)pruned->n_kept_nodes);
  cwa_facts_add_integer(facts, "kept_edges", (int64_t)pruned->n_kept_edges);
  cwa_facts_add_number(facts, "replacement", scores.replacement, 4);
  cwa_facts_add_number(facts, "completeness", scores.completeness, 4);
}
