/* int8-kernels.c - inner loops of products with 8-bit activations, compiled for AVX2 and for
 * AVX-512 with VNNI.
 *
 * Weights keep their stored codes: w = d q + m with q unsigned, and d and m shared by a group
 * of 32 (16 in Q6_K). Activations get the same groups, x = s a with |a| <= 127. So
 *
 *   sum of x w over a group = s d (sum of a q) + m s (sum of a),
 *
 * exact in integers but for the rounding of x to s a; only the two products per group are f32.
 * VNNI multiplies unsigned by signed bytes and adds four products to 32 bits in one step. AVX2
 * adds pairs to 16 bits and may saturate, so that it takes 4-bit codes only: 16 pairs of at
 * most 15 * 127 stay below 2^15. Rejected: 8-bit codes on AVX2 by widening to 16 bits, which is
 * no faster than f32; one scale per row of activations, which a single outlier coarsens. */
#include "cpu/int8-kernels.h"

#include <immintrin.h>
#include <string.h>

typedef float Floats16 __attribute__((vector_size(64)));
typedef float Floats16U __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t Ints16 __attribute__((vector_size(64)));
typedef int8_t Bytes16 __attribute__((vector_size(16)));

/* ---- activations ------------------------------------------------------------------------ */

#define HALVES_SWAPPED(v) \
  __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define QUARTERS_SWAPPED(v) \
  __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define PAIRS_SWAPPED(v) \
  __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)

static inline int32_t
add_lanes(Ints16 v)
{
  v += HALVES_SWAPPED(v);
  v += QUARTERS_SWAPPED(v);
  v += PAIRS_SWAPPED(v);
  return v[0] + v[1];
}

static inline Ints16
larger(Ints16 a, Ints16 b)
{
  Ints16 is_a = a > b;
  return (a & is_a) | (b & ~is_a);
}

/* Magnitudes are compared as integers, so that a NaN is larger than all and reaches the scale.
 */
static inline float
largest_magnitude(const float *x, int64_t group)
{
  Ints16 most = { 0 };
  for (int64_t i = 0; i < group; i += 16)
    most = larger(most, (Ints16)(*(const Floats16U *)(x + i)) & 0x7fffffff);
  most = larger(most, HALVES_SWAPPED(most));
  most = larger(most, QUARTERS_SWAPPED(most));
  most = larger(most, PAIRS_SWAPPED(most));
  int32_t bits = most[0] > most[1] ? most[0] : most[1];
  float magnitude;
  memcpy(&magnitude, &bits, sizeof magnitude);
  return magnitude;
}

static void
quantise(const float *x, int64_t n_groups, int64_t group, int8_t *codes, float *scales,
         float *sums)
{
  const float rounder = 12582912.0f; /* 1.5 * 2^23: adding it rounds to the nearest integer */
  for (int64_t g = 0; g < n_groups; g++, x += group, codes += group) {
    float magnitude = largest_magnitude(x, group);
    float inverse = magnitude > 0 ? 127.0f / magnitude : 0;
    Ints16 total = { 0 };
    for (int64_t i = 0; i < group; i += 16) {
      Floats16 rounded = *(const Floats16U *)(x + i) * inverse + rounder - rounder;
      Ints16 whole = __builtin_convertvector(rounded, Ints16);
      Bytes16 narrow = __builtin_convertvector(whole, Bytes16);
      memcpy(codes + i, &narrow, sizeof narrow);
      total += whole;
    }
    scales[g] = magnitude / 127.0f;
    sums[g] = scales[g] * (float)add_lanes(total);
  }
}

/* ---- weights ---------------------------------------------------------------------------- */

static inline float
half_at(const uint8_t *p)
{
  uint16_t h;
  memcpy(&h, p, 2);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

/* Low nibbles are the first 16 of a block, high nibbles the last. */
static inline void
put_nibbles(const uint8_t *q, uint8_t *codes)
{
  for (int i = 0; i < 16; i++) {
    codes[i] = q[i] & 15;
    codes[16 + i] = q[i] >> 4;
  }
}

static void
decode_q4_0(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t g = 0; g < k / 32; g++, block += 18) {
    put_nibbles(block + 2, codes + 32 * g);
    scales[g] = half_at(block) * scale;
    offsets[g] = -8 * scales[g];
  }
}

static void
decode_q4_1(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t g = 0; g < k / 32; g++, block += 20) {
    put_nibbles(block + 4, codes + 32 * g);
    scales[g] = half_at(block) * scale;
    offsets[g] = half_at(block + 2) * scale;
  }
}

