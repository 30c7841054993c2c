/* tile-kernels.c - inner loops of sparse dictionaries, compiled once per instruction set.
 *
 * A tile has CWK_TILE columns. Where a loop over entries needs accumulators for a gradient and
 * a weight row besides them, it covers a strip of four vectors at a time; where accumulators
 * alone are needed, the whole tile. Sums over entries run in ascending order of tokens. */
#include "cpu/tile-kernels.h"
#include "cpu/isa-vector.h"

#include <string.h>

#if VL == 16
#  define TILE_TABLE cwk_tiles_avx512
#elif VL == 8
#  define TILE_TABLE cwk_tiles_avx2
#else
#  define TILE_TABLE cwk_tiles_baseline
#endif

#define STRIP     (4 * VL)
#define TILE_VECS (CWK_TILE / VL)

/* Bit i of the result is set where lane i of a comparison is. */
static inline uint64_t
mask_bits(VecI mask)
{
#if defined(__AVX512F__)
  return (uint64_t)_mm512_movepi32_mask((__m512i)mask);
#elif defined(__AVX2__)
  return (uint64_t)(unsigned)_mm256_movemask_ps((__m256)mask);
#elif defined(__x86_64__)
  return (uint64_t)(unsigned)_mm_movemask_ps((__m128)mask);
#else
  uint64_t bits = 0;
  for (int i = 0; i < VL; i++)
    bits |= (uint64_t)(mask[i] != 0) << i;
  return bits;
#endif
}

static inline double
reduce_to_double(Vec v)
{
  double sum = 0;
  for (int i = 0; i < VL; i++)
    sum += (double)v[i];
  return sum;
}

/* ---- gate ------------------------------------------------------------------------------- */

typedef struct {
  Vec bias, threshold, half_band, shortfall;
} Gate;

static inline Vec
gate_vec(Gate *gate, Vec pre, uint64_t *active, uint64_t *band)
{
  Vec h = pre + gate->bias, over = h - gate->threshold;
  *active = mask_bits(h > gate->threshold);
  Vec distance = (Vec)((VecI)over & ~(VecI)splat(-0.0f));
  *band = mask_bits(distance < gate->half_band);
  gate->shortfall += select_vec(over < (Vec){ 0 }, -over, (Vec){ 0 });
  return h;
}

static CwkGateCounts
gate_row(float *h, int64_t n, float bias, float threshold, float half_band, uint64_t *active,
         uint64_t *band)
{
  Gate gate = { splat(bias), splat(threshold), splat(half_band), { 0 } };
  CwkGateCounts counts = { 0 };
  for (int64_t word = 0; word * 64 < n; word++) {
    int64_t first = word * 64, rest = n - first < 64 ? n - first : 64;
    uint64_t is_active = 0, is_near = 0, a, b;
    int64_t i = 0;
    for (; i + VL <= rest; i += VL) {
      store(h + first + i, gate_vec(&gate, load(h + first + i), &a, &b));
      is_active |= a << i;
      is_near |= b << i;
    }
    if (i < rest) {
      /* Padding at infinity is active and leaves no shortfall; its bits are cleared. */
      Vec tail = splat(INFINITY);
      memcpy(&tail, h + first + i, (size_t)(rest - i) * sizeof(float));
      tail = gate_vec(&gate, tail, &a, &b);
      memcpy(h + first + i, &tail, (size_t)(rest - i) * sizeof(float));
      uint64_t real = ((uint64_t)1 << (rest - i)) - 1;
      is_active |= (a & real) << i;
      is_near |= (b & real) << i;
    }
    active[word] = is_active;
    if (band != NULL)
      band[word] = is_near;
    counts.n_active += __builtin_popcountll(is_active);
    counts.n_band += __builtin_popcountll(is_near);
  }
  counts.shortfall = reduce_to_double(gate.shortfall);
  return counts;
}

/* ---- tanh penalty ----------------------------------------------------------------------- */

static void
tanh_row(const float *value, int64_t n, float scale, float norm, float threshold,
         float half_band, float *derivative, double sums[3])
{
  Vec factor = splat(scale * norm);
  sums[0] = sums[1] = sums[2] = 0;
  for (int64_t i = 0; i < n; i += VL) {
    int64_t rest = n - i < VL ? n - i : VL;
    float a[VL] = { 0 }, t[VL], d[VL];
    memcpy(a, value + i, (size_t)rest * sizeof *a);
    Vec tanh_value = tanh_vec(factor * load(a));
    store(t, tanh_value);
    store(d, splat(1) - tanh_value * tanh_value);
    for (int64_t j = 0; j < rest; j++) {
      sums[0] += (double)t[j];
      sums[1] += (double)(scale * a[j] * d[j]);
      derivative[i + j] = scale * norm * d[j];
      if (a[j] - threshold < half_band)
        sums[2] += (double)derivative[i + j];
    }
  }
}

