/* merge-rules.h - which two neighbours become one piece, and which pair goes first. */
#pragma once

#include "tokenizer/vocabulary.h"

/* Two forms of the same thing: a list of pairs in order of rank (byte-level vocabularies,
 * tokenizer.json), or a score for each piece, where any two neighbours merge whose bytes
 * together are a piece (SentencePiece). */
typedef struct _CwMergeRules CwMergeRules;

typedef struct {
  uint32_t rank; /* lower goes first */
  int32_t merged;
} CwMerge;

/* The vocabulary is borrowed and must be finished. n_merges is a hint for the table's size. */
CwMergeRules *cw_merge_rules_new_pairs(const CwVocabulary *vocabulary, size_t n_merges,
                                       GError **error);
/* Rules by score; `scores` has one for each piece. */
CwMergeRules *cw_merge_rules_new_scores(const CwVocabulary *vocabulary, const float *scores,
                                        GError **error);
void cw_merge_rules_free(CwMergeRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwMergeRules, cw_merge_rules_free)

/* Adds the next pair in order of rank, by the bytes of both sides. Both, and the two together,
 * must be normal pieces; the same pair again keeps its last rank. */
bool cw_merge_rules_add(CwMergeRules *rules, const char *left, size_t n_left, const char *right,
                        size_t n_right, GError **error);

/* The rule for two neighbours: their ids (-1 for none) and their bytes, which lie side by side.
 * False, if they do not merge. O(1), or O(n_bytes) by score. */
bool cw_merge_rules_find(const CwMergeRules *rules, int32_t left, int32_t right,
                         const char *bytes, size_t n_bytes, CwMerge *merge);
