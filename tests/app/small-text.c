/* small-text.c - see small-text.h. */
#include "small-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cw-tensor-file.h"

void
small_text_write(const char *path)
{
  static int32_t ids[SMALL_TEXT_DOCUMENTS][SMALL_TEXT_TOKENS];
  g_autoptr(GError) error = NULL;
  for (int d = 0; d < SMALL_TEXT_DOCUMENTS; d++)
    for (int i = 0; i < SMALL_TEXT_TOKENS; i++)
      ids[d][i] = 3 + (d * 31 + i * i * 7) % 250;
  const CwTensorOut tensor = {
    "tokens", "I32", 2, { SMALL_TEXT_DOCUMENTS, SMALL_TEXT_TOKENS }, ids
  };
  cw_safetensors_write(path, &tensor, 1, NULL, &error);
  g_assert_no_error(error);
}

/* ---- the disk --------------------------------------------------------------------------- */

void
small_disk_init(SmallDisk *disk, const char *folder, guint64 n_bytes)
{
  g_autofree char *size = g_strdup_printf("size=%" G_GUINT64_FORMAT, n_bytes);
  disk->folder = g_strdup(folder);
  disk->n_bytes = n_bytes;
  g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
  /* In a name space of this process, which takes it along however it ends. */
  disk->is_mounted = unshare(CLONE_NEWNS) == 0 &&
                     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                     mount("tmpfs", folder, "tmpfs", 0, size) == 0;
  if (!disk->is_mounted)
    g_test_message("no file system can be mounted (%s): files are kept short instead",
                   g_strerror(errno));
}

void
small_disk_clear(SmallDisk *disk)
{
  if (disk->is_mounted)
    g_assert_cmpint(umount2(disk->folder, MNT_DETACH), ==, 0);
  g_clear_pointer(&disk->folder, g_free);
}

/* A file that leaves `room` of the disk. */
static void
put_ballast(const char *path, const char *folder, guint64 room)
{
  struct statvfs facts;
  g_assert_cmpint(statvfs(folder, &facts), ==, 0);
  guint64 n_free = (guint64)facts.f_bavail * facts.f_frsize;
  g_assert_cmpuint(n_free, >, room);
  int fd = g_open(path, O_WRONLY | O_CREAT, 0666);
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(posix_fallocate(fd, 0, (off_t)(n_free - room)), ==, 0);
  close(fd);
}

Outcome *
small_disk_run_squeezed(const SmallDisk *disk, guint64 room, const char *const *arguments)
{
  if (disk->is_mounted) {
    g_autofree char *ballast = g_build_filename(disk->folder, "ballast", NULL);
    put_ballast(ballast, disk->folder, room);
    Outcome *outcome = run_clew_signalled(arguments, 0, -1);
    g_assert_cmpint(g_unlink(ballast), ==, 0);
    return outcome;
  }
  /* Without the trap the signal would end the program at the limit. */
  g_autofree char *script =
      g_strdup_printf("trap '' XFSZ; ulimit -f %d; exec \"$0\" \"$@\"", (int)(room / 512));
  g_autoptr(GPtrArray) argv = g_ptr_array_new();
  const char *const shell[] = { "/bin/sh", "-c", script, g_getenv("CLEW_PROGRAM") };
  for (size_t i = 0; i < G_N_ELEMENTS(shell); i++)
    g_ptr_array_add(argv, (gpointer)shell[i]);
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add(argv, (gpointer)*arguments);
  g_ptr_array_add(argv, NULL);
  return run_program_signalled((const char *const *)argv->pdata, 0, -1);
}

/* ---- folders ---------------------------------------------------------------------------- */

static int
count_names(const char *folder)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
  int n = 0;
  g_assert_no_error(error);
  while (g_dir_read_name(dir) != NULL)
    n++;
  return n;
}

void
assert_same_folder(const char *a, const char *b)
{
  g_autoptr(GDir) dir = g_dir_open(a, 0, NULL);
  const char *name;
  g_assert_nonnull(dir);
  while ((name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *a_path = g_build_filename(a, name, NULL);
    g_autofree char *b_path = g_build_filename(b, name, NULL);
    g_autofree char *a_bytes = NULL, *b_bytes = NULL;
    gsize n_a = 0, n_b = 0;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(a_path, &a_bytes, &n_a, &error);
    g_assert_no_error(error);
    g_file_get_contents(b_path, &b_bytes, &n_b, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(a_bytes, n_a, b_bytes, n_b);
  }
  g_assert_cmpint(count_names(a), ==, count_names(b));
}
