/* json-cursor.c - see json-cursor.h. RFC 8259, strictly. */
#include "tokenizer/json-cursor.h"

#include <string.h>

#include "tokenizer/utf8-step.h"

#define MAX_DEPTH 64

void
cw_json_cursor_init(CwJsonCursor *cursor, const char *text, size_t n)
{
  *cursor = (CwJsonCursor){ .text = text, .n = n };
  cursor->decoded[0] = g_string_new(NULL);
  cursor->decoded[1] = g_string_new(NULL);
}

void
cw_json_cursor_clear(CwJsonCursor *cursor)
{
  for (int i = 0; i < 2; i++)
    if (cursor->decoded[i] != NULL)
      g_string_free(cursor->decoded[i], TRUE);
  *cursor = (CwJsonCursor){ 0 };
}

bool
cw_json_cursor_fail(CwJsonCursor *cursor, const char *problem)
{
  if (cursor->problem == NULL)
    cursor->problem = problem;
  return false;
}

char
cw_json_cursor_peek(CwJsonCursor *cursor)
{
  while (cursor->at < cursor->n) {
    char c = cursor->text[cursor->at];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
      return c;
    cursor->at++;
  }
  return 0;
}

static bool
take(CwJsonCursor *cursor, char wanted, const char *problem)
{
  if (cursor->problem != NULL)
    return false;
  if (cw_json_cursor_peek(cursor) != wanted || cursor->at >= cursor->n)
    return cw_json_cursor_fail(cursor, problem);
  cursor->at++;
  return true;
}

bool
cw_json_cursor_enter(CwJsonCursor *cursor, char open)
{
  if (!take(cursor, open, open == '{' ? "an object is expected" : "an array is expected"))
    return false;
  cursor->is_fresh = true;
  return true;
}

bool
cw_json_cursor_next(CwJsonCursor *cursor, char close)
{
  if (cursor->problem != NULL)
    return false;
  bool is_first = cursor->is_fresh;
  cursor->is_fresh = false;
  if (cw_json_cursor_peek(cursor) == close) {
    cursor->at++;
    return false;
  }
  return is_first || take(cursor, ',', "a comma or a closing bracket is expected");
}

bool
cw_json_cursor_next_key(CwJsonCursor *cursor, const char **key, size_t *n_key)
{
  return cw_json_cursor_next(cursor, '}') && cw_json_cursor_string(cursor, key, n_key) &&
         take(cursor, ':', "a colon is expected");
}

/* ---- strings --------------------------------------------------------------------------- */

static bool
read_hex4(CwJsonCursor *cursor, uint32_t *value)
{
  if (cursor->n - cursor->at < 4)
    return cw_json_cursor_fail(cursor, "a string is cut off");
  *value = 0;
  for (int i = 0; i < 4; i++) {
    char c = cursor->text[cursor->at++];
    if (!g_ascii_isxdigit(c))
      return cw_json_cursor_fail(cursor, "a \\u escape needs four hexadecimal digits");
    *value = *value * 16 + (uint32_t)g_ascii_xdigit_value(c);
  }
  return true;
}

static bool
read_unicode_escape(CwJsonCursor *cursor, GString *out)
{
  uint32_t c, low = 0;
  if (!read_hex4(cursor, &c))
    return false;
  if (c >= 0xd800 && c <= 0xdfff) {
    bool has_low = c < 0xdc00 && cursor->n - cursor->at >= 6 &&
                   cursor->text[cursor->at] == '\\' && cursor->text[cursor->at + 1] == 'u';
    cursor->at += has_low ? 2 : 0;
    if (has_low && !read_hex4(cursor, &low))
      return false;
    if (low < 0xdc00 || low > 0xdfff)
      return cw_json_cursor_fail(cursor, "half of a surrogate pair");
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
  }
  g_string_append_unichar(out, c);
  return true;
}

static bool
read_escape(CwJsonCursor *cursor, GString *out)
{
  static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  if (cursor->at >= cursor->n)
    return cw_json_cursor_fail(cursor, "a string is cut off");
  char c = cursor->text[cursor->at++];
  if (c == 'u')
    return read_unicode_escape(cursor, out);
  const char *letter = c != '\0' ? strchr(letters, c) : NULL;
  if (letter == NULL)
    return cw_json_cursor_fail(cursor, "an unknown escape");
  g_string_append_c(out, meanings[letter - letters]);
  return true;
}

/* Passes over ordinary characters and stops at a quote or a backslash. */
static bool
pass_plain(CwJsonCursor *cursor)
{
  while (cursor->at < cursor->n) {
    uint32_t c = (unsigned char)cursor->text[cursor->at];
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
      cursor->at++;
      continue;
    }
    size_t step = cw_utf8_step(cursor->text + cursor->at, cursor->n - cursor->at, &c);
    if (step == 0)
      return cw_json_cursor_fail(cursor, "a string is not UTF-8");
    if (c < 0x20)
      return cw_json_cursor_fail(cursor, "a control character in a string");
    if (c == '"' || c == '\\')
      return true;
    cursor->at += step;
  }
  return cw_json_cursor_fail(cursor, "a string is cut off");
}

