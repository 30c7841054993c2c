/* runs-watch.c - see runs-watch.h.
 *
 * One thread owns the CwRuns. It sleeps on the queue of orders, for half a second at a time
 * while somebody looks, else until an order comes. After each order and each look it leaves
 * what is new in `news` and wakes the main thread, which takes all of it at once: a main thread
 * that is late sees the newest state, and never a queue of old ones. */
#include "runs/runs-watch.h"

#include <string.h>

#define LOOK_EVERY_US (G_USEC_PER_SEC / 2)

/* An order of ours, besides those of CwuRunsOrder. */
enum { ORDER_START = CWU_RUNS_ADD + 1, ORDER_LOOK, ORDER_END };

typedef struct {
  int order;
  CwRunKind kind;
  char *text; /* folder, or name of a new run */
  GStrv arguments;
  GTask *task; /* NULL: nobody waits for the answer */
  GError *error;
  char *folder; /* the answer: of the new run */
  bool is_done;
} Order;

typedef struct {
  GPtrArray *list;     /* CwRunFacts *; NULL: as before */
  GHashTable *details; /* folder to CwuRunDetails, of those that are new */
  GPtrArray *answers;  /* Order * */
} News;

struct _CwuRunsWatch {
  GObject parent_instance;
  char *root, *program;
  GPtrArray *list;
  GHashTable *details; /* folder to CwuRunDetails */
  GHashTable *wanted;  /* folder to its count */
  guint n_holds;
  GThread *thread; /* NULL: was not needed yet */
  GAsyncQueue *orders;
  GMutex mutex; /* of what is below */
  News news;
  guint wake;               /* idle on the main thread; 0: none */
  GHashTable *wanted_there; /* folder to itself: the thread's list of those wanted */
  bool is_held;
};

G_DEFINE_TYPE(CwuRunsWatch, cwu_runs_watch, G_TYPE_OBJECT)

enum { LIST_CHANGED, DETAILS_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
order_free(gpointer data)
{
  Order *order = data;
  g_clear_object(&order->task);
  g_clear_error(&order->error);
  g_strfreev(order->arguments);
  g_free(order->text);
  g_free(order->folder);
  g_free(order);
}

static GHashTable *
details_table_new(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                               (GDestroyNotify)cwu_run_details_unref);
}

static void
news_clear(News *news)
{
  g_clear_pointer(&news->list, g_ptr_array_unref);
  g_clear_pointer(&news->details, g_hash_table_unref);
  g_clear_pointer(&news->answers, g_ptr_array_unref);
}

/* ---- on the main thread ----------------------------------------------------------------- */

static void
answer(Order *order)
{
  if (order->task == NULL)
    return;
  if (!order->is_done)
    g_task_return_error(order->task, g_steal_pointer(&order->error));
  else if (order->order == ORDER_START)
    g_task_return_pointer(order->task, g_steal_pointer(&order->folder), g_free);
  else
    g_task_return_boolean(order->task, TRUE);
}

static void
take_details(CwuRunsWatch *self, GHashTable *details)
{
  GHashTableIter iter;
  gpointer folder, value;
  g_hash_table_iter_init(&iter, details);
  while (g_hash_table_iter_next(&iter, &folder, &value))
    if (g_hash_table_contains(self->wanted, folder))
      g_hash_table_replace(self->details, g_strdup(folder), cwu_run_details_ref(value));
  g_hash_table_iter_init(&iter, details);
  while (g_hash_table_iter_next(&iter, &folder, NULL))
    g_signal_emit(self, signals[DETAILS_CHANGED], 0, folder);
}

static gboolean
wake_cb(gpointer user_data)
{
  g_autoptr(CwuRunsWatch) self = g_object_ref(user_data);
  g_mutex_lock(&self->mutex);
  News news = self->news;
  self->news = (News){ 0 };
  self->wake = 0;
  g_mutex_unlock(&self->mutex);
  if (news.list != NULL) {
    g_clear_pointer(&self->list, g_ptr_array_unref);
    self->list = g_ptr_array_ref(news.list);
    g_signal_emit(self, signals[LIST_CHANGED], 0);
  }
  if (news.details != NULL)
    take_details(self, news.details);
  for (guint i = 0; news.answers != NULL && i < news.answers->len; i++)
    answer(news.answers->pdata[i]);
  news_clear(&news);
  return G_SOURCE_REMOVE;
}

