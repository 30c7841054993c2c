/* test-kill.c - the whole program, killed with SIGKILL: while work is unsaved, while it saves,
 * while it keeps a copy. Started again it has the work, and what is on disk is whole.
 *
 * The program is driven over D-Bus, by the actions that every GApplication exports there, on a
 * bus of the test's own. Its files lie in a folder of the test's own. */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>

#include "cw-graph.h"
#include "test-support.h"

#define NAME         "io.github.clew_circuits.Clew"
#define APPLICATION  "/io/github/clew_circuits/Clew"
#define WINDOW       APPLICATION "/window/1"
#define SAMPLE       "capital-of-france.clew"
#define STEP         0.05 /* of "threshold-lower" */
#define N_STEPS      3
#define WAIT_SECONDS 120
#define LOOK_US      50 /* a file aside lives for milliseconds */
#define N_ATTEMPTS   20

typedef struct {
  char *home, *copies; /* the program's folder; that of copies of unsaved documents */
  char *folder, *path; /* of the document */
  GBytes *first;       /* the document as it was */
  double threshold;    /* in it */
  ino_t inode;         /* its, while it is that */
  char *display;       /* of X; a bus for tests takes it out of the environment */
  GTestDBus *bus;
  GDBusConnection *connection;
  GSubprocess *program; /* NULL: it does not run */
} Fixture;

#define wait_until(condition)                                                                \
  G_STMT_START                                                                               \
  {                                                                                          \
    gint64 end_us = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;                  \
    while (!(condition)) {                                                                   \
      g_usleep(10000);                                                                       \
      if (g_get_monotonic_time() > end_us)                                                   \
        g_error("%s:%d: not within %d s: %s", __FILE__, __LINE__, WAIT_SECONDS, #condition); \
    }                                                                                        \
  }                                                                                          \
  G_STMT_END

/* ---- files ------------------------------------------------------------------------------ */

static GBytes *
read_bytes(const char *path)
{
  char *text;
  gsize n;
  g_autoptr(GError) error = NULL;
  g_file_get_contents(path, &text, &n, &error);
  g_assert_no_error(error);
  return g_bytes_new_take(text, n);
}

static void
assert_holds(const char *path, GBytes *expected)
{
  g_autoptr(GBytes) bytes = read_bytes(path);
  g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                  g_bytes_get_data(expected, NULL), g_bytes_get_size(expected));
}

/* Of a document on disk; NaN if it is not whole. */
static double
threshold_of(const char *path)
{
  CwViewState view = { NAN, NAN, NULL };
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, &view, NULL, NULL);
  double threshold = graph != NULL ? view.node_threshold : NAN;
  cw_view_state_clear(&view);
  return threshold;
}

/* The first file of a folder that is, or is not, being written aside; NULL if there is none. */
static char *
find_in(const char *folder, bool is_aside)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (is_aside ? g_str_has_prefix(name, ".") : g_str_has_suffix(name, ".clew"))
      return g_build_filename(folder, name, NULL);
  return NULL;
}

/* The same in the folders of all processes. */
static char *
find_copy(Fixture *f, bool is_aside)
{
  g_autoptr(GDir) dir = g_dir_open(f->copies, 0, NULL);
  const char *name;
  char *found = NULL;
  while (dir != NULL && found == NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *folder = g_build_filename(f->copies, name, NULL);
    found = find_in(folder, is_aside);
  }
  return found;
}

static bool
has_copy_of(Fixture *f, double threshold)
{
  g_autofree char *copy = find_copy(f, false);
  return copy != NULL && fabs(threshold_of(copy) - threshold) < 1e-9;
}

static bool
has_no_copies(Fixture *f)
{
  g_autoptr(GDir) dir = g_dir_open(f->copies, 0, NULL);
  return dir == NULL || g_dir_read_name(dir) == NULL;
}

/* ---- the program ------------------------------------------------------------------------ */

