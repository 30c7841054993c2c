/* cache-peers.c - see cache-peers.h. */
#include "cache-peers.h"

#include "activations/capture.h"
#include "cw-tensor-file.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 128, N_WINDOWS = 16, WINDOWS_PER_PASS = 4 };

static double
seconds_of(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
check(const GError *error)
{
  if (error != NULL)
    g_error("%s", error->message);
}

static double
get_double(const BenchRun *run, const char *name)
{
  return json_object_get_double_member(json_node_get_object(run->report), name);
}

/* ---- CLT-Forge's cache ------------------------------------------------------------------ */

/* [L, n, D] as [n, L, D]. Transfer full. */
static float *
new_row_major(const BenchRows *rows, const float *side)
{
  size_t n_bytes = (size_t)rows->width * sizeof(float);
  float *to = g_new(float, rows->n_layers * rows->n * rows->width);
  for (int64_t r = 0; r < rows->n; r++)
    for (int64_t l = 0; l < rows->n_layers; l++)
      memcpy(to + (r * rows->n_layers + l) * rows->width,
             side + (l * rows->n + r) * rows->width, n_bytes);
  return to;
}

static void
write_rows(const BenchRows *rows, const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autofree float *in = new_row_major(rows, rows->in), *out = new_row_major(rows, rows->out);
  const CwTensorOut tensors[] = {
    { "act_in", "F32", 3, { rows->n, rows->n_layers, rows->width }, in },
    { "act_out", "F32", 3, { rows->n, rows->n_layers, rows->width }, out },
    { "tokens", "I32", 1, { rows->n }, rows->numbers },
  };
  cw_safetensors_write(path, tensors, G_N_ELEMENTS(tensors), NULL, &error);
  check(error);
}

/* What one scale from the largest magnitude loses of a layer's energy. */
static double
absmax_error(const float *x, int64_t n)
{
  float largest = 0;
  for (int64_t i = 0; i < n; i++)
    largest = fmaxf(largest, fabsf(x[i]));
  double energy = 0, error = 0, scale = (double)(largest / 127);
  for (int64_t i = 0; i < n; i++) {
    double miss = (double)x[i] - scale * rint((double)x[i] / scale);
    energy += (double)x[i] * (double)x[i];
    error += miss * miss;
  }
  return error / energy;
}

/* The peer's errors are those of its format: it computes what it is to be timed for. */
static double
check_errors(const BenchRows *rows, const BenchRun *run)
{
  JsonArray *errors = json_object_get_array_member(json_node_get_object(run->report), "errors");
  double worst = 0;
  for (int64_t i = 0; i < 2 * rows->n_layers; i++) {
    const float *side = i < rows->n_layers ? rows->in : rows->out;
    int64_t n = rows->n * rows->width;
    double expected = absmax_error(side + i % rows->n_layers * n, n);
    double given = json_array_get_double_element(errors, (guint)i);
    if (!(fabs(given - expected) <= 1e-3 * expected))
      g_error("The peer's error of side %d is %g, its format's %g", (int)i, given, expected);
    worst = MAX(worst, given);
  }
  return worst;
}

void
bench_cache_peer(const char *python, const BenchRows *rows, int64_t batch, int n_threads,
                 int n_rounds)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp("bench-cache-XXXXXX", &error);
  check(error);
  g_autofree char *path = g_build_filename(folder, "rows.safetensors", NULL);
  g_autofree char *cache = g_build_filename(folder, "activations_ctx_128_split_0.bin", NULL);
  g_autofree char *script = g_build_filename(BENCH_SOURCE_DIR, "peers", "cache.py", NULL);
  g_autofree char *batch_text = g_strdup_printf("%d", (int)batch);
  g_autofree char *threads = g_strdup_printf("%d", n_threads);
  g_autofree char *rounds = g_strdup_printf("%d", n_rounds);
  const char *argv[] = { python, script, path, folder, batch_text, threads, rounds, NULL };
  write_rows(rows, path);
  BenchRun run = { 0 };
  bench_run(argv, &run, &error);
  check(error);
  double worst = check_errors(rows, &run);
  printf(",\n \"peer\": {\"share_of_f16\": %.4f, \"worst_layer_error\": %.4f, "
         "\"stored_tokens_per_cpu_second\": %.0f, \"loaded_tokens_per_cpu_second\": %.0f, "
         "\"read_tokens_per_cpu_second\": %.0f}",
         get_double(&run, "share_of_f16"), worst,
         get_double(&run, "save_tokens_per_cpu_second"),
         get_double(&run, "load_tokens_per_cpu_second"),
         get_double(&run, "read_tokens_per_cpu_second"));
  bench_run_clear(&run);
  g_unlink(path);
  g_unlink(cache);
  g_rmdir(folder);
}

