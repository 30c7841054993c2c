/* circuit-tracer-folder.c - reads circuit-tracer's transcoder folders, our own format too.
 *
 * config.yaml describes; a cross-layer transcoder has W_enc_{l}.safetensors and
 * W_dec_{l}.safetensors per layer, a per-layer set layer_{l}.safetensors. Sizes come from the
 * files. A threshold makes the gate a JumpReLU. */
#include <string.h>

#include "clt/transcoder.h"
#include "clt/yaml-scalars.h"

/* Layers = 1 + the highest number of a file <prefix>N.safetensors; a gap shows when that file
 * is opened. 0 if there is none. */
static int64_t
count_layers(const char *folder, const char *prefix)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  int64_t n = 0;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    if (!g_str_has_prefix(name, prefix) || !g_str_has_suffix(name, ".safetensors"))
      continue;
    const char *digits = name + strlen(prefix);
    g_autofree char *number = g_strndup(digits, strlen(digits) - strlen(".safetensors"));
    guint64 l;
    if (g_ascii_string_to_unsigned(number, 10, 0, CW_MAX_TRANSCODER_LAYERS, &l, NULL))
      n = MAX(n, (int64_t)l + 1);
  }
  return n;
}

static bool
count_and_size(CwTranscoder *transcoder, const char *prefix, const char *encoder_name,
               GError **error)
{
  int64_t n_layers = count_layers(transcoder->path, prefix);
  g_autofree char *first = g_strdup_printf("%s0.safetensors", prefix);
  g_autofree char *path = g_build_filename(transcoder->path, first, NULL);
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, error);
  const CwTensor *encoder = file == NULL ? NULL
                                         : cw_tensor_file_require(file, encoder_name, 2,
                                                                  (int64_t[]){ -1, -1 }, error);
  return encoder != NULL && cw_transcoder_set_shape(transcoder, n_layers, encoder->shape[0],
                                                    encoder->shape[1], 1, error);
}

/* Names of one layer's tensors. */
typedef struct {
  const char *encoder, *encoder_bias, *threshold, *decoder, *decoder_bias, *skip;
} Names;

static bool
load_encoder(CwTranscoder *transcoder, int64_t l, const CwTensorFile *file, const Names *names,
             GError **error)
{
  CwTranscoderLayer *layer = &transcoder->layers[l];
  const CwTranscoderConfig *config = &transcoder->config;
  int64_t shape[2] = { config->n_features, config->width };
  if (!cw_transcoder_map_rows(file, names->encoder, 2, shape, &layer->encoder, error))
    return false;
  layer->encoder_bias =
      cw_transcoder_load_vector(file, names->encoder_bias, config->n_features, error);
  if (layer->encoder_bias == NULL)
    return false;
  layer->decoder_bias =
      cw_transcoder_load_vector(file, names->decoder_bias, config->width, error);
  if (layer->decoder_bias == NULL)
    return false;
  if (cw_tensor_file_find(file, names->threshold) == NULL)
    return true;
  layer->threshold =
      cw_transcoder_load_vector(file, names->threshold, config->n_features, error);
  return layer->threshold != NULL;
}

/* circuit-tracer applies a per-layer skip as x . W^T. */
static bool
load_skip(CwTranscoder *transcoder, int64_t l, const CwTensorFile *file, const Names *names,
          GError **error)
{
  CwTranscoderConfig *config = &transcoder->config;
  CwTranscoderLayer *layer = &transcoder->layers[l];
  bool has_skip = cw_tensor_file_find(file, names->skip) != NULL;
  if (l == 0)
    config->has_skip = has_skip;
  if (has_skip != config->has_skip) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: %s %s, unlike layer 0; all layers or none must have it",
                cw_tensor_file_peek_path(file), has_skip ? "has" : "lacks", names->skip);
    return false;
  }
  layer->skip.layout = CWK_B_ROWS_ARE_OUTPUTS;
  int64_t shape[2] = { config->width, config->width };
  return !has_skip ||
         cw_transcoder_map_rows(file, names->skip, 2, shape, &layer->skip.rows, error);
}

