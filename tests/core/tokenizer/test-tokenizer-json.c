/* test-tokenizer-json.c - tokenizers out of tokenizer.json: a small one of each kind against
 * the ids that its own tokenizer gives, the settings beside it, and files that must be refused.
 */
#include "test-support.h"

#include <stdio.h>
#include <string.h>

#include "tokenizer-cases.h"

static void
check_golden(const char *name, bool is_inverse)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *file = g_strdup_printf("tokenizer/%s.json", name);
  g_autofree char *cases = g_strdup_printf("tokenizer/%s-cases.json", name);
  g_autofree char *path = test_golden_path(file), *cases_path = test_golden_path(cases);
  g_autoptr(CwTokenizer) tokenizer = cw_tokenizer_new_from_json(path, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(test_tokenizer_cases(tokenizer, cases_path, is_inverse), >=, 100);
}

static void
test_invertible(gconstpointer name)
{
  check_golden(name, true);
}

/* Kinds that lose something: composed text, white space at a special token, a second space. */
static void
test_lossy(gconstpointer name)
{
  check_golden(name, false);
}

/* ---- files made here ------------------------------------------------------------------- */

static const char *const byte_level =
    "{\"added_tokens\":[{\"id\":3,\"content\":\"<s>\",\"special\":true},"
    "{\"id\":4,\"content\":\"</s>\",\"special\":true}],"
    "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"a b\"]}}";

/* Replaces the first `from`, which must be there. */
static char *
replaced(const char *text, const char *from, const char *to)
{
  const char *at = strstr(text, from);
  g_assert_nonnull(at);
  return g_strdup_printf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* Neither synced nor written aside, as the many files of a loop would wait for the disk. */
static char *
write_file(const char *folder, const char *name, const char *text)
{
  char *path = g_build_filename(folder, name, NULL);
  FILE *file = fopen(path, "wb");
  g_assert_nonnull(file);
  g_assert_cmpuint(fwrite(text, 1, strlen(text), file), ==, strlen(text));
  g_assert_cmpint(fclose(file), ==, 0);
  return path;
}

static void
check_specials(const char *tokenizer_config, const char *config, int32_t bos, int32_t eos,
               int32_t start)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = write_file(folder, "tokenizer.json", byte_level);
  g_autofree char *names = tokenizer_config != NULL
                               ? write_file(folder, "tokenizer_config.json", tokenizer_config)
                               : NULL;
  g_autofree char *ids = config != NULL ? write_file(folder, "config.json", config) : NULL;
  g_autoptr(CwTokenizer) tokenizer = cw_tokenizer_new_from_json(path, &error);
  g_assert_no_error(error);
  g_assert_cmpint(cw_tokenizer_get_bos(tokenizer), ==, bos);
  g_assert_cmpint(cw_tokenizer_get_eos(tokenizer), ==, eos);
  g_assert_cmpint(cw_tokenizer_get_prompt_start(tokenizer), ==, start);
  test_remove_tree(folder);
}

static void
test_special_ids(void)
{
  check_specials(NULL, NULL, -1, -1, 3);
  check_specials("{\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"}}", NULL, 3, 4, 3);
  check_specials("{\"bos_token\":null}", "{\"bos_token_id\":3,\"eos_token_id\":[4,3]}", -1, 4,
                 4);
  check_specials("{}", "{\"bos_token_id\":0,\"eos_token_id\":4}", 0, 4, 0);
  check_specials("{\"pad_token\":\"</s>\"}", "{\"eos_token_id\":0}", -1, 0, 4);
  check_specials("{\"pad_token\":\"<only-in-training>\"}", NULL, -1, -1, 3);
}

static void
test_specials_in_text(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = write_file(folder, "tokenizer.json", byte_level);
  g_autoptr(CwTokenizer) tokenizer = cw_tokenizer_new_from_json(path, &error);
  g_assert_no_error(error);
  const int32_t ids[] = { 3, 2, 1, 4, 0, 3 };
  test_tokenizer_ids(tokenizer, "<s>abb</s>a<s>", -1, ids, G_N_ELEMENTS(ids));
  g_assert_true(cw_tokenizer_is_special(tokenizer, 3));
  g_assert_false(cw_tokenizer_is_special(tokenizer, 2));
  test_remove_tree(folder);
}

