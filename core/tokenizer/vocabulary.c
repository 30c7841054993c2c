/* vocabulary.c - see vocabulary.h.
 *
 * All bytes lie one after the other in one block, eight bytes per piece say where, and an
 * open-addressing table of (id, fingerprint) finds a piece by its bytes: 262,144 pieces of
 * Gemma take 2.3 + 2 + 4 MB and no allocation each. The hash is seeded, so that a file cannot
 * be made to collide. */
#include "tokenizer/vocabulary.h"

#include <string.h>

#define MAX_BLOB_BYTES ((size_t)1 << 30)

typedef struct {
  uint32_t start;
  uint32_t length : 24;
  uint32_t kind : 7;
  uint32_t is_findable : 1;
} Piece;

typedef struct {
  int32_t id; /* -1: empty */
  uint32_t fingerprint;
} Slot;

struct _CwVocabulary {
  char *blob;
  size_t blob_bytes, blob_room;
  Piece *pieces;
  size_t n_pieces, piece_room;
  Slot *slots;
  size_t mask;
  uint64_t seed;
  size_t longest;
};

CwVocabulary *
cw_vocabulary_new(void)
{
  CwVocabulary *vocabulary = g_new0(CwVocabulary, 1);
  vocabulary->seed = ((uint64_t)g_random_int() << 32 | g_random_int()) | 1;
  return vocabulary;
}

void
cw_vocabulary_free(CwVocabulary *vocabulary)
{
  if (vocabulary == NULL)
    return;
  g_free(vocabulary->blob);
  g_free(vocabulary->pieces);
  g_free(vocabulary->slots);
  g_free(vocabulary);
}

static bool
no_memory(GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "There is no memory for the vocabulary");
  return false;
}

/* Room for `needed` items of `size` bytes, at least doubling. */
static bool
reserve(void **items, size_t *room, size_t needed, size_t size)
{
  if (needed <= *room)
    return true;
  size_t wanted = MAX(needed, *room * 2 + 1024);
  void *grown = g_try_realloc_n(*items, wanted, size);
  if (grown == NULL)
    return false;
  memset((char *)grown + *room * size, 0, (wanted - *room) * size);
  *items = grown;
  *room = wanted;
  return true;
}

static bool
check_piece(int64_t id, size_t n_bytes, CwPieceKind kind, GError **error)
{
  const char *problem = NULL;
  if (id < 0 || id >= CW_VOCABULARY_MAX_PIECES)
    problem = "its id is out of range";
  else if (n_bytes > CW_VOCABULARY_MAX_PIECE_BYTES)
    problem = "it is longer than 65,536 bytes";
  else if (n_bytes == 0 && kind != CW_PIECE_UNUSED)
    problem = "it is empty";
  if (problem != NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "the piece with id %" G_GINT64_FORMAT " cannot be: %s", id, problem);
  return problem == NULL;
}

bool
cw_vocabulary_set(CwVocabulary *v, int64_t id, const char *bytes, size_t n_bytes,
                  CwPieceKind kind, GError **error)
{
  if (!check_piece(id, n_bytes, kind, error))
    return false;
  if ((size_t)id < v->n_pieces && v->pieces[id].kind != CW_PIECE_NONE) {
    g_autofree char *text = g_utf8_make_valid(bytes, (gssize)n_bytes);
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "id %" G_GINT64_FORMAT " is given twice, the second time to \"%s\"", id, text);
    return false;
  }
  if (v->blob_bytes + n_bytes > MAX_BLOB_BYTES ||
      !reserve((void **)&v->blob, &v->blob_room, v->blob_bytes + n_bytes, 1) ||
      !reserve((void **)&v->pieces, &v->piece_room, (size_t)id + 1, sizeof(Piece)))
    return no_memory(error);
  if (n_bytes > 0)
    memcpy(v->blob + v->blob_bytes, bytes, n_bytes);
  v->pieces[id] = (Piece){ .start = (uint32_t)v->blob_bytes,
                           .length = (uint32_t)n_bytes,
                           .kind = (uint32_t)kind,
                           .is_findable = kind == CW_PIECE_NORMAL };
  v->blob_bytes += n_bytes;
  v->n_pieces = MAX(v->n_pieces, (size_t)id + 1);
  return true;
}

void
cw_vocabulary_set_findable(CwVocabulary *v, int32_t id)
{
  v->pieces[id].is_findable = 1;
}

