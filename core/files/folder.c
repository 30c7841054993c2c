/* folder.c - see folder.h. */
#include "files/folder.h"

#include <glib/gstdio.h>

void
cw_folder_remove(const char *folder, const char *first)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name;
  if (first != NULL) {
    g_autofree char *path = g_build_filename(folder, first, NULL);
    g_unlink(path);
  }
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_unlink(path);
  }
  g_rmdir(folder);
}
