/* engine.c - see engine.h. The main thread's side: it numbers wishes, so that events of older
 * ones are dropped, and ends a trace's task the moment it is cancelled, whatever the thread is
 * still doing. */
#include "trace/engine.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "trace/worker.h"

/* Longer texts are tokenised by the worker; these take SmolLM2 2 ms. */
#define MAX_TEXT_BYTES_AT_ONCE 16384

struct _CwuEngine {
  GObject parent_instance;
  CwuWorker *worker;
  char *model_path, *transcoder_path;
  CwModel *model;
  CwuEngineState state;
  char *message;
  guint load_generation, preview_generation, trace_generation;

  char *text; /* the newest previewed text */
  CwuPreview *preview;
  CwuNextToken *next;
  size_t n_next;
  bool is_next_current;

  GTask *trace; /* NULL between traces */
  const char *phase;
  double fraction;
};

G_DEFINE_TYPE(CwuEngine, cwu_engine, G_TYPE_OBJECT)

enum { PROP_STATE = 1, PROP_MESSAGE, PROP_IS_TRACING, PROP_PHASE, PROP_FRACTION, N_PROPS };
static GParamSpec *properties[N_PROPS];
static guint preview_changed_signal;

/* ---- state ------------------------------------------------------------------------------ */

static void
set_state(CwuEngine *self, CwuEngineState state, const char *message)
{
  bool is_new_message = g_strcmp0(self->message, message) != 0;
  bool is_new_state = self->state != state;
  if (is_new_message) {
    g_free(self->message);
    self->message = g_strdup(message);
  }
  self->state = state;
  if (is_new_message)
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_MESSAGE]);
  if (is_new_state)
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_STATE]);
}

static void
tell_failure(CwuEngine *self, const GError *error)
{
  const char *remedy = self->model == NULL ? _("Choose another model in the settings.")
                                           : _("Choose another transcoder in the settings.");
  g_autofree char *message = g_strdup_printf("%s. %s", error->message, remedy);
  set_state(self, CWU_ENGINE_FAILED, message);
}

static void
tell_what_is_missing(CwuEngine *self)
{
  if (self->model_path == NULL)
    set_state(self, CWU_ENGINE_NO_MODEL,
              _("No model is installed. Run ./packaging/start with a network connection, or "
                "choose a model in the settings."));
  else
    set_state(self, CWU_ENGINE_NO_MODEL,
              _("There is no transcoder for this model. Choose one in the settings."));
}

/* It can be traced with, though what it shows may mean nothing. */
static void
tell_ready(CwuEngine *self, const char *made_for)
{
  g_autofree char *message =
      made_for != NULL
          ? g_strdup_printf(
                _("The transcoder says it was made for %s, and this model is %s: its "
                  "features may mean nothing here."),
                made_for, cw_model_peek_config(self->model)->name)
          : NULL;
  set_state(self, CWU_ENGINE_READY, message);
}

static void
loaded_cb(gpointer user_data, guint generation, CwModel *model, bool is_done,
          const char *made_for, const GError *error)
{
  CwuEngine *self = user_data;
  if (generation != self->load_generation)
    return;
  bool is_new_model = self->model == NULL && model != NULL;
  if (is_new_model)
    self->model = cw_model_ref(model);
  if (error != NULL)
    tell_failure(self, error);
  else if (is_done && (self->model_path == NULL || self->transcoder_path == NULL))
    tell_what_is_missing(self);
  else if (is_done)
    tell_ready(self, made_for);
  if (is_new_model && self->text != NULL) {
    g_autofree char *text = g_strdup(self->text);
    cwu_engine_preview(self, text);
  }
}

