/* refit.c - the decoders that explain most, given the encoders.
 *
 * Once encoders and thresholds stand, what a target layer is told is linear in its decoder rows
 * and its bias: least squares with an answer, which no run of Adam has reached when it ends (an
 * output of 7,000 mean norms in one dimension is 10^5 steps away at usual rates). With
 *
 *   G[i, j] = sum over tokens of a_i a_j     B[i] = sum over tokens of a_i (y - prediction)
 *
 * the change of a target's rows solves (G + P) X = B, P being `prior_tokens` further
 * activations of each feature that want its row as it was; see refit-solve.c. G is the same for
 * every target but for the rows it has.
 *
 * Before, rows that hardly matter can be dropped: those whose sum of squared contributions is
 * the smallest share of their target's variance; the others then make up for them. */
#include "train/refit-solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t
cw_refit_pair_index(int64_t n_layers, int64_t l, int64_t m)
{
  return l * n_layers - l * (l - 1) / 2 + m - l;
}

int64_t
cw_refit_row_index(const CwParameters *p, int64_t l, int64_t i, int64_t to)
{
  int64_t before = p->is_cross_layer ? l * p->n_layers - l * (l - 1) / 2 : l;
  return before * p->n_features + i * cw_parameters_n_targets(p, l) + to - l;
}

static int64_t
n_rows(const CwParameters *p)
{
  return cw_refit_row_index(p, p->n_layers, 0, p->n_layers);
}

bool
cw_refit_reaches(const CwParameters *p, int64_t l, int64_t to)
{
  return l == to || (p->is_cross_layer && l < to);
}

bool
cw_refit_no_memory(double n_bytes, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "least squares over all features need %.1f GiB, %.1f are free; take a transcoder "
              "with fewer features, or keep fewer rows",
              n_bytes / 1073741824.0, cw_free_memory_bytes() / 1073741824.0);
  return false;
}

static void
refit_clear(CwRefit *self)
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
refit_init(CwRefit *self, const CwTranscoder *transcoder, GError **error)
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
  int64_t n_pairs = p->is_cross_layer
                        ? cw_refit_pair_index(p->n_layers, p->n_layers, p->n_layers)
                        : p->n_layers;
  double n_bytes = 4.0 * (double)(n_pairs * p->n_features) * (double)p->n_features;
  if (n_bytes > cw_free_memory_bytes())
    return cw_refit_no_memory(n_bytes, error);
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
  return ok || cw_refit_no_memory(n_bytes, error);
}

/* ---- passes over the data ---------------------------------------------------------------- */

static CwActivationStream *
open_stream(const CwRefit *self, CwRowsPart part, GError **error)
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
next_batch(CwRefit *self, CwActivationStream *stream, GError **error)
{
  if (cw_cancel_check(self->options->cancel, error) ||
      !cw_activation_stream_next(stream, self->in, self->out, self->options->cancel, error))
    return false;
  cw_trainer_load_batch(self->trainer, self->in, self->out);
  return cw_train_work_forward(&self->trainer->work, error);
}

/* Leaves y - prediction in the prediction's place. */
static bool
compare(CwRefit *self, GError **error)
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
  return cw_train_check_status(cwk_residual(work->device, &args), "comparing with the outputs",
                               error);
}

typedef bool (*TakeBatch)(CwRefit *self, GError **error);

static bool
pass_over(CwRefit *self, const char *phase, int64_t n_batches, TakeBatch take, GError **error)
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
take_sizes(CwRefit *self, GError **error)
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
dup_shares(const CwRefit *self)
{
  const CwParameters *p = &self->trainer->parameters;
  double *shares = g_try_new(double, n_rows(p));
  g_autofree float *row = g_new(float, p->width);
  for (int64_t l = 0; shares != NULL && l < p->n_layers; l++)
    for (int64_t i = 0; i < p->n_features; i++)
      for (int64_t to = l; cw_refit_reaches(p, l, to) && to < p->n_layers; to++) {
        double square = 0, mean = self->deviations[to];
        cw_parameters_read_row(p, p->decoder.value, l, i, to - l, row);
        for (int64_t j = 0; j < p->width; j++)
          square += (double)row[j] * (double)row[j];
        square *= (double)self->sums[l * p->n_features + i];
        shares[cw_refit_row_index(p, l, i, to)] = mean > 0 ? square / mean : 0;
      }
  return shares;
}

