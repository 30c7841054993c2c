/* pretokenise.h - cuts text into the words that byte-level BPE merges one by one. */
#pragma once

#include "cw-base.h"

typedef enum {
  CW_SPLIT_GPT2,   /* English contractions, letters, numbers, the rest, white space */
  CW_SPLIT_LLAMA3, /* the same with numbers of three digits, line ends apart */
  CW_SPLIT_QWEN2,  /* Llama 3's with single digits */
  CW_SPLIT_DIGIT,  /* each digit apart */
  CW_SPLIT_DIGITS  /* runs of digits apart */
} CwSplit;

#define CW_MAX_SPLITS 4

/* The split whose regular expression a file writes like this; false if it is none of ours. */
bool cw_split_from_pattern(const char *pattern, CwSplit *split);

typedef struct _CwPretokeniser CwPretokeniser;
/* Applied one after the other: each cuts what the one before left, matches and gaps alike. */
CwPretokeniser *cw_pretokeniser_new(const CwSplit *splits, size_t n_splits, GError **error);
void cw_pretokeniser_free(CwPretokeniser *pretokeniser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwPretokeniser, cw_pretokeniser_free)

typedef bool (*CwWordCb)(const char *word, size_t n_bytes, gpointer data, GError **error);
/* Calls `word` for all of text in order; text is valid UTF-8. Any thread. */
bool cw_pretokeniser_run(const CwPretokeniser *pretokeniser, const char *text, size_t n_bytes,
                         CwWordCb word, gpointer data, GError **error);
