/* run-process.c - see run-process.h.
 *
 * A worker is not a child of whoever started it: GLib forks twice, and setsid() takes it out of
 * the session, so that neither the end of a window nor a closed terminal reaches it. */
#include "runs/run-process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "runs/run-lock.h"
#include "runs/run-log.h"

/* A window that is dragged goes before a training. */
#define NICE 10

/* Between fork and exec: only what is allowed in a signal handler. */
static void
set_up_child_cb(gpointer user_data)
{
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  if (nice(NICE) == -1)
    return; /* Runs all the same. */
}

/* clew KIND --output PLACE [--resume | --plot=PLACE] ARGUMENTS; strings borrowed. Options of
 * ours come first: behind the arguments' "--" they would be operands. */
static GPtrArray *
command_line(const char *program, const CwRunPlan *plan, bool is_resumed)
{
  GPtrArray *argv = g_ptr_array_new();
  const char *const own[] = { program, cw_run_kind_name(plan->kind), "--output",
                              cw_run_kind_output(plan->kind) };
  for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
    g_ptr_array_add(argv, (gpointer)own[i]);
  if (is_resumed && plan->kind == CW_RUN_TRAINING)
    g_ptr_array_add(argv, (gpointer) "--resume");
  if (plan->kind == CW_RUN_EVALUATION)
    g_ptr_array_add(argv, (gpointer) "--plot=" CW_RUN_PAGE_FILE);
  for (char **argument = plan->arguments; *argument != NULL; argument++)
    g_ptr_array_add(argv, *argument);
  g_ptr_array_add(argv, NULL);
  return argv;
}

bool
cw_run_process_start_worker(const char *program, const char *folder, const CwRunPlan *plan,
                            bool is_resumed, int lock, GError **error)
{
  const int to = CW_RUN_LOCK_FD;
  g_autoptr(GError) failure = NULL;
  g_autofree char *path = g_build_filename(folder, CW_RUN_LOG_FILE, NULL);
  g_autoptr(GPtrArray) argv = command_line(program, plan, is_resumed);
  int log = g_open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (log < 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", path, g_strerror(errno));
    return false;
  }
  bool is_started = g_spawn_async_with_pipes_and_fds(
      folder, (const char *const *)argv->pdata, NULL, G_SPAWN_DEFAULT, set_up_child_cb, NULL,
      -1, log, log, &lock, &to, 1, NULL, NULL, NULL, NULL, &failure);
  close(log);
  if (!is_started)
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s cannot be started: %s", program,
                failure->message);
  return is_started;
}

/* ---- signals ----------------------------------------------------------------------------
 */

static bool
has_gone(const CwRun *run, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND, "%s: no worker is at it any more",
              run->name);
  return false;
}

/* The handle keeps standing for this one process whatever happens to its number; systems
 * without handles (before Linux 5.3) are left with the number. */
static bool
send_to(int64_t pid, int handle, int number)
{
  if (handle >= 0)
    return pidfd_send_signal(handle, number, NULL, 0) == 0;
  return kill((pid_t)pid, number) == 0;
}

bool
cw_run_process_signal(CwRun *run, int number, GError **error)
{
  cw_run_refresh(run);
  const CwRunPulse *pulse = &run->pulse;
  if (run->facts.pid <= 0)
    return has_gone(run, error);
  if (g_strcmp0(pulse->host, g_get_host_name()) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: its worker runs on %s; stop it there", run->name, pulse->host);
    return false;
  }
  int handle = pidfd_open((pid_t)pulse->pid, 0);
  bool is_ours =
      cw_run_process_start(pulse->pid) == pulse->pid_start && cw_run_lock_is_held(run->folder);
  bool is_sent = is_ours && send_to(pulse->pid, handle, number);
  int saved_errno = errno;
  if (handle >= 0)
    close(handle);
  if (is_sent || !is_ours || saved_errno == ESRCH)
    return is_sent || has_gone(run, error);
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: its worker cannot be signalled: %s", run->name,
              g_strerror(saved_errno));
  return false;
}
