/* refit.c - the decoders that explain most, given the encoders.
 *
 * Once encoders and thresholds stand, what a target layer is told is linear in its decoder rows
 * and its bias: least squares with an answer, which no run of Adam has reached when it ends (an
 * output of 7,000 mean norms in one dimension is 10^5 steps away at usual rates). With
 *
 *   G[i, j] = sum over tokens of a_i a_j     B[i] = sum over tokens of a_i (y - prediction)
 *
 * the change of a target's rows solves (G + P) X = B, P being `prior_tokens` further
 * activations of each feature that want its row as it was. G is the same for every target but
 * for the rows it has; conjugate gradients, scaled by the diagonal, for all columns at once,
 * lead from the rows as they are towards the optimum, so that the fit never gets worse. A
 * factorisation would cost n^3 / 3 for a target of n rows against 2 n^2 D an iteration, and
 * could not stop early.
 *
 * Before, rows that hardly matter can be dropped: those whose sum of squared contributions is
 * the smallest share of their target's variance; the others then make up for them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer-private.h"

#define CLOSE_ENOUGH 1e-4 /* of the first residual's norm */

typedef struct {
  const CwRefitOptions *options;
  CwActivations *activations;
  CwTrainer *trainer; /* scales are 1 */
  float *in, *out;    /* [L, B, D] */
  int64_t n_tokens;
  float *gram;        /* [pairs l <= m of layers, F, F] */
  float *sums;        /* [L, F] of activations */
  int64_t *counts;    /* [L, F] */
  double *deviations; /* [L] of the outputs from their mean */
  bool *is_kept;      /* [decoder rows] */
  int64_t n_kept;
  /* B of every row lies in the decoders' first moments, which nothing else uses. */
  float *bias_pull; /* [L, Dp] */
} Refit;

static int64_t
pair_index(int64_t n_layers, int64_t l, int64_t m)
{
  return l * n_layers - l * (l - 1) / 2 + m - l;
}

/* A decoder row's number: those of a feature lie together, in the order of their targets. */
static int64_t
row_index(const CwParameters *p, int64_t l, int64_t i, int64_t to)
{
  int64_t before = p->is_cross_layer ? l * p->n_layers - l * (l - 1) / 2 : l;
  return before * p->n_features + i * cw_parameters_n_targets(p, l) + to - l;
}

static int64_t
n_rows(const CwParameters *p)
{
  return row_index(p, p->n_layers, 0, p->n_layers);
}

/* Whether feature l's decoders reach target `to`. */
static bool
reaches(const CwParameters *p, int64_t l, int64_t to)
{
  return l == to || (p->is_cross_layer && l < to);
}

static bool
no_memory(double n_bytes, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "least squares over all features need %.1f GiB, %.1f are free; take a transcoder "
              "with fewer features, or keep fewer rows",
              n_bytes / 1073741824.0, cw_free_memory_bytes() / 1073741824.0);
  return false;
}

static void
refit_clear(Refit *self)
{
  cw_trainer_free(self->trainer);
  g_free(self->in);
  g_free(self->out);
  g_free(self->gram);
  g_free(self->sums);
  g_free(self->counts);
  g_free(self->deviations);
  g_free(self->is_kept);
  g_free(self->bias_pull);
}

static bool
refit_init(Refit *self, const CwTranscoder *transcoder, GError **error)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  const CwActivationsConfig *rows = cw_activations_peek_config(self->activations);
  CwTrainSettings settings;
  cw_train_settings_init(&settings, CW_RECIPE_CLT_FORGE);
  settings.d_latent = config->n_features;
  settings.cross_layer_decoders = config->kind == CW_TRANSCODER_CROSS_LAYER;
  settings.normalise = false;
  settings.batch = self->options->batch;
  settings.held_out_fraction = rows->held_out_fraction;
  self->trainer =
      cw_trainer_new(&settings, rows->n_layers, rows->width, self->options->device, error);
  if (self->trainer == NULL || !cw_trainer_take_transcoder(self->trainer, transcoder, error))
    return false;
  const CwParameters *p = &self->trainer->parameters;
  int64_t n = p->n_layers * p->n_features, n_floats = p->n_layers * settings.batch * p->width;
  int64_t n_pairs =
      p->is_cross_layer ? pair_index(p->n_layers, p->n_layers, p->n_layers) : p->n_layers;
  double n_bytes = 4.0 * (double)(n_pairs * p->n_features) * (double)p->n_features;
  if (n_bytes > cw_free_memory_bytes())
    return no_memory(n_bytes, error);
  self->in = g_try_new(float, n_floats);
  self->out = g_try_new(float, n_floats);
  self->gram = g_try_new0(float, n_pairs * p->n_features * p->n_features);
  self->sums = g_try_new0(float, n);
  self->counts = g_try_new0(int64_t, n);
  self->deviations = g_try_new0(double, p->n_layers);
  self->is_kept = g_try_new(bool, n_rows(p));
  self->bias_pull = g_try_new0(float, p->n_layers *cw_parameters_padded_width(p));
  bool ok = self->in && self->out && self->gram && self->sums && self->counts &&
            self->deviations && self->is_kept && self->bias_pull;
  return ok || no_memory(n_bytes, error);
}

