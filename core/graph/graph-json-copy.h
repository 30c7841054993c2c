/* graph-json-copy.h - saving a graph that was read from JSON: its text, filtered. */
#pragma once

#include "graph/graph-private.h"
#include "graph/json-writer.h"

/* Writes graph->text, without the nodes and links that pruned drops (NULL: none), with qParams
 * as state says (NULL: as they are). */
bool cw_graph_json_copy(const CwGraph *graph, const CwPruned *pruned, const CwViewState *state,
                        CwJsonWriter *writer);