/* Marks the rows that stay and blanks the others. */
static void
keep_rows(CwRefit *self, const double *shares, double least)
{
  CwParameters *p = &self->trainer->parameters;
  g_autofree float *blank = g_new0(float, p->width);
  if (self->options->drops_biases)
    memset(p->decoder_bias.value, 0,
           (size_t)(p->n_layers * cw_parameters_padded_width(p)) * sizeof(float));
  self->n_kept = 0;
  for (int64_t l = 0; l < p->n_layers; l++)
    for (int64_t i = 0; i < p->n_features; i++)
      for (int64_t to = l; cw_refit_reaches(p, l, to) && to < p->n_layers; to++) {
        int64_t at = cw_refit_row_index(p, l, i, to);
        self->is_kept[at] = shares[at] >= least && shares[at] > 0;
        self->n_kept += self->is_kept[at];
        if (!self->is_kept[at])
          cw_parameters_write_row(p, p->decoder.value, l, i, to - l, blank);
      }
}

static bool
choose_rows(CwRefit *self, GError **error)
{
  const CwParameters *p = &self->trainer->parameters;
  int64_t n = n_rows(p),
          n_batches = (self->n_tokens + self->options->batch - 1) / self->options->batch;
  if (!pass_over(self, "weighing rows", MAX(n_batches / 4, 1), take_sizes, error))
    return false;
  g_autofree double *shares = dup_shares(self), *sorted = g_try_new(double, n);
  int64_t n_dropped = n - (int64_t)llround(self->options->keep_rows * (double)n);
  if (shares == NULL || sorted == NULL)
    return cw_refit_no_memory(16.0 * (double)n, error);
  memcpy(sorted, shares, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, compare_doubles);
  keep_rows(self, shares, sorted[CLAMP(n_dropped, 0, n - 1)]);
  memset(self->sums, 0, (size_t)(p->n_layers * p->n_features) * sizeof(float));
  return true;
}

/* ---- sums over tokens ---------------------------------------------------------------------
 */

typedef struct {
  CwRefit *refit;
  int64_t *first, *second; /* [pairs] layers */
} Pairs;

static void
add_products(void *data, int64_t at)
{
  const Pairs *pairs = data;
  CwRefit *self = pairs->refit;
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
  CwRefit *self = data;
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
take_products(CwRefit *self, GError **error)
{
  CwTrainWork *work = &self->trainer->work;
  const CwParameters *p = work->parameters;
  int64_t n = 0, n_most = p->n_layers * (p->n_layers + 1) / 2;
  g_autofree int64_t *first = g_new(int64_t, n_most), *second = g_new(int64_t, n_most);
  for (int64_t l = 0; l < p->n_layers; l++)
    for (int64_t m = l; cw_refit_reaches(p, l, m) && m < p->n_layers; m++, n++) {
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

static bool
solve_all(CwRefit *self, GError **error)
{
  CwParameters *p = &self->trainer->parameters;
  for (int64_t to = 0; to < p->n_layers; to++) {
    /* A target's work grows with the square of the layers that write to it. */
    double done = pow((double)to / (double)p->n_layers, 3);
    cw_progress_report(&self->options->progress, "solving", done);
    if (!cw_refit_solve(self, to, error))
      return false;
  }
  cw_parameters_update_derived(p);
  return true;
}

/* ---- all of it ----------------------------------------------------------------------------
 */

/* Held-out explained variance and L0; NaN where nothing is held out. */
static bool
measure(CwRefit *self, double *explained_variance, double *l0, GError **error)
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
refit(CwRefit *self, const CwTranscoder *transcoder, CwRefitResult *result, GError **error)
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
  CwRefit self = { .options = options, .activations = activations };
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
