/* force-layout.c - see cw-layout.h; the forces are in force-field.c.
 *
 * A step moves every node along its wish. The pace follows ForceAtlas2 (Jacomy and others 2014,
 * 10.1371/journal.pone.0098679): a node whose wish swings to and fro is slowed, the whole
 * layout moves faster the more the wishes of successive steps agree. The temperature bounds a
 * move and falls by a constant factor, so that every layout comes to rest, in some 450 steps;
 * discs are parted once it is cool. Start: homes with jitter, in which an attribution graph is
 * half laid out. Expected: 50 to 10,000 nodes, up to 500,000 edges. */
#include "graph/force-layout.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

#define COOLING      0.985
#define COOLING_KEPT 0.98  /* of kept nodes, which move less than a diameter in all */
#define HOTTEST      0.3   /* of the extent */
#define COOL         0.015 /* of the extent: from here on discs are parted */
#define FIRST_SPEED  0.5
#define LEAST_SPEED  0.05
#define JITTER       0.2   /* of the extent */
#define STILL        0.002 /* when the fastest node moves less a step, all rest */
#define FARTHEST     1e6f  /* a node can be dragged this far */

/* Width and height of the box of homes over the extent; its area is that of the disc. */
#define HOME_WIDTH  2.17
#define HOME_HEIGHT 1.45

void
cw_force_options_init(CwForceOptions *options)
{
  *options = (CwForceOptions){ 0.5, 1, 1, 1, 1 };
}

void
cw_force_layout_home(const CwForceLayout *layout, size_t node, float *x, float *y)
{
  *x = (layout->home_x[node] - 0.5f) * (float)(HOME_WIDTH * layout->extent);
  *y = (layout->home_y[node] - 0.5f) * (float)(HOME_HEIGHT * layout->extent);
}

void
cw_force_layout_warm(CwForceLayout *layout, double amount)
{
  double wanted = CLAMP(amount, 0, 1) * HOTTEST * layout->extent;
  layout->temperature = MAX(MAX(layout->temperature, wanted), 2 * CW_FORCE_COLDEST);
  layout->speed = FIRST_SPEED;
  memset(layout->last_x, 0, layout->n * sizeof(float));
  memset(layout->last_y, 0, layout->n * sizeof(float));
  layout->is_settled = layout->n == 0;
}

CwForceLayout *
cw_force_layout_new(const CwForceGraph *graph, const CwForceOptions *options, GError **error)
{
  CwForceLayout *layout = cw_force_graph_take_in(graph, options, error);
  if (layout == NULL)
    return NULL;
  CwRng rng = { options->seed, 0, 0 };
  for (size_t i = 0; i < layout->n; i++) {
    cw_force_layout_home(layout, i, &layout->x[i], &layout->y[i]);
    layout->x[i] += (float)((cw_rng_next_uniform(&rng) - 0.5) * JITTER * layout->extent);
    layout->y[i] += (float)((cw_rng_next_uniform(&rng) - 0.5) * JITTER * layout->extent);
  }
  cw_force_layout_warm(layout, 1);
  return layout;
}

/* ---- a step ---------------------------------------------------------------------------- */

static void
set_pace(CwForceLayout *layout)
{
  double swing = 0, traction = 0;
  for (size_t i = 0; i < layout->n; i++) {
    float sx = layout->wish_x[i] - layout->last_x[i];
    float sy = layout->wish_y[i] - layout->last_y[i];
    float tx = layout->wish_x[i] + layout->last_x[i];
    float ty = layout->wish_y[i] + layout->last_y[i];
    swing += (double)sqrtf(sx * sx + sy * sy);
    traction += (double)sqrtf(tx * tx + ty * ty) / 2;
  }
  double fastest = MIN(1.5 * layout->speed, 1), wanted = fastest;
  if (swing > 0)
    wanted = traction / swing;
  layout->speed = CLAMP(wanted, LEAST_SPEED, fastest);
}

