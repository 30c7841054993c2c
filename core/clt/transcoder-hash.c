/* transcoder-hash.c - the identity of a transcoder's files.
 *
 * One file: its SHA-256, as sha256sum prints it. Several: the SHA-256 of the lines that
 * "LC_ALL=C sha256sum *" prints for them, so that anyone can repeat it with a shell. */
#include "clt/transcoder.h"

static void
hash_contents(const char *path, GMappedFile *map, GString *lines)
{
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  g_autofree char *name = g_path_get_basename(path);
  const uint8_t *bytes = (const uint8_t *)g_mapped_file_get_contents(map);
  size_t n = g_mapped_file_get_length(map);
  for (size_t at = 0; at < n;) { /* g_checksum_update takes a signed length */
    size_t piece = MIN(n - at, (size_t)1 << 30);
    g_checksum_update(sum, bytes + at, (gssize)piece);
    at += piece;
  }
  g_string_append_printf(lines, "%s  %s\n", g_checksum_get_string(sum), name);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *
compute_hash(const CwTranscoder *transcoder)
{
  g_autoptr(GPtrArray) paths = g_ptr_array_new();
  g_autoptr(GString) lines = g_string_new(NULL);
  for (guint i = 0; i < transcoder->files->len; i++)
    g_ptr_array_add(paths, (gpointer)cw_tensor_file_peek_path(transcoder->files->pdata[i]));
  for (guint i = 0; i < transcoder->side_files->len; i++)
    g_ptr_array_add(paths, transcoder->side_files->pdata[i]);
  g_ptr_array_sort(paths, compare_names);
  for (guint i = 0; i < paths->len; i++) {
    g_autoptr(GMappedFile) map = g_mapped_file_new(paths->pdata[i], FALSE, NULL);
    if (map != NULL)
      hash_contents(paths->pdata[i], map, lines);
  }
  if (paths->len == 1)
    return g_strndup(lines->str, 64);
  return g_compute_checksum_for_string(G_CHECKSUM_SHA256, lines->str, (gssize)lines->len);
}

const char *
cw_transcoder_get_hash(CwTranscoder *transcoder)
{
  g_mutex_lock(&transcoder->hash_lock);
  if (transcoder->hash == NULL)
    transcoder->hash = compute_hash(transcoder);
  g_mutex_unlock(&transcoder->hash_lock);
  return transcoder->hash;
}
