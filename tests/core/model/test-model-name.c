/* test-model-name.c - what a model is called, from its file and from its description. */
#include "model/model-name.h"

#include <glib.h>

static void
test_stems(void)
{
  static const char *const cases[][2] = {
    { "/models/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct" },
    { "gemma-2-2b-it-Q4_K_M.gguf", "gemma-2-2b-it" },
    { "gemma-3-1b-it-UD-Q4_K_XL.GGUF", "gemma-3-1b-it" },
    { "Llama-3.2-1B-BF16.gguf", "Llama-3.2-1B" },
    { "gpt2.f16.gguf", "gpt2" },
    { "Qwen3-0.6B-IQ2_XXS-00001-of-00003.gguf", "Qwen3-0.6B" },
    { "Qwen3-0.6B", "Qwen3-0.6B" },
    { "q4_0.gguf", "q4_0" },
    { "-Q8_0.gguf", "-Q8_0" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *stem = cw_model_dup_stem(cases[i][0]);
    g_assert_cmpstr(stem, ==, cases[i][1]);
  }
}

static void
test_stem_is_utf8(void)
{
  g_autofree char *stem = cw_model_dup_stem("/models/a\xff.gguf");
  g_assert_true(g_utf8_validate(stem, -1, NULL));
}

/* The file's name where it is of the family that the description names; else what that says. */
static void
test_names(void)
{
  static const char *const cases[][3] = {
    { "SmolLM2-135M-Instruct.Q4_1.gguf", "Smollm2 135M 8k Lc100K Mix1 Ep2",
      "SmolLM2-135M-Instruct" },
    { "gemma-2-2b.gguf", "google/gemma-2-2b", "gemma-2-2b" },
    { "model.gguf", "Gemma 3 1b It", "Gemma 3 1b It" },
    { "ggml-model-q4_0.gguf", "LLaMA v2", "LLaMA v2" },
    { "my-model.gguf", NULL, "my-model" },
    { "my-model.gguf", "", "my-model" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *name = cw_model_dup_name(cases[i][0], cases[i][1]);
    g_assert_cmpstr(name, ==, cases[i][2]);
  }
}

static void
test_words(void)
{
  g_assert_true(cw_model_names_share_word("Gemma 2 2b", "google/gemma-2"));
  g_assert_false(cw_model_names_share_word("google/gemma-2", "google/llama-2"));
  g_assert_false(cw_model_names_share_word("a it 2b", "b it 2b"));
  g_assert_true(cw_model_name_has_word("x/gpt2"));
  g_assert_false(cw_model_name_has_word("models/2b"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/model-name/stems", test_stems);
  g_test_add_func("/core/model-name/stem-is-utf8", test_stem_is_utf8);
  g_test_add_func("/core/model-name/names", test_names);
  g_test_add_func("/core/model-name/words", test_words);
  return g_test_run();
}
