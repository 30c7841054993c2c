/* merge-rules.c - see merge-rules.h.
 *
 * Pairs of ids are looked up in an open-addressing table of 16 bytes a slot, at most half full,
 * whose hash is seeded, so that a file cannot be made to collide. */
#include "tokenizer/merge-rules.h"

#include <math.h>
#include <string.h>

typedef struct {
  int32_t left, right; /* left < 0: empty */
  CwMerge merge;
} Slot;

struct _CwMergeRules {
  const CwVocabulary *vocabulary;
  Slot *slots; /* NULL: by score */
  size_t mask, n_used;
  uint32_t next_rank;
  int32_t last_merged; /* files often list all ways to one piece in a row */
  uint64_t seed;
  uint32_t *ranks; /* [n_pieces], by score */
};

static void
no_memory(GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "There is no memory for the merges");
}

static bool
allocate_slots(CwMergeRules *rules, size_t n_merges)
{
  size_t n_slots = 64;
  while (n_slots < n_merges * 2)
    n_slots *= 2;
  rules->slots = g_try_malloc_n(n_slots, sizeof(Slot));
  if (rules->slots == NULL)
    return false;
  memset(rules->slots, 0xff, n_slots * sizeof(Slot));
  rules->mask = n_slots - 1;
  return true;
}

CwMergeRules *
cw_merge_rules_new_pairs(const CwVocabulary *vocabulary, size_t n_merges, GError **error)
{
  g_autoptr(CwMergeRules) rules = g_new0(CwMergeRules, 1);
  rules->vocabulary = vocabulary;
  rules->last_merged = -1;
  rules->seed = ((uint64_t)g_random_int() << 32 | g_random_int()) | 1;
  if (n_merges > CW_VOCABULARY_MAX_PIECES * 4u || !allocate_slots(rules, n_merges)) {
    no_memory(error);
    return NULL;
  }
  return g_steal_pointer(&rules);
}

/* Unsigned numbers that sort as the scores do, the largest score first. */
static uint32_t
rank_of_score(float score)
{
  uint32_t bits;
  score = -score + 0.0f; /* no negative zero */
  memcpy(&bits, &score, sizeof bits);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

CwMergeRules *
cw_merge_rules_new_scores(const CwVocabulary *vocabulary, const float *scores, GError **error)
{
  size_t n = (size_t)cw_vocabulary_get_n_pieces(vocabulary);
  g_autoptr(CwMergeRules) rules = g_new0(CwMergeRules, 1);
  rules->vocabulary = vocabulary;
  rules->ranks = g_try_new(uint32_t, n);
  if (rules->ranks == NULL) {
    no_memory(error);
    return NULL;
  }
  for (size_t id = 0; id < n; id++) {
    if (!isfinite(scores[id])) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "the score of piece %zu is not a finite number", id);
      return NULL;
    }
    rules->ranks[id] = rank_of_score(scores[id]);
  }
  return g_steal_pointer(&rules);
}

void
cw_merge_rules_free(CwMergeRules *rules)
{
  if (rules == NULL)
    return;
  g_free(rules->slots);
  g_free(rules->ranks);
  g_free(rules);
}

static Slot *
slot_of(const CwMergeRules *rules, int32_t left, int32_t right)
{
  uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
  uint64_t hash = key * rules->seed;
  hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15ull;
  for (size_t i = hash >> 32 & rules->mask;; i = (i + 1) & rules->mask) {
    Slot *slot = &rules->slots[i];
    if (slot->left < 0 || (slot->left == left && slot->right == right))
      return slot;
  }
}

static bool
grow(CwMergeRules *rules)
{
  Slot *old = rules->slots;
  size_t n_old = rules->mask + 1;
  if (!allocate_slots(rules, n_old)) {
    rules->slots = old;
    return false;
  }
  for (size_t i = 0; i < n_old; i++)
    if (old[i].left >= 0)
      *slot_of(rules, old[i].left, old[i].right) = old[i];
  g_free(old);
  return true;
}

static int32_t
find_side(const CwMergeRules *rules, const char *side, const char *bytes, size_t n,
          GError **error)
{
  int32_t id = cw_vocabulary_find(rules->vocabulary, bytes, n);
  if (id < 0) {
    g_autofree char *text = g_utf8_make_valid(bytes, (gssize)n);
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "merge %u: its %s, \"%s\", is not in the vocabulary", rules->next_rank, side,
                text);
  }
  return id;
}

static bool
is_piece(const CwVocabulary *vocabulary, int32_t id, const char *bytes, size_t n)
{
  size_t n_there;
  const char *there = id >= 0 ? cw_vocabulary_peek(vocabulary, id, &n_there) : NULL;
  return there != NULL && n_there == n && memcmp(there, bytes, n) == 0;
}

bool
cw_merge_rules_add(CwMergeRules *rules, const char *left, size_t n_left, const char *right,
                   size_t n_right, GError **error)
{
  char joined[2 * CW_VOCABULARY_MAX_PIECE_BYTES];
  int32_t left_id = find_side(rules, "left side", left, n_left, error);
  int32_t right_id = left_id < 0 ? -1 : find_side(rules, "right side", right, n_right, error);
  if (right_id < 0)
    return false;
  memcpy(joined, left, n_left);
  memcpy(joined + n_left, right, n_right);
  int32_t merged = is_piece(rules->vocabulary, rules->last_merged, joined, n_left + n_right)
                       ? rules->last_merged
                       : find_side(rules, "result", joined, n_left + n_right, error);
  if (merged < 0)
    return false;
  if ((rules->n_used + 1) * 2 > rules->mask + 1 && !grow(rules)) {
    no_memory(error);
    return false;
  }
  rules->last_merged = merged;
  Slot *slot = slot_of(rules, left_id, right_id);
  rules->n_used += slot->left < 0;
  *slot = (Slot){ left_id, right_id, { rules->next_rank++, merged } };
  return true;
}

bool
cw_merge_rules_find(const CwMergeRules *rules, int32_t left, int32_t right, const char *bytes,
                    size_t n_bytes, CwMerge *merge)
{
  if (rules->slots == NULL) {
    int32_t id = cw_vocabulary_find(rules->vocabulary, bytes, n_bytes);
    if (id >= 0)
      *merge = (CwMerge){ rules->ranks[id], id };
    return id >= 0;
  }
  if (left < 0 || right < 0)
    return false;
  const Slot *slot = slot_of(rules, left, right);
  if (slot->left >= 0)
    *merge = slot->merge;
  return slot->left >= 0;
}
