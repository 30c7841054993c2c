/* fuzz.h - what a fuzz target provides. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry point; always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Good and bad inputs to start from (of GByteArray). Transfer full. */
GPtrArray *fuzz_make_seeds(void);

/* Seeds that are texts. Transfer full. */
GPtrArray *fuzz_seeds_of_texts(const char *const *texts, size_t n);
