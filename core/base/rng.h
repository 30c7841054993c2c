/* rng.h - random numbers that are a function of (seed, stream, index).
 *
 * Philox4x32-10 (Salmon and others, 10.1145/2063384.2063405): no hidden state, so that CPU and
 * GPU, one thread or many, draw the same numbers, and a run can be resumed at any draw. */
#pragma once

#include <stdint.h>

typedef struct {
  uint64_t seed;
  uint64_t stream; /* separates uses of one seed */
  uint64_t index;  /* of the next draw */
} CwRng;

/* The block cipher itself: 128 bits of counter and 64 of key to 128 random bits. */
void cw_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

uint64_t cw_rng_next(CwRng *rng);
/* [0, 1), multiples of 2^-53. */
double cw_rng_next_uniform(CwRng *rng);
/* 0 .. n - 1; n >= 1. */
uint64_t cw_rng_next_below(CwRng *rng, uint64_t n);
