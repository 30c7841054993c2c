/* test-collect.c - from token ids through a small model into a cache and back. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "model/forward.h"
#include "text-fixture.h"

static bool
collect(TextFixture *fixture, const char *output, CwCollectOptions options,
        CwCollectReport *report, GError **error)
{
  const char *const paths[] = { fixture->text, NULL };
  options.text.paths = paths;
  options.text.context_tokens = CONTEXT;
  if (options.batch_tokens == 0)
    options.batch_tokens = 60;
  return cw_activations_collect(fixture->model, fixture->device, &options, output, report, NULL,
                                NULL, error);
}

static CwActivations *
collect_and_open(TextFixture *fixture, const char *output, CwCollectOptions options)
{
  g_autoptr(GError) error = NULL;
  CwCollectReport report;
  collect(fixture, output, options, &report, &error);
  g_assert_no_error(error);
  CwActivations *activations = cw_activations_open(output, &error);
  g_assert_no_error(error);
  g_assert_cmpint(cw_activations_peek_config(activations)->n_rows, ==, report.n_rows);
  return activations;
}

/* ---- what is in the rows ---------------------------------------------------------------- */

/* The model's own pass over the window that a row is from. */
static CwForward *
run_window(TextFixture *fixture, int64_t document, int64_t place)
{
  int32_t ids[CONTEXT];
  int64_t first = place / CONTEXT * CONTEXT;
  int64_t n = MIN(text_fixture_length(document) - first, CONTEXT);
  for (int64_t i = 0; i < n; i++)
    ids[i] = text_fixture_token(document, first + i, fixture->n_vocabulary);
  return fixture_run(fixture->model, fixture->device, ids, (size_t)n, CW_FORWARD_TAPS);
}

/* Every row of every document once, and relative errors of each layer and side below limit. */
static void
check_rows(TextFixture *fixture, CwActivations *activations, double limit)
{
  g_autoptr(GError) error = NULL;
  const CwActivationsConfig *config = cw_activations_peek_config(activations);
  int64_t n = config->n_rows, n_layers = config->n_layers, width = config->width;
  g_autofree float *in = g_new(float, (gsize)(n * n_layers * width));
  g_autofree float *out = g_new(float, (gsize)(n * n_layers * width));
  g_autofree int32_t *tokens = g_new(int32_t, (gsize)n);
  g_autofree int64_t *documents = g_new(int64_t, (gsize)n);
  g_autofree int64_t *places = g_new(int64_t, (gsize)n);
  g_autofree TextSums *sums = g_new0(TextSums, (gsize)(2 * n_layers));
  bool seen[N_DOCUMENTS][64] = { { false } };
  cw_activations_read(activations, 0, n, in, out, tokens, &error);
  g_assert_no_error(error);
  cw_activations_read_places(activations, 0, n, documents, places, &error);
  g_assert_no_error(error);
  for (int64_t r = 0; r < n; r++) {
    g_assert_true(text_fixture_gives_row(documents[r], places[r]));
    g_assert_false(seen[documents[r]][places[r]]);
    seen[documents[r]][places[r]] = true;
    g_assert_cmpint(tokens[r], ==,
                    text_fixture_token(documents[r], places[r], fixture->n_vocabulary));
    g_autoptr(CwForward) forward = run_window(fixture, documents[r], places[r]);
    for (int64_t l = 0; l < n_layers; l++) {
      int64_t at = (l * forward->n_positions + places[r] % CONTEXT) * width;
      text_sums_add(&sums[2 * l], forward->mlp_hat + at, in + (l * n + r) * width, width);
      text_sums_add(&sums[2 * l + 1], forward->mlp_out + at, out + (l * n + r) * width, width);
    }
  }
  for (int64_t d = 0; d < N_DOCUMENTS; d++)
    for (int64_t i = 0; i < text_fixture_length(d); i++)
      g_assert_cmpint(seen[d][i], ==, text_fixture_gives_row(d, i));
  for (int64_t p = 0; p < 2 * n_layers; p++)
    /* A rounding error squared is step^2 / 12 on average and varies by sqrt(0.8) of that; four
     * standard deviations of the mean over all values of a plane. */
    g_assert_cmpfloat(sums[p].error, <=,
                      limit * (1 + 4 * sqrt(0.8 / (double)(n * width))) * sums[p].energy);
}

