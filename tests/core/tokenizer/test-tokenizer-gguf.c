/* test-tokenizer-gguf.c - tokenizers out of GGUF files: the real SmolLM2, a small one of each
 * kind against ids of the models' own tokenizers, and files that must be refused. */
#include "test-support.h"

#include <string.h>

#include "tokenizer-cases.h"

static CwTokenizer *
open_tokenizer(const char *path, GError **error)
{
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, error);
  return file != NULL ? cw_tokenizer_new_from_gguf(file, error) : NULL;
}

static CwTokenizer *
open_smollm2_or_skip(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = test_smollm2_path_or_skip();
  if (path == NULL)
    return NULL;
  CwTokenizer *tokenizer = open_tokenizer(path, &error);
  g_assert_no_error(error);
  return tokenizer;
}

static void
test_smollm2_cases(void)
{
  g_autoptr(CwTokenizer) tokenizer = open_smollm2_or_skip();
  if (tokenizer == NULL)
    return;
  g_autofree char *path = test_golden_path("smollm2/tokenizer-cases.json");
  g_assert_cmpuint(test_tokenizer_cases(tokenizer, path, true), ==, 200);
}

static void
test_smollm2_tokens(void)
{
  g_autoptr(CwTokenizer) tokenizer = open_smollm2_or_skip();
  if (tokenizer == NULL)
    return;
  g_assert_cmpint(cw_tokenizer_get_n_tokens(tokenizer), ==, 49152);
  g_assert_cmpint(cw_tokenizer_get_bos(tokenizer), ==, 1);
  g_assert_cmpint(cw_tokenizer_get_eos(tokenizer), ==, 2);
  g_assert_cmpint(cw_tokenizer_get_prompt_start(tokenizer), ==, 1);
  g_assert_true(cw_tokenizer_is_special(tokenizer, 0));
  g_assert_false(cw_tokenizer_is_special(tokenizer, 504));
  g_assert_false(cw_tokenizer_is_special(tokenizer, -1));
  const struct {
    int32_t id;
    const char *piece;
  } pieces[] = { { 504, "The" },        { 314, " is" },   { 198, "\n" },
                 { 1, "<|im_start|>" }, { 155, "\\xd0" }, { 190, "\\x00" },
                 { 49152, "[49152]" },  { -1, "[-1]" } };
  for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
    g_autofree char *piece = cw_tokenizer_dup_piece(tokenizer, pieces[i].id);
    g_assert_cmpstr(piece, ==, pieces[i].piece);
  }
}

