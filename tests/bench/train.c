/* train.c - a step of training beside a dense step of CLT-Forge's formulas in torch, on the
 * default model's own activations.
 *
 *   bench-train --model M.gguf --text FILE --peer-python VENV/bin/python [--layers 30]
 *               [--features 512] [--bandwidth 1] [--batch 1024] [--steps 4] [--threads 2]
 *
 * Both sides start from the same checkpoint, whose encoder biases let 2 % of the features fire,
 * and take the same batches; every step's loss must agree before a time counts. The bandwidth
 * sets how wide the band is (1 is the recipes'; 0.05 a narrow one, as late in a run). The first
 * step, which warms caches, is left out; times are the least of the others, without reading. */
#include "bench-support.h"
#include "clt/clt-forge-writer.h"
#include "train/trainer-private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WINDOW 128

static char *model_path, *text_path, *peer_python, *side, *folder;
static int n_layers = 30, n_features = 512, n_batch = 1024, n_steps = 4, n_threads = 2;
static gboolean is_through_all;
static double bandwidth = 1, l0_coefficient = 2, dead_coefficient = 1e-5, lr = 4e-4;

static const GOptionEntry entries[] = {
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "GGUF file", "M" },
  { "text", 0, 0, G_OPTION_ARG_FILENAME, &text_path, "plain text to take activations of",
    "FILE" },
  { "peer-python", 0, 0, G_OPTION_ARG_FILENAME, &peer_python, "a Python with torch", "PATH" },
  { "layers", 0, 0, G_OPTION_ARG_INT, &n_layers, "the model's first layers", "L" },
  { "features", 0, 0, G_OPTION_ARG_INT, &n_features, "per layer", "F" },
  { "bandwidth", 0, 0, G_OPTION_ARG_DOUBLE, &bandwidth, "of thresholds", "X" },
  { "batch", 0, 0, G_OPTION_ARG_INT, &n_batch, "tokens a step", "B" },
  { "steps", 0, 0, G_OPTION_ARG_INT, &n_steps, "steps a side", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "threads of both sides", "N" },
  { "through-all", 0, 0, G_OPTION_ARG_NONE, &is_through_all,
    "all that stands before the jump learns, as in anthropic-2025-01; without a peer", NULL },
  { "side", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &side, NULL, NULL },
  { "folder", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &folder, NULL, NULL },
  { NULL },
};

static void
check(const GError *error)
{
  if (error != NULL)
    g_error("%s", error->message);
}

static double
cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static CwTrainer *
trainer_new(CwkDevice *device, int64_t width)
{
  g_autoptr(GError) error = NULL;
  CwTrainSettings settings;
  cw_train_settings_init(&settings, CW_RECIPE_CLT_FORGE);
  settings.d_latent = n_features;
  settings.batch = n_batch;
  settings.jumprelu_bandwidth = bandwidth;
  settings.straight_through = is_through_all ? CW_THROUGH_ALL : CW_THROUGH_THRESHOLD;
  settings.l0_coefficient = l0_coefficient;
  settings.l0_warm_up_steps = settings.lr_warm_up_steps = settings.lr_decay_steps = 0;
  settings.dead_penalty_coef = dead_coefficient;
  settings.lr = lr;
  settings.loss_spike_factor = 0;
  settings.n_batches_for_norm_estimate = settings.n_batches_for_bias_init = 1;
  CwTrainer *trainer = cw_trainer_new(&settings, n_layers, width, device, &error);
  check(error);
  return trainer;
}

static CwActivationStream *
open_stream(CwActivations **activations)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(folder, "activations.safetensors", NULL);
  *activations = cw_activations_open(path, &error);
  check(error);
  const CwStreamOptions options = { .batch_tokens = n_batch };
  CwActivationStream *stream = cw_activation_stream_new(*activations, &options, &error);
  check(error);
  return stream;
}

/* ---- what both sides start from -----------------------------------------------------------
 */

