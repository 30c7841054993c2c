/* small-graph.h - a graph that can be checked by eye: three features, 0 feeds 1, both feed a
 * logit, node 2 stands alone; three tokens, two layers. */
#pragma once

#include "cw-graph.h"

CwGraph *small_graph_new(void);
