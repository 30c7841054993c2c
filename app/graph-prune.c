/* graph-prune.c - pruning a graph as the options of a command ask for. */
#include "graph-prune.h"

#include <math.h>

#include "cw-document.h"

double
cwa_graph_threshold(const CwaRun *run, const char *option, double of_view)
{
  bool is_typed = cwa_arguments_has(run->arguments, option);
  return is_typed || isnan(of_view) ? cwa_arguments_number(run->arguments, option) : of_view;
}

CwPruned *
cwa_graph_prune(CwGraph *graph, const CwaRun *run, const CwViewState *state, GError **error)
{
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, state, NULL);
  double node = state != NULL ? state->node_threshold : NAN;
  double edge = state != NULL ? state->edge_threshold : NAN;
  cw_document_set_thresholds(document, cwa_graph_threshold(run, "node-threshold", node),
                             cwa_graph_threshold(run, "edge-threshold", edge));
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, run->cancel, error);
  if (pruner == NULL)
    return NULL;
  return cw_document_state_prune(cw_document_peek_state(document), pruner, run->cancel, error);
}
