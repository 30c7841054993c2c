/* test-repulsion.c - points pushing each other away, against sums in double, on every
 * instruction set. */
#include "test-isa.h"

#include <math.h>
#include <string.h>

enum { N_MOST = 700 };

typedef struct {
  float x[N_MOST], y[N_MOST], mass[N_MOST];
} Points;

static void
fill(Points *points, double size, guint32 state)
{
  for (int i = 0; i < N_MOST; i++) {
    float *values[] = { &points->x[i], &points->y[i], &points->mass[i] };
    for (int k = 0; k < 3; k++) {
      state = state * 1664525u + 1013904223u;
      *values[k] = (float)((double)(state >> 8) / 16777216.0 * (k == 2 ? 3 : size));
    }
  }
  /* Two in one place. */
  points->x[3] = points->x[1];
  points->y[3] = points->y[1];
}

/* What every source adds is off by no more than a few 2^-23 of itself. */
static void
assert_force(const CwkRepulsionArgs *args, int64_t i)
{
  double fx = 0, fy = 0, size = 0;
  for (int64_t j = 0; j < args->n_sources; j++) {
    double dx = (double)args->x[i] - (double)args->source_x[j];
    double dy = (double)args->y[i] - (double)args->source_y[j];
    double w = (double)args->source_mass[j] / (dx * dx + dy * dy + (double)args->softening);
    fx += dx * w;
    fy += dy * w;
    size += hypot(dx, dy) * w;
  }
  double limit = size * (8 + sqrt((double)args->n_sources)) * 0x1p-23;
  g_assert_cmpfloat(fabs((double)args->force_x[i] - fx), <=, limit);
  g_assert_cmpfloat(fabs((double)args->force_y[i] - fy), <=, limit);
}

static void
test_sums(gconstpointer isa)
{
  static const int64_t sizes[] = { 0, 1, 2, 15, 16, 17, 31, 33, 64, 65, 257, N_MOST };
  CwkDevice *device = test_isa_device(isa);
  g_autofree Points *points = g_new0(Points, 1);
  float fx[N_MOST + 1], fy[N_MOST + 1];
  for (double size = 1e-3; size < 1e8; size *= 1e5) {
    fill(points, size, 7);
    for (size_t a = 0; a < G_N_ELEMENTS(sizes); a++)
      for (size_t b = 0; b < G_N_ELEMENTS(sizes); b++) {
        CwkRepulsionArgs args = { sizes[a],  sizes[b],     points->x, points->y, points->x,
                                  points->y, points->mass, 1e-4f,     fx,        fy };
        fx[sizes[a]] = fy[sizes[a]] = 7.25f;
        g_assert_cmpint(cwk_repulsion(device, &args), ==, CWK_OK);
        for (int64_t i = 0; i < sizes[a]; i++)
          assert_force(&args, i);
        g_assert_true(fx[sizes[a]] == 7.25f && fy[sizes[a]] == 7.25f);
      }
  }
  cwk_device_free(device);
}

/* The points among themselves, every pair once. */
static void
test_mutual(gconstpointer isa)
{
  g_setenv("CLEW_ISA", isa, TRUE);
  CwkDevice *device = cwk_cpu_new(2);
  g_autofree Points *points = g_new0(Points, 1);
  float fx[N_MOST + 1], fy[N_MOST + 1];
  fill(points, 40, 5);
  for (int i = 0; i < N_MOST; i++)
    points->mass[i] = 1;
  for (int64_t n = 0; n <= N_MOST; n += n < 70 ? 1 : 90) {
    CwkRepulsionArgs args = { .n_points = n,
                              .x = points->x,
                              .y = points->y,
                              .softening = 1e-3f,
                              .force_x = fx,
                              .force_y = fy };
    fx[n] = fy[n] = 7.25f;
    g_assert_cmpint(cwk_repulsion(device, &args), ==, CWK_OK);
    CwkRepulsionArgs expected = args;
    expected.n_sources = n;
    expected.source_x = points->x;
    expected.source_y = points->y;
    expected.source_mass = points->mass;
    for (int64_t i = 0; i < n; i++)
      assert_force(&expected, i);
    g_assert_true(fx[n] == 7.25f && fy[n] == 7.25f);
  }
  cwk_device_free(device);
}

static void
test_same_bits_on_any_threads(void)
{
  g_unsetenv("CLEW_ISA");
  g_autofree Points *points = g_new0(Points, 1);
  fill(points, 30, 11);
  float first[4][N_MOST], other[4][N_MOST];
  for (int n_threads = 1; n_threads <= 4; n_threads++) {
    CwkDevice *device = cwk_cpu_new(n_threads);
    float(*out)[N_MOST] = n_threads == 1 ? first : other;
    CwkRepulsionArgs args = { N_MOST,    N_MOST,       points->x, points->y, points->x,
                              points->y, points->mass, 1e-4f,     out[0],    out[1] };
    g_assert_cmpint(cwk_repulsion(device, &args), ==, CWK_OK);
    args.source_x = NULL;
    args.force_x = out[2];
    args.force_y = out[3];
    g_assert_cmpint(cwk_repulsion(device, &args), ==, CWK_OK);
    g_assert_cmpmem(first, n_threads == 1 ? 0 : sizeof first, other,
                    n_threads == 1 ? 0 : sizeof other);
    cwk_device_free(device);
  }
}

static void
test_refuses_nonsense(void)
{
  CwkDevice *device = cwk_cpu_new(1);
  float x[2] = { 0, 1 }, out[4];
  CwkRepulsionArgs good = { 2, 2, x, x, x, x, x, 1e-4f, out, out + 2 };
  g_assert_cmpint(cwk_repulsion(device, &good), ==, CWK_OK);
  CwkRepulsionArgs bad = good;
  bad.softening = 0;
  g_assert_cmpint(cwk_repulsion(device, &bad), ==, CWK_SHAPE);
  bad = good;
  bad.n_points = -1;
  g_assert_cmpint(cwk_repulsion(device, &bad), ==, CWK_SHAPE);
  bad = good;
  bad.source_mass = NULL;
  g_assert_cmpint(cwk_repulsion(device, &bad), ==, CWK_SHAPE);
  cwk_device_free(device);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  test_add_per_isa("/kernels/repulsion/sums", test_sums);
  test_add_per_isa("/kernels/repulsion/mutual", test_mutual);
  g_test_add_func("/kernels/repulsion/same-bits-on-any-threads", test_same_bits_on_any_threads);
  g_test_add_func("/kernels/repulsion/refuses-nonsense", test_refuses_nonsense);
  return g_test_run();
}
