/* test-live.c - batches that a small model makes meanwhile: the cache's rows, mixed, the same
 * for any threads and timing, taken up anywhere. */
#include <string.h>

#include "text-fixture.h"

#define BATCH 11

/* A store whose buffer has room for n_slots rows; 0: for all of the text. */
static CwActivations *
open_live(const TextFixture *fixture, int64_t n_slots, int n_threads)
{
  g_autoptr(GError) error = NULL;
  const CwModelConfig *config = cw_model_peek_config(fixture->model);
  const char *const paths[] = { fixture->text, NULL };
  const CwLiveOptions options = {
    .text = { .paths = paths, .context_tokens = CONTEXT },
    .buffer_bytes = n_slots * 2 * config->n_layers * config->width * (int64_t)sizeof(float),
    .n_threads = n_threads,
  };
  CwActivations *live = cw_activations_open_live(fixture->model, &options, &error);
  g_assert_no_error(error);
  return live;
}

static CwActivationStream *
open_stream(CwActivations *live, CwStreamOptions options)
{
  g_autoptr(GError) error = NULL;
  CwActivationStream *stream = cw_activation_stream_new(live, &options, &error);
  g_assert_no_error(error);
  return stream;
}

static const CwStreamOptions shuffled = { .batch_tokens = BATCH,
                                          .is_shuffled = true,
                                          .seed = 3 };

static size_t
row_floats(const TextFixture *fixture)
{
  const CwModelConfig *config = cw_model_peek_config(fixture->model);
  return (size_t)(config->n_layers * config->width);
}

static int64_t
count_rows(void)
{
  int64_t n = 0;
  for (int64_t d = 0; d < N_DOCUMENTS; d++)
    for (int64_t i = 0; i < text_fixture_length(d); i++)
      n += text_fixture_gives_row(d, i);
  return n;
}

/* Hashes of the stream's next n batches, inputs and outputs. */
static void
hash_batches(const TextFixture *fixture, CwActivationStream *stream, int n, uint64_t *hashes)
{
  g_autoptr(GError) error = NULL;
  size_t floats = row_floats(fixture) * BATCH;
  g_autofree float *batch = g_new(float, 2 * floats);
  for (int i = 0; i < n; i++) {
    cw_activation_stream_next(stream, batch, batch + floats, NULL, &error);
    g_assert_no_error(error);
    hashes[i] = text_fixture_hash(batch, 2 * floats);
  }
}

/* ---- what is in the batches ------------------------------------------------------------- */

static int64_t
row_of_cache(CwActivations *cache, int64_t document, int64_t place)
{
  g_autoptr(GError) error = NULL;
  int64_t n = cw_activations_peek_config(cache)->n_rows;
  for (int64_t r = 0; r < n; r++) {
    int64_t row_document, row_place;
    cw_activations_read_places(cache, r, 1, &row_document, &row_place, &error);
    g_assert_no_error(error);
    if (row_document == document && row_place == place)
      return r;
  }
  g_assert_not_reached();
}

/* One row from each, in and out of all layers. */
static void
compare_row(CwActivations *cache, int64_t row, CwActivationStream *stream, TextSums *sums)
{
  g_autoptr(GError) error = NULL;
  const CwActivationsConfig *config = cw_activations_peek_config(cache);
  size_t n = (size_t)(config->n_layers * config->width);
  g_autofree float *expected = g_new(float, 2 * n);
  g_autofree float *actual = g_new(float, 2 * n);
  cw_activations_read(cache, row, 1, expected, expected + n, NULL, &error);
  g_assert_no_error(error);
  cw_activation_stream_next(stream, actual, actual + n, NULL, &error);
  g_assert_no_error(error);
  for (int64_t p = 0; p < 2 * config->n_layers; p++)
    text_sums_add(&sums[p], expected + p * config->width, actual + p * config->width,
                  config->width);
}

