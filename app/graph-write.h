/* graph-write.h - writing a graph as graph JSON or as a document. */
#pragma once

#include "cw-graph.h"
#include "run.h"

/* A path ending in .clew gets a document: the whole graph, the thresholds as its view. Any
 * other gets what `pruned` keeps (NULL: everything) in circuit-tracer's schema. `state` is the
 * view of a loaded file or NULL; with `pruned` its thresholds become those of the options. */
bool cwa_graph_write(const char *path, CwGraph *graph, const CwPruned *pruned,
                     const CwaRun *run, const CwViewState *state, GError **error);
