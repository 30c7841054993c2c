/* document.h - an open document as widgets see it: the core's document with its undo, the masks
 * that its thresholds leave, what is selected and which part of the picture is seen.
 *
 * Views hold a reference, connect to its signals and never to each other. Main thread only;
 * reading, pruning and saving happen on others. To change something:
 *
 *     cw_document_set_label(cwu_document_peek_core(document), node, text);
 *     cwu_document_sync(document);
 *
 * The graph and the masks always fit each other. Masks follow thresholds and pins a moment
 * later ("graph-changed"); the state's numbers are those asked for, at once ("changed"). */
#pragma once

#include <gio/gio.h>

#include "cw-document.h"
#include "picture/camera.h"

G_BEGIN_DECLS

#define CWU_TYPE_DOCUMENT (cwu_document_get_type())
G_DECLARE_FINAL_TYPE(CwuDocument, cwu_document, CWU, DOCUMENT, GObject)

/* Signals: "changed" (guint: CwDocumentParts, what differs from what was told last),
 * "history-changed", "graph-changed" (another graph or other masks), "selection-changed",
 * "hover-changed", "viewpoint-changed", "reveal" (gint64: a node that should be brought into
 * sight). Properties: title, subtitle, is-loading, is-saved, is-pruning, view. */
CwuDocument *cwu_document_new(void);

/* ---- files --------------------------------------------------------------------------------
 */

/* Reads, prunes and scores a file, and begins a new history. Only the last of several calls
 * takes effect; the others fail with CW_ERROR_CANCELLED. On failure the document is as it was.
 */
void cwu_document_load_async(CwuDocument *self, GFile *file, GAsyncReadyCallback callback,
                             gpointer user_data);
gboolean cwu_document_load_finish(CwuDocument *self, GAsyncResult *result, GError **error);
void cwu_document_cancel_loading(CwuDocument *self);

/* Prunes a graph that was traced and makes it the document's, as one edit. thresholds: of nodes
 * and edges, for a document that has no graph yet; others keep their own. */
void cwu_document_set_graph_async(CwuDocument *self, CwGraph *graph, const double thresholds[2],
                                  GAsyncReadyCallback callback, gpointer user_data);
gboolean cwu_document_set_graph_finish(CwuDocument *self, GAsyncResult *result, GError **error);
/* The graph that is on its way, if there is one, is not taken: CW_ERROR_CANCELLED. */
void cwu_document_cancel_set_graph(CwuDocument *self);

/* Writes what is there now: a .clew document, or, where the name ends in .json, the graph as
 * JSON with its view. is_copy: the document goes on belonging to its own file and stays unsaved
 * (autosave, export). */
void cwu_document_save_async(CwuDocument *self, GFile *file, gboolean is_copy,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean cwu_document_save_finish(CwuDocument *self, GAsyncResult *result, GError **error);

GFile *cwu_document_peek_file(CwuDocument *self); /* NULL: it has none yet */
/* After recovery: the file a document belongs to is not the one it was read from. NULL: none.
 * It counts as unsaved. */
void cwu_document_set_recovered(CwuDocument *self, GFile *file);
const char *cwu_document_peek_title(CwuDocument *self);
gboolean cwu_document_is_saved(CwuDocument *self);
/* What the reader remarked ("3 links ..."), for people; NULL-terminated, may be empty. */
const char *const *cwu_document_peek_remarks(CwuDocument *self);

/* ---- content ------------------------------------------------------------------------------
 */

CwDocument *cwu_document_peek_core(CwuDocument *self);
/* Tells views what an edit, undo or redo has changed. */
void cwu_document_sync(CwuDocument *self);
CwDocumentState *cwu_document_peek_state(CwuDocument *self); /* never NULL */
CwGraph *cwu_document_peek_graph(CwuDocument *self);         /* NULL: nothing traced */
CwPruned *cwu_document_peek_pruned(CwuDocument *self);       /* what is shown of the graph */
/* Replacement and completeness of what is shown; NaN without a graph. */
CwScores cwu_document_get_scores(CwuDocument *self);
gboolean cwu_document_is_pruning(CwuDocument *self);
/* What the node is called: its label, what it promotes, or where it is. Transfer full. */
char *cwu_document_dup_node_name(CwuDocument *self, size_t node);

/* Pins a node or unpins it, as one edit. */
void cwu_document_toggle_pin(CwuDocument *self, int64_t node);

/* ---- what is looked at --------------------------------------------------------------------
 */

/* Graph nodes, -1: none. A selection joins the history that go_back and go_forward walk. */
int64_t cwu_document_get_selected(CwuDocument *self);
void cwu_document_set_selected(CwuDocument *self, int64_t node);
gboolean cwu_document_can_go(CwuDocument *self, int step);
void cwu_document_go(CwuDocument *self, int step); /* -1 back, +1 forward */
int64_t cwu_document_get_hovered(CwuDocument *self);
void cwu_document_set_hovered(CwuDocument *self, int64_t node);
/* Selects a node and asks views to bring it into sight. */
void cwu_document_show_node(CwuDocument *self, int64_t node);
/* To the shown neighbour at the strongest edge, if there is one. */
typedef enum { CWU_GO_TO_SOURCE, CWU_GO_TO_TARGET } CwuAlong;
void cwu_document_go_along(CwuDocument *self, CwuAlong along);
CwuViewpoint cwu_document_get_viewpoint(CwuDocument *self);
void cwu_document_set_viewpoint(CwuDocument *self, const CwuViewpoint *viewpoint);
const char *cwu_document_peek_view(CwuDocument *self); /* "layers", "force", "table" */
void cwu_document_set_view(CwuDocument *self, const char *view);

G_END_DECLS