/* ---- on the thread of the runs ---------------------------------------------------------- */

typedef struct {
  CwuRunsWatch *watch;
  CwRuns *runs;
  GHashTable *changed; /* folders with new curves or lines */
  bool has_more, is_list_told;
} Reader;

static void
changed_cb(CwRun *run, unsigned changes, gpointer user_data)
{
  Reader *reader = user_data;
  if (changes & (CW_RUN_CURVES_CHANGED | CW_RUN_LOG_CHANGED))
    g_hash_table_add(reader->changed, g_strdup(cw_run_peek_facts(run)->folder));
}

static GPtrArray *
copy_list(CwRuns *runs)
{
  GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)cwu_run_facts_free);
  for (size_t i = 0; i < cw_runs_get_n(runs); i++)
    g_ptr_array_add(list, cwu_run_facts_copy(cw_run_peek_facts(cw_runs_peek(runs, i))));
  return list;
}

/* Folders that somebody wants, less those that were told and have nothing new. */
static GStrv
list_wanted(Reader *reader)
{
  g_autoptr(GStrvBuilder) folders = g_strv_builder_new();
  GHashTableIter iter;
  gpointer folder, is_told;
  g_mutex_lock(&reader->watch->mutex);
  g_hash_table_iter_init(&iter, reader->watch->wanted_there);
  while (g_hash_table_iter_next(&iter, &folder, &is_told))
    if (!GPOINTER_TO_INT(is_told) || g_hash_table_contains(reader->changed, folder))
      g_strv_builder_add(folders, folder);
  g_mutex_unlock(&reader->watch->mutex);
  g_hash_table_remove_all(reader->changed);
  return g_strv_builder_end(folders);
}

/* Somebody may have stopped to want it meanwhile. */
static void
mark_told(CwuRunsWatch *self, const char *folder)
{
  g_mutex_lock(&self->mutex);
  if (g_hash_table_contains(self->wanted_there, folder))
    g_hash_table_replace(self->wanted_there, g_strdup(folder), GINT_TO_POINTER(TRUE));
  g_mutex_unlock(&self->mutex);
}

static GHashTable *
copy_details(Reader *reader)
{
  g_auto(GStrv) folders = list_wanted(reader);
  GHashTable *details = details_table_new();
  for (char **folder = folders; *folder != NULL; folder++) {
    CwRun *run = cw_runs_find(reader->runs, *folder);
    if (run == NULL)
      continue; /* It may be listed later. */
    g_hash_table_insert(details, g_strdup(*folder), cwu_run_details_new(run));
    mark_told(reader->watch, *folder);
  }
  return details;
}

static void
merge_details(News *news, GHashTable *details)
{
  GHashTableIter iter;
  gpointer folder, value;
  if (news->details == NULL)
    news->details = details_table_new();
  g_hash_table_iter_init(&iter, details);
  while (g_hash_table_iter_next(&iter, &folder, &value))
    g_hash_table_replace(news->details, g_strdup(folder), cwu_run_details_ref(value));
}

/* Leaves news; order (transfer full) is the one that was carried out, or NULL. */
static void
tell(Reader *reader, GPtrArray *list, GHashTable *details, Order *order)
{
  CwuRunsWatch *self = reader->watch;
  g_mutex_lock(&self->mutex);
  if (list != NULL) {
    g_clear_pointer(&self->news.list, g_ptr_array_unref);
    self->news.list = list;
  }
  merge_details(&self->news, details);
  if (order != NULL && self->news.answers == NULL)
    self->news.answers = g_ptr_array_new_with_free_func(order_free);
  if (order != NULL)
    g_ptr_array_add(self->news.answers, order);
  bool has_news = list != NULL || order != NULL || g_hash_table_size(details) > 0;
  if (has_news && self->wake == 0)
    self->wake = g_idle_add_full(G_PRIORITY_DEFAULT, wake_cb, self, NULL);
  g_mutex_unlock(&self->mutex);
}

static void
look(Reader *reader, Order *order)
{
  unsigned changes = cw_runs_refresh(reader->runs, changed_cb, reader);
  bool is_new = !reader->is_list_told || order != NULL ||
                (changes & (CW_RUN_FACTS_CHANGED | CW_RUN_LIST_CHANGED));
  reader->has_more = (changes & CW_RUN_HAS_MORE) != 0;
  reader->is_list_told = true;
  g_autoptr(GHashTable) details = copy_details(reader);
  tell(reader, is_new ? copy_list(reader->runs) : NULL, details, order);
}

