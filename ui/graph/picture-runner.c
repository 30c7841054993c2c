/* picture-runner.c - see picture-runner.h.
 *
 * A job makes what the wish needs and the state lacks, in order: scene and layout; a coarse
 * texture of the strongest edges; the rest of them; the focus. It returns after each texture,
 * so that a picture of half a million edges is there in 50 ms and complete a second later.
 * Inputs of a job are its own references; it never sees a widget. */
#include "graph/picture-runner.h"

#include <math.h>

#include "picture/edge-raster.h"
#include "picture/layers-layout.h"

#define COARSE_EDGES 25000
#define NEXT_EDGES   150000

/* What is known about a finished or growing texture of all edges. */
typedef struct {
  CwuEdgeRaster *raster;
  CwuLayout *layout;
  CwuCamera camera;
  double scale;
  CwuThemeKind theme;
  size_t n_done;
} Mass;

typedef struct {
  CwuPictureWish wish; /* graph and pruned are not set; see masks */
  CwGraph *graph;
  GBytes *node_mask, *edge_mask;
  GBytes *share;
} OwnWish;

struct _CwuPictureRunner {
  gint n_references;
  CwuPictureChangedCb changed; /* NULL after free */
  gpointer user_data;
  OwnWish *wish; /* the newest */
  CwuPictureState state;
  Mass mass; /* NULL raster: none */
  CwuThemeKind focus_theme;
  double focus_scale;
  CwCancel *running; /* NULL if no job is under way */
};

typedef struct {
  OwnWish *wish;
  CwuScene *scene;
  CwuLayout *layout;
  Mass mass;
  bool has_mass, has_focus; /* made by this job */
  cairo_surface_t *mass_image, *focus_image;
  bool needs_focus;
  CwCancel *cancel;
} Job;

/* ---- wishes ---------------------------------------------------------------------------- */

static OwnWish *
own_wish_new(const CwuPictureWish *wish, const OwnWish *before)
{
  OwnWish *own = g_new0(OwnWish, 1);
  own->wish = *wish;
  own->graph = cw_graph_ref(wish->graph);
  own->wish.graph = NULL;
  own->wish.pruned = NULL;
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

static OwnWish *
own_wish_copy(const OwnWish *wish)
{
  OwnWish *own = g_new0(OwnWish, 1);
  *own = *wish;
  cw_graph_ref(own->graph);
  g_bytes_ref(own->node_mask);
  g_bytes_ref(own->edge_mask);
  g_bytes_ref(own->share);
  return own;
}

static void
own_wish_free(OwnWish *own)
{
  if (own == NULL)
    return;
  cw_graph_unref(own->graph);
  g_bytes_unref(own->node_mask);
  g_bytes_unref(own->edge_mask);
  g_bytes_unref(own->share);
  g_free(own);
}

static bool
camera_equal(const CwuCamera *a, const CwuCamera *b)
{
  return a->zoom == b->zoom && a->offset_x == b->offset_x && a->offset_y == b->offset_y &&
         a->plot.x == b->plot.x && a->plot.y == b->plot.y && a->plot.width == b->plot.width &&
         a->plot.height == b->plot.height;
}

static void
mass_clear(Mass *mass)
{
  g_clear_pointer(&mass->raster, cwu_edge_raster_free);
  g_clear_pointer(&mass->layout, cwu_layout_unref);
  mass->n_done = 0;
}

/* ---- the job, on a thread -------------------------------------------------------------- */

static void
job_free(gpointer data)
{
  Job *job = data;
  own_wish_free(job->wish);
  cwu_scene_unref(job->scene);
  cwu_layout_unref(job->layout);
  mass_clear(&job->mass);
  g_clear_pointer(&job->mass_image, cairo_surface_destroy);
  g_clear_pointer(&job->focus_image, cairo_surface_destroy);
  cw_cancel_unref(job->cancel);
  g_free(job);
}

static bool
make_scene(Job *job, GError **error)
{
  const CwuPictureWish *wish = &job->wish->wish;
  if (job->scene == NULL) {
    CwPruned masks = {
      .n_nodes = cw_graph_get_n_nodes(job->wish->graph),
      .n_edges = cw_graph_get_n_edges(job->wish->graph),
      .node_mask = (uint8_t *)g_bytes_get_data(job->wish->node_mask, NULL),
      .edge_mask = (uint8_t *)g_bytes_get_data(job->wish->edge_mask, NULL),
      .cumulative_share = (float *)g_bytes_get_data(job->wish->share, NULL),
    };
    job->scene = cwu_scene_new(job->wish->graph, &masks, error);
  }
  if (job->scene != NULL && job->layout == NULL)
    job->layout = cwu_layers_layout_new(job->scene, wish->camera.plot.width,
                                        wish->camera.plot.height, error);
  return job->layout != NULL;
}

/* Takes the texture a step further, unless cancelled. */
static bool
make_mass(Job *job, GError **error)
{
  const CwuPictureWish *wish = &job->wish->wish;
  if (job->mass.raster == NULL) {
    job->mass.raster = cwu_edge_raster_new(&wish->camera, wish->scale, error);
    job->mass.layout = cwu_layout_ref(job->layout);
    job->mass.camera = wish->camera;
    job->mass.scale = wish->scale;
    job->mass.theme = wish->theme;
    job->mass.n_done = 0;
  }
  if (job->mass.raster == NULL)
    return false;
  size_t from = job->mass.n_done;
  size_t to = MIN(from + (from == 0 ? COARSE_EDGES : NEXT_EDGES), job->scene->n_edges);
  /* The coarse texture is always finished: a pan that cancels every job would never see one. */
  if (!cwu_edge_raster_add(job->mass.raster, job->scene, job->layout, from, to,
                           from == 0 ? NULL : job->cancel)) {
    mass_clear(&job->mass); /* Half a step cannot be taken up again. */
    return true;
  }
  job->mass.n_done = to;
  job->mass_image = cwu_edge_raster_dup_image(job->mass.raster, cwu_theme_get(wish->theme));
  job->has_mass = job->mass_image != NULL;
  return true;
}

static void
make_focus(Job *job)
{
  const CwuPictureWish *wish = &job->wish->wish;
  int64_t selected = cwu_scene_find(job->scene, wish->selected);
  if (selected < 0)
    return;
  g_autoptr(CwuFocus) focus = cwu_focus_new(job->scene, selected);
  CwuPicture picture = { job->scene,   job->layout, cwu_theme_get(wish->theme), focus, -1,
                         wish->camera, NULL };
  const CwuRect *plot = &wish->camera.plot;
  job->focus_image =
      cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)ceil(plot->width * wish->scale),
                                 (int)ceil(plot->height * wish->scale));
  cairo_surface_set_device_scale(job->focus_image, wish->scale, wish->scale);
  cairo_surface_set_device_offset(job->focus_image, -plot->x * wish->scale,
                                  -plot->y * wish->scale);
  cairo_t *cr = cairo_create(job->focus_image);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(wish->scale);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_focus(canvas, &picture, SIZE_MAX);
  job->has_focus = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
  cairo_destroy(cr);
  cairo_surface_flush(job->focus_image);
}

