/* tokenizer.c - the tokenizer itself: special tokens, normal form, words, merges, and back.
 *
 * Encoding takes the special tokens out first; what lies between them is normalised, cut into
 * words where the vocabulary is byte-level, and merged (bpe.c). Byte-level patterns only see
 * valid UTF-8: a run of other bytes is a word of its own. */
#include "tokenizer/tokenizer-private.h"

#include <string.h>

#include "tokenizer/utf8-step.h"

struct _CwTokenizer {
  gatomicrefcount ref_count;
  CwTokenizerParts parts;
  int32_t prompt_start;
};

/* ---- making ---------------------------------------------------------------------------- */

void
cw_tokenizer_parts_clear(CwTokenizerParts *parts)
{
  cw_pretokeniser_free(parts->pretokeniser);
  cw_special_tokens_free(parts->specials);
  cw_bpe_free(parts->bpe);
  cw_vocabulary_free(parts->vocabulary);
  *parts = (CwTokenizerParts){ 0 };
}

static int32_t
first_special(const CwVocabulary *vocabulary)
{
  int32_t n = cw_vocabulary_get_n_pieces(vocabulary);
  for (int32_t id = 0; id < n; id++)
    if (cw_vocabulary_get_kind(vocabulary, id) == CW_PIECE_SPECIAL)
      return id;
  return -1;
}

CwTokenizer *
cw_tokenizer_new_from_parts(CwTokenizerParts *parts)
{
  CwTokenizer *tokenizer = g_new0(CwTokenizer, 1);
  g_atomic_ref_count_init(&tokenizer->ref_count);
  tokenizer->parts = *parts;
  *parts = (CwTokenizerParts){ 0 };
  const CwTokenizerParts *p = &tokenizer->parts;
  tokenizer->prompt_start = p->bos >= 0   ? p->bos
                            : p->pad >= 0 ? p->pad
                            : p->eos >= 0 ? p->eos
                                          : first_special(p->vocabulary);
  return tokenizer;
}

CwTokenizer *
cw_tokenizer_ref(CwTokenizer *tokenizer)
{
  g_atomic_ref_count_inc(&tokenizer->ref_count);
  return tokenizer;
}

void
cw_tokenizer_unref(CwTokenizer *tokenizer)
{
  if (tokenizer == NULL || !g_atomic_ref_count_dec(&tokenizer->ref_count))
    return;
  cw_tokenizer_parts_clear(&tokenizer->parts);
  g_free(tokenizer);
}

int64_t
cw_tokenizer_get_n_tokens(const CwTokenizer *tokenizer)
{
  return cw_vocabulary_get_n_pieces(tokenizer->parts.vocabulary);
}

int32_t
cw_tokenizer_get_bos(const CwTokenizer *tokenizer)
{
  return tokenizer->parts.bos;
}

int32_t
cw_tokenizer_get_eos(const CwTokenizer *tokenizer)
{
  return tokenizer->parts.eos;
}

int32_t
cw_tokenizer_get_prompt_start(const CwTokenizer *tokenizer)
{
  return tokenizer->prompt_start;
}

bool
cw_tokenizer_is_special(const CwTokenizer *tokenizer, int32_t id)
{
  return cw_vocabulary_get_kind(tokenizer->parts.vocabulary, id) == CW_PIECE_SPECIAL;
}

/* ---- encoding -------------------------------------------------------------------------- */

typedef struct {
  const CwTokenizerParts *parts;
  CwBpeRun run;
} Encoding;

static bool
encode_word_cb(const char *word, size_t n, gpointer data, GError **error)
{
  Encoding *encoding = data;
  return cw_bpe_encode(encoding->parts->bpe, &encoding->run, word, n, error);
}

/* No character below U+0300 composes with the one before it, so most text is left alone. */
static bool
may_need_composing(const char *text, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if ((uint8_t)text[i] >= 0xcc)
      return true;
  return false;
}

