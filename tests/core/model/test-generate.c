/* test-generate.c - generation over kept keys and values against whole passes, and sampling. */
#include "model-fixture.h"

#include "model/sampling.h"

#include <math.h>
#include <string.h>

static int32_t
largest_of(const float *x, int64_t n)
{
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (x[i] > x[best])
      best = i;
  return (int32_t)best;
}

static int32_t *
generate(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n,
         const CwSampling *sampling, size_t *n_new)
{
  g_autoptr(GError) error = NULL;
  int32_t *made = cw_model_generate(model, device, tokens, n, sampling, n_new, NULL, &error);
  g_assert_no_error(error);
  return made;
}

/* At temperature 0 each token is the most likely one of a pass over all before it. Gemma's
 * windows (5) are left behind within the 24 tokens. */
static void
test_greedy_equals_whole_passes(gconstpointer user_data)
{
  g_autoptr(CwModel) model = fixture_load_golden_model(user_data);
  const int64_t n_vocabulary = cw_model_peek_config(model)->n_vocabulary;
  CwkDevice *device = cwk_cpu_new(2);
  int32_t all[7 + 24] = { 1, 9, 17, 4, 33, 60, 2 };
  size_t n_new;
  const CwSampling sampling = { .top_p = 1, .n_tokens = 24 };
  g_autofree int32_t *made = generate(model, device, all, 7, &sampling, &n_new);
  g_assert_cmpuint(n_new, ==, 24);
  for (size_t i = 0; i < n_new; i++) {
    g_autoptr(CwForward) forward =
        fixture_run(model, device, all, 7 + i, CW_FORWARD_LAST_LOGITS);
    g_assert_cmpint(made[i], ==, largest_of(forward->logits, n_vocabulary));
    all[7 + i] = made[i];
  }
  cwk_device_free(device);
}

static void
test_seed_decides(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("model/gemma3/hf");
  CwkDevice *device = cwk_cpu_new(2);
  const int32_t prompt[] = { 1, 9, 17 };
  CwSampling sampling = { .temperature = 1, .top_p = 1, .n_tokens = 30, .seed = 1 };
  size_t n_a, n_b, n_c;
  g_autofree int32_t *a = generate(model, device, prompt, 3, &sampling, &n_a);
  g_autofree int32_t *b = generate(model, device, prompt, 3, &sampling, &n_b);
  sampling.seed = 2;
  g_autofree int32_t *c = generate(model, device, prompt, 3, &sampling, &n_c);
  g_assert_cmpmem(a, n_a * 4, b, n_b * 4);
  g_assert_true(memcmp(a, c, MIN(n_a, n_c) * 4) != 0);
  cwk_device_free(device);
}

/* The context of golden/model/gpt2 has 64 positions; the last token made needs none. */
static void
test_context_ends_generation(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("model/gpt2/model.gguf");
  CwkDevice *device = cwk_cpu_new(1);
  int32_t prompt[64] = { 0 };
  const CwSampling sampling = { .top_p = 1, .n_tokens = 1000 };
  size_t n_new;
  g_autofree int32_t *made = generate(model, device, prompt, 60, &sampling, &n_new);
  g_assert_cmpuint(n_new, ==, 5);
  g_autofree int32_t *one = generate(model, device, prompt, 64, &sampling, &n_new);
  g_assert_cmpuint(n_new, ==, 1);
  cwk_device_free(device);
}

