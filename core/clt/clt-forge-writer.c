/* clt-forge-writer.c - see clt-forge-writer.h.
 *
 * The one bias per target layer stands in the block of that layer on itself, the other blocks'
 * biases are 0: only their sum per target has a meaning. Factors of normalisation are 1. */
#include "clt/clt-forge-writer.h"

#include <errno.h>
#include <float.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "clt/transcoder-pieces.h"
#include "files/safetensors-writer.h"

typedef struct {
  const CwDictionarySource *source;
  int64_t n_layers, n_features, width, n_pairs;
  bool is_cross_layer;
  CwSafetensorsWriter *writer;
  float *rows; /* [max(F, K) * D], scratch */
} Writer;

static bool
append(Writer *self, const void *data, int64_t n_bytes, GError **error)
{
  return cw_safetensors_writer_append(self->writer, data, (size_t)n_bytes, error);
}

static bool
append_constant(Writer *self, int64_t n, float value, GError **error)
{
  for (int64_t i = 0; i < n; i++)
    if (!append(self, &value, sizeof value, error))
      return false;
  return true;
}

/* [D, F]: encoders are kept transposed. */
static bool
append_encoder(Writer *self, int64_t l, GError **error)
{
  const CwDictionarySource *source = self->source;
  int64_t n = self->n_features, width = self->width;
  for (int64_t i = 0; i < n; i++)
    if (!source->encoder_row(source->data, l, i, self->rows + i * width, error))
      return false;
  for (int64_t j = 0; j < width; j++)
    for (int64_t i = 0; i < n; i++)
      if (!append(self, &self->rows[i * width + j], sizeof(float), error))
        return false;
  return true;
}

static bool
append_decoder(Writer *self, int64_t l, GError **error)
{
  const CwDictionarySource *source = self->source;
  int64_t last = self->is_cross_layer ? self->n_layers - 1 : l;
  for (int64_t to = l; to <= last; to++)
    for (int64_t i = 0; i < self->n_features; i++)
      if (!source->decoder_row(source->data, l, i, to, self->rows, error) ||
          !append(self, self->rows, self->width * (int64_t)sizeof(float), error))
        return false;
  return true;
}

static bool
append_decoder_bias(Writer *self, int64_t l, GError **error)
{
  int64_t n_others = self->is_cross_layer ? self->n_layers - 1 - l : 0;
  self->source->decoder_bias(self->source->data, l, self->rows);
  return append(self, self->rows, self->width * (int64_t)sizeof(float), error) &&
         append_constant(self, n_others * self->width, 0, error);
}

static bool
append_threshold(Writer *self, int64_t l, GError **error)
{
  self->source->threshold(self->source->data, l, self->rows);
  for (int64_t i = 0; i < self->n_features; i++)
    self->rows[i] = logf(MAX(self->rows[i], FLT_MIN));
  return append(self, self->rows, self->n_features * (int64_t)sizeof(float), error);
}

static bool
append_all(Writer *self, GError **error)
{
  const CwDictionarySource *source = self->source;
  int64_t zero = 0;
  for (int64_t i = 0; i < self->n_layers * self->n_features; i++)
    if (!append(self, &zero, sizeof zero, error))
      return false;
  for (int64_t l = 0; l < self->n_layers; l++)
    if (!append_encoder(self, l, error))
      return false;
  for (int64_t l = 0; l < self->n_layers; l++) {
    source->encoder_bias(source->data, l, self->rows);
    if (!append(self, self->rows, self->n_features * (int64_t)sizeof(float), error))
      return false;
  }
  for (int64_t l = 0; l < self->n_layers; l++)
    if (!append_decoder(self, l, error))
      return false;
  for (int64_t l = 0; l < self->n_layers; l++)
    if (!append_decoder_bias(self, l, error))
      return false;
  for (int64_t l = 0; l < self->n_layers; l++)
    if (!append_threshold(self, l, error))
      return false;
  if (!append_constant(self, 2 * self->n_layers, 1, error))
    return false;
  /* 1 where a pair's source is the layer. */
  for (int64_t l = 0; self->is_cross_layer && l < self->n_layers; l++)
    for (int64_t from = 0; from < self->n_layers; from++)
      if (!append_constant(self, self->n_layers - from, from == l, error))
        return false;
  return true;
}

static bool
write_weights(Writer *self, const char *folder, GError **error)
{
  int64_t n_layers = self->n_layers, n = self->n_features, d = self->width, k = self->n_pairs;
  const CwTensorOut tensors[] = {
    { "feature_count", "I64", 2, { n_layers, n }, NULL },
    { "W_enc", "F32", 3, { n_layers, d, n }, NULL },
    { "b_enc", "F32", 2, { n_layers, n }, NULL },
    { "W_dec", "F32", 3, { k, n, d }, NULL },
    { "b_dec", "F32", 2, { k, d }, NULL },
    { "log_threshold", "F32", 2, { n_layers, n }, NULL },
    { "estimated_norm_scaling_factor_in", "F32", 1, { n_layers }, NULL },
    { "estimated_norm_scaling_factor_out", "F32", 1, { n_layers }, NULL },
    { "layer_mask", "F32", 2, { n_layers, k }, NULL },
  };
  size_t n_tensors = G_N_ELEMENTS(tensors) - (self->is_cross_layer ? 0 : 1);
  g_autofree char *path = g_build_filename(folder, "clt_weights.safetensors", NULL);
  self->writer = cw_safetensors_writer_begin(path, tensors, n_tensors, NULL, error);
  if (self->writer == NULL)
    return false;
  if (!append_all(self, error)) {
    cw_safetensors_writer_discard(self->writer);
    return false;
  }
  return cw_safetensors_writer_finish(self->writer, error);
}

