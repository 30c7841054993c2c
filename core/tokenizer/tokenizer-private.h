/* tokenizer-private.h - what the readers of tokenizer files hand to the tokenizer. */
#pragma once

#include "cw-tokenizer.h"
#include "tokenizer/bpe.h"
#include "tokenizer/pretokenise.h"
#include "tokenizer/special-tokens.h"

/* Where a space is put in front of text, as vocabularies of words that begin with a space want
 * it. */
typedef enum {
  CW_PREFIX_NEVER,
  CW_PREFIX_FIRST,         /* at the beginning only */
  CW_PREFIX_AFTER_SPECIAL, /* behind each special token too */
  CW_PREFIX_AFTER_ALL      /* behind each added token too */
} CwPrefix;

/* Owned by the tokenizer once it is made. */
typedef struct {
  CwVocabulary *vocabulary;
  CwBpe *bpe;
  CwSpecialTokens *specials;
  CwPretokeniser *pretokeniser; /* byte-level vocabularies only */
  bool is_composed;             /* text is brought into normal form C first */
  bool has_space_marks;         /* U+2581 in text is a space */
  CwPrefix prefix;
  bool is_prefix_optional; /* none where the text begins with a space already */
  int32_t bos, eos, pad;   /* -1: none */
} CwTokenizerParts;

void cw_tokenizer_parts_clear(CwTokenizerParts *parts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CwTokenizerParts, cw_tokenizer_parts_clear)
/* Takes all parts, which are then zero. */
CwTokenizer *cw_tokenizer_new_from_parts(CwTokenizerParts *parts);

/* The space mark of SentencePiece, and a copy of text with its marks as spaces. */
#define CW_SPACE_MARK "\xe2\x96\x81"
size_t cw_space_marks_to_spaces(char *out, const char *text, size_t n_bytes);

/* Adds a piece of a SentencePiece-style vocabulary with its marks as spaces. */
bool cw_vocabulary_set_marked(CwVocabulary *vocabulary, int64_t id, const char *piece,
                              size_t n_bytes, CwPieceKind kind, GError **error);
/* Adds a piece of a byte-level vocabulary as the bytes it stands for. One that is not written
 * in the byte alphabet can only be unused. */
bool cw_vocabulary_set_byte_level(CwVocabulary *vocabulary, int64_t id, const char *piece,
                                  size_t n_bytes, GError **error);
/* "<0x0A>" -> 10, or -1. */
int cw_byte_of_piece(const char *piece, size_t n_bytes);
/* All 256 bytes have a piece, or there is an unknown piece. */
bool cw_bpe_check_bytes(const CwBpe *bpe, int32_t unknown, GError **error);
