/* test-activate.c - activation functions over the whole range of f32 and rotary embeddings,
 * against the same formulas in double, on every instruction set. */
#include "test-isa.h"

#include <math.h>
#include <string.h>

static double
reference(CwkActivation activation, double x)
{
  switch (activation) {
  case CWK_SILU:
    return x / (1 + exp(-x));
  case CWK_GELU_TANH:
    return 0.5 * x * (1 + tanh(sqrt(2 / G_PI) * (x + 0.044715 * x * x * x)));
  case CWK_GELU_ERF:
    return 0.5 * x * (1 + erf(x / sqrt(2)));
  default:
    return x > 0 ? x : 0;
  }
}

/* From 1e-7 to 1e4 on both sides; the count leaves a tail on every vector width. */
enum { N_POINTS = 8192 + 4099 };

static float
point(int i)
{
  double size = pow(10, -7 + 11.0 * (i / 2) / (N_POINTS / 2.0));
  return (float)(i % 2 == 0 ? size : -size);
}

static void
test_functions(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  g_autofree float *gate = g_new(float, N_POINTS), *out = g_new(float, N_POINTS + 1);
  for (int i = 0; i < N_POINTS; i++)
    gate[i] = point(i);
  out[N_POINTS] = 7.25f;
  for (int activation = 0; activation <= CWK_RELU; activation++) {
    CwkActivateArgs args = { N_POINTS, (CwkActivation)activation, gate, NULL, out };
    g_assert_cmpint(cwk_activate(device, &args), ==, CWK_OK);
    for (int i = 0; i < N_POINTS; i++) {
      double expected = reference((CwkActivation)activation, (double)gate[i]);
      g_assert_true(isfinite(out[i]));
      /* Of the larger of input and 1: the tails of GELU cancel in f32, as everywhere. */
      g_assert_cmpfloat(fabs((double)out[i] - expected), <=,
                        4e-7 * MIN(1.0, fabs((double)gate[i])) + 4e-7 * fabs(expected));
    }
    g_assert_true(out[N_POINTS] == 7.25f);
  }
  cwk_device_free(device);
}

static void
test_gated_in_place(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  g_autofree float *gate = g_new(float, N_POINTS), *up = g_new(float, N_POINTS);
  g_autofree float *apart = g_new(float, N_POINTS);
  for (int i = 0; i < N_POINTS; i++) {
    gate[i] = point(i);
    up[i] = (float)(i % 11 - 5);
  }
  CwkActivateArgs args = { N_POINTS, CWK_SILU, gate, up, apart };
  g_assert_cmpint(cwk_activate(device, &args), ==, CWK_OK);
  for (int i = 0; i < N_POINTS; i++) {
    double expected = reference(CWK_SILU, (double)gate[i]) * (double)up[i];
    g_assert_cmpfloat(fabs((double)apart[i] - expected), <=, 1e-6 * fabs(expected) + 1e-12);
  }
  args.out = gate;
  g_assert_cmpint(cwk_activate(device, &args), ==, CWK_OK);
  g_assert_cmpmem(gate, N_POINTS * sizeof *gate, apart, N_POINTS * sizeof *apart);
  cwk_device_free(device);
}

/* Broken weights must show, not turn into zeros. */
static void
test_keeps_nan(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  float gate[37], out[37];
  for (int i = 0; i < 37; i++)
    gate[i] = i % 5 == 0 ? NAN : 1.0f;
  for (int activation = 0; activation <= CWK_RELU; activation++) {
    CwkActivateArgs args = { 37, (CwkActivation)activation, gate, NULL, out };
    g_assert_cmpint(cwk_activate(device, &args), ==, CWK_OK);
    for (int i = 0; i < 37; i++)
      g_assert_true(isnan(out[i]) == (i % 5 == 0));
  }
  cwk_device_free(device);
}

static void
test_rope(gconstpointer data)
{
  enum { T = 9, HEADS = 3, K = 80, ROTARY = 74, STRIDE = 250 };
  g_setenv("CLEW_ISA", data, TRUE);
  CwkDevice *device = cwk_cpu_new(2);
  float frequency[ROTARY / 2];
  for (int i = 0; i < ROTARY / 2; i++)
    frequency[i] = powf(10000.0f, -2.0f * (float)i / ROTARY);
  for (int is_interleaved = 0; is_interleaved < 2; is_interleaved++) {
    float x[T * STRIDE], before[T * STRIDE];
    for (int i = 0; i < T * STRIDE; i++)
      before[i] = x[i] = sinf((float)i);
    CwkRopeArgs args = {
      T, HEADS, K, ROTARY, 4000, frequency, 1.25f, x, STRIDE, is_interleaved
    };
    g_assert_cmpint(cwk_rope(device, &args), ==, CWK_OK);
    for (int t = 0; t < T; t++)
      for (int h = 0; h < HEADS; h++)
        for (int i = 0; i < ROTARY / 2; i++) {
          int at = t * STRIDE + h * K;
          int a = at + (is_interleaved ? 2 * i : i);
          int b = at + (is_interleaved ? 2 * i + 1 : i + ROTARY / 2);
          /* The angle is an f32 product by definition. */
          double angle = (double)((float)(4000 + t) * frequency[i]);
          double c = 1.25 * cos(angle), s = 1.25 * sin(angle);
          double x0 = (double)before[a] * c - (double)before[b] * s;
          double x1 = (double)before[b] * c + (double)before[a] * s;
          g_assert_cmpfloat(fabs(x0 - (double)x[a]), <=, 5e-7);
          g_assert_cmpfloat(fabs(x1 - (double)x[b]), <=, 5e-7);
          before[a] = x[a];
          before[b] = x[b];
        }
    /* What is not rotated, and what lies between positions, is untouched. */
    g_assert_cmpmem(before, sizeof before, x, sizeof x);
  }
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/activate/functions", test_functions);
  test_add_per_isa("/kernels/activate/gated-in-place", test_gated_in_place);
  test_add_per_isa("/kernels/activate/keeps-nan", test_keeps_nan);
  test_add_per_isa("/kernels/rope/both-pairings", test_rope);
  return g_test_run();
}
