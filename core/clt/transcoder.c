/* transcoder.c - the transcoder itself: opening by what a path holds, look-up of rows,
 * identity.
 *
 * Encoders are read as a whole by every prompt; decoders are larger by the number of layers and
 * only the rows of active features are touched, so those stay in the map and a row is found by
 * two strides. The formats differ in where rows lie, not in what they mean. */
#include "clt/transcoder.h"

#include <math.h>
#include <string.h>

CwTranscoder *
cw_transcoder_new(const char *path, const char *format)
{
  CwTranscoder *transcoder = g_new0(CwTranscoder, 1);
  g_atomic_ref_count_init(&transcoder->ref_count);
  g_mutex_init(&transcoder->hash_lock);
  transcoder->path = g_strdup(path);
  transcoder->config.format = format;
  transcoder->files = g_ptr_array_new_with_free_func((GDestroyNotify)cw_tensor_file_close);
  transcoder->side_files = g_ptr_array_new_with_free_func(g_free);
  return transcoder;
}

CwTranscoder *
cw_transcoder_ref(CwTranscoder *transcoder)
{
  g_atomic_ref_count_inc(&transcoder->ref_count);
  return transcoder;
}

static void
layer_clear(CwTranscoderLayer *layer)
{
  g_free(layer->encoder_owned);
  g_free(layer->encoder_scales);
  g_free(layer->encoder_bias);
  g_free(layer->threshold);
  g_free(layer->decoder_bias);
  g_free(layer->skip_scales);
  g_free(layer->decoder_parts);
  g_free(layer->decoder_owned);
  g_free(layer->decoder_scales);
  g_free(layer->decoder_place);
}

void
cw_transcoder_unref(CwTranscoder *transcoder)
{
  if (transcoder == NULL || !g_atomic_ref_count_dec(&transcoder->ref_count))
    return;
  for (int64_t l = 0; transcoder->layers != NULL && l < transcoder->config.n_layers; l++)
    layer_clear(&transcoder->layers[l]);
  g_free(transcoder->layers);
  g_free(transcoder->target_scales);
  g_free(transcoder->blank_row);
  g_ptr_array_unref(transcoder->files);
  g_ptr_array_unref(transcoder->side_files);
  g_mutex_clear(&transcoder->hash_lock);
  g_free(transcoder->hash);
  g_free(transcoder->model_name);
  g_free(transcoder->scan);
  g_free(transcoder->path);
  g_free(transcoder);
}

/* ---- opening --------------------------------------------------------------------------- */

static bool
has_file(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

static bool
has_pickle(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_suffix(name, ".pt") || g_str_has_suffix(name, ".pth") ||
        g_str_has_suffix(name, ".bin"))
      return true;
  return false;
}

static CwTranscoder *
open_folder(const char *path, GError **error)
{
  if (has_file(path, "config.yaml"))
    return cw_transcoder_open_circuit_tracer(path, error);
  if (has_file(path, "clt_cfg.json"))
    return cw_transcoder_open_clt_forge(path, error);
  if (has_file(path, CW_COMPACT_FILE_NAME)) {
    g_autofree char *file = g_build_filename(path, CW_COMPACT_FILE_NAME, NULL);
    return cw_transcoder_open_compact(file, error);
  }
  if (has_pickle(path))
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: holds pickled PyTorch files, and opening one can run code; save the "
                "tensors as safetensors first",
                path);
  else
    g_set_error(
        error, CW_ERROR, CW_ERROR_NOT_FOUND,
        "%s: is no transcoder: it has neither config.yaml (circuit-tracer), clt_cfg.json "
        "(CLT-Forge) nor " CW_COMPACT_FILE_NAME " (Clew)",
        path);
  return NULL;
}

CwTranscoder *
cw_transcoder_open(const char *path, GError **error)
{
  g_return_val_if_fail(path != NULL, NULL);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND, "%s: there is no such file or folder",
                path);
    return NULL;
  }
  if (g_file_test(path, G_FILE_TEST_IS_DIR))
    return open_folder(path, error);
  return cw_transcoder_open_compact(path, error);
}

/* ---- for the readers ------------------------------------------------------------------- */