bool
cw_vocabulary_is_findable(const CwVocabulary *v, int32_t id)
{
  return v->pieces[id].is_findable;
}

static uint64_t
hash_of(const CwVocabulary *v, const char *bytes, size_t n)
{
  uint64_t h = v->seed ^ n, word;
  for (; n > 8; n -= 8, bytes += 8) {
    memcpy(&word, bytes, 8);
    h = (h ^ word) * 0x9e3779b97f4a7c15ull;
    h ^= h >> 32;
  }
  word = 0;
  for (size_t i = 0; i < n; i++)
    word = word << 8 | (unsigned char)bytes[i];
  h = (h ^ word) * 0x9e3779b97f4a7c15ull;
  h = (h ^ h >> 29) * (v->seed | 1);
  return h ^ h >> 32;
}

/* The slot that holds a piece of these bytes, or the empty one where it belongs. */
static Slot *
slot_of(const CwVocabulary *v, const char *bytes, size_t n, uint64_t hash)
{
  uint32_t fingerprint = (uint32_t)(hash >> 32);
  for (size_t i = hash & v->mask;; i = (i + 1) & v->mask) {
    Slot *slot = &v->slots[i];
    if (slot->id < 0)
      return slot;
    const Piece *piece = &v->pieces[slot->id];
    if (slot->fingerprint == fingerprint && piece->length == n &&
        memcmp(v->blob + piece->start, bytes, n) == 0)
      return slot;
  }
}

static bool
enter_piece(CwVocabulary *v, int32_t id, GError **error)
{
  const Piece *piece = &v->pieces[id];
  const char *bytes = v->blob + piece->start;
  uint64_t hash = hash_of(v, bytes, piece->length);
  Slot *slot = slot_of(v, bytes, piece->length, hash);
  if (slot->id >= 0 && piece->kind != CW_PIECE_NORMAL)
    return true;
  if (slot->id >= 0) {
    g_autofree char *text = g_utf8_make_valid(bytes, piece->length);
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "\"%s\" has two ids, %d and %d", text,
                slot->id, id);
    return false;
  }
  *slot = (Slot){ .id = id, .fingerprint = (uint32_t)(hash >> 32) };
  v->longest = MAX(v->longest, piece->length);
  return true;
}

bool
cw_vocabulary_finish(CwVocabulary *v, GError **error)
{
  if (v->n_pieces == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "the vocabulary is empty");
    return false;
  }
  size_t n_slots = 16;
  while (n_slots < v->n_pieces * 2)
    n_slots *= 2;
  v->slots = g_try_malloc_n(n_slots, sizeof(Slot));
  if (v->slots == NULL)
    return no_memory(error);
  memset(v->slots, 0xff, n_slots * sizeof(Slot));
  v->mask = n_slots - 1;
  for (size_t id = 0; id < v->n_pieces; id++) {
    if (v->pieces[id].kind == CW_PIECE_NONE) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "no piece has id %zu, though ids up to %zu are given", id, v->n_pieces - 1);
      return false;
    }
    if (v->pieces[id].kind == CW_PIECE_NORMAL && !enter_piece(v, (int32_t)id, error))
      return false;
  }
  for (size_t id = 0; id < v->n_pieces; id++)
    if (v->pieces[id].kind != CW_PIECE_NORMAL && v->pieces[id].is_findable &&
        !enter_piece(v, (int32_t)id, error))
      return false;
  return true;
}

int32_t
cw_vocabulary_get_n_pieces(const CwVocabulary *v)
{
  return (int32_t)v->n_pieces;
}

CwPieceKind
cw_vocabulary_get_kind(const CwVocabulary *v, int32_t id)
{
  return id >= 0 && (size_t)id < v->n_pieces ? (CwPieceKind)v->pieces[id].kind : CW_PIECE_NONE;
}

const char *
cw_vocabulary_peek(const CwVocabulary *v, int32_t id, size_t *n_bytes)
{
  *n_bytes = v->pieces[id].length;
  return v->blob + v->pieces[id].start;
}

int32_t
cw_vocabulary_find(const CwVocabulary *v, const char *bytes, size_t n_bytes)
{
  if (n_bytes > v->longest || v->slots == NULL)
    return -1;
  return slot_of(v, bytes, n_bytes, hash_of(v, bytes, n_bytes))->id;
}

size_t
cw_vocabulary_get_longest(const CwVocabulary *v)
{
  return v->longest;
}
