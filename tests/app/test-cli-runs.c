/* test-cli-runs.c - runs of the program as folders: started, watched, paused, killed, deleted.
 *
 * Workers are real trainings on a small split; with "--launch ROOT" this program is a launcher
 * that ends at once. */
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "cw-runs.h"
#include "program.h"

#define LONG       "60000" /* steps: minutes */
#define POLL_MS    50
#define PATIENCE_S 60 /* of a machine under load */

typedef struct {
  char *folder, *root, *split;
  CwRuns *runs;
} Fixture;

static CwRunState
state_of(CwRun *run)
{
  cw_run_refresh(run);
  return cw_run_peek_facts(run)->state;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->folder = test_temp_dir();
  fixture->root = g_build_filename(fixture->folder, "runs", NULL);
  fixture->split = test_golden_path("training/clt/activations_split_0.safetensors");
  fixture->runs = cw_runs_new(fixture->root, g_getenv("CLEW_PROGRAM"));
}

/* No worker outlives its test. */
static void
tear_down(Fixture *fixture, gconstpointer data)
{
  cw_runs_refresh(fixture->runs, NULL, NULL);
  for (size_t i = 0; i < cw_runs_get_n(fixture->runs); i++) {
    CwRun *run = cw_runs_peek(fixture->runs, i);
    while (state_of(run) == CW_RUN_WAITING)
      g_usleep(POLL_MS * 1000);
    cw_runs_kill(fixture->runs, run, NULL);
  }
  cw_runs_free(fixture->runs);
  test_remove_tree(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->root);
  g_free(fixture->split);
}

/* Until the process has ended, though nobody may have asked after its status yet. Its lock goes
 * a moment before it, its memory before that. */
static void
await_end(int64_t pid)
{
  g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
  for (;;) {
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL) || strstr(text, ") Z") != NULL ||
        strstr(text, ") X") != NULL)
      return;
    g_usleep(1000);
  }
}

/* A training that takes minutes unless it is stopped, or n_steps of it. */
static CwRun *
start(CwRuns *runs, const char *split, const char *name, const char *n_steps)
{
  g_autoptr(GError) error = NULL;
  const char *const arguments[] = { "--activations",
                                    split,
                                    "--batch",
                                    "32",
                                    "--d-latent",
                                    "96",
                                    "--total-steps",
                                    LONG,
                                    "--steps",
                                    n_steps,
                                    "--lr-warm-up-steps",
                                    "5",
                                    "--log-every-steps",
                                    "5",
                                    "--threads",
                                    "1",
                                    NULL };
  const CwRunRequest request = { CW_RUN_TRAINING, name, arguments };
  CwRun *run = cw_runs_start(runs, &request, &error);
  g_assert_no_error(error);
  return run;
}

static CwRun *
start_long(Fixture *fixture, const char *name)
{
  return start(fixture->runs, fixture->split, name, LONG);
}

