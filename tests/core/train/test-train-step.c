/* test-train-step.c - steps of training against CLT-Forge's, and against central differences.
 */
#include "training-case.h"

#include <math.h>
#include <string.h>

static const char *const cases[] = { "clt", "clt-narrow-bandwidth", "plt" };

/* Agreement asked by golden/README.md: losses 1e-5 relative. */
static void
assert_near(double actual, double expected, double relative, const char *what, int64_t step)
{
  double limit = relative * fmax(fabs(expected), 1e-3);
  if (!(fabs(actual - expected) <= limit))
    g_error("step %d: %s is %.9g, expected %.9g", (int)step, what, actual, expected);
}

static void
compare_step(const TrainingCase *self, const CwTrainStep *step)
{
  static const char *const keys[] = { "lr",        "l0_coefficient", "loss", "mse", "l0_loss",
                                      "dead_loss", "grad_norm",      "l0",   "dead" };
  const double values[] = { step->lr,          step->l0_coefficient, step->loss,      step->mse,
                            step->l0_loss,     step->dead_loss,      step->grad_norm, step->l0,
                            (double)step->dead };
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
    assert_near(values[i], training_case_logged(self, step->step, keys[i]), 1e-5, keys[i],
                step->step);
  /* A difference of a quotient from 1: the quotient is what has a relative error. */
  assert_near(1 - step->explained_variance,
              1 - training_case_logged(self, step->step, "explained_variance"), 1e-5,
              "1 - explained_variance", step->step);
}

static void
assert_tensor(const TrainingCase *self, const float *actual, const char *name, size_t n,
              double limit)
{
  g_autofree float *expected = training_case_dup_expected(self, name, n);
  double difference = test_max_difference(actual, expected, n);
  double largest = test_max_abs(expected, n);
  if (!(difference <= limit * largest))
    g_error("%s differs by %g of its largest entry %g", name, difference / largest, largest);
}

/* [L, Dp] to [L, D]; to be freed. */
static float *
unpad(const CwParameters *p, const float *rows)
{
  float *out = g_new(float, p->n_layers * p->width);
  for (int64_t l = 0; l < p->n_layers; l++)
    memcpy(out + l * p->width, rows + l * cw_parameters_padded_width(p),
           (size_t)p->width * sizeof *out);
  return out;
}

/* All losses of every step, then the final parameters to 1e-4 of the largest entry. */
static void
test_run(gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  TrainingCase self;
  CwTrainStep step;
  training_case_init(&self, name, 2);
  for (int64_t i = 0; i < training_case_n_logged(&self); i++) {
    training_case_load_batch(&self, i);
    cw_trainer_step(self.trainer, self.in, self.out, &step, &error);
    g_assert_no_error(error);
    compare_step(&self, &step);
  }
  CwParameters *p = &self.trainer->parameters;
  size_t n = (size_t)(p->n_layers * p->n_features), width = (size_t)p->width;
  g_autofree float *encoder = training_case_dup_encoder(&self, p->encoder.value);
  g_autofree float *decoder = training_case_dup_decoder(&self, p->decoder.value);
  size_t n_blocks =
      (size_t)(p->is_cross_layer ? p->n_layers * (p->n_layers + 1) / 2 : p->n_layers);
  assert_tensor(&self, encoder, "final_W_enc", n * width, 1e-4);
  assert_tensor(&self, decoder, "final_W_dec", n_blocks * (size_t)p->n_features * width, 1e-4);
  assert_tensor(&self, p->bias.value, "final_b_enc", n, 1e-4);
  assert_tensor(&self, p->log_threshold.value, "final_log_threshold", n, 1e-4);
  g_autofree float *bias = unpad(p, p->decoder_bias.value);
  assert_tensor(&self, bias, "final_b_dec", (size_t)p->n_layers * width, 1e-4);
  training_case_clear(&self);
}

static void
divide(float *values, size_t n, double by)
{
  for (size_t i = 0; i < n; i++)
    values[i] = (float)((double)values[i] / by);
}

/* After the first step Adam's first moment is (1 - beta1) times the clipped gradient. */
static void
test_gradients(gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  TrainingCase self;
  CwTrainStep step;
  training_case_init(&self, name, 1);
  training_case_load_batch(&self, 0);
  cw_trainer_step(self.trainer, self.in, self.out, &step, &error);
  g_assert_no_error(error);
  double clip = fmin(self.settings.grad_clip_norm / (step.grad_norm + 1e-6), 1);
  double factor = clip * (1 - self.settings.adam_beta1);
  CwParameters *p = &self.trainer->parameters;
  size_t n = (size_t)(p->n_layers * p->n_features), width = (size_t)p->width;
  size_t n_blocks =
      (size_t)(p->is_cross_layer ? p->n_layers * (p->n_layers + 1) / 2 : p->n_layers);
  g_autofree float *encoder = training_case_dup_encoder(&self, p->encoder.m);
  g_autofree float *decoder = training_case_dup_decoder(&self, p->decoder.m);
  divide(encoder, n * width, factor);
  divide(decoder, n_blocks * (size_t)p->n_features * width, factor);
  divide(p->bias.m, n, factor);
  divide(p->log_threshold.m, n, factor);
  assert_tensor(&self, encoder, "step0_grad_W_enc", n * width, 1e-5);
  assert_tensor(&self, decoder, "step0_grad_W_dec", n_blocks * (size_t)p->n_features * width,
                1e-5);
  assert_tensor(&self, p->bias.m, "step0_grad_b_enc", n, 1e-5);
  assert_tensor(&self, p->log_threshold.m, "step0_grad_log_threshold", n, 1e-5);
  g_autofree float *bias = unpad(p, p->decoder_bias.m);
  divide(bias, (size_t)p->n_layers * width, factor);
  assert_tensor(&self, bias, "step0_grad_b_dec", (size_t)p->n_layers * width, 1e-5);
  training_case_clear(&self);
}

