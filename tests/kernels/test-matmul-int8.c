/* test-matmul-int8.c - products with 8-bit activations: against f32 products within what the
 * rounding allows, exactly where no rounding happens, at odd sizes, for every stored type and
 * instruction set; and which types and shapes are refused. */
#include "test-support.h"

#include <math.h>
#include <string.h>

static uint64_t rng_state = 1;

static uint64_t
next_random(void)
{
  rng_state = rng_state * 6364136223846793005ull + 1442695040888963407ull;
  return rng_state >> 11;
}

static float
random_float(void)
{
  return (float)((double)(next_random() & 0xffffff) / 8388608.0 - 1.0);
}

/* Random bytes are valid rows of every block type once the f16 scales are tame. */
static uint8_t *
random_rows(CwkDtype dtype, int64_t n_rows, int64_t n_cols)
{
  size_t n_bytes = (size_t)n_rows * cwk_dtype_row_bytes(dtype, n_cols);
  size_t block = cwk_dtype_block_bytes(dtype);
  uint8_t *data = g_malloc(n_bytes + 1);
  for (size_t i = 0; i < n_bytes; i++)
    data[i] = (uint8_t)next_random();
  for (size_t at = 0; at + block <= n_bytes; at += block) {
    uint16_t half = (uint16_t)(0x2000 | (next_random() & 0x83ff));
    memcpy(data + at + (dtype == CWK_Q6_K ? 208 : 0), &half, 2);
    if (dtype == CWK_Q4_1 || dtype == CWK_Q5_1 || dtype == CWK_Q4_K || dtype == CWK_Q5_K)
      memcpy(data + at + 2, &half, 2);
  }
  return data;
}

typedef struct {
  CwkDtype dtype;
  int64_t m, n, k;
  bool gather, accumulate;
  bool is_whole; /* activations that 8 bits hold exactly: whole numbers to 127, 127 in each
                    group */
} Case;

static void
fill_activations(const Case *made, float *a, int64_t n_rows, int64_t stride)
{
  for (int64_t i = 0; i < n_rows; i++)
    for (int64_t p = 0; p < stride; p++) {
      float whole = (float)((int)(next_random() % 255) - 127);
      a[i * stride + p] = !made->is_whole ? random_float() : p % 16 == 3 ? -127.0f : whole;
    }
}

/* The most that rounding can move row i's product with column j: half a step of each group,
 * times the magnitudes of the weights of that group; and f32 sums of k terms. */
static double
allowed(const Case *made, const float *a, const float *b)
{
  int64_t group = made->dtype == CWK_Q6_K ? 16 : 32;
  double rounding = 0, size = 0;
  for (int64_t g = 0; g < made->k; g += group) {
    double largest = 0, weights = 0;
    for (int64_t p = g; p < g + group; p++) {
      largest = MAX(largest, fabs((double)a[p]));
      weights += fabs((double)b[p]);
      size += fabs((double)a[p] * (double)b[p]);
    }
    rounding += largest / 127 / 2 * weights;
    /* d q and m may cancel: their own sizes bound the rounding of f32, 2^-24 each. */
    size += 2 * largest * 64 * weights;
  }
  return (made->is_whole ? 0 : rounding) + size * 0x1p-22;
}

