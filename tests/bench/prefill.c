/* prefill.c - tokens per second of one forward pass over a 512-token prompt without the head,
 * beside transformers on torch in f32 with the same dequantised weights.
 *
 *   bench-prefill --model M.gguf --peer-python VENV/bin/python [--tokens 512] [--threads 2]
 *                 [--int8]
 *
 * Without --peer-python only our side runs; --int8 adds passes with int8 activations. The sides
 * alternate as processes; before any time counts, the last position's logits of the f32 pass
 * and the peer must agree. What int8 does to logits bench-precision says. */
#include "bench-support.h"
#include "cw-model.h"

#include <math.h>
#include <stdio.h>

static char *model_path, *peer_python, *side, *check_path;
static gboolean is_int8;
static int n_tokens = 512, n_threads = 2, n_passes = 5, n_rounds = 3;

static const GOptionEntry entries[] = {
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "GGUF file", "M" },
  { "peer-python", 0, 0, G_OPTION_ARG_FILENAME, &peer_python, "a Python with torch", "PATH" },
  { "tokens", 0, 0, G_OPTION_ARG_INT, &n_tokens, "prompt length", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "threads of both sides", "N" },
  { "passes", 0, 0, G_OPTION_ARG_INT, &n_passes, "passes a process", "N" },
  { "int8", 0, 0, G_OPTION_ARG_NONE, &is_int8, "also with int8 activations", NULL },
  { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "processes a side", "N" },
  { "side", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &side, NULL, NULL },
  { "check", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &check_path, NULL, NULL },
  { NULL },
};

/* The same ids on both sides: see peers/prefill.py. */
static int32_t *
make_tokens(void)
{
  int32_t *tokens = g_new(int32_t, n_tokens);
  for (int i = 0; i < n_tokens; i++)
    tokens[i] = i == 0 ? 1 : 100 + (int32_t)(((int64_t)i * 7919) % 40000);
  return tokens;
}

static int
run_ours(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwModel) model = cw_model_load(model_path, &error);
  if (model == NULL) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  CwkDevice *device = cwk_cpu_new(n_threads);
  g_autofree int32_t *tokens = make_tokens();
  g_autofree double *seconds = g_new(double, n_passes);
  for (int i = -1; i < n_passes; i++) {
    gint64 start = g_get_monotonic_time();
    CwForwardFlags flags = (i < 0 ? CW_FORWARD_LAST_LOGITS : 0) |
                           (g_str_equal(side, "int8") ? CW_FORWARD_REDUCED : 0);
    g_autoptr(CwForward) forward =
        cw_model_forward(model, device, tokens, (size_t)n_tokens, flags, NULL, &error);
    if (forward == NULL) {
      fprintf(stderr, "%s\n", error->message);
      return 1;
    }
    if (i >= 0)
      seconds[i] = (double)(g_get_monotonic_time() - start) * 1e-6;
    else if (check_path != NULL)
      g_file_set_contents(check_path, (const char *)forward->logits,
                          (gssize)(cw_model_peek_config(model)->n_vocabulary * 4), NULL);
  }
  printf("{\"seconds\": %.6f, \"median_seconds\": %.6f, \"device\": \"%s\"}\n",
         bench_minimum(seconds, (size_t)n_passes), bench_median(seconds, (size_t)n_passes),
         cwk_device_name(device));
  cwk_device_free(device);
  return 0;
}

typedef struct {
  double tokens_per_second, peak_mebibytes;
} Best;

static bool
run_side(const char *const *argv, Best *best)
{
  g_autoptr(GError) error = NULL;
  BenchRun run = { 0 };
  if (!bench_run(argv, &run, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return false;
  }
  double seconds = json_object_get_double_member(json_node_get_object(run.report), "seconds");
  best->tokens_per_second = MAX(best->tokens_per_second, n_tokens / seconds);
  best->peak_mebibytes = MAX(best->peak_mebibytes, run.peak_mebibytes);
  bench_run_clear(&run);
  return true;
}

/* The first round's logits of the two sides; prints why and returns false if they differ. */
static bool
check_agreement(const char *ours, const char *peer, double *difference)
{
  *difference = bench_relative_difference(ours, peer);
  /* f32 sums in another order over 30 layers stay below 1e-4. */
  if (*difference <= 1e-3)
    return true;
  fprintf(stderr, "The sides do not agree: logits differ by %g\n", *difference);
  return false;
}

static void
print_side(const char *name, const Best *best, const Best *peer)
{
  printf(", \"%s\": {\"tokens_per_second\": %.1f, \"peak_mib\": %.0f", name,
         best->tokens_per_second, best->peak_mebibytes);
  if (peer->tokens_per_second > 0)
    printf(", \"ratio\": %.2f", best->tokens_per_second / peer->tokens_per_second);
  printf("}");
}

static int
run_driver(const char *self)
{
  g_autofree char *tokens = g_strdup_printf("%d", n_tokens);
  g_autofree char *threads = g_strdup_printf("%d", n_threads);
  g_autofree char *passes = g_strdup_printf("%d", n_passes);
  g_autofree char *ours_check =
      g_build_filename(g_get_tmp_dir(), "bench-prefill-ours.f32", NULL);
  g_autofree char *peer_check =
      g_build_filename(g_get_tmp_dir(), "bench-prefill-peer.f32", NULL);
  g_autofree char *script = g_build_filename(BENCH_SOURCE_DIR, "peers", "prefill.py", NULL);
  const char *ours[] = { self,       "--side",  "f32",       "--model", model_path,
                         "--tokens", tokens,    "--threads", threads,   "--passes",
                         passes,     "--check", ours_check,  NULL };
  const char *int8[] = { self,   "--side",    "int8",  "--model",  model_path, "--tokens",
                         tokens, "--threads", threads, "--passes", passes,     NULL };
  const char *peer[] = { peer_python, script, model_path, tokens,
                         threads,     passes, peer_check, NULL };
  g_autofree char *machine = bench_describe_machine();
  Best our_best = { 0, 0 }, int8_best = { 0, 0 }, peer_best = { 0, 0 };
  double difference = NAN;
  for (int round = 0; round < n_rounds; round++) {
    if (!run_side(ours, &our_best) || (is_int8 && !run_side(int8, &int8_best)) ||
        (peer_python != NULL && !run_side(peer, &peer_best)))
      return 1;
    if (peer_python != NULL && round == 0 &&
        !check_agreement(ours_check, peer_check, &difference))
      return 1;
  }
  printf("{\"case\": \"prefill\", \"machine\": \"%s\", \"tokens\": %d, \"threads\": %d",
         machine, n_tokens, n_threads);
  print_side("f32", &our_best, &peer_best);
  if (is_int8)
    print_side("int8", &int8_best, &peer_best);
  if (peer_python != NULL) {
    print_side("transformers, torch f32", &peer_best, &peer_best);
    printf(", \"logit_difference\": %.2e", difference);
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
  if (model_path == NULL)
    model_path = g_build_filename(g_get_user_data_dir(), "clew", "models",
                                  "SmolLM2-135M-Instruct.Q4_1.gguf", NULL);
  return side != NULL ? run_ours() : run_driver(argv[0]);
}
