/* json-text.c - see json-text.h. Metadata of a graph file is foreign text of any depth, and a
 * recursive reader can be made to overflow its stack; three strings for a subtitle do not need
 * one. */
#include "models/json-text.h"

#include <string.h>

/* Behind the closing quote of the string that begins at p ("), or the end of the text. */
static const char *
skip_string(const char *p)
{
  for (p++; *p != 0 && *p != '"'; p++)
    if (*p == '\\' && p[1] != 0)
      p++;
  return *p == '"' ? p + 1 : p;
}

static const char *
skip_space(const char *p)
{
  while (g_ascii_isspace(*p))
    p++;
  return p;
}

static void
append_escape(GString *out, const char **p)
{
  static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
  const char *which = strchr(from, **p);
  if (**p == 'u') {
    gunichar c = 0;
    for (int i = 1; i <= 4 && g_ascii_isxdigit((*p)[1]); i++, (*p)++)
      c = c * 16 + (gunichar)g_ascii_xdigit_value((*p)[1]);
    g_string_append_unichar(out, g_unichar_validate(c) && c != 0 ? c : 0xfffd);
  } else {
    g_string_append_c(out, which != NULL && **p != 0 ? to[which - from] : **p);
  }
}

/* The contents of the string from its opening quote on. */
static char *
dup_contents(const char *p)
{
  GString *out = g_string_new(NULL);
  for (p++; *p != 0 && *p != '"'; p++) {
    if (*p == '\\' && p[1] != 0) {
      p++;
      append_escape(out, &p);
    } else {
      g_string_append_c(out, *p);
    }
  }
  char *valid = g_utf8_make_valid(out->str, (gssize)out->len);
  g_string_free(out, TRUE);
  return valid;
}

char *
cwu_json_dup_string(const char *json, const char *key)
{
  size_t depth = 0, n_key = strlen(key);
  const char *p = json;
  while (*p != 0) {
    if (*p == '{' || *p == '[')
      depth++;
    else if ((*p == '}' || *p == ']') && depth > 0)
      depth--;
    if (*p != '"') {
      p++;
      continue;
    }
    const char *end = skip_string(p), *next = skip_space(end);
    if (depth == 1 && *next == ':' && (size_t)(end - p) == n_key + 2 &&
        strncmp(p + 1, key, n_key) == 0) {
      next = skip_space(next + 1);
      return *next == '"' ? dup_contents(next) : NULL;
    }
    p = end;
  }
  return NULL;
}