/* Valid UTF-8. GLib's normaliser ends at NUL, which composes with nothing. */
static bool
encode_composed(Encoding *encoding, const char *text, size_t n, GError **error)
{
  if (!encoding->parts->is_composed || !may_need_composing(text, n))
    return cw_pretokeniser_run(encoding->parts->pretokeniser, text, n, encode_word_cb, encoding,
                               error);
  g_autoptr(GByteArray) composed = g_byte_array_new();
  for (size_t at = 0; at < n;) {
    size_t length = strnlen(text + at, n - at);
    g_autofree char *part = g_utf8_normalize(text + at, (gssize)length, G_NORMALIZE_NFC);
    g_byte_array_append(composed, (const guint8 *)part, (guint)strlen(part));
    at += length;
    for (; at < n && text[at] == '\0'; at++)
      g_byte_array_append(composed, (const guint8 *)"", 1);
  }
  return cw_pretokeniser_run(encoding->parts->pretokeniser, (const char *)composed->data,
                             composed->len, encode_word_cb, encoding, error);
}

static bool
encode_byte_level(Encoding *encoding, const char *text, size_t n, GError **error)
{
  for (size_t at = 0; at < n;) {
    uint32_t c;
    size_t valid = cw_utf8_valid_prefix(text + at, n - at);
    if (valid > 0 && !encode_composed(encoding, text + at, valid, error))
      return false;
    at += valid;
    size_t begin = at;
    while (at < n && cw_utf8_step(text + at, n - at, &c) == 0)
      at++;
    if (at > begin && !encode_word_cb(text + begin, at - begin, encoding, error))
      return false;
  }
  return true;
}

static char *
try_copy_room(size_t n, GError **error)
{
  char *room = g_try_malloc(n);
  if (room == NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "There is no memory to encode this text: encode it in parts");
  return room;
}

/* Whether text gets a space in front that follows a token of this kind (NONE: follows none). */
static bool
is_prefixed_behind(const CwTokenizerParts *parts, CwPieceKind kind)
{
  return parts->prefix != CW_PREFIX_NEVER &&
         (kind == CW_PIECE_NONE || parts->prefix == CW_PREFIX_AFTER_ALL ||
          (kind == CW_PIECE_SPECIAL && parts->prefix == CW_PREFIX_AFTER_SPECIAL));
}

/* What lies between two special tokens. */
static bool
encode_between(Encoding *encoding, const char *text, size_t n, CwPieceKind before,
               GError **error)
{
  const CwTokenizerParts *parts = encoding->parts;
  if (n == 0)
    return true;
  bool is_prefixed =
      is_prefixed_behind(parts, before) && !(parts->is_prefix_optional && text[0] == ' ');
  g_autofree char *prefixed = NULL;
  if (is_prefixed) {
    prefixed = try_copy_room(n + 1, error);
    if (prefixed == NULL)
      return false;
    prefixed[0] = ' ';
    memcpy(prefixed + 1, text, n++);
    text = prefixed;
  }
  return parts->pretokeniser != NULL
             ? encode_byte_level(encoding, text, n, error)
             : cw_bpe_encode(parts->bpe, &encoding->run, text, n, error);
}

static bool
encode_all(Encoding *encoding, const char *text, size_t n, GError **error)
{
  const CwTokenizerParts *parts = encoding->parts;
  CwSpecialMatch match;
  CwPieceKind before = CW_PIECE_NONE;
  size_t at = 0;
  while (at < n && cw_special_tokens_find(parts->specials, text, n, at, &match)) {
    if (!encode_between(encoding, text + at, match.start - at, before, error) ||
        !cw_bpe_run_append(&encoding->run, match.id, error))
      return false;
    at = match.end;
    before = cw_vocabulary_get_kind(parts->vocabulary, match.id);
  }
  return encode_between(encoding, text + at, n - at, before, error);
}

