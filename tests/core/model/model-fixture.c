/* model-fixture.c - see model-fixture.h. */
#include "model-fixture.h"

#include <string.h>

CwModel *
fixture_load_model(const char *path)
{
  g_autoptr(GError) error = NULL;
  CwModel *model = cw_model_load(path, &error);
  g_assert_no_error(error);
  return model;
}

CwModel *
fixture_load_golden_model(const char *rest)
{
  g_autofree char *path = test_golden_path(rest);
  return fixture_load_model(path);
}

CwTensorFile *
fixture_open_golden(const char *rest)
{
  g_autofree char *path = test_golden_path(rest);
  g_autoptr(GError) error = NULL;
  CwTensorFile *file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  return file;
}

CwForward *
fixture_run(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n,
            CwForwardFlags flags)
{
  g_autoptr(GError) error = NULL;
  CwForward *forward = cw_model_forward(model, device, tokens, n, flags, NULL, &error);
  g_assert_no_error(error);
  return forward;
}

int32_t *
fixture_read_tokens(const CwTensorFile *file, const char *name, size_t *n)
{
  const CwTensor *tensor = cw_tensor_file_find(file, name);
  g_assert_nonnull(tensor);
  g_assert_cmpint(tensor->type, ==, CW_TYPE_I64);
  *n = (size_t)tensor->shape[0];
  int32_t *tokens = g_new(int32_t, *n);
  for (size_t i = 0; i < *n; i++) {
    int64_t id;
    memcpy(&id, (const char *)tensor->data + 8 * i, 8);
    tokens[i] = (int32_t)id;
  }
  return tokens;
}

void
fixture_assert_close(const CwTensorFile *file, const char *name, const float *actual,
                     double limit)
{
  const CwTensor *tensor = cw_tensor_file_find(file, name);
  g_assert_nonnull(tensor);
  g_assert_cmpint(tensor->dtype, ==, CWK_F32);
  size_t n = tensor->n_bytes / sizeof(float);
  g_autofree float *expected = g_memdup2(tensor->data, tensor->n_bytes);
  double difference = test_max_difference(actual, expected, n);
  g_test_message("%s: largest difference %.3g, largest entry %.3g", name, difference,
                 test_max_abs(expected, n));
  g_assert_cmpfloat(difference, <=, limit);
}
