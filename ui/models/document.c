/* document.c - see document.h. A load builds a complete new content on a thread and hands it
 * over in one piece; each has its own cancel flag, so that a late one is dropped. The masks of
 * every graph of the history are kept, so that undoing a trace shows the old graph at once. */
#include "models/document.h"

#include <math.h>
#include <string.h>

#include "models/document-content.h"
#include "models/json-text.h"
#include "models/prune-runner.h"
#include "picture/node-name.h"

#define MAX_VISITED 200

struct _CwuDocument {
  GObject parent_instance;
  CwDocument *core;
  CwDocumentState *told; /* what views know */
  guint64 told_steps;    /* steps and position that views know */
  char *told_subject;    /* of the step before; it changes while somebody types */
  gboolean told_saved;
  GHashTable *shown; /* graph -> Shown, of every graph that was shown */
  CwuPruneRunner *pruner;
  GFile *file;
  char *title, *subtitle;
  char **remarks;
  CwCancel *loading; /* of the load under way */
  CwCancel *setting; /* of the traced graph that is being pruned */
  int64_t selected, hovered;
  GArray *visited; /* int64_t, selections in their order */
  guint visit;     /* the present one is visited[visit - 1]; 0: before the first */
  CwuViewpoint viewpoint;
  char view[sizeof((CwDocumentSession *)0)->view];
};

G_DEFINE_TYPE(CwuDocument, cwu_document, G_TYPE_OBJECT)

enum {
  PROP_TITLE = 1,
  PROP_SUBTITLE,
  PROP_IS_LOADING,
  PROP_IS_SAVED,
  PROP_IS_PRUNING,
  PROP_VIEW,
  N_PROPS
};
enum {
  CHANGED,
  HISTORY_CHANGED,
  GRAPH_CHANGED,
  SELECTION_CHANGED,
  HOVER_CHANGED,
  VIEWPOINT_CHANGED,
  REVEAL,
  N_SIGNALS
};
static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
notify(CwuDocument *self, guint property)
{
  g_object_notify_by_pspec(G_OBJECT(self), properties[property]);
}

/* ---- what is shown of a graph ---------------------------------------------------------- */

typedef struct {
  CwuPruneResult result;
  CwDocumentState *of; /* whose thresholds and pins left it */
} Shown;

static void
shown_free(gpointer data)
{
  Shown *shown = data;
  cwu_prune_result_clear(&shown->result);
  cw_document_state_unref(shown->of);
  g_free(shown);
}

static Shown *
find_shown(CwuDocument *self)
{
  CwGraph *graph = cw_document_state_peek_graph(self->told);
  return graph != NULL ? g_hash_table_lookup(self->shown, graph) : NULL;
}

/* Takes the masks over. */
static void
keep_shown(CwuDocument *self, CwDocumentState *of, CwuPruneResult *result)
{
  Shown *shown = g_new(Shown, 1);
  shown->result = *result;
  shown->of = cw_document_state_ref(of);
  result->pruned = NULL;
  g_hash_table_replace(self->shown, cw_graph_ref(cw_document_state_peek_graph(of)), shown);
}

static bool
is_pruned_as_wanted(CwuDocument *self)
{
  const Shown *shown = find_shown(self);
  return shown != NULL && (cw_document_state_compare(shown->of, self->told) &
                           (CW_DOCUMENT_THRESHOLDS | CW_DOCUMENT_PINS)) == 0;
}

static int64_t
check_node(CwuDocument *self, int64_t node)
{
  const Shown *shown = find_shown(self);
  if (shown == NULL || node < 0 || (size_t)node >= shown->result.pruned->n_nodes ||
      !shown->result.pruned->node_mask[node])
    return -1;
  return node;
}

/* After another graph or other masks: what is gone is let go of. */
static void
tell_graph_changed(CwuDocument *self)
{
  int64_t selected = check_node(self, self->selected);
  if (check_node(self, self->hovered) != self->hovered)
    cwu_document_set_hovered(self, -1);
  bool was_dropped = selected != self->selected;
  self->selected = selected;
  g_signal_emit(self, signals[GRAPH_CHANGED], 0);
  if (was_dropped)
    g_signal_emit(self, signals[SELECTION_CHANGED], 0);
}

