/* test-layout-runner.c - the thread behind the force-directed view: what it hands out and when,
 * that it rests, and that it can be freed at any moment. */
#include "graph/layout-runner.h"
#include "layout-graph.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

#define PATIENCE_MS 20000

typedef struct {
  GMainLoop *loop;
  CwuLayoutRunner *runner;
  CwuLayoutSnapshot *newest;
  guint n_snapshots, n_unsettled, n_errors;
  guint64 last_number;
  gint64 first_us, last_us;
  guint wanted; /* generation whose settled snapshot ends the wait */
  bool frees_in_callback;
} Watch;

static void
moved_cb(CwuLayoutSnapshot *snapshot, const GError *error, gpointer user_data)
{
  Watch *watch = user_data;
  if (error != NULL) {
    watch->n_errors++;
    g_main_loop_quit(watch->loop);
    return;
  }
  g_assert_cmpuint(snapshot->number, >, watch->last_number);
  watch->last_number = snapshot->number;
  watch->last_us = g_get_monotonic_time();
  if (watch->n_snapshots++ == 0)
    watch->first_us = watch->last_us;
  watch->n_unsettled += !snapshot->is_settled;
  g_clear_pointer(&watch->newest, cwu_layout_snapshot_unref);
  watch->newest = cwu_layout_snapshot_ref(snapshot);
  for (size_t i = 0; i < snapshot->n_nodes; i++)
    g_assert_true(isfinite(snapshot->x[i]) && isfinite(snapshot->y[i]));
  if (watch->frees_in_callback)
    g_clear_pointer(&watch->runner, cwu_layout_runner_free);
  if (watch->frees_in_callback ||
      (snapshot->is_settled && snapshot->generation == watch->wanted))
    g_main_loop_quit(watch->loop);
}

static void
watch_init(Watch *watch)
{
  *watch = (Watch){ .loop = g_main_loop_new(NULL, FALSE) };
  watch->runner = cwu_layout_runner_new(moved_cb, watch);
}

static void
watch_clear(Watch *watch)
{
  cwu_layout_runner_free(watch->runner);
  g_clear_pointer(&watch->newest, cwu_layout_snapshot_unref);
  g_main_loop_unref(watch->loop);
}

static gboolean G_GNUC_NORETURN
lose_patience_cb(gpointer user_data)
{
  g_error("nothing came for %d ms", PATIENCE_MS);
}

/* The next settled snapshot: one that was handed out before does not count. */
static void
wait_for_settled(Watch *watch, guint generation)
{
  watch->wanted = generation;
  guint timeout = g_timeout_add(PATIENCE_MS, lose_patience_cb, NULL);
  g_main_loop_run(watch->loop);
  g_source_remove(timeout);
}

static gboolean
quit_cb(gpointer user_data)
{
  g_main_loop_quit(user_data);
  return G_SOURCE_REMOVE;
}

static void
run_for(Watch *watch, guint ms)
{
  watch->wanted = 0;
  g_timeout_add(ms, quit_cb, watch->loop);
  g_main_loop_run(watch->loop);
}

static guint
start(Watch *watch, const LayoutGraph *graph)
{
  CwForceGraph view = layout_graph_view(graph);
  CwForceOptions options;
  cw_force_options_init(&options);
  return cwu_layout_runner_start(watch->runner, &view, &options);
}

/* ---- what is handed out ---------------------------------------------------------------- */

static void
test_settles_before_the_eyes(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(900, 900, 1);
  Watch watch;
  watch_init(&watch);
  wait_for_settled(&watch, start(&watch, graph));
  g_assert_cmpuint(watch.newest->n_nodes, ==, 900);
  g_assert_cmpuint(watch.n_unsettled, >, 0);
  /* At most sixty a second; the first and the last of a span are both counted. */
  double seconds = (double)(watch.last_us - watch.first_us) / 1e6;
  g_assert_cmpfloat(watch.n_snapshots, <=, seconds * 60 + 2);
  watch_clear(&watch);
}

/* The thread's result is the one that stepping by hand gives. */
static void
test_same_as_by_hand(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(200, 700, 2);
  Watch watch;
  watch_init(&watch);
  wait_for_settled(&watch, start(&watch, graph));
  CwForceGraph view = layout_graph_view(graph);
  CwForceOptions options;
  cw_force_options_init(&options);
  g_autoptr(CwForceLayout) layout = cw_force_layout_new(&view, &options, NULL);
  g_assert_true(cw_force_layout_step(layout, 10000, NULL));
  g_assert_cmpmem(watch.newest->x, 200 * sizeof(float), cw_force_layout_peek_x(layout),
                  200 * sizeof(float));
  g_assert_cmpmem(watch.newest->y, 200 * sizeof(float), cw_force_layout_peek_y(layout),
                  200 * sizeof(float));
  watch_clear(&watch);
}

