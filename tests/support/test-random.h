/* test-random.h - the same random values in every run. */
#pragma once

#include "cw-base.h"
#include "cwk.h"

/* A sequence, by its first state: TestRandom random = { 7 }. */
typedef struct {
  uint64_t state;
} TestRandom;

/* 31 bits. */
uint32_t test_random_bits(TestRandom *random);
/* In [-1, 1), 24 bits. */
float test_random_float(TestRandom *random);
/* [n], one element at least. Transfer full. */
float *test_random_floats(TestRandom *random, size_t n);
/* Rows of any stored type whose values are finite and no larger than a few units. Transfer
 * full.
 */
void *test_random_rows(TestRandom *random, CwkDtype dtype, int64_t n_rows, int64_t n_cols);
