/* target-text.c - a target token as people write it. */
#include "cw-attribution.h"

#include <string.h>

#define N_SHOWN_PIECES 6

static bool
parse_id(const CwModel *model, const char *text, const char *digits, int32_t *id,
         GError **error)
{
  int64_t n_vocabulary = cw_model_peek_config(model)->n_vocabulary;
  guint64 value = 0;
  if (!g_ascii_string_to_unsigned(digits, 10, 0, (guint64)n_vocabulary - 1, &value, NULL)) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
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
  for (size_t i = 0; i < MIN(n, N_SHOWN_PIECES); i++) {
    g_autofree char *piece = cw_tokenizer_dup_quoted_piece(tokenizer, ids[i]);
    g_string_append_printf(list, "%s%s", i > 0 ? " " : "", piece);
  }
  return g_string_free(list, FALSE);
}

/* Most words are one token only after a space: the likely slip. */
static bool
is_one_token_after_space(const CwTokenizer *tokenizer, const char *text)
{
  g_autofree char *spaced = g_strdup_printf(" %s", text);
  size_t n = 0;
  g_autofree int32_t *ids = cw_tokenizer_encode(tokenizer, spaced, -1, &n, NULL);
  return text[0] != ' ' && text[0] != '\0' && ids != NULL && n == 1;
}

static bool
encode_target(const CwTokenizer *tokenizer, const char *text, int32_t *id, GError **error)
{
  g_autoptr(GError) encode_error = NULL;
  size_t n = 0;
  g_autofree int32_t *ids = cw_tokenizer_encode(tokenizer, text, -1, &n, &encode_error);
  if (encode_error != NULL) {
    g_propagate_error(error, g_steal_pointer(&encode_error));
    return false;
  }
  if (n == 1) {
    *id = ids[0];
    return true;
  }
  g_autofree char *pieces = dup_pieces(tokenizer, ids, n);
  g_autofree char *shown = cw_escape_dup(text, true);
  bool has_slipped = is_one_token_after_space(tokenizer, text);
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "the target %s is %zu tokens%s%s; a target is one%s%s%s", shown, n,
              n > 0 ? ": " : "", pieces, has_slipped ? " (with a space in front, \" " : "",
              has_slipped ? text : "", has_slipped ? "\", it is)" : "");
  return false;
}

bool
cw_attribution_parse_target(const CwModel *model, const char *text, int32_t *id, GError **error)
{
  const CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  if (g_str_has_prefix(text, "id:"))
    return parse_id(model, text, text + strlen("id:"), id, error);
  if (tokenizer == NULL)
    return parse_id(model, text, text, id, error);
  return encode_target(tokenizer, text, id, error);
}