static void
test_reduced_motion(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(300, 900, 1);
  Watch watch;
  watch_init(&watch);
  cwu_layout_runner_set_reduced_motion(watch.runner, true);
  wait_for_settled(&watch, start(&watch, graph));
  cwu_layout_runner_reheat(watch.runner, 0.5);
  wait_for_settled(&watch, watch.newest->generation);
  g_assert_cmpuint(watch.n_unsettled, ==, 0);
  g_assert_cmpuint(watch.n_snapshots, ==, 2);
  watch_clear(&watch);
}

static void
test_empty(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(0, 0, 1);
  Watch watch;
  watch_init(&watch);
  wait_for_settled(&watch, start(&watch, graph));
  g_assert_cmpuint(watch.newest->n_nodes, ==, 0);
  watch_clear(&watch);
}

/* ---- rest ------------------------------------------------------------------------------ */

/* CPU of the whole process over a third of a second of doing nothing, the least of three: a
 * thread that polled even once a millisecond would take more than 3 ms each time. */
static void
assert_rests(Watch *watch)
{
  guint before = watch->n_snapshots;
  double least_ms = INFINITY;
  for (int i = 0; i < 3 && !(least_ms < 3); i++) {
    double start_ms = test_process_cpu_ms();
    g_usleep(300000);
    least_ms = MIN(least_ms, test_process_cpu_ms() - start_ms);
  }
  g_assert_cmpfloat(least_ms, <, 3);
  while (g_main_context_iteration(NULL, FALSE))
    continue;
  g_assert_cmpuint(watch->n_snapshots, ==, before);
}

static void
test_rests_when_settled(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(100, 300, 1);
  Watch watch;
  watch_init(&watch);
  assert_rests(&watch);
  guint generation = start(&watch, graph);
  wait_for_settled(&watch, generation);
  run_for(&watch, 50);
  assert_rests(&watch);
  cwu_layout_runner_reheat(watch.runner, 1);
  wait_for_settled(&watch, generation);
  run_for(&watch, 50);
  assert_rests(&watch);
  watch_clear(&watch);
}

static void
test_pause(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(1000, 3000, 1);
  Watch watch;
  watch_init(&watch);
  cwu_layout_runner_set_paused(watch.runner, true);
  guint generation = start(&watch, graph);
  run_for(&watch, 200);
  g_assert_cmpuint(watch.n_snapshots, ==, 1);
  assert_rests(&watch);
  cwu_layout_runner_drag(watch.runner, 7, 12, -3);
  run_for(&watch, 100);
  g_assert_cmpuint(watch.n_snapshots, ==, 2);
  g_assert_true(watch.newest->x[7] == 12 && watch.newest->y[7] == -3);
  cwu_layout_runner_set_paused(watch.runner, false);
  wait_for_settled(&watch, generation);
  watch_clear(&watch);
}

/* ---- commands -------------------------------------------------------------------------- */

static void
test_drag_and_release(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(120, 300, 3);
  Watch watch;
  watch_init(&watch);
  guint generation = start(&watch, graph);
  wait_for_settled(&watch, generation);
  for (int i = 0; i <= 20; i++) {
    cwu_layout_runner_drag(watch.runner, 4, (float)i, 30);
    g_usleep(10000);
  }
  wait_for_settled(&watch, generation);
  g_assert_true(watch.newest->x[4] == 20 && watch.newest->y[4] == 30);
  cwu_layout_runner_release(watch.runner, 4, true);
  cwu_layout_runner_set_gravity(watch.runner, 0.9);
  wait_for_settled(&watch, generation);
  g_assert_true(watch.newest->x[4] == 20 && watch.newest->y[4] == 30);
  cwu_layout_runner_release(watch.runner, 4, false);
  wait_for_settled(&watch, generation);
  g_assert_cmpfloat((double)watch.newest->y[4], <, 30);
  watch_clear(&watch);
}

/* The first n nodes of a graph, and the edges between them. */
static CwForceGraph
first_nodes(const LayoutGraph *graph, size_t n, GArray *edges[3])
{
  for (int k = 0; k < 3; k++)
    g_array_set_size(edges[k], 0);
  for (size_t e = 0; e < graph->n_edges; e++)
    if (graph->source[e] < n && graph->target[e] < n) {
      g_array_append_val(edges[0], graph->source[e]);
      g_array_append_val(edges[1], graph->target[e]);
      g_array_append_val(edges[2], graph->share[e]);
    }
  return (CwForceGraph){ n,
                         edges[0]->len,
                         (uint32_t *)edges[0]->data,
                         (uint32_t *)edges[1]->data,
                         (float *)edges[2]->data,
                         graph->home_x,
                         graph->home_y,
                         NULL };
}

/* A slider that moves faster than the thread: the last selection is the one that is laid out,
 * and nodes that were there all the time have kept their places, by less than a diameter an
 * update: one that wakes the thread, and one for all others. */
