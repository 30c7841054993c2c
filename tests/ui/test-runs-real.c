/* test-runs-real.c - the pane of runs over workers that are at work: a training from the form,
 * one under the hands of whoever presses its buttons, and a cache. Wants a display. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "loop-watch.h"
#include "runs-support.h"
#include "test-support.h"
#include "widget-test.h"

#define STEPS    "30000" /* 7 s of computing */
#define QUIET_MS 1200    /* that nothing must be written in */

static const char *
program(void)
{
  const char *path = g_getenv("CLEW_PROGRAM");
  if (path == NULL)
    g_error("CLEW_PROGRAM names the program");
  return path;
}

/* From the form to the finished transcoder, and found again by another window. */
static void
test_real(RunsFixture *f, gconstpointer data)
{
  g_autofree char *split = test_golden_path("training/clt/activations_split_0.safetensors");
  runs_show(f, program());
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
  g_signal_emit_by_name(runs_find_button(GTK_WIDGET(form), "_Start"), "clicked");
  g_autofree char *folder = g_build_filename(f->root, "small", NULL);
  loop_turn_until(cwu_runs_watch_find(f->watch, folder) != NULL);
  /* The last word is written while the worker still holds its folder. */
  loop_turn_until(cwu_runs_watch_find(f->watch, folder)->ended_s != 0 &&
                  cwu_runs_watch_find(f->watch, folder)->state != CW_RUN_RUNNING);
  const CwRunFacts *facts = cwu_runs_watch_find(f->watch, folder);
  g_assert_cmpstr(facts->reason, ==, NULL);
  g_assert_cmpint(facts->state, ==, CW_RUN_FINISHED);
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), "Loss") != NULL &&
                  runs_find_chart(GTK_WIDGET(f->pane), "Loss")->series[0].n == 40);
  runs_assert_says(runs_head_of(f), "Finished", true);
  runs_assert_offers(f, "du");
  g_assert_null(cwu_runs_pane_peek_form(f->pane));
}

/* ---- pressing --------------------------------------------------------------------------- */

static void
started_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(GError) error = NULL;
  *(char **)user_data = cwu_runs_watch_start_finish(result, &error);
  g_assert_no_error(error);
}

/* Its folder, transfer full. */
static char *
start(RunsFixture *f, CwRunKind kind, const char *const *arguments)
{
  char *folder = NULL;
  cwu_runs_watch_start_async(f->watch, kind, NULL, arguments, started_cb, &folder);
  loop_turn_until(folder != NULL);
  runs_select(f, folder);
  return folder;
}

static const CwRunFacts *
facts_of(RunsFixture *f, const char *folder)
{
  return cwu_runs_watch_find(f->watch, folder);
}

/* Presses the head's button once it is there, and waits for what it is to lead to. */
static void
press(RunsFixture *f, const char *folder, const char *words, CwRunState state)
{
  loop_turn_until(runs_find_button(runs_head_of(f), words) != NULL);
  g_signal_emit_by_name(runs_find_button(runs_head_of(f), words), "clicked");
  loop_turn_until(facts_of(f, folder)->state == state);
  g_assert_cmpstr(f->told, ==, NULL);
}

static goffset
get_size(const char *folder, const char *name)
{
  GStatBuf info;
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_stat(path, &info) == 0 ? (goffset)info.st_size : 0;
}

/* Whether a worker writes: its log and its metrics grow. */
static void
assert_grows(const char *folder)
{
  goffset log = get_size(folder, "log.txt"), metrics = get_size(folder, "metrics.jsonl");
  loop_turn_until(get_size(folder, "log.txt") > log &&
                  get_size(folder, "metrics.jsonl") > metrics);
}

/* Nobody writes, and what was saved is whole. */
static void
assert_rests(RunsFixture *f, const char *folder)
{
  g_autoptr(CwRun) run = cw_run_open(folder);
  g_autoptr(GPtrArray) checkpoints = cw_run_list_checkpoints(run);
  goffset log = get_size(folder, "log.txt"), metrics = get_size(folder, "metrics.jsonl");
  loop_turn_for(QUIET_MS);
  g_assert_cmpint(get_size(folder, "log.txt"), ==, log);
  g_assert_cmpint(get_size(folder, "metrics.jsonl"), ==, metrics);
  g_assert_cmpint(facts_of(f, folder)->pid, ==, 0);
  g_assert_cmpuint(checkpoints->len, >, 0);
  g_assert_true(cw_run_peek_facts(run)->fraction < 1);
  runs_assert_offers(f, "rd");
}

