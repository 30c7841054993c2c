/* test-matmul.c - the matrix product against a sum in double, for every stored type, layout,
 * gather, size and instruction set; and its bits for one and for two threads. */
#include "test-isa.h"
#include "test-random.h"

#include <math.h>
#include <string.h>

static TestRandom random_state = { 1 };

/* Normalised square error of c against a . b summed in double. */
static double
product_error(const CwkMatmulArgs *args, const float *b, const float *c, float c_before)
{
  double error = 0, norm = 1e-30;
  for (int64_t i = 0; i < args->m; i++) {
    const float *a =
        args->a.data + (args->a.rows != NULL ? args->a.rows[i] : i) * args->a.stride;
    for (int64_t j = 0; j < args->n; j++) {
      double sum = args->accumulate ? (double)c_before : 0;
      for (int64_t p = 0; p < args->k; p++)
        sum += (double)a[p] * (double)(args->b_layout == CWK_B_ROWS_ARE_OUTPUTS
                                           ? b[j * args->k + p]
                                           : b[p * args->n + j]);
      double got = (double)c[(args->c.rows != NULL ? args->c.rows[i] : i) * args->c.stride + j];
      g_assert_true(isfinite(got));
      error += (got - sum) * (got - sum);
      norm += sum * sum;
    }
  }
  return error / norm;
}

typedef struct {
  CwkDtype dtype;
  CwkBLayout layout;
  int64_t m, n, k;
  bool gather, accumulate;
} Shape;

static void
check_shape(CwkDevice *device, const Shape *shape)
{
  bool outputs = shape->layout == CWK_B_ROWS_ARE_OUTPUTS;
  int64_t rows = outputs ? shape->n : shape->k, cols = outputs ? shape->k : shape->n;
  size_t row_bytes = cwk_dtype_row_bytes(shape->dtype, cols);
  if (row_bytes == 0)
    return;
  g_autofree uint8_t *stored = test_random_rows(&random_state, shape->dtype, rows, cols);
  g_autofree const void **list = g_new(const void *, rows);
  g_autofree float *scales = g_new(float, rows);
  for (int64_t i = 0; i < rows; i++) {
    list[i] = stored + (size_t)(rows - 1 - i) * row_bytes;
    scales[i] = 0.5f + (float)(i % 3);
  }
  CwkRows b = { stored,
                shape->dtype,
                rows,
                cols,
                row_bytes,
                shape->gather ? list : NULL,
                shape->gather ? scales : NULL };
  g_autofree float *decoded = g_new(float, rows *cols);
  CwkDequantiseArgs dequantise = { b, decoded };
  g_assert_cmpint(cwk_dequantise(device, &dequantise), ==, CWK_OK);

  int64_t a_stride = shape->k + 3, c_stride = shape->n + 5, n_storage = 2 * shape->m;
  g_autofree float *a = g_new(float, n_storage *a_stride);
  for (int64_t i = 0; i < n_storage * a_stride; i++)
    a[i] = test_random_float(&random_state);
  g_autofree int64_t *gather = g_new(int64_t, shape->m);
  for (int64_t i = 0; i < shape->m; i++)
    gather[i] = 2 * i + 1;
  g_autofree float *c = g_new(float, n_storage *c_stride);
  const float sentinel = 7.25f;
  for (int64_t i = 0; i < n_storage * c_stride; i++)
    c[i] = sentinel;
  CwkMatmulArgs args = { shape->m,
                         shape->n,
                         shape->k,
                         { a, a_stride, shape->gather ? gather : NULL },
                         b,
                         shape->layout,
                         { c, c_stride, shape->gather ? gather : NULL },
                         shape->accumulate };
  g_assert_cmpint(cwk_matmul(device, &args), ==, CWK_OK);
  /* f32 products, measured 1e-14 .. 1e-12: see STYLE on numerics. */
  g_assert_cmpfloat(product_error(&args, decoded, c, sentinel), <=, 1e-10);
  for (int64_t i = 0; i < n_storage; i++) {
    bool is_row = shape->gather ? i % 2 == 1 : i < shape->m;
    for (int64_t j = is_row ? shape->n : 0; j < c_stride; j++)
      g_assert_true(c[i * c_stride + j] == sentinel);
  }
}

static void
test_shapes(gconstpointer data)
{
  g_setenv("CLEW_ISA", data, TRUE);
  CwkDevice *device = cwk_cpu_new(2);
  static const int64_t sizes[][3] = { { 1, 1, 1 },   { 1, 33, 31 },     { 3, 64, 96 },
                                      { 5, 31, 33 }, { 31, 32, 32 },    { 33, 33, 256 },
                                      { 12, 33, 0 }, { 250, 130, 800 }, { 0, 5, 5 } };
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
    for (int variant = 0; variant < 8; variant++) {
      Shape shape = { CWK_F32,     variant & 1 ? CWK_B_ROWS_ARE_INPUTS : CWK_B_ROWS_ARE_OUTPUTS,
                      sizes[s][0], sizes[s][1],
                      sizes[s][2], variant & 2,
                      variant & 4 };
      check_shape(device, &shape);
    }
  cwk_device_free(device);
}

