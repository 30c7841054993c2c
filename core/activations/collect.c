/* collect.c - text through the model into a cache, batch by batch.
 *
 * What a batch holds follows from the text and the settings, so that a run that was cut off
 * passes over the batches that are stored, tokenising but not running the model, and goes on to
 * the same bytes. */
#include <string.h>

#include "activations/capture.h"

#define BATCH_BYTES ((int64_t)512 << 20)

typedef struct {
  CwModel *model;
  CwkDevice *device;
  CwCollectOptions options;
  CwTexts *texts;
  CwCapture *capture;
  CwRowBatch *batch;
  CwCacheWriter *writer;
  char *folder, *settings;
  int64_t last_document;
  CwCollectReport *report;
  const CwProgress *progress;
  CwCancel *cancel;
  GError **error;
} Collect;

/* ---- a batch out of text ---------------------------------------------------------------- */

static void
report_progress(const Collect *collect, int64_t n_rows, bool is_stored)
{
  const CwCollectOptions *options = &collect->options;
  double of_text = cw_texts_get_fraction(collect->texts);
  double of_rows = options->n_tokens > 0 ? (double)n_rows / (double)options->n_tokens : 0;
  double fraction = MIN(MAX(of_text, of_rows), 1);
  cw_progress_report(collect->progress, "cache", fraction);
  if (options->made != NULL && !is_stored)
    options->made(n_rows, fraction, options->made_data);
}

/* Whether a window belongs to the batch in which n_rows rows are; else it is kept for the next,
 * or the limit is reached. */
static bool
has_room(Collect *collect, const CwWindow *window, int64_t n_rows, bool *is_last)
{
  int64_t n = cw_window_get_rows(window), limit = collect->options.n_tokens;
  *is_last = limit > 0 && collect->report->n_rows + n_rows + n > limit;
  return !*is_last && n_rows + n <= collect->batch->capacity;
}

/* Fills the batch, or passes over what it would hold; *is_last where no window follows. */
static bool
read_batch(Collect *collect, bool is_stored, int64_t *n_rows, bool *is_last)
{
  CwCollectReport *report = collect->report;
  CwWindow window;
  g_autoptr(GError) error = NULL;
  collect->batch->n_rows = *n_rows = 0;
  while (cw_texts_next(collect->texts, &window, &error)) {
    if (!has_room(collect, &window, *n_rows, is_last)) {
      cw_texts_push_back(collect->texts);
      return cw_capture_flush(collect->capture, collect->batch, collect->cancel,
                              collect->error);
    }
    if (is_stored ? cw_cancel_check(collect->cancel, collect->error)
                  : !cw_capture_add(collect->capture, collect->batch, &window, collect->cancel,
                                    collect->error))
      return false;
    *n_rows += cw_window_get_rows(&window);
    report->n_windows++;
    report->n_documents += window.document != collect->last_document;
    collect->last_document = window.document;
    report_progress(collect, report->n_rows + *n_rows, is_stored);
  }
  *is_last = true;
  if (error != NULL) {
    g_propagate_error(collect->error, g_steal_pointer(&error));
    return false;
  }
  return cw_capture_flush(collect->capture, collect->batch, collect->cancel, collect->error);
}

static double
seconds_since(gint64 start)
{
  return (double)(g_get_monotonic_time() - start) / 1e6;
}

static bool
write_batch(Collect *collect)
{
  CwRowBatch *batch = collect->batch;
  cw_row_batch_close_up(batch);
  return cw_cache_writer_append(collect->writer, collect->device, batch->in, batch->out,
                                batch->tokens, batch->documents, batch->places, batch->n_rows,
                                collect->error);
}

static bool
run_batches(Collect *collect)
{
  int64_t n_stored = cw_cache_writer_get_n_batches(collect->writer);
  bool is_last = false;
  for (int64_t i = 0; !is_last; i++) {
    int64_t n_rows;
    gint64 start = g_get_monotonic_time();
    if (!read_batch(collect, i < n_stored, &n_rows, &is_last))
      return false;
    collect->report->capture_seconds += seconds_since(start);
    start = g_get_monotonic_time();
    if (i >= n_stored && n_rows > 0 && !write_batch(collect))
      return false;
    collect->report->encode_seconds += seconds_since(start);
    collect->report->n_rows += n_rows;
    if (i < n_stored)
      collect->report->n_resumed_rows = collect->report->n_rows;
  }
  if (collect->report->n_rows > 0)
    return true;
  g_set_error_literal(collect->error, CW_ERROR, CW_ERROR_ARGUMENT,
                      "The text gives no tokens; nothing is left to cache");
  return false;
}

