/* minimap.c - see minimap.h. */
#include "graph/minimap.h"

#define MAX_WIDTH_PX  190.0
#define MAX_HEIGHT_PX 130.0
#define MARGIN_PX     10.0
#define LEAST_ZOOM    1.15

CwuCamera
cwu_minimap_camera(const CwuLayout *layout)
{
  double k = MIN(MAX_WIDTH_PX / layout->width, MAX_HEIGHT_PX / layout->height);
  return (CwuCamera){ .plot = { 0, 0, k * layout->width, k * layout->height }, .zoom = k };
}

bool
cwu_minimap_is_shown(const CwuCamera *camera)
{
  return camera->zoom >= LEAST_ZOOM && camera->plot.width > 2.5 * MAX_WIDTH_PX &&
         camera->plot.height > 2 * MAX_HEIGHT_PX;
}

CwuRect
cwu_minimap_place(const CwuLayout *layout, const CwuRect *plot)
{
  CwuCamera camera = cwu_minimap_camera(layout);
  return (CwuRect){ plot->x + MARGIN_PX, plot->y + MARGIN_PX, camera.plot.width,
                    camera.plot.height };
}

CwuRect
cwu_minimap_frame(const CwuRect *place, const CwuViewpoint *viewpoint)
{
  double width = place->width / viewpoint->zoom, height = place->height / viewpoint->zoom;
  return (CwuRect){ place->x + viewpoint->centre_x * place->width - width / 2,
                    place->y + viewpoint->centre_y * place->height - height / 2, width,
                    height };
}

CwuViewpoint
cwu_minimap_look_at(const CwuRect *place, const CwuViewpoint *viewpoint, double x, double y)
{
  return cwu_viewpoint_confine(&(CwuViewpoint){ viewpoint->zoom, (x - place->x) / place->width,
                                                (y - place->y) / place->height });
}
