/* sheet.c - see sheet.h. The page is a title, the plot with its axes, and a legend; the plot is
 * drawn by the painter that draws the window. A selection is drawn as a graph of its own: its
 * nodes get the whole page, while shares stay those of the whole graph's input. */
#include "picture/sheet.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "picture/camera.h"
#include "picture/edge-raster.h"
#include "picture/force-plane.h"
#include "picture/label-painter.h"
#include "picture/layers-layout.h"
#include "picture/legend.h"
#include "picture/node-name.h"

#define MARGIN_PX      24.0
#define LEFT_PX        4.0
#define BARE_PX        18.0 /* around a picture without words */
#define TITLE_PX       46.0
#define NARROW_PX      640.0 /* below, the counts go under the title */
#define NARROW_MORE_PX 4.0
#define LEGEND_PAD_PX  18.0

/* ---- what is on it ---------------------------------------------------------------------- */

typedef struct {
  CwPruned pruned; /* arrays borrowed or of the three below */
  uint8_t *node_mask, *edge_mask;
  float *cumulative_share;
} Subset;

static void
subset_clear(Subset *subset)
{
  g_free(subset->node_mask);
  g_free(subset->edge_mask);
  g_free(subset->cumulative_share);
}

/* Without a pruning everything is kept, and nothing is known to matter more than another. */
static bool
keep_everything(Subset *subset, GError **error)
{
  subset->edge_mask = g_try_malloc(subset->pruned.n_edges + 1);
  subset->cumulative_share = g_try_new(float, subset->pruned.n_nodes + 1);
  if (subset->edge_mask == NULL || subset->cumulative_share == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Not enough memory to draw %zu edges",
                subset->pruned.n_edges);
    return false;
  }
  memset(subset->edge_mask, 1, subset->pruned.n_edges);
  for (size_t i = 0; i < subset->pruned.n_nodes; i++)
    subset->cumulative_share[i] = 0.5f;
  subset->pruned.edge_mask = subset->edge_mask;
  subset->pruned.cumulative_share = subset->cumulative_share;
  return true;
}

static void
mark_neighbours(const CwGraph *graph, const CwPruned *pruned, size_t selected, uint8_t *mask)
{
  const int64_t *row_start = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  size_t n_nodes = cw_graph_get_n_nodes(graph);
  mask[selected] = 1;
  for (size_t t = 0; t < n_nodes; t++)
    for (int64_t e = row_start[t]; e < row_start[t + 1]; e++) {
      if (!pruned->edge_mask[e] || (t != selected && source[e] != selected))
        continue;
      mask[t] = 1;
      mask[source[e]] = 1;
    }
}

static bool
check_selection(const CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                GError **error)
{
  int64_t node = options->selected;
  if (options->subset != NULL)
    return true;
  if (node < 0 || (size_t)node >= cw_graph_get_n_nodes(graph)) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "There is no selection to draw: select a node, or draw the whole graph");
    return false;
  }
  if (pruned == NULL || pruned->node_mask[node])
    return true;
  g_autofree char *name = cwu_node_dup_name(graph, (size_t)node);
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "The selected node, %s, is pruned: raise the node threshold, or pin the node",
              name);
  return false;
}

static bool
subset_init(Subset *subset, CwGraph *graph, const CwPruned *pruned,
            const CwuPictureOptions *options, GError **error)
{
  if (!check_selection(graph, pruned, options, error))
    return false;
  if (pruned != NULL)
    subset->pruned = *pruned;
  subset->pruned.n_nodes = cw_graph_get_n_nodes(graph);
  subset->pruned.n_edges = cw_graph_get_n_edges(graph);
  subset->node_mask = g_try_malloc0(subset->pruned.n_nodes + 1);
  if (subset->node_mask == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Not enough memory to draw %zu nodes",
                subset->pruned.n_nodes);
    return false;
  }
  if (pruned == NULL && !keep_everything(subset, error))
    return false;
  if (options->subset == NULL)
    mark_neighbours(graph, &subset->pruned, (size_t)options->selected, subset->node_mask);
  for (size_t i = 0; i < subset->pruned.n_nodes; i++) {
    bool is_wanted = options->subset != NULL ? options->subset[i] : subset->node_mask[i];
    subset->node_mask[i] = is_wanted && (pruned == NULL || pruned->node_mask[i]);
  }
  subset->pruned.node_mask = subset->node_mask;
  return true;
}

static CwuScene *
scene_for(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
          GError **error)
{
  Subset subset = { 0 };
  CwuScene *scene = NULL;
  if (options->scope != CWU_SCOPE_SELECTION)
    return cwu_scene_new(graph, pruned, error);
  if (subset_init(&subset, graph, pruned, options, error))
    scene = cwu_scene_new(graph, &subset.pruned, error);
  subset_clear(&subset);
  return scene;
}

/* ---- where it is ------------------------------------------------------------------------ */

