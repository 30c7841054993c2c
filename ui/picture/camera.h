/* camera.h - which part of a layout is seen, free of any size in px, so that it survives a
 * resize and can be saved. */
#pragma once

#include "picture/geometry.h"

#define CWU_ZOOM_MAX 48.0

/* Zoom 1 shows everything; the centre is a share of the layout's width and height, 0..1. */
typedef struct {
  double zoom, centre_x, centre_y;
} CwuViewpoint;

#define CWU_VIEWPOINT_ALL ((CwuViewpoint){ 1, 0.5, 0.5 })

/* The nearest viewpoint that shows nothing beyond the picture. */
CwuViewpoint cwu_viewpoint_confine(const CwuViewpoint *viewpoint);
bool cwu_viewpoint_equal(const CwuViewpoint *a, const CwuViewpoint *b);
CwuCamera cwu_camera_at(const CwuViewpoint *viewpoint, const CwuRect *plot);
/* Zooms so that what lies under the point (screen px) stays there. */
CwuViewpoint cwu_viewpoint_zoom(const CwuViewpoint *viewpoint, const CwuRect *plot, double x,
                                double y, double factor);
CwuViewpoint cwu_viewpoint_pan(const CwuViewpoint *viewpoint, const CwuRect *plot, double dx,
                               double dy);
/* Pans as little as needed for a place in the layout (px at zoom 1) to be well inside. */
CwuViewpoint cwu_viewpoint_reveal(const CwuViewpoint *viewpoint, const CwuRect *plot, double x,
                                  double y);
/* Shows a part of the layout (px at zoom 1), with some room around it. */
CwuViewpoint cwu_viewpoint_fit(const CwuRect *part, const CwuRect *plot);
