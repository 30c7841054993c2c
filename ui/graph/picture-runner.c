/* picture-runner.c - see picture-runner.h. This is the main thread's side: which job the newest
 * wish needs, and what its results become; what a job does is in picture-job.c. */
#include "graph/picture-runner.h"

#include "graph/frame-image.h"
#include "graph/picture-job.h"

/* What a texture was made of, to tell whether it still fits. */
typedef struct {
  CwuLayout *layout; /* NULL: nothing was made */
  CwuCamera camera;
  double scale;
  CwuThemeKind theme;
  bool is_moving;
} MadeOf;

struct _CwuPictureRunner {
  gint n_references;
  CwuPictureChangedCb changed; /* NULL after free */
  gpointer user_data;
  CwuOwnWish *wish; /* the newest */
  CwuPictureState state;
  guint newest_generation; /* of state.newest */
  CwuSceneBase *base;      /* of the graph drawn last */
  CwuMass mass;
  MadeOf focus, overview;
  CwCancel *running; /* NULL if no job is under way */
};

static void run_next(CwuPictureRunner *runner);

static void
runner_unref(CwuPictureRunner *runner)
{
  if (!g_atomic_int_dec_and_test(&runner->n_references))
    return;
  CwuPictureState *state = &runner->state;
  cwu_own_wish_free(runner->wish);
  cwu_scene_unref(state->scene);
  cwu_scene_unref(state->newest);
  cwu_layout_unref(state->layout);
  g_clear_object(&state->mass);
  g_clear_object(&state->focus);
  g_clear_object(&state->overview);
  cwu_scene_base_unref(runner->base);
  cwu_mass_clear(&runner->mass);
  cwu_layout_unref(runner->focus.layout);
  cwu_layout_unref(runner->overview.layout);
  g_clear_pointer(&runner->running, cw_cancel_unref);
  g_free(runner);
}

/* ---- results --------------------------------------------------------------------------- */

static void
set_texture(GdkTexture **texture, cairo_surface_t *image)
{
  g_clear_object(texture);
  if (image != NULL)
    *texture = cwu_frame_texture_new(image);
}

static void
set_made_of(MadeOf *made, const CwuPictureJob *job)
{
  const CwuPictureWish *wish = &job->wish->wish;
  cwu_layout_unref(made->layout);
  *made = (MadeOf){ cwu_layout_ref(job->layout), wish->camera, wish->scale, wish->theme,
                    wish->is_moving };
}

static void
adopt_picture(CwuPictureRunner *runner, CwuPictureJob *job)
{
  CwuPictureState *state = &runner->state;
  g_clear_pointer(&state->scene, cwu_scene_unref);
  g_clear_pointer(&state->layout, cwu_layout_unref);
  state->scene = cwu_scene_ref(job->scene);
  state->layout = cwu_layout_ref(job->layout);
  if (job->mass_image != NULL) {
    set_texture(&state->mass, job->mass_image);
    state->mass_camera = job->mass.camera;
  }
  if (job->needs_focus) {
    set_texture(&state->focus, job->focus_image);
    state->focus_camera = job->wish->wish.camera;
    state->focus_selected = job->wish->wish.selected;
    set_made_of(&runner->focus, job);
  }
  if (job->needs_overview) {
    set_texture(&state->overview, job->overview_image);
    set_made_of(&runner->overview, job);
  }
}

static void
adopt(CwuPictureRunner *runner, CwuPictureJob *job)
{
  CwuPictureState *state = &runner->state;
  if (job->base != NULL && job->base != runner->base) {
    cwu_scene_base_unref(runner->base);
    runner->base = cwu_scene_base_ref(job->base);
  }
  cwu_scene_unref(state->newest);
  state->newest = cwu_scene_ref(job->scene);
  runner->newest_generation = job->wish->wish.graph_generation;
  if (job->layout != NULL)
    adopt_picture(runner, job);
  cwu_mass_clear(&runner->mass);
  runner->mass = job->mass;
  job->mass = (CwuMass){ 0 };
}

static void
job_done_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  CwuPictureRunner *runner = user_data;
  g_autoptr(GError) error = NULL;
  bool ok = g_task_propagate_boolean(G_TASK(result), &error);
  g_clear_pointer(&runner->running, cw_cancel_unref);
  if (runner->changed != NULL) {
    /* Adopted even if the wish has changed meanwhile: while a slider moves each result is late,
     * and all of them are newer than what is shown. */
    if (ok) {
      adopt(runner, g_task_get_task_data(G_TASK(result)));
      run_next(runner);
    }
    runner->changed(error, runner->user_data);
  }
  runner_unref(runner);
}

static void
job_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  if (cwu_picture_job_run(data, &error))
    g_task_return_boolean(task, TRUE);
  else
    g_task_return_error(task, error);
}