/* Unshuffled, twice over the text through a buffer of a few windows, against a cache in f16. */
static void
equals_the_cache(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(GError) error = NULL;
  const char *const paths[] = { fixture->text, NULL };
  const CwCollectOptions options = { .text = { .paths = paths, .context_tokens = CONTEXT },
                                     .codec = CW_CODEC_NONE };
  cw_activations_collect(fixture->model, fixture->device, &options, fixture->output, NULL, NULL,
                         NULL, &error);
  g_assert_no_error(error);
  g_autoptr(CwActivations) cache = cw_activations_open(fixture->output, &error);
  g_assert_no_error(error);
  g_autoptr(CwActivations) live = open_live(fixture, 40, 2);
  g_autoptr(CwActivationStream) stream =
      open_stream(live, (CwStreamOptions){ .batch_tokens = 1 });
  int64_t n_planes = 2 * cw_activations_peek_config(cache)->n_layers;
  g_assert_cmpint(n_planes, ==, 2 * cw_activations_peek_config(live)->n_layers);
  g_assert_cmpint(cw_activations_peek_config(cache)->n_rows, ==, count_rows());
  g_autofree TextSums *sums = g_new0(TextSums, (gsize)n_planes);
  for (int pass = 0; pass < 2; pass++)
    for (int64_t d = 0; d < N_DOCUMENTS; d++)
      for (int64_t i = 0; i < text_fixture_length(d); i++)
        if (text_fixture_gives_row(d, i))
          compare_row(cache, row_of_cache(cache, d, i), stream, sums);
  /* f16 has 11 bits: 2^-12 of each value, 2^-24 in energy; sums of a window's pass may be cut
   * into other tiles when it runs beside other windows. */
  for (int64_t p = 0; p < n_planes; p++)
    g_assert_cmpfloat(sums[p].error, <=, (0x1p-24 * 1.0001 + 1e-10) * sums[p].energy);
}

/* How often each row came within so many rows of the stream. */
static GHashTable *
count_hashes(const TextFixture *fixture, CwActivationStream *stream, int64_t n)
{
  g_autoptr(GError) error = NULL;
  GHashTable *counts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  g_autofree float *row = g_new(float, row_floats(fixture));
  for (int64_t i = 0; i < n; i++) {
    cw_activation_stream_next(stream, row, NULL, NULL, &error);
    g_assert_no_error(error);
    gint64 *key = g_new(gint64, 1);
    *key = (gint64)text_fixture_hash(row, row_floats(fixture));
    gpointer count = g_hash_table_lookup(counts, key);
    g_hash_table_insert(counts, key, GINT_TO_POINTER(GPOINTER_TO_INT(count) + 1));
  }
  return counts;
}

/* A text that fits is a chunk: the first round gives half of pass 0, the next one the rest and
 * half of pass 1, and so on: every row twice and half of them three times. */
static void
gives_every_row(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(CwActivations) live = open_live(fixture, 2 * count_rows(), 2);
  CwStreamOptions options = shuffled;
  options.batch_tokens = 1;
  g_autoptr(CwActivationStream) stream = open_stream(live, options);
  int64_t n = count_rows(), n_thrice = 0;
  g_autoptr(GHashTable) counts = count_hashes(fixture, stream, 2 * n + n - n / 2);
  g_assert_cmpint(g_hash_table_size(counts), ==, n);
  GHashTableIter iter;
  gpointer count;
  g_hash_table_iter_init(&iter, counts);
  while (g_hash_table_iter_next(&iter, NULL, &count)) {
    g_assert_cmpint(GPOINTER_TO_INT(count), >=, 2);
    g_assert_cmpint(GPOINTER_TO_INT(count), <=, 3);
    n_thrice += GPOINTER_TO_INT(count) == 3;
  }
  g_assert_cmpint(n_thrice, ==, n - n / 2);
}

/* The parts share no row, and together they have all. */
static void
holds_out_documents(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(CwActivations) live = open_live(fixture, 60, 1);
  g_autoptr(GHashTable) all = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  guint n_rows = 0, n_part = 0;
  for (int part = CW_ROWS_TRAINING; part <= CW_ROWS_HELD_OUT; part++) {
    const CwStreamOptions options = { .batch_tokens = 1,
                                      .held_out_fraction = 0.3,
                                      .part = part };
    g_autoptr(CwActivationStream) stream = open_stream(live, options);
    g_autoptr(GHashTable) rows = count_hashes(fixture, stream, count_rows());
    n_part = g_hash_table_size(rows);
    n_rows += n_part;
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, rows);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
      g_hash_table_iter_steal(&iter);
      g_hash_table_add(all, key);
    }
  }
  g_assert_cmpuint(n_part, >, 0);
  g_assert_cmpuint(n_rows, ==, count_rows());
  g_assert_cmpuint(g_hash_table_size(all), ==, count_rows());
}

