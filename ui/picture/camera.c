/* camera.c - see camera.h. The picture always fills the plot: there is no way to lose it. */
#include "picture/camera.h"

#include <math.h>

#include "picture/layers-layout.h"

#define REVEAL_MARGIN_PX 40.0
/* A node and its neighbours fill the plot this far, and no further in. */
#define FIT_SHARE    0.8
#define FIT_ZOOM_MAX 6.0

static CwuViewpoint
confine(CwuViewpoint viewpoint)
{
  viewpoint.zoom = CLAMP(viewpoint.zoom, 1, CWU_ZOOM_MAX);
  double half = 0.5 / viewpoint.zoom;
  viewpoint.centre_x = CLAMP(viewpoint.centre_x, half, 1 - half);
  viewpoint.centre_y = CLAMP(viewpoint.centre_y, half, 1 - half);
  return viewpoint;
}

CwuViewpoint
cwu_viewpoint_confine(const CwuViewpoint *viewpoint)
{
  return confine(*viewpoint);
}

bool
cwu_viewpoint_equal(const CwuViewpoint *a, const CwuViewpoint *b)
{
  return a->zoom == b->zoom && a->centre_x == b->centre_x && a->centre_y == b->centre_y;
}

CwuCamera
cwu_camera_at(const CwuViewpoint *viewpoint, const CwuRect *plot)
{
  CwuViewpoint v = confine(*viewpoint);
  return (CwuCamera){ .plot = *plot,
                      .zoom = v.zoom,
                      .offset_x = plot->width * (0.5 - v.zoom * v.centre_x),
                      .offset_y = plot->height * (0.5 - v.zoom * v.centre_y),
                      .openness = cwu_layout_openness(v.zoom) };
}

CwuViewpoint
cwu_viewpoint_zoom(const CwuViewpoint *viewpoint, const CwuRect *plot, double x, double y,
                   double factor)
{
  CwuCamera camera = cwu_camera_at(viewpoint, plot);
  CwuPoint under = cwu_camera_to_layout(&camera, x, y);
  double zoom = CLAMP(camera.zoom * factor, 1, CWU_ZOOM_MAX);
  double px = (x - plot->x) / plot->width, py = (y - plot->y) / plot->height;
  return confine((CwuViewpoint){ zoom, under.x / plot->width + (0.5 - px) / zoom,
                                 under.y / plot->height + (0.5 - py) / zoom });
}

CwuViewpoint
cwu_viewpoint_pan(const CwuViewpoint *viewpoint, const CwuRect *plot, double dx, double dy)
{
  CwuViewpoint v = confine(*viewpoint);
  v.centre_x -= dx / (plot->width * v.zoom);
  v.centre_y -= dy / (plot->height * v.zoom);
  return confine(v);
}

CwuViewpoint
cwu_viewpoint_reveal(const CwuViewpoint *viewpoint, const CwuRect *plot, double x, double y)
{
  CwuCamera camera = cwu_camera_at(viewpoint, plot);
  CwuPoint at = cwu_camera_to_screen(&camera, x, y);
  double right = plot->x + plot->width, bottom = plot->y + plot->height;
  double dx = at.x < plot->x + REVEAL_MARGIN_PX ? plot->x + REVEAL_MARGIN_PX - at.x
              : at.x > right - REVEAL_MARGIN_PX ? right - REVEAL_MARGIN_PX - at.x
                                                : 0;
  double dy = at.y < plot->y + REVEAL_MARGIN_PX  ? plot->y + REVEAL_MARGIN_PX - at.y
              : at.y > bottom - REVEAL_MARGIN_PX ? bottom - REVEAL_MARGIN_PX - at.y
                                                 : 0;
  return cwu_viewpoint_pan(viewpoint, plot, dx, dy);
}

CwuViewpoint
cwu_viewpoint_fit(const CwuRect *part, const CwuRect *plot)
{
  double across = FIT_SHARE * plot->width / MAX(part->width, 1);
  double down = FIT_SHARE * plot->height / MAX(part->height, 1);
  return confine((CwuViewpoint){ MIN(MIN(across, down), FIT_ZOOM_MAX),
                                 (part->x + part->width / 2) / plot->width,
                                 (part->y + part->height / 2) / plot->height });
}
