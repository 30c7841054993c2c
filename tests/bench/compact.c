/* compact.c - what storing a transcoder in 8 bits does to attribution graphs.
 *
 *   bench-compact --compact FILE --transcoder FOLDER [--nodes 0]
 *
 * Each prompt is attributed with both; the graphs are compared node by node. The prompts differ
 * in kind: facts, grammar, arithmetic, code, lists, dialogue, another language. */
#include "attribution-case.h"
#include "bench-support.h"
#include "graph-difference.h"

#include <math.h>
#include <stdio.h>

static char *model_path, *compact_path, *transcoder_path;
static int n_threads = 2, n_nodes = 0;

static const GOptionEntry entries[] = {
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "GGUF file", "M" },
  { "compact", 0, 0, G_OPTION_ARG_FILENAME, &compact_path, "the 8-bit transcoder", "FILE" },
  { "transcoder", 0, 0, G_OPTION_ARG_FILENAME, &transcoder_path, "what it was made from",
    "FOLDER" },
  { "nodes", 0, 0, G_OPTION_ARG_INT, &n_nodes, "feature nodes, 0: all", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "threads", "N" },
  { NULL },
};

static const char *const prompts[] = {
  "The capital of France is",
  "Fact: the capital of the state containing Dallas is",
  "The opposite of small is",
  "When Mary and John went to the store, John gave a drink to",
  "The keys to the cabinet",
  "12 + 29 = 41\n17 + 15 =",
  "def add(a, b):\n    return a +",
  "Monday, Tuesday, Wednesday,",
  "Once upon a time, there was a little girl who",
  "<|im_start|>user\nWhat colour is the sky?<|im_end|>\n<|im_start|>assistant\nThe sky is",
  "Le chat est assis sur la",
  "Water boils at a temperature of",
  "To be, or not to be, that is the",
  "The doctor told the nurse that she",
};

/* A quantity over all prompts. */
typedef struct {
  double sum, smallest, largest;
} Spread;

static void
spread_add(Spread *spread, double value, int i)
{
  spread->sum += value;
  spread->smallest = i == 0 ? value : MIN(spread->smallest, value);
  spread->largest = i == 0 ? value : MAX(spread->largest, value);
}

/* The quantities reported, in this order. */
static const char *const names[] = {
  "active_shared",           "activation",      "edges",
  "edges_of_sparse",         "edges_to_logits", "rank_correlation",
  "top_50_shared",           "pruned_shared",   "replacement_difference",
  "completeness_difference",
};
#define N_QUANTITIES G_N_ELEMENTS(names)

static void
quantities(const GraphDifference *d, double *values)
{
  size_t n_either = d->n_features_a + d->n_features_b - d->n_features_shared;
  const double all[N_QUANTITIES] = {
    (double)d->n_features_shared / (double)n_either,
    d->activation,
    d->edges,
    d->edges_of_sparse,
    d->edges_to_logits,
    d->rank_correlation,
    d->top_shared,
    d->pruned_shared,
    d->scores_a.replacement - d->scores_b.replacement,
    d->scores_a.completeness - d->scores_b.completeness,
  };
  for (size_t i = 0; i < N_QUANTITIES; i++)
    values[i] = all[i];
}

static CwGraph *
attribute(CwModel *model, CwTranscoder *transcoder, CwkDevice *device, const char *prompt,
          GError **error)
{
  size_t n;
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  options.max_feature_nodes = n_nodes;
  options.n_named_features = 0;
  g_autofree int32_t *tokens =
      cw_attribution_prompt(cw_model_peek_tokenizer(model), prompt, -1, &n, error);
  return tokens != NULL ? cw_attribute(model, transcoder, device, tokens, n, &options, NULL,
                                       NULL, NULL, error)
                        : NULL;
}

static bool
compare_prompt(CwModel *model, CwTranscoder *compact, CwTranscoder *transcoder,
               CwkDevice *device, int i, Spread *spreads, GError **error)
{
  GraphDifference difference;
  double values[N_QUANTITIES];
  g_autoptr(CwGraph) a = attribute(model, compact, device, prompts[i], error);
  g_autoptr(CwGraph) b =
      a != NULL ? attribute(model, transcoder, device, prompts[i], error) : NULL;
  if (b == NULL || !graph_difference(a, b, &difference, error))
    return false;
  quantities(&difference, values);
  g_autofree char *text = g_strescape(prompts[i], NULL);
  printf("%s\n    {\"prompt\": \"%s\", \"features\": [%zu, %zu, %zu], \"replacement\": %.4f, "
         "\"completeness\": %.4f",
         i == 0 ? "" : ",", text, difference.n_features_a, difference.n_features_b,
         difference.n_features_shared, difference.scores_b.replacement,
         difference.scores_b.completeness);
  for (size_t q = 0; q < N_QUANTITIES; q++) {
    printf(", \"%s\": %.5f", names[q], values[q]);
    spread_add(&spreads[q], values[q], i);
  }
  printf("}");
  fflush(stdout);
  return true;
}

static bool
run(CwkDevice *device, GError **error)
{
  g_autofree char *path = attribution_case_model_path(model_path);
  g_autofree char *machine = bench_describe_machine();
  g_autoptr(CwModel) model = cw_model_load(path, error);
  g_autoptr(CwTranscoder) compact =
      model != NULL ? cw_transcoder_open(compact_path, error) : NULL;
  g_autoptr(CwTranscoder) transcoder =
      compact != NULL ? cw_transcoder_open(transcoder_path, error) : NULL;
  Spread spreads[N_QUANTITIES] = { { 0, 0, 0 } };
  if (transcoder == NULL)
    return false;
  printf("{\n  \"case\": \"compact\", \"machine\": \"%s\", \"nodes\": %d, \"prompts\": [",
         machine, n_nodes);
  for (int i = 0; i < (int)G_N_ELEMENTS(prompts); i++)
    if (!compare_prompt(model, compact, transcoder, device, i, spreads, error))
      return false;
  printf("],\n  \"all\": {");
  for (size_t q = 0; q < N_QUANTITIES; q++)
    printf("%s\n    \"%s\": {\"mean\": %.5f, \"least\": %.5f, \"most\": %.5f}",
           q == 0 ? "" : ",", names[q], spreads[q].sum / (double)G_N_ELEMENTS(prompts),
           spreads[q].smallest, spreads[q].largest);
  printf("\n  }\n}\n");
  return true;
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
  if (compact_path == NULL || transcoder_path == NULL) {
    fprintf(stderr, "bench-compact: --compact FILE and --transcoder FOLDER are needed\n");
    return 2;
  }
  CwkDevice *device = cwk_cpu_new(n_threads);
  bool is_good = device != NULL && run(device, &error);
  if (!is_good)
    fprintf(stderr, "%s\n", error != NULL ? error->message : "No threads");
  cwk_device_free(device);
  return is_good ? 0 : 1;
}
