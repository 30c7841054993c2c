/* bpe.c - see bpe.h.
 *
 * Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units, 2016.
 * Among all neighbours that a rule merges, the one of lowest rank goes first, the leftmost of
 * equals, until no rule applies.
 *
 * Short stretches (nearly all words) keep their candidates in an array and take the minimum by
 * looking at all; long ones use a linked list and a heap whose stale entries are recognised
 * when they come up. By characters there are no words, and the whole text would be one stretch.
 * But no piece can reach over a boundary whose two characters stand side by side in no piece,
 * so the text is cut there, with the same result. */
#include "tokenizer/bpe.h"

#include <string.h>

#include "tokenizer/utf8-step.h"

#define MAX_SHORT 48
#define NO_RANK   UINT32_MAX

/* Classes of characters for cutting: those below CLASS_EXACT are their own. */
#define N_CLASSES   1024
#define CLASS_EXACT 512

typedef struct _CwBpeSymbol {
  int32_t id; /* -1: no piece */
  uint32_t start, length;
  int32_t previous, next;
} Symbol;

typedef struct _CwBpeEntry {
  uint64_t key; /* rank, then position */
  int32_t merged;
  uint32_t length; /* of both together: another length means that the entry is stale */
} Entry;

struct _CwBpe {
  const CwVocabulary *vocabulary;
  CwMergeRules *rules;
  CwBpeOptions options;
  size_t longest;
  int32_t byte_pieces[256];
  int32_t ascii_pieces[128];
  uint8_t *joined; /* [N_CLASSES, N_CLASSES] bits: side by side in some piece */
};

/* ---- setting up ------------------------------------------------------------------------ */

static unsigned
class_of(uint32_t c)
{
  return c < CLASS_EXACT ? c : CLASS_EXACT + (c * 2654435761u >> 23) % CLASS_EXACT;
}

static void
note_neighbours(CwBpe *bpe, const char *piece, size_t n)
{
  unsigned before = N_CLASSES;
  for (size_t at = 0, step; at < n; at += step) {
    uint32_t c;
    step = cw_utf8_step(piece + at, n - at, &c);
    if (step == 0) {
      step = 1;
      before = N_CLASSES;
      continue;
    }
    unsigned class = class_of(c);
    size_t bit = (size_t)before * N_CLASSES + class;
    if (before < N_CLASSES)
      bpe->joined[bit / 8] |= (uint8_t)(1u << bit % 8);
    before = class;
  }
}

static bool
may_join(const CwBpe *bpe, unsigned left, unsigned right)
{
  size_t bit = (size_t)left * N_CLASSES + right;
  return bpe->joined[bit / 8] >> bit % 8 & 1;
}

static void
find_byte_pieces(CwBpe *bpe)
{
  int32_t n = cw_vocabulary_get_n_pieces(bpe->vocabulary);
  for (int byte = 0; byte < 256; byte++) {
    char c = (char)byte;
    int32_t id = cw_vocabulary_find(bpe->vocabulary, &c, 1);
    bpe->byte_pieces[byte] = bpe->options.unit == CW_BPE_BYTES ? id : -1;
    if (byte < 128)
      bpe->ascii_pieces[byte] = id;
  }
  for (int32_t id = 0; id < n; id++) {
    size_t length;
    const char *bytes = cw_vocabulary_peek(bpe->vocabulary, id, &length);
    CwPieceKind kind = cw_vocabulary_get_kind(bpe->vocabulary, id);
    if (kind == CW_PIECE_BYTE && length == 1)
      bpe->byte_pieces[(uint8_t)bytes[0]] = id;
    if (cw_vocabulary_is_findable(bpe->vocabulary, id) && bpe->joined != NULL)
      note_neighbours(bpe, bytes, length);
  }
}

CwBpe *
cw_bpe_new(const CwVocabulary *vocabulary, CwMergeRules *rules, const CwBpeOptions *options,
           GError **error)
{
  g_autoptr(CwBpe) bpe = g_new0(CwBpe, 1);
  bpe->vocabulary = vocabulary;
  bpe->rules = rules;
  bpe->options = *options;
  bpe->longest = cw_vocabulary_get_longest(vocabulary);
  if (options->unit == CW_BPE_CHARACTERS) {
    bpe->joined = g_try_malloc0(N_CLASSES * N_CLASSES / 8);
    if (bpe->joined == NULL) {
      g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "There is no memory for a tokenizer");
      return NULL;
    }
  }
  find_byte_pieces(bpe);
  return g_steal_pointer(&bpe);
}

void
cw_bpe_free(CwBpe *bpe)
{
  if (bpe == NULL)
    return;
  cw_merge_rules_free(bpe->rules);
  g_free(bpe->joined);
  g_free(bpe);
}

int32_t
cw_bpe_get_byte_piece(const CwBpe *bpe, uint8_t byte)
{
  return bpe->byte_pieces[byte];
}

/* ---- memory of a run ------------------------------------------------------------------- */

