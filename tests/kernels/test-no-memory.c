/* test-no-memory.c - every allocation of a device and its ops fails once, the Nth for every N:
 * the answer is NULL or CWK_NO_MEMORY, results are untouched, and the device still works. */
#include "test-support.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

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

static CwkStatus
multiply(CwkDevice *device, float *a, float *b, float *c)
{
  CwkMatmulArgs args = { .m = M, .n = N, .k = K };
  args.a = (CwkTile){ a, K, NULL };
  args.b = (CwkRows){ b, CWK_F32, N, K, K * sizeof(float), NULL, NULL };
  args.c = (CwkTile){ c, N, NULL };
  return cwk_matmul(device, &args);
}

static void
test_matmul(void)
{
  g_autofree float *a = g_new(float, M *K), *b = g_new(float, N *K), *c = g_new(float, M *N);
  for (int i = 0; i < M * K; i++)
    a[i] = 1;
  for (int i = 0; i < N * K; i++)
    b[i] = 1;
  int n_failed = 0;
  for (int n = 0;; n++) {
    CwkDevice *device = cwk_cpu_new(2);
    for (int i = 0; i < M * N; i++)
      c[i] = 7;
    n_until_failure = n;
    CwkStatus status = multiply(device, a, b, c);
    bool has_failed = n_until_failure < 0;
    n_until_failure = -1;
    g_assert_cmpint(status, ==, has_failed ? CWK_NO_MEMORY : CWK_OK);
    for (int i = 0; i < M * N; i++)
      g_assert_true(c[i] == (has_failed ? 7.0f : (float)K));
    g_assert_cmpint(multiply(device, a, b, c), ==, CWK_OK);
    g_assert_true(c[M * N - 1] == (float)K);
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
  g_test_add_func("/kernels/no-memory/matmul", test_matmul);
  return g_test_run();
}
