/* command-cache.c - clew cache: text through a model into a store of activations. */
#include <stdio.h>
#include <string.h>

#include "cache-metrics.h"
#include "commands.h"
#include "cw-activations.h"
#include "facts.h"
#include "file-facts.h"
#include "prompt.h"
#include "texts.h"

/* "3/8" */
static bool
read_job(const CwaArguments *arguments, CwTextOptions *text, GError **error)
{
  const char *job = cwa_arguments_text(arguments, "job");
  char rest;
  long long i, n;
  if (job == NULL)
    return true;
  if (sscanf(job, "%lld/%lld%c", &i, &n, &rest) == 2 && n >= 1 && n <= 1 << 20 && i >= 0 &&
      i < n) {
    text->job = i;
    text->n_jobs = n;
    return true;
  }
  g_set_error(error, CWA_USAGE_ERROR, 0,
              "--job %s: write I/N, the job's number from 0 to N - 1 and how many there are",
              job);
  return false;
}

static CwCodec
read_codec(const CwaArguments *arguments)
{
  const char *name = cwa_arguments_text(arguments, "quantise");
  return strcmp(name, "none") == 0   ? CW_CODEC_NONE
         : strcmp(name, "int4") == 0 ? CW_CODEC_INT4
                                     : CW_CODEC_INT8;
}

static void
print_report(const CwaRun *run, const char *folder, const CwCollectReport *report,
             int64_t n_values)
{
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  uint64_t n_bytes = cwa_path_get_size(folder);
  double of_f16 = (double)n_bytes / (2 * (double)n_values * (double)report->n_rows);
  int64_t n_new = report->n_rows - report->n_resumed_rows;
  double seconds = report->capture_seconds + report->encode_seconds;
  cwa_facts_add_text(facts, "output", folder);
  cwa_facts_add_integer(facts, "rows", report->n_rows);
  cwa_facts_add_integer(facts, "resumed_rows", report->n_resumed_rows);
  cwa_facts_add_integer(facts, "documents", report->n_documents);
  cwa_facts_add_integer(facts, "windows", report->n_windows);
  cwa_facts_add_size(facts, "bytes", n_bytes);
  cwa_facts_add_number(facts, "share_of_f16", of_f16, 3);
  cwa_facts_add_number(facts, "capture_seconds", report->capture_seconds, 1);
  cwa_facts_add_number(facts, "encode_seconds", report->encode_seconds, 1);
  cwa_facts_add_number(facts, "tokens_per_second", seconds > 0 ? (double)n_new / seconds : 0,
                       1);
  cwa_facts_print(facts, cwa_arguments_flag(run->arguments, "json"));
}

/* The folder that this job writes. Transfer full. */
static char *
dup_folder(const char *output, const CwTextOptions *text)
{
  g_autofree char *part = g_strdup_printf("part-%" G_GINT64_FORMAT "-of-%" G_GINT64_FORMAT,
                                          text->job, text->n_jobs);
  return text->n_jobs > 0 ? g_build_filename(output, part, NULL) : g_strdup(output);
}

/* --join: the operands are finished parts. */
static bool
run_join(CwaRun *run, GError **error)
{
  g_autoptr(GPtrArray) parts = g_ptr_array_new();
  for (size_t i = 0; i < cwa_arguments_n_operands(run->arguments); i++)
    g_ptr_array_add(parts, (gpointer)cwa_arguments_operand(run->arguments, i));
  if (parts->len == 0) {
    g_set_error_literal(error, CWA_USAGE_ERROR, 0, "--join: name the folders of the parts");
    return false;
  }
  return cw_cache_join((const char *const *)parts->pdata, parts->len,
                       cwa_arguments_text(run->arguments, "output"), error);
}