void
cw_bpe_run_clear(CwBpeRun *run)
{
  g_free(run->ids);
  g_free(run->symbols);
  g_free(run->heap);
  *run = (CwBpeRun){ 0 };
}

static bool
grow(void **items, size_t *room, size_t needed, size_t size, GError **error)
{
  size_t wanted = MAX(needed, *room + *room / 2 + 64);
  void *grown = g_try_realloc_n(*items, wanted, size);
  if (grown == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "There is no memory to encode this text: encode it in parts");
    return false;
  }
  *items = grown;
  *room = wanted;
  return true;
}

bool
cw_bpe_run_append(CwBpeRun *run, int32_t id, GError **error)
{
  if (run->n_ids == run->id_room &&
      !grow((void **)&run->ids, &run->id_room, run->n_ids + 1, sizeof *run->ids, error))
    return false;
  run->ids[run->n_ids++] = id;
  run->after_unknown = false;
  return true;
}

static bool
push_symbol(CwBpeRun *run, int32_t id, size_t start, size_t length, GError **error)
{
  if (run->n_symbols == run->symbol_room && !grow((void **)&run->symbols, &run->symbol_room,
                                                  run->n_symbols + 1, sizeof(Symbol), error))
    return false;
  run->symbols[run->n_symbols++] =
      (Symbol){ .id = id, .start = (uint32_t)start, .length = (uint32_t)length };
  return true;
}

/* ---- merging --------------------------------------------------------------------------- */

static CwMerge
look_up(const CwBpe *bpe, CwBpeRun *run, const char *text, const Symbol *a, const Symbol *b)
{
  CwMerge merge = { NO_RANK, -1 };
  size_t length = (size_t)a->length + b->length;
  run->n_lookups++;
  if (length <= bpe->longest)
    cw_merge_rules_find(bpe->rules, a->id, b->id, text + a->start, length, &merge);
  return merge;
}

static void
merge_short(const CwBpe *bpe, CwBpeRun *run, const char *text)
{
  CwMerge merges[MAX_SHORT];
  Symbol *symbols = run->symbols;
  size_t n = run->n_symbols;
  for (size_t i = 0; i + 1 < n; i++)
    merges[i] = look_up(bpe, run, text, &symbols[i], &symbols[i + 1]);
  while (n > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; i++)
      if (merges[i].rank < merges[best].rank)
        best = i;
    if (merges[best].rank == NO_RANK)
      break;
    symbols[best].id = merges[best].merged;
    symbols[best].length += symbols[best + 1].length;
    n--;
    memmove(symbols + best + 1, symbols + best + 2, (n - best - 1) * sizeof *symbols);
    memmove(merges + best, merges + best + 1, (n - best) * sizeof *merges);
    if (best > 0)
      merges[best - 1] = look_up(bpe, run, text, &symbols[best - 1], &symbols[best]);
    if (best + 1 < n)
      merges[best] = look_up(bpe, run, text, &symbols[best], &symbols[best + 1]);
  }
  run->n_symbols = n;
}

/* The heap never holds more than it has room for: a merge takes one entry off and puts at most
 * two in, and there are fewer merges than symbols. */
static void
heap_push(CwBpeRun *run, Entry entry)
{
  size_t i = run->n_heap++;
  for (; i > 0 && run->heap[(i - 1) / 2].key > entry.key; i = (i - 1) / 2)
    run->heap[i] = run->heap[(i - 1) / 2];
  run->heap[i] = entry;
}

static Entry
heap_pop(CwBpeRun *run)
{
  Entry top = run->heap[0], last = run->heap[--run->n_heap];
  size_t i = 0, child;
  while ((child = 2 * i + 1) < run->n_heap) {
    if (child + 1 < run->n_heap && run->heap[child + 1].key < run->heap[child].key)
      child++;
    if (run->heap[child].key >= last.key)
      break;
    run->heap[i] = run->heap[child];
    i = child;
  }
  run->heap[i] = last;
  return top;
}

static void
consider(const CwBpe *bpe, CwBpeRun *run, const char *text, int32_t left)
{
  const Symbol *a = &run->symbols[left], *b = &run->symbols[a->next];
  CwMerge merge = look_up(bpe, run, text, a, b);
  if (merge.rank != NO_RANK)
    heap_push(run, (Entry){ (uint64_t)merge.rank << 32 | (uint32_t)left, merge.merged,
                            a->length + b->length });
}

/* Carries out one entry of the heap, unless one of its sides has changed since. */
static void
apply(const CwBpe *bpe, CwBpeRun *run, const char *text, const Entry *entry)
{
  int32_t at = (int32_t)(uint32_t)entry->key;
  Symbol *left = &run->symbols[at];
  if (left->length == 0 || left->next < 0)
    return;
  Symbol *right = &run->symbols[left->next];
  if (left->length + right->length != entry->length)
    return;
  left->id = entry->merged;
  left->length = entry->length;
  left->next = right->next;
  right->length = 0;
  if (left->next >= 0) {
    run->symbols[left->next].previous = at;
    consider(bpe, run, text, at);
  }
  if (left->previous >= 0)
    consider(bpe, run, text, left->previous);
}

