/* test-train-gradients.c - every gradient of a step against the objective written out in
 * double, and that against central differences of the loss. */
#include "dense-reference.h"
#include "test-random.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

enum { L = 4, F = 9, D = 11, B = 70 };

typedef struct {
  CwTrainSettings settings;
  CwkDevice *device;
  CwTrainer *trainer;
  float in[L * B * D], out[L * B * D];
  DenseParameters dense;
} Fixture;

typedef struct {
  const char *name;
  bool is_cross_layer;
  CwTrainGate gate;
  CwStraightThrough through;
  double bandwidth, outlier_norm;
} Mode;

static const Mode modes[] = {
  { "clt", true, CW_TRAIN_JUMPRELU, CW_THROUGH_THRESHOLD, 1.5 },
  { "clt-outliers", true, CW_TRAIN_JUMPRELU, CW_THROUGH_THRESHOLD, 1.5, 1 },
  { "clt-narrow", true, CW_TRAIN_JUMPRELU, CW_THROUGH_THRESHOLD, 0.05 },
  { "clt-wide", true, CW_TRAIN_JUMPRELU, CW_THROUGH_THRESHOLD, 50 },
  /* Few entries, which are listed, and so many that full matrices are multiplied. */
  { "clt-through-all", true, CW_TRAIN_JUMPRELU, CW_THROUGH_ALL, 0.05 },
  { "clt-through-all-wide", true, CW_TRAIN_JUMPRELU, CW_THROUGH_ALL, 1.5 },
  { "plt", false, CW_TRAIN_JUMPRELU, CW_THROUGH_THRESHOLD, 1.5 },
  { "plt-through-all", false, CW_TRAIN_JUMPRELU, CW_THROUGH_ALL, 0.05 },
  { "plt-through-all-wide", false, CW_TRAIN_JUMPRELU, CW_THROUGH_ALL, 1.5 },
  { "clt-topk", true, CW_TRAIN_TOPK, CW_THROUGH_THRESHOLD, 1 },
  { "clt-alltopk", true, CW_TRAIN_ALL_TOPK, CW_THROUGH_THRESHOLD, 1 },
  { "plt-batchtopk", false, CW_TRAIN_BATCH_TOPK, CW_THROUGH_THRESHOLD, 1 },
};

static void
set_up(Fixture *self, const Mode *mode)
{
  g_autoptr(GError) error = NULL;
  cw_train_settings_init(&self->settings, CW_RECIPE_CLT_FORGE);
  self->settings.cross_layer_decoders = mode->is_cross_layer;
  self->settings.activation = (int)mode->gate;
  self->settings.k = mode->gate == CW_TRAIN_JUMPRELU ? 0 : 3;
  self->settings.straight_through = (int)mode->through;
  self->settings.jumprelu_bandwidth = mode->bandwidth;
  self->settings.outlier_norm = mode->outlier_norm;
  self->settings.jumprelu_init_threshold = 0.3;
  self->settings.d_latent = F;
  self->settings.batch = B;
  self->settings.l0_coefficient = 1.7;
  self->settings.l0_warm_up_steps = 0;
  self->settings.dead_penalty_coef = 0.4;
  self->settings.grad_clip_norm = 0;
  self->device = cwk_cpu_new(2);
  self->trainer = cw_trainer_new(&self->settings, L, D, self->device, &error);
  g_assert_no_error(error);
  TestRandom random = { 11 };
  for (int i = 0; i < L * B * D; i++) {
    self->in[i] = 1.7f * test_random_float(&random);
    self->out[i] = 1.7f * test_random_float(&random);
  }
  CwParameters *p = &self->trainer->parameters;
  for (int i = 0; i < L * F; i++) {
    p->bias.value[i] = 0.3f * test_random_float(&random);
    p->log_threshold.value[i] += 0.2f * test_random_float(&random);
  }
  for (int l = 0; l < L; l++)
    for (int j = 0; j < D; j++)
      p->decoder_bias.value[l * CWK_TILE + j] = 0.1f * test_random_float(&random);
  cw_parameters_update_derived(p);
  dense_parameters_init(&self->dense, p, B);
}

static void
tear_down(Fixture *self)
{
  dense_parameters_clear(&self->dense);
  cw_trainer_free(self->trainer);
  cwk_device_free(self->device);
}