bool
cw_json_cursor_string(CwJsonCursor *cursor, const char **string, size_t *n_bytes)
{
  if (!take(cursor, '"', "a string is expected"))
    return false;
  size_t begin = cursor->at;
  if (!pass_plain(cursor))
    return false;
  if (cursor->text[cursor->at] == '"') {
    *string = cursor->text + begin;
    *n_bytes = cursor->at++ - begin;
    return true;
  }
  GString *out = cursor->decoded[cursor->which ^= 1];
  g_string_truncate(out, 0);
  for (;;) {
    g_string_append_len(out, cursor->text + begin, (gssize)(cursor->at - begin));
    if (cursor->text[cursor->at++] == '"')
      break;
    if (!read_escape(cursor, out))
      return false;
    begin = cursor->at;
    if (!pass_plain(cursor))
      return false;
  }
  *string = out->str;
  *n_bytes = out->len;
  return true;
}

/* ---- other values ---------------------------------------------------------------------- */

bool
cw_json_cursor_int(CwJsonCursor *cursor, int64_t *value)
{
  if (cursor->problem != NULL)
    return false;
  bool is_negative = cw_json_cursor_peek(cursor) == '-';
  cursor->at += is_negative;
  size_t begin = cursor->at;
  int64_t sum = 0;
  while (cursor->at < cursor->n && g_ascii_isdigit(cursor->text[cursor->at])) {
    if (cursor->at - begin >= 18)
      return cw_json_cursor_fail(cursor, "a number is too large");
    sum = sum * 10 + (cursor->text[cursor->at++] - '0');
  }
  bool has_more = cursor->at < cursor->n && strchr(".eE", cursor->text[cursor->at]) != NULL &&
                  cursor->text[cursor->at] != '\0';
  if (cursor->at == begin || has_more || (cursor->text[begin] == '0' && cursor->at - begin > 1))
    return cw_json_cursor_fail(cursor, "a whole number is expected");
  *value = is_negative ? -sum : sum;
  return true;
}

static bool
take_word(CwJsonCursor *cursor, const char *word)
{
  size_t length = strlen(word);
  if (cursor->n - cursor->at < length || memcmp(cursor->text + cursor->at, word, length) != 0)
    return cw_json_cursor_fail(cursor, "an unknown word");
  cursor->at += length;
  return true;
}

bool
cw_json_cursor_bool(CwJsonCursor *cursor, bool *value)
{
  if (cursor->problem != NULL)
    return false;
  char c = cw_json_cursor_peek(cursor);
  if (c != 't' && c != 'f')
    return cw_json_cursor_fail(cursor, "true or false is expected");
  *value = c == 't';
  return take_word(cursor, c == 't' ? "true" : "false");
}

static size_t
pass_digits(CwJsonCursor *cursor)
{
  size_t begin = cursor->at;
  while (cursor->at < cursor->n && g_ascii_isdigit(cursor->text[cursor->at]))
    cursor->at++;
  return cursor->at - begin;
}

static bool
pass_number(CwJsonCursor *cursor)
{
  const char *text = cursor->text;
  cursor->at += text[cursor->at] == '-';
  size_t begin = cursor->at, n_digits = pass_digits(cursor);
  bool ok = n_digits == 1 || (n_digits > 1 && text[begin] != '0');
  if (ok && cursor->at < cursor->n && text[cursor->at] == '.') {
    cursor->at++;
    ok = pass_digits(cursor) > 0;
  }
  if (ok && cursor->at < cursor->n && (text[cursor->at] | 0x20) == 'e') {
    cursor->at++;
    if (cursor->at < cursor->n && (text[cursor->at] == '+' || text[cursor->at] == '-'))
      cursor->at++;
    ok = pass_digits(cursor) > 0;
  }
  return ok || cw_json_cursor_fail(cursor, "a value is expected");
}

static bool
skip_value(CwJsonCursor *cursor, int depth)
{
  const char *string;
  size_t n;
  if (cursor->problem != NULL)
    return false;
  if (depth > MAX_DEPTH)
    return cw_json_cursor_fail(cursor, "values are nested more than 64 deep");
  switch (cw_json_cursor_peek(cursor)) {
  case '{':
    cw_json_cursor_enter(cursor, '{');
    while (cw_json_cursor_next_key(cursor, &string, &n))
      skip_value(cursor, depth + 1);
    return cursor->problem == NULL;
  case '[':
    cw_json_cursor_enter(cursor, '[');
    while (cw_json_cursor_next(cursor, ']'))
      skip_value(cursor, depth + 1);
    return cursor->problem == NULL;
  case '"':
    return cw_json_cursor_string(cursor, &string, &n);
  case 't':
    return take_word(cursor, "true");
  case 'f':
    return take_word(cursor, "false");
  case 'n':
    return take_word(cursor, "null");
  case 0:
    return cw_json_cursor_fail(cursor, "the text is cut off");
  default:
    return pass_number(cursor);
  }
}

bool
cw_json_cursor_skip(CwJsonCursor *cursor, size_t *start, size_t *end)
{
  cw_json_cursor_peek(cursor);
  size_t begin = cursor->at;
  if (!skip_value(cursor, 1))
    return false;
  if (start != NULL)
    *start = begin;
  if (end != NULL)
    *end = cursor->at;
  return true;
}

bool
cw_json_cursor_finish(CwJsonCursor *cursor)
{
  cw_json_cursor_peek(cursor);
  if (cursor->problem == NULL && cursor->at < cursor->n)
    return cw_json_cursor_fail(cursor, "there is more behind the value");
  return cursor->problem == NULL;
}

void
cw_json_cursor_set_error(const CwJsonCursor *cursor, const char *path, GError **error)
{
  size_t line = 1;
  for (size_t i = 0; i < MIN(cursor->at, cursor->n); i++)
    line += cursor->text[i] == '\n';
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: line %zu (byte %zu): %s", path, line,
              cursor->at, cursor->problem != NULL ? cursor->problem : "not as expected");
}