/* ---- capturing -------------------------------------------------------------------------- */

static void
capture_once(CwModel *model, CwkDevice *device, CwRowBatch *batch)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwCapture) capture = cw_capture_new(model, device, false);
  int32_t tokens[WINDOW];
  batch->n_rows = 0;
  for (int64_t w = 0; w < N_WINDOWS; w++) {
    for (int64_t i = 0; i < WINDOW; i++)
      tokens[i] = i == 0 ? 1 : (int32_t)(100 + ((w * WINDOW + i) * 7919) % 40000);
    const CwWindow window = { w, 0, WINDOW, tokens };
    cw_capture_add(capture, batch, &window, NULL, &error);
    check(error);
  }
  cw_capture_flush(capture, batch, NULL, &error);
  check(error);
  cw_row_batch_close_up(batch);
}

/* The first window's inputs and outputs as the peer writes them. */
static void
write_first_window(const CwRowBatch *batch, const char *path)
{
  const size_t n_bytes = (size_t)((WINDOW - 1) * batch->width) * sizeof(float);
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  for (int side = 0; side < 2; side++)
    for (int64_t l = 0; l < batch->n_layers; l++)
      g_byte_array_append(bytes,
                          (const guint8 *)((side == 0 ? batch->in : batch->out) +
                                           l * batch->layer_rows * batch->width),
                          (guint)n_bytes);
  g_autoptr(GError) error = NULL;
  g_file_set_contents(path, (const char *)bytes->data, (gssize)bytes->len, &error);
  check(error);
}

static void
capture_peer(const char *python, const char *model_path, const char *ours, int n_threads,
             int n_rounds)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *script = g_build_filename(BENCH_SOURCE_DIR, "peers", "capture.py", NULL);
  g_autofree char *theirs = g_strconcat(ours, ".peer", NULL);
  g_autofree char *windows = g_strdup_printf("%d", N_WINDOWS);
  g_autofree char *window = g_strdup_printf("%d", WINDOW);
  g_autofree char *per_pass = g_strdup_printf("%d", WINDOWS_PER_PASS);
  g_autofree char *threads = g_strdup_printf("%d", n_threads);
  g_autofree char *rounds = g_strdup_printf("%d", n_rounds);
  const char *argv[] = { python,   script,  model_path, windows, window,
                         per_pass, threads, rounds,     theirs,  NULL };
  BenchRun run = { 0 };
  bench_run(argv, &run, &error);
  check(error);
  double difference = bench_relative_difference(ours, theirs);
  /* f32 sums in another order over 30 layers stay below 1e-4. */
  if (!(difference <= 1e-3))
    g_error("The sides do not agree: activations differ by %g", difference);
  printf(", \"peer_tokens_per_second\": %.1f, \"peer_tokens_per_cpu_second\": %.1f, "
         "\"difference\": %.2e",
         get_double(&run, "tokens_per_second"), get_double(&run, "tokens_per_cpu_second"),
         difference);
  bench_run_clear(&run);
  g_unlink(theirs);
}

void
bench_capture(const char *python, const char *model_path, int n_threads, int n_rounds)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwModel) model = cw_model_load(model_path, &error);
  check(error);
  CwkDevice *device = cwk_cpu_new(n_threads);
  const int64_t n_rows = N_WINDOWS * (WINDOW - 1);
  g_autoptr(CwRowBatch) batch = cw_row_batch_new(model, n_rows, &error);
  check(error);
  capture_once(model, device, batch);
  g_autofree char *path =
      g_strdup_printf("%s/bench-capture-%d.f32", g_get_tmp_dir(), (int)getpid());
  write_first_window(batch, path);
  double wall = INFINITY, cpu = INFINITY;
  for (int i = 0; i < n_rounds; i++) {
    double wall_start = seconds_of(CLOCK_MONOTONIC);
    double cpu_start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    capture_once(model, device, batch);
    cpu = MIN(cpu, seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_start);
    wall = MIN(wall, seconds_of(CLOCK_MONOTONIC) - wall_start);
  }
  printf(",\n \"capture\": {\"tokens_per_second\": %.1f, \"tokens_per_cpu_second\": %.1f",
         (double)n_rows / wall, (double)n_rows / cpu);
  if (python != NULL)
    capture_peer(python, model_path, path, n_threads, n_rounds);
  printf("}");
  g_unlink(path);
  cwk_device_free(device);
}