/* Moves all and returns how far the fastest went. */
static float
move(CwForceLayout *layout, const CwDiscs *discs)
{
  float hottest = (float)layout->temperature, speed = (float)layout->speed, farthest = 0;
  double moved = 0;
  for (size_t i = 0; i < layout->n; i++) {
    float wx = layout->wish_x[i], wy = layout->wish_y[i];
    float sx = wx - layout->last_x[i], sy = wy - layout->last_y[i];
    layout->last_x[i] = wx;
    layout->last_y[i] = wy;
    if (layout->is_fixed[i])
      continue;
    float scale = speed / (1 + speed * sqrtf(sqrtf(sx * sx + sy * sy)));
    float length = scale * sqrtf(wx * wx + wy * wy);
    if (length > hottest) {
      scale *= hottest / length;
      length = hottest;
    }
    layout->x[i] = CLAMP(layout->x[i] + scale * wx, -FARTHEST, FARTHEST);
    layout->y[i] = CLAMP(layout->y[i] + scale * wy, -FARTHEST, FARTHEST);
    if (layout->is_anchored[i])
      cw_disc_spacing_pull_back(discs, i);
    moved += (double)length;
    farthest = MAX(farthest, length);
  }
  layout->movement = moved / (double)layout->n;
  return farthest;
}

static bool
step_once(CwForceLayout *layout, GError **error)
{
  CwDiscs discs = { layout->n,        layout->x,        layout->y,
                    layout->radius,   layout->is_fixed, layout->is_anchored,
                    layout->anchor_x, layout->anchor_y, CW_FORCE_LEASH };
  if (!cw_force_field_compute(layout, error))
    return false;
  set_pace(layout);
  float farthest = move(layout, &discs);
  if (layout->has_anchors || layout->temperature < COOL * layout->extent)
    cw_disc_spacing_sweep(layout->spacing, &discs);
  layout->temperature *= layout->has_anchors ? COOLING_KEPT : COOLING;
  if (farthest < STILL && !layout->has_anchors && layout->temperature > COOL * layout->extent) {
    /* At rest before discs were parted, which may still set things moving. */
    layout->temperature = COOL * layout->extent;
    return true;
  }
  if (layout->temperature < CW_FORCE_COLDEST || farthest < STILL) {
    cw_disc_spacing_part(layout->spacing, &discs);
    layout->temperature = layout->movement = 0;
    layout->is_settled = true;
  }
  return true;
}

bool
cw_force_layout_step(CwForceLayout *layout, int64_t n_steps, GError **error)
{
  for (int64_t i = 0; i < n_steps && !layout->is_settled; i++)
    if (!step_once(layout, error))
      return false;
  return true;
}

/* ---- what can be asked ----------------------------------------------------------------- */

bool
cw_force_layout_is_settled(const CwForceLayout *layout)
{
  return layout->is_settled;
}

size_t
cw_force_layout_get_n_nodes(const CwForceLayout *layout)
{
  return layout->n;
}

const float *
cw_force_layout_peek_x(const CwForceLayout *layout)
{
  return layout->x;
}

const float *
cw_force_layout_peek_y(const CwForceLayout *layout)
{
  return layout->y;
}

double
cw_force_layout_get_temperature(const CwForceLayout *layout)
{
  return layout->temperature;
}

double
cw_force_layout_get_movement(const CwForceLayout *layout)
{
  return layout->movement;
}

/* ---- what can be done ------------------------------------------------------------------ */

void
cw_force_layout_fix(CwForceLayout *layout, size_t node, float x, float y)
{
  if (node >= layout->n)
    return;
  if (isfinite(x) && isfinite(y)) {
    layout->x[node] = CLAMP(x, -FARTHEST, FARTHEST);
    layout->y[node] = CLAMP(y, -FARTHEST, FARTHEST);
  }
  layout->is_fixed[node] = 1;
  layout->is_anchored[node] = 0;
  cw_force_layout_warm(layout, 0);
}

void
cw_force_layout_unfix(CwForceLayout *layout, size_t node)
{
  if (node >= layout->n || !layout->is_fixed[node])
    return;
  layout->is_fixed[node] = 0;
  cw_force_layout_warm(layout, 0);
}

bool
cw_force_layout_is_fixed(const CwForceLayout *layout, size_t node)
{
  return node < layout->n && layout->is_fixed[node];
}

void
cw_force_layout_reheat(CwForceLayout *layout, double amount)
{
  memset(layout->is_anchored, 0, layout->n);
  layout->has_anchors = false;
  cw_force_layout_set_extent(layout, layout->natural_extent);
  cw_force_layout_warm(layout, amount);
}

void
cw_force_layout_set_gravity(CwForceLayout *layout, double gravity)
{
  layout->options.gravity = CLAMP(gravity, 0, 1);
}
