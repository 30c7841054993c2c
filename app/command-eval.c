/* command-eval.c - clew eval: how good a transcoder is. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "cw-graph.h"
#include "cw-tensor-file.h"
#include "eval-report.h"
#include "places.h"
#include "prompt.h"
#include "texts.h"
#include "transcoder.h"

/* What one run holds. */
typedef struct {
  CwModel *model;
  CwTranscoder *transcoder;
  CwActivations *store;
  GPtrArray *texts;
  GPtrArray *prompts; /* of char * */
  CwaEvaluation evaluation;
} Job;

static void
job_clear(Job *job)
{
  cw_activation_quality_free(job->evaluation.activations);
  cw_model_quality_free(job->evaluation.inside);
  g_free(job->evaluation.prompt_qualities);
  g_clear_pointer(&job->prompts, g_ptr_array_unref);
  g_clear_pointer(&job->texts, g_ptr_array_unref);
  g_clear_pointer(&job->store, cw_activations_unref);
  cw_transcoder_unref(job->transcoder);
  cw_model_unref(job->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

static const char *const parts[] = { "held-out", "training", "all", NULL };

static CwEvaluatePart
read_part(const CwaArguments *arguments)
{
  const char *name = cwa_arguments_text(arguments, "part");
  return strcmp(name, "all") == 0        ? CW_EVALUATE_ALL
         : strcmp(name, "training") == 0 ? CW_EVALUATE_TRAINING
                                         : CW_EVALUATE_HELD_OUT;
}

static bool
has_text(const Job *job)
{
  return job->texts->len > 1;
}

/* ---- prompts ---------------------------------------------------------------------------- */

/* The prompt of a sample circuit, less the start token that its own model put in front. */
static char *
dup_sample_prompt(const char *path, GError **error)
{
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, error);
  if (graph == NULL)
    return NULL;
  const char *prompt = cw_graph_peek_prompt(graph);
  const char *first =
      cw_graph_get_n_positions(graph) > 0 ? cw_graph_peek_prompt_token(graph, 0) : "";
  bool is_start = g_str_has_prefix(first, "<") && g_str_has_prefix(prompt, first);
  return g_strdup(prompt + (is_start ? strlen(first) : 0));
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of the files' names. */
static bool
add_samples(GPtrArray *prompts, GError **error)
{
  g_autofree char *folder = cwa_places_find_data("samples");
  g_autoptr(GDir) dir = folder != NULL ? g_dir_open(folder, 0, NULL) : NULL;
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_suffix(name, ".clew"))
      g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
  if (paths->len == 0) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                        "--samples: no sample circuits are installed; name prompts by "
                        "--prompt");
    return false;
  }
  g_ptr_array_sort(paths, compare_names);
  for (guint i = 0; i < paths->len; i++) {
    char *prompt = dup_sample_prompt(paths->pdata[i], error);
    if (prompt == NULL)
      return false;
    g_ptr_array_add(prompts, prompt);
  }
  return true;
}

static bool
list_prompts(const CwaArguments *arguments, Job *job, GError **error)
{
  job->prompts = g_ptr_array_new_with_free_func(g_free);
  for (const char *const *text = cwa_arguments_texts(arguments, "prompt"); *text != NULL;
       text++)
    g_ptr_array_add(job->prompts, g_strdup(*text));
  return !cwa_arguments_flag(arguments, "samples") || add_samples(job->prompts, error);
}

static bool
evaluate_prompts(CwaRun *run, Job *job, GError **error)
{
  CwaEvaluation *evaluation = &job->evaluation;
  evaluation->prompt_qualities = g_new0(CwPromptQuality, job->prompts->len + 1);
  evaluation->prompts = (const char *const *)job->prompts->pdata;
  for (guint i = 0; i < job->prompts->len; i++) {
    const char *prompt = job->prompts->pdata[i];
    if (!cw_evaluate_prompt(job->transcoder, job->model, run->device, prompt,
                            &evaluation->prompt_qualities[i], &run->reports, run->cancel,
                            error)) {
      g_prefix_error(error, "the prompt \"%.60s\": ", prompt);
      return false;
    }
  }
  evaluation->n_prompts = job->prompts->len;
  return true;
}

/* ---- steps ------------------------------------------------------------------------------ */

static bool
has_prompts(const CwaRun *run)
{
  return cwa_arguments_flag(run->arguments, "samples") ||
         cwa_arguments_has(run->arguments, "prompt");
}

static bool
check_output(const CwaRun *run, const char *option, const char *endings, GError **error)
{
  const char *path = cwa_arguments_text(run->arguments, option);
  return path == NULL ||
         (cwa_run_check_ending(path, endings, error) && cwa_run_check_output(path, error));
}

