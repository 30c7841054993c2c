/* test-bpe.c - the merge engine against the definition, on words of all lengths, and how much
 * work it does on one giant word. */
#include "test-support.h"

#include <string.h>

#include "tokenizer/bpe.h"

typedef struct {
  CwVocabulary *vocabulary;
  CwMergeRules *rules; /* of the reference */
  CwBpe *bpe;
  CwBpeUnit unit;
} Fixture;

static uint32_t rng_state = 7;

static unsigned
next_random(unsigned below)
{
  rng_state = rng_state * 1664525u + 1013904223u;
  return (rng_state >> 8) % below;
}

/* All words over "ab " up to four letters that a rule of thumb picks, ranked at random. */
static void
set_up(Fixture *f, CwBpeUnit unit)
{
  g_autoptr(GError) error = NULL;
  f->unit = unit;
  f->vocabulary = cw_vocabulary_new();
  float scores[4096];
  int64_t n = 0;
  for (unsigned length = 1; length <= 4; length++)
    for (unsigned code = 0; code < 1u << 2 * length; code++) {
      char word[4];
      bool is_word = length == 1 || next_random(3) > 0;
      for (unsigned i = 0; i < length; i++) {
        word[i] = "ab ?"[code >> 2 * i & 3];
        is_word = is_word && word[i] != '?';
      }
      if (is_word) {
        scores[n] = (float)next_random(40);
        g_assert_true(
            cw_vocabulary_set(f->vocabulary, n++, word, length, CW_PIECE_NORMAL, &error));
      }
    }
  g_assert_true(cw_vocabulary_finish(f->vocabulary, &error));
  CwBpeOptions options = { .unit = unit, .unknown = -1 };
  if (unit == CW_BPE_CHARACTERS) {
    f->rules = cw_merge_rules_new_scores(f->vocabulary, scores, &error);
    f->bpe = cw_bpe_new(f->vocabulary, cw_merge_rules_new_scores(f->vocabulary, scores, &error),
                        &options, &error);
    return;
  }
  CwMergeRules *both[2] = { cw_merge_rules_new_pairs(f->vocabulary, 0, &error),
                            cw_merge_rules_new_pairs(f->vocabulary, 0, &error) };
  for (int i = 0; i < 400; i++) {
    size_t n_left, n_right;
    const char *left = cw_vocabulary_peek(f->vocabulary, (int32_t)next_random(n), &n_left);
    const char *right = cw_vocabulary_peek(f->vocabulary, (int32_t)next_random(n), &n_right);
    for (int k = 0; k < 2; k++)
      cw_merge_rules_add(both[k], left, n_left, right, n_right, NULL);
  }
  f->rules = both[0];
  f->bpe = cw_bpe_new(f->vocabulary, both[1], &options, &error);
}

static void
tear_down(Fixture *f)
{
  cw_bpe_free(f->bpe);
  cw_merge_rules_free(f->rules);
  cw_vocabulary_free(f->vocabulary);
}

/* The definition: of all neighbours with a rule, merge the lowest rank, the leftmost of equals.
 * Returns how many ids it wrote. */
static size_t
merge_by_definition(const Fixture *f, const char *text, size_t n, int32_t *ids)
{
  g_autofree size_t *starts = g_new(size_t, n + 1);
  for (size_t i = 0; i < n; i++) {
    ids[i] = cw_vocabulary_find(f->vocabulary, text + i, 1);
    starts[i] = i;
  }
  starts[n] = n;
  for (;;) {
    size_t best = n;
    CwMerge best_merge = { UINT32_MAX, -1 }, merge;
    for (size_t i = 0; i + 1 < n; i++)
      if (cw_merge_rules_find(f->rules, ids[i], ids[i + 1], text + starts[i],
                              starts[i + 2] - starts[i], &merge) &&
          merge.rank < best_merge.rank) {
        best = i;
        best_merge = merge;
      }
    if (best == n)
      return n;
    ids[best] = best_merge.merged;
    memmove(ids + best + 1, ids + best + 2, (n - best - 2) * sizeof *ids);
    memmove(starts + best + 1, starts + best + 2, (n - best - 1) * sizeof *starts);
    n--;
  }
}

static void
test_definition(gconstpointer unit)
{
  g_autoptr(GError) error = NULL;
  Fixture f;
  set_up(&f, (CwBpeUnit)GPOINTER_TO_INT(unit));
  for (int trial = 0; trial < 800; trial++) {
    CwBpeRun run = { 0 };
    char text[200];
    int32_t wanted[200];
    size_t n = next_random(G_N_ELEMENTS(text)) + 1;
    for (size_t i = 0; i < n; i++)
      text[i] = "ab "[next_random(3)];
    size_t n_wanted = merge_by_definition(&f, text, n, wanted);
    g_assert_true(cw_bpe_encode(f.bpe, &run, text, n, &error));
    g_assert_cmpmem(run.ids, run.n_ids * sizeof *run.ids, wanted, n_wanted * sizeof *wanted);
    cw_bpe_run_clear(&run);
  }
  tear_down(&f);
}

/* One word of 300,000 letters asks for a rule at most three times per letter. */
static void
test_giant_word(gconstpointer unit)
{
  g_autoptr(GError) error = NULL;
  const size_t n = 300000;
  Fixture f;
  set_up(&f, (CwBpeUnit)GPOINTER_TO_INT(unit));
  g_autofree char *text = g_malloc(n);
  for (int kind = 0; kind < 2; kind++) {
    CwBpeRun run = { 0 };
    for (size_t i = 0; i < n; i++)
      text[i] = kind == 0 ? 'a' : "ab "[next_random(3)];
    g_assert_true(cw_bpe_encode(f.bpe, &run, text, n, &error));
    g_assert_cmpuint(run.n_lookups, >=, n / 2);
    g_assert_cmpuint(run.n_lookups, <=, 3 * n);
    cw_bpe_run_clear(&run);
  }
  tear_down(&f);
}

int
main(int argc, char **argv)
{
  gpointer bytes = GINT_TO_POINTER(CW_BPE_BYTES);
  gpointer characters = GINT_TO_POINTER(CW_BPE_CHARACTERS);
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/core/bpe/pairs-as-defined", bytes, test_definition);
  g_test_add_data_func("/core/bpe/scores-as-defined", characters, test_definition);
  g_test_add_data_func("/core/bpe/pairs-do-linear-work-on-a-giant-word", bytes,
                       test_giant_word);
  g_test_add_data_func("/core/bpe/scores-do-linear-work-on-a-giant-word", characters,
                       test_giant_word);
  return g_test_run();
}
