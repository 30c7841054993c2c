/* clt-forge-checkpoint.c - reads CLT-Forge's checkpoints, whole or sharded by rank.
 *
 * clt_cfg.json and clt_weights.safetensors, or rank{r}_clt_weights.safetensors with each rank's
 * slice of the features. Training normalises inputs and outputs by one factor per layer;
 * reading folds them: W_enc * s_in, W_dec / s_out, b_dec summed over the sources / s_out,
 * threshold = exp(log_threshold). Encoders are kept transposed there ([L, D, F]), so they are
 * copied; decoder blocks [K, F, D] (pairs of source and target, row by row of the upper
 * triangle) stay in the map and 1 / s_out goes along as the row's scale. */
#include <math.h>
#include <string.h>

#include "clt/transcoder.h"
#include "files/json-scan.h"

#define MAX_CONFIG_BYTES ((size_t)1 << 20)
#define MAX_SHARDS       4096
#define WEIGHTS          "clt_weights.safetensors"

typedef struct {
  CwTranscoder *transcoder;
  GPtrArray *shards;           /* of CwTensorFile, by rank; owned by the transcoder */
  int64_t n_pairs;             /* K: decoder blocks */
  float *scale_in, *scale_out; /* [L] */
} Loader;

/* ---- description ----------------------------------------------------------------------- */

static bool
read_size(JsonObject *config, const char *path, const char *key, int64_t *value, GError **error)
{
  JsonNode *node = json_object_get_member(config, key);
  if (node == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND, "%s: has no %s", path, key);
    return false;
  }
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64 ||
      json_node_get_int(node) < 1 || json_node_get_int(node) > G_MAXINT32) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s is no count", path, key);
    return false;
  }
  *value = json_node_get_int(node);
  return true;
}

/* A truth value, false where the key is absent. */
static bool
read_flag(JsonObject *config, const char *path, const char *key, bool *value, GError **error)
{
  JsonNode *node = json_object_get_member(config, key);
  *value = false;
  if (node == NULL)
    return true;
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_BOOLEAN) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s is neither true nor false", path,
                key);
    return false;
  }
  *value = json_node_get_boolean(node);
  return true;
}

static const char *
string_or_null(JsonObject *config, const char *key)
{
  JsonNode *node = json_object_get_member(config, key);
  bool is_string = node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING;
  return is_string ? json_node_get_string(node) : NULL;
}

/* CLT-Forge always reads ln2.hook_normalized and writes hook_mlp_out. Under the TransformerLens
 * version it was trained with, a LayerNorm model's hook may lie behind the gain; the key
 * feature_input_hook_is_affine, which is ours, says so. */
static bool
read_description(Loader *loader, int64_t *n_layers, int64_t *n_features, int64_t *width,
                 GError **error)
{
  CwTranscoder *transcoder = loader->transcoder;
  char *path = g_build_filename(transcoder->path, "clt_cfg.json", NULL);
  g_ptr_array_add(transcoder->side_files, path);
  g_autoptr(JsonNode) root = cw_json_load(path, MAX_CONFIG_BYTES, error);
  if (root == NULL)
    return false;
  JsonObject *config = json_node_get_object(root);
  bool is_cross_layer, is_affine;
  if (!read_size(config, path, "n_layers", n_layers, error) ||
      !read_size(config, path, "d_latent", n_features, error) ||
      !read_size(config, path, "d_in", width, error) ||
      !read_flag(config, path, "cross_layer_decoders", &is_cross_layer, error) ||
      !read_flag(config, path, "feature_input_hook_is_affine", &is_affine, error))
    return false;
  transcoder->config.kind =
      is_cross_layer ? CW_TRANSCODER_CROSS_LAYER : CW_TRANSCODER_PER_LAYER;
  const CwTranscoderDescription description = {
    .place = path,
    .model_name = string_or_null(config, "model_name"),
    .input_hook = "ln2.hook_normalized",
    .is_input_affine = is_affine ? "true" : "false",
    .output_hook = "hook_mlp_out",
    .activation = "jump_relu",
  };
  return cw_transcoder_describe(transcoder, &description, error);
}

/* ---- files ----------------------------------------------------------------------------- */

