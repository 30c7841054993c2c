/* quantise.h - f32 to the codes of a cache and how much that loses. */
#pragma once

#include "activations/cache-format.h"
#include "cwk.h"

/* What one row holds: its energy (sum of squares) and its largest magnitude. */
typedef struct {
  double energy;
  float largest;
} CwRowSize;

/* The step at which a plane [n, width] loses target_error of its energy, outliers (which
 * escape) left out of it, and its energy; false if a value is not finite. sizes [n] is for
 * notes. */
bool cw_quantise_choose_step(CwCodec codec, const float *values, int64_t n, int64_t width,
                             double target_error, CwRowSize *sizes, float *step,
                             double *energy);

/* How the rows of one plane become codes. */
typedef struct {
  const CwkCodeKernels *kernels;
  CwCodec codec;
  int64_t width;
  float step;
  uint32_t *beyond; /* [width] for notes */
  GArray *escapes;  /* of CwEscape: values beyond the codes' range are appended */
} CwRowCoder;

/* One row into codes [width]; escapes count from `first` on. Returns the square error. */
double cw_quantise_row(const CwRowCoder *coder, const float *values, void *codes,
                       uint32_t first);
