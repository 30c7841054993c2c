/* matmul-rate.h - how fast this machine multiplies matrices with the kernels of Clew: the peak
 * that other benches are measured against. */
#pragma once

#include "cwk.h"

/* One product C[m, n] = A[m, k] . B^T with B [n, k] stored as f32 or Q4_1, random values. */
typedef struct {
  int64_t m, n, k;
  CwkDtype dtype;
  float *a, *b, *c; /* b decoded */
  void *stored;     /* b as its dtype */
} MatmulCase;

bool matmul_case_new(MatmulCase *made, int64_t m, int64_t n, int64_t k, CwkDtype dtype);
void matmul_case_clear(MatmulCase *cleared);
CwkStatus matmul_case_run(const MatmulCase *run, CwkDevice *device);
/* GFLOP/s, the best of some passes over `seconds`; NAN if a product fails. */
double matmul_case_rate(const MatmulCase *run, CwkDevice *device, double seconds);