/* Which entries the trainer chose, [L, F, B]; TopK's choice is no matter of thresholds. */
static bool *
dup_active(const Fixture *self)
{
  const CwTrainWork *work = &self->trainer->work;
  bool *is_active = g_new(bool, L *F *B);
  for (int64_t i = 0; i < L * F; i++)
    for (int64_t b = 0; b < B; b++)
      is_active[i * B + b] = (work->active[i * work->n_words + b / 64] >> (b % 64)) & 1;
  return is_active;
}

/* f32 sums over some hundred terms: 1e-5 of the largest entry leaves an order of magnitude. */
static void
assert_close(const char *what, const double *expected, const double *actual, int64_t n)
{
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < n; i++) {
    largest = fmax(largest, fabs(expected[i]));
    difference = fmax(difference, fabs(expected[i] - actual[i]));
  }
  if (!(difference <= 1e-5 * largest))
    g_error("gradient of %s differs by %g of its largest entry %g", what, difference / largest,
            largest);
}

/* What Adam's first moments hold after one step. */
static void
read_gradients(const Fixture *self, DenseParameters *gradient)
{
  CwParameters moments = self->trainer->parameters;
  moments.encoder.value = moments.encoder.m;
  moments.decoder.value = moments.decoder.m;
  moments.bias.value = moments.bias.m;
  moments.log_threshold.value = moments.log_threshold.m;
  moments.decoder_bias.value = moments.decoder_bias.m;
  dense_parameters_init(gradient, &moments, B);
  double *const arrays[] = { gradient->encoder, gradient->decoder, gradient->bias,
                             gradient->log_threshold, gradient->decoder_bias };
  const int64_t sizes[] = { L * F * D, L * L * F * D, L * F, L * F, L * D };
  for (size_t k = 0; k < G_N_ELEMENTS(arrays); k++)
    for (int64_t i = 0; i < sizes[k]; i++)
      arrays[k][i] /= 1 - (double)(float)self->settings.adam_beta1;
}

static void
test_step(gconstpointer data)
{
  const Mode *mode = data;
  g_autoptr(GError) error = NULL;
  g_autofree Fixture *self = g_new0(Fixture, 1);
  DenseParameters expected, actual;
  CwTrainStep step;
  set_up(self, mode);
  dense_parameters_init_like(&expected, &self->dense);
  cw_trainer_step(self->trainer, self->in, self->out, &step, &error);
  g_assert_no_error(error);
  double loss = dense_loss(&self->dense, &self->settings, step.l0_coefficient, self->in,
                           self->out, NULL, &expected);
  g_assert_cmpfloat_with_epsilon(step.loss, loss, 1e-5 * loss);
  read_gradients(self, &actual);
  assert_close("encoders", expected.encoder, actual.encoder, L * F * D);
  assert_close("encoder biases", expected.bias, actual.bias, L * F);
  assert_close("thresholds", expected.log_threshold, actual.log_threshold, L * F);
  assert_close("decoders", expected.decoder, actual.decoder, L * L * F * D);
  assert_close("decoder biases", expected.decoder_bias, actual.decoder_bias, L * D);
  dense_parameters_clear(&expected);
  dense_parameters_clear(&actual);
  tear_down(self);
}

/* TopK, without the dead penalty: its threshold moves while it gates. */
static void
test_top(gconstpointer data)
{
  const Mode *mode = data;
  g_autoptr(GError) error = NULL;
  g_autofree Fixture *self = g_new0(Fixture, 1);
  DenseParameters expected, actual;
  CwTrainStep step;
  set_up(self, mode);
  self->trainer->settings.dead_penalty_coef = self->settings.dead_penalty_coef = 0;
  dense_parameters_init_like(&expected, &self->dense);
  cw_trainer_step(self->trainer, self->in, self->out, &step, &error);
  g_assert_no_error(error);
  g_autofree bool *is_active = dup_active(self);
  double loss = dense_loss(&self->dense, &self->settings, step.l0_coefficient, self->in,
                           self->out, is_active, &expected);
  g_assert_cmpfloat_with_epsilon(step.loss, loss, 1e-5 * loss);
  g_assert_cmpfloat(step.l0, <=, 3);
  read_gradients(self, &actual);
  assert_close("encoders", expected.encoder, actual.encoder, L * F * D);
  assert_close("encoder biases", expected.bias, actual.bias, L * F);
  assert_close("decoders", expected.decoder, actual.decoder, L * L * F * D);
  dense_parameters_clear(&expected);
  dense_parameters_clear(&actual);
  tear_down(self);
}

/* first_layer_k: 7, then (7 - 3) / 2 = 2 and 1 more than 3, then 3 and a half, which is 4: as
 * many of a layer's positive pre-activations are chosen, and the largest. */
