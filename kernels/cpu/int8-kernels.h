/* int8-kernels.h - the inner loops of products with 8-bit activations (int8-kernels.c), chosen
 * at run time. */
#pragma once

#include "cpu/isa-kernels.h"

/* A weight of every block type with integer codes is scale * code + offset, with one scale and
 * offset per group of `group` elements; decodes a whole row of k elements to unsigned codes
 * [k], scales [k / group] and offsets [k / group]. */
typedef void (*CwkDecodeCodes)(const void *row, int64_t k, float scale, uint8_t *codes,
                               float *scales, float *offsets);

typedef struct {
  int64_t n_groups, n_steps; /* groups of 4 n_steps elements */
  const int8_t *a_codes;     /* [n_groups][n_steps][mr][4] */
  const float *a_factors;    /* [n_groups][2][mr]: the scale, scale * sum of codes */
  const uint8_t *b_codes;    /* [n_groups][n_steps][nr][4] */
  const float *b_factors;    /* [n_groups][2][nr]: scale, offset */
} CwkInt8Tile;

typedef struct {
  const CwkIsaKernels *isa; /* whose transpose_panel packs: isa->nr == nr */
  int64_t mr, nr;
  /* codes [n_groups * group] and the two factors of each group of one row of activations. */
  void (*quantise)(const float *x, int64_t n_groups, int64_t group, int8_t *codes,
                   float *scales, float *sums);
  /* c[mr, nr] (+)= a . b; c rows are ldc apart. */
  void (*tile)(const CwkInt8Tile *tile, float *c, int64_t ldc, bool accumulate);
  CwkDecodeCodes decode[CWK_N_DTYPES]; /* NULL: the type has no 8-bit form here */
} CwkInt8Kernels;

extern const CwkInt8Kernels cwk_int8_avx2, cwk_int8_vnni;
