/* test-attention.c - attention patterns and what they mix, against double, for grouped heads,
 * windows, soft caps, cached keys and scores beyond the range of exp. */
#include "test-isa.h"
#include "test-random.h"

#include <math.h>
#include <string.h>

static TestRandom random_state = { 3 };

static float *
random_floats(size_t n, float size)
{
  float *x = test_random_floats(&random_state, n);
  for (size_t i = 0; i < n; i++)
    x[i] *= size;
  return x;
}

static bool
is_seen(const CwkAttentionPatternArgs *args, int64_t i, int64_t j)
{
  int64_t last = i + args->n_keys - args->n_queries;
  return j <= last && (args->window == 0 || j > last - args->window);
}

static double
score_of(const CwkAttentionPatternArgs *args, int64_t h, int64_t i, int64_t j)
{
  int64_t group = h / (args->n_heads / args->n_kv_heads);
  const float *q = args->q + i * args->q_stride + h * args->head_width;
  const float *k = args->k + j * args->k_stride + group * args->head_width;
  double score = 0;
  for (int64_t d = 0; d < args->head_width; d++)
    score += (double)q[d] * (double)k[d];
  score *= (double)args->scale;
  double cap = (double)args->soft_cap;
  return cap > 0 ? cap * tanh(score / cap) : score;
}

static void
check_pattern_row(const CwkAttentionPatternArgs *args, int64_t h, int64_t i, double limit)
{
  const float *row = args->pattern + (h * args->n_queries + i) * args->n_keys;
  double largest = -INFINITY, sum = 0;
  for (int64_t j = 0; j < args->n_keys; j++)
    if (is_seen(args, i, j))
      largest = MAX(largest, score_of(args, h, i, j));
  for (int64_t j = 0; j < args->n_keys; j++)
    if (is_seen(args, i, j))
      sum += exp(score_of(args, h, i, j) - largest);
  for (int64_t j = 0; j < args->n_keys; j++)
    if (is_seen(args, i, j))
      g_assert_cmpfloat(fabs(exp(score_of(args, h, i, j) - largest) / sum - (double)row[j]), <=,
                        limit);
    else
      g_assert_true(row[j] == 0);
}

typedef struct {
  int64_t n_queries, n_keys, n_heads, n_kv_heads, head_width, window;
  float soft_cap, size;
} Shape;

static const Shape shapes[] = {
  { 1, 1, 1, 1, 1, 0, 0, 1 },        { 9, 9, 4, 4, 16, 0, 0, 1 },
  { 33, 33, 9, 3, 64, 0, 0, 1 },     { 31, 31, 6, 2, 33, 7, 0, 1 },
  { 17, 17, 2, 1, 8, 1, 0, 1 },      { 5, 40, 4, 2, 31, 0, 0, 1 },
  { 5, 40, 4, 2, 31, 16, 50.0f, 1 }, { 1, 65, 8, 1, 48, 0, 30, 4 },
};

/* f32 scores of size s carry an error of some 1e-7 s, and the exponential keeps it relative. */
static void
test_pattern(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
    const Shape *shape = &shapes[s];
    CwkAttentionPatternArgs args = { shape->n_queries, shape->n_keys, shape->n_heads,
                                     shape->n_kv_heads, shape->head_width };
    args.q_stride = args.n_heads * args.head_width + 3;
    args.k_stride = args.n_kv_heads * args.head_width + 5;
    args.scale = 1.0f / sqrtf((float)args.head_width);
    args.window = shape->window;
    args.soft_cap = shape->soft_cap;
    size_t n = (size_t)(args.n_heads * args.n_queries * args.n_keys);
    g_autofree float *q = random_floats((size_t)(args.n_queries * args.q_stride), shape->size);
    g_autofree float *k = random_floats((size_t)(args.n_keys * args.k_stride), shape->size);
    g_autofree float *pattern = random_floats(n + 1, 1);
    float sentinel = pattern[n];
    args.q = q;
    args.k = k;
    args.pattern = pattern;
    g_assert_cmpint(cwk_attention_pattern(device, &args), ==, CWK_OK);
    for (int64_t h = 0; h < args.n_heads; h++)
      for (int64_t i = 0; i < args.n_queries; i++)
        check_pattern_row(&args, h, i, 5e-6);
    g_assert_true(pattern[n] == sentinel);
  }
  cwk_device_free(device);
}

