/* json-pull.c - see json-pull.h.
 *
 * Graph files are pretty-printed and reach 2 GB, so white space and strings, which are most of
 * the bytes, are passed 16 at a time where the processor allows. A tree of the whole file was
 * rejected: json-glib's takes 10 to 14 times the file and overflows the stack on deep nesting.
 */
#include "graph/json-pull.h"

#include <stdarg.h>
#include <string.h>
#ifdef __SSE2__
#  include <emmintrin.h>
#endif

#include "graph/json-number.h"

void
cw_json_pull_init(CwJsonPull *pull, const char *path, const char *text, size_t n,
                  GError **error)
{
  *pull = (CwJsonPull){ .path = path, .text = text, .end = text + n, .at = text };
  pull->error = error;
  if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
    pull->at += 3;
}

bool
cw_json_pull_fail(CwJsonPull *pull, const char *at, const char *format, ...)
{
  if (pull->has_failed)
    return false;
  va_list args;
  va_start(args, format);
  g_autofree char *what = g_strdup_vprintf(format, args);
  va_end(args);
  pull->has_failed = true;
  g_set_error(pull->error, CW_ERROR, CW_ERROR_FORMAT, "%s: byte %zu: %s", pull->path,
              (size_t)(at - pull->text), what);
  return false;
}

static bool
fail_expected(CwJsonPull *pull, const char *what)
{
  unsigned char c = (unsigned char)*pull->at;
  if (pull->at >= pull->end)
    return cw_json_pull_fail(pull, pull->at,
                             "the file ends where %s was expected; it is cut short: fetch it "
                             "again",
                             what);
  const char *remedy = pull->at == pull->text ? "; is it another kind of file?"
                                              : "; the file is damaged here: fetch it again";
  if (c > ' ' && c < 0x7f)
    return cw_json_pull_fail(pull, pull->at, "found '%c' where %s was expected%s", c, what,
                             remedy);
  return cw_json_pull_fail(pull, pull->at, "found byte 0x%02x where %s was expected%s", c, what,
                           remedy);
}

static inline bool
is_space(char c)
{
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline void
skip_space(CwJsonPull *pull)
{
  const char *at = pull->at;
  if (!is_space(*at))
    return;
#ifdef __SSE2__
  while (pull->end - at >= 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    __m128i space = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
                                              _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'))),
                                 _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')),
                                              _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'))));
    unsigned other = ~(unsigned)_mm_movemask_epi8(space) & 0xffff;
    if (other != 0) {
      pull->at = at + __builtin_ctz(other);
      return;
    }
    at += 16;
  }
#endif
  while (is_space(*at))
    at++;
  pull->at = at;
}

char
cw_json_pull_peek(CwJsonPull *pull)
{
  if (pull->has_failed)
    return '\0';
  skip_space(pull);
  switch (*pull->at) {
  case '{':
  case '[':
  case '"':
  case 't':
  case 'f':
  case 'n':
    return *pull->at;
  case 'N':
  case 'I':
  case '-':
    return '0';
  default:
    return g_ascii_isdigit(*pull->at) ? '0' : '\0';
  }
}

bool
cw_json_pull_enter(CwJsonPull *pull, char open)
{
  if (pull->has_failed)
    return false;
  skip_space(pull);
  if (*pull->at != open)
    return fail_expected(pull, open == '{' ? "an object" : "a list");
  pull->at++;
  return true;
}

/* Handles what stands between values; false at `close` or on failure. */
static inline bool
step(CwJsonPull *pull, bool *is_first, char close)
{
  if (pull->has_failed)
    return false;
  skip_space(pull);
  if (*pull->at == close) {
    pull->at++;
    return false;
  }
  if (!*is_first) {
    if (*pull->at != ',')
      return fail_expected(pull, close == '}' ? "',' or '}'" : "',' or ']'");
    pull->at++;
    skip_space(pull);
  }
  *is_first = false;
  return true;
}

bool
cw_json_pull_next_element(CwJsonPull *pull, bool *is_first)
{
  return step(pull, is_first, ']');
}

bool
cw_json_pull_next_member(CwJsonPull *pull, bool *is_first, CwJsonSpan *key)
{
  if (!step(pull, is_first, '}') || !cw_json_pull_string(pull, key))
    return false;
  skip_space(pull);
  if (*pull->at != ':')
    return fail_expected(pull, "':'");
  pull->at++;
  return true;
}

static bool
check_escape(CwJsonPull *pull, const char *at)
{
  if (at[1] == 'u') {
    for (int i = 2; i < 6; i++)
      if (!g_ascii_isxdigit(at[i]))
        return cw_json_pull_fail(pull, at, "\\u needs four hexadecimal digits");
    return true;
  }
  if (at[1] == '\0' || strchr("\"\\/bfnrt", at[1]) == NULL)
    return cw_json_pull_fail(pull, at, "JSON has no such escape in a string");
  return true;
}

/* To the next byte that ends or bends a string: a quote, a backslash, a control character.
 * *has_high gathers whether a byte above 0x7f was passed. */
static inline const char *
plain_end(const char *at, const char *end, bool *has_high)
{
#ifdef __SSE2__
  while (end - at >= 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)at);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i stop =
        _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                           _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    unsigned stops = (unsigned)_mm_movemask_epi8(stop);
    unsigned high = (unsigned)_mm_movemask_epi8(bytes);
    if (stops != 0) {
      unsigned n = (unsigned)__builtin_ctz(stops);
      *has_high |= (high & ((1u << n) - 1)) != 0;
      return at + n;
    }
    *has_high |= high != 0;
    at += 16;
  }
