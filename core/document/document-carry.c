/* document-carry.c - what was said of one graph's nodes, said of another graph of the same
 * tokens: a prompt traced again with more features keeps its pins and labels. */
#include <string.h>

#include "document/document-private.h"

typedef struct {
  CwNodeKind kind;
  int32_t layer, position;
  int64_t feature;
} Identity;

static guint
identity_hash(gconstpointer key)
{
  const Identity *id = key;
  guint64 hash = (guint64)id->feature * 0x9e3779b97f4a7c15u;
  hash ^= ((guint64)(guint32)id->layer << 32 | (guint32)id->position) * 0xc2b2ae3d27d4eb4fu;
  return (guint)(hash >> 32) ^ (guint)id->kind;
}

static gboolean
identity_equal(gconstpointer a, gconstpointer b)
{
  const Identity *x = a, *y = b;
  return x->kind == y->kind && x->layer == y->layer && x->position == y->position &&
         x->feature == y->feature;
}

static bool
same_tokens(const CwGraph *a, const CwGraph *b)
{
  int64_t n = cw_graph_get_n_positions(a);
  if (n != cw_graph_get_n_positions(b))
    return false;
  for (int64_t i = 0; i < n; i++)
    if (g_strcmp0(cw_graph_peek_prompt_token(a, i), cw_graph_peek_prompt_token(b, i)) != 0)
      return false;
  return true;
}

static Identity
identity_of(const CwGraph *graph, size_t i)
{
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  return (Identity){ node->kind, node->layer, node->position, node->feature };
}

/* [nodes of `from`] the same node in `to`, -1 if it has none. */
static int64_t *
match_nodes(const CwGraph *from, const CwGraph *to)
{
  size_t n_from = cw_graph_get_n_nodes(from), n_to = cw_graph_get_n_nodes(to);
  int64_t *match = g_new(int64_t, n_from + 1);
  g_autofree Identity *keys = g_new(Identity, n_to + 1);
  g_autoptr(GHashTable) known = g_hash_table_new(identity_hash, identity_equal);
  for (size_t i = n_to; i-- > 0;) {
    keys[i] = identity_of(to, i);
    g_hash_table_replace(known, &keys[i], GSIZE_TO_POINTER(i + 1));
  }
  for (size_t i = 0; i < n_from; i++) {
    Identity key = identity_of(from, i);
    match[i] = (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(known, &key)) - 1;
  }
  return match;
}

static GArray *
map_nodes(const int64_t *match, const uint32_t *nodes, size_t n)
{
  GArray *mapped = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (size_t i = 0; i < n; i++) {
    uint32_t node = (uint32_t)match[nodes[i]];
    if (match[nodes[i]] >= 0)
      g_array_append_val(mapped, node);
  }
  return mapped;
}

static void
carry_labels(CwDocumentState *state, const CwDocumentState *from, const int64_t *match)
{
  GHashTable *labels = cw_document_labels_copy(NULL);
  GHashTableIter iter;
  gpointer node, label;
  if (from->labels != NULL) {
    g_hash_table_iter_init(&iter, from->labels);
    while (g_hash_table_iter_next(&iter, &node, &label)) {
      int64_t to = match[GPOINTER_TO_UINT(node)];
      if (to >= 0)
        g_hash_table_insert(labels, GUINT_TO_POINTER((guint)to), g_strdup(label));
    }
  }
  cw_document_state_take_labels(state, labels);
}

static void
carry_groups(CwDocumentState *state, const CwDocumentState *from, const int64_t *match)
{
  GPtrArray *groups = cw_document_groups_copy(NULL);
  for (size_t i = 0; i < cw_document_state_get_n_groups(from); i++) {
    const CwDocumentGroup *group = cw_document_state_peek_group(from, i);
    g_autoptr(GArray) members = map_nodes(match, group->members, group->n_members);
    if (members->len > 0)
      g_ptr_array_add(groups,
                      cw_owned_group_new(group->id, group->label,
                                         (uint32_t *)(void *)members->data, members->len));
  }
  cw_document_state_take_groups(state, groups);
}

/* A note whose node is gone stays where it was in the picture. */
static void
carry_notes(CwDocumentState *state, const CwDocumentState *from, const int64_t *match)
{
  GPtrArray *notes = cw_document_notes_copy(NULL);
  for (size_t i = 0; i < cw_document_state_get_n_notes(from); i++) {
    CwDocumentNote note = *cw_document_state_peek_note(from, i);
    if (note.node >= 0)
      note.node = match[note.node];
    g_ptr_array_add(notes, cw_owned_note_new(&note));
  }
  cw_document_state_take_notes(state, notes);
}

/* The i-th node keeps its i-th place, so order by node is kept only if the match is. */
static void
carry_places(CwDocumentState *state, const CwDocumentState *from, const int64_t *match)
{
  GArray *places = cw_document_places_copy(NULL);
  size_t n, n_to = cw_document_state_get_n_nodes(state);
  const CwDocumentPlace *old = cw_document_state_peek_places(from, &n);
  g_autofree int64_t *place_of = g_new(int64_t, n_to + 1);
  memset(place_of, 0xff, n_to * sizeof *place_of);
  for (size_t i = 0; i < n; i++)
    if (match[old[i].node] >= 0)
      place_of[match[old[i].node]] = (int64_t)i;
  for (size_t node = 0; node < n_to; node++) {
    if (place_of[node] < 0)
      continue;
    CwDocumentPlace place = old[place_of[node]];
    place.node = (uint32_t)node;
    g_array_append_val(places, place);
  }
  cw_document_state_take_places(state, places);
}

void
cw_document_state_carry(CwDocumentState *state, const CwDocumentState *from)
{
  if (from->graph == NULL || state->graph == NULL || !same_tokens(from->graph, state->graph))
    return;
  g_autofree int64_t *match = match_nodes(from->graph, state->graph);
  size_t n_pins;
  const uint32_t *pins = cw_document_state_peek_pins(from, &n_pins);
  g_autoptr(GArray) mapped = map_nodes(match, pins, n_pins);
  cw_document_state_take_pins(
      state, cw_document_pins_new((uint32_t *)(void *)mapped->data, mapped->len,
                                  cw_document_state_get_n_nodes(state)));
  carry_labels(state, from, match);
  carry_groups(state, from, match);
  carry_notes(state, from, match);
  carry_places(state, from, match);
}
