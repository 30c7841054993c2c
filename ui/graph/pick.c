/* pick.c - see pick.h. */
#include "graph/pick.h"

#include <math.h>

#define FOCUS_BONUS_PX 4.0

int64_t
cwu_pick_nearest(const CwuLayout *layout, const CwuScene *scene, const CwuFocus *focus,
                 const CwuCamera *camera, double x, double y, double reach_px)
{
  double best = reach_px;
  int64_t nearest = -1;
  for (size_t i = 0; i < scene->n_nodes; i++) {
    CwuPoint at = cwu_layout_at(layout, camera, i);
    double distance = hypot(at.x - x, at.y - y);
    if (distance > reach_px)
      continue;
    if (focus != NULL && focus->role[i] != CWU_ROLE_NONE)
      distance -= FOCUS_BONUS_PX;
    if (distance < best) {
      best = distance;
      nearest = (int64_t)i;
    }
  }
  return nearest;
}

int64_t
cwu_pick_towards(const CwuLayout *layout, const CwuScene *scene, int64_t from, int dx, int dy)
{
  double best = INFINITY;
  int64_t next = -1;
  for (size_t i = 0; i < scene->n_nodes; i++) {
    double across = (double)layout->x[i] - (double)layout->x[from];
    double down = (double)layout->y[i] - (double)layout->y[from];
    double along = across * dx + down * dy, aside = fabs(across * dy) + fabs(down * dx);
    if ((int64_t)i == from || along < 0.5 || aside > 3 * along)
      continue;
    if (along + 2 * aside < best) {
      best = along + 2 * aside;
      next = (int64_t)i;
    }
  }
  return next;
}
