/* cancel.c - how long attribution takes to stop when asked at some moment.
 *
 *   bench-cancel --transcoder FOLDER [--moments 20] [--tokens 0] [--nodes 7500]
 *
 * One whole run is timed first: attribution, then pruning and writing of its graph as `clew
 * attribute` does them. Then each moment is tried in turn: a third of them spread evenly over
 * the attribution, a third over its end, counted from where rows become a graph, and a third
 * over pruning and writing the whole graph. Another thread raises the flag, and what counts is
 * the time from there until the call has returned, with everything it held given back. */
#include "attribution-case.h"
#include "bench-support.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

static char *model_path, *transcoder_path;
static int n_tokens = 0, n_threads = 2, n_nodes = 7500, n_moments = 20;

static const GOptionEntry entries[] = {
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "GGUF file", "M" },
  { "transcoder", 0, 0, G_OPTION_ARG_FILENAME, &transcoder_path, "its transcoder", "FOLDER" },
  { "tokens", 0, 0, G_OPTION_ARG_INT, &n_tokens, "0: the golden prompt; else a long one", "N" },
  { "nodes", 0, 0, G_OPTION_ARG_INT, &n_nodes, "feature nodes, 0: all", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "threads", "N" },
  { "moments", 0, 0, G_OPTION_ARG_INT, &n_moments, "cancels to try", "N" },
  { NULL },
};

typedef struct {
  CwCancel *cancel;
  gint64 at; /* monotonic time to raise the flag */
  gint64 raised;
} Trigger;

static gpointer
raise_later(gpointer data)
{
  Trigger *trigger = data;
  gint64 now = g_get_monotonic_time();
  if (trigger->at > now)
    g_usleep((gulong)(trigger->at - now));
  trigger->raised = g_get_monotonic_time();
  cw_cancel_trigger(trigger->cancel);
  return NULL;
}

/* One run. `answer` is the time from the flag until the call was back. */
typedef struct {
  double seconds, answer;
  double to_graph; /* seconds until the rows were there */
  bool is_cancelled;
  const char *phase; /* the last one reported */
  gint64 start;
  GThread *thread; /* raises the flag */
  Trigger *trigger;
  double after_graph; /* with a trigger, seconds from the phase "graph" on; negative: none */
} Outcome;

static void
arm(Outcome *outcome, double seconds)
{
  outcome->trigger->at = g_get_monotonic_time() + (gint64)(seconds * 1e6);
  outcome->thread = g_thread_new("cancel", raise_later, outcome->trigger);
}

static void
remember_phase(const char *phase, double fraction, gpointer data)
{
  Outcome *outcome = data;
  if (g_str_equal(phase, "graph") && !g_str_equal(outcome->phase, "graph")) {
    outcome->to_graph = (double)(g_get_monotonic_time() - outcome->start) * 1e-6;
    if (outcome->after_graph >= 0)
      arm(outcome, outcome->after_graph);
  }
  outcome->phase = phase;
}

/* What is timed and cancelled: everything it makes is freed or handed to *graph. */
typedef bool (*Work)(const AttributionCase *opened, CwkDevice *device, CwGraph **graph,
                     Outcome *outcome, CwCancel *cancel, GError **error);

static bool
attribute(const AttributionCase *opened, CwkDevice *device, CwGraph **graph, Outcome *outcome,
          CwCancel *cancel, GError **error)
{
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  options.max_feature_nodes = n_nodes;
  CwProgress progress = { remember_phase, outcome };
  CwGraph *made = cw_attribute(opened->model, opened->transcoder, device, opened->tokens,
                               opened->n_tokens, &options, &progress, cancel, NULL, error);
  if (made != NULL && graph != NULL)
    *graph = made;
  else
    cw_graph_unref(made);
  return made != NULL;
}

static bool
prune_and_write(const AttributionCase *opened, CwkDevice *device, CwGraph **graph,
                Outcome *outcome, CwCancel *cancel, GError **error)
{
  g_autofree char *document = g_build_filename(g_get_tmp_dir(), "bench-cancel.clew", NULL);
  g_autofree char *json = g_build_filename(g_get_tmp_dir(), "bench-cancel.json", NULL);
  CwPruneOptions options = { 0.8, 0.98, NULL };
  outcome->phase = "prune";
  g_autoptr(CwPruner) pruner = cw_pruner_new(*graph, cancel, error);
  g_autoptr(CwPruned) pruned =
      pruner != NULL ? cw_pruner_run(pruner, &options, cancel, error) : NULL;
  if (pruned == NULL)
    return false;
  outcome->phase = "write .clew";
  if (!cw_graph_save_document(*graph, NULL, document, cancel, error))
    return false;
  outcome->phase = "write .json";
  bool is_written = cw_graph_save_json(*graph, pruned, NULL, json, cancel, error);
  g_unlink(document);
  g_unlink(json);
  return is_written;
}

