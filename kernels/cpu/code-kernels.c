/* code-kernels.c - rows of f32 to codes of 8 bits, and what they cost; compiled once per
 * instruction set.
 *
 * Unlike the other texts compiled so, this one gives the same bits on all of them: what it
 * makes is stored, and a run may be taken up on another machine. So nothing is contracted (see
 * meson.build), every operation is rounded exactly, and sums go through LANES lanes, which are
 * added in order, however many vectors hold them. Rounding adds 1.5 x 2^23, which any
 * instruction set can; the code is then the low byte of the number's bits. */
#include "cpu/cpu-private.h"

#include <math.h>
#include <string.h>

#include "cpu/isa-vector.h"

#if defined(__AVX512F__)
#  define ISA_CODES cwk_codes_avx512
#elif defined(__AVX2__)
#  define ISA_CODES cwk_codes_avx2
#else
#  define ISA_CODES cwk_codes_baseline
#endif

#define LANES    16
#define PARTS    (LANES / VL)
#define ROUNDING 12582912.0f /* 1.5 x 2^23: the unit of the last place is 1 */
#define OF_BITS  0x4b400000  /* its bits */

/* LANES values, the missing ones 0. */
static inline void
load_lanes(const float *x, int64_t n, Vec v[PARTS])
{
  if (n >= LANES) {
    for (int p = 0; p < PARTS; p++)
      v[p] = load(x + p * VL);
    return;
  }
  float part[LANES] = { 0 };
  memcpy(part, x, (size_t)n * sizeof *x);
  for (int p = 0; p < PARTS; p++)
    v[p] = load(part + p * VL);
}

static inline double
add_lanes(const Vec v[PARTS])
{
  double sum = 0;
  for (int i = 0; i < LANES; i++)
    sum += (double)v[i / VL][i % VL];
  return sum;
}

static inline VecI
magnitude_bits(Vec v)
{
  return (VecI)v & 0x7fffffff;
}

/* ---- energy ----------------------------------------------------------------------------- */

static double
sum_squares_slowly(const float *x, int64_t n, float limit)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += fabsf(x[i]) <= limit ? (double)x[i] * (double)x[i] : 0;
  return sum;
}

static double
sum_squares(const float *x, int64_t n, float limit, float *largest)
{
  Vec sums[PARTS] = { 0 };
  VecI most[PARTS] = { 0 };
  for (int64_t i = 0; i < n; i += LANES) {
    Vec v[PARTS];
    load_lanes(x + i, n - i, v);
    for (int p = 0; p < PARTS; p++) {
      VecI size = magnitude_bits(v[p]), is_more = size > most[p];
      most[p] = (size & is_more) | (most[p] & ~is_more);
      Vec kept = (Vec)((VecI)v[p] & ((Vec)size <= splat(limit)));
      sums[p] += kept * kept;
    }
  }
  /* As integers the magnitudes are in order too, infinity and NaN the last. */
  int32_t bits = 0;
  for (int i = 0; i < LANES; i++)
    bits = most[i / VL][i % VL] > bits ? most[i / VL][i % VL] : bits;
  memcpy(largest, &bits, sizeof *largest);
  double sum = add_lanes(sums);
  return isfinite(sum) ? sum : sum_squares_slowly(x, n, limit);
}

/* ---- codes ------------------------------------------------------------------------------ */

static inline bool
is_any(const VecI mask[PARTS])
{
#if defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)mask[0], (__m512i)mask[0]) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps((__m256)(mask[0] | mask[1])) != 0;
#elif defined(__x86_64__)
  return _mm_movemask_ps((__m128)(mask[0] | mask[1] | mask[2] | mask[3])) != 0;
#else
  int32_t any = 0;
  for (int i = 0; i < LANES; i++)
    any |= mask[i / VL][i % VL];
  return any != 0;
#endif
}

/* The lanes as bytes; they lie within -128 .. 127. */
static inline void
store_bytes(const VecI code[PARTS], int8_t *to)
{
#if defined(__AVX512F__)
  _mm_storeu_si128((__m128i *)to, _mm512_cvtepi32_epi8((__m512i)code[0]));
#elif defined(__AVX2__)
  __m256i halves = _mm256_packs_epi32((__m256i)code[0], (__m256i)code[1]);
  halves = _mm256_permute4x64_epi64(halves, 0xd8); /* packed within 128 bits: 0 2 1 3 */
  _mm_storeu_si128((__m128i *)to, _mm_packs_epi16(_mm256_castsi256_si128(halves),
                                                  _mm256_extracti128_si256(halves, 1)));
#elif defined(__x86_64__)
  __m128i low = _mm_packs_epi32((__m128i)code[0], (__m128i)code[1]);
  __m128i high = _mm_packs_epi32((__m128i)code[2], (__m128i)code[3]);
  _mm_storeu_si128((__m128i *)to, _mm_packs_epi16(low, high));
#else
  for (int i = 0; i < LANES; i++)
    to[i] = (int8_t)code[i / VL][i % VL];
#endif
}

/* Appends the numbers of the lanes that are set, `at` being that of the first. */
static int64_t
list_lanes(const VecI mask[PARTS], uint32_t at, uint32_t *list, int64_t n)
{
  for (uint32_t i = 0; i < LANES; i++)
    if (mask[i / VL][i % VL] != 0)
      list[n++] = at + i;
  return n;
}

static double
round_row(const float *x, int64_t n, float inverse, float limit, int8_t *codes,
          uint32_t *beyond, int64_t *n_beyond)
{
  const Vec bound = splat(limit + 0.49f); /* what rounds to limit for certain */
  Vec errors[PARTS] = { 0 };
  int64_t n_listed = 0;
  for (int64_t i = 0; i < n; i += LANES) {
    Vec v[PARTS];
    VecI code[PARTS], is_beyond[PARTS];
    load_lanes(x + i, n - i, v);
    for (int p = 0; p < PARTS; p++) {
      v[p] = v[p] * splat(inverse);
      is_beyond[p] = (Vec)magnitude_bits(v[p]) > bound;
      v[p] = (Vec)((VecI)v[p] & ~is_beyond[p]);
      Vec shifted = v[p] + splat(ROUNDING);
      code[p] = (VecI)shifted - OF_BITS;
      Vec miss = v[p] - (shifted - splat(ROUNDING));
      errors[p] += miss * miss;
    }
    if (is_any(is_beyond))
      n_listed = list_lanes(is_beyond, (uint32_t)i, beyond, n_listed);
    int8_t part[LANES];
    store_bytes(code, n - i >= LANES ? codes + i : part);
    if (n - i < LANES)
      memcpy(codes + i, part, (size_t)(n - i));
  }
  *n_beyond = n_listed;
  return add_lanes(errors);
}

const CwkCodeKernels ISA_CODES = {
  .sum_squares = sum_squares,
  .round_row = round_row,
};