bool
cw_transcoder_set_shape(CwTranscoder *transcoder, int64_t n_layers, int64_t n_features,
                        int64_t width, int64_t n_parts, GError **error)
{
  if (n_layers < 1 || n_layers > CW_MAX_TRANSCODER_LAYERS || n_features < 1 || width < 1 ||
      n_parts < 1 || n_features % n_parts != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: %" G_GINT64_FORMAT " layers of %" G_GINT64_FORMAT
                " features and width %" G_GINT64_FORMAT " make no transcoder",
                transcoder->path, n_layers, n_features, width);
    return false;
  }
  transcoder->layers = g_new0(CwTranscoderLayer, n_layers);
  transcoder->config.n_layers = n_layers;
  transcoder->config.n_features = n_features;
  transcoder->config.width = width;
  transcoder->n_parts = n_parts;
  transcoder->features_per_part = n_features / n_parts;
  for (int64_t l = 0; l < n_layers; l++)
    transcoder->layers[l].decoder_parts = g_new0(const uint8_t *, n_parts);
  return true;
}

const CwTensorFile *
cw_transcoder_add_file(CwTranscoder *transcoder, const char *folder, const char *name,
                       GError **error)
{
  g_autofree char *path =
      name != NULL ? g_build_filename(folder, name, NULL) : g_strdup(folder);
  CwTensorFile *file = cw_tensor_file_open(path, error);
  if (file != NULL)
    g_ptr_array_add(transcoder->files, file);
  return file;
}

int64_t
cw_transcoder_n_targets(const CwTranscoder *transcoder, int64_t l)
{
  bool is_cross_layer = transcoder->config.kind == CW_TRANSCODER_CROSS_LAYER;
  return is_cross_layer ? transcoder->config.n_layers - l : 1;
}

float *
cw_transcoder_load_floats(const CwTensorFile *file, const CwTensor *tensor, GError **error)
{
  float *values = cw_tensor_dup_floats(tensor, error);
  if (values == NULL)
    g_prefix_error(error, "%s: ", cw_tensor_file_peek_path(file));
  return values;
}

float *
cw_transcoder_load_vector(const CwTensorFile *file, const char *name, int64_t n, GError **error)
{
  const CwTensor *tensor = cw_tensor_file_find(file, name);
  if (tensor == NULL || tensor->n_dims != 2 || tensor->shape[0] != 1 || tensor->shape[1] != n)
    tensor = cw_tensor_file_require(file, name, 1, &n, error);
  g_autofree float *values =
      tensor != NULL ? cw_transcoder_load_floats(file, tensor, error) : NULL;
  for (int64_t i = 0; values != NULL && i < n; i++)
    if (isnan(values[i])) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s[%" G_GINT64_FORMAT "] is no number",
                  cw_tensor_file_peek_path(file), name, i);
      return NULL;
    }
  return g_steal_pointer(&values);
}

bool
cw_transcoder_map_rows(const CwTensorFile *file, const char *name, int n_dims,
                       const int64_t *shape, CwkRows *rows, GError **error)
{
  const CwTensor *tensor = cw_tensor_file_require(file, name, n_dims, shape, error);
  if (tensor == NULL)
    return false;
  const char *problem = NULL;
  if (tensor->type != CW_TYPE_FLOAT || cwk_dtype_block_size(tensor->dtype) != 1)
    problem = "f32, f16 or bf16 is needed here";
  else if ((uintptr_t)tensor->data % cwk_dtype_block_bytes(tensor->dtype) != 0)
    problem = "it is not aligned to its elements; write the file anew";
  if (problem != NULL) {
    g_autofree char *text = cw_tensor_dup_shape_text(tensor);
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED, "%s: %s %s: %s",
                cw_tensor_file_peek_path(file), name, text, problem);
    return false;
  }
  *rows = (CwkRows){ .data = tensor->data,
                     .dtype = tensor->dtype,
                     .n_rows = 1,
                     .n_cols = tensor->shape[n_dims - 1] };
  for (int i = 0; i + 1 < n_dims; i++)
    rows->n_rows *= tensor->shape[i];
  rows->row_bytes = cwk_dtype_row_bytes(rows->dtype, rows->n_cols);
  return true;
}

void
cw_transcoder_set_decoder(CwTranscoder *transcoder, int64_t l, const CwkRows *rows)
{
  CwTranscoderLayer *layer = &transcoder->layers[l];
  layer->decoder_parts[0] = rows->data;
  layer->decoder_dtype = rows->dtype;
  layer->target_stride = rows->row_bytes;
  layer->feature_stride = rows->row_bytes * (size_t)cw_transcoder_n_targets(transcoder, l);
}

