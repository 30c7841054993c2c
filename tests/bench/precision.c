/* precision.c - what int8 activations do to a model: its logits and the inside of its layers,
 * beside the pass in f32 over the same tokens.
 *
 *   bench-precision [--model M.gguf] TEXT_FILE...
 *
 * Each file is one text (with the start token in front). Per text: the largest difference of a
 * logit, the mean and largest Kullback-Leibler divergence of a position's distribution (nats),
 * and at how many positions the most likely token is the same. Over all texts, per layer: the
 * relative error (root mean square) of the normalised MLP input and of the MLP's output. */
#include "bench-support.h"
#include "cw-model.h"
#include "cw-tokenizer.h"

#include <math.h>
#include <stdio.h>

static char *model_path;
static char **paths;
static int n_threads = 2;

static const GOptionEntry entries[] = {
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "GGUF file", "M" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "threads", "N" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "TEXT_FILE..." },
  { NULL },
};

typedef struct {
  double error, size; /* sums of squares */
} Relative;

typedef struct {
  int64_t n_positions, n_same_top;
  double largest_difference, sum_kl, largest_kl;
} LogitEffect;

static void
add_relative(Relative *sum, const float *exact, const float *rounded, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    double d = (double)rounded[i] - (double)exact[i];
    sum->error += d * d;
    sum->size += (double)exact[i] * (double)exact[i];
  }
}

static double
log_sum(const float *logits, int64_t n, int64_t *top)
{
  double sum = 0;
  *top = 0;
  for (int64_t i = 1; i < n; i++)
    *top = logits[i] > logits[*top] ? i : *top;
  for (int64_t i = 0; i < n; i++)
    sum += exp((double)logits[i] - (double)logits[*top]);
  return (double)logits[*top] + log(sum);
}

static void
add_position(LogitEffect *effect, const float *exact, const float *rounded, int64_t n)
{
  int64_t top_exact, top_rounded;
  double zp = log_sum(exact, n, &top_exact), zq = log_sum(rounded, n, &top_rounded), kl = 0;
  for (int64_t i = 0; i < n; i++) {
    double log_p = (double)exact[i] - zp, d = fabs((double)exact[i] - (double)rounded[i]);
    kl += exp(log_p) * (log_p - ((double)rounded[i] - zq));
    effect->largest_difference = MAX(effect->largest_difference, d);
  }
  effect->n_positions++;
  effect->n_same_top += top_exact == top_rounded;
  effect->sum_kl += kl;
  effect->largest_kl = MAX(effect->largest_kl, kl);
}

static CwForward *
run_pass(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n,
         CwForwardFlags reduced)
{
  g_autoptr(GError) error = NULL;
  CwForward *forward =
      cw_model_forward(model, device, tokens, n,
                       CW_FORWARD_ALL_LOGITS | CW_FORWARD_TAPS | reduced, NULL, &error);
  if (forward == NULL)
    fprintf(stderr, "%s\n", error->message);
  return forward;
}

/* What stands in front of every prompt, as text. */
static char *
dup_start(const CwTokenizer *tokenizer)
{
  int32_t start = cw_tokenizer_get_prompt_start(tokenizer);
  size_t n_bytes;
  return start >= 0 ? cw_tokenizer_decode(tokenizer, &start, 1, &n_bytes) : g_strdup("");
}

/* Runs both passes over one file's text and prints what it did to the logits. */
static bool
measure_text(CwModel *model, CwkDevice *device, const char *path, Relative *inputs,
             Relative *outputs)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *text = NULL;
  size_t n = 0;
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  if (!g_file_get_contents(path, &text, NULL, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return false;
  }
  g_autofree char *start = dup_start(tokenizer);
  g_autofree char *started = g_strconcat(start, text, NULL);
  g_autofree int32_t *tokens = cw_tokenizer_encode(tokenizer, started, -1, &n, &error);
  if (tokens == NULL) {
    fprintf(stderr, "%s\n", error->message);
    return false;
  }
  g_autoptr(CwForward) exact = run_pass(model, device, tokens, n, 0);
  g_autoptr(CwForward) rounded = run_pass(model, device, tokens, n, CW_FORWARD_REDUCED);
  if (exact == NULL || rounded == NULL)
    return false;
  const CwModelConfig *config = cw_model_peek_config(model);
  int64_t size = (int64_t)n * config->width;
  for (int64_t l = 0; l < config->n_layers; l++) {
    add_relative(&inputs[l], exact->mlp_hat + l * size, rounded->mlp_hat + l * size, size);
    add_relative(&outputs[l], exact->mlp_out + l * size, rounded->mlp_out + l * size, size);
  }
  LogitEffect effect = { 0 };
  for (size_t t = 0; t < n; t++)
    add_position(&effect, exact->logits + (int64_t)t * config->n_vocabulary,
                 rounded->logits + (int64_t)t * config->n_vocabulary, config->n_vocabulary);
  printf("{\"text\": \"%s\", \"tokens\": %zu, \"largest_logit_difference\": %.3f, "
         "\"mean_kl\": %.5f, \"largest_kl\": %.5f, \"same_top\": %.4f}\n",
         path, n, effect.largest_difference, effect.sum_kl / (double)n, effect.largest_kl,
         (double)effect.n_same_top / (double)n);
  return true;
}

static void
print_layers(const char *name, const Relative *sums, int64_t n)
{
  printf("{\"relative_error\": \"%s\", \"layers\": [", name);
  for (int64_t l = 0; l < n; l++)
    printf("%s%.4f", l > 0 ? ", " : "", sqrt(sums[l].error / sums[l].size));
  printf("]}\n");
}

static int
run(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwModel) model = cw_model_load(model_path, &error);
  if (model == NULL) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  CwkDevice *device = cwk_cpu_new(n_threads);
  int64_t n_layers = cw_model_peek_config(model)->n_layers;
  g_autofree Relative *inputs = g_new0(Relative, n_layers);
  g_autofree Relative *outputs = g_new0(Relative, n_layers);
  bool is_done = true;
  for (char **path = paths; is_done && *path != NULL; path++)
    is_done = measure_text(model, device, *path, inputs, outputs);
  if (is_done) {
    print_layers("normalised MLP input", inputs, n_layers);
    print_layers("MLP output", outputs, n_layers);
  }
  cwk_device_free(device);
  return is_done ? 0 : 1;
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error) || paths == NULL) {
    fprintf(stderr, "%s\n", error != NULL ? error->message : "Give at least one text file");
    return 2;
  }
  if (model_path == NULL)
    model_path = g_build_filename(g_get_user_data_dir(), "clew", "models",
                                  "SmolLM2-135M-Instruct.Q4_1.gguf", NULL);
  return run();
}
