/* isa-rows.c - loops over one row of the residual stream or of a head, compiled once per
 * instruction set like isa-kernels.c.
 *
 * Short and bound by loads and stores, so plain loops that the compiler vectorises do; only the
 * sums name their lanes, for a sum's order has to be written down to be turned into vectors.
 * The lanes are as many on every instruction set, so that they all add in one order. */
#include "cpu/isa-kernels.h"

#include <math.h>

#if defined(__AVX512F__)
#  define ISA_ROWS cwk_rows_avx512
#elif defined(__AVX2__)
#  define ISA_ROWS cwk_rows_avx2
#else
#  define ISA_ROWS cwk_rows_baseline
#endif

#define LANES 16

typedef float Floats __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef double Doubles __attribute__((vector_size(LANES * 8)));

static inline double
add_lanes(Doubles lanes)
{
  double sum = 0;
  for (int i = 0; i < LANES; i++)
    sum += lanes[i];
  return sum;
}

static double
sum_of(const float *x, int64_t n)
{
  Doubles lanes = { 0 };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    lanes += __builtin_convertvector(*(const Floats *)(x + i), Doubles);
  double sum = add_lanes(lanes);
  for (; i < n; i++)
    sum += (double)x[i];
  return sum;
}

static double
sum_of_squares(const float *x, int64_t n, double mean)
{
  Doubles lanes = { 0 };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    Doubles d = __builtin_convertvector(*(const Floats *)(x + i), Doubles) - mean;
    lanes += d * d;
  }
  double sum = add_lanes(lanes);
  for (; i < n; i++)
    sum += ((double)x[i] - mean) * ((double)x[i] - mean);
  return sum;
}

static void
norm_row(const CwkNormArgs *args, int64_t row)
{
  const float *x = args->x + row * args->n_cols, *weight = args->weight, *bias = args->bias;
  int64_t n = args->n_cols;
  double mean = args->is_layer_norm ? sum_of(x, n) / (double)n : 0;
  double square = sum_of_squares(x, n, mean);
  float scale = (float)sqrt(square / (double)n + (double)args->epsilon);
  float inverse = 1.0f / scale, shift = (float)mean;
  if (args->scale != NULL)
    args->scale[row] = scale;
  float *hat = args->normalised != NULL ? args->normalised + row * n : NULL;
  float *out = args->out != NULL ? args->out + row * n : NULL;
  if (hat == NULL && bias == NULL && weight != NULL && out != NULL) { /* RMSNorm, no taps */
    for (int64_t i = 0; i < n; i++)
      out[i] = (x[i] - shift) * inverse * weight[i];
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    float h = (x[i] - shift) * inverse;
    float y = weight != NULL ? h * weight[i] : h;
    if (bias != NULL)
      y += bias[i];
    if (hat != NULL)
      hat[i] = h;
    if (out != NULL)
      out[i] = y;
  }
}

static void
rotate_head(float *x, const float *cosine, const float *sine, int64_t half, bool is_interleaved)
{
  if (is_interleaved) {
    for (int64_t i = 0; i < half; i++) {
      float a = x[2 * i], b = x[2 * i + 1];
      x[2 * i] = a * cosine[i] - b * sine[i];
      x[2 * i + 1] = b * cosine[i] + a * sine[i];
    }
    return;
  }
  float *y = x + half;
  for (int64_t i = 0; i < half; i++) {
    float a = x[i], b = y[i];
    x[i] = a * cosine[i] - b * sine[i];
    y[i] = b * cosine[i] + a * sine[i];
  }
}

const CwkRowKernels ISA_ROWS = {
  .norm_row = norm_row,
  .rotate_head = rotate_head,
};
