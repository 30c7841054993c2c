/* run-launch.c - what is asked of runs: start, pause, stop, resume, delete.
 *
 * Whoever changes a run's folder holds its lock meanwhile, so that two windows cannot start two
 * workers in it, or one delete what the other resumes. */
#include <errno.h>
#include <ftw.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runs/run-list.h"
#include "runs/run-lock.h"
#include "runs/run-process.h"

#define MAX_NAME_BYTES 200
#define N_OPEN_FOLDERS 16

/* ---- removing ---------------------------------------------------------------------------
 */

static int
remove_cb(const char *path, const struct stat *info, int type, struct FTW *place)
{
  return remove(path);
}

/* With all that is in it, never through a link. */
static bool
remove_tree(const char *path, GError **error)
{
  if (nftw(path, remove_cb, N_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: cannot be removed: %s", path,
              g_strerror(errno));
  return false;
}

static bool
trash(const char *path, GError **error)
{
  g_autoptr(GFile) file = g_file_new_for_path(path);
  g_autoptr(GError) failure = NULL;
  if (g_file_trash(file, NULL, &failure))
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: cannot be moved to the trash: %s", path,
              failure->message);
  return false;
}

static bool
remove_link(const char *path, GError **error)
{
  if (g_unlink(path) == 0 || errno == ENOENT)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", path, g_strerror(errno));
  return false;
}

bool
cw_runs_delete(CwRuns *runs, CwRun *run, bool is_trashed, GError **error)
{
  bool is_gone;
  if (run->facts.is_added) {
    is_gone = remove_link(run->folder, error);
  } else {
    int lock = cw_run_lock_take(run->folder, error);
    if (lock < 0)
      return false;
    is_gone = is_trashed ? trash(run->folder, error) : remove_tree(run->folder, error);
    close(lock);
  }
  if (is_gone)
    g_ptr_array_remove(runs->list, run);
  return is_gone;
}

/* ---- starting ---------------------------------------------------------------------------
 */

static bool
check_program(const CwRuns *runs, GError **error)
{
  if (runs->program != NULL)
    return true;
  g_set_error_literal(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                      "the program clew is not beside this one; without it no run can be "
                      "started");
  return false;
}

static bool
check_name(const char *name, GError **error)
{
  bool is_fine = *name != '.' && strchr(name, '/') == NULL && strlen(name) <= MAX_NAME_BYTES &&
                 g_utf8_validate(name, -1, NULL);
  for (const char *p = name; *p != '\0'; p++)
    is_fine = is_fine && !g_ascii_iscntrl(*p);
  if (!is_fine)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "\"%s\" names no folder: no slash, no dot in front, at most %d bytes", name,
                MAX_NAME_BYTES);
  return is_fine;
}

/* What the launcher adds itself. */
static bool
check_arguments(const char *const *arguments, GError **error)
{
  static const char *const ours[] = { "--output", "-o", "--resume", "--plot", NULL };
  for (; *arguments != NULL && strcmp(*arguments, "--") != 0; arguments++)
    if (g_strv_contains(ours, *arguments) || g_str_has_prefix(*arguments, "--output=") ||
        g_str_has_prefix(*arguments, "--plot=")) {
      g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                  "%s follows from the run's folder; leave it out", *arguments);
      return false;
    }
  return true;
}

/* A hidden folder in the root with the plan in it; it takes its name when it is whole. */
static char *
make_aside(const CwRuns *runs, const CwRunRequest *request, GError **error)
{
  g_autofree char *aside = g_build_filename(runs->root, ".new-XXXXXX", NULL);
  if (g_mkdir_with_parents(runs->root, 0777) != 0 || g_mkdtemp_full(aside, 0777) == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", runs->root, g_strerror(errno));
    return NULL;
  }
  if (!cw_run_plan_write(aside, request->kind, request->arguments, error)) {
    remove_tree(aside, NULL);
    return NULL;
  }
  return g_steal_pointer(&aside);
}

/* Names a folder that holds something, so that a name that is taken is refused by the system,
 * whoever took it a moment ago. */
static bool
take_name(const CwRuns *runs, const char *aside, const char *name)
{
  g_autofree char *path = g_build_filename(runs->root, name, NULL);
  return !g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK) &&
         g_rename(aside, path) == 0;
}