static void
test_small(gconstpointer name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *file = g_strdup_printf("tokenizer/%s.gguf", (const char *)name);
  g_autofree char *cases = g_strdup_printf("tokenizer/%s-cases.json", (const char *)name);
  g_autofree char *path = test_golden_path(file), *cases_path = test_golden_path(cases);
  g_autoptr(CwTokenizer) tokenizer = open_tokenizer(path, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(test_tokenizer_cases(tokenizer, cases_path, false), >=, 60);
}

/* Old files say "default" or nothing; then the architecture tells. */
static void
test_default_pre(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *contents = NULL;
  g_autofree char *path = g_build_filename(folder, "old.gguf", NULL);
  g_autofree char *golden = test_golden_path("tokenizer/qwen.gguf");
  g_autofree char *cases = test_golden_path("tokenizer/qwen-cases.json");
  size_t n;
  g_assert_true(g_file_get_contents(golden, &contents, &n, NULL));
  char *key = memmem(contents, n, "tokenizer.ggml.pre", 18);
  g_assert_nonnull(key);
  memcpy(key, "tokenizer.ggml.old", 18);
  g_assert_true(g_file_set_contents(path, contents, (gssize)n, NULL));
  g_autoptr(CwTokenizer) tokenizer = open_tokenizer(path, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(test_tokenizer_cases(tokenizer, cases, false), ==, 112);
  test_remove_tree(folder);
}

static void
test_prompt_start(void)
{
  g_autofree char *with_bos = test_golden_path("tokenizer/llama2-scores.gguf");
  g_autofree char *eos_only = test_golden_path("tokenizer/gpt2-plain.gguf");
  g_autoptr(CwTokenizer) llama = open_tokenizer(with_bos, NULL);
  g_autoptr(CwTokenizer) gpt2 = open_tokenizer(eos_only, NULL);
  g_assert_cmpint(cw_tokenizer_get_prompt_start(llama), ==, 1);
  g_assert_cmpint(cw_tokenizer_get_bos(gpt2), ==, -1);
  g_assert_cmpint(cw_tokenizer_get_eos(gpt2), ==, 0);
  g_assert_cmpint(cw_tokenizer_get_prompt_start(gpt2), ==, 0);
}

/* Bytes that are no text are byte pieces, and come back. */
static void
test_invalid_utf8(gconstpointer name)
{
  static const char text[] = "a\xff\xfe b\xe2\x96 \xc0\x80\xed\xa0\x80\xf4\x90\x80\x80\0c\xe4";
  g_autoptr(GError) error = NULL;
  g_autofree char *file = g_strdup_printf("tokenizer/%s.gguf", (const char *)name);
  g_autofree char *path = test_golden_path(file);
  g_autoptr(CwTokenizer) tokenizer = open_tokenizer(path, &error);
  g_assert_no_error(error);
  size_t n_ids, n_bytes;
  g_autofree int32_t *ids =
      cw_tokenizer_encode(tokenizer, text, sizeof text - 1, &n_ids, &error);
  g_assert_no_error(error);
  g_autofree char *back = cw_tokenizer_decode(tokenizer, ids, n_ids, &n_bytes);
  g_assert_cmpmem(back, n_bytes, text, sizeof text - 1);
  for (size_t i = 0; i < n_ids; i++) {
    g_autofree char *piece = cw_tokenizer_dup_piece(tokenizer, ids[i]);
    g_assert_true(g_utf8_validate(piece, -1, NULL));
  }
}

static void
test_empty(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = test_golden_path("tokenizer/llama2-scores.gguf");
  g_autoptr(CwTokenizer) tokenizer = open_tokenizer(path, &error);
  size_t n = 7;
  g_autofree int32_t *ids = cw_tokenizer_encode(tokenizer, "", -1, &n, &error);
  g_assert_no_error(error);
  g_assert_nonnull(ids);
  g_assert_cmpuint(n, ==, 0);
  g_autofree char *text = cw_tokenizer_decode(tokenizer, NULL, 0, NULL);
  g_assert_cmpstr(text, ==, "");
}

/* Each broken file: its error's code, and what its message must speak of. */
static const struct {
  const char *name;
  int code;
  const char *says;
} broken_files[] = {
  { "no-model", CW_ERROR_NOT_FOUND, "tokenizer.ggml.model" },
  { "unknown-model", CW_ERROR_UNSUPPORTED, "\"bert\"" },
  { "no-tokens", CW_ERROR_NOT_FOUND, "tokenizer.ggml.tokens" },
  { "unknown-pre", CW_ERROR_UNSUPPORTED, "\"klingon\"" },
  { "few-types", CW_ERROR_FORMAT, "2 entries for 4 tokens" },
  { "bad-type", CW_ERROR_FORMAT, "id 3 is 9" },
  { "no-merges", CW_ERROR_NOT_FOUND, "tokenizer.ggml.merges" },
  { "merge-of-one", CW_ERROR_FORMAT, "\"ab\" is not two pieces" },
  { "merge-outside", CW_ERROR_FORMAT, "its right side, \"c\", is not in the vocabulary" },
  { "merge-result-outside", CW_ERROR_FORMAT, "its result, \"ba\"" },
  { "same-piece-twice", CW_ERROR_FORMAT, "\"a\" has two ids, 0 and 3" },
  { "same-special-twice", CW_ERROR_FORMAT, "\"<e>\" has two ids, 3 and 4" },
  { "bos-outside", CW_ERROR_FORMAT, "bos_token_id is 4, and there are 4 tokens" },
  { "no-scores", CW_ERROR_NOT_FOUND, "tokenizer.ggml.scores" },
  { "few-scores", CW_ERROR_FORMAT, "2 entries for 5 tokens" },
  { "score-nan", CW_ERROR_FORMAT, "score of piece 3" },
  { "no-byte-pieces", CW_ERROR_FORMAT, "<0x00>" },
  { "bad-byte-piece", CW_ERROR_FORMAT, "id 2 is 6" },
  { "no-types", CW_ERROR_NOT_FOUND, "tokenizer.ggml.token_type" },
};

static void
test_broken(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(broken_files); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_strdup_printf("tokenizer/%s.gguf", broken_files[i].name);
    g_autofree char *path = test_broken_path(file);
    g_assert_null(open_tokenizer(path, &error));
    g_assert_error(error, CW_ERROR, broken_files[i].code);
    if (strstr(error->message, broken_files[i].says) == NULL ||
        strstr(error->message, path) == NULL)
      g_error("%s: the message is: %s", broken_files[i].name, error->message);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/tokenizer-gguf/smollm2-encodes-golden-texts", test_smollm2_cases);
  g_test_add_func("/core/tokenizer-gguf/smollm2-names-its-tokens", test_smollm2_tokens);
  g_test_add_data_func("/core/tokenizer-gguf/gpt2-as-its-own", "gpt2-plain", test_small);
  g_test_add_data_func("/core/tokenizer-gguf/smollm-as-its-own", "smollm", test_small);
  g_test_add_data_func("/core/tokenizer-gguf/llama3-as-its-own", "llama3", test_small);
  g_test_add_data_func("/core/tokenizer-gguf/qwen-as-its-own", "qwen", test_small);
  g_test_add_data_func("/core/tokenizer-gguf/scores-as-sentencepiece", "llama2-scores",
                       test_small);
  g_test_add_func("/core/tokenizer-gguf/finds-pattern-by-architecture", test_default_pre);
  g_test_add_func("/core/tokenizer-gguf/prompt-starts-with-bos-or-eos", test_prompt_start);
  g_test_add_data_func("/core/tokenizer-gguf/byte-level-keeps-invalid-utf8", "llama3",
                       test_invalid_utf8);
  g_test_add_data_func("/core/tokenizer-gguf/scores-keep-invalid-utf8", "llama2-scores",
                       test_invalid_utf8);
  g_test_add_func("/core/tokenizer-gguf/empty-text-has-no-tokens", test_empty);
  g_test_add_func("/core/tokenizer-gguf/refuses-broken-files", test_broken);
  return g_test_run();
}
