/* quantise.c - uniform steps from a wanted error, and escapes for what they do not reach.
 *
 * Rounding to a step s loses s^2 / 12 per value, whatever the values are, so the step follows
 * from the wanted error and the mean square. One scale from the largest magnitude, as
 * CLT-Forge has it, rounds a whole layer to zero where one value is 500 times the others; here
 * such a value is kept apart as it is, and its energy does not count towards the step either.
 * zstd's entropy stage then makes rare codes cost more than frequent ones, which is why int8
 * codes take about 4 bits.
 *
 * The loops name their lanes, for the compiler may not reorder sums by itself, and round by
 * adding 1.5 x 2^23, which any instruction set can. */
#include "activations/quantise.h"

#include <math.h>
#include <string.h>

/* Of the error asked for: s^2 / 12 is a mean; layers stray from it by parts of a percent. */
#define MARGIN     0.99
#define LANES      16
#define ROUNDING   12582912.0f /* 1.5 x 2^23: the unit of the last place is 1 */
#define MAX_ROUNDS 4
/* Values of so many steps do not count as energy: what no code of 8 bits reaches. */
#define OUTLIER_STEPS 127.5f
#define F16_MAX       65504.0f
#define SMALLEST_F16  0x1p-14f

typedef float Floats __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int8_t Bytes __attribute__((vector_size(LANES), aligned(1), may_alias));
typedef uint16_t Halves __attribute__((vector_size(LANES * 2), aligned(1), may_alias));

static inline float
largest_code(CwCodec codec)
{
  return codec == CW_CODEC_INT4 ? 7 : 127;
}

/* ---- the step --------------------------------------------------------------------------- */

/* Of the values no larger than limit. */
static double
sum_of_squares(const float *x, int64_t n, float limit)
{
  Floats lanes = { 0 };
  const Floats bound = limit - (Floats){ 0 };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    Floats v = *(const Floats *)(x + i), size = (Floats)((Ints)v & 0x7fffffff);
    v = (Floats)((Ints)v & (size <= bound));
    lanes += v * v;
  }
  double sum = 0;
  for (int k = 0; k < LANES; k++)
    sum += (double)lanes[k];
  for (; i < n; i++)
    sum += fabsf(x[i]) <= limit ? (double)x[i] * (double)x[i] : 0;
  return sum;
}

/* Squares beyond f32's range are summed again in f64. NaN if a value is not finite. */
static double
row_energy(const float *x, int64_t n, float limit)
{
  double sum = sum_of_squares(x, n, limit);
  if (isfinite(sum))
    return sum;
  sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += fabsf(x[i]) <= limit ? (double)x[i] * (double)x[i] : 0;
  return sum;
}

static bool
is_finite_row(const float *x, int64_t n)
{
  Ints lanes = { 0 };
  int64_t i = 0;
  bool is_finite = true;
  for (; i + LANES <= n; i += LANES)
    lanes |= (*(const Ints *)(x + i) & 0x7f800000) == 0x7f800000;
  for (int k = 0; k < LANES; k++)
    is_finite = is_finite && lanes[k] == 0;
  for (; i < n; i++)
    is_finite = is_finite && isfinite(x[i]);
  return is_finite;
}

static double
plane_energy(const float *values, int64_t n, int64_t width, float limit)
{
  double sum = 0;
  for (int64_t r = 0; r < n; r++)
    sum += row_energy(values + r * width, width, limit);
  return sum;
}

bool
cw_quantise_choose_step(CwCodec codec, const float *values, int64_t n, int64_t width,
                        double target_error, float *step, double *energy)
{
  for (int64_t r = 0; r < n; r++)
    if (!is_finite_row(values + r * width, width))
      return false;
  double all = plane_energy(values, n, width, INFINITY), kept = all;
  float chosen = 1;
  for (int round = 0; codec != CW_CODEC_NONE && round < MAX_ROUNDS && kept > 0; round++) {
    chosen = (float)sqrt(12 * MARGIN * target_error * kept / ((double)n * (double)width));
    float limit = OUTLIER_STEPS * chosen;
    double within = plane_energy(values, n, width, limit);
    if (within >= kept * 0.99 || within <= 0)
      break;
    kept = within;
  }
  *step = isnormal(chosen) ? chosen : 1;
  *energy = all;
  return true;
}

/* ---- codes ------------------------------------------------------------------------------ */

