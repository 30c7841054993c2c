/* document.c - edits and history: see cw-document.h.
 *
 * Every edit copies the state (a few references), replaces the part it is about and pushes the
 * result; what had been undone is dropped then. Rejected: commands that know how to undo
 * themselves. Each would need its inverse written and tested; here undo cannot be wrong. */
#include <math.h>
#include <string.h>

#include "document/document-private.h"

typedef struct {
  CwDocumentState *state; /* after the step */
  CwDocumentEdit edit;
  uint64_t key; /* what it was done to, for merging */
  char *subject;
} Step;

struct _CwDocument {
  GPtrArray *steps; /* Step *; the first is the opening */
  guint position;
  CwDocumentState *saved;     /* NULL: none */
  bool is_merging, may_merge; /* may_merge: a step was made since begin */
};

#define NO_KEY 0

static void
step_free(gpointer data)
{
  Step *step = data;
  cw_document_state_unref(step->state);
  g_free(step->subject);
  g_free(step);
}

static Step *
step_at(const CwDocument *document, guint i)
{
  return g_ptr_array_index(document->steps, i);
}

static void
push_step(CwDocument *document, CwDocumentState *state, CwDocumentEdit edit, uint64_t key,
          const char *subject)
{
  Step *step = g_new0(Step, 1);
  step->state = state;
  step->edit = edit;
  step->key = key;
  step->subject = g_strdup(subject != NULL ? subject : "");
  if (document->steps->len > document->position + 1)
    g_ptr_array_remove_range(document->steps, document->position + 1,
                             document->steps->len - document->position - 1);
  g_ptr_array_add(document->steps, step);
  document->position = document->steps->len - 1;
}

/* Makes `state` (taken over) the newest, as a step of its own or as part of the one before. */
static bool
commit(CwDocument *document, CwDocumentState *state, CwDocumentEdit edit, uint64_t key,
       const char *subject)
{
  Step *top = step_at(document, document->position);
  bool is_last = document->position + 1 == document->steps->len;
  if (document->may_merge && is_last && top->edit == edit && top->key == key) {
    char *kept = g_strdup(subject != NULL ? subject : ""); /* it may be the old state's own */
    cw_document_state_unref(top->state);
    top->state = state;
    g_free(top->subject);
    top->subject = kept;
    document->may_merge = document->is_merging;
    return true;
  }
  push_step(document, state, edit, key, subject);
  document->may_merge = document->is_merging;
  return true;
}

static CwDocumentState *
edit_state(CwDocument *document)
{
  return cw_document_state_copy(cw_document_peek_state(document));
}

static CwDocument *
document_new_take(CwDocumentState *state)
{
  CwDocument *document = g_new0(CwDocument, 1);
  document->steps = g_ptr_array_new_with_free_func(step_free);
  push_step(document, state, CW_EDIT_OPEN, NO_KEY, NULL);
  document->saved = cw_document_state_ref(state);
  return document;
}

CwDocument *
cw_document_new(const char *prompt)
{
  return document_new_take(cw_document_state_new(NULL, prompt));
}

CwDocument *
cw_document_new_from_graph(CwGraph *graph, const CwViewState *view, CwDocumentSession *session)
{
  CwDocumentState *state = cw_document_state_new(graph, cw_graph_peek_typed_prompt(graph));
  bool is_whole = cw_graph_is_whole(graph);
  if (!is_whole)
    state->node_threshold = state->edge_threshold = 1;
  if (view != NULL && !isnan(view->node_threshold))
    state->node_threshold = view->node_threshold;
  if (view != NULL && !isnan(view->edge_threshold))
    state->edge_threshold = view->edge_threshold;
  if (session != NULL)
    cw_document_session_init(session);
  cw_document_state_read_view(state, view != NULL ? view->view_json : NULL, session);
  return document_new_take(state);
}

