/* evaluate-rows.c - rows for the meter: out of a store, or out of a model at work on text.
 *
 * A store keeps one pair of hooks; a transcoder that reads elsewhere can be evaluated on text
 * only, where the pass leaves every hook's values. */
#include <string.h>

#include "activations/texts.h"
#include "clt/transcoder-apply.h"
#include "cw-evaluate.h"
#include "model/forward.h"

#define BATCH_ROWS  256
#define PASS_TOKENS 512

/* ---- a store ---------------------------------------------------------------------------- */

static bool
check_shapes(const CwTranscoder *transcoder, const CwActivationsConfig *store, GError **error)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  if (config->n_layers == store->n_layers && config->width == store->width)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
              "The transcoder %s has %" G_GINT64_FORMAT " layers of width %" G_GINT64_FORMAT
              ", the activations%s%s have %" G_GINT64_FORMAT
              " layers of width %" G_GINT64_FORMAT
              "; evaluate on activations of the model that the transcoder was trained for",
              cw_transcoder_peek_path(transcoder), config->n_layers, config->width,
              *store->model_name != '\0' ? " of " : "", store->model_name, store->n_layers,
              store->width);
  return false;
}

/* Splits do not say their hooks; those are believed to be the transcoder's. */
static bool
check_hooks(const CwTranscoder *transcoder, const CwActivationsConfig *store, GError **error)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  const char *input = cw_input_hook_name(config->input_hook);
  const char *output = cw_output_hook_name(config->output_hook);
  bool is_input = *store->input_hook == '\0' || strcmp(store->input_hook, input) == 0;
  bool is_output = *store->output_hook == '\0' || strcmp(store->output_hook, output) == 0;
  /* A cache holds what lies before the gain. */
  bool is_affine = config->input_hook == CW_INPUT_NORMALISED_AFFINE;
  if (is_input && is_output && !(is_affine && *store->input_hook != '\0'))
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
              "The transcoder %s reads %s%s and writes %s, the activations are of %s and %s; "
              "evaluate it on text, which the model is run on",
              cw_transcoder_peek_path(transcoder), input, is_affine ? " behind the gain" : "",
              output, store->input_hook, store->output_hook);
  return false;
}

static CwActivationStream *
open_stream(CwActivations *activations, const CwEvaluateRows *options, GError **error)
{
  const CwActivationsConfig *store = cw_activations_peek_config(activations);
  bool is_all = options->part == CW_EVALUATE_ALL;
  CwStreamOptions stream = {
    .batch_tokens = BATCH_ROWS,
    .is_shuffled = options->n_rows > 0,
    .seed = options->seed,
    .held_out_fraction = is_all ? 0 : store->held_out_fraction,
    .part = options->part == CW_EVALUATE_HELD_OUT ? CW_ROWS_HELD_OUT : CW_ROWS_TRAINING,
    .n_threads = options->n_threads,
  };
  if (options->part == CW_EVALUATE_HELD_OUT && store->held_out_fraction <= 0) {
    g_set_error_literal(
        error, CW_ERROR, CW_ERROR_ARGUMENT,
        "The activations hold nothing apart; evaluate on all of them (--part all), "
        "or make the cache with a held-out part");
    return NULL;
  }
  return cw_activation_stream_new(activations, &stream, error);
}

static bool
meter_stream(CwQualityMeter *meter, CwActivationStream *stream,
             const CwActivationsConfig *store, const CwEvaluateRows *options, GError **error)
{
  int64_t n = cw_activation_stream_get_pass_rows(stream);
  gsize n_floats = (gsize)(store->n_layers * BATCH_ROWS * store->width);
  if (options->n_rows > 0)
    n = MIN(n, options->n_rows);
  g_autofree float *in = g_try_new(float, n_floats);
  g_autofree float *out = g_try_new(float, n_floats);
  if (in == NULL || out == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making room for a batch of activations");
    return false;
  }
  for (int64_t done = 0; done < n; done += BATCH_ROWS) {
    cw_progress_report(options->progress, "activations", (double)done / (double)n);
    if (!cw_activation_stream_next(stream, in, out, options->cancel, error) ||
        !cw_quality_meter_add(meter, in, out, MIN(n - done, BATCH_ROWS), BATCH_ROWS, error))
      return false;
  }
  cw_progress_report(options->progress, "activations", 1);
  return true;
}

CwActivationQuality *
cw_evaluate_activations(CwTranscoder *transcoder, CwActivations *activations, CwkDevice *device,
                        const CwEvaluateRows *options, GError **error)
{
  const CwActivationsConfig *store = cw_activations_peek_config(activations);
  if (!check_shapes(transcoder, store, error) || !check_hooks(transcoder, store, error))
    return NULL;
  g_autoptr(CwActivationStream) stream = open_stream(activations, options, error);
  if (stream == NULL)
    return NULL;
  g_autoptr(CwQualityMeter) meter = cw_quality_meter_new(transcoder, device, BATCH_ROWS, error);
  if (meter == NULL || !meter_stream(meter, stream, store, options, error))
    return NULL;
  return cw_quality_meter_finish(meter, error);
}

/* ---- text ------------------------------------------------------------------------------- */

