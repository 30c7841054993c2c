/* test-adjoints.c - the ops of reverse sweeps against plain sums in double, at odd sizes, and
 * each adjoint against its forward op: <y, A x> = <A^T y, x>. */
#include "test-isa.h"
#include "test-random.h"

#include <math.h>
#include <string.h>

static TestRandom random_state = { 42 };

static void
test_row_dots(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  static const int64_t widths[] = { 0, 1, 31, 33, 576 };
  for (size_t w = 0; w < G_N_ELEMENTS(widths); w++) {
    enum { N = 130 };
    int64_t k = widths[w], a_rows[N], b_rows[N], out_rows[N];
    g_autofree float *a = test_random_floats(&random_state, (size_t)(N * (k + 1)));
    g_autofree float *b = test_random_floats(&random_state, (size_t)(3 * (k + 1)));
    float out[2 * N];
    for (int i = 0; i < 2 * N; i++)
      out[i] = 0.5f;
    for (int i = 0; i < N; i++) {
      a_rows[i] = N - 1 - i;
      b_rows[i] = i % 3;
      out_rows[i] = 2 * i;
    }
    CwkRowDotsArgs args = { N, k, { a, k + 1, a_rows }, { b, k + 1, b_rows }, out, out_rows };
    g_assert_cmpint(cwk_row_dots(device, &args), ==, CWK_OK);
    for (int i = 0; i < N; i++) {
      double sum = 0.5;
      for (int64_t d = 0; d < k; d++)
        sum += (double)a[a_rows[i] * (k + 1) + d] * (double)b[b_rows[i] * (k + 1) + d];
      g_assert_cmpfloat(fabs(sum - (double)out[2 * i]), <=, 2e-5);
      g_assert_true(out[2 * i + 1] == 0.5f);
    }
  }
  cwk_device_free(device);
}

/* The norm with its scale held fixed is linear: x -> weight * centre(x) / scale. */
static void
test_norm_adjoint(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  for (int variant = 0; variant < 8; variant++) {
    enum { N = 33, D = 31, T = 5 };
    bool is_layer_norm = variant & 1, has_weight = variant & 2, accumulate = variant & 4;
    g_autofree float *y = test_random_floats(&random_state, N * D),
                     *x = test_random_floats(&random_state, N * D);
    g_autofree float *weight = test_random_floats(&random_state, D),
                     *out = test_random_floats(&random_state, N * D);
    g_autofree float *before = g_memdup2(out, sizeof(float) * N * D);
    float scale[T] = { 0.5f, 1, 2, 3.5f, 17 };
    int32_t index[N];
    for (int i = 0; i < N; i++)
      index[i] = (i * 3) % T;
    CwkNormAdjointArgs args = { N,     D,     y,   is_layer_norm, has_weight ? weight : NULL,
                                scale, index, out, accumulate };
    g_assert_cmpint(cwk_norm_adjoint(device, &args), ==, CWK_OK);
    for (int i = 0; i < N; i++) {
      double mean = 0, left = 0, right = 0;
      for (int d = 0; d < D; d++)
        mean += is_layer_norm ? (double)x[i * D + d] / D : 0;
      for (int d = 0; d < D; d++) {
        double forward = ((double)x[i * D + d] - mean) / (double)scale[index[i]] *
                         (has_weight ? (double)weight[d] : 1);
        double pulled = (double)out[i * D + d] - (accumulate ? (double)before[i * D + d] : 0);
        left += (double)y[i * D + d] * forward;
        right += pulled * (double)x[i * D + d];
      }
      g_assert_cmpfloat(fabs(left - right), <=, 2e-5);
    }
  }
  cwk_device_free(device);
}

static void
check_attention_adjoint(CwkDevice *device, int64_t n_rows, int64_t T, int64_t H, int64_t G,
                        int64_t K)
{
  g_autofree float *q = test_random_floats(&random_state, (size_t)(T * H * K)),
                   *k = test_random_floats(&random_state, (size_t)(T * G * K));
  g_autofree float *pattern = g_new0(float, H *T *T);
  CwkAttentionPatternArgs make = { T, T, H, G, K, q, k, H * K, G * K, 0.5f, 0, 0, pattern };
  g_assert_cmpint(cwk_attention_pattern(device, &make), ==, CWK_OK);
  /* Rows of T, of 1 and of 2 positions in turn. */
  const int32_t lengths[3] = { (int32_t)T, 1, (int32_t)MIN(T, 2) };
  g_autofree int32_t *counts = g_new(int32_t, n_rows);
  g_autofree int64_t *first = g_new(int64_t, n_rows);
  int64_t n = 0;
  for (int64_t r = 0; r < n_rows; n += counts[r++]) {
    counts[r] = lengths[r % 3];
    first[r] = n;
  }
  g_autofree float *z = test_random_floats(&random_state, (size_t)(n * H * K));
  g_autofree float *out = test_random_floats(&random_state, (size_t)(n * G * K));
  CwkAttentionAdjointArgs args = { n_rows, counts, first, H, G, K, pattern, T, z, out };
  g_assert_cmpint(cwk_attention_adjoint(device, &args), ==, CWK_OK);
  for (int64_t r = 0; r < n_rows; r++) {
    g_autofree float *v = test_random_floats(&random_state, (size_t)(counts[r] * G * K));
    double left = 0, right = 0;
    for (int64_t i = 0; i < counts[r]; i++)
      for (int64_t h = 0; h < H; h++)
        for (int64_t j = 0; j <= i; j++)
          for (int64_t d = 0; d < K; d++)
            left += (double)z[((first[r] + i) * H + h) * K + d] *
                    (double)pattern[(h * T + i) * T + j] *
                    (double)v[(j * G + h / (H / G)) * K + d];
    for (int64_t j = 0; j < counts[r] * G * K; j++)
      right += (double)out[first[r] * G * K + j] * (double)v[j];
    g_assert_cmpfloat(fabs(left - right), <=, 1e-4 * sqrt((double)(T * H * K)));
  }
}

static void
test_attention_adjoint(gconstpointer isa)
{
  CwkDevice *device = test_isa_device(isa);
  check_attention_adjoint(device, 1, 1, 1, 1, 1);
  check_attention_adjoint(device, 3, 5, 4, 2, 8);
  check_attention_adjoint(device, 3, 17, 9, 3, 64);
  check_attention_adjoint(device, 3, 33, 2, 2, 67);
  /* Enough rows that several share an item, more than one item, and the last one short. */
  check_attention_adjoint(device, 100, 31, 4, 2, 32);
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/row-dots", test_row_dots);
  test_add_per_isa("/kernels/norm-adjoint", test_norm_adjoint);
  test_add_per_isa("/kernels/attention-adjoint", test_attention_adjoint);
  return g_test_run();
}
