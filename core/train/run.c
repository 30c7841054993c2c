/* run.c - a training run in its folder, from the first step to the transcoder.
 *
 * The state that counts is in checkpoints; metrics follow them. A run that was killed goes on
 * from the newest whole checkpoint and gives, byte for byte, what it would have given: batches
 * are a function of the seed and their number, and steps of the state and the batch. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "train/checkpoint.h"
#include "train/metrics.h"

typedef struct {
  const CwTrainRun *run;
  CwActivations *activations;
  CwTrainer *trainer;
  CwActivationStream *stream;
  CwMetrics *metrics;
  float *in, *out;       /* [L, B, D] */
  char *last_line;       /* of a held-out evaluation, else of a step */
  gint64 started, lined; /* monotonic time: of the run, of the last line */
  int64_t first_step, lined_step;
  int64_t checkpoint_step; /* of the newest checkpoint, -1: none */
  int64_t evaluated_step;  /* of the newest held-out evaluation, -1: none */
  bool has_l0_checkpoint;
} Session;

/* ---- beginning ----------------------------------------------------------------------------
 */

static bool
take_folder(const CwTrainRun *run, GError **error)
{
  if (g_mkdir_with_parents(run->output, 0777) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", run->output, g_strerror(errno));
    return false;
  }
  g_autoptr(GPtrArray) checkpoints = cw_checkpoint_list(run->output);
  if (checkpoints->len == 0 || run->is_resumed)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "%s: holds a run already; go on with --resume, or name a new folder",
              run->output);
  return false;
}

static CwActivationStream *
open_stream(const Session *session, CwRowsPart part, GError **error)
{
  const CwTrainSettings *settings = cw_trainer_peek_settings(session->trainer);
  const CwStreamOptions options = {
    .batch_tokens = cw_trainer_get_batch_tokens(session->trainer),
    .is_shuffled = settings->shuffle && part == CW_ROWS_TRAINING,
    .seed = (uint64_t)settings->seed,
    .held_out_fraction = settings->held_out_fraction,
    .part = part,
    .has_prefetch = part == CW_ROWS_TRAINING,
  };
  return cw_activation_stream_new(session->activations, &options, error);
}

/* Whether rows are held out shows before the first step, not at the first evaluation. A small
 * cache may hold out none by chance, which is an error only where a fraction was asked for. */
static bool
settle_held_out(Session *session, const CwTrainSettings *asked, GError **error)
{
  if (session->trainer->settings.held_out_fraction == 0)
    return true;
  g_autoptr(GError) failure = NULL;
  CwActivationStream *stream = open_stream(session, CW_ROWS_HELD_OUT, &failure);
  cw_activation_stream_free(stream);
  if (stream != NULL)
    return true;
  if (asked->held_out_fraction < 0) {
    session->trainer->settings.held_out_fraction = 0;
    return true;
  }
  g_propagate_error(error, g_steal_pointer(&failure));
  return false;
}

static bool
make_trainer(Session *session, const CwTrainSettings *settings, GError **error)
{
  const CwActivationsConfig *config = cw_activations_peek_config(session->activations);
  CwTrainSettings settled = *settings;
  if (settled.held_out_fraction < 0)
    settled.held_out_fraction = config->held_out_fraction;
  session->trainer =
      cw_trainer_new(&settled, config->n_layers, config->width, session->run->device, error);
  if (session->trainer == NULL)
    return false;
  int64_t n = config->n_layers * cw_trainer_get_batch_tokens(session->trainer) * config->width;
  session->in = cw_pages_new((size_t)n * sizeof(float));
  session->out = cw_pages_new((size_t)n * sizeof(float));
  if (session->in == NULL || session->out == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                        "no memory for a batch; take a smaller batch");
    return false;
  }
  session->stream = open_stream(session, CW_ROWS_TRAINING, error);
  return session->stream != NULL && settle_held_out(session, settings, error);
}

