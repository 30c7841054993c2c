/* force-driver.c - see force-driver.h. */
#include "graph/force-driver.h"

#include <math.h>

#include "graph/layout-runner.h"

typedef struct {
  float x, y;
} Place;

struct _CwuForceDriver {
  CwuForceMovedCb moved;
  gpointer user_data;
  CwuLayoutRunner *runner;
  CwuScene *scene;
  guint generation;            /* of the scene's layout */
  CwuLayoutSnapshot *snapshot; /* the newest of that generation; NULL: none yet */
  CwuForceFrame frame;
  bool has_frame;
  double gravity;
  GHashTable *fixed; /* graph node -> Place, as the runner knows them */
  int64_t dragged;   /* scene node, -1: none */
  CwuPoint dragged_to;
  bool is_watched;
};

static void
moved_cb(CwuLayoutSnapshot *snapshot, const GError *error, gpointer user_data)
{
  CwuForceDriver *driver = user_data;
  if (snapshot != NULL && snapshot->generation != driver->generation)
    return; /* Of a selection that is no longer wanted. */
  if (snapshot != NULL) {
    g_clear_pointer(&driver->snapshot, cwu_layout_snapshot_unref);
    driver->snapshot = cwu_layout_snapshot_ref(snapshot);
    const float *x = snapshot->x, *y = snapshot->y;
    if (!driver->has_frame || (driver->dragged < 0 &&
                               !cwu_force_frame_holds(&driver->frame, x, y, snapshot->n_nodes)))
      driver->frame = cwu_force_frame_around(x, y, snapshot->n_nodes);
    driver->has_frame = true;
  }
  driver->moved(error, driver->user_data);
}

CwuForceDriver *
cwu_force_driver_new(CwuForceMovedCb moved, gpointer user_data)
{
  CwuForceDriver *driver = g_new0(CwuForceDriver, 1);
  driver->moved = moved;
  driver->user_data = user_data;
  driver->runner = cwu_layout_runner_new(moved_cb, driver);
  driver->fixed = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  driver->gravity = NAN;
  driver->dragged = -1;
  driver->is_watched = true;
  return driver;
}

void
cwu_force_driver_free(CwuForceDriver *driver)
{
  if (driver == NULL)
    return;
  cwu_layout_runner_free(driver->runner);
  cwu_scene_unref(driver->scene);
  cwu_layout_snapshot_unref(driver->snapshot);
  g_hash_table_unref(driver->fixed);
  g_free(driver);
}

/* ---- what the document says ------------------------------------------------------------ */

static void
fix(CwuForceDriver *driver, const CwDocumentPlace *place)
{
  int64_t i = cwu_scene_find(driver->scene, place->node);
  Place *known = g_hash_table_lookup(driver->fixed, GUINT_TO_POINTER(place->node));
  if (i < 0 || (known != NULL && known->x == place->x && known->y == place->y))
    return;
  cwu_layout_runner_drag(driver->runner, (size_t)i, place->x, place->y);
  cwu_layout_runner_release(driver->runner, (size_t)i, true);
  Place *copy = g_new(Place, 1);
  *copy = (Place){ place->x, place->y };
  g_hash_table_replace(driver->fixed, GUINT_TO_POINTER(place->node), copy);
}

static bool
has_place(const CwDocumentPlace *places, size_t n, uint32_t node)
{
  for (size_t i = 0; i < n; i++)
    if (places[i].node == node)
      return true;
  return false;
}

static void
follow_places(CwuForceDriver *driver, const CwDocumentState *state)
{
  size_t n;
  const CwDocumentPlace *places = cw_document_state_peek_places(state, &n);
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, driver->fixed);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    int64_t i = cwu_scene_find(driver->scene, GPOINTER_TO_UINT(key));
    if (i >= 0 && has_place(places, n, GPOINTER_TO_UINT(key)))
      continue;
    if (i >= 0)
      cwu_layout_runner_release(driver->runner, (size_t)i, false);
    g_hash_table_iter_remove(&iter);
  }
  for (size_t i = 0; i < n; i++)
    fix(driver, &places[i]);
}

void
cwu_force_driver_set_state(CwuForceDriver *driver, const CwDocumentState *state)
{
  double gravity = cw_document_state_get_gravity(state);
  if (driver->scene == NULL || driver->scene->graph != cw_document_state_peek_graph(state))
    return;
  if (gravity != driver->gravity)
    cwu_layout_runner_set_gravity(driver->runner, gravity);
  driver->gravity = gravity;
  follow_places(driver, state);
}

