/* view-state.h - between a file's qParams and our view of a graph.
 *
 * The view is one JSON object (data/schemas/view.schema.json). Pins, groups and the like are
 * also kept in the plain keys that other programs read; everything else lies under "clew". */
#pragma once

#include "cw-graph.h"
#include "graph/json-pull.h"

/* Reads the state from qParams, a piece of pull's text (absent: an empty state). Lists, comma
 * text, JSON text and null are all accepted; what cannot be understood is passed over. False
 * only on invalid JSON. */
bool cw_view_state_read(CwJsonPull *pull, CwJsonSpan q_params, CwViewState *state);

/* qParams as text, indented to stand at depth one. old: the qParams of the file the graph came
 * from, of which unknown keys and all that state does not change are kept; absent: none. NULL
 * with an error if state's view is no JSON object. Transfer full. */
char *cw_view_state_write(const CwViewState *state, CwJsonSpan old, GError **error);
