/* edge-raster.c - anti-aliased lines added up in a float buffer, then mapped to an alpha.
 *
 * A line steps one pixel at a time along its longer axis and shares its ink between the two
 * pixels beside it (Wu 1991); ink is scaled by 1 / cos so that slanted lines are as thick as
 * straight ones. Sums do not saturate while drawing: alpha = peak * (1 - exp(-density)) keeps a
 * bundle of a thousand edges darker than one of a hundred and both pale. The order of edges
 * does not matter, so that a first, coarse picture can be refined by adding.
 *
 * Rejected: cairo (105 us a line, measured), blending 8-bit alphas (a thousand faint lines
 * round to nothing or saturate). */
#include "picture/edge-raster.h"

#include <math.h>
#include <string.h>

#define EDGES_PER_LOOK 2048
#define EDGES_AHEAD    8 /* asked from memory before their turn: they lie all over it */
#define MAX_THREADS    4
/* Ink of an edge by its share of the target's input: even the weakest leaves a trace. */
#define INK_LEAST 0.018
#define INK_MOST  1.1
/* The inks are for a plot of this size. On a larger one the same edges lie further apart, each
 * still one pixel wide, and the mass would fade away: they take more ink. */
#define USUAL_PX2   500000.0
#define SPREAD_MOST 2.5
/* And for so many edges, whose bundles are plain to see: a few hundred lines stand alone, and
 * the weak ones among them would not be seen at all: the least ink is more, the fewer edges. */
#define USUAL_EDGES 8000.0
#define FEW_POWER   0.75
#define FEW_MOST    60.0
/* A dozen lines are no mass at all but drawn ones, the strong among them darker still. */
#define FEW_MASS 12.0 /* so much more ink than usual still makes one */

struct _CwuEdgeRaster {
  CwuCamera camera;  /* plot at the origin, in device pixels */
  double scale, ink; /* ink: what an edge's is multiplied with */
  int width, height; /* device pixels */
  float *density;    /* [height, width] */
};

CwuEdgeRaster *
cwu_edge_raster_new(const CwuCamera *camera, double scale, GError **error)
{
  double width = ceil(camera->plot.width * scale), height = ceil(camera->plot.height * scale);
  g_autoptr(CwuEdgeRaster) raster = g_new0(CwuEdgeRaster, 1);
  raster->scale = scale;
  double spread = sqrt(camera->plot.width * camera->plot.height / USUAL_PX2);
  raster->ink = sqrt(scale) * CLAMP(spread, 1, SPREAD_MOST);
  raster->width = (int)CLAMP(width, 1, 32767);
  raster->height = (int)CLAMP(height, 1, 32767);
  raster->camera = (CwuCamera){ .plot = { 0, 0, width, height },
                                .zoom = camera->zoom * scale,
                                .offset_x = camera->offset_x * scale,
                                .offset_y = camera->offset_y * scale,
                                .openness = camera->openness };
  raster->density =
      g_try_malloc0_n((size_t)raster->width * (size_t)raster->height, sizeof(float));
  if (raster->density != NULL)
    return g_steal_pointer(&raster);
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "Not enough memory for a picture of %d x %d pixels: ask for a smaller one",
              raster->width, raster->height);
  return NULL;
}

void
cwu_edge_raster_free(CwuEdgeRaster *raster)
{
  if (raster == NULL)
    return;
  g_free(raster->density);
  g_free(raster);
}

/* Keeps the part of a .. b whose main coordinate lies in [0, limit). */
static bool
clip_main(double *a, double *a_side, double *b, double *b_side, double limit)
{
  if (*b <= 0 || *a >= limit)
    return false;
  double slope = (*b_side - *a_side) / (*b - *a);
  if (*a < 0) {
    *a_side -= *a * slope;
    *a = 0;
  }
  if (*b > limit) {
    *b_side -= (*b - limit) * slope;
    *b = limit;
  }
  return true;
}

/* ceil() of what lies above -1, without a call. */
static int
ceil_int(double x)
{
  int below = (int)x;
  return below + (x > below);
}

/* From pixel `from` to before `to` along a line that stays so far inside that no pixel of it
 * need be looked at. cell is that of from and side 0. */
static void
ink_inside(float *cell, int from, int to, float side, float step, size_t main_stride,
           size_t side_stride, float ink)
{
  for (int i = from; i < to; i++, side += step, cell += main_stride) {
    int s = (int)side;
    float part = side - (float)s, *at = cell + (size_t)s * side_stride;
    at[0] += ink * (1 - part);
    at[side_stride] += ink * part;
  }
}

