/* tile-kernels.h - inner loops of the ops of sparse dictionaries, over one row or tile;
 * compiled once per instruction set (tile-kernels.c), chosen at run time. */
#pragma once

#include "cpu/cpu-private.h"

/* Tokens whose sets are looked up at one go, and the floats of their tables: for each four
 * tokens the sums of all 16 subsets, over the columns of a strip. */
#define CWK_CHUNK_TOKENS 32
#define CWK_TABLE_FLOATS (CWK_CHUNK_TOKENS / 4 * 16 * CWK_TILE)

typedef struct {
  int64_t n_active, n_band;
  double shortfall;
} CwkGateCounts;

/* Where the gradient of one row's tile comes from. */
typedef struct {
  const int32_t *token; /* [n] */
  const float *coefficient;
  int64_t n;
  const float *source; /* of the tile's first column */
  int64_t token_stride;
  float weight_scale, shift_scale;
  const float *shift; /* [CWK_TILE] or NULL */
} CwkRowGradient;

typedef struct {
  int64_t strip; /* columns that one pass over tokens covers; divides CWK_TILE */
  CwkGateCounts (*gate_row)(float *h, int64_t n, float bias, float threshold, float half_band,
                            uint64_t *active, uint64_t *band);
  /* Derivatives of tanh over n activations; sums are the op's, band_sum counts entries whose
   * activation exceeds the threshold by less than half_band. */
  void (*tanh_row)(const float *value, int64_t n, float scale, float norm, float threshold,
                   float half_band, float *derivative, double sums[3]);
  /* out[CWK_TILE] += sum of value[e] weight[index[e]]; rows of weight are CWK_TILE long. */
  void (*decode_token)(const int32_t *index, const float *value, int64_t n, const float *weight,
                       float *out);
  /* Over one tile: adjoint[e] += upstream[token[e]] . weight; returns |gradient|^2. */
  double (*adjoint_tile)(const CwkRowGradient *row, const float *weight, float *adjoint);
  /* |gradient|^2 alone, without adjoints. */
  double (*gradient_norm_tile)(const CwkRowGradient *row, const float *weight);
  /* Updates one tile of a row; returns |weight|^2 of the new one. */
  double (*adam_tile)(const CwkRowGradient *row, float gradient_factor, const CwkAdam *adam,
                      float *weight, float *m, float *v);
  void (*adam_values)(const CwkAdamArgs *args, int64_t first, int64_t n);
  /* The subset sums of up to CWK_CHUNK_TOKENS rows, `strip` columns of each; rows that are not
   * there are 0. */
  void (*build_tables)(const float *rows, int64_t n, float *tables);
  /* sums[i][strip] += the rows of the tokens in sets[i], i < n, by table. */
  void (*add_by_table)(const uint32_t *sets, int64_t n, const float *tables, float *sums);
  /* The sum of n rows, one by one, times weight: both CWK_TILE wide. */
  double (*dot_rows)(const int32_t *token, int64_t n, const float *rows, const float *weight);
  float (*dot_strip)(const float *a, const float *b);
} CwkTileKernels;

extern const CwkTileKernels cwk_tiles_baseline, cwk_tiles_avx2, cwk_tiles_avx512;
const CwkTileKernels *cwk_tile_kernels(CwkIsa isa);
