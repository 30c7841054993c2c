/* test-random.c - Knuth's 64-bit linear congruential generator, upper bits. */
#include "test-random.h"

#include <string.h>

uint32_t
test_random_bits(TestRandom *random)
{
  random->state = random->state * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(random->state >> 33);
}

float
test_random_float(TestRandom *random)
{
  return (float)((double)(test_random_bits(random) & 0xffffff) / 8388608.0 - 1.0);
}

float *
test_random_floats(TestRandom *random, size_t n)
{
  float *x = g_new(float, MAX(n, 1));
  for (size_t i = 0; i < n; i++)
    x[i] = test_random_float(random);
  return x;
}

/* Random bytes are valid rows of every type once the f16 scales are tame. */
void *
test_random_rows(TestRandom *random, CwkDtype dtype, int64_t n_rows, int64_t n_cols)
{
  size_t n_bytes = (size_t)n_rows * cwk_dtype_row_bytes(dtype, n_cols);
  size_t block = cwk_dtype_block_bytes(dtype);
  uint8_t *data = g_malloc(n_bytes + 1);
  for (size_t i = 0; i < n_bytes; i++)
    data[i] = (uint8_t)test_random_bits(random);
  for (size_t at = 0; block > 0 && at + block <= n_bytes; at += block) {
    uint16_t half = (uint16_t)(0x2000 | (test_random_bits(random) & 0x83ff));
    float value = test_random_float(random);
    if (dtype == CWK_F32)
      memcpy(data + at, &value, 4);
    else if (dtype == CWK_BF16)
      memcpy(data + at, (const uint8_t *)&value + 2, 2);
    else if (dtype != CWK_I8)
      memcpy(data + at + (dtype == CWK_Q6_K ? 208 : 0), &half, 2);
    if (dtype == CWK_Q4_1 || dtype == CWK_Q5_1 || dtype == CWK_Q4_K || dtype == CWK_Q5_K)
      memcpy(data + at + 2, &half, 2);
  }
  return data;
}
