/* compact-transcoder.c - reads Clew's compact form: one safetensors file of rows in few bits.
 *
 * A row r of W_enc, W_dec or W_skip is stored as signed bytes q with one f32 scale s = max |r|
 * / 127, r ~ s q; biases and thresholds stay f32. Half the size of bf16, mapped and used as it
 * is. Tensors of layer l: W_enc_{l} I8 [F, D], W_dec_{l} I8 [F, n, D] (n = L - l, or 1 of a
 * per-layer set), W_skip_{l} I8 [D, D] where there is a skip, each with <name>_scale;
 * b_enc_{l}, b_dec_{l}, threshold_{l}. Where decoder rows are 0 they are left out: W_dec_{l} is
 * I8 [rows that are there, D] then, and W_dec_{l}_kept BOOL [F, n] says which those are;
 * such rows may also be GGUF's blocks of 4 or 5 bits, U8 [rows, bytes of a row], which the
 * number of bytes tells apart; their scale multiplies what the blocks say.
 * __metadata__ has "format": "clew-transcoder-1" and the keys of config.yaml. Written by
 * transcoder-writer.c. */
#include "clt/compact-transcoder.h"

#include <math.h>

#include "clt/transcoder.h"

static bool
read_description(CwTranscoder *transcoder, const CwTensorFile *file, GError **error)
{
  const char *format = NULL, *kind = NULL;
  const char *path = cw_tensor_file_peek_path(file);
  cw_tensor_file_get_string(file, "format", &format);
  cw_tensor_file_get_string(file, "model_kind", &kind);
  if (cw_tensor_file_is_gguf(file) || g_strcmp0(format, CW_COMPACT_FORMAT) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: is no compact transcoder; to open a circuit-tracer or CLT-Forge one, name "
                "its folder",
                path);
    return false;
  }
  bool is_cross_layer = g_strcmp0(kind, "cross_layer_transcoder") == 0;
  if (!is_cross_layer && g_strcmp0(kind, "transcoder_set") != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: model_kind is %.80s; known are cross_layer_transcoder, transcoder_set",
                path, kind != NULL ? kind : "absent");
    return false;
  }
  transcoder->config.kind =
      is_cross_layer ? CW_TRANSCODER_CROSS_LAYER : CW_TRANSCODER_PER_LAYER;
  CwTranscoderDescription description = { .place = path };
  cw_tensor_file_get_string(file, "model_name", &description.model_name);
  cw_tensor_file_get_string(file, "scan", &description.scan);
  cw_tensor_file_get_string(file, "feature_input_hook", &description.input_hook);
  cw_tensor_file_get_string(file, "feature_input_hook_is_affine", &description.is_input_affine);
  cw_tensor_file_get_string(file, "feature_output_hook", &description.output_hook);
  cw_tensor_file_get_string(file, "activation", &description.activation);
  cw_tensor_file_get_string(file, "k", &description.k);
  return cw_transcoder_describe(transcoder, &description, error);
}

/* The element type of decoder rows by the bytes of one. */
static bool
find_dtype(const CwTensor *tensor, int64_t width, CwkDtype *dtype)
{
  static const CwkDtype known[] = { CWK_Q4_0, CWK_Q5_0 };
  if (tensor->type == CW_TYPE_I8) {
    *dtype = CWK_I8;
    return tensor->shape[1] == width;
  }
  for (size_t k = 0; tensor->type == CW_TYPE_U8 && k < G_N_ELEMENTS(known); k++)
    if (cwk_dtype_row_bytes(known[k], width) == (size_t)tensor->shape[1]) {
      *dtype = known[k];
      return true;
    }
  return false;
}

/* Transfer full; NULL with an error. */
static float *
load_scales(const CwTensorFile *file, const char *name, int64_t n, GError **error)
{
  g_autofree char *scale_name = g_strdup_printf("%s_scale", name);
  g_autofree float *scales = cw_transcoder_load_vector(file, scale_name, n, error);
  for (int64_t i = 0; scales != NULL && i < n; i++)
    if (!isfinite(scales[i])) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s[%" G_GINT64_FORMAT "] is infinite",
                  cw_tensor_file_peek_path(file), scale_name, i);
      return NULL;
    }
  return g_steal_pointer(&scales);
}

