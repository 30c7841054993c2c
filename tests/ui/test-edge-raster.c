/* test-edge-raster.c - the texture of edges: its sums on threads, its grey, its border. */
#include <math.h>

#include "golden-graph.h"
#include "picture/camera.h"
#include "picture/edge-raster.h"
#include "picture/layers-layout.h"

#define WIDTH  900.0
#define HEIGHT 600.0

static const CwuRect plot = { 60, 40, WIDTH, HEIGHT };

static CwuScene *
scene_new(void)
{
  g_autoptr(CwGraph) graph = graph_random(2000, 8, 5, 0.01, 3);
  return cwu_scene_new(graph, NULL, NULL);
}

/* Many threads add up to what one does, and a raised flag to nothing. */
static void
test_on_threads(void)
{
  g_autoptr(CwuScene) scene = scene_new();
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  CwuCamera camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &plot);
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  CwuEdgeRaster *rasters[3];
  cairo_surface_t *images[3];
  size_t n = scene->n_edges;
  for (int i = 0; i < 3; i++)
    rasters[i] = cwu_edge_raster_new(&camera, 1, NULL);
  g_assert_cmpuint(cwu_edge_raster_add(rasters[0], scene, layout, 0, n, cancel), ==, n);
  g_assert_cmpuint(cwu_edge_raster_add_on_threads(rasters[1], scene, layout, 0, n, cancel), ==,
                   n);
  cw_cancel_trigger(cancel);
  g_assert_cmpuint(cwu_edge_raster_add_on_threads(rasters[2], scene, layout, 0, n, cancel), ==,
                   0);
  for (int i = 0; i < 3; i++)
    images[i] = cwu_edge_raster_dup_image(rasters[i], cwu_theme_get(CWU_THEME_LIGHT));
  size_t n_bytes = (size_t)cairo_image_surface_get_stride(images[0]) *
                   (size_t)cairo_image_surface_get_height(images[0]);
  const unsigned char *one = cairo_image_surface_get_data(images[0]);
  const unsigned char *many = cairo_image_surface_get_data(images[1]);
  const unsigned char *none = cairo_image_surface_get_data(images[2]);
  bool has_ink = false;
  for (size_t i = 0; i < n_bytes; i++) {
    g_assert_cmpint(abs(one[i] - many[i]), <=, 1); /* sums in another order, rounded */
    g_assert_cmpint(none[i], ==, 0);
    has_ink |= one[i] > 0;
  }
  g_assert_true(has_ink);
  for (int i = 0; i < 3; i++) {
    cairo_surface_destroy(images[i]);
    cwu_edge_raster_free(rasters[i]);
  }
}

/* Mean alpha of all edges over a plot of so many times the usual width and height. */
static double
mean_ink(const CwuScene *scene, CwuThemeKind kind, double times)
{
  CwuRect large = { 0, 0, times * WIDTH, times * HEIGHT };
  CwuCamera camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &large);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, large.width, large.height, NULL);
  CwuEdgeRaster *raster = cwu_edge_raster_new(&camera, 1, NULL);
  cwu_edge_raster_add(raster, scene, layout, 0, scene->n_edges, NULL);
  cairo_surface_t *image = cwu_edge_raster_dup_image(raster, cwu_theme_get(kind));
  int width = cairo_image_surface_get_width(image);
  int height = cairo_image_surface_get_height(image);
  double sum = 0;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      sum += cairo_image_surface_get_data(
          image)[y * cairo_image_surface_get_stride(image) + 4 * x + 3];
  cairo_surface_destroy(image);
  cwu_edge_raster_free(raster);
  return sum / 255 / width / height;
}

