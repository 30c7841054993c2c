/* cw-document.h - what a person makes of an attribution graph, with undo: prompt, thresholds,
 * pins, labels, groups, notes, places.
 *
 * A document is a list of states and a place in it. A state never changes: an edit makes a new
 * one that shares all parts it did not touch, and undo steps back to the old one itself, so
 * that what comes back is what was there, byte for byte. Views compare two states part by part
 * (pointers) and redraw what differs. A state may be read on any thread; a document belongs to
 * one.
 *
 * Not in here, and not undone: what is selected and which part of the picture is seen
 * (CwDocumentSession). It is saved with the document, but moving about is no change of it. */
#pragma once

#include "cw-graph.h"

G_BEGIN_DECLS

#define CW_DEFAULT_NODE_THRESHOLD 0.8 /* circuit-tracer's */
#define CW_DEFAULT_EDGE_THRESHOLD 0.98
#define CW_DEFAULT_GRAVITY        0.5

/* ---- states ------------------------------------------------------------------------------ */

typedef struct _CwDocumentState CwDocumentState;

/* A named set of nodes. The id is its identity, not the label: two groups may be called alike.
 */
typedef struct {
  uint64_t id;
  const char *label;
  const uint32_t *members; /* [n_members] graph nodes, ascending */
  size_t n_members;
} CwDocumentGroup;

typedef struct {
  uint64_t id;
  const char *text;
  int64_t node; /* the node it stands beside; -1: x, y are a place in the picture */
  double x, y;  /* shares of the picture's width and height, 0..1 */
} CwDocumentNote;

/* Where a node is fixed in the force-directed view, in its own units. */
typedef struct {
  uint32_t node;
  float x, y;
} CwDocumentPlace;

/* What a view must renew when one state follows another. */
typedef enum {
  CW_DOCUMENT_GRAPH = 1 << 0,
  CW_DOCUMENT_PROMPT = 1 << 1,
  CW_DOCUMENT_THRESHOLDS = 1 << 2,
  CW_DOCUMENT_PINS = 1 << 3,
  CW_DOCUMENT_LABELS = 1 << 4,
  CW_DOCUMENT_GROUPS = 1 << 5,
  CW_DOCUMENT_NOTES = 1 << 6,
  CW_DOCUMENT_PLACES = 1 << 7,
  CW_DOCUMENT_GRAVITY = 1 << 8
} CwDocumentParts;

CwDocumentState *cw_document_state_ref(CwDocumentState *state);
void cw_document_state_unref(CwDocumentState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwDocumentState, cw_document_state_unref)

/* Parts in which b differs from a. O(1). */
CwDocumentParts cw_document_state_compare(const CwDocumentState *a, const CwDocumentState *b);

CwGraph *cw_document_state_peek_graph(const CwDocumentState *state); /* NULL: nothing traced */
/* The prompt as it stands in the prompt bar: that of the graph, as it was typed, or edited
 * since.
 */
const char *cw_document_state_peek_prompt(const CwDocumentState *state);
double cw_document_state_get_node_threshold(const CwDocumentState *state); /* 0..1 */
double cw_document_state_get_edge_threshold(const CwDocumentState *state); /* 0..1 */
/* Of the force-directed view: how strongly layer and token order pull, 0..1. */
double cw_document_state_get_gravity(const CwDocumentState *state);
/* Pinned nodes in the order of pinning; valid as long as the state. */
const uint32_t *cw_document_state_peek_pins(const CwDocumentState *state, size_t *n);
bool cw_document_state_is_pinned(const CwDocumentState *state, size_t node); /* O(1) */
/* What somebody called the node; NULL: what the graph says holds. */
const char *cw_document_state_peek_label(const CwDocumentState *state, size_t node);
/* What the node is called now: the label above, or the graph's, which may be "". */
const char *cw_document_state_peek_shown_label(const CwDocumentState *state, size_t node);
size_t cw_document_state_get_n_groups(const CwDocumentState *state);
const CwDocumentGroup *cw_document_state_peek_group(const CwDocumentState *state, size_t i);
size_t cw_document_state_get_n_notes(const CwDocumentState *state);
const CwDocumentNote *cw_document_state_peek_note(const CwDocumentState *state, size_t i);
const CwDocumentPlace *cw_document_state_peek_places(const CwDocumentState *state, size_t *n);

/* What the state leaves of its graph, which is the pruner's: by its thresholds, pinned nodes
 * stay, and a graph that its maker pruned is ranked as its file says. Any thread that has the
 * pruner to itself; O(N + E). Transfer full. Errors: CW_ERROR_NO_MEMORY, CW_ERROR_CANCELLED. */
CwPruned *cw_document_state_prune(const CwDocumentState *state, CwPruner *pruner,
                                  CwCancel *cancel, GError **error);

/* ---- what is looked at --------------------------------------------------------------------
 */

typedef struct {
  int64_t selected;                /* node, -1: none */
  double zoom, centre_x, centre_y; /* 1, 0.5, 0.5 shows all */
  char view[16];                   /* "layers", "force", "table" */
} CwDocumentSession;

void cw_document_session_init(CwDocumentSession *session);

/* The state as cw_graph_save_document and cw_graph_save_json take it. session may be NULL. The
 * same state and session give the same text. Any thread. */
