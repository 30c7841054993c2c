/* cli.c - the program `clew`: finds the command, parses its line, runs it, and turns the
 * outcome into an exit status and a message.
 *
 * Results go to stdout; progress, remarks and errors go to stderr. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "help.h"
#include "interrupt.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USAGE = 2, EXIT_SIGNAL_BASE = 128 };

static int
report_error(const CwaCommand *command, const GError *error)
{
  if (g_error_matches(error, CW_ERROR, CW_ERROR_CANCELLED) && cwa_interrupt_signal() != 0) {
    const char *left = command->when_interrupted;
    fprintf(stderr, "clew %s: interrupted; %s\n", command->name,
            left != NULL ? left : "nothing was written");
    return EXIT_SIGNAL_BASE + cwa_interrupt_signal();
  }
  fprintf(stderr, "clew %s: %s\n", command->name, error->message);
  if (error->domain != CWA_USAGE_ERROR)
    return EXIT_FAILED;
  fprintf(stderr, "`clew %s --help` shows the options.\n", command->name);
  return EXIT_WRONG_USAGE;
}

/* A full disk behind stdout shows only when the buffer is flushed. */
static bool
flush_output(GError **error)
{
  if (fflush(stdout) == 0 && !ferror(stdout))
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "standard output could not be written: %s",
              g_strerror(errno));
  return false;
}

/* To the display and to the record; a run that a person started begins its record late. */
static void
report_cb(const char *phase, double fraction, gpointer user_data)
{
  CwaRun *run = user_data;
  cwa_progress_report_cb(phase, fraction, run->progress);
  if (run->worker != NULL)
    cw_run_worker_report_cb(phase, fraction, run->worker);
}

static bool
run_arguments(const CwaCommand *command, CwaRun *run, GError **error)
{
  const CwaArguments *arguments = run->arguments;
  if (cwa_arguments_flag(arguments, "help")) {
    g_autofree char *text = cwa_help_dup_command(command);
    fputs(text, stdout);
    return flush_output(error);
  }
  run->cancel = cw_cancel_new();
  cwa_interrupt_install(run->cancel);
  run->progress =
      cwa_progress_new(cwa_progress_style_for_stderr(cwa_arguments_flag(arguments, "quiet")));
  run->reports = (CwProgress){ report_cb, run };
  bool is_done = command->run(run, error);
  cwa_progress_finish(run->progress);
  is_done = is_done && flush_output(error);
  cwk_device_free(run->device);
  cwa_progress_free(run->progress);
  cw_cancel_unref(run->cancel);
  return is_done;
}

/* Whoever watches learns the end from the record, wrong usage included. */
static int
run_command(const CwaCommand *command, int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  CwaRun run = { .worker = cw_run_worker_adopt() };
  g_autoptr(CwaArguments) arguments = cwa_arguments_parse(command, argc, argv, &error);
  run.arguments = arguments;
  bool is_done = arguments != NULL && run_arguments(command, &run, &error);
  int status = is_done ? EXIT_DONE : report_error(command, error);
  cw_run_worker_end(run.worker, status, is_done ? NULL : error->message);
  return status;
}

static int
unknown_command(const char *name)
{
  const char *near = cwa_suggest_command(name);
  if (near != NULL)
    fprintf(stderr, "clew: there is no command \"%s\"; did you mean %s?\n", name, near);
  else
    fprintf(stderr, "clew: there is no command \"%s\"; clew help lists the commands\n", name);
  return EXIT_WRONG_USAGE;
}

int
main(int argc, char **argv)
{
  /* Only the character set: numbers are written the same way everywhere. */
  setlocale(LC_CTYPE, "");
  g_autofree char *overview = NULL;
  if (argc < 2) {
    overview = cwa_help_dup_overview();
    fputs(overview, stderr);
    return EXIT_WRONG_USAGE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0) {
    puts("clew " CLEW_VERSION);
    return EXIT_DONE;
  }
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
    name = "help";
  const CwaCommand *command = cwa_command_find(name);
  if (command == NULL)
    return unknown_command(name);
  return run_command(command, argc - 2, argv + 2);
}
