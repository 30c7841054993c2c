/* canvas-svg.c - marks as SVG 1.1 text. Words stay words: they can be searched, edited and
 * restyled. Numbers are written in the C locale with two decimals, so that the same picture is
 * the same bytes everywhere. */
#include <math.h>
#include <string.h>

#include "picture/canvas.h"

typedef struct {
  CwuCanvas base;
  GString *out;
  unsigned n_clips;
} SvgCanvas;

static void
append_number(GString *out, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd(buffer, sizeof buffer, "%.2f", value);
  char *dot = strchr(buffer, '.');
  if (dot != NULL) {
    char *end = buffer + strlen(buffer);
    while (end[-1] == '0')
      *--end = 0;
    if (end[-1] == '.')
      end[-1] = 0;
  }
  g_string_append(out, strcmp(buffer, "-0") == 0 ? "0" : buffer);
}

/* Appends the format with each %f replaced by the next double. */
static void
append(GString *out, const char *format, ...)
{
  va_list values;
  va_start(values, format);
  for (const char *p = format; *p != 0; p++) {
    if (p[0] == '%' && p[1] == 'f') {
      append_number(out, va_arg(values, double));
      p++;
    } else {
      g_string_append_c(out, *p);
    }
  }
  va_end(values);
}

static void
append_colour(GString *out, const char *name, CwuColour colour)
{
  g_string_append_printf(out, " %s=\"#%02x%02x%02x\"", name, (unsigned)lround(colour.r * 255),
                         (unsigned)lround(colour.g * 255), (unsigned)lround(colour.b * 255));
  if (colour.a < 1) {
    g_string_append_printf(out, " %s-opacity=\"", name);
    append(out, "%f\"", colour.a);
  }
}

static void
append_style(GString *out, const CwuStyle *style)
{
  if (style->fill.a > 0)
    append_colour(out, "fill", style->fill);
  else
    g_string_append(out, " fill=\"none\"");
  if (style->stroke.a > 0 && style->stroke_px > 0) {
    append_colour(out, "stroke", style->stroke);
    append(out, " stroke-width=\"%f\"", style->stroke_px);
    if (style->is_dashed)
      append(out, " stroke-dasharray=\"%f %f\"", MAX(4.0, 2.6 * style->stroke_px),
             MAX(3.0, 1.6 * style->stroke_px));
  }
  g_string_append(out, "/>\n");
}

static void
svg_canvas_curve(CwuCanvas *canvas, const CwuCurve *curve, const CwuStyle *style)
{
  GString *out = ((SvgCanvas *)canvas)->out;
  const CwuPoint *p = curve->p;
  append(out, "<path d=\"M%f %fC%f %f %f %f %f %f\"", p[0].x, p[0].y, p[1].x, p[1].y, p[2].x,
         p[2].y, p[3].x, p[3].y);
  append_style(out, style);
}

static void
svg_canvas_line(CwuCanvas *canvas, CwuPoint a, CwuPoint b, const CwuStyle *style)
{
  GString *out = ((SvgCanvas *)canvas)->out;
  append(out, "<path d=\"M%f %fL%f %f\"", a.x, a.y, b.x, b.y);
  append_style(out, style);
}

static void
svg_canvas_path(CwuCanvas *canvas, const CwuPoint *points, size_t n, const CwuStyle *style)
{
  GString *out = ((SvgCanvas *)canvas)->out;
  g_string_append(out, "<path d=\"");
  for (size_t i = 0; i < n; i++)
    append(out, i == 0 ? "M%f %f" : "L%f %f", points[i].x, points[i].y);
  g_string_append(out, "\" stroke-linejoin=\"round\"");
  append_style(out, style);
}

static void
svg_canvas_box(CwuCanvas *canvas, const CwuRect *rect, double corner, const CwuStyle *style)
{
  GString *out = ((SvgCanvas *)canvas)->out;
  append(out, "<rect x=\"%f\" y=\"%f\" width=\"%f\" height=\"%f\"", rect->x, rect->y,
         rect->width, rect->height);
  if (corner > 0)
    append(out, " rx=\"%f\"", corner);
  append_style(out, style);
}

static void
svg_canvas_glyph(CwuCanvas *canvas, CwuShape shape, CwuPoint at, double radius,
                 const CwuStyle *style)
{
  GString *out = ((SvgCanvas *)canvas)->out;
  if (shape == CWU_SHAPE_CIRCLE)
    append(out, "<circle cx=\"%f\" cy=\"%f\" r=\"%f\"", at.x, at.y, radius);
  else if (shape == CWU_SHAPE_SQUARE)
    append(out, "<rect x=\"%f\" y=\"%f\" width=\"%f\" height=\"%f\"", at.x - radius,
           at.y - radius, 2 * radius, 2 * radius);
  else
    append(out, "<path d=\"M%f %fL%f %fL%f %fL%f %fZ\"", at.x, at.y - radius, at.x + radius,
           at.y, at.x, at.y + radius, at.x - radius, at.y);
  append_style(out, style);
}

