/* matmul-rate.c - see matmul-rate.h. */
#include "matmul-rate.h"

#include <glib.h>
#include <math.h>
#include <string.h>

static uint32_t
next_random(uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* Q4_1: 32 elements of 4 bits behind an f16 scale and an f16 minimum. The scale is 2^-6 and the
 * minimum -2^-3, so that values lie in [-0.125, 0.11]. */
static void
fill_q4_1(MatmulCase *made, uint32_t *state)
{
  static const uint16_t scale = 0x2400, minimum = 0xB000;
  uint8_t *block = made->stored;
  for (int64_t i = 0; i < made->n * made->k / 32; i++, block += 20) {
    memcpy(block, &scale, 2);
    memcpy(block + 2, &minimum, 2);
    for (int64_t j = 0; j < 16; j++) {
      uint32_t pair = next_random(state) & 0xff;
      block[4 + j] = (uint8_t)pair;
      made->b[i * 32 + j] = (float)(pair & 15) / 64 - 0.125f;
      made->b[i * 32 + 16 + j] = (float)(pair >> 4) / 64 - 0.125f;
    }
  }
}

static void
fill_floats(float *values, int64_t n, uint32_t *state)
{
  for (int64_t i = 0; i < n; i++)
    values[i] = (float)next_random(state) / 8388608.0f - 1.0f;
}

bool
matmul_case_new(MatmulCase *made, int64_t m, int64_t n, int64_t k, CwkDtype dtype)
{
  size_t row_bytes = cwk_dtype_row_bytes(dtype, k);
  *made = (MatmulCase){ .m = m, .n = n, .k = k, .dtype = dtype };
  made->a = g_try_new(float, (size_t)(m * k));
  made->b = g_try_new(float, (size_t)(n * k));
  made->c = g_try_new0(float, (size_t)(m * n));
  made->stored = g_try_malloc((size_t)n * row_bytes);
  if (made->a == NULL || made->b == NULL || made->c == NULL || made->stored == NULL) {
    matmul_case_clear(made);
    return false;
  }
  uint32_t state = 1;
  fill_floats(made->a, m * k, &state);
  if (dtype == CWK_Q4_1) {
    fill_q4_1(made, &state);
  } else {
    fill_floats(made->b, n * k, &state);
    memcpy(made->stored, made->b, (size_t)n * row_bytes);
  }
  return true;
}

void
matmul_case_clear(MatmulCase *cleared)
{
  g_clear_pointer(&cleared->a, g_free);
  g_clear_pointer(&cleared->b, g_free);
  g_clear_pointer(&cleared->c, g_free);
  g_clear_pointer(&cleared->stored, g_free);
}

CwkStatus
matmul_case_run(const MatmulCase *run, CwkDevice *device)
{
  CwkMatmulArgs args = {
    .m = run->m,
    .n = run->n,
    .k = run->k,
    .a = { run->a, run->k, NULL },
    .b = { .data = run->stored,
           .dtype = run->dtype,
           .n_rows = run->n,
           .n_cols = run->k,
           .row_bytes = cwk_dtype_row_bytes(run->dtype, run->k) },
    .b_layout = CWK_B_ROWS_ARE_OUTPUTS,
    .c = { run->c, run->n, NULL },
  };
  return cwk_matmul(device, &args);
}

double
matmul_case_rate(const MatmulCase *run, CwkDevice *device, double seconds)
{
  double best = INFINITY;
  gint64 begin = g_get_monotonic_time();
  if (matmul_case_run(run, device) != CWK_OK)
    return NAN;
  while ((double)(g_get_monotonic_time() - begin) < seconds * 1e6) {
    gint64 start = g_get_monotonic_time();
    if (matmul_case_run(run, device) != CWK_OK)
      return NAN;
    best = MIN(best, (double)(g_get_monotonic_time() - start));
  }
  return 2.0 * (double)run->m * (double)run->n * (double)run->k / best * 1e-3;
}