static bool
carry_out_on(CwRuns *runs, Order *order, GError **error)
{
  CwRun *run = cw_runs_find(runs, order->text);
  if (run == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND, "%s: is no run any more", order->text);
    return false;
  }
  switch ((CwuRunsOrder)order->order) {
  case CWU_RUNS_PAUSE:
    return cw_runs_pause(runs, run, error);
  case CWU_RUNS_STOP:
    return cw_runs_stop(runs, run, error);
  case CWU_RUNS_KILL:
    return cw_runs_kill(runs, run, error);
  case CWU_RUNS_RESUME:
    return cw_runs_resume(runs, run, error);
  case CWU_RUNS_DELETE:
    return cw_runs_delete(runs, run, true, error);
  case CWU_RUNS_DELETE_FOR_GOOD:
    return cw_runs_delete(runs, run, false, error);
  case CWU_RUNS_ADD:
    break;
  }
  g_return_val_if_reached(false);
}

static void
carry_out(CwRuns *runs, Order *order)
{
  if (order->order == ORDER_START) {
    const CwRunRequest request = { order->kind, order->text,
                                   (const char *const *)order->arguments };
    CwRun *run = cw_runs_start(runs, &request, &order->error);
    order->folder = run != NULL ? g_strdup(cw_run_peek_facts(run)->folder) : NULL;
    order->is_done = run != NULL;
  } else if (order->order == CWU_RUNS_ADD) {
    order->is_done = cw_runs_add(runs, order->text, &order->error);
  } else if (order->order != ORDER_LOOK) {
    order->is_done = carry_out_on(runs, order, &order->error);
  }
}

static Order *
next_order(Reader *reader)
{
  CwuRunsWatch *self = reader->watch;
  g_mutex_lock(&self->mutex);
  bool is_held = self->is_held;
  g_mutex_unlock(&self->mutex);
  if (reader->has_more)
    return g_async_queue_try_pop(self->orders);
  return is_held ? g_async_queue_timeout_pop(self->orders, LOOK_EVERY_US)
                 : g_async_queue_pop(self->orders);
}

static gpointer
read_runs(gpointer user_data)
{
  CwuRunsWatch *self = user_data;
  Reader reader = { .watch = self };
  reader.changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  reader.runs = cw_runs_new(self->root, self->program);
  for (;;) {
    Order *order = next_order(&reader);
    if (order != NULL && order->order == ORDER_END) {
      order_free(order);
      break;
    }
    if (order != NULL)
      carry_out(reader.runs, order);
    look(&reader, order);
  }
  cw_runs_free(reader.runs);
  g_hash_table_unref(reader.changed);
  return NULL;
}

/* ---- orders ----------------------------------------------------------------------------- */

static void
push(CwuRunsWatch *self, Order order)
{
  if (self->thread == NULL)
    self->thread = g_thread_new("runs", read_runs, self);
  g_async_queue_push(self->orders, g_memdup2(&order, sizeof order));
}

void
cwu_runs_watch_order_async(CwuRunsWatch *self, CwuRunsOrder order, const char *folder,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new(self, NULL, callback, user_data);
  g_task_set_source_tag(task, cwu_runs_watch_order_async);
  push(self, (Order){ .order = (int)order, .text = g_strdup(folder), .task = task });
}

gboolean
cwu_runs_watch_order_finish(GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean(G_TASK(result), error);
}

void
cwu_runs_watch_start_async(CwuRunsWatch *self, CwRunKind kind, const char *name,
                           const char *const *arguments, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task = g_task_new(self, NULL, callback, user_data);
  g_task_set_source_tag(task, cwu_runs_watch_start_async);
  push(self, (Order){ .order = ORDER_START,
                      .kind = kind,
                      .text = g_strdup(name),
                      .arguments = g_strdupv((char **)arguments),
                      .task = task });
}

char *
cwu_runs_watch_start_finish(GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer(G_TASK(result), error);
}

/* ---- what is looked at ------------------------------------------------------------------ */

static void
set_held(CwuRunsWatch *self, bool is_held)
{
  g_mutex_lock(&self->mutex);
  self->is_held = is_held;
  g_mutex_unlock(&self->mutex);
  push(self, (Order){ .order = ORDER_LOOK });
}

