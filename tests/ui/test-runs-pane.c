/* test-runs-pane.c - the pane of runs over folders in every state, and over a real small
 * training that is started, watched and ended from the form. Wants a display. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "loop-watch.h"
#include "panes-support.h"
#include "runs/chart-view.h"
#include "runs/run-head.h"
#include "runs/run-row.h"
#include "runs/runs-pane.h"
#include "test-support.h"
#include "widget-test.h"

#define TURN_LIMIT_MS 32.0 /* twice the goal */
#define DEAD_LIMIT_S  1.0
#define N_LINES       400

typedef struct {
  GtkWidget *window;
  CwuRunsPane *pane;
  CwuRunsWatch *watch;
  char *root;
  char *told, *used;
} Fixture;

/* ---- folders ---------------------------------------------------------------------------- */

static char *
make_run(Fixture *f, const char *name, const char *kind, int created, const char *worker)
{
  char *folder = g_build_filename(f->root, name, NULL);
  g_autofree char *plan = g_build_filename(folder, "run.json", NULL);
  g_autofree char *log = g_build_filename(folder, "log.txt", NULL);
  g_autofree char *record = g_build_filename(folder, "worker.json", NULL);
  g_autofree char *json = g_strdup_printf(
      "{\"format\": \"clew-run\", \"version\": 1, \"kind\": \"%s\", \"program\": "
      "\"0.1.0\", \"created\": %d, \"arguments\": [\"--d-latent\", \"8\"]}",
      kind, created);
  g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
  g_assert_true(g_file_set_contents(plan, json, -1, NULL));
  g_assert_true(
      g_file_set_contents(log, "first line\nlast line of the log\n{\"step\": 1}\n", -1, NULL));
  if (worker != NULL)
    g_assert_true(g_file_set_contents(record, worker, -1, NULL));
  return folder;
}

static void
append_metrics(const char *folder, int from, int n)
{
  g_autofree char *path = g_build_filename(folder, "metrics.jsonl", NULL);
  FILE *file = fopen(path, "a");
  g_assert_nonnull(file);
  for (int i = from; i < from + n; i++)
    fprintf(
        file,
        "{\"step\": %d, \"loss\": %g, \"l0\": %g, \"explained_variance\": %g, \"dead\": %d, "
        "\"tokens_per_second\": 1200, \"layer_explained_variance\": [0.5, 0.6, null]}\n",
        10 * i, 1000 * exp(-i / 100.0) + 1, 50 * exp(-i / 200.0), 1 - exp(-i / 100.0), i / 10);
  fprintf(file, "{\"step\": %d, \"held_out\": {\"explained_variance\": 0.5}}\n",
          10 * (from + n) - 1);
  g_assert_cmpint(fclose(file), ==, 0);
}

/* As a worker holds it. */
static int
hold_lock(const char *folder)
{
  g_autofree char *path = g_build_filename(folder, "worker.json", NULL);
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int fd = g_open(path, O_RDWR | O_CREAT, 0666);
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(fcntl(fd, F_OFD_SETLK, &lock), ==, 0);
  return fd;
}

#define ENDED(status)                                                                        \
  "{\"pid\": 0, \"host\": \"here\", \"phase\": \"training\", \"fraction\": 0.5, \"ended\": " \
  "1700000900, \"exit_status\": " status ", \"reason\": \"the loss is not finite\"}"
#define AT_WORK                                                                     \
  "{\"pid\": 77, \"host\": \"here\", \"phase\": \"training\", \"fraction\": 0.25, " \
  "\"seconds_left\": 600}"

/* ---- the window ------------------------------------------------------------------------- */

static void
keep_cb(CwuRunsPane *pane, const char *text, char **place)
{
  g_free(*place);
  *place = g_strdup(text);
}

static void
show(Fixture *f, const char *program)
{
  f->watch = cwu_runs_watch_new(f->root, program);
  f->pane = cwu_runs_pane_new(f->watch);
  f->window = adw_window_new();
  adw_window_set_content(ADW_WINDOW(f->window), GTK_WIDGET(f->pane));
  gtk_window_set_default_size(GTK_WINDOW(f->window), 1024, 600);
  g_signal_connect(f->pane, "told", G_CALLBACK(keep_cb), &f->told);
  g_signal_connect(f->pane, "use", G_CALLBACK(keep_cb), &f->used);
  gtk_window_present(GTK_WINDOW(f->window));
  loop_turn_until(cwu_runs_watch_peek_list(f->watch) != NULL);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  f->root = test_temp_dir();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_object_add_weak_pointer(G_OBJECT(f->pane), (gpointer *)&f->pane);
  gtk_window_destroy(GTK_WINDOW(f->window));
  loop_turn_for(20);
  g_assert_null(f->pane);
  g_assert_finalize_object(f->watch);
  test_remove_tree(f->root);
  g_free(f->root);
  g_free(f->told);
  g_free(f->used);
}