static void
job_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  GError *error = NULL;
  if (!make_scene(job, &error)) {
    g_task_return_error(task, error);
    return;
  }
  if (job->needs_focus)
    make_focus(job);
  if ((job->mass.raster == NULL || job->mass.n_done < job->scene->n_edges) &&
      !make_mass(job, &error)) {
    g_task_return_error(task, error);
    return;
  }
  g_task_return_boolean(task, TRUE);
}

/* ---- the main thread ------------------------------------------------------------------- */

static GdkTexture *
texture_new(cairo_surface_t *image)
{
  int stride = cairo_image_surface_get_stride(image);
  int width = cairo_image_surface_get_width(image);
  int height = cairo_image_surface_get_height(image);
  g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(
      cairo_image_surface_get_data(image), (gsize)stride * (gsize)height,
      (GDestroyNotify)cairo_surface_destroy, cairo_surface_reference(image));
  return gdk_memory_texture_new(width, height, GDK_MEMORY_DEFAULT, bytes, (gsize)stride);
}

static void run_next(CwuPictureRunner *runner);

static void
runner_unref(CwuPictureRunner *runner)
{
  if (!g_atomic_int_dec_and_test(&runner->n_references))
    return;
  own_wish_free(runner->wish);
  g_clear_pointer(&runner->state.scene, cwu_scene_unref);
  g_clear_pointer(&runner->state.layout, cwu_layout_unref);
  g_clear_object(&runner->state.mass);
  g_clear_object(&runner->state.focus);
  mass_clear(&runner->mass);
  g_clear_pointer(&runner->running, cw_cancel_unref);
  g_free(runner);
}

static void
adopt(CwuPictureRunner *runner, Job *job)
{
  CwuPictureState *state = &runner->state;
  const CwuPictureWish *wish = &job->wish->wish;
  if (state->graph_generation != wish->graph_generation) {
    g_clear_object(&state->mass);
    g_clear_object(&state->focus);
    state->focus_selected = -1;
  }
  state->graph_generation = wish->graph_generation;
  g_clear_pointer(&state->scene, cwu_scene_unref);
  g_clear_pointer(&state->layout, cwu_layout_unref);
  state->scene = cwu_scene_ref(job->scene);
  state->layout = cwu_layout_ref(job->layout);
  mass_clear(&runner->mass);
  runner->mass = job->mass;
  job->mass = (Mass){ 0 };
  if (job->has_mass) {
    g_clear_object(&state->mass);
    state->mass = texture_new(job->mass_image);
    state->mass_camera = runner->mass.camera;
  }
  if (job->needs_focus) {
    g_clear_object(&state->focus);
    state->focus = job->has_focus ? texture_new(job->focus_image) : NULL;
    state->focus_camera = wish->camera;
    state->focus_selected = wish->selected;
    runner->focus_theme = wish->theme;
    runner->focus_scale = wish->scale;
  }
}

