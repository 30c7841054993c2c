/* force-plane.c - see force-plane.h. */
#include "picture/force-plane.h"

#include <math.h>

#define ROOM_DIAMETERS 1.5
#define LEAST_FILLED   0.7
#define MAX_RADIUS_PX  8.0
#define MIN_RADIUS_PX  1.5
/* Of a node's disc, what is drawn: the rest is the gap to its neighbour. */
#define DRAWN 0.8

/* ---- what goes in ---------------------------------------------------------------------- */

bool
cwu_force_input_init(CwuForceInput *input, const CwuScene *scene, GError **error)
{
  size_t n = scene->n_nodes, e = scene->n_edges;
  double last = (double)MAX(cw_graph_get_n_positions(scene->graph) - 1, 1);
  double top = (double)cw_graph_get_n_layers(scene->graph) + 1;
  *input = (CwuForceInput){ .source = g_try_new(uint32_t, e + 1),
                            .target = g_try_new(uint32_t, e + 1),
                            .share = g_try_new(float, e + 1),
                            .home_x = g_try_new(float, n + 1),
                            .home_y = g_try_new(float, n + 1) };
  if (input->source == NULL || input->target == NULL || input->share == NULL ||
      input->home_x == NULL || input->home_y == NULL) {
    cwu_force_input_clear(input);
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "Not enough memory to lay out %zu nodes and %zu edges: prune the graph further",
                n, e);
    return false;
  }
  for (size_t i = 0; i < e; i++) {
    input->source[i] = scene->edges[i].source;
    input->target[i] = scene->edges[i].target;
    input->share[i] = scene->edges[i].share;
  }
  for (size_t i = 0; i < n; i++) {
    const CwuSceneNode *node = &scene->nodes[i];
    double row = node->kind == CW_NODE_TOKEN   ? 0
                 : node->kind == CW_NODE_LOGIT ? top
                                               : node->layer + 1;
    input->home_x[i] = (float)CLAMP(node->position / last, 0, 1);
    input->home_y[i] = (float)CLAMP(row / top, 0, 1);
  }
  input->view = (CwForceGraph){ .n_nodes = n,
                                .n_edges = e,
                                .source = input->source,
                                .target = input->target,
                                .share = input->share,
                                .home_x = input->home_x,
                                .home_y = input->home_y };
  return true;
}

void
cwu_force_input_clear(CwuForceInput *input)
{
  g_clear_pointer(&input->source, g_free);
  g_clear_pointer(&input->target, g_free);
  g_clear_pointer(&input->share, g_free);
  g_clear_pointer(&input->home_x, g_free);
  g_clear_pointer(&input->home_y, g_free);
}

/* ---- what comes out -------------------------------------------------------------------- */

typedef struct {
  double left, right, bottom, top;
} Extent;

static Extent
extent_of(const float *x, const float *y, size_t n)
{
  Extent extent = { INFINITY, -INFINITY, INFINITY, -INFINITY };
  for (size_t i = 0; i < n; i++) {
    extent.left = MIN(extent.left, (double)x[i]);
    extent.right = MAX(extent.right, (double)x[i]);
    extent.bottom = MIN(extent.bottom, (double)y[i]);
    extent.top = MAX(extent.top, (double)y[i]);
  }
  return n > 0 ? extent : (Extent){ 0, 0, 0, 0 };
}

CwuForceFrame
cwu_force_frame_around(const float *x, const float *y, size_t n)
{
  Extent e = extent_of(x, y, n);
  return (CwuForceFrame){ (e.left + e.right) / 2, (e.bottom + e.top) / 2,
                          (e.right - e.left) / 2 + ROOM_DIAMETERS,
                          (e.top - e.bottom) / 2 + ROOM_DIAMETERS };
}

bool
cwu_force_frame_holds(const CwuForceFrame *frame, const float *x, const float *y, size_t n)
{
  Extent e = extent_of(x, y, n);
  double across = (e.right - e.left) / (2 * frame->half_width);
  double down = (e.top - e.bottom) / (2 * frame->half_height);
  return e.left >= frame->centre_x - frame->half_width + 0.5 &&
         e.right <= frame->centre_x + frame->half_width - 0.5 &&
         e.bottom >= frame->centre_y - frame->half_height + 0.5 &&
         e.top <= frame->centre_y + frame->half_height - 0.5 &&
         MAX(across, down) >= LEAST_FILLED;
}

/* px of a diameter. */
static double
scale_of(const CwuForceFrame *frame, double width, double height)
{
  return MIN(width / (2 * frame->half_width), height / (2 * frame->half_height));
}

CwuLayout *
cwu_force_plane_new(const CwuForceFrame *frame, const float *x, const float *y, size_t n_nodes,
                    double width, double height, GError **error)
{
  CwuLayout *layout = cwu_layout_new(CWU_LAYOUT_PLANE, n_nodes, width, height);
  if (layout == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Not enough memory to lay out %zu nodes",
                n_nodes);
    return NULL;
  }
  double k = scale_of(frame, layout->width, layout->height);
  for (size_t i = 0; i < n_nodes; i++) {
    layout->x[i] = (float)(layout->width / 2 + k * ((double)x[i] - frame->centre_x));
    layout->y[i] = (float)(layout->height / 2 - k * ((double)y[i] - frame->centre_y));
  }
  layout->radius = CLAMP(0.5 * DRAWN * k, MIN_RADIUS_PX, MAX_RADIUS_PX);
  return layout;
}

CwuPoint
cwu_force_frame_place(const CwuForceFrame *frame, double width, double height, CwuPoint at)
{
  double k = scale_of(frame, width, height);
  return (CwuPoint){ frame->centre_x + (at.x - width / 2) / k,
                     frame->centre_y - (at.y - height / 2) / k };
}