static void
test_cancel(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("model/gpt2/model.gguf");
  CwkDevice *device = cwk_cpu_new(1);
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  cw_cancel_trigger(cancel);
  const int32_t prompt[] = { 1, 2 };
  const CwSampling sampling = { .top_p = 1, .n_tokens = 5 };
  size_t n_new = 77;
  g_autoptr(GError) error = NULL;
  g_assert_null(cw_model_generate(model, device, prompt, 2, &sampling, &n_new, cancel, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  g_assert_cmpuint(n_new, ==, 77);
  cwk_device_free(device);
}

/* ---- sampling --------------------------------------------------------------------------- */

static void
count_draws(const CwSampling *sampling, const float *logits, int64_t n, int n_draws,
            int *counts)
{
  g_autofree int32_t *order = g_new(int32_t, n);
  CwRng rng = { .seed = 11 };
  memset(counts, 0, (size_t)n * sizeof *counts);
  for (int i = 0; i < n_draws; i++)
    counts[cw_sampling_draw(sampling, logits, n, order, &rng)]++;
}

static void
test_frequencies_follow_probabilities(void)
{
  enum { N_DRAWS = 20000 };
  const float logits[] = { logf(0.1f), logf(0.4f), logf(0.3f), logf(0.2f) };
  const double expected[] = { 0.1, 0.4, 0.3, 0.2 };
  int counts[4];
  CwSampling sampling = { .temperature = 1, .top_p = 1 };
  count_draws(&sampling, logits, 4, N_DRAWS, counts);
  for (int i = 0; i < 4; i++) {
    double deviation = sqrt(N_DRAWS * expected[i] * (1 - expected[i]));
    g_assert_cmpfloat(fabs(counts[i] - N_DRAWS * expected[i]), <, 5 * deviation);
  }
}

static void
test_top_k_and_top_p_cut_the_tail(void)
{
  const float logits[] = { logf(0.1f), logf(0.4f), logf(0.3f), logf(0.2f) };
  int counts[4];
  CwSampling sampling = { .temperature = 1, .top_p = 1, .top_k = 2 };
  count_draws(&sampling, logits, 4, 2000, counts);
  g_assert_true(counts[0] == 0 && counts[3] == 0 && counts[1] > 0 && counts[2] > 0);
  sampling = (CwSampling){ .temperature = 1, .top_p = 0.85f };
  count_draws(&sampling, logits, 4, 2000, counts);
  g_assert_true(counts[0] == 0 && counts[1] > 0 && counts[2] > 0 && counts[3] > 0);
  sampling = (CwSampling){ .temperature = 5, .top_p = 1, .top_k = 1 };
  count_draws(&sampling, logits, 4, 50, counts);
  g_assert_cmpint(counts[1], ==, 50);
}

/* The k kept by selection are those of a sort, for every k, with ties and NaN among them. */
static void
test_selection_is_a_sort(void)
{
  enum { N = 41 };
  float logits[N];
  for (int i = 0; i < N; i++)
    logits[i] = (float)(i * 7 % 13);
  logits[5] = NAN;
  logits[20] = -INFINITY;
  for (int k = 1; k <= N; k++) {
    int counts[N], better = 0;
    CwSampling sampling = { .temperature = 100, .top_p = 1, .top_k = k };
    count_draws(&sampling, logits, N, 4000, counts);
    for (int i = 0; i < N; i++) {
      better = 0;
      for (int j = 0; j < N; j++)
        better += logits[j] > logits[i] || (logits[j] == logits[i] && j < i);
      if (isfinite(logits[i]) && k < N - 1)
        g_assert_true((counts[i] > 0) == (better < k));
    }
  }
}

static void
test_bad_requests(void)
{
  const CwSampling bad[] = {
    { .temperature = -1, .top_p = 1 },
    { .temperature = NAN, .top_p = 1 },
    { .top_p = 0 },
    { .top_p = 1.5f },
    { .top_p = 1, .top_k = -2 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(cw_sampling_check(&bad[i], &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  }
}

int
main(int argc, char **argv)
{
  static const char *const models[] = { "model/gpt2/model.gguf", "model/llama3/hf",
                                        "model/gemma2/model.gguf", "model/gemma3/hf",
                                        "model/qwen3/model.gguf" };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
    g_autofree char *name = g_strdup_printf("/core/generate/greedy/%s", models[i]);
    g_test_add_data_func(name, models[i], test_greedy_equals_whole_passes);
  }
  g_test_add_func("/core/generate/seed-decides", test_seed_decides);
  g_test_add_func("/core/generate/context-ends-generation", test_context_ends_generation);
  g_test_add_func("/core/generate/cancel", test_cancel);
  g_test_add_func("/core/sampling/frequencies", test_frequencies_follow_probabilities);
  g_test_add_func("/core/sampling/cuts-the-tail", test_top_k_and_top_p_cut_the_tail);
  g_test_add_func("/core/sampling/selection-is-a-sort", test_selection_is_a_sort);
  g_test_add_func("/core/sampling/bad-requests", test_bad_requests);
  return g_test_run();
}
