/* json-checksum.c - see json-checksum.h. */
#include "files/json-checksum.h"

#include <string.h>
#include <xxhash.h>

/* The last member and the object's end. Transfer full. */
static char *
dup_end(const char *text, gsize n_bytes)
{
  return g_strdup_printf(CW_JSON_CHECKSUM_KEY "%016" G_GINT64_MODIFIER "x\"\n}\n",
                         (guint64)XXH3_64bits(text, n_bytes));
}

void
cw_json_checksum_append(GString *json)
{
  g_autofree char *end = dup_end(json->str, json->len);
  g_string_append(json, end);
}

bool
cw_json_checksum_check(const char *path, const char *remedy, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr(GError) failure = NULL;
  gsize n_bytes = 0;
  if (!g_file_get_contents(path, &text, &n_bytes, &failure)) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s", failure->message);
    return false;
  }
  const char *end = g_strrstr_len(text, (gssize)n_bytes, CW_JSON_CHECKSUM_KEY);
  if (end != NULL) {
    g_autofree char *expected = dup_end(text, (gsize)(end - text));
    if (strcmp(end, expected) == 0)
      return true;
  }
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: is damaged: its checksum differs; %s",
              path, remedy);
  return false;
}
