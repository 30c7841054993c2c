/* block-rows.c - see block-rows.h.
 *
 * Blocks are GGUF's: 32 numbers share an f16 scale d and are d (q - 8), or d (q - 16) with a
 * fifth bit kept apart. GGUF's own tools take the d that meets the largest number; here a few
 * smaller ones are tried too and the least square error wins, since clipping the one largest
 * costs less than coarser steps for the other 31. */
#include "clt/block-rows.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 32, N_TRIES = 8 };

bool
cw_block_row_fits(CwkDtype dtype, int64_t n)
{
  return dtype == CWK_I8 || ((dtype == CWK_Q5_0 || dtype == CWK_Q4_0) && n % BLOCK == 0);
}

float
cw_block_row_scale(CwkDtype dtype, const float *row, int64_t n)
{
  float largest = 0;
  for (int64_t i = 0; i < n; i++)
    largest = fmaxf(largest, fabsf(row[i]));
  return dtype == CWK_I8 ? largest / 127 : largest;
}

/* Of a number in [2^-24, 2], to nearest even. */
static uint16_t
to_f16(float value)
{
  uint32_t bits, sign;
  memcpy(&bits, &value, sizeof bits);
  sign = (bits >> 16) & 0x8000;
  bits &= 0x7fffffff;
  if (bits < 0x38800000) /* below 2^-14: a multiple of 2^-24 */
    return (uint16_t)(sign | (uint32_t)lrintf(fabsf(value) * 0x1p24f));
  return (uint16_t)(sign | ((bits + 0xfff + ((bits >> 13) & 1) - 0x38000000) >> 13));
}

static float
from_f16(uint16_t half)
{
  uint32_t exponent = (half >> 10) & 31, mantissa = half & 1023;
  float value = exponent == 0 ? (float)mantissa * 0x1p-24f
                              : ldexpf((float)(mantissa | 1024), (int)exponent - 25);
  return half & 0x8000 ? -value : value;
}

static int
code(float x, float d, int zero)
{
  int q = d != 0 ? (int)lrintf(x / d) + zero : zero;
  return q < 0 ? 0 : q > 2 * zero - 1 ? 2 * zero - 1 : q;
}

static double
square_error(const float *x, float d, int zero)
{
  double sum = 0;
  for (int j = 0; j < BLOCK; j++) {
    double error = (double)(x[j] - d * (float)(code(x[j], d, zero) - zero));
    sum += error * error;
  }
  return sum;
}

/* Codes reach from -zero to zero - 1, so the largest number gets the sign that reaches it. */
static uint16_t
choose_scale(const float *x, int zero)
{
  float largest = 0;
  for (int j = 0; j < BLOCK; j++)
    if (fabsf(x[j]) > fabsf(largest))
      largest = x[j];
  uint16_t best = to_f16(largest / (float)-zero);
  double least = square_error(x, from_f16(best), zero);
  for (int k = 1; k <= N_TRIES; k++) {
    uint16_t half = to_f16(largest / (float)-zero * (1 - 0.03f * (float)k));
    double error = square_error(x, from_f16(half), zero);
    if (error < least) {
      least = error;
      best = half;
    }
  }
  return best;
}

static void
encode_block(const float *x, CwkDtype dtype, uint8_t *bytes)
{
  int zero = dtype == CWK_Q5_0 ? 16 : 8;
  uint16_t half = choose_scale(x, zero);
  float d = from_f16(half);
  uint32_t high = 0;
  uint8_t *nibbles = bytes + (dtype == CWK_Q5_0 ? 6 : 2);
  memcpy(bytes, &half, sizeof half);
  for (int j = 0; j < BLOCK / 2; j++) {
    int low_code = code(x[j], d, zero), high_code = code(x[j + BLOCK / 2], d, zero);
    nibbles[j] = (uint8_t)((low_code & 15) | (high_code & 15) << 4);
    high |= (uint32_t)(low_code >> 4) << j | (uint32_t)(high_code >> 4) << (j + BLOCK / 2);
  }
  if (dtype == CWK_Q5_0)
    memcpy(bytes + 2, &high, sizeof high);
}

void
cw_block_row_encode(CwkDtype dtype, const float *row, int64_t n, float scale, uint8_t *bytes)
{
  size_t block_bytes = cwk_dtype_block_bytes(dtype);
  if (dtype == CWK_I8) {
    for (int64_t i = 0; i < n; i++) {
      float q = scale > 0 ? rintf(row[i] / scale) : 0;
      ((int8_t *)bytes)[i] = (int8_t)fminf(fmaxf(q, -127), 127);
    }
    return;
  }
  for (int64_t i = 0; i < n; i += BLOCK, bytes += block_bytes) {
    float x[BLOCK];
    for (int j = 0; j < BLOCK; j++)
      x[j] = scale > 0 ? row[i + j] / scale : 0;
    encode_block(x, dtype, bytes);
  }
}