static void
pruned_cb(CwDocumentState *state, CwuPruneResult *result, const GError *error,
          gpointer user_data)
{
  CwuDocument *self = user_data;
  CwGraph *graph = cw_document_state_peek_graph(state);
  if (error != NULL)
    g_warning("Pruning: %s", error->message);
  if (result != NULL && graph == cwu_document_peek_graph(self)) {
    keep_shown(self, state, result);
    tell_graph_changed(self);
  }
  notify(self, PROP_IS_PRUNING);
}

/* ---- telling of changes ---------------------------------------------------------------- */

/* "gemma-2-2b · 2.5M CLT · file.json": what is known of it. */
static char *
describe(const CwGraph *graph, GFile *file)
{
  const char *settings = cw_graph_peek_settings_json(graph);
  const char *metadata = cw_graph_peek_metadata_json(graph);
  g_autofree char *model = cwu_json_dup_string(settings, "model");
  g_autofree char *transcoder = cwu_json_dup_string(settings, "transcoder");
  g_autofree char *scan = cwu_json_dup_string(metadata, "scan");
  g_autofree char *name = file != NULL ? g_file_get_basename(file) : NULL;
  g_autofree char *shown = name != NULL ? g_filename_display_name(name) : NULL;
  GString *out = g_string_new(NULL);
  const char *parts[] = { model, transcoder, model == NULL ? scan : NULL, shown };
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    if (parts[i] != NULL && *parts[i] != 0)
      g_string_append_printf(out, "%s%s", out->len > 0 ? " · " : "", parts[i]);
  return g_string_free(out, FALSE);
}

static void
update_title(CwuDocument *self)
{
  CwGraph *graph = cw_document_state_peek_graph(self->told);
  g_autofree char *title = graph != NULL ? cwu_prompt_dup_display(graph) : g_strdup("");
  g_autofree char *subtitle = graph != NULL ? describe(graph, self->file) : g_strdup("");
  if (g_strcmp0(title, self->title) != 0) {
    g_free(self->title);
    self->title = g_steal_pointer(&title);
    notify(self, PROP_TITLE);
  }
  if (g_strcmp0(subtitle, self->subtitle) != 0) {
    g_free(self->subtitle);
    self->subtitle = g_steal_pointer(&subtitle);
    notify(self, PROP_SUBTITLE);
  }
}

static void
tell_history(CwuDocument *self)
{
  guint64 steps =
      (guint64)cw_document_get_n_steps(self->core) << 32 | cw_document_get_position(self->core);
  gboolean is_saved = cw_document_is_saved(self->core);
  const char *subject =
      cw_document_get_step(self->core, cw_document_get_position(self->core)).subject;
  bool has_moved = steps != self->told_steps || g_strcmp0(subject, self->told_subject) != 0;
  if (has_moved) {
    g_free(self->told_subject);
    self->told_subject = g_strdup(subject);
  }
  self->told_steps = steps;
  if (is_saved != self->told_saved) {
    self->told_saved = is_saved;
    notify(self, PROP_IS_SAVED);
  }
  if (has_moved)
    g_signal_emit(self, signals[HISTORY_CHANGED], 0);
}

static void
forget_visits(CwuDocument *self)
{
  g_array_set_size(self->visited, 0);
  self->visit = 0;
}

void
cwu_document_sync(CwuDocument *self)
{
  g_autoptr(CwDocumentState) before = self->told;
  CwDocumentState *now = cw_document_peek_state(self->core);
  CwDocumentParts parts = cw_document_state_compare(before, now);
  self->told = cw_document_state_ref(now);
  if (parts & CW_DOCUMENT_GRAPH) {
    self->selected = self->hovered = -1;
    forget_visits(self);
    update_title(self);
  }
  if (parts != 0)
    g_signal_emit(self, signals[CHANGED], 0, (guint)parts);
  if (parts & CW_DOCUMENT_GRAPH) {
    g_signal_emit(self, signals[SELECTION_CHANGED], 0);
    tell_graph_changed(self);
  }
  if (cw_document_state_peek_graph(now) != NULL && !is_pruned_as_wanted(self)) {
    cwu_prune_runner_want(self->pruner, now);
    notify(self, PROP_IS_PRUNING);
  }
  tell_history(self);
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

static void
load_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  LoadJob *job = data;
  GError *error = NULL;
  CwuContent *content = cwu_content_read(job->file, job->cancel, &error);
  if (content != NULL)
    g_task_return_pointer(task, content, cwu_content_free);
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
  notify(self, PROP_IS_LOADING);
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
  notify(self, PROP_IS_LOADING);
  g_task_run_in_thread(task, load_thread);
}