/* ---- the run ---------------------------------------------------------------------------- */

/* What the bytes depend on beyond the options that the writer knows. */
static char *
dup_settings(const Collect *collect, const char *text_hash)
{
  const CwCollectOptions *options = &collect->options;
  return g_strdup_printf("{\"forward\": \"%s\", \"text_sha256\": \"%s\", \"start_token\": %d, "
                         "\"first_positions_dropped\": 1, \"token_limit\": %" G_GINT64_FORMAT
                         ", \"batch_rows\": %" G_GINT64_FORMAT ", \"job\": %" G_GINT64_FORMAT
                         ", \"jobs\": %" G_GINT64_FORMAT "}",
                         options->is_reduced ? "int8 activations" : "f32", text_hash,
                         cw_texts_get_start(collect->texts), options->n_tokens,
                         collect->batch->capacity, options->text.job,
                         MAX(options->text.n_jobs, 1));
}

static bool
open_writer(Collect *collect)
{
  const CwModelConfig *config = cw_model_peek_config(collect->model);
  const CwCollectOptions *options = &collect->options;
  g_autofree char *text_hash = cw_texts_dup_identity(collect->texts);
  const char *model_hash = cw_model_get_hash(collect->model);
  if (text_hash == NULL || model_hash == NULL) {
    g_set_error_literal(collect->error, CW_ERROR, CW_ERROR_IO,
                        "The model's or the text's files cannot be read whole");
    return false;
  }
  collect->settings = dup_settings(collect, text_hash);
  const CwCacheOptions cache = {
    .n_layers = config->n_layers,
    .width = config->width,
    .model_name = config->name,
    .model_hash = model_hash,
    .input_hook = "ln2.hook_normalized",
    .output_hook = "hook_mlp_out",
    .context_tokens = cw_texts_get_context(collect->texts),
    .codec = options->codec,
    .target_error = options->target_error,
    .seed = options->seed,
    .held_out_fraction = options->held_out_fraction < 0 ? 1.0 / 64 : options->held_out_fraction,
    .settings_json = collect->settings,
  };
  collect->writer = cw_cache_writer_begin(collect->folder, &cache, true, collect->error);
  return collect->writer != NULL;
}

static bool
open_parts(Collect *collect)
{
  const CwModelConfig *config = cw_model_peek_config(collect->model);
  const CwCollectOptions *options = &collect->options;
  int64_t row_bytes = 2 * config->n_layers * config->width * (int64_t)sizeof(float);
  int64_t most = options->batch_tokens > 0 ? options->batch_tokens : BATCH_BYTES / row_bytes;
  collect->texts = cw_texts_new(collect->model, &options->text, collect->error);
  if (collect->texts == NULL)
    return false;
  most = MAX(most, cw_texts_get_context(collect->texts));
  collect->batch = cw_row_batch_new(collect->model, most, collect->error);
  collect->capture = cw_capture_new(collect->model, collect->device, options->is_reduced);
  return collect->batch != NULL && open_writer(collect);
}

static void
clear(Collect *collect)
{
  g_clear_pointer(&collect->capture, cw_capture_free);
  g_clear_pointer(&collect->texts, cw_texts_free);
  g_clear_pointer(&collect->batch, cw_row_batch_free);
  g_clear_pointer(&collect->writer, cw_cache_writer_discard);
  g_free(collect->folder);
  g_free(collect->settings);
}

bool
cw_activations_collect(CwModel *model, CwkDevice *device, const CwCollectOptions *options,
                       const char *output, CwCollectReport *report, const CwProgress *progress,
                       CwCancel *cancel, GError **error)
{
  CwCollectReport unasked;
  Collect collect = { .model = model,
                      .device = device,
                      .options = *options,
                      .last_document = -1,
                      .report = report != NULL ? report : &unasked,
                      .progress = progress,
                      .cancel = cancel,
                      .error = error };
  *collect.report = (CwCollectReport){ 0 };
  g_autofree char *part = g_strdup_printf("part-%" G_GINT64_FORMAT "-of-%" G_GINT64_FORMAT,
                                          options->text.job, options->text.n_jobs);
  collect.folder =
      options->text.n_jobs > 0 ? g_build_filename(output, part, NULL) : g_strdup(output);
  bool is_done = open_parts(&collect) && run_batches(&collect) &&
                 cw_cache_writer_finish(g_steal_pointer(&collect.writer), error);
  clear(&collect);
  return is_done;
}
