/* special-tokens.c - see special-tokens.h.
 *
 * The tokens are sorted by their bytes. At each place of the text the range of tokens that
 * agree with it so far is narrowed byte by byte; most places are passed by their first byte
 * alone. */
#include "tokenizer/special-tokens.h"

#include <string.h>

#include "tokenizer/utf8-step.h"

/* The work at one place is bounded by the longest token. */
#define MAX_TOKEN_BYTES 1024

typedef struct {
  const char *bytes;
  size_t length;
  int32_t id;
  CwSpecialFlags flags;
} Token;

struct _CwSpecialTokens {
  const CwVocabulary *vocabulary;
  GArray *tokens; /* of Token, sorted after finish */
  size_t first[257];
};

CwSpecialTokens *
cw_special_tokens_new(const CwVocabulary *vocabulary)
{
  CwSpecialTokens *tokens = g_new0(CwSpecialTokens, 1);
  tokens->vocabulary = vocabulary;
  tokens->tokens = g_array_new(FALSE, FALSE, sizeof(Token));
  return tokens;
}

void
cw_special_tokens_free(CwSpecialTokens *tokens)
{
  if (tokens == NULL)
    return;
  g_array_unref(tokens->tokens);
  g_free(tokens);
}

void
cw_special_tokens_add(CwSpecialTokens *tokens, int32_t id, CwSpecialFlags flags)
{
  Token token = { .id = id, .flags = flags };
  g_array_append_val(tokens->tokens, token);
}

static int
compare_tokens(gconstpointer left, gconstpointer right)
{
  const Token *a = left, *b = right;
  int order = memcmp(a->bytes, b->bytes, MIN(a->length, b->length));
  return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static const Token *
token_at(const CwSpecialTokens *tokens, size_t i)
{
  return &g_array_index(tokens->tokens, Token, i);
}

bool
cw_special_tokens_finish(CwSpecialTokens *tokens, GError **error)
{
  size_t n = tokens->tokens->len;
  for (size_t i = 0; i < n; i++) {
    Token *token = &g_array_index(tokens->tokens, Token, i);
    token->bytes = cw_vocabulary_peek(tokens->vocabulary, token->id, &token->length);
    if (token->length == 0 || token->length > MAX_TOKEN_BYTES) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "special token %d has %zu bytes, which are not 1 to %d", token->id,
                  token->length, MAX_TOKEN_BYTES);
      return false;
    }
  }
  g_array_sort(tokens->tokens, compare_tokens);
  for (size_t i = 0, byte = 0; byte <= 256; byte++) {
    while (i < n && (uint8_t)token_at(tokens, i)->bytes[0] < byte)
      i++;
    tokens->first[byte] = i;
  }
  for (size_t i = 1; i < n; i++)
    if (compare_tokens(token_at(tokens, i - 1), token_at(tokens, i)) == 0) {
      const Token *token = token_at(tokens, i);
      g_autofree char *text = g_utf8_make_valid(token->bytes, (gssize)token->length);
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "the special token \"%s\" has two ids, %d and %d", text,
                  token_at(tokens, i - 1)->id, token->id);
      return false;
    }
  return true;
}

/* The first token in [low, high) whose byte at `depth` is >= byte (0..256); all are longer. */
static size_t
lower_bound(const CwSpecialTokens *tokens, size_t low, size_t high, size_t depth, unsigned byte)
{
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if ((uint8_t)token_at(tokens, middle)->bytes[depth] < byte)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static const Token *
longest_at(const CwSpecialTokens *tokens, const char *text, size_t n)
{
  const Token *found = NULL;
  size_t low = tokens->first[(uint8_t)text[0]], high = tokens->first[(uint8_t)text[0] + 1];
  for (size_t depth = 1; low < high; depth++) {
    if (token_at(tokens, low)->length == depth)
      found = token_at(tokens, low++);
    if (depth == n)
      break;
    unsigned byte = (uint8_t)text[depth];
    low = lower_bound(tokens, low, high, depth, byte);
    high = lower_bound(tokens, low, high, depth, byte + 1);
  }
  return found;
}

static bool
is_space(uint32_t c)
{
  return c == 0x85 || (c >= 9 && c <= 13) || g_unichar_isspace(c);
}

/* As \w of Unicode's regular expressions. */
static bool
is_word(uint32_t c)
{
  GUnicodeType type = g_unichar_type(c);
  return g_unichar_isalpha(c) || g_unichar_ismark(c) || type == G_UNICODE_DECIMAL_NUMBER ||
         type == G_UNICODE_LETTER_NUMBER || type == G_UNICODE_CONNECT_PUNCTUATION ||
         c == 0x200c || c == 0x200d;
}

/* The character that ends at `end`, or 0. */
static uint32_t
character_before(const char *text, size_t end, size_t *length)
{
  uint32_t c;
  for (*length = 1; *length <= MIN(end, 4); ++*length)
    if (cw_utf8_step(text + end - *length, *length, &c) == *length)
      return c;
  return 0;
}

static bool
is_inside_word(const char *text, size_t n, const CwSpecialMatch *match)
{
  size_t length;
  uint32_t c;
  if (match->start > 0 && is_word(character_before(text, match->start, &length)))
    return true;
  return match->end < n && cw_utf8_step(text + match->end, n - match->end, &c) > 0 &&
         is_word(c);
}

static void
swallow_space(const char *text, size_t n, size_t from, CwSpecialFlags flags,
              CwSpecialMatch *match)
{
  size_t length;
  uint32_t c;
  if ((flags & CW_SPECIAL_STRIP_LEFT) != 0)
    while (match->start > from && is_space(character_before(text, match->start, &length)))
      match->start -= length;
  if ((flags & CW_SPECIAL_STRIP_RIGHT) != 0)
    while (match->end < n &&
           (length = cw_utf8_step(text + match->end, n - match->end, &c)) > 0 && is_space(c))
      match->end += length;
}

bool
cw_special_tokens_find(const CwSpecialTokens *tokens, const char *text, size_t n, size_t from,
                       CwSpecialMatch *match)
{
  if (tokens->tokens->len == 0)
    return false;
  for (size_t at = from; at < n; at++) {
    size_t byte = (uint8_t)text[at];
    if (tokens->first[byte] == tokens->first[byte + 1])
      continue;
    const Token *token = longest_at(tokens, text + at, n - at);
    if (token == NULL)
      continue;
    CwSpecialMatch found = { token->id, at, at + token->length };
    if ((token->flags & CW_SPECIAL_WHOLE_WORD) != 0 && is_inside_word(text, n, &found)) {
      at = found.end - 1;
      continue;
    }
    swallow_space(text, n, from, token->flags, &found);
    *match = found;
    return true;
  }
  return false;
}