static void
take_content(CwuDocument *self, CwuContent *content)
{
  const CwDocumentSession *session = &content->session;
  g_hash_table_remove_all(self->shown);
  keep_shown(self, cw_document_peek_state(content->core), &content->result);
  cw_document_free(self->core);
  self->core = g_steal_pointer(&content->core);
  cwu_prune_runner_take_pruner(self->pruner, content->graph, g_steal_pointer(&content->pruner));
  g_set_object(&self->file, content->file);
  g_strfreev(self->remarks);
  self->remarks = g_steal_pointer(&content->remarks);
  cwu_document_cancel_set_graph(self);
  self->told_steps = 0;
  self->viewpoint = (CwuViewpoint){ session->zoom, session->centre_x, session->centre_y };
  cwu_document_sync(self);
  cwu_document_set_view(self, session->view);
  g_signal_emit(self, signals[VIEWPOINT_CHANGED], 0);
  cwu_document_set_selected(self, session->selected);
  cwu_content_free(content);
}

gboolean
cwu_document_load_finish(CwuDocument *self, GAsyncResult *result, GError **error)
{
  LoadJob *job = g_task_get_task_data(G_TASK(result));
  CwuContent *content = g_task_propagate_pointer(G_TASK(result), error);
  bool is_current = job->cancel == self->loading;
  if (is_current)
    cwu_document_cancel_loading(self);
  if (content == NULL)
    return FALSE;
  if (!is_current) {
    cwu_content_free(content);
    g_set_error(error, CW_ERROR, CW_ERROR_CANCELLED, "Another file was opened meanwhile");
    return FALSE;
  }
  take_content(self, content);
  return TRUE;
}

/* ---- a graph that was traced ----------------------------------------------------------- */

typedef struct {
  CwuContent *content;
  double thresholds[2];
  CwCancel *cancel;
} SetGraphJob;

static void
set_graph_job_free(gpointer data)
{
  SetGraphJob *job = data;
  cwu_content_free(job->content);
  cw_cancel_unref(job->cancel);
  g_free(job);
}

static void
set_graph_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  SetGraphJob *job = data;
  CwViewState view = { job->thresholds[0], job->thresholds[1], NULL };
  GError *error = NULL;
  if (cwu_content_prepare(job->content, &view, job->cancel, &error))
    g_task_return_boolean(task, TRUE);
  else
    g_task_return_error(task, error);
}

void
cwu_document_cancel_set_graph(CwuDocument *self)
{
  if (self->setting != NULL)
    cw_cancel_trigger(self->setting);
  g_clear_pointer(&self->setting, cw_cancel_unref);
}

void
cwu_document_set_graph_async(CwuDocument *self, CwGraph *graph, const double thresholds[2],
                             GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr(GTask) task = g_task_new(self, NULL, callback, user_data);
  SetGraphJob *job = g_new0(SetGraphJob, 1);
  job->content = g_new0(CwuContent, 1);
  job->content->graph = cw_graph_ref(graph);
  job->thresholds[0] = cw_document_state_get_node_threshold(self->told);
  job->thresholds[1] = cw_document_state_get_edge_threshold(self->told);
  if (cwu_document_peek_graph(self) == NULL)
    memcpy(job->thresholds, thresholds, sizeof job->thresholds);
  cwu_document_cancel_set_graph(self);
  self->setting = cw_cancel_new();
  job->cancel = cw_cancel_ref(self->setting);
  g_task_set_task_data(task, job, set_graph_job_free);
  g_task_run_in_thread(task, set_graph_thread);
}

