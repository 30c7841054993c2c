/* test-evaluate-rows.c - a transcoder's numbers on rows: against the same in double, against
 * the trainer's metrics, and out of stores. */
#include <math.h>
#include <string.h>

#include "../train/training-case.h"
#include "quality-reference.h"
#include "test-random.h"
#include "test-support.h"
#include "train/checkpoint.h"

#define N_ROWS 53

/* f32 predictions: their rounding is far below this, a wrong formula far above. */
static void
assert_near(double actual, double expected, const char *what, int64_t l)
{
  if (!(fabs(actual - expected) <= 2e-5 * fmax(fabs(expected), 1)))
    g_error("layer %d: %s is %.9g, expected %.9g", (int)l, what, actual, expected);
}

static void
compare_layers(const CwActivationQuality *quality, const ReferenceLayer *expected)
{
  double errors = 0, mean = 0;
  for (int64_t l = 0; l < quality->n_layers; l++) {
    const CwLayerQuality *layer = &quality->layers[l];
    const ReferenceLayer *other = &expected[l];
    assert_near(layer->explained_variance, other->explained_variance, "explained variance", l);
    assert_near(layer->normalised_mse, 1 - other->explained_variance, "normalised mse", l);
    assert_near(layer->error_energy, other->error_energy, "error energy", l);
    assert_near(layer->error_median, other->error_median, "median error", l);
    assert_near(layer->error_p95, other->error_p95, "95 % error", l);
    assert_near(layer->slope, other->slope, "slope", l);
    assert_near(layer->output_norm, other->output_norm, "output norm", l);
    assert_near(layer->l0, other->l0, "l0", l);
    assert_near(layer->decoder_norms[3], other->norm_median, "decoder norm", l);
    g_assert_cmpint(layer->l0_median, ==, other->l0_median);
    g_assert_cmpint(layer->l0_p95, ==, other->l0_p95);
    g_assert_cmpint(layer->n_dead, ==, other->n_dead);
    int64_t n_binned = layer->n_dead;
    for (int i = 0; i < CW_RATE_BINS; i++)
      n_binned += layer->rates[i];
    g_assert_cmpint(n_binned, ==, quality->n_features);
    errors += layer->error_share;
    mean += other->explained_variance / (double)quality->n_layers;
  }
  assert_near(errors, 1, "sum of error shares", -1);
  assert_near(quality->explained_variance, mean, "mean explained variance", -1);
}

/* Rows in three batches of different sizes, the layers of the last lying further apart. */
static CwActivationQuality *
meter(CwTranscoder *transcoder, const float *in, const float *out, int64_t n)
{
  g_autoptr(GError) error = NULL;
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  CwkDevice *device = cwk_cpu_new(2);
  g_autoptr(CwQualityMeter) meter = cw_quality_meter_new(transcoder, device, n, &error);
  g_assert_no_error(error);
  int64_t ends[] = { 1, n / 2, n };
  for (int64_t i = 0, from = 0; i < 3; from = ends[i++])
    g_assert_true(cw_quality_meter_add(meter, in + from * config->width,
                                       out + from * config->width, ends[i] - from, n, &error));
  CwActivationQuality *quality = cw_quality_meter_finish(meter, &error);
  g_assert_no_error(error);
  g_assert_cmpint(quality->n_rows, ==, n);
  cwk_device_free(device);
  return quality;
}

/* Outputs with means of their own, so that the mean is not the origin. */
static void
test_against_double(gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *place = g_build_filename("attribution", name, "transcoder", NULL);
  g_autofree char *path = test_golden_path(place);
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(path, &error);
  g_assert_no_error(error);
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  TestRandom random = { 11 };
  size_t n = (size_t)(config->n_layers * N_ROWS * config->width);
  g_autofree float *in = test_random_floats(&random, n);
  g_autofree float *out = test_random_floats(&random, n);
  for (size_t i = 0; i < n; i++) {
    in[i] *= 2;
    out[i] += (float)(i % (size_t)config->width);
  }
  g_autofree ReferenceLayer *expected = g_new0(ReferenceLayer, config->n_layers);
  quality_reference_measure(transcoder, in, out, N_ROWS, expected);
  g_autoptr(CwActivationQuality) quality = meter(transcoder, in, out, N_ROWS);
  compare_layers(quality, expected);
}

/* ---- the trainer ------------------------------------------------------------------------ */