/* The name asked for, else the first that is free of cache-1, cache-2, ... Transfer full. */
static char *
name_folder(const CwRuns *runs, const CwRunRequest *request, const char *aside, GError **error)
{
  if (request->name != NULL && *request->name != '\0') {
    if (take_name(runs, aside, request->name))
      return g_strdup(request->name);
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "there is something called %s in %s already; take another name", request->name,
                runs->root);
    return NULL;
  }
  for (int i = 1; i < 100000; i++) {
    g_autofree char *name = g_strdup_printf("%s-%d", cw_run_kind_name(request->kind), i);
    if (take_name(runs, aside, name))
      return g_steal_pointer(&name);
  }
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: no name is free; delete some runs",
              runs->root);
  return NULL;
}

/* With the lock held: says that a worker is to come, and starts it. */
static bool
launch(const CwRuns *runs, const char *folder, const CwRunPlan *plan, bool is_resumed, int lock,
       GError **error)
{
  CwRunPulse pulse;
  cw_run_pulse_init(&pulse, true);
  bool is_written = cw_run_pulse_write(lock, &pulse);
  if (!is_written)
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s/" CW_RUN_LOCK_FILE ": %s", folder,
                g_strerror(errno));
  cw_run_pulse_clear(&pulse);
  if (is_written)
    cw_run_asked_write(folder, CW_RUN_ASKED_NOTHING);
  return is_written &&
         cw_run_process_start_worker(runs->program, folder, plan, is_resumed, lock, error);
}

CwRun *
cw_runs_start(CwRuns *runs, const CwRunRequest *request, GError **error)
{
  if (!check_program(runs, error) || !check_arguments(request->arguments, error) ||
      (request->name != NULL && *request->name != '\0' && !check_name(request->name, error)))
    return NULL;
  g_autofree char *aside = make_aside(runs, request, error);
  if (aside == NULL)
    return NULL;
  const CwRunPlan plan = { .kind = request->kind, .arguments = (char **)request->arguments };
  /* Locked before it has its name, so that no other window can take it in between. */
  int lock = cw_run_lock_take(aside, error);
  g_autofree char *name = lock >= 0 ? name_folder(runs, request, aside, error) : NULL;
  g_autofree char *folder =
      name != NULL ? g_build_filename(runs->root, name, NULL) : g_steal_pointer(&aside);
  bool is_started = name != NULL && launch(runs, folder, &plan, false, lock, error);
  if (!is_started)
    remove_tree(folder, NULL);
  if (lock >= 0)
    close(lock);
  return is_started ? cw_runs_insert(runs, name) : NULL;
}

/* What was there of the last worker comes back where the new one cannot be started. */
bool
cw_runs_resume(CwRuns *runs, CwRun *run, GError **error)
{
  cw_run_refresh(run);
  if (!check_program(runs, error))
    return false;
  if ((run->facts.actions & CW_RUN_CAN_RESUME) == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: is %s; there is nothing to resume",
                run->name, cw_run_state_name(run->facts.state));
    return false;
  }
  int lock = cw_run_lock_take(run->folder, error);
  if (lock < 0)
    return false;
  bool is_started = launch(runs, run->folder, &run->plan, true, lock, error);
  if (!is_started)
    cw_run_pulse_write(lock, &run->pulse);
  close(lock);
  cw_run_refresh(run);
  return is_started;
}

/* ---- ending -----------------------------------------------------------------------------
 */

/* The request first, so that nobody sees an end that was not asked for. */
static bool
ask(CwRun *run, CwRunAsked asked, CwRunActions needed, int number, GError **error)
{
  cw_run_refresh(run);
  if ((run->facts.actions & needed) == 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%s: is %s; that cannot be asked of it",
                run->name, cw_run_state_name(run->facts.state));
    return false;
  }
  CwRunAsked before = run->asked;
  if (asked != CW_RUN_ASKED_NOTHING)
    cw_run_asked_write(run->folder, asked);
  bool is_sent = cw_run_process_signal(run, number, error);
  if (!is_sent)
    cw_run_asked_write(run->folder, before);
  cw_run_refresh(run);
  return is_sent;
}

bool
cw_runs_pause(CwRuns *runs, CwRun *run, GError **error)
{
  return ask(run, CW_RUN_ASKED_PAUSE, CW_RUN_CAN_PAUSE, SIGINT, error);
}

bool
cw_runs_stop(CwRuns *runs, CwRun *run, GError **error)
{
  return ask(run, CW_RUN_ASKED_STOP, CW_RUN_CAN_STOP, SIGINT, error);
}

bool
cw_runs_kill(CwRuns *runs, CwRun *run, GError **error)
{
  return ask(run, CW_RUN_ASKED_NOTHING, CW_RUN_CAN_KILL, SIGKILL, error);
}
