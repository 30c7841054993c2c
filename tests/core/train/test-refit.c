/* test-refit.c - decoders by least squares: what a teacher wrote is found again, noisy outputs
 * get the solution of the normal equations, dropped rows are made up for. */
#include <math.h>
#include <string.h>

#include "cw-tensor-file.h"
#include "test-random.h"
#include "test-support.h"
#include "train/trainer-private.h"

enum { L = 3, F = 7, D = 10, N = 1500, N_UNKNOWNS = L * F + 1 };

typedef struct {
  char *folder, *student, *refitted, *split;
  CwkDevice *device;
  CwTrainer *teacher; /* with the student's encoders */
  float in[L * N * D], out[L * N * D];
  double a[L * F * N];
} Fixture;

static CwTrainer *
new_trainer(CwkDevice *device, int seed)
{
  g_autoptr(GError) error = NULL;
  CwTrainSettings settings;
  cw_train_settings_init(&settings, CW_RECIPE_CLT_FORGE);
  settings.d_latent = F;
  settings.batch = N;
  settings.normalise = false;
  settings.jumprelu_init_threshold = 0.3;
  settings.seed = seed;
  CwTrainer *trainer = cw_trainer_new(&settings, L, D, device, &error);
  g_assert_no_error(error);
  return trainer;
}

/* What the teacher's features are on the rows, and what it writes, plus noise. */
static void
run_teacher(Fixture *self, float noise)
{
  g_autoptr(GError) error = NULL;
  CwTrainWork *work = &self->teacher->work;
  TestRandom random = { 5 };
  for (int i = 0; i < L * N * D; i++)
    self->in[i] = 1.5f * test_random_float(&random);
  cw_trainer_load_batch(self->teacher, self->in, self->out);
  cw_train_work_forward(work, &error);
  g_assert_no_error(error);
  for (int l = 0; l < L; l++)
    for (int i = 0; i < F; i++)
      for (int64_t e = work->entries[l].first[i]; e < work->entries[l].first[i + 1]; e++)
        self->a[(l * F + i) * N + work->entries[l].token[e]] =
            (double)work->entries[l].value[e];
  for (int l = 0; l < L; l++)
    for (int b = 0; b < N; b++)
      for (int j = 0; j < D; j++)
        self->out[(l * N + b) * D + j] =
            work->prediction[(l * N + b) * CWK_TILE + j] + noise * test_random_float(&random);
}

static void
write_split(const Fixture *self)
{
  g_autoptr(GError) error = NULL;
  g_autofree float *in = g_new(float, L *N *D), *out = g_new(float, L *N *D);
  for (int l = 0; l < L; l++)
    for (int b = 0; b < N; b++)
      for (int j = 0; j < D; j++) {
        in[(b * L + l) * D + j] = self->in[(l * N + b) * D + j];
        out[(b * L + l) * D + j] = self->out[(l * N + b) * D + j];
      }
  const CwTensorOut tensors[] = { { "act_in", "F32", 3, { N, L, D }, in },
                                  { "act_out", "F32", 3, { N, L, D }, out } };
  cw_safetensors_write(self->split, tensors, G_N_ELEMENTS(tensors), NULL, &error);
  g_assert_no_error(error);
}

/* The student has the teacher's encoders and decoders of its own. */
static void
write_student(const Fixture *self)
{
  g_autoptr(GError) error = NULL;
  CwTrainer *student = new_trainer(self->device, 2);
  const CwParameters *from = &self->teacher->parameters;
  CwParameters *to = &student->parameters;
  size_t n_bytes = (size_t)(L * F * cw_parameters_padded_width(from)) * sizeof(float);
  memcpy(to->encoder.value, from->encoder.value, n_bytes);
  memcpy(to->bias.value, from->bias.value, L * F * sizeof(float));
  const CwTrainOrigin origin = { .model_name = "teacher" };
  cw_trainer_export(student, &origin, self->student, &error);
  g_assert_no_error(error);
  cw_trainer_free(student);
}

static Fixture *
set_up(float noise)
{
  Fixture *self = g_new0(Fixture, 1);
  self->folder = test_temp_dir();
  self->student = g_build_filename(self->folder, "student", NULL);
  self->refitted = g_build_filename(self->folder, "refitted", NULL);
  self->split = g_build_filename(self->folder, "split.safetensors", NULL);
  self->device = cwk_cpu_new(2);
  self->teacher = new_trainer(self->device, 1);
  TestRandom random = { 9 };
  CwParameters *p = &self->teacher->parameters;
  for (int i = 0; i < L * F; i++)
    p->bias.value[i] = 0.2f * test_random_float(&random);
  for (int l = 0; l < L; l++)
    for (int j = 0; j < D; j++)
      p->decoder_bias.value[l * CWK_TILE + j] = test_random_float(&random);
  run_teacher(self, noise);
  write_split(self);
  write_student(self);
  return self;
}

