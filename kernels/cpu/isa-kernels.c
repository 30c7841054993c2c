/* isa-kernels.c - inner loops, compiled once per instruction set.
 *
 * Written with GCC vector extensions, so that one text serves SSE2 (vectors of 4), AVX2 (8) and
 * AVX-512 (16). The register tile of the product is chosen so that accumulators, one row of B
 * and one broadcast of A fill the register file: 12 x 32 in 32 zmm, 6 x 16 in 16 ymm, 4 x 8 in
 * 16 xmm (Goto and van de Geijn, 10.1145/1356052.1356053). */
#include "cpu/isa-kernels.h"
#include "cpu/isa-vector.h"

#include <string.h>

#if VL == 16
#  define MR        12
#  define ISA_TABLE cwk_isa_avx512
#elif VL == 8
#  define MR        6
#  define ISA_TABLE cwk_isa_avx2
#else
#  define MR        4
#  define ISA_TABLE cwk_isa_baseline
#endif
#define NR (2 * VL)

typedef float Vec4 __attribute__((vector_size(16)));
typedef float Vec4U __attribute__((vector_size(16), aligned(4), may_alias));

static void
micro_tile(int64_t k, const float *a, const float *b, float *c, int64_t ldc, bool accumulate)
{
  Vec sum[MR][2];
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++)
    sum[i][0] = sum[i][1] = (Vec){ 0 };
  for (int64_t p = 0; p < k; p++, a += MR, b += NR) {
    Vec b0 = *(const Vec *)b;
    Vec b1 = *(const Vec *)(b + VL);
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      Vec x = splat(a[i]);
      sum[i][0] += x * b0;
      sum[i][1] += x * b1;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++, c += ldc) {
    if (accumulate) {
      sum[i][0] += load(c);
      sum[i][1] += load(c + VL);
    }
    store(c, sum[i][0]);
    store(c + VL, sum[i][1]);
  }
}

/* Indices of a shuffle of two vectors that does the same within every quarter of 16 bytes:
 * WITHIN(i, j, k, l) takes elements i and k of the first and j and l of the second vector. */
#define QUARTER(at, i, j, k, l) (at) + (i), VL + (at) + (j), (at) + (k), VL + (at) + (l)
#define PAIRS(at, i, j)         (at) + (i), (at) + (j), VL + (at) + (i), VL + (at) + (j)
#if VL == 16
#  define WITHIN(i, j, k, l)                                                \
    QUARTER(0, i, j, k, l), QUARTER(4, i, j, k, l), QUARTER(8, i, j, k, l), \
        QUARTER(12, i, j, k, l)
#  define WITHIN_PAIRS(i, j) PAIRS(0, i, j), PAIRS(4, i, j), PAIRS(8, i, j), PAIRS(12, i, j)
#elif VL == 8
#  define WITHIN(i, j, k, l) QUARTER(0, i, j, k, l), QUARTER(4, i, j, k, l)
#  define WITHIN_PAIRS(i, j) PAIRS(0, i, j), PAIRS(4, i, j)
#else
#  define WITHIN(i, j, k, l) QUARTER(0, i, j, k, l)
#  define WITHIN_PAIRS(i, j) PAIRS(0, i, j)
#endif

/* Elements p .. p + 3 of rows 0, 4, 8, ... of a group of VL, a quarter each. */
static inline Vec
load_quarters(const float *const *rows, int64_t p)
{
  Vec4 first = *(const Vec4U *)(rows[0] + p);
#if VL == 4
  return first;
#else
  typedef float Vec8 __attribute__((vector_size(32)));
  Vec8 low =
      __builtin_shufflevector(first, *(const Vec4U *)(rows[4] + p), 0, 1, 2, 3, 4, 5, 6, 7);
#  if VL == 8
  return low;
#  else
  Vec8 high = __builtin_shufflevector(*(const Vec4U *)(rows[8] + p),
                                      *(const Vec4U *)(rows[12] + p), 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                 15);
#  endif
#endif
}

