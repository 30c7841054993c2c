/* test-split-store.c - plain splits: rows, orders, batches that can be taken up anywhere. */
#include <math.h>
#include <string.h>

#include "cw-activations.h"
#include "test-support.h"

#define N_LAYERS 3
#define WIDTH    5

/* Row r, layer l, column d; exact in f32. */
static float
value(int64_t row, int64_t l, int64_t d, bool is_output)
{
  return (float)(row * 100 + l * 10 + d) + (is_output ? 0.5f : 0.0f);
}

static void
write_split(const char *folder, int64_t number, int64_t first, int64_t n)
{
  g_autofree float *in = g_new(float, (gsize)(n * N_LAYERS * WIDTH));
  g_autofree float *out = g_new(float, (gsize)(n * N_LAYERS * WIDTH));
  g_autofree int64_t *tokens = g_new(int64_t, (gsize)n);
  for (int64_t i = 0; i < n; i++) {
    tokens[i] = (first + i) * 7;
    for (int64_t k = 0; k < N_LAYERS * WIDTH; k++) {
      in[i * N_LAYERS * WIDTH + k] = value(first + i, k / WIDTH, k % WIDTH, false);
      out[i * N_LAYERS * WIDTH + k] = value(first + i, k / WIDTH, k % WIDTH, true);
    }
  }
  const CwTensorOut tensors[] = {
    { "tokens", "I64", 1, { n }, tokens },
    { "act_in", "F32", 3, { n, N_LAYERS, WIDTH }, in },
    { "act_out", "F32", 3, { n, N_LAYERS, WIDTH }, out },
  };
  g_autofree char *name =
      g_strdup_printf("activations_split_%" G_GINT64_FORMAT ".safetensors", number);
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_autoptr(GError) error = NULL;
  cw_safetensors_write(path, tensors, G_N_ELEMENTS(tensors), NULL, &error);
  g_assert_no_error(error);
}

/* Splits 0, 9 and 10, so that an order by letters would be the wrong one. */
static CwActivations *
open_three(char **folder)
{
  g_autoptr(GError) error = NULL;
  *folder = test_temp_dir();
  write_split(*folder, 0, 0, 700);
  write_split(*folder, 9, 700, 41);
  write_split(*folder, 10, 741, 259);
  CwActivations *activations = cw_activations_open(*folder, &error);
  g_assert_no_error(error);
  return activations;
}

static int64_t
row_of(const float *in, const float *out, int64_t b, int64_t n)
{
  int64_t row = (int64_t)in[b * WIDTH] / 100;
  for (int64_t l = 0; l < N_LAYERS; l++)
    for (int64_t d = 0; d < WIDTH; d++) {
      g_assert_cmpfloat(in[(l * n + b) * WIDTH + d], ==, value(row, l, d, false));
      g_assert_cmpfloat(out[(l * n + b) * WIDTH + d], ==, value(row, l, d, true));
    }
  return row;
}

static void
reads_rows_anywhere(void)
{
  g_autofree char *folder = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) activations = open_three(&folder);
  float in[50 * N_LAYERS * WIDTH], out[50 * N_LAYERS * WIDTH];
  int32_t tokens[50];
  g_assert_cmpint(cw_activations_peek_config(activations)->n_rows, ==, 1000);
  g_assert_cmpstr(cw_activations_peek_config(activations)->format, ==, "clt-forge-split");
  g_assert_true(cw_activations_read(activations, 695, 50, in, out, tokens, &error));
  g_assert_no_error(error);
  for (int64_t b = 0; b < 50; b++) {
    g_assert_cmpint(row_of(in, out, b, 50), ==, 695 + b);
    g_assert_cmpint(tokens[b], ==, (695 + b) * 7);
  }
  g_assert_false(cw_activations_read(activations, 980, 21, in, out, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  test_remove_tree(folder);
}

static CwActivationStream *
open_stream(CwActivations *activations, const CwStreamOptions *options)
{
  g_autoptr(GError) error = NULL;
  CwActivationStream *stream = cw_activation_stream_new(activations, options, &error);
  g_assert_no_error(error);
  return stream;
}

static void
next_rows(CwActivationStream *stream, int64_t n, int64_t *rows)
{
  g_autoptr(GError) error = NULL;
  g_autofree float *in = g_new(float, (gsize)(n * N_LAYERS * WIDTH));
  g_autofree float *out = g_new(float, (gsize)(n * N_LAYERS * WIDTH));
  cw_activation_stream_next(stream, in, out, NULL, &error);
  g_assert_no_error(error);
  for (int64_t b = 0; b < n; b++)
    rows[b] = row_of(in, out, b, n);
}

static void
keeps_order_and_carries_over(void)
{
  g_autofree char *folder = NULL;
  g_autoptr(CwActivations) activations = open_three(&folder);
  const CwStreamOptions options = { .batch_tokens = 300 };
  g_autoptr(CwActivationStream) stream = open_stream(activations, &options);
  int64_t rows[300];
  for (int64_t batch = 0; batch < 7; batch++) {
    next_rows(stream, 300, rows);
    for (int64_t b = 0; b < 300; b++)
      g_assert_cmpint(rows[b], ==, (batch * 300 + b) % 1000);
  }
  test_remove_tree(folder);
}

/* Each pass holds every row once, in an order of its own that mixes far rows. */
static void
shuffles_globally(void)
{
  g_autofree char *folder = NULL;
  g_autoptr(CwActivations) activations = open_three(&folder);
  const CwStreamOptions options = { .batch_tokens = 250, .is_shuffled = true, .seed = 3 };
  g_autoptr(CwActivationStream) stream = open_stream(activations, &options);
  int64_t passes[2][1000];
  for (int pass = 0; pass < 2; pass++) {
    int seen[1000] = { 0 };
    double jumps = 0;
    for (int batch = 0; batch < 4; batch++)
      next_rows(stream, 250, passes[pass] + 250 * batch);
    for (int i = 0; i < 1000; i++) {
      g_assert_cmpint(seen[passes[pass][i]]++, ==, 0);
      jumps += i > 0 ? fabs((double)(passes[pass][i] - passes[pass][i - 1])) : 0;
    }
    /* The mean distance of two numbers drawn at random below n is n / 3. */
    g_assert_cmpfloat(fabs(jumps / 999 - 1000.0 / 3), <, 30);
  }
  g_assert_cmpint(memcmp(passes[0], passes[1], sizeof passes[0]), !=, 0);
  test_remove_tree(folder);
}

/* The same batch, wherever the stream comes from and whoever makes it. */
static void
seeks_and_prefetches_alike(void)
{
  g_autofree char *folder = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) activations = open_three(&folder);
  CwStreamOptions options = { .batch_tokens = 170, .is_shuffled = true, .seed = 8 };
  g_autoptr(CwActivationStream) plain = open_stream(activations, &options);
  options.has_prefetch = true;
  options.n_threads = 2;
  g_autoptr(CwActivationStream) ahead = open_stream(activations, &options);
  int64_t walked[20][170], rows[170];
  for (int i = 0; i < 20; i++) {
    next_rows(plain, 170, walked[i]);
    next_rows(ahead, 170, rows);
    g_assert_cmpint(memcmp(rows, walked[i], sizeof rows), ==, 0);
  }
  const int64_t jumps[] = { 19, 0, 7, 6, 13 };
  for (size_t i = 0; i < G_N_ELEMENTS(jumps); i++) {
    CwActivationStream *streams[] = { plain, ahead };
    for (int k = 0; k < 2; k++) {
      g_assert_true(cw_activation_stream_seek(streams[k], jumps[i], &error));
      g_assert_cmpint(cw_activation_stream_get_position(streams[k]), ==, jumps[i]);
      next_rows(streams[k], 170, rows);
      g_assert_cmpint(memcmp(rows, walked[jumps[i]], sizeof rows), ==, 0);
    }
  }
  test_remove_tree(folder);
}