typedef struct {
  CwTranscoder *transcoder;
  CwModel *model;
  CwkDevice *device;
  const CwEvaluateRows *options;
  CwTexts *texts;
  CwQualityMeter *meter;
  GArray *tokens, *lengths; /* of int32_t, size_t: windows of the next pass */
  int64_t n_rows;           /* metered */
} TextRows;

static void
text_rows_clear(TextRows *rows)
{
  g_clear_pointer(&rows->texts, cw_texts_free);
  g_clear_pointer(&rows->meter, cw_quality_meter_free);
  g_clear_pointer(&rows->tokens, g_array_unref);
  g_clear_pointer(&rows->lengths, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TextRows, text_rows_clear)

/* Windows for one pass, as many as fit; none at the end. */
static bool
read_windows(TextRows *rows, GError **error)
{
  g_autoptr(GError) failure = NULL;
  CwWindow window;
  g_array_set_size(rows->tokens, 0);
  g_array_set_size(rows->lengths, 0);
  while (cw_texts_next(rows->texts, &window, &failure)) {
    size_t n = (size_t)window.n;
    if (rows->tokens->len > 0 && rows->tokens->len + n > PASS_TOKENS) {
      cw_texts_push_back(rows->texts);
      return true;
    }
    g_array_append_vals(rows->tokens, window.tokens, (guint)n);
    g_array_append_val(rows->lengths, n);
  }
  if (failure == NULL)
    return true;
  g_propagate_error(error, g_steal_pointer(&failure));
  return false;
}

/* Moves the rows of windows, less each one's first, together; *values [L, T, D] stays as it is
 * laid out. Returns how many are left. */
static int64_t
drop_first_positions(const TextRows *rows, float *values, int64_t n_layers, int64_t n_positions,
                     int64_t width)
{
  int64_t n = 0;
  for (int64_t l = 0; l < n_layers; l++) {
    float *layer = values + l * n_positions * width;
    int64_t at = 0;
    n = 0;
    for (guint i = 0; i < rows->lengths->len; i++) {
      int64_t length = (int64_t)g_array_index(rows->lengths, size_t, i);
      memmove(layer + n * width, layer + (at + 1) * width,
              (size_t)((length - 1) * width) * sizeof *layer);
      n += length - 1;
      at += length;
    }
  }
  return n;
}

static bool
meter_pass(TextRows *rows, GError **error)
{
  g_autoptr(CwForward) forward = cw_forward_run_windows(
      rows->model, rows->device, (const int32_t *)(void *)rows->tokens->data,
      (const size_t *)(void *)rows->lengths->data, rows->lengths->len, CW_FORWARD_TAPS,
      rows->options->cancel, error);
  if (forward == NULL)
    return false;
  const CwTranscoderConfig *config = cw_transcoder_peek_config(rows->transcoder);
  int64_t n_positions = forward->n_positions, width = config->width, n = 0;
  /* The token vectors' place serves as scratch of its size. */
  for (int64_t l = 0; l < config->n_layers; l++) {
    float *hat = forward->mlp_hat + l * n_positions * width;
    const float *in =
        cw_transcoder_find_input(rows->transcoder, rows->model, forward, l, forward->embedding);
    if (in != hat)
      memcpy(hat, in, (size_t)(n_positions * width) * sizeof *hat);
  }
  float *out = cw_transcoder_find_outputs(rows->transcoder, forward);
  n = drop_first_positions(rows, forward->mlp_hat, config->n_layers, n_positions, width);
  drop_first_positions(rows, out, config->n_layers, n_positions, width);
  if (rows->options->n_rows > 0)
    n = MIN(n, rows->options->n_rows - rows->n_rows);
  rows->n_rows += n;
  return cw_quality_meter_add(rows->meter, forward->mlp_hat, out, n, n_positions, error);
}

static void
report(const TextRows *rows)
{
  int64_t most = rows->options->n_rows;
  double fraction = most > 0 ? (double)rows->n_rows / (double)most : 0;
  cw_progress_report(rows->options->progress, "activations",
                     MIN(MAX(fraction, cw_texts_get_fraction(rows->texts)), 1));
}

CwActivationQuality *
cw_evaluate_text(CwTranscoder *transcoder, CwModel *model, CwkDevice *device,
                 const CwTextOptions *text, const CwEvaluateRows *options, GError **error)
{
  if (!cw_transcoder_check_fits(transcoder, model, error))
    return NULL;
  g_auto(TextRows)
      rows = { .transcoder = transcoder, .model = model, .device = device, .options = options };
  rows.tokens = g_array_new(FALSE, FALSE, sizeof(int32_t));
  rows.lengths = g_array_new(FALSE, FALSE, sizeof(size_t));
  rows.texts = cw_texts_new(model, text, error);
  if (rows.texts == NULL)
    return NULL;
  int64_t most_rows = MAX(cw_texts_get_context(rows.texts), PASS_TOKENS);
  rows.meter = cw_quality_meter_new(transcoder, device, most_rows, error);
  if (rows.meter == NULL)
    return NULL;
  while (options->n_rows <= 0 || rows.n_rows < options->n_rows) {
    report(&rows);
    if (!read_windows(&rows, error))
      return NULL;
    if (rows.lengths->len == 0)
      break;
    if (!meter_pass(&rows, error))
      return NULL;
  }
  report(&rows);
  return cw_quality_meter_finish(rows.meter, error);
}