void
cw_document_free(CwDocument *document)
{
  if (document == NULL)
    return;
  g_ptr_array_unref(document->steps);
  cw_document_state_unref(document->saved);
  g_free(document);
}

CwDocumentState *
cw_document_peek_state(CwDocument *document)
{
  return step_at(document, document->position)->state;
}

/* ---- edits of one number or text --------------------------------------------------------- */

/* Whether the prompt is neither that of the graph nor empty: somebody typed it. */
static bool
is_typed(const CwDocumentState *state)
{
  const char *traced = state->graph != NULL ? cw_graph_peek_typed_prompt(state->graph) : "";
  return *state->prompt != '\0' && strcmp(state->prompt, traced) != 0;
}

bool
cw_document_set_graph(CwDocument *document, CwGraph *graph, const double *thresholds)
{
  CwDocumentState *old = cw_document_peek_state(document);
  if (old->graph == graph)
    return false;
  const char *traced = cw_graph_peek_typed_prompt(graph);
  CwDocumentState *state = cw_document_state_new(graph, is_typed(old) ? old->prompt : traced);
  state->node_threshold = old->node_threshold;
  state->edge_threshold = old->edge_threshold;
  state->gravity = old->gravity;
  state->next_id = old->next_id;
  if (!cw_graph_is_whole(graph))
    state->node_threshold = state->edge_threshold = 1;
  else if (old->graph != NULL && !cw_graph_is_whole(old->graph)) {
    state->node_threshold = CW_DEFAULT_NODE_THRESHOLD;
    state->edge_threshold = CW_DEFAULT_EDGE_THRESHOLD;
  }
  if (thresholds != NULL) {
    state->node_threshold = CLAMP(thresholds[0], 0, 1);
    state->edge_threshold = CLAMP(thresholds[1], 0, 1);
  }
  cw_document_state_carry(state, old);
  return commit(document, state, CW_EDIT_TRACE, NO_KEY, traced);
}

/* Takes the newest step back for good. */
static void
drop_step(CwDocument *document)
{
  g_ptr_array_remove_index(document->steps, document->position--);
  document->may_merge = false;
}

bool
cw_document_set_prompt(CwDocument *document, const char *prompt, bool continues)
{
  const Step *top = step_at(document, document->position);
  if (strcmp(top->state->prompt, prompt) == 0)
    return false;
  bool joins = continues && top->edit == CW_EDIT_PROMPT && top->state != document->saved &&
               document->position + 1 == document->steps->len;
  if (joins && strcmp(step_at(document, document->position - 1)->state->prompt, prompt) == 0) {
    drop_step(document);
    return true;
  }
  document->may_merge |= joins;
  CwDocumentState *state = edit_state(document);
  g_ref_string_release(state->prompt);
  state->prompt = g_ref_string_new(prompt);
  return commit(document, state, CW_EDIT_PROMPT, NO_KEY, prompt);
}

static bool
is_share(double value)
{
  return value >= 0 && value <= 1;
}

bool
cw_document_set_thresholds(CwDocument *document, double node, double edge)
{
  const CwDocumentState *now = cw_document_peek_state(document);
  if (!is_share(node) || !is_share(edge) ||
      (now->node_threshold == node && now->edge_threshold == edge))
    return false;
  CwDocumentState *state = edit_state(document);
  state->node_threshold = node;
  state->edge_threshold = edge;
  return commit(document, state, CW_EDIT_THRESHOLDS, NO_KEY, NULL);
}

bool
cw_document_set_gravity(CwDocument *document, double gravity)
{
  if (!is_share(gravity) || cw_document_peek_state(document)->gravity == gravity)
    return false;
  CwDocumentState *state = edit_state(document);
  state->gravity = gravity;
  return commit(document, state, CW_EDIT_GRAVITY, NO_KEY, NULL);
}

/* ---- pins and labels --------------------------------------------------------------------- */