/* What can be refused before anything is opened. */
static bool
check_arguments(const CwaRun *run, const Job *job, GError **error)
{
  bool has_store = cwa_arguments_has(run->arguments, "activations");
  bool has_text_option = cwa_arguments_has(run->arguments, "predictions") ||
                         cwa_arguments_has(run->arguments, "each-layer");
  if (!has_store && !has_text(job) && !has_prompts(run)) {
    g_set_error_literal(error, CWA_USAGE_ERROR, 0,
                        "Say what to evaluate on: --activations PATH, --text FILE, --prompt "
                        "TEXT or --samples");
    return false;
  }
  if (has_text_option && !has_text(job)) {
    g_set_error_literal(error, CWA_USAGE_ERROR, 0,
                        "--predictions and --each-layer need --text FILE to predict");
    return false;
  }
  return check_output(run, "output", "json", error) &&
         check_output(run, "plot", "pdf png svg", error);
}

static bool
open_inputs(CwaRun *run, Job *job, GError **error)
{
  const char *store = cwa_arguments_text(run->arguments, "activations");
  bool needs_model = has_text(job) || has_prompts(run);
  if (!list_prompts(run->arguments, job, error) ||
      (needs_model && (job->model = cwa_model_open(run, error)) == NULL))
    return false;
  job->transcoder = cwa_transcoder_open(run, job->model, error);
  if (job->transcoder == NULL)
    return false;
  if (store != NULL && (job->store = cw_activations_open(store, error)) == NULL)
    return false;
  return cwa_run_open_device(run, error);
}

static CwTextOptions
text_options(const CwaArguments *arguments, const Job *job)
{
  return (CwTextOptions){ .paths = (const char *const *)job->texts->pdata,
                          .text_field = cwa_arguments_text(arguments, "field"),
                          .context_tokens = cwa_arguments_integer(arguments, "context") };
}

static bool
evaluate_activations(CwaRun *run, Job *job, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  const CwEvaluateRows rows = { .n_rows = cwa_arguments_integer(arguments, "limit"),
                                .part = read_part(arguments),
                                .seed = (uint64_t)cwa_arguments_integer(arguments, "seed"),
                                .n_threads = cwk_device_n_threads(run->device),
                                .progress = &run->reports,
                                .cancel = run->cancel };
  const CwTextOptions text = text_options(arguments, job);
  CwaEvaluation *evaluation = &job->evaluation;
  if (job->store == NULL && !has_text(job))
    return true;
  evaluation->activations =
      job->store != NULL
          ? cw_evaluate_activations(job->transcoder, job->store, run->device, &rows, error)
          : cw_evaluate_text(job->transcoder, job->model, run->device, &text, &rows, error);
  if (evaluation->activations != NULL)
    return true;
  if (job->store != NULL)
    g_prefix_error(error, "%s: ", cwa_arguments_text(arguments, "activations"));
  return false;
}

static bool
evaluate_inside(CwaRun *run, Job *job, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  const CwEvaluateModel options = {
    .n_tokens = cwa_arguments_integer(arguments, "predictions"),
    .has_layers = cwa_arguments_flag(arguments, "each-layer"),
    .progress = &run->reports,
    .cancel = run->cancel,
  };
  const CwTextOptions text = text_options(arguments, job);
  if (!has_text(job) || options.n_tokens == 0)
    return true;
  job->evaluation.inside =
      cw_evaluate_model(job->transcoder, job->model, run->device, &text, &options, error);
  return job->evaluation.inside != NULL;
}

static void
describe(const CwaRun *run, Job *job)
{
  const CwaArguments *arguments = run->arguments;
  CwaEvaluation *evaluation = &job->evaluation;
  evaluation->transcoder = job->transcoder;
  evaluation->device = cwk_device_name(run->device);
  evaluation->seed = cwa_arguments_integer(arguments, "seed");
  if (job->model != NULL) {
    evaluation->model_name = cw_model_peek_config(job->model)->name;
    evaluation->tokenizer = cw_model_peek_tokenizer(job->model);
  }
  evaluation->store = cwa_arguments_text(arguments, "activations");
  evaluation->part = cwa_arguments_text(arguments, "part");
  evaluation->texts = (const char *const *)job->texts->pdata;
  evaluation->context_tokens = cwa_arguments_integer(arguments, "context");
}

/* A PNG with two pixels a px, paper with text of 7.5 points. */
static bool
write_plot(const CwaEvaluation *evaluation, const char *path, GError **error)
{
  bool is_png = strcmp(cwa_run_peek_ending(path), "png") == 0;
  return cwa_evaluation_plot(evaluation, path, is_png ? 2 : 7.5 / 11, error);
}

