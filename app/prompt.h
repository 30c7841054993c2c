/* prompt.h - the model and the prompt of a command: --model, --prompt, --token-ids. */
#pragma once

#include "cw-attribution.h"
#include "facts.h"
#include "run.h"

/* Table rows for commands that run a model on a prompt. */
#define CWA_OPTION_ROW_MODEL                                                           \
  {                                                                                    \
    "model", CWA_OPTION_PATH, "M",                                                     \
        "GGUF file or Hugging Face folder; without it the SmolLM2-135M-Instruct that " \
        "packaging/start installs"                                                     \
  }
#define CWA_OPTION_ROWS_PROMPT                                                       \
  { "prompt", CWA_OPTION_TEXT, "TEXT", "the prompt; - reads it from standard input", \
    .excludes = "token-ids" },                                                       \
  {                                                                                  \
    "token-ids", CWA_OPTION_TEXT, "IDS",                                             \
        "the prompt as token ids, 1,504,3575: used as they "                         \
        "are, nothing is put in front"                                               \
  }

/* The model of --model, or the installed one. */
CwModel *cwa_model_open(const CwaRun *run, GError **error);
/* The model's tokenizer, borrowed; an error if it has none. */
CwTokenizer *cwa_model_require_tokenizer(CwModel *model, GError **error);

/* --prompt or --token-ids as ids; without one of them, or empty: CWA_USAGE_ERROR. With
 * `starts_with_bos` a prompt (not ids) gets the model's start token in front. */
int32_t *cwa_prompt_tokens(const CwaRun *run, CwModel *model, bool starts_with_bos, size_t *n,
                           GError **error);
/* The same checks without a model, for an early answer. */
bool cwa_prompt_check(const CwaRun *run, GError **error);

/* Encodes a text, `start` in front unless it is negative. *ids: transfer full. */
bool cwa_text_encode(const CwTokenizer *tokenizer, const char *text, gsize n_bytes,
                     int32_t start, int32_t **ids, size_t *n, GError **error);

/* A text, or standard input where it is "-". Transfer full. */
char *cwa_text_or_stdin(const char *text, gsize *n_bytes, GError **error);

/* Adds "id" and "piece" of a token to an item. */
void cwa_facts_add_token(CwaFacts *facts, const CwTokenizer *tokenizer, int32_t id);