static void
select_run(Fixture *f, const char *folder)
{
  cwu_runs_pane_select(f->pane, folder);
  loop_turn_until(cwu_runs_watch_peek_details(f->watch, folder) != NULL);
  loop_turn_for(50);
}

static void
assert_says(GtkWidget *widget, const char *words, bool is_said)
{
  g_autofree char *all = panes_dup_words(widget);
  if ((strstr(all, words) != NULL) != is_said)
    g_error("\"%s\" is %ssaid: %s", words, is_said ? "not " : "", all);
}

/* A button that is shown, by the beginning of its tooltip or label; NULL: there is none. */
static GtkWidget *
find_button(GtkWidget *widget, const char *words)
{
  if (!gtk_widget_get_visible(widget))
    return NULL;
  if (GTK_IS_BUTTON(widget)) {
    const char *tooltip = gtk_widget_get_tooltip_text(widget);
    const char *label = gtk_button_get_label(GTK_BUTTON(widget));
    if ((tooltip != NULL && g_str_has_prefix(tooltip, words)) ||
        (label != NULL && g_str_has_prefix(label, words)))
      return widget;
  }
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    GtkWidget *found = find_button(child, words);
    if (found != NULL)
      return found;
  }
  return NULL;
}

static GtkWidget *
head_of(Fixture *f)
{
  return panes_find(GTK_WIDGET(f->pane), CWU_TYPE_RUN_HEAD);
}

/* Letters: p pause, r resume, s stop, d delete, u use; those that must be offered. */
static void
assert_offers(Fixture *f, const char *wanted)
{
  static const struct {
    char letter;
    const char *words;
  } rows[] = {
    { 'p', "Pause" }, { 'r', "Go on" }, { 's', "Stop" }, { 'd', "Delete" }, { 'u', "_Use" }
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    if ((find_button(head_of(f), rows[i].words) != NULL) !=
        (strchr(wanted, rows[i].letter) != NULL))
      g_error("\"%s\" and \"%s\"", rows[i].words, wanted);
}

/* The chart of that title that is shown, NULL if there is none. */
static const CwuChart *
find_chart(GtkWidget *widget, const char *title)
{
  if (!gtk_widget_get_visible(widget))
    return NULL;
  if (CWU_IS_CHART_VIEW(widget)) {
    const CwuChart *chart = cwu_chart_view_peek(CWU_CHART_VIEW(widget));
    return strcmp(chart->title, title) == 0 ? chart : NULL;
  }
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    const CwuChart *found = find_chart(child, title);
    if (found != NULL)
      return found;
  }
  return NULL;
}

/* ---- tests ------------------------------------------------------------------------------ */

static void
test_states(Fixture *f, gconstpointer data)
{
  g_autofree char *finished = make_run(f, "finished", "train", 1700000600, ENDED("0"));
  g_autofree char *failed = make_run(f, "failed", "train", 1700000500, ENDED("1"));
  g_autofree char *stopped = make_run(f, "stopped", "train", 1700000400, ENDED("143"));
  g_autofree char *dead = make_run(f, "dead", "train", 1700000300, AT_WORK);
  g_autofree char *damaged = make_run(f, "damaged", "train", 1700000200, NULL);
  g_autofree char *running = make_run(f, "running", "train", 1700000700, AT_WORK);
  g_autofree char *transcoder = g_build_filename(finished, "transcoder", NULL);
  g_autofree char *plan = g_build_filename(damaged, "run.json", NULL);
  g_assert_cmpint(g_mkdir(transcoder, 0777), ==, 0);
  g_assert_true(g_file_set_contents(plan, "{\"format\": ", -1, NULL));
  int lock = hold_lock(running);
  append_metrics(running, 0, N_LINES);
  show(f, NULL);
  loop_turn_until(panes_count(GTK_WIDGET(f->pane), CWU_TYPE_RUN_ROW) == 6);

  /* The newest is shown first. */
  loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  assert_says(head_of(f), "running", true);
  assert_says(head_of(f), "Running · 25% · 10 min left", true);
  assert_offers(f, "ps");
  g_assert_nonnull(find_chart(GTK_WIDGET(f->pane), "Dead features"));
  assert_says(GTK_WIDGET(f->pane), "last line of the log", false); /* in a text view */

  select_run(f, finished);
  assert_offers(f, "du");
  g_assert_null(find_chart(GTK_WIDGET(f->pane), "Loss"));
  g_signal_emit_by_name(find_button(head_of(f), "_Use"), "clicked");
  g_assert_cmpstr(f->used, ==, transcoder);

  select_run(f, failed);
  assert_offers(f, "rd");
  assert_says(GTK_WIDGET(f->pane), "the loss is not finite", true);
  assert_says(GTK_WIDGET(f->pane), "last line of the log", true);
  select_run(f, stopped);
  assert_offers(f, "rd");
  assert_says(GTK_WIDGET(f->pane), "the loss is not finite", false);
  select_run(f, dead);
  assert_says(head_of(f), "Died", true);
  assert_says(GTK_WIDGET(f->pane), "{\"step\"", false); /* is drawn, not read */
  assert_says(GTK_WIDGET(f->pane), "last line of the log", true);
  select_run(f, damaged);
  assert_says(head_of(f), "Damaged", true);
  assert_says(GTK_WIDGET(f->pane), "run.json", true);
  assert_offers(f, "d");
  close(lock);
}