static void
add_escape(GArray *escapes, uint32_t at, float value)
{
  CwEscape escape = { at, value };
  g_array_append_val(escapes, escape);
}

static double
round_slowly(const float *x, int64_t n, float step, float limit, int8_t *codes, uint32_t first,
             GArray *escapes)
{
  double error = 0;
  for (int64_t i = 0; i < n; i++) {
    float scaled = x[i] / step;
    codes[i] = 0;
    if (fabsf(scaled) > limit + 0.5f) {
      add_escape(escapes, first + (uint32_t)i, x[i]);
      continue;
    }
    float code = CLAMP(rintf(scaled), -limit, limit);
    codes[i] = (int8_t)code;
    double miss = (double)x[i] - (double)code * (double)step;
    error += miss * miss;
  }
  return error;
}

static double
round_row(const float *x, int64_t n, float step, float limit, int8_t *codes, uint32_t first,
          GArray *escapes)
{
  const float inverse = 1 / step;
  if (!isfinite(inverse))
    return round_slowly(x, n, step, limit, codes, first, escapes);
  Floats errors = { 0 };
  Ints beyond = { 0 };
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    Floats v = *(const Floats *)(x + i) * inverse;
    Floats rounded = (v + ROUNDING) - ROUNDING;
    Floats size = (Floats)((Ints)v & 0x7fffffff);
    beyond |= size > limit + 0.49f;
    *(Bytes *)(codes + i) =
        __builtin_convertvector(__builtin_convertvector(rounded, Ints), Bytes);
    Floats miss = v - rounded;
    errors += miss * miss;
  }
  bool is_beyond = false;
  double error = 0;
  for (int k = 0; k < LANES; k++) {
    is_beyond = is_beyond || beyond[k] != 0;
    error += (double)errors[k];
  }
  if (is_beyond)
    return round_slowly(x, n, step, limit, codes, first, escapes);
  return error * (double)step * (double)step +
         round_slowly(x + i, n - i, step, limit, codes + i, first + (uint32_t)i, escapes);
}

/* To nearest, ties to even, |x| <= 65504: the mantissa is cut by an addition for subnormal
 * numbers, by integer arithmetic for the others. */
static inline Halves
narrow(Floats x)
{
  Ints bits = (Ints)x, sign = bits & (Ints)(0x80000000u - (Ints){ 0 });
  bits ^= sign;
  Floats tiny = (Floats)bits + 0.5f; /* its last place is 2^-24, f16's smallest number */
  Ints low = (Ints)tiny - 0x3f000000;
  Ints odd = (bits >> 13) & 1;
  Ints high = (bits - ((127 - 15) << 23) + 0xfff + odd) >> 13;
  Ints is_tiny = (Floats)bits < SMALLEST_F16;
  Ints half = (low & is_tiny) | (high & ~is_tiny);
  return __builtin_convertvector(half | ((sign >> 16) & 0x8000), Halves);
}

static float
widen(uint16_t half)
{
  uint32_t bits = (uint32_t)(half & 0x7fff) << 13;
  float value;
  memcpy(&value, &bits, sizeof value);
  return (half & 0x8000 ? -value : value) * 0x1p112f;
}

static double
halve_row(const float *x, int64_t n, uint16_t *codes, uint32_t first, GArray *escapes)
{
  double error = 0;
  for (int64_t i = 0; i < n; i += LANES) {
    Floats v = { 0 };
    int64_t n_here = MIN(LANES, n - i);
    memcpy(&v, x + i, (size_t)n_here * sizeof *x);
    for (int64_t k = 0; k < n_here; k++)
      if (fabsf(v[k]) > F16_MAX) {
        add_escape(escapes, first + (uint32_t)(i + k), v[k]);
        v[k] = 0;
      }
    Halves halves = narrow(v);
    memcpy(codes + i, &halves, (size_t)n_here * sizeof *codes);
    for (int64_t k = 0; k < n_here; k++) {
      double miss = (double)v[k] - (double)widen(halves[k]);
      error += miss * miss;
    }
  }
  return error;
}

double
cw_quantise_row(CwCodec codec, const float *values, int64_t width, float step, void *codes,
                uint32_t first, GArray *escapes)
{
  if (codec == CW_CODEC_NONE)
    return halve_row(values, width, codes, first, escapes);
  return round_row(values, width, step, largest_code(codec), codes, first, escapes);
}
