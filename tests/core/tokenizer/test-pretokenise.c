/* test-pretokenise.c - how each pattern cuts text into words. */
#include "test-support.h"

#include <string.h>

#include "tokenizer/pretokenise.h"

static bool
append_word_cb(const char *word, size_t n, gpointer data, GError **error)
{
  g_string_append_len(data, word, (gssize)n);
  g_string_append_c(data, '|');
  return true;
}

static void
check(const CwSplit *splits, size_t n_splits, const char *text, const char *words)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwPretokeniser) pretokeniser = cw_pretokeniser_new(splits, n_splits, &error);
  g_assert_no_error(error);
  g_autoptr(GString) found = g_string_new(NULL);
  g_assert_true(
      cw_pretokeniser_run(pretokeniser, text, strlen(text), append_word_cb, found, &error));
  g_assert_cmpstr(found->str, ==, words);
}

static const char text[] =
    "I'LL don't pay 12345\u00a0\u20ac  in 2024!?\n\n  x\u180ey\u3000\u3000z\t";

static void
test_gpt2(void)
{
  const CwSplit splits[] = { CW_SPLIT_GPT2 };
  check(
      splits, 1, text,
      "I|'|LL| don|'t| pay| 12345|\u00a0|\u20ac| | in| 2024|!?|\n\n | x|\u180e|y|\u3000|\u3000"
      "|z|\t|");
}

static void
test_smollm(void)
{
  const CwSplit splits[] = { CW_SPLIT_DIGIT, CW_SPLIT_GPT2 };
  check(splits, 2, text,
        "I|'|LL| don|'t| pay| |1|2|3|4|5|\u00a0|\u20ac| | in| |2|0|2|4|!?|\n\n | x|\u180e|y"
        "|\u3000|\u3000|z|\t|");
}

static void
test_llama3(void)
{
  const CwSplit splits[] = { CW_SPLIT_LLAMA3 };
  check(splits, 1, text,
        "I|'LL| don|'t| pay| |123|45|\u00a0|\u20ac| | in| |202|4|!?\n\n| | x|\u180ey|\u3000"
        "|\u3000z|\t|");
}

static void
test_qwen2(void)
{
  const CwSplit splits[] = { CW_SPLIT_QWEN2 };
  check(splits, 1, text,
        "I|'LL| don|'t| pay| |1|2|3|4|5|\u00a0|\u20ac| | in| |2|0|2|4|!?\n\n| | x|\u180ey"
        "|\u3000|\u3000z|\t|");
}

static void
test_known_patterns(void)
{
  CwSplit split;
  g_assert_true(cw_split_from_pattern("\\p{N}+", &split));
  g_assert_cmpint(split, ==, CW_SPLIT_DIGITS);
  g_assert_false(cw_split_from_pattern("\\p{N}+ ", &split));
  g_assert_false(cw_split_from_pattern("(a+)+$", &split));
}

static bool
count_word_cb(const char *word, size_t n, gpointer data, GError **error)
{
  *(size_t *)data += n;
  return true;
}

/* Long runs of one character stay within the limits of matching. */
static void
test_long_runs(void)
{
  static const char *const units[] = { " ", "\n", "a", "1", "!", "\u3000", " \n", "'", " a" };
  for (int split = CW_SPLIT_GPT2; split <= CW_SPLIT_DIGITS; split++) {
    g_autoptr(GError) error = NULL;
    CwSplit splits[] = { (CwSplit)split };
    g_autoptr(CwPretokeniser) pretokeniser = cw_pretokeniser_new(splits, 1, &error);
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
      g_autoptr(GString) run = g_string_new(NULL);
      while (run->len < 300000)
        g_string_append(run, units[i]);
      size_t total = 0;
      cw_pretokeniser_run(pretokeniser, run->str, run->len, count_word_cb, &total, &error);
      g_assert_no_error(error);
      g_assert_cmpuint(total, ==, run->len);
    }
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/pretokenise/gpt2", test_gpt2);
  g_test_add_func("/core/pretokenise/smollm", test_smollm);
  g_test_add_func("/core/pretokenise/llama3", test_llama3);
  g_test_add_func("/core/pretokenise/qwen2", test_qwen2);
  g_test_add_func("/core/pretokenise/knows-patterns-by-heart", test_known_patterns);
  g_test_add_func("/core/pretokenise/long-runs-stay-within-limits", test_long_runs);
  return g_test_run();
}
