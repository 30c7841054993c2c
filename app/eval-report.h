/* eval-report.h - what an evaluation found, as JSON and as text for people. */
#pragma once

#include "cw-evaluate.h"

/* Parts that were not asked for are NULL. */
typedef struct {
  CwTranscoder *transcoder;
  const char *device; /* its name */
  int64_t seed;
  const char *model_name; /* or NULL */
  /* Where the rows come from: the path of a store, or NULL for text; its part ("held-out"). */
  const char *store, *part;
  const char *const *texts; /* paths; NULL-terminated */
  int64_t context_tokens;
  CwActivationQuality *activations;
  CwModelQuality *inside; /* on the texts */
  CwTokenizer *tokenizer; /* of the model; or NULL */
  size_t n_prompts;
  const char *const *prompts;        /* [n_prompts] */
  CwPromptQuality *prompt_qualities; /* [n_prompts] */
} CwaEvaluation;

/* One object, as data/schemas/evaluation.schema.json describes it. Transfer full. */
char *cwa_evaluation_to_json(const CwaEvaluation *evaluation);
/* The same in lines and tables. Transfer full. */
char *cwa_evaluation_to_text(const CwaEvaluation *evaluation);
/* One page of charts: .png, .svg or .pdf. scale: pixels or points per px. */
bool cwa_evaluation_plot(const CwaEvaluation *evaluation, const char *path, double scale,
                         GError **error);