/* ---- decoding --------------------------------------------------------------------------- */

/* Two sets of sums where the tile takes few vectors, lest each waits for the one before. */
static void
decode_token(const int32_t *index, const float *value, int64_t n, const float *weight,
             float *out)
{
  Vec even[TILE_VECS], odd[TILE_VECS];
#pragma GCC unroll 16
  for (int j = 0; j < TILE_VECS; j++) {
    even[j] = load(out + j * VL);
    odd[j] = (Vec){ 0 };
  }
  int64_t e = 0;
#if VL == 16
  for (; e + 2 <= n; e += 2) {
    const float *w0 = weight + (int64_t)index[e] * CWK_TILE;
    const float *w1 = weight + (int64_t)index[e + 1] * CWK_TILE;
    Vec v0 = splat(value[e]), v1 = splat(value[e + 1]);
#  pragma GCC unroll 16
    for (int j = 0; j < TILE_VECS; j++) {
      even[j] += v0 * load(w0 + j * VL);
      odd[j] += v1 * load(w1 + j * VL);
    }
  }
#endif
  for (; e < n; e++) {
    const float *w = weight + (int64_t)index[e] * CWK_TILE;
    Vec v = splat(value[e]);
#pragma GCC unroll 16
    for (int j = 0; j < TILE_VECS; j++)
      even[j] += v * load(w + j * VL);
  }
#pragma GCC unroll 16
  for (int j = 0; j < TILE_VECS; j++)
    store(out + j * VL, even[j] + odd[j]);
}

/* ---- gradients of rows ------------------------------------------------------------------ */

