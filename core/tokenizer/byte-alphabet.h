/* byte-alphabet.h - the printable characters that stand for bytes in byte-level vocabularies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Turns a piece as a vocabulary file writes it into the bytes it stands for. `bytes` has room
 * for n; *n_bytes is how many there are. False, if a character is not of the alphabet. */
bool cw_byte_alphabet_decode(const char *piece, size_t n, char *bytes, size_t *n_bytes);
