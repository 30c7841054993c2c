/* command-info.c - clew info: what a file or folder is.
 *
 * The kind comes from the contents; a file that holds tensors but cannot be used as a model or
 * transcoder is still listed, with the reason. */
#include <math.h>
#include <string.h>

#include "commands.h"
#include "cw-activations.h"
#include "cw-transcoder.h"
#include "facts.h"
#include "file-facts.h"
#include "graph-facts.h"
#include "input-kind.h"
#include "run-facts.h"

/* ---- models ----------------------------------------------------------------------------- */

static const char *
architecture_name(CwArchitecture architecture)
{
  static const char *const names[] = { [CW_ARCHITECTURE_GPT2] = "GPT-2",
                                       [CW_ARCHITECTURE_LLAMA] = "Llama",
                                       [CW_ARCHITECTURE_GEMMA2] = "Gemma 2",
                                       [CW_ARCHITECTURE_GEMMA3] = "Gemma 3",
                                       [CW_ARCHITECTURE_QWEN3] = "Qwen 3" };
  return architecture < G_N_ELEMENTS(names) ? names[architecture] : "unknown";
}

static void
describe_model(CwModel *model, bool with_hash, CwaFacts *facts)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  cwa_facts_add_text(facts, "kind", "model");
  cwa_facts_add_text(facts, "name", config->name);
  if (config->given != NULL)
    cwa_facts_add_text(facts, "given_name", config->given);
  cwa_facts_add_text(facts, "architecture", architecture_name(config->architecture));
  cwa_facts_add_integer(facts, "layers", config->n_layers);
  cwa_facts_add_integer(facts, "width", config->width);
  cwa_facts_add_integer(facts, "heads", config->n_heads);
  cwa_facts_add_integer(facts, "key_value_heads", config->n_kv_heads);
  cwa_facts_add_integer(facts, "head_width", config->head_width);
  cwa_facts_add_integer(facts, "mlp_width", config->mlp_width);
  cwa_facts_add_integer(facts, "vocabulary", config->n_vocabulary);
  cwa_facts_add_integer(facts, "context", config->n_context);
  cwa_facts_add_text(facts, "norm", config->is_layer_norm ? "LayerNorm" : "RMSNorm");
  cwa_facts_add_bool(facts, "tied_embedding", config->is_tied);
  cwa_facts_add_text(facts, "weights",
                     cwk_dtype_name(cw_model_peek_layer(model, 0)->down.rows.dtype));
  cwa_facts_add_bool(facts, "tokenizer", tokenizer != NULL);
  if (tokenizer != NULL) {
    cwa_facts_add_integer(facts, "bos", cw_tokenizer_get_bos(tokenizer));
    cwa_facts_add_integer(facts, "eos", cw_tokenizer_get_eos(tokenizer));
  }
  if (with_hash)
    cwa_facts_add_text(facts, "sha256", cw_model_get_hash(model));
}

/* ---- transcoders ------------------------------------------------------------------------ */

static const char *
gate_name(CwGate gate)
{
  static const char *const names[] = {
    [CW_GATE_RELU] = "ReLU", [CW_GATE_JUMPRELU] = "JumpReLU", [CW_GATE_TOPK] = "TopK"
  };
  return gate < G_N_ELEMENTS(names) ? names[gate] : "unknown";
}

static const char *
input_hook_name(CwInputHook hook)
{
  static const char *const names[] = {
    [CW_INPUT_NORMALISED] = "ln2.hook_normalized (before the norm's gain)",
    [CW_INPUT_NORMALISED_AFFINE] = "ln2.hook_normalized (after the norm's gain and bias)",
    [CW_INPUT_RESID_MID] = "hook_resid_mid",
    [CW_INPUT_MLP_IN] = "mlp.hook_in"
  };
  return hook < G_N_ELEMENTS(names) ? names[hook] : "unknown";
}

static void
describe_transcoder(CwTranscoder *transcoder, bool with_hash, CwaFacts *facts)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  bool is_cross = config->kind == CW_TRANSCODER_CROSS_LAYER;
  cwa_facts_add_text(facts, "kind", "transcoder");
  cwa_facts_add_text(facts, "form", config->format);
  cwa_facts_add_text(facts, "writes_to",
                     is_cross ? "its own and all later layers (CLT)"
                              : "its own layer (per-layer)");
  cwa_facts_add_text(facts, "gate", gate_name(config->gate));
  if (config->gate == CW_GATE_TOPK)
    cwa_facts_add_integer(facts, "top_k", config->top_k);
  cwa_facts_add_integer(facts, "layers", config->n_layers);
  cwa_facts_add_integer(facts, "features_per_layer", config->n_features);
  cwa_facts_add_integer(facts, "width", config->width);
  cwa_facts_add_text(facts, "input_hook", input_hook_name(config->input_hook));
  cwa_facts_add_text(facts, "output_hook",
                     config->output_hook == CW_OUTPUT_MLP_RAW ? "mlp.hook_out"
                                                              : "hook_mlp_out");
  cwa_facts_add_bool(facts, "skip", config->has_skip);
  cwa_facts_add_text(facts, "encoder",
                     cwk_dtype_name(cw_transcoder_peek_encoder(transcoder, 0)->dtype));
  cwa_facts_add_text(facts, "model", config->model_name);
  cwa_facts_add_text(facts, "scan", config->scan);
  if (with_hash)
    cwa_facts_add_text(facts, "sha256", cw_transcoder_get_hash(transcoder));
}