static void
test_updates_become_one(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(200, 700, 4);
  GArray *edges[3];
  for (int k = 0; k < 3; k++)
    edges[k] = g_array_new(FALSE, FALSE, 4);
  Watch watch;
  watch_init(&watch);
  wait_for_settled(&watch, start(&watch, graph));
  g_autoptr(CwuLayoutSnapshot) before = cwu_layout_snapshot_ref(watch.newest);
  static const size_t sizes[] = { 190, 120, 180, 100, 150 };
  size_t last = 200;
  guint generation = 0;
  for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
    int64_t previous[200];
    for (size_t i = 0; i < sizes[k]; i++)
      previous[i] = i < last ? (int64_t)i : -1;
    CwForceGraph view = first_nodes(graph, sizes[k], edges);
    generation = cwu_layout_runner_update(watch.runner, &view, previous);
    last = sizes[k];
  }
  wait_for_settled(&watch, generation);
  g_assert_cmpuint(watch.newest->n_nodes, ==, 150);
  for (size_t i = 0; i < 100; i++)
    g_assert_cmpfloat(hypot((double)watch.newest->x[i] - (double)before->x[i],
                            (double)watch.newest->y[i] - (double)before->y[i]),
                      <, 2);
  for (int k = 0; k < 3; k++)
    g_array_unref(edges[k]);
  watch_clear(&watch);
}

/* An update straight after the start, and commands without any graph. */
static void
test_update_before_anything(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(50, 100, 1);
  CwForceGraph view = layout_graph_view(graph);
  g_autofree int64_t *same = layout_graph_map(graph, graph);
  Watch watch;
  watch_init(&watch);
  cwu_layout_runner_drag(watch.runner, 0, 1, 1);
  cwu_layout_runner_reheat(watch.runner, 1);
  cwu_layout_runner_set_gravity(watch.runner, 0.1);
  wait_for_settled(&watch, cwu_layout_runner_update(watch.runner, &view, same));
  start(&watch, graph);
  wait_for_settled(&watch, cwu_layout_runner_update(watch.runner, &view, same));
  g_assert_cmpuint(watch.newest->n_nodes, ==, 50);
  watch_clear(&watch);
}

static void
test_reports_errors(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(50, 100, 1);
  Watch watch;
  watch_init(&watch);
  graph->source[3] = 50;
  wait_for_settled(&watch, start(&watch, graph));
  g_assert_cmpuint(watch.n_errors, ==, 1);
  g_assert_cmpuint(watch.n_snapshots, ==, 0);
  graph->source[3] = 49;
  wait_for_settled(&watch, start(&watch, graph));
  g_assert_cmpuint(watch.n_errors, ==, 1);
  watch_clear(&watch);
}

/* ---- the end --------------------------------------------------------------------------- */

static void
test_freed_at_any_moment(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(400, 1200, 1);
  for (guint moment = 0; moment < 60; moment++) {
    Watch watch;
    watch_init(&watch);
    if (moment % 3 > 0)
      start(&watch, graph);
    if (moment % 3 > 1)
      cwu_layout_runner_drag(watch.runner, 1, 2, 3);
    if (moment % 2 > 0)
      g_usleep(moment * 300);
    else
      run_for(&watch, moment / 2);
    watch_clear(&watch);
  }
  /* What was on its way must not arrive. */
  while (g_main_context_iteration(NULL, FALSE))
    continue;
}

static void
test_freed_in_its_callback(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(400, 1200, 1);
  Watch watch;
  watch_init(&watch);
  watch.frees_in_callback = true;
  start(&watch, graph);
  g_main_loop_run(watch.loop);
  g_assert_null(watch.runner);
  g_assert_cmpuint(watch.n_snapshots, ==, 1);
  watch_clear(&watch);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ui/layout-runner/settles-before-the-eyes", test_settles_before_the_eyes);
  g_test_add_func("/ui/layout-runner/same-as-by-hand", test_same_as_by_hand);
  g_test_add_func("/ui/layout-runner/reduced-motion", test_reduced_motion);
  g_test_add_func("/ui/layout-runner/empty", test_empty);
  g_test_add_func("/ui/layout-runner/rests-when-settled", test_rests_when_settled);
  g_test_add_func("/ui/layout-runner/pause", test_pause);
  g_test_add_func("/ui/layout-runner/drag-and-release", test_drag_and_release);
  g_test_add_func("/ui/layout-runner/updates-become-one", test_updates_become_one);
  g_test_add_func("/ui/layout-runner/update-before-anything", test_update_before_anything);
  g_test_add_func("/ui/layout-runner/reports-errors", test_reports_errors);
  g_test_add_func("/ui/layout-runner/freed-at-any-moment", test_freed_at_any_moment);
  g_test_add_func("/ui/layout-runner/freed-in-its-callback", test_freed_in_its_callback);
  return g_test_run();
}
