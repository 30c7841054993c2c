/* vocabulary.h - the pieces of a tokenizer: bytes by id, id by bytes. */
#pragma once

#include "cw-base.h"

typedef enum {
  CW_PIECE_NONE,    /* no piece has this id yet */
  CW_PIECE_NORMAL,  /* found by its bytes; what merges make */
  CW_PIECE_BYTE,    /* one byte, for text that no other piece covers */
  CW_PIECE_SPECIAL, /* a control token such as "<|im_start|>" */
  CW_PIECE_ADDED,   /* taken out of the text before merging, but plain text */
  CW_PIECE_UNUSED   /* has an id and never comes out of text */
} CwPieceKind;

#define CW_VOCABULARY_MAX_PIECES      (1 << 24)
#define CW_VOCABULARY_MAX_PIECE_BYTES (1 << 16)

typedef struct _CwVocabulary CwVocabulary;

CwVocabulary *cw_vocabulary_new(void);
void cw_vocabulary_free(CwVocabulary *vocabulary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwVocabulary, cw_vocabulary_free)

/* Gives id its bytes (copied) and kind. Ids come in any order; one that is taken, negative or
 * beyond the limits is an error, as is an empty normal piece. */
bool cw_vocabulary_set(CwVocabulary *vocabulary, int64_t id, const char *bytes, size_t n_bytes,
                       CwPieceKind kind, GError **error);
/* Lets find give this id too, although its kind is another: what merges may go through. A
 * normal piece of the same bytes comes first. */
void cw_vocabulary_set_findable(CwVocabulary *vocabulary, int32_t id);
/* After the last piece: refuses gaps between ids and normal pieces with equal bytes. */
bool cw_vocabulary_finish(CwVocabulary *vocabulary, GError **error);

bool cw_vocabulary_is_findable(const CwVocabulary *vocabulary, int32_t id);
int32_t cw_vocabulary_get_n_pieces(const CwVocabulary *vocabulary);
CwPieceKind cw_vocabulary_get_kind(const CwVocabulary *vocabulary, int32_t id);
/* The bytes of a valid id, borrowed, not terminated. */
const char *cw_vocabulary_peek(const CwVocabulary *vocabulary, int32_t id, size_t *n_bytes);
/* The id of a normal or findable piece with these bytes, -1 if there is none. After finish. */
int32_t cw_vocabulary_find(const CwVocabulary *vocabulary, const char *bytes, size_t n_bytes);
/* The length of the longest piece that find may give. */
size_t cw_vocabulary_get_longest(const CwVocabulary *vocabulary);
