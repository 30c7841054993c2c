/* worker.c - see worker.h.
 *
 * One mutex guards the slots of waiting wishes and the cancel flags of running ones; it is
 * never held during work. A preview that a trace interrupts goes back to its slot, one that a
 * newer preview interrupts does not. Rejected: a lower priority for the thread and those it
 * starts. On a busy machine it then keeps the mutex longer while it waits for a core, and
 * the main thread waits with it. */
#include "trace/worker.h"

#define N_NEXT_TOKENS 10

typedef struct {
  guint generation;
  char *model, *transcoder;
} Load;

typedef struct {
  guint generation;
  char *text;
  int32_t *tokens;
  size_t n_tokens;
  CwCancel *cancel;
  bool is_superseded;
} Preview;

typedef struct {
  guint generation;
  CwuTraceRequest *request;
  CwCancel *cancel;
} Trace;

struct _CwuWorker {
  gatomicrefcount ref_count; /* the owner, the thread, events on their way */
  GMainContext *context;
  CwuWorkerEvents events;
  gpointer user_data; /* owner's thread only */
  bool is_closed;     /* owner's thread only */

  GMutex mutex;
  GCond wake;
  bool is_closing, is_working;
  Load *load;
  Preview *preview, *running_preview;
  Trace *trace, *running_trace;
  const char *phase; /* newest progress, of running_trace */
  double fraction;
  guint progress_generation;
  bool has_progress_event;

  /* the thread's own */
  CwkDevice *device;
  CwModel *model;
  CwTranscoder *transcoder;
  GError *load_error;
};

static void
load_free(Load *load)
{
  if (load == NULL)
    return;
  g_free(load->model);
  g_free(load->transcoder);
  g_free(load);
}

static void
preview_free(Preview *preview)
{
  if (preview == NULL)
    return;
  g_free(preview->text);
  g_free(preview->tokens);
  g_clear_pointer(&preview->cancel, cw_cancel_unref);
  g_free(preview);
}

static void
trace_free(Trace *trace)
{
  if (trace == NULL)
    return;
  cwu_trace_request_free(trace->request);
  cw_cancel_unref(trace->cancel);
  g_free(trace);
}

static void
worker_unref(CwuWorker *worker)
{
  if (!g_atomic_ref_count_dec(&worker->ref_count))
    return;
  load_free(worker->load);
  preview_free(worker->preview);
  trace_free(worker->trace);
  g_main_context_unref(worker->context);
  g_mutex_clear(&worker->mutex);
  g_cond_clear(&worker->wake);
  g_free(worker);
}

/* ---- events ----------------------------------------------------------------------------- */

typedef struct _Event Event;
struct _Event {
  CwuWorker *worker;
  void (*deliver)(Event *event); /* on the owner's thread, the worker is open; may take parts */
  guint generation;
  CwModel *model;
  bool is_done;
  char *made_for;
  CwuPreview *preview;
  CwuNextToken *next;
  CwGraph *graph;
  GError *error;
};

static void
event_free(gpointer data)
{
  Event *event = data;
  cw_model_unref(event->model);
  cwu_preview_free(event->preview);
  cwu_next_tokens_free(event->next, N_NEXT_TOKENS);
  cw_graph_unref(event->graph);
  g_free(event->made_for);
  g_clear_error(&event->error);
  worker_unref(event->worker);
  g_free(event);
}

static gboolean
event_cb(gpointer data)
{
  Event *event = data;
  if (!event->worker->is_closed)
    event->deliver(event);
  return G_SOURCE_REMOVE;
}

static Event *
event_new(CwuWorker *worker, void (*deliver)(Event *event), guint generation)
{
  Event *event = g_new0(Event, 1);
  g_atomic_ref_count_inc(&worker->ref_count);
  event->worker = worker;
  event->deliver = deliver;
  event->generation = generation;
  return event;
}

static void
event_post(Event *event)
{
  g_autoptr(GSource) source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  g_source_set_callback(source, event_cb, event, event_free);
  g_source_attach(source, event->worker->context);
}

static void
deliver_loaded(Event *event)
{
  event->worker->events.loaded(event->worker->user_data, event->generation, event->model,
                               event->is_done, event->made_for, event->error);
}

static void
deliver_tokenised(Event *event)
{
  event->worker->events.tokenised(event->worker->user_data, event->generation,
                                  g_steal_pointer(&event->preview));
}

static void
deliver_predicted(Event *event)
{
  event->worker->events.predicted(event->worker->user_data, event->generation,
                                  g_steal_pointer(&event->next), N_NEXT_TOKENS, event->error);
}

static void
deliver_traced(Event *event)
{
  event->worker->events.traced(event->worker->user_data, event->generation,
                               g_steal_pointer(&event->graph), g_steal_pointer(&event->error));
}

static void
deliver_progress(Event *event)
{
  CwuWorker *worker = event->worker;
  g_mutex_lock(&worker->mutex);
  const char *phase = worker->phase;
  double fraction = worker->fraction;
  guint generation = worker->progress_generation;
  worker->has_progress_event = false;
  g_mutex_unlock(&worker->mutex);
  worker->events.progressed(worker->user_data, generation, phase, fraction);
}