/* ---- the same whenever it is made ------------------------------------------------------- */

#define N_HASHES 40 /* batches: some five passes over the text */

static void
does_not_depend_on_timing(TextFixture *fixture, gconstpointer unused)
{
  uint64_t hashes[4][N_HASHES];
  for (int run = 0; run < 4; run++) {
    g_autoptr(CwActivations) live = open_live(fixture, 61, run == 0 ? 1 : 3);
    CwStreamOptions options = shuffled;
    options.seed += run == 3;
    g_autoptr(CwActivationStream) stream = open_stream(live, options);
    for (int i = 0; i < N_HASHES; i++) {
      if (run == 2)
        g_usleep((gulong)(i * 37 % 5) * 1000); /* the buffer is full */
      hash_batches(fixture, stream, 1, &hashes[run][i]);
    }
  }
  g_assert_cmpmem(hashes[0], sizeof hashes[0], hashes[1], sizeof hashes[1]);
  g_assert_cmpmem(hashes[0], sizeof hashes[0], hashes[2], sizeof hashes[2]);
  g_assert_cmpint(memcmp(hashes[0], hashes[3], sizeof hashes[0]), !=, 0);
}

/* From any position on, by a cursor in a new stream, by counting, and backwards in this one. */
static void
is_taken_up_anywhere(TextFixture *fixture, gconstpointer unused)
{
  static const bool kinds[] = { true, false };
  for (size_t kind = 0; kind < G_N_ELEMENTS(kinds); kind++) {
    g_autoptr(GError) error = NULL;
    uint64_t whole[N_HASHES], rest[3];
    g_autoptr(GPtrArray) cursors = g_ptr_array_new_with_free_func(g_free);
    CwStreamOptions options = shuffled;
    options.is_shuffled = kinds[kind];
    g_autoptr(CwActivations) live = open_live(fixture, 50, 2);
    g_autoptr(CwActivationStream) first = open_stream(live, options);
    for (int i = 0; i < N_HASHES; i++) {
      g_ptr_array_add(cursors, cw_activation_stream_dup_cursor(first));
      hash_batches(fixture, first, 1, &whole[i]);
    }
    for (int i = N_HASHES - 3; i >= 0; i -= 4) {
      for (int with_cursor = 0; with_cursor <= 1; with_cursor++) {
        g_autoptr(CwActivationStream) other = open_stream(live, options);
        cw_activation_stream_seek_cursor(other, i, with_cursor ? cursors->pdata[i] : "",
                                         &error);
        g_assert_no_error(error);
        hash_batches(fixture, other, 3, rest);
        g_assert_cmpmem(rest, sizeof rest, whole + i, sizeof rest);
      }
      g_assert_true(cw_activation_stream_seek(first, i, &error));
      hash_batches(fixture, first, 3, rest);
      g_assert_cmpmem(rest, sizeof rest, whole + i, sizeof rest);
    }
    /* The cursor really is where reading begins: another one gives other rows. */
    g_autoptr(CwActivationStream) misled = open_stream(live, options);
    g_assert_true(cw_activation_stream_seek_cursor(misled, 20, "0 0 0 5 0", &error));
    hash_batches(fixture, misled, 3, rest);
    g_assert_cmpint(memcmp(rest, whole + 20, sizeof rest), !=, 0);
    g_assert_false(cw_activation_stream_seek_cursor(misled, 20, "2 5000 1 0 0", &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  }
}

static gpointer
trigger_soon(gpointer data)
{
  static int n;
  g_usleep((gulong)(n++ % 20) * 100);
  cw_cancel_trigger(data);
  return NULL;
}

/* Cancelled at many moments; the batch comes all the same when it is asked for again. */
static void
can_be_cancelled(TextFixture *fixture, gconstpointer unused)
{
  uint64_t whole[N_HASHES], again;
  int n_cancelled = 0;
  g_autoptr(CwActivations) live = open_live(fixture, 61, 2);
  g_autoptr(CwActivationStream) first = open_stream(live, shuffled);
  g_autoptr(CwActivationStream) stream = open_stream(live, shuffled);
  hash_batches(fixture, first, N_HASHES, whole);
  g_autofree float *batch = g_new(float, row_floats(fixture) * BATCH);
  for (int i = 0; i < N_HASHES; i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(CwCancel) cancel = cw_cancel_new();
    GThread *thread = g_thread_new("cancel", trigger_soon, cancel);
    if (!cw_activation_stream_next(stream, batch, NULL, cancel, &error)) {
      g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
      n_cancelled++;
    }
    g_thread_join(thread);
    g_clear_error(&error);
    g_assert_true(cw_activation_stream_seek(stream, i, &error));
    hash_batches(fixture, stream, 1, &again);
    g_assert_cmpuint(again, ==, whole[i]);
  }
  g_assert_cmpint(n_cancelled, >, 0);
}

/* ---- refusals --------------------------------------------------------------------------- */

static void
refuses_what_cannot_be(TextFixture *fixture, gconstpointer unused)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwActivations) live = open_live(fixture, 61, 1);
  g_autoptr(CwActivations) small = open_live(fixture, 5, 1);
  g_autoptr(CwActivations) huge = open_live(fixture, INT32_MAX, 1);
  g_assert_null(cw_activation_stream_new(small, &shuffled, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_clear_error(&error);
  if (cw_free_memory_bytes() < (double)INT32_MAX * 8 * (double)row_floats(fixture)) {
    g_assert_null(cw_activation_stream_new(huge, &shuffled, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_NO_MEMORY);
    g_clear_error(&error);
  }
  CwStreamOptions options = shuffled;
  options.part = CW_ROWS_HELD_OUT;
  options.held_out_fraction = 1e-9;
  g_assert_null(cw_activation_stream_new(live, &options, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_clear_error(&error);
  float value;
  g_assert_false(cw_activations_read(live, 0, 1, &value, NULL, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  /* Batches depend on the buffer, and so does what a checkpoint holds on to. */
  g_assert_cmpstr(cw_activations_get_hash(live), !=, cw_activations_get_hash(small));
  g_autoptr(CwActivations) same = open_live(fixture, 61, 3);
  g_assert_cmpstr(cw_activations_get_hash(live), ==, cw_activations_get_hash(same));
}

/* A token that the model lacks shows when its document is read; the stream can be asked again
 * and does not hang. */
static void
tells_of_bad_text(TextFixture *fixture, gconstpointer unused)
{
  const int32_t ids[] = { 3, 4, (int32_t)fixture->n_vocabulary };
  const CwTensorOut tensor = { "tokens", "I32", 2, { 1, 3 }, ids };
  g_autofree char *path = g_build_filename(fixture->text, "010.safetensors", NULL);
  g_autoptr(GError) error = NULL;
  cw_safetensors_write(path, &tensor, 1, NULL, &error);
  g_assert_no_error(error);
  g_autoptr(CwActivations) live = open_live(fixture, 61, 2);
  g_autoptr(CwActivationStream) stream = open_stream(live, shuffled);
  g_autofree float *batch = g_new(float, row_floats(fixture) * BATCH);
  for (int i = 0; i < 3; i++) {
    while (cw_activation_stream_next(stream, batch, NULL, NULL, &error))
      g_assert_cmpint(cw_activation_stream_get_position(stream), <, N_HASHES);
    g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
    g_assert_nonnull(strstr(error->message, "Document 10"));
    g_clear_error(&error);
  }
}

#define ADD(name, function)                                                        \
  g_test_add("/core/live/" name, TextFixture, NULL, text_fixture_set_up, function, \
             text_fixture_tear_down)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  ADD("equals-the-cache", equals_the_cache);
  ADD("gives-every-row", gives_every_row);
  ADD("holds-out-documents", holds_out_documents);
  ADD("does-not-depend-on-timing", does_not_depend_on_timing);
  ADD("is-taken-up-anywhere", is_taken_up_anywhere);
  ADD("can-be-cancelled", can_be_cancelled);
  ADD("refuses-what-cannot-be", refuses_what_cannot_be);
  ADD("tells-of-bad-text", tells_of_bad_text);
  return g_test_run();
}