/* The eight 6-bit (scale, minimum) pairs of a k-quant block of 256, packed in 12 bytes. */
static inline void
k_factors(const uint8_t *block, int j, float scale, float *d, float *offset)
{
  const uint8_t *q = block + 4;
  int s = j < 4 ? q[j] & 63 : (q[j + 4] & 15) | ((q[j - 4] >> 6) << 4);
  int m = j < 4 ? q[j + 4] & 63 : (q[j + 4] >> 4) | ((q[j] >> 6) << 4);
  *d = half_at(block) * scale * (float)s;
  *offset = -half_at(block + 2) * scale * (float)m;
}

static void
decode_q4_k(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t i = 0; i < k; i += 256, block += 144)
    for (int j = 0; j < 8; j++) {
      const uint8_t *q = block + 16 + j / 2 * 32;
      int shift = (j & 1) * 4;
      k_factors(block, j, scale, &scales[i / 32 + j], &offsets[i / 32 + j]);
      for (int t = 0; t < 32; t++)
        codes[i + 32 * j + t] = (q[t] >> shift) & 15;
    }
}

#if defined(__AVX512VNNI__)

static void
decode_q8_0(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t g = 0; g < k / 32; g++, block += 34) {
    for (int t = 0; t < 32; t++)
      codes[32 * g + t] = block[2 + t] ^ 0x80; /* q + 128 */
    scales[g] = half_at(block) * scale;
    offsets[g] = -128 * scales[g];
  }
}

static void
put_five_bits(const uint8_t *q, const uint8_t *high_bits, uint8_t *codes)
{
  uint32_t high;
  memcpy(&high, high_bits, 4);
  for (int t = 0; t < 16; t++) {
    codes[t] = (uint8_t)((q[t] & 15) | (((high >> t) & 1) << 4));
    codes[16 + t] = (uint8_t)((q[t] >> 4) | (((high >> (16 + t)) & 1) << 4));
  }
}

static void
decode_q5_0(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t g = 0; g < k / 32; g++, block += 22) {
    put_five_bits(block + 6, block + 2, codes + 32 * g);
    scales[g] = half_at(block) * scale;
    offsets[g] = -16 * scales[g];
  }
}

static void
decode_q5_1(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t g = 0; g < k / 32; g++, block += 24) {
    put_five_bits(block + 8, block + 4, codes + 32 * g);
    scales[g] = half_at(block) * scale;
    offsets[g] = half_at(block + 2) * scale;
  }
}

static void
decode_q5_k(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t i = 0; i < k; i += 256, block += 176)
    for (int j = 0; j < 8; j++) {
      const uint8_t *high = block + 16, *q = block + 48 + j / 2 * 32;
      int shift = (j & 1) * 4;
      k_factors(block, j, scale, &scales[i / 32 + j], &offsets[i / 32 + j]);
      for (int t = 0; t < 32; t++)
        codes[i + 32 * j + t] = (uint8_t)(((q[t] >> shift) & 15) | (((high[t] >> j) & 1) << 4));
    }
}

/* Groups of 16. */
static void
decode_q6_k(const void *row, int64_t k, float scale, uint8_t *codes, float *scales,
            float *offsets)
{
  const uint8_t *block = row;
  for (int64_t i = 0; i < k; i += 256, block += 210) {
    const int8_t *group_scales = (const int8_t *)(block + 192);
    float d = half_at(block + 208) * scale;
    for (int g = 0; g < 16; g++) {
      scales[i / 16 + g] = d * (float)group_scales[g];
      offsets[i / 16 + g] = -32 * scales[i / 16 + g];
    }
    for (int j = 0; j < 8; j++) {
      /* 128 values share 64 low and 32 high bytes; j counts runs of 32. */
      const uint8_t *low = block + j / 4 * 64 + (j & 1) * 32;
      const uint8_t *high = block + 128 + j / 4 * 32;
      int low_shift = (j & 2) * 2, high_shift = (j & 3) * 2;
      for (int t = 0; t < 32; t++)
        codes[i + 32 * j + t] =
            (uint8_t)(((low[t] >> low_shift) & 15) | (((high[t] >> high_shift) & 3) << 4));
    }
  }
}

/* ---- the register tile ------------------------------------------------------------------
 */

/* 12 sums of codes and 12 of products, two rows of B and a broadcast of A fill 32 registers. */
#  define VL 16
#  define MR 6
typedef __m512i Bytes; /* 4 elements of 16 columns */
typedef __m512i Sums;
typedef __m512 Floats;

static inline Bytes
load_bytes(const void *p)
{
  return _mm512_loadu_si512(p);
}

