/* canvas-cairo.c - marks on a cairo context.
 *
 * A circle filled and stroked costs 25 us, a ready stamp 1 us: on pixel targets every glyph of
 * one look is drawn once into a stamp and then copied to whole device pixels. A graph needs a
 * few dozen looks; vector targets get paths. */
#include <math.h>
#include <string.h>

#include "picture/canvas.h"

#define MAX_STAMPS 128

typedef struct {
  CwuShape shape;
  double radius;
  CwuStyle style;
  cairo_surface_t *surface;
  double half; /* px from its corner to the middle */
} Stamp;

typedef struct {
  CwuCanvas base;
  double device_scale;
  cairo_t *cr;
  GArray *stamps;
} CairoCanvas;

static void
set_colour(cairo_t *cr, CwuColour colour)
{
  cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, colour.a);
}

/* Fills and strokes the current path. */
static void
paint(cairo_t *cr, const CwuStyle *style)
{
  if (style->fill.a > 0) {
    set_colour(cr, style->fill);
    cairo_fill_preserve(cr);
  }
  if (style->stroke.a > 0 && style->stroke_px > 0) {
    const double dash[] = { MAX(4.0, 2.6 * style->stroke_px),
                            MAX(3.0, 1.6 * style->stroke_px) };
    set_colour(cr, style->stroke);
    cairo_set_line_width(cr, style->stroke_px);
    cairo_set_dash(cr, dash, style->is_dashed ? 2 : 0, 0);
    cairo_stroke_preserve(cr);
  }
  cairo_new_path(cr);
}

static void
cairo_canvas_curve(CwuCanvas *canvas, const CwuCurve *curve, const CwuStyle *style)
{
  cairo_t *cr = ((CairoCanvas *)canvas)->cr;
  const CwuPoint *p = curve->p;
  cairo_move_to(cr, p[0].x, p[0].y);
  cairo_curve_to(cr, p[1].x, p[1].y, p[2].x, p[2].y, p[3].x, p[3].y);
  paint(cr, style);
}

static void
cairo_canvas_line(CwuCanvas *canvas, CwuPoint a, CwuPoint b, const CwuStyle *style)
{
  cairo_t *cr = ((CairoCanvas *)canvas)->cr;
  cairo_move_to(cr, a.x, a.y);
  cairo_line_to(cr, b.x, b.y);
  paint(cr, style);
}

static void
cairo_canvas_path(CwuCanvas *canvas, const CwuPoint *points, size_t n, const CwuStyle *style)
{
  cairo_t *cr = ((CairoCanvas *)canvas)->cr;
  cairo_save(cr);
  cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
  cairo_move_to(cr, points[0].x, points[0].y);
  for (size_t i = 1; i < n; i++)
    cairo_line_to(cr, points[i].x, points[i].y);
  paint(cr, style);
  cairo_restore(cr);
}

static void
cairo_canvas_box(CwuCanvas *canvas, const CwuRect *rect, double corner, const CwuStyle *style)
{
  cairo_t *cr = ((CairoCanvas *)canvas)->cr;
  double x = rect->x, y = rect->y, w = rect->width, h = rect->height, r = corner;
  if (r <= 0) {
    cairo_rectangle(cr, x, y, w, h);
  } else {
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + w - r, y + r, r, -G_PI_2, 0);
    cairo_arc(cr, x + w - r, y + h - r, r, 0, G_PI_2);
    cairo_arc(cr, x + r, y + h - r, r, G_PI_2, G_PI);
    cairo_arc(cr, x + r, y + r, r, G_PI, 3 * G_PI_2);
    cairo_close_path(cr);
  }
  paint(cr, style);
}

static void
glyph_path(cairo_t *cr, CwuShape shape, CwuPoint at, double radius)
{
  switch (shape) {
  case CWU_SHAPE_CIRCLE:
    cairo_new_sub_path(cr);
    cairo_arc(cr, at.x, at.y, radius, 0, 2 * G_PI);
    break;
  case CWU_SHAPE_SQUARE:
    cairo_rectangle(cr, at.x - radius, at.y - radius, 2 * radius, 2 * radius);
    break;
  case CWU_SHAPE_DIAMOND:
    cairo_move_to(cr, at.x, at.y - radius);
    cairo_line_to(cr, at.x + radius, at.y);
    cairo_line_to(cr, at.x, at.y + radius);
    cairo_line_to(cr, at.x - radius, at.y);
    cairo_close_path(cr);
    break;
  }
}

static bool
same_colour(const CwuColour *a, const CwuColour *b)
{
  return a->r == b->r && a->g == b->g && a->b == b->b && a->a == b->a;
}

static bool
stamp_is(const Stamp *stamp, CwuShape shape, double radius, const CwuStyle *style)
{
  return stamp->shape == shape && stamp->radius == radius &&
         stamp->style.stroke_px == style->stroke_px &&
         stamp->style.is_dashed == style->is_dashed &&
         same_colour(&stamp->style.fill, &style->fill) &&
         same_colour(&stamp->style.stroke, &style->stroke);
}