/* Only the newest progress is of interest: at most one event is on its way. */
static void
progress_cb(const char *phase, double fraction, gpointer user_data)
{
  CwuWorker *worker = user_data;
  g_mutex_lock(&worker->mutex);
  bool is_first = !worker->has_progress_event;
  worker->phase = phase;
  worker->fraction = fraction;
  worker->progress_generation = worker->running_trace->generation;
  worker->has_progress_event = true;
  g_mutex_unlock(&worker->mutex);
  if (is_first)
    event_post(event_new(worker, deliver_progress, 0));
}

/* ---- work, on the thread ---------------------------------------------------------------- */

static void
post_loaded(CwuWorker *worker, const Load *load, bool is_done)
{
  Event *event = event_new(worker, deliver_loaded, load->generation);
  event->model = worker->model != NULL ? cw_model_ref(worker->model) : NULL;
  event->is_done = is_done;
  if (worker->transcoder != NULL &&
      cw_transcoder_is_for_another(worker->transcoder, worker->model))
    event->made_for = g_strdup(cw_transcoder_peek_config(worker->transcoder)->model_name);
  event->error = worker->load_error != NULL ? g_error_copy(worker->load_error) : NULL;
  event_post(event);
}

static bool
open_transcoder(CwuWorker *worker, const char *path)
{
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(path, &worker->load_error);
  if (transcoder == NULL ||
      !cw_transcoder_check_fits(transcoder, worker->model, &worker->load_error))
    return false;
  worker->transcoder = g_steal_pointer(&transcoder);
  return true;
}

static void
run_load(CwuWorker *worker, const Load *load)
{
  g_clear_pointer(&worker->transcoder, cw_transcoder_unref);
  g_clear_pointer(&worker->model, cw_model_unref);
  g_clear_error(&worker->load_error);
  if (worker->device == NULL)
    worker->device = cwk_cpu_new(0);
  if (worker->device == NULL)
    cw_error_set_from_status(&worker->load_error, CWK_NO_MEMORY, "starting the threads");
  else if (load->model != NULL)
    worker->model = cw_model_load(load->model, &worker->load_error);
  if (worker->model != NULL && load->transcoder != NULL) {
    post_loaded(worker, load, false);
    open_transcoder(worker, load->transcoder);
  }
  post_loaded(worker, load, true);
}

static void
run_preview(CwuWorker *worker, Preview *job)
{
  if (worker->model == NULL)
    return;
  GError *error = NULL;
  if (job->text != NULL && job->tokens == NULL) {
    g_autoptr(CwuPreview) preview = cwu_preview_new(worker->model, job->text, &error);
    if (preview != NULL) {
      job->tokens = cwu_preview_dup_ids(preview);
      job->n_tokens = preview->fits_context ? preview->n_tokens : 0;
      Event *event = event_new(worker, deliver_tokenised, job->generation);
      event->preview = g_steal_pointer(&preview);
      event_post(event);
    }
  }
  if (error == NULL && job->n_tokens == 0)
    return;
  CwuNextToken *next = NULL;
  if (error == NULL)
    next = cwu_next_tokens_new(worker->model, worker->device, job->tokens, job->n_tokens,
                               N_NEXT_TOKENS, job->cancel, &error);
  if (cw_cancel_is_triggered(job->cancel)) {
    cwu_next_tokens_free(next, N_NEXT_TOKENS);
    g_clear_error(&error);
    return;
  }
  Event *event = event_new(worker, deliver_predicted, job->generation);
  event->next = next;
  event->error = error;
  event_post(event);
}

static void
run_trace(CwuWorker *worker, const Trace *job)
{
  CwProgress progress = { progress_cb, worker };
  Event *event = event_new(worker, deliver_traced, job->generation);
  if (worker->transcoder != NULL)
    event->graph = cwu_trace_request_run(job->request, worker->model, worker->transcoder,
                                         worker->device, &progress, job->cancel, &event->error);
  else if (worker->load_error != NULL)
    event->error = g_error_copy(worker->load_error);
  else
    g_set_error(&event->error, CW_ERROR, CW_ERROR_NOT_FOUND, "There is no %s to trace with",
                worker->model == NULL ? "model" : "transcoder");
  event_post(event);
}

/* Runs what is most urgent; called and left with the mutex held. */
static void
run_one(CwuWorker *worker)
{
  if (worker->load != NULL) {
    Load *load = g_steal_pointer(&worker->load);
    g_mutex_unlock(&worker->mutex);
    run_load(worker, load);
    load_free(load);
    g_mutex_lock(&worker->mutex);
  } else if (worker->trace != NULL) {
    Trace *trace = worker->running_trace = g_steal_pointer(&worker->trace);
    g_mutex_unlock(&worker->mutex);
    run_trace(worker, trace);
    g_mutex_lock(&worker->mutex);
    worker->running_trace = NULL;
    trace_free(trace);
  } else {
    Preview *preview = worker->running_preview = g_steal_pointer(&worker->preview);
    g_mutex_unlock(&worker->mutex);
    run_preview(worker, preview);
    g_mutex_lock(&worker->mutex);
    worker->running_preview = NULL;
    bool has_yielded = cw_cancel_is_triggered(preview->cancel) && !preview->is_superseded;
    if (has_yielded && worker->preview == NULL) {
      cw_cancel_unref(preview->cancel);
      preview->cancel = cw_cancel_new();
      worker->preview = g_steal_pointer(&preview);
    }
    preview_free(preview);
  }
}