void
cwu_engine_set_paths(CwuEngine *self, const char *model, const char *transcoder)
{
  g_return_if_fail(CWU_IS_ENGINE(self));
  bool is_same = g_strcmp0(model, self->model_path) == 0 &&
                 g_strcmp0(transcoder, self->transcoder_path) == 0;
  if (is_same && self->state != CWU_ENGINE_FAILED)
    return;
  g_autofree char *old_model = g_steal_pointer(&self->model_path);
  g_autofree char *old_transcoder = g_steal_pointer(&self->transcoder_path);
  self->model_path = g_strdup(model);
  self->transcoder_path = g_strdup(transcoder);
  cwu_engine_cancel_trace(self);
  /* The worker still holds the model, so this frees nothing here. */
  g_clear_pointer(&self->model, cw_model_unref);
  g_clear_pointer(&self->preview, cwu_preview_free);
  self->is_next_current = false;
  self->preview_generation++;
  cwu_worker_load(self->worker, ++self->load_generation, model, transcoder);
  if (model == NULL)
    tell_what_is_missing(self);
  else
    set_state(self, CWU_ENGINE_LOADING, NULL);
  g_signal_emit(self, preview_changed_signal, 0);
}

const char *
cwu_engine_peek_model_path(CwuEngine *self)
{
  return self->model_path;
}

const char *
cwu_engine_peek_transcoder_path(CwuEngine *self)
{
  return self->transcoder_path;
}

CwuEngineState
cwu_engine_get_state(CwuEngine *self)
{
  return self->state;
}

const char *
cwu_engine_peek_message(CwuEngine *self)
{
  return self->message;
}

CwModel *
cwu_engine_peek_model(CwuEngine *self)
{
  return self->model;
}

/* ---- preview ---------------------------------------------------------------------------- */

static void
set_next(CwuEngine *self, CwuNextToken *next, size_t n)
{
  cwu_next_tokens_free(self->next, self->n_next);
  self->next = next;
  self->n_next = next != NULL ? n : 0;
  self->is_next_current = next != NULL;
}

static void
tokenised_cb(gpointer user_data, guint generation, CwuPreview *preview)
{
  CwuEngine *self = user_data;
  if (generation != self->preview_generation) {
    cwu_preview_free(preview);
    return;
  }
  g_clear_pointer(&self->preview, cwu_preview_free);
  self->preview = preview;
  if (!preview->fits_context)
    set_next(self, NULL, 0);
  g_signal_emit(self, preview_changed_signal, 0);
}

static void
predicted_cb(gpointer user_data, guint generation, CwuNextToken *next, size_t n,
             const GError *error)
{
  CwuEngine *self = user_data;
  if (generation != self->preview_generation) {
    cwu_next_tokens_free(next, n);
    return;
  }
  set_next(self, next, n);
  if (error != NULL && self->preview != NULL && self->preview->problem == NULL)
    self->preview->problem = g_strdup(error->message);
  g_signal_emit(self, preview_changed_signal, 0);
}

/* Tokens here and now; the worker is asked only for what comes next. */
static void
preview_at_once(CwuEngine *self)
{
  g_autoptr(GError) error = NULL;
  self->preview = cwu_preview_new(self->model, self->text, &error);
  if (self->preview == NULL) {
    set_next(self, NULL, 0);
    tell_failure(self, error);
    return;
  }
  if (self->preview->n_tokens == 0 || !self->preview->fits_context) {
    set_next(self, NULL, 0);
    cwu_worker_cancel_preview(self->worker);
    return;
  }
  cwu_worker_preview(self->worker, self->preview_generation, NULL,
                     cwu_preview_dup_ids(self->preview), self->preview->n_tokens);
}

void
cwu_engine_preview(CwuEngine *self, const char *text)
{
  g_return_if_fail(CWU_IS_ENGINE(self) && text != NULL);
  g_autofree char *old = g_steal_pointer(&self->text);
  self->text = g_strdup(text);
  self->preview_generation++;
  self->is_next_current = false;
  g_clear_pointer(&self->preview, cwu_preview_free);
  if (self->model != NULL && strlen(text) <= MAX_TEXT_BYTES_AT_ONCE)
    preview_at_once(self);
  else if (self->model != NULL)
    cwu_worker_preview(self->worker, self->preview_generation, g_strdup(text), NULL, 0);
  g_signal_emit(self, preview_changed_signal, 0);
}

