/* force-field.c - what pulls at the nodes of a force-directed layout.
 *
 * With L the ideal length, d a distance, w an edge's weight (Fruchterman and Reingold 1991,
 * 10.1002/spe.4380211102): attraction w d^2 / L, repulsion L^2 / d. Repulsion is summed over
 * all pairs by the vector loop of the kernels, or over what a quadtree lets a group see (Barnes
 * and Hut 1986, 10.1038/324446a0). Forces are divided by the node's own stiffness, so that hubs
 * and leaves settle in the same number of steps. Rejected: linear attraction (ForceAtlas2's)
 * and attraction by d^1.5, whose stress measured 2 to 6 % worse on attribution graphs; d^2.5,
 * whose neighbourhoods did. */
#include "graph/force-layout.h"

#include <math.h>

#define THETA     0.6
#define SOFTENING 1e-3f /* squared diameters: who lies in one place is parted by spacing */
#define ANCHOR    30    /* pull of an anchor beside the pull of edges */

static bool
repel_points(CwForceLayout *layout, const CwkRepulsionArgs *args, GError **error)
{
  CwkStatus status = cwk_repulsion(layout->device, args);
  if (status != CWK_OK)
    cw_error_set_from_status(error, status, "moving the nodes of a layout");
  return status == CWK_OK;
}

static bool
repel_all(CwForceLayout *layout, GError **error)
{
  CwkRepulsionArgs args = { .n_points = (int64_t)layout->n,
                            .x = layout->x,
                            .y = layout->y,
                            .softening = SOFTENING,
                            .force_x = layout->wish_x,
                            .force_y = layout->wish_y };
  return repel_points(layout, &args, error);
}

static bool
repel_group(CwForceLayout *layout, size_t group, GError **error)
{
  size_t n;
  const uint32_t *member = cw_quadtree_peek_group(layout->tree, group, &n);
  CwQuadtreeView view;
  cw_quadtree_see(layout->tree, group, THETA, &view);
  float x[CW_QUADTREE_GROUP], y[CW_QUADTREE_GROUP];
  float push_x[CW_QUADTREE_GROUP], push_y[CW_QUADTREE_GROUP];
  for (size_t k = 0; k < n; k++) {
    x[k] = layout->x[member[k]];
    y[k] = layout->y[member[k]];
  }
  CwkRepulsionArgs args = { .n_points = (int64_t)n,
                            .n_sources = (int64_t)view.n,
                            .x = x,
                            .y = y,
                            .source_x = view.x,
                            .source_y = view.y,
                            .source_mass = view.mass,
                            .softening = SOFTENING,
                            .force_x = push_x,
                            .force_y = push_y };
  if (!repel_points(layout, &args, error))
    return false;
  for (size_t k = 0; k < n; k++) {
    layout->wish_x[member[k]] = push_x[k];
    layout->wish_y[member[k]] = push_y[k];
  }
  return true;
}

static bool
repel(CwForceLayout *layout, GError **error)
{
  if (layout->tree == NULL)
    return repel_all(layout, error);
  cw_quadtree_build(layout->tree, layout->x, layout->y, layout->n);
  for (size_t g = 0; g < cw_quadtree_get_n_groups(layout->tree); g++)
    if (!repel_group(layout, g, error))
      return false;
  return true;
}

static void
scale_repulsion(CwForceLayout *layout)
{
  float scale = (float)(layout->options.repulsion * layout->ideal * layout->ideal);
  for (size_t i = 0; i < layout->n; i++) {
    layout->wish_x[i] *= scale;
    layout->wish_y[i] *= scale;
  }
}

static void
attract(CwForceLayout *layout)
{
  float inverse = (float)(1 / layout->ideal);
  for (size_t e = 0; e < layout->n_edges; e++) {
    uint32_t a = layout->source[e], b = layout->target[e];
    float dx = layout->x[b] - layout->x[a], dy = layout->y[b] - layout->y[a];
    float pull = layout->weight[e] * inverse * sqrtf(dx * dx + dy * dy);
    layout->wish_x[a] += pull * dx;
    layout->wish_y[a] += pull * dy;
    layout->wish_x[b] -= pull * dx;
    layout->wish_y[b] -= pull * dy;
  }
}

double
cw_force_gravity_factor(double gravity)
{
  return gravity / (1.02 - gravity);
}

/* Centre of the largest connected part, if it is not the only one; else 0. */
static void
centre_of_largest(const CwForceLayout *layout, float *x, float *y)
{
  double sum_x = 0, sum_y = 0;
  size_t n = 0;
  for (size_t i = 0; i < layout->n; i++)
    if (!layout->is_apart[i]) {
      sum_x += (double)layout->x[i];
      sum_y += (double)layout->y[i];
      n++;
    }
  bool has_others = n > 0 && n < layout->n;
  *x = has_others ? (float)(sum_x / (double)n) : 0;
  *y = has_others ? (float)(sum_y / (double)n) : 0;
}

/* Adds what pulls at a node alone: its home, its anchor, and, where parts of the graph hang
 * together by nothing, the middle: it pulls at the largest part as a whole, at every other node
 * by itself. Divides by how stiffly all of it holds the node. */
static void
add_own_pull(CwForceLayout *layout)
{
  double ideal = layout->ideal, extent = layout->extent;
  /* What an edge as long as half the extent pulls a diameter; what all others push at the rim,
   * which an unconnected node's pull to the middle balances there. */
  float edge = (float)(extent / 2 / ideal);
  float base = (float)((double)layout->n * ideal * ideal / (extent * extent));
  float gravity = (float)cw_force_gravity_factor(layout->options.gravity);
  float centre_x, centre_y;
  centre_of_largest(layout, &centre_x, &centre_y);
  for (size_t i = 0; i < layout->n; i++) {
    float own = edge * layout->stiffness[i] + base, home = gravity * own;
    bool is_apart = layout->is_apart[i];
    float middle_x = base * (is_apart ? layout->x[i] : centre_x);
    float middle_y = base * (is_apart ? layout->y[i] : centre_y);
    float anchor = layout->is_anchored[i] ? ANCHOR * own : 0;
    float x, y;
    cw_force_layout_home(layout, i, &x, &y);
    float fx = layout->wish_x[i] + home * (x - layout->x[i]) - middle_x +
               anchor * (layout->anchor_x[i] - layout->x[i]);
    float fy = layout->wish_y[i] + home * (y - layout->y[i]) - middle_y +
               anchor * (layout->anchor_y[i] - layout->y[i]);
    float inverse = 1 / (2 * own + home + (is_apart ? base : 0) + anchor);
    layout->wish_x[i] = fx * inverse;
    layout->wish_y[i] = fy * inverse;
  }
}

bool
cw_force_field_compute(CwForceLayout *layout, GError **error)
{
  if (!repel(layout, error))
    return false;
  scale_repulsion(layout);
  attract(layout);
  add_own_pull(layout);
  return true;
}