static void
keeps_every_row(TextFixture *fixture, gconstpointer unused)
{
  /* f16 has 11 bits: each value is off by 2^-12 of itself at most; 2^-24 in energy. */
  const struct {
    CwCodec codec;
    double asked, limit;
  } cases[] = { { CW_CODEC_NONE, 0, 0x1p-24 },
                { CW_CODEC_INT8, 0, 0.003 },
                { CW_CODEC_INT8, 1e-4, 1e-4 },
                { CW_CODEC_INT4, 0, 0.02 } };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    CwCollectOptions options = { .codec = cases[i].codec, .target_error = cases[i].asked };
    g_autoptr(CwActivations) activations = collect_and_open(fixture, fixture->output, options);
    /* The window's pass runs beside others here and alone there: sums may differ in f32. */
    check_rows(fixture, activations, cases[i].limit * 1.0001 + 1e-10);
    test_remove_tree(fixture->output);
  }
}

/* ---- shuffled and held out -------------------------------------------------------------- */

static void
holds_out_documents(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(GError) error = NULL;
  CwCollectOptions options = { .codec = CW_CODEC_INT8, .held_out_fraction = 0.3 };
  g_autoptr(CwActivations) activations = collect_and_open(fixture, fixture->output, options);
  const CwActivationsConfig *config = cw_activations_peek_config(activations);
  size_t floats = (size_t)(config->n_layers * config->width);
  g_autofree float *row = g_new(float, floats);
  const double fractions[] = { 0.3, 0.1, 0.6 }; /* the cache's own, less, more */
  for (size_t i = 0; i < G_N_ELEMENTS(fractions); i++) {
    int64_t n_all = 0;
    g_autoptr(GHashTable) rows =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (int part = CW_ROWS_TRAINING; part <= CW_ROWS_HELD_OUT; part++) {
      CwStreamOptions stream_options = { .batch_tokens = 1,
                                         .is_shuffled = true,
                                         .seed = 5,
                                         .held_out_fraction = fractions[i],
                                         .part = part };
      g_autoptr(CwActivationStream) stream =
          cw_activation_stream_new(activations, &stream_options, &error);
      g_assert_no_error(error);
      int64_t n = cw_activation_stream_get_pass_rows(stream);
      g_assert_cmpint(n, >, 0);
      n_all += n;
      for (int64_t k = 0; k < n; k++) {
        cw_activation_stream_next(stream, row, NULL, NULL, &error);
        g_assert_no_error(error);
        gint64 *key = g_new(gint64, 1);
        *key = (gint64)text_fixture_hash(row, floats);
        g_hash_table_add(rows, key);
      }
    }
    g_assert_cmpint(n_all, ==, config->n_rows);
    g_assert_cmpint(g_hash_table_size(rows), ==, config->n_rows);
  }
}

/* ---- jobs, and runs that are cut off ---------------------------------------------------- */