static bool
show(const CwaRun *run, const Job *job, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  const char *output = cwa_arguments_text(arguments, "output");
  g_autofree char *json = cwa_evaluation_to_json(&job->evaluation);
  cwa_progress_finish(run->progress);
  const char *plot = cwa_arguments_text(arguments, "plot");
  if ((output != NULL && !cw_file_write_atomic(output, json, strlen(json), error)) ||
      (plot != NULL && !write_plot(&job->evaluation, plot, error)))
    return false;
  if (cwa_arguments_flag(arguments, "json")) {
    fputs(json, stdout);
    return true;
  }
  g_autofree char *text = cwa_evaluation_to_text(&job->evaluation);
  fputs(text, stdout);
  return true;
}

static bool
run_eval(CwaRun *run, GError **error)
{
  g_auto(Job) job = { .texts = cwa_texts_list(run->arguments) };
  if (!check_arguments(run, &job, error) || !open_inputs(run, &job, error) ||
      !evaluate_activations(run, &job, error) || !evaluate_inside(run, &job, error) ||
      !evaluate_prompts(run, &job, error))
    return false;
  describe(run, &job);
  return show(run, &job, error);
}

static const CwaOption eval_options[] = {
  CWA_OPTION_ROW_TRANSCODER,
  CWA_OPTION_ROW_MODEL,
  { "activations", CWA_OPTION_PATH, "PATH",
    "a cache of `clew cache`, a .safetensors split or a folder of such" },
  { "part", CWA_OPTION_CHOICE, "held-out|training|all",
    "which of its tokens: those that the cache holds apart, the others, or all", "held-out",
    .choices = parts, .needs = "activations" },
  CWA_OPTION_ROW_TEXT,
  CWA_OPTION_ROW_FIELD,
  CWA_OPTION_ROW_CONTEXT,
  { "limit", CWA_OPTION_INTEGER, "N",
    "tokens to evaluate on at most: drawn at random from activations, the first of a text; 0 "
    "for all",
    "16384", 0, 0x1p53 },
  { "predictions", CWA_OPTION_INTEGER, "N",
    "next tokens of the text to predict with MLPs replaced, in whole windows; 0 for none",
    "1024", 0, 0x1p53 },
  { "each-layer", CWA_OPTION_FLAG, NULL,
    "replace also one layer's MLP at a time: takes about L / 4 times as long" },
  { "prompt", CWA_OPTION_TEXT, "TEXT", "score the attribution graph of this prompt",
    .is_repeatable = true },
  { "samples", CWA_OPTION_FLAG, NULL, "score those of the sample circuits' prompts" },
  { "output", CWA_OPTION_PATH, "FILE.json", "write the report there", .letter = 'o' },
  { "plot", CWA_OPTION_PATH, "FILE", "draw it as one page of charts: .pdf, .png or .svg" },
  { "json", CWA_OPTION_FLAG, NULL, "print the report as one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_eval = {
  .name = "eval",
  .summary = "how good a transcoder is",
  .usage = "[--transcoder T] [--activations PATH] [--text FILE...] [--prompt TEXT] [OPTIONS]",
  .description =
      "Measures a transcoder on activations: explained variance, active features per token "
      "(L0), dead and dense features, firing rates and norms, per layer. The activations are "
      "those of a cache, or a model makes them of the text.\n\n"
      "With text the transcoder is also put in the place of the model's MLPs: how much worse "
      "the next tokens are predicted (cross-entropy, in nats), how far the predictions move "
      "(KL), and how much of the loss from zeroing all MLP outputs, or from setting them to "
      "their means, is recovered: (CE_ablated - CE) / (CE_ablated - CE_model). Features read "
      "the stream of the unchanged model, or the changed one. The first position of a window, "
      "which no transcoder is trained on, always keeps the model's own output.\n\n"
      "Of prompts it gives the scores of their attribution graphs, unpruned, as circuit-tracer "
      "defines them: how much of the influence on the prediction comes from tokens rather than "
      "errors (replacement), and which share of the inputs is no error (completeness).\n\n"
      "T may be the folder of a training that is under way: its newest checkpoint is "
      "evaluated. Explained variance is 1 - |error|^2 / |output - its mean|^2 over all tokens, "
      "as in the training's metrics; the mean over layers counts all layers alike.",
  .examples = "clew eval --transcoder run/ --activations cache/\n"
              "clew eval --transcoder run/ --activations held-out/ --part all --limit 4096\n"
              "clew eval --text held-out.jsonl --limit 2000 --output report.json\n"
              "clew eval --transcoder run/ --text held-out.jsonl --samples --plot page.pdf",
  .options = eval_options,
  .n_operands_most = 100000,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note = "--seed decides which tokens of the activations are drawn.",
  .run = run_eval,
};