/* Rows of MLP inputs and outputs, [N, L, D] each, scaled to norm sqrt(D) as training scales. */
static void
write_activations(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwModel) model = cw_model_load(model_path, &error);
  check(error);
  g_autofree char *text = NULL;
  g_file_get_contents(text_path, &text, NULL, &error);
  check(error);
  size_t n_tokens = 0;
  g_autofree int32_t *tokens =
      cw_tokenizer_encode(cw_model_peek_tokenizer(model), text, -1, &n_tokens, &error);
  check(error);
  int64_t n_rows = (int64_t)n_batch * n_steps, width = cw_model_peek_config(model)->width;
  if ((int64_t)n_tokens < n_rows + WINDOW)
    g_error("%s has %d tokens, %d are needed", text_path, (int)n_tokens, (int)n_rows + WINDOW);
  float *sides[2] = { g_new(float, n_rows *n_layers *width),
                      g_new(float, n_rows *n_layers *width) };
  CwkDevice *device = cwk_cpu_new(n_threads);
  for (int64_t row = 0; row < n_rows; row += WINDOW) {
    g_autoptr(CwForward) forward =
        cw_model_forward(model, device, tokens + row, WINDOW, CW_FORWARD_TAPS, NULL, &error);
    check(error);
    for (int64_t b = 0; b < MIN(WINDOW, n_rows - row); b++)
      for (int64_t l = 0; l < n_layers; l++) {
        size_t n_bytes = (size_t)width * sizeof(float);
        int64_t to = ((row + b) * n_layers + l) * width, from = (l * WINDOW + b) * width;
        memcpy(sides[0] + to, forward->mlp_hat + from, n_bytes);
        memcpy(sides[1] + to, forward->mlp_out + from, n_bytes);
      }
  }
  cwk_device_free(device);
  for (int s = 0; s < 2; s++)
    for (int64_t l = 0; l < n_layers; l++) {
      double sum = 0;
      for (int64_t r = 0; r < n_rows; r++) {
        double square = 0;
        for (int64_t j = 0; j < width; j++)
          square += pow((double)sides[s][(r * n_layers + l) * width + j], 2);
        sum += sqrt(square);
      }
      float scale = (float)(sqrt((double)width) * (double)n_rows / sum);
      for (int64_t r = 0; r < n_rows; r++)
        for (int64_t j = 0; j < width; j++)
          sides[s][(r * n_layers + l) * width + j] *= scale;
    }
  g_autofree char *path = g_build_filename(folder, "activations.safetensors", NULL);
  const CwTensorOut tensors[] = {
    { "act_in", "F32", 3, { n_rows, n_layers, width }, sides[0] },
    { "act_out", "F32", 3, { n_rows, n_layers, width }, sides[1] }
  };
  cw_safetensors_write(path, tensors, 2, NULL, &error);
  check(error);
  g_free(sides[0]);
  g_free(sides[1]);
}

static void
write_initial(void)
{
  g_autoptr(GError) error = NULL;
  CwActivations *activations = NULL;
  CwActivationStream *stream = open_stream(&activations);
  CwkDevice *device = cwk_cpu_new(n_threads);
  CwTrainer *trainer = trainer_new(device, cw_activations_peek_config(activations)->width);
  trainer->settings.normalise = false;
  cw_trainer_prepare(trainer, stream, NULL, &error);
  check(error);
  const CwTrainOrigin origin = { 0 };
  g_autofree char *layout = g_build_filename(folder, "circuit-tracer", NULL);
  g_autofree char *forge = g_build_filename(folder, "initial", NULL);
  cw_trainer_export(trainer, &origin, layout, &error);
  check(error);
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(layout, &error);
  check(error);
  cw_transcoder_write_clt_forge(transcoder, forge, &error);
  check(error);
  cw_trainer_free(trainer);
  cwk_device_free(device);
  cw_activation_stream_free(stream);
  cw_activations_unref(activations);
}

/* ---- our side -------------------------------------------------------------------------------
 */

static int
run_ours(void)
{
  g_autoptr(GError) error = NULL;
  CwActivations *activations = NULL;
  CwActivationStream *stream = open_stream(&activations);
  int64_t width = cw_activations_peek_config(activations)->width;
  CwkDevice *device = cwk_cpu_new(n_threads);
  CwTrainer *trainer = trainer_new(device, width);
  g_autofree char *path = g_build_filename(folder, "initial", NULL);
  CwTranscoder *initial = cw_transcoder_open(path, &error);
  check(error);
  cw_trainer_take_transcoder(trainer, initial, &error);
  check(error);
  cw_transcoder_unref(initial);
  g_autofree float *in = g_new(float, n_layers *n_batch *width);
  g_autofree float *out = g_new(float, n_layers *n_batch *width);
  double least = INFINITY, least_cpu = INFINITY;
  CwTrainStep step;
  GString *losses = g_string_new(NULL);
  for (int i = 0; i < n_steps; i++) {
    cw_activation_stream_next(stream, in, out, NULL, &error);
    check(error);
    double start_cpu = cpu_seconds();
    gint64 start = g_get_monotonic_time();
    cw_trainer_step(trainer, in, out, &step, &error);
    check(error);
    if (i > 0) {
      least = MIN(least, (double)(g_get_monotonic_time() - start) * 1e-6);
      least_cpu = MIN(least_cpu, cpu_seconds() - start_cpu);
    }
    g_string_append_printf(losses, "%s%.9g", i > 0 ? ", " : "", step.loss);
  }
  printf("{\"losses\": [%s], \"seconds\": %.4f, \"cpu_seconds\": %.4f, \"l0\": %.2f, "
         "\"band\": %.4f, \"device\": \"%s\"}\n",
         losses->str, least, least_cpu, step.l0, step.band, cwk_device_name(device));
  g_string_free(losses, TRUE);
  cw_trainer_free(trainer);
  cw_activation_stream_free(stream);
  cw_activations_unref(activations);
  cwk_device_free(device);
  return 0;
}

