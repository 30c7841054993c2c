/* picture-job.c - see picture-job.h. Inputs of a job are its own references; it never sees a
 * widget. Textures come in steps: of half a million edges the strongest are there in a tenth of
 * a second and the rest a second later. */
#include "graph/picture-job.h"

#include <math.h>

#include "graph/minimap.h"
#include "picture/layers-layout.h"

#define COARSE_EDGES   16000
#define NEXT_EDGES     500000
#define MOVING_EDGES   2500
#define MOVING_FOCUS   150
#define OVERVIEW_EDGES 4000

/* ---- wishes ---------------------------------------------------------------------------- */

CwuOwnWish *
cwu_own_wish_new(const CwuPictureWish *wish, const CwuOwnWish *before)
{
  CwuOwnWish *own = g_new0(CwuOwnWish, 1);
  own->wish = *wish;
  own->graph = cw_graph_ref(wish->graph);
  own->plane = wish->plane != NULL ? cwu_layout_ref(wish->plane) : NULL;
  own->plane_scene = wish->plane_scene != NULL ? cwu_scene_ref(wish->plane_scene) : NULL;
  own->wish.graph = NULL;
  own->wish.pruned = NULL;
  own->wish.plane = NULL;
  own->wish.plane_scene = NULL;
  if (before != NULL && before->wish.graph_generation == wish->graph_generation) {
    own->node_mask = g_bytes_ref(before->node_mask);
    own->edge_mask = g_bytes_ref(before->edge_mask);
    own->share = g_bytes_ref(before->share);
  } else {
    own->node_mask = g_bytes_new(wish->pruned->node_mask, wish->pruned->n_nodes);
    own->edge_mask = g_bytes_new(wish->pruned->edge_mask, wish->pruned->n_edges);
    own->share =
        g_bytes_new(wish->pruned->cumulative_share, wish->pruned->n_nodes * sizeof(float));
  }
  return own;
}

CwuOwnWish *
cwu_own_wish_copy(const CwuOwnWish *wish)
{
  CwuOwnWish *own = g_new0(CwuOwnWish, 1);
  *own = *wish;
  cw_graph_ref(own->graph);
  g_bytes_ref(own->node_mask);
  g_bytes_ref(own->edge_mask);
  g_bytes_ref(own->share);
  if (own->plane != NULL)
    cwu_layout_ref(own->plane);
  if (own->plane_scene != NULL)
    cwu_scene_ref(own->plane_scene);
  return own;
}

void
cwu_own_wish_free(CwuOwnWish *own)
{
  if (own == NULL)
    return;
  cw_graph_unref(own->graph);
  g_bytes_unref(own->node_mask);
  g_bytes_unref(own->edge_mask);
  g_bytes_unref(own->share);
  cwu_layout_unref(own->plane);
  cwu_scene_unref(own->plane_scene);
  g_free(own);
}

void
cwu_mass_clear(CwuMass *mass)
{
  g_clear_pointer(&mass->raster, cwu_edge_raster_free);
  g_clear_pointer(&mass->layout, cwu_layout_unref);
  mass->n_done = 0;
}

void
cwu_picture_job_free(CwuPictureJob *job)
{
  cwu_own_wish_free(job->wish);
  cwu_scene_base_unref(job->base);
  cwu_scene_unref(job->scene);
  cwu_layout_unref(job->layout);
  cwu_mass_clear(&job->mass);
  g_clear_pointer(&job->mass_image, cairo_surface_destroy);
  g_clear_pointer(&job->focus_image, cairo_surface_destroy);
  g_clear_pointer(&job->overview_image, cairo_surface_destroy);
  cw_cancel_unref(job->cancel);
  g_free(job);
}

/* ---- steps ----------------------------------------------------------------------------- */

static bool
make_scene(CwuPictureJob *job, GError **error)
{
  CwPruned masks = {
    .n_nodes = cw_graph_get_n_nodes(job->wish->graph),
    .n_edges = cw_graph_get_n_edges(job->wish->graph),
    .node_mask = (uint8_t *)g_bytes_get_data(job->wish->node_mask, NULL),
    .edge_mask = (uint8_t *)g_bytes_get_data(job->wish->edge_mask, NULL),
    .cumulative_share = (float *)g_bytes_get_data(job->wish->share, NULL),
  };
  if (job->base == NULL)
    job->base = cwu_scene_base_new(job->wish->graph, error);
  if (job->base != NULL)
    job->scene = cwu_scene_new_from(job->base, &masks, error);
  return job->scene != NULL;
}

static bool
make_layout(CwuPictureJob *job, GError **error)
{
  const CwuPictureWish *wish = &job->wish->wish;
  if (wish->kind == CWU_LAYOUT_LAYERS)
    job->layout = cwu_layers_layout_new(job->scene, wish->camera.plot.width,
                                        wish->camera.plot.height, error);
  else if (job->wish->plane_scene == job->scene)
    job->layout = cwu_layout_ref(job->wish->plane);
  else
    return true;
  return job->layout != NULL;
}

