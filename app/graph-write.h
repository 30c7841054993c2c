/* graph-write.h - writing a graph as graph JSON. */
#pragma once

#include "cw-graph.h"
#include "run.h"

/* Writes what `pruned` keeps (NULL: everything) in circuit-tracer's schema. `state` is the view
 * of a loaded file or NULL; with `pruned` its thresholds become those of the options. */
bool cwa_graph_write(const char *path, CwGraph *graph, const CwPruned *pruned,
                     const CwaRun *run, const CwViewState *state, GError **error);
