/* replacement.c - the clean pass, active features, errors and what belongs to no node.
 *
 * Follows Ameisen et al., "Circuit Tracing" (transformer-circuits.pub, 2025) in
 * circuit-tracer's reading: activations at the prompt's first position are zeroed, the error of
 * a layer is its MLP output minus the reconstruction, and whatever else the MLP adds (decoder
 * bias, the whole output at zeroed positions) is kept as `rest`, so that nothing is silently
 * missing. */
#include "attribution/replacement.h"

#include <string.h>

#include "clt/transcoder-apply.h"

/* ---- active features -------------------------------------------------------------------- */

typedef struct {
  GArray *position, *feature, *activation;
} LayerFeatures;

static void
append_active(int64_t position, const float *row, const int32_t *active, int64_t n_active,
              LayerFeatures *found)
{
  int32_t p = (int32_t)position;
  for (int64_t i = 0; i < n_active; i++) {
    int64_t f = active[i];
    g_array_append_val(found->position, p);
    g_array_append_val(found->feature, f);
    g_array_append_val(found->activation, row[f]);
  }
}

static bool
find_layer_features(CwReplacement *replacement, int64_t l, float *input_scratch, float *pre,
                    float *row_scratch, int32_t *active, LayerFeatures *found, GError **error)
{
  const CwTranscoder *transcoder = replacement->transcoder;
  int64_t n_features = replacement->dictionary->n_features, T = replacement->n_positions;
  const float *input = cw_transcoder_find_input(transcoder, replacement->model,
                                                replacement->forward, l, input_scratch);
  CwkStatus status = cw_transcoder_encode(transcoder, replacement->device, l, input, T, pre);
  if (status != CWK_OK) {
    cw_error_set_from_status(error, status, "encoding features");
    return false;
  }
  for (int64_t c = 0; c < T; c++) {
    if (replacement->is_zeroed[c])
      continue;
    const float *row = pre + c * n_features;
    int64_t n_active = cw_transcoder_gate(transcoder, l, row, row_scratch, active);
    append_active(c, row, active, n_active, found);
  }
  return true;
}

static void
append_layer(int64_t l, const LayerFeatures *found, GArray *layers)
{
  int32_t layer = (int32_t)l;
  for (guint i = (guint)layers->len; i < found->position->len; i++)
    g_array_append_val(layers, layer);
}

static bool
index_columns(CwReplacement *replacement, GError **error)
{
  int64_t L = replacement->n_layers, n_cells = replacement->n_positions * L;
  gsize n_active = (gsize)MAX(replacement->n_active, 1);
  int64_t *start = replacement->cell_start = g_try_new0(int64_t, (gsize)n_cells + 1);
  g_autofree int64_t *next = g_try_new(int64_t, (gsize)n_cells + 1);
  replacement->column_of_active = g_try_new(int64_t, n_active);
  replacement->active_of_column = g_try_new(int64_t, n_active);
  if (start == NULL || next == NULL || replacement->column_of_active == NULL ||
      replacement->active_of_column == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "indexing features");
    return false;
  }
  for (int64_t i = 0; i < replacement->n_active; i++)
    start[replacement->active_position[i] * L + replacement->active_layer[i] + 1]++;
  for (int64_t cell = 0; cell < n_cells; cell++)
    start[cell + 1] += start[cell];
  memcpy(next, start, sizeof *start * (size_t)(n_cells + 1));
  for (int64_t i = 0; i < replacement->n_active; i++) {
    int64_t cell = replacement->active_position[i] * L + replacement->active_layer[i];
    int64_t column = next[cell]++;
    replacement->column_of_active[i] = column;
    replacement->active_of_column[column] = i;
  }
  return true;
}