/* ---- passes over the data ---------------------------------------------------------------- */

static CwActivationStream *
open_stream(const Refit *self, CwRowsPart part, GError **error)
{
  const CwStreamOptions options = {
    .batch_tokens = self->options->batch,
    .is_shuffled = part == CW_ROWS_TRAINING,
    .seed = self->options->seed,
    .held_out_fraction = self->trainer->settings.held_out_fraction,
    .part = part,
    .has_prefetch = true,
  };
  return cw_activation_stream_new(self->activations, &options, error);
}

/* The next batch is in the trainer's work, run forward. */
static bool
next_batch(Refit *self, CwActivationStream *stream, GError **error)
{
  if (cw_cancel_check(self->options->cancel, error) ||
      !cw_activation_stream_next(stream, self->in, self->out, self->options->cancel, error))
    return false;
  cw_trainer_load_batch(self->trainer, self->in, self->out);
  return cw_train_work_forward(&self->trainer->work, error);
}

/* Leaves y - prediction in the prediction's place. */
static bool
compare(Refit *self, GError **error)
{
  CwTrainWork *work = &self->trainer->work;
  const CwParameters *p = work->parameters;
  const CwkResidualArgs args = { .n_targets = p->n_layers,
                                 .n_tokens = work->n_tokens,
                                 .n_tiles = p->n_tiles,
                                 .width = p->width,
                                 .prediction = work->prediction,
                                 .actual = work->out,
                                 .factor = -1,
                                 .column_sums = work->column_sums,
                                 .square_errors = work->square_errors,
                                 .weighted_errors = work->weighted_errors,
                                 .square_deviations = work->square_deviations };
  CwkStatus status = cwk_residual(work->device, &args);
  if (status != CWK_OK)
    cw_error_set_from_status(error, status, "comparing with the outputs");
  return status == CWK_OK;
}

typedef bool (*TakeBatch)(Refit *self, GError **error);

static bool
pass_over(Refit *self, const char *phase, int64_t n_batches, TakeBatch take, GError **error)
{
  CwActivationStream *stream = open_stream(self, CW_ROWS_TRAINING, error);
  bool is_done = stream != NULL;
  for (int64_t i = 0; is_done && i < n_batches; i++) {
    cw_progress_report(&self->options->progress, phase, (double)i / (double)n_batches);
    is_done = next_batch(self, stream, error) && compare(self, error) && take(self, error);
  }
  cw_activation_stream_free(stream);
  return is_done;
}

/* ---- which rows stay --------------------------------------------------------------------- */

static bool
take_sizes(Refit *self, GError **error)
{
  CwTrainWork *work = &self->trainer->work;
  const CwParameters *p = work->parameters;
  for (int64_t l = 0; l < p->n_layers; l++) {
    const CwLayerEntries *entries = &work->entries[l];
    for (int64_t t = 0; t < p->n_tiles; t++)
      self->deviations[l] += work->square_deviations[l * p->n_tiles + t];
    for (int64_t i = 0; i < p->n_features; i++)
      for (int64_t e = entries->first[i]; e < entries->first[i + 1]; e++)
        self->sums[l * p->n_features + i] += entries->value[e] * entries->value[e];
  }
  return true;
}