static void
job_done_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  CwuPictureRunner *runner = user_data;
  Job *job = g_task_get_task_data(G_TASK(result));
  g_autoptr(GError) error = NULL;
  bool ok = g_task_propagate_boolean(G_TASK(result), &error);
  g_clear_pointer(&runner->running, cw_cancel_unref);
  if (runner->changed != NULL) {
    bool is_stale = job->wish->wish.graph_generation != runner->wish->wish.graph_generation;
    if (ok && !is_stale)
      adopt(runner, job);
    if (ok)
      run_next(runner);
    runner->changed(error, runner->user_data);
  }
  runner_unref(runner);
}

static bool
layout_fits(const CwuPictureRunner *runner, const CwuPictureWish *wish)
{
  return runner->state.layout != NULL &&
         runner->state.graph_generation == wish->graph_generation &&
         runner->state.layout->width == wish->camera.plot.width &&
         runner->state.layout->height == wish->camera.plot.height;
}

static bool
mass_fits(const CwuPictureRunner *runner, const CwuPictureWish *wish)
{
  const Mass *mass = &runner->mass;
  return mass->raster != NULL && mass->layout == runner->state.layout &&
         camera_equal(&mass->camera, &wish->camera) && mass->scale == wish->scale &&
         mass->theme == wish->theme;
}

static bool
focus_fits(const CwuPictureRunner *runner, const CwuPictureWish *wish)
{
  if (wish->selected < 0)
    return true;
  return runner->state.focus_selected == wish->selected &&
         camera_equal(&runner->state.focus_camera, &wish->camera) &&
         runner->focus_scale == wish->scale && runner->focus_theme == wish->theme;
}

/* Starts a job for what the newest wish still lacks. */
static void
run_next(CwuPictureRunner *runner)
{
  const CwuPictureWish *wish = &runner->wish->wish;
  bool has_layout = layout_fits(runner, wish);
  bool has_mass = has_layout && mass_fits(runner, wish) &&
                  runner->mass.n_done == runner->state.scene->n_edges;
  bool has_focus = has_layout && focus_fits(runner, wish);
  runner->state.is_complete = has_layout && has_mass && has_focus;
  if (runner->state.is_complete)
    return;
  Job *job = g_new0(Job, 1);
  job->wish = own_wish_copy(runner->wish);
  job->needs_focus = !has_focus;
  if (runner->state.scene != NULL && runner->state.graph_generation == wish->graph_generation)
    job->scene = cwu_scene_ref(runner->state.scene);
  if (has_layout)
    job->layout = cwu_layout_ref(runner->state.layout);
  if (has_layout && mass_fits(runner, wish)) {
    job->mass = runner->mass;
    runner->mass = (Mass){ 0 };
  }
  job->cancel = cw_cancel_new();
  runner->running = cw_cancel_ref(job->cancel);
  g_atomic_int_inc(&runner->n_references);
  g_autoptr(GTask) task = g_task_new(NULL, NULL, job_done_cb, runner);
  g_task_set_task_data(task, job, job_free);
  g_task_run_in_thread(task, job_thread);
}

CwuPictureRunner *
cwu_picture_runner_new(CwuPictureChangedCb changed, gpointer user_data)
{
  CwuPictureRunner *runner = g_new0(CwuPictureRunner, 1);
  runner->n_references = 1;
  runner->changed = changed;
  runner->user_data = user_data;
  runner->state.focus_selected = -1;
  return runner;
}

void
cwu_picture_runner_free(CwuPictureRunner *runner)
{
  if (runner == NULL)
    return;
  runner->changed = NULL;
  if (runner->running != NULL)
    cw_cancel_trigger(runner->running);
  runner_unref(runner);
}

void
cwu_picture_runner_want(CwuPictureRunner *runner, const CwuPictureWish *wish)
{
  OwnWish *own = own_wish_new(wish, runner->wish);
  own_wish_free(runner->wish);
  runner->wish = own;
  runner->state.is_complete = false;
  if (runner->running != NULL)
    cw_cancel_trigger(runner->running);
  else
    run_next(runner);
}

const CwuPictureState *
cwu_picture_runner_peek(const CwuPictureRunner *runner)
{
  return &runner->state;
}