/* state's pins, with some more or some less; NULL: nothing changes. */
static CwDocumentState *
with_pins(CwDocumentState *now, const uint32_t *nodes, size_t n, bool pinned)
{
  size_t n_nodes = cw_document_state_get_n_nodes(now), n_now, n_changed = 0;
  const uint32_t *pins = cw_document_state_peek_pins(now, &n_now);
  g_autoptr(GArray) kept = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autofree uint8_t *changes = g_malloc0(n_nodes + 1);
  for (size_t i = 0; i < n; i++)
    if (nodes[i] < n_nodes && cw_document_state_is_pinned(now, nodes[i]) != pinned) {
      changes[nodes[i]] = 1;
      n_changed++;
    }
  if (n_changed == 0)
    return NULL;
  for (size_t i = 0; i < n_now; i++)
    if (pinned || !changes[pins[i]])
      g_array_append_val(kept, pins[i]);
  for (size_t i = 0; pinned && i < n; i++)
    if (nodes[i] < n_nodes && changes[nodes[i]])
      g_array_append_val(kept, nodes[i]);
  CwDocumentState *state = cw_document_state_copy(now);
  cw_document_state_take_pins(
      state, cw_document_pins_new((uint32_t *)(void *)kept->data, kept->len, n_nodes));
  return state;
}

bool
cw_document_set_pinned(CwDocument *document, const uint32_t *nodes, size_t n, bool pinned)
{
  CwDocumentState *now = cw_document_peek_state(document);
  CwDocumentState *state = with_pins(now, nodes, n, pinned);
  if (state == NULL)
    return false;
  return commit(document, state, pinned ? CW_EDIT_PIN : CW_EDIT_UNPIN, NO_KEY,
                n == 1 ? cw_document_state_peek_shown_label(now, nodes[0]) : NULL);
}

bool
cw_document_set_label(CwDocument *document, size_t node, const char *label)
{
  CwDocumentState *now = cw_document_peek_state(document);
  if (node >= cw_document_state_get_n_nodes(now))
    return false;
  const char *old = cw_document_state_peek_label(now, node);
  if (label != NULL &&
      (*label == '\0' || strcmp(label, cw_graph_peek_label(now->graph, node)) == 0))
    label = NULL;
  if (g_strcmp0(old, label) == 0)
    return false;
  CwDocumentState *state = edit_state(document);
  GHashTable *labels = cw_document_labels_copy(now->labels);
  if (label != NULL)
    g_hash_table_insert(labels, GUINT_TO_POINTER((guint)node), g_strdup(label));
  else
    g_hash_table_remove(labels, GUINT_TO_POINTER((guint)node));
  cw_document_state_take_labels(state, labels);
  return commit(document, state, CW_EDIT_LABEL, node + 1,
                cw_document_state_peek_shown_label(state, node));
}

/* ---- groups ------------------------------------------------------------------------------ */

static bool
find_group(const CwDocumentState *state, uint64_t id, size_t *index)
{
  for (size_t i = 0; i < cw_document_state_get_n_groups(state); i++)
    if (cw_document_state_peek_group(state, i)->id == id) {
      *index = i;
      return true;
    }
  return false;
}

/* Takes nodes out of every group but `except`; groups left empty go. */
static void
leave_groups(GPtrArray *groups, uint64_t except, const uint8_t *leaves)
{
  for (guint i = groups->len; i-- > 0;) {
    CwOwnedGroup *group = g_ptr_array_index(groups, i);
    g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (group->group.id == except)
      continue;
    for (size_t k = 0; k < group->group.n_members; k++)
      if (!leaves[group->group.members[k]])
        g_array_append_val(members, group->group.members[k]);
    if (members->len == group->group.n_members)
      continue;
    if (members->len == 0) {
      g_ptr_array_remove_index(groups, i);
      continue;
    }
    CwOwnedGroup *smaller = cw_owned_group_new(group->group.id, group->group.label,
                                               (uint32_t *)(void *)members->data, members->len);
    g_ptr_array_remove_index(groups, i);
    g_ptr_array_insert(groups, (gint)i, smaller);
  }
}