static CwuCamera
camera_for(const CwuSheet *sheet, const CwuRect *plot, int64_t selected)
{
  const CwuPictureOptions *options = &sheet->options;
  if (options->scope != CWU_SCOPE_VIEW)
    return (CwuCamera){ .plot = *plot, .zoom = 1 };
  CwuViewpoint view = { options->zoom, options->centre_x, options->centre_y };
  if (isnan(view.centre_x))
    view.centre_x = selected >= 0 ? sheet->layout->x[selected] / sheet->layout->width : 0.5;
  if (isnan(view.centre_y))
    view.centre_y = selected >= 0 ? sheet->layout->y[selected] / sheet->layout->height : 0.5;
  return cwu_camera_at(&view, plot);
}

/* ---- forces, without a window ----------------------------------------------------------- */

/* Enough for every layout that settles; one that does not is drawn as it is by then. */
#define MAX_STEPS     3000
#define STEPS_AT_ONCE 50

/* Places of the scene's nodes as a window had them; false if it lacked one. */
static bool
take_places(const CwuScene *scene, const float *places, float *x, float *y)
{
  for (size_t i = 0; i < scene->n_nodes; i++) {
    x[i] = places[2 * scene->nodes[i].node];
    y[i] = places[2 * scene->nodes[i].node + 1];
    if (isnan(x[i]) || isnan(y[i]))
      return false;
  }
  return true;
}

static void
fix_places(CwForceLayout *forces, const CwuScene *scene, const CwDocumentState *state)
{
  size_t n = 0;
  const CwDocumentPlace *places =
      state != NULL ? cw_document_state_peek_places(state, &n) : NULL;
  for (size_t k = 0; k < n; k++) {
    int64_t i = cwu_scene_find(scene, places[k].node);
    if (i >= 0)
      cw_force_layout_fix(forces, (size_t)i, places[k].x, places[k].y);
  }
}

static bool
settle(const CwuScene *scene, const CwDocumentState *state, float *x, float *y, GError **error)
{
  CwuForceInput input;
  CwForceOptions options;
  if (!cwu_force_input_init(&input, scene, error))
    return false;
  cw_force_options_init(&options);
  if (state != NULL)
    options.gravity = cw_document_state_get_gravity(state);
  g_autoptr(CwForceLayout) forces = cw_force_layout_new(&input.view, &options, error);
  bool ok = forces != NULL;
  if (ok)
    fix_places(forces, scene, state);
  for (int n = 0; ok && n < MAX_STEPS && !cw_force_layout_is_settled(forces);
       n += STEPS_AT_ONCE)
    ok = cw_force_layout_step(forces, STEPS_AT_ONCE, error);
  if (ok) {
    memcpy(x, cw_force_layout_peek_x(forces), scene->n_nodes * sizeof *x);
    memcpy(y, cw_force_layout_peek_y(forces), scene->n_nodes * sizeof *y);
  }
  cwu_force_input_clear(&input);
  return ok;
}

static CwuLayout *
force_layout_new(const CwuScene *scene, const CwuPictureOptions *options, const CwuRect *plot,
                 GError **error)
{
  g_autofree float *x = g_try_new(float, scene->n_nodes + 1);
  g_autofree float *y = g_try_new(float, scene->n_nodes + 1);
  if (x == NULL || y == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Not enough memory to draw %zu nodes",
                scene->n_nodes);
    return NULL;
  }
  if ((options->places == NULL || !take_places(scene, options->places, x, y)) &&
      !settle(scene, options->state, x, y, error))
    return NULL;
  CwuForceFrame frame = cwu_force_frame_around(x, y, scene->n_nodes);
  return cwu_force_plane_new(&frame, x, y, scene->n_nodes, plot->width, plot->height, error);
}

static void
measure_parts(CwuSheet *sheet)
{
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  double width = sheet->page.width - 2 * MARGIN_PX;
  if (sheet->options.parts & CWU_PICTURE_TITLE)
    sheet->title_px = TITLE_PX + (sheet->page.width < NARROW_PX ? NARROW_MORE_PX : 0);
  if (sheet->options.parts & CWU_PICTURE_LEGEND)
    sheet->legend_px = LEGEND_PAD_PX + cwu_legend_measure(face, width);
}

