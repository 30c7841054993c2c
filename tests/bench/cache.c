/* cache.c - how fast activations are captured, stored and read back, how small they get and
 * what they lose, on activations of a real model.
 *
 *   clew logits --prompt - --taps -o TAPS.safetensors < TEXT
 *   bench-cache [--codec int8] [--error 0.0028] [--peer-python VENV/bin/python]
 *               [--model M.gguf] TAPS.safetensors...
 *
 * Takes mlp_hat.L and mlp_out.L [T, D] of every layer and file, the first position of each file
 * left out, as a batch; stores it several times over as a cache and reads it back, shuffled, in
 * batches of 512. With a model also captures windows of 128 tokens. A Python with torch,
 * zstandard and TransformerLens 3 does what CLT-Forge does with the same rows and tokens.
 * Prints one JSON object; tokens per CPU second of all threads. */
#include "base/room.h"
#include "cache-peers.h"
#include "cw-activations.h"
#include "cw-tensor-file.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { READ_ROWS = 512 };

static char *codec_name, *peer_python, *model_path, **paths;
static double target_error;
static int n_rounds = 3, n_batches = 8, n_threads = 2;

static const GOptionEntry entries[] = {
  { "codec", 0, 0, G_OPTION_ARG_STRING, &codec_name, "none, int8 or int4", "C" },
  { "error", 0, 0, G_OPTION_ARG_DOUBLE, &target_error, "of the energy; 0: the codec's", "E" },
  { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "of each measurement, the best counts", "N" },
  { "batches", 0, 0, G_OPTION_ARG_INT, &n_batches, "times that the rows are stored", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "of storing and reading", "N" },
  { "peer-python", 0, 0, G_OPTION_ARG_FILENAME, &peer_python, "for the peers", "PATH" },
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "GGUF file to capture from", "M" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "TAPS..." },
  { NULL },
};

static double
cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* On large pages, as capturing and training have theirs. */
static float *
new_floats(int64_t n)
{
  float *floats = cw_pages_new((size_t)n * sizeof(float));
  if (floats == NULL)
    g_error("There is no memory for %" G_GINT64_FORMAT " floats", n);
  return floats;
}

static const CwTensor *
find_tap(const CwTensorFile *file, const char *name, int64_t layer)
{
  g_autofree char *full = g_strdup_printf("%s.%" G_GINT64_FORMAT, name, layer);
  return cw_tensor_file_find(file, full);
}

/* Copies what a file has behind the rows that are there; counts only if rows->in is NULL. */
static void
take_file(const CwTensorFile *file, BenchRows *rows, int64_t total)
{
  int64_t n_layers = 0, n = 0;
  for (const CwTensor *in; (in = find_tap(file, "mlp_hat", n_layers)) != NULL; n_layers++) {
    n = in->shape[0] - 1;
    rows->width = in->shape[1];
    if (rows->in == NULL)
      continue;
    size_t bytes = (size_t)(n * rows->width) * sizeof(float);
    int64_t at = (n_layers * total + rows->n) * rows->width;
    const CwTensor *out = find_tap(file, "mlp_out", n_layers);
    memcpy(rows->in + at, (const float *)in->data + rows->width, bytes);
    memcpy(rows->out + at, (const float *)out->data + rows->width, bytes);
  }
  rows->n_layers = n_layers;
  rows->n += n;
}

static void
load_rows(BenchRows *rows)
{
  g_autoptr(GPtrArray) files =
      g_ptr_array_new_with_free_func((GDestroyNotify)cw_tensor_file_close);
  for (char **path = paths; *path != NULL; path++) {
    g_autoptr(GError) error = NULL;
    CwTensorFile *file = cw_tensor_file_open(*path, &error);
    if (file == NULL)
      g_error("%s", error->message);
    g_ptr_array_add(files, file);
    take_file(file, rows, 0);
  }
  int64_t total = rows->n, n_floats = rows->n_layers * total * rows->width;
  rows->in = new_floats(n_floats);
  rows->out = new_floats(n_floats);
  rows->numbers = g_new(int32_t, total);
  for (int64_t i = 0; i < total; i++)
    rows->numbers[i] = (int32_t)i;
  rows->n = 0;
  for (guint i = 0; i < files->len; i++)
    take_file(files->pdata[i], rows, total);
}

static void
remove_cache(const char *folder)
{
  static const char *const names[] = { "frames-0000.bin", "frames-0000.index",
                                       "manifest.json" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(folder, names[i], NULL);
    g_unlink(path);
  }
  g_rmdir(folder);
}

/* The rows n_batches times over, as batches of one cache. */
static double
time_storing(const BenchRows *rows, const char *folder, CwCodec codec, CwkDevice *device)
{
  CwCacheOptions options = { .n_layers = rows->n_layers,
                             .width = rows->width,
                             .codec = codec,
                             .target_error = target_error };
  g_autoptr(GError) error = NULL;
  double start = cpu_seconds();
  CwCacheWriter *writer = cw_cache_writer_begin(folder, &options, false, &error);
  bool is_done = writer != NULL;
  for (int i = 0; is_done && i < n_batches; i++)
    is_done = cw_cache_writer_append(writer, device, rows->in, rows->out, rows->numbers,
                                     rows->numbers, rows->numbers, rows->n, &error);
  if (!is_done || !cw_cache_writer_finish(writer, &error))
    g_error("%s", error->message);
  return (cpu_seconds() - start) / (double)(n_batches * rows->n);
}

