/* document.c - see document.h. A load builds a complete new state on a thread and hands it over
 * in one piece; each has its own cancel flag, so that a late one is dropped. */
#include "models/document.h"

#include <math.h>

#include "models/json-text.h"
#include "picture/node-name.h"

#define DEFAULT_NODE_THRESHOLD 0.8
#define DEFAULT_EDGE_THRESHOLD 0.98

/* All that one file gives. */
typedef struct {
  GFile *file;
  CwGraph *graph;
  CwPruned *pruned;
  char *title, *subtitle;
  char **remarks;
  CwuDocumentFacts facts;
} Content;

struct _CwuDocument {
  GObject parent_instance;
  Content *content;  /* NULL before the first file */
  CwCancel *loading; /* of the load under way */
  int64_t selected, hovered;
  CwuViewpoint viewpoint;
};

G_DEFINE_TYPE(CwuDocument, cwu_document, G_TYPE_OBJECT)

enum { PROP_TITLE = 1, PROP_SUBTITLE, PROP_IS_LOADING, N_PROPS };
enum { GRAPH_CHANGED, SELECTION_CHANGED, HOVER_CHANGED, VIEWPOINT_CHANGED, N_SIGNALS };
static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
content_free(gpointer data)
{
  Content *content = data;
  if (content == NULL)
    return;
  g_clear_object(&content->file);
  cw_pruned_free(content->pruned);
  cw_graph_unref(content->graph);
  g_free(content->title);
  g_free(content->subtitle);
  g_strfreev(content->remarks);
  g_free(content);
}

/* ---- reading, on a thread -------------------------------------------------------------- */

typedef struct {
  GFile *file;
  CwCancel *cancel;
} LoadJob;

static void
load_job_free(gpointer data)
{
  LoadJob *job = data;
  g_object_unref(job->file);
  cw_cancel_unref(job->cancel);
  g_free(job);
}

/* "gemma-2-2b · 2.5M CLT · file.json": what is known of it. */
static char *
describe(const Content *content)
{
  const char *settings = cw_graph_peek_settings_json(content->graph);
  const char *metadata = cw_graph_peek_metadata_json(content->graph);
  g_autofree char *model = cwu_json_dup_string(settings, "model");
  g_autofree char *transcoder = cwu_json_dup_string(settings, "transcoder");
  g_autofree char *scan = cwu_json_dup_string(metadata, "scan");
  g_autofree char *name = g_file_get_basename(content->file);
  g_autofree char *shown = g_filename_display_name(name);
  GString *out = g_string_new(NULL);
  const char *parts[] = { model, transcoder, model == NULL ? scan : NULL, shown };
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    if (parts[i] != NULL && *parts[i] != 0)
      g_string_append_printf(out, "%s%s", out->len > 0 ? " · " : "", parts[i]);
  return g_string_free(out, FALSE);
}

/* A pruned file is shown as it is; of a document of our own that holds every node, what its
 * thresholds leave. */
static bool
prune(Content *content, const CwViewState *state, GError **error)
{
  g_autofree char *name = g_file_get_basename(content->file);
  bool is_whole = g_str_has_suffix(name, ".clew");
  CwPruneOptions options = { 1, 1, NULL };
  content->facts.is_whole = is_whole;
  content->facts.node_threshold = state->node_threshold;
  content->facts.edge_threshold = state->edge_threshold;
  if (is_whole) {
    if (isnan(state->node_threshold))
      content->facts.node_threshold = DEFAULT_NODE_THRESHOLD;
    if (isnan(state->edge_threshold))
      content->facts.edge_threshold = DEFAULT_EDGE_THRESHOLD;
    options.node_threshold = content->facts.node_threshold;
    options.edge_threshold = content->facts.edge_threshold;
  }
  g_autoptr(CwPruner) pruner = cw_pruner_new(content->graph, error);
  content->pruned = pruner != NULL ? cw_pruner_run(pruner, &options, error) : NULL;
  if (content->pruned == NULL)
    return false;
  CwPruned *pruned = content->pruned;
  if (!is_whole) {
    memset(pruned->node_mask, 1, pruned->n_nodes);
    memset(pruned->edge_mask, 1, pruned->n_edges);
    pruned->n_kept_nodes = pruned->n_nodes;
    pruned->n_kept_edges = pruned->n_edges;
  }
  CwScores scores;
  cw_scores_compute(content->graph, pruned, &scores);
  content->facts.replacement = scores.replacement;
  content->facts.completeness = scores.completeness;
  return true;
}

