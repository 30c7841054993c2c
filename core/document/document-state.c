/* document-state.c - the immutable states of a document and the parts they share. */
#include "document/document-private.h"

#include <math.h>
#include <string.h>

/* ---- parts ------------------------------------------------------------------------------- */

static void
pins_clear(gpointer data)
{
  CwDocumentPins *pins = data;
  g_free(pins->nodes);
  g_free(pins->bits);
}

void
cw_document_pins_unref(CwDocumentPins *pins)
{
  if (pins != NULL)
    g_atomic_rc_box_release_full(pins, pins_clear);
}

CwDocumentPins *
cw_document_pins_new(const uint32_t *nodes, size_t n, size_t n_nodes)
{
  if (n == 0)
    return NULL;
  CwDocumentPins *pins = g_atomic_rc_box_new0(CwDocumentPins);
  pins->nodes = g_new(uint32_t, n);
  pins->bits = g_malloc0(n_nodes / 8 + 1);
  for (size_t i = 0; i < n; i++) {
    uint32_t node = nodes[i];
    if (node >= n_nodes || pins->bits[node / 8] >> (node % 8) & 1)
      continue;
    pins->bits[node / 8] |= (uint8_t)(1 << (node % 8));
    pins->nodes[pins->n++] = node;
  }
  if (pins->n == 0)
    g_clear_pointer(&pins, cw_document_pins_unref);
  return pins;
}

GHashTable *
cw_document_labels_copy(GHashTable *labels)
{
  GHashTable *copy = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  GHashTableIter iter;
  gpointer node, label;
  if (labels == NULL)
    return copy;
  g_hash_table_iter_init(&iter, labels);
  while (g_hash_table_iter_next(&iter, &node, &label))
    g_hash_table_insert(copy, node, g_strdup(label));
  return copy;
}

static void
group_clear(gpointer data)
{
  CwOwnedGroup *group = data;
  g_free((char *)group->group.label);
  g_free((uint32_t *)group->group.members);
}

static void
group_unref(gpointer data)
{
  g_atomic_rc_box_release_full(data, group_clear);
}

void
cw_owned_group_unref(CwOwnedGroup *group)
{
  group_unref(group);
}

static int
compare_nodes(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

CwOwnedGroup *
cw_owned_group_new(uint64_t id, const char *label, const uint32_t *members, size_t n)
{
  CwOwnedGroup *group = g_atomic_rc_box_new0(CwOwnedGroup);
  uint32_t *sorted = g_memdup2(members, n * sizeof *members);
  size_t n_different = 0;
  qsort(sorted, n, sizeof *sorted, compare_nodes);
  for (size_t i = 0; i < n; i++)
    if (n_different == 0 || sorted[i] != sorted[n_different - 1])
      sorted[n_different++] = sorted[i];
  group->group = (CwDocumentGroup){ id, g_strdup(label), sorted, n_different };
  return group;
}

static void
note_clear(gpointer data)
{
  CwOwnedNote *note = data;
  g_free((char *)note->note.text);
}

static void
note_unref(gpointer data)
{
  g_atomic_rc_box_release_full(data, note_clear);
}

CwOwnedNote *
cw_owned_note_new(const CwDocumentNote *note)
{
  CwOwnedNote *own = g_atomic_rc_box_new0(CwOwnedNote);
  own->note = *note;
  own->note.text = g_strdup(note->text);
  return own;
}

static GPtrArray *
items_copy(GPtrArray *items, GDestroyNotify unref)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func(unref);
  for (guint i = 0; items != NULL && i < items->len; i++)
    g_ptr_array_add(copy, g_atomic_rc_box_acquire(g_ptr_array_index(items, i)));
  return copy;
}

GPtrArray *
cw_document_groups_copy(GPtrArray *groups)
{
  return items_copy(groups, group_unref);
}

GPtrArray *
cw_document_notes_copy(GPtrArray *notes)
{
  return items_copy(notes, note_unref);
}

GArray *
cw_document_places_copy(GArray *places)
{
  GArray *copy = g_array_new(FALSE, FALSE, sizeof(CwDocumentPlace));
  if (places != NULL)
    g_array_append_vals(copy, places->data, places->len);
  return copy;
}

