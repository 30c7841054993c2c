/* fuzz-graph.h - what must hold of every graph that a reader lets through. */
#pragma once

#include "cw-graph.h"

/* Reads everything a graph hands out, prunes it, and checks the masks against each other. */
void fuzz_use_graph(CwGraph *graph);
/* If the graph came from JSON: saved whole it is the same bytes, saved pruned or with another
 * view it can be read again and says what was saved. */
void fuzz_save_graph(CwGraph *graph, const CwViewState *state);