/* ---- description ----------------------------------------------------------------------- */

static const char *const input_hooks[] = {
  [CW_INPUT_NORMALISED] = "ln2.hook_normalized",
  [CW_INPUT_NORMALISED_AFFINE] = "ln2.hook_normalized",
  [CW_INPUT_RESID_MID] = "hook_resid_mid",
  [CW_INPUT_MLP_IN] = "mlp.hook_in",
};

static const char *const output_hooks[] = {
  [CW_OUTPUT_MLP_OUT] = "hook_mlp_out",
  [CW_OUTPUT_MLP_RAW] = "mlp.hook_out",
};

const char *
cw_input_hook_name(CwInputHook hook)
{
  return input_hooks[hook];
}

const char *
cw_output_hook_name(CwOutputHook hook)
{
  return output_hooks[hook];
}

/* The index of a hook's name, -1 with an error that lists what is known. */
static int
find_hook(const char *place, const char *key, const char *name, const char *const *known,
          size_t n_known, GError **error)
{
  g_autoptr(GString) list = g_string_new(NULL);
  for (size_t i = 0; i < n_known; i++) {
    if (name != NULL && strcmp(name, known[i]) == 0)
      return (int)i;
    if (strstr(list->str, known[i]) == NULL)
      g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", known[i]);
  }
  if (name == NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND, "%s: has no %s; known are %s", place, key,
                list->str);
  else
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: %s is the unsupported %.80s; known are %s", place, key, name, list->str);
  return -1;
}

/* Under TransformerLens 2 "ln2.hook_normalized" of a LayerNorm model lies behind gain and bias,
 * under 3 before them; the name cannot tell, so a description may. */
static bool
describe_affine(CwTranscoder *transcoder, const CwTranscoderDescription *description,
                GError **error)
{
  const char *text = description->is_input_affine;
  if (text == NULL || g_ascii_strcasecmp(text, "false") == 0)
    return true;
  if (g_ascii_strcasecmp(text, "true") != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: feature_input_hook_is_affine is %.80s, neither true nor false",
                description->place, text);
    return false;
  }
  if (transcoder->config.input_hook != CW_INPUT_NORMALISED) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: feature_input_hook_is_affine says something of ln2.hook_normalized only, "
                "but feature_input_hook is %s",
                description->place, cw_input_hook_name(transcoder->config.input_hook));
    return false;
  }
  transcoder->config.input_hook = CW_INPUT_NORMALISED_AFFINE;
  return true;
}

static bool
describe_activation(CwTranscoder *transcoder, const CwTranscoderDescription *description,
                    GError **error)
{
  const char *name = description->activation;
  transcoder->config.gate = CW_GATE_RELU;
  if (name == NULL || strcmp(name, "relu") == 0 || strcmp(name, "jump_relu") == 0 ||
      strcmp(name, "jumprelu") == 0)
    return true; /* thresholds in the files make it a JumpReLU */
  if (strcmp(name, "topk") != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: activation is the unsupported %.80s; known are relu, jump_relu, topk",
                description->place, name);
    return false;
  }
  guint64 k;
  if (description->k == NULL ||
      !g_ascii_string_to_unsigned(description->k, 10, 1, G_MAXINT32, &k, NULL)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: activation is topk, but k is %.80s, no number of at least 1",
                description->place, description->k != NULL ? description->k : "absent");
    return false;
  }
  transcoder->config.gate = CW_GATE_TOPK;
  transcoder->config.top_k = (int64_t)k;
  return true;
}

bool
cw_transcoder_describe(CwTranscoder *transcoder, const CwTranscoderDescription *description,
                       GError **error)
{
  int input = find_hook(description->place, "feature_input_hook", description->input_hook,
                        input_hooks, G_N_ELEMENTS(input_hooks), error);
  if (input < 0)
    return false;
  int output = find_hook(description->place, "feature_output_hook", description->output_hook,
                         output_hooks, G_N_ELEMENTS(output_hooks), error);
  if (output < 0)
    return false;
  transcoder->config.input_hook = (CwInputHook)input;
  transcoder->config.output_hook = (CwOutputHook)output;
  const char *model_name = description->model_name != NULL ? description->model_name : "";
  transcoder->model_name = g_strdup(model_name);
  transcoder->scan = description->scan != NULL ? g_strdup(description->scan)
                                               : g_path_get_basename(transcoder->path);
  transcoder->config.model_name = transcoder->model_name;
  transcoder->config.scan = transcoder->scan;
  return describe_affine(transcoder, description, error) &&
         describe_activation(transcoder, description, error);
}