/* ---- putting them in --------------------------------------------------------------------- */

void
cw_document_state_take_pins(CwDocumentState *state, CwDocumentPins *pins)
{
  cw_document_pins_unref(state->pins);
  state->pins = pins;
}

void
cw_document_state_take_labels(CwDocumentState *state, GHashTable *labels)
{
  g_clear_pointer(&state->labels, g_hash_table_unref);
  if (g_hash_table_size(labels) > 0)
    state->labels = labels;
  else
    g_hash_table_unref(labels);
}

static void
take_items(GPtrArray **place, GPtrArray *items)
{
  g_clear_pointer(place, g_ptr_array_unref);
  if (items->len > 0)
    *place = items;
  else
    g_ptr_array_unref(items);
}

void
cw_document_state_take_groups(CwDocumentState *state, GPtrArray *groups)
{
  take_items(&state->groups, groups);
}

void
cw_document_state_take_notes(CwDocumentState *state, GPtrArray *notes)
{
  take_items(&state->notes, notes);
}

void
cw_document_state_take_places(CwDocumentState *state, GArray *places)
{
  g_clear_pointer(&state->places, g_array_unref);
  if (places->len > 0)
    state->places = places;
  else
    g_array_unref(places);
}

/* ---- states ------------------------------------------------------------------------------ */

CwDocumentState *
cw_document_state_new(CwGraph *graph, const char *prompt)
{
  CwDocumentState *state = g_new0(CwDocumentState, 1);
  g_atomic_ref_count_init(&state->ref_count);
  state->graph = graph != NULL ? cw_graph_ref(graph) : NULL;
  state->prompt = g_ref_string_new(prompt);
  state->node_threshold = CW_DEFAULT_NODE_THRESHOLD;
  state->edge_threshold = CW_DEFAULT_EDGE_THRESHOLD;
  state->gravity = CW_DEFAULT_GRAVITY;
  state->next_id = 1;
  return state;
}

CwDocumentState *
cw_document_state_copy(const CwDocumentState *state)
{
  CwDocumentState *copy = g_memdup2(state, sizeof *state);
  g_atomic_ref_count_init(&copy->ref_count);
  if (copy->graph != NULL)
    cw_graph_ref(copy->graph);
  if (copy->view != NULL)
    g_ref_string_acquire(copy->view);
  g_ref_string_acquire(copy->prompt);
  if (copy->pins != NULL)
    g_atomic_rc_box_acquire(copy->pins);
  if (copy->labels != NULL)
    g_hash_table_ref(copy->labels);
  if (copy->groups != NULL)
    g_ptr_array_ref(copy->groups);
  if (copy->notes != NULL)
    g_ptr_array_ref(copy->notes);
  if (copy->places != NULL)
    g_array_ref(copy->places);
  return copy;
}

CwDocumentState *
cw_document_state_ref(CwDocumentState *state)
{
  g_atomic_ref_count_inc(&state->ref_count);
  return state;
}

void
cw_document_state_unref(CwDocumentState *state)
{
  if (state == NULL || !g_atomic_ref_count_dec(&state->ref_count))
    return;
  cw_graph_unref(state->graph);
  g_clear_pointer(&state->view, g_ref_string_release);
  g_ref_string_release(state->prompt);
  cw_document_pins_unref(state->pins);
  g_clear_pointer(&state->labels, g_hash_table_unref);
  g_clear_pointer(&state->groups, g_ptr_array_unref);
  g_clear_pointer(&state->notes, g_ptr_array_unref);
  g_clear_pointer(&state->places, g_array_unref);
  g_free(state);
}