const CwuPreview *
cwu_engine_peek_preview(CwuEngine *self)
{
  return self->preview;
}

const CwuNextToken *
cwu_engine_peek_next(CwuEngine *self, size_t *n, bool *is_current)
{
  *n = self->n_next;
  *is_current = self->is_next_current;
  return self->next;
}

bool
cwu_engine_resolve_target(CwuEngine *self, const char *text, int32_t *id, char **piece,
                          GError **error)
{
  if (self->model == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                        self->state == CWU_ENGINE_LOADING ? _("the model is still loading")
                                                          : _("there is no model"));
    return false;
  }
  if (!cw_attribution_parse_target(self->model, text, id, error))
    return false;
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(self->model);
  if (piece != NULL)
    *piece = tokenizer != NULL && *id < cw_tokenizer_get_n_tokens(tokenizer)
                 ? cw_tokenizer_dup_piece(tokenizer, *id)
                 : g_strdup_printf("#%d", *id);
  return true;
}

/* ---- trace ------------------------------------------------------------------------------ */

/* Where the time of a trace goes, as measured on SmolLM2 with a prompt of 6 tokens (1.6 s on
 * two cores): one bar for the whole, which moves evenly. */
static const struct {
  const char *phase, *name;
  double from, to;
} phases[] = {
  { "forward", N_("Reading the prompt"), 0, 0.08 },
  { "features", N_("Finding active features"), 0.08, 0.14 },
  { "rows", N_("Following causes back"), 0.14, 0.76 },
  { "graph", N_("Building the graph"), 0.76, 1 },
};

static void
set_progress(CwuEngine *self, const char *phase, double fraction)
{
  bool is_new_phase = self->phase != phase;
  self->phase = phase;
  self->fraction = fraction;
  if (is_new_phase)
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_PHASE]);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_FRACTION]);
}

static void
progressed_cb(gpointer user_data, guint generation, const char *phase, double fraction)
{
  CwuEngine *self = user_data;
  if (generation != self->trace_generation || self->trace == NULL)
    return;
  for (size_t i = 0; i < G_N_ELEMENTS(phases); i++)
    if (strcmp(phases[i].phase, phase) == 0)
      set_progress(
          self, _(phases[i].name),
          MAX(self->fraction, phases[i].from + fraction * (phases[i].to - phases[i].from)));
}

/* Detaches the task, so that its callback may start another trace. Transfer full. */
static GTask *
take_task(CwuEngine *self)
{
  GTask *task = g_steal_pointer(&self->trace);
  set_progress(self, NULL, 0);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_IS_TRACING]);
  return task;
}

static void
traced_cb(gpointer user_data, guint generation, CwGraph *graph, GError *error)
{
  CwuEngine *self = user_data;
  if (generation != self->trace_generation || self->trace == NULL) {
    cw_graph_unref(graph);
    g_clear_error(&error);
    return;
  }
  g_autoptr(GTask) task = take_task(self);
  if (graph != NULL)
    g_task_return_pointer(task, graph, (GDestroyNotify)cw_graph_unref);
  else
    g_task_return_error(task, error);
}

void
cwu_engine_cancel_trace(CwuEngine *self)
{
  g_return_if_fail(CWU_IS_ENGINE(self));
  if (self->trace == NULL)
    return;
  cwu_worker_cancel_trace(self->worker);
  self->trace_generation++;
  g_autoptr(GTask) task = take_task(self);
  g_task_return_new_error(task, CW_ERROR, CW_ERROR_CANCELLED, "%s",
                          _("The trace was cancelled"));
}

