/* edge-raster.h - the mass of edges as a faint texture: a density picture made by our own
 * anti-aliased line blender, because cairo strokes only a few hundred long lines a frame. */
#pragma once

#include <cairo.h>

#include "picture/edge-curve.h"
#include "picture/theme.h"

typedef struct _CwuEdgeRaster CwuEdgeRaster;

/* How far so many edges are from being a mass: 0 for thousands, 1 for a few dozen and fewer,
 * each of which has to be seen alone. */
double cwu_edge_fewness(size_t n_edges);

/* A picture of camera->plot at `scale` device pixels per px. NULL and CW_ERROR_NO_MEMORY if it
 * does not fit. */
CwuEdgeRaster *cwu_edge_raster_new(const CwuCamera *camera, double scale, GError **error);
void cwu_edge_raster_free(CwuEdgeRaster *raster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuEdgeRaster, cwu_edge_raster_free)

/* Adds edges scene->edge_order[from .. to) and returns where it stopped: before `to` only if
 * cancel was raised, which it looks at every few thousand edges. O(length of the lines in px).
 */
size_t cwu_edge_raster_add(CwuEdgeRaster *raster, const CwuScene *scene,
                           const CwuLayout *layout, size_t from, size_t to,
                           const CwCancel *cancel);
/* The same on a thread per core, four at most; returns `to`, or `from` if cancel was raised or
 * there was no memory for the threads' own pictures: then nothing has been added. */
size_t cwu_edge_raster_add_on_threads(CwuEdgeRaster *raster, const CwuScene *scene,
                                      const CwuLayout *layout, size_t from, size_t to,
                                      const CwCancel *cancel);
/* The density as an image of theme->mass: ARGB32, premultiplied, device scale set. Adding may
 * go on afterwards. NULL if there is no memory. */
cairo_surface_t *cwu_edge_raster_dup_image(const CwuEdgeRaster *raster, const CwuTheme *theme);