/* ---- tensors ---------------------------------------------------------------------------- */

static void
describe_tensors(const CwTensorFile *file, CwaFacts *facts)
{
  size_t n = cw_tensor_file_get_n_tensors(file);
  cwa_facts_add_text(facts, "kind", "tensors");
  cwa_facts_add_text(facts, "form", cw_tensor_file_is_gguf(file) ? "gguf" : "safetensors");
  cwa_facts_add_integer(facts, "n_tensors", (int64_t)n);
}

static void
list_tensors(const CwTensorFile *file, CwaFacts *facts)
{
  cwa_facts_begin_list(facts, "tensors");
  for (size_t i = 0; i < cw_tensor_file_get_n_tensors(file); i++) {
    const CwTensor *tensor = cw_tensor_file_peek_tensor(file, i);
    g_autofree char *shape = cw_tensor_dup_shape_text(tensor);
    cwa_facts_begin_item(facts);
    cwa_facts_add_text(facts, "name", tensor->name);
    cwa_facts_add_text(facts, "shape", shape);
    cwa_facts_add_size(facts, "bytes", tensor->n_bytes);
    cwa_facts_end_item(facts);
  }
  cwa_facts_end_list(facts);
}

static bool
info_of_tensors(const char *path, CwaRun *run, CwaFacts *facts, GError **error)
{
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, error);
  if (file == NULL)
    return false;
  const char *format = NULL;
  bool is_compact = cw_tensor_file_get_string(file, "format", &format) &&
                    g_str_has_prefix(format, "clew-transcoder");
  bool with_hash = !cwa_arguments_flag(run->arguments, "no-hash");
  if (is_compact) {
    g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(path, error);
    if (transcoder == NULL)
      return false;
    describe_transcoder(transcoder, with_hash, facts);
    if (cwa_arguments_flag(run->arguments, "tensors"))
      list_tensors(file, facts);
    return true;
  }
  describe_tensors(file, facts);
  g_autofree char *hash = with_hash ? cwa_file_dup_hash(path, run, error) : NULL;
  if (with_hash && hash == NULL)
    return false;
  if (with_hash)
    cwa_facts_add_text(facts, "sha256", hash);
  list_tensors(file, facts);
  return true;
}

/* A GGUF of an architecture that Clew does not run still has tensors to show. */
static bool
info_of_model_file(const char *path, CwaRun *run, CwaFacts *facts, GError **error)
{
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, error);
  if (file == NULL)
    return false;
  g_autoptr(GError) load_error = NULL;
  g_autoptr(CwModel) model = cw_model_load(path, &load_error);
  if (model != NULL)
    describe_model(model, !cwa_arguments_flag(run->arguments, "no-hash"), facts);
  else {
    describe_tensors(file, facts);
    cwa_facts_add_text(facts, "not_a_model_because", load_error->message);
  }
  if (model == NULL || cwa_arguments_flag(run->arguments, "tensors"))
    list_tensors(file, facts);
  return true;
}

static bool
info_of_model_folder(const char *path, CwaRun *run, CwaFacts *facts, GError **error)
{
  g_autoptr(CwModel) model = cw_model_load(path, error);
  if (model == NULL)
    return false;
  describe_model(model, !cwa_arguments_flag(run->arguments, "no-hash"), facts);
  return true;
}

static bool
info_of_transcoder(const char *path, CwaRun *run, CwaFacts *facts, GError **error)
{
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(path, error);
  if (transcoder == NULL)
    return false;
  describe_transcoder(transcoder, !cwa_arguments_flag(run->arguments, "no-hash"), facts);
  return true;
}

static bool
info_of_graph(const char *path, CwaRun *run, CwaFacts *facts, GError **error)
{
  CwViewState state = { NAN, NAN, NULL };
  g_autoptr(CwGraph) graph = cwa_graph_load(path, run, &state, error);
  if (graph == NULL)
    return false;
  cwa_facts_add_text(facts, "kind", "graph");
  cwa_graph_facts_add(facts, graph);
  CwScores scores = { 0 };
  cw_scores_compute(graph, NULL, &scores);
  cwa_facts_add_number(facts, "replacement", scores.replacement, 4);
  cwa_facts_add_number(facts, "completeness", scores.completeness, 4);
  if (!isnan(state.node_threshold))
    cwa_facts_add_number(facts, "node_threshold", state.node_threshold, 4);
  if (!isnan(state.edge_threshold))
    cwa_facts_add_number(facts, "edge_threshold", state.edge_threshold, 4);
  cwa_facts_add_json(facts, "settings", cw_graph_peek_settings_json(graph));
  cwa_facts_add_json(facts, "metadata", cw_graph_peek_metadata_json(graph));
  cw_view_state_clear(&state);
  return true;
}

