/* prompt.c - opens the model and turns the prompt options into token ids. */
#include "prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "places.h"

/* Longer than any context that fits a machine; a wrong file piped in ends here. */
#define MAX_STDIN_BYTES ((size_t)64 << 20)

CwModel *
cwa_model_open(const CwaRun *run, GError **error)
{
  const char *path = cwa_arguments_text(run->arguments, "model");
  if (path != NULL)
    return cw_model_load(path, error);
  g_autofree char *installed = cwa_places_find_default_model();
  if (installed != NULL)
    return cw_model_load(installed, error);
  g_set_error_literal(error, CWA_USAGE_ERROR, 0,
                      "--model M is missing, and the default model is not installed "
                      "(packaging/start fetches it)");
  return NULL;
}

CwTokenizer *
cwa_model_require_tokenizer(CwModel *model, GError **error)
{
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  if (tokenizer == NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                "%s has no tokenizer: put its tokenizer.json beside the weights, or give the "
                "prompt by --token-ids",
                cw_model_peek_path(model));
  return tokenizer;
}

char *
cwa_text_or_stdin(const char *text, gsize *n_bytes, GError **error)
{
  if (strcmp(text, "-") != 0) {
    *n_bytes = strlen(text);
    return g_strdup(text);
  }
  g_autoptr(GString) read = g_string_new(NULL);
  char buffer[65536];
  size_t n;
  while ((n = fread(buffer, 1, sizeof buffer, stdin)) > 0 && read->len <= MAX_STDIN_BYTES)
    g_string_append_len(read, buffer, (gssize)n);
  if (ferror(stdin) || read->len > MAX_STDIN_BYTES) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "standard input could not be read as a text: %s",
                ferror(stdin) ? g_strerror(errno) : "it is longer than 64 MiB");
    return NULL;
  }
  *n_bytes = read->len;
  return g_string_free(g_steal_pointer(&read), FALSE);
}

bool
cwa_prompt_check(const CwaRun *run, GError **error)
{
  const char *prompt = cwa_arguments_text(run->arguments, "prompt");
  const char *ids = cwa_arguments_text(run->arguments, "token-ids");
  if (prompt == NULL && ids == NULL) {
    g_set_error_literal(error, CWA_USAGE_ERROR, 0,
                        "the prompt is missing: --prompt TEXT or --token-ids 1,504,3575");
    return false;
  }
  if ((prompt != NULL && *prompt == '\0') || (ids != NULL && *ids == '\0')) {
    g_set_error(error, CWA_USAGE_ERROR, 0, "%s is empty; a prompt has at least one token",
                prompt != NULL ? "--prompt" : "--token-ids");
    return false;
  }
  return true;
}

static int32_t *
parse_token_ids(const char *text, size_t *n, GError **error)
{
  g_auto(GStrv) words = g_strsplit(text, ",", -1);
  size_t n_words = g_strv_length(words);
  g_autofree int32_t *ids = g_try_new(int32_t, n_words);
  if (ids == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY, "--token-ids: out of memory");
    return NULL;
  }
  for (size_t i = 0; i < n_words; i++) {
    guint64 id = 0;
    if (!g_ascii_string_to_unsigned(g_strstrip(words[i]), 10, 0, INT32_MAX, &id, NULL)) {
      g_set_error(error, CWA_USAGE_ERROR, 0,
                  "--token-ids takes whole numbers from 0 on with commas between, not \"%s\"",
                  words[i]);
      return NULL;
    }
    ids[i] = (int32_t)id;
  }
  *n = n_words;
  return g_steal_pointer(&ids);
}

bool
cwa_text_encode(const CwTokenizer *tokenizer, const char *text, gsize n_bytes, int32_t start,
                int32_t **ids, size_t *n, GError **error)
{
  g_autoptr(GError) encode_error = NULL;
  size_t n_text = 0;
  g_autofree int32_t *encoded =
      cw_tokenizer_encode(tokenizer, text, (gssize)n_bytes, &n_text, &encode_error);
  if (encode_error != NULL) {
    g_propagate_error(error, g_steal_pointer(&encode_error));
    return false;
  }
  int32_t *whole = g_try_new(int32_t, n_text + 1);
  if (whole == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY, "the prompt: out of memory");
    return false;
  }
  size_t n_before = start >= 0 ? 1 : 0;
  if (n_before > 0)
    whole[0] = start;
  if (n_text > 0)
    memcpy(whole + n_before, encoded, n_text * sizeof *encoded);
  *ids = whole;
  *n = n_text + n_before;
  return true;
}

static int32_t *
encode_prompt(const CwTokenizer *tokenizer, const char *text, gsize n_bytes, bool has_start,
              size_t *n, GError **error)
{
  if (has_start)
    return cw_attribution_prompt(tokenizer, text, (gssize)n_bytes, n, error);
  int32_t *ids = NULL;
  return cwa_text_encode(tokenizer, text, n_bytes, -1, &ids, n, error) ? ids : NULL;
}

int32_t *
cwa_prompt_tokens(const CwaRun *run, CwModel *model, bool starts_with_bos, size_t *n,
                  GError **error)
{
  if (!cwa_prompt_check(run, error))
    return NULL;
  const char *ids = cwa_arguments_text(run->arguments, "token-ids");
  if (ids != NULL)
    return parse_token_ids(ids, n, error);
  CwTokenizer *tokenizer = cwa_model_require_tokenizer(model, error);
  if (tokenizer == NULL)
    return NULL;
  gsize n_bytes = 0;
  g_autofree char *text =
      cwa_text_or_stdin(cwa_arguments_text(run->arguments, "prompt"), &n_bytes, error);
  if (text == NULL)
    return NULL;
  if (n_bytes == 0) {
    g_set_error_literal(error, CWA_USAGE_ERROR, 0,
                        "standard input is empty; a prompt has at least one token");
    return NULL;
  }
  return encode_prompt(tokenizer, text, n_bytes, starts_with_bos, n, error);
}

void
cwa_facts_add_token(CwaFacts *facts, const CwTokenizer *tokenizer, int32_t id)
{
  bool has_piece = tokenizer != NULL && id < cw_tokenizer_get_n_tokens(tokenizer);
  g_autofree char *piece = has_piece ? cw_tokenizer_dup_piece(tokenizer, id) : NULL;
  g_autofree char *quoted = cw_tokenizer_dup_quoted_piece(tokenizer, id);
  cwa_facts_add_integer(facts, "id", id);
  cwa_facts_add_text_shown(facts, "piece", piece, quoted);
}
