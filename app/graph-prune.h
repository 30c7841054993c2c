/* graph-prune.h - pruning a graph as the options of a command ask for. */
#pragma once

#include "cw-graph.h"
#include "run.h"

/* Table rows of commands that prune. */
#define CWA_OPTION_ROWS_THRESHOLDS                                                            \
  { "node-threshold",                                                                         \
    CWA_OPTION_NUMBER,                                                                        \
    "X",                                                                                      \
    "share of the influence that kept nodes have",                                            \
    "0.8",                                                                                    \
    0,                                                                                        \
    1 },                                                                                      \
  {                                                                                           \
    "edge-threshold", CWA_OPTION_NUMBER, "X", "share of the influence that kept edges carry", \
        "0.98", 0, 1                                                                          \
  }

/* Prunes by --node-threshold and --edge-threshold. What `state` (a loaded view, or NULL) pins
 * stays, and where an option was not typed its threshold holds. */
CwPruned *cwa_graph_prune(CwGraph *graph, const CwaRun *run, const CwViewState *state,
                          GError **error);

/* The threshold of an option: as typed, else `of_view` unless it is not a number, else the
 * option's initial value. */
double cwa_graph_threshold(const CwaRun *run, const char *option, double of_view);
