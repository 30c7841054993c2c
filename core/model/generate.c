/* generate.c - continuing a prompt, one token at a time over kept keys and values. */
#include "model/forward.h"
#include "model/sampling.h"

static bool
is_end(const CwModel *model, int32_t token)
{
  return model->tokenizer != NULL && token == cw_tokenizer_get_eos(model->tokenizer);
}

/* Appends up to `limit` tokens to `made`; *n_made counts them. */
static bool
continue_prompt(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n_tokens,
                const CwSampling *sampling, size_t limit, int32_t *order, int32_t *made,
                size_t *n_made, CwCancel *cancel, GError **error)
{
  g_autoptr(CwKeyValueCache) cache =
      cw_key_value_cache_new(model, (int64_t)(n_tokens + limit), error);
  if (cache == NULL)
    return false;
  CwForwardFlags flags = CW_FORWARD_LAST_LOGITS;
  if (sampling->is_reduced)
    flags |= CW_FORWARD_REDUCED;
  CwRng rng = { .seed = sampling->seed };
  const int32_t *next = tokens;
  size_t n_next = n_tokens;
  while (*n_made < limit) {
    g_autoptr(CwForward) forward =
        cw_forward_run(model, device, next, n_next, flags, cache, cancel, error);
    if (forward == NULL)
      return false;
    made[*n_made] = cw_sampling_draw(sampling, forward->logits,
                                     model->plan->config.n_vocabulary, order, &rng);
    next = &made[(*n_made)++];
    n_next = 1;
    if (is_end(model, *next))
      break;
  }
  return true;
}

int32_t *
cw_model_generate(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n_tokens,
                  const CwSampling *sampling, size_t *n_new, CwCancel *cancel, GError **error)
{
  const CwModelConfig *config = &model->plan->config;
  if (!cw_sampling_check(sampling, error) ||
      !cw_forward_check_tokens(model, tokens, n_tokens, 0, error))
    return NULL;
  /* The last token made is not run, so it needs no place in the context. */
  size_t limit = MIN(sampling->n_tokens, (size_t)config->n_context - n_tokens + 1);
  g_autofree int32_t *made = g_try_new(int32_t, MAX(limit, 1));
  g_autofree int32_t *order = g_try_new(int32_t, (size_t)config->n_vocabulary);
  if (made == NULL || order == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making room for new tokens");
    return NULL;
  }
  size_t n_made = 0;
  if (!continue_prompt(model, device, tokens, n_tokens, sampling, limit, order, made, &n_made,
                       cancel, error))
    return NULL;
  *n_new = n_made;
  return g_steal_pointer(&made);
}