/* What a worker writes is seen, and its death, within a second and with its last lines. */
static void
test_live(Fixture *f, gconstpointer data)
{
  LoopWatch watch = { 0 };
  g_autofree char *folder = make_run(f, "live", "train", 1700000700, AT_WORK);
  int lock = hold_lock(folder);
  append_metrics(folder, 0, N_LINES);
  show(f, NULL);
  loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  g_assert_cmpuint(find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].n, ==, N_LINES);
  loop_turn_for(200);
  loop_watch_start(&watch);
  for (int i = 1; i < 4; i++) {
    append_metrics(folder, i * N_LINES, N_LINES);
    loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].n ==
                    (size_t)(i + 1) * N_LINES);
  }
  loop_watch_stop(&watch);
  g_test_message("live: %.1f ms in the longest turn", watch.worst_cpu_ms);
  gint64 killed = g_get_monotonic_time();
  close(lock);
  loop_turn_until(cwu_runs_watch_find(f->watch, folder)->state == CW_RUN_DEAD);
  double seconds = (double)(g_get_monotonic_time() - killed) / G_USEC_PER_SEC;
  g_test_message("a dead worker is shown after %.2f s", seconds);
  assert_says(head_of(f), "Died", true);
  assert_says(GTK_WIDGET(f->pane), "last line of the log", true);
  g_assert_cmpfloat(seconds, <, DEAD_LIMIT_S);
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpfloat(watch.worst_cpu_ms, <, TURN_LIMIT_MS);
#endif
}

static void
test_compare(Fixture *f, gconstpointer data)
{
  g_autofree char *one = make_run(f, "one", "train", 1700000700, ENDED("143"));
  g_autofree char *two = make_run(f, "two", "train", 1700000600, ENDED("143"));
  g_autofree char *cache = make_run(f, "words", "cache", 1700000500, ENDED("143"));
  append_metrics(one, 0, 50);
  append_metrics(two, 0, 30);
  show(f, NULL);
  loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  g_assert_null(find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].name);
  GtkWidget *compare = panes_find(head_of(f), GTK_TYPE_MENU_BUTTON);
  GtkWidget *list = panes_find(
      GTK_WIDGET(gtk_menu_button_get_popover(GTK_MENU_BUTTON(compare))), GTK_TYPE_LIST_BOX);
  assert_says(list, "two", true);
  assert_says(list, "words", false);
  g_signal_emit_by_name(list, "row-activated",
                        gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 1));
  loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss")->n_series == 2);
  const CwuChart *loss = find_chart(GTK_WIDGET(f->pane), "Loss");
  g_assert_cmpstr(loss->series[0].name, ==, "one");
  g_assert_cmpstr(loss->series[1].name, ==, "two");
  g_assert_cmpuint(loss->series[1].n, ==, 30);
  g_assert_true(loss->series[1].is_dashed && !loss->series[0].is_dashed);
  g_assert_cmpint(loss->series[1].tone, !=, loss->series[0].tone);
  g_signal_emit_by_name(list, "row-activated",
                        gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 0));
  loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss")->n_series == 1);
}

static void
ordered_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(GError) error = NULL;
  cwu_runs_watch_order_finish(result, &error);
  *(char **)user_data = g_strdup(error != NULL ? error->message : "");
}

static void
test_delete(Fixture *f, gconstpointer data)
{
  g_autofree char *one = make_run(f, "one", "train", 1700000700, ENDED("143"));
  g_autofree char *two = make_run(f, "two", "train", 1700000600, ENDED("143"));
  g_autofree char *answer = NULL, *again = NULL;
  show(f, NULL);
  select_run(f, one);
  cwu_runs_watch_order_async(f->watch, CWU_RUNS_DELETE_FOR_GOOD, one, ordered_cb, &answer);
  loop_turn_until(answer != NULL);
  g_assert_cmpstr(answer, ==, "");
  g_assert_false(g_file_test(one, G_FILE_TEST_EXISTS));
  loop_turn_until(panes_count(GTK_WIDGET(f->pane), CWU_TYPE_RUN_ROW) == 1);
  assert_says(head_of(f), "two", true);
  cwu_runs_watch_order_async(f->watch, CWU_RUNS_PAUSE, one, ordered_cb, &again);
  loop_turn_until(again != NULL);
  g_assert_nonnull(strstr(again, one));
}

