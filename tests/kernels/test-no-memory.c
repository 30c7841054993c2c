/* test-no-memory.c - every allocation of a device and its ops fails once, the Nth for every N:
 * the answer is NULL or CWK_NO_MEMORY, results are untouched, and the device still works. */
#include "test-support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The linker sends the kernels' calls here (--wrap). */
void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t n_bytes);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t n_bytes);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *data);

static int n_until_failure = -1; /* negative: never */

static bool
fails_now(void)
{
  if (n_until_failure < 0)
    return false;
  return n_until_failure-- == 0;
}

void *
__wrap_malloc(size_t n_bytes)
{
  return fails_now() ? NULL : __real_malloc(n_bytes);
}

void *
__wrap_calloc(size_t n, size_t size)
{
  return fails_now() ? NULL : __real_calloc(n, size);
}

int
__wrap_posix_memalign(void **memory, size_t alignment, size_t n_bytes)
{
  return fails_now() ? ENOMEM : __real_posix_memalign(memory, alignment, n_bytes);
}

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                      void *(*start)(void *), void *data)
{
  return fails_now() ? EAGAIN : __real_pthread_create(thread, attributes, start, data);
}

static void
test_new_device(void)
{
  int n_failed = 0;
  for (int n = 0;; n++) {
    n_until_failure = n;
    CwkDevice *device = cwk_cpu_new(3);
    bool has_failed = n_until_failure < 0;
    n_until_failure = -1;
    if (!has_failed) {
      g_assert_nonnull(device);
      cwk_device_free(device);
      break;
    }
    g_assert_null(device);
    n_failed++;
  }
  g_assert_cmpint(n_failed, >=, 6);
}

enum { M = 65, N = 70, K = 96 };

/* One of the two products, of rows of ones with rows of 127. */
typedef struct {
  const char *name;
  bool is_int8;
} Multiply;

static CwkStatus
multiply(CwkDevice *device, const Multiply *how, float *a, void *b, float *c)
{
  CwkMatmulArgs args = { .m = M, .n = N, .k = K };
  CwkDtype dtype = how->is_int8 ? CWK_Q4_1 : CWK_F32;
  args.a = (CwkTile){ a, K, NULL };
  args.b = (CwkRows){ b, dtype, N, K, cwk_dtype_row_bytes(dtype, K), NULL, NULL };
  args.c = (CwkTile){ c, N, NULL };
  CwkMatmulBatchArgs batch = { 1, &args };
  return how->is_int8 ? cwk_matmul_int8(device, &batch) : cwk_matmul(device, &args);
}

static void
fill_ones(const Multiply *how, float *b)
{
  static const uint16_t one = 0x3c00;
  uint8_t *block = (uint8_t *)b;
  for (int i = 0; i < N * K && !how->is_int8; i++)
    b[i] = 1;
  for (int i = 0; i < N * K / 32 && how->is_int8; i++, block += 20) {
    memset(block, 0, 4);
    memcpy(block, &one, 2);
    memset(block + 4, 0x11, 16);
  }
}

static void
test_matmul(gconstpointer data)
{
  const Multiply *how = data;
  g_autofree float *a = g_new(float, M *K), *b = g_new(float, N *K), *c = g_new(float, M *N);
  for (int i = 0; i < M * K; i++)
    a[i] = 127;
  fill_ones(how, b);
  int n_failed = 0;
  for (int n = 0;; n++) {
    CwkDevice *device = cwk_cpu_new(2);
    if (how->is_int8 && !cwk_has_int8(device, CWK_Q4_1)) {
      cwk_device_free(device);
      g_test_skip("this CPU has no products with 8-bit activations");
      return;
    }
    for (int i = 0; i < M * N; i++)
      c[i] = 7;
    n_until_failure = n;
    CwkStatus status = multiply(device, how, a, b, c);
    bool has_failed = n_until_failure < 0;
    n_until_failure = -1;
    g_assert_cmpint(status, ==, has_failed ? CWK_NO_MEMORY : CWK_OK);
    for (int i = 0; i < M * N; i++)
      g_assert_true(c[i] == (has_failed ? 7.0f : (float)(127 * K)));
    g_assert_cmpint(multiply(device, how, a, b, c), ==, CWK_OK);
    g_assert_true(c[M * N - 1] == (float)(127 * K));
    cwk_device_free(device);
    if (!has_failed)
      break;
    n_failed++;
  }
  g_assert_cmpint(n_failed, >=, 1);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/kernels/no-memory/new-device", test_new_device);
  static const Multiply products[] = { { "matmul", false }, { "matmul-int8", true } };
  for (size_t i = 0; i < G_N_ELEMENTS(products); i++) {
    g_autofree char *path = g_strdup_printf("/kernels/no-memory/%s", products[i].name);
    g_test_add_data_func(path, &products[i], test_matmul);
  }
  return g_test_run();
}