/* Number of shards by the highest rank named; a missing one shows when it is opened. */
static int64_t
count_shards(const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  int64_t n = 0;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    if (!g_str_has_prefix(name, "rank") || !g_str_has_suffix(name, "_" WEIGHTS))
      continue;
    g_autofree char *number = g_strndup(name + 4, strlen(name) - 4 - strlen("_" WEIGHTS));
    guint64 rank;
    if (g_ascii_string_to_unsigned(number, 10, 0, MAX_SHARDS - 1, &rank, NULL))
      n = MAX(n, (int64_t)rank + 1);
  }
  return n;
}

static bool
add_shard(Loader *loader, const char *name, GError **error)
{
  const CwTensorFile *file =
      cw_transcoder_add_file(loader->transcoder, loader->transcoder->path, name, error);
  if (file != NULL)
    g_ptr_array_add(loader->shards, (gpointer)file);
  return file != NULL;
}

static bool
open_shards(Loader *loader, GError **error)
{
  const char *folder = loader->transcoder->path;
  g_autofree char *single = g_build_filename(folder, WEIGHTS, NULL);
  int64_t n = count_shards(folder);
  if (g_file_test(single, G_FILE_TEST_EXISTS) || n == 0)
    return add_shard(loader, WEIGHTS, error);
  for (int64_t rank = 0; rank < n; rank++) {
    g_autofree char *name = g_strdup_printf("rank%d_" WEIGHTS, (int)rank);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
      g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                  "%s: has no %s, though ranks up to %d are there", folder, name, (int)n - 1);
      return false;
    }
    if (!add_shard(loader, name, error))
      return false;
  }
  return true;
}

/* ---- tensors --------------------------------------------------------------------------- */

static bool
no_memory(const Loader *loader, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "%s: no memory for the encoders",
              loader->transcoder->path);
  return false;
}

/* The normalisation factors of one side, all 1 where the file has none. */
static float *
load_scales(Loader *loader, const char *side, GError **error)
{
  const CwTensorFile *file = loader->shards->pdata[0];
  int64_t n_layers = loader->transcoder->config.n_layers;
  g_autofree char *name = g_strdup_printf("estimated_norm_scaling_factor_%s", side);
  g_autofree float *scales = NULL;
  if (cw_tensor_file_find(file, name) == NULL) {
    scales = g_new(float, n_layers);
    for (int64_t l = 0; l < n_layers; l++)
      scales[l] = 1;
  } else {
    scales = cw_transcoder_load_vector(file, name, n_layers, error);
  }
  for (int64_t l = 0; scales != NULL && l < n_layers; l++)
    if (!isfinite(scales[l]) || scales[l] <= 0) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s[%d] is %g, no scaling factor",
                  cw_tensor_file_peek_path(file), name, (int)l, (double)scales[l]);
      return NULL;
    }
  return g_steal_pointer(&scales);
}

/* Copies one shard's [L, F'] rows to features [part * F', ...) of the layers' [F] arrays. */
static bool
load_features(Loader *loader, int64_t part, const char *name, bool is_threshold, GError **error)
{
  CwTranscoder *transcoder = loader->transcoder;
  const CwTensorFile *file = loader->shards->pdata[part];
  int64_t n = transcoder->features_per_part, n_layers = transcoder->config.n_layers;
  const CwTensor *tensor =
      cw_tensor_file_require(file, name, 2, (int64_t[]){ n_layers, n }, error);
  g_autofree float *values =
      tensor != NULL ? cw_transcoder_load_floats(file, tensor, error) : NULL;
  if (values == NULL)
    return false;
  for (int64_t i = 0; i < n_layers * n; i++)
    if (isnan(values[i])) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: %s[%d, %d] is no number",
                  cw_tensor_file_peek_path(file), name, (int)(i / n), (int)(i % n));
      return false;
    }
  for (int64_t l = 0; l < n_layers; l++) {
    CwTranscoderLayer *layer = &transcoder->layers[l];
    float *to = (is_threshold ? layer->threshold : layer->encoder_bias) + part * n;
    for (int64_t f = 0; f < n; f++)
      to[f] = is_threshold ? expf(values[l * n + f]) : values[l * n + f];
  }
  return true;
}