static bool
begin_new(Session *session, GError **error)
{
  const CwTrainRun *run = session->run;
  g_autoptr(CwTranscoder) initial = NULL;
  if (!make_trainer(session, &run->settings, error))
    return false;
  if (run->initial != NULL && (initial = cw_train_open_transcoder(run->initial, error)) == NULL)
    return false;
  session->trainer->is_initialised = initial != NULL;
  if (!cw_trainer_prepare(session->trainer, session->stream, run->cancel, error) ||
      (initial != NULL && !cw_trainer_take_transcoder(session->trainer, initial, error)))
    return false;
  /* Rows that were read ahead are trained on all the same; where the model made them, with the
   * next pass over the text rather than by making them twice. */
  return cw_activations_peek_config(session->activations)->is_live ||
         cw_activation_stream_seek(session->stream, 0, error);
}

static bool
same_data(const Session *session, const CwCheckpointNote *note, const char *path,
          GError **error)
{
  if (g_strcmp0(note->data_hash, cw_activations_get_hash(session->activations)) == 0)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
              "%s: was trained on other activations; resume with those, or start a new run "
              "with --initial",
              path);
  return false;
}

static bool
read_checkpoint(Session *session, const char *path, GError **error)
{
  CwTrainSettings settings;
  int64_t step;
  CwCheckpointNote note = { 0 };
  if (!cw_checkpoint_read_settings(path, &settings, &step, error))
    return false;
  /* A run may be made to stop elsewhere; nothing else may change under way. */
  settings.steps = session->run->settings.steps;
  bool is_read = make_trainer(session, &settings, error) &&
                 cw_checkpoint_read(session->trainer, &note, path, error) &&
                 same_data(session, &note, path, error) &&
                 cw_activation_stream_seek_cursor(session->stream, note.stream_position,
                                                  note.data_cursor, error);
  cw_checkpoint_note_clear(&note);
  session->checkpoint_step = is_read ? step : -1;
  return is_read;
}

static void
drop_trainer(Session *session)
{
  g_clear_pointer(&session->stream, cw_activation_stream_free);
  g_clear_pointer(&session->trainer, cw_trainer_free);
  g_clear_pointer(&session->in, free);
  g_clear_pointer(&session->out, free);
}

/* The newest checkpoint that can be read; the first error if none can. */
static bool
begin_resumed(Session *session, GError **error)
{
  g_autoptr(GPtrArray) list = cw_checkpoint_list(session->run->output);
  g_autoptr(GError) first = NULL;
  for (guint i = 0; i < list->len; i++) {
    g_autoptr(GError) failure = NULL;
    if (read_checkpoint(session, list->pdata[i], &failure))
      return true;
    drop_trainer(session);
    if (!g_error_matches(failure, CW_ERROR, CW_ERROR_FORMAT)) {
      g_propagate_error(error, g_steal_pointer(&failure));
      return false;
    }
    g_message("%s", failure->message);
    if (first == NULL)
      first = g_steal_pointer(&failure);
  }
  if (first == NULL)
    return begin_new(session, error); /* killed before its first checkpoint */
  g_propagate_error(error, g_steal_pointer(&first));
  return false;
}

static bool
write_settings(const Session *session, GError **error)
{
  g_autofree char *path = g_build_filename(session->run->output, "settings.json", NULL);
  g_autofree char *json = cw_train_settings_to_json(cw_trainer_peek_settings(session->trainer));
  return cw_file_write_atomic(path, json, strlen(json), error);
}

static bool
begin(Session *session, GError **error)
{
  const CwTrainRun *run = session->run;
  session->checkpoint_step = session->evaluated_step = -1;
  if (!take_folder(run, error) ||
      !(run->is_resumed ? begin_resumed(session, error) : begin_new(session, error)) ||
      !write_settings(session, error))
    return false;
  session->first_step = session->lined_step = cw_trainer_get_step(session->trainer);
  session->metrics = cw_metrics_open(run->output, session->first_step, error);
  session->started = session->lined = g_get_monotonic_time();
  return session->metrics != NULL;
}

/* ---- under way ----------------------------------------------------------------------------
 */

static bool
tell(Session *session, char *line, GError **error)
{
  g_free(session->last_line);
  session->last_line = line;
  if (session->run->line != NULL)
    session->run->line(line, session->run->line_data);
  return cw_metrics_write(session->metrics, line, error);
}

