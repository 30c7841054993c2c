/* test-cache-store.c - caches: values within the error, order, resuming, damage, full disks. */
#include "cw-activations.h"
#include "test-random.h"
#include "test-support.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Wide enough for more than one frame a batch: 2 MiB / (2 x 3 x 1031) = 339 rows in i8. */
enum { N_LAYERS = 3, WIDTH = 1031, BATCH_ROWS = 500, N_BATCHES = 3 };

static const CwCacheOptions usual = { .n_layers = N_LAYERS,
                                      .width = WIDTH,
                                      .model_name = "a model",
                                      .model_hash = "0123",
                                      .input_hook = "in",
                                      .output_hook = "out",
                                      .context_tokens = 20,
                                      .codec = CW_CODEC_INT8,
                                      .seed = 5,
                                      .settings_json = (char *)"{\"context\":20}" };

typedef struct {
  float *in, *out; /* [L, n, D] */
  int32_t tokens[BATCH_ROWS], documents[BATCH_ROWS], positions[BATCH_ROWS];
} Batch;

/* About normal, layer l on a scale of 10^l; one value of layer 1's outputs is 574 times the
 * usual, and dimension 7 of its inputs is 60 times as large in every row. */
static float *
make_side(int64_t number, bool is_output)
{
  TestRandom random = { (uint64_t)(number * 2 + is_output + 1) };
  float *values = g_new(float, N_LAYERS *BATCH_ROWS *WIDTH);
  for (int64_t i = 0; i < N_LAYERS * BATCH_ROWS * WIDTH; i++) {
    float sum =
        test_random_float(&random) + test_random_float(&random) + test_random_float(&random);
    int64_t layer = i / (BATCH_ROWS * WIDTH);
    values[i] = sum * (layer == 0 ? 1.0f : layer == 1 ? 10.0f : 100.0f);
    if (layer == 1 && !is_output && i % WIDTH == 7)
      values[i] *= 60;
  }
  if (is_output)
    values[BATCH_ROWS * WIDTH + 17 * WIDTH + 5] = 5740;
  return values;
}

static void
batch_init(Batch *batch, int64_t number)
{
  batch->in = make_side(number, false);
  batch->out = make_side(number, true);
  for (int32_t r = 0; r < BATCH_ROWS; r++) {
    int32_t row = (int32_t)number * BATCH_ROWS + r;
    batch->tokens[r] = row * 3;
    batch->documents[r] = row / 20;
    batch->positions[r] = row % 20;
  }
}

static void
batch_clear(Batch *batch)
{
  g_free(batch->in);
  g_free(batch->out);
}

static bool
append(CwCacheWriter *writer, CwkDevice *device, int64_t number, GError **error)
{
  Batch batch;
  batch_init(&batch, number);
  bool is_done = cw_cache_writer_append(writer, device, batch.in, batch.out, batch.tokens,
                                        batch.documents, batch.positions, BATCH_ROWS, error);
  batch_clear(&batch);
  return is_done;
}

static void
write_cache(const char *folder, const CwCacheOptions *options, CwkDevice *device)
{
  g_autoptr(GError) error = NULL;
  CwCacheWriter *writer = cw_cache_writer_begin(folder, options, false, &error);
  g_assert_no_error(error);
  for (int64_t i = 0; i < N_BATCHES; i++)
    g_assert_true(append(writer, device, i, &error));
  g_assert_true(cw_cache_writer_finish(writer, &error));
  g_assert_no_error(error);
}

