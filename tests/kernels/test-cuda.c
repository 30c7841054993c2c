/* test-cuda.c - every op of ops.def on the CUDA device against the CPU; skipped, with the
 * reason, on a machine without one. An op without a comparison here is reported as such. */
#include "kernels-private.h"
#include "test-random.h"

#include <math.h>
#include <string.h>

typedef struct {
  CwkDevice *cpu, *cuda;
  GPtrArray *on_device; /* to be freed on cuda */
  TestRandom random;
} Pair;

static Pair *
pair_new_or_skip(void)
{
  const char *why = NULL;
  CwkDevice *cuda = cwk_cuda_new(NULL, 0, &why);
  if (cuda == NULL) {
    g_autofree char *reason = g_strdup_printf("no CUDA device: %s", why);
    g_test_skip(reason);
    return NULL;
  }
  Pair *pair = g_new0(Pair, 1);
  pair->cpu = cwk_cpu_new(1);
  pair->cuda = cuda;
  pair->on_device = g_ptr_array_new();
  pair->random.state = 1;
  return pair;
}

static void
pair_free(Pair *pair)
{
  for (guint i = 0; i < pair->on_device->len; i++)
    cwk_memory_free(pair->cuda, pair->on_device->pdata[i]);
  g_ptr_array_unref(pair->on_device);
  cwk_device_free(pair->cuda);
  cwk_device_free(pair->cpu);
  g_free(pair);
}

static void *
to_device(Pair *pair, const void *host, size_t n_bytes)
{
  void *memory = NULL;
  g_assert_cmpint(cwk_memory_alloc(pair->cuda, n_bytes, &memory), ==, CWK_OK);
  g_assert_cmpint(cwk_memory_upload(pair->cuda, memory, host, n_bytes), ==, CWK_OK);
  g_ptr_array_add(pair->on_device, memory);
  return memory;
}

/* The normalised square error of the device's n floats against the CPU's. f32 against f32
 * measures 1e-14 .. 1e-12. */
static void
assert_same(Pair *pair, const float *expected, const void *on_device, size_t n)
{
  g_autofree float *got = g_new(float, n);
  g_assert_cmpint(cwk_memory_download(pair->cuda, got, on_device, n * sizeof *got), ==, CWK_OK);
  double error = 0, norm = 1e-30;
  for (size_t i = 0; i < n; i++) {
    g_assert_true(isfinite(got[i]));
    error += ((double)got[i] - expected[i]) * ((double)got[i] - expected[i]);
    norm += (double)expected[i] * expected[i];
  }
  g_assert_cmpfloat(error / norm, <=, 1e-10);
}

/* One comparison per op, found by its name; NULL where none is written. */
#define CWK_OP(name, Args) __attribute__((weak)) void compare_##name(Pair *pair);
#include "ops.def"
#undef CWK_OP

/* ---- stored rows ------------------------------------------------------------------------- */

/* The same stored matrix for both devices; every other one gathered backwards and scaled. */
typedef struct {
  CwkRows cpu, cuda;
} RowsPair;

static RowsPair
rows_pair(Pair *pair, CwkDtype dtype, int64_t n_rows, int64_t n_cols, bool gather)
{
  size_t row_bytes = cwk_dtype_row_bytes(dtype, n_cols);
  guint8 *data = test_random_rows(&pair->random, dtype, n_rows, n_cols);
  guint8 *copy = to_device(pair, data, (size_t)n_rows * row_bytes);
  RowsPair rows = { { data, dtype, n_rows, n_cols, row_bytes, NULL, NULL },
                    { copy, dtype, n_rows, n_cols, row_bytes, NULL, NULL } };
  if (!gather)
    return rows;
  const void **cpu_list = g_new(const void *, n_rows),
             **cuda_list = g_new(const void *, n_rows);
  for (int64_t i = 0; i < n_rows; i++) {
    cpu_list[i] = data + (size_t)(n_rows - 1 - i) * row_bytes;
    cuda_list[i] = copy + (size_t)(n_rows - 1 - i) * row_bytes;
  }
  float *scales = test_random_floats(&pair->random, (size_t)n_rows);
  rows.cpu.row_list = cpu_list;
  rows.cpu.scales = scales;
  rows.cuda.row_list = cuda_list;
  rows.cuda.scales = to_device(pair, scales, (size_t)n_rows * sizeof *scales);
  return rows;
}

static void
rows_pair_clear(RowsPair *rows)
{
  g_free((void *)rows->cpu.data);
  g_free((void *)rows->cpu.row_list);
  g_free((void *)rows->cuda.row_list);
  g_free((void *)rows->cpu.scales);
}

