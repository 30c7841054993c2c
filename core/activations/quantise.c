/* quantise.c - uniform steps from a wanted error, and escapes for what they do not reach.
 *
 * Rounding to a step s loses s^2 / 12 per value, whatever the values are, so the step follows
 * from the wanted error and the mean square. One scale from the largest magnitude, as
 * CLT-Forge has it, rounds a whole layer to zero where one value is 500 times the others; here
 * such a value is kept apart as it is, and its energy does not count towards the step either.
 * zstd's entropy stage then makes rare codes cost more than frequent ones, which is why int8
 * codes take about 4 bits.
 *
 * A plane is read twice, once for its step and once for its codes: which rows hold outliers is
 * noted the first time, and only they are looked at again. */
#include "activations/quantise.h"

#include <math.h>
#include <string.h>

/* Of the error asked for: s^2 / 12 is a mean; layers stray from it by parts of a percent. */
#define MARGIN     0.99
#define LANES      16
#define MAX_ROUNDS 4
/* Values of so many steps do not count as energy: what no code of 8 bits reaches. */
#define OUTLIER_STEPS 127.5f
#define F16_MAX       65504.0f
#define SMALLEST_F16  0x1p-14f

typedef float Floats __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint16_t Halves __attribute__((vector_size(LANES * 2), aligned(1), may_alias));

static inline float
largest_code(CwCodec codec)
{
  return codec == CW_CODEC_INT4 ? 7 : 127;
}

/* ---- the step --------------------------------------------------------------------------- */

/* The energy of the values no larger than limit. */
static double
energy_within(const CwkCodeKernels *kernels, const float *values, int64_t n, int64_t width,
              const CwRowSize *sizes, float limit)
{
  double sum = 0;
  for (int64_t r = 0; r < n; r++) {
    float largest;
    sum += sizes[r].largest <= limit
               ? sizes[r].energy
               : kernels->sum_squares(values + r * width, width, limit, &largest);
  }
  return sum;
}

bool
cw_quantise_choose_step(CwCodec codec, const float *values, int64_t n, int64_t width,
                        double target_error, CwRowSize *sizes, float *step, double *energy)
{
  const CwkCodeKernels *kernels = cwk_code_kernels();
  double all = 0;
  for (int64_t r = 0; r < n; r++) {
    sizes[r].energy =
        kernels->sum_squares(values + r * width, width, INFINITY, &sizes[r].largest);
    if (!isfinite(sizes[r].largest))
      return false;
    all += sizes[r].energy;
  }
  double kept = all;
  float chosen = 1;
  for (int round = 0; codec != CW_CODEC_NONE && round < MAX_ROUNDS && kept > 0; round++) {
    chosen = (float)sqrt(12 * MARGIN * target_error * kept / ((double)n * (double)width));
    double within = energy_within(kernels, values, n, width, sizes, OUTLIER_STEPS * chosen);
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

/* Where 1 / step is no normal number. */
static double
round_slowly(const CwRowCoder *coder, const float *x, int8_t *codes, uint32_t first)
{
  float limit = largest_code(coder->codec);
  double error = 0;
  for (int64_t i = 0; i < coder->width; i++) {
    float scaled = x[i] / coder->step;
    codes[i] = 0;
    if (fabsf(scaled) > limit + 0.5f) {
      add_escape(coder->escapes, first + (uint32_t)i, x[i]);
      continue;
    }
    float code = CLAMP(rintf(scaled), -limit, limit);
    codes[i] = (int8_t)code;
    double miss = (double)x[i] - (double)code * (double)coder->step;
    error += miss * miss;
  }
  return error;
}

static double
round_row(const CwRowCoder *coder, const float *x, int8_t *codes, uint32_t first)
{
  const float inverse = 1 / coder->step;
  if (!isnormal(inverse))
    return round_slowly(coder, x, codes, first);
  int64_t n_beyond;
  double error = coder->kernels->round_row(x, coder->width, inverse, largest_code(coder->codec),
                                           codes, coder->beyond, &n_beyond);
  for (int64_t i = 0; i < n_beyond; i++)
    add_escape(coder->escapes, first + coder->beyond[i], x[coder->beyond[i]]);
  return error * (double)coder->step * (double)coder->step;
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
halve_row(const CwRowCoder *coder, const float *x, uint16_t *codes, uint32_t first)
{
  double error = 0;
  for (int64_t i = 0; i < coder->width; i += LANES) {
    Floats v = { 0 };
    int64_t n_here = MIN(LANES, coder->width - i);
    memcpy(&v, x + i, (size_t)n_here * sizeof *x);
    for (int64_t k = 0; k < n_here; k++)
      if (fabsf(v[k]) > F16_MAX) {
        add_escape(coder->escapes, first + (uint32_t)(i + k), v[k]);
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
cw_quantise_row(const CwRowCoder *coder, const float *values, void *codes, uint32_t first)
{
  if (coder->codec == CW_CODEC_NONE)
    return halve_row(coder, values, codes, first);
  return round_row(coder, values, codes, first);
}