static bool
find_active_features(CwReplacement *replacement, const CwProgress *progress, CwCancel *cancel,
                     GError **error)
{
  int64_t T = replacement->n_positions, D = replacement->width;
  int64_t n_features = replacement->dictionary->n_features;
  g_autofree float *input = g_try_new(float, (gsize)(T * D));
  g_autofree float *pre = g_try_new(float, (gsize)(T * n_features));
  g_autofree float *row = g_try_new(float, (gsize)n_features);
  g_autofree int32_t *active = g_try_new(int32_t, (gsize)n_features);
  if (input == NULL || pre == NULL || row == NULL || active == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "encoding features");
    return false;
  }
  g_autoptr(GArray) layers = g_array_new(FALSE, FALSE, sizeof(int32_t));
  g_autoptr(GArray) position = g_array_new(FALSE, FALSE, sizeof(int32_t));
  g_autoptr(GArray) feature = g_array_new(FALSE, FALSE, sizeof(int64_t));
  g_autoptr(GArray) activation = g_array_new(FALSE, FALSE, sizeof(float));
  LayerFeatures found = { position, feature, activation };
  for (int64_t l = 0; l < replacement->n_layers; l++) {
    if (cw_cancel_check(cancel, error) ||
        !find_layer_features(replacement, l, input, pre, row, active, &found, error))
      return false;
    append_layer(l, &found, layers);
    cw_progress_report(progress, "features", (double)(l + 1) / (double)replacement->n_layers);
  }
  replacement->n_active = position->len;
  replacement->active_layer = (int32_t *)(void *)g_array_free(g_steal_pointer(&layers), FALSE);
  replacement->active_position =
      (int32_t *)(void *)g_array_free(g_steal_pointer(&position), FALSE);
  replacement->active_feature =
      (int64_t *)(void *)g_array_free(g_steal_pointer(&feature), FALSE);
  replacement->activation = (float *)(void *)g_array_free(g_steal_pointer(&activation), FALSE);
  return index_columns(replacement, error);
}

/* ---- decoder rows ------------------------------------------------------------------------ */

int64_t
cw_replacement_writers(const CwReplacement *replacement, int64_t c, int64_t l, int64_t *first)
{
  const int64_t *cells = replacement->cell_start + c * replacement->n_layers;
  bool is_cross = replacement->dictionary->kind == CW_TRANSCODER_CROSS_LAYER;
  *first = cells[is_cross ? 0 : l];
  return cells[l + 1];
}

void
cw_replacement_decoder_rows(const CwReplacement *replacement, int64_t l, const void **rows,
                            float *scales)
{
  for (int64_t c = 0; c < replacement->n_positions; c++) {
    int64_t column, end = cw_replacement_writers(replacement, c, l, &column);
    for (; column < end; column++) {
      int64_t i = replacement->active_of_column[column];
      CwkDtype dtype;
      float scale = 1;
      rows[column] =
          cw_transcoder_peek_decoder_row(replacement->transcoder, replacement->active_layer[i],
                                         replacement->active_feature[i], l, &dtype, &scale);
      scales[column] = scale * replacement->activation[i];
      if (rows[column] == NULL) {
        rows[column] = replacement->zero_row;
        scales[column] = 0;
      }
    }
  }
}

/* All decoder rows must share one element type: a product reads one type. */
static bool
check_decoder_dtype(CwReplacement *replacement, GError **error)
{
  bool is_known = false;
  for (int64_t l = 0; l < replacement->n_layers; l++) {
    CwkDtype dtype;
    float scale;
    if (cw_transcoder_peek_decoder_row(replacement->transcoder, l, 0, l, &dtype, &scale) ==
        NULL)
      continue;
    if (is_known && dtype != replacement->decoder_dtype) {
      g_set_error(
          error, CW_ERROR, CW_ERROR_UNSUPPORTED,
          "%s: decoder rows of layer %d are %s, those of an earlier layer %s; convert the "
          "transcoder to one element type",
          cw_transcoder_peek_path(replacement->transcoder), (int)l, cwk_dtype_name(dtype),
          cwk_dtype_name(replacement->decoder_dtype));
      return false;
    }
    replacement->decoder_dtype = dtype;
    is_known = true;
  }
  return true;
}

/* ---- errors and rest -----------------------------------------------------------------------
 */