typedef struct {
  char *folder, *cache;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->folder = test_temp_dir();
  fixture->cache = g_build_filename(fixture->folder, "cache", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  test_remove_tree(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->cache);
}

static CwActivations *
open_cache(const char *path)
{
  g_autoptr(GError) error = NULL;
  CwActivations *activations = cw_activations_open(path, &error);
  g_assert_no_error(error);
  return activations;
}

/* ---- values ----------------------------------------------------------------------------- */

typedef struct {
  double energy[2][N_LAYERS], error[2][N_LAYERS];
} Loss;

/* What the cache lost of every value, row by row through the places. */
static void
measure_loss(CwActivations *activations, Loss *loss)
{
  const int64_t n = N_BATCHES * BATCH_ROWS;
  g_autofree float *in = g_new(float, N_LAYERS *n *WIDTH);
  g_autofree float *out = g_new(float, N_LAYERS *n *WIDTH);
  g_autofree int32_t *tokens = g_new(int32_t, n);
  g_autoptr(GError) error = NULL;
  g_assert_true(cw_activations_read(activations, 0, n, in, out, tokens, &error));
  g_assert_no_error(error);
  memset(loss, 0, sizeof *loss);
  Batch batches[N_BATCHES];
  for (int64_t i = 0; i < N_BATCHES; i++)
    batch_init(&batches[i], i);
  for (int64_t r = 0; r < n; r++) {
    const Batch *batch = &batches[tokens[r] / 3 / BATCH_ROWS];
    int64_t row = tokens[r] / 3 % BATCH_ROWS;
    for (int side = 0; side < 2; side++)
      for (int64_t l = 0; l < N_LAYERS; l++)
        for (int64_t d = 0; d < WIDTH; d++) {
          const float *from = side == 0 ? batch->in : batch->out;
          double value = (double)from[(l * BATCH_ROWS + row) * WIDTH + d];
          double miss = value - (double)(side == 0 ? in : out)[(l * n + r) * WIDTH + d];
          loss->energy[side][l] += value * value;
          loss->error[side][l] += miss * miss;
        }
  }
  for (int64_t i = 0; i < N_BATCHES; i++)
    batch_clear(&batches[i]);
}

static void
loses_no_more_than_asked(Fixture *fixture, gconstpointer data)
{
  static const struct {
    CwCodec codec;
    double asked, most;
  } cases[] = {
    { CW_CODEC_INT8, 0, 0.003 },
    { CW_CODEC_INT8, 0.0005, 0.00055 },
    { CW_CODEC_INT4, 0, 0.02 },
    { CW_CODEC_NONE, 0, 0x1p-22 }, /* rounding to 11 bits loses less than 2^-11 of a value */
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("%s-%zu", fixture->cache, i);
    CwCacheOptions options = usual;
    options.codec = cases[i].codec;
    options.target_error = cases[i].asked;
    write_cache(path, &options, NULL);
    g_autoptr(CwActivations) activations = open_cache(path);
    Loss loss;
    measure_loss(activations, &loss);
    for (int side = 0; side < 2; side++)
      for (int64_t l = 0; l < N_LAYERS; l++) {
        g_assert_cmpfloat(loss.error[side][l], >, 0);
        g_assert_cmpfloat(loss.error[side][l] / loss.energy[side][l], <, cases[i].most);
      }
    /* The outlier of layer 1 is kept as it is: of the others' energy alone no more is lost. */
    double others = loss.energy[1][1] - N_BATCHES * 5740.0 * 5740.0;
    g_assert_cmpfloat(loss.error[1][1] / others, <, cases[i].most);
  }
}

static void
says_what_it_is(Fixture *fixture, gconstpointer data)
{
  write_cache(fixture->cache, &usual, NULL);
  g_autoptr(CwActivations) activations = open_cache(fixture->cache);
  const CwActivationsConfig *config = cw_activations_peek_config(activations);
  g_assert_cmpint(config->n_rows, ==, N_BATCHES * BATCH_ROWS);
  g_assert_cmpint(config->n_layers, ==, N_LAYERS);
  g_assert_cmpint(config->width, ==, WIDTH);
  g_assert_cmpstr(config->model_hash, ==, "0123");
  g_assert_cmpstr(config->input_hook, ==, "in");
  g_assert_cmpstr(config->format, ==, "clew-cache");
  g_assert_cmpstr(config->codec, ==, "int8");
  g_assert_cmpint((int)strlen(cw_activations_get_hash(activations)), ==, 64);
  g_autoptr(GError) error = NULL;
  g_assert_true(cw_activations_verify(activations, NULL, NULL, &error));
  g_assert_no_error(error);
}

/* Documents and places come back with their tokens, all rows once, batches mixed. */
static void
keeps_places(Fixture *fixture, gconstpointer data)
{
  write_cache(fixture->cache, &usual, NULL);
  g_autoptr(CwActivations) activations = open_cache(fixture->cache);
  enum { N = N_BATCHES * BATCH_ROWS };
  int32_t tokens[N];
  int64_t documents[N], places[N];
  bool is_seen[N] = { false };
  g_assert_true(cw_activations_read(activations, 0, N, NULL, NULL, tokens, NULL));
  g_assert_true(cw_activations_read_places(activations, 0, N, documents, places, NULL));
  int n_in_place = 0;
  for (int r = 0; r < N; r++) {
    int row = tokens[r] / 3;
    g_assert_false(is_seen[row]);
    is_seen[row] = true;
    n_in_place += row == r;
    g_assert_cmpint(documents[r], ==, row / 20);
    g_assert_cmpint(places[r], ==, row % 20);
  }
  g_assert_cmpint(n_in_place, <, 20); /* 3 are expected by chance */
}

/* ---- held out --------------------------------------------------------------------------- */

static void
holds_out_documents(Fixture *fixture, gconstpointer data)
{
  CwCacheOptions options = usual;
  options.held_out_fraction = 0.3;
  write_cache(fixture->cache, &options, NULL);
  g_autoptr(CwActivations) activations = open_cache(fixture->cache);
  CwStreamOptions stream_options = {
    .batch_tokens = 20, .is_shuffled = true, .held_out_fraction = 0.3, .part = CW_ROWS_HELD_OUT
  };
  g_autoptr(CwActivationStream) held_out =
      cw_activation_stream_new(activations, &stream_options, NULL);
  stream_options.part = CW_ROWS_TRAINING;
  g_autoptr(CwActivationStream) training =
      cw_activation_stream_new(activations, &stream_options, NULL);
  int64_t n_held = cw_activation_stream_get_pass_rows(held_out);
  int64_t n_training = cw_activation_stream_get_pass_rows(training);
  g_assert_cmpint(n_held, >, 0);
  g_assert_cmpint(n_held % 20, ==, 0); /* whole documents */
  g_assert_cmpint(n_held + n_training, ==, N_BATCHES * BATCH_ROWS);
}

/* ---- the same bytes --------------------------------------------------------------------- */

static char *
hash_of(const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_autofree char *bytes = NULL;
  gsize n;
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, n);
}

