/* command-attribute.c - clew attribute: from a prompt to an attribution graph.
 *
 * Everything that can be refused early is: options, output paths and targets are checked before
 * the first product. Ctrl+C ends the run; files are written whole at the end or not at all. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "file-facts.h"
#include "graph-facts.h"
#include "graph-prune.h"
#include "graph-write.h"
#include "prompt.h"
#include "raw-tensors.h"
#include "targets.h"
#include "transcoder.h"

/* What the steps of one run hand on. */
typedef struct {
  CwModel *model;
  CwTranscoder *transcoder;
  int32_t *tokens, *targets;
  size_t n_tokens;
  CwAttributionOptions options;
  CwGraph *graph;
  CwAttributionDetail *detail;
  CwPruned *pruned;
  gint64 start_us;
} Job;

static void
job_clear(Job *job)
{
  cw_pruned_free(job->pruned);
  cw_attribution_detail_free(job->detail);
  cw_graph_unref(job->graph);
  g_free(job->tokens);
  g_free(job->targets);
  cw_transcoder_unref(job->transcoder);
  cw_model_unref(job->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

static const char output_endings[] = "clew json safetensors";

static bool
writes_tensors(const CwaArguments *arguments)
{
  const char *const *paths = cwa_arguments_texts(arguments, "output");
  for (; *paths != NULL; paths++)
    if (strcmp(cwa_run_peek_ending(*paths), "safetensors") == 0)
      return true;
  return false;
}

static bool
check_outputs(const CwaRun *run, GError **error)
{
  const char *const *paths = cwa_arguments_texts(run->arguments, "output");
  for (; *paths != NULL; paths++)
    if (!cwa_run_check_ending(*paths, output_endings, error) ||
        !cwa_run_check_output(*paths, error))
      return false;
  return true;
}

static bool
open_inputs(CwaRun *run, Job *job, GError **error)
{
  job->model = cwa_model_open(run, error);
  if (job->model == NULL)
    return false;
  job->tokens = cwa_prompt_tokens(run, job->model, true, &job->n_tokens, error);
  if (job->tokens == NULL ||
      !cwa_targets_parse(run, job->model, &job->options, &job->targets, error))
    return false;
  job->transcoder = cwa_transcoder_open(run, job->model, error);
  return job->transcoder != NULL && cwa_run_open_device(run, error);
}

static void
read_options(const CwaArguments *arguments, CwAttributionOptions *options)
{
  cw_attribution_options_init(options);
  options->max_n_logits = cwa_arguments_integer(arguments, "max-n-logits");
  options->desired_logit_prob = cwa_arguments_number(arguments, "desired-logit-prob");
  options->batch_size = cwa_arguments_integer(arguments, "batch-size");
  options->update_interval = cwa_arguments_integer(arguments, "update-interval");
  options->keeps_tensors = writes_tensors(arguments);
  options->max_feature_nodes = cwa_arguments_integer(arguments, "max-feature-nodes");
}

static bool
compute(CwaRun *run, Job *job, GError **error)
{
  job->graph =
      cw_attribute(job->model, job->transcoder, run->device, job->tokens, job->n_tokens,
                   &job->options, &run->reports, run->cancel, &job->detail, error);
  if (job->graph == NULL)
    return false;
  job->pruned = cwa_graph_prune(job->graph, run, NULL, error);
  return job->pruned != NULL && !cw_cancel_check(run->cancel, error);
}

static bool
write_output(const char *path, CwaRun *run, Job *job, GError **error)
{
  if (strcmp(cwa_run_peek_ending(path), "safetensors") != 0)
    return cwa_graph_write(path, job->graph, job->pruned, run, NULL, error);
  CwaRawTensors raw = { job->graph,  job->detail,
                        job->pruned, cw_model_peek_config(job->model),
                        job->tokens, job->n_tokens };
  return cwa_raw_tensors_write(path, &raw, error);
}

static void
add_logits(CwaFacts *facts, const CwGraph *graph)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  cwa_facts_begin_list(facts, "targets");
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++) {
    if (nodes[i].kind != CW_NODE_LOGIT)
      continue;
    cwa_facts_begin_item(facts);
    cwa_facts_add_number(facts, "probability", nodes[i].probability, 4);
    cwa_facts_add_integer(facts, "id", nodes[i].feature);
    cwa_facts_add_text(facts, "label", cw_graph_peek_label(graph, i));
    cwa_facts_end_item(facts);
  }
  cwa_facts_end_list(facts);
}