static void
check_case(CwkDevice *device, const Case *made)
{
  size_t row_bytes = cwk_dtype_row_bytes(made->dtype, made->k);
  if (row_bytes == 0 && made->k > 0)
    return;
  g_autofree uint8_t *stored = random_rows(made->dtype, made->n, made->k);
  g_autofree const void **list = g_new(const void *, made->n + 1);
  g_autofree float *scales = g_new(float, made->n + 1);
  for (int64_t j = 0; j < made->n; j++) {
    list[j] = stored + (size_t)(made->n - 1 - j) * row_bytes;
    scales[j] = 0.5f + (float)(j % 3);
  }
  CwkRows b = { stored,
                made->dtype,
                made->n,
                made->k,
                row_bytes,
                made->gather ? list : NULL,
                made->gather ? scales : NULL };
  g_autofree float *decoded = g_new(float, made->n * made->k + 1);
  CwkDequantiseArgs dequantise = { b, decoded };
  g_assert_cmpint(cwk_dequantise(device, &dequantise), ==, CWK_OK);
  int64_t a_stride = made->k + 3, c_stride = made->n + 5, n_storage = 2 * made->m;
  g_autofree float *a = g_new(float, n_storage *a_stride + 1);
  g_autofree float *c = g_new(float, n_storage *c_stride + 1);
  g_autofree int64_t *gather = g_new(int64_t, made->m + 1);
  const float sentinel = 7.25f;
  fill_activations(made, a, n_storage, a_stride);
  for (int64_t i = 0; i < n_storage * c_stride; i++)
    c[i] = sentinel;
  for (int64_t i = 0; i < made->m; i++)
    gather[i] = 2 * i + 1;
  CwkMatmulArgs args = { made->m,
                         made->n,
                         made->k,
                         { a, a_stride, made->gather ? gather : NULL },
                         b,
                         CWK_B_ROWS_ARE_OUTPUTS,
                         { c, c_stride, made->gather ? gather : NULL },
                         made->accumulate };
  CwkMatmulBatchArgs batch = { 1, &args };
  g_assert_cmpint(cwk_matmul_int8(device, &batch), ==, CWK_OK);
  for (int64_t i = 0; i < n_storage; i++) {
    bool is_row = made->gather ? i % 2 == 1 : i < made->m;
    const float *row = a + i * a_stride;
    for (int64_t j = 0; is_row && j < made->n; j++) {
      double sum = made->accumulate ? (double)sentinel : 0;
      for (int64_t p = 0; p < made->k; p++)
        sum += (double)row[p] * (double)decoded[j * made->k + p];
      double limit = allowed(made, row, decoded + j * made->k) + fabs(sum) * 0x1p-22;
      g_assert_cmpfloat(fabs((double)c[i * c_stride + j] - sum), <=, limit);
    }
    for (int64_t j = is_row ? made->n : 0; j < c_stride; j++)
      g_assert_true(c[i * c_stride + j] == sentinel);
  }
}

static CwkDevice *
device_for(gconstpointer isa)
{
  g_setenv("CLEW_ISA", isa, TRUE);
  return cwk_cpu_new(2);
}

static void
test_sizes(gconstpointer data)
{
  static const int64_t sizes[][3] = { { 0, 5, 32 },  { 1, 1, 32 },  { 3, 31, 64 },
                                      { 6, 32, 0 },  { 7, 33, 96 }, { 33, 65, 576 },
                                      { 517, 3, 32 } };
  CwkDevice *device = device_for(data);
  for (size_t s = 0; s < G_N_ELEMENTS(sizes) && cwk_has_int8(device, CWK_Q4_1); s++)
    for (int variant = 0; variant < 8; variant++) {
      Case made = { CWK_Q4_1,           sizes[s][0],        sizes[s][1],       sizes[s][2],
                    (variant & 1) != 0, (variant & 2) != 0, (variant & 4) != 0 };
      check_case(device, &made);
    }
  cwk_device_free(device);
}

static void
test_dtypes(gconstpointer data)
{
  CwkDevice *device = device_for(data);
  for (int dtype = 0; dtype < CWK_N_DTYPES; dtype++)
    for (int is_whole = 0; is_whole < 2 && cwk_has_int8(device, (CwkDtype)dtype); is_whole++) {
      Case made = { (CwkDtype)dtype, 13, 37, 512, false, true, is_whole };
      check_case(device, &made);
    }
  cwk_device_free(device);
}

/* Which types have a form on which instruction set; the rest is refused, c untouched. */
static void
test_refusals(gconstpointer data)
{
  CwkDevice *device = device_for(data);
  g_autofree float *a = g_new0(float, 256);
  float c = 7.25f;
  bool has_vnni = g_str_equal(data, "best") && cwk_has_int8(device, CWK_Q8_0);
  for (int dtype = 0; dtype < CWK_N_DTYPES; dtype++) {
    bool is_four_bit = dtype == CWK_Q4_0 || dtype == CWK_Q4_1 || dtype == CWK_Q4_K;
    bool is_plain = cwk_dtype_block_size((CwkDtype)dtype) == 1;
    bool has_int8 = cwk_has_int8(device, (CwkDtype)dtype);
    if (g_str_equal(data, "baseline") || is_plain)
      g_assert_false(has_int8);
    else if (has_vnni || !is_four_bit)
      g_assert_true(has_int8 == has_vnni);
    g_autofree uint8_t *stored = random_rows(CWK_Q8_0, 1, 1024);
    CwkMatmulArgs args = { 1,
                           1,
                           256,
                           { a, 256, NULL },
                           { stored, (CwkDtype)dtype, 1, 256,
                             cwk_dtype_row_bytes((CwkDtype)dtype, 256), NULL, NULL },
                           CWK_B_ROWS_ARE_OUTPUTS,
                           { &c, 1, NULL },
                           false };
    CwkMatmulBatchArgs batch = { 1, &args };
    if (!has_int8) {
      g_assert_cmpint(cwk_matmul_int8(device, &batch), ==, CWK_UNSUPPORTED);
      g_assert_true(c == 7.25f);
    }
    args.b.n_cols = 128;
    g_assert_cmpint(cwk_matmul_int8(device, &batch), ==, CWK_SHAPE);
  }
  cwk_device_free(device);
}