/* The same, leaving out what lies beside the picture. */
static void
ink_crossing(float *cell, int from, int to, float side, float step, size_t main_stride,
             size_t side_stride, int side_limit, float ink)
{
  for (int i = from; i < to; i++, side += step, cell += main_stride) {
    float floor_side = floorf(side), part = side - floor_side;
    int s = (int)floor_side;
    if (s >= 0 && s < side_limit)
      cell[(size_t)s * side_stride] += ink * (1 - part);
    if (s + 1 >= 0 && s + 1 < side_limit)
      cell[(size_t)(s + 1) * side_stride] += ink * part;
  }
}

/* One line from main coordinate a to b > a. Pixels whose middle lies in [a, b) are inked, so
 * that consecutive lines of a curve share none. main_stride and side_stride step in density. */
static void
add_line(float *density, double a, double a_side, double b, double b_side, int main_limit,
         int side_limit, size_t main_stride, size_t side_stride, float ink)
{
  if (!clip_main(&a, &a_side, &b, &b_side, main_limit))
    return;
  int from = ceil_int(a - 0.5), to = MIN(ceil_int(b - 0.5), main_limit);
  if (from >= to)
    return;
  double slope = (b_side - a_side) / (b - a);
  float side = (float)(a_side + (from + 0.5 - a) * slope - 0.5), step = (float)slope;
  float *cell = density + (size_t)from * main_stride;
  ink *= sqrtf(1 + step * step);
  /* Half a pixel before the first and behind the last, and what sums of steps round. */
  if (MIN(a_side, b_side) >= 2 && MAX(a_side, b_side) <= side_limit - 2)
    ink_inside(cell, from, to, side, step, main_stride, side_stride, ink);
  else
    ink_crossing(cell, from, to, side, step, main_stride, side_stride, side_limit, ink);
}

static void
add_segment(CwuEdgeRaster *raster, CwuPoint a, CwuPoint b, float ink)
{
  size_t row = (size_t)raster->width;
  if (fabs(b.x - a.x) >= fabs(b.y - a.y)) {
    if (a.x > b.x)
      add_line(raster->density, b.x, b.y, a.x, a.y, raster->width, raster->height, 1, row, ink);
    else if (a.x < b.x)
      add_line(raster->density, a.x, a.y, b.x, b.y, raster->width, raster->height, 1, row, ink);
  } else if (a.y > b.y) {
    add_line(raster->density, b.y, b.x, a.y, a.x, raster->height, raster->width, row, 1, ink);
  } else {
    add_line(raster->density, a.y, a.x, b.y, b.x, raster->height, raster->width, row, 1, ink);
  }
}

typedef struct {
  double least, most;
} Inks;

static double
fewness(size_t n_edges)
{
  return CLAMP(pow(USUAL_EDGES / (double)MAX(n_edges, 1), FEW_POWER), 1, FEW_MOST);
}

double
cwu_edge_fewness(size_t n_edges)
{
  return (fewness(n_edges) - 1) / (FEW_MOST - 1);
}

static Inks
inks_for(const CwuScene *scene)
{
  double few = fewness(scene->n_edges);
  return (Inks){ INK_LEAST * few, INK_MOST * MAX(few / FEW_MASS, 1) };
}

static void
add_edge(CwuEdgeRaster *raster, const CwuLayout *layout, const CwuSceneEdge *edge, Inks inks)
{
  CwuCurve curve = cwu_edge_curve(layout, &raster->camera, edge);
  CwuRect bounds = cwu_curve_bounds(&curve);
  bounds.width += 1e-3;
  bounds.height += 1e-3;
  if (!cwu_rect_overlaps(&bounds, &raster->camera.plot))
    return;
  CwuPoint points[CWU_CURVE_MAX_POINTS];
  size_t n = cwu_curve_flatten(&curve, points);
  double share = MIN(fabs((double)edge->share), 1.0);
  float ink = (float)((inks.least + (inks.most - inks.least) * share) * raster->ink);
  for (size_t i = 1; i < n; i++)
    add_segment(raster, points[i - 1], points[i], ink);
}

size_t
cwu_edge_raster_add(CwuEdgeRaster *raster, const CwuScene *scene, const CwuLayout *layout,
                    size_t from, size_t to, const CwCancel *cancel)
{
  Inks inks = inks_for(scene);
  size_t i = from;
  for (; i < MIN(to, scene->n_edges); i++) {
    if ((i - from) % EDGES_PER_LOOK == 0 && cw_cancel_is_triggered(cancel))
      break;
    if (i + EDGES_AHEAD < scene->n_edges)
      __builtin_prefetch(&scene->edges[scene->edge_order[i + EDGES_AHEAD]]);
    add_edge(raster, layout, &scene->edges[scene->edge_order[i]], inks);
  }
  return i;
}

