/* graph-document.h - reading .clew documents. Format: data/schemas/clew-document.md. */
#pragma once

#include "cw-graph.h"

/* Whether these bytes begin as a document does. */
bool cw_graph_document_is(const void *data, size_t n);
/* Reads a document; path is for messages. report and state may be NULL. */
CwGraph *cw_graph_document_read(const void *data, size_t n, const char *path,
                                CwLoadReport *report, CwViewState *state, CwCancel *cancel,
                                GError **error);