CwDocumentParts
cw_document_state_compare(const CwDocumentState *a, const CwDocumentState *b)
{
  CwDocumentParts parts = 0;
  parts |= a->graph != b->graph ? CW_DOCUMENT_GRAPH : 0;
  parts |= a->prompt != b->prompt ? CW_DOCUMENT_PROMPT : 0;
  parts |= a->node_threshold != b->node_threshold || a->edge_threshold != b->edge_threshold
               ? CW_DOCUMENT_THRESHOLDS
               : 0;
  parts |= a->pins != b->pins ? CW_DOCUMENT_PINS : 0;
  parts |= a->labels != b->labels ? CW_DOCUMENT_LABELS : 0;
  parts |= a->groups != b->groups ? CW_DOCUMENT_GROUPS : 0;
  parts |= a->notes != b->notes ? CW_DOCUMENT_NOTES : 0;
  parts |= a->places != b->places ? CW_DOCUMENT_PLACES : 0;
  parts |= a->gravity != b->gravity ? CW_DOCUMENT_GRAVITY : 0;
  return parts;
}

size_t
cw_document_state_get_n_nodes(const CwDocumentState *state)
{
  return state->graph != NULL ? cw_graph_get_n_nodes(state->graph) : 0;
}

CwGraph *
cw_document_state_peek_graph(const CwDocumentState *state)
{
  return state->graph;
}

const char *
cw_document_state_peek_prompt(const CwDocumentState *state)
{
  return state->prompt;
}

double
cw_document_state_get_node_threshold(const CwDocumentState *state)
{
  return state->node_threshold;
}

double
cw_document_state_get_edge_threshold(const CwDocumentState *state)
{
  return state->edge_threshold;
}

double
cw_document_state_get_gravity(const CwDocumentState *state)
{
  return state->gravity;
}

const uint32_t *
cw_document_state_peek_pins(const CwDocumentState *state, size_t *n)
{
  *n = state->pins != NULL ? state->pins->n : 0;
  return state->pins != NULL ? state->pins->nodes : NULL;
}

bool
cw_document_state_is_pinned(const CwDocumentState *state, size_t node)
{
  if (state->pins == NULL || node >= cw_document_state_get_n_nodes(state))
    return false;
  return state->pins->bits[node / 8] >> (node % 8) & 1;
}

const char *
cw_document_state_peek_label(const CwDocumentState *state, size_t node)
{
  return state->labels != NULL
             ? g_hash_table_lookup(state->labels, GUINT_TO_POINTER((guint)node))
             : NULL;
}

const char *
cw_document_state_peek_shown_label(const CwDocumentState *state, size_t node)
{
  const char *label = cw_document_state_peek_label(state, node);
  if (label != NULL)
    return label;
  return state->graph != NULL ? cw_graph_peek_label(state->graph, node) : "";
}

size_t
cw_document_state_get_n_groups(const CwDocumentState *state)
{
  return state->groups != NULL ? state->groups->len : 0;
}

const CwDocumentGroup *
cw_document_state_peek_group(const CwDocumentState *state, size_t i)
{
  return &((CwOwnedGroup *)g_ptr_array_index(state->groups, i))->group;
}

size_t
cw_document_state_get_n_notes(const CwDocumentState *state)
{
  return state->notes != NULL ? state->notes->len : 0;
}

const CwDocumentNote *
cw_document_state_peek_note(const CwDocumentState *state, size_t i)
{
  return &((CwOwnedNote *)g_ptr_array_index(state->notes, i))->note;
}

const CwDocumentPlace *
cw_document_state_peek_places(const CwDocumentState *state, size_t *n)
{
  *n = state->places != NULL ? state->places->len : 0;
  return state->places != NULL ? (const CwDocumentPlace *)(void *)state->places->data : NULL;
}

/* ---- pruning ------------------------------------------------------------------------------
 */

CwPruned *
cw_document_state_prune(const CwDocumentState *state, CwPruner *pruner, CwCancel *cancel,
                        GError **error)
{
  size_t n_nodes = cw_document_state_get_n_nodes(state);
  g_autofree uint8_t *pinned = state->pins != NULL ? g_try_new0(uint8_t, n_nodes) : NULL;
  if (state->pins != NULL && pinned == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Not enough memory to prune %zu nodes",
                n_nodes);
    return NULL;
  }
  for (size_t i = 0; state->pins != NULL && i < state->pins->n; i++)
    pinned[state->pins->nodes[i]] = 1;
  CwPruneOptions options = { state->node_threshold, state->edge_threshold, pinned,
                             !cw_graph_is_whole(state->graph) };
  return cw_pruner_run(pruner, &options, cancel, error);
}
