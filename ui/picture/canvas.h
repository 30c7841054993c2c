/* canvas.h - the few marks a picture is made of, on any device: cairo (screen, PNG, PDF) or SVG
 * text. cairo's own SVG surface turns text into outlines, which nobody can edit or search. */
#pragma once

#include <cairo.h>

#include "picture/edge-curve.h"
#include "picture/text-face.h"
#include "picture/theme.h"

typedef enum { CWU_SHAPE_CIRCLE, CWU_SHAPE_SQUARE, CWU_SHAPE_DIAMOND } CwuShape;

typedef struct {
  CwuColour fill, stroke; /* alpha 0: none */
  double stroke_px;
  bool is_dashed;
} CwuStyle;

typedef struct {
  const char *text; /* plain, never markup */
  CwuPoint at;      /* on the middle line of the text */
  double anchor;    /* 0: begins there, 0.5: centred, 1: ends there */
  double angle;     /* radians, clockwise on screen */
  double size_px;
  bool is_bold;
  CwuColour colour;
} CwuText;

typedef struct _CwuCanvas CwuCanvas;

typedef struct {
  void (*curve)(CwuCanvas *canvas, const CwuCurve *curve, const CwuStyle *style);
  void (*line)(CwuCanvas *canvas, CwuPoint a, CwuPoint b, const CwuStyle *style);
  /* Through all points; filled, the shape between them. n >= 2. */
  void (*path)(CwuCanvas *canvas, const CwuPoint *points, size_t n, const CwuStyle *style);
  void (*box)(CwuCanvas *canvas, const CwuRect *rect, double corner, const CwuStyle *style);
  void (*glyph)(CwuCanvas *canvas, CwuShape shape, CwuPoint at, double radius,
                const CwuStyle *style);
  void (*text)(CwuCanvas *canvas, const CwuText *text);
  void (*push_clip)(CwuCanvas *canvas, const CwuRect *rect);
  void (*pop_clip)(CwuCanvas *canvas);
  void (*free)(CwuCanvas *canvas);
} CwuCanvasClass;

struct _CwuCanvas {
  const CwuCanvasClass *class;
  CwuTextFace *face; /* owned */
};

void cwu_canvas_free(CwuCanvas *canvas);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuCanvas, cwu_canvas_free)

/* device_scale > 0: for pixels, glyphs are stamped at whole device pixels; 0: paths only. */
CwuCanvas *cwu_canvas_cairo_new(double device_scale);
/* What the next marks are drawn on; the canvas and its remembered text outlive it. */
void cwu_canvas_cairo_set_target(CwuCanvas *canvas, cairo_t *cr);

/* width x height px, each so many points long. */
CwuCanvas *cwu_canvas_svg_new(double width, double height, double points_per_px,
                              const char *title);
/* The finished document; the canvas takes no more marks. Transfer full. */
char *cwu_canvas_svg_finish(CwuCanvas *canvas, size_t *n_bytes);
