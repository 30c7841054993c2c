/* test-forward.c - logits and taps against the numbers of transformers and circuit-tracer: the
 * models of golden/attribution, tiny ones of every family as folder and as GGUF, SmolLM2. */
#include "model-fixture.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* ---- golden/attribution ----------------------------------------------------------------- */

/* What the taps say must fit together: the stream is the sum of what was added to it. */
static void
check_taps_add_up(const CwModel *model, const CwForward *forward)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  int64_t size = forward->n_positions * config->width, last = config->n_layers - 1;
  const float *mid = forward->resid_mid + last * size, *out = forward->mlp_out + last * size;
  for (int64_t i = 0; i < size; i++)
    g_assert_cmpfloat(fabsf(mid[i] + out[i] - forward->final_resid[i]), <=, 1e-5f);
  for (int64_t l = 0; l < config->n_layers; l++)
    for (int64_t t = 0; t < forward->n_positions; t++) {
      const float *x = forward->resid_mid + l * size + t * config->width;
      const float *hat = forward->mlp_hat + l * size + t * config->width;
      double mean = 0;
      for (int64_t i = 0; config->is_layer_norm && i < config->width; i++)
        mean += (double)x[i] / (double)config->width;
      double scale = (double)forward->ln2_scale[l * forward->n_positions + t];
      for (int64_t i = 0; i < config->width; i++)
        g_assert_cmpfloat(fabs(((double)x[i] - mean) / scale - (double)hat[i]), <=, 1e-5);
    }
}

/* Rows of a pattern are distributions over the keys that a query may see. */
static void
check_patterns(const CwModel *model, const CwForward *forward)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  int64_t n = forward->n_positions;
  for (int64_t row = 0; row < config->n_layers * config->n_heads * n; row++) {
    int64_t window = cw_model_peek_layer(model, row / (config->n_heads * n))->window;
    int64_t i = row % n;
    const float *pattern = forward->pattern + row * n;
    double sum = 0;
    for (int64_t j = 0; j < n; j++) {
      if (j > i || (window > 0 && j <= i - window))
        g_assert_cmpfloat(pattern[j], ==, 0);
      sum += (double)pattern[j];
    }
    g_assert_cmpfloat(fabs(sum - 1), <=, 1e-5);
  }
}

static void
test_golden_attribution(gconstpointer user_data)
{
  const char *name = user_data;
  g_autofree char *folder = g_strdup_printf("attribution/%s/model", name);
  g_autofree char *expected_path = g_strdup_printf("attribution/%s/expected.safetensors", name);
  g_autoptr(CwModel) model = fixture_load_golden_model(folder);
  g_autoptr(CwTensorFile) expected = fixture_open_golden(expected_path);
  CwkDevice *device = cwk_cpu_new(2);
  size_t n;
  g_autofree int32_t *tokens = fixture_read_tokens(expected, "input_tokens", &n);
  g_autoptr(CwForward) plain = fixture_run(model, device, tokens, n, CW_FORWARD_ALL_LOGITS);
  fixture_assert_close(expected, "hf_logits", plain->logits, 1e-4);
  g_assert_null(plain->pattern);
  g_assert_null(plain->mlp_out);
  g_assert_null(plain->final_resid);
  g_autoptr(CwForward) kept = fixture_run(
      model, device, tokens, n, CW_FORWARD_ALL_LOGITS | CW_FORWARD_TAPS | CW_FORWARD_FROZEN);
  fixture_assert_close(expected, "hf_logits", kept->logits, 1e-4);
  fixture_assert_close(expected, "token_vectors", kept->embedding, 1e-6);
  check_taps_add_up(model, kept);
  check_patterns(model, kept);
  g_autoptr(CwForward) last = fixture_run(model, device, tokens, n, CW_FORWARD_LAST_LOGITS);
  int64_t n_vocabulary = cw_model_peek_config(model)->n_vocabulary;
  g_assert_cmpint(last->n_logit_rows, ==, 1);
  g_assert_cmpfloat(test_max_difference(last->logits,
                                        plain->logits + (int64_t)(n - 1) * n_vocabulary,
                                        (size_t)n_vocabulary),
                    <=, 1e-5);
  g_autoptr(CwForward) none = fixture_run(model, device, tokens, n, 0);
  g_assert_null(none->logits);
  cwk_device_free(device);
}

/* ---- golden/model ----------------------------------------------------------------------- */