/* The members that are nodes of the graph; *leaves marks them. */
static GArray *
check_members(const CwDocumentState *state, const uint32_t *members, size_t n, uint8_t **leaves)
{
  size_t n_nodes = cw_document_state_get_n_nodes(state);
  GArray *good = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  *leaves = g_malloc0(n_nodes + 1);
  for (size_t i = 0; i < n; i++)
    if (members[i] < n_nodes && !(*leaves)[members[i]]) {
      (*leaves)[members[i]] = 1;
      g_array_append_val(good, members[i]);
    }
  return good;
}

/* A copy of now in which the members are pinned. */
static CwDocumentState *
copy_with_pins(CwDocumentState *now, const GArray *members)
{
  CwDocumentState *state =
      with_pins(now, (const uint32_t *)(const void *)members->data, members->len, true);
  return state != NULL ? state : cw_document_state_copy(now);
}

uint64_t
cw_document_add_group(CwDocument *document, const char *label, const uint32_t *members,
                      size_t n)
{
  CwDocumentState *now = cw_document_peek_state(document);
  g_autofree uint8_t *leaves = NULL;
  g_autoptr(GArray) good = check_members(now, members, n, &leaves);
  if (good->len == 0)
    return 0;
  CwDocumentState *state = copy_with_pins(now, good);
  GPtrArray *groups = cw_document_groups_copy(now->groups);
  uint64_t id = state->next_id++;
  leave_groups(groups, 0, leaves);
  g_ptr_array_add(groups,
                  cw_owned_group_new(id, label, (uint32_t *)(void *)good->data, good->len));
  cw_document_state_take_groups(state, groups);
  commit(document, state, CW_EDIT_GROUP, id, label);
  return id;
}

bool
cw_document_set_group_members(CwDocument *document, uint64_t id, const uint32_t *members,
                              size_t n)
{
  CwDocumentState *now = cw_document_peek_state(document);
  g_autofree uint8_t *leaves = NULL;
  g_autoptr(GArray) good = check_members(now, members, n, &leaves);
  size_t i;
  if (!find_group(now, id, &i))
    return false;
  if (good->len == 0)
    return cw_document_remove_group(document, id);
  const CwDocumentGroup *old = cw_document_state_peek_group(now, i);
  CwOwnedGroup *group =
      cw_owned_group_new(id, old->label, (uint32_t *)(void *)good->data, good->len);
  if (group->group.n_members == old->n_members &&
      memcmp(group->group.members, old->members, old->n_members * sizeof(uint32_t)) == 0) {
    cw_owned_group_unref(group);
    return false;
  }
  CwDocumentState *state = copy_with_pins(now, good);
  GPtrArray *groups = cw_document_groups_copy(now->groups);
  g_ptr_array_remove_index(groups, (guint)i);
  g_ptr_array_insert(groups, (gint)i, group);
  leave_groups(groups, id, leaves);
  cw_document_state_take_groups(state, groups);
  return commit(document, state, CW_EDIT_CHANGE_GROUP, id, old->label);
}

bool
cw_document_rename_group(CwDocument *document, uint64_t id, const char *label)
{
  CwDocumentState *now = cw_document_peek_state(document);
  size_t i;
  if (!find_group(now, id, &i))
    return false;
  const CwDocumentGroup *old = cw_document_state_peek_group(now, i);
  if (strcmp(old->label, label) == 0)
    return false;
  CwDocumentState *state = edit_state(document);
  GPtrArray *groups = cw_document_groups_copy(now->groups);
  g_ptr_array_remove_index(groups, (guint)i);
  g_ptr_array_insert(groups, (gint)i,
                     cw_owned_group_new(id, label, old->members, old->n_members));
  cw_document_state_take_groups(state, groups);
  return commit(document, state, CW_EDIT_RENAME_GROUP, id, label);
}