/* Four columns of VL rows at once: quarters are loaded so that a transposition within each
 * leaves whole columns. A column narrower than a vector (nr < VL) is stored whole all the same,
 * since the next one overwrites the excess; only the last must keep within the panel. */
static inline void
transpose_group(const float *const *rows, int64_t k, int64_t nr, float *out)
{
  int64_t p = 0;
  for (; p + 4 <= k; p += 4) {
    Vec r0 = load_quarters(rows, p), r1 = load_quarters(rows + 1, p);
    Vec r2 = load_quarters(rows + 2, p), r3 = load_quarters(rows + 3, p);
    Vec a = __builtin_shufflevector(r0, r1, WITHIN(0, 0, 1, 1));
    Vec b = __builtin_shufflevector(r2, r3, WITHIN(0, 0, 1, 1));
    Vec c = __builtin_shufflevector(r0, r1, WITHIN(2, 2, 3, 3));
    Vec d = __builtin_shufflevector(r2, r3, WITHIN(2, 2, 3, 3));
    float *to = out + p * nr;
    store(to, __builtin_shufflevector(a, b, WITHIN_PAIRS(0, 1)));
    store(to + nr, __builtin_shufflevector(a, b, WITHIN_PAIRS(2, 3)));
    store(to + 2 * nr, __builtin_shufflevector(c, d, WITHIN_PAIRS(0, 1)));
    Vec last = __builtin_shufflevector(c, d, WITHIN_PAIRS(2, 3));
    if (nr >= VL || p + 4 < k)
      store(to + 3 * nr, last);
    else
      memcpy(to + 3 * nr, &last, MR * sizeof *to);
  }
  int64_t n = nr < VL ? nr : VL;
  for (; p < k; p++)
    for (int64_t j = 0; j < n; j++)
      out[p * nr + j] = rows[j][p];
}

/* nr is MR or NR. Rows that are not there are read as copies of the first, then cleared. */
static void
transpose_panel(const float *const *rows, int64_t n, int64_t k, int64_t nr, float *out)
{
  for (int64_t j = 0; j < nr; j += VL) {
    const float *group[VL];
    for (int64_t i = 0; i < VL; i++)
      group[i] = rows[j + i < n ? j + i : 0];
    transpose_group(group, k, nr, out + j);
  }
  for (int64_t p = 0; n < nr && p < k; p++)
    memset(out + p * nr + n, 0, (size_t)(nr - n) * sizeof *out);
}

static void
pack_columns(const float *from, int64_t stride, int64_t n, float *out)
{
  for (int64_t i = 0; i < n; i++, from += stride, out += MR) {
    int64_t n_kept = i + 1 < MR ? i + 1 : MR;
    if (n_kept == MR) {
      memcpy(out, from, MR * sizeof *out); /* a constant size: a few moves */
      continue;
    }
    for (int64_t j = 0; j < MR; j++)
      out[j] = j < n_kept ? from[j] : 0;
  }
}

/* Columns of the pattern four at a time, so that each row of z is loaded once for four sums. */
#define MIX_VECS (VL == 16 ? 4 : 2)

static inline void
mix_four(const float *pattern, int64_t pattern_stride, int64_t n_i, int64_t n_j, const float *z,
         int64_t z_stride, float *out, int64_t out_stride, bool accumulate)
{
  Vec sum[4][MIX_VECS];
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++)
#pragma GCC unroll 4
    for (int v = 0; v < MIX_VECS; v++)
      sum[j][v] = (Vec){ 0 };
  for (int64_t i = 0; i < n_i; i++, pattern += pattern_stride, z += z_stride) {
    Vec x[MIX_VECS];
#pragma GCC unroll 4
    for (int v = 0; v < MIX_VECS; v++)
      x[v] = load(z + v * VL);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      Vec p = splat(pattern[j]);
#pragma GCC unroll 4
      for (int v = 0; v < MIX_VECS; v++)
        sum[j][v] += p * x[v];
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    if (j >= n_j)
      return;
#pragma GCC unroll 4
    for (int v = 0; v < MIX_VECS; v++) {
      float *to = out + j * out_stride + v * VL;
      store(to, accumulate ? load(to) + sum[j][v] : sum[j][v]);
    }
  }
}

