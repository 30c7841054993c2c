/* text-fixture.h - a small model and documents of token ids for it. */
#pragma once

#include "cw-activations.h"
#include "model-fixture.h"

#define N_DOCUMENTS 23
#define CONTEXT     9

typedef struct {
  char *folder, *text, *output; /* output: a path for a cache, nothing is there */
  CwModel *model;
  CwkDevice *device;
  int64_t n_vocabulary;
} TextFixture;

void text_fixture_set_up(TextFixture *fixture, gconstpointer unused);
void text_fixture_tear_down(TextFixture *fixture, gconstpointer unused);

/* Document d has 1 + 7 (d mod 5) tokens: shorter than a window, and several windows with a
 * rest. */
int64_t text_fixture_length(int64_t document);
int32_t text_fixture_token(int64_t document, int64_t place, int64_t n_vocabulary);
/* Without a start token a window is CONTEXT tokens, and its first gives no row. */
bool text_fixture_gives_row(int64_t document, int64_t place);

/* Of one side of a plane. */
typedef struct {
  double energy, error;
} TextSums;

void text_sums_add(TextSums *sums, const float *expected, const float *actual, int64_t n);
/* FNV-1a: rows differ. */
uint64_t text_fixture_hash(const float *row, size_t n);
