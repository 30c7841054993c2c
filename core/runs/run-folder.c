/* run-folder.c - what a run is, read from its folder.
 *
 * Nothing is remembered of what this process has done to a run: the state follows from the
 * files and the lock, so that it is right for a run that another window or a terminal started,
 * and after a crash of ours. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/run-lock.h"
#include "runs/run-log.h"
#include "runs/run-private.h"
#include "train/checkpoint.h"

enum { STATUS_INTERRUPTED = 130, STATUS_TERMINATED = 143 };

CwRun *
cw_run_open(const char *folder)
{
  CwRun *run = g_new0(CwRun, 1);
  run->folder = g_canonicalize_filename(folder, NULL);
  run->name = g_path_get_basename(run->folder);
  run->plan_stamp = run->log_stamp = -1;
  run->curves = cw_run_curves_new(run->folder);
  cw_run_pulse_init(&run->pulse, true);
  cw_run_refresh(run);
  return run;
}

void
cw_run_free(CwRun *run)
{
  if (run == NULL)
    return;
  cw_run_plan_clear(&run->plan);
  cw_run_pulse_clear(&run->pulse);
  cw_run_curves_free(run->curves);
  g_free(run->folder);
  g_free(run->name);
  g_free(run->reason);
  g_free(run->result);
  g_free(run->seen);
  g_free(run);
}

/* ---- files ------------------------------------------------------------------------------
 */

