/* prompt.c - a prompt on its way into attribution: encoded with its start token, and checked
 * against the model's context and the free memory before anything is computed.
 *
 * What a clean pass keeps grows with the square of the prompt: its attention patterns are
 * [L, H, T, T]. The system may promise memory that it does not have, so the size is compared
 * with what is free instead of waiting for a failed request. */
#include "cw-attribution.h"

#include <math.h>
#include <string.h>

/* Share of the free memory that the kept parts may take; rows and edges come on top. */
#define USABLE_SHARE 0.9
/* resid_mid, mlp_hat, mlp_out, error and rest: [L, T, D] each. */
#define N_LAYER_TAPS 5

int32_t *
cw_attribution_prompt(const CwTokenizer *tokenizer, const char *text, gssize n_bytes, size_t *n,
                      GError **error)
{
  if (tokenizer == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                        "The model has no tokenizer (its folder holds no tokenizer.json): give "
                        "token ids instead of text");
    return NULL;
  }
  g_autoptr(GError) encode_error = NULL;
  size_t n_encoded = 0;
  g_autofree int32_t *encoded =
      cw_tokenizer_encode(tokenizer, text, n_bytes, &n_encoded, &encode_error);
  if (encode_error != NULL) {
    g_propagate_error(error, g_steal_pointer(&encode_error));
    return NULL;
  }
  int32_t start = cw_tokenizer_get_prompt_start(tokenizer);
  bool needs_start =
      start >= 0 && (n_encoded == 0 || !cw_tokenizer_is_special(tokenizer, encoded[0]));
  int32_t *tokens = g_try_new(int32_t, n_encoded + 1);
  if (tokens == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory for a prompt of %zu tokens",
                n_encoded);
    return NULL;
  }
  tokens[0] = start;
  if (n_encoded > 0)
    memcpy(tokens + (needs_start ? 1 : 0), encoded, n_encoded * sizeof *encoded);
  *n = n_encoded + (needs_start ? 1 : 0);
  return tokens;
}

/* Bytes that the clean pass of T tokens keeps: a T^2 + b T. */
static void
kept_bytes(const CwModelConfig *config, double *square, double *linear)
{
  double n_layers = (double)config->n_layers;
  *square = sizeof(float) * n_layers * (double)config->n_heads;
  *linear = sizeof(float) * n_layers * (double)config->width * N_LAYER_TAPS;
}

bool
cw_attribution_check_prompt(const CwModel *model, size_t n_tokens, GError **error)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  if (n_tokens > (size_t)config->n_context) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "The prompt has %zu tokens, more than the %" G_GINT64_FORMAT
                " of the context of %s; leave out %zu",
                n_tokens, config->n_context, config->name,
                n_tokens - (size_t)config->n_context);
    return false;
  }
  double usable = USABLE_SHARE * cw_free_memory_bytes(), n = (double)n_tokens;
  double square, linear;
  kept_bytes(config, &square, &linear);
  double needed = square * n * n + linear * n;
  if (needed <= usable)
    return true;
  double most = (sqrt(linear * linear + 4 * square * usable) - linear) / (2 * square);
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "A prompt of %zu tokens needs %.1f GiB for its attention patterns and "
              "activations, %.1f GiB are free: about %" G_GINT64_FORMAT " tokens would fit",
              n_tokens, needed / 0x1p30, usable / 0x1p30, (int64_t)most);
  return false;
}