/* What is changed in the file above, and what the error must say. */
static const struct {
  const char *from, *to;
  int code;
  const char *says;
} broken[] = {
  { "\"model\":", "\"models\":", CW_ERROR_FORMAT, "there is no \"model\"" },
  { "\"BPE\"", "\"Unigram\"", CW_ERROR_UNSUPPORTED, "another type than BPE" },
  { "\"vocab\":", "\"vocabs\":", CW_ERROR_UNSUPPORTED, "no vocab" },
  { "\"b\":1,", "\"b\":0,", CW_ERROR_FORMAT, "id 0 is given twice" },
  { "\"b\":1,", "\"b\":1,\"a\":5,", CW_ERROR_FORMAT, "\"a\" has two ids, 0 and 5" },
  { "\"b\":1,", "\"b\":7,", CW_ERROR_FORMAT, "no piece has id 1" },
  { "\"b\":1,", "\"b\":-1,", CW_ERROR_FORMAT, "id -1" },
  { "\"b\":1,", "\"b\":16777215,", CW_ERROR_FORMAT, "larger than the file can have" },
  { "\"b\":1,", "\"b\":99999999999999999999,", CW_ERROR_FORMAT, "number is too large" },
  { "\"b\":1,", "\"b\":1.5,", CW_ERROR_FORMAT, "whole number" },
  { "\"b\":1,", "\"\":1,", CW_ERROR_FORMAT, "it is empty" },
  { "\"b\":1,", "\"\\ud800\":1,", CW_ERROR_FORMAT, "surrogate" },
  { "\"id\":4", "\"id\":2", CW_ERROR_FORMAT, "id 2 is given twice" },
  { "\"id\":4", "\"id\":3", CW_ERROR_FORMAT, "id 3 is given twice" },
  { "\"</s>\"", "\"<s>\"", CW_ERROR_FORMAT, "\"<s>\" has two ids, 3 and 4" },
  { "\"a b\"", "\"ab\"", CW_ERROR_FORMAT, "one space between" },
  { "\"a b\"", "\"a b \"", CW_ERROR_FORMAT, "one space between" },
  { "\"a b\"", "[\"a\"]", CW_ERROR_FORMAT, "two pieces" },
  { "\"a b\"", "[\"a\",\"b\",\"a\"]", CW_ERROR_FORMAT, "two pieces" },
  { "\"a b\"", "[\"b\",\"a\"]", CW_ERROR_FORMAT, "its result, \"ba\"" },
  { "\"a b\"", "\"a \u8a9e\"", CW_ERROR_FORMAT, "alphabet" },
  { "\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}", CW_ERROR_UNSUPPORTED,
    "normalizer: Clew does not do the step Lowercase" },
  { "\"ByteLevel\"", "\"Whitespace\"", CW_ERROR_UNSUPPORTED, "Whitespace" },
  { "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}",
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(a+)+$\"},\"behavior\":\"Isolated\"}",
    CW_ERROR_UNSUPPORTED, "(a+)+$" },
  { "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}", "null", CW_ERROR_UNSUPPORTED,
    "neither" },
  { "\"type\":\"BPE\"", "\"type\":\"BPE\",\"end_of_word_suffix\":\"</w>\"",
    CW_ERROR_UNSUPPORTED, "end_of_word_suffix" },
  { "\"merges\"", "\"vocab\":{},\"merges\"", CW_ERROR_FORMAT, "given twice" },
};

static void
test_broken(void)
{
  g_autofree char *folder = test_temp_dir();
  for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *text = replaced(byte_level, broken[i].from, broken[i].to);
    g_autofree char *path = write_file(folder, "tokenizer.json", text);
    g_assert_null(cw_tokenizer_new_from_json(path, &error));
    g_assert_error(error, CW_ERROR, broken[i].code);
    if (strstr(error->message, broken[i].says) == NULL || strstr(error->message, path) == NULL)
      g_error("%s -> %s: the message is: %s", broken[i].from, broken[i].to, error->message);
  }
  test_remove_tree(folder);
}