static void
check_same(const char *a, const char *b)
{
  static const char *const names[] = { "frames-0000.bin", "frames-0000.index",
                                       "manifest.json" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *first = hash_of(a, names[i]), *second = hash_of(b, names[i]);
    g_assert_cmpstr(first, ==, second);
  }
}

static void
does_not_depend_on_threads(Fixture *fixture, gconstpointer data)
{
  CwkDevice *device = cwk_cpu_new(3);
  g_autofree char *other = g_build_filename(fixture->folder, "other", NULL);
  write_cache(fixture->cache, &usual, NULL);
  write_cache(other, &usual, device);
  cwk_device_free(device);
  check_same(fixture->cache, other);
}

/* A run may be taken up on another machine. */
static void
does_not_depend_on_instructions(Fixture *fixture, gconstpointer data)
{
  g_autofree char *other = g_build_filename(fixture->folder, "other", NULL);
  g_autofree char *usual_isa = g_strdup(g_getenv("CLEW_ISA"));
  write_cache(fixture->cache, &usual, NULL);
  g_setenv("CLEW_ISA", "baseline", TRUE);
  write_cache(other, &usual, NULL);
  if (usual_isa != NULL)
    g_setenv("CLEW_ISA", usual_isa, TRUE);
  else
    g_unsetenv("CLEW_ISA");
  check_same(fixture->cache, other);
}