void
cwu_engine_trace_async(CwuEngine *self, const CwuTraceRequest *request,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail(CWU_IS_ENGINE(self) && request != NULL);
  cwu_engine_cancel_trace(self);
  GTask *task = g_task_new(NULL, NULL, callback, user_data);
  g_task_set_source_tag(task, cwu_engine_trace_async);
  if (self->state == CWU_ENGINE_NO_MODEL || self->state == CWU_ENGINE_FAILED) {
    g_task_return_new_error(task, CW_ERROR, CW_ERROR_NOT_FOUND, "%s", self->message);
    g_object_unref(task);
    return;
  }
  self->trace = task;
  set_progress(self, _(phases[0].name), 0);
  cwu_worker_trace(self->worker, ++self->trace_generation, request);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_IS_TRACING]);
}

CwGraph *
cwu_engine_trace_finish(GAsyncResult *result, GError **error)
{
  g_return_val_if_fail(g_async_result_is_tagged(result, cwu_engine_trace_async), NULL);
  return g_task_propagate_pointer(G_TASK(result), error);
}

bool
cwu_engine_is_tracing(CwuEngine *self)
{
  return self->trace != NULL;
}

const char *
cwu_engine_peek_phase(CwuEngine *self)
{
  return self->phase;
}

double
cwu_engine_get_fraction(CwuEngine *self)
{
  return self->fraction;
}

bool
cwu_engine_is_busy(CwuEngine *self)
{
  return cwu_worker_is_busy(self->worker);
}

/* ---- the object ------------------------------------------------------------------------- */

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CwuEngine *self = CWU_ENGINE(object);
  if (id == PROP_STATE)
    g_value_set_int(value, self->state);
  else if (id == PROP_MESSAGE)
    g_value_set_string(value, self->message);
  else if (id == PROP_IS_TRACING)
    g_value_set_boolean(value, self->trace != NULL);
  else if (id == PROP_PHASE)
    g_value_set_string(value, self->phase);
  else if (id == PROP_FRACTION)
    g_value_set_double(value, self->fraction);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
dispose(GObject *object)
{
  CwuEngine *self = CWU_ENGINE(object);
  cwu_engine_cancel_trace(self);
  g_clear_pointer(&self->model, cw_model_unref);
  g_clear_pointer(&self->worker, cwu_worker_close);
  G_OBJECT_CLASS(cwu_engine_parent_class)->dispose(object);
}

static void
finalize(GObject *object)
{
  CwuEngine *self = CWU_ENGINE(object);
  cwu_preview_free(self->preview);
  cwu_next_tokens_free(self->next, self->n_next);
  g_free(self->model_path);
  g_free(self->transcoder_path);
  g_free(self->message);
  g_free(self->text);
  G_OBJECT_CLASS(cwu_engine_parent_class)->finalize(object);
}

static void
cwu_engine_class_init(CwuEngineClass *class)
{
  GObjectClass *object = G_OBJECT_CLASS(class);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  object->get_property = get_property;
  object->dispose = dispose;
  object->finalize = finalize;
  properties[PROP_STATE] = g_param_spec_int("state", NULL, NULL, CWU_ENGINE_NO_MODEL,
                                            CWU_ENGINE_FAILED, CWU_ENGINE_NO_MODEL, flags);
  properties[PROP_MESSAGE] = g_param_spec_string("message", NULL, NULL, NULL, flags);
  properties[PROP_IS_TRACING] = g_param_spec_boolean("is-tracing", NULL, NULL, FALSE, flags);
  properties[PROP_PHASE] = g_param_spec_string("phase", NULL, NULL, NULL, flags);
  properties[PROP_FRACTION] = g_param_spec_double("fraction", NULL, NULL, 0, 1, 0, flags);
  g_object_class_install_properties(object, N_PROPS, properties);
  preview_changed_signal = g_signal_new("preview-changed", CWU_TYPE_ENGINE, G_SIGNAL_RUN_LAST,
                                        0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cwu_engine_init(CwuEngine *self)
{
  static const CwuWorkerEvents events = { loaded_cb, tokenised_cb, predicted_cb, progressed_cb,
                                          traced_cb };
  self->worker = cwu_worker_new(&events, self);
  tell_what_is_missing(self);
}

CwuEngine *
cwu_engine_new(void)
{
  return g_object_new(CWU_TYPE_ENGINE, NULL);
}
