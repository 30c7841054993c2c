/* checkpoint-transcoder.c - the transcoder of a checkpoint, without the trainer around it.
 *
 * The encoder is used where the file has it, scaled row by row. The decoder lies in tiles of
 * columns there, so its rows are put together in memory; moments are not read. */
#include <string.h>

#include "clt/transcoder.h"
#include "train/checkpoint.h"

typedef struct {
  CwTranscoder *transcoder;
  const CwTensorFile *file;
  JsonObject *checksums;
  const char *path;
  CwParameters shape; /* sizes only: how the arrays are laid out */
  GError **error;
} Loader;

/* F32 values by name, compared with their checksum; d1 and d2 are 0 where there are fewer
 * axes. */
static const float *
find(const Loader *loader, const char *name, int64_t d0, int64_t d1, int64_t d2)
{
  int n_dims = 1 + (d1 > 0) + (d2 > 0);
  const CwTensorOut wanted = { name, "F32", n_dims, { d0, d1, d2 }, NULL };
  const CwTensor *tensor = cw_checkpoint_require_tensor(loader->file, loader->checksums,
                                                        loader->path, &wanted, loader->error);
  return tensor != NULL ? (const float *)(const void *)tensor->data : NULL;
}

static bool
take_decoder(Loader *loader, int64_t l)
{
  const CwParameters *p = &loader->shape;
  int64_t n_targets = cw_parameters_n_targets(p, l), n = p->n_features, width = p->width;
  g_autofree char *name = g_strdup_printf("decoder.%d.value", (int)l);
  const float *tiles = find(loader, name, n_targets * p->n_tiles, n, CWK_TILE);
  if (tiles == NULL)
    return false;
  CwTranscoderLayer *layer = &loader->transcoder->layers[l];
  float *rows = layer->decoder_owned = g_try_new(float, (gsize)(n * n_targets * width));
  if (rows == NULL) {
    cw_error_set_from_status(loader->error, CWK_NO_MEMORY, "reading decoders");
    return false;
  }
  for (int64_t to = 0; to < n_targets; to++)
    for (int64_t t = 0; t < p->n_tiles; t++)
      for (int64_t f = 0; f < n; f++)
        memcpy(rows + (f * n_targets + to) * width + t * CWK_TILE,
               tiles + ((to * p->n_tiles + t) * n + f) * CWK_TILE,
               (size_t)MIN(CWK_TILE, width - t * CWK_TILE) * sizeof *rows);
  const CwkRows decoder = {
    .data = rows, .dtype = CWK_F32, .n_cols = width, .row_bytes = (size_t)width * sizeof *rows
  };
  cw_transcoder_set_decoder(loader->transcoder, l, &decoder);
  return true;
}

/* The scales of normalisation are folded as the export does: encoder s_in, all that is written
 * by 1 / s_out. */
static void
take_layer(Loader *loader, int64_t l, const float *encoder, float scale_in, float scale_out,
           const float *decoder_bias)
{
  const CwParameters *p = &loader->shape;
  int64_t n = p->n_features, padded = cw_parameters_padded_width(p);
  CwTranscoderLayer *layer = &loader->transcoder->layers[l];
  layer->encoder_scales = g_new(float, n);
  for (int64_t f = 0; f < n; f++)
    layer->encoder_scales[f] = scale_in;
  layer->encoder = (CwkRows){ .data = encoder + l * n * padded,
                              .dtype = CWK_F32,
                              .n_rows = n,
                              .n_cols = p->width,
                              .row_bytes = (size_t)padded * sizeof(float),
                              .scales = layer->encoder_scales };
  layer->decoder_bias = g_new(float, p->width);
  for (int64_t d = 0; d < p->width; d++)
    layer->decoder_bias[d] = decoder_bias[l * padded + d] / scale_out;
  loader->transcoder->target_scales[l] = 1 / scale_out;
}

static bool
take_tensors(Loader *loader)
{
  const CwParameters *p = &loader->shape;
  int64_t n_layers = p->n_layers, n = p->n_features, padded = cw_parameters_padded_width(p);
  const float *scale_in = find(loader, "scale_in", n_layers, 0, 0);
  const float *scale_out = find(loader, "scale_out", n_layers, 0, 0);
  const float *threshold = find(loader, "threshold", n_layers, n, 0);
  const float *bias = find(loader, "bias.value", n_layers, n, 0);
  const float *decoder_bias = find(loader, "decoder_bias.value", n_layers, padded, 0);
  const float *encoder = find(loader, "encoder.value", n_layers, n, padded);
  if (!scale_in || !scale_out || !threshold || !bias || !decoder_bias || !encoder)
    return false;
  loader->transcoder->target_scales = g_new(float, n_layers);
  for (int64_t l = 0; l < n_layers; l++) {
    CwTranscoderLayer *layer = &loader->transcoder->layers[l];
    layer->encoder_bias = g_memdup2(bias + l * n, (gsize)n * sizeof(float));
    layer->threshold = g_memdup2(threshold + l * n, (gsize)n * sizeof(float));
    take_layer(loader, l, encoder, scale_in[l], scale_out[l], decoder_bias);
    if (!take_decoder(loader, l))
      return false;
  }
  return cw_transcoder_finish(loader->transcoder, loader->error);
}

