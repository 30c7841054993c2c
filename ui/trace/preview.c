/* preview.c - see preview.h. */
#include "trace/preview.h"

#include <math.h>
#include <string.h>

void
cwu_preview_free(CwuPreview *preview)
{
  if (preview == NULL)
    return;
  for (size_t i = 0; i < preview->n_tokens; i++)
    g_free(preview->tokens[i].piece);
  g_free(preview->tokens);
  g_free(preview->text);
  g_free(preview->problem);
  g_free(preview);
}

/* Follows the text along the tokens' own bytes. A space that the tokenizer puts in front of the
 * first word (Llama 2) is no part of the text. */
static void
find_places(const CwTokenizer *tokenizer, CwuPreview *preview)
{
  size_t at = 0, length = strlen(preview->text);
  bool is_lost = false;
  for (size_t i = preview->has_start ? 1 : 0; i < preview->n_tokens; i++) {
    CwuToken *token = &preview->tokens[i];
    size_t n = 0;
    g_autofree char *bytes = cw_tokenizer_decode(tokenizer, &token->id, 1, &n);
    size_t skipped = at == 0 && n > 0 && bytes[0] == ' ' && preview->text[0] != ' ' ? 1 : 0;
    is_lost = is_lost || n - skipped > length - at ||
              memcmp(preview->text + at, bytes + skipped, n - skipped) != 0;
    token->start = at;
    at += is_lost ? 0 : n - skipped;
    token->end = at;
  }
}

static bool
fill_tokens(const CwModel *model, CwuPreview *preview, GError **error)
{
  const CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  size_t n = 0;
  g_autofree int32_t *ids = cw_attribution_prompt(tokenizer, preview->text, -1, &n, error);
  if (ids == NULL)
    return false;
  preview->tokens = g_try_new0(CwuToken, n);
  if (preview->tokens == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory for a prompt of %zu tokens", n);
    return false;
  }
  size_t n_own = 0;
  g_autofree int32_t *own = cw_tokenizer_encode(tokenizer, preview->text, -1, &n_own, NULL);
  preview->n_tokens = n;
  preview->has_start = n > n_own;
  for (size_t i = 0; i < n; i++) {
    preview->tokens[i].id = ids[i];
    preview->tokens[i].is_special = cw_tokenizer_is_special(tokenizer, ids[i]);
    preview->tokens[i].piece = cw_tokenizer_dup_piece(tokenizer, ids[i]);
  }
  find_places(tokenizer, preview);
  return true;
}

CwuPreview *
cwu_preview_new(const CwModel *model, const char *text, GError **error)
{
  g_autoptr(CwuPreview) preview = g_new0(CwuPreview, 1);
  preview->text = g_strdup(text);
  preview->fits_context = true;
  if (text[0] == '\0')
    return g_steal_pointer(&preview);
  if (!fill_tokens(model, preview, error))
    return NULL;
  g_autoptr(GError) misfit = NULL;
  if (!cw_attribution_check_prompt(model, preview->n_tokens, &misfit)) {
    preview->problem = g_strdup(misfit->message);
    preview->fits_context = !g_error_matches(misfit, CW_ERROR, CW_ERROR_ARGUMENT);
  }
  return g_steal_pointer(&preview);
}

int32_t *
cwu_preview_dup_ids(const CwuPreview *preview)
{
  int32_t *ids = g_new(int32_t, MAX(preview->n_tokens, 1));
  for (size_t i = 0; i < preview->n_tokens; i++)
    ids[i] = preview->tokens[i].id;
  return ids;
}

CwuNextToken *
cwu_next_tokens_new(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n_tokens,
                    size_t n, CwCancel *cancel, GError **error)
{
  int64_t n_vocabulary = cw_model_peek_config(model)->n_vocabulary;
  g_autoptr(CwForward) forward =
      cw_model_forward(model, device, tokens, n_tokens, CW_FORWARD_LAST_LOGITS, cancel, error);
  if (forward == NULL)
    return NULL;
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  g_autofree int64_t *top = g_new0(int64_t, n);
  double log_sum = cw_logits_log_sum(forward->logits, n_vocabulary);
  cw_logits_top(forward->logits, n_vocabulary, MIN((int64_t)n, n_vocabulary), top);
  CwuNextToken *next = g_new0(CwuNextToken, n);
  for (size_t i = 0; i < n; i++) {
    next[i].id = (int32_t)top[i];
    next[i].piece = cw_tokenizer_dup_piece(tokenizer, (int32_t)top[i]);
    next[i].probability = exp((double)forward->logits[top[i]] - log_sum);
  }
  return next;
}

void
cwu_next_tokens_free(CwuNextToken *next, size_t n)
{
  for (size_t i = 0; next != NULL && i < n; i++)
    g_free(next[i].piece);
  g_free(next);
}