static int
compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The share of its target's variance that a row's contributions have, [rows]. */
static double *
dup_shares(const Refit *self)
{
  const CwParameters *p = &self->trainer->parameters;
  double *shares = g_try_new(double, n_rows(p));
  g_autofree float *row = g_new(float, p->width);
  for (int64_t l = 0; shares != NULL && l < p->n_layers; l++)
    for (int64_t i = 0; i < p->n_features; i++)
      for (int64_t to = l; reaches(p, l, to) && to < p->n_layers; to++) {
        double square = 0, mean = self->deviations[to];
        cw_parameters_read_row(p, p->decoder.value, l, i, to - l, row);
        for (int64_t j = 0; j < p->width; j++)
          square += (double)row[j] * (double)row[j];
        square *= (double)self->sums[l * p->n_features + i];
        shares[row_index(p, l, i, to)] = mean > 0 ? square / mean : 0;
      }
  return shares;
}

/* Marks the rows that stay and blanks the others. */
static void
keep_rows(Refit *self, const double *shares, double least)
{
  CwParameters *p = &self->trainer->parameters;
  g_autofree float *blank = g_new0(float, p->width);
  if (self->options->drops_biases)
    memset(p->decoder_bias.value, 0,
           (size_t)(p->n_layers * cw_parameters_padded_width(p)) * sizeof(float));
  self->n_kept = 0;
  for (int64_t l = 0; l < p->n_layers; l++)
    for (int64_t i = 0; i < p->n_features; i++)
      for (int64_t to = l; reaches(p, l, to) && to < p->n_layers; to++) {
        int64_t at = row_index(p, l, i, to);
        self->is_kept[at] = shares[at] >= least && shares[at] > 0;
        self->n_kept += self->is_kept[at];
        if (!self->is_kept[at])
          cw_parameters_write_row(p, p->decoder.value, l, i, to - l, blank);
      }
}

static bool
choose_rows(Refit *self, GError **error)
{
  const CwParameters *p = &self->trainer->parameters;
  int64_t n = n_rows(p),
          n_batches = (self->n_tokens + self->options->batch - 1) / self->options->batch;
  if (!pass_over(self, "weighing rows", MAX(n_batches / 4, 1), take_sizes, error))
    return false;
  g_autofree double *shares = dup_shares(self), *sorted = g_try_new(double, n);
  int64_t n_dropped = n - (int64_t)llround(self->options->keep_rows * (double)n);
  if (shares == NULL || sorted == NULL)
    return no_memory(16.0 * (double)n, error);
  memcpy(sorted, shares, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, compare_doubles);
  keep_rows(self, shares, sorted[CLAMP(n_dropped, 0, n - 1)]);
  memset(self->sums, 0, (size_t)(p->n_layers * p->n_features) * sizeof(float));
  return true;
}

/* ---- sums over tokens ---------------------------------------------------------------------
 */

typedef struct {
  Refit *refit;
  int64_t *first, *second; /* [pairs] layers */
} Pairs;

static void
add_products(void *data, int64_t at)
{
  const Pairs *pairs = data;
  Refit *self = pairs->refit;
  const CwTrainWork *work = &self->trainer->work;
  int64_t n = work->parameters->n_features;
  const CwLayerEntries *a = &work->entries[pairs->first[at]];
  const CwLayerEntries *b = &work->entries[pairs->second[at]];
  float *block = self->gram + at * n * n;
  for (int64_t t = 0; t < work->n_tokens; t++)
    for (int64_t e = a->token_first[t]; e < a->token_first[t + 1]; e++) {
      float *row = block + a->feature[e] * n, value = a->token_value[e];
      for (int64_t f = b->token_first[t]; f < b->token_first[t + 1]; f++)
        row[b->feature[f]] += value * b->token_value[f];
    }
}

static void
add_sums(void *data, int64_t l)
{
  Refit *self = data;
  const CwTrainWork *work = &self->trainer->work;
  const CwParameters *p = work->parameters;
  const CwLayerEntries *entries = &work->entries[l];
  for (int64_t i = 0; i < p->n_features; i++) {
    for (int64_t e = entries->first[i]; e < entries->first[i + 1]; e++)
      self->sums[l * p->n_features + i] += entries->value[e];
    self->counts[l * p->n_features + i] += entries->first[i + 1] - entries->first[i];
  }
}