static void
test_byte_fallback(void)
{
  static const char *const marked =
      "{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
      "\"content\":\"\u2581\"},\"model\":{\"byte_fallback\":true,%s\"fuse_unk\":true,"
      "\"vocab\":{\"a\":0,\"<u>\":1},\"merges\":[]}}";
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *without = g_strdup_printf(marked, "");
  g_autofree char *with = g_strdup_printf(marked, "\"unk_token\":\"<u>\",");
  g_autofree char *path = write_file(folder, "tokenizer.json", without);
  g_assert_null(cw_tokenizer_new_from_json(path, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "<0x00>"));
  g_clear_error(&error);
  g_autofree char *again = write_file(folder, "tokenizer.json", with);
  g_autoptr(CwTokenizer) tokenizer = cw_tokenizer_new_from_json(again, &error);
  g_assert_no_error(error);
  const int32_t ids[] = { 0, 1, 0 };
  test_tokenizer_ids(tokenizer, "abca", -1, ids, G_N_ELEMENTS(ids));
  test_remove_tree(folder);
}

/* No part of a file is a file. */
static void
test_truncated(void)
{
  g_autofree char *folder = test_temp_dir();
  for (size_t n = 0; n < strlen(byte_level); n++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strndup(byte_level, n);
    g_autofree char *path = write_file(folder, "tokenizer.json", text);
    g_assert_null(cw_tokenizer_new_from_json(path, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  }
  g_autoptr(GError) error = NULL;
  g_autofree char *absent = g_build_filename(folder, "absent.json", NULL);
  g_assert_null(cw_tokenizer_new_from_json(absent, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_NOT_FOUND);
  test_remove_tree(folder);
}

/* Any byte replaced: an error or a tokenizer, and that one encodes. */
static void
test_damaged(void)
{
  static const char bytes[] = "\"{}[],:0 \\\xff";
  g_autofree char *folder = test_temp_dir();
  g_autofree char *text = g_strdup(byte_level);
  for (size_t i = 0; text[i] != '\0'; i++) {
    char before = text[i];
    for (const char *byte = bytes; *byte != '\0'; byte++) {
      g_autoptr(GError) error = NULL;
      text[i] = *byte;
      g_autofree char *path = write_file(folder, "tokenizer.json", text);
      g_autoptr(CwTokenizer) tokenizer = cw_tokenizer_new_from_json(path, &error);
      g_assert_true((tokenizer == NULL) == (error != NULL));
      size_t n;
      g_autofree int32_t *ids =
          tokenizer != NULL ? cw_tokenizer_encode(tokenizer, "ab a<s>b", -1, &n, NULL) : NULL;
      g_assert_true(tokenizer == NULL || ids != NULL);
    }
    text[i] = before;
  }
  test_remove_tree(folder);
}

static void
test_deep(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *deep = g_strnfill(1 << 20, '[');
  g_autofree char *text = g_strdup_printf("{\"padding\":%s", deep);
  g_autofree char *path = write_file(folder, "tokenizer.json", text);
  g_assert_null(cw_tokenizer_new_from_json(path, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "64 deep"));
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  static const char *const invertible[] = { "smollm", "llama3", "llama2", "gemma" };
  static const char *const lossy[] = { "gpt2", "gpt2-prefix", "qwen", "metaspace",
                                       "metaspace-split" };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(invertible); i++) {
    g_autofree char *name =
        g_strdup_printf("/core/tokenizer-json/%s-as-its-own", invertible[i]);
    g_test_add_data_func(name, invertible[i], test_invertible);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(lossy); i++) {
    g_autofree char *name = g_strdup_printf("/core/tokenizer-json/%s-as-its-own", lossy[i]);
    g_test_add_data_func(name, lossy[i], test_lossy);
  }
  g_test_add_func("/core/tokenizer-json/special-ids-from-the-folder", test_special_ids);
  g_test_add_func("/core/tokenizer-json/parses-special-tokens", test_specials_in_text);
  g_test_add_func("/core/tokenizer-json/refuses-broken-files", test_broken);
  g_test_add_func("/core/tokenizer-json/needs-bytes-or-an-unknown-piece", test_byte_fallback);
  g_test_add_func("/core/tokenizer-json/refuses-every-truncation", test_truncated);
  g_test_add_func("/core/tokenizer-json/survives-any-damaged-byte", test_damaged);
  g_test_add_func("/core/tokenizer-json/refuses-deep-nesting", test_deep);
  return g_test_run();
}
