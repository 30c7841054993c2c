/* test-run-folder.c - what a run's folder says, whole, half written, damaged or copied. */
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cw-runs.h"
#include "runs/run-lock.h"
#include "runs/run-record.h"
#include "test-support.h"

typedef struct {
  char *root, *folder; /* folder: root/one */
} Fixture;

static const char *const no_arguments[] = { NULL };

static void
write_file(const char *folder, const char *name, const char *text)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(folder, name, NULL);
  FILE *file = fopen(path, "w");
  g_assert_nonnull(file);
  g_assert_cmpint(fputs(text, file), >=, 0);
  g_assert_cmpint(fclose(file), ==, 0);
}

static void
append(const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  FILE *file = fopen(path, "a");
  g_assert_nonnull(file);
  g_assert_cmpint(fputs(text, file), >=, 0);
  g_assert_cmpint(fclose(file), ==, 0);
}

static char *
make_run(const char *root, const char *name, CwRunKind kind)
{
  g_autoptr(GError) error = NULL;
  char *folder = g_build_filename(root, name, NULL);
  g_assert_cmpint(g_mkdir(folder, 0777), ==, 0);
  cw_run_plan_write(folder, kind, no_arguments, &error);
  g_assert_no_error(error);
  return folder;
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->root = test_temp_dir();
  fixture->folder = make_run(fixture->root, "one", CW_RUN_TRAINING);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  test_remove_tree(fixture->root);
  g_free(fixture->root);
  g_free(fixture->folder);
}

/* ---- states ----------------------------------------------------------------------------- */

static void
assert_state(const char *folder, CwRunState state, const char *reason)
{
  g_autoptr(CwRun) run = cw_run_open(folder);
  const CwRunFacts *facts = cw_run_peek_facts(run);
  if (facts->state != state)
    g_error("%s (%s), not %s", cw_run_state_name(facts->state), facts->reason,
            cw_run_state_name(state));
  g_assert_cmpint(reason != NULL, ==, facts->reason != NULL);
  if (reason != NULL && strstr(facts->reason, reason) == NULL)
    g_error("\"%s\" is not in: %s", reason, facts->reason);
}

static void
test_states(Fixture *fixture, gconstpointer data)
{
  const char *folder = fixture->folder;
  write_file(folder, "worker.json", "{\"pid\": 0}");
  assert_state(folder, CW_RUN_DEAD, "never started");
  write_file(folder, "worker.json", "{\"pid\": 7, \"pid_start\": 9, \"fraction\": 0.25}");
  assert_state(folder, CW_RUN_DEAD, "without a word");
  write_file(folder, "worker.json", "{\"pid\": 7, \"ended\": 9, \"exit_status\": 130}");
  assert_state(folder, CW_RUN_STOPPED, NULL);
  write_file(folder, "request", "pause\n");
  assert_state(folder, CW_RUN_PAUSED, NULL);
  write_file(folder, "worker.json",
             "{\"pid\": 7, \"ended\": 9, \"exit_status\": 1, \"reason\": \"no disk\"}");
  assert_state(folder, CW_RUN_FAILED, "no disk");
  write_file(folder, "worker.json", "{\"pid\": 7, \"ended\": 9, \"exit_status\": 0}");
  assert_state(folder, CW_RUN_FINISHED, NULL);
  write_file(folder, "worker.json", "{\"pid\": 7, \"ended");
  assert_state(folder, CW_RUN_DEAD, "worker.json is damaged");
  /* Killed after the last byte of the result. */
  g_autofree char *transcoder = g_build_filename(folder, "transcoder", NULL);
  g_assert_cmpint(g_mkdir(transcoder, 0777), ==, 0);
  write_file(folder, "worker.json", "{\"pid\": 7}");
  assert_state(folder, CW_RUN_FINISHED, NULL);
}

/* While a worker is at work a torn page leaves what was known; its copy is dead, not running.
 */
