/* promoted-tokens.c - what a feature writes, read as words.
 *
 * A feature that nobody has explained is still not nameless: the sum of its decoder rows, seen
 * through the final norm's gain and the unembedding, says which next tokens it raises (the
 * "logit lens" of nostalgebraist, 2020, on a transcoder's output). */
#include "cw-attribution.h"

#include <math.h>
#include <string.h>

#define FEATURES_PER_PRODUCT 64
#define NAME_PARTS           3

/* written[i] = gain * sum over output layers of decoder rows, [n, D]. */
static CwkStatus
sum_decoders(CwModel *model, CwTranscoder *transcoder, CwkDevice *device, const int32_t *layers,
             const int64_t *features, size_t n, float *written)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  const float *gain = cw_model_peek_final_norm_weight(model);
  int64_t D = config->width;
  g_autofree float *row = g_try_new(float, (gsize)D);
  if (row == NULL)
    return CWK_NO_MEMORY;
  memset(written, 0, n * (size_t)D * sizeof *written);
  for (size_t i = 0; i < n; i++) {
    bool is_cross = config->kind == CW_TRANSCODER_CROSS_LAYER;
    int64_t last = is_cross ? config->n_layers - 1 : layers[i];
    for (int64_t to = layers[i]; to <= last; to++) {
      CwkDtype dtype;
      float scale;
      const void *stored = cw_transcoder_peek_decoder_row(transcoder, layers[i], features[i],
                                                          to, &dtype, &scale);
      if (stored == NULL)
        continue;
      CwkDequantiseArgs args = { { NULL, dtype, 1, D, 0, &stored, &scale }, row };
      CwkStatus status = cwk_dequantise(device, &args);
      if (status != CWK_OK)
        return status;
      for (int64_t d = 0; d < D; d++)
        written[i * (size_t)D + (size_t)d] += row[d];
    }
    for (int64_t d = 0; d < D; d++)
      written[i * (size_t)D + (size_t)d] *= gain[d];
  }
  return CWK_OK;
}

/* The n_top largest of a row, by insertion: n_top is small and few entries get past the last.
 */
static void
largest_tokens(const float *logits, int64_t n, size_t n_top, int32_t *tokens)
{
  size_t n_kept = 0;
  for (int64_t v = 0; v < n; v++) {
    if (n_kept == n_top && logits[v] <= logits[tokens[n_top - 1]])
      continue;
    size_t at = n_kept < n_top ? n_kept++ : n_top - 1;
    for (; at > 0 && logits[tokens[at - 1]] < logits[v]; at--)
      tokens[at] = tokens[at - 1];
    tokens[at] = (int32_t)v;
  }
  for (; n_kept < n_top; n_kept++)
    tokens[n_kept] = -1;
}

bool
cw_feature_promotes(CwModel *model, CwTranscoder *transcoder, CwkDevice *device,
                    const int32_t *layers, const int64_t *features, size_t n, size_t n_top,
                    int32_t *tokens, CwCancel *cancel, GError **error)
{
  const CwLinear *unembedding = cw_model_peek_unembedding(model);
  int64_t D = cw_model_peek_config(model)->width, V = cw_model_peek_config(model)->n_vocabulary;
  size_t step = MIN(n, FEATURES_PER_PRODUCT);
  g_autofree float *written = g_try_new(float, MAX(step * (size_t)D, 1));
  g_autofree float *logits = g_try_new(float, MAX(step * (size_t)V, 1));
  CwkStatus status = written != NULL && logits != NULL ? CWK_OK : CWK_NO_MEMORY;
  for (size_t first = 0; first < n && status == CWK_OK; first += step) {
    size_t count = MIN(step, n - first);
    if (cw_cancel_check(cancel, error))
      return false;
    status = sum_decoders(model, transcoder, device, layers + first, features + first, count,
                          written);
    CwkMatmulArgs product = { .m = (int64_t)count,
                              .n = V,
                              .k = D,
                              .a = { written, D, NULL },
                              .b = unembedding->rows,
                              .b_layout = unembedding->layout,
                              .c = { logits, V, NULL } };
    if (status == CWK_OK)
      status = cwk_matmul(device, &product);
    for (size_t i = 0; i < count && status == CWK_OK; i++)
      largest_tokens(logits + i * (size_t)V, V, n_top, tokens + (first + i) * n_top);
  }
  if (status == CWK_OK)
    return true;
  cw_error_set_from_status(error, status, "naming features");
  return false;
}

char *
cw_feature_dup_name(const CwTokenizer *tokenizer, const int32_t *tokens, size_t n_top)
{
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
  for (size_t i = 0; i < n_top && parts->len < NAME_PARTS && tokens[i] >= 0; i++) {
    char *piece = g_strstrip(cw_tokenizer_dup_piece(tokenizer, tokens[i]));
    bool is_known = piece[0] == 0;
    for (guint j = 0; j < parts->len && !is_known; j++) {
      g_autofree char *a = g_utf8_casefold(piece, -1);
      g_autofree char *b = g_utf8_casefold(g_ptr_array_index(parts, j), -1);
      is_known = strcmp(a, b) == 0;
    }
    if (is_known)
      g_free(piece);
    else
      g_ptr_array_add(parts, piece);
  }
  if (parts->len == 0)
    return NULL;
  g_ptr_array_add(parts, NULL);
  g_autofree char *list = g_strjoinv(", ", (char **)parts->pdata);
  return g_strconcat("~ ", list, NULL);
}
