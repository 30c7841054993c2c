/* plain-gpt2.h - a small GPT-2 in double, one position and one number at a time. */
#pragma once

#include "cw-model.h"

/* Layer l's MLP outputs [T, D], to be changed in place. mid: the residual stream before the
 * MLP, hat: normalised, before the gain; both [L, T, D], filled up to this layer. */
typedef void (*PlainMlp)(gpointer data, int64_t l, const double *mid, const double *hat,
                         double *output);

/* logits [T, V]. */
void plain_gpt2_run(CwModel *model, const int32_t *tokens, int64_t n, PlainMlp mlp,
                    gpointer data, double *logits);