/* Refreshes until the run is in the state; seconds that took. */
static double
await(CwRun *run, CwRunState state)
{
  gint64 began = g_get_monotonic_time(), now = began;
  while (state_of(run) != state) {
    now = g_get_monotonic_time();
    if (now - began > PATIENCE_S * G_USEC_PER_SEC) {
      const CwRunFacts *facts = cw_run_peek_facts(run);
      g_autofree char *log = cw_run_dup_log_tail(run, 20);
      g_error("%s is %s (%s), not %s; log: %s", facts->name, cw_run_state_name(facts->state),
              facts->reason, cw_run_state_name(state), log);
    }
    g_usleep(POLL_MS * 1000);
  }
  return (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
}

/* Refreshes until the curve of the loss has n points. */
static const CwRunCurve *
await_points(CwRun *run, size_t n)
{
  gint64 began = g_get_monotonic_time();
  for (;;) {
    cw_run_refresh(run);
    const CwRunCurve *loss = cw_run_peek_curve(run, "loss");
    if (loss != NULL && loss->n >= n)
      return loss;
    g_assert_cmpint(g_get_monotonic_time() - began, <, PATIENCE_S * G_USEC_PER_SEC);
    g_usleep(POLL_MS * 1000);
  }
}

static void
assert_ascends(const CwRunCurve *curve)
{
  for (size_t i = 1; i < curve->n; i++)
    g_assert_cmpfloat(curve->x[i], >, curve->x[i - 1]);
}

/* Curves come while it runs; paused it is saved and its process gone; resumed it goes on behind
 * the checkpoint, and the curve has each step once. */
static void
test_paused(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  CwRun *run = start_long(fixture, NULL);
  const CwRunFacts *facts = cw_run_peek_facts(run);
  g_assert_cmpstr(facts->name, ==, "train-1");
  g_assert_cmpint(facts->kind, ==, CW_RUN_TRAINING);
  await(run, CW_RUN_RUNNING);
  assert_ascends(await_points(run, 3));
  g_assert_cmpint(facts->pid, >, 1);
  g_assert_cmpint(facts->actions, ==, CW_RUN_CAN_PAUSE | CW_RUN_CAN_STOP | CW_RUN_CAN_KILL);
  int64_t pid = facts->pid;
  g_assert_true(cw_runs_pause(fixture->runs, run, &error));
  g_assert_no_error(error);
  await(run, CW_RUN_PAUSED);
  g_assert_cmpint(facts->exit_status, ==, 130);
  await_end(pid);
  g_autoptr(GPtrArray) checkpoints = cw_run_list_checkpoints(run);
  g_assert_cmpuint(checkpoints->len, ==, 1);
  const CwRunCurve *loss = cw_run_peek_curve(run, "loss");
  double last = loss->x[loss->n - 1];
  size_t n = loss->n;
  g_assert_true(cw_runs_resume(fixture->runs, run, &error));
  g_assert_no_error(error);
  loss = await_points(run, n + 3);
  assert_ascends(loss);
  g_assert_cmpfloat(loss->x[loss->n - 1], >, last);
  for (size_t i = 0; i < loss->n; i++)
    g_assert_cmpfloat(loss->x[i], ==, 5 * (double)i);
  g_assert_true(cw_runs_stop(fixture->runs, run, &error));
  await(run, CW_RUN_STOPPED);
}

/* A worker that is killed is known to be within a second of looking twice a second, with the
 * last lines of its log; it can be gone on with. */
static void
test_killed(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  CwRun *run = start_long(fixture, "victim");
  const CwRunFacts *facts = cw_run_peek_facts(run);
  await(run, CW_RUN_RUNNING);
  await_points(run, 2);
  int64_t pid = facts->pid;
  g_assert_cmpint(kill((GPid)pid, SIGKILL), ==, 0);
  await_end(pid);
  g_assert_cmpfloat(await(run, CW_RUN_DEAD), <, 1);
  g_assert_nonnull(strstr(facts->reason, "without a word"));
  g_assert_cmpint(facts->pid, ==, 0);
  g_autofree char *log = cw_run_dup_log_tail(run, 1);
  g_assert_cmpuint(strlen(log), >, 10);
  g_assert_null(strchr(log, '\n'));
  g_assert_nonnull(strstr(log, ", explained variance "));
  g_assert_false(cw_runs_pause(fixture->runs, run, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_clear_error(&error);
  g_assert_true(cw_runs_resume(fixture->runs, run, &error));
  await(run, CW_RUN_RUNNING);
  g_assert_true(cw_runs_kill(fixture->runs, run, &error));
  await(run, CW_RUN_DEAD);
}

/* What started the run is gone; another list finds it at work, and both see its end. */
static void
test_launcher_gone(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
  const char *const argv[] = { self, "--launch", fixture->root, fixture->split, NULL };
  int status = -1;
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status,
               &error);
  g_assert_no_error(error);
  g_assert_cmpint(status, ==, 0);
  g_assert_cmpuint(cw_runs_get_n(fixture->runs), ==, 0);
  unsigned changes = cw_runs_refresh(fixture->runs, NULL, NULL);
  g_assert_true((changes & CW_RUN_LIST_CHANGED) != 0);
  g_assert_cmpuint(cw_runs_get_n(fixture->runs), ==, 1);
  CwRun *run = cw_runs_peek(fixture->runs, 0);
  await(run, CW_RUN_RUNNING);
  await_points(run, 2);
  g_autoptr(CwRuns) other = cw_runs_new(fixture->root, g_getenv("CLEW_PROGRAM"));
  CwRun *same = cw_runs_peek(other, 0);
  g_assert_true(cw_runs_stop(other, same, &error));
  g_assert_no_error(error);
  await(run, CW_RUN_STOPPED);
  await(same, CW_RUN_STOPPED);
  /* The second to resume is told so. */
  g_assert_true(cw_runs_resume(other, same, &error));
  g_assert_false(cw_runs_resume(fixture->runs, run, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
}

/* The end, and what cannot be: wrong settings, no such program, a name that is taken. */
static void
test_ends(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  CwRun *run = start(fixture->runs, fixture->split, "short", "8");
  await(run, CW_RUN_FINISHED);
  const CwRunFacts *facts = cw_run_peek_facts(run);
  g_assert_true(g_str_has_suffix(facts->result, "/transcoder"));
  g_assert_cmpfloat(facts->fraction, ==, 1);
  g_assert_false(cw_runs_resume(fixture->runs, run, &error));
  g_clear_error(&error);
  const char *const wrong[] = { "--activations", "/nowhere", "--d-latnet", "7", NULL };
  CwRunRequest request = { CW_RUN_TRAINING, "wrong", wrong };
  CwRun *refused = cw_runs_start(fixture->runs, &request, &error);
  g_assert_no_error(error);
  await(refused, CW_RUN_FAILED);
  g_assert_nonnull(strstr(cw_run_peek_facts(refused)->reason, "--d-latent"));
  g_assert_null(cw_runs_start(fixture->runs, &request, &error));
  g_assert_nonnull(strstr(error->message, "already"));
  g_clear_error(&error);
  request.name = "../out";
  g_assert_null(cw_runs_start(fixture->runs, &request, &error));
  g_clear_error(&error);
  request.name = NULL;
  g_autoptr(CwRuns) without = cw_runs_new(fixture->root, "/nowhere/clew");
  g_assert_null(cw_runs_start(without, &request, &error));
  g_assert_nonnull(strstr(error->message, "/nowhere/clew"));
  cw_runs_refresh(fixture->runs, NULL, NULL);
  g_assert_cmpuint(cw_runs_get_n(fixture->runs), ==, 2);
}

static void
test_deleted(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  CwRun *run = start_long(fixture, "doomed");
  g_autofree char *folder = g_strdup(cw_run_peek_facts(run)->folder);
  await(run, CW_RUN_RUNNING);
  g_assert_false(cw_runs_delete(fixture->runs, run, false, &error));
  g_assert_nonnull(strstr(error->message, "worker"));
  g_clear_error(&error);
  g_assert_true(cw_runs_kill(fixture->runs, run, &error));
  await(run, CW_RUN_DEAD);
  g_autofree char *kept = g_build_filename(fixture->folder, "kept", NULL);
  g_autofree char *link = g_build_filename(folder, "link", NULL);
  g_assert_true(g_file_set_contents(kept, "x", -1, NULL));
  g_assert_cmpint(symlink(fixture->folder, link), ==, 0);
  g_assert_true(cw_runs_delete(fixture->runs, run, false, &error));
  g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
  g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
  g_assert_cmpuint(cw_runs_get_n(fixture->runs), ==, 0);
}

/* A training from a terminal keeps the same record: it is added, paused, gone on with from
 * here, and taken off the list without harm. A second one in its folder is refused, and one
 * that cannot begin leaves nothing. */
static void
test_by_hand(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = g_build_filename(fixture->folder, "mine", NULL);
  const char *const argv[] = { g_getenv("CLEW_PROGRAM"),
                               "train",
                               "--activations",
                               fixture->split,
                               "-o",
                               folder,
                               "--batch=32",
                               "--d-latent=96",
                               "--total-steps=" LONG,
                               "--log-every-steps=5",
                               "--quiet",
                               NULL };
  g_autoptr(Outcome) absent =
      run_clew("train", "--activations", "/nowhere", "-o", folder, NULL);
  assert_status(absent, 1);
  g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
  g_spawn_async(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  while (!cw_run_is_folder(folder))
    g_usleep(POLL_MS * 1000);
  g_assert_true(cw_runs_add(fixture->runs, folder, &error));
  CwRun *run = cw_runs_peek(fixture->runs, 0);
  await(run, CW_RUN_RUNNING);
  await_points(run, 2);
  g_autoptr(Outcome) second =
      run_clew("train", "--activations", fixture->split, "-o", folder, NULL);
  assert_status(second, 1);
  assert_contains(second->err, "already");
  g_assert_true(cw_runs_pause(fixture->runs, run, &error));
  await(run, CW_RUN_PAUSED);
  g_assert_true(cw_runs_resume(fixture->runs, run, &error));
  await(run, CW_RUN_RUNNING);
  g_assert_true(cw_runs_kill(fixture->runs, run, &error));
  await(run, CW_RUN_DEAD);
  g_assert_true(cw_run_peek_facts(run)->is_added);
  g_assert_true(cw_runs_delete(fixture->runs, run, false, &error));
  g_assert_true(cw_run_is_folder(folder));
}

/* ---- caches and evaluations -------------------------------------------------------------
 */

static CwRun *
start_kind(Fixture *fixture, CwRunKind kind, const char *const *arguments)
{
  g_autoptr(GError) error = NULL;
  const CwRunRequest request = { kind, NULL, arguments };
  CwRun *run = cw_runs_start(fixture->runs, &request, &error);
  g_assert_no_error(error);
  return run;
}

/* From text to a cache, a transcoder and its report, each run taking what the one before made.
 */
static void
test_chain(Fixture *fixture, gconstpointer data)
{
  g_autofree char *model = test_golden_path("attribution/llama-clt/model");
  g_autofree char *tokens = test_write_token_ids(fixture->folder, 4000);
  const char *const caching[] = { "--model", model, "--text", tokens, "--context", "20", NULL };
  CwRun *cache = start_kind(fixture, CW_RUN_CACHE, caching);
  await(cache, CW_RUN_FINISHED);
  const char *store = cw_run_peek_facts(cache)->result;
  g_assert_true(g_str_has_suffix(store, "/cache-1/cache"));
  const char *const training[] = { "--activations", store, "--d-latent", "16",
                                   "--batch",       "64",  "--steps",    "20",
                                   "--total-steps", "20",  NULL };
  CwRun *train = start_kind(fixture, CW_RUN_TRAINING, training);
  await(train, CW_RUN_FINISHED);
  const char *const evaluating[] = {
    "--activations", store, "--transcoder", cw_run_peek_facts(train)->result, "--limit",
    "500",           NULL
  };
  CwRun *eval = start_kind(fixture, CW_RUN_EVALUATION, evaluating);
  await(eval, CW_RUN_FINISHED);
  const CwRunFacts *facts = cw_run_peek_facts(eval);
  g_autofree char *page = g_build_filename(facts->folder, CW_RUN_PAGE_FILE, NULL);
  g_assert_true(g_str_has_suffix(facts->result, "/eval-1/report.json"));
  g_assert_true(g_file_test(page, G_FILE_TEST_EXISTS));
  g_assert_cmpuint(cw_runs_get_n(fixture->runs), ==, 3);
}

/* A cache tells its rows, is paused, and goes on to its end behind what is stored. */
static void
test_cache_paused(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *model = test_golden_path("attribution/llama-clt/model");
  g_autofree char *tokens = test_write_token_ids(fixture->folder, 4000000);
  const char *const caching[] = { "--model", model,   "--text",    tokens, "--context", "20",
                                  "--batch", "20000", "--threads", "1",    NULL };
  CwRun *run = start_kind(fixture, CW_RUN_CACHE, caching);
  await(run, CW_RUN_RUNNING);
  const CwRunCurve *speed;
  while ((speed = cw_run_peek_curve(run, "tokens_per_second")) == NULL || speed->n < 2) {
    g_assert_cmpint(state_of(run), ==, CW_RUN_RUNNING);
    g_usleep(POLL_MS * 1000);
  }
  const CwRunFacts *facts = cw_run_peek_facts(run);
  g_assert_cmpstr(facts->phase, ==, "cache");
  g_assert_cmpfloat(facts->fraction, >, 0);
  g_assert_cmpfloat(facts->seconds_left, >, 0);
  g_assert_true(cw_runs_pause(fixture->runs, run, &error));
  await(run, CW_RUN_PAUSED);
  double fraction = facts->fraction;
  g_assert_true(isnan(facts->seconds_left));
  const CwRunCurve *rows = cw_run_peek_curve(run, "rows");
  double seconds = rows->x[rows->n - 1];
  size_t n = rows->n;
  g_assert_true(cw_runs_resume(fixture->runs, run, &error));
  g_assert_no_error(error);
  do {
    g_usleep(POLL_MS * 1000);
    g_assert_cmpint(state_of(run), <=, CW_RUN_RUNNING);
    rows = cw_run_peek_curve(run, "rows");
  } while (!(facts->fraction > fraction) || rows->n == n);
  /* Behind the worker before, though it makes some of its rows again. */
  assert_ascends(rows);
  g_assert_cmpfloat(rows->x[n - 1], ==, seconds);
}

/* ---- clew info --------------------------------------------------------------------------
 */

/* A run and its checkpoint are described; one flipped byte is named. */
static void
test_info(Fixture *fixture, gconstpointer data)
{
  CwRun *run = start(fixture->runs, fixture->split, "short", "8");
  await(run, CW_RUN_FINISHED);
  const char *folder = cw_run_peek_facts(run)->folder;
  g_autoptr(GPtrArray) checkpoints = cw_run_list_checkpoints(run);
  const char *checkpoint = checkpoints->pdata[0];
  g_autoptr(Outcome) of_run = run_clew("info", folder, NULL);
  assert_status(of_run, 0);
  assert_contains(of_run->out, "finished");
  assert_contains(of_run->out, "Explained variance");
  assert_contains(of_run->out, checkpoint);
  g_autoptr(Outcome) of_checkpoint = run_clew("info", "--json", checkpoint, NULL);
  assert_status(of_checkpoint, 0);
  assert_contains(of_checkpoint->out, "\"step\" : 8");
  assert_contains(of_checkpoint->out, "\"adam_eps\" : 1e-08,");
  g_autofree char *compact = g_build_filename(fixture->folder, "c.safetensors", NULL);
  g_autoptr(Outcome) converted = run_clew("convert", checkpoint, compact, NULL);
  assert_status(converted, 0);
  g_autoptr(Outcome) of_compact = run_clew("info", compact, NULL);
  assert_contains(of_compact->out, "transcoder");
  g_autofree char *state = g_build_filename(checkpoint, "state.safetensors", NULL);
  g_autofree char *bytes = NULL;
  gsize n = 0;
  g_assert_true(g_file_get_contents(state, &bytes, &n, NULL));
  bytes[n - 100] ^= 1;
  g_assert_true(g_file_set_contents(state, bytes, (gssize)n, NULL));
  g_autoptr(Outcome) of_damaged = run_clew("info", checkpoint, NULL);
  assert_status(of_damaged, 1);
  assert_contains(of_damaged->err, "is damaged: its checksum differs");
  g_autofree char *plan = g_build_filename(folder, "run.json", NULL);
  g_assert_true(g_file_set_contents(plan, "{\"format\": ", -1, NULL));
  g_autoptr(Outcome) of_plan = run_clew("info", folder, NULL);
  assert_status(of_plan, 1);
  assert_contains(of_plan->err, "run.json");
}

static int
launch(const char *root, const char *split)
{
  g_autoptr(CwRuns) runs = cw_runs_new(root, g_getenv("CLEW_PROGRAM"));
  return start(runs, split, "orphan", LONG) != NULL ? 0 : 1;
}

int
main(int argc, char **argv)
{
  if (argc == 4 && strcmp(argv[1], "--launch") == 0)
    return launch(argv[2], argv[3]);
  g_test_init(&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add("/app/cli-runs/" name, Fixture, NULL, set_up, test, tear_down)
  ADD("paused", test_paused);
  ADD("killed", test_killed);
  ADD("launcher-gone", test_launcher_gone);
  ADD("ends", test_ends);
  ADD("deleted", test_deleted);
  ADD("by-hand", test_by_hand);
  ADD("chain", test_chain);
  ADD("cache-paused", test_cache_paused);
  ADD("info", test_info);
#undef ADD
  return g_test_run();
}
