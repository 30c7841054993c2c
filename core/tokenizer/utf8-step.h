/* utf8-step.h - one character at a time out of bytes that may not be UTF-8.
 *
 * GLib's validators stop at NUL, which is an ordinary character for a tokenizer. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The length of the character at p (n >= 1 bytes are left) and its code point, or 0 if the byte
 * at p begins no valid character: overlong forms, surrogates and cut sequences are invalid. */
static inline size_t
cw_utf8_step(const char *text, size_t n, uint32_t *code_point)
{
  static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
  const unsigned char *p = (const unsigned char *)text;
  if (p[0] < 0x80) {
    *code_point = p[0];
    return 1;
  }
  size_t length = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
  if (length == 0 || length > n)
    return 0;
  uint32_t c = p[0] & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((p[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | (p[i] & 0x3f);
  }
  if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
    return 0;
  *code_point = c;
  return length;
}

/* How many of the n bytes, from the first one, are valid UTF-8. */
static inline size_t
cw_utf8_valid_prefix(const char *text, size_t n)
{
  size_t at = 0, step = 0;
  uint32_t c;
  while (at < n && (step = cw_utf8_step(text + at, n - at, &c)) > 0)
    at += step;
  return at;
}