static void
test_dtypes(gconstpointer data)
{
  g_setenv("CLEW_ISA", data, TRUE);
  CwkDevice *device = cwk_cpu_new(1);
  for (int dtype = 0; dtype < CWK_N_DTYPES; dtype++)
    for (int variant = 0; variant < 4; variant++) {
      Shape shape = { (CwkDtype)dtype,
                      variant & 1 ? CWK_B_ROWS_ARE_INPUTS : CWK_B_ROWS_ARE_OUTPUTS,
                      7,
                      512,
                      768,
                      variant & 2,
                      false };
      check_shape(device, &shape);
      shape.m = 2;
      check_shape(device, &shape);
    }
  cwk_device_free(device);
}

static void
test_threads_same_bits(void)
{
  g_unsetenv("CLEW_ISA");
  enum { M = 300, N = 333, K = 700 };
  g_autofree float *a = g_new(float, M *K), *b = g_new(float, N *K);
  g_autofree float *c1 = g_new(float, M *N), *c3 = g_new(float, M *N);
  for (int i = 0; i < M * K; i++)
    a[i] = test_random_float(&random_state);
  for (int i = 0; i < N * K; i++)
    b[i] = test_random_float(&random_state);
  for (int n_threads = 1; n_threads <= 3; n_threads += 2) {
    CwkDevice *device = cwk_cpu_new(n_threads);
    CwkMatmulArgs args = { M,
                           N,
                           K,
                           { a, K, NULL },
                           { b, CWK_F32, N, K, K * 4, NULL, NULL },
                           CWK_B_ROWS_ARE_OUTPUTS,
                           { n_threads == 1 ? c1 : c3, N, NULL },
                           false };
    g_assert_cmpint(cwk_matmul(device, &args), ==, CWK_OK);
    cwk_device_free(device);
  }
  g_assert_cmpmem(c1, sizeof(float) * M * N, c3, sizeof(float) * M * N);
}

/* In a batch products of one input share its packed panels; one whose K is cut elsewhere (a
 * k-quant) or whose input is another cannot. Each must give what it gives alone. */
static void
test_batch_shares_input(gconstpointer data)
{
  enum { M = 37, K = 512, N_PRODUCTS = 6, LARGEST = 70 };
  static const CwkDtype dtypes[] = { CWK_Q4_1, CWK_Q8_0, CWK_Q4_K, CWK_F32, CWK_Q4_1, CWK_F32 };
  static const int64_t sizes[] = { 33, LARGEST, 5, 31, 64, 0 };
  g_setenv("CLEW_ISA", data, TRUE);
  CwkDevice *device = cwk_cpu_new(2);
  g_autofree float *a = g_new(float, 2 * M * K), *c = g_new0(float, N_PRODUCTS *M *LARGEST);
  g_autofree float *alone = g_new0(float, M *LARGEST);
  for (int64_t i = 0; i < 2 * M * K; i++)
    a[i] = test_random_float(&random_state);
  void *stored[N_PRODUCTS];
  CwkMatmulArgs products[N_PRODUCTS];
  for (int i = 0; i < N_PRODUCTS; i++) {
    stored[i] = test_random_rows(&random_state, dtypes[i], sizes[i], K);
    products[i] = (CwkMatmulArgs){
      .m = M,
      .n = sizes[i],
      .k = K,
      .a = { i == 3 ? a + M * K : a, K, NULL },
      .b = { stored[i], dtypes[i], sizes[i], K, cwk_dtype_row_bytes(dtypes[i], K), NULL, NULL },
      .c = { c + i * M * LARGEST, sizes[i], NULL },
    };
  }
  CwkMatmulBatchArgs batch = { N_PRODUCTS, products };
  g_assert_cmpint(cwk_matmul_batch(device, &batch), ==, CWK_OK);
  for (int i = 0; i < N_PRODUCTS; i++) {
    CwkMatmulArgs one = products[i];
    one.c.data = alone;
    g_assert_cmpint(cwk_matmul(device, &one), ==, CWK_OK);
    size_t n_bytes = sizeof(float) * M * (size_t)sizes[i];
    g_assert_cmpmem(alone, n_bytes, products[i].c.data, n_bytes);
    g_free(stored[i]);
  }
  cwk_device_free(device);
}

static void
test_refuses_wrong_shapes(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  float x[64] = { 0 };
  CwkMatmulArgs args = { 2,
                         4,
                         4,
                         { x, 4, NULL },
                         { x, CWK_F32, 4, 5, 20, NULL, NULL },
                         CWK_B_ROWS_ARE_OUTPUTS,
                         { x, 4, NULL },
                         false };
  g_assert_cmpint(cwk_matmul(device, &args), ==, CWK_SHAPE);
  args.b.n_cols = 4;
  args.b.dtype = CWK_Q8_0; /* 4 is no whole block */
  g_assert_cmpint(cwk_matmul(device, &args), ==, CWK_SHAPE);
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/matmul/shapes", test_shapes);
  test_add_per_isa("/kernels/matmul/dtypes", test_dtypes);
  test_add_per_isa("/kernels/matmul/batch-shares-input", test_batch_shares_input);
  g_test_add_func("/kernels/matmul/threads-same-bits", test_threads_same_bits);
  g_test_add_func("/kernels/matmul/refuses-wrong-shapes", test_refuses_wrong_shapes);
  return g_test_run();
}
