/* json-pull.h - JSON read value by value from a text in memory; nothing is built.
 *
 * The text must have a NUL behind its last byte. The first failure sets the error, with path
 * and byte offset, and from then on every call returns false, so that a caller may check once
 * after a loop. Strings are checked to be UTF-8. Python's NaN and Infinity are read as numbers.
 */
#pragma once

#include <string.h>

#include "cw-base.h"

#define CW_JSON_PULL_MAX_DEPTH  64
#define CW_JSON_PULL_MAX_STRING ((size_t)16 << 20)

typedef struct {
  const char *path; /* for errors */
  const char *text, *end, *at;
  GError **error;
  bool has_failed;
} CwJsonPull;

/* A piece of the text: a value as it stands, or what is between a string's quotes. */
typedef struct {
  const char *at; /* NULL: absent */
  size_t n;
} CwJsonSpan;

void cw_json_pull_init(CwJsonPull *pull, const char *path, const char *text, size_t n,
                       GError **error);
/* Fails at `at`. Returns false always. */
bool cw_json_pull_fail(CwJsonPull *pull, const char *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* What the next value begins with: { [ " t f n, 0 for a number, NUL if there is none. */
char cw_json_pull_peek(CwJsonPull *pull);
/* Steps into an object '{' or an array '['. */
bool cw_json_pull_enter(CwJsonPull *pull, char open);
/* To the next member or element, the value of which must then be read or skipped; false behind
 * the last. *is_first is true before the first call. */
bool cw_json_pull_next_member(CwJsonPull *pull, bool *is_first, CwJsonSpan *key);
bool cw_json_pull_next_element(CwJsonPull *pull, bool *is_first);

bool cw_json_pull_string(CwJsonPull *pull, CwJsonSpan *content);
bool cw_json_pull_number(CwJsonPull *pull, double *value, CwJsonSpan *span);
/* Any value, checked completely; span may be NULL. Depth is limited, the stack is not used. */
bool cw_json_pull_skip(CwJsonPull *pull, CwJsonSpan *span);
/* Nothing but white space is left. */
bool cw_json_pull_finish(CwJsonPull *pull);

static inline bool
cw_json_span_equals(CwJsonSpan span, const char *text)
{
  size_t n = strlen(text);
  return span.at != NULL && span.n == n && memcmp(span.at, text, n) == 0;
}
/* The text that the content of a string stands for. U+0000 becomes U+2400, half a surrogate
 * pair U+FFFD. Transfer full. */
char *cw_json_span_unescape(CwJsonSpan content);
