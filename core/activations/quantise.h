/* quantise.h - f32 to the codes of a cache and how much that loses. */
#pragma once

#include "activations/cache-format.h"

/* The step at which a plane [n, width] loses target_error of its energy, outliers (which
 * escape) left out of it, and its energy (the sum of its squares); false if a value is not
 * finite. */
bool cw_quantise_choose_step(CwCodec codec, const float *values, int64_t n, int64_t width,
                             double target_error, float *step, double *energy);

/* One row of a plane into codes [width]; values beyond the codes' range are appended to escapes
 * (of CwEscape) as numbers from `first` on. Returns the square error. */
double cw_quantise_row(CwCodec codec, const float *values, int64_t width, float step,
                       void *codes, uint32_t first, GArray *escapes);
