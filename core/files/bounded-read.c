/* bounded-read.c - see bounded-read.h.
 *
 * A configuration file is a few kilobytes; something called config.json that has gigabytes, or
 * is a pipe that never ends, must cost neither memory nor a hang. */
#include "files/bounded-read.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

bool
cw_file_check_regular(const char *path, size_t *n_bytes, GError **error)
{
  struct stat info;
  if (stat(path, &info) != 0) {
    int code = errno == ENOENT || errno == ENOTDIR ? CW_ERROR_NOT_FOUND : CW_ERROR_IO;
    g_set_error(error, CW_ERROR, code, "%s: %s", path, g_strerror(errno));
    return false;
  }
  if (S_ISDIR(info.st_mode)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: is a folder, not a file", path);
    return false;
  }
  if (!S_ISREG(info.st_mode)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: is a device or a pipe; name a regular file", path);
    return false;
  }
  *n_bytes = (size_t)info.st_size;
  return true;
}

static bool
read_fully(int fd, char *buffer, size_t n)
{
  size_t at = 0;
  while (at < n) {
    ssize_t got = read(fd, buffer + at, n - at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return false;
    if (got == 0) {
      errno = EIO; /* shrank while it was read */
      return false;
    }
    at += (size_t)got;
  }
  return true;
}

char *
cw_file_read_bounded(const char *path, size_t max_bytes, size_t *n_bytes, GError **error)
{
  size_t n;
  if (!cw_file_check_regular(path, &n, error))
    return NULL;
  if (n > max_bytes) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: has %zu bytes, more than the %zu such a file may have", path, n,
                max_bytes);
    return NULL;
  }
  g_autofree char *buffer = g_try_malloc(n + 1);
  if (buffer == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "%s: no memory for its %zu bytes", path,
                n);
    return NULL;
  }
  int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
  bool is_read = fd >= 0 && read_fully(fd, buffer, n);
  int saved_errno = errno;
  if (fd >= 0)
    close(fd);
  if (!is_read) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", path, g_strerror(saved_errno));
    return NULL;
  }
  buffer[n] = '\0';
  *n_bytes = n;
  return g_steal_pointer(&buffer);
}
