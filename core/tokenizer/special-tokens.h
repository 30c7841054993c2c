/* special-tokens.h - finds tokens that are taken out of a text before it is merged. */
#pragma once

#include "tokenizer/vocabulary.h"

typedef enum {
  CW_SPECIAL_PLAIN = 0,
  CW_SPECIAL_STRIP_LEFT = 1 << 0,  /* swallows the white space in front */
  CW_SPECIAL_STRIP_RIGHT = 1 << 1, /* swallows the white space behind */
  CW_SPECIAL_WHOLE_WORD = 1 << 2   /* not inside of a word */
} CwSpecialFlags;

typedef struct {
  int32_t id;
  size_t start, end; /* in the text, with what the token swallows */
} CwSpecialMatch;

typedef struct _CwSpecialTokens CwSpecialTokens;

/* The vocabulary is borrowed. */
CwSpecialTokens *cw_special_tokens_new(const CwVocabulary *vocabulary);
void cw_special_tokens_free(CwSpecialTokens *tokens);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwSpecialTokens, cw_special_tokens_free)
void cw_special_tokens_add(CwSpecialTokens *tokens, int32_t id, CwSpecialFlags flags);
/* After the last one has been added. Equal or overly long tokens are an error. */
bool cw_special_tokens_finish(CwSpecialTokens *tokens, GError **error);

/* The first token at or behind `from`, the longest of those that begin there. */
bool cw_special_tokens_find(const CwSpecialTokens *tokens, const char *text, size_t n,
                            size_t from, CwSpecialMatch *match);