void
cwu_runs_watch_hold(CwuRunsWatch *self)
{
  if (self->n_holds++ == 0)
    set_held(self, true);
}

void
cwu_runs_watch_release(CwuRunsWatch *self)
{
  g_return_if_fail(self->n_holds > 0);
  if (--self->n_holds == 0)
    set_held(self, false);
}

void
cwu_runs_watch_want(CwuRunsWatch *self, const char *folder)
{
  guint n = GPOINTER_TO_UINT(g_hash_table_lookup(self->wanted, folder));
  g_hash_table_replace(self->wanted, g_strdup(folder), GUINT_TO_POINTER(n + 1));
  if (n > 0)
    return;
  g_mutex_lock(&self->mutex);
  g_hash_table_replace(self->wanted_there, g_strdup(folder), GINT_TO_POINTER(FALSE));
  g_mutex_unlock(&self->mutex);
  push(self, (Order){ .order = ORDER_LOOK });
}

void
cwu_runs_watch_unwant(CwuRunsWatch *self, const char *folder)
{
  guint n = GPOINTER_TO_UINT(g_hash_table_lookup(self->wanted, folder));
  g_return_if_fail(n > 0);
  if (n > 1) {
    g_hash_table_replace(self->wanted, g_strdup(folder), GUINT_TO_POINTER(n - 1));
    return;
  }
  g_mutex_lock(&self->mutex);
  g_hash_table_remove(self->wanted_there, folder);
  g_mutex_unlock(&self->mutex);
  g_hash_table_remove(self->details, folder);
  g_hash_table_remove(self->wanted, folder);
}

GPtrArray *
cwu_runs_watch_peek_list(CwuRunsWatch *self)
{
  return self->list;
}

const CwRunFacts *
cwu_runs_watch_find(CwuRunsWatch *self, const char *folder)
{
  for (guint i = 0; self->list != NULL && folder != NULL && i < self->list->len; i++) {
    const CwRunFacts *facts = self->list->pdata[i];
    if (strcmp(facts->folder, folder) == 0)
      return facts;
  }
  return NULL;
}

const CwuRunDetails *
cwu_runs_watch_peek_details(CwuRunsWatch *self, const char *folder)
{
  return g_hash_table_lookup(self->details, folder);
}

const char *
cwu_runs_watch_peek_root(CwuRunsWatch *self)
{
  return self->root;
}

/* ---- the object ------------------------------------------------------------------------- */

/* Whoever waits for an answer keeps the watch: none is waited for any more. */
static void
cwu_runs_watch_finalize(GObject *object)
{
  CwuRunsWatch *self = CWU_RUNS_WATCH(object);
  if (self->thread != NULL) {
    push(self, (Order){ .order = ORDER_END });
    g_thread_join(self->thread);
  }
  g_clear_handle_id(&self->wake, g_source_remove);
  news_clear(&self->news);
  g_clear_pointer(&self->list, g_ptr_array_unref);
  g_hash_table_unref(self->details);
  g_hash_table_unref(self->wanted);
  g_hash_table_unref(self->wanted_there);
  g_async_queue_unref(self->orders);
  g_mutex_clear(&self->mutex);
  g_free(self->root);
  g_free(self->program);
  G_OBJECT_CLASS(cwu_runs_watch_parent_class)->finalize(object);
}

static void
cwu_runs_watch_class_init(CwuRunsWatchClass *class)
{
  G_OBJECT_CLASS(class)->finalize = cwu_runs_watch_finalize;
  signals[LIST_CHANGED] = g_signal_new("list-changed", CWU_TYPE_RUNS_WATCH, G_SIGNAL_RUN_LAST,
                                       0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[DETAILS_CHANGED] =
      g_signal_new("details-changed", CWU_TYPE_RUNS_WATCH, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                   NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
cwu_runs_watch_init(CwuRunsWatch *self)
{
  self->orders = g_async_queue_new_full(order_free);
  self->details = details_table_new();
  self->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  self->wanted_there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init(&self->mutex);
}

CwuRunsWatch *
cwu_runs_watch_new(const char *root, const char *program)
{
  CwuRunsWatch *self = g_object_new(CWU_TYPE_RUNS_WATCH, NULL);
  self->root = root != NULL ? g_canonicalize_filename(root, NULL)
                            : g_build_filename(g_get_user_data_dir(), "clew", "runs", NULL);
  self->program = g_strdup(program);
  return self;
}