/* Many runs appear without keeping the window waiting. */
static void
test_many(Fixture *f, gconstpointer data)
{
  LoopWatch watch = { 0 };
  for (int i = 0; i < 60; i++) {
    g_autofree char *name = g_strdup_printf("run-%02d", i);
    g_autofree char *folder = make_run(f, name, "train", 1700000000 + i, ENDED("143"));
    append_metrics(folder, 0, 20);
  }
  loop_watch_start(&watch);
  show(f, NULL);
  loop_turn_until(panes_count(GTK_WIDGET(f->pane), CWU_TYPE_RUN_ROW) == 60);
  loop_watch_stop(&watch);
  loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  assert_says(head_of(f), "run-59", true);
  g_test_message("60 runs: %.1f ms in the longest turn, the window's first frame with it",
                 watch.worst_cpu_ms);
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpfloat(watch.worst_cpu_ms, <, TURN_LIMIT_MS);
#endif
}

static void
test_empty(Fixture *f, gconstpointer data)
{
  show(f, NULL);
  loop_turn_for(50);
  assert_says(GTK_WIDGET(f->pane), "Train a Transcoder", true);
  gtk_widget_activate_action(GTK_WIDGET(f->pane), "runs.new", "s", "train");
  g_assert_nonnull(cwu_runs_pane_peek_form(f->pane));
  g_assert_cmpint(
      cwu_run_draft_get_kind(cwu_run_form_peek_draft(cwu_runs_pane_peek_form(f->pane))), ==,
      CW_RUN_TRAINING);
  g_signal_emit_by_name(cwu_runs_pane_peek_form(f->pane), "cancel");
  g_assert_null(cwu_runs_pane_peek_form(f->pane));
  assert_says(GTK_WIDGET(f->pane), "Train a Transcoder", true);
}

/* From the form to the finished transcoder, and found again by another window. */
static void
test_real(Fixture *f, gconstpointer data)
{
  g_autofree char *split = test_golden_path("training/clt/activations_split_0.safetensors");
  if (g_getenv("CLEW_PROGRAM") == NULL)
    g_error("CLEW_PROGRAM names the program");
  show(f, g_getenv("CLEW_PROGRAM"));
  gtk_widget_activate_action(GTK_WIDGET(f->pane), "runs.new", "s", "train");
  CwuRunForm *form = cwu_runs_pane_peek_form(f->pane);
  CwuRunDraft *draft = cwu_run_form_peek_draft(form);
  static const char *const values[][2] = {
    { "d_latent", "16" }, { "total_steps", "40" },    { "batch", "8" },
    { "threads", "1" },   { "log_every_steps", "1" }, { "normalise", "false" },
  };
  cwu_run_draft_set(draft, cwu_run_draft_find(draft, "activations"), split);
  for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
    cwu_run_draft_set(draft, cwu_run_draft_find(draft, values[i][0]), values[i][1]);
  cwu_run_draft_set_name(draft, "small");
  cwu_run_form_update(form);
  g_signal_emit_by_name(find_button(GTK_WIDGET(form), "_Start"), "clicked");
  g_autofree char *folder = g_build_filename(f->root, "small", NULL);
  loop_turn_until(cwu_runs_watch_find(f->watch, folder) != NULL);
  loop_turn_until(cwu_runs_watch_find(f->watch, folder)->ended_s != 0);
  const CwRunFacts *facts = cwu_runs_watch_find(f->watch, folder);
  g_assert_cmpstr(facts->reason, ==, NULL);
  g_assert_cmpint(facts->state, ==, CW_RUN_FINISHED);
  loop_turn_until(find_chart(GTK_WIDGET(f->pane), "Loss") != NULL &&
                  find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].n == 40);
  assert_says(head_of(f), "Finished", true);
  assert_offers(f, "du");
  g_assert_null(cwu_runs_pane_peek_form(f->pane));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*test)(Fixture *f, gconstpointer data);
  } rows[] = { { "states", test_states },     { "live", test_live },
               { "compare", test_compare },   { "delete", test_delete },
               { "many", test_many },         { "empty", test_empty },
               { "real-training", test_real } };
  if (!widget_test_init(&argc, &argv))
    return 0;
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strconcat("/ui/runs-pane/", rows[i].name, NULL);
    g_test_add(path, Fixture, NULL, set_up, rows[i].test, tear_down);
  }
  return g_test_run();
}