/* A pass over the cache, into memory that is there already, as in a training. */
static double
time_reading(const BenchRows *rows, const char *folder)
{
  g_autoptr(GError) error = NULL;
  int64_t n_floats = rows->n_layers * READ_ROWS * rows->width;
  int64_t n_steps = n_batches * rows->n / READ_ROWS;
  float *in = new_floats(n_floats), *out = new_floats(n_floats);
  memset(in, 1, (size_t)n_floats * sizeof *in);
  memset(out, 1, (size_t)n_floats * sizeof *out);
  CwStreamOptions options = { .batch_tokens = READ_ROWS,
                              .is_shuffled = true,
                              .n_threads = n_threads };
  double start = cpu_seconds();
  g_autoptr(CwActivations) activations = cw_activations_open(folder, &error);
  g_autoptr(CwActivationStream) stream =
      activations != NULL ? cw_activation_stream_new(activations, &options, &error) : NULL;
  if (stream == NULL)
    g_error("%s", error->message);
  for (int64_t i = 0; i < n_steps; i++)
    if (!cw_activation_stream_next(stream, in, out, NULL, &error))
      g_error("%s", error->message);
  double seconds = cpu_seconds() - start;
  free(in);
  free(out);
  return seconds / (double)(n_steps * READ_ROWS);
}

typedef struct {
  double worst, mean, worst_dimension; /* shares of the energy */
} Loss;

/* Of every value, beside what was stored. */
static void
measure_loss(const BenchRows *rows, const char *folder, Loss *loss)
{
  g_autoptr(CwActivations) activations = cw_activations_open(folder, NULL);
  int64_t n_floats = rows->n_layers * rows->n * rows->width;
  g_autofree float *in = g_new(float, n_floats), *out = g_new(float, n_floats);
  g_autofree int32_t *order = g_new(int32_t, rows->n);
  if (!cw_activations_read(activations, 0, rows->n, in, out, order, NULL))
    g_error("The cache cannot be read");
  *loss = (Loss){ 0 };
  for (int64_t l = 0; l < rows->n_layers; l++)
    for (int side = 0; side < 2; side++) {
      const float *stored = side == 0 ? rows->in : rows->out, *read = side == 0 ? in : out;
      double energy = 0, missed = 0;
      for (int64_t d = 0; d < rows->width; d++) {
        double of_d = 0, missed_of_d = 0;
        for (int64_t r = 0; r < rows->n; r++) {
          double v = (double)stored[(l * rows->n + order[r]) * rows->width + d];
          double miss = v - (double)read[(l * rows->n + r) * rows->width + d];
          of_d += v * v;
          missed_of_d += miss * miss;
        }
        energy += of_d;
        missed += missed_of_d;
        loss->worst_dimension = MAX(loss->worst_dimension, missed_of_d / of_d);
      }
      loss->worst = MAX(loss->worst, missed / energy);
      loss->mean += missed / energy / (double)(2 * rows->n_layers);
    }
}

/* Prints the first members of the object. */
static void
measure_cache(const BenchRows *rows, const char *name)
{
  CwCodec codec = strcmp(name, "none") == 0   ? CW_CODEC_NONE
                  : strcmp(name, "int4") == 0 ? CW_CODEC_INT4
                                              : CW_CODEC_INT8;
  g_autofree char *parent = g_dir_make_tmp("bench-cache-XXXXXX", NULL);
  g_autofree char *folder = g_build_filename(parent, "cache", NULL);
  g_autofree char *frames = g_build_filename(folder, "frames-0000.bin", NULL);
  double storing = INFINITY, reading = INFINITY;
  CwkDevice *device = cwk_cpu_new(n_threads);
  for (int i = 0; i < n_rounds; i++) {
    remove_cache(folder);
    double stored = time_storing(rows, folder, codec, device);
    double read = time_reading(rows, folder);
    storing = MIN(storing, stored);
    reading = MIN(reading, read);
  }
  cwk_device_free(device);
  Loss loss;
  measure_loss(rows, folder, &loss);
  GStatBuf info = { 0 };
  g_stat(frames, &info);
  double n_values = (double)n_batches * (double)(rows->n * rows->n_layers * rows->width) * 2;
  printf("\"codec\": \"%s\", \"tokens\": %d, \"layers\": %d, \"width\": %d,\n"
         " \"share_of_f16\": %.4f, \"worst_layer_error\": %.6f, \"mean_error\": %.6f, "
         "\"worst_dimension_error\": %.6f,\n"
         " \"stored_tokens_per_cpu_second\": %.0f, \"read_tokens_per_cpu_second\": %.0f",
         name, (int)rows->n, (int)rows->n_layers, (int)rows->width,
         (double)info.st_size / (2 * n_values), loss.worst, loss.mean, loss.worst_dimension,
         1 / storing, 1 / reading);
  remove_cache(folder);
  g_rmdir(parent);
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error) || paths == NULL) {
    g_printerr("%s\n", error != NULL ? error->message : "usage: bench-cache TAPS...");
    return 2;
  }
  g_autofree char *machine = bench_describe_machine();
  g_setenv("OMP_WAIT_POLICY", "PASSIVE", TRUE); /* a peer that waits costs no CPU time */
  BenchRows rows = { 0 };
  load_rows(&rows);
  printf("{\"machine\": \"%s\", \"threads\": %d, ", machine, n_threads);
  measure_cache(&rows, codec_name != NULL ? codec_name : "int8");
  fflush(stdout);
  if (peer_python != NULL)
    bench_cache_peer(peer_python, &rows, READ_ROWS, n_threads, n_rounds);
  if (model_path != NULL)
    bench_capture(peer_python, model_path, n_threads, n_rounds);
  printf("}\n");
  return 0;
}
