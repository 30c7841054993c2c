/* sampling.h - from logits to the next token. */
#pragma once

#include "base/rng.h"
#include "cw-model.h"

/* Checks the ranges of a request. */
bool cw_sampling_check(const CwSampling *sampling, GError **error);
/* The next token of logits [n]; `order` is scratch [n]. Draws from rng unless the temperature
 * is 0. Equal logits: the lower id first. Cost O(n), and O(m log m) for the m kept by top_k or,
 * with top_p, by probability. */
int32_t cw_sampling_draw(const CwSampling *sampling, const float *logits, int64_t n,
                         int32_t *order, CwRng *rng);