static void
compare_with_trainer(const TrainingCase *self, const char *path, const CwTrainStep *step)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTranscoder) transcoder = cw_train_open_transcoder(path, &error);
  g_assert_no_error(error);
  g_autoptr(CwActivationQuality) quality =
      meter(transcoder, self->in, self->out, self->settings.batch);
  assert_near(quality->explained_variance, step->explained_variance, "mean", -1);
  g_assert_cmpfloat_with_epsilon(quality->l0, step->l0, 1e-9);
  for (int64_t l = 0; l < quality->n_layers; l++) {
    assert_near(quality->layers[l].explained_variance, step->layer_explained_variance[l],
                "explained variance", l);
    g_assert_cmpfloat_with_epsilon(quality->layers[l].l0, step->layer_l0[l], 1e-9);
  }
}

/* The same numbers on the same rows as the trainer's own, from its checkpoint, its run's folder
 * and its export, with scales of normalisation that have to be folded. */
static void
test_against_trainer(gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *transcoder = g_build_filename(folder, "transcoder", NULL);
  g_autofree char *checkpoint = g_build_filename(folder, "checkpoint-000000001", NULL);
  TrainingCase self;
  CwTrainStep step;
  training_case_init(&self, name, 2);
  CwParameters *p = &self.trainer->parameters;
  for (int64_t l = 0; l < p->n_layers; l++) {
    p->scale_in[l] = 1 + 0.25f * (float)l;
    p->scale_out[l] = 1.5f - 0.25f * (float)l;
  }
  training_case_load_batch(&self, 0);
  g_assert_true(cw_trainer_step(self.trainer, self.in, self.out, &step, &error));
  g_assert_true(cw_trainer_measure(self.trainer, self.in, self.out, &step, &error));
  const CwCheckpointNote note = { .data_hash = (char *)"" };
  const CwTrainOrigin origin = { 0 };
  g_assert_true(cw_trainer_export(self.trainer, &origin, transcoder, &error));
  compare_with_trainer(&self, transcoder, &step);
  g_assert_true(cw_checkpoint_write(self.trainer, &note, folder, false, &error));
  compare_with_trainer(&self, checkpoint, &step);
  compare_with_trainer(&self, folder, &step);
  training_case_clear(&self);
  test_remove_tree(folder);
}

/* A checkpoint that is damaged is passed over for the one before; alone, it is an error that
 * names the tensor. */
