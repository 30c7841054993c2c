/* run.c - the device of a run, and whether its output can be written at all. */
#include "run.h"

#include <string.h>
#include <unistd.h>

bool
cwa_run_open_device(CwaRun *run, GError **error)
{
  if (run->device != NULL)
    return true;
  const char *choice = cwa_arguments_text(run->arguments, "device");
  const char *why = NULL;
  /* "auto" is the CPU: the model's passes refuse any other device so far. */
  bool is_required = strcmp(choice, "cuda") == 0;
  if (is_required)
    run->device = cwk_cuda_new(NULL, 0, &why);
  if (run->device == NULL && is_required) {
    g_set_error(error, CW_ERROR, CW_ERROR_DEVICE,
                "there is no CUDA device to use: %s; --device cpu works everywhere",
                why != NULL ? why : "no reason was given");
    return false;
  }
  if (run->device == NULL)
    run->device = cwk_cpu_new((int)cwa_arguments_integer(run->arguments, "threads"));
  if (run->device == NULL)
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                        "the system gave no memory or no threads for the computation; fewer "
                        "may work: --threads 1");
  return run->device != NULL;
}

bool
cwa_run_begin_record(CwaRun *run, CwRunKind kind, const char *folder_option, GError **error)
{
  const char *const except[] = { folder_option, "resume", NULL };
  if (run->worker != NULL)
    return true;
  g_auto(GStrv) words = cwa_arguments_dup_words(run->arguments, except);
  run->worker = cw_run_worker_begin(cwa_arguments_text(run->arguments, folder_option), kind,
                                    (const char *const *)words,
                                    cwa_arguments_flag(run->arguments, "resume"), error);
  return run->worker != NULL;
}

bool
cwa_run_check_output(const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname(path);
  if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s is a folder; --output takes a file", path);
    return false;
  }
  if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO,
                "%s cannot be written: there is no folder %s; create it first", path, folder);
    return false;
  }
  if (access(folder, W_OK) != 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO,
                "%s cannot be written: the folder %s is not yours to write to", path, folder);
    return false;
  }
  return true;
}

const char *
cwa_run_peek_ending(const char *path)
{
  const char *slash = strrchr(path, '/');
  const char *dot = strrchr(slash != NULL ? slash : path, '.');
  return dot != NULL ? dot + 1 : "";
}

bool
cwa_run_check_ending(const char *path, const char *endings, GError **error)
{
  g_auto(GStrv) list = g_strsplit(endings, " ", -1);
  if (g_strv_contains((const char *const *)list, cwa_run_peek_ending(path)))
    return true;
  g_autofree char *text = g_strjoinv(", .", list);
  g_set_error(error, CWA_USAGE_ERROR, 0,
              "%s: the ending decides what is written; it must be one of .%s", path, text);
  return false;
}
