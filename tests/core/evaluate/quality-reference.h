/* quality-reference.h - what an evaluation measures, computed the plain way in double: every
 * feature of every row, means first and variances after. */
#pragma once

#include "cw-evaluate.h"

typedef struct {
  double explained_variance, error_energy, slope, output_norm, l0;
  double error_median, error_p95;
  int64_t l0_median, l0_p95, n_dead;
  double norm_median;
} ReferenceLayer;

/* in, out [L, n, D]; layers [L]. */
void quality_reference_measure(const CwTranscoder *transcoder, const float *in,
                               const float *out, int64_t n, ReferenceLayer *layers);

/* p [n, D], the prediction of layer l; in [L, n, D] up to layer l. */
void quality_reference_predict(const CwTranscoder *transcoder, const float *in, int64_t n,
                               int64_t l, double *p);
