/* export.c - the transcoder of a trainer in circuit-tracer's layout, with where it came from.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "clt/clt-forge-writer.h"
#include "clt/transcoder.h"
#include "files/folder.h"
#include "train/trainer-private.h"

static void
divide(float *row, int64_t n, float by)
{
  for (int64_t j = 0; j < n; j++)
    row[j] /= by;
}

/* The scales of normalisation are folded: W_enc s_in, W_dec / s_out, b_dec / s_out. */
static bool
encoder_row(void *data, int64_t l, int64_t i, float *row, GError **error)
{
  const CwParameters *p = data;
  const float *from =
      p->encoder.value + (l * p->n_features + i) * cw_parameters_padded_width(p);
  for (int64_t j = 0; j < p->width; j++)
    row[j] = from[j] * p->scale_in[l];
  return true;
}

static bool
decoder_row(void *data, int64_t l, int64_t i, int64_t to, float *row, GError **error)
{
  const CwParameters *p = data;
  cw_parameters_read_row(p, p->decoder.value, l, i, to - l, row);
  divide(row, p->width, p->scale_out[to]);
  return true;
}

static void
encoder_bias(void *data, int64_t l, float *bias)
{
  const CwParameters *p = data;
  memcpy(bias, p->bias.value + l * p->n_features, (size_t)p->n_features * sizeof *bias);
}

static void
threshold(void *data, int64_t l, float *to)
{
  const CwParameters *p = data;
  memcpy(to, p->threshold + l * p->n_features, (size_t)p->n_features * sizeof *to);
}

static void
decoder_bias(void *data, int64_t l, float *bias)
{
  const CwParameters *p = data;
  memcpy(bias, p->decoder_bias.value + l * cw_parameters_padded_width(p),
         (size_t)p->width * sizeof *bias);
  divide(bias, p->width, p->scale_out[l]);
}

static bool
write_clt_forge(const CwTrainer *trainer, const CwTrainOrigin *origin, const char *folder,
                GError **error)
{
  const CwParameters *p = &trainer->parameters;
  const CwTranscoderConfig config = {
    .kind = p->is_cross_layer ? CW_TRANSCODER_CROSS_LAYER : CW_TRANSCODER_PER_LAYER,
    .gate = CW_GATE_JUMPRELU,
    .input_hook = CW_INPUT_NORMALISED,
    .output_hook = CW_OUTPUT_MLP_OUT,
    .n_layers = p->n_layers,
    .n_features = p->n_features,
    .width = p->width,
    .model_name = origin->model_name != NULL ? origin->model_name : "",
  };
  const CwDictionarySource source = { .config = &config,
                                      .encoder_row = encoder_row,
                                      .decoder_row = decoder_row,
                                      .encoder_bias = encoder_bias,
                                      .threshold = threshold,
                                      .decoder_bias = decoder_bias,
                                      .data = (void *)p };
  return cw_clt_forge_write(&source, folder, error);
}

/* The label that explorers show: the folder's name, or its run's where it is a run's. */
static void
label(CwTranscoder *transcoder, const char *folder)
{
  g_autofree char *parent = g_path_get_dirname(folder);
  g_free(transcoder->scan);
  transcoder->scan = g_path_get_basename(folder);
  if (strcmp(transcoder->scan, "transcoder") == 0 && strcmp(parent, ".") != 0) {
    g_free(transcoder->scan);
    transcoder->scan = g_path_get_basename(parent);
  }
  transcoder->config.scan = transcoder->scan;
}

/* Through CLT-Forge's form, which the one writer of circuit-tracer's layout reads. */
bool
cw_trainer_export(const CwTrainer *trainer, const CwTrainOrigin *origin, const char *folder,
                  GError **error)
{
  g_autofree char *aside = g_strdup_printf("%s.weights", folder);
  cw_folder_remove(folder, NULL); /* of this run, when it had fewer steps */
  bool is_written = write_clt_forge(trainer, origin, aside, error);
  if (is_written) {
    g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(aside, error);
    if (transcoder != NULL)
      label(transcoder, folder);
    is_written = transcoder != NULL && cw_transcoder_write_folder(transcoder, folder, error);
  }
  cw_folder_remove(aside, NULL);
  if (!is_written)
    return false;
  g_autofree char *path = g_build_filename(folder, "training.json", NULL);
  g_autofree char *settings = cw_train_settings_to_json(&trainer->settings);
  g_autofree char *json = g_strdup_printf(
      "{\n\"step\": %" G_GINT64_FORMAT ",\n\"tokens\": %" G_GINT64_FORMAT ",\n"
      "\"data\": \"%s\",\n\"model\": \"%s\",\n\"clew_version\": \"%s\",\n\"device\": \"%s\",\n"
      "\"metrics\": %s,\n\"settings\": %s}\n",
      trainer->step, trainer->step * trainer->work.n_tokens,
      origin->data_hash ? origin->data_hash : "", origin->model_hash ? origin->model_hash : "",
      CLEW_VERSION, cwk_device_name(trainer->device),
      origin->metrics_json ? origin->metrics_json : "{}", settings);
  return cw_file_write_atomic(path, json, strlen(json), error);
}