static void
mix_columns(const float *pattern, int64_t pattern_stride, int64_t n_i, int64_t n_j,
            const float *z, int64_t z_stride, float *out, int64_t out_stride, int64_t width,
            bool accumulate)
{
  int64_t d = 0;
  if (n_j == 4)
    for (; d + MIX_VECS * VL <= width; d += MIX_VECS * VL)
      mix_four(pattern, pattern_stride, n_i, n_j, z + d, z_stride, out + d, out_stride,
               accumulate);
  for (int64_t j = 0; j < n_j && d < width; j++) {
    float *to = out + j * out_stride;
    if (!accumulate)
      memset(to + d, 0, (size_t)(width - d) * sizeof *to);
    for (int64_t i = 0; i < n_i; i++) {
      float p = pattern[i * pattern_stride + j];
      const float *x = z + i * z_stride;
      for (int64_t e = d; e < width; e++)
        to[e] += p * x[e];
    }
  }
}

static float
dot(const float *a, const float *b, int64_t n)
{
  Vec s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
  int64_t i = 0;
  for (; i + 4 * VL <= n; i += 4 * VL) {
    s0 += load(a + i) * load(b + i);
    s1 += load(a + i + VL) * load(b + i + VL);
    s2 += load(a + i + 2 * VL) * load(b + i + 2 * VL);
    s3 += load(a + i + 3 * VL) * load(b + i + 3 * VL);
  }
  for (; i + VL <= n; i += VL)
    s0 += load(a + i) * load(b + i);
  float sum = reduce((s0 + s1) + (s2 + s3));
  for (; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

static void
axpy(float alpha, const float *x, float *y, int64_t n)
{
  Vec va = splat(alpha);
  int64_t i = 0;
  for (; i + VL <= n; i += VL)
    store(y + i, load(y + i) + va * load(x + i));
  for (; i < n; i++)
    y[i] += alpha * x[i];
}

/* ---- element types --------------------------------------------------------------------- */

static inline float
f16_to_f32(uint16_t h)
{
#if defined(__F16C__)
  return __builtin_ia32_vcvtph2ps((short __attribute__((vector_size(16)))){ (short)h })[0];
#else
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 31, mantissa = h & 1023;
  union {
    uint32_t u;
    float f;
  } bits;
  if (exponent == 31)
    bits.u = sign | 0x7f800000u | (mantissa << 13);
  else if (exponent != 0)
    bits.u = sign | ((exponent + 112) << 23) | (mantissa << 13);
  else {
    bits.f = (float)mantissa * 0x1p-24f;
    bits.u |= sign;
  }
  return bits.f;
#endif
}

static inline float
half_at(const uint8_t *p)
{
  uint16_t h;
  memcpy(&h, p, 2);
  return f16_to_f32(h);
}

static void
decode_f32(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const char *p = (const char *)row + first * 4;
  if (scale == 1) {
    memcpy(out, p, (size_t)n * 4);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    float x;
    memcpy(&x, p + 4 * i, 4);
    out[i] = x * scale;
  }
}

static void
decode_f16(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *p = (const uint8_t *)row + first * 2;
  for (int64_t i = 0; i < n; i++)
    out[i] = half_at(p + 2 * i) * scale;
}

/* Sixteen at a time; where registers are narrower the compiler splits these. */
typedef uint8_t Bytes16 __attribute__((vector_size(16)));
typedef int8_t SignedBytes16 __attribute__((vector_size(16)));
typedef uint16_t Shorts16 __attribute__((vector_size(32)));
typedef int32_t Ints16 __attribute__((vector_size(64)));
typedef uint32_t Words16 __attribute__((vector_size(64)));
typedef float Floats16 __attribute__((vector_size(64)));
typedef float Floats16U __attribute__((vector_size(64), aligned(4), may_alias));

static inline void
put_16(Ints16 q, float d, float m, float *out)
{
  *(Floats16U *)out = __builtin_convertvector(q, Floats16) * d + m;
}

static inline void
put_signed_16(const int8_t *q, float d, float *out)
{
  SignedBytes16 bytes;
  memcpy(&bytes, q, 16);
  *(Floats16U *)out =
      __builtin_convertvector(__builtin_convertvector(bytes, Ints16), Floats16) * d;
}

static void
decode_bf16(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *p = (const uint8_t *)row + first * 2;
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    Shorts16 h;
    memcpy(&h, p + 2 * i, 32);
    *(Floats16U *)(out + i) = (Floats16)(__builtin_convertvector(h, Words16) << 16) * scale;
  }
  for (; i < n; i++) {
    uint16_t h;
    memcpy(&h, p + 2 * i, 2);
    union {
      uint32_t u;
      float f;
    } bits = { (uint32_t)h << 16 };
    out[i] = bits.f * scale;
  }
}

static void
decode_i8(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const int8_t *p = (const int8_t *)row + first;
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    put_signed_16(p + i, scale, out + i);
  for (; i < n; i++)
    out[i] = (float)p[i] * scale;
}

static void
decode_q8_0(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 32 * 34;
  for (int64_t i = 0; i < n; i += 32, block += 34) {
    float d = half_at(block) * scale;
    put_signed_16((const int8_t *)(block + 2), d, out + i);
    put_signed_16((const int8_t *)(block + 18), d, out + i + 16);
  }
}

/* Low nibbles are the first 16 of a block, high nibbles the last. */
static inline void
put_nibbles(const uint8_t *q, float d, float m, float *out)
{
  Bytes16 bytes;
  memcpy(&bytes, q, 16);
  put_16(__builtin_convertvector(bytes & 15, Ints16), d, m, out);
  put_16(__builtin_convertvector(bytes >> 4, Ints16), d, m, out + 16);
}

static void
decode_q4_0(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 32 * 18;
  for (int64_t i = 0; i < n; i += 32, block += 18) {
    float d = half_at(block) * scale;
    put_nibbles(block + 2, d, -8 * d, out + i);
  }
}

static void
decode_q4_1(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 32 * 20;
  for (int64_t i = 0; i < n; i += 32, block += 20)
    put_nibbles(block + 4, half_at(block) * scale, half_at(block + 2) * scale, out + i);
}

static void
decode_q5_0(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 32 * 22;
  for (int64_t i = 0; i < n; i += 32, block += 22) {
    float d = half_at(block) * scale;
    uint32_t high;
    memcpy(&high, block + 2, 4);
    const uint8_t *q = block + 6;
    for (int j = 0; j < 16; j++) {
      out[i + j] = (float)((int)((q[j] & 15) | (((high >> j) & 1) << 4)) - 16) * d;
      out[i + 16 + j] = (float)((int)((q[j] >> 4) | (((high >> (j + 16)) & 1) << 4)) - 16) * d;
    }
  }
}

static void
decode_q5_1(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 32 * 24;
  for (int64_t i = 0; i < n; i += 32, block += 24) {
    float d = half_at(block) * scale, m = half_at(block + 2) * scale;
    uint32_t high;
    memcpy(&high, block + 4, 4);
    const uint8_t *q = block + 8;
    for (int j = 0; j < 16; j++) {
      out[i + j] = (float)((q[j] & 15) | (((high >> j) & 1) << 4)) * d + m;
      out[i + 16 + j] = (float)((q[j] >> 4) | (((high >> (j + 16)) & 1) << 4)) * d + m;
    }
  }
}

/* The eight 6-bit (scale, minimum) pairs of a k-quant block of 256, packed in 12 bytes. */
static inline void
k_scale(const uint8_t *q, int j, uint8_t *scale, uint8_t *minimum)
{
  if (j < 4) {
    *scale = q[j] & 63;
    *minimum = q[j + 4] & 63;
  } else {
    *scale = (uint8_t)((q[j + 4] & 15) | ((q[j - 4] >> 6) << 4));
    *minimum = (uint8_t)((q[j + 4] >> 4) | ((q[j] >> 6) << 4));
  }
}

static void
decode_q4_k(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 256 * 144;
  for (int64_t i = 0; i < n; i += 256, block += 144) {
    float d = half_at(block) * scale, dmin = half_at(block + 2) * scale;
    const uint8_t *q = block + 16;
    for (int j = 0; j < 8; j++) {
      uint8_t s, m;
      k_scale(block + 4, j, &s, &m);
      float ds = d * s, dm = dmin * m;
      const uint8_t *part = q + j / 2 * 32;
      int shift = (j & 1) * 4;
      for (int t = 0; t < 32; t++)
        out[i + 32 * j + t] = (float)((part[t] >> shift) & 15) * ds - dm;
    }
  }
}

static void
decode_q5_k(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 256 * 176;
  for (int64_t i = 0; i < n; i += 256, block += 176) {
    float d = half_at(block) * scale, dmin = half_at(block + 2) * scale;
    const uint8_t *high = block + 16, *q = block + 48;
    for (int j = 0; j < 8; j++) {
      uint8_t s, m;
      k_scale(block + 4, j, &s, &m);
      float ds = d * s, dm = dmin * m;
      const uint8_t *part = q + j / 2 * 32;
      int shift = (j & 1) * 4;
      for (int t = 0; t < 32; t++) {
        int value = ((part[t] >> shift) & 15) | (((high[t] >> j) & 1) << 4);
        out[i + 32 * j + t] = (float)value * ds - dm;
      }
    }
  }
}

static void
decode_q6_k(const void *row, int64_t first, int64_t n, float scale, float *out)
{
  const uint8_t *block = (const uint8_t *)row + first / 256 * 210;
  for (int64_t i = 0; i < n; i += 256, block += 210) {
    const int8_t *scales = (const int8_t *)(block + 192);
    float d = half_at(block + 208) * scale;
    for (int j = 0; j < 8; j++) {
      /* 128 values share 64 low and 32 high bytes; j counts runs of 32. */
      const uint8_t *low = block + j / 4 * 64 + (j & 1) * 32;
      const uint8_t *high = block + 128 + j / 4 * 32;
      int low_shift = (j & 2) * 2, high_shift = (j & 3) * 2;
      for (int t = 0; t < 32; t++) {
        int value = ((low[t] >> low_shift) & 15) | (((high[t] >> high_shift) & 3) << 4);
        out[i + 32 * j + t] = d * scales[2 * j + t / 16] * (float)(value - 32);
      }
    }
  }
}

/* ---- elementwise ------------------------------------------------------------------------ */

static inline Vec
activate_vec(CwkActivation activation, Vec x)
{
  switch (activation) {
  case CWK_SILU:
    return x / (splat(1.0f) + exp_vec(-x));
  case CWK_GELU_TANH: {
    Vec inner = splat(0.7978845608f) * (x + splat(0.044715f) * x * x * x);
    return splat(0.5f) * x * (splat(1.0f) + tanh_vec(inner));
  }
  case CWK_GELU_ERF: {
    Vec y;
    for (int i = 0; i < VL; i++)
      y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678f));
    return y;
  }
  case CWK_RELU:
  default:
    return select_vec(x < (Vec){ 0 }, (Vec){ 0 }, x); /* NaN stays NaN */
  }
}

