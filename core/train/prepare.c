/* prepare.c - what is taken from data or from another transcoder before the first step. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clt/transcoder-pieces.h"
#include "train/trainer-private.h"

/* ---- scales ------------------------------------------------------------------------------ */

static double
sum_lengths(const float *rows, int64_t n, int64_t width)
{
  double sum = 0;
  for (int64_t b = 0; b < n; b++) {
    double square = 0;
    for (int64_t j = 0; j < width; j++)
      square += (double)rows[b * width + j] * (double)rows[b * width + j];
    sum += sqrt(square);
  }
  return sum;
}

typedef struct {
  CwTrainer *trainer;
  float *in, *out;                  /* [L, B, D] */
  double *in_lengths, *out_lengths; /* [L] */
} Sample;

static void
measure_layer(void *data, int64_t l)
{
  const Sample *sample = data;
  int64_t n = sample->trainer->work.n_tokens, width = sample->trainer->parameters.width;
  sample->in_lengths[l] += sum_lengths(sample->in + l * n * width, n, width);
  sample->out_lengths[l] += sum_lengths(sample->out + l * n * width, n, width);
}

/* s = sqrt(D) / mean |row|, so that scaled rows have norm sqrt(D) on average. */
static bool
estimate_scales(Sample *sample, CwActivationStream *stream, CwCancel *cancel, GError **error)
{
  CwTrainer *trainer = sample->trainer;
  CwParameters *p = &trainer->parameters;
  int64_t n_batches = trainer->settings.n_batches_for_norm_estimate;
  for (int64_t i = 0; i < n_batches; i++) {
    if (cw_cancel_check(cancel, error) ||
        !cw_activation_stream_next(stream, sample->in, sample->out, cancel, error))
      return false;
    cwk_parallel_for(trainer->device, p->n_layers, measure_layer, sample);
  }
  double n_rows = (double)(n_batches * trainer->work.n_tokens), root = sqrt((double)p->width);
  for (int64_t l = 0; l < p->n_layers; l++) {
    double in = sample->in_lengths[l] / n_rows, out = sample->out_lengths[l] / n_rows;
    if (!isfinite(in) || !isfinite(out) || in <= 0 || out <= 0) {
      g_set_error(
          error, CW_ERROR, CW_ERROR_FORMAT,
          "activations of layer %d have a mean norm of %g (input) and %g (output); they "
          "cannot be scaled to each other",
          (int)l, in, out);
      return false;
    }
    p->scale_in[l] = (float)(root / in);
    p->scale_out[l] = (float)(root / out);
  }
  return true;
}

/* ---- encoder biases -----------------------------------------------------------------------
 */

typedef struct {
  CwTrainer *trainer;
  float
      *largest; /* [L, F, n_kept] pre-activations, the largest so far; smallest first (heap) */
  int64_t *n;   /* [L, F] */
  int64_t n_kept;
} Quantiles;

/* Keeps the n_kept largest in a heap whose root is the smallest of them. */
static void
keep(float *heap, int64_t *n, int64_t n_kept, float x)
{
  int64_t i;
  if (*n < n_kept) {
    for (i = (*n)++; i > 0 && heap[(i - 1) / 2] > x; i = (i - 1) / 2)
      heap[i] = heap[(i - 1) / 2];
    heap[i] = x;
    return;
  }
  if (x <= heap[0])
    return;
  for (i = 0;;) {
    int64_t child = 2 * i + 1;
    if (child >= n_kept)
      break;
    if (child + 1 < n_kept && heap[child + 1] < heap[child])
      child++;
    if (heap[child] >= x)
      break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = x;
}

static void
keep_largest(void *data, int64_t l)
{
  const Quantiles *job = data;
  const CwTrainWork *work = &job->trainer->work;
  int64_t n = job->trainer->parameters.n_features;
  for (int64_t i = l * n; i < (l + 1) * n; i++)
    for (int64_t b = 0; b < work->n_tokens; b++)
      keep(job->largest + i * job->n_kept, &job->n[i], job->n_kept,
           work->pre[i * work->n_tokens + b]);
}

/* The bias that puts a feature's quantile at its threshold. Any F: of R rows read the
 * round(rate R) largest pre-activations are kept, at least one. */
static bool
set_biases(Sample *sample, CwActivationStream *stream, CwCancel *cancel, GError **error)
{
  CwTrainer *trainer = sample->trainer;
  CwParameters *p = &trainer->parameters;
  int64_t n_batches = trainer->settings.n_batches_for_bias_init;
  int64_t n = p->n_layers * p->n_features, n_rows = n_batches * trainer->work.n_tokens;
  double wanted = round(trainer->settings.init_firing_rate * (double)n_rows);
  Quantiles job = { .trainer = trainer, .n_kept = (int64_t)MAX(wanted, 1) + 1 };
  job.n_kept = MIN(job.n_kept, n_rows);
  job.largest = g_try_new(float, n *job.n_kept);
  job.n = g_try_new0(int64_t, n);
  bool is_done = job.largest != NULL && job.n != NULL;
  if (!is_done)
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                        "no memory to set encoder biases; take a smaller "
                        "n_batches_for_bias_init");
  for (int64_t i = 0; is_done && i < n_batches; i++) {
    is_done = !cw_cancel_check(cancel, error) &&
              cw_activation_stream_next(stream, sample->in, sample->out, cancel, error);
    if (!is_done)
      break;
    cw_trainer_load_batch(trainer, sample->in, sample->out);
    is_done = cw_train_work_encode(&trainer->work, error);
    if (is_done)
      cwk_parallel_for(trainer->device, p->n_layers, keep_largest, &job);
  }
  for (int64_t i = 0; is_done && i < n; i++)
    p->bias.value[i] = p->threshold[i] - job.largest[i * job.n_kept];
  g_free(job.largest);
  g_free(job.n);
  return is_done;
}