static void
stamp_clear(gpointer data)
{
  cairo_surface_destroy(((Stamp *)data)->surface);
}

static const Stamp *
get_stamp(CairoCanvas *self, CwuShape shape, double radius, const CwuStyle *style)
{
  for (guint i = 0; i < self->stamps->len; i++)
    if (stamp_is(&g_array_index(self->stamps, Stamp, i), shape, radius, style))
      return &g_array_index(self->stamps, Stamp, i);
  if (self->stamps->len >= MAX_STAMPS)
    g_array_set_size(self->stamps, 0);
  double scale = self->device_scale;
  double half_device = ceil((radius + style->stroke_px + 1) * scale) + 0.5;
  int size = (int)(2 * half_device);
  Stamp stamp = { shape, radius, *style, NULL, half_device / scale };
  stamp.surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, size, size);
  cairo_surface_set_device_scale(stamp.surface, scale, scale);
  cairo_t *cr = cairo_create(stamp.surface);
  glyph_path(cr, shape, (CwuPoint){ stamp.half, stamp.half }, radius);
  paint(cr, style);
  cairo_destroy(cr);
  g_array_append_val(self->stamps, stamp);
  return &g_array_index(self->stamps, Stamp, self->stamps->len - 1);
}

static void
cairo_canvas_glyph(CwuCanvas *canvas, CwuShape shape, CwuPoint at, double radius,
                   const CwuStyle *style)
{
  CairoCanvas *self = (CairoCanvas *)canvas;
  if (self->device_scale <= 0) {
    glyph_path(self->cr, shape, at, radius);
    paint(self->cr, style);
    return;
  }
  const Stamp *stamp = get_stamp(self, shape, radius, style);
  double x = round((at.x - stamp->half) * self->device_scale) / self->device_scale;
  double y = round((at.y - stamp->half) * self->device_scale) / self->device_scale;
  cairo_set_source_surface(self->cr, stamp->surface, x, y);
  cairo_paint(self->cr);
}

static void
cairo_canvas_text(CwuCanvas *canvas, const CwuText *text)
{
  cairo_t *cr = ((CairoCanvas *)canvas)->cr;
  PangoLayout *layout =
      cwu_text_face_peek(canvas->face, text->text, text->size_px, text->is_bold);
  int width, height;
  pango_layout_get_size(layout, &width, &height);
  cairo_save(cr);
  cairo_translate(cr, text->at.x, text->at.y);
  if (text->angle != 0)
    cairo_rotate(cr, text->angle);
  cairo_move_to(cr, -text->anchor * width / PANGO_SCALE, -0.5 * height / PANGO_SCALE);
  set_colour(cr, text->colour);
  pango_cairo_show_layout(cr, layout);
  cairo_restore(cr);
  cairo_new_path(cr);
}

static void
cairo_canvas_push_clip(CwuCanvas *canvas, const CwuRect *rect)
{
  cairo_t *cr = ((CairoCanvas *)canvas)->cr;
  cairo_save(cr);
  cairo_rectangle(cr, rect->x, rect->y, rect->width, rect->height);
  cairo_clip(cr);
}

static void
cairo_canvas_pop_clip(CwuCanvas *canvas)
{
  cairo_restore(((CairoCanvas *)canvas)->cr);
}

static void
cairo_canvas_free(CwuCanvas *canvas)
{
  g_array_unref(((CairoCanvas *)canvas)->stamps);
}

static const CwuCanvasClass cairo_canvas_class = {
  .curve = cairo_canvas_curve,
  .line = cairo_canvas_line,
  .path = cairo_canvas_path,
  .box = cairo_canvas_box,
  .glyph = cairo_canvas_glyph,
  .text = cairo_canvas_text,
  .push_clip = cairo_canvas_push_clip,
  .pop_clip = cairo_canvas_pop_clip,
  .free = cairo_canvas_free,
};

CwuCanvas *
cwu_canvas_cairo_new(double device_scale)
{
  CairoCanvas *self = g_new0(CairoCanvas, 1);
  self->base.class = &cairo_canvas_class;
  self->base.face = cwu_text_face_new();
  self->device_scale = device_scale;
  self->stamps = g_array_new(FALSE, FALSE, sizeof(Stamp));
  g_array_set_clear_func(self->stamps, stamp_clear);
  return &self->base;
}

void
cwu_canvas_cairo_set_target(CwuCanvas *canvas, cairo_t *cr)
{
  ((CairoCanvas *)canvas)->cr = cr;
}

void
cwu_canvas_free(CwuCanvas *canvas)
{
  if (canvas == NULL)
    return;
  canvas->class->free(canvas);
  cwu_text_face_free(canvas->face);
  g_free(canvas);
}
