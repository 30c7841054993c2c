/* run-list.c - all runs of a user: the folders in one folder, and links to those elsewhere.
 *
 * A run that is added is a symbolic link: the list is what `ls` shows, and two windows that add
 * and delete at once cannot lose each other's changes as with a list in a file. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runs/run-list.h"

CwRuns *
cw_runs_new(const char *root, const char *program)
{
  CwRuns *runs = g_new0(CwRuns, 1);
  runs->root = root != NULL ? g_canonicalize_filename(root, NULL)
                            : g_build_filename(g_get_user_data_dir(), "clew", "runs", NULL);
  runs->program = g_strdup(program);
  runs->list = g_ptr_array_new_with_free_func((GDestroyNotify)cw_run_free);
  cw_runs_refresh(runs, NULL, NULL);
  return runs;
}

void
cw_runs_free(CwRuns *runs)
{
  if (runs == NULL)
    return;
  g_ptr_array_unref(runs->list);
  g_free(runs->root);
  g_free(runs->program);
  g_free(runs);
}

const char *
cw_runs_peek_root(const CwRuns *runs)
{
  return runs->root;
}

size_t
cw_runs_get_n(const CwRuns *runs)
{
  return runs->list->len;
}

CwRun *
cw_runs_peek(const CwRuns *runs, size_t i)
{
  return i < runs->list->len ? g_ptr_array_index(runs->list, i) : NULL;
}

CwRun *
cw_runs_find(const CwRuns *runs, const char *folder)
{
  g_autofree char *wanted = g_canonicalize_filename(folder, NULL);
  for (guint i = 0; i < runs->list->len; i++) {
    CwRun *run = g_ptr_array_index(runs->list, i);
    if (strcmp(run->folder, wanted) == 0)
      return run;
  }
  return NULL;
}

/* ---- what is in the folder --------------------------------------------------------------
 */

static bool
is_link(const char *path)
{
  return g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

/* Names that stand for runs: folders with a record, and links, also to what is gone. Those
 * with a dot are being made. */
static GHashTable *
list_names(const CwRuns *runs)
{
  GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GDir) dir = g_dir_open(runs->root, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(runs->root, name, NULL);
    if (*name != '.' && (is_link(path) || cw_run_is_folder(path)))
      g_hash_table_add(names, g_strdup(name));
  }
  return names;
}

static gint
compare_runs(gconstpointer a, gconstpointer b)
{
  const CwRun *x = *(CwRun *const *)a, *y = *(CwRun *const *)b;
  if (x->facts.created_s != y->facts.created_s)
    return x->facts.created_s < y->facts.created_s ? 1 : -1;
  return strcmp(y->name, x->name);
}

CwRun *
cw_runs_insert(CwRuns *runs, const char *name)
{
  g_autofree char *path = g_build_filename(runs->root, name, NULL);
  CwRun *run = cw_run_open(path);
  run->facts.is_added = is_link(path);
  g_ptr_array_add(runs->list, run);
  g_ptr_array_sort(runs->list, compare_runs);
  return run;
}

static unsigned
follow_folder(CwRuns *runs)
{
  g_autoptr(GHashTable) names = list_names(runs);
  unsigned changes = 0;
  for (guint i = runs->list->len; i-- > 0;) {
    CwRun *run = g_ptr_array_index(runs->list, i);
    if (g_hash_table_remove(names, run->name))
      continue;
    g_ptr_array_remove_index(runs->list, i);
    changes = CW_RUN_LIST_CHANGED;
  }
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init(&iter, names);
  while (g_hash_table_iter_next(&iter, &name, NULL)) {
    cw_runs_insert(runs, name);
    changes = CW_RUN_LIST_CHANGED;
  }
  return changes;
}

unsigned
cw_runs_refresh(CwRuns *runs, void (*changed)(CwRun *run, unsigned changes, gpointer user_data),
                gpointer user_data)
{
  unsigned all = follow_folder(runs);
  for (guint i = 0; i < runs->list->len; i++) {
    CwRun *run = g_ptr_array_index(runs->list, i);
    unsigned changes = cw_run_refresh(run);
    all |= changes;
    if (changes != 0 && changed != NULL)
      changed(run, changes, user_data);
  }
  return all;
}

bool
cw_runs_add(CwRuns *runs, const char *folder, GError **error)
{
  g_autofree char *path = g_canonicalize_filename(folder, NULL);
  g_autofree char *name = g_path_get_basename(path);
  g_autofree char *link = g_build_filename(runs->root, name, NULL);
  if (!cw_run_is_folder(path)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: is no run: it has no run.json, and no settings.json with metrics.jsonl",
                path);
    return false;
  }
  if (g_mkdir_with_parents(runs->root, 0777) != 0 || symlink(path, link) != 0) {
    if (errno == EEXIST)
      g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "a run is listed as %s already", name);
    else
      g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", link, g_strerror(errno));
    return false;
  }
  cw_runs_insert(runs, name);
  return true;
}