static bool
take_products(Refit *self, GError **error)
{
  CwTrainWork *work = &self->trainer->work;
  const CwParameters *p = work->parameters;
  int64_t n = 0, n_most = p->n_layers * (p->n_layers + 1) / 2;
  g_autofree int64_t *first = g_new(int64_t, n_most), *second = g_new(int64_t, n_most);
  for (int64_t l = 0; l < p->n_layers; l++)
    for (int64_t m = l; reaches(p, l, m) && m < p->n_layers; m++, n++) {
      first[n] = l;
      second[n] = m;
    }
  Pairs pairs = { self, first, second };
  cwk_parallel_for(work->device, n, add_products, &pairs);
  cwk_parallel_for(work->device, p->n_layers, add_sums, self);
  for (int64_t j = 0; j < p->n_layers * cw_parameters_padded_width(p); j++)
    self->bias_pull[j] += work->column_sums[j];
  return cw_train_work_add_outer(work, error);
}

/* ---- one target ---------------------------------------------------------------------------
 */

/* The rows that write to a target, and the bias behind them. */
typedef struct {
  const Refit *refit;
  int64_t to, n;                                /* unknowns, the bias included */
  int64_t *layer, *feature;                     /* [n - 1] */
  float *matrix;                                /* [n, n], scaled to a diagonal of 1 */
  float *scale;                                 /* [n] */
  float *change, *residual, *direction, *image; /* [n, D] */
  double *square;                               /* [D] of residuals */
} Target;

static void
target_clear(Target *self)
{
  g_free(self->layer);
  g_free(self->feature);
  g_free(self->matrix);
  g_free(self->scale);
  g_free(self->change);
  g_free(self->residual);
  g_free(self->direction);
  g_free(self->image);
  g_free(self->square);
}

static bool
target_init(Target *self, const Refit *refit, int64_t to, GError **error)
{
  const CwParameters *p = &refit->trainer->parameters;
  int64_t n_most = (to + 1) * p->n_features;
  *self = (Target){ .refit = refit, .to = to };
  self->layer = g_new(int64_t, n_most);
  self->feature = g_new(int64_t, n_most);
  for (int64_t l = 0; l <= to; l++)
    for (int64_t i = 0; reaches(p, l, to) && i < p->n_features; i++)
      if (refit->is_kept[row_index(p, l, i, to)] && refit->counts[l * p->n_features + i] > 0) {
        self->layer[self->n] = l;
        self->feature[self->n++] = i;
      }
  self->n++;
  int64_t n_floats = self->n * p->width;
  self->matrix = g_try_new(float, self->n * self->n);
  self->scale = g_new(float, self->n);
  self->change = g_try_new0(float, n_floats);
  self->residual = g_try_new(float, n_floats);
  self->direction = g_try_new(float, n_floats);
  self->image = g_try_new(float, n_floats);
  self->square = g_new(double, p->width);
  return (self->matrix && self->change && self->residual && self->direction && self->image) ||
         no_memory(4.0 * (double)self->n * (double)self->n + 16.0 * (double)n_floats, error);
}

static double
gram_entry(const Target *self, int64_t a, int64_t b)
{
  const Refit *refit = self->refit;
  const CwParameters *p = &refit->trainer->parameters;
  int64_t n = p->n_features, last = self->n - 1;
  if (a == last && b == last)
    return (double)refit->n_tokens;
  if (b == last)
    return (double)refit->sums[self->layer[a] * n + self->feature[a]];
  int64_t l = self->layer[a], m = self->layer[b];
  int64_t pair = p->is_cross_layer ? pair_index(p->n_layers, l, m) : l;
  return (double)refit->gram[(pair * n + self->feature[a]) * n + self->feature[b]];
}

static double
diagonal(const Target *self, int64_t a)
{
  const Refit *refit = self->refit;
  double square = gram_entry(self, a, a);
  if (a == self->n - 1)
    return square;
  int64_t at = self->layer[a] * refit->trainer->parameters.n_features + self->feature[a];
  return square * (1 + refit->options->prior_tokens / (double)refit->counts[at]);
}

/* Rows are ordered by layer, so a <= b is the stored half. */
static void
fill_row(void *data, int64_t a)
{
  Target *self = data;
  for (int64_t b = a; b < self->n; b++) {
    double entry =
        a == b ? 1 : gram_entry(self, a, b) * (double)self->scale[a] * (double)self->scale[b];
    self->matrix[a * self->n + b] = self->matrix[b * self->n + a] = (float)entry;
  }
}

