/* command-refit.c - `clew refit`: decoders of a transcoder by least squares. */
#include "commands.h"

#include "cw-train.h"
#include "facts.h"

static CwRefitOptions
read_options(const CwaRun *run)
{
  const CwaArguments *arguments = run->arguments;
  return (CwRefitOptions){
    .n_tokens = cwa_arguments_integer(arguments, "tokens"),
    .keep_rows = cwa_arguments_number(arguments, "keep-rows"),
    .drops_biases = cwa_arguments_flag(arguments, "no-bias"),
    .prior_tokens = cwa_arguments_number(arguments, "prior"),
    .n_iterations = cwa_arguments_integer(arguments, "iterations"),
    .batch = cwa_arguments_integer(arguments, "batch"),
    .eval_tokens = cwa_arguments_integer(arguments, "eval-tokens"),
    .seed = (uint64_t)cwa_arguments_integer(arguments, "seed"),
    .device = run->device,
    .cancel = run->cancel,
    .progress = run->reports,
  };
}

static bool
refit(CwaRun *run, CwActivations *activations, CwRefitResult *result, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  const char *output = cwa_arguments_text(arguments, "output");
  if (g_file_test(output, G_FILE_TEST_EXISTS)) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: exists already; name a new folder",
                output);
    return false;
  }
  g_autoptr(CwTranscoder) transcoder =
      cw_train_open_transcoder(cwa_arguments_text(arguments, "transcoder"), error);
  const CwRefitOptions options = read_options(run);
  return transcoder != NULL &&
         cw_transcoder_refit(transcoder, activations, &options, output, result, error);
}

static bool
run_refit(CwaRun *run, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  CwRefitResult result = { 0 };
  g_autoptr(CwActivations) activations =
      cw_activations_open(cwa_arguments_text(arguments, "activations"), error);
  if (activations == NULL || !cwa_run_open_device(run, error) ||
      !refit(run, activations, &result, error))
    return false;
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  cwa_facts_add_integer(facts, "tokens", result.n_tokens);
  cwa_facts_add_integer(facts, "decoder_rows", result.n_rows);
  cwa_facts_add_integer(facts, "rows_kept", result.n_kept);
  cwa_facts_add_number(facts, "explained_variance_before", result.before, 4);
  cwa_facts_add_number(facts, "explained_variance_after", result.after, 4);
  cwa_facts_add_number(facts, "l0", result.l0, 2);
  cwa_facts_add_text(facts, "transcoder", cwa_arguments_text(arguments, "output"));
  cwa_facts_print(facts, cwa_arguments_flag(arguments, "json"));
  return true;
}

static const CwaOption refit_options[] = {
  { "transcoder", CWA_OPTION_PATH, "T", "transcoder of any form", .is_required = true },
  { "activations", CWA_OPTION_PATH, "PATH", "a cache of `clew cache`, or splits",
    .is_required = true },
  { "output", CWA_OPTION_PATH, "DIR", "new folder, in circuit-tracer's layout",
    .is_required = true, .letter = 'o' },
  { "tokens", CWA_OPTION_INTEGER, "N", "rows to fit to; 0 for all that are not held out", "0",
    0, 0x1p53 },
  { "keep-rows", CWA_OPTION_NUMBER, "X",
    "share of decoder rows that stay, those that contribute most; the others become 0", "1",
    1e-6, 1 },
  { "no-bias", CWA_OPTION_FLAG, NULL,
    "set decoder biases to 0 and leave to the features what they said, which attribution "
    "graphs then show" },
  { "prior", CWA_OPTION_NUMBER, "N",
    "activations of each feature that want its row as it was; keeps rare features from being "
    "fitted to a few tokens",
    "10", 0, 1e9 },
  { "iterations", CWA_OPTION_INTEGER, "N", "steps of conjugate gradients for a layer, at most",
    "60", 1, 100000 },
  { "batch", CWA_OPTION_INTEGER, "N", "tokens held in memory at once", "2048", 1, 1 << 24 },
  { "eval-tokens", CWA_OPTION_INTEGER, "N", "held-out tokens to measure on", "16384", 1,
    1 << 30 },
  { "json", CWA_OPTION_FLAG, NULL, "print the summary as one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_refit = {
  .name = "refit",
  .summary = "a transcoder's decoders by least squares",
  .usage = "--transcoder T --activations PATH --output DIR [OPTIONS]",
  .description =
      "Given encoders and thresholds, what a transcoder predicts is linear in its decoder "
      "rows and biases. refit replaces them by those that explain the MLP outputs best, which "
      "training has not reached when it ends; with --keep-rows it drops the rows that "
      "contribute least first, and the others make up for them, so that a transcoder with "
      "most rows gone can be kept in a small file (`clew convert`).\n\n"
      "Works on transcoders with thresholds and without a skip, of any origin.",
  .examples = "clew refit --transcoder run/transcoder --activations cache/ -o refitted/\n"
              "clew refit --transcoder run/transcoder --activations cache/ -o small/ "
              "--keep-rows 0.25",
  .options = refit_options,
  .operand_kind = CWA_OPERAND_NONE,
  .common_note = "--seed decides the order of tokens.",
  .run = run_refit,
};
