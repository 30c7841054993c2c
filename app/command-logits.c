/* command-logits.c - clew logits: what a model predicts after a prompt, its inner activations
 * as a file, and a continuation. */
#include <math.h>
#include <string.h>

#include "commands.h"
#include "facts.h"
#include "forward-tensors.h"
#include "prompt.h"

static void
add_top(const CwaRun *run, CwaFacts *facts, const CwTokenizer *tokenizer, const float *logits,
        int64_t n)
{
  int64_t n_top = MIN(cwa_arguments_integer(run->arguments, "top"), n);
  g_autofree int64_t *top = g_new0(int64_t, MAX(n_top, 1));
  double log_sum = cw_logits_log_sum(logits, n);
  cw_logits_top(logits, n, n_top, top);
  cwa_facts_begin_list(facts, "top");
  for (int64_t i = 0; i < n_top; i++) {
    cwa_facts_begin_item(facts);
    cwa_facts_add_number(facts, "probability", exp(logits[top[i]] - log_sum), 5);
    cwa_facts_add_number(facts, "logit", logits[top[i]], 4);
    cwa_facts_add_token(facts, tokenizer, (int32_t)top[i]);
    cwa_facts_end_item(facts);
  }
  cwa_facts_end_list(facts);
}

static void
add_tokens(CwaFacts *facts, const char *name, const CwTokenizer *tokenizer, const int32_t *ids,
           size_t n)
{
  cwa_facts_begin_list(facts, name);
  for (size_t i = 0; i < n; i++) {
    cwa_facts_begin_item(facts);
    cwa_facts_add_token(facts, tokenizer, ids[i]);
    cwa_facts_end_item(facts);
  }
  cwa_facts_end_list(facts);
}

static bool
is_reduced(const CwaRun *run)
{
  return g_strcmp0(cwa_arguments_text(run->arguments, "precision"), "int8") == 0;
}

static bool
add_continuation(CwaRun *run, CwaFacts *facts, CwModel *model, const int32_t *tokens, size_t n,
                 GError **error)
{
  const CwaArguments *arguments = run->arguments;
  CwSampling sampling = { .temperature = (float)cwa_arguments_number(arguments, "temperature"),
                          .top_k = cwa_arguments_integer(arguments, "top-k"),
                          .top_p = (float)cwa_arguments_number(arguments, "top-p"),
                          .is_reduced = is_reduced(run),
                          .seed = (uint64_t)cwa_arguments_integer(arguments, "seed"),
                          .n_tokens = (size_t)cwa_arguments_integer(arguments, "generate") };
  size_t n_new = 0;
  g_autoptr(GError) generate_error = NULL;
  g_autofree int32_t *ids = cw_model_generate(model, run->device, tokens, n, &sampling, &n_new,
                                              run->cancel, &generate_error);
  if (generate_error != NULL) {
    g_propagate_error(error, g_steal_pointer(&generate_error));
    return false;
  }
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  size_t n_bytes = 0;
  g_autofree char *text =
      tokenizer != NULL ? cw_tokenizer_decode(tokenizer, ids, n_new, &n_bytes) : NULL;
  cwa_facts_add_text(facts, "continuation", text);
  cwa_facts_add_integer(facts, "seed", cwa_arguments_integer(arguments, "seed"));
  add_tokens(facts, "generated", tokenizer, ids, n_new);
  return true;
}

static CwForwardFlags
forward_flags(const CwaRun *run)
{
  bool writes = cwa_arguments_has(run->arguments, "output");
  CwForwardFlags flags = writes ? CW_FORWARD_ALL_LOGITS : CW_FORWARD_LAST_LOGITS;
  if (cwa_arguments_flag(run->arguments, "taps"))
    flags |= CW_FORWARD_TAPS;
  if (is_reduced(run))
    flags |= CW_FORWARD_REDUCED;
  return flags;
}

