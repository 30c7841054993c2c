/* bpe.h - byte-pair encoding of one stretch of text, for both families of vocabularies. */
#pragma once

#include "tokenizer/merge-rules.h"

typedef enum {
  CW_BPE_BYTES,     /* merging starts from bytes */
  CW_BPE_CHARACTERS /* merging starts from characters; unknown ones become byte pieces */
} CwBpeUnit;

typedef struct {
  CwBpeUnit unit;
  bool whole_words_first; /* a word that is a piece is taken as it is (Llama 3) */
  bool split_at_spaces;   /* no piece reaches over the front of a space */
  int32_t unknown;        /* the piece for what no other covers, or -1 */
  bool fuse_unknown;      /* several unknown characters become one piece */
} CwBpeOptions;

typedef struct _CwBpe CwBpe;

/* The vocabulary is borrowed, the rules are taken (on failure too). Immutable, any thread. */
CwBpe *cw_bpe_new(const CwVocabulary *vocabulary, CwMergeRules *rules,
                  const CwBpeOptions *options, GError **error);
void cw_bpe_free(CwBpe *bpe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwBpe, cw_bpe_free)
/* The piece of one byte, or -1. */
int32_t cw_bpe_get_byte_piece(const CwBpe *bpe, uint8_t byte);

/* What one encoding needs: the ids so far, and scratch memory. Zeroed to begin with. */
typedef struct {
  int32_t *ids;
  size_t n_ids, id_room;
  struct _CwBpeSymbol *symbols;
  size_t n_symbols, symbol_room;
  struct _CwBpeEntry *heap;
  size_t n_heap, heap_room;
  size_t n_lookups; /* of merge rules, the measure of work */
  bool after_unknown;
} CwBpeRun;

void cw_bpe_run_clear(CwBpeRun *run);
bool cw_bpe_run_append(CwBpeRun *run, int32_t id, GError **error);
/* Appends the ids of text (< 2^31 bytes) to the run: by bytes one word, by characters any text.
 * Cost O(n log n). */
bool cw_bpe_encode(const CwBpe *bpe, CwBpeRun *run, const char *text, size_t n_bytes,
                   GError **error);