/* ---- scenes ---------------------------------------------------------------------------- */

static void
start(CwuForceDriver *driver, const CwuForceInput *input, const CwDocumentState *state)
{
  CwForceOptions options;
  cw_force_options_init(&options);
  driver->gravity = options.gravity = cw_document_state_get_gravity(state);
  driver->has_frame = false;
  g_hash_table_remove_all(driver->fixed);
  driver->generation = cwu_layout_runner_start(driver->runner, &input->view, &options);
}

static void
update(CwuForceDriver *driver, const CwuForceInput *input, const CwuScene *scene)
{
  g_autofree int64_t *previous = g_new(int64_t, scene->n_nodes + 1);
  for (size_t i = 0; i < scene->n_nodes; i++)
    previous[i] = cwu_scene_find(driver->scene, scene->nodes[i].node);
  driver->generation = cwu_layout_runner_update(driver->runner, &input->view, previous);
}

void
cwu_force_driver_set_scene(CwuForceDriver *driver, CwuScene *scene,
                           const CwDocumentState *state)
{
  CwuForceInput input;
  GError *error = NULL;
  if (scene == driver->scene)
    return;
  if (!cwu_force_input_init(&input, scene, &error)) {
    driver->moved(error, driver->user_data);
    g_error_free(error);
    return;
  }
  if (driver->scene != NULL && driver->scene->graph == scene->graph)
    update(driver, &input, scene);
  else
    start(driver, &input, state);
  cwu_force_input_clear(&input);
  g_clear_pointer(&driver->snapshot, cwu_layout_snapshot_unref);
  cwu_scene_unref(driver->scene);
  driver->scene = cwu_scene_ref(scene);
  driver->dragged = -1;
  cwu_force_driver_set_state(driver, state);
}

void
cwu_force_driver_set_watched(CwuForceDriver *driver, bool is_watched)
{
  if (is_watched == driver->is_watched)
    return;
  driver->is_watched = is_watched;
  cwu_layout_runner_set_paused(driver->runner, !is_watched);
}

void
cwu_force_driver_set_reduced_motion(CwuForceDriver *driver, bool is_reduced)
{
  cwu_layout_runner_set_reduced_motion(driver->runner, is_reduced);
}

CwuScene *
cwu_force_driver_peek_scene(const CwuForceDriver *driver)
{
  return driver->scene;
}

bool
cwu_force_driver_is_settled(const CwuForceDriver *driver)
{
  return driver->snapshot != NULL && driver->snapshot->is_settled;
}

CwuLayout *
cwu_force_driver_dup_layout(CwuForceDriver *driver, double width, double height)
{
  const CwuLayoutSnapshot *snapshot = driver->snapshot;
  if (snapshot == NULL)
    return NULL;
  return cwu_force_plane_new(&driver->frame, snapshot->x, snapshot->y, snapshot->n_nodes, width,
                             height, NULL);
}

float *
cwu_force_driver_dup_places(CwuForceDriver *driver)
{
  const CwuLayoutSnapshot *snapshot = driver->snapshot;
  if (snapshot == NULL || driver->scene == NULL)
    return NULL;
  size_t n = cw_graph_get_n_nodes(driver->scene->graph);
  float *places = g_try_new(float, 2 * n + 1);
  if (places == NULL)
    return NULL;
  for (size_t i = 0; i < 2 * n; i++)
    places[i] = NAN;
  for (size_t i = 0; i < snapshot->n_nodes; i++) {
    places[2 * driver->scene->nodes[i].node] = snapshot->x[i];
    places[2 * driver->scene->nodes[i].node + 1] = snapshot->y[i];
  }
  return places;
}

/* ---- dragging -------------------------------------------------------------------------- */

void
cwu_force_driver_drag(CwuForceDriver *driver, size_t node, double width, double height,
                      CwuPoint at)
{
  if (!driver->has_frame || driver->scene == NULL || node >= driver->scene->n_nodes)
    return;
  driver->dragged = (int64_t)node;
  driver->dragged_to = cwu_force_frame_place(&driver->frame, width, height, at);
  cwu_layout_runner_drag(driver->runner, node, (float)driver->dragged_to.x,
                         (float)driver->dragged_to.y);
  /* The document has not been told yet; a place it knows of is no longer where the node is. */
  g_hash_table_remove(driver->fixed, GUINT_TO_POINTER(driver->scene->nodes[node].node));
}

CwuPoint
cwu_force_driver_drop(CwuForceDriver *driver)
{
  driver->dragged = -1;
  return driver->dragged_to;
}