static void
test_at_work(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  int lock = cw_run_lock_take(fixture->folder, &error);
  g_assert_no_error(error);
  g_assert_cmpint(cw_run_lock_take(fixture->folder, &error), ==, -1);
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  assert_state(fixture->folder, CW_RUN_WAITING, NULL);
  CwRunPulse pulse;
  cw_run_pulse_init(&pulse, false);
  pulse.phase = g_strdup("training");
  pulse.fraction = 0.5;
  pulse.seconds_left = 12;
  g_assert_true(cw_run_pulse_write(lock, &pulse));
  g_autoptr(CwRun) run = cw_run_open(fixture->folder);
  const CwRunFacts *facts = cw_run_peek_facts(run);
  g_assert_cmpint(facts->state, ==, CW_RUN_RUNNING);
  g_assert_cmpint(facts->pid, ==, getpid());
  g_assert_cmpfloat(facts->fraction, ==, 0.5);
  g_assert_cmpfloat(facts->seconds_left, ==, 12);
  g_assert_cmpuint(cw_run_refresh(run), ==, 0);
  g_assert_cmpint(pwrite(lock, "{\"pid\": torn", 12, 0), ==, 12);
  g_assert_cmpuint(cw_run_refresh(run), ==, 0);
  g_assert_cmpint(facts->state, ==, CW_RUN_RUNNING);
  g_assert_true(cw_run_pulse_write(lock, &pulse));
  write_file(fixture->folder, "request", "stop\n");
  g_assert_cmpuint(cw_run_refresh(run), ==, CW_RUN_FACTS_CHANGED);
  g_assert_cmpint(facts->state, ==, CW_RUN_STOPPING);
  g_autofree char *copy = make_run(fixture->root, "copy", CW_RUN_TRAINING);
  g_autofree char *page = NULL;
  g_autofree char *path = g_build_filename(fixture->folder, "worker.json", NULL);
  g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
  write_file(copy, "worker.json", page);
  assert_state(copy, CW_RUN_DEAD, "without a word");
  close(lock);
  cw_run_refresh(run);
  g_assert_cmpint(facts->state, ==, CW_RUN_DEAD);
  cw_run_pulse_clear(&pulse);
}

static void
test_damaged(Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *json, *words;
  } cases[] = {
    { "{\"format\": \"clew-run\", \"version\": 1,", "run.json" },
    { "{\"format\": \"other\"}", "another program's" },
    { "{\"format\": \"clew-run\", \"version\": 2}", "newer Clew" },
    { "{\"format\": \"clew-run\", \"version\": 1, \"kind\": \"dance\"}", "\"kind\"" },
    { "{\"format\": \"clew-run\", \"version\": 1, \"kind\": \"eval\", \"arguments\": [1]}",
      "\"arguments\"" },
    { "{\"format\": [], \"version\": \"x\"}", "another program's" },
  };
  g_autofree char *sound = make_run(fixture->root, "two", CW_RUN_CACHE);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    write_file(fixture->folder, "run.json", cases[i].json);
    assert_state(fixture->folder, CW_RUN_DAMAGED, cases[i].words);
    assert_state(fixture->folder, CW_RUN_DAMAGED, fixture->folder);
  }
  g_autofree char *gone = g_build_filename(fixture->root, "gone", NULL);
  g_autofree char *other = g_build_filename(fixture->root, "other", NULL);
  g_assert_cmpint(symlink("/nowhere/run", gone), ==, 0);
  g_assert_cmpint(g_mkdir(other, 0777), ==, 0);
  g_autoptr(CwRuns) runs = cw_runs_new(fixture->root, NULL);
  g_assert_cmpuint(cw_runs_get_n(runs), ==, 3);
  g_assert_cmpint(cw_run_peek_facts(cw_runs_find(runs, sound))->state, ==, CW_RUN_STOPPED);
  const CwRunFacts *facts = cw_run_peek_facts(cw_runs_find(runs, gone));
  g_assert_cmpint(facts->state, ==, CW_RUN_DAMAGED);
  g_assert_nonnull(strstr(facts->reason, "not there"));
  g_assert_cmpuint(facts->actions, ==, CW_RUN_CAN_DELETE);
}

/* ---- curves ----------------------------------------------------------------------------- */

static void
assert_points(const CwRun *run, const char *key, size_t n, const double *x, const double *y)
{
  const CwRunCurve *curve = cw_run_peek_curve(run, key);
  g_assert_nonnull(curve);
  g_assert_cmpuint(curve->n, ==, n);
  for (size_t i = 0; i < n; i++) {
    g_assert_cmpfloat(curve->x[i], ==, x[i]);
    g_assert_true(curve->y[i] == y[i] || (isnan(curve->y[i]) && isnan(y[i])));
  }
}