void cw_document_state_to_view(const CwDocumentState *state, const CwDocumentSession *session,
                               CwViewState *view);

/* ---- documents ----------------------------------------------------------------------------
 */

typedef struct _CwDocument CwDocument;

/* Without a graph, with a prompt (may be ""). */
CwDocument *cw_document_new(const char *prompt);
/* A graph as it was loaded, and what the file said of its view: ids that are no node of the
 * graph are left out, members of the view that Clew does not know are kept. Thresholds the file
 * does not give are the defaults for a whole graph and 1 (all of it) for one that its maker
 * pruned. session may be NULL. */
CwDocument *cw_document_new_from_graph(CwGraph *graph, const CwViewState *view,
                                       CwDocumentSession *session);
void cw_document_free(CwDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwDocument, cw_document_free)

CwDocumentState *cw_document_peek_state(CwDocument *document);

/* Edits. Each is one step of the history, unless it changes nothing (then false). Nodes that
 * are none of the graph's, and values out of range, change nothing. */
typedef enum {
  CW_EDIT_OPEN, /* the first state; no edit */
  CW_EDIT_TRACE,
  CW_EDIT_PROMPT,
  CW_EDIT_THRESHOLDS,
  CW_EDIT_GRAVITY,
  CW_EDIT_PIN,
  CW_EDIT_UNPIN,
  CW_EDIT_LABEL,
  CW_EDIT_GROUP,
  CW_EDIT_RENAME_GROUP,
  CW_EDIT_CHANGE_GROUP,
  CW_EDIT_UNGROUP,
  CW_EDIT_ADD_NOTE,
  CW_EDIT_CHANGE_NOTE,
  CW_EDIT_MOVE_NOTE,
  CW_EDIT_REMOVE_NOTE,
  CW_EDIT_PLACE,
  CW_EDIT_FREE_PLACES,
  CW_N_EDITS
} CwDocumentEdit;

/* A new graph. The prompt becomes the graph's, unless another one was typed meanwhile. What was
 * said about nodes that the new graph has too
 * (same tokens; same kind, layer, position and feature) stays said. thresholds: of nodes and
 * edges; NULL keeps those that are set. */
bool cw_document_set_graph(CwDocument *document, CwGraph *graph, const double *thresholds);
/* What stands in the prompt bar. continues: it goes on with the typing before, and is part of
 * the same step if the newest step is one and was not saved; a step that comes to nothing (a
 * word typed and erased) goes. */
bool cw_document_set_prompt(CwDocument *document, const char *prompt, bool continues);
bool cw_document_set_thresholds(CwDocument *document, double node, double edge);
bool cw_document_set_gravity(CwDocument *document, double gravity);
bool cw_document_set_pinned(CwDocument *document, const uint32_t *nodes, size_t n, bool pinned);
/* NULL or "": the graph's own label again. */
bool cw_document_set_label(CwDocument *document, size_t node, const char *label);
/* A node is in one group at most: it leaves the one it was in; groups left empty go. Members
 * are pinned. Returns the id, 0 if nothing was done. */
uint64_t cw_document_add_group(CwDocument *document, const char *label, const uint32_t *members,
                               size_t n);
bool cw_document_rename_group(CwDocument *document, uint64_t id, const char *label);
bool cw_document_set_group_members(CwDocument *document, uint64_t id, const uint32_t *members,
                                   size_t n);
bool cw_document_remove_group(CwDocument *document, uint64_t id);
uint64_t cw_document_add_note(CwDocument *document, int64_t node, double x, double y,
                              const char *text);
bool cw_document_set_note_text(CwDocument *document, uint64_t id, const char *text);
bool cw_document_move_note(CwDocument *document, uint64_t id, int64_t node, double x, double y);
bool cw_document_remove_note(CwDocument *document, uint64_t id);
bool cw_document_set_place(CwDocument *document, uint32_t node, float x, float y);
/* One node's, or, for -1, every one. */
bool cw_document_free_place(CwDocument *document, int64_t node);

/* Between begin and end, edits of the same kind and subject are one step: a slider's drag, a
 * label being typed. May not be nested. */
void cw_document_begin_merge(CwDocument *document);
void cw_document_end_merge(CwDocument *document);

/* ---- history ------------------------------------------------------------------------------
 */

typedef struct {
  CwDocumentEdit edit;
  const char *subject; /* what it was done to, for people: "water, ice"; may be "" */
} CwDocumentStep;

/* Steps 0 .. n - 1; step 0 is the opening. The state shown is that after step `position`. */
size_t cw_document_get_n_steps(const CwDocument *document);
size_t cw_document_get_position(const CwDocument *document);
CwDocumentStep cw_document_get_step(const CwDocument *document, size_t i);
bool cw_document_undo(CwDocument *document); /* false at the first state */
bool cw_document_redo(CwDocument *document);
bool cw_document_go_to(CwDocument *document, size_t position);

/* Whether the state shown is the one that was marked as saved last; at first step 0's is. */
bool cw_document_is_saved(const CwDocument *document);
void cw_document_mark_saved(CwDocument *document, CwDocumentState *state);
/* Nothing counts as saved (a document recovered after a crash). */
void cw_document_mark_unsaved(CwDocument *document);

G_END_DECLS
