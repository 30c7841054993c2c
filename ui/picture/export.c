/* export.c - a picture as PNG, SVG or PDF, as an image, or on a page that is printed. PNG takes
 * the edge mass from the raster; vector formats draw the strongest few thousand edges as
 * curves, because a page with every edge of a large graph can be opened by nobody. */
#include <cairo-pdf.h>
#include <math.h>
#include <string.h>

#include "cw-tensor-file.h"
#include "picture/node-name.h"
#include "picture/sheet.h"

#define VECTOR_EDGES    4000
#define MAX_SIDE_PX     32767.0
#define POINTS_PER_INCH 72.0
#define DOTS_PER_INCH   300.0
#define CM_PER_INCH     2.54

/* On paper a px is as long as makes the picture's smallest text 7 points. */
#define PAPER_POINTS_PER_PX (7.0 / CWU_TEXT_PX)

void
cwu_picture_options_init(CwuPictureOptions *options)
{
  *options = (CwuPictureOptions){ .width = 1440,
                                  .height = 900,
                                  .scale = 1,
                                  .theme = CWU_THEME_LIGHT,
                                  .parts = CWU_PICTURE_TITLE | CWU_PICTURE_LEGEND,
                                  .scope = CWU_SCOPE_GRAPH,
                                  .zoom = 1,
                                  .centre_x = NAN,
                                  .centre_y = NAN,
                                  .selected = -1,
                                  .vector_edges = VECTOR_EDGES };
}

/* On a smaller page fewer curves make the same grey. */
static size_t
curves_for(double width, double height)
{
  return (size_t)lround(VECTOR_EDGES * MIN(width * height / (1440.0 * 900.0), 1.0));
}

void
cwu_picture_options_set_size(CwuPictureOptions *options, CwuPictureSize size, bool for_pixels)
{
  /* Paper: cm wide, height by width. Screens: px. */
  static const struct {
    double width_cm, aspect;
  } paper[CWU_N_SIZES] = { [CWU_SIZE_COLUMN] = { 8.5, 1.2 }, [CWU_SIZE_PAGE] = { 17.5, 0.62 } };
  g_return_if_fail((unsigned)size < CWU_N_SIZES);
  if (paper[size].width_cm > 0) {
    double points = paper[size].width_cm / CM_PER_INCH * POINTS_PER_INCH;
    options->width = points / PAPER_POINTS_PER_PX;
    options->height = options->width * paper[size].aspect;
    options->scale = PAPER_POINTS_PER_PX * (for_pixels ? DOTS_PER_INCH / POINTS_PER_INCH : 1.0);
  } else {
    bool is_slide = size == CWU_SIZE_SLIDE;
    options->width = is_slide ? 1280 : 1440;
    options->height = is_slide ? 720 : 900;
    options->scale = !is_slide ? 1 : for_pixels ? 1.5 : 0.75;
  }
  options->vector_edges = curves_for(options->width, options->height);
}

/* ---- formats --------------------------------------------------------------------------- */

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

static cairo_surface_t *
image_of(const CwuSheet *sheet, const char *what, GError **error)
{
  double scale = sheet->options.scale;
  cairo_surface_t *surface = cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, MAX((int)lround(sheet->page.width * scale), 1),
      MAX((int)lround(sheet->page.height * scale), 1));
  cairo_surface_set_device_scale(surface, scale, scale);
  cairo_t *cr = cairo_create(surface);
  bool ok = check_cairo(cairo_status(cr), what, error) &&
            cwu_sheet_draw_pixels(cr, sheet, error) &&
            check_cairo(cairo_status(cr), what, error);
  cairo_destroy(cr);
  if (!ok)
    g_clear_pointer(&surface, cairo_surface_destroy);
  return surface;
}

static bool
write_png(const CwuSheet *sheet, const char *path, GByteArray *bytes, GError **error)
{
  cairo_surface_t *surface = image_of(sheet, path, error);
  bool ok =
      surface != NULL &&
      check_cairo(cairo_surface_write_to_png_stream(surface, append_bytes, bytes), path, error);
  if (surface != NULL)
    cairo_surface_destroy(surface);
  return ok;
}

static void
draw_curves_on(cairo_t *cr, const CwuSheet *sheet)
{
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_sheet_draw_curves(canvas, sheet);
}

static bool
write_pdf(const CwuSheet *sheet, const char *path, GByteArray *bytes, GError **error)
{
  double scale = sheet->options.scale;
  cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
      append_bytes, bytes, sheet->page.width * scale, sheet->page.height * scale);
  g_autofree char *title = cwu_prompt_dup_display(sheet->picture.scene->graph);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Clew " CLEW_VERSION);
  /* A time of writing would make every file differ. */
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
  cairo_t *cr = cairo_create(surface);
  cairo_scale(cr, scale, scale);
  draw_curves_on(cr, sheet);
  cairo_show_page(cr);
  bool ok = check_cairo(cairo_status(cr), path, error);
  cairo_destroy(cr);
  cairo_surface_finish(surface);
  ok = ok && check_cairo(cairo_surface_status(surface), path, error);
  cairo_surface_destroy(surface);
  return ok;
}

static bool
write_svg(const CwuSheet *sheet, const char *path, GByteArray *bytes, GError **error)
{
  size_t n_bytes;
  g_autofree char *title = cwu_prompt_dup_display(sheet->picture.scene->graph);
  g_autoptr(CwuCanvas) canvas =
      cwu_canvas_svg_new(sheet->page.width, sheet->page.height, sheet->options.scale, title);
  cwu_sheet_draw_curves(canvas, sheet);
  g_autofree char *text = cwu_canvas_svg_finish(canvas, &n_bytes);
  g_byte_array_append(bytes, (const guint8 *)text, (guint)n_bytes);
  return true;
}

typedef bool (*Writer)(const CwuSheet *sheet, const char *path, GByteArray *bytes,
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

static bool
check_size(const CwuPictureOptions *options, GError **error)
{
  double width = options->width * options->scale, height = options->height * options->scale;
  if (options->scale > 0 && width >= 1 && height >= 1 && width <= MAX_SIDE_PX &&
      height <= MAX_SIDE_PX)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "A picture of %g x %g at scale %g cannot be made: each side must have 1 to %g "
              "pixels",
              options->width, options->height, options->scale, MAX_SIDE_PX);
  return false;
}

/* ---- the api ---------------------------------------------------------------------------- */

bool
cwu_picture_export(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                   const char *path, GError **error)
{
  Writer writer = find_writer(path, error);
  if (writer == NULL || !check_size(options, error))
    return false;
  g_autoptr(CwuSheet) sheet = cwu_sheet_new(graph, pruned, options, error);
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  return sheet != NULL && writer(sheet, path, bytes, error) &&
         cw_file_write_atomic(path, bytes->data, bytes->len, error);
}

cairo_surface_t *
cwu_picture_new_image(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                      GError **error)
{
  if (!check_size(options, error))
    return NULL;
  g_autoptr(CwuSheet) sheet = cwu_sheet_new(graph, pruned, options, error);
  return sheet != NULL ? image_of(sheet, "The picture", error) : NULL;
}

bool
cwu_picture_draw(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                 cairo_t *cr, GError **error)
{
  if (!check_size(options, error))
    return false;
  g_autoptr(CwuSheet) sheet = cwu_sheet_new(graph, pruned, options, error);
  if (sheet == NULL)
    return false;
  cairo_save(cr);
  draw_curves_on(cr, sheet);
  cairo_restore(cr);
  return check_cairo(cairo_status(cr), "The page", error);
}