gboolean
cwu_document_set_graph_finish(CwuDocument *self, GAsyncResult *result, GError **error)
{
  SetGraphJob *job = g_task_get_task_data(G_TASK(result));
  CwuContent *content = job->content;
  bool is_current = job->cancel == self->setting;
  if (is_current)
    g_clear_pointer(&self->setting, cw_cancel_unref);
  if (!g_task_propagate_boolean(G_TASK(result), error))
    return FALSE;
  if (!is_current) {
    g_set_error(error, CW_ERROR, CW_ERROR_CANCELLED, "The graph is not wanted any more");
    return FALSE;
  }
  keep_shown(self, cw_document_peek_state(content->core), &content->result);
  cwu_prune_runner_take_pruner(self->pruner, content->graph, g_steal_pointer(&content->pruner));
  bool is_first = cwu_document_peek_graph(self) == NULL;
  cw_document_set_graph(self->core, content->graph, is_first ? job->thresholds : NULL);
  self->viewpoint = CWU_VIEWPOINT_ALL;
  cwu_document_sync(self);
  g_signal_emit(self, signals[VIEWPOINT_CHANGED], 0);
  return TRUE;
}

/* ---- saving ---------------------------------------------------------------------------- */

typedef struct {
  CwDocumentState *state;
  CwDocumentSession session;
  GFile *file;
  gboolean is_copy;
} SaveJob;

static void
save_job_free(gpointer data)
{
  SaveJob *job = data;
  cw_document_state_unref(job->state);
  g_object_unref(job->file);
  g_free(job);
}

static void
save_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  SaveJob *job = data;
  GError *error = NULL;
  if (cwu_content_write(job->state, &job->session, job->file, &error))
    g_task_return_boolean(task, TRUE);
  else
    g_task_return_error(task, error);
}

static void
fill_session(CwuDocument *self, CwDocumentSession *session)
{
  cw_document_session_init(session);
  session->selected = self->selected;
  session->zoom = self->viewpoint.zoom;
  session->centre_x = self->viewpoint.centre_x;
  session->centre_y = self->viewpoint.centre_y;
  g_strlcpy(session->view, self->view, sizeof session->view);
}

void
cwu_document_save_async(CwuDocument *self, GFile *file, gboolean is_copy,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr(GTask) task = g_task_new(self, NULL, callback, user_data);
  SaveJob *job = g_new0(SaveJob, 1);
  job->state = cw_document_state_ref(cw_document_peek_state(self->core));
  fill_session(self, &job->session);
  job->file = g_object_ref(file);
  job->is_copy = is_copy;
  g_task_set_task_data(task, job, save_job_free);
  g_task_run_in_thread(task, save_thread);
}

gboolean
cwu_document_save_finish(CwuDocument *self, GAsyncResult *result, GError **error)
{
  SaveJob *job = g_task_get_task_data(G_TASK(result));
  if (!g_task_propagate_boolean(G_TASK(result), error))
    return FALSE;
  if (!job->is_copy) {
    g_set_object(&self->file, job->file);
    cw_document_mark_saved(self->core, job->state);
    update_title(self);
    tell_history(self);
  }
  return TRUE;
}

void
cwu_document_set_recovered(CwuDocument *self, GFile *file)
{
  g_set_object(&self->file, file);
  cw_document_mark_unsaved(self->core);
  update_title(self);
  tell_history(self);
}

/* ---- what views ask -------------------------------------------------------------------- */

CwDocument *
cwu_document_peek_core(CwuDocument *self)
{
  return self->core;
}

CwDocumentState *
cwu_document_peek_state(CwuDocument *self)
{
  return self->told;
}

CwGraph *
cwu_document_peek_graph(CwuDocument *self)
{
  return cw_document_state_peek_graph(self->told);
}

CwPruned *
cwu_document_peek_pruned(CwuDocument *self)
{
  const Shown *shown = find_shown(self);
  return shown != NULL ? shown->result.pruned : NULL;
}

CwScores
cwu_document_get_scores(CwuDocument *self)
{
  const Shown *shown = find_shown(self);
  return shown != NULL ? shown->result.scores : (CwScores){ NAN, NAN };
}

gboolean
cwu_document_is_pruning(CwuDocument *self)
{
  return cwu_prune_runner_is_busy(self->pruner);
}

GFile *
cwu_document_peek_file(CwuDocument *self)
{
  return self->file;
}

const char *
cwu_document_peek_title(CwuDocument *self)
{
  return self->title;
}

gboolean
cwu_document_is_saved(CwuDocument *self)
{
  return cw_document_is_saved(self->core);
}

const char *const *
cwu_document_peek_remarks(CwuDocument *self)
{
  static const char *const none[] = { NULL };
  return self->remarks != NULL ? (const char *const *)self->remarks : none;
}

