/* transcoder-writer.c - writes a transcoder in Clew's compact form or circuit-tracer's.
 *
 * Compact: rows become codes with one scale each (see compact-transcoder.c). Folder:
 * rows are written as they are stored where they carry no scale (bf16 stays bf16), else as f32,
 * so that nothing is lost on the way. Either appears whole or not at all. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "clt/block-rows.h"
#include "clt/compact-transcoder.h"
#include "clt/transcoder-pieces.h"
#include "files/folder.h"

/* ---- descriptions ---------------------------------------------------------------------- */

/* key, value, ..., NULL, as config.yaml has them. Keys are static; values are owned. */
static GPtrArray *
describe(const CwTranscoder *transcoder)
{
  const CwTranscoderConfig *config = &transcoder->config;
  GPtrArray *pairs = g_ptr_array_new_with_free_func(g_free);
  bool is_cross_layer = config->kind == CW_TRANSCODER_CROSS_LAYER;
  const char *const fixed[] = {
    "model_name",
    config->model_name,
    "model_kind",
    is_cross_layer ? "cross_layer_transcoder" : "transcoder_set",
    "feature_input_hook",
    cw_input_hook_name(config->input_hook),
    "feature_output_hook",
    cw_output_hook_name(config->output_hook),
    "scan",
    config->scan,
  };
  for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
    g_ptr_array_add(pairs, g_strdup(fixed[i]));
  if (config->input_hook == CW_INPUT_NORMALISED_AFFINE) {
    g_ptr_array_add(pairs, g_strdup("feature_input_hook_is_affine"));
    g_ptr_array_add(pairs, g_strdup("true"));
  }
  if (config->gate == CW_GATE_TOPK) {
    g_ptr_array_add(pairs, g_strdup("activation"));
    g_ptr_array_add(pairs, g_strdup("topk"));
    g_ptr_array_add(pairs, g_strdup("k"));
    g_ptr_array_add(pairs, g_strdup_printf("%" G_GINT64_FORMAT, config->top_k));
  }
  return pairs;
}

/* Names and scans are foreign text and go in quotes; everything else is ours and plain. */
static bool
write_config_yaml(const CwTranscoder *transcoder, const char *folder, GError **error)
{
  g_autoptr(GPtrArray) pairs = describe(transcoder);
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i + 1 < pairs->len; i += 2) {
    const char *key = pairs->pdata[i], *value = pairs->pdata[i + 1];
    bool is_foreign = strcmp(key, "model_name") == 0 || strcmp(key, "scan") == 0;
    g_string_append_printf(text, is_foreign ? "%s: '" : "%s: ", key);
    for (const char *p = value; *p != '\0'; p++) {
      g_string_append_c(text, (unsigned char)*p < 0x20 ? ' ' : *p);
      if (is_foreign && *p == '\'')
        g_string_append_c(text, '\'');
    }
    g_string_append(text, is_foreign ? "'\n" : "\n");
  }
  if (transcoder->config.kind == CW_TRANSCODER_PER_LAYER) {
    g_string_append(text, "transcoders:\n");
    for (int64_t l = 0; l < transcoder->config.n_layers; l++)
      g_string_append_printf(text, "  - layer_%d.safetensors\n", (int)l);
  }
  g_autofree char *path = g_build_filename(folder, "config.yaml", NULL);
  return cw_file_write_atomic(path, text->str, text->len, error);
}

/* ---- compact file ---------------------------------------------------------------------- */

static void
plan_layer_vectors(CwPlan *plan, const CwTranscoder *transcoder, int64_t l)
{
  const CwTranscoderLayer *layer = &transcoder->layers[l];
  char name[32];
  g_snprintf(name, sizeof name, "b_enc_%d", (int)l);
  cw_plan_add_vector(plan, name, layer->encoder_bias, transcoder->config.n_features);
  g_snprintf(name, sizeof name, "b_dec_%d", (int)l);
  cw_plan_add_vector(plan, name, layer->decoder_bias, transcoder->config.width);
  g_snprintf(name, sizeof name, "threshold_%d", (int)l);
  cw_plan_add_vector(plan, name, layer->threshold, transcoder->config.n_features);
}

/* Decoder rows that are 0 are left out, where a layer has such. */
static bool
plan_compact_decoder(CwPlan *plan, CwRowSource *source, GPtrArray *flags, int64_t l,
                     CwkDtype dtype, GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  int64_t n = transcoder->config.n_features * cw_transcoder_n_targets(transcoder, l);
  char name[32];
  g_snprintf(name, sizeof name, "W_dec_%d", (int)l);
  uint8_t *is_kept = g_malloc((gsize)n);
  g_ptr_array_add(flags, is_kept);
  int64_t n_kept = cw_row_source_find_kept(source, l, is_kept, error);
  if (n_kept == n && dtype == CWK_I8)
    cw_plan_add_bytes(plan, transcoder, name, CW_MATRIX_DECODER, l);
  else if (n_kept > 0)
    cw_plan_add_kept(plan, transcoder, name, l, is_kept, n_kept, dtype);
  return n_kept > 0;
}

static bool
plan_compact_layer(CwPlan *plan, CwRowSource *source, GPtrArray *flags, int64_t l,
                   CwkDtype dtype, GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  char name[32];
  plan_layer_vectors(plan, transcoder, l);
  g_snprintf(name, sizeof name, "W_enc_%d", (int)l);
  cw_plan_add_bytes(plan, transcoder, name, CW_MATRIX_ENCODER, l);
  g_snprintf(name, sizeof name, "W_skip_%d", (int)l);
  if (transcoder->config.has_skip)
    cw_plan_add_bytes(plan, transcoder, name, CW_MATRIX_SKIP, l);
  return plan_compact_decoder(plan, source, flags, l, dtype, error);
}

