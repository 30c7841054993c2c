/* edge-curve.c - see edge-curve.h. The far end comes in mostly from below, never along its row,
 * so that an edge does not run through the nodes beside its target. Steep edges bow to the
 * right, as far as the picture goes there. */
#include "picture/edge-curve.h"

#include <math.h>

#define MAX_BOW_PX   26.0
#define PX_PER_POINT 14.0
/* A bow's ends are the curve's: it swings out by this part of what its middle points do. */
#define SWING 0.75

static CwuCurve
straight(CwuPoint a, CwuPoint b)
{
  CwuPoint third = { (b.x - a.x) / 3, (b.y - a.y) / 3 };
  return (
      CwuCurve){ { a, { a.x + third.x, a.y + third.y }, { b.x - third.x, b.y - third.y }, b } };
}

CwuCurve
cwu_edge_curve(const CwuLayout *layout, const CwuCamera *camera, const CwuSceneEdge *edge)
{
  CwuPoint a = cwu_layout_at(layout, camera, edge->source);
  CwuPoint b = cwu_layout_at(layout, camera, edge->target);
  if (layout->kind == CWU_LAYOUT_PLANE)
    return straight(a, b);
  double dx = b.x - a.x, dy = b.y - a.y;
  double steepness = fabs(dy) / (fabs(dx) + fabs(dy) + 1e-9);
  double bow =
      MIN(0.14 * fabs(dy), MAX_BOW_PX * camera->zoom) * MAX(0, (steepness - 0.9) / 0.1);
  double edge_of_all = cwu_camera_to_screen(camera, layout->width, 0).x;
  bow = MIN(bow, MAX(0, edge_of_all - MAX(a.x, b.x)) / SWING);
  return (CwuCurve){
    { a, { a.x + bow, a.y + 0.48 * dy }, { b.x - 0.22 * dx + bow, b.y - 0.30 * dy }, b }
  };
}

size_t
cwu_curve_flatten(const CwuCurve *curve, CwuPoint *points)
{
  const CwuPoint *p = curve->p;
  double length = hypot(p[1].x - p[0].x, p[1].y - p[0].y) +
                  hypot(p[2].x - p[1].x, p[2].y - p[1].y) +
                  hypot(p[3].x - p[2].x, p[3].y - p[2].y);
  /* Between straight and curved: how far the control points lie off the chord. */
  double bend = hypot(p[0].x - 2 * p[1].x + p[2].x, p[0].y - 2 * p[1].y + p[2].y) +
                hypot(p[1].x - 2 * p[2].x + p[3].x, p[1].y - 2 * p[2].y + p[3].y);
  double wanted = MIN(ceil(length / PX_PER_POINT), ceil(sqrt(1.5 * bend)));
  size_t n = (size_t)CLAMP(wanted, 1, CWU_CURVE_MAX_POINTS - 1);
  for (size_t i = 0; i <= n; i++) {
    double t = (double)i / (double)n, u = 1 - t;
    double w0 = u * u * u, w1 = 3 * u * u * t, w2 = 3 * u * t * t, w3 = t * t * t;
    points[i].x = w0 * p[0].x + w1 * p[1].x + w2 * p[2].x + w3 * p[3].x;
    points[i].y = w0 * p[0].y + w1 * p[1].y + w2 * p[2].y + w3 * p[3].y;
  }
  return n + 1;
}

CwuRect
cwu_curve_bounds(const CwuCurve *curve)
{
  double x0 = curve->p[0].x, x1 = x0, y0 = curve->p[0].y, y1 = y0;
  for (int i = 1; i < 4; i++) {
    x0 = MIN(x0, curve->p[i].x);
    x1 = MAX(x1, curve->p[i].x);
    y0 = MIN(y0, curve->p[i].y);
    y1 = MAX(y1, curve->p[i].y);
  }
  return (CwuRect){ x0, y0, x1 - x0, y1 - y0 };
}
