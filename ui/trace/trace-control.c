/* trace-control.c - see trace-control.h. */
#include "trace/trace-control.h"

#include <glib/gi18n-lib.h>

#include "desktop/settings.h"

/* Letters that follow each other faster than this are undone together. */
#define PAUSE_US (G_USEC_PER_SEC)

struct _CwuTraceControl {
  gint n_references;
  CwuDocument *document; /* NULL after free */
  CwuEngine *engine;
  CwuPromptBar *bar;
  GtkStringList *recent;
  guint generation; /* of the newest trace */
  bool is_tracing;
  bool is_same;    /* bar and document are being made to say the same */
  gint64 typed_us; /* when the bar's text changed last; 0: what comes next is a new step */
  CwuTracedCb traced;
  gpointer user_data;
};

/* One trace's callback data. */
typedef struct {
  CwuTraceControl *control;
  guint generation;
} Trace;

static void
control_unref(CwuTraceControl *control)
{
  if (--control->n_references > 0)
    return;
  g_object_unref(control->engine);
  g_object_unref(control->bar);
  g_object_unref(control->recent);
  g_free(control);
}

static void
trace_free(Trace *trace)
{
  control_unref(trace->control);
  g_free(trace);
}

static bool
is_current(const Trace *trace)
{
  return trace->control->document != NULL && trace->generation == trace->control->generation;
}

static void
end_trace(CwuTraceControl *control, const char *failure)
{
  control->is_tracing = false;
  cwu_prompt_bar_tell(control->bar, failure);
}

static void
set_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Trace *trace = user_data;
  g_autoptr(GError) error = NULL;
  bool ok = cwu_document_set_graph_finish(CWU_DOCUMENT(source), result, &error);
  if (is_current(trace)) {
    end_trace(trace->control, ok ? NULL : error->message);
    if (ok && trace->control->traced != NULL)
      trace->control->traced(trace->control->user_data);
  }
  trace_free(trace);
}

static void
traced_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Trace *trace = user_data;
  CwuTraceControl *control = trace->control;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = cwu_engine_trace_finish(result, &error);
  if (!is_current(trace)) {
    trace_free(trace);
    return;
  }
  if (graph != NULL) {
    cwu_settings_add_recent_prompt(cw_graph_peek_typed_prompt(graph));
    GSettings *settings = cwu_settings_peek();
    double thresholds[] = { g_settings_get_double(settings, "node-threshold"),
                            g_settings_get_double(settings, "edge-threshold") };
    cwu_document_set_graph_async(control->document, graph, thresholds, set_cb, trace);
    return;
  }
  bool was_cancelled = g_error_matches(error, CW_ERROR, CW_ERROR_CANCELLED);
  end_trace(control, was_cancelled ? _("A trace of another tab took the model. Press Enter to "
                                       "trace again.")
                                   : error->message);
  trace_free(trace);
}

/* ---- what the bar asks ----------------------------------------------------------------- */

/* What comes now of an earlier trace is not wanted, even if it is a graph already. */
static void
drop_earlier(CwuTraceControl *control)
{
  control->generation++;
  cwu_document_cancel_set_graph(control->document);
}

static void
trace_cb(CwuTraceControl *control)
{
  g_autoptr(CwuTraceRequest) request = cwu_prompt_bar_dup_request(control->bar);
  Trace *trace = g_new0(Trace, 1);
  control->n_references++;
  drop_earlier(control);
  control->is_tracing = true;
  *trace = (Trace){ control, control->generation };
  cwu_prompt_bar_tell(control->bar, NULL);
  cwu_engine_trace_async(control->engine, request, traced_cb, trace);
}

bool
cwu_trace_control_cancel(CwuTraceControl *control)
{
  if (!control->is_tracing)
    return false;
  drop_earlier(control);
  cwu_engine_cancel_trace(control->engine);
  end_trace(control, NULL);
  return true;
}

/* The bar of any tab may end the trace that the model is busy with. */
static void
cancel_cb(CwuTraceControl *control)
{
  if (!cwu_trace_control_cancel(control))
    cwu_engine_cancel_trace(control->engine);
}