static void
read_pull(const Target *self, int64_t a, float *row)
{
  const Refit *refit = self->refit;
  const CwParameters *p = &refit->trainer->parameters;
  if (a == self->n - 1)
    memcpy(row, refit->bias_pull + self->to * cw_parameters_padded_width(p),
           (size_t)p->width * sizeof *row);
  else
    cw_parameters_read_row(p, p->decoder.m, self->layer[a], self->feature[a],
                           self->to - self->layer[a], row);
}

static void
target_fill(Target *self)
{
  const CwParameters *p = &self->refit->trainer->parameters;
  for (int64_t a = 0; a < self->n; a++)
    self->scale[a] = (float)(1 / sqrt(diagonal(self, a)));
  if (self->refit->options->drops_biases) /* an equation of its own that says 0 */
    self->scale[self->n - 1] = 0;
  cwk_parallel_for(self->refit->options->device, self->n, fill_row, self);
  memset(self->square, 0, (size_t)p->width * sizeof(double));
  g_autofree float *row = g_new(float, p->width);
  for (int64_t a = 0; a < self->n; a++) {
    read_pull(self, a, row);
    for (int64_t j = 0; j < p->width; j++) {
      float value = self->scale[a] * row[j];
      self->residual[a * p->width + j] = self->direction[a * p->width + j] = value;
      self->square[j] += (double)value * (double)value;
    }
  }
}

static bool
multiply(Target *self, GError **error)
{
  int64_t n = self->n, width = self->refit->trainer->parameters.width;
  const CwkMatmulArgs args = {
    .m = n,
    .n = width,
    .k = n,
    .a = { .data = self->matrix, .stride = n },
    .b = { .data = self->direction,
           .dtype = CWK_F32,
           .n_rows = n,
           .n_cols = width,
           .row_bytes = (size_t)width * sizeof(float) },
    .b_layout = CWK_B_ROWS_ARE_INPUTS,
    .c = { .data = self->image, .stride = width },
  };
  CwkStatus status = cwk_matmul(self->refit->options->device, &args);
  if (status != CWK_OK)
    cw_error_set_from_status(error, status, "solving for decoder rows");
  return status == CWK_OK;
}

/* One step of conjugate gradients in every column; columns are independent systems. */
static void
step(Target *self)
{
  int64_t width = self->refit->trainer->parameters.width;
  g_autofree double *along = g_new0(double, width), *square = g_new0(double, width);
  for (int64_t at = 0; at < self->n * width; at++)
    along[at % width] += (double)self->direction[at] * (double)self->image[at];
  for (int64_t j = 0; j < width; j++)
    along[j] = along[j] > 0 ? self->square[j] / along[j] : 0;
  for (int64_t at = 0; at < self->n * width; at++) {
    self->change[at] += (float)along[at % width] * self->direction[at];
    self->residual[at] -= (float)along[at % width] * self->image[at];
    square[at % width] += (double)self->residual[at] * (double)self->residual[at];
  }
  for (int64_t j = 0; j < width; j++) {
    along[j] = self->square[j] > 0 ? square[j] / self->square[j] : 0;
    self->square[j] = square[j];
  }
  for (int64_t at = 0; at < self->n * width; at++)
    self->direction[at] = self->residual[at] + (float)along[at % width] * self->direction[at];
}

static void
apply(const Target *self)
{
  CwParameters *p = &self->refit->trainer->parameters;
  g_autofree float *row = g_new(float, p->width);
  float *bias = p->decoder_bias.value + self->to * cw_parameters_padded_width(p);
  for (int64_t a = 0; a < self->n - 1; a++) {
    int64_t l = self->layer[a], i = self->feature[a];
    cw_parameters_read_row(p, p->decoder.value, l, i, self->to - l, row);
    for (int64_t j = 0; j < p->width; j++)
      row[j] += self->scale[a] * self->change[a * p->width + j];
    cw_parameters_write_row(p, p->decoder.value, l, i, self->to - l, row);
  }
  for (int64_t j = 0; !self->refit->options->drops_biases && j < p->width; j++)
    bias[j] += self->scale[self->n - 1] * self->change[(self->n - 1) * p->width + j];
}