static bool
has_work(const CwuWorker *worker)
{
  return worker->load != NULL || worker->trace != NULL || worker->preview != NULL;
}

static gpointer
worker_thread(gpointer data)
{
  CwuWorker *worker = data;
  g_mutex_lock(&worker->mutex);
  while (!worker->is_closing) {
    worker->is_working = has_work(worker);
    if (worker->is_working)
      run_one(worker);
    else
      g_cond_wait(&worker->wake, &worker->mutex);
  }
  g_mutex_unlock(&worker->mutex);
  cw_transcoder_unref(worker->transcoder);
  cw_model_unref(worker->model);
  cwk_device_free(worker->device);
  g_clear_error(&worker->load_error);
  worker_unref(worker);
  return NULL;
}

/* ---- the owner's side ------------------------------------------------------------------- */

CwuWorker *
cwu_worker_new(const CwuWorkerEvents *events, gpointer user_data)
{
  CwuWorker *worker = g_new0(CwuWorker, 1);
  g_atomic_ref_count_init(&worker->ref_count);
  g_atomic_ref_count_inc(&worker->ref_count);
  worker->context = g_main_context_ref_thread_default();
  worker->events = *events;
  worker->user_data = user_data;
  g_mutex_init(&worker->mutex);
  g_cond_init(&worker->wake);
  g_thread_unref(g_thread_new("clew-engine", worker_thread, worker));
  return worker;
}

/* With the mutex held. A trace or a load interrupts a preview; a newer preview ends it. */
static void
stop_preview(CwuWorker *worker, bool is_superseded)
{
  if (is_superseded)
    g_clear_pointer(&worker->preview, preview_free);
  if (worker->running_preview == NULL)
    return;
  worker->running_preview->is_superseded |= is_superseded;
  cw_cancel_trigger(worker->running_preview->cancel);
}

static void
stop_trace(CwuWorker *worker)
{
  g_clear_pointer(&worker->trace, trace_free);
  if (worker->running_trace != NULL)
    cw_cancel_trigger(worker->running_trace->cancel);
}

void
cwu_worker_close(CwuWorker *worker)
{
  if (worker == NULL)
    return;
  worker->is_closed = true;
  g_mutex_lock(&worker->mutex);
  worker->is_closing = true;
  stop_preview(worker, true);
  stop_trace(worker);
  g_cond_signal(&worker->wake);
  g_mutex_unlock(&worker->mutex);
  worker_unref(worker);
}

void
cwu_worker_load(CwuWorker *worker, guint generation, const char *model, const char *transcoder)
{
  Load *load = g_new0(Load, 1);
  load->generation = generation;
  load->model = g_strdup(model);
  load->transcoder = g_strdup(transcoder);
  g_mutex_lock(&worker->mutex);
  g_clear_pointer(&worker->load, load_free);
  worker->load = load;
  stop_preview(worker, true);
  stop_trace(worker);
  g_cond_signal(&worker->wake);
  g_mutex_unlock(&worker->mutex);
}

void
cwu_worker_preview(CwuWorker *worker, guint generation, char *text, int32_t *tokens,
                   size_t n_tokens)
{
  Preview *preview = g_new0(Preview, 1);
  preview->generation = generation;
  preview->text = text;
  preview->tokens = tokens;
  preview->n_tokens = n_tokens;
  preview->cancel = cw_cancel_new();
  g_mutex_lock(&worker->mutex);
  stop_preview(worker, true);
  worker->preview = preview;
  g_cond_signal(&worker->wake);
  g_mutex_unlock(&worker->mutex);
}

void
cwu_worker_cancel_preview(CwuWorker *worker)
{
  g_mutex_lock(&worker->mutex);
  stop_preview(worker, true);
  g_mutex_unlock(&worker->mutex);
}

void
cwu_worker_trace(CwuWorker *worker, guint generation, const CwuTraceRequest *request)
{
  Trace *trace = g_new0(Trace, 1);
  trace->generation = generation;
  trace->request = cwu_trace_request_copy(request);
  trace->cancel = cw_cancel_new();
  g_mutex_lock(&worker->mutex);
  stop_preview(worker, false);
  stop_trace(worker);
  worker->trace = trace;
  g_cond_signal(&worker->wake);
  g_mutex_unlock(&worker->mutex);
}

void
cwu_worker_cancel_trace(CwuWorker *worker)
{
  g_mutex_lock(&worker->mutex);
  stop_trace(worker);
  g_mutex_unlock(&worker->mutex);
}

bool
cwu_worker_is_busy(CwuWorker *worker)
{
  g_mutex_lock(&worker->mutex);
  bool is_busy = worker->is_working || has_work(worker);
  g_mutex_unlock(&worker->mutex);
  return is_busy;
}
