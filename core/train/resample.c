/* resample.c - see resample.h.
 *
 * Bricken and others, "Towards Monosemanticity" (2023), point dead features at inputs with
 * large losses. Here a feature takes a token drawn by its squared error at the feature's own
 * layer (as the loss weighs it), no token twice. Its encoder looks for that token's deviation
 * from the mean input, its decoder writes that token's error at the layer and nothing further
 * on. Adam's step is at most the learning rate in each coordinate, so that an output hundreds
 * of times as long as usual is out of its reach; this writes it at once. */
#include "train/resample.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

#define STREAM_TOKENS 3 /* of the seed; parameters.c has 1 and 2 */
#define PEAK          3 /* activation on the token itself, in thresholds */
/* The share of the token's deviation from which on it fires. */
#define ONSET 0.6

typedef struct {
  CwTrainer *trainer;
  double *energy; /* [L, B] */
  int64_t *n_changed;
} Resampling;

static const float *
gradient_tile(const CwTrainWork *work, int64_t l, int64_t tile, int64_t b)
{
  return work->prediction +
         ((l * work->parameters->n_tiles + tile) * work->n_tokens + b) * CWK_TILE;
}

/* The gradient is 2 weight (prediction - output) / B. */
static double
error_factor(const CwTrainWork *work, int64_t l, int64_t b)
{
  double weight = work->weight != NULL ? (double)work->weight[l * work->n_tokens + b] : 1;
  return -(double)work->n_tokens / 2 / weight;
}

static double
weighted_energy(const CwTrainWork *work, int64_t l, int64_t b)
{
  double sum = 0, factor = error_factor(work, l, b);
  double weight = work->weight != NULL ? (double)work->weight[l * work->n_tokens + b] : 1;
  for (int64_t t = 0; t < work->parameters->n_tiles; t++)
    for (int64_t j = 0; j < CWK_TILE; j++) {
      double error = factor * (double)gradient_tile(work, l, t, b)[j];
      sum += error * error;
    }
  return weight * sum;
}

/* Index drawn in proportion to energy, which becomes 0; -1 if all are 0. */
static int64_t
draw(CwRng *rng, double *energy, int64_t n)
{
  double sum = 0, at;
  for (int64_t b = 0; b < n; b++)
    sum += energy[b];
  if (!(sum > 0) || !isfinite(sum))
    return -1;
  at = cw_rng_next_uniform(rng) * sum;
  int64_t last = -1;
  for (int64_t b = 0; b < n && at >= 0; b++)
    if (energy[b] > 0) {
      at -= energy[b];
      last = b;
    }
  energy[last] = 0;
  return last;
}

static void
point_encoder(CwTrainWork *work, int64_t l, int64_t i, int64_t b)
{
  CwParameters *p = work->parameters;
  int64_t padded = cw_parameters_padded_width(p), at = l * p->n_features + i;
  float *row = p->encoder.value + at * padded;
  const float *x = work->in + (l * work->n_tokens + b) * padded;
  const float *sum = work->in_sum + l * padded;
  double threshold = (double)p->threshold[at], square = 0, dot = 0;
  for (int64_t j = 0; j < padded; j++) {
    double u = (double)x[j] - (double)sum[j] / (double)work->n_tokens;
    square += u * u;
    dot += u * (double)x[j];
  }
  double slope = square > 0 ? (PEAK - 1) / (1 - ONSET) * threshold / square : 0;
  for (int64_t j = 0; j < padded; j++)
    row[j] = (float)(slope * ((double)x[j] - (double)sum[j] / (double)work->n_tokens));
  p->bias.value[at] = (float)(PEAK * threshold - slope * dot);
}

static void
point_decoder(CwTrainWork *work, int64_t l, int64_t i, int64_t b)
{
  CwParameters *p = work->parameters;
  int64_t at = l * p->n_features + i;
  g_autofree float *row = g_new0(float, p->width);
  double scale = error_factor(work, l, b) / (PEAK * (double)p->threshold[at]), square = 0;
  for (int64_t k = 1; k < cw_parameters_n_targets(p, l); k++)
    cw_parameters_write_row(p, p->decoder.value, l, i, k, row);
  for (int64_t j = 0; j < p->width; j++) {
    row[j] = (float)(scale * (double)gradient_tile(work, l, j / CWK_TILE, b)[j % CWK_TILE]);
    square += (double)row[j] * (double)row[j];
  }
  cw_parameters_write_row(p, p->decoder.value, l, i, 0, row);
  p->norm[at] = (float)sqrt(square);
}

static void
forget(CwParameters *p, int64_t l, int64_t i)
{
  int64_t padded = cw_parameters_padded_width(p), at = l * p->n_features + i;
  g_autofree float *blank = g_new0(float, p->width);
  memset(p->encoder.m + at * padded, 0, (size_t)padded * sizeof(float));
  memset(p->encoder.v + at * padded, 0, (size_t)padded * sizeof(float));
  for (int64_t k = 0; k < cw_parameters_n_targets(p, l); k++) {
    cw_parameters_write_row(p, p->decoder.m, l, i, k, blank);
    cw_parameters_write_row(p, p->decoder.v, l, i, k, blank);
  }
  p->bias.m[at] = p->bias.v[at] = p->log_threshold.m[at] = p->log_threshold.v[at] = 0;
  p->silent_steps[at] = 0;
}

static void
resample_layer(void *data, int64_t l)
{
  const Resampling *job = data;
  CwTrainWork *work = &job->trainer->work;
  CwParameters *p = work->parameters;
  double *energy = job->energy + l * work->n_tokens;
  CwRng rng = { .seed = (uint64_t)work->settings->seed,
                .stream = STREAM_TOKENS,
                .index = (uint64_t)(job->trainer->step * p->n_layers + l) << 24 };
  bool has_energy = false;
  for (int64_t i = 0; i < p->n_features; i++) {
    if (p->silent_steps[l * p->n_features + i] <= work->settings->dead_feature_window)
      continue;
    for (int64_t b = 0; !has_energy && b < work->n_tokens; b++)
      energy[b] = weighted_energy(work, l, b);
    has_energy = true;
    int64_t b = draw(&rng, energy, work->n_tokens);
    if (b < 0)
      return;
    point_encoder(work, l, i, b);
    point_decoder(work, l, i, b);
    forget(p, l, i);
    job->n_changed[l]++;
  }
}

static bool
is_due(const CwTrainer *trainer)
{
  const CwTrainSettings *s = &trainer->settings;
  int64_t taken = trainer->step + 1;
  return s->resample_every_steps > 0 && taken % s->resample_every_steps == 0 &&
         taken <= s->total_steps - s->lr_decay_steps;
}

bool
cw_resample(CwTrainer *trainer, int64_t *n_changed, GError **error)
{
  int64_t n_layers = trainer->parameters.n_layers;
  *n_changed = 0;
  if (!is_due(trainer))
    return true;
  Resampling job = { .trainer = trainer,
                     .energy = g_try_new(double, n_layers * trainer->work.n_tokens),
                     .n_changed = g_new0(int64_t, n_layers) };
  if (job.energy != NULL)
    cwk_parallel_for(trainer->device, n_layers, resample_layer, &job);
  else
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                        "no memory to begin dead features anew; take a smaller batch");
  for (int64_t l = 0; l < n_layers; l++)
    *n_changed += job.n_changed[l];
  bool is_done = job.energy != NULL;
  g_free(job.energy);
  g_free(job.n_changed);
  return is_done;
}
