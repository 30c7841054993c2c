/* atomic-write.c - write aside, fsync, rename, fsync the folder.
 *
 * The order matters: a rename that reaches the disk before the data leaves an empty file after
 * a power loss (Pillai et al., OSDI 2014). A reader sees the old file or the new one, never a
 * part. The name aside begins with a dot and lies in the same folder, so that the rename stays
 * within one file system. */
#include "files/atomic-write.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Written bytes go to the disk this many at a time, so that the sync at the end, which nothing
 * can interrupt, is short however large the file is. */
#define SYNC_BYTES (16 << 20)

struct _CwAtomicFile {
  char *path, *aside;
  int fd;
  size_t n_unsynced;
};

void
cw_file_set_error(GError **error, const char *path, const char *doing)
{
  int saved_errno = errno;
  bool is_full = saved_errno == ENOSPC || saved_errno == EDQUOT || saved_errno == EFBIG;
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: cannot %s: %s%s", path, doing,
              g_strerror(saved_errno), is_full ? "; make room there and start again" : "");
}

/* The mode of the file to be replaced, else what the process' umask leaves of rw-rw-rw-. The
 * umask can only be read by setting it, which other threads would see; /proc tells it. */
static mode_t
mode_for(const char *path)
{
  struct stat info;
  if (stat(path, &info) == 0)
    return info.st_mode & 0777;
  unsigned mask = 022;
  g_autofree char *status = NULL;
  const char *line;
  if (g_file_get_contents("/proc/self/status", &status, NULL, NULL) &&
      (line = strstr(status, "\nUmask:")) != NULL)
    mask = (unsigned)g_ascii_strtoull(line + strlen("\nUmask:"), NULL, 8);
  return 0666 & ~mask;
}

CwAtomicFile *
cw_atomic_file_begin(const char *path, GError **error)
{
  if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: is a folder; name a file", path);
    return NULL;
  }
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *base = g_path_get_basename(path);
  CwAtomicFile *file = g_new0(CwAtomicFile, 1);
  file->path = g_strdup(path);
  file->aside = g_strdup_printf("%s/.%.200s.XXXXXX", folder, base);
  file->fd = g_mkstemp_full(file->aside, O_RDWR | O_CLOEXEC, 0600);
  if (file->fd < 0) {
    cw_file_set_error(error, path, "create a file in its folder");
    g_clear_pointer(&file->aside, g_free);
    cw_atomic_file_discard(file);
    return NULL;
  }
  if (fchmod(file->fd, mode_for(path)) != 0) {
    cw_file_set_error(error, path, "set its permissions");
    cw_atomic_file_discard(file);
    return NULL;
  }
  return file;
}

/* At the end of the file, or with an offset of 0 and more over what is there. */
static bool
write_all(CwAtomicFile *file, off_t offset, const void *data, size_t n_bytes, GError **error)
{
  const char *from = data;
  while (n_bytes > 0) {
    ssize_t written =
        offset < 0 ? write(file->fd, from, n_bytes) : pwrite(file->fd, from, n_bytes, offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0) {
      cw_file_set_error(error, file->path, "write");
      return false;
    }
    from += written;
    n_bytes -= (size_t)written;
    if (offset >= 0)
      offset += written;
  }
  return true;
}

bool
cw_atomic_file_write(CwAtomicFile *file, const void *data, size_t n_bytes, GError **error)
{
  if (!write_all(file, -1, data, n_bytes, error))
    return false;
  file->n_unsynced += n_bytes;
  if (file->n_unsynced < SYNC_BYTES)
    return true;
  file->n_unsynced = 0;
  if (fdatasync(file->fd) == 0)
    return true;
  cw_file_set_error(error, file->path, "sync");
  return false;
}

bool
cw_atomic_file_rewrite(CwAtomicFile *file, uint64_t offset, const void *data, size_t n_bytes,
                       GError **error)
{
  return write_all(file, (off_t)offset, data, n_bytes, error);
}

/* File systems that cannot sync a folder say EINVAL; there is nothing more to be done then. */
static bool
sync_folder_of(const char *path)
{
  g_autofree char *folder = g_path_get_dirname(path);
  int fd = g_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0)
    return false;
  bool is_synced = fsync(fd) == 0 || errno == EINVAL;
  int saved_errno = errno;
  close(fd);
  errno = saved_errno;
  return is_synced;
}

bool
cw_atomic_file_commit(CwAtomicFile *file, GError **error)
{
  g_autoptr(CwAtomicFile) owned = file;
  if (fsync(owned->fd) != 0) {
    cw_file_set_error(error, owned->path, "sync");
    return false;
  }
  int fd = g_steal_fd(&owned->fd);
  if (close(fd) != 0) {
    cw_file_set_error(error, owned->path, "close");
    return false;
  }
  if (g_rename(owned->aside, owned->path) != 0) {
    cw_file_set_error(error, owned->path, "rename into place");
    return false;
  }
  g_clear_pointer(&owned->aside, g_free);
  if (!sync_folder_of(owned->path)) {
    cw_file_set_error(error, owned->path, "sync its folder");
    return false;
  }
  return true;
}

void
cw_atomic_file_discard(CwAtomicFile *file)
{
  if (file == NULL)
    return;
  if (file->fd >= 0)
    close(file->fd);
  if (file->aside != NULL)
    g_unlink(file->aside);
  g_free(file->aside);
  g_free(file->path);
  g_free(file);
}

void
cw_atomic_file_clean(const char *path)
{
  g_autofree char *folder = g_path_get_dirname(path);
  g_autofree char *base = g_path_get_basename(path);
  g_autofree char *prefix = g_strdup_printf(".%.200s.", base);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    if (!g_str_has_prefix(name, prefix) || strlen(name) != strlen(prefix) + strlen("XXXXXX"))
      continue;
    g_autofree char *aside = g_build_filename(folder, name, NULL);
    g_unlink(aside);
  }
}

bool
cw_file_write_atomic(const char *path, const void *data, size_t n_bytes, GError **error)
{
  g_autoptr(CwAtomicFile) file = cw_atomic_file_begin(path, error);
  return file != NULL && cw_atomic_file_write(file, data, n_bytes, error) &&
         cw_atomic_file_commit(g_steal_pointer(&file), error);
}
