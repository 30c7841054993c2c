/* test-prompt.c - what is settled before attribution begins: the prompt's tokens, whether it
 * fits, targets as people write them. With the real tokenizer of SmolLM2. */
#include "cw-attribution.h"
#include "test-support.h"

#include <string.h>

static CwModel *
load_or_skip(void)
{
  g_autofree char *path = test_smollm2_path_or_skip();
  g_autoptr(GError) error = NULL;
  CwModel *model = path != NULL ? cw_model_load(path, &error) : NULL;
  g_assert_no_error(error);
  return model;
}

static void
test_start_token(void)
{
  g_autoptr(CwModel) model = load_or_skip();
  if (model == NULL)
    return;
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  int32_t start = cw_tokenizer_get_prompt_start(tokenizer);
  static const struct {
    const char *text;
    gssize n_bytes;
    size_t n;
  } rows[] = { { "The capital", -1, 3 },
               { "The capital", 3, 2 },
               { "<|endoftext|>The", -1, 2 },
               { "", -1, 1 } };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    size_t n = 0;
    g_autofree int32_t *tokens =
        cw_attribution_prompt(tokenizer, rows[i].text, rows[i].n_bytes, &n, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(n, ==, rows[i].n);
    g_assert_true(cw_tokenizer_is_special(tokenizer, tokens[0]));
    g_assert_cmpint(tokens[0] == start, ==, rows[i].text[0] != '<');
  }
}

static void
test_fit(void)
{
  g_autoptr(CwModel) model = load_or_skip();
  if (model == NULL)
    return;
  const CwModelConfig *config = cw_model_peek_config(model);
  size_t most = (size_t)config->n_context;
  g_autoptr(GError) error = NULL;
  g_assert_true(cw_attribution_check_prompt(model, 1, &error));
  g_assert_false(cw_attribution_check_prompt(model, most + 7, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(error->message, "leave out 7"));
  g_clear_error(&error);
  /* The patterns alone, against all that is free: whichever holds here, the answer follows. */
  double n = (double)most, layers = (double)config->n_layers, heads = (double)config->n_heads;
  double patterns = sizeof(float) * layers * heads * n * n;
  bool fits = cw_attribution_check_prompt(model, most, &error);
  if (patterns > cw_free_memory_bytes()) {
    g_assert_false(fits);
    g_assert_error(error, CW_ERROR, CW_ERROR_NO_MEMORY);
    const char *number = strstr(error->message, "about ");
    g_assert_nonnull(number);
    guint64 told = g_ascii_strtoull(number + strlen("about "), NULL, 10);
    g_assert_cmpuint(told, >, 1);
    g_assert_cmpuint(told, <, most);
    g_assert_true(cw_attribution_check_prompt(model, told / 2, NULL));
  }
}

static void
test_targets(void)
{
  g_autoptr(CwModel) model = load_or_skip();
  if (model == NULL)
    return;
  g_autoptr(GError) error = NULL;
  int32_t id = -1, by_number = -1;
  g_assert_true(cw_attribution_parse_target(model, " Paris", &id, &error));
  g_autofree char *text = g_strdup_printf("id:%d", id);
  g_assert_true(cw_attribution_parse_target(model, text, &by_number, &error));
  g_assert_cmpint(id, ==, by_number);
  static const struct {
    const char *text, *says;
  } refused[] = { { "Luxembourg", "tokens: \"" },
                  { "two words", "\" words\"" },
                  { "", "0 tokens" },
                  { "id:999999999", "no token id" },
                  { "mountain", "\" mountain\", it is" } };
  for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
    g_clear_error(&error);
    g_assert_false(cw_attribution_parse_target(model, refused[i].text, &id, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, refused[i].says));
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/attribution-prompt/start-token", test_start_token);
  g_test_add_func("/core/attribution-prompt/fit", test_fit);
  g_test_add_func("/core/attribution-prompt/targets", test_targets);
  return g_test_run();
}
