/* fuzz-folder.c - see fuzz-folder.h. */
#include "fuzz-folder.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/json-checksum.h"

static char *folder;

static void
remove_folder(void)
{
  fuzz_folder_empty();
  g_rmdir(folder);
  g_clear_pointer(&folder, g_free);
}

const char *
fuzz_folder_peek(void)
{
  if (folder != NULL)
    return folder;
  /* The files are written for every input. */
  bool has_memory = g_file_test("/dev/shm", G_FILE_TEST_IS_DIR);
  folder =
      g_build_filename(has_memory ? "/dev/shm" : g_get_tmp_dir(), "clew-fuzz-XXXXXX", NULL);
  if (g_mkdtemp(folder) == NULL)
    g_error("%s cannot be made", folder);
  atexit(remove_folder);
  return folder;
}

void
fuzz_folder_empty(void)
{
  g_autoptr(GDir) dir = g_dir_open(fuzz_folder_peek(), 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_unlink(path);
  }
}

void
fuzz_folder_write(const char *name, const void *data, gsize n)
{
  g_autofree char *path = g_build_filename(fuzz_folder_peek(), name, NULL);
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(data, 1, n, file) != n || fclose(file) != 0)
    g_error("%s cannot be written", path);
}

gsize
fuzz_file_append(const char *from, const char *name, GByteArray *seed)
{
  g_autofree char *path = g_build_filename(from, name, NULL), *bytes = NULL;
  g_autoptr(GError) error = NULL;
  gsize n = 0;
  g_file_get_contents(path, &bytes, &n, &error);
  g_assert_no_error(error);
  g_byte_array_append(seed, (const guint8 *)bytes, (guint)n);
  return n;
}

void
fuzz_replace_string(GString *json, gsize from, const char *key, const char *value)
{
  char *at = from < json->len ? strstr(json->str + from, key) : NULL;
  at = at != NULL ? strchr(at + strlen(key), '"') : NULL;
  char *end = at != NULL ? strchr(at + 1, '"') : NULL;
  if (end == NULL)
    return;
  gssize start = at + 1 - json->str;
  g_string_erase(json, start, end - at - 1);
  g_string_insert(json, start, value);
}

void
fuzz_repair_checksum(GString *json)
{
  const char *sum = g_strrstr(json->str, CW_JSON_CHECKSUM_KEY);
  if (sum == NULL)
    return;
  g_string_truncate(json, (gsize)(sum - json->str));
  cw_json_checksum_append(json);
}
