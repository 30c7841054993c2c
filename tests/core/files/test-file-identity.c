/* test-file-identity.c - hashes of files, remembered and not fooled by a changed file. */
#include "files/file-identity.h"
#include "test-support.h"

#include <glib/gstdio.h>
#include <string.h>

static char *
identity_of(const char *a, const char *b)
{
  g_autoptr(GPtrArray) paths = g_ptr_array_new();
  g_ptr_array_add(paths, (gpointer)a);
  if (b != NULL)
    g_ptr_array_add(paths, (gpointer)b);
  return cw_files_dup_identity(paths);
}

static void
write_file(const char *path, char fill, gsize n)
{
  g_autofree char *bytes = g_malloc(n);
  memset(bytes, fill, n);
  g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
}

static void
test_identity(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *a = g_build_filename(folder, "a", NULL),
                  *b = g_build_filename(folder, "b", NULL);
  write_file(a, 'x', 3);
  write_file(b, 'y', 3);
  g_autofree char *one = identity_of(a, NULL);
  /* sha256sum of "xxx", and of the two lines that sha256sum prints for both. */
  g_assert_cmpstr(one, ==, "cd2eb0837c9b4c962c22d2ff8b5441b7b45805887f051d39bf133b583baf6860");
  g_autofree char *two = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "yyy", 3);
  g_autofree char *text = g_strdup_printf("%s  a\n%s  b\n", one, two);
  g_autofree char *want = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
  g_autofree char *both = identity_of(b, a);
  g_assert_cmpstr(both, ==, want);
  g_assert_null(identity_of("/nowhere/at/all", NULL));
  test_remove_tree(folder);
}

/* Large enough to be remembered: the second answer comes from the cache, a changed file does
 * not. */
static void
test_remembers(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "large", NULL);
  write_file(path, 'x', 2 << 20);
  g_autofree char *first = identity_of(path, NULL), *again = identity_of(path, NULL);
  g_assert_cmpstr(first, ==, again);
  write_file(path, 'z', 2 << 20);
  g_autofree char *changed = identity_of(path, NULL);
  g_assert_cmpstr(first, !=, changed);
  g_autofree char *cache =
      g_build_filename(g_get_user_cache_dir(), "clew", "file-hashes", NULL);
  g_assert_true(g_file_set_contents(cache, "\0not a key file", 15, NULL));
  g_autofree char *after = identity_of(path, NULL);
  g_assert_cmpstr(after, ==, changed);
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_autofree char *cache = test_temp_dir();
  g_setenv("XDG_CACHE_HOME", cache, TRUE);
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/file-identity/hashes", test_identity);
  g_test_add_func("/core/file-identity/remembers", test_remembers);
  int status = g_test_run();
  test_remove_tree(cache);
  return status;
}