/* Thresholds are there for all layers or for none; TopK has no use for them. */
bool
cw_transcoder_finish(CwTranscoder *transcoder, GError **error)
{
  int64_t n_thresholds = 0, n_layers = transcoder->config.n_layers;
  for (int64_t l = 0; l < n_layers; l++)
    n_thresholds += transcoder->layers[l].threshold != NULL;
  if (n_thresholds != 0 && n_thresholds != n_layers) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: %" G_GINT64_FORMAT " of its %" G_GINT64_FORMAT
                " layers have thresholds; all or none must",
                transcoder->path, n_thresholds, n_layers);
    return false;
  }
  if (transcoder->config.gate == CW_GATE_TOPK) {
    if (transcoder->config.top_k > transcoder->config.n_features) {
      g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                  "%s: k is %" G_GINT64_FORMAT ", more than the %" G_GINT64_FORMAT
                  " features of a layer",
                  transcoder->path, transcoder->config.top_k, transcoder->config.n_features);
      return false;
    }
    for (int64_t l = 0; l < n_layers; l++)
      g_clear_pointer(&transcoder->layers[l].threshold, g_free);
  } else if (n_thresholds > 0) {
    transcoder->config.gate = CW_GATE_JUMPRELU;
  }
  return true;
}

/* ---- look-up --------------------------------------------------------------------------- */

const char *
cw_transcoder_peek_path(const CwTranscoder *transcoder)
{
  return transcoder->path;
}

const CwTranscoderConfig *
cw_transcoder_peek_config(const CwTranscoder *transcoder)
{
  return &transcoder->config;
}

static const CwTranscoderLayer *
peek_layer(const CwTranscoder *transcoder, int64_t l)
{
  g_return_val_if_fail(l >= 0 && l < transcoder->config.n_layers, NULL);
  return &transcoder->layers[l];
}

const CwkRows *
cw_transcoder_peek_encoder(const CwTranscoder *transcoder, int64_t l)
{
  return &peek_layer(transcoder, l)->encoder;
}

const float *
cw_transcoder_peek_encoder_bias(const CwTranscoder *transcoder, int64_t l)
{
  return peek_layer(transcoder, l)->encoder_bias;
}

const float *
cw_transcoder_peek_threshold(const CwTranscoder *transcoder, int64_t l)
{
  return peek_layer(transcoder, l)->threshold;
}

const float *
cw_transcoder_peek_decoder_bias(const CwTranscoder *transcoder, int64_t l)
{
  return peek_layer(transcoder, l)->decoder_bias;
}

const CwLinear *
cw_transcoder_peek_skip(const CwTranscoder *transcoder, int64_t l)
{
  const CwTranscoderLayer *layer = peek_layer(transcoder, l);
  return transcoder->config.has_skip ? &layer->skip : NULL;
}

const void *
cw_transcoder_peek_decoder_row(const CwTranscoder *transcoder, int64_t from, int64_t f,
                               int64_t to, CwkDtype *dtype, float *scale)
{
  const CwTranscoderConfig *config = &transcoder->config;
  if (from < 0 || from >= config->n_layers || f < 0 || f >= config->n_features || to < from ||
      to - from >= cw_transcoder_n_targets(transcoder, from))
    return NULL;
  const CwTranscoderLayer *layer = &transcoder->layers[from];
  int64_t part = f / transcoder->features_per_part;
  int64_t n_targets = cw_transcoder_n_targets(transcoder, from);
  *dtype = layer->decoder_dtype;
  if (layer->decoder_place != NULL) {
    int32_t place = layer->decoder_place[f * n_targets + to - from];
    *scale = place >= 0 ? layer->decoder_scales[place] : 0;
    return place >= 0 ? layer->decoder_parts[0] + (size_t)place * layer->target_stride
                      : (const uint8_t *)transcoder->blank_row;
  }
  *scale = layer->decoder_scales != NULL ? layer->decoder_scales[f * n_targets + to - from] : 1;
  if (transcoder->target_scales != NULL)
    *scale *= transcoder->target_scales[to];
  return layer->decoder_parts[part] +
         (size_t)(f % transcoder->features_per_part) * layer->feature_stride +
         (size_t)(to - from) * layer->target_stride;
}
