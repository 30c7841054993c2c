/* test-quadtree.c - what a group of points sees: every point once, and nearly the force that
 * summing all pairs gives. */
#include "graph/quadtree.h"
#include "test-support.h"

#include <math.h>

typedef struct {
  size_t n;
  float *x, *y;
} Points;

static double
uniform(guint64 *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 33) / 2147483648.0;
}

/* Clusters of very different density, as a layout has them. */
static Points
points_new(size_t n, guint64 seed)
{
  Points points = { n, g_new(float, n + 1), g_new(float, n + 1) };
  for (size_t i = 0; i < n; i++) {
    double cluster = (double)(i % 7), size = pow(3, cluster - 3);
    points.x[i] = (float)(40 * sin(cluster) + size * (uniform(&seed) - 0.5));
    points.y[i] = (float)(40 * cos(cluster) + size * (uniform(&seed) - 0.5));
  }
  return points;
}

static void
points_clear(Points *points)
{
  g_free(points->x);
  g_free(points->y);
}

static void
add_push(double fx[2], double x, double y, double from_x, double from_y, double mass)
{
  double dx = x - from_x, dy = y - from_y, d2 = dx * dx + dy * dy + 1e-3;
  fx[0] += mass * dx / d2;
  fx[1] += mass * dy / d2;
}

/* Root of the mean square error of the tree's forces, over that of the forces. */
static double
relative_error(const Points *points, double theta)
{
  CwQuadtree *tree = cw_quadtree_new(points->n);
  g_assert_nonnull(tree);
  cw_quadtree_build(tree, points->x, points->y, points->n);
  double error = 0, size = 0;
  for (size_t g = 0; g < cw_quadtree_get_n_groups(tree); g++) {
    size_t n;
    const uint32_t *member = cw_quadtree_peek_group(tree, g, &n);
    CwQuadtreeView view;
    cw_quadtree_see(tree, g, theta, &view);
    for (size_t k = 0; k < n; k++) {
      double x = points->x[member[k]], y = points->y[member[k]], near[2] = { 0 },
             all[2] = { 0 };
      for (size_t i = 0; i < view.n; i++)
        add_push(near, x, y, view.x[i], view.y[i], view.mass[i]);
      for (size_t i = 0; i < points->n; i++)
        add_push(all, x, y, points->x[i], points->y[i], 1);
      error +=
          (near[0] - all[0]) * (near[0] - all[0]) + (near[1] - all[1]) * (near[1] - all[1]);
      size += all[0] * all[0] + all[1] * all[1];
    }
  }
  cw_quadtree_free(tree);
  return sqrt(error / size);
}

/* The first term a centre of mass leaves out is of second order in a square's side over its
 * distance. The bound, 1 % at the theta in use, is a hundredth of what a step may move. */
static void
test_near_exact(void)
{
  Points points = points_new(7000, 1);
  double coarse = relative_error(&points, 0.6), fine = relative_error(&points, 0.3);
  double none = relative_error(&points, 0);
  g_test_message("relative error %.2g at theta 0.6, %.2g at 0.3", coarse, fine);
  g_assert_cmpfloat(coarse, <, 0.01);
  g_assert_cmpfloat(fine, <, coarse / 4);
  g_assert_cmpfloat(none, <, 1e-6);
  points_clear(&points);
}

/* Every point is in one group, and every group sees the mass of all. */
static void
check_masses(const Points *points)
{
  CwQuadtree *tree = cw_quadtree_new(points->n);
  g_assert_nonnull(tree);
  cw_quadtree_build(tree, points->x, points->y, points->n);
  g_autofree guint8 *is_met = g_new0(guint8, points->n + 1);
  for (size_t g = 0; g < cw_quadtree_get_n_groups(tree); g++) {
    size_t n;
    const uint32_t *member = cw_quadtree_peek_group(tree, g, &n);
    g_assert_cmpuint(n, >, 0);
    g_assert_cmpuint(n, <=, CW_QUADTREE_GROUP);
    for (size_t k = 0; k < n; k++)
      g_assert_false(is_met[member[k]]++);
    CwQuadtreeView view;
    cw_quadtree_see(tree, g, 0.6, &view);
    double mass = 0;
    for (size_t i = 0; i < view.n; i++)
      mass += (double)view.mass[i];
    g_assert_cmpfloat(mass, ==, (double)points->n);
  }
  for (size_t i = 0; i < points->n; i++)
    g_assert_true(is_met[i]);
  cw_quadtree_free(tree);
}

static void
test_every_point_once(void)
{
  static const size_t sizes[] = { 0, 1, 2, 32, 33, 1000, 7000 };
  for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
    Points points = points_new(sizes[k], k);
    check_masses(&points);
    points_clear(&points);
  }
}

/* All in one place, in a line, and two far apart. */
static void
test_degenerate(void)
{
  for (int kind = 0; kind < 3; kind++) {
    Points points = points_new(1000, 3);
    for (size_t i = 0; i < points.n; i++) {
      points.x[i] = kind == 0 ? 5 : kind == 1 ? (float)i : i == 0 ? 1e6f : -1e6f;
      points.y[i] = 2;
    }
    check_masses(&points);
    points_clear(&points);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/quadtree/near-exact", test_near_exact);
  g_test_add_func("/core/quadtree/every-point-once", test_every_point_once);
  g_test_add_func("/core/quadtree/degenerate", test_degenerate);
  return g_test_run();
}
