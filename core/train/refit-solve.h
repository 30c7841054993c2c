/* refit-solve.h - one target layer's least squares, out of sums over tokens. */
#pragma once

#include "train/trainer-private.h"

/* Least squares over all targets on their way. */
typedef struct {
  const CwRefitOptions *options;
  CwActivations *activations;
  CwTrainer *trainer; /* scales are 1 */
  float *in, *out;    /* [L, B, D] */
  int64_t n_tokens;
  float *gram;        /* [pairs l <= m of layers, F, F] */
  float *sums;        /* [L, F] of activations */
  int64_t *counts;    /* [L, F] */
  double *deviations; /* [L] of the outputs from their mean */
  bool *is_kept;      /* [decoder rows] */
  int64_t n_kept;
  /* B of every row lies in the decoders' first moments, which nothing else uses. */
  float *bias_pull; /* [L, Dp] */
} CwRefit;

/* The block of `gram` that has layer l's features against layer m's, l <= m. */
int64_t cw_refit_pair_index(int64_t n_layers, int64_t l, int64_t m);
/* A decoder row's number: those of a feature lie together, in the order of their targets. */
int64_t cw_refit_row_index(const CwParameters *p, int64_t l, int64_t i, int64_t to);
/* Whether feature l's decoders reach target `to`. */
bool cw_refit_reaches(const CwParameters *p, int64_t l, int64_t to);
/* Says what is missing; false. */
bool cw_refit_no_memory(double n_bytes, GError **error);

/* Moves the kept rows that write to `to`, and its bias, towards what explains it best. */
bool cw_refit_solve(const CwRefit *refit, int64_t to, GError **error);