static bool
wrong_type(const CwTensorFile *file, const CwTensor *tensor, const char *wanted, GError **error)
{
  g_autofree char *text = cw_tensor_dup_shape_text(tensor);
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s %s: %s is needed here",
              cw_tensor_file_peek_path(file), tensor->name, text, wanted);
  return false;
}

/* Decoder rows of which some are left out. */
static bool
map_kept(const CwTensorFile *file, const char *name, int64_t n_kept, int64_t width,
         CwkRows *rows, float **scales, GError **error)
{
  CwkDtype dtype;
  const CwTensor *tensor =
      cw_tensor_file_require(file, name, 2, (int64_t[]){ n_kept, -1 }, error);
  if (tensor == NULL)
    return false;
  if (!find_dtype(tensor, width, &dtype))
    return wrong_type(file, tensor, "i8, or u8 of rows in q4_0 or q5_0,", error);
  *rows = (CwkRows){ .data = tensor->data,
                     .dtype = dtype,
                     .n_rows = n_kept,
                     .n_cols = width,
                     .row_bytes = (size_t)tensor->shape[1] };
  *scales = load_scales(file, name, n_kept, error);
  return *scales != NULL;
}

/* Bytes and their scales, both checked; *scales is transfer full. */
static bool
map_bytes(const CwTensorFile *file, const char *name, int n_dims, const int64_t *shape,
          CwkRows *rows, float **scales, GError **error)
{
  const CwTensor *tensor = cw_tensor_file_require(file, name, n_dims, shape, error);
  if (tensor == NULL)
    return false;
  if (tensor->type != CW_TYPE_I8)
    return wrong_type(file, tensor, "i8", error);
  *rows = (CwkRows){ .data = tensor->data, .dtype = CWK_I8, .n_rows = 1 };
  for (int i = 0; i + 1 < n_dims; i++)
    rows->n_rows *= tensor->shape[i];
  rows->n_cols = tensor->shape[n_dims - 1];
  rows->row_bytes = (size_t)rows->n_cols;
  *scales = load_scales(file, name, rows->n_rows, error);
  return *scales != NULL;
}

static bool
load_vectors(CwTranscoder *transcoder, const CwTensorFile *file, int64_t l, GError **error)
{
  const CwTranscoderConfig *config = &transcoder->config;
  CwTranscoderLayer *layer = &transcoder->layers[l];
  char name[32];
  g_snprintf(name, sizeof name, "b_enc_%d", (int)l);
  layer->encoder_bias = cw_transcoder_load_vector(file, name, config->n_features, error);
  if (layer->encoder_bias == NULL)
    return false;
  g_snprintf(name, sizeof name, "b_dec_%d", (int)l);
  layer->decoder_bias = cw_transcoder_load_vector(file, name, config->width, error);
  if (layer->decoder_bias == NULL)
    return false;
  g_snprintf(name, sizeof name, "threshold_%d", (int)l);
  if (cw_tensor_file_find(file, name) == NULL)
    return true;
  layer->threshold = cw_transcoder_load_vector(file, name, config->n_features, error);
  return layer->threshold != NULL;
}

/* Numbers the rows that flags say are there; their count is what W_dec has. */
static bool
number_rows(CwTranscoder *transcoder, const CwTensorFile *file, const CwTensor *flags,
            int64_t l, int64_t *n_kept, GError **error)
{
  const uint8_t *is_kept = flags->data;
  int64_t n = flags->shape[0] * flags->shape[1];
  int32_t *place = g_try_new(int32_t, n);
  transcoder->layers[l].decoder_place = place;
  if (transcoder->blank_row == NULL)
    transcoder->blank_row = g_try_new0(int8_t, transcoder->config.width);
  if (place == NULL || transcoder->blank_row == NULL || n > G_MAXINT32) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "%s: no memory for %s",
                cw_tensor_file_peek_path(file), flags->name);
    return false;
  }
  *n_kept = 0;
  for (int64_t i = 0; i < n; i++) {
    if (is_kept[i] > 1) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "%s: %s[%" G_GINT64_FORMAT "] is %d, neither 0 nor 1",
                  cw_tensor_file_peek_path(file), flags->name, i, is_kept[i]);
      return false;
    }
    place[i] = is_kept[i] ? (int32_t)(*n_kept)++ : -1;
  }
  return true;
}

