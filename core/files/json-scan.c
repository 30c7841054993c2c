/* json-scan.c - a strict pass over JSON before json-glib sees it.
 *
 * json-glib recurses without a limit, takes about fourteen times the text in memory, accepts
 * more than JSON and lets the last of two equal keys win. So everything is checked here first,
 * in one pass with a fixed stack; two equal keys show as a tree with fewer members than were
 * counted. */
#include "files/json-scan.h"

#include <math.h>
#include <string.h>

#include "files/bounded-read.h"

typedef struct {
  const char *text;
  size_t n, at;
  size_t n_members;
  const char *problem; /* static text; NULL while all is well */
} Scan;

static bool
fail(Scan *scan, const char *problem)
{
  scan->problem = problem;
  return false;
}

static int
peek(const Scan *scan)
{
  return scan->at < scan->n ? (unsigned char)scan->text[scan->at] : -1;
}

static void
skip_space(Scan *scan)
{
  while (scan->at < scan->n && strchr(" \t\r\n", scan->text[scan->at]) != NULL)
    scan->at++;
}

static bool
scan_hex4(Scan *scan, unsigned *value)
{
  *value = 0;
  for (int i = 0; i < 4; i++) {
    int c = peek(scan);
    if (c < 0 || !g_ascii_isxdigit(c))
      return fail(scan, "a \\u escape needs four hexadecimal digits");
    *value = *value * 16 + (unsigned)g_ascii_xdigit_value((char)c);
    scan->at++;
  }
  return true;
}

/* Behind "\u". Surrogates must come in pairs, and U+0000 cannot be kept in a C string. */
static bool
scan_unicode_escape(Scan *scan)
{
  unsigned high, low;
  if (!scan_hex4(scan, &high))
    return false;
  if (high == 0)
    return fail(scan, "a string holds U+0000");
  if (high < 0xd800 || high > 0xdfff)
    return true;
  if (high > 0xdbff || scan->n - scan->at < 6 || scan->text[scan->at] != '\\' ||
      scan->text[scan->at + 1] != 'u')
    return fail(scan, "half of a surrogate pair");
  scan->at += 2;
  if (!scan_hex4(scan, &low))
    return false;
  return (low >= 0xdc00 && low <= 0xdfff) || fail(scan, "half of a surrogate pair");
}

static bool
scan_string(Scan *scan)
{
  size_t begin = ++scan->at;
  for (;;) {
    int c = peek(scan);
    if (c < 0)
      return fail(scan, "a string has no end");
    if (c < 0x20)
      return fail(scan, "a control character in a string");
    scan->at++;
    if (c == '"')
      break;
    if (c != '\\')
      continue;
    c = peek(scan);
    scan->at++;
    if (c == 'u') {
      if (!scan_unicode_escape(scan))
        return false;
    } else if (c < 0 || strchr("\"\\/bfnrt", c) == NULL) {
      return fail(scan, "an unknown escape in a string");
    }
  }
  if (scan->at - begin > CW_JSON_MAX_STRING_BYTES)
    return fail(scan, "a string of more than 1 MiB");
  return true;
}

static bool
scan_digits(Scan *scan)
{
  if (!g_ascii_isdigit(MAX(peek(scan), 0)))
    return fail(scan, "a number lacks digits");
  while (g_ascii_isdigit(MAX(peek(scan), 0)))
    scan->at++;
  return true;
}

static bool
scan_number(Scan *scan)
{
  size_t begin = scan->at;
  if (peek(scan) == '-')
    scan->at++;
  bool is_zero = peek(scan) == '0';
  size_t first = scan->at;
  if (!scan_digits(scan))
    return false;
  if (is_zero && scan->at - first > 1)
    return fail(scan, "a number begins with 0");
  if (peek(scan) == '.') {
    scan->at++;
    if (!scan_digits(scan))
      return false;
  }
  if (peek(scan) == 'e' || peek(scan) == 'E') {
    scan->at++;
    if (peek(scan) == '+' || peek(scan) == '-')
      scan->at++;
    if (!scan_digits(scan))
      return false;
  }
  char copy[64];
  size_t length = scan->at - begin;
  if (length >= sizeof copy)
    return fail(scan, "a number of more than 63 characters");
  memcpy(copy, scan->text + begin, length);
  copy[length] = '\0';
  return isfinite(g_ascii_strtod(copy, NULL)) || fail(scan, "a number is not finite");
}

