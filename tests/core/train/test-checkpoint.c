/* test-checkpoint.c - the whole state of a run: written, read, damaged; other formats. */
#include <glib/gstdio.h>
#include <string.h>

#include "train/checkpoint.h"
#include "training-case.h"

typedef struct {
  TrainingCase training;
  char *folder, *path; /* of the checkpoint after two steps */
} Fixture;

static void
step(TrainingCase *training, int64_t n_steps)
{
  g_autoptr(GError) error = NULL;
  CwTrainStep result;
  for (int64_t i = 0; i < n_steps; i++) {
    training_case_load_batch(training, cw_trainer_get_step(training->trainer));
    cw_trainer_step(training->trainer, training->in, training->out, &result, &error);
    g_assert_no_error(error);
  }
}

static void
set_up(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  const CwCheckpointNote note = { 2, (char *)"data" };
  training_case_init(&self->training, data, 2);
  step(&self->training, 2);
  self->folder = test_temp_dir();
  cw_checkpoint_write(self->training.trainer, &note, self->folder, false, &error);
  g_assert_no_error(error);
  g_autoptr(GPtrArray) list = cw_checkpoint_list(self->folder);
  g_assert_cmpuint(list->len, ==, 1);
  self->path = g_strdup(list->pdata[0]);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
  training_case_clear(&self->training);
  test_remove_tree(self->folder);
  g_free(self->folder);
  g_free(self->path);
}

/* A trainer as the checkpoint says, or the error. */
static CwTrainer *
read_back(const Fixture *self, GError **error)
{
  CwTrainSettings settings;
  CwCheckpointNote note = { 0 };
  int64_t n_steps = 0;
  if (!cw_checkpoint_read_settings(self->path, &settings, &n_steps, error))
    return NULL;
  g_autoptr(CwTrainer) trainer = cw_trainer_new(&settings, settings.n_layers, settings.d_model,
                                                self->training.device, error);
  g_assert_nonnull(trainer);
  bool is_read = cw_checkpoint_read(trainer, &note, self->path, error);
  if (is_read) {
    g_assert_cmpint(note.stream_position, ==, 2);
    g_assert_cmpstr(note.data_hash, ==, "data");
    g_assert_cmpint(n_steps, ==, 2);
  }
  cw_checkpoint_note_clear(&note);
  return is_read ? g_steal_pointer(&trainer) : NULL;
}

static void
assert_same_bytes(const CwTrainer *a, const CwTrainer *b)
{
  const CwParameters *p = &a->parameters, *q = &b->parameters;
  size_t n = (size_t)(p->n_layers * p->n_features) * sizeof(float);
  size_t n_decoder = (size_t)cw_parameters_decoder_offset(p, p->n_layers) * sizeof(float);
  size_t n_encoder = n * (size_t)cw_parameters_padded_width(p);
  g_assert_cmpmem(p->encoder.value, n_encoder, q->encoder.value, n_encoder);
  g_assert_cmpmem(p->encoder.v, n_encoder, q->encoder.v, n_encoder);
  g_assert_cmpmem(p->decoder.value, n_decoder, q->decoder.value, n_decoder);
  g_assert_cmpmem(p->decoder.m, n_decoder, q->decoder.m, n_decoder);
  g_assert_cmpmem(p->log_threshold.value, n, q->log_threshold.value, n);
  g_assert_cmpmem(p->norm, n, q->norm, n);
  g_assert_cmpmem(p->silent_steps, 2 * n, q->silent_steps, 2 * n);
}

/* What is read goes on, byte for byte, as what was written. */
static void
test_goes_on(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTrainer) trainer = read_back(self, &error);
  g_assert_no_error(error);
  assert_same_bytes(self->training.trainer, trainer);
  step(&self->training, 3);
  CwTrainer *kept = self->training.trainer;
  self->training.trainer = trainer;
  step(&self->training, 3);
  self->training.trainer = kept;
  assert_same_bytes(kept, trainer);
}

