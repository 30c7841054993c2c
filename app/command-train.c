/* command-train.c - clew train: a transcoder from activations.
 *
 * Every setting of a run is an option too. Their rows are made from the core's table before
 * main begins, so that help, completion and checks know them; where it was typed, an option is
 * set over the configuration file. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "cw-train.h"
#include "facts.h"
#include "metrics-text.h"
#include "prompt.h"
#include "texts.h"

#define MAX_CONFIG_BYTES (1 << 20)
#define MAX_SETTINGS     80

static const CwaOption own_options[] = {
  { "activations", CWA_OPTION_PATH, "PATH",
    "what to learn from: a cache of `clew cache`, a .safetensors split or a folder of such",
    .excludes = "text model field context reduced buffer" },
  CWA_OPTION_ROW_TEXT,
  CWA_OPTION_ROW_MODEL,
  CWA_OPTION_ROW_FIELD,
  CWA_OPTION_ROW_CONTEXT,
  CWA_OPTION_ROW_REDUCED,
  { "buffer", CWA_OPTION_INTEGER, "MB",
    "activations of --text in memory at a time; two thirds of them are mixed", "1024", 1,
    0x1p30, .needs = "text" },
  { "output", CWA_OPTION_PATH, "DIR", "the run's folder", .is_required = true, .letter = 'o' },
  { "config", CWA_OPTION_PATH, "FILE", "settings as one JSON object" },
  { "resume", CWA_OPTION_FLAG, NULL, "go on from the newest whole checkpoint in DIR",
    .excludes = "initial" },
  { "initial", CWA_OPTION_PATH, "PATH",
    "start from this transcoder: circuit-tracer's folder, a CLT-Forge checkpoint, or compact" },
  { "json", CWA_OPTION_FLAG, NULL, "print the summary as one JSON object" },
};

static CwaOption train_options[G_N_ELEMENTS(own_options) + MAX_SETTINGS + 1];

/* "seed" is every command's own. */
static bool
is_own_option(const CwTrainKey *key)
{
  return strcmp(key->key, "seed") != 0;
}

/* d_latent becomes d-latent; a flag that is on by itself, no-shuffle. Never freed: these are
 * the program's own rows. */
static char *
option_name(const CwTrainKey *key)
{
  char *name = g_strdup_printf("%s%s", key->is_flag ? "no-" : "", key->key);
  for (char *p = name; *p != '\0'; p++)
    if (*p == '_')
      *p = '-';
  return name;
}

static CwaOption
option_of_key(const CwTrainKey *key)
{
  CwaOption option = { .name = option_name(key), .least = key->least, .most = key->most };
  option.choices = key->choices;
  option.kind = key->is_flag      ? CWA_OPTION_FLAG
                : key->choices    ? CWA_OPTION_CHOICE
                : key->is_integer ? CWA_OPTION_INTEGER
                                  : CWA_OPTION_NUMBER;
  option.value = key->is_flag      ? NULL
                 : key->choices    ? g_strjoinv("|", (char **)key->choices)
                 : key->is_integer ? "N"
                                   : "X";
  option.help =
      key->is_flag ? g_strdup_printf("not so: %s", key->help)
                   : g_strdup_printf("%s%s%s%s (%s)", key->help, *key->unit != '\0' ? "; " : "",
                                     key->unit, "", key->initial);
  return option;
}

__attribute__((constructor)) static void
make_options(void)
{
  size_t n = 0;
  for (size_t i = 0; i < G_N_ELEMENTS(own_options); i++)
    train_options[n++] = own_options[i];
  for (size_t i = 0; i < cw_train_n_keys() && i < MAX_SETTINGS; i++) {
    CwTrainKey key;
    cw_train_describe_key(i, CW_RECIPE_CLT_FORGE, &key);
    if (is_own_option(&key))
      train_options[n++] = option_of_key(&key);
    g_free(key.initial);
  }
}

/* ---- settings -----------------------------------------------------------------------------
 */

/* Keys in the order of the core's table, which has those first that set others' defaults. */
static bool
take_options(const CwaArguments *arguments, CwTrainSettings *settings, GError **error)
{
  for (size_t i = 0; i < cw_train_n_keys(); i++) {
    CwTrainKey key;
    cw_train_describe_key(i, CW_RECIPE_CLT_FORGE, &key);
    g_free(key.initial);
    g_autofree char *name = is_own_option(&key) ? option_name(&key) : g_strdup("seed");
    if (!cwa_arguments_has(arguments, name))
      continue;
    g_autofree char *number = NULL;
    const char *value = "false";
    if (!key.is_flag && !key.choices) {
      char text[G_ASCII_DTOSTR_BUF_SIZE];
      double x = key.is_integer ? (double)cwa_arguments_integer(arguments, name)
                                : cwa_arguments_number(arguments, name);
      value = number = g_strdup(g_ascii_dtostr(text, sizeof text, x));
    } else if (key.choices) {
      value = cwa_arguments_text(arguments, name);
    }
    if (!cw_train_settings_set(settings, key.key, value, error))
      return false;
  }
  return true;
}

static bool
take_config(const char *path, CwTrainSettings *settings, GError **error)
{
  g_autofree char *json = NULL;
  gsize n_bytes = 0;
  g_autoptr(GError) failure = NULL;
  if (!g_file_get_contents(path, &json, &n_bytes, &failure)) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND, "%s", failure->message);
    return false;
  }
  if (strlen(json) != n_bytes || n_bytes > MAX_CONFIG_BYTES) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: is no JSON text of at most 1 MiB", path);
    return false;
  }
  return cw_train_settings_read(settings, json, path, error);
}

