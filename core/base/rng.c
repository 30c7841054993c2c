/* rng.c - see rng.h. */
#include "base/rng.h"

#define N_ROUNDS 10

void
cw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
  uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < N_ROUNDS; round++) {
    uint64_t even = (uint64_t)0xD2511F53u * x0, odd = (uint64_t)0xCD9E8D57u * x2;
    x0 = (uint32_t)(odd >> 32) ^ x1 ^ k0;
    x1 = (uint32_t)odd;
    x2 = (uint32_t)(even >> 32) ^ x3 ^ k1;
    x3 = (uint32_t)even;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

/* A block holds two draws of 64 bits. */
uint64_t
cw_rng_next(CwRng *rng)
{
  uint64_t block = rng->index / 2;
  const uint32_t counter[4] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)rng->stream,
                                (uint32_t)(rng->stream >> 32) };
  const uint32_t key[2] = { (uint32_t)rng->seed, (uint32_t)(rng->seed >> 32) };
  uint32_t bits[4];
  cw_philox(counter, key, bits);
  const uint32_t *half = bits + rng->index++ % 2 * 2;
  return (uint64_t)half[1] << 32 | half[0];
}

double
cw_rng_next_uniform(CwRng *rng)
{
  return (double)(cw_rng_next(rng) >> 11) * 0x1p-53;
}

/* The high half of 64 random bits times n. */
uint64_t
cw_rng_next_below(CwRng *rng, uint64_t n)
{
  return (uint64_t)(((unsigned __int128)cw_rng_next(rng) * n) >> 64);
}
