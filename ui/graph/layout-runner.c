/* layout-runner.c - see layout-runner.h.
 *
 * The owner puts commands into a queue; the thread takes them all, carries them out, steps for
 * the rest of a frame and publishes a snapshot. Only the newest snapshot waits for the main
 * loop, however late that comes. Owner and thread hold the runner by a count, so that freeing
 * never waits for a step. Locks are pthread's, since ThreadSanitizer does not see GLib's. */
#include "graph/layout-runner.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define FRAME_US        16667
#define STEPS_PER_FRAME 16 /* a small graph settles in half a second, for the eye to follow */
#define DRAG_WARMTH     0.1
#define GRAVITY_WARMTH  0.2

/* LOST: a selection that there was no memory to copy. */
typedef enum { START, UPDATE, LOST, DRAG, RELEASE, REHEAT, GRAVITY } CommandKind;

/* A selection with arrays of its own. */
typedef struct {
  CwForceGraph graph;
  int64_t *previous; /* UPDATE: [n_nodes] */
  void *arrays[7];   /* all of them, to be freed */
} OwnGraph;

typedef struct {
  CommandKind kind;
  OwnGraph own;           /* START, UPDATE; LOST: its sizes */
  CwForceOptions options; /* START */
  guint generation;       /* START, UPDATE, LOST */
  size_t node;            /* DRAG, RELEASE */
  float x, y;             /* DRAG */
  bool stays;             /* RELEASE */
  double amount;          /* REHEAT, GRAVITY */
} Command;

struct _CwuLayoutRunner {
  gint n_references;
  GMainContext *context;
  CwuLayoutMovedCb moved;
  gpointer user_data;
  guint generation; /* the owner's: of the newest selection */

  pthread_mutex_t mutex; /* for all below */
  pthread_cond_t wake;
  GQueue commands; /* Command * */
  bool is_closing, is_paused, is_reduced;
  CwuLayoutSnapshot *newest; /* not yet handed out, or NULL */
  GError *error;             /* likewise */
  GSource *source;           /* that will hand them out, or NULL */

  /* The thread's own. */
  CwForceLayout *layout;
  CwForceOptions options;
  guint laid_out; /* generation */
  guint64 n_snapshots;
};

/* ---- snapshots ------------------------------------------------------------------------- */

CwuLayoutSnapshot *
cwu_layout_snapshot_ref(CwuLayoutSnapshot *snapshot)
{
  g_atomic_int_inc(&snapshot->n_references);
  return snapshot;
}

void
cwu_layout_snapshot_unref(CwuLayoutSnapshot *snapshot)
{
  if (snapshot != NULL && g_atomic_int_dec_and_test(&snapshot->n_references))
    g_free(snapshot);
}

/* NULL without memory. */
static CwuLayoutSnapshot *
snapshot_new(CwuLayoutRunner *runner)
{
  size_t n = cw_force_layout_get_n_nodes(runner->layout);
  CwuLayoutSnapshot *snapshot = g_try_malloc(sizeof *snapshot + 2 * n * sizeof(float));
  if (snapshot == NULL)
    return NULL;
  float *x = (float *)(snapshot + 1), *y = x + n;
  if (n > 0) {
    memcpy(x, cw_force_layout_peek_x(runner->layout), n * sizeof *x);
    memcpy(y, cw_force_layout_peek_y(runner->layout), n * sizeof *y);
  }
  *snapshot = (CwuLayoutSnapshot){ 1,
                                   runner->laid_out,
                                   ++runner->n_snapshots,
                                   n,
                                   x,
                                   y,
                                   cw_force_layout_is_settled(runner->layout) };
  return snapshot;
}

/* ---- commands -------------------------------------------------------------------------- */

static void *
dup_array(OwnGraph *own, int slot, const void *array, size_t n_bytes, bool *ok)
{
  if (array == NULL)
    return NULL;
  own->arrays[slot] = g_try_malloc(n_bytes + 1);
  if (own->arrays[slot] == NULL)
    *ok = false;
  else if (n_bytes > 0)
    memcpy(own->arrays[slot], array, n_bytes);
  return own->arrays[slot];
}