/* Does not wait for an answer: what follows it is what the test is about. */
static void
activate(Fixture *f, const char *path, const char *action)
{
  g_dbus_connection_call(f->connection, NAME, path, "org.gtk.Actions", "Activate",
                         g_variant_new("(sava{sv})", action, NULL, NULL), NULL,
                         G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

/* A window is there, and in it a graph that can be saved. */
static bool
has_graph(Fixture *f)
{
  gboolean is_enabled = FALSE;
  if (g_subprocess_get_identifier(f->program) == NULL)
    g_error("the program has ended by itself");
  g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
      f->connection, NAME, WINDOW, "org.gtk.Actions", "Describe", g_variant_new("(s)", "save"),
      NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL);
  if (answer != NULL)
    g_variant_get(answer, "((bgav))", &is_enabled, NULL, NULL);
  return is_enabled;
}

/* path: NULL for none. */
static void
start(Fixture *f, const char *path)
{
  static const char *const variables[] = { "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME",
                                           "XDG_CACHE_HOME", "XDG_RUNTIME_DIR" };
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autoptr(GError) error = NULL;
  g_subprocess_launcher_setenv(launcher, "DISPLAY", f->display, TRUE);
  for (size_t i = 0; i < G_N_ELEMENTS(variables); i++)
    g_subprocess_launcher_setenv(launcher, variables[i], f->home, TRUE);
  /* GLib gives its table of names up when it grows, 16 KiB that nothing of ours can keep in
   * reach from outside; leaks are looked for by the tests that hold the window themselves. */
  const char *asan = g_getenv("ASAN_OPTIONS");
  g_autofree char *options = g_strdup_printf("%s:detect_leaks=0", asan != NULL ? asan : "");
  g_subprocess_launcher_setenv(launcher, "ASAN_OPTIONS", options, TRUE);
  f->program = g_subprocess_launcher_spawn(launcher, &error, g_getenv("CLEW_APP"), path, NULL);
  g_assert_no_error(error);
}

static void
kill_now(Fixture *f)
{
  g_subprocess_send_signal(f->program, SIGKILL);
  g_subprocess_wait(f->program, NULL, NULL);
  g_assert_cmpint(g_subprocess_get_term_sig(f->program), ==, SIGKILL);
  g_clear_object(&f->program);
}

/* Asks no question, and leaves no copies. */
static void
quit(Fixture *f)
{
  activate(f, APPLICATION, "quit");
  g_subprocess_wait(f->program, NULL, NULL);
  g_assert_true(g_subprocess_get_if_exited(f->program));
  g_assert_cmpint(g_subprocess_get_exit_status(f->program), ==, 0);
  g_clear_object(&f->program);
  g_assert_true(has_no_copies(f));
}

/* Opens the document and changes it. The threshold that it has then. */
static double
start_and_edit(Fixture *f)
{
  start(f, f->path);
  wait_until(has_graph(f));
  for (int i = 0; i < N_STEPS; i++)
    activate(f, WINDOW, "threshold-lower");
  return f->threshold - N_STEPS * STEP;
}

/* Whether the document, or else a copy of it, is in its place. */
static bool
is_written(Fixture *f, bool is_copy)
{
  if (is_copy) {
    g_autofree char *copy = find_copy(f, false);
    return copy != NULL;
  }
  GStatBuf info;
  return g_stat(f->path, &info) == 0 && info.st_ino != f->inode;
}

/* Kills the moment there is a file aside. Whether that was before it was put into its place. */
static bool
kill_while_writing(Fixture *f, bool is_copy)
{
  gint64 end_us = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;
  g_autofree char *aside = NULL;
  while (aside == NULL && !is_written(f, is_copy) && g_get_monotonic_time() < end_us) {
    g_usleep(LOOK_US);
    aside = is_copy ? find_copy(f, true) : find_in(f->folder, true);
  }
  g_assert_true(aside != NULL || is_written(f, is_copy));
  kill_now(f);
  return !is_written(f, is_copy);
}

/* ---- cases ------------------------------------------------------------------------------ */

/* The document as it was, and no copies. */
static void
reset(Fixture *f)
{
  GStatBuf info;
  test_remove_tree(f->copies);
  g_assert_true(g_file_set_contents(f->path, g_bytes_get_data(f->first, NULL),
                                    (gssize)g_bytes_get_size(f->first), NULL));
  g_assert_cmpint(g_stat(f->path, &info), ==, 0);
  f->inode = info.st_ino;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autofree char *sample =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", SAMPLE, NULL);
  f->home = test_temp_dir();
  f->copies = g_build_filename(f->home, "clew", "autosave", NULL);
  f->folder = test_temp_dir();
  f->path = g_build_filename(f->folder, SAMPLE, NULL);
  f->first = read_bytes(sample);
  f->threshold = threshold_of(sample);
  g_assert_cmpfloat(f->threshold, >, N_STEPS * STEP);
  reset(f);
  f->display = g_strdup(g_getenv("DISPLAY"));
  f->bus = g_test_dbus_new(G_TEST_DBUS_NONE);
  g_test_dbus_up(f->bus);
  f->connection = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
  g_assert_nonnull(f->connection);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  g_assert_null(f->program);
  g_object_unref(f->connection);
  g_test_dbus_down(f->bus);
  g_object_unref(f->bus);
  g_setenv("DISPLAY", f->display, TRUE);
  test_remove_tree(f->home);
  test_remove_tree(f->folder);
  g_bytes_unref(f->first);
  g_free(f->home);
  g_free(f->copies);
  g_free(f->folder);
  g_free(f->path);
  g_free(f->display);
}

/* A program that starts takes the copy over; saved, the document is what the copy was. */
static void
recover_and_save(Fixture *f, double threshold)
{
  g_autofree char *copy = find_copy(f, false);
  g_autoptr(GBytes) kept = read_bytes(copy);
  start(f, NULL);
  wait_until(has_graph(f));
  g_assert_true(has_copy_of(f, threshold)); /* until it is saved */
  activate(f, WINDOW, "save");
  wait_until(!has_copy_of(f, threshold));
  assert_holds(f->path, kept);
  quit(f);
}

static void
test_recovery(Fixture *f, gconstpointer data)
{
  double threshold = start_and_edit(f);
  wait_until(has_copy_of(f, threshold));
  kill_now(f);
  assert_holds(f->path, f->first);
  recover_and_save(f, threshold);
  g_assert_cmpfloat_with_epsilon(threshold_of(f->path), threshold, 1e-9);
}

/* The document is the old one then, and the work is in the copy. */
static void
test_saving(Fixture *f, gconstpointer data)
{
  for (int i = 0; i < N_ATTEMPTS; i++) {
    double threshold = start_and_edit(f);
    wait_until(has_copy_of(f, threshold));
    activate(f, WINDOW, "save");
    if (kill_while_writing(f, false)) {
      assert_holds(f->path, f->first);
      recover_and_save(f, threshold);
      return;
    }
    g_assert_cmpfloat_with_epsilon(threshold_of(f->path), threshold, 1e-9);
    reset(f);
  }
  g_error("never killed while it saved");
}

/* There is nothing to recover, and what was not finished is taken away. */
static void
test_copying(Fixture *f, gconstpointer data)
{
  for (int i = 0; i < N_ATTEMPTS; i++) {
    double threshold = start_and_edit(f);
    if (kill_while_writing(f, true)) {
      start(f, f->path);
      wait_until(has_graph(f));
      g_assert_true(has_no_copies(f));
      quit(f);
      assert_holds(f->path, f->first);
      return;
    }
    g_assert_true(has_copy_of(f, threshold));
    reset(f);
  }
  g_error("never killed while it kept a copy");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  if (g_getenv("DISPLAY") == NULL) {
    g_print("1..0 # SKIP no X display\n");
    return 0;
  }
  g_test_add("/ui/kill/unsaved-work-is-recovered", Fixture, NULL, set_up, test_recovery,
             tear_down);
  g_test_add("/ui/kill/while-it-saves", Fixture, NULL, set_up, test_saving, tear_down);
  g_test_add("/ui/kill/while-it-keeps-a-copy", Fixture, NULL, set_up, test_copying, tear_down);
  return g_test_run();
}