void
compare_dequantise(Pair *pair)
{
  for (int dtype = 0; dtype < CWK_N_DTYPES; dtype++)
    for (int gather = 0; gather < 2; gather++) {
      enum { N_ROWS = 33, N_COLS = 512 };
      RowsPair rows = rows_pair(pair, (CwkDtype)dtype, N_ROWS, N_COLS, gather);
      g_autofree float *out = g_new0(float, N_ROWS *N_COLS);
      float *cuda_out = to_device(pair, out, N_ROWS * N_COLS * sizeof *out);
      CwkDequantiseArgs cpu = { rows.cpu, out }, cuda = { rows.cuda, cuda_out };
      g_assert_cmpint(cwk_dequantise(pair->cpu, &cpu), ==, CWK_OK);
      g_assert_cmpint(cwk_dequantise(pair->cuda, &cuda), ==, CWK_OK);
      assert_same(pair, out, cuda_out, N_ROWS * N_COLS);
      rows_pair_clear(&rows);
    }
}

static void
compare_product(Pair *pair, CwkDtype dtype, const int64_t size[3], int variant)
{
  bool is_inputs = variant & 1, gather = variant & 2, accumulate = variant & 4;
  int64_t m = size[0], n = size[1], k = size[2];
  if (cwk_dtype_row_bytes(dtype, is_inputs ? n : k) == 0)
    return;
  RowsPair rows = rows_pair(pair, dtype, is_inputs ? k : n, is_inputs ? n : k, gather);
  int64_t a_stride = k + 3, c_stride = n + 5;
  size_t n_a = (size_t)(2 * m * a_stride), n_c = (size_t)(2 * m * c_stride);
  g_autofree float *a = test_random_floats(&pair->random, n_a),
                   *c = test_random_floats(&pair->random, n_c);
  float *cuda_a = to_device(pair, a, n_a * sizeof *a);
  float *cuda_c = to_device(pair, c, n_c * sizeof *c);
  g_autofree int64_t *list = g_new(int64_t, m);
  for (int64_t i = 0; i < m; i++)
    list[i] = 2 * i + 1;
  CwkMatmulArgs cpu = { .m = m, .n = n, .k = k, .b = rows.cpu, .accumulate = accumulate };
  cpu.b_layout = is_inputs ? CWK_B_ROWS_ARE_INPUTS : CWK_B_ROWS_ARE_OUTPUTS;
  cpu.a = (CwkTile){ a, a_stride, gather ? list : NULL };
  cpu.c = (CwkTile){ c, c_stride, gather ? list : NULL };
  CwkMatmulArgs cuda = cpu;
  cuda.a.data = cuda_a;
  cuda.c.data = cuda_c;
  cuda.b = rows.cuda;
  g_assert_cmpint(cwk_matmul(pair->cpu, &cpu), ==, CWK_OK);
  g_assert_cmpint(cwk_matmul(pair->cuda, &cuda), ==, CWK_OK);
  assert_same(pair, c, cuda_c, n_c);
  rows_pair_clear(&rows);
}

void
compare_matmul(Pair *pair)
{
  static const int64_t sizes[][3] = { { 1, 1, 1 },     { 1, 33, 31 }, { 3, 64, 96 },
                                      { 5, 31, 33 },   { 33, 33, 1 }, { 12, 33, 0 },
                                      { 65, 256, 512 } };
  for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
    for (int variant = 0; variant < 8; variant++)
      for (int dtype = 0; dtype < CWK_N_DTYPES; dtype++)
        compare_product(pair, (CwkDtype)dtype, sizes[s], variant);
}

void
compare_matmul_batch(Pair *pair)
{
  enum { M = 7, N = 33, K = 65 };
  g_autofree float *a = test_random_floats(&pair->random, 2 * M * K),
                   *b = test_random_floats(&pair->random, N * K);
  g_autofree float *c = test_random_floats(&pair->random, 2 * M * N);
  float *cuda_a = to_device(pair, a, sizeof(float) * 2 * M * K);
  float *cuda_b = to_device(pair, b, sizeof(float) * N * K);
  float *cuda_c = to_device(pair, c, sizeof(float) * 2 * M * N);
  CwkMatmulArgs cpu[2], cuda[2];
  for (int i = 0; i < 2; i++) {
    cpu[i] = (CwkMatmulArgs){ .m = M, .n = N, .k = K, .accumulate = i == 1 };
    cpu[i].b = (CwkRows){ b, CWK_F32, N, K, K * sizeof(float), NULL, NULL };
    cpu[i].a = (CwkTile){ a + i * M * K, K, NULL };
    cpu[i].c = (CwkTile){ c + i * M * N, N, NULL };
    cuda[i] = cpu[i];
    cuda[i].a.data = cuda_a + i * M * K;
    cuda[i].b.data = cuda_b;
    cuda[i].c.data = cuda_c + i * M * N;
  }
  CwkMatmulBatchArgs cpu_batch = { 2, cpu }, cuda_batch = { 2, cuda };
  g_assert_cmpint(cwk_matmul_batch(pair->cpu, &cpu_batch), ==, CWK_OK);
  g_assert_cmpint(cwk_matmul_batch(pair->cuda, &cuda_batch), ==, CWK_OK);
  assert_same(pair, c, cuda_c, 2 * M * N);
}