/* False without memory. */
static bool
own_graph_init(OwnGraph *own, const CwForceGraph *graph, const int64_t *previous)
{
  size_t nodes = graph->n_nodes * sizeof(float), edges = graph->n_edges * sizeof(float);
  bool ok = true;
  own->graph = *graph;
  own->graph.source = dup_array(own, 0, graph->source, edges, &ok);
  own->graph.target = dup_array(own, 1, graph->target, edges, &ok);
  own->graph.share = dup_array(own, 2, graph->share, edges, &ok);
  own->graph.home_x = dup_array(own, 3, graph->home_x, nodes, &ok);
  own->graph.home_y = dup_array(own, 4, graph->home_y, nodes, &ok);
  own->graph.radius = dup_array(own, 5, graph->radius, nodes, &ok);
  own->previous = dup_array(own, 6, previous, graph->n_nodes * sizeof *previous, &ok);
  return ok;
}

static void
command_free(gpointer data)
{
  Command *command = data;
  for (size_t i = 0; i < G_N_ELEMENTS(command->own.arrays); i++)
    g_free(command->own.arrays[i]);
  g_free(command);
}

/* An update of a selection that no thread has seen yet takes its place. */
static void
merge_update(Command *update, const Command *earlier)
{
  int64_t *previous = update->own.previous;
  size_t n = update->own.graph.n_nodes, n_earlier = earlier->own.graph.n_nodes;
  update->kind = earlier->kind;
  update->options = earlier->options;
  for (size_t i = 0; i < n && earlier->kind == UPDATE; i++)
    if (previous[i] >= 0) /* an index out of range stays one */
      previous[i] =
          (size_t)previous[i] < n_earlier ? earlier->own.previous[previous[i]] : G_MAXINT64;
}

/* Takes the command over. */
static void
push(CwuLayoutRunner *runner, Command *command)
{
  pthread_mutex_lock(&runner->mutex);
  Command *last = g_queue_peek_tail(&runner->commands);
  bool supersedes = false;
  if (last != NULL && command->kind == DRAG)
    supersedes = last->kind == DRAG && last->node == command->node;
  else if (last != NULL && command->kind == UPDATE)
    supersedes = last->kind == START || last->kind == UPDATE;
  if (supersedes && command->kind == UPDATE)
    merge_update(command, last);
  if (supersedes)
    command_free(g_queue_pop_tail(&runner->commands));
  g_queue_push_tail(&runner->commands, command);
  pthread_cond_signal(&runner->wake);
  pthread_mutex_unlock(&runner->mutex);
}

/* ---- handing out ----------------------------------------------------------------------- */

static void
runner_unref(gpointer data)
{
  CwuLayoutRunner *runner = data;
  if (!g_atomic_int_dec_and_test(&runner->n_references))
    return;
  g_queue_clear_full(&runner->commands, command_free);
  g_clear_pointer(&runner->newest, cwu_layout_snapshot_unref);
  g_clear_error(&runner->error);
  cw_force_layout_free(runner->layout);
  g_main_context_unref(runner->context);
  pthread_mutex_destroy(&runner->mutex);
  pthread_cond_destroy(&runner->wake);
  g_free(runner);
}

static gboolean
hand_out_cb(gpointer data)
{
  CwuLayoutRunner *runner = data;
  pthread_mutex_lock(&runner->mutex);
  g_autoptr(CwuLayoutSnapshot) snapshot = g_steal_pointer(&runner->newest);
  g_autoptr(GError) error = g_steal_pointer(&runner->error);
  g_clear_pointer(&runner->source, g_source_unref);
  pthread_mutex_unlock(&runner->mutex);
  if (snapshot != NULL || error != NULL)
    runner->moved(snapshot, error, runner->user_data);
  return G_SOURCE_REMOVE;
}

/* Takes both over. The mutex is held. */
static void
publish(CwuLayoutRunner *runner, CwuLayoutSnapshot *snapshot, GError *error)
{
  g_clear_pointer(&runner->newest, cwu_layout_snapshot_unref);
  runner->newest = snapshot;
  if (error != NULL) {
    g_clear_error(&runner->error);
    runner->error = error;
  }
  if (runner->source != NULL || runner->is_closing)
    return;
  runner->source = g_idle_source_new();
  g_source_set_priority(runner->source, G_PRIORITY_DEFAULT);
  g_atomic_int_inc(&runner->n_references);
  g_source_set_callback(runner->source, hand_out_cb, runner, runner_unref);
  g_source_attach(runner->source, runner->context);
}

/* ---- the thread ------------------------------------------------------------------------ */

