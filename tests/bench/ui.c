/* ui.c - how long the canvas keeps the main thread, scripted: panning, zooming, hovering, and a
 * threshold slider that is dragged, in both views, on generated graphs.
 *
 *     bench-ui [small] [large]
 *
 * Each step is one event (what a gesture's handler does) and the frame it leads to. Counted is
 * the main thread's CPU time, since the machine may be shared and software rendering under Xvfb
 * tells nothing of a screen: in the event, in the canvas's snapshot, and in the whole frame
 * with GTK's own layout and renderer. Of the frame also what it took with waiting for the X
 * server, but without waiting for a core ("own"). Of the main loop's longest turn: its wall
 * time, its own, its CPU time. Of a threshold step: the wall time until its coarse and its
 * whole picture are there, and the CPU time of all threads until then. Wants a display. Prints
 * one JSON object. */
#include "bench-support.h"
#include "golden-graph.h"

#include <adwaita.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../ui/loop-watch.h"
#include "graph/graph-view-private.h"

#define MAX_STEPS 400

typedef struct {
  double event[MAX_STEPS], snapshot[MAX_STEPS], frame[MAX_STEPS], frame_own[MAX_STEPS];
  size_t n;
  LoopWatch turns;
} Times;

typedef struct {
  CwuDocument *document;
  CwuGraphView *view;
  GtkWindow *window;
  GtkEventController *motion;
  void (*snapshot)(GtkWidget *widget, GtkSnapshot *snapshot);
  double snapshot_ms, frame_ms, frame_own_ms, frame_start;
  LoopMoment frame_moment;
  guint n_frames;
} Bench;

static Bench bench;