void
compare_row_dots(Pair *pair)
{
  enum { N = 100, K = 577, ROWS = 9 };
  g_autofree float *a = test_random_floats(&pair->random, ROWS * K),
                   *b = test_random_floats(&pair->random, N * K);
  g_autofree float *out = test_random_floats(&pair->random, N);
  int64_t a_rows[N], out_rows[N];
  for (int i = 0; i < N; i++) {
    a_rows[i] = i * 5 % ROWS;
    out_rows[i] = N - 1 - i;
  }
  CwkRowDotsArgs cpu = { N, K, { a, K, a_rows }, { b, K, NULL }, out, out_rows };
  CwkRowDotsArgs cuda = cpu;
  cuda.a.data = to_device(pair, a, sizeof(float) * ROWS * K);
  cuda.b.data = to_device(pair, b, sizeof(float) * N * K);
  cuda.out = to_device(pair, out, sizeof(float) * N);
  g_assert_cmpint(cwk_row_dots(pair->cpu, &cpu), ==, CWK_OK);
  g_assert_cmpint(cwk_row_dots(pair->cuda, &cuda), ==, CWK_OK);
  assert_same(pair, out, cuda.out, N);
}

/* ---- the rest ---------------------------------------------------------------------------- */

void
compare_norm(Pair *pair)
{
  enum { N_ROWS = 33, N_COLS = 577 };
  const size_t n_bytes = sizeof(float) * N_ROWS * N_COLS;
  g_autofree float *x = test_random_floats(&pair->random, N_ROWS * N_COLS);
  g_autofree float *weight = test_random_floats(&pair->random, N_COLS),
                   *bias = test_random_floats(&pair->random, N_COLS);
  g_autofree float *hat = g_malloc0(n_bytes), *out = g_malloc0(n_bytes);
  float scale[N_ROWS] = { 0 };
  for (int variant = 0; variant < 4; variant++) {
    CwkNormArgs cpu = { N_ROWS, N_COLS, x, variant & 1, 1e-5f, NULL, NULL, hat, out, scale };
    CwkNormArgs cuda = cpu;
    if (variant & 2) {
      cpu.weight = weight;
      cpu.bias = bias;
      cuda.weight = to_device(pair, weight, N_COLS * sizeof *weight);
      cuda.bias = to_device(pair, bias, N_COLS * sizeof *bias);
    }
    cuda.x = to_device(pair, x, n_bytes);
    cuda.normalised = to_device(pair, hat, n_bytes);
    cuda.out = to_device(pair, out, n_bytes);
    cuda.scale = to_device(pair, scale, sizeof scale);
    g_assert_cmpint(cwk_norm(pair->cpu, &cpu), ==, CWK_OK);
    g_assert_cmpint(cwk_norm(pair->cuda, &cuda), ==, CWK_OK);
    assert_same(pair, hat, cuda.normalised, N_ROWS * N_COLS);
    assert_same(pair, out, cuda.out, N_ROWS * N_COLS);
    assert_same(pair, scale, cuda.scale, N_ROWS);
  }
}

