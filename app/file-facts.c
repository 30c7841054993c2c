/* file-facts.c - size and SHA-256 of files. */
#include "file-facts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define PIECE_BYTES ((size_t)1 << 20)

uint64_t
cwa_path_get_size(const char *path)
{
  struct stat facts;
  if (stat(path, &facts) != 0)
    return 0;
  if (!S_ISDIR(facts.st_mode))
    return (uint64_t)facts.st_size;
  uint64_t total = 0;
  g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
  const char *name;
  while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
    g_autofree char *file = g_build_filename(path, name, NULL);
    if (lstat(file, &facts) == 0 && S_ISDIR(facts.st_mode))
      total += cwa_path_get_size(file);
    else if (stat(file, &facts) == 0 && S_ISREG(facts.st_mode))
      total += (uint64_t)facts.st_size;
  }
  return total;
}

static bool
add_pieces(FILE *file, GChecksum *checksum, uint64_t size, CwaRun *run, GError **error)
{
  g_autofree guchar *piece = g_malloc(PIECE_BYTES);
  uint64_t n_done = 0;
  size_t n;
  while ((n = fread(piece, 1, PIECE_BYTES, file)) > 0) {
    g_checksum_update(checksum, piece, (gssize)n);
    n_done += n;
    cw_progress_report(&run->reports, "hash", size > 0 ? (double)n_done / (double)size : 1);
    if (cw_cancel_check(run->cancel, error))
      return false;
  }
  return true;
}

char *
cwa_file_dup_hash(const char *path, CwaRun *run, GError **error)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s cannot be read: %s", path, g_strerror(errno));
    return NULL;
  }
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  bool is_done = add_pieces(file, checksum, cwa_path_get_size(path), run, error);
  if (is_done && ferror(file)) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s cannot be read to its end", path);
    is_done = false;
  }
  fclose(file);
  return is_done ? g_strdup(g_checksum_get_string(checksum)) : NULL;
}