bool
cw_document_remove_group(CwDocument *document, uint64_t id)
{
  CwDocumentState *now = cw_document_peek_state(document);
  size_t i;
  if (!find_group(now, id, &i))
    return false;
  CwDocumentState *state = edit_state(document);
  GPtrArray *groups = cw_document_groups_copy(now->groups);
  g_ptr_array_remove_index(groups, (guint)i);
  cw_document_state_take_groups(state, groups);
  return commit(document, state, CW_EDIT_UNGROUP, id,
                cw_document_state_peek_group(now, i)->label);
}

/* ---- notes ------------------------------------------------------------------------------- */

static bool
find_note(const CwDocumentState *state, uint64_t id, size_t *index)
{
  for (size_t i = 0; i < cw_document_state_get_n_notes(state); i++)
    if (cw_document_state_peek_note(state, i)->id == id) {
      *index = i;
      return true;
    }
  return false;
}

static bool
is_note_place(const CwDocumentState *state, int64_t node, double x, double y)
{
  return node >= -1 && node < (int64_t)cw_document_state_get_n_nodes(state) && isfinite(x) &&
         isfinite(y);
}

/* Puts `note` in the place of the i-th, or, for -1, behind the last. */
static CwDocumentState *
with_note(CwDocument *document, int64_t i, const CwDocumentNote *note)
{
  CwDocumentState *state = edit_state(document);
  GPtrArray *notes = cw_document_notes_copy(state->notes);
  if (i >= 0)
    g_ptr_array_remove_index(notes, (guint)i);
  g_ptr_array_insert(notes, (gint)i, cw_owned_note_new(note));
  cw_document_state_take_notes(state, notes);
  return state;
}

uint64_t
cw_document_add_note(CwDocument *document, int64_t node, double x, double y, const char *text)
{
  CwDocumentState *now = cw_document_peek_state(document);
  if (!is_note_place(now, node, x, y))
    return 0;
  CwDocumentNote note = { now->next_id, text, node, x, y };
  CwDocumentState *state = with_note(document, -1, &note);
  state->next_id++;
  commit(document, state, CW_EDIT_ADD_NOTE, note.id, text);
  return note.id;
}

bool
cw_document_set_note_text(CwDocument *document, uint64_t id, const char *text)
{
  CwDocumentState *now = cw_document_peek_state(document);
  size_t i;
  if (!find_note(now, id, &i))
    return false;
  CwDocumentNote note = *cw_document_state_peek_note(now, i);
  if (strcmp(note.text, text) == 0)
    return false;
  note.text = text;
  return commit(document, with_note(document, (int64_t)i, &note), CW_EDIT_CHANGE_NOTE, id,
                text);
}

bool
cw_document_move_note(CwDocument *document, uint64_t id, int64_t node, double x, double y)
{
  CwDocumentState *now = cw_document_peek_state(document);
  size_t i;
  if (!find_note(now, id, &i) || !is_note_place(now, node, x, y))
    return false;
  CwDocumentNote note = *cw_document_state_peek_note(now, i);
  if (note.node == node && note.x == x && note.y == y)
    return false;
  note.node = node;
  note.x = x;
  note.y = y;
  return commit(document, with_note(document, (int64_t)i, &note), CW_EDIT_MOVE_NOTE, id,
                note.text);
}

bool
cw_document_remove_note(CwDocument *document, uint64_t id)
{
  CwDocumentState *now = cw_document_peek_state(document);
  size_t i;
  if (!find_note(now, id, &i))
    return false;
  CwDocumentState *state = edit_state(document);
  GPtrArray *notes = cw_document_notes_copy(now->notes);
  g_ptr_array_remove_index(notes, (guint)i);
  cw_document_state_take_notes(state, notes);
  return commit(document, state, CW_EDIT_REMOVE_NOTE, id,
                cw_document_state_peek_note(now, i)->text);
}