static void
test_damaged_checkpoint(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  TrainingCase self;
  CwTrainStep step;
  training_case_init(&self, "clt", 1);
  training_case_load_batch(&self, 0);
  const CwCheckpointNote note = { .data_hash = (char *)"" };
  for (int i = 0; i < 2; i++) {
    g_assert_true(cw_trainer_step(self.trainer, self.in, self.out, &step, &error));
    g_assert_true(cw_checkpoint_write(self.trainer, &note, folder, false, &error));
  }
  g_autofree char *state =
      g_build_filename(folder, "checkpoint-000000002", "state.safetensors", NULL);
  g_autofree char *bytes = NULL;
  gsize n_bytes;
  g_assert_true(g_file_get_contents(state, &bytes, &n_bytes, NULL));
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(state, &error);
  const CwTensor *tensor = cw_tensor_file_find(file, "decoder.1.value");
  for (gsize i = 0; i + tensor->n_bytes <= n_bytes; i += 4)
    if (memcmp(bytes + i, tensor->data, tensor->n_bytes) == 0)
      bytes[i + 5] ^= 1;
  g_assert_true(g_file_set_contents(state, bytes, (gssize)n_bytes, NULL));
  g_autoptr(CwTranscoder) older = cw_train_open_transcoder(folder, &error);
  g_assert_no_error(error);
  g_assert_true(g_str_has_suffix(cw_transcoder_peek_path(older), "checkpoint-000000001"));
  g_autofree char *damaged = g_path_get_dirname(state);
  g_assert_null(cw_train_open_transcoder(damaged, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "decoder.1.value"));
  g_clear_error(&error);
  /* With no whole checkpoint left, the finished transcoder. */
  g_autofree char *first = g_build_filename(folder, "checkpoint-000000001", NULL);
  g_autofree char *settings = g_build_filename(folder, "settings.json", NULL);
  g_autofree char *finished = g_build_filename(folder, "transcoder", NULL);
  const CwTrainOrigin origin = { 0 };
  test_remove_tree(first);
  g_assert_true(cw_trainer_export(self.trainer, &origin, finished, &error));
  g_assert_true(g_file_set_contents(settings, "{}", -1, NULL));
  g_autoptr(CwTranscoder) last = cw_train_open_transcoder(folder, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(cw_transcoder_peek_path(last), ==, finished);
  training_case_clear(&self);
  test_remove_tree(folder);
}

/* ---- stores -------------------------------------------------------------------------------
 */

typedef struct {
  CwTranscoder *transcoder;
  CwActivations *store;
  CwkDevice *device;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *split = test_golden_path("training/clt/activations_split_0.safetensors");
  g_autofree char *initial = test_golden_path("training/clt/initial");
  self->transcoder = cw_transcoder_open(initial, &error);
  g_assert_no_error(error);
  self->store = cw_activations_open(split, &error);
  g_assert_no_error(error);
  self->device = cwk_cpu_new(2);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
  cw_transcoder_unref(self->transcoder);
  cw_activations_unref(self->store);
  cwk_device_free(self->device);
}

static void
test_store(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  const CwActivationsConfig *store = cw_activations_peek_config(self->store);
  size_t n = (size_t)(store->n_layers * store->n_rows * store->width);
  g_autofree float *in = g_new(float, n);
  g_autofree float *out = g_new(float, n);
  g_assert_true(cw_activations_read(self->store, 0, store->n_rows, in, out, NULL, &error));
  g_autofree ReferenceLayer *expected = g_new0(ReferenceLayer, store->n_layers);
  quality_reference_measure(self->transcoder, in, out, store->n_rows, expected);
  CwEvaluateRows rows = { .part = CW_EVALUATE_ALL };
  g_autoptr(CwActivationQuality) whole =
      cw_evaluate_activations(self->transcoder, self->store, self->device, &rows, &error);
  g_assert_no_error(error);
  g_assert_cmpint(whole->n_rows, ==, store->n_rows);
  compare_layers(whole, expected);
  /* As many as all of them: the same rows in a random order. */
  rows.n_rows = store->n_rows;
  g_autoptr(CwActivationQuality) mixed =
      cw_evaluate_activations(self->transcoder, self->store, self->device, &rows, &error);
  compare_layers(mixed, expected);
  rows.n_rows = 19;
  g_autoptr(CwActivationQuality) few =
      cw_evaluate_activations(self->transcoder, self->store, self->device, &rows, &error);
  g_assert_cmpint(few->n_rows, ==, 19);
}

static void
test_store_refusals(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  CwEvaluateRows rows = { .part = CW_EVALUATE_HELD_OUT };
  g_assert_null(
      cw_evaluate_activations(self->transcoder, self->store, self->device, &rows, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_clear_error(&error);
  g_autofree char *path = test_golden_path("attribution/gpt2-clt/transcoder");
  g_autoptr(CwTranscoder) other = cw_transcoder_open(path, &error);
  rows.part = CW_EVALUATE_ALL;
  g_assert_null(cw_evaluate_activations(other, self->store, self->device, &rows, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_test_message("%s", error->message);
  g_assert_nonnull(strstr(error->message, "3 layers of width 32"));
  g_assert_nonnull(strstr(error->message, "4 layers of width 16"));
  g_clear_error(&error);
  rows.cancel = cw_cancel_new();
  cw_cancel_trigger(rows.cancel);
  g_assert_null(
      cw_evaluate_activations(self->transcoder, self->store, self->device, &rows, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  cw_cancel_unref(rows.cancel);
}

int
main(int argc, char **argv)
{
  static const char *const transcoders[] = { "gpt2-clt", "llama-clt", "llama-plt",
                                             "llama-plt_skip", "gemma2-plt" };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(transcoders); i++) {
    g_autofree char *name =
        g_strdup_printf("/core/evaluate-rows/against-double/%s", transcoders[i]);
    g_test_add_data_func(name, transcoders[i], test_against_double);
  }
  g_test_add_data_func("/core/evaluate-rows/against-trainer/clt", "clt", test_against_trainer);
  g_test_add_data_func("/core/evaluate-rows/against-trainer/plt", "plt", test_against_trainer);
  g_test_add_func("/core/evaluate-rows/damaged-checkpoint", test_damaged_checkpoint);
  g_test_add("/core/evaluate-rows/store", Fixture, NULL, set_up, test_store, tear_down);
  g_test_add("/core/evaluate-rows/store-refusals", Fixture, NULL, set_up, test_store_refusals,
             tear_down);
  return g_test_run();
}