static bool
map_decoder(CwTranscoder *transcoder, const CwTensorFile *file, int64_t l, GError **error)
{
  CwTranscoderLayer *layer = &transcoder->layers[l];
  int64_t n_features = transcoder->config.n_features, width = transcoder->config.width;
  int64_t n_targets = cw_transcoder_n_targets(transcoder, l), n_kept = 0;
  CwkRows rows;
  g_autofree char *name = g_strdup_printf("W_dec_%d", (int)l);
  g_autofree char *flags_name = g_strdup_printf("%s_kept", name);
  if (cw_tensor_file_find(file, flags_name) == NULL) {
    int64_t shape[3] = { n_features, n_targets, width };
    if (!map_bytes(file, name, 3, shape, &rows, &layer->decoder_scales, error))
      return false;
    cw_transcoder_set_decoder(transcoder, l, &rows);
    return true;
  }
  const CwTensor *flags =
      cw_tensor_file_require(file, flags_name, 2, (int64_t[]){ n_features, n_targets }, error);
  if (flags == NULL)
    return false;
  if (flags->type != CW_TYPE_BOOL)
    return wrong_type(file, flags, "bool", error);
  if (!number_rows(transcoder, file, flags, l, &n_kept, error) ||
      !map_kept(file, name, n_kept, width, &rows, &layer->decoder_scales, error))
    return false;
  cw_transcoder_set_decoder(transcoder, l, &rows);
  return true;
}

static bool
load_layer(CwTranscoder *transcoder, const CwTensorFile *file, int64_t l, GError **error)
{
  CwTranscoderConfig *config = &transcoder->config;
  CwTranscoderLayer *layer = &transcoder->layers[l];
  int64_t n_features = config->n_features, width = config->width;
  char name[32];
  g_snprintf(name, sizeof name, "W_enc_%d", (int)l);
  if (!map_bytes(file, name, 2, (int64_t[]){ n_features, width }, &layer->encoder,
                 &layer->encoder_scales, error))
    return false;
  layer->encoder.scales = layer->encoder_scales;
  if (!map_decoder(transcoder, file, l, error))
    return false;
  g_snprintf(name, sizeof name, "W_skip_%d", (int)l);
  if (l == 0)
    config->has_skip = cw_tensor_file_find(file, name) != NULL;
  if (config->has_skip) {
    if (!map_bytes(file, name, 2, (int64_t[]){ width, width }, &layer->skip.rows,
                   &layer->skip_scales, error))
      return false;
    layer->skip.rows.scales = layer->skip_scales;
    layer->skip.layout = CWK_B_ROWS_ARE_OUTPUTS;
  }
  return load_vectors(transcoder, file, l, error);
}

CwTranscoder *
cw_transcoder_open_compact(const char *path, GError **error)
{
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_new(path, "clew-compact");
  const CwTensorFile *file = cw_transcoder_add_file(transcoder, path, NULL, error);
  if (file == NULL || !read_description(transcoder, file, error))
    return NULL;
  const CwTensor *first =
      cw_tensor_file_require(file, "W_enc_0", 2, (int64_t[]){ -1, -1 }, error);
  if (first == NULL)
    return NULL;
  int64_t n_layers = 0;
  char name[32];
  do
    g_snprintf(name, sizeof name, "W_enc_%d", (int)++n_layers);
  while (n_layers <= CW_MAX_TRANSCODER_LAYERS && cw_tensor_file_find(file, name) != NULL);
  if (!cw_transcoder_set_shape(transcoder, n_layers, first->shape[0], first->shape[1], 1,
                               error))
    return NULL;
  for (int64_t l = 0; l < n_layers; l++)
    if (!load_layer(transcoder, file, l, error))
      return NULL;
  return cw_transcoder_finish(transcoder, error) ? g_steal_pointer(&transcoder) : NULL;
}