bool
cw_transcoder_write_compact(CwTranscoder *transcoder, CwkDtype decoder, const char *path,
                            GError **error)
{
  if (!cw_block_row_fits(decoder, transcoder->config.width)) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: rows of %d numbers cannot be written as %s; i8 fits any, q5_0 and q4_0 "
                "multiples of 32",
                transcoder->path, (int)transcoder->config.width, cwk_dtype_name(decoder));
    return false;
  }
  CwRowSource source;
  CwPlan plan;
  g_autoptr(GPtrArray) metadata = describe(transcoder);
  g_autoptr(GPtrArray) flags = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_insert(metadata, 0, g_strdup("format"));
  g_ptr_array_insert(metadata, 1, g_strdup(CW_COMPACT_FORMAT));
  g_ptr_array_add(metadata, NULL);
  cw_plan_init(&plan);
  bool is_written = cw_row_source_init(&source, transcoder, error);
  for (int64_t l = 0; is_written && l < transcoder->config.n_layers; l++)
    is_written = plan_compact_layer(&plan, &source, flags, l, decoder, error);
  is_written = is_written &&
               cw_plan_write(&plan, &source, path, (const char *const *)metadata->pdata, error);
  cw_row_source_clear(&source);
  cw_plan_clear(&plan);
  return is_written;
}

/* ---- circuit-tracer's folder ----------------------------------------------------------- */

static bool
write_file(CwRowSource *source, CwPlan *plan, const char *folder, const char *name,
           GError **error)
{
  static const char *const metadata[] = { "format", "pt", NULL };
  g_autofree char *file = g_strdup_printf("%s.safetensors", name);
  g_autofree char *path = g_build_filename(folder, file, NULL);
  return cw_plan_write(plan, source, path, metadata, error);
}

static bool
write_cross_layer(CwRowSource *source, CwPlan *plan, const char *folder, int64_t l,
                  GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  char name[32];
  plan_layer_vectors(plan, transcoder, l);
  g_snprintf(name, sizeof name, "W_enc_%d", (int)l);
  cw_plan_add_rows(plan, transcoder, name, CW_MATRIX_ENCODER, l);
  if (!write_file(source, plan, folder, name, error))
    return false;
  g_snprintf(name, sizeof name, "W_dec_%d", (int)l);
  cw_plan_add_rows(plan, transcoder, name, CW_MATRIX_DECODER, l);
  return write_file(source, plan, folder, name, error);
}

static bool
write_per_layer(CwRowSource *source, CwPlan *plan, const char *folder, int64_t l,
                GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  const CwTranscoderLayer *layer = &transcoder->layers[l];
  char name[32];
  cw_plan_add_vector(plan, "b_enc", layer->encoder_bias, transcoder->config.n_features);
  cw_plan_add_vector(plan, "b_dec", layer->decoder_bias, transcoder->config.width);
  cw_plan_add_vector(plan, "activation_function.threshold", layer->threshold,
                     transcoder->config.n_features);
  cw_plan_add_rows(plan, transcoder, "W_enc", CW_MATRIX_ENCODER, l);
  cw_plan_add_rows(plan, transcoder, "W_dec", CW_MATRIX_DECODER, l);
  if (transcoder->config.has_skip)
    cw_plan_add_rows(plan, transcoder, "W_skip", CW_MATRIX_SKIP, l);
  g_snprintf(name, sizeof name, "layer_%d", (int)l);
  return write_file(source, plan, folder, name, error);
}

static bool
write_layers(const CwTranscoder *transcoder, const char *folder, GError **error)
{
  CwRowSource source;
  CwPlan plan;
  cw_plan_init(&plan);
  bool is_cross_layer = transcoder->config.kind == CW_TRANSCODER_CROSS_LAYER;
  bool is_written = cw_row_source_init(&source, transcoder, error);
  for (int64_t l = 0; is_written && l < transcoder->config.n_layers; l++)
    is_written = is_cross_layer ? write_cross_layer(&source, &plan, folder, l, error)
                                : write_per_layer(&source, &plan, folder, l, error);
  cw_row_source_clear(&source);
  cw_plan_clear(&plan);
  return is_written && write_config_yaml(transcoder, folder, error);
}

/* Written beside its place under another name, then renamed; that works onto nothing or onto an
 * empty folder, and never mixes the layers of two transcoders. */
bool
cw_transcoder_write_folder(CwTranscoder *transcoder, const char *folder, GError **error)
{
  g_autofree char *place = g_strdup(folder);
  while (strlen(place) > 1 && g_str_has_suffix(place, G_DIR_SEPARATOR_S))
    place[strlen(place) - 1] = '\0';
  g_autofree char *parent = g_path_get_dirname(place);
  g_autofree char *base = g_path_get_basename(place);
  g_autofree char *aside = g_strdup_printf("%s/.%.200s.XXXXXX", parent, base);
  if (g_mkdtemp_full(aside, 0777) == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: cannot make a folder in %s: %s", place,
                parent, g_strerror(errno));
    return false;
  }
  bool is_written = write_layers(transcoder, aside, error);
  if (is_written && g_rename(aside, place) != 0) {
    int saved_errno = errno;
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s; name a new folder", place,
                g_strerror(saved_errno));
    is_written = false;
  }
  if (!is_written)
    cw_folder_remove(aside, NULL);
  return is_written;
}