static bool
predict(CwaRun *run, CwModel *model, const int32_t *tokens, size_t n, GError **error)
{
  const char *output = cwa_arguments_text(run->arguments, "output");
  g_autoptr(CwForward) forward =
      cw_model_forward(model, run->device, tokens, n, forward_flags(run), run->cancel, error);
  if (forward == NULL)
    return false;
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  int64_t n_vocabulary = cw_model_peek_config(model)->n_vocabulary;
  const float *last = forward->logits + (forward->n_logit_rows - 1) * n_vocabulary;
  g_autoptr(CwaFacts) facts = cwa_facts_new();
  cwa_facts_add_text(facts, "model", cw_model_peek_config(model)->name);
  cwa_facts_add_text(facts, "device", cwk_device_name(run->device));
  cwa_facts_add_text(facts, "precision", is_reduced(run) ? "int8" : "f32");
  add_tokens(facts, "tokens", tokenizer, tokens, n);
  add_top(run, facts, tokenizer, last, n_vocabulary);
  if (cwa_arguments_has(run->arguments, "generate") &&
      !add_continuation(run, facts, model, tokens, n, error))
    return false;
  if (cw_cancel_check(run->cancel, error))
    return false;
  if (output != NULL && !cwa_forward_write(output, forward, model, tokens, error))
    return false;
  if (output != NULL)
    cwa_facts_add_text(facts, "written", output);
  cwa_facts_print(facts, cwa_arguments_flag(run->arguments, "json"));
  return true;
}

static bool
run_logits(CwaRun *run, GError **error)
{
  const char *output = cwa_arguments_text(run->arguments, "output");
  if (!cwa_prompt_check(run, error))
    return false;
  if (output != NULL && (!cwa_run_check_ending(output, "safetensors", error) ||
                         !cwa_run_check_output(output, error)))
    return false;
  g_autoptr(CwModel) model = cwa_model_open(run, error);
  if (model == NULL || !cwa_run_open_device(run, error))
    return false;
  size_t n = 0;
  bool has_bos = !cwa_arguments_flag(run->arguments, "no-bos");
  g_autofree int32_t *tokens = cwa_prompt_tokens(run, model, has_bos, &n, error);
  return tokens != NULL && predict(run, model, tokens, n, error);
}

static const char *const precisions[] = { "f32", "int8", NULL };

static const CwaOption logits_options[] = {
  CWA_OPTION_ROW_MODEL,
  CWA_OPTION_ROWS_PROMPT,
  { "no-bos", CWA_OPTION_FLAG, NULL, "do not put the start token in front of --prompt",
    .needs = "prompt" },
  { "top", CWA_OPTION_INTEGER, "N", "how many tokens to list", "10", 1, 1e6 },
  { "output", CWA_OPTION_PATH, "FILE", "write logits [T, V] to this .safetensors file",
    .letter = 'o' },
  { "taps", CWA_OPTION_FLAG, NULL,
    "write resid_mid.L, mlp_hat.L, mlp_in.L and mlp_out.L [T, D] of every layer too",
    .needs = "output" },
  { "precision", CWA_OPTION_CHOICE, "P",
    "f32, or int8: round activations to 8 bits in front of quantised weights", "f32",
    .choices = precisions },
  { "generate", CWA_OPTION_INTEGER, "N", "continue the prompt by up to N tokens", NULL, 1,
    1e6 },
  { "temperature", CWA_OPTION_NUMBER, "X", "0 takes the most likely token", "0", 0, 100,
    .needs = "generate" },
  { "top-k", CWA_OPTION_INTEGER, "K", "draw from the K most likely, 0 from all", "0", 0, 1e9,
    .needs = "generate" },
  { "top-p", CWA_OPTION_NUMBER, "P", "draw from the most likely that sum to P", "1", 0, 1,
    .needs = "generate" },
  { "json", CWA_OPTION_FLAG, NULL, "print one JSON object" },
  { NULL },
};

const CwaCommand cwa_command_logits = {
  .name = "logits",
  .summary = "what a model predicts after a prompt",
  .usage = "[--model M] (--prompt TEXT | --token-ids IDS) [OPTIONS]",
  .description =
      "Runs the model once over the prompt and lists the most likely next tokens with their "
      "probabilities and logits. A prompt given as text gets the model's start token in front, "
      "as in `clew attribute`, unless it begins with a special token itself.\n\n"
      "--output writes the logits of every position; --taps adds, per layer L, the residual "
      "stream before the MLP's norm (resid_mid), that norm's output before its gain (mlp_hat, "
      "what most transcoders read), after gain and bias (mlp_in) and what the MLP adds "
      "(mlp_out).\n\n"
      "--precision int8 is two to three times faster on quantised weights where the CPU has "
      "AVX-512 with VNNI (AVX2 does it for 4-bit weights), and shifts every logit a little; "
      "attribution never uses it.",
  .examples = "clew logits --prompt \"The capital of France is\" --top 5\n"
              "clew logits --prompt \"Once upon a time\" --generate 40 --temperature 0.8\n"
              "clew logits --token-ids 1,504,3575 --output taps.safetensors --taps",
  .options = logits_options,
  .operand_kind = CWA_OPERAND_NONE,
  .common_note = "--seed starts the draws of --generate with a --temperature above 0.",
  .run = run_logits,
};
