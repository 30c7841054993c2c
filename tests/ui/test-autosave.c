/* test-autosave.c - copies of unsaved documents: kept while unsaved, gone when saved or closed,
 * taken over from a process that was killed, left alone while it lives. No display is needed.
 */
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/autosave-store.h"
#include "test-support.h"

typedef struct {
  char *folder;
  CwuAutosaveStore *store;
  CwuDocument *document;
  GMainLoop *loop;
  GError *error;
} Fixture;

static void
loaded_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  cwu_document_load_finish(CWU_DOCUMENT(source), result, &f->error);
  g_main_loop_quit(f->loop);
}

static void
load(Fixture *f, GFile *file)
{
  cwu_document_load_async(f->document, file, loaded_cb, f);
  g_main_loop_run(f->loop);
  g_assert_no_error(f->error);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GFile) sample = g_file_new_build_filename(
      g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", "capital-of-france.clew", NULL);
  f->folder = test_temp_dir();
  f->store = cwu_autosave_store_new(f->folder);
  f->document = cwu_document_new();
  f->loop = g_main_loop_new(NULL, FALSE);
  load(f, sample);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_object_unref(f->document);
  cwu_autosave_store_unref(f->store);
  g_main_loop_unref(f->loop);
  test_remove_tree(f->folder);
  g_free(f->folder);
}

/* Copies in all folders of the store. */
static guint
count_copies(const char *root)
{
  g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
  const char *name;
  guint n = 0;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *folder = g_build_filename(root, name, NULL);
    g_autoptr(GDir) inner = g_dir_open(folder, 0, NULL);
    const char *copy;
    while (inner != NULL && (copy = g_dir_read_name(inner)) != NULL)
      n += g_str_has_suffix(copy, ".clew") && *copy != '.';
  }
  return n;
}

static gboolean
wake_cb(gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static void
wait_for_copies(Fixture *f, guint n)
{
  gint64 limit_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  guint timer = g_timeout_add(20, wake_cb, NULL);
  while (count_copies(f->folder) != n && g_get_monotonic_time() < limit_us)
    g_main_context_iteration(NULL, TRUE);
  g_source_remove(timer);
  g_assert_cmpuint(count_copies(f->folder), ==, n);
}

static void
label(Fixture *f, const char *text)
{
  cw_document_set_label(cwu_document_peek_core(f->document), 0, text);
  cwu_document_sync(f->document);
}

static void
saved_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  cwu_document_save_finish(CWU_DOCUMENT(source), result, &f->error);
  g_main_loop_quit(f->loop);
}

static void
test_saving_removes(Fixture *f, gconstpointer data)
{
  CwuAutosave *autosave = cwu_autosave_new(f->store, f->document, NULL);
  g_autofree char *elsewhere = test_temp_dir();
  g_autoptr(GFile) file = g_file_new_build_filename(elsewhere, "a.clew", NULL);
  g_assert_cmpuint(count_copies(f->folder), ==, 0);
  label(f, "one");
  wait_for_copies(f, 1);
  cwu_document_save_async(f->document, file, FALSE, saved_cb, f);
  g_main_loop_run(f->loop);
  g_assert_no_error(f->error);
  wait_for_copies(f, 0);
  /* Undone behind the saving it is unsaved again, and back it is saved. */
  cw_document_undo(cwu_document_peek_core(f->document));
  cwu_document_sync(f->document);
  wait_for_copies(f, 1);
  cw_document_redo(cwu_document_peek_core(f->document));
  cwu_document_sync(f->document);
  wait_for_copies(f, 0);
  cwu_autosave_free(autosave);
  test_remove_tree(elsewhere);
}

static void
test_closing_removes(Fixture *f, gconstpointer data)
{
  CwuAutosave *autosave = cwu_autosave_new(f->store, f->document, NULL);
  label(f, "one");
  wait_for_copies(f, 1);
  cwu_autosave_free(autosave);
  wait_for_copies(f, 0);
}

/* A process that edits, is killed, and leaves a copy; `ready` is written when the copy is
 * there.
 */
static pid_t
start_victim(Fixture *f)
{
  pid_t pid = fork();
  if (pid != 0)
    return pid;
  execl("/proc/self/exe", "test-autosave", "--victim", f->folder, NULL);
  _exit(1);
}

static int
be_victim(const char *folder)
{
  Fixture f = { 0 };
  g_autoptr(GFile) sample = g_file_new_build_filename(
      g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", "capital-of-france.clew", NULL);
  f.store = cwu_autosave_store_new(folder);
  f.document = cwu_document_new();
  f.loop = g_main_loop_new(NULL, FALSE);
  load(&f, sample);
  cwu_autosave_new(f.store, f.document, NULL);
  label(&f, "what was not saved");
  g_main_loop_run(f.loop);
  return 0;
}

static void
test_recovery(Fixture *f, gconstpointer data)
{
  pid_t pid = start_victim(f);
  wait_for_copies(f, 1);
  /* While its process lives, a copy is left alone. */
  g_autoptr(GPtrArray) none = cwu_autosave_store_recover(f->store);
  g_assert_cmpuint(none->len, ==, 0);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  g_autoptr(GPtrArray) found = cwu_autosave_store_recover(f->store);
  g_assert_cmpuint(found->len, ==, 1);
  const CwuRecovered *recovered = found->pdata[0];
  g_autofree char *name = g_file_get_basename(recovered->file);
  g_assert_cmpstr(name, ==, "capital-of-france.clew");
  load(f, recovered->copy);
  cwu_document_set_recovered(f->document, recovered->file);
  g_assert_cmpstr(cw_document_state_peek_label(cwu_document_peek_state(f->document), 0), ==,
                  "what was not saved");
  g_assert_false(cwu_document_is_saved(f->document));
  g_assert_true(g_file_equal(cwu_document_peek_file(f->document), recovered->file));
  /* Taken over once; it stays on disk until it is closed. */
  g_autoptr(GPtrArray) again = cwu_autosave_store_recover(f->store);
  g_assert_cmpuint(again->len, ==, 0);
  CwuAutosave *autosave = cwu_autosave_new(f->store, f->document, recovered->copy);
  wait_for_copies(f, 1);
  cwu_autosave_free(autosave);
  wait_for_copies(f, 0);
}

int
main(int argc, char **argv)
{
  if (argc == 3 && g_strcmp0(argv[1], "--victim") == 0)
    return be_victim(argv[2]);
  g_test_init(&argc, &argv, NULL);
  g_test_add("/ui/autosave/saving-removes-the-copy", Fixture, NULL, set_up, test_saving_removes,
             tear_down);
  g_test_add("/ui/autosave/closing-removes-the-copy", Fixture, NULL, set_up,
             test_closing_removes, tear_down);
  g_test_add("/ui/autosave/recovers-from-a-kill", Fixture, NULL, set_up, test_recovery,
             tear_down);
  return g_test_run();
}