void
compare_norm_adjoint(Pair *pair)
{
  enum { N_ROWS = 33, N_COLS = 577, N_SCALES = 5 };
  g_autofree float *x = test_random_floats(&pair->random, N_ROWS * N_COLS);
  g_autofree float *weight = test_random_floats(&pair->random, N_COLS);
  float scale[N_SCALES] = { 0.5f, 1.0f, 2.0f, 3.0f, 0.1f };
  int32_t index[N_ROWS];
  for (int i = 0; i < N_ROWS; i++)
    index[i] = i * 3 % N_SCALES;
  for (int variant = 0; variant < 8; variant++) {
    g_autofree float *out = test_random_floats(&pair->random, N_ROWS * N_COLS);
    CwkNormAdjointArgs cpu = { .n_rows = N_ROWS, .n_cols = N_COLS, .x = x, .out = out };
    cpu.is_layer_norm = variant & 1;
    cpu.weight = variant & 2 ? weight : NULL;
    cpu.accumulate = variant & 4;
    cpu.scale = scale;
    cpu.index = index;
    CwkNormAdjointArgs cuda = cpu;
    cuda.x = to_device(pair, x, sizeof(float) * N_ROWS * N_COLS);
    cuda.weight = variant & 2 ? to_device(pair, weight, sizeof(float) * N_COLS) : NULL;
    cuda.scale = to_device(pair, scale, sizeof scale);
    cuda.out = to_device(pair, out, sizeof(float) * N_ROWS * N_COLS);
    g_assert_cmpint(cwk_norm_adjoint(pair->cpu, &cpu), ==, CWK_OK);
    g_assert_cmpint(cwk_norm_adjoint(pair->cuda, &cuda), ==, CWK_OK);
    assert_same(pair, out, cuda.out, N_ROWS * N_COLS);
  }
}

void
compare_rope(Pair *pair)
{
  enum { T = 31, HEADS = 3, K = 64, ROTARY = 48, STRIDE = 200 };
  float frequency[ROTARY / 2];
  for (int i = 0; i < ROTARY / 2; i++)
    frequency[i] = powf(10000.0f, -2.0f * (float)i / ROTARY);
  for (int is_interleaved = 0; is_interleaved < 2; is_interleaved++) {
    g_autofree float *x = test_random_floats(&pair->random, T * STRIDE);
    CwkRopeArgs cpu = {
      .n_positions = T, .n_heads = HEADS, .head_width = K, .n_rotary = ROTARY
    };
    cpu.first_position = 5;
    cpu.inverse_frequency = frequency;
    cpu.attention_scaling = 1.1f;
    cpu.x = x;
    cpu.stride = STRIDE;
    cpu.is_interleaved = is_interleaved;
    CwkRopeArgs cuda = cpu;
    cuda.inverse_frequency = to_device(pair, frequency, sizeof frequency);
    cuda.x = to_device(pair, x, T * STRIDE * sizeof *x);
    g_assert_cmpint(cwk_rope(pair->cpu, &cpu), ==, CWK_OK);
    g_assert_cmpint(cwk_rope(pair->cuda, &cuda), ==, CWK_OK);
    assert_same(pair, x, cuda.x, T * STRIDE);
  }
}

enum { QUERIES = 33, KEYS = 40, HEADS = 6, KV_HEADS = 2, WIDTH = 31 };

void
compare_attention_pattern(Pair *pair)
{
  g_autofree float *q = test_random_floats(&pair->random, QUERIES * HEADS * WIDTH);
  g_autofree float *k = test_random_floats(&pair->random, KEYS * KV_HEADS * WIDTH);
  g_autofree float *pattern = test_random_floats(&pair->random, HEADS * QUERIES * KEYS);
  CwkAttentionPatternArgs cpu = { QUERIES, KEYS, HEADS, KV_HEADS, WIDTH, q, k };
  cpu.q_stride = HEADS * WIDTH;
  cpu.k_stride = KV_HEADS * WIDTH;
  cpu.scale = 0.7f;
  cpu.pattern = pattern;
  for (int variant = 0; variant < 4; variant++) {
    cpu.soft_cap = variant & 1 ? 2.0f : 0.0f;
    cpu.window = variant & 2 ? 7 : 0;
    CwkAttentionPatternArgs cuda = cpu;
    cuda.q = to_device(pair, q, sizeof(float) * QUERIES * HEADS * WIDTH);
    cuda.k = to_device(pair, k, sizeof(float) * KEYS * KV_HEADS * WIDTH);
    cuda.pattern = to_device(pair, pattern, sizeof(float) * HEADS * QUERIES * KEYS);
    g_assert_cmpint(cwk_attention_pattern(pair->cpu, &cpu), ==, CWK_OK);
    g_assert_cmpint(cwk_attention_pattern(pair->cuda, &cuda), ==, CWK_OK);
    assert_same(pair, pattern, cuda.pattern, HEADS * QUERIES * KEYS);
  }
}

/* A causal pattern [n_heads, n_queries, n_keys] with some zeros. */
static float *
random_pattern(Pair *pair, int64_t n_queries, int64_t n_keys)
{
  float *pattern = test_random_floats(&pair->random, (size_t)(HEADS * n_queries * n_keys));
  for (int64_t at = 0; at < HEADS * n_queries * n_keys; at++)
    if (at % n_keys > at / n_keys % n_queries + n_keys - n_queries || at % 5 == 0)
      pattern[at] = 0;
  return pattern;
}