static double
clock_ms(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static double
cpu_ms(void)
{
  return clock_ms(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- watching ---------------------------------------------------------------------------- */

static void
timed_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  double start = cpu_ms();
  bench.snapshot(widget, snapshot);
  bench.snapshot_ms += cpu_ms() - start;
}

static void
before_paint_cb(void)
{
  bench.frame_moment = loop_moment_now();
  bench.frame_start = cpu_ms();
}

static void
after_paint_cb(void)
{
  bench.frame_ms += cpu_ms() - bench.frame_start;
  bench.frame_own_ms += loop_moment_own_ms(&bench.frame_moment);
  bench.n_frames++;
}

/* So that waiting for a turn ends. */
static gboolean
turn_cb(gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static void
turn(void)
{
  g_main_context_iteration(NULL, TRUE);
}

static void
wait_complete(void)
{
  gint64 end = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
  while (!cwu_graph_view_is_complete(bench.view) || cwu_document_is_pruning(bench.document)) {
    turn();
    if (g_get_monotonic_time() > end)
      g_error("The picture was not complete after two minutes");
  }
}

static void
wait_frame(void)
{
  guint n = bench.n_frames;
  gint64 end = g_get_monotonic_time() + G_USEC_PER_SEC;
  gtk_widget_queue_draw(GTK_WIDGET(bench.view));
  while (bench.n_frames == n && g_get_monotonic_time() < end)
    turn();
}

/* ---- steps ------------------------------------------------------------------------------- */

typedef void (*StepFunc)(int step);

static void
run(Times *times, int n_steps, StepFunc step)
{
  times->n = 0;
  loop_watch_start(&times->turns);
  for (int i = 0; i < n_steps; i++) {
    bench.snapshot_ms = bench.frame_ms = bench.frame_own_ms = 0;
    double start = cpu_ms();
    step(i);
    times->event[times->n] = cpu_ms() - start;
    wait_frame();
    times->snapshot[times->n] = bench.snapshot_ms;
    times->frame_own[times->n] = bench.frame_own_ms;
    times->frame[times->n++] = bench.frame_ms;
  }
  loop_watch_stop(&times->turns);
}

static void
look_at(double zoom, double x, double y)
{
  CwuViewpoint viewpoint = { zoom, x, y };
  cwu_document_set_viewpoint(bench.document, &viewpoint);
}

static void
pan(int step)
{
  double t = 0.01 * step;
  look_at(2, 0.3 + 0.4 * t, 0.7 - 0.4 * t);
}

static void
zoom(int step)
{
  look_at(pow(1.08, step < 40 ? step : 80 - step), 0.8, 0.7);
}

static void
hover(int step)
{
  double width = gtk_widget_get_width(GTK_WIDGET(bench.view));
  double height = gtk_widget_get_height(GTK_WIDGET(bench.view));
  double t = 0.01 * step;
  g_signal_emit_by_name(bench.motion, "motion", (0.1 + 0.8 * t) * width,
                        (0.9 - 0.7 * t) * height);
}

static void
slide(int step)
{
  double t = step < 50 ? 0.01 * step : 0.01 * (100 - step);
  cw_document_set_thresholds(cwu_document_peek_core(bench.document), 1 - t, 1);
  cwu_document_sync(bench.document);
}

/* ---- results ------------------------------------------------------------------------------
 */

static void
print_row(const char *name, double *ms, size_t n)
{
  double most = 0;
  for (size_t i = 0; i < n; i++)
    most = MAX(most, ms[i]);
  printf("\"%s\": [%.2f, %.2f], ", name, bench_median(ms, n), most);
}

static void
print_times(const char *name, Times *times)
{
  const LoopWatch *turns = &times->turns;
  printf("    \"%s\": {", name);
  print_row("event_ms", times->event, times->n);
  print_row("snapshot_ms", times->snapshot, times->n);
  print_row("frame_ms", times->frame, times->n);
  print_row("frame_own_ms", times->frame_own, times->n);
  printf("\"turn_ms\": %.1f, \"turn_own_ms\": %.1f, \"turn_cpu_ms\": %.1f},\n", turns->worst_ms,
         turns->worst_own_ms, turns->worst_cpu_ms);
}

static void
time_view(const char *view)
{
  Times times;
  cwu_document_set_view(bench.document, view);
  look_at(1, 0.5, 0.5);
  wait_complete();
  printf("   \"%s\": {\n", view);
  run(&times, 100, pan);
  print_times("pan", &times);
  run(&times, 80, zoom);
  print_times("zoom", &times);
  look_at(1, 0.5, 0.5);
  wait_complete();
  run(&times, 100, hover);
  print_times("hover", &times);
  cw_document_begin_merge(cwu_document_peek_core(bench.document));
  run(&times, 101, slide);
  cw_document_end_merge(cwu_document_peek_core(bench.document));
  print_times("slider", &times);
  wait_complete();
}

/* After one threshold step: a picture of what is left, and all of it. */
static void
time_step(const char *name, double node_threshold, const char *separator)
{
  const CwuPictureState *state = cwu_picture_runner_peek(bench.view->runner);
  const CwuScene *before = state->scene;
  gint64 start = g_get_monotonic_time();
  double cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
  cw_document_set_thresholds(cwu_document_peek_core(bench.document), node_threshold, 1);
  cwu_document_sync(bench.document);
  while (state->scene == before)
    turn();
  double coarse = (double)(g_get_monotonic_time() - start) / 1e3;
  double coarse_cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wait_complete();
  printf("    \"%s\": {\"nodes\": %zu, \"edges\": %zu, \"coarse_ms\": %.0f, "
         "\"coarse_cpu_ms\": %.0f, \"full_ms\": %.0f, \"full_cpu_ms\": %.0f}%s\n",
         name, state->scene->n_nodes, state->scene->n_edges, coarse, coarse_cpu,
         (double)(g_get_monotonic_time() - start) / 1e3,
         clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu, separator);
}

/* All edges of a graph that lies still, after the view moved. In the force view a step waits
 * for the layout to settle too. */
static void
time_look(const char *separator)
{
  look_at(1.3, 0.5, 0.5);
  wait_complete();
  gint64 start = g_get_monotonic_time();
  double cpu = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
  look_at(1, 0.5, 0.5);
  wait_frame();
  wait_complete();
  printf("    \"look\": {\"full_ms\": %.0f, \"full_cpu_ms\": %.0f}%s\n",
         (double)(g_get_monotonic_time() - start) / 1e3,
         clock_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu, separator);
}

static void
time_steps(const char *separator)
{
  time_look(",");
  time_step("step_down", 0.999, ",");
  time_step("step_up", 1, "");
  printf("   }%s\n", separator);
}

static void
graph_set_cb(GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr(GError) error = NULL;
  if (!cwu_document_set_graph_finish(CWU_DOCUMENT(source), result, &error))
    g_error("%s", error->message);
  *(bool *)data = true;
}

/* What GTK takes for a window of one texture that moves, and nothing else. */
static void
plain_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  GdkTexture *mass = cwu_picture_runner_peek(bench.view->runner)->mass;
  float x = (float)(bench.n_frames % 2);
  gtk_snapshot_append_texture(snapshot, mass,
                              &GRAPHENE_RECT_INIT(x, 0, (float)gdk_texture_get_width(mass),
                                                  (float)gdk_texture_get_height(mass)));
}

static void
nothing(int step)
{
}

static void
time_floor(void)
{
  Times times;
  void (*ours)(GtkWidget *, GtkSnapshot *) = bench.snapshot;
  bench.snapshot = plain_snapshot;
  printf("   \"one_texture\": {\n");
  run(&times, 100, nothing);
  print_times("move", &times);
  printf("    \"renderer\": \"%s\"\n   },\n",
         G_OBJECT_TYPE_NAME(gtk_native_get_renderer(GTK_NATIVE(bench.window))));
  bench.snapshot = ours;
}

static void
time_graph(const char *name, CwGraph *graph)
{
  bool is_set = false;
  cwu_document_set_graph_async(bench.document, graph, (double[]){ 0.8, 0.98 }, graph_set_cb,
                               &is_set);
  while (!is_set)
    turn();
  cw_document_set_thresholds(cwu_document_peek_core(bench.document), 1, 1);
  cwu_document_sync(bench.document);
  wait_complete();
  const CwPruned *shown = cwu_document_peek_pruned(bench.document);
  printf(",\n  \"%s\": {\"shown_nodes\": %zu, \"shown_edges\": %zu,\n", name,
         shown->n_kept_nodes, shown->n_kept_edges);
  time_floor();
  time_view("layers");
  time_steps(",");
  time_view("force");
  time_steps("");
  printf("  }");
  cwu_document_set_view(bench.document, "layers");
}

/* ---- the window ---------------------------------------------------------------------------
 */

static void
build_window(void)
{
  bench.document = cwu_document_new();
  bench.view = cwu_graph_view_new();
  bench.window = GTK_WINDOW(gtk_window_new());
  GtkWidgetClass *class = GTK_WIDGET_GET_CLASS(bench.view);
  bench.snapshot = class->snapshot;
  class->snapshot = timed_snapshot;
  cwu_graph_view_set_document(bench.view, bench.document);
  gtk_window_set_child(bench.window, GTK_WIDGET(bench.view));
  gtk_window_set_default_size(bench.window, 1440, 900);
  gtk_window_present(bench.window);
  g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(GTK_WIDGET(bench.view));
  for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
    g_autoptr(GtkEventController) controller = g_list_model_get_item(controllers, i);
    if (GTK_IS_EVENT_CONTROLLER_MOTION(controller))
      bench.motion = controller;
  }
  GdkFrameClock *clock = gtk_widget_get_frame_clock(GTK_WIDGET(bench.view));
  g_signal_connect(clock, "before-paint", G_CALLBACK(before_paint_cb), NULL);
  g_signal_connect_after(clock, "after-paint", G_CALLBACK(after_paint_cb), NULL);
  g_timeout_add(1, turn_cb, NULL);
}

static bool
is_wanted(const char *name, int argc, char **argv)
{
  return argc == 1 || g_strv_contains((const char *const *)argv + 1, name);
}

int
main(int argc, char **argv)
{
  if (!gtk_init_check()) {
    fprintf(stderr, "There is no display: run this under Xvfb, as in xvfb-run -a ...\n");
    return 1;
  }
  adw_init();
  g_autofree char *machine = bench_describe_machine();
  g_autoptr(CwGraph) small = graph_random(2500, 16, 12, 0.035, 1);
  g_autoptr(CwGraph) large = graph_random(11500, 16, 22, 0.0203, 2);
  build_window();
  printf("{\n  \"case\": \"ui\", \"machine\": \"%s\", \"times\": \"[median, most]\"", machine);
  if (is_wanted("small", argc, argv))
    time_graph("small", small);
  if (is_wanted("large", argc, argv))
    time_graph("large", large);
  printf("\n}\n");
  gtk_window_destroy(bench.window);
  g_object_unref(bench.document);
  return 0;
}