static bool
lay_out(CwuLayoutRunner *runner, const Command *command, GError **error)
{
  const CwForceGraph *graph = &command->own.graph;
  runner->laid_out = command->generation;
  if (command->kind == LOST) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "not enough memory to lay out %zu nodes and %zu edges; raise the thresholds",
                graph->n_nodes, graph->n_edges);
    return false;
  }
  if (command->kind == UPDATE && runner->layout != NULL)
    return cw_force_layout_update(runner->layout, graph, command->own.previous, error);
  if (command->kind == START)
    runner->options = command->options;
  g_clear_pointer(&runner->layout, cw_force_layout_free);
  runner->layout = cw_force_layout_new(graph, &runner->options, error);
  return runner->layout != NULL;
}

static bool
carry_out(CwuLayoutRunner *runner, const Command *command, GError **error)
{
  if (command->kind <= LOST)
    return lay_out(runner, command, error);
  CwForceLayout *layout = runner->layout;
  if (command->kind == GRAVITY)
    runner->options.gravity = command->amount;
  if (layout == NULL)
    return true;
  switch (command->kind) {
  case DRAG:
    cw_force_layout_fix(layout, command->node, command->x, command->y);
    cw_force_layout_reheat(layout, DRAG_WARMTH);
    break;
  case RELEASE:
    if (!command->stays) {
      cw_force_layout_unfix(layout, command->node);
      cw_force_layout_reheat(layout, DRAG_WARMTH);
    }
    break;
  case REHEAT:
    cw_force_layout_reheat(layout, command->amount);
    break;
  case GRAVITY:
    cw_force_layout_set_gravity(layout, command->amount);
    cw_force_layout_reheat(layout, GRAVITY_WARMTH);
    break;
  default:
    break;
  }
  return true;
}

/* Empties the queue. The mutex is not held. */
static bool
carry_out_all(CwuLayoutRunner *runner, GQueue *commands, GError **error)
{
  bool ok = true;
  Command *command;
  while ((command = g_queue_pop_head(commands)) != NULL) {
    ok = ok && carry_out(runner, command, error);
    command_free(command);
  }
  return ok;
}

/* Steps until the frame is over; small layouts a bounded number of times, unless nobody looks.
 */
static bool
step_for_a_frame(CwuLayoutRunner *runner, gint64 end, bool is_watched, GError **error)
{
  for (int i = 0; !cw_force_layout_is_settled(runner->layout); i++) {
    if ((is_watched && i >= STEPS_PER_FRAME) || (i > 0 && g_get_monotonic_time() >= end))
      break;
    if (!cw_force_layout_step(runner->layout, 1, error))
      return false;
  }
  return true;
}

static bool
has_work(const CwuLayoutRunner *runner)
{
  bool is_moving = runner->layout != NULL && !runner->is_paused &&
                   !cw_force_layout_is_settled(runner->layout);
  return runner->is_closing || is_moving || runner->commands.length > 0;
}

/* One round: commands, steps, a snapshot. Called and returns with the mutex held. */
static void
run_frame(CwuLayoutRunner *runner, gint64 end)
{
  GQueue commands = runner->commands;
  g_queue_init(&runner->commands);
  bool is_paused = runner->is_paused, is_reduced = runner->is_reduced;
  pthread_mutex_unlock(&runner->mutex);
  GError *error = NULL;
  bool ok = carry_out_all(runner, &commands, &error);
  if (ok && runner->layout != NULL && !is_paused)
    ok = step_for_a_frame(runner, end, !is_reduced, &error);
  CwuLayoutSnapshot *snapshot = NULL;
  if (!ok)
    g_clear_pointer(&runner->layout, cw_force_layout_free);
  else if (runner->layout != NULL &&
           (is_paused || !is_reduced || cw_force_layout_is_settled(runner->layout)))
    snapshot = snapshot_new(runner);
  pthread_mutex_lock(&runner->mutex);
  if (snapshot != NULL || error != NULL)
    publish(runner, snapshot, error);
}

/* until: of the monotonic clock. The mutex is held. */
static void
wait_until(CwuLayoutRunner *runner, gint64 until)
{
  struct timespec time = { (time_t)(until / G_USEC_PER_SEC),
                           (long)(until % G_USEC_PER_SEC) * 1000 };
  pthread_cond_timedwait(&runner->wake, &runner->mutex, &time);
}

