/* fuzz-graph.c - see fuzz-graph.h. */
#include "fuzz-graph.h"

#include <math.h>
#include <string.h>

#include "graph/graph-json-copy.h"
#include "graph/graph-json-reader.h"

static uint64_t
read_texts(const CwGraph *graph)
{
  uint64_t sum = strlen(cw_graph_peek_prompt(graph));
  sum += strlen(cw_graph_peek_settings_json(graph));
  sum += strlen(cw_graph_peek_metadata_json(graph));
  for (int64_t i = 0; i < cw_graph_get_n_positions(graph); i++)
    sum += strlen(cw_graph_peek_prompt_token(graph, i));
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++) {
    g_autofree char *id = cw_graph_dup_node_id(graph, i);
    const char *label = cw_graph_peek_label(graph, i);
    if (!g_utf8_validate(label, -1, NULL))
      g_error("a label is not UTF-8");
    sum += strlen(id) + strlen(label);
  }
  return sum;
}

static CwPruned *
prune(CwGraph *graph)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  CwPruneOptions options = { 0.7, 0.9, NULL };
  CwPruned *pruned = pruner != NULL ? cw_pruner_run(pruner, &options, NULL, &error) : NULL;
  if (pruned == NULL)
    g_error("pruning: %s", error->message);
  return pruned;
}

void
fuzz_use_graph(CwGraph *graph)
{
  static volatile uint64_t sink;
  const int64_t *row = cw_graph_peek_row_start(graph), *start;
  const uint32_t *edges, *targets;
  sink = read_texts(graph);
  (void)sink;
  cw_graph_peek_outgoing(graph, &start, &edges, &targets);
  if ((size_t)start[cw_graph_get_n_nodes(graph)] != cw_graph_get_n_edges(graph))
    g_error("edges were lost on the way out");
  g_autoptr(CwPruned) pruned = prune(graph);
  for (size_t t = 0; t < pruned->n_nodes; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      if (pruned->edge_mask[e] &&
          (!pruned->node_mask[t] || !pruned->node_mask[cw_graph_peek_source(graph)[e]]))
        g_error("an edge was kept without its node");
  CwScores scores;
  cw_scores_compute(graph, pruned, &scores);
  if (!isfinite(scores.replacement) || !isfinite(scores.completeness))
    g_error("scores %g and %g", scores.replacement, scores.completeness);
}

static char *
saved(CwGraph *graph, const CwPruned *pruned, const CwViewState *state)
{
  g_autoptr(GError) error = NULL;
  CwJsonWriter writer;
  cw_json_writer_begin_text(&writer, &error);
  if (!cw_graph_json_copy(graph, pruned, state, &writer))
    g_error("saving: %s", error != NULL ? error->message : "no reason");
  return cw_json_writer_finish_text(&writer);
}

static CwGraph *
read_again(char *text, CwLoadReport *report, CwViewState *state)
{
  g_autoptr(GError) error = NULL;
  CwGraph *graph =
      cw_graph_json_read_take(text, strlen(text), "saved", report, state, NULL, &error);
  if (graph == NULL)
    g_error("what was saved cannot be read: %s", error->message);
  return graph;
}

static void
check_pruned(CwGraph *graph)
{
  CwLoadReport report = { 0 };
  g_autoptr(CwPruned) pruned = prune(graph);
  g_autoptr(CwGraph) again = read_again(saved(graph, pruned, NULL), &report, NULL);
  if (report.n_nodes != pruned->n_kept_nodes || report.n_dropped_links > 0)
    g_error("%zu nodes were kept, %zu read", pruned->n_kept_nodes, report.n_nodes);
  if (cw_graph_get_n_edges(again) != pruned->n_kept_edges)
    g_error("%zu edges were kept, %zu read", pruned->n_kept_edges, cw_graph_get_n_edges(again));
  cw_load_report_clear(&report);
}

static void
check_view(CwGraph *graph, const CwViewState *state)
{
  CwViewState changed = { 0.25, 0.75, state->view_json }, found = { NAN, NAN, NULL };
  g_autoptr(CwGraph) again = read_again(saved(graph, NULL, &changed), NULL, &found);
  if (found.node_threshold != 0.25 || found.edge_threshold != 0.75 ||
      g_strcmp0(found.view_json, state->view_json) != 0)
    g_error("the view %s became %s", state->view_json, found.view_json);
  if (cw_graph_get_n_nodes(again) != cw_graph_get_n_nodes(graph) ||
      cw_graph_get_n_edges(again) != cw_graph_get_n_edges(graph))
    g_error("another view changed the graph");
  cw_view_state_clear(&found);
}

void
fuzz_save_graph(CwGraph *graph, const CwViewState *state)
{
  if (graph->text == NULL)
    return;
  g_autofree char *same = saved(graph, NULL, NULL);
  if (strcmp(same, graph->text->text) != 0)
    g_error("a graph that nobody changed was saved as other bytes");
  check_pruned(graph);
  check_view(graph, state);
}
