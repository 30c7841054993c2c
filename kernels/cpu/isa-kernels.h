/* isa-kernels.h - the bodies that are compiled once per instruction set (isa-kernels.c), chosen
 * at run time. */
#pragma once

#include "cpu/cpu-private.h"

#define CWK_ISA_WIDEST 16 /* floats in the widest vector */

typedef struct {
  int64_t mr, nr; /* the register tile of the matrix product */
  /* c[mr, nr] (+)= a . b over k, a packed [k][mr], b packed [k][nr]; c rows are ldc apart. */
  void (*micro_tile)(int64_t k, const float *a, const float *b, float *c, int64_t ldc,
                     bool accumulate);
  /* out[k][nr] = the first k elements of n <= nr rows, transposed and padded with zeros. */
  void (*transpose_panel)(const float *const *rows, int64_t n, int64_t k, int64_t nr,
                          float *out);
  /* out[i][mr] = n rows of a lower triangle's first mr columns, `stride` apart: row i has
   * i + 1 of them, the rest is 0. */
  void (*pack_columns)(const float *from, int64_t stride, int64_t n, float *out);
  /* out[j, :] = sum over i of pattern[i, j] z[i, :] for the columns j < n_j <= 4, width wide.
   */
  void (*mix_columns)(const float *pattern, int64_t pattern_stride, int64_t n_i, int64_t n_j,
                      const float *z, int64_t z_stride, float *out, int64_t out_stride,
                      int64_t width, bool accumulate);
  float (*dot)(const float *a, const float *b, int64_t n);
  void (*axpy)(float alpha, const float *x, float *y, int64_t n); /* y += alpha x */
  CwkDecodeRow decode[CWK_N_DTYPES];
  void (*activate)(CwkActivation activation, const float *gate, const float *up, float *out,
                   int64_t n);
  /* x[i] = exp(x[i] - largest), returns the sum. */
  float (*exp_sum)(float *x, int64_t n, float largest);
  float (*max)(const float *x, int64_t n);
  /* The points first .. first + n - 1 of args. */
  void (*repel)(const CwkRepulsionArgs *args, int64_t first, int64_t n);
  /* Adds to force_x, force_y what n points do to each other, every n_lanes-th row of the pairs'
   * triangle from `lane` on. All four arrays are padded to a multiple of CWK_ISA_WIDEST. */
  void (*repel_mutually)(const float *x, const float *y, int64_t n, float softening,
                         int64_t lane, int64_t n_lanes, float *force_x, float *force_y);
  void (*soft_cap)(float *x, int64_t n, float cap); /* x = cap tanh(x / cap) */
} CwkIsaKernels;

/* Of isa-rows.c. */
typedef struct {
  void (*norm_row)(const CwkNormArgs *args, int64_t row);
  /* The pairs (i, i + half) or (2 i, 2 i + 1) of x turned by the angles of cosine and sine. */
  void (*rotate_head)(float *x, const float *cosine, const float *sine, int64_t half,
                      bool is_interleaved);
} CwkRowKernels;

extern const CwkRowKernels cwk_rows_baseline, cwk_rows_avx2, cwk_rows_avx512;
const CwkRowKernels *cwk_row_kernels(CwkIsa isa);

extern const CwkIsaKernels cwk_isa_baseline, cwk_isa_avx2, cwk_isa_avx512;
const CwkIsaKernels *cwk_isa_kernels(CwkIsa isa);
