/* test-atomic-write.c - a file appears whole or not at all. */
#include "files/atomic-write.h"
#include "files/safetensors-writer.h"
#include "test-support.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* The one file of a folder has this text and nothing lies beside it. */
static void
assert_only(const char *folder, const char *path, const char *text)
{
  g_autofree char *found = NULL;
  g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
  g_assert_cmpstr(found, ==, text);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  g_assert_nonnull(g_dir_read_name(dir));
  g_assert_null(g_dir_read_name(dir));
}

static void
replaces_and_keeps_permissions(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "f", NULL);
  mode_t mask = umask(027);
  g_assert_true(cw_file_write_atomic(path, "one", 3, &error));
  umask(mask);
  struct stat info;
  g_assert_cmpint(stat(path, &info), ==, 0);
  g_assert_cmpint(info.st_mode & 0777, ==, 0640);
  g_assert_cmpint(chmod(path, 0604), ==, 0);
  g_assert_true(cw_file_write_atomic(path, "two", 3, &error));
  g_assert_no_error(error);
  g_assert_cmpint(stat(path, &info), ==, 0);
  g_assert_cmpint(info.st_mode & 0777, ==, 0604);
  assert_only(folder, path, "two");
  test_remove_tree(folder);
}

static void
discards_what_was_not_committed(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "f", NULL);
  g_assert_true(cw_file_write_atomic(path, "old", 3, &error));
  CwAtomicFile *file = cw_atomic_file_begin(path, &error);
  g_assert_true(cw_atomic_file_write(file, "new", 3, &error));
  cw_atomic_file_discard(file);
  assert_only(folder, path, "old");
  test_remove_tree(folder);
}

/* A file size limit makes write fail as a full disk does: partly, then wholly. */
static void
leaves_the_old_file_when_writing_fails(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "f", NULL);
  g_autofree char *big = g_strnfill(100000, 'x');
  g_assert_true(cw_file_write_atomic(path, "old", 3, &error));
  struct rlimit limit, small;
  getrlimit(RLIMIT_FSIZE, &limit);
  small = limit;
  small.rlim_cur = 50000;
  signal(SIGXFSZ, SIG_IGN);
  g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
  bool is_written = cw_file_write_atomic(path, big, 100000, &error);
  setrlimit(RLIMIT_FSIZE, &limit);
  g_assert_false(is_written);
  g_assert_error(error, CW_ERROR, CW_ERROR_IO);
  g_assert_true(g_str_has_prefix(error->message, path));
  assert_only(folder, path, "old");
  test_remove_tree(folder);
}

static void
names_folders_that_cannot_be_written(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_assert_false(cw_file_write_atomic(folder, "x", 1, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_IO);
  g_clear_error(&error);
  g_autofree char *path = g_build_filename(folder, "absent", "f", NULL);
  g_assert_false(cw_file_write_atomic(path, "x", 1, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_IO);
  g_assert_true(g_str_has_prefix(error->message, path));
  test_remove_tree(folder);
}

static void
writes_no_file_of_wrong_tensors(void)
{
  static const float one = 1;
  const CwTensorOut twice[2] = { { "a", "F32", 0, { 0 }, &one },
                                 { "a", "F32", 0, { 0 }, &one } };
  const CwTensorOut unknown = { "a", "F99", 0, { 0 }, &one };
  const CwTensorOut negative = { "a", "F32", 1, { -1 }, &one };
  const CwTensorOut huge = { "a", "F32", 2, { G_MAXINT64, 4 }, &one };
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "f", NULL);
  const CwTensorOut *cases[] = { twice, &unknown, &negative, &huge };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(cw_safetensors_write(path, cases[i], i == 0 ? 2 : 1, NULL, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  }
  g_autoptr(GError) error = NULL;
  const CwTensorOut good = { "a", "F32", 1, { 2 }, NULL };
  CwSafetensorsWriter *writer = cw_safetensors_writer_begin(path, &good, 1, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(cw_safetensors_writer_append(writer, &one, 4, &error));
  g_assert_false(cw_safetensors_writer_finish(writer, &error));
  g_assert_nonnull(strstr(error->message, "4 bytes of tensors were written, 8 were announced"));
  g_assert_cmpint(g_rmdir(folder), ==, 0); /* still empty */
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/atomic-write/replaces-and-keeps-permissions",
                  replaces_and_keeps_permissions);
  g_test_add_func("/core/atomic-write/discards-what-was-not-committed",
                  discards_what_was_not_committed);
  g_test_add_func("/core/atomic-write/leaves-the-old-file-when-writing-fails",
                  leaves_the_old_file_when_writing_fails);
  g_test_add_func("/core/atomic-write/names-folders-that-cannot-be-written",
                  names_folders_that_cannot_be_written);
  g_test_add_func("/core/atomic-write/writes-no-file-of-wrong-tensors",
                  writes_no_file_of_wrong_tensors);
  return g_test_run();
}
