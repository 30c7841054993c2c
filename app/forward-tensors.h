/* forward-tensors.h - a forward pass as a safetensors file. */
#pragma once

#include "cw-model.h"

/* logits [T, V] and input_tokens [T]; where the pass has taps, for every layer l, all [T, D]:
 * resid_mid.l, mlp_hat.l (the norm's output before its gain, what transcoders read), mlp_in.l
 * (after gain and bias, what the MLP reads) and mlp_out.l. Atomic. */
bool cwa_forward_write(const char *path, const CwForward *forward, CwModel *model,
                       const int32_t *tokens, GError **error);
