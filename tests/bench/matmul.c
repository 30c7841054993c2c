/* matmul.c - the matrix product of the kernels at the shapes of a small model, beside OpenBLAS
 * where the machine has it, as a user finds it (default kernel choice) and with the kernels for
 * this CPU forced. Prints one JSON object; GFLOP/s, the best of several rounds.
 *
 * usage: bench-matmul [N_THREADS]      OPENBLAS_CORETYPE=SkylakeX bench-matmul 2 */
#include "cwk.h"

#include <dlfcn.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef void (*Sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k,
                      float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                      float *c, int ldc);

typedef struct {
  const char *name;
  int m, n, k;
} Shape;

/* SmolLM2-135M: 512 positions through the MLP, the attention output, one decode step, and the
 * unembedding of 64 positions. */
static const Shape shapes[] = { { "mlp_up", 512, 1536, 576 },
                                { "mlp_down", 512, 576, 1536 },
                                { "attention_out", 512, 576, 576 },
                                { "one_row", 1, 1536, 576 },
                                { "unembed", 64, 49152, 576 } };
enum { N_ROUNDS = 7 };

static Sgemm
find_openblas(int n_threads, const char **core)
{
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL)
    return NULL;
  void (*set_threads)(int);
  char *(*core_name)(void);
  Sgemm sgemm;
  *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
  *(void **)&core_name = dlsym(library, "openblas_get_corename");
  *(void **)&sgemm = dlsym(library, "cblas_sgemm");
  if (set_threads != NULL)
    set_threads(n_threads);
  *core = core_name != NULL ? core_name() : "unknown";
  return sgemm;
}

typedef struct {
  CwkDevice *device;
  Sgemm sgemm; /* NULL: the kernels' own */
  const Shape *shape;
  float *a, *b, *c;
} Product;

static void
multiply(const Product *product)
{
  int m = product->shape->m, n = product->shape->n, k = product->shape->k;
  if (product->sgemm != NULL) {
    product->sgemm(101, 111, 112, m, n, k, 1, product->a, k, product->b, k, 0, product->c, n);
    return;
  }
  CwkMatmulArgs args = { .m = m, .n = n, .k = k };
  args.a = (CwkTile){ product->a, k, NULL };
  args.b = (CwkRows){ product->b, CWK_F32, n, k, (size_t)k * sizeof(float), NULL, NULL };
  args.c = (CwkTile){ product->c, n, NULL };
  if (cwk_matmul(product->device, &args) != CWK_OK)
    g_error("the product failed");
}

static double
gflops(const Product *product)
{
  double flop = 2.0 * product->shape->m * product->shape->n * product->shape->k, best = 0;
  for (int round = 0; round < N_ROUNDS; round++) {
    gint64 start = g_get_monotonic_time(), end;
    int n_calls = 0;
    do {
      multiply(product);
      n_calls++;
      end = g_get_monotonic_time();
    } while (end - start < 50000);
    best = MAX(best, flop * n_calls / (double)(end - start) * 1e-3);
  }
  return best;
}

static double
largest_difference(const float *a, const float *b, size_t n)
{
  double largest = 0;
  for (size_t i = 0; i < n; i++)
    largest = MAX(largest, fabs((double)a[i] - (double)b[i]));
  return largest;
}

static void
bench_shape(CwkDevice *device, Sgemm sgemm, const Shape *shape, const char *separator)
{
  size_t n_a = (size_t)shape->m * shape->k, n_b = (size_t)shape->n * shape->k;
  size_t n_c = (size_t)shape->m * shape->n;
  g_autofree float *a = g_new(float, n_a), *b = g_new(float, n_b);
  g_autofree float *ours = g_new(float, n_c), *theirs = g_new(float, n_c);
  for (size_t i = 0; i < n_a; i++)
    a[i] = (float)(i * 2654435761u % 2048) / 1024.0f - 1;
  for (size_t i = 0; i < n_b; i++)
    b[i] = (float)(i * 2246822519u % 2048) / 1024.0f - 1;
  Product product = { device, NULL, shape, a, b, ours };
  printf("    {\"shape\": \"%s\", \"m\": %d, \"n\": %d, \"k\": %d, \"clew\": %.1f", shape->name,
         shape->m, shape->n, shape->k, gflops(&product));
  if (sgemm != NULL) {
    product.sgemm = sgemm;
    product.c = theirs;
    printf(", \"openblas\": %.1f", gflops(&product));
    printf(", \"largest_difference\": %.2g", largest_difference(ours, theirs, n_c));
  }
  printf("}%s\n", separator);
}

int
main(int argc, char **argv)
{
  CwkDevice *device = cwk_cpu_new(argc > 1 ? atoi(argv[1]) : 0);
  if (device == NULL)
    g_error("no threads or no memory");
  const char *core = NULL;
  Sgemm sgemm = find_openblas(cwk_device_n_threads(device), &core);
  printf("{\"device\": \"%s\", \"openblas_core\": \"%s\", \"gflops\": [\n",
         cwk_device_name(device), sgemm != NULL ? core : "not installed");
  for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
    bench_shape(device, sgemm, &shapes[i], i + 1 < G_N_ELEMENTS(shapes) ? "," : "");
  printf("]}\n");
  cwk_device_free(device);
  return 0;
}