char *
cwu_document_dup_node_name(CwuDocument *self, size_t node)
{
  return cwu_node_dup_shown_name(cwu_document_peek_graph(self), self->told, node);
}

void
cwu_document_toggle_pin(CwuDocument *self, int64_t node)
{
  if (check_node(self, node) < 0)
    return;
  uint32_t index = (uint32_t)node;
  cw_document_set_pinned(self->core, &index, 1,
                         !cw_document_state_is_pinned(self->told, (size_t)node));
  cwu_document_sync(self);
}

/* ---- selection and viewpoint ----------------------------------------------------------- */

int64_t
cwu_document_get_selected(CwuDocument *self)
{
  return self->selected;
}

static void
visit(CwuDocument *self, int64_t node)
{
  g_array_set_size(self->visited, self->visit);
  if (self->visited->len == MAX_VISITED)
    g_array_remove_index(self->visited, 0);
  g_array_append_val(self->visited, node);
  self->visit = self->visited->len;
}

static void
select_node(CwuDocument *self, int64_t node)
{
  self->selected = node;
  g_signal_emit(self, signals[SELECTION_CHANGED], 0);
}

void
cwu_document_set_selected(CwuDocument *self, int64_t node)
{
  node = check_node(self, node);
  if (node == self->selected)
    return;
  bool is_there =
      self->visit > 0 && g_array_index(self->visited, int64_t, self->visit - 1) == node;
  if (node >= 0 && !is_there)
    visit(self, node);
  select_node(self, node);
}

/* The next visit in a direction that is still shown and is not the present selection; 0: none.
 */
static guint
find_visit(CwuDocument *self, int step)
{
  for (gint64 i = (gint64)self->visit + step; i >= 1 && i <= (gint64)self->visited->len;
       i += step) {
    int64_t node = g_array_index(self->visited, int64_t, i - 1);
    if (node != self->selected && check_node(self, node) == node)
      return (guint)i;
  }
  return 0;
}

gboolean
cwu_document_can_go(CwuDocument *self, int step)
{
  return find_visit(self, step) > 0;
}