static bool
tell_step(Session *session, const CwTrainStep *step, GError **error)
{
  gint64 now = g_get_monotonic_time();
  double since = (double)MAX(now - session->lined, 1) / G_USEC_PER_SEC;
  double n_tokens = (double)(cw_trainer_get_step(session->trainer) - session->lined_step) *
                    (double)cw_trainer_get_batch_tokens(session->trainer);
  double seconds = (double)(now - session->started) / G_USEC_PER_SEC;
  session->lined = now;
  session->lined_step = cw_trainer_get_step(session->trainer);
  return tell(session, cw_metrics_step_line(session->trainer, step, seconds, n_tokens / since),
              error);
}

static bool
checkpoint(Session *session, bool is_kept, GError **error)
{
  g_autofree char *cursor = cw_activation_stream_dup_cursor(session->stream);
  CwCheckpointNote note = {
    .stream_position = cw_activation_stream_get_position(session->stream),
    .data_cursor = cursor,
    .data_hash = (char *)cw_activations_get_hash(session->activations),
  };
  if (!cw_checkpoint_write(session->trainer, &note, session->run->output, is_kept, error))
    return false;
  session->checkpoint_step = cw_trainer_get_step(session->trainer);
  return true;
}

static void
add_step(CwTrainStep *sum, double *variance, double *l0, const CwTrainStep *step,
         int64_t n_layers)
{
  sum->mse += step->mse;
  sum->l0 += step->l0;
  sum->explained_variance += step->explained_variance;
  for (int64_t l = 0; l < n_layers; l++) {
    variance[l] += step->layer_explained_variance[l];
    l0[l] += step->layer_l0[l];
  }
}

/* Means over batches of held-out rows, the same ones each time. */
static bool
evaluate(Session *session, GError **error)
{
  const CwTrainSettings *settings = cw_trainer_peek_settings(session->trainer);
  int64_t n_layers = settings->n_layers, n = cw_trainer_get_batch_tokens(session->trainer);
  int64_t n_batches = MAX((settings->eval_tokens + n - 1) / n, 1);
  g_autofree double *variance = g_new0(double, n_layers);
  g_autofree double *l0 = g_new0(double, n_layers);
  CwTrainStep sum = { .step = cw_trainer_get_step(session->trainer) - 1 }, step;
  CwActivationStream *stream = open_stream(session, CW_ROWS_HELD_OUT, error);
  bool is_done = stream != NULL;
  for (int64_t i = 0; is_done && i < n_batches; i++) {
    is_done = cw_activation_stream_next(stream, session->in, session->out, NULL, error) &&
              cw_trainer_measure(session->trainer, session->in, session->out, &step, error);
    if (is_done)
      add_step(&sum, variance, l0, &step, n_layers);
  }
  cw_activation_stream_free(stream);
  if (!is_done)
    return false;
  sum.mse /= (double)n_batches;
  sum.l0 /= (double)n_batches;
  sum.explained_variance /= (double)n_batches;
  for (int64_t l = 0; l < n_layers; l++) {
    variance[l] /= (double)n_batches;
    l0[l] /= (double)n_batches;
  }
  sum.layer_explained_variance = variance;
  sum.layer_l0 = l0;
  session->evaluated_step = cw_trainer_get_step(session->trainer);
  return tell(session, cw_metrics_held_out_line(&sum, n_layers, n_batches * n), error);
}

static bool
is_due(int64_t step, int64_t every)
{
  return every > 0 && step % every == 0;
}