/* Only new bytes are read; half a line waits for its end; what is no line is passed over. */
static void
test_curves(Fixture *fixture, gconstpointer data)
{
  const double x[] = { 0, 10, 20 }, y[] = { 4.5, NAN, 2 };
  g_autoptr(CwRun) run = cw_run_open(fixture->folder);
  append(fixture->folder, "metrics.jsonl",
         "{\"step\": 0, \"loss\": 4.5, \"layer_l0\": [1, 2]}\n"
         "garbage\n{\"loss\": 1}\n{\"step\": \"x\", \"loss\": 1}\n"
         "{\"step\": 0, \"held_out\": {\"l0\": 7}}\n{\"step\": 10, \"lo");
  g_assert_cmpuint(cw_run_refresh(run), ==, CW_RUN_CURVES_CHANGED);
  assert_points(run, "loss", 1, x, y);
  g_assert_cmpuint(cw_run_refresh(run), ==, 0);
  append(fixture->folder, "metrics.jsonl", "ss\": null}\n{\"step\": 20, \"loss\": 2}\n");
  g_assert_cmpuint(cw_run_refresh(run), ==, CW_RUN_CURVES_CHANGED);
  assert_points(run, "loss", 3, x, y);
  const double seven = 7;
  assert_points(run, "held_out/l0", 1, x, &seven);
  g_assert_null(cw_run_peek_curve(run, "layer_l0"));
  g_assert_cmpstr(cw_run_peek_last_line(run, "loss"), ==, "{\"step\": 20, \"loss\": 2}");
  g_assert_cmpstr(cw_run_peek_last_line(run, "held_out"), ==,
                  "{\"step\": 0, \"held_out\": {\"l0\": 7}}");
}

/* A run that is resumed cuts its metrics and goes on, here to more bytes than there were. */
static void
test_cut(Fixture *fixture, gconstpointer data)
{
  const double x[] = { 0, 10, 20 }, y[] = { 1, 5, 6 };
  g_autoptr(CwRun) run = cw_run_open(fixture->folder);
  append(fixture->folder, "metrics.jsonl",
         "{\"step\": 0, \"loss\": 1}\n{\"step\": 10, \"loss\": 2}\n");
  cw_run_refresh(run);
  write_file(fixture->folder, "metrics.jsonl",
             "{\"step\": 0, \"loss\": 1}\n{\"step\": 10, \"loss\": 5}\n"
             "{\"step\": 20, \"loss\": 6}\n");
  g_assert_cmpuint(cw_run_refresh(run), ==, CW_RUN_CURVES_CHANGED);
  assert_points(run, "loss", 3, x, y);
  write_file(fixture->folder, "metrics.jsonl", "{\"step\": 0, \"loss\": 1}\n");
  g_assert_cmpuint(cw_run_refresh(run), ==, CW_RUN_CURVES_CHANGED);
  assert_points(run, "loss", 1, x, y);
}

static unsigned
refresh_all(CwRun *run)
{
  unsigned n = 0;
  while ((cw_run_refresh(run) & CW_RUN_HAS_MORE) != 0)
    n++;
  return n;
}

/* 100,000 steps become about 4,000 points, evenly, with the one spike where it was and the
 * newest point as it is. */
static void
test_long(Fixture *fixture, gconstpointer data)
{
  enum { N = 100000, SPIKE = 4321 };
  GString *text = g_string_new(NULL);
  for (int i = 0; i < N; i++)
    g_string_append_printf(text, "{\"step\": %d, \"loss\": %d}\n", i, i == SPIKE ? 99 : i % 2);
  write_file(fixture->folder, "metrics.jsonl", text->str);
  g_autoptr(CwRun) run = cw_run_open(fixture->folder);
  g_assert_cmpuint(refresh_all(run), >, 3);
  const CwRunCurve *loss = cw_run_peek_curve(run, "loss");
  g_assert_cmpuint(loss->n, >, 2000);
  g_assert_cmpuint(loss->n, <=, 4099);
  bool has_spike = false;
  double widest = 0;
  for (size_t i = 0; i < loss->n; i++) {
    has_spike |= loss->x[i] == SPIKE && loss->y[i] == 99;
    if (i > 0) {
      g_assert_cmpfloat(loss->x[i], >, loss->x[i - 1]);
      widest = fmax(widest, loss->x[i] - loss->x[i - 1]);
    }
  }
  g_assert_true(has_spike);
  g_assert_cmpfloat(widest, <=, 128);
  g_assert_cmpfloat(loss->x[loss->n - 1], ==, N - 1);
  g_string_free(text, TRUE);
}

