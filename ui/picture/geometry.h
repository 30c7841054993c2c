/* geometry.h - points, rectangles and the camera of a picture. Screen px, y grows downwards. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
  double x, y;
} CwuPoint;

typedef struct {
  double x, y, width, height;
} CwuRect;

static inline bool
cwu_rect_overlaps(const CwuRect *a, const CwuRect *b)
{
  return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
         b->y < a->y + a->height;
}

static inline bool
cwu_rect_contains_rect(const CwuRect *outer, const CwuRect *inner)
{
  return inner->x >= outer->x && inner->y >= outer->y &&
         inner->x + inner->width <= outer->x + outer->width &&
         inner->y + inner->height <= outer->y + outer->height;
}

static inline bool
cwu_rect_contains(const CwuRect *rect, double x, double y)
{
  return x >= rect->x && y >= rect->y && x <= rect->x + rect->width &&
         y <= rect->y + rect->height;
}

/* Where the plot lies in the window, and which part of the layout it shows: a layout point p is
 * on screen at plot + offset + zoom * p. Zoom 1, offset 0 shows all of it. */
typedef struct {
  CwuRect plot;
  double zoom, offset_x, offset_y;
  double openness; /* of crowded cells, 0..1: see layers-layout.h */
} CwuCamera;

static inline CwuPoint
cwu_camera_to_screen(const CwuCamera *camera, double x, double y)
{
  return (CwuPoint){ camera->plot.x + camera->offset_x + camera->zoom * x,
                     camera->plot.y + camera->offset_y + camera->zoom * y };
}

static inline CwuPoint
cwu_camera_to_layout(const CwuCamera *camera, double x, double y)
{
  return (CwuPoint){ (x - camera->plot.x - camera->offset_x) / camera->zoom,
                     (y - camera->plot.y - camera->offset_y) / camera->zoom };
}