/* ---- places ------------------------------------------------------------------------------ */

/* Index of the first place whose node is not below `node`. */
static guint
find_place(const GArray *places, uint32_t node)
{
  guint low = 0, high = places->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (g_array_index(places, CwDocumentPlace, middle).node < node)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool
has_place(const GArray *places, guint i, uint32_t node)
{
  return i < places->len && g_array_index(places, CwDocumentPlace, i).node == node;
}

bool
cw_document_set_place(CwDocument *document, uint32_t node, float x, float y)
{
  CwDocumentState *now = cw_document_peek_state(document);
  CwDocumentPlace place = { node, x, y };
  if (node >= cw_document_state_get_n_nodes(now) || !isfinite(x) || !isfinite(y))
    return false;
  GArray *places = cw_document_places_copy(now->places);
  guint i = find_place(places, node);
  if (!has_place(places, i, node)) {
    g_array_insert_val(places, i, place);
  } else {
    CwDocumentPlace *old = &g_array_index(places, CwDocumentPlace, i);
    if (old->x == x && old->y == y) {
      g_array_unref(places);
      return false;
    }
    *old = place;
  }
  CwDocumentState *state = edit_state(document);
  cw_document_state_take_places(state, places);
  return commit(document, state, CW_EDIT_PLACE, (uint64_t)node + 1,
                cw_document_state_peek_shown_label(now, node));
}

bool
cw_document_free_place(CwDocument *document, int64_t node)
{
  CwDocumentState *now = cw_document_peek_state(document);
  if (now->places == NULL || node > (int64_t)UINT32_MAX)
    return false;
  GArray *places = cw_document_places_copy(node < 0 ? NULL : now->places);
  guint i = node < 0 ? 0 : find_place(places, (uint32_t)node);
  if (node >= 0 && !has_place(places, i, (uint32_t)node)) {
    g_array_unref(places);
    return false;
  }
  if (node >= 0)
    g_array_remove_index(places, i);
  CwDocumentState *state = edit_state(document);
  cw_document_state_take_places(state, places);
  return commit(document, state, CW_EDIT_FREE_PLACES, NO_KEY, NULL);
}

/* ---- history ----------------------------------------------------------------------------- */

void
cw_document_begin_merge(CwDocument *document)
{
  document->is_merging = true;
  document->may_merge = false;
}

void
cw_document_end_merge(CwDocument *document)
{
  document->is_merging = document->may_merge = false;
}

size_t
cw_document_get_n_steps(const CwDocument *document)
{
  return document->steps->len;
}

size_t
cw_document_get_position(const CwDocument *document)
{
  return document->position;
}

CwDocumentStep
cw_document_get_step(const CwDocument *document, size_t i)
{
  const Step *step = step_at(document, (guint)i);
  return (CwDocumentStep){ step->edit, step->subject };
}

bool
cw_document_go_to(CwDocument *document, size_t position)
{
  if (position >= document->steps->len || position == document->position)
    return false;
  document->position = (guint)position;
  document->may_merge = false;
  return true;
}

bool
cw_document_undo(CwDocument *document)
{
  return document->position > 0 && cw_document_go_to(document, document->position - 1);
}

bool
cw_document_redo(CwDocument *document)
{
  return cw_document_go_to(document, document->position + 1);
}

bool
cw_document_is_saved(const CwDocument *document)
{
  return step_at(document, document->position)->state == document->saved;
}

void
cw_document_mark_saved(CwDocument *document, CwDocumentState *state)
{
  cw_document_state_ref(state);
  cw_document_state_unref(document->saved);
  document->saved = state;
}

void
cw_document_mark_unsaved(CwDocument *document)
{
  g_clear_pointer(&document->saved, cw_document_state_unref);
}
