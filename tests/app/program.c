/* program.c - see program.h. */
#include "program.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

void
outcome_free(Outcome *outcome)
{
  if (outcome == NULL)
    return;
  g_free(outcome->out);
  g_free(outcome->err);
  g_free(outcome);
}

typedef struct {
  int descriptor;
  GString *text;
} Pipe;

static gpointer
read_pipe(gpointer data)
{
  Pipe *pipe_end = data;
  char buffer[4096];
  ssize_t n;
  while ((n = read(pipe_end->descriptor, buffer, sizeof buffer)) > 0)
    g_string_append_len(pipe_end->text, buffer, n);
  close(pipe_end->descriptor);
  return NULL;
}

static int
exit_status(int wait_status)
{
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

Outcome *
run_program_signalled(const char *const *argv, int signal, int signal_after_ms)
{
  g_autoptr(GError) error = NULL;
  GPid child = 0;
  Pipe out = { -1, g_string_new(NULL) }, err = { -1, g_string_new(NULL) };
  g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                           &child, NULL, &out.descriptor, &err.descriptor, &error);
  g_assert_no_error(error);
  GThread *out_reader = g_thread_new("stdout", read_pipe, &out);
  GThread *err_reader = g_thread_new("stderr", read_pipe, &err);
  if (signal_after_ms >= 0) {
    g_usleep((gulong)signal_after_ms * 1000);
    kill(child, signal);
  }
  int wait_status = 0;
  g_assert_cmpint(waitpid(child, &wait_status, 0), ==, child);
  g_thread_join(out_reader);
  g_thread_join(err_reader);
  Outcome *outcome = g_new0(Outcome, 1);
  outcome->status = exit_status(wait_status);
  outcome->out = g_string_free(out.text, FALSE);
  outcome->err = g_string_free(err.text, FALSE);
  return outcome;
}

Outcome *
run_clew_signalled(const char *const *arguments, int signal, int signal_after_ms)
{
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  g_ptr_array_add(argv, (gpointer)g_getenv("CLEW_PROGRAM"));
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add(argv, (gpointer)*arguments);
  g_ptr_array_add(argv, NULL);
  return run_program_signalled((const char *const *)argv->pdata, signal, signal_after_ms);
}

Outcome *
run_clew(const char *first, ...)
{
  g_autoptr(GPtrArray) arguments = g_ptr_array_new();
  va_list list;
  va_start(list, first);
  for (const char *word = first; word != NULL; word = va_arg(list, const char *))
    g_ptr_array_add(arguments, (gpointer)word);
  va_end(list);
  g_ptr_array_add(arguments, NULL);
  return run_clew_signalled((const char *const *)arguments->pdata, 0, -1);
}