/* ---- what is lacking ------------------------------------------------------------------- */

static bool
camera_equal(const CwuCamera *a, const CwuCamera *b)
{
  return a->zoom == b->zoom && a->offset_x == b->offset_x && a->offset_y == b->offset_y &&
         a->openness == b->openness && a->plot.x == b->plot.x && a->plot.y == b->plot.y &&
         a->plot.width == b->plot.width && a->plot.height == b->plot.height;
}

static bool
layout_fits(const CwuPictureRunner *runner, const CwuOwnWish *own)
{
  const CwuLayout *layout = runner->state.layout;
  const CwuPictureWish *wish = &own->wish;
  if (layout == NULL || runner->state.scene != runner->state.newest ||
      runner->newest_generation != wish->graph_generation || layout->kind != wish->kind)
    return false;
  if (wish->kind == CWU_LAYOUT_PLANE)
    return own->plane == NULL || layout == own->plane;
  return layout->width == wish->camera.plot.width && layout->height == wish->camera.plot.height;
}

static bool
mass_fits(const CwuPictureRunner *runner, const CwuPictureWish *wish)
{
  const CwuMass *mass = &runner->mass;
  return mass->raster != NULL && mass->layout == runner->state.layout &&
         camera_equal(&mass->camera, &wish->camera) && mass->scale == wish->scale &&
         mass->theme == wish->theme;
}

static bool
focus_fits(const CwuPictureRunner *runner, const CwuPictureWish *wish)
{
  const MadeOf *made = &runner->focus;
  if (wish->selected < 0)
    return true;
  return made->layout == runner->state.layout &&
         runner->state.focus_selected == wish->selected &&
         camera_equal(&made->camera, &wish->camera) && made->scale == wish->scale &&
         made->theme == wish->theme && (wish->is_moving || !made->is_moving);
}

static bool
overview_fits(const CwuPictureRunner *runner, const CwuPictureWish *wish)
{
  const MadeOf *made = &runner->overview;
  if (!wish->wants_overview || wish->is_moving)
    return true;
  return made->layout == runner->state.layout && made->scale == wish->scale &&
         made->theme == wish->theme;
}

/* The job that the wish needs now; NULL if nothing is lacking, or nothing can be done before
 * forces have laid out the newest scene. */
static CwuPictureJob *
find_job(CwuPictureRunner *runner)
{
  const CwuPictureWish *wish = &runner->wish->wish;
  const CwuPictureState *state = &runner->state;
  bool has_scene = state->newest != NULL && runner->newest_generation == wish->graph_generation;
  bool has_layout = has_scene && layout_fits(runner, runner->wish);
  bool is_waiting = has_scene && !has_layout && wish->kind == CWU_LAYOUT_PLANE &&
                    runner->wish->plane_scene != state->newest;
  bool fits = has_layout && mass_fits(runner, wish);
  bool has_mass = fits && runner->mass.n_done >= cwu_picture_job_n_edges(wish, state->scene);
  bool has_focus = has_layout && focus_fits(runner, wish);
  bool has_overview = has_layout && overview_fits(runner, wish);
  runner->state.is_complete = has_mass && has_focus && has_overview;
  if (runner->state.is_complete || is_waiting)
    return NULL;
  CwuPictureJob *job = g_new0(CwuPictureJob, 1);
  job->wish = cwu_own_wish_copy(runner->wish);
  job->needs_mass = !has_mass;
  job->needs_focus = !has_focus;
  job->needs_overview = !has_overview && (has_layout || wish->wants_overview);
  if (runner->base != NULL && runner->base->graph == runner->wish->graph)
    job->base = cwu_scene_base_ref(runner->base);
  if (has_scene)
    job->scene = cwu_scene_ref(state->newest);
  if (has_layout)
    job->layout = cwu_layout_ref(state->layout);
  if (fits) {
    job->mass = runner->mass;
    runner->mass = (CwuMass){ 0 };
  }
  return job;
}

static void
run_next(CwuPictureRunner *runner)
{
  CwuPictureJob *job = find_job(runner);
  if (job == NULL)
    return;
  job->cancel = cw_cancel_new();
  runner->running = cw_cancel_ref(job->cancel);
  g_atomic_int_inc(&runner->n_references);
  g_autoptr(GTask) task = g_task_new(NULL, NULL, job_done_cb, runner);
  g_task_set_task_data(task, job, (GDestroyNotify)cwu_picture_job_free);
  g_task_run_in_thread(task, job_thread);
}

/* ---- the owner ------------------------------------------------------------------------- */

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
  CwuOwnWish *own = cwu_own_wish_new(wish, runner->wish);
  cwu_own_wish_free(runner->wish);
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