/* columns [D, F'] of one layer -> rows [F', D], times s_in; in blocks that stay in the cache.
 */
static void
transpose_scaled(const float *columns, int64_t n_features, int64_t width, float scale,
                 float *to)
{
  const int64_t block = 64;
  for (int64_t f0 = 0; f0 < n_features; f0 += block)
    for (int64_t d0 = 0; d0 < width; d0 += block)
      for (int64_t f = f0; f < MIN(f0 + block, n_features); f++)
        for (int64_t d = d0; d < MIN(d0 + block, width); d++)
          to[f * width + d] = columns[d * n_features + f] * scale;
}

/* W_enc of one shard, a layer at a time so that the copy in between stays small. */
static bool
load_encoders(Loader *loader, int64_t part, GError **error)
{
  CwTranscoder *transcoder = loader->transcoder;
  const CwTranscoderConfig *config = &transcoder->config;
  const CwTensorFile *file = loader->shards->pdata[part];
  int64_t n = transcoder->features_per_part;
  CwkRows rows;
  int64_t shape[3] = { config->n_layers, config->width, n };
  if (!cw_transcoder_map_rows(file, "W_enc", 3, shape, &rows, error))
    return false;
  size_t layer_bytes = (size_t)config->width * rows.row_bytes;
  for (int64_t l = 0; l < config->n_layers; l++) {
    CwTensor columns = { .name = "W_enc", .dtype = rows.dtype, .n_bytes = layer_bytes };
    columns.data = (const uint8_t *)rows.data + (size_t)l * layer_bytes;
    g_autofree float *values = cw_transcoder_load_floats(file, &columns, error);
    if (values == NULL)
      return false;
    transpose_scaled(values, n, config->width, loader->scale_in[l],
                     transcoder->layers[l].encoder_owned + part * n * config->width);
  }
  return true;
}

static void
place_decoders(Loader *loader, int64_t part, const CwkRows *rows)
{
  CwTranscoder *transcoder = loader->transcoder;
  size_t block_bytes = (size_t)transcoder->features_per_part * rows->row_bytes;
  int64_t block = 0;
  for (int64_t l = 0; l < transcoder->config.n_layers; l++) {
    CwTranscoderLayer *layer = &transcoder->layers[l];
    layer->decoder_parts[part] = (const uint8_t *)rows->data + (size_t)block * block_bytes;
    layer->decoder_dtype = rows->dtype;
    layer->feature_stride = rows->row_bytes;
    layer->target_stride = block_bytes;
    block += cw_transcoder_n_targets(transcoder, l);
  }
}

static bool
load_decoders(Loader *loader, int64_t part, GError **error)
{
  CwTranscoder *transcoder = loader->transcoder;
  const CwTensorFile *file = loader->shards->pdata[part];
  CwkRows rows;
  int64_t shape[3] = { loader->n_pairs, transcoder->features_per_part,
                       transcoder->config.width };
  if (!cw_transcoder_map_rows(file, "W_dec", 3, shape, &rows, error))
    return false;
  if (part > 0 && rows.dtype != transcoder->layers[0].decoder_dtype) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH, "%s: W_dec is %s, that of rank 0 is %s",
                cw_tensor_file_peek_path(file), cwk_dtype_name(rows.dtype),
                cwk_dtype_name(transcoder->layers[0].decoder_dtype));
    return false;
  }
  place_decoders(loader, part, &rows);
  return true;
}

/* b_dec [K, D], one per pair of which only the sum per target counts, or [L, D]. */
static bool
load_decoder_biases(Loader *loader, GError **error)
{
  CwTranscoder *transcoder = loader->transcoder;
  const CwTensorFile *file = loader->shards->pdata[0];
  int64_t width = transcoder->config.width, n_layers = transcoder->config.n_layers;
  const CwTensor *tensor = cw_tensor_file_find(file, "b_dec");
  bool is_per_target = tensor != NULL && tensor->n_dims == 2 && tensor->shape[0] == n_layers;
  int64_t shape[2] = { is_per_target ? n_layers : loader->n_pairs, width };
  tensor = cw_tensor_file_require(file, "b_dec", 2, shape, error);
  g_autofree float *values =
      tensor != NULL ? cw_transcoder_load_floats(file, tensor, error) : NULL;
  if (values == NULL)
    return false;
  const float *from = values;
  for (int64_t l = 0; l < n_layers; l++) {
    int64_t n_targets = is_per_target ? 1 : cw_transcoder_n_targets(transcoder, l);
    for (int64_t to = l; to < l + n_targets; to++, from += width)
      for (int64_t d = 0; d < width; d++)
        transcoder->layers[to].decoder_bias[d] += from[d] / loader->scale_out[to];
  }
  return true;
}