static void
activate(CwkActivation activation, const float *gate, const float *up, float *out, int64_t n)
{
  int64_t i = 0;
  for (; i + VL <= n; i += VL) {
    Vec y = activate_vec(activation, load(gate + i));
    store(out + i, up != NULL ? y * load(up + i) : y);
  }
  if (i < n) {
    float x[VL] = { 0 }, y[VL];
    memcpy(x, gate + i, (size_t)(n - i) * sizeof *x);
    store(y, activate_vec(activation, load(x)));
    for (int64_t j = i; j < n; j++)
      out[j] = up != NULL ? y[j - i] * up[j] : y[j - i];
  }
}

static float
exp_sum(float *x, int64_t n, float largest)
{
  Vec sum = { 0 }, shift = splat(largest);
  int64_t i = 0;
  for (; i + VL <= n; i += VL) {
    Vec y = exp_vec(load(x + i) - shift);
    store(x + i, y);
    sum += y;
  }
  float total = reduce(sum);
  if (i < n) {
    float tail[VL] = { 0 };
    memcpy(tail, x + i, (size_t)(n - i) * sizeof *tail);
    store(tail, exp_vec(load(tail) - shift));
    for (int64_t j = i; j < n; j++)
      total += x[j] = tail[j - i];
  }
  return total;
}