/* Training and held-out rows are apart, whole runs of 256, the same for every seed. */
static void
holds_out_whole_runs(void)
{
  g_autofree char *folder = NULL;
  g_autoptr(CwActivations) activations = open_three(&folder);
  int part_of_run[4] = { -1, -1, -1, -1 };
  for (uint64_t seed = 1; seed < 3; seed++) {
    int64_t n_all = 0;
    for (int part = CW_ROWS_TRAINING; part <= CW_ROWS_HELD_OUT; part++) {
      CwStreamOptions options = { .batch_tokens = 1,
                                  .is_shuffled = true,
                                  .seed = seed,
                                  .held_out_fraction = 0.5,
                                  .part = part };
      g_autoptr(CwActivationStream) stream = open_stream(activations, &options);
      int64_t n = cw_activation_stream_get_pass_rows(stream), row;
      n_all += n;
      for (int64_t i = 0; i < n; i++) {
        next_rows(stream, 1, &row);
        int *known = &part_of_run[row / 256];
        g_assert_true(*known == -1 || *known == part);
        *known = part;
      }
    }
    g_assert_cmpint(n_all, ==, 1000);
  }
  test_remove_tree(folder);
}

static void
refuses_what_does_not_fit(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autoptr(GError) error = NULL;
  g_assert_null(cw_activations_open(folder, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_clear_error(&error);
  write_split(folder, 0, 0, 3);
  const float other[2 * N_LAYERS * (WIDTH + 1)] = { 0 };
  const CwTensorOut tensors[] = {
    { "act_in", "F32", 3, { 2, N_LAYERS, WIDTH + 1 }, other },
    { "act_out", "F32", 3, { 2, N_LAYERS, WIDTH + 1 }, other },
  };
  g_autofree char *path = g_build_filename(folder, "activations_split_1.safetensors", NULL);
  g_assert_true(cw_safetensors_write(path, tensors, 2, NULL, &error));
  g_assert_null(cw_activations_open(folder, &error));
  g_assert_nonnull(error);
  g_assert_nonnull(strstr(error->message, "activations_split_1"));
  test_remove_tree(folder);
}

static void
reads_the_peers_own_file(void)
{
  g_autofree char *path = test_golden_path("training/clt/activations_split_0.safetensors");
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) activations = cw_activations_open(path, &error);
  g_assert_no_error(error);
  const CwActivationsConfig *config = cw_activations_peek_config(activations);
  g_assert_cmpint(config->n_rows * config->n_layers * config->width, >, 0);
  g_assert_cmpint(strlen(cw_activations_get_hash(activations)), ==, 64);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/split-store/reads-rows-anywhere", reads_rows_anywhere);
  g_test_add_func("/core/split-store/keeps-order-and-carries-over",
                  keeps_order_and_carries_over);
  g_test_add_func("/core/split-store/shuffles-globally", shuffles_globally);
  g_test_add_func("/core/split-store/seeks-and-prefetches-alike", seeks_and_prefetches_alike);
  g_test_add_func("/core/split-store/holds-out-whole-runs", holds_out_whole_runs);
  g_test_add_func("/core/split-store/refuses-what-does-not-fit", refuses_what_does_not_fit);
  g_test_add_func("/core/split-store/reads-the-peers-own-file", reads_the_peers_own_file);
  return g_test_run();
}