static void
joins_the_parts_of_a_job(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(GError) error = NULL;
  CwCollectOptions options = { .codec = CW_CODEC_INT8, .target_error = 1e-4 };
  options.text.n_jobs = 3;
  const char *parts[3];
  for (int64_t job = 0; job < 3; job++) {
    options.text.job = job;
    collect(fixture, fixture->output, options, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *name = g_strdup_printf("part-%d-of-3", (int)job);
    parts[job] = g_build_filename(fixture->output, name, NULL);
  }
  g_autofree char *whole = g_build_filename(fixture->folder, "whole", NULL);
  cw_cache_join(parts, 3, whole, &error);
  g_assert_no_error(error);
  g_autoptr(CwActivations) activations = cw_activations_open(whole, &error);
  g_assert_no_error(error);
  check_rows(fixture, activations, 1.001e-4);
  for (int job = 0; job < 3; job++)
    g_free((char *)parts[job]);
}

static void
cancel_cb(const char *phase, double fraction, gpointer user_data)
{
  if (fraction > 0.5)
    cw_cancel_trigger(user_data);
}

/* A run that is stopped half way, as by Ctrl+C. */
static void
stop_early(TextFixture *fixture, const char *output, CwCollectOptions options)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  const CwProgress progress = { cancel_cb, cancel };
  const char *const paths[] = { fixture->text, NULL };
  options.text.paths = paths;
  options.text.context_tokens = CONTEXT;
  options.batch_tokens = 60;
  g_assert_false(cw_activations_collect(fixture->model, fixture->device, &options, output, NULL,
                                        &progress, cancel, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
}

static char *
read_rows(const char *folder, gsize *n)
{
  g_autofree char *path = g_build_filename(folder, "frames-0000.bin", NULL);
  g_autoptr(GError) error = NULL;
  char *bytes = NULL;
  g_file_get_contents(path, &bytes, n, &error);
  g_assert_no_error(error);
  return bytes;
}

/* A run cut off within any byte leads to the bytes of a run that was never cut off. */
static void
goes_on_to_the_same_bytes(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(GError) error = NULL;
  CwCollectOptions options = { .codec = CW_CODEC_INT8 };
  g_autoptr(CwActivations) whole = collect_and_open(fixture, fixture->output, options);
  gsize n, n_again;
  g_autofree char *bytes = read_rows(fixture->output, &n);
  g_autofree char *other = g_build_filename(fixture->folder, "again", NULL);
  g_autofree char *frames = g_build_filename(other, "frames-0000.bin", NULL);
  int64_t most_resumed = 0;
  for (gsize i = 0; i <= 12; i++) {
    CwCollectReport report;
    stop_early(fixture, other, options);
    g_assert_true(g_file_set_contents(frames, bytes, (gssize)MAX(n * i / 12, 64), &error));
    collect(fixture, other, options, &report, &error);
    g_assert_no_error(error);
    most_resumed = MAX(most_resumed, report.n_resumed_rows);
    g_autofree char *again = read_rows(other, &n_again);
    g_assert_cmpmem(bytes, n, again, n_again);
    g_autoptr(CwActivations) opened = cw_activations_open(other, &error);
    g_assert_cmpstr(cw_activations_get_hash(opened), ==, cw_activations_get_hash(whole));
    test_remove_tree(other);
  }
  g_assert_cmpint(most_resumed, ==, cw_activations_peek_config(whole)->n_rows);
}

static void
refuses_to_go_on_differently(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(GError) error = NULL;
  CwCollectOptions options = { .codec = CW_CODEC_INT8 };
  stop_early(fixture, fixture->output, options);
  options.seed = 1;
  g_assert_false(collect(fixture, fixture->output, options, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_clear_error(&error);
  options.seed = 0;
  options.n_tokens = 100;
  g_assert_false(collect(fixture, fixture->output, options, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_MISMATCH);
  g_clear_error(&error);
  options.n_tokens = 0;
  g_assert_true(collect(fixture, fixture->output, options, NULL, &error));
  g_assert_no_error(error);
  g_assert_false(collect(fixture, fixture->output, options, NULL, &error)); /* finished */
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
}

/* ---- several windows in one pass -------------------------------------------------------- */

static void
windows_do_not_see_each_other(void)
{
  static const char *const models[] = { "attribution/llama-clt/model",
                                        "attribution/gpt2-clt/model",
                                        "attribution/gemma2-clt/model",
                                        "attribution/qwen3-clt/model" };
  const size_t lengths[] = { 5, 1, 9 };
  for (size_t m = 0; m < G_N_ELEMENTS(models); m++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(CwModel) model = fixture_load_golden_model(models[m]);
    CwkDevice *device = cwk_cpu_new(2);
    const CwModelConfig *config = cw_model_peek_config(model);
    int32_t ids[15];
    for (int i = 0; i < 15; i++)
      ids[i] = text_fixture_token(m, i, config->n_vocabulary);
    g_autoptr(CwForward) all =
        cw_forward_run_windows(model, device, ids, lengths, 3, CW_FORWARD_MLP, NULL, &error);
    g_assert_no_error(error);
    g_assert_null(all->resid_mid);
    for (size_t w = 0, at = 0; w < 3; at += lengths[w++]) {
      g_autoptr(CwForward) one =
          fixture_run(model, device, ids + at, lengths[w], CW_FORWARD_TAPS);
      for (int64_t l = 0; l < config->n_layers; l++) {
        size_t n = lengths[w] * (size_t)config->width;
        const float *x = one->mlp_out + l * (int64_t)n;
        const float *y = all->mlp_out + (l * 15 + (int64_t)at) * config->width;
        /* TextSums over k may be cut into other tiles: f32 sums of some hundred terms. */
        g_assert_cmpfloat(test_max_difference(x, y, n), <=, 1e-4 * test_max_abs(x, n));
      }
    }
    cwk_device_free(device);
  }
}

#define ADD(name, function)                                                           \
  g_test_add("/core/collect/" name, TextFixture, NULL, text_fixture_set_up, function, \
             text_fixture_tear_down)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  ADD("keeps-every-row", keeps_every_row);
  ADD("holds-out-documents", holds_out_documents);
  ADD("joins-the-parts-of-a-job", joins_the_parts_of_a_job);
  ADD("goes-on-to-the-same-bytes", goes_on_to_the_same_bytes);
  ADD("refuses-to-go-on-differently", refuses_to_go_on_differently);
  g_test_add_func("/core/collect/windows-do-not-see-each-other", windows_do_not_see_each_other);
  return g_test_run();
}
