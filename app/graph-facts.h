/* graph-facts.h - loading a graph for a command, and what there is to say about one. */
#pragma once

#include "cw-graph.h"
#include "facts.h"
#include "run.h"

/* Loads with remarks on stderr about what the reader dropped or mended (not under --quiet).
 * state may be NULL. */
CwGraph *cwa_graph_load(const char *path, CwaRun *run, CwViewState *state, GError **error);
/* Nodes by kind, edges, layers, positions, prompt. */
void cwa_graph_facts_add(CwaFacts *facts, const CwGraph *graph);
/* Replacement and completeness scores, and what pruning keeps. */
void cwa_graph_facts_add_pruned(CwaFacts *facts, const CwGraph *graph, const CwPruned *pruned);