static bool
scan_word(Scan *scan)
{
  static const char *const words[] = { "true", "false", "null" };
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
    size_t length = strlen(words[i]);
    if (scan->n - scan->at >= length && memcmp(scan->text + scan->at, words[i], length) == 0) {
      scan->at += length;
      return true;
    }
  }
  return fail(scan, "a value was expected");
}

static bool
scan_key(Scan *scan)
{
  skip_space(scan);
  if (peek(scan) != '"')
    return fail(scan, "a key was expected");
  if (!scan_string(scan))
    return false;
  skip_space(scan);
  if (peek(scan) != ':')
    return fail(scan, "a colon was expected");
  scan->at++;
  scan->n_members++;
  return true;
}

/* Values are met in order; `stack` remembers the closing bracket of each open one. */
static bool
scan_value(Scan *scan)
{
  char stack[CW_JSON_MAX_DEPTH];
  int depth = 0;
  for (;;) {
    skip_space(scan);
    int c = peek(scan);
    if (c == '{' || c == '[') {
      if (depth == CW_JSON_MAX_DEPTH)
        return fail(scan, "nested deeper than 64");
      scan->at++;
      stack[depth++] = c == '{' ? '}' : ']';
      skip_space(scan);
      if (peek(scan) != stack[depth - 1]) {
        if (c == '{' && !scan_key(scan))
          return false;
        continue;
      }
    } else if (!(c == '"'                             ? scan_string(scan)
                 : c == '-' || (c >= '0' && c <= '9') ? scan_number(scan)
                                                      : scan_word(scan))) {
      return false;
    }
    for (;;) {
      skip_space(scan);
      if (depth == 0)
        return scan->at == scan->n || fail(scan, "text after the end of the value");
      if (peek(scan) != stack[depth - 1])
        break;
      scan->at++;
      depth--;
    }
    if (peek(scan) != ',')
      return fail(scan, peek(scan) < 0 ? "it is cut short" : "a comma or bracket was expected");
    scan->at++;
    if (stack[depth - 1] == '}' && !scan_key(scan))
      return false;
  }
}

bool
cw_json_scan(const char *text, size_t n_bytes, size_t max_bytes, const char *what,
             size_t *n_members, GError **error)
{
  if (n_bytes > max_bytes) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: JSON of %zu bytes, more than the %zu it may have", what, n_bytes,
                max_bytes);
    return false;
  }
  const char *end;
  if (n_bytes > 0 && !g_utf8_validate_len(text, n_bytes, &end)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: JSON that is not UTF-8 (or holds NUL) at byte %zu", what,
                (size_t)(end - text));
    return false;
  }
  Scan scan = { .text = text, .n = n_bytes };
  if (!scan_value(&scan)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: bad JSON at byte %zu: %s", what,
                MIN(scan.at, n_bytes), scan.problem);
    return false;
  }
  if (n_members != NULL)
    *n_members = scan.n_members;
  return true;
}

/* Recursion is bounded by the scan's depth. */
static size_t
count_members(JsonNode *node)
{
  size_t n = 0;
  if (JSON_NODE_HOLDS_OBJECT(node)) {
    JsonObjectIter iter;
    JsonNode *member;
    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, NULL, &member))
      n += 1 + count_members(member);
  } else if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++)
      n += count_members(json_array_get_element(array, i));
  }
  return n;
}

JsonNode *
cw_json_parse(const char *text, size_t n_bytes, size_t max_bytes, const char *what,
              GError **error)
{
  size_t n_members;
  if (!cw_json_scan(text, n_bytes, max_bytes, what, &n_members, error))
    return NULL;
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) parse_error = NULL;
  if (!json_parser_load_from_data(parser, text, (gssize)n_bytes, &parse_error)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: bad JSON: %s", what,
                parse_error->message);
    return NULL;
  }
  g_autoptr(JsonNode) root = json_parser_steal_root(parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: the JSON is no object", what);
    return NULL;
  }
  if (count_members(root) != n_members) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: the JSON has a key twice in one object",
                what);
    return NULL;
  }
  return g_steal_pointer(&root);
}

JsonNode *
cw_json_load(const char *path, size_t max_bytes, GError **error)
{
  size_t n;
  g_autofree char *text = cw_file_read_bounded(path, max_bytes, &n, error);
  return text != NULL ? cw_json_parse(text, n, max_bytes, path, error) : NULL;
}
