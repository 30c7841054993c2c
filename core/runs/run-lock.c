/* run-lock.c - see run-lock.h. */
#include "runs/run-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct flock whole_file = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

/* A folder that was deleted in between leaves a lock of nothing; false with errno. */
static bool
is_still_there(int fd, const char *path)
{
  struct stat opened, named;
  if (fstat(fd, &opened) != 0 || stat(path, &named) != 0)
    return false;
  errno = ENOENT;
  return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int
cw_run_lock_take(const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename(folder, CW_RUN_LOCK_FILE, NULL);
  struct flock lock = whole_file;
  int fd = g_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", path, g_strerror(errno));
    return -1;
  }
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0 && is_still_there(fd, path))
    return fd;
  if (errno == EAGAIN || errno == EACCES)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: a worker is in this folder already; wait for it or stop it", folder);
  else
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: cannot be locked: %s", path,
                g_strerror(errno));
  close(fd);
  return -1;
}

int
cw_run_lock_adopt(void)
{
  if (!is_still_there(CW_RUN_LOCK_FD, CW_RUN_LOCK_FILE) ||
      fcntl(CW_RUN_LOCK_FD, F_SETFD, FD_CLOEXEC) != 0)
    return -1;
  return CW_RUN_LOCK_FD;
}

bool
cw_run_lock_is_held(const char *folder)
{
  g_autofree char *path = g_build_filename(folder, CW_RUN_LOCK_FILE, NULL);
  struct flock lock = whole_file;
  int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
  bool is_held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != (short)F_UNLCK;
  if (fd >= 0)
    close(fd);
  return is_held;
}