static bool
run_cache(CwaRun *run, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  g_autoptr(GPtrArray) paths = cwa_texts_list(arguments);
  CwaCacheMetrics metrics;
  CwCollectOptions options = {
    .text = { .paths = (const char *const *)paths->pdata,
              .text_field = cwa_arguments_text(arguments, "field"),
              .context_tokens = cwa_arguments_integer(arguments, "context") },
    .codec = read_codec(arguments),
    .target_error = cwa_arguments_number(arguments, "error"),
    .held_out_fraction = cwa_arguments_number(arguments, "held-out"),
    .n_tokens = cwa_arguments_integer(arguments, "tokens"),
    .batch_tokens = cwa_arguments_integer(arguments, "batch"),
    .seed = (uint64_t)cwa_arguments_integer(arguments, "seed"),
    .is_reduced = cwa_arguments_flag(arguments, "reduced"),
    .made = cwa_cache_metrics_made_cb,
    .made_data = &metrics,
  };
  if (cwa_arguments_flag(arguments, "join"))
    return run_join(run, error);
  if (paths->len == 1) {
    g_set_error_literal(error, CWA_USAGE_ERROR, 0, "--text is missing: name the text to read");
    return false;
  }
  if (!read_job(arguments, &options.text, error))
    return false;
  g_autoptr(CwModel) model = cwa_model_open(run, error);
  if (model == NULL || !cwa_run_open_device(run, error))
    return false;
  CwCollectReport report;
  cwa_cache_metrics_begin(&metrics, run->worker);
  bool is_done = cw_activations_collect(model, run->device, &options,
                                        cwa_arguments_text(arguments, "output"), &report,
                                        &run->reports, run->cancel, error);
  cwa_cache_metrics_end(&metrics);
  if (!is_done)
    return false;
  cwa_progress_finish(run->progress);
  const CwModelConfig *config = cw_model_peek_config(model);
  g_autofree char *folder = dup_folder(cwa_arguments_text(arguments, "output"), &options.text);
  print_report(run, folder, &report, 2 * config->n_layers * config->width);
  return true;
}

static const char *const codecs[] = { "none", "int8", "int4", NULL };

static const CwaOption cache_options[] = {
  CWA_OPTION_ROW_MODEL,
  CWA_OPTION_ROW_TEXT,
  { "output", CWA_OPTION_PATH, "DIR", "folder of the cache", .is_required = true,
    .letter = 'o' },
  CWA_OPTION_ROW_CONTEXT,
  { "quantise", CWA_OPTION_CHOICE, "none|int8|int4", "codes of the values; none is f16", "int8",
    .choices = codecs },
  { "error", CWA_OPTION_NUMBER, "E",
    "relative error energy of each layer; 0 takes the codec's own: int8 0.0028, int4 0.02", "0",
    0, 0.9 },
  { "tokens", CWA_OPTION_INTEGER, "N", "rows to make at most; 0 for all of the text", "0", 0,
    0x1p53 },
  { "held-out", CWA_OPTION_NUMBER, "F",
    "share of the documents kept apart for evaluation, in frames of their own", "0.015625", 0,
    0.99 },
  { "job", CWA_OPTION_TEXT, "I/N",
    "make part I of N, from 0 on: a Nth of the documents, in a folder of its own within DIR" },
  { "join", CWA_OPTION_FLAG, NULL,
    "make one cache in DIR of finished parts, which are named as PART...; no bytes are copied "
    "where the file system can link",
    .excludes = "text" },
  CWA_OPTION_ROW_FIELD,
  { "batch", CWA_OPTION_INTEGER, "N",
    "rows held in memory and mixed before they are written; 0 for 512 MB of them", "0", 0,
    0x1p31 },
  CWA_OPTION_ROW_REDUCED,
  { "json", CWA_OPTION_FLAG, NULL, "print one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_cache = {
  .name = "cache",
  .summary = "MLP inputs and outputs over text, to train transcoders on",
  .usage = "[OPTIONS] --text FILE... --output DIR",
  .description =
      "Runs a model over text and keeps what each MLP reads and writes, compressed, with "
      "token, document and place of every row. Text is plain (a file is a document), JSON "
      "lines (a line is a document), or token ids in safetensors (tokens or input_ids). No "
      "window reaches across documents, and no document loses its end.\n\n"
      "The step of the codes follows from the error that is allowed, per frame, layer and "
      "side; values that do not fit are kept whole, so that outliers neither suffer nor make "
      "others suffer. The error that came out is in DIR/manifest.json.\n\n"
      "A run that was cut off goes on where it stopped when it is started again with the same "
      "options, and leaves the same bytes. clew info DIR checks every checksum.",
  .examples =
      "clew cache --text corpus.jsonl --output cache\n"
      "clew cache --text books/ notes.txt --output cache --context 256 --tokens 10000000\n"
      "clew cache --text corpus.jsonl --output cache --job 3/8\n"
      "clew cache --join cache/part-* --output whole",
  .options = cache_options,
  .n_operands_most = 100000,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note = "--seed decides how the rows of a batch are mixed.",
  .when_interrupted = "the same command goes on behind the last whole batch",
  .run = run_cache,
};