void
compare_attention_mix(Pair *pair)
{
  g_autofree float *pattern = random_pattern(pair, QUERIES, KEYS);
  g_autofree float *v = test_random_floats(&pair->random, KEYS * KV_HEADS * WIDTH);
  g_autofree float *out = g_new0(float, QUERIES *HEADS *WIDTH);
  CwkAttentionMixArgs cpu = { QUERIES,          KEYS, HEADS,        KV_HEADS, WIDTH, pattern, v,
                              KV_HEADS * WIDTH, out,  HEADS * WIDTH };
  CwkAttentionMixArgs cuda = cpu;
  cuda.pattern = to_device(pair, pattern, sizeof(float) * HEADS * QUERIES * KEYS);
  cuda.v = to_device(pair, v, sizeof(float) * KEYS * KV_HEADS * WIDTH);
  cuda.out = to_device(pair, out, sizeof(float) * QUERIES * HEADS * WIDTH);
  g_assert_cmpint(cwk_attention_mix(pair->cpu, &cpu), ==, CWK_OK);
  g_assert_cmpint(cwk_attention_mix(pair->cuda, &cuda), ==, CWK_OK);
  assert_same(pair, out, cuda.out, QUERIES * HEADS * WIDTH);
}

void
compare_attention_adjoint(Pair *pair)
{
  static const int32_t n_positions[] = { 33, 0, 1, 17 };
  static const int64_t first[] = { 0, 33, 33, 34 };
  enum { TOTAL = 51 };
  g_autofree float *pattern = random_pattern(pair, QUERIES, QUERIES);
  g_autofree float *z = test_random_floats(&pair->random, TOTAL * HEADS * WIDTH);
  g_autofree float *out = g_new0(float, TOTAL *KV_HEADS *WIDTH);
  CwkAttentionAdjointArgs cpu = { 4,     n_positions, first,   HEADS, KV_HEADS,
                                  WIDTH, pattern,     QUERIES, z,     out };
  CwkAttentionAdjointArgs cuda = cpu;
  cuda.pattern = to_device(pair, pattern, sizeof(float) * HEADS * QUERIES * QUERIES);
  cuda.z = to_device(pair, z, sizeof(float) * TOTAL * HEADS * WIDTH);
  cuda.out = to_device(pair, out, sizeof(float) * TOTAL * KV_HEADS * WIDTH);
  g_assert_cmpint(cwk_attention_adjoint(pair->cpu, &cpu), ==, CWK_OK);
  g_assert_cmpint(cwk_attention_adjoint(pair->cuda, &cuda), ==, CWK_OK);
  assert_same(pair, out, cuda.out, TOTAL * KV_HEADS * WIDTH);
}

void
compare_activate(Pair *pair)
{
  enum { N = 100001 };
  g_autofree float *gate = test_random_floats(&pair->random, N),
                   *up = test_random_floats(&pair->random, N);
  for (int i = 0; i < N; i++)
    gate[i] *= 12;
  for (int variant = 0; variant < 8; variant++) {
    g_autofree float *out = g_new0(float, N);
    CwkActivateArgs cpu = { N, (CwkActivation)(variant / 2), gate, variant & 1 ? up : NULL,
                            out };
    CwkActivateArgs cuda = cpu;
    cuda.gate = to_device(pair, gate, N * sizeof *gate);
    cuda.up = variant & 1 ? to_device(pair, up, N * sizeof *up) : NULL;
    cuda.out = to_device(pair, out, N * sizeof *out);
    g_assert_cmpint(cwk_activate(pair->cpu, &cpu), ==, CWK_OK);
    g_assert_cmpint(cwk_activate(pair->cuda, &cuda), ==, CWK_OK);
    assert_same(pair, out, cuda.out, N);
  }
}

static void
run_comparison(gconstpointer data)
{
  Pair *pair = pair_new_or_skip();
  if (pair == NULL)
    return;
  if (data != NULL)
    ((void (*)(Pair *))(guintptr)data)(pair);
  else
    g_test_incomplete("not compared with the CPU, perhaps without a CUDA body");
  pair_free(pair);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
#define CWK_OP(name, Args) \
  g_test_add_data_func("/kernels/cuda/" #name, (gconstpointer)compare_##name, run_comparison);
#include "ops.def"
#undef CWK_OP
  return g_test_run();
}