/* Twice as wide and high, edges are twice as far apart: the mass keeps its grey. */
static void
test_mass_does_not_fade_with_size(void)
{
  g_autoptr(CwGraph) graph = graph_random(100, 8, 5, 0.1, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  for (int kind = 0; kind < CWU_N_THEMES; kind++) {
    double usual = mean_ink(scene, (CwuThemeKind)kind, 1);
    double large = mean_ink(scene, (CwuThemeKind)kind, 2);
    g_test_message("theme %d: %.4f, twice as large %.4f", kind, usual, large);
    g_assert_cmpfloat(large, >, 0.8 * usual);
    g_assert_cmpfloat(large, <, 1.2 * usual);
  }
}

/* Of a few hundred edges even the weakest, alone, is seen; of a few dozen it is a plain line.
 */
static void
check_weakest(const CwuScene *scene, double weakest, int least_alpha)
{
  CwuRect usual = { 0, 0, WIDTH, HEIGHT };
  CwuCamera camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &usual);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  double share = fabs((double)scene->edges[scene->edge_order[scene->n_edges - 1]].share);
  g_assert_cmpfloat(share, <, weakest);
  for (int kind = 0; kind < CWU_N_THEMES; kind++) {
    CwuEdgeRaster *raster = cwu_edge_raster_new(&camera, 1, NULL);
    cwu_edge_raster_add(raster, scene, layout, scene->n_edges - 1, scene->n_edges, NULL);
    cairo_surface_t *image = cwu_edge_raster_dup_image(raster, cwu_theme_get(kind));
    const unsigned char *data = cairo_image_surface_get_data(image);
    size_t n_bytes = (size_t)cairo_image_surface_get_stride(image) *
                     (size_t)cairo_image_surface_get_height(image);
    int most = 0;
    for (size_t i = 3; i < n_bytes; i += 4)
      most = MAX(most, data[i]);
    g_test_message("theme %d: alpha %d of 255", kind, most);
    g_assert_cmpint(most, >=, least_alpha);
    cairo_surface_destroy(image);
    cwu_edge_raster_free(raster);
  }
}

static void
test_few_edges_are_seen(void)
{
  g_autoptr(CwGraph) hundreds = graph_random(40, 8, 5, 0.5, 3);
  g_autoptr(CwGraph) dozens = graph_random(10, 8, 5, 0.02, 3);
  g_autoptr(CwuScene) many = cwu_scene_new(hundreds, NULL, NULL);
  g_autoptr(CwuScene) few = cwu_scene_new(dozens, NULL, NULL);
  g_assert_cmpuint(many->n_edges, <, 1000);
  g_assert_cmpuint(few->n_edges, <, 40);
  check_weakest(many, 0.01, 7); /* a difference that a screen shows */
  check_weakest(few, 0.03, 40); /* a sixth of the way from the ground to black */
}

static cairo_surface_t *
image_of(const CwuScene *scene, const CwuLayout *layout, const CwuCamera *camera)
{
  g_autoptr(CwuEdgeRaster) raster = cwu_edge_raster_new(camera, 1, NULL);
  cwu_edge_raster_add(raster, scene, layout, 0, scene->n_edges, NULL);
  return cwu_edge_raster_dup_image(raster, cwu_theme_get(CWU_THEME_LIGHT));
}

static const unsigned char *
row_of(cairo_surface_t *image, int y)
{
  return cairo_image_surface_get_data(image) + y * cairo_image_surface_get_stride(image);
}

/* Most edges leave a small part of the picture: what is left of them is as it is in all of it.
 */
static void
test_part(void)
{
  const int x0 = 310, y0 = 170, width = 40, height = 33;
  g_autoptr(CwuScene) scene = scene_new();
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, 800, 600, NULL);
  /* No larger, so that edges take as much ink in it as in the part. */
  CwuCamera all = { .plot = { 0, 0, 800, 600 }, .zoom = 1 }, part = all;
  part.plot = (CwuRect){ 0, 0, width, height };
  part.offset_x = -x0;
  part.offset_y = -y0;
  cairo_surface_t *whole = image_of(scene, layout, &all), *cut = image_of(scene, layout, &part);
  bool has_ink = false;
  for (int y = 0; y < height; y++)
    for (int i = 0; i < 4 * width; i++) {
      int is = row_of(cut, y)[i], should = row_of(whole, y + y0)[4 * x0 + i];
      g_assert_cmpint(abs(is - should), <=, 1); /* lines are cut elsewhere, and rounded */
      has_ink |= is > 0;
    }
  g_assert_true(has_ink);
  cairo_surface_destroy(whole);
  cairo_surface_destroy(cut);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ui/edge-raster/on-threads", test_on_threads);
  g_test_add_func("/ui/edge-raster/few-edges-are-seen", test_few_edges_are_seen);
  g_test_add_func("/ui/edge-raster/mass-does-not-fade-with-size",
                  test_mass_does_not_fade_with_size);
  g_test_add_func("/ui/edge-raster/a-part-is-as-in-the-whole", test_part);
  return g_test_run();
}
