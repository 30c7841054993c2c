/* piece-forms.c - pieces as files write them, turned into the bytes they stand for.
 *
 * Vocabularies are kept as plain bytes, so that encoding needs no second form of the text and
 * decoding is copying: byte-level pieces out of their alphabet, SentencePiece's with a space
 * for U+2581, its "<0x0A>" as one byte. */
#include "tokenizer/byte-alphabet.h"
#include "tokenizer/tokenizer-private.h"

#include <string.h>

size_t
cw_space_marks_to_spaces(char *out, const char *text, size_t n)
{
  size_t count = 0;
  for (size_t at = 0; at < n;) {
    bool is_mark = n - at >= 3 && memcmp(text + at, CW_SPACE_MARK, 3) == 0;
    out[count++] = is_mark ? ' ' : text[at];
    at += is_mark ? 3 : 1;
  }
  return count;
}

bool
cw_vocabulary_set_marked(CwVocabulary *vocabulary, int64_t id, const char *piece, size_t n,
                         CwPieceKind kind, GError **error)
{
  char bytes[CW_VOCABULARY_MAX_PIECE_BYTES];
  if (n <= sizeof bytes) {
    n = cw_space_marks_to_spaces(bytes, piece, n);
    piece = bytes;
  }
  return cw_vocabulary_set(vocabulary, id, piece, n, kind, error);
}

bool
cw_vocabulary_set_byte_level(CwVocabulary *vocabulary, int64_t id, const char *piece, size_t n,
                             GError **error)
{
  char bytes[CW_VOCABULARY_MAX_PIECE_BYTES];
  size_t n_bytes;
  if (n > sizeof bytes || !cw_byte_alphabet_decode(piece, n, bytes, &n_bytes))
    return cw_vocabulary_set(vocabulary, id, piece, n, CW_PIECE_UNUSED, error);
  return cw_vocabulary_set(vocabulary, id, bytes, n_bytes, CW_PIECE_NORMAL, error);
}

int
cw_byte_of_piece(const char *piece, size_t n)
{
  if (n != 6 || memcmp(piece, "<0x", 3) != 0 || piece[5] != '>' ||
      !g_ascii_isxdigit(piece[3]) || !g_ascii_isxdigit(piece[4]))
    return -1;
  return g_ascii_xdigit_value(piece[3]) * 16 + g_ascii_xdigit_value(piece[4]);
}

bool
cw_bpe_check_bytes(const CwBpe *bpe, int32_t unknown, GError **error)
{
  for (int byte = 0; byte < 256 && unknown < 0; byte++)
    if (cw_bpe_get_byte_piece(bpe, (uint8_t)byte) < 0) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "the vocabulary has neither the byte piece <0x%02X> nor an unknown piece",
                  (unsigned)byte);
      return false;
    }
  return true;
}
