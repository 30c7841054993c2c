/* force-update.c - carries a force-directed layout over to another selection of nodes.
 *
 * The mental map is kept by force: a kept node is tied to its old place and cannot leave it by
 * more than a leash; a new one starts between its neighbours and its home, and finds room among
 * them. A new layout is made beside the old one and takes its place at the end, so that a
 * failure changes nothing. */
#include "graph/force-layout.h"

#include <math.h>

#include "base/rng.h"

#define WARMTH 0.1 /* of a new layout's, for the new nodes to find their places */
/* By how much the extent may be off what is natural before it has to follow. */
#define EXTENT_SLACK 1.4

static bool
is_valid_map(const CwForceLayout *layout, const CwForceGraph *graph, const int64_t *previous,
             GError **error)
{
  for (size_t i = 0; i < graph->n_nodes; i++)
    if (previous[i] >= (int64_t)layout->n) {
      g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                  "node %zu was node %" G_GINT64_FORMAT " of a layout of %zu nodes", i,
                  previous[i], layout->n);
      return false;
    }
  return true;
}

static void
keep_node(CwForceLayout *next, size_t node, const CwForceLayout *layout, size_t before)
{
  next->x[node] = next->anchor_x[node] = layout->x[before];
  next->y[node] = next->anchor_y[node] = layout->y[before];
  next->is_fixed[node] = layout->is_fixed[before];
  next->is_anchored[node] = !layout->is_fixed[before];
  next->has_anchors = true;
}

typedef struct {
  float *x, *y, *weight; /* [N] sums over the neighbours that have a place */
  uint8_t *has_place;    /* [N] */
} Placing;

static void
add_neighbour(const CwForceLayout *layout, const Placing *placing, uint32_t node,
              uint32_t other, float weight)
{
  if (!placing->has_place[other])
    return;
  placing->x[node] += weight * layout->x[other];
  placing->y[node] += weight * layout->y[other];
  placing->weight[node] += weight;
}

/* Between the neighbours and home, as gravity weighs them, with a jitter of a diameter. */
static void
place_new_nodes(CwForceLayout *layout, const Placing *placing)
{
  CwRng rng = { layout->options.seed, 1, 0 };
  double gravity = cw_force_gravity_factor(layout->options.gravity);
  for (size_t e = 0; e < layout->n_edges; e++) {
    uint32_t a = layout->source[e], b = layout->target[e];
    add_neighbour(layout, placing, a, b, layout->weight[e]);
    add_neighbour(layout, placing, b, a, layout->weight[e]);
  }
  for (size_t i = 0; i < layout->n; i++) {
    float jitter_x = (float)cw_rng_next_uniform(&rng) - 0.5f;
    float jitter_y = (float)cw_rng_next_uniform(&rng) - 0.5f;
    if (placing->has_place[i])
      continue;
    float x, y;
    cw_force_layout_home(layout, i, &x, &y);
    if (placing->weight[i] > 0) {
      float home = (float)(gravity / (1 + gravity));
      x = home * x + (1 - home) * placing->x[i] / placing->weight[i];
      y = home * y + (1 - home) * placing->y[i] / placing->weight[i];
    }
    layout->x[i] = x + jitter_x;
    layout->y[i] = y + jitter_y;
  }
}

static bool
place_nodes(CwForceLayout *next, const CwForceLayout *layout, const int64_t *previous)
{
  g_autofree float *sums = g_try_new0(float, 3 * next->n + 1);
  g_autofree uint8_t *has_place = g_try_new0(uint8_t, next->n + 1);
  if (sums == NULL || has_place == NULL)
    return false;
  for (size_t i = 0; i < next->n; i++)
    if (previous[i] >= 0) {
      keep_node(next, i, layout, (size_t)previous[i]);
      has_place[i] = 1;
    }
  Placing placing = { sums, sums + next->n, sums + 2 * next->n, has_place };
  place_new_nodes(next, &placing);
  return true;
}

bool
cw_force_layout_update(CwForceLayout *layout, const CwForceGraph *graph,
                       const int64_t *previous, GError **error)
{
  if (!is_valid_map(layout, graph, previous, error))
    return false;
  g_autoptr(CwForceLayout) next = cw_force_graph_take_in(graph, &layout->options, error);
  if (next == NULL)
    return false;
  if (layout->n > 0)
    cw_force_layout_set_extent(next, CLAMP(layout->extent, next->natural_extent / EXTENT_SLACK,
                                           next->natural_extent * EXTENT_SLACK));
  if (!place_nodes(next, layout, previous)) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "not enough memory to lay out %zu nodes; raise the thresholds", next->n);
    return false;
  }
  cw_force_layout_warm(next, next->has_anchors ? WARMTH : 1);
  CwForceLayout old = *layout;
  *layout = *next;
  *next = old;
  return true;
}
