/* attribution-case.h - the model, transcoder and prompt that the attribution benches share. */
#pragma once

#include "cw-attribution.h"

typedef struct {
  CwModel *model;
  CwTranscoder *transcoder;
  int32_t *tokens; /* [n_tokens], BOS in front */
  size_t n_tokens;
} AttributionCase;

/* n_tokens 0: the short prompt of tests/golden/smollm2/attribution-1024.safetensors, 17 tokens;
 * else the first n_tokens of long-prompt.txt (the opening of a novel of 1865), repeated if it
 * is too short. model_path NULL: SmolLM2 where the programs look for it. */
bool attribution_case_open(AttributionCase *opened, const char *model_path,
                           const char *transcoder_path, int n_tokens, GError **error);
void attribution_case_clear(AttributionCase *opened);

/* Where the model is, NULL meaning the default. Transfer full. */
char *attribution_case_model_path(const char *model_path);