/* A batch of outlier tokens, whose outputs are large, is no reason to stop; predictions that
 * have left the outputs behind are, and leave the parameters as they were. */
static void
test_spikes(void)
{
  g_autoptr(GError) error = NULL;
  TrainingCase self;
  CwTrainStep step;
  training_case_init(&self, "clt", 1);
  CwParameters *p = &self.trainer->parameters;
  int64_t n = p->n_layers * self.settings.batch * p->width;
  training_case_load_batch(&self, 0);
  g_assert_true(cw_trainer_step(self.trainer, self.in, self.out, &step, &error));
  training_case_load_batch(&self, 1);
  for (int64_t i = 0; i < n; i++)
    self.out[i] *= 50;
  g_assert_true(cw_trainer_step(self.trainer, self.in, self.out, &step, &error));
  training_case_load_batch(&self, 2);
  p->decoder_bias.value[0] += 1e3f;
  float kept = p->encoder.value[0];
  g_assert_false(cw_trainer_step(self.trainer, self.in, self.out, &step, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_assert_cmpint(cw_trainer_get_step(self.trainer), ==, 2);
  g_assert_true(p->encoder.value[0] == kept);
  training_case_clear(&self);
}

/* A dead feature begins anew at the token whose output dwarfs all others: it fires there, three
 * thresholds high, and what it writes is the error, which Adam would never reach. */
static void
test_resample(void)
{
  g_autoptr(GError) error = NULL;
  TrainingCase self;
  CwTrainStep step;
  training_case_init(&self, "clt", 2);
  CwTrainer *trainer = self.trainer;
  CwParameters *p = &trainer->parameters;
  const int64_t l = 1, dead = l * p->n_features + 3, outlier = 5;
  int64_t batch = self.settings.batch, padded = cw_parameters_padded_width(p);
  trainer->settings.resample_every_steps = 1;
  trainer->settings.lr = 0;
  trainer->settings.loss_spike_factor = 0;
  training_case_load_batch(&self, 0);
  for (int64_t j = 0; j < p->width; j++)
    self.out[(l * batch + outlier) * p->width + j] *= 1e4f;
  p->bias.value[dead] = -1e6f;
  p->silent_steps[dead] = trainer->settings.dead_feature_window + 1;
  g_assert_true(cw_trainer_step(trainer, self.in, self.out, &step, &error));
  g_assert_no_error(error);
  g_assert_cmpint(step.resampled, ==, 1);
  g_assert_cmpint(p->silent_steps[dead], ==, 0);
  double before = step.layer_explained_variance[l];
  double h = (double)p->bias.value[dead];
  for (int64_t j = 0; j < padded; j++)
    h += (double)p->encoder.value[dead * padded + j] *
         (double)trainer->work.in[(l * batch + outlier) * padded + j];
  double threshold = (double)p->threshold[dead];
  g_assert_cmpfloat_with_epsilon(h, 3 * threshold, 1e-4 * threshold);
  g_assert_true(cw_trainer_measure(trainer, self.in, self.out, &step, &error));
  g_assert_cmpfloat(before, <, 0.01);
  g_assert_cmpfloat(step.layer_explained_variance[l], >, 0.99);
  trainer->settings.lr_decay_steps = trainer->settings.total_steps;
  p->silent_steps[dead] = trainer->settings.dead_feature_window + 1;
  g_assert_true(cw_trainer_step(trainer, self.in, self.out, &step, &error));
  g_assert_cmpint(step.resampled, ==, 0); /* no longer while the rate falls */
  training_case_clear(&self);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *run = g_strdup_printf("/core/train-step/%s/run", cases[i]);
    g_autofree char *gradients = g_strdup_printf("/core/train-step/%s/gradients", cases[i]);
    g_test_add_data_func(run, cases[i], test_run);
    g_test_add_data_func(gradients, cases[i], test_gradients);
  }
  g_test_add_func("/core/train-step/spikes", test_spikes);
  g_test_add_func("/core/train-step/resample", test_resample);
  return g_test_run();
}
