/* escape.c - text on one line. */
#include "cw-base.h"

static void
append_control(GString *out, unsigned char c)
{
  if (c == '\n')
    g_string_append(out, "\\n");
  else if (c == '\t')
    g_string_append(out, "\\t");
  else if (c == '\r')
    g_string_append(out, "\\r");
  else
    g_string_append_printf(out, "\\x%02x", c);
}

char *
cw_escape_dup(const char *text, bool with_quotes)
{
  GString *out = g_string_new(with_quotes ? "\"" : "");
  for (const char *at = text; *at != '\0'; at++) {
    unsigned char c = (unsigned char)*at;
    if (c < 0x20 || c == 0x7f)
      append_control(out, c);
    else if (with_quotes && c == '"')
      g_string_append(out, "\\\"");
    else
      g_string_append_c(out, *at);
  }
  if (with_quotes)
    g_string_append_c(out, '"');
  return g_string_free(out, FALSE);
}
