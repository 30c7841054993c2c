/* command-convert.c - clew convert: the same graph or transcoder in another form. */
#include <math.h>
#include <string.h>

#include "commands.h"
#include "cw-train.h"
#include "facts.h"
#include "file-facts.h"
#include "graph-facts.h"
#include "graph-write.h"
#include "input-kind.h"

static bool
convert_graph(const char *in, const char *out, CwaRun *run, GError **error)
{
  if (!cwa_run_check_ending(out, "clew json", error) || !cwa_run_check_output(out, error))
    return false;
  CwViewState state = { NAN, NAN, NULL };
  g_autoptr(CwGraph) graph = cwa_graph_load(in, run, &state, error);
  bool is_done = graph != NULL && !cw_cancel_check(run->cancel, error) &&
                 cwa_graph_write(out, graph, NULL, run, &state, error);
  cw_view_state_clear(&state);
  return is_done;
}

/* A folder is written into only where it does not exist or is empty. */
static bool
check_folder(const char *folder, GError **error)
{
  if (!g_file_test(folder, G_FILE_TEST_EXISTS))
    return cwa_run_check_output(folder, error);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
  if (dir == NULL)
    return false;
  if (g_dir_read_name(dir) == NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_IO,
              "the folder %s has files in it; give the name of a new one", folder);
  return false;
}

static CwkDtype
decoder_dtype(const CwaArguments *arguments)
{
  const char *name = cwa_arguments_text(arguments, "decoder");
  for (CwkDtype dtype = 0; dtype < CWK_N_DTYPES; dtype++)
    if (strcmp(cwk_dtype_name(dtype), name) == 0)
      return dtype;
  g_return_val_if_reached(CWK_I8);
}

static bool
convert_transcoder(const char *in, const char *out, CwaRun *run, GError **error)
{
  const char *ending = cwa_run_peek_ending(out);
  bool is_compact = strcmp(ending, "safetensors") == 0;
  if (strcmp(ending, "json") == 0 || strcmp(ending, "clew") == 0) {
    g_set_error(error, CWA_USAGE_ERROR, 0,
                "%s is a transcoder: OUT is a new folder or a .safetensors file, not .%s", in,
                ending);
    return false;
  }
  if (is_compact ? !cwa_run_check_output(out, error) : !check_folder(out, error))
    return false;
  g_autoptr(CwTranscoder) transcoder = cw_train_open_transcoder(in, error);
  if (transcoder == NULL || cw_cancel_check(run->cancel, error))
    return false;
  if (is_compact)
    return cw_transcoder_write_compact(transcoder, decoder_dtype(run->arguments), out, error);
  return g_strcmp0(cwa_arguments_text(run->arguments, "form"), "clt-forge") == 0
             ? cw_transcoder_write_clt_forge(transcoder, out, error)
             : cw_transcoder_write_folder(transcoder, out, error);
}

static bool
convert(const char *in, const char *out, CwaRun *run, GError **error)
{
  CwaInputKind kind;
  if (!cwa_input_detect(in, &kind, error))
    return false;
  switch (kind) {
  case CWA_INPUT_GRAPH:
    return convert_graph(in, out, run, error);
  case CWA_INPUT_TRANSCODER:
  case CWA_INPUT_TENSORS:
  case CWA_INPUT_RUN:
  case CWA_INPUT_CHECKPOINT:
    return convert_transcoder(in, out, run, error);
  case CWA_INPUT_CACHE:
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s is a cache of activations; convert takes graphs and transcoders", in);
    return false;
  case CWA_INPUT_MODEL_FILE:
  case CWA_INPUT_MODEL_FOLDER:
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s is a model; convert takes graphs and transcoders", in);
    return false;
  }
  g_return_val_if_reached(false);
}

static bool
run_convert(CwaRun *run, GError **error)
{
  const char *in = cwa_arguments_operand(run->arguments, 0);
  const char *out = cwa_arguments_operand(run->arguments, 1);
  if (!convert(in, out, run, error))
    return false;
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  cwa_facts_add_text(facts, "written", out);
  cwa_facts_add_size(facts, "bytes", cwa_path_get_size(out));
  cwa_facts_print(facts, cwa_arguments_flag(run->arguments, "json"));
  return true;
}

static const char *const forms[] = { "circuit-tracer", "clt-forge", NULL };

/* Names of element types. */
static const char *const decoders[] = { "i8", "q5_0", "q4_0", NULL };

static const CwaOption convert_options[] = {
  { "form", CWA_OPTION_CHOICE, "FORM", "layout of a transcoder's new folder", "circuit-tracer",
    .choices = forms },
  { "decoder", CWA_OPTION_CHOICE, "i8|q5_0|q4_0",
    "decoder rows of a compact file: 8, 5.5 or 4.5 bits a number", "i8", .choices = decoders },
  { "json", CWA_OPTION_FLAG, NULL, "print the summary as one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_convert = {
  .name = "convert",
  .summary = "a graph or transcoder in another form",
  .usage = "IN OUT",
  .description =
      "What IN is shows by its contents; OUT's ending names the new form.\n\n"
      "Graphs: .json of circuit-tracer, Neuronpedia or Anthropic to .json (circuit-tracer's "
      "schema, nothing pruned). Unknown members survive.\n\n"
      "Transcoders: circuit-tracer's folder, a CLT-Forge checkpoint, or Clew's compact file, "
      "to a new folder of circuit-tracer's layout, with --form clt-forge to a checkpoint of "
      "CLT-Forge's, or, where OUT ends in .safetensors, to the compact file: rows of 8 "
      "bits or less with scales, those that are 0 left out, mapped as they are.",
  .examples = "clew convert neuronpedia.json graph.clew\n"
              "clew convert clt-forge-checkpoint/ circuit-tracer-folder\n"
              "clew convert transcoder/ transcoder-compact.safetensors",
  .options = convert_options,
  .n_operands_least = 2,
  .n_operands_most = 2,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note = "Converting needs no device and no random draw: --device, --threads and "
                 "--seed are accepted, as by every command, and change nothing.",
  .run = run_convert,
};