static bool
write_config(const Writer *self, const char *folder, GError **error)
{
  const CwTranscoderConfig *config = self->source->config;
  g_autofree char *name = cw_escape_dup(config->model_name, true);
  g_autofree char *json = g_strdup_printf(
      "{\"device\": \"cpu\", \"dtype\": \"float32\", \"seed\": 42, \"model_name\": %s, "
      "\"debug\": false, \"d_in\": %d, \"d_latent\": %d, \"n_layers\": %d, "
      "\"jumprelu_bandwidth\": 1.0, \"jumprelu_init_threshold\": 0.03, "
      "\"normalize_decoder\": false, \"dead_feature_window\": 250, "
      "\"cross_layer_decoders\": %s, \"context_size\": 128, \"functional_loss\": null, "
      "\"l0_coefficient\": 0.0, \"ddp\": false, \"fsdp\": false, "
      "\"feature_sharding\": false%s}\n",
      name, (int)self->width, (int)self->n_features, (int)self->n_layers,
      self->is_cross_layer ? "true" : "false",
      config->input_hook == CW_INPUT_NORMALISED_AFFINE
          ? ", \"feature_input_hook_is_affine\": true"
          : "");
  g_autofree char *path = g_build_filename(folder, "clt_cfg.json", NULL);
  return cw_file_write_atomic(path, json, strlen(json), error);
}

static bool
check_source(const CwTranscoderConfig *config, const char *folder, GError **error)
{
  bool is_normalised = config->input_hook == CW_INPUT_NORMALISED ||
                       config->input_hook == CW_INPUT_NORMALISED_AFFINE;
  const char *what = config->has_skip                   ? "a skip connection"
                     : config->gate != CW_GATE_JUMPRELU ? "an activation without thresholds"
                     : !is_normalised                   ? "that input hook"
                     : config->output_hook != CW_OUTPUT_MLP_OUT ? "that output hook"
                                                                : NULL;
  if (what == NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
              "%s: CLT-Forge's checkpoints have no %s; take circuit-tracer's folder", folder,
              what);
  return false;
}

bool
cw_clt_forge_write(const CwDictionarySource *source, const char *folder, GError **error)
{
  const CwTranscoderConfig *config = source->config;
  Writer self = { .source = source,
                  .n_layers = config->n_layers,
                  .n_features = config->n_features,
                  .width = config->width,
                  .is_cross_layer = config->kind == CW_TRANSCODER_CROSS_LAYER };
  if (!check_source(config, folder, error))
    return false;
  self.n_pairs = self.is_cross_layer ? self.n_layers * (self.n_layers + 1) / 2 : self.n_layers;
  if (g_mkdir_with_parents(folder, 0777) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", folder, g_strerror(errno));
    return false;
  }
  self.rows = g_try_new(float, MAX(self.n_features, 1) * MAX(self.width, 1));
  if (self.rows == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "%s: no memory to write it", folder);
    return false;
  }
  bool is_written = write_weights(&self, folder, error) && write_config(&self, folder, error);
  g_free(self.rows);
  return is_written;
}

/* ---- of a transcoder that was opened -------------------------------------------------------
 */

static bool
copy_row(CwRowSource *source, CwMatrix matrix, int64_t l, int64_t i, float *row, GError **error)
{
  if (!cw_row_source_read(source, matrix, l, i, error))
    return false;
  memcpy(row, source->row, (size_t)source->transcoder->config.width * sizeof *row);
  return true;
}

static bool
opened_encoder_row(void *data, int64_t l, int64_t i, float *row, GError **error)
{
  return copy_row(data, CW_MATRIX_ENCODER, l, i, row, error);
}

static bool
opened_decoder_row(void *data, int64_t l, int64_t i, int64_t to, float *row, GError **error)
{
  const CwRowSource *source = data;
  int64_t at = i * cw_transcoder_n_targets(source->transcoder, l) + to - l;
  return copy_row(data, CW_MATRIX_DECODER, l, at, row, error);
}

static void
opened_encoder_bias(void *data, int64_t l, float *bias)
{
  const CwTranscoder *transcoder = ((const CwRowSource *)data)->transcoder;
  memcpy(bias, cw_transcoder_peek_encoder_bias(transcoder, l),
         (size_t)transcoder->config.n_features * sizeof *bias);
}

static void
opened_threshold(void *data, int64_t l, float *threshold)
{
  const CwTranscoder *transcoder = ((const CwRowSource *)data)->transcoder;
  memcpy(threshold, cw_transcoder_peek_threshold(transcoder, l),
         (size_t)transcoder->config.n_features * sizeof *threshold);
}

static void
opened_decoder_bias(void *data, int64_t l, float *bias)
{
  const CwTranscoder *transcoder = ((const CwRowSource *)data)->transcoder;
  memcpy(bias, cw_transcoder_peek_decoder_bias(transcoder, l),
         (size_t)transcoder->config.width * sizeof *bias);
}

bool
cw_transcoder_write_clt_forge(CwTranscoder *transcoder, const char *folder, GError **error)
{
  CwRowSource rows;
  const CwDictionarySource source = { .config = &transcoder->config,
                                      .encoder_row = opened_encoder_row,
                                      .decoder_row = opened_decoder_row,
                                      .encoder_bias = opened_encoder_bias,
                                      .threshold = opened_threshold,
                                      .decoder_bias = opened_decoder_bias,
                                      .data = &rows };
  bool is_written = cw_row_source_init(&rows, transcoder, error) &&
                    cw_clt_forge_write(&source, folder, error);
  cw_row_source_clear(&rows);
  return is_written;
}
