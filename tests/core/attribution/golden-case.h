/* golden-case.h - a case of tests/golden/attribution: model, transcoder, prompt, and what
 * circuit-tracer made of them. */
#pragma once

#include "cw-attribution.h"

typedef struct {
  CwModel *model;
  CwTranscoder *transcoder;
  CwkDevice *device;
  CwTensorFile *expected;
  int32_t *tokens;
  size_t n_tokens;
  CwAttributionOptions options;
} GoldenCase;

/* With two threads and the case's own options; fails the test on any error. */
void golden_case_open(GoldenCase *one, const char *name);
void golden_case_close(GoldenCase *one);
const CwTensor *golden_case_tensor(const GoldenCase *one, const char *name);
/* Attributes as the case says; detail may be NULL. */
CwGraph *golden_case_run(GoldenCase *one, CwAttributionDetail **detail);