/* reconstruction[c] = sum over writers of activation * decoder row. */
static CwkStatus
decode_layer(const CwReplacement *replacement, int64_t l, const void **rows, float *scales,
             const float *ones, float *reconstruction)
{
  int64_t T = replacement->n_positions, D = replacement->width;
  cw_replacement_decoder_rows(replacement, l, rows, scales);
  g_autofree CwkMatmulArgs *products = g_try_new0(CwkMatmulArgs, (gsize)T);
  if (products == NULL)
    return CWK_NO_MEMORY;
  for (int64_t c = 0; c < T; c++) {
    int64_t first, end = cw_replacement_writers(replacement, c, l, &first), n = end - first;
    products[c] = (CwkMatmulArgs){
      .m = 1,
      .n = D,
      .k = n,
      .a = { (float *)ones, MAX(n, 1), NULL },
      .b = { NULL, replacement->decoder_dtype, n, D, 0, rows + first, scales + first },
      .b_layout = CWK_B_ROWS_ARE_INPUTS,
      .c = { reconstruction + c * D, D, NULL },
    };
  }
  CwkMatmulBatchArgs batch = { T, products };
  return cwk_matmul_batch(replacement->device, &batch);
}

/* Splits the MLP's output of layer l at position c into reconstruction, error and rest. */
static void
split_output(CwReplacement *replacement, int64_t l, int64_t c, const float *decoded,
             const float *skipped, const float *skip_of_bias)
{
  int64_t D = replacement->width, at = (l * replacement->n_positions + c) * D;
  const float *y =
      cw_transcoder_find_outputs(replacement->transcoder, replacement->forward) + at;
  const float *bias = cw_transcoder_peek_decoder_bias(replacement->transcoder, l);
  for (int64_t d = 0; d < D; d++) {
    float skip = skipped != NULL ? skipped[c * D + d] : 0;
    float constant = skip_of_bias != NULL ? skip_of_bias[d] : 0;
    if (replacement->is_zeroed[c]) {
      replacement->error[at + d] = 0;
      replacement->rest[at + d] = y[d] - skip + constant;
    } else {
      replacement->error[at + d] = y[d] - (decoded[c * D + d] + bias[d] + skip);
      replacement->rest[at + d] = bias[d] + constant;
    }
  }
}

static const float *
input_bias(const CwReplacement *replacement, int64_t l)
{
  bool is_affine = replacement->dictionary->input_hook == CW_INPUT_NORMALISED_AFFINE ||
                   replacement->dictionary->input_hook == CW_INPUT_MLP_IN;
  return is_affine ? cw_model_peek_layer(replacement->model, l)->ln2_bias : NULL;
}

static bool
split_outputs(CwReplacement *replacement, CwCancel *cancel, GError **error)
{
  int64_t T = replacement->n_positions, D = replacement->width, K = replacement->n_active;
  g_autofree const void **rows = g_try_new(const void *, (gsize)MAX(K, 1));
  g_autofree float *scales = g_try_new(float, (gsize)MAX(K, 1));
  g_autofree float *ones = g_try_new(float, (gsize)MAX(K, 1));
  g_autofree float *decoded = g_try_new(float, (gsize)(T * D));
  g_autofree float *skipped = g_try_new(float, (gsize)(T * D));
  g_autofree float *input = g_try_new(float, (gsize)(T * D));
  g_autofree float *skip_of_bias = g_try_new(float, (gsize)D);
  size_t n = (size_t)replacement->n_layers * (size_t)(T * D);
  replacement->error = g_try_new(float, n);
  replacement->rest = g_try_new(float, n);
  CwkStatus status = CWK_OK;
  if (rows == NULL || scales == NULL || ones == NULL || decoded == NULL || skipped == NULL ||
      input == NULL || skip_of_bias == NULL || replacement->error == NULL ||
      replacement->rest == NULL)
    status = CWK_NO_MEMORY;
  for (int64_t i = 0; status == CWK_OK && i < K; i++)
    ones[i] = 1;
  for (int64_t l = 0; status == CWK_OK && l < replacement->n_layers; l++) {
    if (cw_cancel_check(cancel, error))
      return false;
    const CwLinear *skip = cw_transcoder_peek_skip(replacement->transcoder, l);
    const float *bias = skip != NULL ? input_bias(replacement, l) : NULL;
    status = decode_layer(replacement, l, rows, scales, ones, decoded);
    if (status == CWK_OK && skip != NULL)
      status = cw_transcoder_apply_skip(
          replacement->transcoder, replacement->device, l,
          cw_transcoder_find_input(replacement->transcoder, replacement->model,
                                   replacement->forward, l, input),
          T, skipped);
    if (status == CWK_OK && bias != NULL)
      status = cw_transcoder_apply_skip(replacement->transcoder, replacement->device, l, bias,
                                        1, skip_of_bias);
    for (int64_t c = 0; status == CWK_OK && c < T; c++)
      split_output(replacement, l, c, decoded, skip != NULL ? skipped : NULL,
                   bias != NULL ? skip_of_bias : NULL);
  }
  if (status == CWK_OK)
    return true;
  cw_error_set_from_status(error, status, "reconstructing the MLP outputs");
  return false;
}

