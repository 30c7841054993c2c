/* document-private.h - the inside of documents, for the files of this folder only.
 *
 * A state holds references to its parts; parts are immutable once a state has them, so that
 * copying a state is a few reference counts and comparing two is comparing pointers. */
#pragma once

#include "cw-document.h"

/* Pinned nodes in their order, and one bit a node. */
typedef struct {
  size_t n;
  uint32_t *nodes; /* [n] */
  uint8_t *bits;   /* [(N + 7) / 8] */
} CwDocumentPins;

typedef struct {
  CwDocumentGroup group; /* its pointers are owned */
} CwOwnedGroup;

typedef struct {
  CwDocumentNote note; /* its text is owned */
} CwOwnedNote;

struct _CwDocumentState {
  gatomicrefcount ref_count;
  CwGraph *graph;   /* NULL: nothing traced */
  GRefString *view; /* members of the file's view that Clew does not know; NULL: none */
  GRefString *prompt;
  double node_threshold, edge_threshold, gravity;
  CwDocumentPins *pins; /* rc box; NULL: none */
  GHashTable *labels;   /* node -> char *; NULL: none */
  GPtrArray *groups;    /* CwOwnedGroup *; NULL: none */
  GPtrArray *notes;     /* CwOwnedNote *; NULL: none */
  GArray *places;       /* CwDocumentPlace, by node; NULL: none */
  uint64_t next_id;     /* of a group or note */
};

/* A state whose parts are those of `state`, for an edit to change. */
CwDocumentState *cw_document_state_copy(const CwDocumentState *state);
CwDocumentState *cw_document_state_new(CwGraph *graph, const char *prompt);
size_t cw_document_state_get_n_nodes(const CwDocumentState *state);

/* Parts. n_nodes: of the graph. Arguments are copied. NULL for nothing. */
CwDocumentPins *cw_document_pins_new(const uint32_t *nodes, size_t n, size_t n_nodes);
void cw_document_pins_unref(CwDocumentPins *pins);
GHashTable *cw_document_labels_copy(GHashTable *labels); /* a new table also for NULL */
CwOwnedGroup *cw_owned_group_new(uint64_t id, const char *label, const uint32_t *members,
                                 size_t n);
void cw_owned_group_unref(CwOwnedGroup *group);
CwOwnedNote *cw_owned_note_new(const CwDocumentNote *note);
/* New arrays with the same items, also for NULL. */
GPtrArray *cw_document_groups_copy(GPtrArray *groups);
GPtrArray *cw_document_notes_copy(GPtrArray *notes);
GArray *cw_document_places_copy(GArray *places);

/* Put into a state that no one else has yet; an empty part becomes NULL. */
void cw_document_state_take_pins(CwDocumentState *state, CwDocumentPins *pins);
void cw_document_state_take_labels(CwDocumentState *state, GHashTable *labels);
void cw_document_state_take_groups(CwDocumentState *state, GPtrArray *groups);
void cw_document_state_take_notes(CwDocumentState *state, GPtrArray *notes);
void cw_document_state_take_places(CwDocumentState *state, GArray *places);

/* Fills a state from a file's view (document-view.c). */
void cw_document_state_read_view(CwDocumentState *state, const char *view_json,
                                 CwDocumentSession *session);
/* Takes over what was said of the nodes of `from` that state's graph has too
 * (document-carry.c). */
void cw_document_state_carry(CwDocumentState *state, const CwDocumentState *from);
