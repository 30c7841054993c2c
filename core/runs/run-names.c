/* run-names.c - kinds and states of runs as words: commands for the one, machine-readable words
 * for both. */
#include "cw-runs.h"

const char *
cw_run_kind_name(CwRunKind kind)
{
  static const char *const names[] = {
    [CW_RUN_CACHE] = "cache", [CW_RUN_TRAINING] = "train", [CW_RUN_EVALUATION] = "eval"
  };
  g_return_val_if_fail((size_t)kind < G_N_ELEMENTS(names), NULL);
  return names[kind];
}

const char *
cw_run_state_name(CwRunState state)
{
  static const char *const names[] = {
    [CW_RUN_WAITING] = "waiting", [CW_RUN_RUNNING] = "running", [CW_RUN_STOPPING] = "stopping",
    [CW_RUN_PAUSED] = "paused",   [CW_RUN_STOPPED] = "stopped", [CW_RUN_FINISHED] = "finished",
    [CW_RUN_FAILED] = "failed",   [CW_RUN_DEAD] = "dead",       [CW_RUN_DAMAGED] = "damaged",
  };
  g_return_val_if_fail((size_t)state < G_N_ELEMENTS(names), NULL);
  return names[state];
}