/* Markup characters escaped; what XML 1.0 cannot hold at all becomes U+FFFD. */
static void
append_words(GString *out, const char *words)
{
  g_autofree char *valid = g_utf8_make_valid(words, -1);
  for (const char *p = valid; *p != 0; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (c == '<')
      g_string_append(out, "&lt;");
    else if (c == '>')
      g_string_append(out, "&gt;");
    else if (c == '&')
      g_string_append(out, "&amp;");
    else if (c == '"')
      g_string_append(out, "&quot;");
    else if ((c < 0x20 && c != '\t' && c != '\n') || c == 0xfffe || c == 0xffff)
      g_string_append(out, "\xef\xbf\xbd");
    else
      g_string_append_unichar(out, c);
  }
}

static void
svg_canvas_text(CwuCanvas *canvas, const CwuText *text)
{
  GString *out = ((SvgCanvas *)canvas)->out;
  PangoLayout *layout =
      cwu_text_face_peek(canvas->face, text->text, text->size_px, text->is_bold);
  int height;
  pango_layout_get_size(layout, NULL, &height);
  double down = (pango_layout_get_baseline(layout) - 0.5 * height) / PANGO_SCALE;
  if (text->angle != 0)
    append(out, "<text transform=\"translate(%f %f) rotate(%f)\" y=\"%f\"", text->at.x,
           text->at.y, text->angle * 180 / G_PI, down);
  else
    append(out, "<text x=\"%f\" y=\"%f\"", text->at.x, text->at.y + down);
  append(out, " font-size=\"%f\"", text->size_px);
  if (text->is_bold)
    g_string_append(out, " font-weight=\"bold\"");
  if (text->anchor > 0)
    g_string_append(out, text->anchor < 1 ? " text-anchor=\"middle\"" : " text-anchor=\"end\"");
  append_colour(out, "fill", text->colour);
  g_string_append(out, " xml:space=\"preserve\">");
  append_words(out, text->text);
  g_string_append(out, "</text>\n");
}

static void
svg_canvas_push_clip(CwuCanvas *canvas, const CwuRect *rect)
{
  SvgCanvas *self = (SvgCanvas *)canvas;
  self->n_clips++;
  g_string_append_printf(self->out, "<clipPath id=\"clip%u\">", self->n_clips);
  append(self->out, "<rect x=\"%f\" y=\"%f\" width=\"%f\" height=\"%f\"/></clipPath>\n",
         rect->x, rect->y, rect->width, rect->height);
  g_string_append_printf(self->out, "<g clip-path=\"url(#clip%u)\">\n", self->n_clips);
}

static void
svg_canvas_pop_clip(CwuCanvas *canvas)
{
  g_string_append(((SvgCanvas *)canvas)->out, "</g>\n");
}

static void
svg_canvas_free(CwuCanvas *canvas)
{
  SvgCanvas *self = (SvgCanvas *)canvas;
  if (self->out != NULL)
    g_string_free(self->out, TRUE);
}

static const CwuCanvasClass svg_canvas_class = {
  .curve = svg_canvas_curve,
  .line = svg_canvas_line,
  .path = svg_canvas_path,
  .box = svg_canvas_box,
  .glyph = svg_canvas_glyph,
  .text = svg_canvas_text,
  .push_clip = svg_canvas_push_clip,
  .pop_clip = svg_canvas_pop_clip,
  .free = svg_canvas_free,
};

CwuCanvas *
cwu_canvas_svg_new(double width, double height, double points_per_px, const char *title)
{
  SvgCanvas *self = g_new0(SvgCanvas, 1);
  self->base.class = &svg_canvas_class;
  self->base.face = cwu_text_face_new();
  self->out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  append(self->out,
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%fpt\" height=\"%fpt\" "
         "viewBox=\"0 0 %f %f\" font-family=\"" CWU_FONT_FAMILIES "\">\n<title>",
         width * points_per_px, height * points_per_px, width, height);
  append_words(self->out, title);
  g_string_append(self->out, "</title>\n");
  return &self->base;
}

char *
cwu_canvas_svg_finish(CwuCanvas *canvas, size_t *n_bytes)
{
  SvgCanvas *self = (SvgCanvas *)canvas;
  g_string_append(self->out, "</svg>\n");
  *n_bytes = self->out->len;
  return g_string_free(g_steal_pointer(&self->out), FALSE);
}
