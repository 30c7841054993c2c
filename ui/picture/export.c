/* export.c - a picture as PNG, SVG or PDF, as an image, or on a page that is printed. PNG takes
 * the edge mass from the raster; vector formats draw the strongest few thousand edges as
 * curves, because a page with every edge of a large graph can be opened by nobody. */
#include <math.h>

#include "picture/drawing.h"
#include "picture/node-name.h"
#include "picture/sheet.h"

#define VECTOR_EDGES    4000
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

static bool
draw_pixels(cairo_t *cr, gconstpointer sheet, GError **error)
{
  return cwu_sheet_draw_pixels(cr, sheet, error);
}

static void
draw_curves(CwuCanvas *canvas, gconstpointer sheet)
{
  cwu_sheet_draw_curves(canvas, sheet);
}

/* The title is the caller's to free. */
static CwuDrawing
drawing_of(const CwuSheet *sheet, char *title)
{
  return (CwuDrawing){ .width = sheet->page.width,
                       .height = sheet->page.height,
                       .scale = sheet->options.scale,
                       .title = title,
                       .draw = draw_curves,
                       .draw_pixels = draw_pixels,
                       .data = sheet };
}

/* ---- the api ---------------------------------------------------------------------------- */

static bool
check_size(const CwuPictureOptions *options, GError **error)
{
  return cwu_drawing_check_size(options->width, options->height, options->scale, error);
}

bool
cwu_picture_export(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                   const char *path, GError **error)
{
  if (!cwu_drawing_check_path(path, error) || !check_size(options, error))
    return false;
  g_autoptr(CwuSheet) sheet = cwu_sheet_new(graph, pruned, options, error);
  if (sheet == NULL)
    return false;
  g_autofree char *title = cwu_prompt_dup_display(graph);
  CwuDrawing drawing = drawing_of(sheet, title);
  return cwu_drawing_write(&drawing, path, error);
}

cairo_surface_t *
cwu_picture_new_image(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                      GError **error)
{
  if (!check_size(options, error))
    return NULL;
  g_autoptr(CwuSheet) sheet = cwu_sheet_new(graph, pruned, options, error);
  if (sheet == NULL)
    return NULL;
  CwuDrawing drawing = drawing_of(sheet, NULL);
  return cwu_drawing_new_image(&drawing, "The picture", error);
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
  CwuDrawing drawing = drawing_of(sheet, NULL);
  return cwu_drawing_draw_on(&drawing, cr, "The page", error);
}