/* Stopped behind every batch, with `n_torn` bytes of the next one already in the file. */
static void
resumes_to_the_same_bytes(Fixture *fixture, gconstpointer data)
{
  static const off_t torn[] = { 0, 1, 63, 64, 700, 100000 };
  write_cache(fixture->cache, &usual, NULL);
  for (size_t t = 0; t < G_N_ELEMENTS(torn); t++) {
    g_autofree char *path = g_strdup_printf("%s-torn-%zu", fixture->cache, t);
    g_autofree char *frames = g_build_filename(path, "frames-0000.bin", NULL);
    g_autoptr(GError) error = NULL;
    int64_t n_done = 0;
    for (int64_t run = 0; run <= N_BATCHES; run++) {
      CwCacheWriter *writer = cw_cache_writer_begin(path, &usual, run > 0, &error);
      g_assert_no_error(error);
      g_assert_cmpint(cw_cache_writer_get_n_batches(writer), ==, n_done);
      if (n_done == N_BATCHES) {
        g_assert_true(cw_cache_writer_finish(writer, &error));
        break;
      }
      GStatBuf before;
      g_assert_cmpint(g_stat(frames, &before), ==, 0);
      g_assert_true(append(writer, NULL, n_done, &error));
      cw_cache_writer_discard(writer);
      /* The second run is stopped in the middle of its batch. */
      if (run == 1)
        g_assert_cmpint(truncate(frames, before.st_size + torn[t]), ==, 0);
      n_done += run != 1;
      if (run == 1 && n_done == 1) { /* take it up once more */
        writer = cw_cache_writer_begin(path, &usual, true, &error);
        g_assert_no_error(error);
        g_assert_cmpint(cw_cache_writer_get_n_batches(writer), ==, 1);
        g_assert_true(append(writer, NULL, 1, &error));
        cw_cache_writer_discard(writer);
        n_done = 2;
      }
    }
    check_same(fixture->cache, path);
  }
}

