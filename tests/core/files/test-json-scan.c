/* test-json-scan.c - the strict pass before json-glib. */
#include "files/json-scan.h"
#include "test-support.h"

#include <string.h>

static void
accepts_json(void)
{
  static const struct {
    const char *text;
    size_t n_members;
  } cases[] = {
    { "{}", 0 },
    { " [ ] ", 0 },
    { "0", 0 },
    { "-0.5e+10", 0 },
    { "\"\\u00e4\\ud83d\\ude00\\n\\/\"", 0 },
    { "{\"a\":[1,{\"b\":null},true],\"c\":{}}", 3 },
    { "[[],[[]],{\"x\":false}]", 1 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    size_t n_members = 99;
    g_autoptr(GError) error = NULL;
    cw_json_scan(cases[i].text, strlen(cases[i].text), 1000, "f", &n_members, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(n_members, ==, cases[i].n_members);
  }
}

static void
refuses_what_is_not(void)
{
  static const struct {
    const char *text;
    const char *expected;
  } cases[] = {
    { "", "byte 0: a value was expected" },
    { "  ", "byte 2: a value was expected" },
    { "{", "a key was expected" },
    { "[", "a value was expected" },
    { "[1", "it is cut short" },
    { "[1 2]", "a comma or bracket was expected" },
    { "[1,]", "a value was expected" },
    { "{\"a\"}", "a colon was expected" },
    { "{\"a\":}", "a value was expected" },
    { "{\"a\":1,}", "a key was expected" },
    { "{a:1}", "a key was expected" },
    { "[1}", "a comma or bracket was expected" },
    { "]", "a value was expected" },
    { "1 1", "text after the end of the value" },
    { "tru", "a value was expected" },
    { "nul", "a value was expected" },
    { "NaN", "a value was expected" },
    { "Infinity", "a value was expected" },
    { "+1", "a value was expected" },
    { ".5", "a value was expected" },
    { "-", "a number lacks digits" },
    { "1.", "a number lacks digits" },
    { "1e", "a number lacks digits" },
    { "00", "a number begins with 0" },
    { "1e999", "a number is not finite" },
    { "0x10", "text after the end of the value" },
    { "1111111111111111111111111111111111111111111111111111111111111111",
      "a number of more than 63 characters" },
    { "\"abc", "a string has no end" },
    { "\"a\nb\"", "a control character in a string" },
    { "\"\\x\"", "an unknown escape in a string" },
    { "\"\\", "an unknown escape in a string" },
    { "\"\\u12g4\"", "four hexadecimal digits" },
    { "\"\\u12", "four hexadecimal digits" },
    { "\"\\u0000\"", "a string holds U+0000" },
    { "\"\\ud83d\"", "half of a surrogate pair" },
    { "\"\\ude00\\ud83d\"", "half of a surrogate pair" },
    { "\"\\ud83d\\u0041\"", "half of a surrogate pair" },
    { "'a'", "a value was expected" },
    { "{}//", "text after the end of the value" },
    { "\"\xff\"", "is not UTF-8" },
    { "\"\xed\xa0\x80\"", "is not UTF-8" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    size_t n = strlen(cases[i].text);
    g_autofree char *exact = g_memdup2(cases[i].text, MAX(n, 1)); /* no NUL to stop at */
    g_autoptr(GError) error = NULL;
    if (cw_json_scan(exact, n, 1000, "f", NULL, &error))
      g_error("%s was taken", cases[i].text);
    g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
    if (strstr(error->message, cases[i].expected) == NULL)
      g_error("%s: \"%s\" does not say \"%s\"", cases[i].text, error->message,
              cases[i].expected);
  }
}

static void
keeps_its_limits(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *open = g_strnfill(64, '['), *close = g_strnfill(64, ']');
  g_autofree char *deepest = g_strconcat(open, close, NULL);
  g_autofree char *deeper = g_strconcat("[", deepest, "]", NULL);
  g_assert_true(cw_json_scan(deepest, strlen(deepest), 1000, "f", NULL, &error));
  g_assert_false(cw_json_scan(deeper, strlen(deeper), 1000, "f", NULL, &error));
  g_assert_nonnull(strstr(error->message, "nested deeper than 64"));
  g_clear_error(&error);
  g_assert_false(cw_json_scan("[\0]", 3, 1000, "f", NULL, &error));
  g_assert_nonnull(strstr(error->message, "holds NUL"));
  g_clear_error(&error);
  g_assert_false(cw_json_scan("{}   ", 5, 4, "f", NULL, &error));
  g_assert_nonnull(strstr(error->message, "JSON of 5 bytes, more than the 4"));
  g_clear_error(&error);
  g_autofree char *a = g_strnfill(CW_JSON_MAX_STRING_BYTES + 1, 'a');
  g_autofree char *string = g_strdup_printf("\"%s\"", a);
  g_assert_false(cw_json_scan(string, strlen(string), 1 << 24, "f", NULL, &error));
  g_assert_nonnull(strstr(error->message, "a string of more than 1 MiB"));
}

static void
parses_objects_with_unique_keys(void)
{
  g_autoptr(GError) error = NULL;
  const char *good = "{\"a\":{\"x\":1},\"b\":{\"x\":2}}";
  const char *twice = "{\"a\":1,\"\\u0061\":2}";
  g_autoptr(JsonNode) node = cw_json_parse(good, strlen(good), 1000, "f", &error);
  g_assert_no_error(error);
  g_assert_nonnull(node);
  g_assert_null(cw_json_parse(twice, strlen(twice), 1000, "f", &error));
  g_assert_cmpstr(error->message, ==, "f: the JSON has a key twice in one object");
  g_clear_error(&error);
  g_assert_null(cw_json_parse("[]", 2, 1000, "f", &error));
  g_assert_cmpstr(error->message, ==, "f: the JSON is no object");
}

static void
loads_files_under_a_ceiling(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "f.json", NULL);
  g_assert_true(g_file_set_contents(path, "{\"a\":1}", -1, NULL));
  g_autoptr(JsonNode) node = cw_json_load(path, 7, &error);
  g_assert_no_error(error);
  g_assert_nonnull(node);
  g_assert_null(cw_json_load(path, 6, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "has 7 bytes, more than the 6"));
  g_clear_error(&error);
  g_assert_null(cw_json_load("/dev/zero", 1000, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/json-scan/accepts-json", accepts_json);
  g_test_add_func("/core/json-scan/refuses-what-is-not", refuses_what_is_not);
  g_test_add_func("/core/json-scan/keeps-its-limits", keeps_its_limits);
  g_test_add_func("/core/json-scan/parses-objects-with-unique-keys",
                  parses_objects_with_unique_keys);
  g_test_add_func("/core/json-scan/loads-files-under-a-ceiling", loads_files_under_a_ceiling);
  return g_test_run();
}
