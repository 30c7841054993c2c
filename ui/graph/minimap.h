/* minimap.h - the small picture of the whole in a corner, while a part is seen: where it lies
 * and what a place in it means. */
#pragma once

#include "picture/camera.h"
#include "picture/picture-layout.h"

/* The layout as the minimap shows it: its plot is at the origin. */
CwuCamera cwu_minimap_camera(const CwuLayout *layout);
/* It is there when a good part of the picture is out of sight. */
bool cwu_minimap_is_shown(const CwuCamera *camera);
/* On screen: where no node of a layered picture is, at the top left. */
CwuRect cwu_minimap_place(const CwuLayout *layout, const CwuRect *plot);
/* The part that is seen, inside the place. */
CwuRect cwu_minimap_frame(const CwuRect *place, const CwuViewpoint *viewpoint);
/* The viewpoint whose frame is centred on a point of the place. */
CwuViewpoint cwu_minimap_look_at(const CwuRect *place, const CwuViewpoint *viewpoint, double x,
                                 double y);
