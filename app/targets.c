/* targets.c - --target and --target-difference as token ids. */
#include "targets.h"

#include <string.h>

#include "escape.h"
#include "prompt.h"

static bool
check_id(const char *text, const char *digits, CwModel *model, int32_t *id, GError **error)
{
  int64_t n_vocabulary = cw_model_peek_config(model)->n_vocabulary;
  guint64 value = 0;
  if (!g_ascii_string_to_unsigned(digits, 10, 0, (guint64)n_vocabulary - 1, &value, NULL)) {
    g_set_error(error, CWA_USAGE_ERROR, 0,
                "the target \"%s\" is no token id of this model: 0 to %" G_GINT64_FORMAT, text,
                n_vocabulary - 1);
    return false;
  }
  *id = (int32_t)value;
  return true;
}

static char *
dup_pieces(const CwTokenizer *tokenizer, const int32_t *ids, size_t n)
{
  GString *list = g_string_new(NULL);
  for (size_t i = 0; i < MIN(n, 6); i++) {
    g_autofree char *piece = cwa_piece_dup_quoted(tokenizer, ids[i]);
    g_string_append_printf(list, "%s%s", i > 0 ? " " : "", piece);
  }
  return g_string_free(list, FALSE);
}

/* Most words are one token only after a space: the likely slip. */
static bool
is_one_token_after_space(const CwTokenizer *tokenizer, const char *text)
{
  g_autofree char *spaced = g_strdup_printf(" %s", text);
  g_autofree int32_t *ids = NULL;
  size_t n = 0;
  return text[0] != ' ' &&
         cwa_text_encode(tokenizer, spaced, strlen(spaced), -1, &ids, &n, NULL) && n == 1;
}

static bool
encode_target(const CwTokenizer *tokenizer, const char *text, int32_t *id, GError **error)
{
  g_autofree int32_t *ids = NULL;
  size_t n = 0;
  if (!cwa_text_encode(tokenizer, text, strlen(text), -1, &ids, &n, error))
    return false;
  if (n == 1) {
    *id = ids[0];
    return true;
  }
  g_autofree char *pieces = dup_pieces(tokenizer, ids, n);
  g_autofree char *shown = cwa_escape_dup(text, TRUE);
  g_set_error(error, CWA_USAGE_ERROR, 0,
              "the target %s is %zu tokens%s%s; a target is one%s%s%s", shown, n,
              n > 0 ? ": " : "", pieces,
              is_one_token_after_space(tokenizer, text) ? " (with a space in front, \" " : "",
              is_one_token_after_space(tokenizer, text) ? text : "",
              is_one_token_after_space(tokenizer, text) ? "\", it is)" : "");
  return false;
}

static bool
parse_target(CwModel *model, const char *text, int32_t *id, GError **error)
{
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  if (g_str_has_prefix(text, "id:"))
    return check_id(text, text + strlen("id:"), model, id, error);
  if (tokenizer == NULL)
    return check_id(text, text, model, id, error);
  return encode_target(tokenizer, text, id, error);
}

bool
cwa_targets_parse(const CwaRun *run, CwModel *model, CwAttributionOptions *options,
                  int32_t **ids, GError **error)
{
  bool is_difference = cwa_arguments_has(run->arguments, "target-difference");
  const char *const *texts =
      cwa_arguments_texts(run->arguments, is_difference ? "target-difference" : "target");
  size_t n = g_strv_length((char **)texts);
  g_autofree int32_t *tokens = g_new0(int32_t, n + 1);
  for (size_t i = 0; i < n; i++)
    if (!parse_target(model, texts[i], &tokens[i], error))
      return false;
  if (n == 0)
    return true;
  options->targets = is_difference ? CW_TARGETS_DIFFERENCE : CW_TARGETS_TOKENS;
  options->target_tokens = tokens;
  options->n_target_tokens = n;
  *ids = g_steal_pointer(&tokens);
  return true;
}