static bool
merge_long(const CwBpe *bpe, CwBpeRun *run, const char *text, GError **error)
{
  size_t n = run->n_symbols;
  if (run->heap_room < 2 * n &&
      !grow((void **)&run->heap, &run->heap_room, 2 * n, sizeof(Entry), error))
    return false;
  run->n_heap = 0;
  for (size_t i = 0; i < n; i++) {
    run->symbols[i].previous = (int32_t)i - 1;
    run->symbols[i].next = i + 1 < n ? (int32_t)i + 1 : -1;
  }
  for (size_t i = 0; i + 1 < n; i++)
    consider(bpe, run, text, (int32_t)i);
  while (run->n_heap > 0) {
    Entry entry = heap_pop(run);
    apply(bpe, run, text, &entry);
  }
  run->n_symbols = 0;
  for (int32_t i = 0; i >= 0; i = run->symbols[i].next)
    run->symbols[run->n_symbols++] = run->symbols[i];
  return true;
}

/* ---- out ------------------------------------------------------------------------------- */

static bool
append_unknown(const CwBpe *bpe, CwBpeRun *run, GError **error)
{
  bool is_again = run->after_unknown && bpe->options.fuse_unknown;
  if (bpe->options.unknown < 0 || is_again)
    return true;
  if (!cw_bpe_run_append(run, bpe->options.unknown, error))
    return false;
  run->after_unknown = true;
  return true;
}

/* A symbol that is no piece becomes its bytes, if all of them have a piece. */
static bool
append_bytes(const CwBpe *bpe, CwBpeRun *run, const char *bytes, size_t n, GError **error)
{
  for (size_t i = 0; i < n; i++)
    if (bpe->byte_pieces[(uint8_t)bytes[i]] < 0)
      return append_unknown(bpe, run, error);
  for (size_t i = 0; i < n; i++)
    if (!cw_bpe_run_append(run, bpe->byte_pieces[(uint8_t)bytes[i]], error))
      return false;
  return true;
}

static bool
flush(const CwBpe *bpe, CwBpeRun *run, const char *text, GError **error)
{
  if (run->n_symbols <= MAX_SHORT)
    merge_short(bpe, run, text);
  else if (!merge_long(bpe, run, text, error))
    return false;
  for (size_t i = 0; i < run->n_symbols; i++) {
    const Symbol *symbol = &run->symbols[i];
    if (symbol->id >= 0 ? !cw_bpe_run_append(run, symbol->id, error)
                        : !append_bytes(bpe, run, text + symbol->start, symbol->length, error))
      return false;
  }
  run->n_symbols = 0;
  return true;
}

/* A byte without a piece and without an unknown piece is left out before merging, as the
 * vocabularies' own tokenizers do. */
static bool
encode_word(const CwBpe *bpe, CwBpeRun *run, const char *text, size_t n, GError **error)
{
  int32_t whole =
      bpe->options.whole_words_first ? cw_vocabulary_find(bpe->vocabulary, text, n) : -1;
  if (whole >= 0)
    return cw_bpe_run_append(run, whole, error);
  for (size_t i = 0; i < n; i++) {
    int32_t id = bpe->byte_pieces[(uint8_t)text[i]];
    if ((id >= 0 || bpe->options.unknown >= 0) && !push_symbol(run, id, i, 1, error))
      return false;
  }
  return flush(bpe, run, text, error);
}

static bool
encode_characters(const CwBpe *bpe, CwBpeRun *run, const char *text, size_t n, GError **error)
{
  unsigned before = N_CLASSES; /* N_CLASSES: nothing joins here */
  for (size_t at = 0, step; at < n; at += step) {
    uint32_t c;
    step = cw_utf8_step(text + at, n - at, &c);
    unsigned class = step > 0 ? class_of(c) : N_CLASSES;
    step = MAX(step, 1);
    bool is_cut = before == N_CLASSES || class == N_CLASSES || !may_join(bpe, before, class) ||
                  (bpe->options.split_at_spaces && text[at] == ' ');
    if (is_cut && !flush(bpe, run, text, error))
      return false;
    int32_t id = class < 128 ? bpe->ascii_pieces[class]
                             : cw_vocabulary_find(bpe->vocabulary, text + at, step);
    if (!push_symbol(run, id, at, step, error))
      return false;
    before = class;
  }
  return flush(bpe, run, text, error);
}

bool
cw_bpe_encode(const CwBpe *bpe, CwBpeRun *run, const char *text, size_t n_bytes, GError **error)
{
  run->n_symbols = 0;
  return bpe->options.unit == CW_BPE_BYTES ? encode_word(bpe, run, text, n_bytes, error)
                                           : encode_characters(bpe, run, text, n_bytes, error);
}
