/* model-fixture.h - what the tests of models share: golden models, tokens and comparisons. */
#pragma once

#include "cw-model.h"
#include "test-support.h"

/* These fail the test on any error. Transfer full. */
CwModel *fixture_load_model(const char *path);
CwModel *fixture_load_golden_model(const char *rest); /* below tests/golden */
CwTensorFile *fixture_open_golden(const char *rest);
CwForward *fixture_run(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n,
                       CwForwardFlags flags);
/* An I64 tensor [T] as ids; transfer full. */
int32_t *fixture_read_tokens(const CwTensorFile *file, const char *name, size_t *n);
/* Every entry of tensor `name` within `limit` of actual. */
void fixture_assert_close(const CwTensorFile *file, const char *name, const float *actual,
                          double limit);