/* ---- on threads ------------------------------------------------------------------------ */

/* A part of the edges, on a density of its own: two threads may not add to one pixel. */
typedef struct {
  CwuEdgeRaster raster;
  const CwuScene *scene;
  const CwuLayout *layout;
  size_t from, to;
  const CwCancel *cancel;
  bool is_done;
  GThread *thread;
} Part;

static gpointer
add_part(gpointer data)
{
  Part *part = data;
  part->is_done = cwu_edge_raster_add(&part->raster, part->scene, part->layout, part->from,
                                      part->to, part->cancel) == part->to;
  return NULL;
}

static bool
part_start(Part *part, const CwuEdgeRaster *raster)
{
  size_t n = (size_t)raster->width * (size_t)raster->height;
  part->raster = *raster;
  part->raster.density = g_try_malloc0_n(n, sizeof(float));
  if (part->raster.density != NULL)
    part->thread = g_thread_try_new("edges", add_part, part, NULL);
  return part->thread != NULL;
}

/* Waits for a part, and takes it over if it is wanted. */
static void
part_end(Part *part, CwuEdgeRaster *raster, bool is_wanted)
{
  size_t n = (size_t)raster->width * (size_t)raster->height;
  for (size_t i = 0; is_wanted && i < n; i++)
    raster->density[i] += part->raster.density[i];
  g_free(part->raster.density);
}

size_t
cwu_edge_raster_add_on_threads(CwuEdgeRaster *raster, const CwuScene *scene,
                               const CwuLayout *layout, size_t from, size_t to,
                               const CwCancel *cancel)
{
  Part parts[MAX_THREADS] = { 0 };
  size_t n = CLAMP(g_get_num_processors(), 1, MAX_THREADS);
  bool ok = true;
  to = MIN(to, scene->n_edges);
  for (size_t i = 0; i < n && ok; i++) {
    parts[i].scene = scene;
    parts[i].layout = layout;
    parts[i].from = from + (to - from) * i / n;
    parts[i].to = from + (to - from) * (i + 1) / n;
    parts[i].cancel = cancel;
    ok = part_start(&parts[i], raster);
  }
  for (size_t i = 0; i < n; i++)
    if (parts[i].thread != NULL) {
      g_thread_join(parts[i].thread);
      ok = ok && parts[i].is_done;
    }
  for (size_t i = 0; i < n; i++)
    part_end(&parts[i], raster, ok);
  return ok ? to : from;
}

/* ---- as an image ----------------------------------------------------------------------- */

static uint32_t
premultiply(CwuColour colour, double alpha)
{
  uint32_t a = (uint32_t)lround(alpha * 255), r = (uint32_t)lround(colour.r * alpha * 255);
  uint32_t g = (uint32_t)lround(colour.g * alpha * 255);
  uint32_t b = (uint32_t)lround(colour.b * alpha * 255);
  return a << 24 | r << 16 | g << 8 | b;
}

cairo_surface_t *
cwu_edge_raster_dup_image(const CwuEdgeRaster *raster, const CwuTheme *theme)
{
  enum { N_STEPS = 1024 };
  const float most = 6; /* exp(-6) is below one grey level */
  uint32_t colours[N_STEPS + 1];
  for (int i = 0; i <= N_STEPS; i++)
    colours[i] = premultiply(theme->mass, theme->mass.a * (1 - exp(-most * i / N_STEPS)));
  cairo_surface_t *image =
      cairo_image_surface_create(CAIRO_FORMAT_ARGB32, raster->width, raster->height);
  if (cairo_surface_status(image) != CAIRO_STATUS_SUCCESS) {
    cairo_surface_destroy(image);
    return NULL;
  }
  unsigned char *data = cairo_image_surface_get_data(image);
  int stride = cairo_image_surface_get_stride(image);
  for (int y = 0; y < raster->height; y++) {
    uint32_t *out = (uint32_t *)(void *)(data + (size_t)y * (size_t)stride);
    const float *in = raster->density + (size_t)y * (size_t)raster->width;
    for (int x = 0; x < raster->width; x++)
      out[x] = colours[(int)(MIN(in[x], most) * (N_STEPS / most))];
  }
  cairo_surface_mark_dirty(image);
  cairo_surface_set_device_scale(image, raster->scale, raster->scale);
  return image;
}
