/* softmax.h - probabilities and the largest entries of one row of logits. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* log(sum(exp(logits))), in double, without overflow. */
double cwa_softmax_log_sum(const float *logits, int64_t n);
/* Indices of the n_top largest, largest first, the smaller index first among equals.
 * O(n n_top) at worst, about O(n) for real rows. */
void cwa_softmax_top(const float *logits, int64_t n, int64_t n_top, int64_t *top);