static bool
read_settings(const CwaArguments *arguments, CwTrainSettings *settings, GError **error)
{
  const char *config = cwa_arguments_text(arguments, "config");
  cw_train_settings_init(settings, CW_RECIPE_CLT_FORGE);
  return (config == NULL || take_config(config, settings, error)) &&
         take_options(arguments, settings, error) && cw_train_settings_check(settings, error);
}

/* ---- run ----------------------------------------------------------------------------------
 */

/* JSON for whoever reads along; a window has metrics.jsonl and shows the log to people. */
static void
print_line(const char *json, gpointer user_data)
{
  const CwaRun *run = user_data;
  bool is_watched = run->worker != NULL && cw_run_worker_is_launched(run->worker);
  g_autofree char *text = is_watched ? cwa_metrics_dup_text(json) : g_strdup(json);
  cwa_progress_finish(run->progress);
  g_printerr("%s\n", text);
}

/* --activations or --text, of which one must be there. */
static CwActivations *
open_activations(const CwaRun *run, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  const char *path = cwa_arguments_text(arguments, "activations");
  if (path != NULL)
    return cw_activations_open(path, error);
  g_autoptr(GPtrArray) paths = cwa_texts_list(arguments);
  g_autoptr(CwModel) model = cwa_model_open(run, error);
  if (model == NULL)
    return NULL;
  const CwLiveOptions options = {
    .text = { .paths = (const char *const *)paths->pdata,
              .text_field = cwa_arguments_text(arguments, "field"),
              .context_tokens = cwa_arguments_integer(arguments, "context") },
    .held_out_fraction = -1,
    .buffer_bytes = cwa_arguments_integer(arguments, "buffer") << 20,
    .n_threads = (int)cwa_arguments_integer(arguments, "threads"),
    .is_reduced = cwa_arguments_flag(arguments, "reduced"),
  };
  return cw_activations_open_live(model, &options, error);
}

static bool
check_source(const CwaArguments *arguments, GError **error)
{
  bool has_text = cwa_arguments_has(arguments, "text");
  if (!has_text && cwa_arguments_n_operands(arguments) > 0)
    g_set_error(error, CWA_USAGE_ERROR, 0, "%s: write --text before the files to read",
                cwa_arguments_operand(arguments, 0));
  else if (!has_text && !cwa_arguments_has(arguments, "activations"))
    g_set_error_literal(error, CWA_USAGE_ERROR, 0,
                        "what to learn from is missing: --activations PATH, or --text FILE... "
                        "to run the model meanwhile");
  else
    return true;
  return false;
}

static bool
train(CwaRun *run, CwTrainRun *training, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  CwActivations *activations = open_activations(run, error);
  if (activations == NULL)
    return false;
  CwTrainEnd end = CW_TRAIN_DONE;
  bool is_done = cw_train_run(training, activations, &end, error);
  cw_activations_unref(activations);
  if (!is_done)
    return false;
  if (end == CW_TRAIN_STOPPED) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_CANCELLED, "stopped");
    return false;
  }
  static const char *const ends[] = { "all steps", "optimal_l0 reached" };
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  g_autofree char *transcoder = g_build_filename(training->output, "transcoder", NULL);
  cwa_facts_add_text(facts, "ended", ends[end]);
  cwa_facts_add_text(facts, "transcoder", transcoder);
  cwa_facts_print(facts, cwa_arguments_flag(arguments, "json"));
  return true;
}

static bool
run_train(CwaRun *run, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  CwTrainRun training = { .output = cwa_arguments_text(arguments, "output"),
                          .initial = cwa_arguments_text(arguments, "initial"),
                          .is_resumed = cwa_arguments_flag(arguments, "resume"),
                          .cancel = run->cancel,
                          .progress = run->reports,
                          .line_data = run };
  if (!cwa_arguments_flag(arguments, "quiet"))
    training.line = print_line;
  if (!check_source(arguments, error) || !read_settings(arguments, &training.settings, error) ||
      !cwa_run_begin_record(run, CW_RUN_TRAINING, "output", error) ||
      !cwa_run_open_device(run, error))
    return false;
  training.device = run->device;
  return train(run, &training, error);
}

const CwaCommand cwa_command_train = {
  .name = "train",
  .summary = "a transcoder from activations",
  .usage = "--activations PATH|--text FILE... --output DIR [OPTIONS]",
  .description =
      "Trains a cross-layer (or per-layer) transcoder and writes it in circuit-tracer's layout "
      "to DIR/transcoder. DIR also holds settings.json, metrics.jsonl with a line every "
      "log_every_steps, and checkpoints of the whole state: a run that was stopped or killed "
      "goes on with --resume exactly as if it had not been. run.json and worker.json are what "
      "the window watches it by.\n\n"
      "With --text the model runs over the text while the transcoder is trained, and nothing "
      "is kept on disk: right for text that is read once or twice. For many passes, or many "
      "runs on one text, `clew cache` runs the model once for all.\n\n"
      "Settings come from --config, then from options, over the defaults of the recipe (those "
      "of clt-forge are shown). Keys of the file are the options' names with underscores; "
      "a flag --no-x is the key x set to false.",
  .examples =
      "clew train --activations cache/ --output run/ --d-latent 512 --total-steps 20000\n"
      "clew train --activations cache/ --output run/ --config run.json\n"
      "clew train --activations cache/ --output run/ --resume\n"
      "clew train --text corpus.jsonl --output run/ --d-latent 512 --total-steps 20000",
  .options = train_options,
  .n_operands_most = 100000,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note =
      "--seed is the setting of that name: it draws weights and the order of tokens.",
  .when_interrupted = "the same command with --resume goes on",
  .run = run_train,
};