static gpointer
run(gpointer data)
{
  CwuLayoutRunner *runner = data;
  pthread_mutex_lock(&runner->mutex);
  while (!runner->is_closing) {
    while (!has_work(runner))
      pthread_cond_wait(&runner->wake, &runner->mutex);
    if (runner->is_closing)
      break;
    gint64 end = g_get_monotonic_time() + FRAME_US;
    run_frame(runner, end);
    /* New commands wait for the next frame: sixty times a second is what is promised. */
    while (!runner->is_closing && !runner->is_reduced && g_get_monotonic_time() < end)
      wait_until(runner, end);
  }
  pthread_mutex_unlock(&runner->mutex);
  runner_unref(runner);
  return NULL;
}

/* ---- the owner ------------------------------------------------------------------------- */

CwuLayoutRunner *
cwu_layout_runner_new(CwuLayoutMovedCb moved, gpointer user_data)
{
  CwuLayoutRunner *runner = g_new0(CwuLayoutRunner, 1);
  runner->n_references = 2; /* the owner's and the thread's */
  runner->context = g_main_context_ref_thread_default();
  runner->moved = moved;
  runner->user_data = user_data;
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&runner->mutex, NULL);
  pthread_cond_init(&runner->wake, &attributes);
  pthread_condattr_destroy(&attributes);
  g_queue_init(&runner->commands);
  cw_force_options_init(&runner->options);
  g_thread_unref(g_thread_new("layout", run, runner));
  return runner;
}

void
cwu_layout_runner_free(CwuLayoutRunner *runner)
{
  if (runner == NULL)
    return;
  pthread_mutex_lock(&runner->mutex);
  runner->is_closing = true;
  GSource *source = g_steal_pointer(&runner->source);
  pthread_cond_signal(&runner->wake);
  pthread_mutex_unlock(&runner->mutex);
  if (source != NULL) {
    g_source_destroy(source);
    g_source_unref(source);
  }
  runner_unref(runner);
}

static guint
push_graph(CwuLayoutRunner *runner, CommandKind kind, const CwForceGraph *graph,
           const int64_t *previous, const CwForceOptions *options)
{
  Command *command = g_new0(Command, 1);
  command->generation = ++runner->generation;
  command->kind = own_graph_init(&command->own, graph, previous) ? kind : LOST;
  if (options != NULL)
    command->options = *options;
  push(runner, command);
  return runner->generation;
}

guint
cwu_layout_runner_start(CwuLayoutRunner *runner, const CwForceGraph *graph,
                        const CwForceOptions *options)
{
  return push_graph(runner, START, graph, NULL, options);
}

guint
cwu_layout_runner_update(CwuLayoutRunner *runner, const CwForceGraph *graph,
                         const int64_t *previous)
{
  return push_graph(runner, UPDATE, graph, previous, NULL);
}

void
cwu_layout_runner_drag(CwuLayoutRunner *runner, size_t node, float x, float y)
{
  Command *command = g_new0(Command, 1);
  *command = (Command){ .kind = DRAG, .node = node, .x = x, .y = y };
  push(runner, command);
}

void
cwu_layout_runner_release(CwuLayoutRunner *runner, size_t node, bool stays)
{
  Command *command = g_new0(Command, 1);
  *command = (Command){ .kind = RELEASE, .node = node, .stays = stays };
  push(runner, command);
}

static void
push_amount(CwuLayoutRunner *runner, CommandKind kind, double amount)
{
  Command *command = g_new0(Command, 1);
  *command = (Command){ .kind = kind, .amount = amount };
  push(runner, command);
}

void
cwu_layout_runner_reheat(CwuLayoutRunner *runner, double amount)
{
  push_amount(runner, REHEAT, amount);
}

void
cwu_layout_runner_set_gravity(CwuLayoutRunner *runner, double gravity)
{
  push_amount(runner, GRAVITY, gravity);
}

void
cwu_layout_runner_set_paused(CwuLayoutRunner *runner, bool is_paused)
{
  pthread_mutex_lock(&runner->mutex);
  runner->is_paused = is_paused;
  pthread_cond_signal(&runner->wake);
  pthread_mutex_unlock(&runner->mutex);
}

void
cwu_layout_runner_set_reduced_motion(CwuLayoutRunner *runner, bool is_reduced)
{
  pthread_mutex_lock(&runner->mutex);
  runner->is_reduced = is_reduced;
  pthread_cond_signal(&runner->wake);
  pthread_mutex_unlock(&runner->mutex);
}
