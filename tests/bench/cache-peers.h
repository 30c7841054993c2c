/* cache-peers.h - what bench-cache sets beside it: CLT-Forge's cache of the same rows, and
 * TransformerLens capturing from the same model. */
#pragma once

#include "bench-support.h"

typedef struct {
  int64_t n_layers, width, n;
  float *in, *out;  /* [L, n, D] */
  int32_t *numbers; /* [n] 0, 1, 2, ...: for tokens, documents and positions */
} BenchRows;

/* Prints members of a JSON object, each with a comma in front. An error if the sides do not
 * compute the same. */
void bench_cache_peer(const char *python, const BenchRows *rows, int64_t batch, int n_threads,
                      int n_rounds);
/* python may be NULL. */
void bench_capture(const char *python, const char *model_path, int n_threads, int n_rounds);