/* The same bits for one, two and three threads, and for a product in a batch as alone. */
static void
test_same_bits(gconstpointer data)
{
  enum { M = 37, K = 512, N = 70, N_PRODUCTS = 3 };
  g_setenv("CLEW_ISA", data, TRUE);
  g_autofree uint8_t *stored = random_rows(CWK_Q4_1, N, K);
  g_autofree uint8_t *other = random_rows(CWK_Q4_K, N, K);
  g_autofree float *a = g_new(float, 2 * M * K), *c = g_new(float, N_PRODUCTS *M *N);
  g_autofree float *alone = g_new(float, M *N);
  for (int64_t i = 0; i < 2 * M * K; i++)
    a[i] = random_float();
  for (int n_threads = 1; n_threads <= 3; n_threads++) {
    CwkDevice *device = cwk_cpu_new(n_threads);
    CwkMatmulArgs products[N_PRODUCTS];
    for (int i = 0; i < N_PRODUCTS; i++) {
      CwkDtype dtype = i == 1 ? CWK_Q4_K : CWK_Q4_1;
      products[i] = (CwkMatmulArgs){ .m = M,
                                     .n = N,
                                     .k = K,
                                     .a = { i == 2 ? a + M * K : a, K, NULL },
                                     .b = { i == 1 ? other : stored, dtype, N, K,
                                            cwk_dtype_row_bytes(dtype, K), NULL, NULL },
                                     .c = { c + i * M * N, N, NULL } };
    }
    CwkMatmulBatchArgs batch = { N_PRODUCTS, products };
    bool has_int8 = cwk_has_int8(device, CWK_Q4_1);
    g_assert_cmpint(cwk_matmul_int8(device, &batch), ==, has_int8 ? CWK_OK : CWK_UNSUPPORTED);
    for (int i = 0; i < N_PRODUCTS && has_int8; i++) {
      CwkMatmulArgs one = products[i];
      CwkMatmulBatchArgs single = { 1, &one };
      CwkDevice *one_thread = cwk_cpu_new(1);
      one.c.data = alone;
      g_assert_cmpint(cwk_matmul_int8(one_thread, &single), ==, CWK_OK);
      g_assert_cmpmem(alone, sizeof(float) * M * N, products[i].c.data, sizeof(float) * M * N);
      cwk_device_free(one_thread);
    }
    cwk_device_free(device);
  }
}

/* What is not finite stays so in its row and reaches no other. */
static void
test_not_finite(gconstpointer data)
{
  enum { M = 3, N = 2, K = 64 };
  CwkDevice *device = device_for(data);
  g_autofree uint8_t *stored = random_rows(CWK_Q4_1, N, K);
  float a[M * K], c[M * N];
  for (int i = 0; i < M * K; i++)
    a[i] = random_float();
  a[5] = NAN;
  a[K + 40] = INFINITY;
  CwkMatmulArgs args = { .m = M,
                         .n = N,
                         .k = K,
                         .a = { a, K, NULL },
                         .b = { stored, CWK_Q4_1, N, K, cwk_dtype_row_bytes(CWK_Q4_1, K) },
                         .c = { c, N, NULL } };
  CwkMatmulBatchArgs batch = { 1, &args };
  if (cwk_has_int8(device, CWK_Q4_1)) {
    g_assert_cmpint(cwk_matmul_int8(device, &batch), ==, CWK_OK);
    for (int i = 0; i < M * N; i++)
      g_assert_true((isfinite(c[i]) != 0) == (i / N == 2));
  }
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  static const char *const isas[] = { "baseline", "avx2", "best" };
  static const struct {
    const char *name;
    GTestDataFunc run;
  } cases[] = { { "sizes", test_sizes },
                { "dtypes", test_dtypes },
                { "refusals", test_refusals },
                { "same-bits", test_same_bits },
                { "not-finite", test_not_finite } };
  for (size_t i = 0; i < G_N_ELEMENTS(isas); i++)
    for (size_t j = 0; j < G_N_ELEMENTS(cases); j++) {
      g_autofree char *path =
          g_strdup_printf("/kernels/matmul-int8/%s/%s", cases[j].name, isas[i]);
      g_test_add_data_func(path, isas[i], cases[j].run);
    }
  return g_test_run();
}
