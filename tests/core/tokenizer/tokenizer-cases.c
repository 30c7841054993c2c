/* tokenizer-cases.c - see tokenizer-cases.h. */
#include "tokenizer-cases.h"

#include <string.h>

#include "tokenizer/json-cursor.h"

static char *
text_of_ids(const int32_t *ids, size_t n)
{
  GString *text = g_string_new(NULL);
  for (size_t i = 0; i < n; i++)
    g_string_append_printf(text, " %d", ids[i]);
  return g_string_free(text, FALSE);
}

void
test_tokenizer_ids(const CwTokenizer *tokenizer, const char *text, gssize n_bytes,
                   const int32_t *ids, size_t n_ids)
{
  g_autoptr(GError) error = NULL;
  size_t n = 0;
  g_autofree int32_t *found = cw_tokenizer_encode(tokenizer, text, n_bytes, &n, &error);
  g_assert_no_error(error);
  g_assert_nonnull(found);
  if (n == n_ids && (n == 0 || memcmp(found, ids, n * sizeof *ids) == 0))
    return;
  g_autofree char *wanted = text_of_ids(ids, n_ids), *got = text_of_ids(found, n);
  g_test_message("\"%s\":\n  wanted%s\n  got   %s", text, wanted, got);
  g_test_fail();
}

static void
check_inverse(const CwTokenizer *tokenizer, const char *text, size_t n_text, const GArray *ids)
{
  size_t n = 0;
  g_autofree char *decoded =
      cw_tokenizer_decode(tokenizer, (const int32_t *)ids->data, ids->len, &n);
  g_assert_cmpmem(decoded, n, text, n_text);
}

static void
run_case(const CwTokenizer *tokenizer, CwJsonCursor *cursor, GString *text, GArray *ids,
         bool is_inverse)
{
  const char *string;
  size_t n;
  int64_t id;
  g_array_set_size(ids, 0);
  cw_json_cursor_enter(cursor, '{');
  while (cw_json_cursor_next_key(cursor, &string, &n)) {
    if (n == 4 && memcmp(string, "text", 4) == 0 &&
        cw_json_cursor_string(cursor, &string, &n)) {
      g_string_truncate(text, 0);
      g_string_append_len(text, string, (gssize)n);
    } else if (cw_json_cursor_enter(cursor, '[')) {
      while (cw_json_cursor_next(cursor, ']') && cw_json_cursor_int(cursor, &id)) {
        int32_t value = (int32_t)id;
        g_array_append_val(ids, value);
      }
    }
  }
  test_tokenizer_ids(tokenizer, text->str, (gssize)text->len, (const int32_t *)ids->data,
                     ids->len);
  if (is_inverse)
    check_inverse(tokenizer, text->str, text->len, ids);
}

size_t
test_tokenizer_cases(const CwTokenizer *tokenizer, const char *path, bool is_inverse)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *json = NULL;
  size_t n_json, n_cases = 0;
  g_file_get_contents(path, &json, &n_json, &error);
  g_assert_no_error(error);
  g_auto(CwJsonCursor) cursor = { 0 };
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(int32_t));
  cw_json_cursor_init(&cursor, json, n_json);
  cw_json_cursor_enter(&cursor, '[');
  for (; cw_json_cursor_next(&cursor, ']'); n_cases++)
    run_case(tokenizer, &cursor, text, ids, is_inverse);
  g_assert_true(cw_json_cursor_finish(&cursor));
  return n_cases;
}
