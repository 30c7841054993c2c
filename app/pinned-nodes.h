/* pinned-nodes.h - the pins of a saved view as a mask over the graph's nodes. */
#pragma once

#include "cw-graph.h"

/* [n_nodes], 1 where the view's "pins" name the node's id; NULL if it pins nothing that the
 * graph has. Transfer full. O(N) where there are pins. */
uint8_t *cwa_pinned_nodes_dup(const CwGraph *graph, const CwViewState *state);