static float
max_of(const float *x, int64_t n)
{
  float largest = -INFINITY;
  int64_t i = 0;
  if (n >= VL) {
    Vec m = load(x);
    for (i = VL; i + VL <= n; i += VL) {
      Vec v = load(x + i);
      m = select_vec(v > m, v, m);
    }
    for (int j = 0; j < VL; j++)
      largest = m[j] > largest ? m[j] : largest;
  }
  for (; i < n; i++)
    largest = x[i] > largest ? x[i] : largest;
  return largest;
}

static void
soft_cap(float *x, int64_t n, float cap)
{
  Vec inverse = splat(1.0f / cap), scale = splat(cap);
  int64_t i = 0;
  for (; i + VL <= n; i += VL)
    store(x + i, scale * tanh_vec(load(x + i) * inverse));
  if (i < n) {
    float tail[VL] = { 0 };
    memcpy(tail, x + i, (size_t)(n - i) * sizeof *tail);
    store(tail, scale * tanh_vec(load(tail) * inverse));
    memcpy(x + i, tail, (size_t)(n - i) * sizeof *tail);
  }
}

/* 1 / x for x in 1e-30 .. 1e30: the processor's estimate and one step of Newton's method, which
 * leaves an error of some 1e-7 and takes a third of a division's time. */