/* Scores of +-1e6: one key takes all, nothing overflows. */
static void
test_extreme_scores(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  enum { T = 40 };
  float q[T], k[T], pattern[T * T];
  for (int i = 0; i < T; i++) {
    q[i] = i % 2 == 0 ? 1e3f : -1e3f;
    k[i] = 1e3f * (float)(i - T / 2);
  }
  CwkAttentionPatternArgs args = { T, T, 1, 1, 1, q, k, 1, 1, 1.0f, 0, 0, pattern };
  g_assert_cmpint(cwk_attention_pattern(device, &args), ==, CWK_OK);
  for (int i = 0; i < T; i++)
    for (int j = 0; j < T; j++)
      g_assert_true(pattern[i * T + j] == (j == (i % 2 == 0 ? i : 0) ? 1.0f : 0.0f));
  cwk_device_free(device);
}

static void
test_mix(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
    const Shape *shape = &shapes[s];
    CwkAttentionMixArgs args = { shape->n_queries, shape->n_keys, shape->n_heads,
                                 shape->n_kv_heads, shape->head_width };
    int64_t n_row = args.n_heads * args.head_width;
    args.v_stride = args.n_kv_heads * args.head_width + 1;
    args.out_stride = n_row + 2;
    g_autofree float *pattern =
        random_floats((size_t)(args.n_heads * args.n_queries * args.n_keys), 1);
    g_autofree float *v = random_floats((size_t)(args.n_keys * args.v_stride), 1);
    g_autofree float *out = random_floats((size_t)(args.n_queries * args.out_stride), 1);
    g_autofree float *before =
        g_memdup2(out, (size_t)(args.n_queries * args.out_stride) * sizeof *out);
    args.pattern = pattern;
    args.v = v;
    args.out = out;
    g_assert_cmpint(cwk_attention_mix(device, &args), ==, CWK_OK);
    for (int64_t i = 0; i < args.n_queries; i++) {
      for (int64_t at = 0; at < n_row; at++) {
        int64_t h = at / args.head_width, d = at % args.head_width;
        int64_t group = h / (args.n_heads / args.n_kv_heads);
        const float *row = pattern + (h * args.n_queries + i) * args.n_keys;
        double sum = 0;
        for (int64_t j = 0; j <= i + args.n_keys - args.n_queries; j++)
          sum += (double)row[j] * (double)v[j * args.v_stride + group * args.head_width + d];
        g_assert_cmpfloat(fabs(sum - (double)out[i * args.out_stride + at]), <=, 1e-5);
      }
      for (int64_t at = n_row; at < args.out_stride; at++)
        g_assert_true(out[i * args.out_stride + at] == before[i * args.out_stride + at]);
    }
  }
  cwk_device_free(device);
}

static void
test_refuses_wrong_shapes(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  float x[64] = { 0 };
  CwkAttentionPatternArgs args = { 2, 2, 3, 2, 4, x, x, 12, 8, 1.0f, 0, 0, x };
  g_assert_cmpint(cwk_attention_pattern(device, &args), ==,
                  CWK_SHAPE); /* 3 heads in 2 groups */
  args.n_heads = 2;
  args.n_keys = 1; /* fewer keys than queries */
  g_assert_cmpint(cwk_attention_pattern(device, &args), ==, CWK_SHAPE);
  args.n_keys = 2;
  args.q = NULL;
  g_assert_cmpint(cwk_attention_pattern(device, &args), ==, CWK_SHAPE);
  CwkAttentionMixArgs mix = { 2, 2, 2, 0, 4, x, x, 8, x, 8 };
  g_assert_cmpint(cwk_attention_mix(device, &mix), ==, CWK_SHAPE);
  mix.n_kv_heads = 2;
  mix.n_keys = 1; /* would read before the first key */
  g_assert_cmpint(cwk_attention_mix(device, &mix), ==, CWK_SHAPE);
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/attention/pattern", test_pattern);
  test_add_per_isa("/kernels/attention/extreme-scores", test_extreme_scores);
  test_add_per_isa("/kernels/attention/mix", test_mix);
  g_test_add_func("/kernels/attention/refuses-wrong-shapes", test_refuses_wrong_shapes);
  return g_test_run();
}