CwuSheet *
cwu_sheet_new(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
              GError **error)
{
  g_autoptr(CwuSheet) sheet = g_new0(CwuSheet, 1);
  sheet->options = *options;
  sheet->page = (CwuRect){ 0, 0, options->width, options->height };
  measure_parts(sheet);
  CwuRect frame = { LEFT_PX, sheet->title_px, options->width - LEFT_PX,
                    options->height - sheet->title_px - sheet->legend_px };
  CwuRect bare = { BARE_PX, frame.y + BARE_PX, MAX(options->width - 2 * BARE_PX, 1),
                   MAX(frame.height - 2 * BARE_PX, 1) };
  CwuRect plot = options->parts & CWU_PICTURE_BARE ? bare : cwu_painter_plot(&frame);
  sheet->scene = scene_for(graph, pruned, options, error);
  if (sheet->scene == NULL)
    return NULL;
  sheet->layout = options->view == CWU_VIEW_FORCE
                      ? force_layout_new(sheet->scene, options, &plot, error)
                      : cwu_layers_layout_new(sheet->scene, plot.width, plot.height, error);
  if (sheet->layout == NULL)
    return NULL;
  int64_t selected = cwu_scene_find(sheet->scene, options->selected);
  sheet->focus = selected >= 0 ? cwu_focus_new(sheet->scene, selected) : NULL;
  sheet->picture = (CwuPicture){ .scene = sheet->scene,
                                 .layout = sheet->layout,
                                 .theme = cwu_theme_get(options->theme),
                                 .focus = sheet->focus,
                                 .hovered = -1,
                                 .camera = camera_for(sheet, &plot, selected),
                                 .state = options->state };
  return g_steal_pointer(&sheet);
}

void
cwu_sheet_free(CwuSheet *sheet)
{
  if (sheet == NULL)
    return;
  cwu_focus_free(sheet->focus);
  cwu_layout_unref(sheet->layout);
  cwu_scene_unref(sheet->scene);
  g_free(sheet);
}

/* ---- drawing ---------------------------------------------------------------------------- */

static void
draw_title(CwuCanvas *canvas, const CwuSheet *sheet)
{
  const CwuScene *scene = sheet->picture.scene;
  bool is_narrow = sheet->page.width < NARROW_PX;
  double width = sheet->page.width - 2 * MARGIN_PX - (is_narrow ? 0 : 172);
  g_autofree char *prompt = cwu_prompt_dup_display(scene->graph);
  g_autofree char *shown =
      cwu_text_face_dup_fitting(canvas->face, prompt, 16, true, MAX(width, 80));
  /* Translators: "%'zu" are counts with the thousands marked. */
  g_autofree char *counts =
      g_strdup_printf(_("%'zu nodes · %'zu edges"), scene->n_nodes, scene->n_edges);
  CwuText title = { .text = shown,
                    .at = { MARGIN_PX, 30 },
                    .size_px = 16,
                    .is_bold = true,
                    .colour = sheet->picture.theme->text };
  CwuText more = { .text = counts,
                   .at = { is_narrow ? MARGIN_PX : sheet->page.width - MARGIN_PX,
                           is_narrow ? 50 : 30 },
                   .anchor = is_narrow ? 0 : 1,
                   .size_px = CWU_TEXT_PX,
                   .colour = sheet->picture.theme->text_dim };
  canvas->class->text(canvas, &title);
  canvas->class->text(canvas, &more);
}

static void
draw_words(CwuCanvas *canvas, const CwuSheet *sheet)
{
  if (sheet->options.parts & CWU_PICTURE_BARE) {
    g_autoptr(GArray) no_cards = g_array_new(FALSE, FALSE, sizeof(CwuCard));
    cwu_painter_draw_nodes(canvas, &sheet->picture, no_cards);
  } else {
    cwu_painter_draw_front(canvas, &sheet->picture);
  }
  if (sheet->options.parts & CWU_PICTURE_TITLE)
    draw_title(canvas, sheet);
  if (sheet->options.parts & CWU_PICTURE_LEGEND)
    cwu_legend_draw(canvas, sheet->picture.theme,
                    (CwuPoint){ MARGIN_PX, sheet->page.height - sheet->legend_px + 4 },
                    sheet->page.width - 2 * MARGIN_PX);
}

void
cwu_sheet_draw_curves(CwuCanvas *canvas, const CwuSheet *sheet)
{
  cwu_painter_draw_ground(canvas, &sheet->picture, &sheet->page);
  cwu_painter_draw_mass(canvas, &sheet->picture, sheet->options.vector_edges);
  cwu_painter_draw_focus(canvas, &sheet->picture, SIZE_MAX);
  draw_words(canvas, sheet);
}

bool
cwu_sheet_draw_pixels(cairo_t *cr, const CwuSheet *sheet, GError **error)
{
  const CwuScene *scene = sheet->picture.scene;
  const CwuRect *plot = &sheet->picture.camera.plot;
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(sheet->options.scale);
  g_autoptr(CwuEdgeRaster) raster =
      cwu_edge_raster_new(&sheet->picture.camera, sheet->options.scale, error);
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
  cairo_set_source_surface(cr, mass, plot->x, plot->y);
  cairo_paint_with_alpha(cr, cwu_painter_mass_alpha(&sheet->picture));
  cairo_surface_destroy(mass);
  cwu_painter_draw_focus(canvas, &sheet->picture, SIZE_MAX);
  draw_words(canvas, sheet);
  return true;
}
