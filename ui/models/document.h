/* document.h - an open graph, and what its views share: thresholds, selection, viewpoint. Views
 * hold a reference, connect to its signals and never to each other. Main thread only; reading a
 * file happens on another one. */
#pragma once

#include <gio/gio.h>

#include "cw-graph.h"
#include "graph/camera.h"

G_BEGIN_DECLS

#define CWU_TYPE_DOCUMENT (cwu_document_get_type())
G_DECLARE_FINAL_TYPE(CwuDocument, cwu_document, CWU, DOCUMENT, GObject)

/* Signals: "graph-changed" (another graph or other masks), "selection-changed",
 * "hover-changed", "viewpoint-changed". Properties: title, subtitle, is-loading. */
CwuDocument *cwu_document_new(void);

/* Reads, prunes and scores a file. Only the last of several calls takes effect; the others fail
 * with CW_ERROR_CANCELLED. On failure the document is as it was. */
void cwu_document_load_async(CwuDocument *self, GFile *file, GAsyncReadyCallback callback,
                             gpointer user_data);
gboolean cwu_document_load_finish(CwuDocument *self, GAsyncResult *result, GError **error);
void cwu_document_cancel_loading(CwuDocument *self);

CwGraph *cwu_document_peek_graph(CwuDocument *self);   /* NULL before the first file */
CwPruned *cwu_document_peek_pruned(CwuDocument *self); /* what is shown */
GFile *cwu_document_peek_file(CwuDocument *self);
const char *cwu_document_peek_title(CwuDocument *self);
/* What the reader remarked ("3 links ..."), for people; NULL-terminated, may be empty. */
const char *const *cwu_document_peek_remarks(CwuDocument *self);

typedef struct {
  double node_threshold, edge_threshold; /* NaN: the file does not say */
  double replacement, completeness;      /* of what is shown */
  bool is_whole; /* the file has the unpruned graph: thresholds are ours, not its maker's */
} CwuDocumentFacts;
const CwuDocumentFacts *cwu_document_peek_facts(CwuDocument *self);

/* Graph nodes, -1: none. */
int64_t cwu_document_get_selected(CwuDocument *self);
void cwu_document_set_selected(CwuDocument *self, int64_t node);
int64_t cwu_document_get_hovered(CwuDocument *self);
void cwu_document_set_hovered(CwuDocument *self, int64_t node);
CwuViewpoint cwu_document_get_viewpoint(CwuDocument *self);
void cwu_document_set_viewpoint(CwuDocument *self, const CwuViewpoint *viewpoint);

G_END_DECLS