/* ---- log -------------------------------------------------------------------------------- */

static void
assert_tail(const CwRun *run, size_t n_lines, const char *expected)
{
  g_autofree char *tail = cw_run_dup_log_tail(run, n_lines);
  g_assert_cmpstr(tail, ==, expected);
}

static void
test_log(Fixture *fixture, gconstpointer data)
{
  g_autoptr(CwRun) run = cw_run_open(fixture->folder);
  assert_tail(run, 5, "");
  write_file(fixture->folder, "log.txt",
             "one\n\r[# ] 10 %\033[K\r[##] 20 %\033[K\ntwo\033[1m!\033[0m\xff\001\nlast\n\n");
  g_assert_cmpuint(cw_run_refresh(run), ==, CW_RUN_LOG_CHANGED);
  assert_tail(run, 0, "");
  assert_tail(run, 1, "last");
  assert_tail(run, 3, "[##] 20 %\ntwo!\xef\xbf\xbd\nlast");
  assert_tail(run, 99, "one\n[##] 20 %\ntwo!\xef\xbf\xbd\nlast");
  GString *text = g_string_new(NULL);
  for (int i = 0; i < 20000; i++)
    g_string_append_printf(text, "line %d\n", i);
  write_file(fixture->folder, "log.txt", text->str);
  g_autofree char *tail = cw_run_dup_log_tail(run, 100000);
  g_assert_cmpuint(strlen(tail), <=, 65536);
  g_assert_true(g_str_has_prefix(tail, "line "));
  g_assert_true(g_str_has_suffix(tail, "line 19999"));
  g_string_free(text, TRUE);
}

/* ---- the worker ------------------------------------------------------------------------- */

/* A process that begins a run by hand, tells of it on a disk that is full from then on (no file
 * may grow beyond 4,096 bytes), and ends. */
static int
work(const char *folder)
{
  CwRunWorker *worker = cw_run_worker_begin(folder, CW_RUN_CACHE, no_arguments, false, NULL);
  const struct rlimit limit = { 4096, 4096 };
  g_autofree char *padding = g_strnfill(5000, ' ');
  g_autofree char *long_line = g_strdup_printf("{\"seconds\": 2, %s\"x\": 2}", padding);
  signal(SIGXFSZ, SIG_IGN);
  if (worker == NULL || setrlimit(RLIMIT_FSIZE, &limit) != 0)
    return 9;
  cw_run_worker_tell(worker, "{\"seconds\": 1, \"x\": 1}");
  cw_run_worker_tell(worker, long_line);
  cw_run_worker_tell(worker, "{\"seconds\": 3, \"x\": 3}");
  cw_run_worker_report_cb("cache", 0.75, worker);
  cw_run_worker_end(worker, 1, "No space left on device");
  return 0;
}

static void
test_full_disk(Fixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_build_filename(fixture->root, "full", NULL);
  const double x[] = { 1, 3 };
  int status = -1;
  pid_t child = fork();
  if (child == 0)
    _exit(work(folder));
  g_assert_cmpint(waitpid(child, &status, 0), ==, child);
  g_assert_cmpint(status, ==, 0);
  assert_state(folder, CW_RUN_FAILED, "No space left");
  g_autoptr(CwRun) run = cw_run_open(folder);
  assert_points(run, "x", 2, x, x);
  g_assert_cmpfloat(cw_run_peek_facts(run)->fraction, ==, 0.75);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define ADD(name, test) \
  g_test_add("/core/run-folder/" name, Fixture, NULL, set_up, test, tear_down)
  ADD("states", test_states);
  ADD("at-work", test_at_work);
  ADD("damaged", test_damaged);
  ADD("curves", test_curves);
  ADD("cut", test_cut);
  ADD("long", test_long);
  ADD("log", test_log);
  ADD("full-disk", test_full_disk);
#undef ADD
  return g_test_run();
}