static bool
make_arrays(Loader *loader, GError **error)
{
  CwTranscoder *transcoder = loader->transcoder;
  size_t n = (size_t)transcoder->config.n_features, width = (size_t)transcoder->config.width;
  for (int64_t l = 0; l < transcoder->config.n_layers; l++) {
    CwTranscoderLayer *layer = &transcoder->layers[l];
    size_t n_encoder;
    if (g_size_checked_mul(&n_encoder, n, width))
      layer->encoder_owned = g_try_new(float, n_encoder);
    layer->encoder_bias = g_try_new(float, n);
    layer->threshold = g_try_new(float, n);
    layer->decoder_bias = g_try_new0(float, width);
    if (layer->encoder_owned == NULL || layer->encoder_bias == NULL ||
        layer->threshold == NULL || layer->decoder_bias == NULL)
      return no_memory(loader, error);
    layer->encoder = (CwkRows){ .data = layer->encoder_owned,
                                .dtype = CWK_F32,
                                .n_rows = (int64_t)n,
                                .n_cols = (int64_t)width,
                                .row_bytes = width * sizeof(float) };
  }
  return true;
}

/* Sizes are believed only once the first shard has been seen to have them: arrays are made
 * after that. */
static bool
check_first_shard(Loader *loader, GError **error)
{
  const CwTranscoder *transcoder = loader->transcoder;
  int64_t shape[3] = { transcoder->config.n_layers, transcoder->config.width,
                       transcoder->features_per_part };
  return cw_tensor_file_require(loader->shards->pdata[0], "W_enc", 3, shape, error) != NULL;
}

static bool
load(Loader *loader, GError **error)
{
  CwTranscoder *transcoder = loader->transcoder;
  int64_t n_layers, n_features, width;
  if (!read_description(loader, &n_layers, &n_features, &width, error) ||
      !open_shards(loader, error))
    return false;
  int64_t n_parts = loader->shards->len;
  if (n_features % n_parts != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "%s: d_latent is %d, no multiple of its %d shards; a rank's file is missing",
                transcoder->path, (int)n_features, (int)n_parts);
    return false;
  }
  if (!cw_transcoder_set_shape(transcoder, n_layers, n_features, width, n_parts, error) ||
      !check_first_shard(loader, error) || !make_arrays(loader, error))
    return false;
  for (int64_t l = 0; l < n_layers; l++)
    loader->n_pairs += cw_transcoder_n_targets(transcoder, l);
  loader->scale_in = load_scales(loader, "in", error);
  loader->scale_out = loader->scale_in != NULL ? load_scales(loader, "out", error) : NULL;
  if (loader->scale_out == NULL)
    return false;
  for (int64_t part = 0; part < n_parts; part++)
    if (!load_encoders(loader, part, error) || !load_decoders(loader, part, error) ||
        !load_features(loader, part, "b_enc", false, error) ||
        !load_features(loader, part, "log_threshold", true, error))
      return false;
  transcoder->target_scales = g_new(float, n_layers);
  for (int64_t l = 0; l < n_layers; l++)
    transcoder->target_scales[l] = 1 / loader->scale_out[l];
  return load_decoder_biases(loader, error) && cw_transcoder_finish(transcoder, error);
}

CwTranscoder *
cw_transcoder_open_clt_forge(const char *folder, GError **error)
{
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_new(folder, "clt-forge");
  g_autoptr(GPtrArray) shards = g_ptr_array_new();
  Loader loader = { .transcoder = transcoder, .shards = shards };
  bool is_loaded = load(&loader, error);
  g_free(loader.scale_in);
  g_free(loader.scale_out);
  return is_loaded ? g_steal_pointer(&transcoder) : NULL;
}