bool
cw_trainer_prepare(CwTrainer *trainer, CwActivationStream *stream, CwCancel *cancel,
                   GError **error)
{
  const CwParameters *p = &trainer->parameters;
  int64_t n_floats = p->n_layers * trainer->work.n_tokens * p->width;
  Sample sample = { .trainer = trainer,
                    .in = g_try_new(float, n_floats),
                    .out = g_try_new(float, n_floats),
                    .in_lengths = g_new0(double, p->n_layers),
                    .out_lengths = g_new0(double, p->n_layers) };
  bool is_done = sample.in != NULL && sample.out != NULL;
  if (!is_done)
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                        "no memory for a batch; take a smaller batch");
  if (is_done && trainer->settings.normalise)
    is_done = estimate_scales(&sample, stream, cancel, error);
  if (is_done && !trainer->is_initialised && trainer->settings.init_firing_rate > 0)
    is_done = set_biases(&sample, stream, cancel, error);
  g_free(sample.in);
  g_free(sample.out);
  g_free(sample.in_lengths);
  g_free(sample.out_lengths);
  return is_done;
}

/* ---- another transcoder -------------------------------------------------------------------
 */

static bool
check_transcoder(const CwTrainer *trainer, const CwTranscoder *transcoder, GError **error)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  const CwParameters *p = &trainer->parameters;
  const char *path = cw_transcoder_peek_path(transcoder);
  bool is_cross_layer = config->kind == CW_TRANSCODER_CROSS_LAYER;
  if (config->n_layers != p->n_layers || config->n_features != p->n_features ||
      config->width != p->width) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "%s: has %d layers of %d features of width %d, the run %d of %d of width %d; "
                "set d_latent to %d",
                path, (int)config->n_layers, (int)config->n_features, (int)config->width,
                (int)p->n_layers, (int)p->n_features, (int)p->width, (int)config->n_features);
    return false;
  }
  if (is_cross_layer != p->is_cross_layer) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "%s: is a %s transcoder; set cross_layer_decoders to %s", path,
                is_cross_layer ? "cross-layer" : "per-layer",
                is_cross_layer ? "true" : "false");
    return false;
  }
  if (config->has_skip || config->gate == CW_GATE_RELU) {
    g_set_error(
        error, CW_ERROR, CW_ERROR_UNSUPPORTED,
        "%s: %s cannot be trained on; start from one with thresholds and without a skip", path,
        config->has_skip ? "a skip connection" : "ReLU without thresholds");
    return false;
  }
  return true;
}

static void
scale(float *row, int64_t n, float factor)
{
  for (int64_t j = 0; j < n; j++)
    row[j] *= factor;
}

static bool
take_feature(CwParameters *p, CwRowSource *source, int64_t l, int64_t i, GError **error)
{
  int64_t width = p->width, n_targets = cw_parameters_n_targets(p, l);
  float *encoder = p->encoder.value + (l * p->n_features + i) * cw_parameters_padded_width(p);
  if (!cw_row_source_read(source, CW_MATRIX_ENCODER, l, i, error))
    return false;
  scale(source->row, width, 1 / p->scale_in[l]);
  memcpy(encoder, source->row, (size_t)width * sizeof *encoder);
  for (int64_t to = 0; to < n_targets; to++) {
    if (!cw_row_source_read(source, CW_MATRIX_DECODER, l, i * n_targets + to, error))
      return false;
    scale(source->row, width, p->scale_out[l + to]);
    cw_parameters_write_row(p, p->decoder.value, l, i, to, source->row);
  }
  return true;
}

static bool
take_layer(CwParameters *p, CwRowSource *source, int64_t l, GError **error)
{
  const CwTranscoder *transcoder = source->transcoder;
  const float *threshold = cw_transcoder_peek_threshold(transcoder, l);
  int64_t n = p->n_features, padded = cw_parameters_padded_width(p);
  for (int64_t i = 0; i < n; i++) {
    if (!take_feature(p, source, l, i, error))
      return false;
    p->bias.value[l * n + i] = cw_transcoder_peek_encoder_bias(transcoder, l)[i];
    p->log_threshold.value[l * n + i] =
        logf(MAX(threshold != NULL ? threshold[i] : 0, FLT_MIN));
  }
  for (int64_t j = 0; j < p->width; j++)
    p->decoder_bias.value[l * padded + j] =
        cw_transcoder_peek_decoder_bias(transcoder, l)[j] * p->scale_out[l];
  return true;
}

bool
cw_trainer_take_transcoder(CwTrainer *trainer, const CwTranscoder *transcoder, GError **error)
{
  CwParameters *p = &trainer->parameters;
  CwRowSource source;
  if (!check_transcoder(trainer, transcoder, error))
    return false;
  bool is_taken = cw_row_source_init(&source, transcoder, error);
  for (int64_t l = 0; is_taken && l < p->n_layers; l++)
    is_taken = take_layer(p, &source, l, error);
  cw_row_source_clear(&source);
  if (!is_taken)
    return false;
  cw_parameters_update_derived(p);
  trainer->is_initialised = true;
  return true;
}
