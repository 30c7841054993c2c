/* walk.c - see walk.h. */
#include "graph/walk.h"

#include <math.h>

#include "graph/pick.h"
#include "picture/layers-layout.h"

/* ---- cells ----------------------------------------------------------------------------- */

static int64_t
next_in_row(const CwuLayout *layout, const CwuScene *scene, int64_t from, int side)
{
  int64_t row = cwu_layout_row(layout, &scene->nodes[from]), next = -1;
  double best = INFINITY;
  for (size_t i = 0; i < scene->n_nodes; i++) {
    double along = side * ((double)layout->x[i] - (double)layout->x[from]);
    if (along <= 0 || along >= best || cwu_layout_row(layout, &scene->nodes[i]) != row)
      continue;
    best = along;
    next = (int64_t)i;
  }
  return next;
}

static int64_t
next_in_column(const CwuLayout *layout, const CwuScene *scene, int64_t from, int side)
{
  int64_t row = cwu_layout_row(layout, &scene->nodes[from]), next = -1;
  double best = INFINITY;
  for (size_t i = 0; i < scene->n_nodes; i++) {
    if (scene->nodes[i].position != scene->nodes[from].position)
      continue;
    int64_t rows = side * (cwu_layout_row(layout, &scene->nodes[i]) - row);
    double aside = fabs((double)layout->x[i] - (double)layout->x[from]);
    double distance = (double)rows * layout->width + aside;
    if (rows <= 0 || distance >= best)
      continue;
    best = distance;
    next = (int64_t)i;
  }
  return next;
}

int64_t
cwu_walk_cells(const CwuLayout *layout, const CwuScene *scene, int64_t from, CwuWalk way)
{
  int dx = way == CWU_WALK_RIGHT ? 1 : way == CWU_WALK_LEFT ? -1 : 0;
  int up = way == CWU_WALK_UP ? 1 : way == CWU_WALK_DOWN ? -1 : 0;
  int64_t next = -1;
  if (layout->kind == CWU_LAYOUT_LAYERS)
    next = dx != 0 ? next_in_row(layout, scene, from, dx)
                   : next_in_column(layout, scene, from, up);
  return next >= 0 ? next : cwu_pick_towards(layout, scene, from, dx, -up);
}

/* ---- edges ----------------------------------------------------------------------------- */

typedef struct {
  float share;
  uint32_t other;
} End;

static int
compare_ends(gconstpointer a, gconstpointer b)
{
  const End *x = a, *y = b;
  return x->share > y->share ? -1 : x->share < y->share ? 1 : x->other < y->other ? -1 : 1;
}

/* The other end of the node's edge that so many are stronger than; -1: it has no more. */
static int64_t
find_end(const CwuScene *scene, int64_t node, bool is_upwards, size_t rank)
{
  const uint32_t *start = is_upwards ? scene->out_start : scene->in_start;
  uint32_t n = start[node + 1] - start[node];
  if (rank >= n)
    return -1;
  g_autofree End *ends = g_new(End, n);
  for (uint32_t k = 0; k < n; k++) {
    uint32_t e = is_upwards ? scene->out_edge[start[node] + k] : start[node] + k;
    const CwuSceneEdge *edge = &scene->edges[e];
    ends[k] = (End){ fabsf(edge->share), is_upwards ? edge->target : edge->source };
  }
  qsort(ends, n, sizeof *ends, compare_ends);
  return ends[rank].other;
}

int64_t
cwu_walk_edges(CwuEdgeWalk *walk, const CwuScene *scene, int64_t from, CwuWalk way)
{
  CwuEdgeWalk next = { .from = from, .is_upwards = way == CWU_WALK_UP };
  if (way == CWU_WALK_LEFT || way == CWU_WALK_RIGHT) {
    if (walk->at != from || walk->at < 0 || (way == CWU_WALK_LEFT && walk->rank == 0))
      return -1;
    next = *walk;
    next.rank += way == CWU_WALK_RIGHT ? 1 : -1;
  }
  next.at = find_end(scene, next.from, next.is_upwards, next.rank);
  if (next.at >= 0)
    *walk = next;
  return next.at;
}