/* What stands in the bar is the document's, so that undo, autosave and saving have it. */
static void
text_cb(CwuTraceControl *control)
{
  gint64 now_us = g_get_monotonic_time();
  if (control->is_same)
    return;
  control->is_same = true;
  cw_document_set_prompt(cwu_document_peek_core(control->document),
                         cwu_prompt_bar_peek_text(control->bar),
                         now_us - control->typed_us < PAUSE_US);
  cwu_document_sync(control->document);
  control->is_same = false;
  control->typed_us = now_us;
}

static void
changed_cb(CwuTraceControl *control, guint parts)
{
  CwDocumentState *state = cwu_document_peek_state(control->document);
  if (control->is_same || (parts & (CW_DOCUMENT_PROMPT | CW_DOCUMENT_GRAPH)) == 0)
    return;
  control->is_same = true;
  cwu_prompt_bar_set_text(control->bar, cw_document_state_peek_prompt(state));
  control->is_same = false;
  control->typed_us = 0;
}

/* ---- settings and recent prompts, one for all tabs ------------------------------------- */

static void
load_settings(CwuTraceControl *control)
{
  g_autoptr(CwuTraceSettings) settings = cwu_trace_settings_new_from_store(cwu_settings_peek());
  if (!cwu_trace_settings_equal(settings, cwu_prompt_bar_peek_settings(control->bar)))
    cwu_prompt_bar_set_settings(control->bar, settings);
}

static void
store_settings(CwuTraceControl *control)
{
  cwu_trace_settings_store(cwu_prompt_bar_peek_settings(control->bar), cwu_settings_peek());
}

static void
update_recent(CwuTraceControl *control)
{
  g_auto(GStrv) prompts = g_settings_get_strv(cwu_settings_peek(), "recent-prompts");
  guint n = g_list_model_get_n_items(G_LIST_MODEL(control->recent));
  gtk_string_list_splice(control->recent, 0, n, (const char *const *)prompts);
}

static void
stored_cb(CwuTraceControl *control, const char *key)
{
  if (g_strcmp0(key, "recent-prompts") == 0)
    update_recent(control);
  else
    load_settings(control);
}

CwuTraceControl *
cwu_trace_control_new(CwuDocument *document, CwuEngine *engine, CwuTracedCb traced,
                      gpointer user_data)
{
  CwuTraceControl *control = g_new0(CwuTraceControl, 1);
  control->n_references = 1;
  control->document = document;
  control->traced = traced;
  control->user_data = user_data;
  control->engine = g_object_ref(engine);
  control->recent = gtk_string_list_new(NULL);
  control->bar = g_object_ref_sink(cwu_prompt_bar_new());
  cwu_prompt_bar_set_engine(control->bar, engine);
  cwu_prompt_bar_set_recent(control->bar, G_LIST_MODEL(control->recent));
  load_settings(control);
  update_recent(control);
  g_signal_connect_swapped(control->bar, "notify::text", G_CALLBACK(text_cb), control);
  g_signal_connect_swapped(control->bar, "trace-requested", G_CALLBACK(trace_cb), control);
  g_signal_connect_swapped(control->bar, "cancel-requested", G_CALLBACK(cancel_cb), control);
  g_signal_connect_swapped(control->bar, "notify::settings", G_CALLBACK(store_settings),
                           control);
  g_signal_connect_swapped(document, "changed", G_CALLBACK(changed_cb), control);
  g_signal_connect_swapped(cwu_settings_peek(), "changed", G_CALLBACK(stored_cb), control);
  return control;
}

void
cwu_trace_control_free(CwuTraceControl *control)
{
  if (control == NULL)
    return;
  g_signal_handlers_disconnect_by_data(control->bar, control);
  g_signal_handlers_disconnect_by_data(control->document, control);
  g_signal_handlers_disconnect_by_data(cwu_settings_peek(), control);
  cwu_trace_control_cancel(control);
  control->document = NULL;
  control_unref(control);
}

CwuPromptBar *
cwu_trace_control_peek_bar(CwuTraceControl *control)
{
  return control->bar;
}
