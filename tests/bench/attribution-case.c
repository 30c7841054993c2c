/* attribution-case.c - see attribution-case.h. */
#include "attribution-case.h"

static const char short_prompt[] =
    "The capital of the state containing Dallas is Austin, and the capital of France is";

char *
attribution_case_model_path(const char *model_path)
{
  return model_path != NULL ? g_strdup(model_path)
                            : g_build_filename(g_get_user_data_dir(), "clew", "models",
                                               "SmolLM2-135M-Instruct.Q4_1.gguf", NULL);
}

static int32_t *
encode_long_prompt(const CwTokenizer *tokenizer, size_t n_wanted, GError **error)
{
  g_autofree char *path = g_build_filename(BENCH_SOURCE_DIR, "long-prompt.txt", NULL);
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, error))
    return NULL;
  g_autoptr(GString) repeated = g_string_new(text);
  for (;;) {
    size_t n;
    g_autofree int32_t *tokens = cw_attribution_prompt(tokenizer, repeated->str, -1, &n, error);
    if (tokens == NULL || n >= n_wanted)
      return g_steal_pointer(&tokens);
    g_string_append(repeated, text);
  }
}

bool
attribution_case_open(AttributionCase *opened, const char *model_path,
                      const char *transcoder_path, int n_tokens, GError **error)
{
  AttributionCase made = { 0 };
  g_autofree char *path = attribution_case_model_path(model_path);
  made.model = cw_model_load(path, error);
  if (made.model == NULL)
    return false;
  made.transcoder = cw_transcoder_open(transcoder_path, error);
  const CwTokenizer *tokenizer = cw_model_peek_tokenizer(made.model);
  if (made.transcoder != NULL && n_tokens <= 0)
    made.tokens = cw_attribution_prompt(tokenizer, short_prompt, -1, &made.n_tokens, error);
  else if (made.transcoder != NULL) {
    made.tokens = encode_long_prompt(tokenizer, (size_t)n_tokens, error);
    made.n_tokens = (size_t)n_tokens;
  }
  if (made.tokens == NULL) {
    attribution_case_clear(&made);
    return false;
  }
  *opened = made;
  return true;
}

void
attribution_case_clear(AttributionCase *opened)
{
  g_clear_pointer(&opened->model, cw_model_unref);
  g_clear_pointer(&opened->transcoder, cw_transcoder_unref);
  g_clear_pointer(&opened->tokens, g_free);
}
