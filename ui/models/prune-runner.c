/* prune-runner.c - see prune-runner.h. */
#include "models/prune-runner.h"

#include <gio/gio.h>

struct _CwuPruneRunner {
  gint n_references;
  CwuPrunedCb callback; /* NULL after free */
  gpointer user_data;
  CwGraph *graph;          /* of the pruner */
  CwPruner *pruner;        /* NULL while a job has it */
  CwDocumentState *wanted; /* NULL: nothing waits */
  bool is_running;
};

typedef struct {
  CwDocumentState *state;
  CwPruner *pruner; /* NULL: to be made */
  CwuPruneResult result;
} Job;

void
cwu_prune_result_clear(CwuPruneResult *result)
{
  g_clear_pointer(&result->pruned, cw_pruned_free);
}

bool
cwu_prune(CwPruner *pruner, const CwDocumentState *state, CwuPruneResult *result,
          GError **error)
{
  result->pruned = cw_document_state_prune(state, pruner, NULL, error);
  if (result->pruned == NULL)
    return false;
  cw_scores_compute(cw_document_state_peek_graph(state), result->pruned, &result->scores);
  return true;
}

static void
job_free(gpointer data)
{
  Job *job = data;
  cw_document_state_unref(job->state);
  cw_pruner_free(job->pruner);
  cwu_prune_result_clear(&job->result);
  g_free(job);
}

static void
job_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  if (job->pruner == NULL)
    job->pruner = cw_pruner_new(cw_document_state_peek_graph(job->state), NULL, &error);
  if (job->pruner != NULL && cwu_prune(job->pruner, job->state, &job->result, &error))
    g_task_return_boolean(task, TRUE);
  else
    g_task_return_error(task, error);
}

static void
runner_unref(CwuPruneRunner *runner)
{
  if (!g_atomic_int_dec_and_test(&runner->n_references))
    return;
  cw_graph_unref(runner->graph);
  cw_pruner_free(runner->pruner);
  cw_document_state_unref(runner->wanted);
  g_free(runner);
}

static void run_next(CwuPruneRunner *runner);

static void
job_done_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  CwuPruneRunner *runner = user_data;
  Job *job = g_task_get_task_data(G_TASK(result));
  g_autoptr(GError) error = NULL;
  bool ok = g_task_propagate_boolean(G_TASK(result), &error);
  CwGraph *graph = cw_document_state_peek_graph(job->state);
  runner->is_running = false;
  if (runner->pruner == NULL && job->pruner != NULL) {
    cw_graph_unref(runner->graph);
    runner->graph = cw_graph_ref(graph);
    runner->pruner = g_steal_pointer(&job->pruner);
  }
  if (runner->callback != NULL) {
    /* While a slider moves, what is on the way is shown although something newer waits; a graph
     * that is no longer wanted is not. */
    bool is_stale =
        runner->wanted != NULL && cw_document_state_peek_graph(runner->wanted) != graph;
    run_next(runner);
    if (!is_stale)
      runner->callback(job->state, ok ? &job->result : NULL, error, runner->user_data);
  }
  runner_unref(runner);
}

static void
run_next(CwuPruneRunner *runner)
{
  if (runner->is_running || runner->wanted == NULL)
    return;
  Job *job = g_new0(Job, 1);
  job->state = g_steal_pointer(&runner->wanted);
  if (runner->graph == cw_document_state_peek_graph(job->state))
    job->pruner = g_steal_pointer(&runner->pruner);
  else
    g_clear_pointer(&runner->pruner, cw_pruner_free);
  runner->is_running = true;
  g_atomic_int_inc(&runner->n_references);
  g_autoptr(GTask) task = g_task_new(NULL, NULL, job_done_cb, runner);
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, job_thread);
}

CwuPruneRunner *
cwu_prune_runner_new(CwuPrunedCb callback, gpointer user_data)
{
  CwuPruneRunner *runner = g_new0(CwuPruneRunner, 1);
  runner->n_references = 1;
  runner->callback = callback;
  runner->user_data = user_data;
  return runner;
}

void
cwu_prune_runner_free(CwuPruneRunner *runner)
{
  if (runner == NULL)
    return;
  runner->callback = NULL;
  runner_unref(runner);
}

void
cwu_prune_runner_want(CwuPruneRunner *runner, CwDocumentState *state)
{
  cw_document_state_ref(state);
  cw_document_state_unref(runner->wanted);
  runner->wanted = state;
  run_next(runner);
}

void
cwu_prune_runner_take_pruner(CwuPruneRunner *runner, CwGraph *graph, CwPruner *pruner)
{
  cw_graph_ref(graph);
  cw_graph_unref(runner->graph);
  cw_pruner_free(runner->pruner);
  runner->graph = graph;
  runner->pruner = pruner;
}

bool
cwu_prune_runner_is_busy(const CwuPruneRunner *runner)
{
  return runner->is_running;
}