/* Marks in the text mean the same as spaces, special tokens made of spaces included. */
static bool
encode_marked(Encoding *encoding, const char *text, size_t n, GError **error)
{
  if (!encoding->parts->has_space_marks || memmem(text, n, CW_SPACE_MARK, 3) == NULL)
    return encode_all(encoding, text, n, error);
  g_autofree char *changed = try_copy_room(n, error);
  return changed != NULL &&
         encode_all(encoding, changed, cw_space_marks_to_spaces(changed, text, n), error);
}

int32_t *
cw_tokenizer_encode(const CwTokenizer *tokenizer, const char *text, gssize n_bytes, size_t *n,
                    GError **error)
{
  Encoding encoding = { .parts = &tokenizer->parts };
  size_t length = n_bytes < 0 ? strlen(text) : (size_t)n_bytes;
  if (length >= INT32_MAX / 4) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "A text of %zu bytes is too long to be encoded at once: encode it in parts",
                length);
    return NULL;
  }
  if (!encode_marked(&encoding, text, length, error)) {
    cw_bpe_run_clear(&encoding.run);
    return NULL;
  }
  int32_t *ids = g_steal_pointer(&encoding.run.ids);
  *n = encoding.run.n_ids;
  cw_bpe_run_clear(&encoding.run);
  return ids != NULL ? ids : g_new0(int32_t, 1);
}

/* ---- decoding -------------------------------------------------------------------------- */

/* Leaves out the space that encoding put in front, so that decoding is its inverse. */
char *
cw_tokenizer_decode(const CwTokenizer *tokenizer, const int32_t *ids, size_t n, size_t *n_bytes)
{
  const CwTokenizerParts *parts = &tokenizer->parts;
  GString *text = g_string_new(NULL);
  bool is_prefixed = is_prefixed_behind(parts, CW_PIECE_NONE);
  for (size_t i = 0; i < n; i++) {
    size_t length;
    CwPieceKind kind = cw_vocabulary_get_kind(parts->vocabulary, ids[i]);
    if (kind == CW_PIECE_NONE)
      continue;
    const char *bytes = cw_vocabulary_peek(parts->vocabulary, ids[i], &length);
    bool is_apart = kind == CW_PIECE_SPECIAL || kind == CW_PIECE_ADDED;
    bool drops_space = is_prefixed && !is_apart && length > 0 && bytes[0] == ' ';
    g_string_append_len(text, bytes + drops_space, (gssize)(length - drops_space));
    is_prefixed = is_apart && is_prefixed_behind(parts, kind);
  }
  if (n_bytes != NULL)
    *n_bytes = text->len;
  return g_string_free(text, FALSE);
}

char *
cw_tokenizer_dup_piece(const CwTokenizer *tokenizer, int32_t id)
{
  const CwVocabulary *vocabulary = tokenizer->parts.vocabulary;
  if (cw_vocabulary_get_kind(vocabulary, id) == CW_PIECE_NONE)
    return g_strdup_printf("[%d]", id);
  size_t n;
  const char *bytes = cw_vocabulary_peek(vocabulary, id, &n);
  GString *text = g_string_sized_new(n + 1);
  for (size_t at = 0; at < n;) {
    uint32_t c;
    size_t step = cw_utf8_step(bytes + at, n - at, &c);
    bool is_shown = step > 0 && c != 0x7f && (c >= 0x20 || c == '\n' || c == '\t' || c == '\r');
    if (is_shown)
      g_string_append_len(text, bytes + at, (gssize)step);
    else
      g_string_append_printf(text, "\\x%02x", (uint8_t)bytes[at]);
    at += MAX(step, 1);
  }
  return g_string_free(text, FALSE);
}

char *
cw_tokenizer_dup_quoted_piece(const CwTokenizer *tokenizer, int32_t id)
{
  if (tokenizer == NULL || id < 0 || id >= cw_tokenizer_get_n_tokens(tokenizer))
    return g_strdup_printf("#%d", id);
  g_autofree char *piece = cw_tokenizer_dup_piece(tokenizer, id);
  return cw_escape_dup(piece, true);
}
