/* export.c - a picture as PNG, SVG or PDF. The page is a title line, the plot with its axes,
 * and a legend line; the plot is drawn by the painter that draws the window. PNG takes the edge
 * mass from the raster; vector formats draw the strongest few thousand edges as curves, because
 * a page with every edge of a large graph can be opened by nobody. */
#include <cairo-pdf.h>
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "cw-tensor-file.h"
#include "picture/edge-raster.h"
#include "picture/label-painter.h"
#include "picture/legend.h"
#include "picture/node-name.h"

#define TITLE_PX    46.0
#define LEGEND_PX   36.0
#define MAX_SIDE_PX 32767.0

typedef struct {
  const CwuPictureOptions *options;
  CwuPicture picture;
  CwuRect page, frame; /* frame: the page without title and legend */
} Sheet;

void
cwu_picture_options_init(CwuPictureOptions *options)
{
  *options = (CwuPictureOptions){ .width = 1440,
                                  .height = 900,
                                  .scale = 1,
                                  .theme = CWU_THEME_LIGHT,
                                  .parts = CWU_PICTURE_TITLE | CWU_PICTURE_LEGEND,
                                  .selected = -1,
                                  .vector_edges = 4000 };
}

/* ---- the sheet ------------------------------------------------------------------------- */

static void
draw_title(CwuCanvas *canvas, const Sheet *sheet)
{
  const CwuScene *scene = sheet->picture.scene;
  double width = sheet->page.width - 48;
  g_autofree char *prompt = cwu_prompt_dup_display(scene->graph);
  g_autofree char *shown =
      cwu_text_face_dup_fitting(canvas->face, prompt, 16, true, MAX(width - 220, 80));
  g_autofree char *counts =
      g_strdup_printf("%'zu nodes · %'zu edges", scene->n_nodes, scene->n_edges);
  CwuText title = { .text = shown,
                    .at = { 24, 30 },
                    .size_px = 16,
                    .is_bold = true,
                    .colour = sheet->picture.theme->text };
  CwuText right = { .text = counts,
                    .at = { sheet->page.width - 24, 30 },
                    .anchor = 1,
                    .size_px = CWU_TEXT_PX,
                    .colour = sheet->picture.theme->text_dim };
  canvas->class->text(canvas, &title);
  canvas->class->text(canvas, &right);
}

static void
draw_words(CwuCanvas *canvas, const Sheet *sheet)
{
  cwu_painter_draw_front(canvas, &sheet->picture);
  if (sheet->options->parts & CWU_PICTURE_TITLE)
    draw_title(canvas, sheet);
  if (sheet->options->parts & CWU_PICTURE_LEGEND)
    cwu_legend_draw(
        canvas, sheet->picture.theme,
        (CwuPoint){ sheet->picture.camera.plot.x, sheet->page.height - LEGEND_PX / 2 - 4 },
        sheet->picture.camera.plot.width);
}

static void
draw_vector(CwuCanvas *canvas, const Sheet *sheet)
{
  cwu_painter_draw_ground(canvas, &sheet->picture, &sheet->page);
  cwu_painter_draw_mass(canvas, &sheet->picture, sheet->options->vector_edges);
  cwu_painter_draw_focus(canvas, &sheet->picture);
  draw_words(canvas, sheet);
}

/* ---- formats --------------------------------------------------------------------------- */