static bool
solve(const Refit *refit, int64_t to, GError **error)
{
  Target target;
  int64_t width = refit->trainer->parameters.width;
  bool is_done = target_init(&target, refit, to, error);
  if (is_done)
    target_fill(&target);
  double first = is_done ? cw_sum_doubles(target.square, width) : 0;
  for (int64_t k = 0; is_done && k < refit->options->n_iterations; k++) {
    if (cw_sum_doubles(target.square, width) <= CLOSE_ENOUGH * CLOSE_ENOUGH * first)
      break;
    is_done = !cw_cancel_check(refit->options->cancel, error) && multiply(&target, error);
    if (is_done)
      step(&target);
  }
  if (is_done)
    apply(&target);
  target_clear(&target);
  return is_done;
}

static bool
solve_all(Refit *self, GError **error)
{
  CwParameters *p = &self->trainer->parameters;
  for (int64_t to = 0; to < p->n_layers; to++) {
    /* A target's work grows with the square of the layers that write to it. */
    double done = pow((double)to / (double)p->n_layers, 3);
    cw_progress_report(&self->options->progress, "solving", done);
    if (!solve(self, to, error))
      return false;
  }
  cw_parameters_update_derived(p);
  return true;
}

/* ---- all of it ----------------------------------------------------------------------------
 */

/* Held-out explained variance and L0; NaN where nothing is held out. */
static bool
measure(Refit *self, double *explained_variance, double *l0, GError **error)
{
  *explained_variance = *l0 = NAN;
  if (self->trainer->settings.held_out_fraction <= 0)
    return true;
  g_autoptr(GError) failure = NULL;
  CwActivationStream *stream = open_stream(self, CW_ROWS_HELD_OUT, &failure);
  if (stream == NULL) /* a small store may hold out nothing by chance */
    return true;
  int64_t n_batches = MAX(cw_activation_stream_get_pass_rows(stream) / self->options->batch, 1);
  n_batches = MIN(n_batches, MAX(self->options->eval_tokens / self->options->batch, 1));
  CwTrainStep result = { 0 };
  bool is_done = true;
  *explained_variance = *l0 = 0;
  for (int64_t i = 0; is_done && i < n_batches; i++) {
    is_done =
        cw_activation_stream_next(stream, self->in, self->out, self->options->cancel, error) &&
        cw_trainer_measure(self->trainer, self->in, self->out, &result, error);
    *explained_variance += result.explained_variance / (double)n_batches;
    *l0 += result.l0 / (double)n_batches;
  }
  cw_activation_stream_free(stream);
  return is_done;
}

static bool
refit(Refit *self, const CwTranscoder *transcoder, CwRefitResult *result, GError **error)
{
  const CwRefitOptions *options = self->options;
  CwActivationStream *stream = NULL;
  if (!refit_init(self, transcoder, error) ||
      (stream = open_stream(self, CW_ROWS_TRAINING, error)) == NULL)
    return false;
  int64_t n_rows_there = cw_activation_stream_get_pass_rows(stream);
  cw_activation_stream_free(stream);
  int64_t asked = options->n_tokens > 0 ? MIN(options->n_tokens, n_rows_there) : n_rows_there;
  int64_t n_batches = MAX(asked / options->batch, 1);
  self->n_tokens = n_batches * options->batch;
  if (!measure(self, &result->before, &result->l0, error) || !choose_rows(self, error) ||
      !pass_over(self, "summing", n_batches, take_products, error) || !solve_all(self, error) ||
      !measure(self, &result->after, &result->l0, error))
    return false;
  result->n_tokens = self->n_tokens;
  result->n_rows = n_rows(&self->trainer->parameters);
  result->n_kept = self->n_kept;
  return true;
}

bool
cw_transcoder_refit(const CwTranscoder *transcoder, CwActivations *activations,
                    const CwRefitOptions *options, const char *folder, CwRefitResult *result,
                    GError **error)
{
  Refit self = { .options = options, .activations = activations };
  const CwActivationsConfig *rows = cw_activations_peek_config(activations);
  bool is_done = refit(&self, transcoder, result, error);
  if (is_done) {
    const CwTrainOrigin origin = { .model_name =
                                       cw_transcoder_peek_config(transcoder)->model_name,
                                   .model_hash = rows->model_hash,
                                   .data_hash = cw_activations_get_hash(activations) };
    is_done = cw_trainer_export(self.trainer, &origin, folder, error);
  }
  refit_clear(&self);
  return is_done;
}