/* Every region of every file, flipped by a bit, is named. */
static void
test_damage(Fixture *self, gconstpointer data)
{
  static const char *const names[] = { "state.safetensors", "checkpoint.json" };
  for (size_t k = 0; k < G_N_ELEMENTS(names); k++) {
    g_autofree char *path = g_build_filename(self->path, names[k], NULL);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    for (gsize at = 0; at < n; at += n / 97 + 1) {
      g_autoptr(GError) error = NULL;
      bytes[at] ^= 0x10;
      g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
      CwTrainer *trainer = read_back(self, &error);
      if (trainer != NULL || strstr(error->message, names[k]) == NULL)
        g_error("%s, byte %d flipped: %s", names[k], (int)at,
                error != NULL ? error->message : "read");
      bytes[at] ^= 0x10;
    }
    g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
  }
  g_autofree char *state = g_build_filename(self->path, names[0], NULL);
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(g_unlink(state), ==, 0);
  g_assert_null(read_back(self, &error));
  g_assert_nonnull(error);
}

/* The newest two stay, and those to be kept. */
static void
test_removes_old(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  const CwCheckpointNote note = { 0 };
  for (int i = 0; i < 4; i++) {
    step(&self->training, 1);
    cw_checkpoint_write(self->training.trainer, &note, self->folder, i == 0, &error);
    g_assert_no_error(error);
  }
  g_autoptr(GPtrArray) list = cw_checkpoint_list(self->folder);
  g_assert_cmpuint(list->len, ==, 3);
  g_assert_true(g_str_has_suffix(list->pdata[0], "checkpoint-000000006"));
  g_assert_true(g_str_has_suffix(list->pdata[1], "checkpoint-000000005"));
  g_assert_true(g_str_has_suffix(list->pdata[2], "checkpoint-000000003"));
}

/* The exported transcoder does what the trainer does; and CLT-Forge's form of it, the same. */
static void
test_export(Fixture *self, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  const CwTrainOrigin origin = { .model_name = "a \"model\"" };
  g_autofree char *folder = g_build_filename(self->folder, "transcoder", NULL);
  g_autofree char *forge = g_build_filename(self->folder, "forge", NULL);
  CwParameters *p = &self->training.trainer->parameters;
  for (int64_t l = 0; l < p->n_layers; l++) {
    p->scale_in[l] = 2;
    p->scale_out[l] = 0.5f;
  }
  cw_trainer_export(self->training.trainer, &origin, folder, &error);
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(folder, &error);
  g_assert_no_error(error);
  cw_transcoder_write_clt_forge(transcoder, forge, &error);
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) again = cw_transcoder_open(forge, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(cw_transcoder_peek_config(again)->model_name, ==, "a \"model\"");
  g_autoptr(CwTrainer) other = cw_trainer_new(&self->training.settings, p->n_layers, p->width,
                                              self->training.device, &error);
  g_assert_no_error(error);
  /* Powers of two: unfolding gives the same bits. */
  memcpy(other->parameters.scale_in, p->scale_in, (size_t)p->n_layers * sizeof(float));
  memcpy(other->parameters.scale_out, p->scale_out, (size_t)p->n_layers * sizeof(float));
  cw_trainer_take_transcoder(other, again, &error);
  g_assert_no_error(error);
  size_t n = (size_t)(p->n_layers * p->n_features);
  size_t n_decoder = (size_t)cw_parameters_decoder_offset(p, p->n_layers);
  g_assert_cmpfloat(
      test_max_difference(p->decoder.value, other->parameters.decoder.value, n_decoder), ==, 0);
  g_assert_cmpfloat(test_max_difference(p->bias.value, other->parameters.bias.value, n), ==, 0);
  /* A threshold goes through exp and log twice. */
  g_assert_cmpfloat(
      test_max_difference(p->log_threshold.value, other->parameters.log_threshold.value, n), <=,
      1e-6);
}

int
main(int argc, char **argv)
{
  static const char *const cases[] = { "clt", "plt" };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    static const struct {
      const char *name;
      void (*test)(Fixture *, gconstpointer);
    } tests[] = { { "goes-on", test_goes_on },
                  { "damage", test_damage },
                  { "removes-old", test_removes_old },
                  { "export", test_export } };
    for (size_t k = 0; k < G_N_ELEMENTS(tests); k++) {
      g_autofree char *path =
          g_strdup_printf("/core/checkpoint/%s/%s", cases[i], tests[k].name);
      g_test_add(path, Fixture, cases[i], set_up, tests[k].test, tear_down);
    }
  }
  return g_test_run();
}
