/* test-attention-whole.c - attention whose patterns are not kept, against sums in double at odd
 * sizes: whole prompts and continuations, grouped heads, windows, soft caps, every instruction
 * set. Nothing beside the output is written. */
#include "test-isa.h"
#include "test-random.h"

#include <math.h>
#include <string.h>

typedef struct {
  int64_t n_queries, n_keys, n_heads, n_kv_heads, width, window;
  float soft_cap;
} Case;

static const Case cases[] = {
  { 1, 1, 1, 1, 1, 0, 0 },      { 1, 70, 4, 2, 8, 0, 0 },     { 3, 50, 2, 1, 64, 7, 0 },
  { 4, 4, 2, 2, 31, 0, 0 },     { 33, 33, 9, 3, 64, 0, 0 },   { 49, 49, 2, 1, 10, 5, 50 },
  { 5, 130, 4, 4, 33, 0, 30 },  { 97, 101, 3, 1, 16, 40, 0 }, { 48, 96, 2, 2, 256, 64, 0 },
  { 130, 130, 1, 1, 4, 1, 20 },
};

static TestRandom random_state = { 7 };

#define SENTINEL 12345.0f
/* Elements beside each row, so that strides are not widths. */
#define GAP 3

typedef struct {
  CwkAttentionArgs args;
  float *out; /* with a gap behind each row */
} Problem;

static Problem
make_problem(const Case *one)
{
  int64_t q_stride = one->n_heads * one->width + GAP;
  int64_t k_stride = one->n_kv_heads * one->width + GAP;
  Problem problem = { .out = g_new(float, one->n_queries *q_stride) };
  for (int64_t i = 0; i < one->n_queries * q_stride; i++)
    problem.out[i] = SENTINEL;
  problem.args = (CwkAttentionArgs){
    .n_queries = one->n_queries,
    .n_keys = one->n_keys,
    .n_heads = one->n_heads,
    .n_kv_heads = one->n_kv_heads,
    .head_width = one->width,
    .q = test_random_floats(&random_state, (size_t)(one->n_queries * q_stride)),
    .k = test_random_floats(&random_state, (size_t)(one->n_keys * k_stride)),
    .v = test_random_floats(&random_state, (size_t)(one->n_keys * k_stride)),
    .q_stride = q_stride,
    .k_stride = k_stride,
    .v_stride = k_stride,
    .scale = 1.7f / sqrtf((float)one->width),
    .soft_cap = one->soft_cap,
    .window = one->window,
    .out = problem.out,
    .out_stride = q_stride
  };
  return problem;
}

static void
clear_problem(Problem *problem)
{
  g_free((float *)problem->args.q);
  g_free((float *)problem->args.k);
  g_free((float *)problem->args.v);
  g_free(problem->out);
}

/* The pattern of one query in double, all n_keys of it. */
static void
reference_row(const CwkAttentionArgs *args, int64_t h, int64_t i, double *row)
{
  int64_t g = h / (args->n_heads / args->n_kv_heads), last = i + args->n_keys - args->n_queries;
  double sum = 0;
  for (int64_t j = 0; j < args->n_keys; j++) {
    bool is_seen = j <= last && (args->window == 0 || j > last - args->window);
    double score = 0;
    for (int64_t d = 0; d < args->head_width; d++)
      score += (double)args->q[i * args->q_stride + h * args->head_width + d] *
               (double)args->k[j * args->k_stride + g * args->head_width + d];
    score *= (double)args->scale;
    if (args->soft_cap > 0)
      score = (double)args->soft_cap * tanh(score / (double)args->soft_cap);
    row[j] = is_seen ? exp(score) : 0;
    sum += row[j];
  }
  for (int64_t j = 0; j < args->n_keys; j++)
    row[j] /= sum;
}

/* Largest difference of out from the mix of double patterns; the gaps must be untouched. */
static double
mix_difference(const CwkAttentionArgs *args)
{
  g_autofree double *row = g_new(double, args->n_keys);
  double largest = 0;
  int64_t width = args->head_width;
  for (int64_t i = 0; i < args->n_queries; i++) {
    for (int64_t h = 0; h < args->n_heads; h++) {
      int64_t g = h / (args->n_heads / args->n_kv_heads);
      reference_row(args, h, i, row);
      for (int64_t d = 0; d < width; d++) {
        double sum = 0;
        for (int64_t j = 0; j < args->n_keys; j++)
          sum += row[j] * (double)args->v[j * args->v_stride + g * width + d];
        double difference = fabs(sum - (double)args->out[i * args->out_stride + h * width + d]);
        largest = MAX(largest, difference);
        g_assert_true(isfinite(difference));
      }
    }
    for (int64_t d = args->n_heads * width; d < args->out_stride; d++)
      g_assert_true(args->out[i * args->out_stride + d] == SENTINEL);
  }
  return largest;
}

/* A score sums K products of f32 in [-1, 1], a mix is a mean: both are exact to about
 * K 2^-24, 1.5e-5 at K = 256; exp doubles it. */
#define LIMIT 3e-5

static void
test_against_double(gconstpointer isa)
{
  g_setenv("CLEW_ISA", isa, TRUE);
  CwkDevice *device = cwk_cpu_new(2);
  for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
    Problem problem = make_problem(&cases[c]);
    CwkAttentionArgs *args = &problem.args;
    g_assert_cmpint(cwk_attention(device, args), ==, CWK_OK);
    g_assert_cmpfloat(mix_difference(args), <=, LIMIT);
    clear_problem(&problem);
  }
  cwk_device_free(device);
}

static void
test_threads_give_the_same_bits(void)
{
  g_setenv("CLEW_ISA", "best", TRUE);
  CwkDevice *one = cwk_cpu_new(1), *three = cwk_cpu_new(3);
  Problem problem = make_problem(&cases[7]);
  size_t n_bytes = (size_t)(problem.args.n_queries * problem.args.out_stride) * sizeof(float);
  g_assert_cmpint(cwk_attention(one, &problem.args), ==, CWK_OK);
  g_autofree float *first = g_memdup2(problem.out, n_bytes);
  g_assert_cmpint(cwk_attention(three, &problem.args), ==, CWK_OK);
  g_assert_cmpmem(first, n_bytes, problem.out, n_bytes);
  clear_problem(&problem);
  cwk_device_free(one);
  cwk_device_free(three);
}

static void
test_bad_shapes(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  Problem problem = make_problem(&cases[1]);
  CwkAttentionArgs args = problem.args;
  args.n_keys = 0;
  g_assert_cmpint(cwk_attention(device, &args), ==, CWK_SHAPE);
  args = problem.args;
  args.n_kv_heads = 3;
  g_assert_cmpint(cwk_attention(device, &args), ==, CWK_SHAPE);
  args = problem.args;
  args.v = NULL;
  g_assert_cmpint(cwk_attention(device, &args), ==, CWK_SHAPE);
  clear_problem(&problem);
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/attention-whole", test_against_double);
  g_test_add_func("/kernels/attention-whole/threads-give-the-same-bits",
                  test_threads_give_the_same_bits);
  g_test_add_func("/kernels/attention-whole/bad-shapes", test_bad_shapes);
  return g_test_run();
}