static void
tear_down(Fixture *self)
{
  cw_trainer_free(self->teacher);
  cwk_device_free(self->device);
  g_free(self->student);
  g_free(self->refitted);
  g_free(self->split);
  g_free(self->folder);
  g_free(self);
}

/* Refits the student; its parameters after it, of a trainer to be freed. */
static CwTrainer *
refit(Fixture *self, CwRefitOptions options, CwRefitResult *result)
{
  g_autoptr(GError) error = NULL;
  options.batch = N / 3;
  options.eval_tokens = N;
  options.device = self->device;
  options.n_iterations = 300;
  g_autoptr(CwTranscoder) student = cw_transcoder_open(self->student, &error);
  g_assert_no_error(error);
  g_autoptr(CwActivations) activations = cw_activations_open(self->split, &error);
  g_assert_no_error(error);
  cw_transcoder_refit(student, activations, &options, self->refitted, result, &error);
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) refitted = cw_transcoder_open(self->refitted, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(cw_transcoder_peek_config(refitted)->scan, ==, "refitted");
  CwTrainer *after = new_trainer(self->device, 3);
  cw_trainer_take_transcoder(after, refitted, &error);
  g_assert_no_error(error);
  return after;
}

static double
square_error(Fixture *self, CwTrainer *trainer)
{
  g_autoptr(GError) error = NULL;
  CwTrainStep step;
  cw_trainer_measure(trainer, self->in, self->out, &step, &error);
  g_assert_no_error(error);
  return step.mse;
}

static void
test_finds_teacher(void)
{
  Fixture *self = set_up(0);
  CwRefitResult result;
  CwTrainer *after = refit(self, (CwRefitOptions){ .keep_rows = 1 }, &result);
  g_assert_cmpint(result.n_tokens, ==, N);
  g_assert_cmpint(result.n_kept, ==, result.n_rows);
  float row[D], expected[D];
  for (int l = 0; l < L; l++)
    for (int to = 0; to < L - l; to++)
      for (int i = 0; i < F; i++) {
        const CwParameters *p = &self->teacher->parameters;
        cw_parameters_read_row(p, p->decoder.value, l, i, to, expected);
        cw_parameters_read_row(&after->parameters, after->parameters.decoder.value, l, i, to,
                               row);
        for (int j = 0; j < D; j++)
          g_assert_cmpfloat_with_epsilon((double)row[j], (double)expected[j], 2e-3);
      }
  for (int l = 0; l < L; l++)
    for (int j = 0; j < D; j++)
      g_assert_cmpfloat_with_epsilon(
          (double)after->parameters.decoder_bias.value[l * CWK_TILE + j],
          (double)self->teacher->parameters.decoder_bias.value[l * CWK_TILE + j], 2e-3);
  cw_trainer_free(after);
  tear_down(self);
}

/* ---- the normal equations in double, by elimination ---------------------------------------
 */

static double
entry_a(const Fixture *self, int unknown, int b)
{
  return unknown == L * F ? 1 : self->a[unknown * N + b];
}

static void
eliminate(double *matrix, double *right, int n)
{
  for (int k = 0; k < n; k++)
    for (int i = k + 1; i < n; i++) {
      double factor = matrix[i * n + k] / matrix[k * n + k];
      for (int j = k; j < n; j++)
        matrix[i * n + j] -= factor * matrix[k * n + j];
      right[i] -= factor * right[k];
    }
  for (int k = n - 1; k >= 0; k--) {
    for (int j = k + 1; j < n; j++)
      right[k] -= matrix[k * n + j] * right[j];
    right[k] /= matrix[k * n + k];
  }
}

/* Column j of the last target, which all features write to; before is the student's. */
static void
solve_column(const Fixture *self, const CwTrainer *before, double prior, int j,
             double *solution)
{
  double *matrix = g_new0(double, N_UNKNOWNS *N_UNKNOWNS);
  const CwParameters *p = &before->parameters;
  float row[D];
  for (int x = 0; x < N_UNKNOWNS; x++) {
    int count = 0;
    solution[x] = 0;
    for (int b = 0; b < N; b++) {
      count += entry_a(self, x, b) > 0;
      solution[x] += entry_a(self, x, b) * (double)self->out[((L - 1) * N + b) * D + j];
      for (int y = 0; y < N_UNKNOWNS; y++)
        matrix[x * N_UNKNOWNS + y] += entry_a(self, x, b) * entry_a(self, y, b);
    }
    if (x == L * F)
      continue;
    double weight = prior / count * matrix[x * N_UNKNOWNS + x];
    cw_parameters_read_row(p, p->decoder.value, x / F, x % F, L - 1 - x / F, row);
    matrix[x * N_UNKNOWNS + x] += weight;
    solution[x] += weight * (double)row[j];
  }
  eliminate(matrix, solution, N_UNKNOWNS);
  g_free(matrix);
}