/* user_data: the family and the file or folder in it. */
static void
test_golden_family(gconstpointer user_data)
{
  g_auto(GStrv) parts = g_strsplit(user_data, "/", 2);
  g_autofree char *path = g_strdup_printf("model/%s", (const char *)user_data);
  g_autofree char *expected_path = g_strdup_printf("model/%s/expected.safetensors", parts[0]);
  g_autoptr(CwModel) model = fixture_load_golden_model(path);
  g_autoptr(CwTensorFile) expected = fixture_open_golden(expected_path);
  size_t n;
  g_autofree int32_t *tokens = fixture_read_tokens(expected, "tokens", &n);
  for (int n_threads = 1; n_threads <= 2; n_threads++) {
    CwkDevice *device = cwk_cpu_new(n_threads);
    g_autoptr(CwForward) forward = fixture_run(model, device, tokens, n, CW_FORWARD_ALL_LOGITS);
    fixture_assert_close(expected, "logits", forward->logits, 1e-4);
    cwk_device_free(device);
  }
  g_assert_null(cw_model_peek_tokenizer(model));
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
    fixture_assert_close(expected, mid, actual_mid,
                         1e-3 * test_max_abs(actual_mid, (size_t)size));
    fixture_assert_close(expected, out, actual_out,
                         1e-3 * test_max_abs(actual_out, (size_t)size));
  }
}

/* The five most likely tokens are those of the peer, in its order, by their text. */
static void
check_top(const CwModel *model, JsonArray *top, const float *logits)
{
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(model);
  g_assert_nonnull(tokenizer);
  int64_t n = cw_model_peek_config(model)->n_vocabulary;
  g_autofree float *left = g_memdup2(logits, (gsize)n * sizeof *logits);
  for (guint rank = 0; rank < json_array_get_length(top); rank++) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
      if (left[i] > left[best])
        best = i;
    g_autofree char *piece = cw_tokenizer_dup_piece(tokenizer, (int32_t)best);
    JsonArray *expected = json_array_get_array_element(top, rank);
    g_assert_cmpstr(piece, ==, json_array_get_string_element(expected, 0));
    left[best] = -INFINITY;
  }
}

static void
test_smollm2(void)
{
  g_autofree char *path = test_smollm2_path_or_skip();
  if (path == NULL)
    return;
  g_autoptr(CwModel) model = fixture_load_model(path);
  const CwModelConfig *config = cw_model_peek_config(model);
  g_assert_cmpint(config->n_layers, ==, 30);
  g_assert_true(config->is_tied);
  g_autoptr(CwTensorFile) expected = fixture_open_golden("smollm2/expected.safetensors");
  g_autofree char *prompts_path = test_golden_path("smollm2/prompts.json");
  g_autoptr(JsonParser) prompts = json_parser_new();
  g_assert_true(json_parser_load_from_file(prompts, prompts_path, NULL));
  JsonArray *cases = json_node_get_array(json_parser_get_root(prompts));
  CwkDevice *device = cwk_cpu_new(2);
  for (guint i = 0; i < json_array_get_length(cases); i++) {
    g_autofree char *tokens_name = g_strdup_printf("%u.tokens", i);
    g_autofree char *logits_name = g_strdup_printf("%u.last_logits", i);
    size_t n;
    g_autofree int32_t *tokens = fixture_read_tokens(expected, tokens_name, &n);
    g_autoptr(CwForward) forward =
        fixture_run(model, device, tokens, n, CW_FORWARD_LAST_LOGITS | CW_FORWARD_TAPS);
    fixture_assert_close(expected, logits_name, forward->logits, 2e-3);
    check_taps(expected, i, forward, config->width);
    JsonObject *one = json_array_get_object_element(cases, i);
    check_top(model, json_object_get_array_member(one, "top"), forward->logits);
  }
  cwk_device_free(device);
}

/* ---- reduced precision ------------------------------------------------------------------ */

static double
relative_error(const float *got, const float *expected, int64_t n)
{
  double error = 0, size = 0;
  for (int64_t i = 0; i < n; i++) {
    error += ((double)got[i] - (double)expected[i]) * ((double)got[i] - (double)expected[i]);
    size += (double)expected[i] * (double)expected[i];
  }
  return sqrt(error / size);
}

/* Activations are rounded to steps of 1/127 of the largest of 32, at most half a step off, so a
 * product is off by at most 1/254 of the largest times sqrt(32) of the root mean square: 2.3 %
 * of its size where errors do not conspire. Layer 0 sees two roundings in a row before its
 * MLP's output (of the input and of the activation), and one in its attention. */
