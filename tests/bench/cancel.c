/* cancel.c - how long attribution takes to stop when asked at some moment.
 *
 *   bench-cancel --transcoder FOLDER [--moments 20] [--tokens 0] [--nodes 7500]
 *
 * One whole run is timed first; then each moment, spread evenly over that time, is tried in
 * turn: another thread raises the flag, and what counts is the time from there until the call
 * has returned, with everything it held given back. */
#include "attribution-case.h"
#include "bench-support.h"

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

/* Seconds of one run; with a moment (seconds from its start) the flag is raised then, and
 * *answer is the time until the call was back. Phase: what was last reported. */
typedef struct {
  double seconds, answer;
  bool is_cancelled;
  const char *phase;
} Outcome;

static void
remember_phase(const char *phase, double fraction, gpointer data)
{
  Outcome *outcome = data;
  outcome->phase = phase;
}

static bool
run_once(const AttributionCase *opened, CwkDevice *device, double moment, Outcome *outcome,
         GError **error)
{
  g_autoptr(GError) failure = NULL;
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  options.max_feature_nodes = n_nodes;
  CwProgress progress = { remember_phase, outcome };
  gint64 start = g_get_monotonic_time();
  Trigger trigger = { cancel, start + (gint64)(moment * 1e6), 0 };
  GThread *thread = moment >= 0 ? g_thread_new("cancel", raise_later, &trigger) : NULL;
  g_autoptr(CwGraph) graph =
      cw_attribute(opened->model, opened->transcoder, device, opened->tokens, opened->n_tokens,
                   &options, &progress, cancel, NULL, &failure);
  gint64 end = g_get_monotonic_time();
  if (thread != NULL)
    g_thread_join(thread);
  outcome->seconds = (double)(end - start) * 1e-6;
  outcome->answer = (double)(end - trigger.raised) * 1e-6;
  outcome->is_cancelled = g_error_matches(failure, CW_ERROR, CW_ERROR_CANCELLED);
  if (graph != NULL || outcome->is_cancelled)
    return true;
  g_propagate_error(error, g_steal_pointer(&failure));
  return false;
}

static bool
run_moments(const AttributionCase *opened, CwkDevice *device, GError **error)
{
  g_autofree char *machine = bench_describe_machine();
  Outcome whole = { 0 };
  if (!run_once(opened, device, -1, &whole, error))
    return false;
  printf("{\"case\": \"cancel\", \"machine\": \"%s\", \"tokens\": %zu, \"nodes\": %d, "
         "\"threads\": %d, \"whole_seconds\": %.3f, \"moments\": [",
         machine, opened->n_tokens, n_nodes, n_threads, whole.seconds);
  double longest = 0;
  int n_cancelled = 0;
  for (int i = 0; i < n_moments; i++) {
    double moment = whole.seconds * i / n_moments;
    Outcome outcome = { .phase = "start" };
    if (!run_once(opened, device, moment, &outcome, error))
      return false;
    if (outcome.is_cancelled) {
      longest = MAX(longest, outcome.answer);
      n_cancelled++;
    }
    printf("%s\n  {\"at\": %.3f, \"phase\": \"%s\", \"cancelled\": %s, \"answer\": %.4f}",
           i == 0 ? "" : ",", moment, outcome.phase, outcome.is_cancelled ? "true" : "false",
           outcome.answer);
    fflush(stdout);
  }
  printf("],\n  \"cancelled\": %d, \"longest_answer_seconds\": %.4f}\n", n_cancelled, longest);
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
