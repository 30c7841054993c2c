/* prune-runner.h - what thresholds and pins leave of a graph, found on a thread.
 *
 * One pruner a graph is kept (it holds what thresholds do not change), and one run is under way
 * at a time; a newer wish waits for it and older ones are dropped. */
#pragma once

#include <glib.h>

#include "cw-document.h"

typedef struct {
  CwPruned *pruned;
  CwScores scores;
} CwuPruneResult;

void cwu_prune_result_clear(CwuPruneResult *result);
/* As thresholds and pins of the state say. A pruner may serve one call at a time. */
bool cwu_prune(CwPruner *pruner, const CwDocumentState *state, CwuPruneResult *result,
               GError **error);

typedef struct _CwuPruneRunner CwuPruneRunner;

/* Called on the main thread with what the newest wish leaves; result is NULL on failure (no
 * memory), else the callee may steal its pruned. */
typedef void (*CwuPrunedCb)(CwDocumentState *state, CwuPruneResult *result, const GError *error,
                            gpointer user_data);

CwuPruneRunner *cwu_prune_runner_new(CwuPrunedCb callback, gpointer user_data);
void cwu_prune_runner_free(CwuPruneRunner *runner); /* The callback is not called any more. */
/* state has a graph. */
void cwu_prune_runner_want(CwuPruneRunner *runner, CwDocumentState *state);
/* A pruner that is there already (made while a file was read). Takes it. */
void cwu_prune_runner_take_pruner(CwuPruneRunner *runner, CwGraph *graph, CwPruner *pruner);
bool cwu_prune_runner_is_busy(const CwuPruneRunner *runner);
