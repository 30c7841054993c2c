/* byte-alphabet.c - see byte-alphabet.h.
 *
 * GPT-2 introduced the alphabet: the 188 bytes that are printable characters of Latin-1 stand
 * for themselves, and the other 68, in ascending order, are written as U+0100 onwards. A space
 * is thus "Ġ" (U+0120) and a newline "Ċ" (U+010A). Vocabularies are kept here as plain bytes.
 */
#include "tokenizer/byte-alphabet.h"

#include "tokenizer/utf8-step.h"

/* The unprintable bytes are 0..32, 127..160 and 173. */
static int
byte_of_character(uint32_t c)
{
  if (c < 0x100)
    return (c > 32 && c < 127) || (c > 160 && c != 173) ? (int)c : -1;
  uint32_t k = c - 0x100;
  if (k <= 32)
    return (int)k;
  if (k <= 66)
    return (int)(127 + k - 33);
  return k == 67 ? 173 : -1;
}

bool
cw_byte_alphabet_decode(const char *piece, size_t n, char *bytes, size_t *n_bytes)
{
  size_t at = 0, count = 0;
  while (at < n) {
    uint32_t c;
    size_t step = cw_utf8_step(piece + at, n - at, &c);
    int byte = step > 0 ? byte_of_character(c) : -1;
    if (byte < 0)
      return false;
    bytes[count++] = (char)byte;
    at += step;
  }
  *n_bytes = count;
  return true;
}