/* All checksums are compared unless --no-hash says to believe the files. */
static bool
info_of_cache(const char *path, CwaRun *run, CwaFacts *facts, GError **error)
{
  g_autoptr(CwActivations) activations = cw_activations_open(path, error);
  if (activations == NULL)
    return false;
  const CwActivationsConfig *config = cw_activations_peek_config(activations);
  bool is_verified = !cwa_arguments_flag(run->arguments, "no-hash");
  if (is_verified && !cw_activations_verify(activations, &run->reports, run->cancel, error))
    return false;
  cwa_facts_add_text(facts, "kind", "activations");
  cwa_facts_add_text(facts, "form", config->format);
  cwa_facts_add_integer(facts, "rows", config->n_rows);
  cwa_facts_add_integer(facts, "layers", config->n_layers);
  cwa_facts_add_integer(facts, "width", config->width);
  cwa_facts_add_integer(facts, "context", config->context_tokens);
  cwa_facts_add_text(facts, "input_hook", config->input_hook);
  cwa_facts_add_text(facts, "output_hook", config->output_hook);
  cwa_facts_add_text(facts, "codec", config->codec);
  cwa_facts_add_number(facts, "held_out_fraction", config->held_out_fraction, 4);
  cwa_facts_add_text(facts, "model", config->model_name);
  cwa_facts_add_text(facts, "model_sha256", config->model_hash);
  cwa_facts_add_bool(facts, "checksums_compared", is_verified);
  cwa_facts_add_text(facts, "sha256", cw_activations_get_hash(activations));
  return true;
}

/* ---- the command ------------------------------------------------------------------------ */

static bool
describe(const char *path, CwaRun *run, CwaFacts *facts, GError **error)
{
  CwaInputKind kind;
  if (!cwa_input_detect(path, &kind, error))
    return false;
  cwa_facts_add_text(facts, "path", path);
  cwa_facts_add_size(facts, "bytes", cwa_path_get_size(path));
  switch (kind) {
  case CWA_INPUT_MODEL_FILE:
    return info_of_model_file(path, run, facts, error);
  case CWA_INPUT_MODEL_FOLDER:
    return info_of_model_folder(path, run, facts, error);
  case CWA_INPUT_TRANSCODER:
    return info_of_transcoder(path, run, facts, error);
  case CWA_INPUT_CACHE:
    return info_of_cache(path, run, facts, error);
  case CWA_INPUT_RUN:
    return cwa_run_facts_add(facts, path, error);
  case CWA_INPUT_CHECKPOINT:
    return cwa_checkpoint_facts_add(facts, path, run, error);
  case CWA_INPUT_TENSORS:
    return info_of_tensors(path, run, facts, error);
  case CWA_INPUT_GRAPH:
    return info_of_graph(path, run, facts, error);
  }
  g_return_val_if_reached(false);
}

static bool
run_info(CwaRun *run, GError **error)
{
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  if (!describe(cwa_arguments_operand(run->arguments, 0), run, facts, error) ||
      cw_cancel_check(run->cancel, error))
    return false;
  cwa_progress_finish(run->progress);
  cwa_facts_print(facts, cwa_arguments_flag(run->arguments, "json"));
  return true;
}

static const CwaOption info_options[] = {
  { "tensors", CWA_OPTION_FLAG, NULL,
    "list every tensor of a GGUF file or compact transcoder too" },
  { "no-hash", CWA_OPTION_FLAG, NULL,
    "leave the SHA-256 out: reading all bytes of a large model takes a while" },
  { "json", CWA_OPTION_FLAG, NULL, "print one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_info = {
  .name = "info",
  .summary = "what a model, transcoder, cache, run, graph or tensor file is",
  .usage = "[OPTIONS] FILE",
  .description =
      "Tells by its contents what FILE is, and describes it: a model (GGUF file or Hugging "
      "Face folder), a transcoder (circuit-tracer's folder, a CLT-Forge checkpoint, Clew's "
      "compact file), a cache of activations or a checkpoint of a training (every checksum is "
      "compared), a run (its state, newest metrics and checkpoints), an attribution "
      "graph (.json of circuit-tracer, Neuronpedia or "
      "Anthropic), or a file of tensors (safetensors): layers, widths, hooks, shapes, element "
      "types, sizes, SHA-256.",
  .examples = "clew info SmolLM2-135M-Instruct.Q4_1.gguf\n"
              "clew info --json transcoder/\n"
              "clew info run/\n"
              "clew info graph.json",
  .options = info_options,
  .n_operands_least = 1,
  .n_operands_most = 1,
  .operand_kind = CWA_OPERAND_FILE,
  .common_note = "Nothing is computed on a device or drawn at random here: --device, "
                 "--threads and --seed are accepted, as by every command, and change nothing.",
  .run = run_info,
};
