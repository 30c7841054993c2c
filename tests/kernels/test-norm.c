/* test-norm.c - RMSNorm and LayerNorm against sums in double, at odd sizes and bad input. */
#include "test-isa.h"
#include "test-random.h"

#include <math.h>
#include <string.h>

static TestRandom random_state = { 7 };

/* f32 arithmetic on a row is right to a few units in the last place: 1e-6 of the largest. */
static void
assert_near(double expected, float got, double size)
{
  g_assert_true(isfinite(got));
  g_assert_cmpfloat(fabs(expected - (double)got), <=, 1e-6 * MAX(1.0, size));
}

static void
check_row(const CwkNormArgs *args, int64_t row)
{
  const float *x = args->x + row * args->n_cols;
  double mean = 0, square = 0;
  for (int64_t i = 0; args->is_layer_norm && i < args->n_cols; i++)
    mean += (double)x[i] / (double)args->n_cols;
  for (int64_t i = 0; i < args->n_cols; i++)
    square += pow((double)x[i] - mean, 2) / (double)args->n_cols;
  double scale = sqrt(square + (double)args->epsilon);
  if (args->scale != NULL)
    assert_near(scale, args->scale[row], scale);
  for (int64_t i = 0; i < args->n_cols; i++) {
    double hat = ((double)x[i] - mean) / scale;
    double y = args->weight != NULL ? hat * (double)args->weight[i] : hat;
    y += args->bias != NULL ? (double)args->bias[i] : 0;
    if (args->normalised != NULL)
      assert_near(hat, args->normalised[row * args->n_cols + i], fabs(hat));
    if (args->out != NULL)
      assert_near(y, args->out[row * args->n_cols + i], fabs(hat) + fabs(y));
  }
}

static void
test_sizes(gconstpointer data)
{
  static const int64_t sizes[][2] = { { 0, 5 },  { 1, 1 },   { 1, 2 },   { 3, 31 },
                                      { 8, 33 }, { 9, 576 }, { 33, 577 } };
  CwkDevice *device = test_isa_device(data);
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
    for (int variant = 0; variant < 32; variant++) {
      int64_t n_rows = sizes[s][0], n_cols = sizes[s][1], n = n_rows * n_cols;
      g_autofree float *x = test_random_floats(&random_state, (size_t)n),
                       *weight = test_random_floats(&random_state, (size_t)n_cols);
      g_autofree float *bias = test_random_floats(&random_state, (size_t)n_cols),
                       *hat = test_random_floats(&random_state, (size_t)n);
      g_autofree float *out = test_random_floats(&random_state, (size_t)n),
                       *scale = test_random_floats(&random_state, (size_t)n_rows);
      CwkNormArgs args = { .n_rows = n_rows, .n_cols = n_cols, .x = x, .epsilon = 1e-5f };
      args.is_layer_norm = variant & 1;
      args.weight = variant & 2 ? weight : NULL;
      args.bias = variant & 4 ? bias : NULL;
      args.normalised = variant & 8 ? hat : NULL;
      args.scale = variant & 16 ? scale : NULL;
      args.out = variant == 8 ? NULL : out;
      g_assert_cmpint(cwk_norm(device, &args), ==, CWK_OK);
      for (int64_t row = 0; row < n_rows; row++)
        check_row(&args, row);
    }
  cwk_device_free(device);
}

/* A mean of a million leaves the deviations exact only if squares are not summed raw. */
static void
test_large_mean(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  enum { N = 576 };
  float x[N], out[N];
  for (int i = 0; i < N; i++)
    x[i] = 1e6f + (float)(i % 7);
  CwkNormArgs args = { .n_rows = 1, .n_cols = N, .x = x, .out = out, .is_layer_norm = true };
  args.epsilon = 1e-5f;
  g_assert_cmpint(cwk_norm(device, &args), ==, CWK_OK);
  double mean = 0, square = 0;
  for (int i = 0; i < N; i++)
    mean += (double)x[i] / N;
  for (int i = 0; i < N; i++)
    square += pow((double)x[i] - mean, 2) / N;
  /* The mean is kept to half a unit of f32 at 1e6: 0.03. */
  for (int i = 0; i < N; i++)
    g_assert_cmpfloat(fabs((double)out[i] - ((double)x[i] - mean) / sqrt(square)), <=, 0.032);
  cwk_device_free(device);
}

static void
test_zero_row(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  float x[33] = { 0 }, out[33];
  for (int is_layer_norm = 0; is_layer_norm < 2; is_layer_norm++) {
    CwkNormArgs args = { .n_rows = 1, .n_cols = 33, .x = x, .out = out, .epsilon = 1e-6f };
    args.is_layer_norm = is_layer_norm;
    g_assert_cmpint(cwk_norm(device, &args), ==, CWK_OK);
    for (int i = 0; i < 33; i++)
      g_assert_true(out[i] == 0);
  }
  cwk_device_free(device);
}

static void
test_refuses_wrong_shapes(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  float x[4] = { 0 };
  CwkNormArgs args = { .n_rows = 1, .n_cols = 0, .x = x, .out = x };
  g_assert_cmpint(cwk_norm(device, &args), ==, CWK_SHAPE);
  args.n_cols = 4;
  args.x = NULL;
  g_assert_cmpint(cwk_norm(device, &args), ==, CWK_SHAPE);
  args.x = x;
  args.n_rows = -1;
  g_assert_cmpint(cwk_norm(device, &args), ==, CWK_SHAPE);
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/norm/sizes-and-outputs", test_sizes);
  g_test_add_func("/kernels/norm/large-mean", test_large_mean);
  g_test_add_func("/kernels/norm/zero-row-stays-zero", test_zero_row);
  g_test_add_func("/kernels/norm/refuses-wrong-shapes", test_refuses_wrong_shapes);
  return g_test_run();
}
