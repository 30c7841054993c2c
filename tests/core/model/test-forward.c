/* test-forward.c - logits and taps against the numbers of transformers and circuit-tracer:
 * every model of golden/attribution, and SmolLM2 itself. */
#include "test-support.h"

#include "cw-model.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

typedef struct {
  CwkDevice *device;
} Fixture;

static CwModel *
load_model(const char *path)
{
  g_autoptr(GError) error = NULL;
  CwModel *model = cw_model_load(path, &error);
  g_assert_no_error(error);
  return model;
}

static CwTensorFile *
open_golden(const char *rest)
{
  g_autofree char *path = test_golden_path(rest);
  g_autoptr(GError) error = NULL;
  CwTensorFile *file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  return file;
}

/* [T] i64 as ids; transfer full. */
static int32_t *
read_tokens(const CwTensorFile *file, const char *name, size_t *n)
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

static void
assert_close(const CwTensorFile *file, const char *name, const float *actual, double limit)
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

static CwForward *
run(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n, CwForwardFlags flags)
{
  g_autoptr(GError) error = NULL;
  CwForward *forward = cw_model_forward(model, device, tokens, n, flags, NULL, &error);
  g_assert_no_error(error);
  return forward;
}

/* ---- golden/attribution ----------------------------------------------------------------- */

static void
test_golden_logits(gconstpointer user_data)
{
  const char *name = user_data;
  g_autofree char *folder = g_strdup_printf("attribution/%s/model", name);
  g_autofree char *expected_path = g_strdup_printf("attribution/%s/expected.safetensors", name);
  g_autofree char *path = test_golden_path(folder);
  g_autoptr(CwModel) model = load_model(path);
  g_autoptr(CwTensorFile) expected = open_golden(expected_path);
  CwkDevice *device = cwk_cpu_new(2);
  size_t n;
  g_autofree int32_t *tokens = read_tokens(expected, "input_tokens", &n);
  g_autoptr(CwForward) plain = run(model, device, tokens, n, CW_FORWARD_ALL_LOGITS);
  assert_close(expected, "hf_logits", plain->logits, 1e-4);
  g_assert_null(plain->pattern);
  g_assert_null(plain->mlp_out);
  g_autoptr(CwForward) kept = run(model, device, tokens, n,
                                  CW_FORWARD_ALL_LOGITS | CW_FORWARD_TAPS | CW_FORWARD_FROZEN);
  assert_close(expected, "hf_logits", kept->logits, 1e-4);
  assert_close(expected, "token_vectors", kept->embedding, 1e-6);
  g_autoptr(CwForward) last = run(model, device, tokens, n, CW_FORWARD_LAST_LOGITS);
  int64_t n_vocabulary = cw_model_peek_config(model)->n_vocabulary;
  g_assert_cmpfloat(test_max_difference(last->logits,
                                        plain->logits + (int64_t)(n - 1) * n_vocabulary,
                                        (size_t)n_vocabulary),
                    <=, 1e-5);
  cwk_device_free(device);
}

/* ---- golden/smollm2 --------------------------------------------------------------------- */

static void
check_taps(const CwTensorFile *expected, guint prompt, const CwForward *forward, int64_t width)
{
  static const int layers[] = { 0, 14, 29 };
  int64_t size = forward->n_positions * width;
  for (size_t i = 0; i < G_N_ELEMENTS(layers); i++) {
    g_autofree char *mid = g_strdup_printf("%u.resid_mid.%d", prompt, layers[i]);
    g_autofree char *out = g_strdup_printf("%u.mlp_out.%d", prompt, layers[i]);
    const float *actual_mid = forward->resid_mid + layers[i] * size;
    const float *actual_out = forward->mlp_out + layers[i] * size;
    assert_close(expected, mid, actual_mid, 1e-3 * test_max_abs(actual_mid, (size_t)size));
    assert_close(expected, out, actual_out, 1e-3 * test_max_abs(actual_out, (size_t)size));
  }
}

static void
test_smollm2_logits_and_taps(void)
{
  g_autofree char *path = test_smollm2_path_or_skip();
  if (path == NULL)
    return;
  g_autoptr(CwModel) model = load_model(path);
  const CwModelConfig *config = cw_model_peek_config(model);
  g_assert_cmpint(config->n_layers, ==, 30);
  g_assert_true(config->is_tied);
  g_autoptr(CwTensorFile) expected = open_golden("smollm2/expected.safetensors");
  CwkDevice *device = cwk_cpu_new(2);
  for (guint prompt = 0; prompt < 5; prompt++) {
    g_autofree char *tokens_name = g_strdup_printf("%u.tokens", prompt);
    g_autofree char *logits_name = g_strdup_printf("%u.last_logits", prompt);
    size_t n;
    g_autofree int32_t *tokens = read_tokens(expected, tokens_name, &n);
    g_autoptr(CwForward) forward =
        run(model, device, tokens, n, CW_FORWARD_LAST_LOGITS | CW_FORWARD_TAPS);
    assert_close(expected, logits_name, forward->logits, 2e-3);
    check_taps(expected, prompt, forward, config->width);
  }
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  static const char *const golden[] = {
    "gemma2-clt",     "gemma2-plt",    "gemma2-plt_skip", "gpt2-clt",       "gpt2-clt-residmid",
    "gpt2-plt",       "gpt2-plt_skip", "llama-clt",       "llama-plt",      "llama-clt-limited",
    "llama-plt_skip", "qwen3-clt",     "qwen3-plt",       "qwen3-plt_skip",
  };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(golden); i++) {
    g_autofree char *name = g_strdup_printf("/core/forward/golden-logits/%s", golden[i]);
    g_test_add_data_func(name, golden[i], test_golden_logits);
  }
  g_test_add_func("/core/forward/smollm2-logits-and-taps", test_smollm2_logits_and_taps);
  return g_test_run();
}
