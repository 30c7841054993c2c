/* json-cursor.h - reads JSON value by value, without a tree.
 *
 * For files too large for one: a tokenizer.json of 30 MB holds a million strings. Once
 * something is wrong every call returns false, and the cursor keeps the first problem. Depth is
 * limited, and nothing is allocated but the decoded form of strings with escapes. */
#pragma once

#include "cw-base.h"

typedef struct {
  const char *text;
  size_t n, at;
  const char *problem; /* static text; NULL while all is well */
  bool is_fresh;       /* behind an opening bracket */
  GString *decoded[2];
  unsigned which;
} CwJsonCursor;

void cw_json_cursor_init(CwJsonCursor *cursor, const char *text, size_t n);
void cw_json_cursor_clear(CwJsonCursor *cursor);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CwJsonCursor, cw_json_cursor_clear)

/* The first character of the next value ('{', '[', '"', 'n', ...), 0 at the end. */
char cw_json_cursor_peek(CwJsonCursor *cursor);
/* Goes into an object or array; then, while next returns true, a member is read. At the end it
 * has gone out again; look at `problem`. */
bool cw_json_cursor_enter(CwJsonCursor *cursor, char open);
bool cw_json_cursor_next(CwJsonCursor *cursor, char close);
/* As next in an object, with the member's name. */
bool cw_json_cursor_next_key(CwJsonCursor *cursor, const char **key, size_t *n_key);

/* The string is valid UTF-8, not terminated, may hold NUL, and lasts until the second string
 * after it is read. */
bool cw_json_cursor_string(CwJsonCursor *cursor, const char **string, size_t *n_bytes);
bool cw_json_cursor_int(CwJsonCursor *cursor, int64_t *value);
bool cw_json_cursor_bool(CwJsonCursor *cursor, bool *value);
/* Passes over any value and tells where it lies (both may be NULL). */
bool cw_json_cursor_skip(CwJsonCursor *cursor, size_t *start, size_t *end);
/* Nothing but white space is left. */
bool cw_json_cursor_finish(CwJsonCursor *cursor);
bool cw_json_cursor_fail(CwJsonCursor *cursor, const char *problem);
/* Sets CW_ERROR_FORMAT with file, line and problem. */
void cw_json_cursor_set_error(const CwJsonCursor *cursor, const char *path, GError **error);