static void
print_summary(const CwaRun *run, const Job *job)
{
  const CwaArguments *arguments = run->arguments;
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  cwa_facts_add_text(facts, "model", cw_model_peek_config(job->model)->name);
  cwa_facts_add_text(facts, "transcoder", cw_transcoder_peek_path(job->transcoder));
  cwa_facts_add_text(facts, "device", cwk_device_name(run->device));
  cwa_graph_facts_add(facts, job->graph);
  cwa_facts_add_integer(facts, "active_features", job->detail->n_active);
  cwa_graph_facts_add_pruned(facts, job->graph, job->pruned);
  add_logits(facts, job->graph);
  cwa_facts_add_number(facts, "seconds",
                       1e-6 * (double)(g_get_monotonic_time() - job->start_us), 2);
  cwa_facts_add_number(facts, "seconds_forward", job->detail->seconds_forward, 2);
  cwa_facts_add_number(facts, "seconds_rows", job->detail->seconds_rows, 2);
  cwa_facts_begin_list(facts, "written");
  for (const char *const *path = cwa_arguments_texts(arguments, "output"); *path != NULL;
       path++) {
    cwa_facts_begin_item(facts);
    cwa_facts_add_text(facts, "path", *path);
    cwa_facts_add_size(facts, "bytes", cwa_path_get_size(*path));
    cwa_facts_end_item(facts);
  }
  cwa_facts_end_list(facts);
  cwa_facts_print(facts, cwa_arguments_flag(arguments, "json"));
}

static bool
run_attribute(CwaRun *run, GError **error)
{
  g_auto(Job) job = { .start_us = g_get_monotonic_time() };
  read_options(run->arguments, &job.options);
  if (!cwa_prompt_check(run, error) || !check_outputs(run, error) ||
      !open_inputs(run, &job, error) || !compute(run, &job, error))
    return false;
  for (const char *const *path = cwa_arguments_texts(run->arguments, "output"); *path != NULL;
       path++)
    if (!write_output(*path, run, &job, error))
      return false;
  cwa_progress_finish(run->progress);
  print_summary(run, &job);
  return true;
}

static const CwaOption attribute_options[] = {
  CWA_OPTION_ROW_MODEL,
  CWA_OPTION_ROW_TRANSCODER,
  CWA_OPTION_ROWS_PROMPT,
  { "output", CWA_OPTION_PATH, "G",
    "where to write: .clew a document with the whole graph; .json pruned, circuit-tracer's "
    "schema; .safetensors raw tensors",
    .is_required = true, .is_repeatable = true, .letter = 'o' },
  { "target", CWA_OPTION_TEXT, "TOKEN",
    "explain this token's logit instead of the most likely ones: the text of one token, or "
    "id:504",
    .excludes = "target-difference", .is_repeatable = true },
  { "target-difference", CWA_OPTION_PAIR, "A B",
    "explain the logit of token A minus that of B" },
  { "max-n-logits", CWA_OPTION_INTEGER, "N", "explain at most N most likely tokens", "10", 1,
    1e9, .excludes = "target target-difference" },
  { "desired-logit-prob", CWA_OPTION_NUMBER, "P",
    "explain the most likely tokens until they sum to P", "0.95", 1e-6, 1,
    .excludes = "target target-difference" },
  { "max-feature-nodes", CWA_OPTION_INTEGER, "N",
    "keep the N most influential features, 0 all of them", "7500", 0, 1e12 },
  { "batch-size", CWA_OPTION_INTEGER, "N",
    "with --update-interval: after N times M rows the influence is ranked anew", "256", 1,
    1e9 },
  { "update-interval", CWA_OPTION_INTEGER, "M", "see --batch-size", "4", 1, 1e9 },
  CWA_OPTION_ROWS_THRESHOLDS,
  { "json", CWA_OPTION_FLAG, NULL, "print the summary as one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_attribute = {
  .name = "attribute",
  .summary = "the attribution graph of a prompt",
  .usage = "[--model M --transcoder T] (--prompt TEXT | --token-ids IDS) --output G [OPTIONS]",
  .description =
      "Computes which features, errors and tokens cause the model's prediction after the "
      "prompt, and how strongly: with attention patterns and normalisation frozen all direct "
      "effects are linear, and the graph is the one circuit-tracer computes, number for "
      "number. Option names and defaults are circuit-tracer's.\n\n"
      "A prompt given as text gets the model's start token in front unless it begins with a "
      "special token; --token-ids are used as they are.\n\n"
      "The thresholds decide what a .json file keeps; with both at 1 it holds the whole graph.",
  .examples =
      "clew attribute --prompt \"The capital of France is\" --output paris.clew\n"
      "clew attribute --prompt \"The opposite of small is\" --target \" big\" -o big.json\n"
      "clew attribute --model gemma-2-2b/ --transcoder gemma-clt/ --prompt \"2+2=\" -o g.json",
  .options = attribute_options,
  .operand_kind = CWA_OPERAND_NONE,
  .common_note = "Attribution draws nothing at random: --seed is accepted, as by every "
                 "command, and changes nothing.",
  .run = run_attribute,
};