size_t
cwu_picture_job_n_edges(const CwuPictureWish *wish, const CwuScene *scene)
{
  return wish->is_moving ? MIN(MOVING_EDGES, scene->n_edges) : scene->n_edges;
}

/* Takes the texture a step further, unless cancelled. */
static bool
make_mass(CwuPictureJob *job, GError **error)
{
  const CwuPictureWish *wish = &job->wish->wish;
  CwuMass *mass = &job->mass;
  if (mass->raster == NULL) {
    *mass = (CwuMass){ cwu_edge_raster_new(&wish->camera, wish->scale, error),
                       cwu_layout_ref(job->layout),
                       wish->camera,
                       wish->scale,
                       wish->theme,
                       0 };
    if (mass->raster == NULL)
      return false;
  }
  size_t from = mass->n_done;
  size_t to = MIN(from + (from == 0 ? COARSE_EDGES : NEXT_EDGES),
                  cwu_picture_job_n_edges(wish, job->scene));
  /* The coarse texture is always finished: a pan that cancels every job would never see one. */
  if (from > 0)
    mass->n_done = cwu_edge_raster_add_on_threads(mass->raster, job->scene, job->layout, from,
                                                  to, job->cancel);
  else
    mass->n_done = cwu_edge_raster_add(mass->raster, job->scene, job->layout, from, to, NULL);
  /* Without memory for threads it takes longer. */
  if (mass->n_done == from && !cw_cancel_is_triggered(job->cancel))
    mass->n_done =
        cwu_edge_raster_add(mass->raster, job->scene, job->layout, from, to, job->cancel);
  if (mass->n_done == to)
    job->mass_image = cwu_edge_raster_dup_image(mass->raster, cwu_theme_get(wish->theme));
  return true;
}

/* An image of the camera's plot to draw on in the picture's px. NULL without memory. */
static cairo_surface_t *
image_new(const CwuCamera *camera, double scale)
{
  const CwuRect *plot = &camera->plot;
  cairo_surface_t *image = cairo_image_surface_create(
      CAIRO_FORMAT_ARGB32, (int)ceil(plot->width * scale), (int)ceil(plot->height * scale));
  if (cairo_surface_status(image) != CAIRO_STATUS_SUCCESS) {
    cairo_surface_destroy(image);
    return NULL;
  }
  cairo_surface_set_device_scale(image, scale, scale);
  cairo_surface_set_device_offset(image, -plot->x * scale, -plot->y * scale);
  return image;
}

static void
make_focus(CwuPictureJob *job)
{
  const CwuPictureWish *wish = &job->wish->wish;
  int64_t selected = cwu_scene_find(job->scene, wish->selected);
  if (selected < 0 || (job->focus_image = image_new(&wish->camera, wish->scale)) == NULL)
    return;
  g_autoptr(CwuFocus) focus = cwu_focus_new(job->scene, selected);
  CwuPicture picture = { .scene = job->scene,
                         .layout = job->layout,
                         .theme = cwu_theme_get(wish->theme),
                         .focus = focus,
                         .hovered = -1,
                         .camera = wish->camera };
  cairo_t *cr = cairo_create(job->focus_image);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(wish->scale);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_focus(canvas, &picture, wish->is_moving ? MOVING_FOCUS : SIZE_MAX);
  cairo_destroy(cr);
  cairo_surface_flush(job->focus_image);
}

/* The strongest edges and all nodes, small. */
static bool
make_overview(CwuPictureJob *job, GError **error)
{
  const CwuPictureWish *wish = &job->wish->wish;
  const CwuTheme *theme = cwu_theme_get(wish->theme);
  CwuCamera camera = cwu_minimap_camera(job->layout);
  g_autoptr(CwuEdgeRaster) raster = cwu_edge_raster_new(&camera, wish->scale, error);
  if (raster == NULL)
    return false;
  cwu_edge_raster_add(raster, job->scene, job->layout, 0,
                      MIN(OVERVIEW_EDGES, job->scene->n_edges), NULL);
  job->overview_image = cwu_edge_raster_dup_image(raster, theme);
  if (job->overview_image == NULL)
    return true;
  cairo_t *cr = cairo_create(job->overview_image);
  CwuColour ink = theme->node_strong;
  cairo_set_source_rgba(cr, ink.r, ink.g, ink.b, 0.55);
  for (size_t i = 0; i < job->scene->n_nodes; i++) {
    CwuPoint at = cwu_layout_at(job->layout, &camera, i);
    cairo_rectangle(cr, round(at.x) - 0.5, round(at.y) - 0.5, 1, 1);
  }
  cairo_fill(cr);
  cairo_destroy(cr);
  cairo_surface_flush(job->overview_image);
  return true;
}

bool
cwu_picture_job_run(CwuPictureJob *job, GError **error)
{
  if (job->scene == NULL && !make_scene(job, error))
    return false;
  if (job->layout == NULL && !make_layout(job, error))
    return false;
  if (job->layout == NULL)
    return true;
  if (job->needs_focus)
    make_focus(job);
  if (job->needs_mass && !make_mass(job, error))
    return false;
  return !job->needs_overview || make_overview(job, error);
}
