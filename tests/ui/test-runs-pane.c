/* test-runs-pane.c - the pane of runs over folders in every state; test-runs-real.c has workers
 * in them. Wants a display. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "loop-watch.h"
#include "panes-support.h"
#include "runs-support.h"
#include "runs/run-row.h"
#include "test-support.h"
#include "widget-test.h"

#define DEAD_LIMIT_S 1.0
#define N_LINES      400

/* ---- folders ---------------------------------------------------------------------------- */

static char *
make_run(RunsFixture *f, const char *name, const char *kind, int created, const char *worker)
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

/* ---- tests ------------------------------------------------------------------------------ */

static void
test_states(RunsFixture *f, gconstpointer data)
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
  runs_show(f, NULL);
  loop_turn_until(panes_count(GTK_WIDGET(f->pane), CWU_TYPE_RUN_ROW) == 6);

  /* The newest is shown first. */
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  runs_assert_says(runs_head_of(f), "running", true);
  runs_assert_says(runs_head_of(f), "Running · 25% · 10 min left", true);
  runs_assert_offers(f, "ps");
  g_assert_nonnull(runs_find_chart(GTK_WIDGET(f->pane), "Dead features"));
  runs_assert_says(GTK_WIDGET(f->pane), "last line of the log", false); /* in a text view */

  runs_select(f, finished);
  runs_assert_offers(f, "du");
  g_assert_null(runs_find_chart(GTK_WIDGET(f->pane), "Loss"));
  g_signal_emit_by_name(runs_find_button(runs_head_of(f), "_Use"), "clicked");
  g_assert_cmpstr(f->used, ==, transcoder);

  runs_select(f, failed);
  runs_assert_offers(f, "rd");
  runs_assert_says(GTK_WIDGET(f->pane), "the loss is not finite", true);
  runs_assert_says(GTK_WIDGET(f->pane), "last line of the log", true);
  runs_select(f, stopped);
  runs_assert_offers(f, "rd");
  runs_assert_says(GTK_WIDGET(f->pane), "the loss is not finite", false);
  runs_select(f, dead);
  runs_assert_says(runs_head_of(f), "Died", true);
  runs_assert_says(GTK_WIDGET(f->pane), "{\"step\"", false); /* is drawn, not read */
  runs_assert_says(GTK_WIDGET(f->pane), "last line of the log", true);
  runs_select(f, damaged);
  runs_assert_says(runs_head_of(f), "Damaged", true);
  runs_assert_says(GTK_WIDGET(f->pane), "run.json", true);
  runs_assert_offers(f, "d");
  close(lock);
}

/* What a worker writes is seen, and its death, within a second and with its last lines. */
static void
test_live(RunsFixture *f, gconstpointer data)
{
  LoopWatch watch = { 0 };
  g_autofree char *folder = make_run(f, "live", "train", 1700000700, AT_WORK);
  int lock = hold_lock(folder);
  append_metrics(folder, 0, N_LINES);
  runs_show(f, NULL);
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  g_assert_cmpuint(runs_find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].n, ==, N_LINES);
  loop_turn_for(200);
  loop_watch_start(&watch);
  for (int i = 1; i < 4; i++) {
    append_metrics(folder, i * N_LINES, N_LINES);
    loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].n ==
                    (size_t)(i + 1) * N_LINES);
  }
  loop_watch_stop(&watch);
  loop_check_turn("live", watch.worst_cpu_ms);
  gint64 killed = g_get_monotonic_time();
  close(lock);
  loop_turn_until(cwu_runs_watch_find(f->watch, folder)->state == CW_RUN_DEAD);
  double seconds = (double)(g_get_monotonic_time() - killed) / G_USEC_PER_SEC;
  g_test_message("a dead worker is shown after %.2f s", seconds);
  runs_assert_says(runs_head_of(f), "Died", true);
  runs_assert_says(GTK_WIDGET(f->pane), "last line of the log", true);
  g_assert_cmpfloat(seconds, <, DEAD_LIMIT_S);
}