/* The file of a model may be called otherwise now: its hash says that it is the same. */
static void
resumes_under_another_name(Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_strconcat(fixture->cache, "-renamed", NULL);
  g_autoptr(GError) error = NULL;
  CwCacheOptions other = usual;
  write_cache(fixture->cache, &usual, NULL);
  CwCacheWriter *writer = cw_cache_writer_begin(path, &usual, false, &error);
  g_assert_no_error(error);
  g_assert_true(append(writer, NULL, 0, &error));
  cw_cache_writer_discard(writer);
  other.model_name = "the same model";
  other.model_hash = "4567";
  g_assert_null(cw_cache_writer_begin(path, &other, true, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_assert_nonnull(strstr(error->message, "model"));
  g_clear_error(&error);
  other.model_hash = usual.model_hash;
  writer = cw_cache_writer_begin(path, &other, true, &error);
  g_assert_no_error(error);
  for (int64_t b = 1; b < N_BATCHES; b++)
    g_assert_true(append(writer, NULL, b, &error));
  g_assert_true(cw_cache_writer_finish(writer, &error));
  check_same(fixture->cache, path);
}

static void
refuses_to_resume_otherwise(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  CwCacheWriter *writer = cw_cache_writer_begin(fixture->cache, &usual, false, &error);
  g_assert_true(append(writer, NULL, 0, &error));
  cw_cache_writer_discard(writer);
  g_assert_null(cw_activations_open(fixture->cache, &error));
  g_assert_nonnull(strstr(error->message, "unfinished"));
  g_clear_error(&error);
  g_assert_null(cw_cache_writer_begin(fixture->cache, &usual, false, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_clear_error(&error);
  CwCacheOptions other = usual;
  other.codec = CW_CODEC_INT4;
  g_assert_null(cw_cache_writer_begin(fixture->cache, &other, true, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_assert_nonnull(strstr(error->message, "codec"));
  g_clear_error(&error);
  other = usual;
  other.settings_json = (char *)"{\"context\":21}";
  g_assert_null(cw_cache_writer_begin(fixture->cache, &other, true, &error));
  g_assert_nonnull(strstr(error->message, "settings"));
}

/* ---- damage ----------------------------------------------------------------------------- */

static void
flip(const char *path, int64_t at)
{
  int fd = g_open(path, O_RDWR, 0);
  char byte;
  g_assert_cmpint(pread(fd, &byte, 1, at), ==, 1);
  byte ^= 0x10;
  g_assert_cmpint(pwrite(fd, &byte, 1, at), ==, 1);
  close(fd);
}

/* Opening or verifying must fail, naming the file. */
static void
expect_damage(const char *cache, const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) activations = cw_activations_open(cache, &error);
  if (activations != NULL)
    g_assert_false(cw_activations_verify(activations, NULL, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, path));
}

static void
finds_every_flipped_byte(Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "frames-0000.bin", "frames-0000.index" };
  write_cache(fixture->cache, &usual, NULL);
  for (size_t f = 0; f < G_N_ELEMENTS(names); f++) {
    g_autofree char *path = g_build_filename(fixture->cache, names[f], NULL);
    GStatBuf info;
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    /* Everywhere in the heads, then in steps that meet frames' beginnings, middles and ends. */
    int64_t step = info.st_size / 30 + 1;
    for (int64_t at = 0; at < info.st_size; at += at < 200 ? 11 : step) {
      flip(path, at);
      expect_damage(fixture->cache, path);
      flip(path, at);
    }
  }
}

static void
names_the_damaged_frame(Fixture *fixture, gconstpointer data)
{
  write_cache(fixture->cache, &usual, NULL);
  g_autofree char *path = g_build_filename(fixture->cache, "frames-0000.bin", NULL);
  GStatBuf info;
  g_assert_cmpint(g_stat(path, &info), ==, 0);
  flip(path, info.st_size - 1000);
  g_autoptr(CwActivations) activations = open_cache(fixture->cache);
  g_autoptr(GError) error = NULL;
  float *in = g_new(float, N_LAYERS *WIDTH);
  g_assert_true(cw_activations_read(activations, 0, 1, in, NULL, NULL, &error));
  g_assert_false(
      cw_activations_read(activations, N_BATCHES * BATCH_ROWS - 1, 1, in, NULL, NULL, &error));
  g_free(in);
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "the body of frame 5"));
  g_assert_nonnull(strstr(error->message, "at byte"));
}

static void
refuses_shortened_files(Fixture *fixture, gconstpointer data)
{
  write_cache(fixture->cache, &usual, NULL);
  g_autofree char *path = g_build_filename(fixture->cache, "frames-0000.bin", NULL);
  GStatBuf info;
  g_assert_cmpint(g_stat(path, &info), ==, 0);
  g_assert_cmpint(truncate(path, info.st_size - 1), ==, 0);
  expect_damage(fixture->cache, path);
}

/* The file may not grow further, as on a full disk: the error names it, what was whole stays,
 * and with room again the run is taken up. */
static void
survives_a_full_disk(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *whole = g_build_filename(fixture->folder, "whole", NULL);
  write_cache(whole, &usual, NULL);
  CwCacheWriter *writer = cw_cache_writer_begin(fixture->cache, &usual, false, &error);
  g_assert_true(append(writer, NULL, 0, &error));
  g_autofree char *path = g_build_filename(fixture->cache, "frames-0000.bin", NULL);
  GStatBuf info;
  g_assert_cmpint(g_stat(path, &info), ==, 0);
  struct rlimit old, small;
  g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
  signal(SIGXFSZ, SIG_IGN);
  small = (struct rlimit){ (rlim_t)info.st_size + 5000, old.rlim_max };
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  bool is_done = append(writer, NULL, 1, &error);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
  g_assert_false(is_done);
  g_assert_error(error, CW_ERROR, CW_ERROR_IO);
  g_assert_nonnull(strstr(error->message, path));
  g_clear_error(&error);
  g_assert_false(cw_cache_writer_finish(writer, &error));
  g_clear_error(&error);
  writer = cw_cache_writer_begin(fixture->cache, &usual, true, &error);
  g_assert_no_error(error);
  g_assert_cmpint(cw_cache_writer_get_n_batches(writer), ==, 1);
  for (int64_t i = 1; i < N_BATCHES; i++)
    g_assert_true(append(writer, NULL, i, &error));
  g_assert_true(cw_cache_writer_finish(writer, &error));
  check_same(whole, fixture->cache);
}

static void
refuses_values_that_are_not_finite(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwCacheWriter) writer =
      cw_cache_writer_begin(fixture->cache, &usual, false, &error);
  Batch batch;
  batch_init(&batch, 0);
  batch.out[2 * BATCH_ROWS * WIDTH + 3 * WIDTH + WIDTH - 1] = NAN;
  g_assert_false(cw_cache_writer_append(writer, NULL, batch.in, batch.out, batch.tokens,
                                        batch.documents, batch.positions, BATCH_ROWS, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "output of layer 2"));
  batch_clear(&batch);
}

/* ---- joining, streaming ----------------------------------------------------------------- */

static void
joins_parts(Fixture *fixture, gconstpointer data)
{
  g_autofree char *first = g_build_filename(fixture->folder, "first", NULL);
  g_autofree char *second = g_build_filename(fixture->folder, "second", NULL);
  g_autofree char *third = g_build_filename(fixture->folder, "third", NULL);
  CwCacheOptions options = usual;
  write_cache(first, &options, NULL);
  write_cache(second, &options, NULL);
  options.input_hook = "another";
  write_cache(third, &options, NULL);
  g_autoptr(GError) error = NULL;
  const char *const bad[] = { first, third }, *const good[] = { first, second };
  g_assert_false(cw_cache_join(bad, 2, fixture->cache, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_assert_nonnull(strstr(error->message, "input_hook"));
  g_clear_error(&error);
  g_assert_true(cw_cache_join(good, 2, fixture->cache, &error));
  g_assert_no_error(error);
  test_remove_tree(first);
  g_autoptr(CwActivations) activations = open_cache(fixture->cache);
  const int64_t n = N_BATCHES * BATCH_ROWS;
  g_assert_cmpint(cw_activations_peek_config(activations)->n_rows, ==, 2 * n);
  g_assert_true(cw_activations_verify(activations, NULL, NULL, &error));
  int32_t a[2], b[2];
  g_assert_true(cw_activations_read(activations, 10, 2, NULL, NULL, a, NULL));
  g_assert_true(cw_activations_read(activations, n + 10, 2, NULL, NULL, b, NULL));
  g_assert_cmpmem(a, sizeof a, b, sizeof b);
}

/* A pass has each row once (told by its values), and seeking gives the same batches. */
static void
streams_every_row_once(Fixture *fixture, gconstpointer data)
{
  write_cache(fixture->cache, &usual, NULL);
  g_autoptr(CwActivations) activations = open_cache(fixture->cache);
  enum { B = 100, N = N_BATCHES * BATCH_ROWS, FLOATS = N_LAYERS * B * WIDTH };
  CwStreamOptions options = {
    .batch_tokens = B, .is_shuffled = true, .seed = 2, .has_prefetch = true, .n_threads = 2
  };
  g_autoptr(CwActivationStream) stream = cw_activation_stream_new(activations, &options, NULL);
  g_autofree float *in = g_new(float, FLOATS), *out = g_new(float, FLOATS);
  g_autofree float *seventh = NULL;
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int i = 0; i < N / B; i++) {
    g_assert_true(cw_activation_stream_next(stream, in, out, NULL, NULL));
    for (int64_t b = 0; b < B; b++) {
      char *key = g_compute_checksum_for_data(G_CHECKSUM_MD5, (guchar *)(in + b * WIDTH),
                                              WIDTH * sizeof(float));
      g_assert_true(g_hash_table_add(seen, key));
    }
    if (i == 7)
      seventh = g_memdup2(out, FLOATS * sizeof *out);
  }
  g_assert_true(cw_activation_stream_seek(stream, 7, NULL));
  g_assert_true(cw_activation_stream_next(stream, in, out, NULL, NULL));
  g_assert_cmpmem(out, FLOATS * sizeof *out, seventh, FLOATS * sizeof *out);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define ADD(name, function) \
  g_test_add("/core/cache-store/" name, Fixture, NULL, set_up, function, tear_down)
  ADD("loses-no-more-than-asked", loses_no_more_than_asked);
  ADD("says-what-it-is", says_what_it_is);
  ADD("keeps-places", keeps_places);
  ADD("holds-out-documents", holds_out_documents);
  ADD("does-not-depend-on-threads", does_not_depend_on_threads);
  ADD("does-not-depend-on-instructions", does_not_depend_on_instructions);
  ADD("resumes-to-the-same-bytes", resumes_to_the_same_bytes);
  ADD("resumes-under-another-name", resumes_under_another_name);
  ADD("refuses-to-resume-otherwise", refuses_to_resume_otherwise);
  ADD("finds-every-flipped-byte", finds_every_flipped_byte);
  ADD("names-the-damaged-frame", names_the_damaged_frame);
  ADD("refuses-shortened-files", refuses_shortened_files);
  ADD("survives-a-full-disk", survives_a_full_disk);
  ADD("refuses-values-that-are-not-finite", refuses_values_that_are_not_finite);
  ADD("joins-parts", joins_parts);
  ADD("streams-every-row-once", streams_every_row_once);
  return g_test_run();
}
