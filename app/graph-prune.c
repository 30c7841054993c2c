/* graph-prune.c - pruning a graph as the options of a command ask for. */
#include "graph-prune.h"

#include <math.h>

#include "pinned-nodes.h"

double
cwa_graph_threshold(const CwaRun *run, const char *option, double of_view)
{
  bool is_typed = cwa_arguments_has(run->arguments, option);
  return is_typed || isnan(of_view) ? cwa_arguments_number(run->arguments, option) : of_view;
}

CwPruned *
cwa_graph_prune(CwGraph *graph, const CwaRun *run, const CwViewState *state, GError **error)
{
  const CwViewState no_state = { NAN, NAN, NULL };
  if (state == NULL)
    state = &no_state;
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, run->cancel, error);
  if (pruner == NULL)
    return NULL;
  g_autofree uint8_t *pinned = cwa_pinned_nodes_dup(graph, state);
  CwPruneOptions options = { cwa_graph_threshold(run, "node-threshold", state->node_threshold),
                             cwa_graph_threshold(run, "edge-threshold", state->edge_threshold),
                             pinned };
  return cw_pruner_run(pruner, &options, run->cancel, error);
}