static inline Bytes
splat_bytes(int32_t four)
{
  return _mm512_set1_epi32(four);
}

static inline Sums
add_products(Sums sum, Bytes b, Bytes a)
{
  return _mm512_dpbusd_epi32(sum, b, a);
}

static inline Floats
to_floats(Sums sum)
{
  return _mm512_cvtepi32_ps(sum);
}

#else

/* Sums of pairs, 16 bits wide, two to a column. */
#  define VL 8
#  define MR 3
typedef __m256i Bytes;
typedef __m256i Sums;
typedef __m256 Floats;

static inline Bytes
load_bytes(const void *p)
{
  return _mm256_loadu_si256(p);
}

static inline Bytes
splat_bytes(int32_t four)
{
  return _mm256_set1_epi32(four);
}

static inline Sums
add_products(Sums sum, Bytes b, Bytes a)
{
  return _mm256_add_epi16(sum, _mm256_maddubs_epi16(b, a));
}

static inline Floats
to_floats(Sums sum)
{
  return _mm256_cvtepi32_ps(_mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
}

#endif

#define NR (2 * VL)
typedef float FloatsU __attribute__((vector_size(VL * 4), aligned(4), may_alias));

static inline Floats
load(const float *p)
{
  return (Floats)(*(const FloatsU *)p);
}

static inline void
store(float *p, Floats v)
{
  *(FloatsU *)p = (FloatsU)v;
}

static inline __attribute__((always_inline)) void
tile_of(const CwkInt8Tile *tile, int n_steps, float *c, int64_t ldc, bool accumulate)
{
  const int8_t *a = tile->a_codes;
  const uint8_t *b = tile->b_codes;
  Floats total[MR][2];
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++)
    total[i][0] = total[i][1] = (Floats){ 0 };
  for (int64_t g = 0; g < tile->n_groups; g++) {
    Sums sum[MR][2];
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++)
      sum[i][0] = sum[i][1] = (Sums){ 0 };
    for (int s = 0; s < n_steps; s++, a += 4 * MR, b += 4 * NR) {
      Bytes b0 = load_bytes(b), b1 = load_bytes(b + 4 * VL);
#pragma GCC unroll 8
      for (int i = 0; i < MR; i++) {
        int32_t four;
        memcpy(&four, a + 4 * i, 4);
        Bytes x = splat_bytes(four);
        sum[i][0] = add_products(sum[i][0], b0, x);
        sum[i][1] = add_products(sum[i][1], b1, x);
      }
    }
    const float *af = tile->a_factors + 2 * MR * g, *bf = tile->b_factors + 2 * NR * g;
    Floats d0 = load(bf), d1 = load(bf + VL), m0 = load(bf + NR), m1 = load(bf + NR + VL);
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) {
      Floats x = af[i] - (Floats){ 0 }, x_sum = af[MR + i] - (Floats){ 0 };
      total[i][0] += to_floats(sum[i][0]) * d0 * x;
      total[i][1] += to_floats(sum[i][1]) * d1 * x;
      total[i][0] += m0 * x_sum;
      total[i][1] += m1 * x_sum;
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++, c += ldc) {
    if (accumulate) {
      total[i][0] += load(c);
      total[i][1] += load(c + VL);
    }
    store(c, total[i][0]);
    store(c + VL, total[i][1]);
  }
}

static void
tile_any(const CwkInt8Tile *tile, float *c, int64_t ldc, bool accumulate)
{
  if (tile->n_steps == 8)
    tile_of(tile, 8, c, ldc, accumulate);
  else
    tile_of(tile, 4, c, ldc, accumulate);
}

#if defined(__AVX512VNNI__)
const CwkInt8Kernels cwk_int8_vnni = {
  .isa = &cwk_isa_avx512,
  .decode = { [CWK_Q8_0] = decode_q8_0,
              [CWK_Q4_0] = decode_q4_0,
              [CWK_Q4_1] = decode_q4_1,
              [CWK_Q5_0] = decode_q5_0,
              [CWK_Q5_1] = decode_q5_1,
              [CWK_Q4_K] = decode_q4_k,
              [CWK_Q5_K] = decode_q5_k,
              [CWK_Q6_K] = decode_q6_k },
#else
const CwkInt8Kernels cwk_int8_avx2 = {
  .isa = &cwk_isa_avx2,
  .decode = { [CWK_Q4_0] = decode_q4_0, [CWK_Q4_1] = decode_q4_1, [CWK_Q4_K] = decode_q4_k },
#endif
  .mr = MR,
  .nr = NR,
  .quantise = quantise,
  .tile = tile_any,
};
