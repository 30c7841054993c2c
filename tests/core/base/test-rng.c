/* test-rng.c - the generator against the published vectors of Philox4x32-10. */
#include "test-support.h"

#include "base/rng.h"

/* Salmon and others, known-answer tests of Random123. */
static void
test_known_answers(void)
{
  static const struct {
    uint32_t counter[4], key[2], expected[4];
  } cases[] = {
    { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
    { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
      { 0xffffffff, 0xffffffff },
      { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
    { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
      { 0xa4093822, 0x299f31d0 },
      { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    uint32_t out[4];
    cw_philox(cases[i].counter, cases[i].key, out);
    g_assert_cmpmem(out, sizeof out, cases[i].expected, sizeof cases[i].expected);
  }
}

static void
test_draws_depend_on_index_alone(void)
{
  CwRng rng = { .seed = 5, .stream = 2 };
  uint64_t first[9];
  for (int i = 0; i < 9; i++)
    first[i] = cw_rng_next(&rng);
  for (int i = 8; i >= 0; i--) {
    CwRng again = { .seed = 5, .stream = 2, .index = (uint64_t)i };
    g_assert_cmpuint(cw_rng_next(&again), ==, first[i]);
  }
  CwRng other = { .seed = 5, .stream = 3 };
  g_assert_cmpuint(cw_rng_next(&other), !=, first[0]);
}

static void
test_uniform_fills_its_range(void)
{
  enum { N = 100000 };
  CwRng rng = { .seed = 1 };
  double sum = 0;
  int bins[10] = { 0 };
  for (int i = 0; i < N; i++) {
    double x = cw_rng_next_uniform(&rng);
    g_assert_true(x >= 0 && x < 1);
    sum += x;
    bins[(int)(x * 10)]++;
  }
  /* Five standard deviations of the mean and of a bin's count. */
  g_assert_cmpfloat(ABS(sum / N - 0.5), <, 5 * 0.2887 / 316.2);
  for (int i = 0; i < 10; i++)
    g_assert_cmpint(ABS(bins[i] - N / 10), <, 5 * 95);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/rng/known-answers", test_known_answers);
  g_test_add_func("/core/rng/draws-depend-on-index-alone", test_draws_depend_on_index_alone);
  g_test_add_func("/core/rng/uniform-fills-its-range", test_uniform_fills_its_range);
  return g_test_run();
}
