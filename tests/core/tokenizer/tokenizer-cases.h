/* tokenizer-cases.h - runs a JSON list of {"text", "ids"} through a tokenizer. */
#pragma once

#include "cw-tokenizer.h"

/* Every text encodes to exactly these ids, and (is_inverse) decodes to itself. Returns how many
 * cases there were. */
size_t test_tokenizer_cases(const CwTokenizer *tokenizer, const char *path, bool is_inverse);
/* Asserts that text encodes to these ids. */
void test_tokenizer_ids(const CwTokenizer *tokenizer, const char *text, gssize n_bytes,
                        const int32_t *ids, size_t n_ids);
