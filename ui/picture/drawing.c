/* drawing.c - see drawing.h. */
#include "picture/drawing.h"

#include <cairo-pdf.h>
#include <math.h>

#include "cw-tensor-file.h"

#define MAX_SIDE_PX 32767.0

static cairo_status_t
append_bytes(void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append(closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

static bool
check_cairo(cairo_status_t status, const char *what, GError **error)
{
  if (status == CAIRO_STATUS_SUCCESS)
    return true;
  CwErrorCode code = status == CAIRO_STATUS_NO_MEMORY ? CW_ERROR_NO_MEMORY : CW_ERROR_IO;
  g_set_error(error, CW_ERROR, code, "%s could not be drawn: %s", what,
              cairo_status_to_string(status));
  return false;
}

static void
draw_marks(const CwuDrawing *drawing, cairo_t *cr, double device_scale)
{
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(device_scale);
  cwu_canvas_cairo_set_target(canvas, cr);
  drawing->draw(canvas, drawing->data);
}

cairo_surface_t *
cwu_drawing_new_image(const CwuDrawing *drawing, const char *what, GError **error)
{
  double scale = drawing->scale;
  cairo_surface_t *surface = cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, MAX((int)lround(drawing->width * scale), 1),
      MAX((int)lround(drawing->height * scale), 1));
  cairo_surface_set_device_scale(surface, scale, scale);
  cairo_t *cr = cairo_create(surface);
  bool ok = check_cairo(cairo_status(cr), what, error);
  if (ok && drawing->draw_pixels != NULL)
    ok = drawing->draw_pixels(cr, drawing->data, error);
  else if (ok)
    draw_marks(drawing, cr, scale);
  ok = ok && check_cairo(cairo_status(cr), what, error);
  cairo_destroy(cr);
  if (!ok)
    g_clear_pointer(&surface, cairo_surface_destroy);
  return surface;
}

bool
cwu_drawing_draw_on(const CwuDrawing *drawing, cairo_t *cr, const char *what, GError **error)
{
  cairo_save(cr);
  draw_marks(drawing, cr, 0);
  cairo_restore(cr);
  return check_cairo(cairo_status(cr), what, error);
}

static bool
write_png(const CwuDrawing *drawing, const char *path, GByteArray *bytes, GError **error)
{
  cairo_surface_t *surface = cwu_drawing_new_image(drawing, path, error);
  bool ok =
      surface != NULL &&
      check_cairo(cairo_surface_write_to_png_stream(surface, append_bytes, bytes), path, error);
  if (surface != NULL)
    cairo_surface_destroy(surface);
  return ok;
}

static bool
write_pdf(const CwuDrawing *drawing, const char *path, GByteArray *bytes, GError **error)
{
  double scale = drawing->scale;
  cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
      append_bytes, bytes, drawing->width * scale, drawing->height * scale);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, drawing->title);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Clew " CLEW_VERSION);
  /* A time of writing would make every file differ. */
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
  cairo_t *cr = cairo_create(surface);
  cairo_scale(cr, scale, scale);
  draw_marks(drawing, cr, 0);
  cairo_show_page(cr);
  bool ok = check_cairo(cairo_status(cr), path, error);
  cairo_destroy(cr);
  cairo_surface_finish(surface);
  ok = ok && check_cairo(cairo_surface_status(surface), path, error);
  cairo_surface_destroy(surface);
  return ok;
}

static bool
write_svg(const CwuDrawing *drawing, const char *path, GByteArray *bytes, GError **error)
{
  size_t n_bytes;
  g_autoptr(CwuCanvas) canvas =
      cwu_canvas_svg_new(drawing->width, drawing->height, drawing->scale, drawing->title);
  drawing->draw(canvas, drawing->data);
  g_autofree char *text = cwu_canvas_svg_finish(canvas, &n_bytes);
  g_byte_array_append(bytes, (const guint8 *)text, (guint)n_bytes);
  return true;
}

typedef bool (*Writer)(const CwuDrawing *drawing, const char *path, GByteArray *bytes,
                       GError **error);

static Writer
find_writer(const char *path, GError **error)
{
  static const struct {
    const char *ending;
    Writer writer;
  } writers[] = { { ".png", write_png }, { ".svg", write_svg }, { ".pdf", write_pdf } };
  g_autofree char *lower = g_ascii_strdown(path, -1);
  for (size_t i = 0; i < G_N_ELEMENTS(writers); i++)
    if (g_str_has_suffix(lower, writers[i].ending))
      return writers[i].writer;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "%s: a picture's name ends in .png, .svg or .pdf", path);
  return NULL;
}

bool
cwu_drawing_check_path(const char *path, GError **error)
{
  return find_writer(path, error) != NULL;
}

bool
cwu_drawing_check_size(double width, double height, double scale, GError **error)
{
  double w = width * scale, h = height * scale;
  if (scale > 0 && w >= 1 && h >= 1 && w <= MAX_SIDE_PX && h <= MAX_SIDE_PX)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "A picture of %g x %g at scale %g cannot be made: each side must have 1 to %g "
              "pixels",
              width, height, scale, MAX_SIDE_PX);
  return false;
}

bool
cwu_drawing_write(const CwuDrawing *drawing, const char *path, GError **error)
{
  Writer writer = find_writer(path, error);
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  return writer != NULL && writer(drawing, path, bytes, error) &&
         cw_file_write_atomic(path, bytes->data, bytes->len, error);
}