/* Lane i of the result is the sum of all lanes of v[i]. */
static inline Vec
reduce_each(const Vec v[VL])
{
#if VL == 4
#  define LANES(a, b, i, j) __builtin_shufflevector(a, b, i, j, i + 4, j + 4)
#elif VL == 8
#  define LANES(a, b, i, j) \
    __builtin_shufflevector(a, b, i, j, i + 8, j + 8, i + 4, j + 4, i + 12, j + 12)
#else
#  define LANES(a, b, i, j)                                                                  \
    __builtin_shufflevector(a, b, i, j, i + 16, j + 16, i + 4, j + 4, i + 20, j + 20, i + 8, \
                            j + 8, i + 24, j + 24, i + 12, j + 12, i + 28, j + 28)
#endif
  /* Within each quarter of 16 bytes: sums of four vectors side by side. */
  Vec four[VL / 4];
#pragma GCC unroll 4
  for (int q = 0; q < VL / 4; q++) {
    const Vec *x = v + 4 * q;
    Vec a = LANES(x[0], x[1], 0, 1) + LANES(x[0], x[1], 2, 3);
    Vec b = LANES(x[2], x[3], 0, 1) + LANES(x[2], x[3], 2, 3);
    four[q] = LANES(a, b, 0, 2) + LANES(a, b, 1, 3);
  }
#undef LANES
#if VL == 4
  return four[0];
#elif VL == 8
  return __builtin_shufflevector(four[0], four[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(four[0], four[1], 4, 5, 6, 7, 12, 13, 14, 15);
#else
  Vec low = __builtin_shufflevector(four[0], four[1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19,
                                    20, 21, 22, 23) +
            __builtin_shufflevector(four[0], four[1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26,
                                    27, 28, 29, 30, 31);
  Vec high = __builtin_shufflevector(four[2], four[3], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19,
                                     20, 21, 22, 23) +
             __builtin_shufflevector(four[2], four[3], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26,
                                     27, 28, 29, 30, 31);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25,
                                 26, 27) +
         __builtin_shufflevector(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29,
                                 30, 31);
#endif
}

/* The entries e .. e + n - 1 (n <= VL): adds to the strip's gradient, returns their dots. */
static inline Vec
adjoint_group(const CwkRowGradient *row, int64_t e, int64_t n, int64_t column, const Vec w[4],
              Vec gradient[4])
{
  Vec dots[VL];
  for (int64_t i = 0; i < n; i++) {
    const float *x = row->source + row->token[e + i] * row->token_stride + column;
    Vec c = splat(row->coefficient[e + i]);
    Vec y0 = load(x), y1 = load(x + VL), y2 = load(x + 2 * VL), y3 = load(x + 3 * VL);
    dots[i] = (y0 * w[0] + y1 * w[1]) + (y2 * w[2] + y3 * w[3]);
    gradient[0] += c * y0;
    gradient[1] += c * y1;
    gradient[2] += c * y2;
    gradient[3] += c * y3;
  }
  for (int64_t i = n; i < VL; i++)
    dots[i] = (Vec){ 0 };
  return reduce_each(dots);
}

static double
adjoint_tile(const CwkRowGradient *row, const float *weight, float *adjoint)
{
  Vec norm2 = { 0 }, scale = splat(row->weight_scale);
  for (int64_t column = 0; column < CWK_TILE; column += STRIP) {
    Vec w[4], gradient[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      w[j] = load(weight + column + j * VL);
      gradient[j] = scale * w[j];
    }
    int64_t e = 0;
    for (; e + VL <= row->n; e += VL) {
      Vec sums = adjoint_group(row, e, VL, column, w, gradient);
      store(adjoint + e, load(adjoint + e) + sums);
    }
    if (e < row->n) {
      Vec sums = adjoint_group(row, e, row->n - e, column, w, gradient);
      for (int64_t i = e; i < row->n; i++)
        adjoint[i] += sums[i - e];
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++)
      norm2 += gradient[j] * gradient[j];
  }
  return reduce_to_double(norm2);
}

static inline void
sum_gradient(const CwkRowGradient *row, const float *weight, Vec gradient[TILE_VECS])
{
  Vec even[TILE_VECS], odd[TILE_VECS];
#pragma GCC unroll 16
  for (int j = 0; j < TILE_VECS; j++) {
    even[j] = splat(row->weight_scale) * load(weight + j * VL);
    odd[j] = (Vec){ 0 };
    if (row->shift != NULL)
      even[j] += splat(row->shift_scale) * load(row->shift + j * VL);
  }
  int64_t e = 0;
#if VL == 16
  for (; e + 2 <= row->n; e += 2) {
    const float *x0 = row->source + row->token[e] * row->token_stride;
    const float *x1 = row->source + row->token[e + 1] * row->token_stride;
    Vec c0 = splat(row->coefficient[e]), c1 = splat(row->coefficient[e + 1]);
#  pragma GCC unroll 16
    for (int j = 0; j < TILE_VECS; j++) {
      even[j] += c0 * load(x0 + j * VL);
      odd[j] += c1 * load(x1 + j * VL);
    }
  }
#endif
  for (; e < row->n; e++) {
    const float *x = row->source + row->token[e] * row->token_stride;
    Vec c = splat(row->coefficient[e]);
#pragma GCC unroll 16
    for (int j = 0; j < TILE_VECS; j++)
      even[j] += c * load(x + j * VL);
  }
#pragma GCC unroll 16
  for (int j = 0; j < TILE_VECS; j++)
    gradient[j] = even[j] + odd[j];
}

static double
gradient_norm_tile(const CwkRowGradient *row, const float *weight)
{
  Vec gradient[TILE_VECS], norm2 = { 0 };
  sum_gradient(row, weight, gradient);
  for (int j = 0; j < TILE_VECS; j++)
    norm2 += gradient[j] * gradient[j];
  return reduce_to_double(norm2);
}

/* ---- Adam ------------------------------------------------------------------------------- */

static inline Vec
root(Vec x)
{
#if defined(__AVX512F__)
  return (Vec)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (Vec)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
  return (Vec)_mm_sqrt_ps((__m128)x);
#else
  for (int i = 0; i < VL; i++)
    x[i] = sqrtf(x[i]);
  return x;
#endif
}

static inline Vec
adam_vec(const CwkAdam *adam, Vec g, Vec w, Vec *m, Vec *v)
{
  *m += splat(1 - adam->beta1) * (g - *m);
  *v = splat(adam->beta2) * *v + splat(1 - adam->beta2) * g * g;
  Vec below = root(*v) * splat(adam->inverse_root_correction) + splat(adam->epsilon);
  return w - splat(adam->step_size) * *m / below;
}

static double
adam_tile(const CwkRowGradient *row, float gradient_factor, const CwkAdam *adam, float *weight,
          float *m, float *v)
{
  Vec gradient[TILE_VECS], norm2 = { 0 }, factor = splat(gradient_factor);
  sum_gradient(row, weight, gradient);
#pragma GCC unroll 16
  for (int j = 0; j < TILE_VECS; j++) {
    Vec first = load(m + j * VL), second = load(v + j * VL);
    Vec w = adam_vec(adam, factor * gradient[j], load(weight + j * VL), &first, &second);
    store(m + j * VL, first);
    store(v + j * VL, second);
    store(weight + j * VL, w);
    norm2 += w * w;
  }
  return reduce_to_double(norm2);
}

static void
adam_values(const CwkAdamArgs *args, int64_t first, int64_t n)
{
  for (int64_t i = first; i < first + n; i += VL) {
    size_t n_bytes = (size_t)(first + n - i < VL ? first + n - i : VL) * sizeof(float);
    Vec g = { 0 }, w = { 0 }, m = { 0 }, v = { 0 };
    memcpy(&g, args->gradient + i, n_bytes);
    memcpy(&w, args->weight + i, n_bytes);
    memcpy(&m, args->m + i, n_bytes);
    memcpy(&v, args->v + i, n_bytes);
    w = adam_vec(&args->adam, splat(args->gradient_factor) * g, w, &m, &v);
    memcpy(args->weight + i, &w, n_bytes);
    memcpy(args->m + i, &m, n_bytes);
    memcpy(args->v + i, &v, n_bytes);
  }
}

/* ---- sums over sets of tokens ----------------------------------------------------------- */

/* The sums of the 16 subsets of four rows, one vector of columns. */
static inline void
store_subsets(const Vec row[4], float *table)
{
  Vec sum[16];
  sum[0] = (Vec){ 0 };
#pragma GCC unroll 16
  for (int set = 1; set < 16; set++) {
    int highest = set >= 8 ? 3 : set >= 4 ? 2 : set >= 2 ? 1 : 0;
    sum[set] = sum[set - (1 << highest)] + row[highest];
  }
#pragma GCC unroll 16
  for (int set = 0; set < 16; set++)
    store(table + set * STRIP, sum[set]);
}

static void
build_tables(const float *rows, int64_t n, float *tables)
{
  for (int64_t b = 0; b < CWK_CHUNK_TOKENS; b += 4, tables += 16 * STRIP)
#pragma GCC unroll 4
    for (int j = 0; j < STRIP; j += VL) {
      Vec row[4];
#pragma GCC unroll 4
      for (int k = 0; k < 4; k++)
        row[k] = b + k < n ? load(rows + (b + k) * CWK_TILE + j) : (Vec){ 0 };
      store_subsets(row, tables + j);
    }
}

/* Sums in pairs, lest each addition waits for the one before. */
static void
add_by_table(const uint32_t *sets, int64_t n, const float *tables, float *sums)
{
  for (int64_t i = 0; i < n; i++, sums += STRIP) {
    const float *x[CWK_CHUNK_TOKENS / 4];
#pragma GCC unroll 8
    for (int group = 0; group < CWK_CHUNK_TOKENS / 4; group++)
      x[group] = tables + (group * 16 + ((sets[i] >> (4 * group)) & 15)) * STRIP;
#pragma GCC unroll 4
    for (int j = 0; j < STRIP; j += VL) {
      Vec low = (load(x[0] + j) + load(x[1] + j)) + (load(x[2] + j) + load(x[3] + j));
      Vec high = (load(x[4] + j) + load(x[5] + j)) + (load(x[6] + j) + load(x[7] + j));
      store(sums + j, load(sums + j) + (low + high));
    }
  }
}

static double
dot_rows(const int32_t *token, int64_t n, const float *rows, const float *weight)
{
  Vec sum[TILE_VECS], product = { 0 };
#pragma GCC unroll 16
  for (int j = 0; j < TILE_VECS; j++)
    sum[j] = (Vec){ 0 };
  for (int64_t e = 0; e < n; e++) {
    const float *x = rows + (int64_t)token[e] * CWK_TILE;
#pragma GCC unroll 16
    for (int j = 0; j < TILE_VECS; j++)
      sum[j] += load(x + j * VL);
  }
#pragma GCC unroll 16
  for (int j = 0; j < TILE_VECS; j++)
    product += sum[j] * load(weight + j * VL);
  return (double)reduce(product);
}

static float
dot_strip(const float *a, const float *b)
{
  return reduce((load(a) * load(b) + load(a + VL) * load(b + VL)) +
                (load(a + 2 * VL) * load(b + 2 * VL) + load(a + 3 * VL) * load(b + 3 * VL)));
}

const CwkTileKernels TILE_TABLE = {
  .strip = STRIP,
  .gate_row = gate_row,
  .tanh_row = tanh_row,
  .decode_token = decode_token,
  .adjoint_tile = adjoint_tile,
  .gradient_norm_tile = gradient_norm_tile,
  .adam_tile = adam_tile,
  .adam_values = adam_values,
  .build_tables = build_tables,
  .add_by_table = add_by_table,
  .dot_rows = dot_rows,
  .dot_strip = dot_strip,
};