/* The sizes out of the settings; keys that only later versions know are no hindrance. What is
 * no size fails with the tensors' shapes. */
static void
read_shape(JsonObject *settings, CwParameters *shape)
{
  *shape = (CwParameters){
    .n_layers = json_object_get_int_member_with_default(settings, "n_layers", 0),
    .n_features = json_object_get_int_member_with_default(settings, "d_latent", 0),
    .width = json_object_get_int_member_with_default(settings, "d_model", 0),
    .is_cross_layer =
        json_object_get_boolean_member_with_default(settings, "cross_layer_decoders", TRUE),
  };
  shape->n_tiles = shape->width / CWK_TILE + (shape->width % CWK_TILE > 0);
}

static CwTranscoder *
open_checkpoint(const char *path, GError **error)
{
  g_autoptr(JsonNode) root = cw_checkpoint_load_manifest(path, error);
  if (root == NULL)
    return NULL;
  JsonObject *object = json_node_get_object(root);
  g_autofree char *manifest = g_build_filename(path, CW_CHECKPOINT_MANIFEST, NULL);
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_new(path, "checkpoint");
  g_ptr_array_add(transcoder->side_files, g_strdup(manifest));
  const CwTranscoderDescription description = { .place = manifest,
                                                .input_hook = "ln2.hook_normalized",
                                                .output_hook = "hook_mlp_out",
                                                .activation = "jump_relu" };
  Loader loader = { .transcoder = transcoder,
                    .checksums = json_object_get_object_member(object, "checksums"),
                    .path = path,
                    .error = error };
  const CwParameters *shape = &loader.shape;
  read_shape(json_object_get_object_member(object, "settings"), &loader.shape);
  transcoder->config.kind =
      shape->is_cross_layer ? CW_TRANSCODER_CROSS_LAYER : CW_TRANSCODER_PER_LAYER;
  loader.file = cw_transcoder_add_file(transcoder, path, CW_CHECKPOINT_STATE, error);
  if (loader.file == NULL || !cw_transcoder_describe(transcoder, &description, error) ||
      !cw_transcoder_set_shape(transcoder, shape->n_layers, shape->n_features, shape->width, 1,
                               error) ||
      !take_tensors(&loader))
    return NULL;
  return g_steal_pointer(&transcoder);
}

/* ---- a run ------------------------------------------------------------------------------ */

static bool
holds(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* The newest checkpoint that is whole. One may go while it is read, in a run that is under way;
 * the error is that of the newest. */
static CwTranscoder *
open_newest(GPtrArray *checkpoints, GError **error)
{
  g_autoptr(GError) first = NULL;
  for (guint i = 0; i < checkpoints->len; i++) {
    g_autoptr(GError) failure = NULL;
    CwTranscoder *transcoder = open_checkpoint(checkpoints->pdata[i], &failure);
    if (transcoder != NULL)
      return transcoder;
    if (first == NULL)
      first = g_steal_pointer(&failure);
  }
  g_propagate_error(error, g_steal_pointer(&first));
  return NULL;
}

CwTranscoder *
cw_train_open_transcoder(const char *path, GError **error)
{
  if (holds(path, CW_CHECKPOINT_MANIFEST))
    return open_checkpoint(path, error);
  g_autoptr(GPtrArray) checkpoints = cw_checkpoint_list(path);
  g_autofree char *finished = g_build_filename(path, "transcoder", NULL);
  bool has_finished = holds(path, "settings.json") && g_file_test(finished, G_FILE_TEST_IS_DIR);
  if (checkpoints->len == 0)
    return cw_transcoder_open(has_finished ? finished : path, error);
  g_autoptr(GError) failure = NULL;
  CwTranscoder *transcoder = open_newest(checkpoints, &failure);
  if (transcoder == NULL && has_finished)
    return cw_transcoder_open(finished, error);
  if (transcoder == NULL)
    g_propagate_error(error, g_steal_pointer(&failure));
  return transcoder;
}
