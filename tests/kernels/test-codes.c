/* test-codes.c - rows to codes of 8 bits: against sums in double, and the same bits on every
 * instruction set. */
#include "test-isa.h"
#include "test-random.h"

#include <math.h>
#include <string.h>

enum { MOST = 1100 };

static const int64_t sizes[] = { 0, 1, 15, 16, 17, 31, 32, 33, 576, 1031 };

static const CwkCodeKernels *
kernels_of(gconstpointer isa)
{
  g_setenv("CLEW_ISA", isa, TRUE);
  return cwk_code_kernels();
}

/* About normal, every 50th value far out. */
static void
fill(float *x, int64_t n, uint64_t seed)
{
  TestRandom random = { seed };
  for (int64_t i = 0; i < n; i++) {
    x[i] = test_random_float(&random) + test_random_float(&random) + test_random_float(&random);
    if (i % 50 == 7)
      x[i] *= 1000;
  }
}

static void
sums_squares(gconstpointer isa)
{
  const CwkCodeKernels *kernels = kernels_of(isa);
  float x[MOST];
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
    const float limits[] = { INFINITY, 5, 0 };
    fill(x, sizes[s], s + 1);
    for (size_t l = 0; l < G_N_ELEMENTS(limits); l++) {
      double sum = 0;
      float largest, most = 0;
      for (int64_t i = 0; i < sizes[s]; i++) {
        sum += fabsf(x[i]) <= limits[l] ? (double)x[i] * (double)x[i] : 0;
        most = fmaxf(most, fabsf(x[i]));
      }
      double given = kernels->sum_squares(x, sizes[s], limits[l], &largest);
      /* Each lane adds up to 65 numbers of one sign in f32: 2^-24 each at most. */
      g_assert_cmpfloat(fabs(given - sum), <=, 66 * 0x1p-24 * sum);
      g_assert_cmpfloat(largest, ==, most);
    }
  }
}

static void
finds_what_is_not_finite(gconstpointer isa)
{
  const CwkCodeKernels *kernels = kernels_of(isa);
  static const float bad[] = { INFINITY, -INFINITY, NAN, -NAN };
  float x[33], largest;
  for (size_t b = 0; b < G_N_ELEMENTS(bad); b++)
    for (int64_t at = 0; at < 33; at++) {
      fill(x, 33, 3);
      x[at] = bad[b];
      (void)kernels->sum_squares(x, 33, INFINITY, &largest);
      g_assert_false(isfinite(largest));
    }
  /* Squares that f32 cannot hold are no reason to lose the sum. */
  fill(x, 33, 3);
  x[20] = 3e30f;
  double sum = kernels->sum_squares(x, 33, INFINITY, &largest);
  g_assert_cmpfloat(fabs(sum - 9e60), <, 1e54);
  g_assert_true(isfinite(largest));
}

/* The nearest code, ties to even, or listed as beyond; nothing is written behind the row. */
static void
rounds_to_the_nearest(gconstpointer isa)
{
  const CwkCodeKernels *kernels = kernels_of(isa);
  static const float limits[] = { 127, 7 };
  float x[MOST];
  int8_t codes[MOST + 1];
  uint32_t beyond[MOST + 1];
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
    for (size_t l = 0; l < G_N_ELEMENTS(limits); l++) {
      const int64_t n = sizes[s];
      const float inverse = 8; /* of a power of two no product is rounded */
      fill(x, n, s + 1);
      if (n > 1)
        x[0] = 2.5f / inverse, x[1] = -3.5f / inverse;
      codes[n] = 99;
      beyond[n] = 99;
      int64_t n_beyond = -1, at = 0;
      double error = 0;
      double given = kernels->round_row(x, n, inverse, limits[l], codes, beyond, &n_beyond);
      for (int64_t i = 0; i < n; i++) {
        float scaled = x[i] * inverse;
        bool is_listed = at < n_beyond && beyond[at] == i;
        g_assert_true(is_listed == (fabsf(scaled) > limits[l] + 0.49f));
        g_assert_cmpint(codes[i], ==, is_listed ? 0 : (int)rintf(scaled));
        at += is_listed;
        double miss = is_listed ? 0 : (double)scaled - (double)codes[i];
        error += miss * miss;
      }
      g_assert_cmpint(at, ==, n_beyond);
      g_assert_cmpfloat(fabs(given - error), <=, 66 * 0x1p-24 * error);
      g_assert_cmpint(codes[n], ==, 99);
      g_assert_cmpint(beyond[n], ==, 99);
    }
}

/* Also where products are rounded, which contraction would not do. */
static void
gives_the_same_bits(gconstpointer isa)
{
  const CwkCodeKernels *plain = kernels_of("baseline"), *kernels = kernels_of(isa);
  float x[MOST];
  for (uint64_t seed = 1; seed < 200; seed++) {
    const int64_t n = sizes[seed % G_N_ELEMENTS(sizes)];
    const float inverse = 7.3f + (float)seed;
    int8_t codes[2][MOST] = { 0 };
    uint32_t beyond[2][MOST] = { 0 };
    int64_t n_beyond[2];
    float largest[2];
    double results[2][2];
    fill(x, n, seed);
    for (int side = 0; side < 2; side++) {
      const CwkCodeKernels *k = side == 0 ? plain : kernels;
      results[side][0] = k->sum_squares(x, n, 3, &largest[side]);
      results[side][1] =
          k->round_row(x, n, inverse, 127, codes[side], beyond[side], &n_beyond[side]);
    }
    g_assert_cmpmem(results[0], sizeof results[0], results[1], sizeof results[1]);
    g_assert_cmpmem(&largest[0], sizeof(float), &largest[1], sizeof(float));
    g_assert_cmpint(n_beyond[0], ==, n_beyond[1]);
    g_assert_cmpmem(codes[0], sizeof codes[0], codes[1], sizeof codes[1]);
    g_assert_cmpmem(beyond[0], sizeof beyond[0], beyond[1], sizeof beyond[1]);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/codes/sums-squares", sums_squares);
  test_add_per_isa("/kernels/codes/finds-what-is-not-finite", finds_what_is_not_finite);
  test_add_per_isa("/kernels/codes/rounds-to-the-nearest", rounds_to_the_nearest);
  test_add_per_isa("/kernels/codes/gives-the-same-bits", gives_the_same_bits);
  return g_test_run();
}