static void
test_normal_equations(void)
{
  Fixture *self = set_up(1.0f);
  CwRefitResult result;
  const double prior = 25;
  CwTrainer *after =
      refit(self, (CwRefitOptions){ .keep_rows = 1, .prior_tokens = prior }, &result);
  CwTrainer *before = new_trainer(self->device, 2);
  const CwParameters *p = &after->parameters;
  double expected[N_UNKNOWNS];
  float row[D];
  for (int j = 0; j < D; j++) {
    solve_column(self, before, prior, j, expected);
    for (int x = 0; x < L * F; x++) {
      cw_parameters_read_row(p, p->decoder.value, x / F, x % F, L - 1 - x / F, row);
      g_assert_cmpfloat_with_epsilon((double)row[j], expected[x], 2e-3);
    }
    g_assert_cmpfloat_with_epsilon((double)p->decoder_bias.value[(L - 1) * CWK_TILE + j],
                                   expected[L * F], 2e-3);
  }
  cw_trainer_free(before);
  cw_trainer_free(after);
  tear_down(self);
}

static void
test_makes_up_for_rows(void)
{
  Fixture *self = set_up(0.3f);
  CwRefitResult result;
  CwTrainer *after = refit(self, (CwRefitOptions){ .keep_rows = 0.5 }, &result);
  CwTrainer *blanked = new_trainer(self->device, 2);
  CwParameters *p = &blanked->parameters;
  memcpy(p->encoder.value, self->teacher->parameters.encoder.value,
         (size_t)(L * F * cw_parameters_padded_width(p)) * sizeof(float));
  memcpy(p->bias.value, self->teacher->parameters.bias.value, L * F * sizeof(float));
  float row[D], blank[D] = { 0 };
  int n_blank = 0;
  for (int l = 0; l < L; l++)
    for (int i = 0; i < F; i++)
      for (int to = 0; to < L - l; to++) {
        cw_parameters_read_row(&after->parameters, after->parameters.decoder.value, l, i, to,
                               row);
        if (memcmp(row, blank, sizeof row) != 0)
          continue;
        n_blank++;
        cw_parameters_write_row(p, p->decoder.value, l, i, to, blank);
      }
  g_assert_cmpint(result.n_rows, ==, F * 6);
  g_assert_cmpint(result.n_kept, ==, F * 3);
  g_assert_cmpint(n_blank, ==, F * 3);
  g_assert_cmpfloat(square_error(self, after), <, 0.9 * square_error(self, blanked));
  cw_trainer_free(blanked);
  cw_trainer_free(after);
  tear_down(self);
}

static void
test_refuses_other_shapes(void)
{
  Fixture *self = set_up(0);
  g_autoptr(GError) error = NULL;
  CwRefitResult result;
  float other[2 * L * (D + 1)] = { 0 };
  const CwTensorOut tensors[] = { { "act_in", "F32", 3, { 2, L, D + 1 }, other },
                                  { "act_out", "F32", 3, { 2, L, D + 1 }, other } };
  cw_safetensors_write(self->split, tensors, G_N_ELEMENTS(tensors), NULL, &error);
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) student = cw_transcoder_open(self->student, &error);
  g_autoptr(CwActivations) activations = cw_activations_open(self->split, &error);
  const CwRefitOptions options = {
    .keep_rows = 1, .batch = 2, .n_iterations = 1, .eval_tokens = 2, .device = self->device
  };
  g_assert_false(
      cw_transcoder_refit(student, activations, &options, self->refitted, &result, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_assert_nonnull(strstr(error->message, "width"));
  g_assert_false(g_file_test(self->refitted, G_FILE_TEST_EXISTS));
  tear_down(self);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/refit/finds-a-teacher's-decoders", test_finds_teacher);
  g_test_add_func("/core/refit/solves-the-normal-equations", test_normal_equations);
  g_test_add_func("/core/refit/makes-up-for-dropped-rows", test_makes_up_for_rows);
  g_test_add_func("/core/refit/refuses-other-shapes", test_refuses_other_shapes);
  return g_test_run();
}