static char **
dup_remarks(const CwLoadReport *report)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  for (guint i = 0; report->messages != NULL && i < report->messages->len; i++)
    g_strv_builder_add(builder, g_ptr_array_index(report->messages, i));
  return g_strv_builder_end(builder);
}

static Content *
read_content(GFile *file, CwCancel *cancel, GError **error)
{
  g_autofree char *path = g_file_get_path(file);
  g_autofree char *uri = g_file_get_uri(file);
  if (path == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s is not a local file: copy it to this machine first", uri);
    return NULL;
  }
  CwLoadReport report = { 0 };
  CwViewState state = { NAN, NAN, NULL };
  Content *content = g_new0(Content, 1);
  content->file = g_object_ref(file);
  content->graph = cw_graph_load(path, &report, &state, cancel, error);
  if (content->graph == NULL || !prune(content, &state, error)) {
    g_clear_pointer(&content, content_free);
  } else {
    content->title = cwu_prompt_dup_display(content->graph);
    content->subtitle = describe(content);
    content->remarks = dup_remarks(&report);
  }
  cw_load_report_clear(&report);
  cw_view_state_clear(&state);
  return content;
}

static void
load_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  LoadJob *job = data;
  GError *error = NULL;
  Content *content = read_content(job->file, job->cancel, &error);
  if (content != NULL)
    g_task_return_pointer(task, content, content_free);
  else
    g_task_return_error(task, error);
}

void
cwu_document_cancel_loading(CwuDocument *self)
{
  if (self->loading == NULL)
    return;
  cw_cancel_trigger(self->loading);
  g_clear_pointer(&self->loading, cw_cancel_unref);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_IS_LOADING]);
}

void
cwu_document_load_async(CwuDocument *self, GFile *file, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr(GTask) task = g_task_new(self, NULL, callback, user_data);
  LoadJob *job = g_new0(LoadJob, 1);
  cwu_document_cancel_loading(self);
  self->loading = cw_cancel_new();
  job->file = g_object_ref(file);
  job->cancel = cw_cancel_ref(self->loading);
  g_task_set_task_data(task, job, load_job_free);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_IS_LOADING]);
  g_task_run_in_thread(task, load_thread);
}

static void
take_content(CwuDocument *self, Content *content)
{
  content_free(self->content);
  self->content = content;
  self->selected = self->hovered = -1;
  self->viewpoint = CWU_VIEWPOINT_ALL;
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_TITLE]);
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_SUBTITLE]);
  g_signal_emit(self, signals[GRAPH_CHANGED], 0);
  g_signal_emit(self, signals[SELECTION_CHANGED], 0);
  g_signal_emit(self, signals[VIEWPOINT_CHANGED], 0);
}

gboolean
cwu_document_load_finish(CwuDocument *self, GAsyncResult *result, GError **error)
{
  LoadJob *job = g_task_get_task_data(G_TASK(result));
  Content *content = g_task_propagate_pointer(G_TASK(result), error);
  bool is_current = job->cancel == self->loading;
  if (is_current)
    cwu_document_cancel_loading(self);
  if (content == NULL)
    return FALSE;
  if (!is_current) {
    content_free(content);
    g_set_error(error, CW_ERROR, CW_ERROR_CANCELLED, "Another file was opened meanwhile");
    return FALSE;
  }
  take_content(self, content);
  return TRUE;
}

/* ---- what views ask -------------------------------------------------------------------- */

CwGraph *
cwu_document_peek_graph(CwuDocument *self)
{
  return self->content != NULL ? self->content->graph : NULL;
}

CwPruned *
cwu_document_peek_pruned(CwuDocument *self)
{
  return self->content != NULL ? self->content->pruned : NULL;
}

GFile *
cwu_document_peek_file(CwuDocument *self)
{
  return self->content != NULL ? self->content->file : NULL;
}

