/* targets.h - --target and --target-difference as token ids. */
#pragma once

#include "cw-attribution.h"
#include "run.h"

/* Each is written as cw_attribution_parse_target takes it. Fills targets, target_tokens and
 * n_target_tokens; *ids holds the tokens and must outlive the options. */
bool cwa_targets_parse(const CwaRun *run, CwModel *model, CwAttributionOptions *options,
                       int32_t **ids, GError **error);
