/* trainer.c - the trainer: what its steps have in common from the first to the last. */
#include "train/resample.h"

#include <math.h>
#include <string.h>

#define L0_MEMORY    0.99 /* of a mean over about 100 steps */
#define SHARE_MEMORY 0.98

/* Shapes that settings and activations have to agree on. */
static bool
settle_shape(CwTrainSettings *settings, int64_t n_layers, int64_t width, GError **error)
{
  if (settings->n_layers != 0 && settings->n_layers != n_layers) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "n_layers is %d, but the activations have %d layers", (int)settings->n_layers,
                (int)n_layers);
    return false;
  }
  if (settings->d_model != 0 && settings->d_model != width) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "d_model is %d, but the activations have %d columns", (int)settings->d_model,
                (int)width);
    return false;
  }
  settings->n_layers = n_layers;
  settings->d_model = width;
  if (settings->d_latent == 0)
    settings->d_latent = 8 * width;
  if (settings->steps == 0)
    settings->steps = settings->total_steps;
  return cw_train_settings_check(settings, error);
}

CwTrainer *
cw_trainer_new(const CwTrainSettings *settings, int64_t n_layers, int64_t width,
               CwkDevice *device, GError **error)
{
  CwTrainer *trainer = g_new0(CwTrainer, 1);
  trainer->settings = *settings;
  trainer->device = device;
  const CwTrainSettings *s = &trainer->settings;
  if (!settle_shape(&trainer->settings, n_layers, width, error) ||
      !cw_parameters_init(&trainer->parameters, n_layers, s->d_latent, width,
                          s->cross_layer_decoders, error)) {
    g_free(trainer);
    return NULL;
  }
  if (!cw_train_work_init(&trainer->work, &trainer->parameters, s, device, error)) {
    cw_parameters_clear(&trainer->parameters);
    g_free(trainer);
    return NULL;
  }
  cw_parameters_draw(&trainer->parameters, (CwEncoderInit)s->encoder_init,
                     s->jumprelu_init_threshold, (uint64_t)s->seed);
  return trainer;
}

void
cw_trainer_free(CwTrainer *trainer)
{
  if (trainer == NULL)
    return;
  cw_train_work_clear(&trainer->work);
  cw_parameters_clear(&trainer->parameters);
  g_free(trainer);
}

const CwTrainSettings *
cw_trainer_peek_settings(const CwTrainer *trainer)
{
  return &trainer->settings;
}

int64_t
cw_trainer_get_step(const CwTrainer *trainer)
{
  return trainer->step;
}

int64_t
cw_trainer_get_batch_tokens(const CwTrainer *trainer)
{
  return trainer->work.n_tokens;
}

/* ---- batches ------------------------------------------------------------------------------
 */

typedef struct {
  CwTrainer *trainer;
  const float *in, *out;
} Batch;

/* An output longer than outlier_norm times the mean, sqrt(D), has a squared error in which its
 * own length counts no more than that. */
static void
weigh_layer(CwTrainWork *work, int64_t l)
{
  int64_t width = work->parameters->width, n = work->n_tokens;
  double longest = work->settings->outlier_norm * sqrt((double)width);
  for (int64_t b = l * n; b < (l + 1) * n; b++) {
    double square = 0;
    for (int64_t j = 0; j < width; j++)
      square += (double)work->out[b * width + j] * (double)work->out[b * width + j];
    work->weight[b] = square > longest * longest ? (float)(longest * longest / square) : 1;
  }
}

static void
scale_layer(void *data, int64_t l)
{
  const Batch *batch = data;
  const CwParameters *p = &batch->trainer->parameters;
  CwTrainWork *work = &batch->trainer->work;
  int64_t width = p->width, padded = cw_parameters_padded_width(p), n = work->n_tokens;
  for (int64_t b = l * n; b < (l + 1) * n; b++)
    for (int64_t j = 0; j < width; j++) {
      work->in[b * padded + j] = batch->in[b * width + j] * p->scale_in[l];
      work->out[b * width + j] = batch->out[b * width + j] * p->scale_out[l];
    }
  if (work->weight != NULL)
    weigh_layer(work, l);
}

void
cw_trainer_load_batch(CwTrainer *trainer, const float *in, const float *out)
{
  Batch batch = { trainer, in, out };
  cwk_parallel_for(trainer->device, trainer->parameters.n_layers, scale_layer, &batch);
}

/* ---- steps --------------------------------------------------------------------------------
 */

static bool
loss_is_sound(const CwTrainer *trainer, const CwTrainStep *result, GError **error)
{
  if (!isfinite(result->loss) || !isfinite(result->grad_norm)) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "step %d: the loss is %g and the gradient's norm %g; take a smaller lr or look "
                "for damaged activations (`clew info` checks a cache)",
                (int)result->step, result->loss, result->grad_norm);
    return false;
  }
  /* A share of the outputs' own variance: a batch with outlier tokens, whose outputs are
   * hundreds of times as large, has an error as large without anything having gone wrong. */
  double factor = trainer->settings.loss_spike_factor, share = 1 - result->explained_variance;
  if (factor > 0 && trainer->unexplained_mean > 0 &&
      share > factor * trainer->unexplained_mean) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "step %d: the unexplained share of the variance, %.4g, is more than %g times "
                "its running mean of %.4g; take a smaller lr, or a larger loss_spike_factor",
                (int)result->step, share, factor, trainer->unexplained_mean);
    return false;
  }
  return true;
}

static void
begin_result(const CwTrainer *trainer, CwTrainStep *result)
{
  *result = (CwTrainStep){
    .step = trainer->step,
    .lr = cw_train_lr(&trainer->settings, trainer->step),
    .l0_coefficient = cw_train_l0_coefficient(&trainer->settings, trainer->step),
  };
}

bool
cw_trainer_measure(CwTrainer *trainer, const float *in, const float *out, CwTrainStep *result,
                   GError **error)
{
  begin_result(trainer, result);
  cw_trainer_load_batch(trainer, in, out);
  return cw_train_work_measure(&trainer->work, result, error);
}

bool
cw_trainer_step(CwTrainer *trainer, const float *in, const float *out, CwTrainStep *result,
                GError **error)
{
  begin_result(trainer, result);
  cw_trainer_load_batch(trainer, in, out);
  if (!cw_train_work_backward(&trainer->work, result, error) ||
      !loss_is_sound(trainer, result, error) ||
      !cw_train_work_update(&trainer->work, result, error) ||
      !cw_resample(trainer, &result->resampled, error))
    return false;
  bool is_first = trainer->step == 0;
  double share = 1 - result->explained_variance;
  trainer->unexplained_mean =
      is_first ? share : SHARE_MEMORY * trainer->unexplained_mean + (1 - SHARE_MEMORY) * share;
  trainer->l0_mean =
      is_first ? result->l0 : L0_MEMORY * trainer->l0_mean + (1 - L0_MEMORY) * result->l0;
  trainer->step++;
  return true;
}