const char *
cwu_document_peek_title(CwuDocument *self)
{
  return self->content != NULL ? self->content->title : "";
}

const char *const *
cwu_document_peek_remarks(CwuDocument *self)
{
  static const char *const none[] = { NULL };
  return self->content != NULL ? (const char *const *)self->content->remarks : none;
}

const CwuDocumentFacts *
cwu_document_peek_facts(CwuDocument *self)
{
  static const CwuDocumentFacts none = { NAN, NAN, NAN, NAN, false };
  return self->content != NULL ? &self->content->facts : &none;
}

/* ---- selection and viewpoint ----------------------------------------------------------- */

static int64_t
check_node(CwuDocument *self, int64_t node)
{
  if (self->content == NULL || node < 0 ||
      (size_t)node >= cw_graph_get_n_nodes(self->content->graph) ||
      !self->content->pruned->node_mask[node])
    return -1;
  return node;
}

int64_t
cwu_document_get_selected(CwuDocument *self)
{
  return self->selected;
}

void
cwu_document_set_selected(CwuDocument *self, int64_t node)
{
  node = check_node(self, node);
  if (node == self->selected)
    return;
  self->selected = node;
  g_signal_emit(self, signals[SELECTION_CHANGED], 0);
}

int64_t
cwu_document_get_hovered(CwuDocument *self)
{
  return self->hovered;
}

void
cwu_document_set_hovered(CwuDocument *self, int64_t node)
{
  node = check_node(self, node);
  if (node == self->hovered)
    return;
  self->hovered = node;
  g_signal_emit(self, signals[HOVER_CHANGED], 0);
}

CwuViewpoint
cwu_document_get_viewpoint(CwuDocument *self)
{
  return self->viewpoint;
}

void
cwu_document_set_viewpoint(CwuDocument *self, const CwuViewpoint *viewpoint)
{
  if (cwu_viewpoint_equal(&self->viewpoint, viewpoint))
    return;
  self->viewpoint = *viewpoint;
  g_signal_emit(self, signals[VIEWPOINT_CHANGED], 0);
}

/* ---- the object ------------------------------------------------------------------------ */

static void
cwu_document_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CwuDocument *self = CWU_DOCUMENT(object);
  switch (id) {
  case PROP_TITLE:
    g_value_set_string(value, cwu_document_peek_title(self));
    break;
  case PROP_SUBTITLE:
    g_value_set_string(value, self->content != NULL ? self->content->subtitle : "");
    break;
  case PROP_IS_LOADING:
    g_value_set_boolean(value, self->loading != NULL);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
}

static void
cwu_document_dispose(GObject *object)
{
  CwuDocument *self = CWU_DOCUMENT(object);
  if (self->loading != NULL)
    cw_cancel_trigger(self->loading);
  g_clear_pointer(&self->loading, cw_cancel_unref);
  g_clear_pointer(&self->content, content_free);
  G_OBJECT_CLASS(cwu_document_parent_class)->dispose(object);
}

static void
cwu_document_class_init(CwuDocumentClass *class)
{
  static const char *const names[N_SIGNALS] = { "graph-changed", "selection-changed",
                                                "hover-changed", "viewpoint-changed" };
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->get_property = cwu_document_get_property;
  object_class->dispose = cwu_document_dispose;
  properties[PROP_TITLE] = g_param_spec_string("title", NULL, NULL, "", flags);
  properties[PROP_SUBTITLE] = g_param_spec_string("subtitle", NULL, NULL, "", flags);
  properties[PROP_IS_LOADING] = g_param_spec_boolean("is-loading", NULL, NULL, FALSE, flags);
  g_object_class_install_properties(object_class, N_PROPS, properties);
  for (int i = 0; i < N_SIGNALS; i++)
    signals[i] = g_signal_new(names[i], CWU_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                              NULL, G_TYPE_NONE, 0);
}

static void
cwu_document_init(CwuDocument *self)
{
  self->selected = self->hovered = -1;
  self->viewpoint = CWU_VIEWPOINT_ALL;
}

CwuDocument *
cwu_document_new(void)
{
  return g_object_new(CWU_TYPE_DOCUMENT, NULL);
}