static cairo_status_t
append_bytes(void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append(closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

static bool
check_cairo(cairo_status_t status, const char *path, GError **error)
{
  if (status == CAIRO_STATUS_SUCCESS)
    return true;
  CwErrorCode code = status == CAIRO_STATUS_NO_MEMORY ? CW_ERROR_NO_MEMORY : CW_ERROR_IO;
  g_set_error(error, CW_ERROR, code, "%s could not be drawn: %s", path,
              cairo_status_to_string(status));
  return false;
}

static bool
draw_raster(cairo_t *cr, const Sheet *sheet, GError **error)
{
  const CwuScene *scene = sheet->picture.scene;
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(sheet->options->scale);
  g_autoptr(CwuEdgeRaster) raster =
      cwu_edge_raster_new(&sheet->picture.camera, sheet->options->scale, error);
  if (raster == NULL)
    return false;
  cwu_edge_raster_add(raster, scene, sheet->picture.layout, 0, scene->n_edges, NULL);
  cairo_surface_t *mass = cwu_edge_raster_dup_image(raster, sheet->picture.theme);
  if (mass == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Not enough memory for the picture");
    return false;
  }
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_ground(canvas, &sheet->picture, &sheet->page);
  cairo_set_source_surface(cr, mass, sheet->picture.camera.plot.x,
                           sheet->picture.camera.plot.y);
  cairo_paint_with_alpha(cr, cwu_painter_mass_alpha(&sheet->picture));
  cairo_surface_destroy(mass);
  cwu_painter_draw_focus(canvas, &sheet->picture);
  draw_words(canvas, sheet);
  return true;
}

static bool
write_png(const Sheet *sheet, const char *path, GByteArray *bytes, GError **error)
{
  double scale = sheet->options->scale;
  cairo_surface_t *surface =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(sheet->page.width * scale),
                                 (int)lround(sheet->page.height * scale));
  cairo_surface_set_device_scale(surface, scale, scale);
  cairo_t *cr = cairo_create(surface);
  bool ok =
      check_cairo(cairo_status(cr), path, error) && draw_raster(cr, sheet, error) &&
      check_cairo(cairo_status(cr), path, error) &&
      check_cairo(cairo_surface_write_to_png_stream(surface, append_bytes, bytes), path, error);
  cairo_destroy(cr);
  cairo_surface_destroy(surface);
  return ok;
}

static bool
write_pdf(const Sheet *sheet, const char *path, GByteArray *bytes, GError **error)
{
  cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
      append_bytes, bytes, sheet->page.width, sheet->page.height);
  g_autofree char *title = cwu_prompt_dup_display(sheet->picture.scene->graph);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title);
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "Clew " CLEW_VERSION);
  /* A time of writing would make every file differ. */
  cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
  cairo_t *cr = cairo_create(surface);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(0);
  cwu_canvas_cairo_set_target(canvas, cr);
  draw_vector(canvas, sheet);
  cairo_show_page(cr);
  bool ok = check_cairo(cairo_status(cr), path, error);
  cairo_destroy(cr);
  cairo_surface_finish(surface);
  ok = ok && check_cairo(cairo_surface_status(surface), path, error);
  cairo_surface_destroy(surface);
  return ok;
}

static bool
write_svg(const Sheet *sheet, const char *path, GByteArray *bytes, GError **error)
{
  size_t n_bytes;
  g_autofree char *title = cwu_prompt_dup_display(sheet->picture.scene->graph);
  g_autoptr(CwuCanvas) canvas =
      cwu_canvas_svg_new(sheet->page.width, sheet->page.height, title);
  draw_vector(canvas, sheet);
  g_autofree char *text = cwu_canvas_svg_finish(canvas, &n_bytes);
  g_byte_array_append(bytes, (const guint8 *)text, (guint)n_bytes);
  return true;
}

typedef bool (*Writer)(const Sheet *sheet, const char *path, GByteArray *bytes, GError **error);

static Writer
find_writer(const char *path)
{
  static const struct {
    const char *ending;
    Writer writer;
  } writers[] = { { ".png", write_png }, { ".svg", write_svg }, { ".pdf", write_pdf } };
  g_autofree char *lower = g_ascii_strdown(path, -1);
  for (size_t i = 0; i < G_N_ELEMENTS(writers); i++)
    if (g_str_has_suffix(lower, writers[i].ending))
      return writers[i].writer;
  return NULL;
}

static bool
check_options(const CwuPictureOptions *options, const char *path, GError **error)
{
  double width = options->width * options->scale, height = options->height * options->scale;
  if (find_writer(path) == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: a picture's name ends in .png, .svg or .pdf", path);
    return false;
  }
  if (options->scale > 0 && width >= 1 && height >= 1 && width <= MAX_SIDE_PX &&
      height <= MAX_SIDE_PX)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "A picture of %g x %g at scale %g cannot be made: each side must have 1 to %g "
              "pixels",
              options->width, options->height, options->scale, MAX_SIDE_PX);
  return false;
}

bool
cwu_picture_export(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                   const char *path, GError **error)
{
  if (!check_options(options, path, error))
    return false;
  Sheet sheet = { .options = options, .page = { 0, 0, options->width, options->height } };
  double top = options->parts & CWU_PICTURE_TITLE ? TITLE_PX : 0;
  double bottom = options->parts & CWU_PICTURE_LEGEND ? LEGEND_PX : 0;
  sheet.frame = (CwuRect){ 0, top, options->width, options->height - top - bottom };
  CwuRect plot = cwu_painter_plot(&sheet.frame);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, pruned, error);
  g_autoptr(CwuLayout) layout =
      scene != NULL ? cwu_layers_layout_new(scene, plot.width, plot.height, error) : NULL;
  if (layout == NULL)
    return false;
  int64_t selected = cwu_scene_find(scene, options->selected);
  g_autoptr(CwuFocus) focus = selected >= 0 ? cwu_focus_new(scene, selected) : NULL;
  sheet.picture = (CwuPicture){ .scene = scene,
                                .layout = layout,
                                .theme = cwu_theme_get(options->theme),
                                .focus = focus,
                                .hovered = -1,
                                .camera = { .plot = plot, .zoom = 1 } };
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  return find_writer(path)(&sheet, path, bytes, error) &&
         cw_file_write_atomic(path, bytes->data, bytes->len, error);
}