/* ---- both -----------------------------------------------------------------------------------
 */

static double
number(const BenchRun *run, const char *key)
{
  return json_object_get_double_member(json_node_get_object(run->report), key);
}

/* f32 sums in another order, and Adam's first steps, which turn the sign of a gradient next to
 * 0 into a whole step. */
static bool
agree(const BenchRun *ours, const BenchRun *peer)
{
  JsonArray *a = json_object_get_array_member(json_node_get_object(ours->report), "losses");
  JsonArray *b = json_object_get_array_member(json_node_get_object(peer->report), "losses");
  for (guint i = 0; i < json_array_get_length(a); i++) {
    double x = json_array_get_double_element(a, i), y = json_array_get_double_element(b, i);
    if (!(fabs(x - y) <= 1e-4 * fabs(y))) {
      fprintf(stderr, "The sides do not agree: step %u has a loss of %.7g and %.7g\n", i, x, y);
      return false;
    }
  }
  return true;
}

static bool
run_side(const char *const *argv, BenchRun *run)
{
  g_autoptr(GError) error = NULL;
  if (bench_run(argv, run, &error))
    return true;
  fprintf(stderr, "%s\n", error->message);
  return false;
}

static char *
text_of(double value)
{
  return g_strdup_printf("%.9g", value);
}

static void
print_side(const char *name, const BenchRun *run)
{
  printf("  \"%s\": {\"seconds\": %.3f, \"cpu_seconds\": %.3f, \"tokens_per_second\": %.0f, "
         "\"peak_mib\": %.0f},\n",
         name, number(run, "seconds"), number(run, "cpu_seconds"),
         n_batch / number(run, "seconds"), run->peak_mebibytes);
}

static int
compare(const char *program)
{
  g_autofree char *machine = bench_describe_machine();
  g_autofree char *made = g_dir_make_tmp("bench-train-XXXXXX", NULL);
  folder = made;
  write_activations();
  write_initial();
  g_autofree char *l = text_of(n_layers), *f = text_of(n_features), *b = text_of(n_batch);
  g_autofree char *n = text_of(n_steps), *t = text_of(n_threads), *w = text_of(bandwidth);
  g_autofree char *c = text_of(l0_coefficient), *d = text_of(dead_coefficient),
                  *r = text_of(lr);
  const char *const ours_argv[] = { program, "--side",
                                    "ours",  "--folder",
                                    folder,  "--layers",
                                    l,       "--features",
                                    f,       "--bandwidth",
                                    w,       "--batch",
                                    b,       "--steps",
                                    n,       "--threads",
                                    t,       is_through_all ? "--through-all" : NULL,
                                    NULL };
  g_autofree char *script = g_build_filename(BENCH_SOURCE_DIR, "peers", "train.py", NULL);
  g_autofree char *initial = g_build_filename(folder, "initial", NULL);
  g_autofree char *split = g_build_filename(folder, "activations.safetensors", NULL);
  const char *const peer_argv[] = { peer_python, script, initial, split, b, n,
                                    w,           c,      d,       r,     t, NULL };
  BenchRun ours = { 0 }, peer = { 0 };
  if (!run_side(ours_argv, &ours) ||
      (peer_python != NULL && (!run_side(peer_argv, &peer) || !agree(&ours, &peer))))
    return 1;
  printf("{\n  \"case\": \"train\", \"machine\": \"%s\", \"layers\": %d, \"features\": %d, "
         "\"batch\": %d, \"bandwidth\": %g,\n  \"l0\": %.1f, \"band\": %.3f,\n",
         machine, n_layers, n_features, n_batch, bandwidth, number(&ours, "l0"),
         number(&ours, "band"));
  print_side("ours", &ours);
  if (peer_python != NULL) {
    print_side("peer", &peer);
    printf("  \"ratio\": %.2f, \"cpu_ratio\": %.2f, \"memory_ratio\": %.2f\n",
           number(&peer, "seconds") / number(&ours, "seconds"),
           number(&peer, "cpu_seconds") / number(&ours, "cpu_seconds"),
           peer.peak_mebibytes / ours.peak_mebibytes);
  }
  printf("}\n");
  return 0;
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  if (side != NULL)
    return run_ours();
  if (model_path == NULL || text_path == NULL || (is_through_all && peer_python != NULL)) {
    fprintf(stderr, "--model and --text are needed; --through-all has no peer\n");
    return 2;
  }
  return compare(argv[0]);
}
