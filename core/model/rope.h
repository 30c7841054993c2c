/* rope.h - the frequencies of rotary positions. */
#pragma once

#include "model/model-plan.h"

/* out[n_rotary / 2]: base^(-2i / n_rotary), stretched as the plan says and divided by divisors
 * [n_rotary / 2] (GGUF's rope_freqs.weight) where given. */
void cw_rope_fill_frequencies(const CwRopePlan *rope, int64_t n_rotary, const float *divisors,
                              float *out);