#endif
  while ((unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
    *has_high |= (*at++ & 0x80) != 0;
  return at;
}

bool
cw_json_pull_string(CwJsonPull *pull, CwJsonSpan *content)
{
  if (pull->has_failed)
    return false;
  skip_space(pull);
  if (*pull->at != '"')
    return fail_expected(pull, "a string");
  const char *start = pull->at + 1, *at = start;
  bool has_high = false;
  while (*(at = plain_end(at, pull->end, &has_high)) == '\\') {
    if (!check_escape(pull, at))
      return false;
    at += at[1] == 'u' ? 6 : 2;
  }
  if (*at != '"') {
    if (at >= pull->end)
      return cw_json_pull_fail(pull, start - 1, "the string that begins here has no end");
    return cw_json_pull_fail(pull, at, "a control character stands in a string");
  }
  if ((size_t)(at - start) > CW_JSON_PULL_MAX_STRING)
    return cw_json_pull_fail(pull, start - 1, "a string of %zu bytes; the limit is %zu",
                             (size_t)(at - start), CW_JSON_PULL_MAX_STRING);
  const char *bad;
  if (has_high && !g_utf8_validate_len(start, (size_t)(at - start), &bad))
    return cw_json_pull_fail(pull, bad, "a string is not UTF-8; save the file as UTF-8");
  *content = (CwJsonSpan){ start, (size_t)(at - start) };
  pull->at = at + 1;
  return true;
}

bool
cw_json_pull_number(CwJsonPull *pull, double *value, CwJsonSpan *span)
{
  if (pull->has_failed)
    return false;
  skip_space(pull);
  double number;
  size_t n = cw_json_number_parse(pull->at, &number);
  if (n == 0)
    return fail_expected(pull, "a number");
  if (value != NULL)
    *value = number;
  if (span != NULL)
    *span = (CwJsonSpan){ pull->at, n };
  pull->at += n;
  return true;
}

static bool
skip_word(CwJsonPull *pull)
{
  static const char *const words[] = { "true", "false", "null" };
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
    if (g_str_has_prefix(pull->at, words[i])) {
      pull->at += strlen(words[i]);
      return true;
    }
  return fail_expected(pull, "a value");
}

static bool
skip_scalar(CwJsonPull *pull)
{
  CwJsonSpan ignored;
  switch (cw_json_pull_peek(pull)) {
  case '"':
    return cw_json_pull_string(pull, &ignored);
  case '0': {
    size_t n = cw_json_number_span(pull->at);
    if (n == 0)
      return fail_expected(pull, "a number");
    pull->at += n;
    return true;
  }
  default:
    return skip_word(pull);
  }
}

bool
cw_json_pull_skip(CwJsonPull *pull, CwJsonSpan *span)
{
  uint64_t is_object = 0; /* one bit for every level, the innermost lowest */
  int depth = 0;
  bool is_first = false;
  char next = cw_json_pull_peek(pull);
  const char *start = pull->at;
  for (;;) {
    if (next == '{' || next == '[') {
      if (++depth > CW_JSON_PULL_MAX_DEPTH)
        return cw_json_pull_fail(pull, pull->at, "values are nested more than %d deep",
                                 CW_JSON_PULL_MAX_DEPTH);
      is_object = is_object << 1 | (next == '{');
      is_first = true;
      pull->at++;
    } else if (!skip_scalar(pull)) {
      return false;
    }
    CwJsonSpan key;
    while (depth > 0 && !(is_object & 1 ? cw_json_pull_next_member(pull, &is_first, &key)
                                        : cw_json_pull_next_element(pull, &is_first))) {
      depth--;
      is_object >>= 1;
      is_first = false;
    }
    if (pull->has_failed)
      return false;
    if (depth == 0)
      break;
    next = cw_json_pull_peek(pull);
  }
  if (span != NULL)
    *span = (CwJsonSpan){ start, (size_t)(pull->at - start) };
  return true;
}

bool
cw_json_pull_finish(CwJsonPull *pull)
{
  if (pull->has_failed)
    return false;
  skip_space(pull);
  if (pull->at < pull->end)
    return cw_json_pull_fail(pull, pull->at, "something follows the end of the JSON value");
  return true;
}

static unsigned
hex4(const char *at)
{
  unsigned value = 0;
  for (int i = 0; i < 4; i++)
    value = value << 4 | (unsigned)g_ascii_xdigit_value(at[i]);
  return value;
}

/* at: behind "\u". Returns the bytes read. */
static size_t
append_unicode(GString *text, const char *at, const char *end)
{
  unsigned c = hex4(at);
  if (c >= 0xD800 && c < 0xDC00 && end - at >= 10 && at[4] == '\\' && at[5] == 'u') {
    unsigned low = hex4(at + 6);
    if (low >= 0xDC00 && low < 0xE000) {
      g_string_append_unichar(text, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
      return 10;
    }
  }
  if (c >= 0xD800 && c < 0xE000)
    c = 0xFFFD;
  g_string_append_unichar(text, c == 0 ? 0x2400 : c);
  return 4;
}

char *
cw_json_span_unescape(CwJsonSpan content)
{
  static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  if (content.at == NULL)
    return g_strdup("");
  if (memchr(content.at, '\\', content.n) == NULL)
    return g_strndup(content.at, content.n);
  GString *text = g_string_sized_new(content.n);
  const char *at = content.at, *end = at + content.n;
  while (at < end) {
    if (*at != '\\') {
      g_string_append_c(text, *at++);
      continue;
    }
    if (at[1] == 'u') {
      at += 2 + append_unicode(text, at + 2, end);
      continue;
    }
    for (const char *pair = escapes; *pair != '\0'; pair += 2)
      if (pair[0] == at[1]) {
        g_string_append_c(text, pair[1]);
        break;
      }
    at += 2;
  }
  return g_string_free(text, FALSE);
}