static bool
after_step(Session *session, const CwTrainStep *step, GError **error)
{
  const CwTrainSettings *settings = cw_trainer_peek_settings(session->trainer);
  int64_t done = cw_trainer_get_step(session->trainer);
  bool is_told = is_due(step->step, settings->log_every_steps) || done == settings->steps ||
                 step->resampled > 0;
  if (is_told && !tell_step(session, step, error))
    return false;
  if (settings->held_out_fraction > 0 && is_due(done, settings->eval_every_steps) &&
      !evaluate(session, error))
    return false;
  bool at_l0 = settings->checkpoint_l0 > 0 && !session->has_l0_checkpoint && done >= 100 &&
               session->trainer->l0_mean <= settings->checkpoint_l0;
  session->has_l0_checkpoint |= at_l0;
  if ((at_l0 || is_due(done, settings->checkpoint_every_steps)) &&
      !checkpoint(session, at_l0, error))
    return false;
  cw_progress_report(&session->run->progress, "training",
                     (double)done / (double)settings->steps);
  return true;
}

static bool
has_reached_l0(const Session *session)
{
  const CwTrainSettings *settings = cw_trainer_peek_settings(session->trainer);
  return settings->optimal_l0 > 0 && cw_trainer_get_step(session->trainer) >= 100 &&
         session->trainer->l0_mean <= settings->optimal_l0;
}

/* Saves what is sound before an error is told. */
static bool
save_and_fail(Session *session)
{
  g_autoptr(GError) second = NULL;
  int64_t step = cw_trainer_get_step(session->trainer);
  if (step > session->checkpoint_step && step > 0 && !checkpoint(session, true, &second))
    g_message("%s", second->message);
  return false;
}

static bool
run_steps(Session *session, CwTrainEnd *end, GError **error)
{
  const CwTrainRun *run = session->run;
  int64_t n_steps = cw_trainer_peek_settings(session->trainer)->steps;
  CwTrainStep step;
  *end = CW_TRAIN_DONE;
  while (cw_trainer_get_step(session->trainer) < n_steps) {
    int64_t position = cw_activation_stream_get_position(session->stream);
    if (cw_cancel_is_triggered(run->cancel)) {
      *end = CW_TRAIN_STOPPED;
      return true;
    }
    if (!cw_activation_stream_next(session->stream, session->in, session->out, run->cancel,
                                   error)) {
      if (!cw_cancel_is_triggered(run->cancel))
        return save_and_fail(session);
      g_clear_error(error);
      *end = CW_TRAIN_STOPPED;
      return cw_activation_stream_seek(session->stream, position, error);
    }
    if (!cw_trainer_step(session->trainer, session->in, session->out, &step, error))
      return save_and_fail(session);
    if (!after_step(session, &step, error))
      return false;
    if (has_reached_l0(session)) {
      *end = CW_TRAIN_AT_L0;
      return true;
    }
  }
  return true;
}

/* ---- end ----------------------------------------------------------------------------------
 */

static bool export(Session *session, GError **error)
{
  const CwActivationsConfig *config = cw_activations_peek_config(session->activations);
  const CwTrainOrigin origin = { .model_name = config->model_name,
                                 .model_hash = config->model_hash,
                                 .data_hash = cw_activations_get_hash(session->activations),
                                 .metrics_json = session->last_line };
  g_autofree char *folder = g_build_filename(session->run->output, "transcoder", NULL);
  return cw_trainer_export(session->trainer, &origin, folder, error);
}

static bool
finish(Session *session, CwTrainEnd end, GError **error)
{
  bool has_ended = end != CW_TRAIN_STOPPED;
  bool has_held_out = cw_trainer_peek_settings(session->trainer)->held_out_fraction > 0;
  if (has_ended && has_held_out &&
      session->evaluated_step < cw_trainer_get_step(session->trainer) &&
      !evaluate(session, error))
    return false;
  if (session->checkpoint_step < cw_trainer_get_step(session->trainer) &&
      !checkpoint(session, false, error))
    return false;
  return !has_ended || export(session, error);
}

bool
cw_train_run(const CwTrainRun *run, CwActivations *activations, CwTrainEnd *end, GError **error)
{
  Session session = { .run = run, .activations = activations };
  bool is_done = begin(&session, error) && run_steps(&session, end, error) &&
                 finish(&session, *end, error);
  if (session.metrics != NULL && !cw_metrics_close(session.metrics, is_done ? error : NULL))
    is_done = false;
  drop_trainer(&session);
  g_free(session.last_line);
  return is_done;
}