static void
test_reduced_smollm2(void)
{
  g_autofree char *path = test_smollm2_path_or_skip();
  if (path == NULL)
    return;
  g_autoptr(CwModel) model = fixture_load_model(path);
  g_autoptr(CwTensorFile) expected = fixture_open_golden("smollm2/expected.safetensors");
  int64_t width = cw_model_peek_config(model)->width;
  CwkDevice *device = cwk_cpu_new(2);
  size_t n;
  g_autofree int32_t *tokens = fixture_read_tokens(expected, "0.tokens", &n);
  const CwForwardFlags flags = CW_FORWARD_LAST_LOGITS | CW_FORWARD_TAPS;
  if (cwk_has_int8(device, CWK_Q4_1)) {
    g_autoptr(CwForward) exact = fixture_run(model, device, tokens, n, flags);
    g_autoptr(CwForward) reduced =
        fixture_run(model, device, tokens, n, flags | CW_FORWARD_REDUCED);
    g_autoptr(CwForward) again =
        fixture_run(model, device, tokens, n, flags | CW_FORWARD_REDUCED);
    size_t n_bytes = sizeof(float) * (size_t)cw_model_peek_config(model)->n_vocabulary;
    g_assert_cmpmem(reduced->logits, n_bytes, again->logits, n_bytes);
    double error = relative_error(reduced->mlp_out, exact->mlp_out, (int64_t)n * width);
    g_assert_cmpfloat(error, >, 1e-4); /* it is another pass */
    g_assert_cmpfloat(error, <=, 3 * 0.023);
  }
  cwk_device_free(device);
}

static void
check_refused(CwModel *model, CwForwardFlags flags, int code, const char *says)
{
  CwkDevice *device = cwk_cpu_new(1);
  const int32_t tokens[] = { 1, 2 };
  g_autoptr(GError) error = NULL;
  g_assert_null(
      cw_model_forward(model, device, tokens, 2, CW_FORWARD_REDUCED | flags, NULL, &error));
  g_assert_error(error, CW_ERROR, code);
  g_assert_nonnull(strstr(error->message, says));
  cwk_device_free(device);
}

/* Weights in f32 have nothing to gain; attribution must not read rounded numbers. */
static void
test_reduced_refusals(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("attribution/llama-clt/model");
  check_refused(model, CW_FORWARD_LAST_LOGITS, CW_ERROR_UNSUPPORTED, "stores f32 weights");
  check_refused(model, CW_FORWARD_FROZEN, CW_ERROR_ARGUMENT, "Attribution needs a pass in f32");
  g_autofree char *path = test_smollm2_path_or_skip();
  if (path == NULL)
    return;
  g_autoptr(CwModel) smollm2 = fixture_load_model(path);
  g_autofree char *isa = g_strdup(g_getenv("CLEW_ISA"));
  g_setenv("CLEW_ISA", "baseline", TRUE);
  check_refused(smollm2, CW_FORWARD_LAST_LOGITS, CW_ERROR_UNSUPPORTED, "baseline x86-64");
  if (isa != NULL)
    g_setenv("CLEW_ISA", isa, TRUE);
  else
    g_unsetenv("CLEW_ISA");
}

int
main(int argc, char **argv)
{
  static const char *const attribution[] = {
    "gemma2-clt",     "gemma2-plt",    "gemma2-plt_skip", "gpt2-clt",       "gpt2-clt-residmid",
    "gpt2-plt",       "gpt2-plt_skip", "llama-clt",       "llama-plt",      "llama-clt-limited",
    "llama-plt_skip", "qwen3-clt",     "qwen3-plt",       "qwen3-plt_skip",
  };
  static const char *const families[] = {
    "gpt2/model.gguf",   "llama3/hf", "llama3/model.gguf", "gemma2/model.gguf",
    "gemma3/model.gguf", "gemma3/hf", "qwen3/model.gguf",
  };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(attribution); i++) {
    g_autofree char *name = g_strdup_printf("/core/forward/attribution/%s", attribution[i]);
    g_test_add_data_func(name, attribution[i], test_golden_attribution);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
    g_autofree char *name = g_strdup_printf("/core/forward/family/%s", families[i]);
    g_test_add_data_func(name, families[i], test_golden_family);
  }
  g_test_add_func("/core/forward/smollm2", test_smollm2);
  g_test_add_func("/core/forward/reduced/smollm2", test_reduced_smollm2);
  g_test_add_func("/core/forward/reduced/refusals", test_reduced_refusals);
  return g_test_run();
}
