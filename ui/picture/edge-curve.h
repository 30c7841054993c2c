/* edge-curve.h - the shape of an edge: one cubic curve that leaves its source upwards; where a
 * layout has no up, a straight line. */
#pragma once

#include "picture/geometry.h"
#include "picture/picture-layout.h"

#define CWU_CURVE_MAX_POINTS 33

typedef struct {
  CwuPoint p[4];
} CwuCurve;

/* From the source's to the target's place on screen. Two nodes above each other are joined by
 * an arc to the right, wider the further apart, so that it can be told which pair it joins. */
CwuCurve cwu_edge_curve(const CwuLayout *layout, const CwuCamera *camera,
                        const CwuSceneEdge *edge);
/* Points along the curve, the ends included, close enough for one px; returns their number. */
size_t cwu_curve_flatten(const CwuCurve *curve, CwuPoint *points);
/* Smallest rectangle around the four control points. */
CwuRect cwu_curve_bounds(const CwuCurve *curve);
