/* targets.h - --target and --target-difference as token ids. */
#pragma once

#include "cw-attribution.h"
#include "run.h"

/* A target is written as the text of exactly one token (" Paris", the space counts), as id:504,
 * or, where the model has no tokenizer, as a plain number. Fills targets, target_tokens and
 * n_target_tokens; *ids holds the tokens and must outlive the options. */
bool cwa_targets_parse(const CwaRun *run, CwModel *model, CwAttributionOptions *options,
                       int32_t **ids, GError **error);
