/* force-plane.h - a scene as the force-directed layout takes it, and what that gives as a
 * layout of a picture. Forces know diameters and let y grow upwards; a picture knows px. */
#pragma once

#include "cw-layout.h"
#include "picture/picture-layout.h"

/* A scene for cw_force_layout_new; view borrows the arrays. */
typedef struct {
  CwForceGraph view;
  uint32_t *source, *target;
  float *share, *home_x, *home_y;
} CwuForceInput;

/* False and CW_ERROR_NO_MEMORY where the scene is too large. O(N + E). */
bool cwu_force_input_init(CwuForceInput *input, const CwuScene *scene, GError **error);
void cwu_force_input_clear(CwuForceInput *input);

/* Which part of the plane a plot shows at zoom 1: a window that is as large as the plot allows,
 * free of the plot's size. */
typedef struct {
  double centre_x, centre_y, half_width, half_height; /* diameters */
} CwuForceFrame;

/* Around n points with a little room. */
CwuForceFrame cwu_force_frame_around(const float *x, const float *y, size_t n);
/* Whether the frame can stay: all points are inside, and they fill a good part of it. A picture
 * whose scale changed with every step of the layout would never come to rest for the eye. */
bool cwu_force_frame_holds(const CwuForceFrame *frame, const float *x, const float *y,
                           size_t n);

/* [n_nodes of the scene] x and y, in diameters. NULL and CW_ERROR_NO_MEMORY. O(N). */
CwuLayout *cwu_force_plane_new(const CwuForceFrame *frame, const float *x, const float *y,
                               size_t n_nodes, double width, double height, GError **error);
/* The place in the plane of a place in a layout of that size (px at zoom 1). */
CwuPoint cwu_force_frame_place(const CwuForceFrame *frame, double width, double height,
                               CwuPoint at);