static inline Vec
reciprocal(Vec x)
{
#if defined(__AVX512F__)
  Vec r = (Vec)_mm512_rcp14_ps((__m512)x);
#elif defined(__AVX2__)
  Vec r = (Vec)_mm256_rcp_ps((__m256)x);
#elif defined(__x86_64__)
  Vec r = (Vec)_mm_rcp_ps((__m128)x);
#else
  return 1.0f / x;
#endif
#if defined(__x86_64__)
  return r * (2.0f - x * r);
#endif
}

/* Up to n_vecs vectors of points held in registers while the sources pass by. */
static inline void
repel_vecs(const CwkRepulsionArgs *args, int64_t first, int64_t n, const int n_vecs)
{
  float padded[2][4 * VL] = { 0 };
  memcpy(padded[0], args->x + first, (size_t)n * sizeof(float));
  memcpy(padded[1], args->y + first, (size_t)n * sizeof(float));
  Vec x[4], y[4], fx[4], fy[4], softening = splat(args->softening);
#pragma GCC unroll 4
  for (int v = 0; v < n_vecs; v++) {
    x[v] = load(padded[0] + v * VL);
    y[v] = load(padded[1] + v * VL);
    fx[v] = fy[v] = (Vec){ 0 };
  }
  for (int64_t j = 0; j < args->n_sources; j++) {
    Vec sx = splat(args->source_x[j]), sy = splat(args->source_y[j]);
    Vec mass = splat(args->source_mass[j]);
#pragma GCC unroll 4
    for (int v = 0; v < n_vecs; v++) {
      Vec dx = x[v] - sx, dy = y[v] - sy;
      Vec w = mass * reciprocal(softening + dx * dx + dy * dy);
      fx[v] += dx * w;
      fy[v] += dy * w;
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < n_vecs; v++) {
    store(padded[0] + v * VL, fx[v]);
    store(padded[1] + v * VL, fy[v]);
  }
  memcpy(args->force_x + first, padded[0], (size_t)n * sizeof(float));
  memcpy(args->force_y + first, padded[1], (size_t)n * sizeof(float));
}

static void
repel(const CwkRepulsionArgs *args, int64_t first, int64_t n)
{
  int64_t end = first + n;
  for (; first + 4 * VL <= end; first += 4 * VL)
    repel_vecs(args, first, 4 * VL, 4);
  for (; first < end; first += VL)
    repel_vecs(args, first, end - first < VL ? end - first : VL, 1);
}

/* Points whose force stays in registers while the rest pass by. */
#define ROWS (VL == 16 ? 4 : 2)

/* The points `rows` against the vector of points at j; with is_edge only the pairs j > i, j <
 * n.
 */
static inline void
repel_rows(const float *x, const float *y, int64_t n, Vec softening, int64_t row, int64_t j,
           bool is_edge, Vec row_x[4], Vec row_y[4], float *force_x, float *force_y)
{
  Vec xj = load(x + j), yj = load(y + j), fx = load(force_x + j), fy = load(force_y + j);
  VecI index = (int32_t)j - (VecI){ 0 };
  for (int k = 0; is_edge && k < VL; k++)
    index[k] += k;
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; r++) {
    Vec dx = splat(x[row + r]) - xj, dy = splat(y[row + r]) - yj;
    Vec w = reciprocal(softening + dx * dx + dy * dy);
    if (is_edge)
      w = select_vec((index > (int32_t)(row + r)) & (index < (int32_t)n), w, (Vec){ 0 });
    row_x[r] += dx * w;
    row_y[r] += dy * w;
    fx -= dx * w;
    fy -= dy * w;
  }
  store(force_x + j, fx);
  store(force_y + j, fy);
}

