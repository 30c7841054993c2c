/* metrics.h - metrics.jsonl of a run: a line of JSON each, keyed as the golden cases' logs. */
#pragma once

#include "train/trainer-private.h"

typedef struct _CwMetrics CwMetrics;

/* Opens folder/metrics.jsonl for lines from `step` on: later ones, left by a run that was
 * killed, are cut off, an unfinished last line too. */
CwMetrics *cw_metrics_open(const char *folder, int64_t step, GError **error);
/* Errors of the last writes are told here. Frees. */
bool cw_metrics_close(CwMetrics *metrics, GError **error);

/* Appends a line and hands it to every line function. */
bool cw_metrics_write(CwMetrics *metrics, const char *line, GError **error);

/* The line of a step; seconds: since the run began, tokens_per_second: over the last lines. */
char *cw_metrics_step_line(const CwTrainer *trainer, const CwTrainStep *step, double seconds,
                           double tokens_per_second);
/* The line of a held-out evaluation. */
char *cw_metrics_held_out_line(const CwTrainStep *step, int64_t n_layers, int64_t n_tokens);
