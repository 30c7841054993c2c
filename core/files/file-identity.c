/* file-identity.c - see file-identity.h.
 *
 * The memory is a key file; it is only a shortcut: a missing, old or broken one costs time,
 * never a wrong answer, since a file that changed has another time, size or inode. */
#include "files/file-identity.h"

#include "cw-tensor-file.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_GROUP      "sha256"
#define MAX_REMEMBERED   512
#define WORTH_BYTES      (1 << 20)
#define MAX_UPDATE_BYTES ((size_t)1 << 30)

static GMutex cache_mutex;

static char *
cache_path(void)
{
  return g_build_filename(g_get_user_cache_dir(), "clew", "file-hashes", NULL);
}

static char *
digest_contents(const char *path)
{
  g_autoptr(GMappedFile) map = g_mapped_file_new(path, FALSE, NULL);
  if (map == NULL)
    return NULL;
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  const guchar *bytes = (const guchar *)g_mapped_file_get_contents(map);
  size_t n = g_mapped_file_get_length(map);
  for (size_t at = 0; at < n;) { /* g_checksum_update takes a signed length */
    size_t piece = MIN(n - at, MAX_UPDATE_BYTES);
    g_checksum_update(sum, bytes + at, (gssize)piece);
    at += piece;
  }
  return g_strdup(g_checksum_get_string(sum));
}

static bool
is_digest(const char *text)
{
  return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void
remember(GKeyFile *cache, const char *key, const char *digest)
{
  g_auto(GStrv) keys = g_key_file_get_keys(cache, CACHE_GROUP, NULL, NULL);
  if (keys != NULL && g_strv_length(keys) >= MAX_REMEMBERED)
    g_key_file_remove_group(cache, CACHE_GROUP, NULL);
  g_key_file_set_string(cache, CACHE_GROUP, key, digest);
  g_autofree char *path = cache_path();
  g_autofree char *folder = g_path_get_dirname(path);
  gsize n;
  g_autofree char *text = g_key_file_to_data(cache, &n, NULL);
  if (g_mkdir_with_parents(folder, 0700) == 0)
    cw_file_write_atomic(path, text, n, NULL);
}

static char *
digest_file(const char *path)
{
  GStatBuf info;
  if (g_stat(path, &info) != 0)
    return NULL;
  if (info.st_size < WORTH_BYTES)
    return digest_contents(path);
  g_autofree char *key =
      g_strdup_printf("%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "-%" G_GINT64_FORMAT
                      "-%" G_GINT64_FORMAT ".%09ld",
                      (guint64)info.st_dev, (guint64)info.st_ino, (gint64)info.st_size,
                      (gint64)info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
  g_autofree char *memory = cache_path();
  g_autoptr(GKeyFile) cache = g_key_file_new();
  g_mutex_lock(&cache_mutex);
  g_key_file_load_from_file(cache, memory, G_KEY_FILE_NONE, NULL);
  g_autofree char *known = g_key_file_get_string(cache, CACHE_GROUP, key, NULL);
  if (!is_digest(known)) {
    g_free(known);
    known = digest_contents(path);
    if (known != NULL)
      remember(cache, key, known);
  }
  g_mutex_unlock(&cache_mutex);
  return g_steal_pointer(&known);
}

static int
compare_paths(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *
cw_files_dup_identity(const GPtrArray *paths)
{
  g_autoptr(GPtrArray) sorted = g_ptr_array_new();
  g_autoptr(GString) lines = g_string_new(NULL);
  for (guint i = 0; i < paths->len; i++)
    g_ptr_array_add(sorted, paths->pdata[i]);
  g_ptr_array_sort(sorted, compare_paths);
  for (guint i = 0; i < sorted->len; i++) {
    g_autofree char *digest = digest_file(sorted->pdata[i]);
    g_autofree char *name = g_path_get_basename(sorted->pdata[i]);
    if (digest == NULL)
      return NULL;
    if (sorted->len == 1)
      return g_steal_pointer(&digest);
    g_string_append_printf(lines, "%s  %s\n", digest, name);
  }
  return g_compute_checksum_for_string(G_CHECKSUM_SHA256, lines->str, (gssize)lines->len);
}
