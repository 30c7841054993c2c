/* run-worker.c - the record that a worker keeps of itself in its run's folder. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "runs/run-lock.h"
#include "runs/run-log.h"
#include "runs/run-record.h"

#define TELL_EVERY_US  (G_USEC_PER_SEC / 2)
#define RATE_WINDOW_US (30 * G_USEC_PER_SEC)

/* Where a phase was at a moment; the rate is measured from one of the last half minutes. */
typedef struct {
  gint64 time_us;
  double fraction;
} Mark;

struct _CwRunWorker {
  char *folder;
  int lock;
  bool is_by_hand, made_folder;
  CwRunPulse pulse;
  gint64 told_us;
  Mark older, newer; /* time 0: none */
};

static CwRunWorker *
worker_new(const char *folder, int lock)
{
  CwRunWorker *worker = g_new0(CwRunWorker, 1);
  worker->folder = g_canonicalize_filename(folder, NULL);
  worker->lock = lock;
  cw_run_asked_write(worker->folder, CW_RUN_ASKED_NOTHING);
  cw_run_pulse_init(&worker->pulse, false);
  return worker;
}

static void
worker_free(CwRunWorker *worker)
{
  cw_run_pulse_clear(&worker->pulse);
  g_free(worker->folder);
  g_free(worker);
}

CwRunWorker *
cw_run_worker_adopt(void)
{
  int lock = cw_run_lock_adopt();
  if (lock < 0)
    return NULL;
  CwRunWorker *worker = worker_new(".", lock);
  cw_run_pulse_write(lock, &worker->pulse);
  return worker;
}

bool
cw_run_worker_is_launched(const CwRunWorker *worker)
{
  return !worker->is_by_hand;
}

const char *
cw_run_worker_peek_folder(const CwRunWorker *worker)
{
  return worker->folder;
}

CwRunWorker *
cw_run_worker_begin(const char *folder, CwRunKind kind, const char *const *arguments,
                    bool is_resumed, GError **error)
{
  bool made_folder = !g_file_test(folder, G_FILE_TEST_EXISTS);
  g_autofree char *plan = g_build_filename(folder, "run.json", NULL);
  if (g_mkdir_with_parents(folder, 0777) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", folder, g_strerror(errno));
    return NULL;
  }
  int lock = cw_run_lock_take(folder, error);
  if (lock < 0)
    return NULL;
  CwRunWorker *worker = worker_new(folder, lock);
  worker->is_by_hand = true;
  worker->made_folder = made_folder;
  bool is_written = (is_resumed && g_file_test(plan, G_FILE_TEST_EXISTS)) ||
                    cw_run_plan_write(folder, kind, arguments, error);
  if (is_written && !cw_run_pulse_write(lock, &worker->pulse)) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s/" CW_RUN_LOCK_FILE ": %s", folder,
                g_strerror(errno));
    is_written = false;
  }
  if (!is_written) {
    close(lock);
    worker_free(worker);
    return NULL;
  }
  return worker;
}

/* ---- how far it is ----------------------------------------------------------------------
 */

static void
begin_phase(CwRunWorker *worker, const char *phase, const Mark *now)
{
  g_free(worker->pulse.phase);
  worker->pulse.phase = g_strdup(phase);
  worker->older = worker->newer = *now;
}

/* From the rate since a mark that is between half a minute and a minute old: a run that is
 * resumed passes quickly over what is there, and the load of a machine changes. */
static double
seconds_left(CwRunWorker *worker, const Mark *now)
{
  if (now->time_us - worker->newer.time_us > RATE_WINDOW_US) {
    worker->older = worker->newer;
    worker->newer = *now;
  }
  double done = now->fraction - worker->older.fraction;
  double seconds = (double)(now->time_us - worker->older.time_us) / G_USEC_PER_SEC;
  return done > 0 && seconds > 0 ? (1 - now->fraction) * seconds / done : NAN;
}

void
cw_run_worker_report_cb(const char *phase, double fraction, gpointer user_data)
{
  CwRunWorker *worker = user_data;
  const Mark now = { g_get_monotonic_time(), CLAMP(fraction, 0, 1) };
  bool is_new = g_strcmp0(phase, worker->pulse.phase) != 0;
  if (is_new)
    begin_phase(worker, phase, &now);
  worker->pulse.fraction = now.fraction;
  if (!is_new && now.time_us - worker->told_us < TELL_EVERY_US)
    return;
  worker->told_us = now.time_us;
  worker->pulse.seconds_left = seconds_left(worker, &now);
  cw_run_pulse_write(worker->lock, &worker->pulse);
}

void
cw_run_worker_tell(CwRunWorker *worker, const char *json)
{
  g_autofree char *path = g_build_filename(worker->folder, "metrics.jsonl", NULL);
  g_autofree char *line = g_strconcat(json, "\n", NULL);
  int fd = g_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  size_t n = strlen(line);
  if (fd < 0)
    return;
  off_t before = lseek(fd, 0, SEEK_END);
  /* Half a line, where the disk is full, would spoil the next one. */
  if (write(fd, line, n) != (ssize_t)n && ftruncate(fd, before) != 0)
    g_message("%s: %s", path, g_strerror(errno));
  close(fd);
}

/* ---- the end ----------------------------------------------------------------------------
 */

/* Whether a folder holds our record and nothing else. */
static bool
made_nothing(const char *folder)
{
  static const char *const records[] = { "run.json", CW_RUN_LOCK_FILE, "request", NULL };
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (!g_strv_contains(records, name))
      return false;
  return dir != NULL;
}

static void
remove_record(const CwRunWorker *worker)
{
  static const char *const records[] = { "run.json", "request", CW_RUN_LOCK_FILE };
  for (size_t i = 0; i < G_N_ELEMENTS(records); i++) {
    g_autofree char *path = g_build_filename(worker->folder, records[i], NULL);
    g_unlink(path);
  }
  if (worker->made_folder)
    g_rmdir(worker->folder);
}

/* The lock stays with the process, which lets go of it after its memory. */
void
cw_run_worker_end(CwRunWorker *worker, int exit_status, const char *reason)
{
  if (worker == NULL)
    return;
  if (worker->is_by_hand && exit_status != 0 && made_nothing(worker->folder)) {
    remove_record(worker);
  } else {
    worker->pulse.ended_s = g_get_real_time() / G_USEC_PER_SEC;
    worker->pulse.exit_status = exit_status;
    worker->pulse.reason = g_strdup(reason);
    worker->pulse.seconds_left = NAN;
    cw_run_pulse_write(worker->lock, &worker->pulse);
  }
  worker_free(worker);
}