/* When to raise the flag: at a time after the start, or after the phase "graph" began. */
typedef struct {
  double after_start, after_graph; /* seconds; negative: not so */
} Moment;

static bool
run_once(Work work, const AttributionCase *opened, CwkDevice *device, CwGraph **graph,
         Moment moment, Outcome *outcome, GError **error)
{
  g_autoptr(GError) failure = NULL;
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  Trigger trigger = { cancel, 0, 0 };
  *outcome = (Outcome){ .phase = "start",
                        .start = g_get_monotonic_time(),
                        .trigger = &trigger,
                        .after_graph = moment.after_graph };
  if (moment.after_start >= 0)
    arm(outcome, moment.after_start);
  bool is_done = work(opened, device, graph, outcome, cancel, &failure);
  gint64 end = g_get_monotonic_time();
  if (outcome->thread != NULL)
    g_thread_join(outcome->thread);
  outcome->seconds = (double)(end - outcome->start) * 1e-6;
  outcome->answer = (double)(end - trigger.raised) * 1e-6;
  outcome->is_cancelled = g_error_matches(failure, CW_ERROR, CW_ERROR_CANCELLED);
  if (is_done || outcome->is_cancelled)
    return true;
  g_propagate_error(error, g_steal_pointer(&failure));
  return false;
}

typedef struct {
  int n_moments, n_cancelled;
  double longest;
} Tally;

/* n moments spread evenly over so many seconds from the start of the work, or of its phase
 * "graph". */
static bool
try_moments(Work work, const AttributionCase *opened, CwkDevice *device, CwGraph **graph,
            double seconds, bool is_graph, int n, Tally *tally, GError **error)
{
  for (int i = 0; i < n; i++) {
    double at = seconds * (i + 0.5) / n;
    Moment moment = { is_graph ? -1 : at, is_graph ? at : -1 };
    Outcome outcome;
    if (!run_once(work, opened, device, graph, moment, &outcome, error))
      return false;
    if (outcome.is_cancelled) {
      tally->longest = MAX(tally->longest, outcome.answer);
      tally->n_cancelled++;
    }
    printf("%s\n  {\"at\": %.3f, \"phase\": \"%s\", \"cancelled\": %s, \"answer\": %.4f}",
           tally->n_moments++ == 0 ? "" : ",", at, outcome.phase,
           outcome.is_cancelled ? "true" : "false", outcome.answer);
    fflush(stdout);
  }
  return true;
}

static bool
run_moments(const AttributionCase *opened, CwkDevice *device, GError **error)
{
  g_autofree char *machine = bench_describe_machine();
  g_autoptr(CwGraph) graph = NULL;
  Outcome whole, after;
  const Moment never = { -1, -1 };
  if (!run_once(attribute, opened, device, &graph, never, &whole, error) ||
      !run_once(prune_and_write, opened, device, &graph, never, &after, error))
    return false;
  printf("{\"case\": \"cancel\", \"machine\": \"%s\", \"tokens\": %zu, \"nodes\": %d, "
         "\"threads\": %d, \"edges\": %zu, \"seconds_attribute\": %.3f, "
         "\"seconds_to_graph\": %.3f, \"seconds_prune_and_write\": %.3f, \"moments\": [",
         machine, opened->n_tokens, n_nodes, n_threads, cw_graph_get_n_edges(graph),
         whole.seconds, whole.to_graph, after.seconds);
  fflush(stdout);
  int n = (n_moments + 2) / 3;
  Tally tally = { 0 };
  if (!try_moments(prune_and_write, opened, device, &graph, after.seconds, false, n, &tally,
                   error))
    return false;
  g_clear_pointer(&graph, cw_graph_unref);
  if (!try_moments(attribute, opened, device, NULL, whole.seconds - whole.to_graph, true, n,
                   &tally, error) ||
      !try_moments(attribute, opened, device, NULL, whole.to_graph, false, n, &tally, error))
    return false;
  printf("],\n  \"cancelled\": %d, \"longest_answer_seconds\": %.4f}\n", tally.n_cancelled,
         tally.longest);
  return true;
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  if (transcoder_path == NULL) {
    fprintf(stderr, "bench-cancel: --transcoder FOLDER is needed\n");
    return 2;
  }
  AttributionCase opened;
  if (!attribution_case_open(&opened, model_path, transcoder_path, n_tokens, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  CwkDevice *device = cwk_cpu_new(n_threads);
  bool is_good = device != NULL && run_moments(&opened, device, &error);
  if (!is_good)
    fprintf(stderr, "%s\n", error != NULL ? error->message : "No threads");
  cwk_device_free(device);
  attribution_case_clear(&opened);
  return is_good ? 0 : 1;
}
