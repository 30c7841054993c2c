/* matmul.c - the matrix product of the kernels at the shapes of a small model, with f32 and
 * Q4_1 rows, beside OpenBLAS where the machine has it: as a user finds it (its own choice of
 * kernels) and with the kernels for this CPU forced before it loads, in a process each.
 *
 *   bench-matmul [--threads 2] [--core SkylakeX]
 *
 * The sides take turns in short rounds and the best round counts. The products must agree
 * before any time counts. OpenBLAS multiplies the decoded matrix; ours decodes while packing.
 */
#include "bench-support.h"
#include "matmul-rate.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static char *core = NULL;
static int n_threads = 2;
static gboolean is_side;

static const GOptionEntry entries[] = {
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "threads of both sides", "N" },
  { "core", 0, 0, G_OPTION_ARG_STRING, &core, "kernels of OpenBLAS to force (SkylakeX)",
    "NAME" },
  { "side", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &is_side, NULL, NULL },
  { NULL },
};

/* SmolLM2-135M: 512 positions through the attention output and the MLP, the vectors of a sweep,
 * one step of generation, and the unembedding of 64 positions. */
static const struct {
  const char *name;
  int64_t m, n, k;
} shapes[] = { { "attention_out", 512, 576, 576 }, { "mlp_up", 512, 1536, 576 },
               { "mlp_down", 512, 576, 1536 },     { "sweep", 3000, 576, 576 },
               { "one_row", 1, 1536, 576 },        { "unembed", 64, 49152, 576 } };

#define N_ROUNDS      7
#define ROUND_SECONDS 0.05

typedef void (*Sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k,
                      float alpha, const float *a, int lda, const float *b, int ldb, float beta,
                      float *c, int ldc);

static Sgemm
find_openblas(const char **core_name)
{
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL)
    return NULL;
  void (*set_threads)(int);
  char *(*get_core_name)(void);
  Sgemm sgemm;
  *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
  *(void **)&get_core_name = dlsym(library, "openblas_get_corename");
  *(void **)&sgemm = dlsym(library, "cblas_sgemm");
  if (set_threads != NULL)
    set_threads(n_threads);
  *core_name = get_core_name != NULL ? get_core_name() : "unknown";
  return sgemm;
}

static void
multiply_openblas(const MatmulCase *run, Sgemm sgemm, float *c)
{
  sgemm(101, 111, 112, (int)run->m, (int)run->n, (int)run->k, 1, run->a, (int)run->k, run->b,
        (int)run->k, 0, c, (int)run->n);
}

static double
openblas_rate(const MatmulCase *run, Sgemm sgemm, float *c)
{
  double best = INFINITY;
  gint64 begin = g_get_monotonic_time();
  while ((double)(g_get_monotonic_time() - begin) < ROUND_SECONDS * 1e6) {
    gint64 start = g_get_monotonic_time();
    multiply_openblas(run, sgemm, c);
    best = MIN(best, (double)(g_get_monotonic_time() - start));
  }
  return 2.0 * (double)run->m * (double)run->n * (double)run->k / best * 1e-3;
}

/* Sums of k products in any order, of values below 1: an error of k rounding steps at most. */
static bool
products_agree(const MatmulCase *run, const float *theirs)
{
  double largest = 0, allowed = (double)run->k * (double)run->k * 6e-8;
  for (int64_t i = 0; i < run->m * run->n; i++) {
    double difference = fabs((double)run->c[i] - (double)theirs[i]);
    if (!(difference <= largest))
      largest = difference;
  }
  return largest <= allowed;
}

/* One shape and one type of rows, both sides taking turns. */
static bool
measure(CwkDevice *device, Sgemm sgemm, size_t shape, CwkDtype dtype, double *ours,
        double *theirs)
{
  MatmulCase run;
  int64_t m = shapes[shape].m, n = shapes[shape].n;
  g_autofree float *c = g_try_new0(float, (size_t)(m * n));
  if (c == NULL || !matmul_case_new(&run, m, n, shapes[shape].k, dtype))
    return false;
  bool agrees = matmul_case_run(&run, device) == CWK_OK;
  if (agrees && sgemm != NULL) {
    multiply_openblas(&run, sgemm, c);
    agrees = products_agree(&run, c);
  }
  *ours = *theirs = 0;
  for (int round = 0; agrees && round < N_ROUNDS; round++) {
    *ours = MAX(*ours, matmul_case_rate(&run, device, ROUND_SECONDS));
    if (sgemm != NULL)
      *theirs = MAX(*theirs, openblas_rate(&run, sgemm, c));
  }
  matmul_case_clear(&run);
  return agrees;
}

static int
run_side(void)
{
  CwkDevice *device = cwk_cpu_new(n_threads);
  const char *core_name = "not installed";
  Sgemm sgemm = find_openblas(&core_name);
  printf("{\"device\": \"%s\", \"openblas_core\": \"%s\", \"gflops\": [",
         cwk_device_name(device), core_name);
  for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
    double f32, q4_1, blas, blas_again;
    if (!measure(device, sgemm, i, CWK_F32, &f32, &blas) ||
        !measure(device, sgemm, i, CWK_Q4_1, &q4_1, &blas_again)) {
      fprintf(stderr, "The products of %s do not agree, or there is no memory\n",
              shapes[i].name);
      return 1;
    }
    printf("%s{\"shape\": \"%s\", \"m\": %" G_GINT64_FORMAT ", \"n\": %" G_GINT64_FORMAT
           ", \"k\": %" G_GINT64_FORMAT ", \"f32\": %.1f, \"q4_1\": %.1f",
           i == 0 ? "" : ", ", shapes[i].name, shapes[i].m, shapes[i].n, shapes[i].k, f32,
           q4_1);
    if (sgemm != NULL)
      printf(", \"openblas\": %.1f", MAX(blas, blas_again));
    printf("}");
  }
  printf("]}\n");
  cwk_device_free(device);
  return 0;
}

static bool
run_with(const char *self, const char *setting, const char *separator)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *threads = g_strdup_printf("%d", n_threads);
  g_autofree char *blas_threads = g_strdup_printf("OPENBLAS_NUM_THREADS=%d", n_threads);
  const char *argv[] = { "env",    blas_threads, setting, self,
                         "--side", "--threads",  threads, NULL };
  BenchRun run = { 0 };
  if (!bench_run(argv, &run, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return false;
  }
  printf("  %s{\"setting\": \"%s\", \"others_cpu\": %.2f, \"result\": %s}\n", separator,
         setting, run.others_cpu_seconds, run.line);
  bench_run_clear(&run);
  return true;
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  if (is_side)
    return run_side();
  g_autofree char *machine = bench_describe_machine();
  g_autofree char *forced =
      g_strdup_printf("OPENBLAS_CORETYPE=%s", core != NULL ? core : "SkylakeX");
  printf("{\"case\": \"matmul\", \"machine\": \"%s\", \"threads\": %d, \"runs\": [\n", machine,
         n_threads);
  fflush(stdout);
  if (!run_with(argv[0], "OPENBLAS_VERBOSE=0", "") || !run_with(argv[0], forced, ", "))
    return 1;
  printf("]}\n");
  return 0;
}