static void
test_compare(RunsFixture *f, gconstpointer data)
{
  g_autofree char *one = make_run(f, "one", "train", 1700000700, ENDED("143"));
  g_autofree char *two = make_run(f, "two", "train", 1700000600, ENDED("143"));
  g_autofree char *cache = make_run(f, "words", "cache", 1700000500, ENDED("143"));
  append_metrics(one, 0, 50);
  append_metrics(two, 0, 30);
  runs_show(f, NULL);
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  g_assert_null(runs_find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].name);
  GtkWidget *compare = panes_find(runs_head_of(f), GTK_TYPE_MENU_BUTTON);
  GtkWidget *list = panes_find(
      GTK_WIDGET(gtk_menu_button_get_popover(GTK_MENU_BUTTON(compare))), GTK_TYPE_LIST_BOX);
  runs_assert_says(list, "two", true);
  runs_assert_says(list, "words", false);
  g_signal_emit_by_name(list, "row-activated",
                        gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 1));
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss")->n_series == 2);
  const CwuChart *loss = runs_find_chart(GTK_WIDGET(f->pane), "Loss");
  g_assert_cmpstr(loss->series[0].name, ==, "one");
  g_assert_cmpstr(loss->series[1].name, ==, "two");
  g_assert_cmpuint(loss->series[1].n, ==, 30);
  g_assert_true(loss->series[1].is_dashed && !loss->series[0].is_dashed);
  g_assert_cmpint(loss->series[1].tone, !=, loss->series[0].tone);
  g_signal_emit_by_name(list, "row-activated",
                        gtk_list_box_get_row_at_index(GTK_LIST_BOX(list), 0));
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss")->n_series == 1);
}

static void
ordered_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(GError) error = NULL;
  cwu_runs_watch_order_finish(result, &error);
  *(char **)user_data = g_strdup(error != NULL ? error->message : "");
}

static void
test_delete(RunsFixture *f, gconstpointer data)
{
  g_autofree char *one = make_run(f, "one", "train", 1700000700, ENDED("143"));
  g_autofree char *two = make_run(f, "two", "train", 1700000600, ENDED("143"));
  g_autofree char *answer = NULL, *again = NULL;
  runs_show(f, NULL);
  runs_select(f, one);
  cwu_runs_watch_order_async(f->watch, CWU_RUNS_DELETE_FOR_GOOD, one, ordered_cb, &answer);
  loop_turn_until(answer != NULL);
  g_assert_cmpstr(answer, ==, "");
  g_assert_false(g_file_test(one, G_FILE_TEST_EXISTS));
  loop_turn_until(panes_count(GTK_WIDGET(f->pane), CWU_TYPE_RUN_ROW) == 1);
  runs_assert_says(runs_head_of(f), "two", true);
  cwu_runs_watch_order_async(f->watch, CWU_RUNS_PAUSE, one, ordered_cb, &again);
  loop_turn_until(again != NULL);
  g_assert_nonnull(strstr(again, one));
}

/* Many runs appear without keeping the window waiting. */
static void
test_many(RunsFixture *f, gconstpointer data)
{
  LoopWatch watch = { 0 };
  for (int i = 0; i < 60; i++) {
    g_autofree char *name = g_strdup_printf("run-%02d", i);
    g_autofree char *folder = make_run(f, name, "train", 1700000000 + i, ENDED("143"));
    append_metrics(folder, 0, 20);
  }
  loop_watch_start(&watch);
  runs_show(f, NULL);
  loop_turn_until(panes_count(GTK_WIDGET(f->pane), CWU_TYPE_RUN_ROW) == 60);
  loop_watch_stop(&watch);
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss") != NULL);
  runs_assert_says(runs_head_of(f), "run-59", true);
  loop_check_turn("60 runs and the window's first frame", watch.worst_cpu_ms);
}

static void
test_empty(RunsFixture *f, gconstpointer data)
{
  runs_show(f, NULL);
  loop_turn_for(50);
  runs_assert_says(GTK_WIDGET(f->pane), "Train a Transcoder", true);
  gtk_widget_activate_action(GTK_WIDGET(f->pane), "runs.new", "s", "train");
  g_assert_nonnull(cwu_runs_pane_peek_form(f->pane));
  g_assert_cmpint(
      cwu_run_draft_get_kind(cwu_run_form_peek_draft(cwu_runs_pane_peek_form(f->pane))), ==,
      CW_RUN_TRAINING);
  g_signal_emit_by_name(cwu_runs_pane_peek_form(f->pane), "cancel");
  g_assert_null(cwu_runs_pane_peek_form(f->pane));
  runs_assert_says(GTK_WIDGET(f->pane), "Train a Transcoder", true);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*test)(RunsFixture *f, gconstpointer data);
  } rows[] = { { "states", test_states }, { "live", test_live }, { "compare", test_compare },
               { "delete", test_delete }, { "many", test_many }, { "empty", test_empty } };
  if (!widget_test_init(&argc, &argv))
    return 0;
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strconcat("/ui/runs-pane/", rows[i].name, NULL);
    g_test_add(path, RunsFixture, NULL, runs_set_up, rows[i].test, runs_tear_down);
  }
  return g_test_run();
}
