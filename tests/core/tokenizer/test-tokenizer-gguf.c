/* test-tokenizer-gguf.c - tokenizers out of GGUF files: the real SmolLM2. */
#include "test-support.h"
#include "tokenizer-cases.h"

static CwTokenizer *
open_smollm2_or_skip(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = test_smollm2_path_or_skip();
  if (path == NULL)
    return NULL;
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  CwTokenizer *tokenizer = cw_tokenizer_new_from_gguf(file, &error);
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

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/tokenizer-gguf/smollm2-encodes-golden-texts", test_smollm2_cases);
  g_test_add_func("/core/tokenizer-gguf/smollm2-names-its-tokens", test_smollm2_tokens);
  return g_test_run();
}
