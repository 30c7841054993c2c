/* clear-place.c - see clear-place.h. Where nothing is free, what is covered is weighed: a card
 * over a node that steps back does less harm than one over a name. A few places beside a node
 * are enough; to search all of the picture would carry a card away from what it belongs to. */
#include "picture/clear-place.h"

#define SELECTED_WEIGHT 4.0
#define RELATED_WEIGHT  2.0

static double
weight_of(const CwuPicture *picture, size_t node)
{
  uint8_t role = picture->focus != NULL ? picture->focus->role[node] : (uint8_t)CWU_ROLE_NONE;
  if (role & CWU_ROLE_SELECTED)
    return SELECTED_WEIGHT;
  return role != CWU_ROLE_NONE ? RELATED_WEIGHT : 1;
}

GArray *
cwu_obstacles_new(const CwuPicture *picture, const CwuRect *reach)
{
  GArray *obstacles = g_array_new(FALSE, FALSE, sizeof(CwuObstacle));
  double r = cwu_painter_radius(picture) + picture->theme->outline_px;
  for (size_t i = 0; i < picture->scene->n_nodes; i++) {
    CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, i);
    CwuRect square = { at.x - r, at.y - r, 2 * r, 2 * r };
    if (cwu_rect_overlaps(&square, reach))
      cwu_obstacles_add(obstacles, &square, weight_of(picture, i));
  }
  return obstacles;
}

void
cwu_obstacles_add(GArray *obstacles, const CwuRect *rect, double weight)
{
  CwuObstacle obstacle = { *rect, weight };
  g_array_append_val(obstacles, obstacle);
}

double
cwu_obstacles_weigh(const GArray *obstacles, const CwuRect *card)
{
  double weight = 0;
  for (guint i = 0; i < obstacles->len; i++) {
    const CwuObstacle *obstacle = &g_array_index(obstacles, CwuObstacle, i);
    if (cwu_rect_overlaps(&obstacle->rect, card))
      weight += obstacle->weight;
  }
  return weight;
}

static CwuRect
moved_inside(const CwuRect *card, const CwuRect *bounds)
{
  CwuRect moved = *card;
  moved.x = MAX(MIN(card->x, bounds->x + bounds->width - card->width), bounds->x);
  moved.y = MAX(MIN(card->y, bounds->y + bounds->height - card->height), bounds->y);
  return moved;
}

CwuRect
cwu_obstacles_clearest(const GArray *obstacles, const CwuRect *places, size_t n,
                       const CwuRect *bounds)
{
  CwuRect best = moved_inside(&places[0], bounds);
  double least = cwu_obstacles_weigh(obstacles, &best);
  for (size_t i = 1; i < n && least > 0; i++) {
    CwuRect card = moved_inside(&places[i], bounds);
    double weight = cwu_obstacles_weigh(obstacles, &card);
    if (weight < least) {
      best = card;
      least = weight;
    }
  }
  return best;
}