static void
repel_mutually(const float *x, const float *y, int64_t n, float softening, int64_t lane,
               int64_t n_lanes, float *force_x, float *force_y)
{
  Vec soft = splat(softening);
  for (int64_t row = lane * ROWS; row < n; row += n_lanes * ROWS) {
    Vec row_x[4] = { { 0 } }, row_y[4] = { { 0 } };
    /* The vector that holds the rows themselves, the whole ones, and the last. */
    int64_t j = row / VL * VL;
    repel_rows(x, y, n, soft, row, j, true, row_x, row_y, force_x, force_y);
    for (j += VL; j + VL <= n; j += VL)
      repel_rows(x, y, n, soft, row, j, false, row_x, row_y, force_x, force_y);
    if (j < n)
      repel_rows(x, y, n, soft, row, j, true, row_x, row_y, force_x, force_y);
    for (int r = 0; r < ROWS; r++)
      for (int k = 0; k < VL; k++) {
        force_x[row + r] += row_x[r][k];
        force_y[row + r] += row_y[r][k];
      }
  }
}

const CwkIsaKernels ISA_TABLE = {
  .mr = MR,
  .nr = NR,
  .micro_tile = micro_tile,
  .transpose_panel = transpose_panel,
  .pack_columns = pack_columns,
  .mix_columns = mix_columns,
  .dot = dot,
  .axpy = axpy,
  .activate = activate,
  .exp_sum = exp_sum,
  .max = max_of,
  .soft_cap = soft_cap,
  .repel = repel,
  .repel_mutually = repel_mutually,
  .decode = { [CWK_F32] = decode_f32,
              [CWK_F16] = decode_f16,
              [CWK_BF16] = decode_bf16,
              [CWK_Q8_0] = decode_q8_0,
              [CWK_Q4_0] = decode_q4_0,
              [CWK_Q4_1] = decode_q4_1,
              [CWK_Q5_0] = decode_q5_0,
              [CWK_Q5_1] = decode_q5_1,
              [CWK_Q4_K] = decode_q4_k,
              [CWK_Q5_K] = decode_q5_k,
              [CWK_Q6_K] = decode_q6_k,
              [CWK_I8] = decode_i8 },
};
