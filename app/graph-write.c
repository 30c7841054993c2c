/* graph-write.c - writing a graph as graph JSON or as a document. */
#include "graph-write.h"

#include <math.h>
#include <string.h>

#include "graph-prune.h"

bool
cwa_graph_write(const char *path, CwGraph *graph, const CwPruned *pruned, const CwaRun *run,
                const CwViewState *state, GError **error)
{
  CwViewState view = { NAN, NAN, NULL };
  if (state != NULL)
    view = *state;
  if (pruned != NULL) {
    view.node_threshold = cwa_graph_threshold(run, "node-threshold", view.node_threshold);
    view.edge_threshold = cwa_graph_threshold(run, "edge-threshold", view.edge_threshold);
  }
  if (strcmp(cwa_run_peek_ending(path), "clew") == 0)
    return cw_graph_save_document(graph, &view, path, run->cancel, error);
  return cw_graph_save_json(graph, pruned, &view, path, run->cancel, error);
}
