/* command-bench.c - clew bench: runs a benchmark program of the build or the installation.
 *
 * Benchmarks are programs of their own, bench-CASE, since they link parts of the core that the
 * command line has no use for. This command finds one and becomes it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "places.h"

#define PREFIX "bench-"

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
add_cases(GPtrArray *cases, const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    bool is_program = g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) &&
                      g_file_test(path, G_FILE_TEST_IS_REGULAR);
    if (is_program && g_str_has_prefix(name, PREFIX))
      g_ptr_array_add(cases, g_strdup(name + strlen(PREFIX)));
  }
}

static GPtrArray *
list_cases(void)
{
  GPtrArray *cases = g_ptr_array_new_with_free_func(g_free);
  g_auto(GStrv) folders = cwa_places_dup_bench_folders();
  for (char **folder = folders; *folder != NULL; folder++)
    add_cases(cases, *folder);
  g_ptr_array_sort(cases, compare_names);
  return cases;
}

static char *
find_case(const char *name)
{
  g_autofree char *program = g_strconcat(PREFIX, name, NULL);
  g_auto(GStrv) folders = cwa_places_dup_bench_folders();
  for (char **folder = folders; *folder != NULL && strchr(name, '/') == NULL; folder++) {
    char *path = g_build_filename(*folder, program, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
      return path;
    g_free(path);
  }
  return NULL;
}

/* Words of the new program's command line: the common options typed before CASE, then all that
 * follows CASE. */
static GPtrArray *
dup_words(const CwaArguments *arguments, const char *program)
{
  static const char *const passed_on[] = { "device", "threads", "seed" };
  GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(words, g_strdup(program));
  for (size_t i = 0; i < G_N_ELEMENTS(passed_on); i++)
    if (cwa_arguments_has(arguments, passed_on[i])) {
      g_ptr_array_add(words, g_strconcat("--", passed_on[i], NULL));
      g_ptr_array_add(words, g_strdup(cwa_arguments_text(arguments, passed_on[i])));
    }
  if (cwa_arguments_flag(arguments, "quiet"))
    g_ptr_array_add(words, g_strdup("--quiet"));
  for (size_t i = 1; i < cwa_arguments_n_operands(arguments); i++)
    g_ptr_array_add(words, g_strdup(cwa_arguments_operand(arguments, i)));
  g_ptr_array_add(words, NULL);
  return words;
}

static bool
run_bench(CwaRun *run, GError **error)
{
  if (cwa_arguments_n_operands(run->arguments) == 0) {
    g_autoptr(GPtrArray) cases = list_cases();
    for (guint i = 0; i < cases->len; i++)
      puts(cases->pdata[i]);
    return true;
  }
  const char *name = cwa_arguments_operand(run->arguments, 0);
  g_autofree char *program = find_case(name);
  if (program == NULL) {
    g_set_error(error, CWA_USAGE_ERROR, 0,
                "there is no benchmark \"%s\"; clew bench lists those that are built", name);
    return false;
  }
  g_autoptr(GPtrArray) words = dup_words(run->arguments, program);
  execv(program, (char **)words->pdata);
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s cannot be run: %s", program, g_strerror(errno));
  return false;
}

const CwaCommand cwa_command_bench = {
  .name = "bench",
  .summary = "run a benchmark",
  .usage = "[OPTIONS] [CASE [ARGUMENTS...]]",
  .description =
      "Without CASE lists the benchmarks that are built, one a line. With it runs that "
      "benchmark, which prints its measurements as JSON; ARGUMENTS go to it as they are.",
  .examples = "clew bench\nclew bench attribute\nclew bench --threads 2 prefill",
  .n_operands_most = -1,
  .operand_kind = CWA_OPERAND_BENCH,
  .common_note = "Options given before CASE are handed to the benchmark.",
  .run = run_bench,
};
