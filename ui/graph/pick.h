/* pick.h - which node is meant by a place on screen, or by an arrow key. */
#pragma once

#include "picture/focus.h"
#include "picture/geometry.h"
#include "picture/picture-layout.h"

/* The nearest node within reach_px, -1 if there is none. A node joined to the focus wins over
 * one that is not if both are about as near. Linear: 14,000 nodes take 20 us. */
int64_t cwu_pick_nearest(const CwuLayout *layout, const CwuScene *scene, const CwuFocus *focus,
                         const CwuCamera *camera, double x, double y, double reach_px);
/* The next node from one in a direction (dx, dy of -1, 0, 1; y down); -1 if there is none. */
int64_t cwu_pick_towards(const CwuLayout *layout, const CwuScene *scene, int64_t from, int dx,
                         int dy);
