/* forward.h - the pass behind cw_model_forward and generation. */
#pragma once

#include "model/model-private.h"

/* Keys and values of the positions seen so far. */
typedef struct {
  int64_t capacity, n_positions;
  float *keys, *values; /* [L, capacity, G K] */
} CwKeyValueCache;

CwKeyValueCache *cw_key_value_cache_new(const CwModel *model, int64_t capacity, GError **error);
void cw_key_value_cache_free(CwKeyValueCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwKeyValueCache, cw_key_value_cache_free)

/* Not empty, ids in range, and room for them behind n_before others. */
bool cw_forward_check_tokens(const CwModel *model, const int32_t *tokens, size_t n_tokens,
                             int64_t n_before, GError **error);

/* As cw_model_forward; with a cache the tokens continue what it holds, and are added to it
 * (CW_FORWARD_FROZEN needs a whole prompt: no cache). */
CwForward *cw_forward_run(CwModel *model, CwkDevice *device, const int32_t *tokens,
                          size_t n_tokens, CwForwardFlags flags, CwKeyValueCache *cache,
                          CwCancel *cancel, GError **error);

/* Several prompts in one pass, one behind the other in tokens, none seeing another: lengths add
 * up to n_tokens. Products over all of them read the weights once. No logits. */
CwForward *cw_forward_run_windows(CwModel *model, CwkDevice *device, const int32_t *tokens,
                                  const size_t *lengths, size_t n_windows, CwForwardFlags flags,
                                  CwCancel *cancel, GError **error);

/* Stands in for MLPs: in the layers marked in is_replaced the model's own MLP is computed for
 * the first position only, and `fill` gives the output of all others. */
typedef struct {
  const uint8_t *is_replaced; /* [L] */
  /* output [T, D], row 0 being the model's own, goes where the MLP's output goes: before a
   * post-norm if is_raw, else behind it. `forward` has what was asked for up to this MLP's
   * input. False with *error ends the pass. */
  bool (*fill)(gpointer data, int64_t l, const CwForward *forward, float *output,
               GError **error);
  gpointer data;
  bool is_raw;
  /* The pass begins at the MLP of first_layer with this residual stream [T, D]; NULL: with the
   * tokens. */
  int64_t first_layer;
  const float *resid_mid;
} CwMlpReplacement;

/* One prompt with MLPs replaced. */
CwForward *cw_forward_run_replaced(CwModel *model, CwkDevice *device, const int32_t *tokens,
                                   size_t n_tokens, CwForwardFlags flags,
                                   const CwMlpReplacement *replacement, CwCancel *cancel,
                                   GError **error);