static bool
load_cross_layer(CwTranscoder *transcoder, int64_t l, GError **error)
{
  const CwTranscoderConfig *config = &transcoder->config;
  char encoder[32], encoder_bias[32], threshold[32], decoder[32], decoder_bias[32], file[64];
  g_snprintf(encoder, sizeof encoder, "W_enc_%d", (int)l);
  g_snprintf(encoder_bias, sizeof encoder_bias, "b_enc_%d", (int)l);
  g_snprintf(decoder, sizeof decoder, "W_dec_%d", (int)l);
  g_snprintf(decoder_bias, sizeof decoder_bias, "b_dec_%d", (int)l);
  g_snprintf(threshold, sizeof threshold, "threshold_%d", (int)l);
  const Names names = { encoder, encoder_bias, threshold, decoder, decoder_bias, NULL };

  g_snprintf(file, sizeof file, "%s.safetensors", encoder);
  const CwTensorFile *encoders =
      cw_transcoder_add_file(transcoder, transcoder->path, file, error);
  if (encoders == NULL || !load_encoder(transcoder, l, encoders, &names, error))
    return false;
  g_snprintf(file, sizeof file, "%s.safetensors", decoder);
  const CwTensorFile *decoders =
      cw_transcoder_add_file(transcoder, transcoder->path, file, error);
  CwkRows rows;
  int64_t shape[3] = { config->n_features, config->n_layers - l, config->width };
  if (decoders == NULL ||
      !cw_transcoder_map_rows(decoders, names.decoder, 3, shape, &rows, error))
    return false;
  cw_transcoder_set_decoder(transcoder, l, &rows);
  return true;
}

static bool
load_per_layer(CwTranscoder *transcoder, int64_t l, GError **error)
{
  static const Names names = { "W_enc", "b_enc", "activation_function.threshold",
                               "W_dec", "b_dec", "W_skip" };
  const CwTranscoderConfig *config = &transcoder->config;
  g_autofree char *name = g_strdup_printf("layer_%d.safetensors", (int)l);
  const CwTensorFile *file = cw_transcoder_add_file(transcoder, transcoder->path, name, error);
  CwkRows rows;
  int64_t shape[2] = { config->n_features, config->width };
  if (file == NULL || !load_encoder(transcoder, l, file, &names, error) ||
      !cw_transcoder_map_rows(file, names.decoder, 2, shape, &rows, error) ||
      !load_skip(transcoder, l, file, &names, error))
    return false;
  cw_transcoder_set_decoder(transcoder, l, &rows);
  return true;
}

static bool
read_description(CwTranscoder *transcoder, GError **error)
{
  char *place = g_build_filename(transcoder->path, "config.yaml", NULL);
  g_ptr_array_add(transcoder->side_files, place);
  g_autoptr(GHashTable) scalars = cw_yaml_load_scalars(place, error);
  if (scalars == NULL)
    return false;
  const char *kind = g_hash_table_lookup(scalars, "model_kind");
  if (g_strcmp0(kind, "cross_layer_transcoder") == 0) {
    transcoder->config.kind = CW_TRANSCODER_CROSS_LAYER;
  } else if (g_strcmp0(kind, "transcoder_set") == 0) {
    transcoder->config.kind = CW_TRANSCODER_PER_LAYER;
  } else {
    g_set_error(error, CW_ERROR, kind == NULL ? CW_ERROR_NOT_FOUND : CW_ERROR_UNSUPPORTED,
                "%s: model_kind is %.80s; known are cross_layer_transcoder, transcoder_set",
                place, kind != NULL ? kind : "absent");
    return false;
  }
  const CwTranscoderDescription description = {
    .place = place,
    .model_name = g_hash_table_lookup(scalars, "model_name"),
    .scan = g_hash_table_lookup(scalars, "scan"),
    .input_hook = g_hash_table_lookup(scalars, "feature_input_hook"),
    .is_input_affine = g_hash_table_lookup(scalars, "feature_input_hook_is_affine"),
    .output_hook = g_hash_table_lookup(scalars, "feature_output_hook"),
    .activation = g_hash_table_lookup(scalars, "activation"),
    .k = g_hash_table_lookup(scalars, "k"),
  };
  return cw_transcoder_describe(transcoder, &description, error);
}

CwTranscoder *
cw_transcoder_open_circuit_tracer(const char *folder, GError **error)
{
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_new(folder, "circuit-tracer");
  if (!read_description(transcoder, error))
    return NULL;
  bool is_cross_layer = transcoder->config.kind == CW_TRANSCODER_CROSS_LAYER;
  if (!count_and_size(transcoder, is_cross_layer ? "W_enc_" : "layer_",
                      is_cross_layer ? "W_enc_0" : "W_enc", error))
    return NULL;
  for (int64_t l = 0; l < transcoder->config.n_layers; l++)
    if (!(is_cross_layer ? load_cross_layer(transcoder, l, error)
                         : load_per_layer(transcoder, l, error)))
      return NULL;
  return cw_transcoder_finish(transcoder, error) ? g_steal_pointer(&transcoder) : NULL;
}