static void
test_first_layer_k(gconstpointer data)
{
  static const int64_t expected[L] = { 7, 5, 4, 4 };
  const Mode *mode = data;
  g_autoptr(GError) error = NULL;
  g_autofree Fixture *self = g_new0(Fixture, 1);
  CwTrainStep step;
  set_up(self, mode);
  self->trainer->settings.first_layer_k = 7;
  self->trainer->settings.first_layer_k_half = 1;
  cw_trainer_step(self->trainer, self->in, self->out, &step, &error);
  g_assert_no_error(error);
  g_autofree bool *is_active = dup_active(self);
  const float *pre = self->trainer->work.pre;
  bool is_of_batch = mode->gate == CW_TRAIN_BATCH_TOPK;
  int64_t group = is_of_batch ? B : 1;
  for (int64_t l = 0; l < L; l++)
    for (int64_t first = 0; first < B; first += group) {
      int64_t n_active = 0, n_positive = 0;
      float least = INFINITY, most_left = 0;
      for (int64_t i = l * F; i < (l + 1) * F; i++)
        for (int64_t b = first; b < first + group; b++) {
          float h = pre[i * B + b];
          n_positive += h > 0;
          n_active += is_active[i * B + b];
          if (is_active[i * B + b])
            least = fminf(least, h);
          else
            most_left = fmaxf(most_left, h);
        }
      g_assert_cmpint(n_active, ==, MIN(expected[l] * group, n_positive));
      g_assert_cmpfloat(least, >=, most_left);
    }
  tear_down(self);
}

/* Central differences of the loss in every direction of one array. */
static void
check_differences(const Fixture *self, const char *what, double *array, const double *gradient,
                  int64_t n, double step)
{
  for (int64_t i = 0; i < n; i++) {
    double kept = array[i], loss[2];
    for (int side = 0; side < 2; side++) {
      array[i] = kept + (side == 0 ? step : -step);
      loss[side] =
          dense_loss(&self->dense, &self->settings, 1.7, self->in, self->out, NULL, NULL);
    }
    array[i] = kept;
    double difference = (loss[0] - loss[1]) / (2 * step);
    if (!(fabs(difference - gradient[i]) <= 1e-6 * fmax(fabs(gradient[i]), 1)))
      g_error("%s %d: gradient %.10g, central difference %.10g", what, (int)i, gradient[i],
              difference);
  }
}

/* The step is below every entry's distance to its threshold, so no entry flips. Thresholds do
 * not appear: through the jump their gradient is a kernel's, not the loss's. */
static void
test_differences(gconstpointer data)
{
  const Mode *mode = data;
  g_autofree Fixture *self = g_new0(Fixture, 1);
  DenseParameters gradient;
  set_up(self, mode);
  dense_parameters_init_like(&gradient, &self->dense);
  dense_loss(&self->dense, &self->settings, 1.7, self->in, self->out, NULL, &gradient);
  /* A pre-activation moves by at most 1.7 times the step. */
  double step = fmin(1e-5, dense_nearest_threshold(&self->dense, self->in) / 10);
  g_assert_cmpfloat(step, >, 1e-8);
  check_differences(self, "encoder", self->dense.encoder, gradient.encoder, L * F * D, step);
  check_differences(self, "bias", self->dense.bias, gradient.bias, L * F, step);
  check_differences(self, "decoder bias", self->dense.decoder_bias, gradient.decoder_bias,
                    L * D, step);
  check_differences(self, "decoder", self->dense.decoder, gradient.decoder, L * L * F * D,
                    step);
  dense_parameters_clear(&gradient);
  tear_down(self);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
    bool is_jump = modes[i].gate == CW_TRAIN_JUMPRELU;
    g_autofree char *step = g_strdup_printf("/core/train-gradients/%s/step", modes[i].name);
    g_autofree char *differences =
        g_strdup_printf("/core/train-gradients/%s/central-differences", modes[i].name);
    g_test_add_data_func(step, &modes[i], is_jump ? test_step : test_top);
    if (is_jump && modes[i].through == CW_THROUGH_THRESHOLD && modes[i].bandwidth == 1.5)
      g_test_add_data_func(differences, &modes[i], test_differences);
    g_autofree char *first =
        g_strdup_printf("/core/train-gradients/%s/first-layer-k", modes[i].name);
    if (modes[i].gate == CW_TRAIN_TOPK || modes[i].gate == CW_TRAIN_BATCH_TOPK)
      g_test_add_data_func(first, &modes[i], test_first_layer_k);
  }
  return g_test_run();
}