/* The tensors of a folder are those of another, byte for byte; the other files name the run. */
static void
assert_same_files(const char *folder, const char *other)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  guint n = 0;
  g_assert_nonnull(dir);
  while ((name = g_dir_read_name(dir)) != NULL) {
    if (!g_str_has_suffix(name, ".safetensors"))
      continue;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *beside = g_build_filename(other, name, NULL);
    g_autofree char *bytes = NULL, *expected = NULL;
    gsize n_bytes, n_expected;
    g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
    g_assert_true(g_file_get_contents(beside, &expected, &n_expected, NULL));
    g_assert_cmpmem(bytes, n_bytes, expected, n_expected);
    n++;
  }
  g_assert_cmpuint(n, >=, 2);
}

/* Paused, gone on with, stopped, gone on with: the buttons do it to the process, and its
 * transcoder has the bytes of one that nobody disturbed. */
static void
test_pressed(RunsFixture *f, gconstpointer data)
{
  g_autofree char *split = test_golden_path("training/clt/activations_split_0.safetensors");
  const char *const arguments[] = { "--activations",
                                    split,
                                    "--batch",
                                    "32",
                                    "--d-latent",
                                    "96",
                                    "--total-steps",
                                    STEPS,
                                    "--threads",
                                    "1",
                                    "--log-every-steps",
                                    "50",
                                    NULL };
  runs_show(f, program());
  g_autofree char *whole = start(f, CW_RUN_TRAINING, arguments);
  loop_turn_until(facts_of(f, whole)->state == CW_RUN_FINISHED);
  g_autofree char *folder = start(f, CW_RUN_TRAINING, arguments);
  loop_turn_until(facts_of(f, folder)->state == CW_RUN_RUNNING);
  runs_assert_offers(f, "ps");
  assert_grows(folder);
  int64_t pid = facts_of(f, folder)->pid;
  press(f, folder, "Pause", CW_RUN_PAUSED);
  assert_rests(f, folder);
  press(f, folder, "Go on", CW_RUN_RUNNING);
  assert_grows(folder);
  g_assert_cmpint(facts_of(f, folder)->pid, !=, pid);
  press(f, folder, "Stop", CW_RUN_STOPPED);
  assert_rests(f, folder);
  press(f, folder, "Go on", CW_RUN_FINISHED);
  assert_same_files(facts_of(f, folder)->result, facts_of(f, whole)->result);
}

/* ---- a cache ---------------------------------------------------------------------------- */

/* Both curves, over seconds that go on behind those of the worker before. */
static const CwuSeries *
await_chart(RunsFixture *f, const char *title, double after)
{
  loop_turn_until(runs_find_chart(GTK_WIDGET(f->pane), title) != NULL);
  const CwuChart *chart = runs_find_chart(GTK_WIDGET(f->pane), title);
  g_assert_cmpstr(chart->x_name, ==, "seconds");
  g_assert_cmpuint(chart->n_series, ==, 1);
  loop_turn_until(chart->series[0].n >= 2 &&
                  chart->series[0].x[chart->series[0].n - 1] > after);
  for (size_t i = 1; i < chart->series[0].n; i++)
    g_assert_cmpfloat(chart->series[0].x[i], >, chart->series[0].x[i - 1]);
  return &chart->series[0];
}

/* A cache that is being made draws how fast it is and how far; paused and gone on with, its
 * curves go on. */
static void
test_cache(RunsFixture *f, gconstpointer data)
{
  g_autofree char *model = test_golden_path("attribution/llama-clt/model");
  g_autofree char *texts = test_temp_dir(), *tokens = test_write_token_ids(texts, 4000000);
  const char *const arguments[] = { "--model", model,   "--text",    tokens, "--context", "20",
                                    "--batch", "20000", "--threads", "1",    NULL };
  runs_show(f, program());
  g_autofree char *folder = start(f, CW_RUN_CACHE, arguments);
  const CwuSeries *share = await_chart(f, "Share done", 0);
  const CwuSeries *speed = await_chart(f, "Speed", 0);
  g_assert_cmpfloat(share->y[share->n - 1], >, share->y[0]);
  g_assert_cmpfloat(share->y[share->n - 1], <, 1);
  g_assert_cmpfloat(speed->y[speed->n - 1], >, 0);
  g_assert_true(isnan(speed->y[0]));
  g_assert_null(runs_find_chart(GTK_WIDGET(f->pane), "Loss"));
  press(f, folder, "Pause", CW_RUN_PAUSED);
  loop_turn_for(QUIET_MS);
  share = await_chart(f, "Share done", 0);
  double seconds = share->x[share->n - 1];
  press(f, folder, "Go on", CW_RUN_RUNNING);
  await_chart(f, "Share done", seconds);
  press(f, folder, "Stop", CW_RUN_STOPPED);
  test_remove_tree(texts);
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
#define ADD(name, test) \
  g_test_add("/ui/runs-real/" name, RunsFixture, NULL, runs_set_up, test, runs_tear_down)
  ADD("from-the-form", test_real);
  ADD("pressed", test_pressed);
  ADD("cache", test_cache);
#undef ADD
  return g_test_run();
}
