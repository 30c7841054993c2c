/* places.c - finds installed files from the place of the running program. */
#include "places.h"

#include <stdbool.h>
#include <string.h>

#define DEFAULT_MODEL "SmolLM2-135M-Instruct.Q4_1.gguf"

static char *
program_folder(void)
{
  g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
  return program != NULL ? g_path_get_dirname(program) : g_strdup(".");
}

/* `path` if something is there, else frees it. */
static char *
keep_if_there(char *path)
{
  if (g_file_test(path, G_FILE_TEST_EXISTS))
    return path;
  g_free(path);
  return NULL;
}

/* The folder above the program's that holds meson.build and data/: the source tree of a program
 * that runs from its build folder. */
static char *
source_tree(void)
{
  g_autofree char *folder = program_folder();
  for (int up = 0; up < 4; up++) {
    g_autofree char *build = g_build_filename(folder, "meson.build", NULL);
    g_autofree char *data = g_build_filename(folder, "data", "meson.build", NULL);
    if (g_file_test(build, G_FILE_TEST_EXISTS) && g_file_test(data, G_FILE_TEST_EXISTS))
      return g_steal_pointer(&folder);
    char *parent = g_path_get_dirname(folder);
    g_free(folder);
    folder = parent;
  }
  return NULL;
}

char *
cwa_places_find_data(const char *name)
{
  const char *chosen = g_getenv("CLEW_DATA");
  if (chosen != NULL && *chosen != '\0')
    return keep_if_there(g_build_filename(chosen, name, NULL));
  g_autofree char *source = source_tree();
  char *path =
      source != NULL ? keep_if_there(g_build_filename(source, "data", name, NULL)) : NULL;
  g_autofree char *folder = program_folder();
  if (path == NULL)
    path = keep_if_there(g_build_filename(folder, "..", "share", "clew", name, NULL));
  if (path == NULL)
    path = keep_if_there(g_build_filename(CLEW_DATA_DIR, name, NULL));
  return path;
}

char *
cwa_places_find_default_model(void)
{
  char *path = keep_if_there(
      g_build_filename(g_get_user_data_dir(), "clew", "models", DEFAULT_MODEL, NULL));
  const char *const *system = g_get_system_data_dirs();
  for (; path == NULL && *system != NULL; system++)
    path = keep_if_there(g_build_filename(*system, "clew", "models", DEFAULT_MODEL, NULL));
  return path != NULL ? path : cwa_places_find_data("models" G_DIR_SEPARATOR_S DEFAULT_MODEL);
}

char *
cwa_places_find_default_transcoder(void)
{
  static const char *const names[] = { "smollm2-clt", "smollm2-clt.safetensors", NULL };
  char *path = NULL;
  for (const char *const *name = names; path == NULL && *name != NULL; name++)
    path = cwa_places_find_data(*name);
  return path;
}

char *
cwa_places_find_program(void)
{
  g_autofree char *folder = program_folder();
  return keep_if_there(g_build_filename(folder, "clew", NULL));
}

static void
add_if_folder(GPtrArray *folders, char *path)
{
  if (g_file_test(path, G_FILE_TEST_IS_DIR))
    g_ptr_array_add(folders, path);
  else
    g_free(path);
}

char **
cwa_places_dup_bench_folders(void)
{
  GPtrArray *folders = g_ptr_array_new();
  g_autofree char *program = program_folder();
  add_if_folder(folders, g_build_filename(program, "..", "tests", "bench", NULL));
  add_if_folder(folders, g_build_filename(CLEW_LIB_DIR, "bench", NULL));
  g_ptr_array_add(folders, NULL);
  return (char **)g_ptr_array_free(folders, FALSE);
}

char *
cwa_places_find_translations(void)
{
  g_autofree char *program = program_folder();
  g_autofree char *ninja = g_build_filename(program, "..", "build.ninja", NULL);
  if (g_file_test(ninja, G_FILE_TEST_EXISTS))
    return g_build_filename(program, "..", "data", "po", NULL);
  char *path = keep_if_there(g_build_filename(program, "..", "share", "locale", NULL));
  return path != NULL ? path : g_strdup(CLEW_LOCALE_DIR);
}