void
cwu_document_go(CwuDocument *self, int step)
{
  guint i = find_visit(self, step);
  if (i == 0)
    return;
  self->visit = i;
  int64_t node = g_array_index(self->visited, int64_t, i - 1);
  select_node(self, node);
  g_signal_emit(self, signals[REVEAL], 0, (gint64)node);
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

void
cwu_document_show_node(CwuDocument *self, int64_t node)
{
  cwu_document_set_selected(self, node);
  if (self->selected >= 0)
    g_signal_emit(self, signals[REVEAL], 0, (gint64)self->selected);
}

/* Of the edges of one node the strongest; its other end, -1 if none is shown. */
static int64_t
strongest(CwuDocument *self, CwuAlong along)
{
  CwGraph *graph = cwu_document_peek_graph(self);
  const CwPruned *pruned = cwu_document_peek_pruned(self);
  const float *weight = cw_graph_peek_weight(graph);
  const int64_t *start = cw_graph_peek_row_start(graph);
  const uint32_t *other = cw_graph_peek_source(graph), *edge = NULL;
  float best = 0;
  int64_t node = -1;
  if (along == CWU_GO_TO_TARGET)
    cw_graph_peek_outgoing(graph, &start, &edge, &other);
  for (int64_t i = start[self->selected]; i < start[self->selected + 1]; i++) {
    int64_t e = edge != NULL ? (int64_t)edge[i] : i;
    if (!pruned->edge_mask[e] || !pruned->node_mask[other[i]] || fabsf(weight[e]) <= best)
      continue;
    best = fabsf(weight[e]);
    node = other[i];
  }
  return node;
}

void
cwu_document_go_along(CwuDocument *self, CwuAlong along)
{
  int64_t node = self->selected >= 0 ? strongest(self, along) : -1;
  if (node >= 0)
    cwu_document_show_node(self, node);
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

const char *
cwu_document_peek_view(CwuDocument *self)
{
  return self->view;
}

void
cwu_document_set_view(CwuDocument *self, const char *view)
{
  bool is_known =
      strcmp(view, "layers") == 0 || strcmp(view, "force") == 0 || strcmp(view, "table") == 0;
  if (!is_known || strcmp(view, self->view) == 0)
    return;
  g_strlcpy(self->view, view, sizeof self->view);
  notify(self, PROP_VIEW);
}

/* ---- the object ------------------------------------------------------------------------ */

static void
cwu_document_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  CwuDocument *self = CWU_DOCUMENT(object);
  switch (id) {
  case PROP_TITLE:
    g_value_set_string(value, self->title);
    break;
  case PROP_SUBTITLE:
    g_value_set_string(value, self->subtitle);
    break;
  case PROP_IS_LOADING:
    g_value_set_boolean(value, self->loading != NULL);
    break;
  case PROP_IS_SAVED:
    g_value_set_boolean(value, cwu_document_is_saved(self));
    break;
  case PROP_IS_PRUNING:
    g_value_set_boolean(value, cwu_document_is_pruning(self));
    break;
  case PROP_VIEW:
    g_value_set_string(value, self->view);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
  }
}

static void
cwu_document_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_VIEW)
    cwu_document_set_view(CWU_DOCUMENT(object), g_value_get_string(value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
cwu_document_finalize(GObject *object)
{
  CwuDocument *self = CWU_DOCUMENT(object);
  if (self->loading != NULL)
    cw_cancel_trigger(self->loading);
  g_clear_pointer(&self->loading, cw_cancel_unref);
  cwu_document_cancel_set_graph(self);
  cwu_prune_runner_free(self->pruner);
  g_hash_table_unref(self->shown);
  cw_document_state_unref(self->told);
  cw_document_free(self->core);
  g_clear_object(&self->file);
  g_free(self->told_subject);
  g_free(self->title);
  g_free(self->subtitle);
  g_strfreev(self->remarks);
  g_array_unref(self->visited);
  G_OBJECT_CLASS(cwu_document_parent_class)->finalize(object);
}

static void
add_properties(GObjectClass *object_class)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  properties[PROP_TITLE] = g_param_spec_string("title", NULL, NULL, "", flags);
  properties[PROP_SUBTITLE] = g_param_spec_string("subtitle", NULL, NULL, "", flags);
  properties[PROP_IS_LOADING] = g_param_spec_boolean("is-loading", NULL, NULL, FALSE, flags);
  properties[PROP_IS_SAVED] = g_param_spec_boolean("is-saved", NULL, NULL, TRUE, flags);
  properties[PROP_IS_PRUNING] = g_param_spec_boolean("is-pruning", NULL, NULL, FALSE, flags);
  properties[PROP_VIEW] = g_param_spec_string(
      "view", NULL, NULL, "layers", flags | G_PARAM_WRITABLE | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties(object_class, N_PROPS, properties);
}

static void
cwu_document_class_init(CwuDocumentClass *class)
{
  static const char *const names[N_SIGNALS] = { "changed",       "history-changed",
                                                "graph-changed", "selection-changed",
                                                "hover-changed", "viewpoint-changed",
                                                "reveal" };
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  object_class->get_property = cwu_document_get_property;
  object_class->set_property = cwu_document_set_property;
  object_class->finalize = cwu_document_finalize;
  add_properties(object_class);
  for (int i = 0; i < N_SIGNALS; i++) {
    GType argument = i == CHANGED ? G_TYPE_UINT : G_TYPE_INT64;
    guint n = i == CHANGED || i == REVEAL ? 1 : 0;
    signals[i] = g_signal_new(names[i], CWU_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                              NULL, G_TYPE_NONE, n, argument);
  }
}

static void
cwu_document_init(CwuDocument *self)
{
  self->core = cw_document_new("");
  self->told = cw_document_state_ref(cw_document_peek_state(self->core));
  self->told_saved = TRUE;
  self->shown = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)cw_graph_unref, shown_free);
  self->pruner = cwu_prune_runner_new(pruned_cb, self);
  self->title = g_strdup("");
  self->subtitle = g_strdup("");
  self->selected = self->hovered = -1;
  self->visited = g_array_new(FALSE, FALSE, sizeof(int64_t));
  self->viewpoint = CWU_VIEWPOINT_ALL;
  g_strlcpy(self->view, "layers", sizeof self->view);
  tell_history(self);
}

CwuDocument *
cwu_document_new(void)
{
  return g_object_new(CWU_TYPE_DOCUMENT, NULL);
}