/* What changes whenever a file does; 0: there is none. */
static int64_t
stamp_of(const char *folder, const char *name)
{
  struct stat info;
  g_autofree char *path = g_build_filename(folder, name, NULL);
  if (stat(path, &info) != 0)
    return 0;
  return (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec +
         ((int64_t)info.st_size << 20) + 1;
}

static bool
read_plan(CwRun *run, GError **error)
{
  int64_t stamp = stamp_of(run->folder, "run.json");
  if (stamp == run->plan_stamp && stamp != 0)
    return true;
  CwRunPlan plan = { 0 };
  run->plan_stamp = -1;
  if (!cw_run_plan_read(run->folder, &plan, error))
    return false;
  cw_run_plan_clear(&run->plan);
  run->plan = plan;
  run->plan_stamp = stamp;
  return true;
}

/* Whether worker.json is there and can be understood. A page that is being written may be torn:
 * then what it said before stands. */
static bool
read_pulse(CwRun *run, bool *is_there)
{
  char page[CW_RUN_PULSE_BYTES];
  g_autofree char *path = g_build_filename(run->folder, CW_RUN_LOCK_FILE, NULL);
  int fd = g_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  ssize_t n = fd >= 0 ? pread(fd, page, sizeof page, 0) : -1;
  *is_there = fd >= 0;
  if (fd >= 0)
    close(fd);
  if (n <= 0)
    return false;
  if ((size_t)n == run->n_page && memcmp(page, run->page, (size_t)n) == 0)
    return true;
  if (!cw_run_pulse_parse(page, (size_t)n, &run->pulse))
    return false;
  memcpy(run->page, page, (size_t)n);
  run->n_page = (size_t)n;
  return true;
}

/* ---- what it made -----------------------------------------------------------------------
 */

/* Only whole results have their names: a cache its manifest, the others themselves. */
static void
find_result(CwRun *run)
{
  static const char *const names[] = { [CW_RUN_CACHE] = "cache",
                                       [CW_RUN_TRAINING] = "transcoder",
                                       [CW_RUN_EVALUATION] = "report.json" };
  g_autofree char *result = g_build_filename(run->folder, names[run->plan.kind], NULL);
  g_autofree char *manifest = g_build_filename(result, "manifest.json", NULL);
  const char *sign = run->plan.kind == CW_RUN_CACHE ? manifest : result;
  g_clear_pointer(&run->result, g_free);
  if (g_file_test(sign, G_FILE_TEST_EXISTS))
    run->result = g_steal_pointer(&result);
}

/* ---- state ------------------------------------------------------------------------------
 */

static CwRunState
state_at_work(const CwRun *run)
{
  if (run->pulse.pid == 0)
    return CW_RUN_WAITING;
  return run->asked != CW_RUN_ASKED_NOTHING ? CW_RUN_STOPPING : CW_RUN_RUNNING;
}

static CwRunState
state_ended(const CwRun *run)
{
  int status = run->pulse.exit_status;
  if (status == 0)
    return CW_RUN_FINISHED;
  if (status != STATUS_INTERRUPTED && status != STATUS_TERMINATED)
    return CW_RUN_FAILED;
  return run->asked == CW_RUN_ASKED_PAUSE ? CW_RUN_PAUSED : CW_RUN_STOPPED;
}

static void
set_reason(CwRun *run, const char *reason)
{
  if (g_strcmp0(reason, run->reason) == 0)
    return;
  g_free(run->reason);
  run->reason = g_strdup(reason);
}

/* Why nobody is at work though nobody said that it ended. */
static const char *
why_dead(const CwRun *run, bool is_read)
{
  if (!is_read)
    return "worker.json is damaged, and no worker is there";
  if (run->pulse.pid == 0)
    return "the worker was never started";
  return "the worker ended without a word: it was killed, the system ran out of memory, or the "
         "power failed";
}

/* The lock first: a worker that ends in between has written its end before it let go. One that
 * is started in between has the lock when it is asked again. */
static CwRunState
read_state(CwRun *run)
{
  bool is_there, is_held = cw_run_lock_is_held(run->folder);
  bool is_read = read_pulse(run, &is_there);
  run->asked = cw_run_asked_read(run->folder);
  set_reason(run, NULL);
  if (is_held)
    return state_at_work(run);
  if (is_read && run->pulse.ended_s != 0) {
    CwRunState state = state_ended(run);
    set_reason(run, state == CW_RUN_FAILED ? run->pulse.reason : NULL);
    return state;
  }
  if (cw_run_lock_is_held(run->folder))
    return state_at_work(run);
  if (run->result != NULL) /* Killed between the last byte and the record of the end. */
    return CW_RUN_FINISHED;
  if (!is_there) /* A training by a program that kept no record. */
    return CW_RUN_STOPPED;
  set_reason(run, why_dead(run, is_read));
  return CW_RUN_DEAD;
}

static unsigned
actions_in(const CwRun *run, CwRunState state)
{
  bool is_known = run->plan.arguments != NULL;
  bool can_pause = run->plan.kind != CW_RUN_EVALUATION;
  switch (state) {
  case CW_RUN_WAITING:
    return 0;
  case CW_RUN_RUNNING:
    return CW_RUN_CAN_STOP | CW_RUN_CAN_KILL | (can_pause ? CW_RUN_CAN_PAUSE : 0);
  case CW_RUN_STOPPING:
    return CW_RUN_CAN_KILL;
  case CW_RUN_PAUSED:
  case CW_RUN_STOPPED:
  case CW_RUN_FAILED:
  case CW_RUN_DEAD:
    return CW_RUN_CAN_DELETE | (is_known ? CW_RUN_CAN_RESUME : 0);
  case CW_RUN_FINISHED:
  case CW_RUN_DAMAGED:
    return CW_RUN_CAN_DELETE;
  }
  g_return_val_if_reached(0);
}

/* ---- refresh ----------------------------------------------------------------------------
 */

static void
fill_facts(CwRun *run, CwRunState state)
{
  const CwRunPulse *pulse = &run->pulse;
  bool is_at_work = state == CW_RUN_RUNNING || state == CW_RUN_STOPPING;
  bool is_added = run->facts.is_added;
  run->facts = (CwRunFacts){
    .folder = run->folder,
    .name = run->name,
    .is_added = is_added,
    .kind = run->plan.kind,
    .state = state,
    .actions = actions_in(run, state),
    .reason = run->reason,
    .version = run->plan.program,
    .arguments = (const char *const *)run->plan.arguments,
    .created_s = run->plan.created_s,
    .ended_s = pulse->ended_s,
    .pid = is_at_work ? pulse->pid : 0,
    .host = pulse->host,
    .exit_status = pulse->ended_s != 0 ? pulse->exit_status : -1,
    .phase = pulse->phase,
    .fraction = state == CW_RUN_FINISHED ? 1 : pulse->fraction,
    .seconds_left = is_at_work ? pulse->seconds_left : NAN,
    .result = run->result,
  };
}

/* Whether a reader sees a difference to what was there before. */
static bool
have_changed(CwRun *run)
{
  const CwRunFacts *f = &run->facts;
  g_autofree char *seen = g_strdup_printf(
      "%d %d %u %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
      " %g %g\n%s\n%s\n%s\n%s\n%" G_GINT64_FORMAT,
      f->kind, f->state, f->actions, f->exit_status, f->created_s, f->ended_s, f->pid,
      f->fraction, f->seconds_left, f->reason, f->phase, f->result, f->host, run->plan_stamp);
  if (g_strcmp0(seen, run->seen) == 0)
    return false;
  g_free(run->seen);
  run->seen = g_steal_pointer(&seen);
  return true;
}

unsigned
cw_run_refresh(CwRun *run)
{
  g_autoptr(GError) error = NULL;
  CwRunState state = CW_RUN_DAMAGED;
  if (read_plan(run, &error)) {
    find_result(run);
    state = read_state(run);
  } else {
    set_reason(run, error->message);
  }
  fill_facts(run, state);
  unsigned changes = have_changed(run) ? CW_RUN_FACTS_CHANGED : 0;
  int64_t log_stamp = stamp_of(run->folder, CW_RUN_LOG_FILE);
  if (log_stamp != run->log_stamp)
    changes |= CW_RUN_LOG_CHANGED;
  run->log_stamp = log_stamp;
  return changes | cw_run_curves_read(run->curves);
}

const CwRunFacts *
cw_run_peek_facts(const CwRun *run)
{
  return &run->facts;
}

const CwRunCurve *
cw_run_peek_curves(const CwRun *run, size_t *n)
{
  return cw_run_curves_peek(run->curves, n);
}

const CwRunCurve *
cw_run_peek_curve(const CwRun *run, const char *key)
{
  size_t n;
  const CwRunCurve *curves = cw_run_curves_peek(run->curves, &n);
  for (size_t i = 0; i < n; i++)
    if (strcmp(curves[i].key, key) == 0)
      return &curves[i];
  return NULL;
}

const char *
cw_run_peek_last_line(const CwRun *run, const char *key)
{
  return cw_run_curves_peek_line(run->curves, key);
}

char *
cw_run_dup_log_tail(const CwRun *run, size_t n_lines)
{
  g_autofree char *path = g_build_filename(run->folder, CW_RUN_LOG_FILE, NULL);
  return cw_run_log_dup_tail(path, n_lines);
}

GPtrArray *
cw_run_list_checkpoints(const CwRun *run)
{
  return cw_checkpoint_list(run->folder);
}
