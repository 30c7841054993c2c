/* clear-place.h - which of some places for a card covers least of what is shown there. */
#pragma once

#include "picture/painter.h"

typedef struct {
  CwuRect rect;
  double weight; /* of covering it; a node that has nothing to do with the selection is 1 */
} CwuObstacle;

/* The nodes in `reach`. The selected one weighs most, then those joined to it. Transfer full,
 * elements CwuObstacle. O(N). */
GArray *cwu_obstacles_new(const CwuPicture *picture, const CwuRect *reach);
void cwu_obstacles_add(GArray *obstacles, const CwuRect *rect, double weight);
double cwu_obstacles_weigh(const GArray *obstacles, const CwuRect *card);
/* Each place is moved into the bounds as far as it fits there; the lightest, the first of
 * several. n > 0. */
CwuRect cwu_obstacles_clearest(const GArray *obstacles, const CwuRect *places, size_t n,
                               const CwuRect *bounds);