/* ---- new and free ---------------------------------------------------------------------------
 */

/* Position 0 has no features. Chat prompts of Gemma 3 begin with four template tokens
 * (<bos><start_of_turn>user\n); circuit-tracer zeroes them all for instruction-tuned models. */
static void
mark_zeroed(CwReplacement *replacement)
{
  static const int32_t chat_start[] = { 2, 105, 2364, 107 };
  replacement->is_zeroed[0] = 1;
  const char *name = replacement->config->name, *given = replacement->config->given;
  bool is_chat =
      replacement->config->architecture == CW_ARCHITECTURE_GEMMA3 &&
      (g_str_has_suffix(name, "-it") ||
       (given != NULL && (g_str_has_suffix(given, "-it") || g_str_has_suffix(given, " It"))));
  int64_t n = (int64_t)G_N_ELEMENTS(chat_start);
  if (!is_chat || replacement->n_positions < n ||
      memcmp(replacement->tokens, chat_start, sizeof chat_start) != 0)
    return;
  for (int64_t c = 1; c < n; c++)
    replacement->is_zeroed[c] = 1;
}

CwReplacement *
cw_replacement_new(CwModel *model, CwTranscoder *transcoder, CwkDevice *device,
                   const int32_t *tokens, size_t n_tokens, CwForwardFlags logits,
                   const CwProgress *progress, CwCancel *cancel, GError **error)
{
  if (!cw_transcoder_check_fits(transcoder, model, error))
    return NULL;
  g_autoptr(CwReplacement) replacement = g_new0(CwReplacement, 1);
  replacement->model = cw_model_ref(model);
  replacement->transcoder = cw_transcoder_ref(transcoder);
  replacement->device = device;
  replacement->config = cw_model_peek_config(model);
  replacement->dictionary = cw_transcoder_peek_config(transcoder);
  replacement->n_layers = replacement->config->n_layers;
  replacement->width = replacement->config->width;
  replacement->n_positions = (int64_t)n_tokens;
  cw_progress_report(progress, "forward", 0);
  replacement->forward =
      cw_model_forward(model, device, tokens, n_tokens,
                       logits | CW_FORWARD_TAPS | CW_FORWARD_FROZEN, cancel, error);
  if (replacement->forward == NULL)
    return NULL;
  cw_progress_report(progress, "forward", 1);
  replacement->tokens = g_try_new(int32_t, n_tokens);
  replacement->is_zeroed = g_try_new0(uint8_t, n_tokens);
  replacement->zero_row = g_try_new0(float, (gsize)replacement->width);
  if (replacement->tokens == NULL || replacement->is_zeroed == NULL ||
      replacement->zero_row == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "encoding features");
    return NULL;
  }
  memcpy(replacement->tokens, tokens, n_tokens * sizeof *tokens);
  mark_zeroed(replacement);
  if (!check_decoder_dtype(replacement, error) ||
      !find_active_features(replacement, progress, cancel, error) ||
      !split_outputs(replacement, cancel, error))
    return NULL;
  return g_steal_pointer(&replacement);
}

void
cw_replacement_free(CwReplacement *replacement)
{
  if (replacement == NULL)
    return;
  cw_model_unref(replacement->model);
  cw_transcoder_unref(replacement->transcoder);
  cw_forward_free(replacement->forward);
  g_free(replacement->tokens);
  g_free(replacement->is_zeroed);
  g_free(replacement->active_layer);
  g_free(replacement->active_position);
  g_free(replacement->active_feature);
  g_free(replacement->activation);
  g_free(replacement->column_of_active);
  g_free(replacement->active_of_column);
  g_free(replacement->cell_start);
  g_free(replacement->error);
  g_free(replacement->rest);
  g_free(replacement->zero_row);
  g_free(replacement);
}
