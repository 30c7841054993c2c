/* test-canvas.c - what the canvas is made of, without a display: where nodes lie, which is
 * meant by a place or a key, which part is seen, what is painted. By property, not by pixel. */
#include <math.h>
#include <string.h>

#include "golden-graph.h"
#include "graph/minimap.h"
#include "graph/pick.h"
#include "graph/walk.h"
#include "picture/axis-names.h"
#include "picture/edge-curve.h"
#include "picture/force-plane.h"
#include "picture/label-painter.h"
#include "picture/label-placer.h"
#include "picture/layers-layout.h"
#include "picture/node-name.h"
#include "picture/note-painter.h"
#include "small-graph.h"
#include "test-random.h"
#include "test-support.h"

#define WIDTH  900.0
#define HEIGHT 600.0

static const CwuRect plot = { 60, 40, WIDTH, HEIGHT };

/* ---- layouts ------------------------------------------------------------------------------
 */

/* All of it, in light colours, with nothing selected or hovered. */
static CwuPicture
picture_of(CwuScene *scene, CwuLayout *layout, const CwuRect *in)
{
  return (CwuPicture){ .scene = scene,
                       .layout = layout,
                       .theme = cwu_theme_get(CWU_THEME_LIGHT),
                       .camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, in),
                       .hovered = -1 };
}

/* Many nodes in few cells. */
static CwuScene *
crowded_scene(void)
{
  g_autoptr(CwGraph) graph = graph_random(2000, 8, 5, 0.01, 3);
  return cwu_scene_new(graph, NULL, NULL);
}

static void
test_closed_cells_keep_their_rows(void)
{
  g_autoptr(CwuScene) scene = crowded_scene();
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  CwuCamera whole = cwu_camera_at(&CWU_VIEWPOINT_ALL, &plot);
  g_assert_cmpfloat(whole.openness, ==, 0);
  for (size_t i = 0; i < scene->n_nodes; i++) {
    double y = cwu_layout_row_y(layout, cwu_layout_row(layout, &scene->nodes[i]));
    g_assert_cmpfloat(fabs(cwu_layout_at(layout, &whole, i).y - plot.y - y), <, 1e-3);
  }
}

/* The least distance on screen between two nodes of a cell, over all cells. */
static double
least_distance(const CwuScene *scene, const CwuLayout *layout, const CwuCamera *camera)
{
  double least = INFINITY;
  for (size_t i = 0; i < scene->n_nodes; i++)
    for (size_t k = 0; k < i; k++) {
      const CwuSceneNode *a = &scene->nodes[i], *b = &scene->nodes[k];
      if (a->position != b->position || cwu_layout_row(layout, a) != cwu_layout_row(layout, b))
        continue;
      CwuPoint p = cwu_layout_at(layout, camera, i), q = cwu_layout_at(layout, camera, k);
      least = MIN(least, hypot(p.x - q.x, p.y - q.y));
    }
  return least;
}

static void
test_crowded_cells_open(void)
{
  g_autoptr(CwuScene) scene = crowded_scene();
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  CwuViewpoint near = { 2.5, 0.5, 0.5 };
  CwuCamera open = cwu_camera_at(&near, &plot), shut = open;
  shut.openness = 0;
  g_assert_cmpfloat(open.openness, ==, 1);
  for (size_t i = 0; i < scene->n_nodes; i++) {
    CwuPoint a = cwu_layout_at(layout, &open, i), b = cwu_layout_at(layout, &shut, i);
    g_assert_cmpfloat(a.x, ==, b.x);
    g_assert_cmpfloat(fabs(a.y - b.y), <=, 0.5 * layout->row_height * open.zoom);
  }
  double least = least_distance(scene, layout, &open);
  g_assert_cmpfloat(least, >, 1.5 * least_distance(scene, layout, &shut));
  CwuPicture picture = { .scene = scene, .layout = layout, .camera = open };
  g_assert_cmpfloat(2 * cwu_painter_radius(&picture), <, least);
}

static void
test_scene_from_masks(void)
{
  g_autoptr(CwGraph) graph = graph_random(300, 6, 8, 0.1, 5);
  g_autoptr(CwuSceneBase) base = cwu_scene_base_new(graph, NULL);
  g_autoptr(CwuScene) whole = cwu_scene_new_from(base, NULL, NULL);
  CwPruneOptions options = { 0.7, 0.9, NULL };
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, NULL);
  g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &options, NULL, NULL);
  g_autoptr(CwuScene) part = cwu_scene_new_from(base, pruned, NULL);
  g_assert_cmpuint(part->n_nodes, ==, pruned->n_kept_nodes);
  g_assert_cmpuint(part->n_edges, >, 0);
  g_assert_cmpuint(part->n_edges, <, whole->n_edges);
  for (size_t k = 0; k < part->n_edges; k++) {
    const CwuSceneEdge *edge = &part->edges[part->edge_order[k]];
    uint32_t t = (uint32_t)whole->of_node[part->nodes[edge->target].node];
    uint32_t s = (uint32_t)whole->of_node[part->nodes[edge->source].node];
    bool is_there = false;
    for (uint32_t e = whole->in_start[t]; e < whole->in_start[t + 1]; e++)
      is_there |= whole->edges[e].source == s && whole->edges[e].share == edge->share;
    g_assert_true(is_there);
    if (k > 0)
      g_assert_cmpfloat(fabsf(edge->share), <=,
                        fabsf(part->edges[part->edge_order[k - 1]].share) + 2e-3f);
  }
}

/* ---- names ------------------------------------------------------------------------------- */

/* A token that leaves no ink is seen all the same. */
static void
test_blank_pieces(void)
{
  static const struct {
    const char *piece, *shown;
  } cases[] = { { " Paris", "Paris" }, { "  ", "␣␣" }, { "\u00a0", "␣" }, { "a\u3000b", "a␣b" },
                { "\n", "⏎" },         { "\t", "⇥" },  { "▁to", "to" } };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *shown = cwu_piece_dup_display(cases[i].piece);
    g_assert_cmpstr(shown, ==, cases[i].shown);
  }
}

/* The second line of a sample's prompt is indented by four spaces. */
static void
test_prompt_on_one_line(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples",
                                           "add-two-numbers.clew", NULL);
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_nonnull(strstr(cw_graph_peek_prompt(graph), "\n    return"));
  g_autofree char *shown = cwu_prompt_dup_display(graph);
  g_assert_cmpstr(shown, ==, "def add(a, b):⏎ return a");
}

/* ---- the plane ----------------------------------------------------------------------------
 */

static void
test_plane_turns_up_and_back(void)
{
  const float x[] = { 0, 10, 4 }, y[] = { 0, 5, 20 };
  CwuForceFrame frame = cwu_force_frame_around(x, y, 3);
  g_autoptr(CwuLayout) layout = cwu_force_plane_new(&frame, x, y, 3, WIDTH, HEIGHT, NULL);
  g_assert_cmpfloat(layout->y[2], <, layout->y[0]);
  for (size_t i = 0; i < 3; i++) {
    CwuPoint at = { (double)layout->x[i], (double)layout->y[i] };
    g_assert_true(cwu_rect_contains(&(CwuRect){ 0, 0, WIDTH, HEIGHT }, at.x, at.y));
    CwuPoint back = cwu_force_frame_place(&frame, WIDTH, HEIGHT, at);
    g_assert_cmpfloat(hypot(back.x - (double)x[i], back.y - (double)y[i]), <, 1e-3);
  }
}

static void
test_frame_holds(void)
{
  const float x[] = { 0, 10 }, y[] = { 0, 10 }, moved[] = { 0.4f, 10.4f };
  const float out[] = { 0, 14 }, small[] = { 4, 5 };
  CwuForceFrame frame = cwu_force_frame_around(x, y, 2);
  g_assert_true(cwu_force_frame_holds(&frame, x, y, 2));
  g_assert_true(cwu_force_frame_holds(&frame, moved, y, 2));
  g_assert_false(cwu_force_frame_holds(&frame, out, y, 2));
  g_assert_false(cwu_force_frame_holds(&frame, small, small, 2));
}

static void
test_force_input_is_the_scene(void)
{
  g_autoptr(CwGraph) graph = graph_random(200, 6, 8, 0.1, 5);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  CwuForceInput input;
  g_assert_true(cwu_force_input_init(&input, scene, NULL));
  g_assert_cmpuint(input.view.n_nodes, ==, scene->n_nodes);
  g_assert_cmpuint(input.view.n_edges, ==, scene->n_edges);
  for (size_t i = 0; i < scene->n_nodes; i++) {
    g_assert_cmpfloat(input.home_x[i], >=, 0);
    g_assert_cmpfloat(input.home_x[i], <=, 1);
    if (scene->nodes[i].kind == CW_NODE_TOKEN)
      g_assert_cmpfloat(input.home_y[i], ==, 0);
    if (scene->nodes[i].kind == CW_NODE_LOGIT)
      g_assert_cmpfloat(input.home_y[i], ==, 1);
  }
  cwu_force_input_clear(&input);
}

/* ---- pointing and walking -----------------------------------------------------------------
 */

static void
test_pick(void)
{
  g_autoptr(CwuScene) scene = crowded_scene();
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  for (double zoom = 1; zoom < 10; zoom *= 3) {
    CwuViewpoint viewpoint = { zoom, 0.6, 0.5 };
    CwuCamera camera = cwu_camera_at(&viewpoint, &plot);
    for (size_t i = 0; i < scene->n_nodes; i += 7) {
      CwuPoint at = cwu_layout_at(layout, &camera, i);
      int64_t found = cwu_pick_nearest(layout, scene, NULL, &camera, at.x, at.y, 10);
      CwuPoint there = cwu_layout_at(layout, &camera, (size_t)found);
      g_assert_cmpfloat(hypot(there.x - at.x, there.y - at.y), <, 1e-6);
    }
    g_assert_cmpint(cwu_pick_nearest(layout, scene, NULL, &camera, -1e6, 0, 10), ==, -1);
  }
}

static void
test_walk_along_cells(void)
{
  g_autoptr(CwuScene) scene = crowded_scene();
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  for (int64_t i = 0; i < (int64_t)scene->n_nodes; i += 11) {
    const CwuSceneNode *from = &scene->nodes[i];
    int64_t row = cwu_layout_row(layout, from);
    int64_t right = cwu_walk_cells(layout, scene, i, CWU_WALK_RIGHT);
    if (right >= 0 && cwu_layout_row(layout, &scene->nodes[right]) == row)
      g_assert_cmpint(cwu_walk_cells(layout, scene, right, CWU_WALK_LEFT), ==, i);
    int64_t up = cwu_walk_cells(layout, scene, i, CWU_WALK_UP);
    if (up >= 0)
      g_assert_cmpint(cwu_layout_row(layout, &scene->nodes[up]), >, row);
    if (row == layout->n_rows - 1)
      g_assert_cmpint(up, ==, -1);
  }
}

static void
test_walk_along_edges(void)
{
  g_autoptr(CwGraph) graph = graph_random(200, 6, 8, 0.1, 5);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  for (int64_t i = 0; i < (int64_t)scene->n_nodes; i++) {
    CwuEdgeWalk walk = { .at = -1 };
    float strongest = 0;
    uint32_t n = scene->in_start[i + 1] - scene->in_start[i];
    for (uint32_t e = scene->in_start[i]; e < scene->in_start[i + 1]; e++)
      strongest = MAX(strongest, fabsf(scene->edges[e].share));
    g_assert_cmpint(cwu_walk_edges(&walk, scene, i, CWU_WALK_RIGHT), ==, -1);
    int64_t first = cwu_walk_edges(&walk, scene, i, CWU_WALK_DOWN), at = first;
    g_assert_true((first >= 0) == (n > 0));
    for (uint32_t k = 1; k < n; k++)
      at = cwu_walk_edges(&walk, scene, at, CWU_WALK_RIGHT);
    if (n == 0)
      continue;
    g_assert_cmpint(cwu_walk_edges(&walk, scene, at, CWU_WALK_RIGHT), ==, -1);
    for (uint32_t k = 1; k < n; k++)
      at = cwu_walk_edges(&walk, scene, at, CWU_WALK_LEFT);
    g_assert_cmpint(at, ==, first);
    bool is_strongest = false;
    for (uint32_t e = scene->in_start[i]; e < scene->in_start[i + 1]; e++)
      is_strongest |=
          scene->edges[e].source == first && fabsf(scene->edges[e].share) == strongest;
    g_assert_true(is_strongest);
  }
}

/* ---- what is seen -------------------------------------------------------------------------
 */

static void
test_zoom_keeps_the_point(void)
{
  CwuViewpoint v = { 2, 0.4, 0.6 };
  CwuCamera before = cwu_camera_at(&v, &plot);
  CwuPoint under = cwu_camera_to_layout(&before, 500, 300);
  for (int i = 0; i < 8; i++)
    v = cwu_viewpoint_zoom(&v, &plot, 500, 300, 1.3);
  CwuCamera after = cwu_camera_at(&v, &plot);
  CwuPoint now = cwu_camera_to_layout(&after, 500, 300);
  g_assert_cmpfloat(hypot(now.x - under.x, now.y - under.y), <, 1e-6);
  g_assert_cmpfloat(after.zoom, >, before.zoom);
}

static void
test_fit_shows_the_part(void)
{
  const CwuRect parts[] = { { 10, 20, 300, 100 }, { 700, 500, 1, 1 }, { 0, 0, WIDTH, HEIGHT } };
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
    CwuViewpoint v = cwu_viewpoint_fit(&parts[i], &plot);
    CwuCamera camera = cwu_camera_at(&v, &plot);
    CwuPoint a = cwu_camera_to_screen(&camera, parts[i].x, parts[i].y);
    CwuPoint b = cwu_camera_to_screen(&camera, parts[i].x + parts[i].width,
                                      parts[i].y + parts[i].height);
    g_assert_true(cwu_rect_contains(&plot, a.x, a.y) && cwu_rect_contains(&plot, b.x, b.y));
    g_assert_true(cwu_viewpoint_equal(&v, &(CwuViewpoint){ v.zoom, v.centre_x, v.centre_y }));
  }
}

static void
test_minimap(void)
{
  g_autoptr(CwuScene) scene = crowded_scene();
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  CwuCamera whole = cwu_camera_at(&CWU_VIEWPOINT_ALL, &plot);
  g_assert_false(cwu_minimap_is_shown(&whole));
  CwuRect place = cwu_minimap_place(layout, &plot);
  g_assert_true(cwu_rect_contains_rect(&plot, &place));
  for (double zoom = 1.5; zoom < 20; zoom *= 2) {
    CwuViewpoint v = { zoom, 0.5, 0.5 };
    CwuCamera camera = cwu_camera_at(&v, &plot);
    g_assert_true(cwu_minimap_is_shown(&camera));
    v = cwu_minimap_look_at(&place, &v, place.x + 0.7 * place.width, place.y - 400);
    CwuRect frame = cwu_minimap_frame(&place, &v);
    g_assert_cmpfloat(frame.y, >=, place.y - 1e-6);
    g_assert_cmpfloat(frame.x + frame.width, <=, place.x + place.width + 1e-6);
    g_assert_cmpfloat(fabs(frame.width * zoom - place.width), <, 1e-6);
  }
}

/* ---- what is painted ----------------------------------------------------------------------
 */

typedef struct {
  CwGraph *graph;
  CwDocument *document;
  CwuScene *scene;
  CwuLayout *layout;
  CwuFocus *focus;
  cairo_surface_t *surface;
  CwuPicture picture;
} Painting;

static void
painting_init(Painting *p, int64_t selected)
{
  *p = (Painting){ .graph = small_graph_new() };
  CwViewState view = { NAN, NAN, NULL };
  p->document = cw_document_new_from_graph(p->graph, &view, NULL);
  p->scene = cwu_scene_new(p->graph, NULL, NULL);
  p->layout = cwu_layers_layout_new(p->scene, WIDTH, HEIGHT, NULL);
  p->focus = selected >= 0 ? cwu_focus_new(p->scene, selected) : NULL;
  p->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1000, 700);
  p->picture = (CwuPicture){ .scene = p->scene,
                             .layout = p->layout,
                             .theme = cwu_theme_get(CWU_THEME_LIGHT),
                             .focus = p->focus,
                             .hovered = -1,
                             .camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &plot),
                             .state = cw_document_peek_state(p->document) };
}

static void
painting_paint(Painting *p)
{
  CwuRect all = { 0, 0, 1000, 700 };
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(1);
  g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(CwuCard));
  cairo_t *cr = cairo_create(p->surface);
  p->picture.state = cw_document_peek_state(p->document);
  cwu_canvas_cairo_set_target(canvas, cr);
  cwu_painter_draw_ground(canvas, &p->picture, &all);
  cwu_painter_draw_nodes(canvas, &p->picture, none);
  cairo_destroy(cr);
  cairo_surface_flush(p->surface);
}

static void
painting_clear(Painting *p)
{
  cairo_surface_destroy(p->surface);
  cwu_focus_free(p->focus);
  cwu_layout_unref(p->layout);
  cwu_scene_unref(p->scene);
  cw_document_free(p->document);
  cw_graph_unref(p->graph);
}

static bool
is_painted(const Painting *p, double x, double y, CwuColour colour)
{
  const uint32_t *row =
      (const uint32_t *)(const void *)(cairo_image_surface_get_data(p->surface) +
                                       (size_t)cairo_image_surface_get_stride(p->surface) *
                                           (size_t)lround(y));
  uint32_t rgb = row[lround(x)];
  int off = abs((int)(rgb >> 16 & 255) - (int)lround(colour.r * 255)) +
            abs((int)(rgb >> 8 & 255) - (int)lround(colour.g * 255)) +
            abs((int)(rgb & 255) - (int)lround(colour.b * 255));
  return off <= 6;
}

/* Ink around a node, at a distance from its middle, in any of eight directions. */
static bool
has_ring(const Painting *p, size_t node, double distance)
{
  CwuPoint at = cwu_layout_at(p->layout, &p->picture.camera, node);
  for (double r = distance - 0.7; r <= distance + 0.7; r += 0.35)
    for (int k = 0; k < 8; k++) {
      double x = at.x + r * cos(k * G_PI_4), y = at.y + r * sin(k * G_PI_4);
      if (is_painted(p, x, y, p->picture.theme->node_strong))
        return true;
    }
  return false;
}

/* Node 0 feeds 1 and takes part in the logit; 1 takes away from it. */
static void
test_roles_are_painted(void)
{
  Painting p;
  painting_init(&p, 3);
  painting_paint(&p);
  CwuPoint adds = cwu_layout_at(p.layout, &p.picture.camera, 0);
  CwuPoint takes = cwu_layout_at(p.layout, &p.picture.camera, 1);
  CwuPoint alone = cwu_layout_at(p.layout, &p.picture.camera, 2);
  g_assert_true(is_painted(&p, adds.x, adds.y, p.picture.theme->positive));
  g_assert_true(is_painted(&p, takes.x, takes.y, p.picture.theme->negative));
  g_assert_true(is_painted(&p, alone.x, alone.y, p.picture.theme->surface));
  painting_clear(&p);
  painting_init(&p, 0);
  painting_paint(&p);
  g_assert_true(is_painted(&p, takes.x, takes.y, p.picture.theme->surface));
  painting_clear(&p);
}

/* Relative luminance, after WCAG 2.1. */
static double
luminance(double r, double g, double b)
{
  const double part[] = { r, g, b }, weight[] = { 0.2126, 0.7152, 0.0722 };
  double sum = 0;
  for (int i = 0; i < 3; i++)
    sum += weight[i] *
           (part[i] <= 0.04045 ? part[i] / 12.92 : pow((part[i] + 0.055) / 1.055, 2.4));
  return sum;
}

/* The greatest contrast to the surface of any pixel around a point. */
static double
contrast_near(const Painting *p, CwuPoint at)
{
  CwuColour c = p->picture.theme->surface;
  double surface = luminance(c.r, c.g, c.b), most = 1;
  size_t stride = (size_t)cairo_image_surface_get_stride(p->surface);
  const uint8_t *data = cairo_image_surface_get_data(p->surface);
  for (long y = lround(at.y) - 6; y <= lround(at.y) + 6; y++)
    for (long x = lround(at.x) - 6; x <= lround(at.x) + 6; x++) {
      const uint8_t *bgr = data + (size_t)y * stride + 4 * (size_t)x;
      double l = luminance(bgr[2] / 255.0, bgr[1] / 255.0, bgr[0] / 255.0);
      most = MAX(most, (MAX(l, surface) + 0.05) / (MIN(l, surface) + 0.05));
    }
  return most;
}

/* A weak edge of a selection that has few is plain to see in all styles, without anything
 * behind it: graphical objects ask for 3 : 1. */
static void
test_weak_edges_are_seen(void)
{
  Painting p;
  painting_init(&p, 0);
  for (size_t e = 0; e < p.scene->n_edges; e++)
    p.scene->edges[e].share = 0.005f;
  CwuCurve curve = cwu_edge_curve(p.layout, &p.picture.camera,
                                  &p.scene->edges[p.focus->edges[p.focus->n_edges - 1]]);
  CwuPoint middle = { (curve.p[0].x + 3 * (curve.p[1].x + curve.p[2].x) + curve.p[3].x) / 8,
                      (curve.p[0].y + 3 * (curve.p[1].y + curve.p[2].y) + curve.p[3].y) / 8 };
  for (int kind = 0; kind < CWU_N_THEMES; kind++) {
    CwuRect all = { 0, 0, 1000, 700 };
    g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(1);
    cairo_t *cr = cairo_create(p.surface);
    p.picture.theme = cwu_theme_get((CwuThemeKind)kind);
    cwu_canvas_cairo_set_target(canvas, cr);
    CwuStyle plain = { .fill = p.picture.theme->surface };
    canvas->class->box(canvas, &all, 0, &plain);
    cwu_painter_draw_focus(canvas, &p.picture, SIZE_MAX);
    cairo_destroy(cr);
    cairo_surface_flush(p.surface);
    g_assert_cmpfloat(contrast_near(&p, middle), >=, 3);
  }
  painting_clear(&p);
}

static void
test_pinned_has_a_ring(void)
{
  Painting p;
  const uint32_t node = 2;
  painting_init(&p, -1);
  double far = cwu_painter_radius(&p.picture) + 3;
  painting_paint(&p);
  g_assert_false(has_ring(&p, node, far));
  g_assert_true(cw_document_set_pinned(p.document, &node, 1, true));
  painting_paint(&p);
  g_assert_true(has_ring(&p, node, far));
  g_assert_false(has_ring(&p, 0, far));
  painting_clear(&p);
}

static void
test_cards_follow(void)
{
  Painting p;
  painting_init(&p, -1);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autoptr(GArray) cards = cwu_labels_place(face, &p.picture);
  g_assert_cmpuint(cards->len, >, 0);
  CwuCard before = g_array_index(cards, CwuCard, 0);
  p.picture.camera.offset_x += 5;
  cwu_labels_follow(cards, &p.picture);
  const CwuCard *after = &g_array_index(cards, CwuCard, 0);
  g_assert_cmpfloat(fabs(after->rect.x - before.rect.x - 5), <, 1e-9);
  g_assert_cmpfloat(fabs(after->at.x - before.at.x - 5), <, 1e-9);
  p.picture.camera.offset_x += 5000;
  cwu_labels_follow(cards, &p.picture);
  g_assert_true(g_array_index(cards, CwuCard, 0).is_hidden);
  painting_clear(&p);
}

static void
check_cards_are_clear(const CwuPicture *picture, const GArray *cards)
{
  double r = cwu_painter_radius(picture);
  for (guint k = 0; k < cards->len; k++) {
    const CwuCard *card = &g_array_index(cards, CwuCard, k);
    for (guint j = 0; j < k && !card->is_hidden; j++) {
      const CwuCard *other = &g_array_index(cards, CwuCard, j);
      g_assert_true(other->is_hidden || !cwu_rect_overlaps(&card->rect, &other->rect));
    }
    for (size_t i = 0; i < picture->scene->n_nodes && !card->is_hidden; i++) {
      CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, i);
      CwuRect node = { at.x - r, at.y - r, 2 * r, 2 * r };
      g_assert_true(i == card->node || !cwu_rect_overlaps(&card->rect, &node));
    }
  }
}

static CwuLayout *
random_plane(size_t n_nodes, float *x, float *y, float step, TestRandom *random)
{
  static const CwuForceFrame frame = { 0, 0, 30, 20 };
  for (size_t i = 0; i < n_nodes; i++) {
    x[i] += step * 30 * test_random_float(random);
    y[i] += step * 20 * test_random_float(random);
  }
  return cwu_force_plane_new(&frame, x, y, n_nodes, WIDTH, HEIGHT, NULL);
}

/* Nodes of a settling layout run under cards, and cards into each other. */
static void
test_moving_cards_cover_nothing(void)
{
  TestRandom random = { 11 };
  g_autoptr(CwGraph) graph = graph_random(80, 8, 5, 0.1, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autofree float *x = g_new0(float, scene->n_nodes), *y = g_new0(float, scene->n_nodes);
  CwuPicture picture = picture_of(scene, NULL, &plot);
  g_autoptr(CwuLayout) layout = random_plane(scene->n_nodes, x, y, 1, &random);
  picture.layout = layout;
  g_autoptr(GArray) cards = cwu_labels_place(face, &picture);
  guint n_hidden = 0;
  g_assert_cmpuint(cards->len, >, 4);
  for (int i = 0; i < 40; i++) {
    g_autoptr(CwuLayout) next = random_plane(scene->n_nodes, x, y, 0.03f, &random);
    picture.layout = next;
    n_hidden += cwu_labels_follow(cards, &picture);
    check_cards_are_clear(&picture, cards);
  }
  g_assert_cmpuint(n_hidden, >, 0);
}

static void
test_notes(void)
{
  Painting p;
  painting_init(&p, -1);
  g_autofree char *words = g_strnfill(400, 'm');
  cw_document_add_note(p.document, 1, 0, 0, "beside a node");
  uint64_t on_canvas = cw_document_add_note(p.document, -1, 0.25, 0.5,
                                            "a note of more words than one line has room for");
  cw_document_add_note(p.document, -1, 0.6, 0.2, words);
  cw_document_add_note(p.document, -1, 0.6, 0.6, "one\n\ntwo\nthree\nfour\nfive\nsix");
  p.picture.state = cw_document_peek_state(p.document);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autoptr(GArray) notes = cwu_notes_place(face, &p.picture);
  g_assert_cmpuint(notes->len, ==, 4);
  const CwuNoteCard *note = &g_array_index(notes, CwuNoteCard, 1);
  g_assert_cmpfloat(fabs(note->rect.x - plot.x - 0.25 * WIDTH), <, 1);
  g_assert_cmpuint(g_strv_length(note->lines), >, 1);
  g_assert_true(cwu_notes_find(notes, note->rect.x + 3, note->rect.y + 3)->id == on_canvas);
  g_assert_null(cwu_notes_find(notes, note->rect.x - 3, note->rect.y + 3));
  for (guint i = 0; i < notes->len; i++) {
    const CwuNoteCard *n = &g_array_index(notes, CwuNoteCard, i);
    g_assert_cmpuint(g_strv_length(n->lines), <=, 5);
    g_assert_cmpfloat(n->rect.width, <, 200);
  }
  g_assert_true(g_str_has_suffix(g_array_index(notes, CwuNoteCard, 3).lines[4], "…"));
  painting_clear(&p);
}

/* With room on neither side of its node, a note covers the node before it is cut off. */
static void
test_notes_stay_inside(void)
{
  Painting p;
  painting_init(&p, -1);
  CwuRect small = { 10, 10, 230, 80 };
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(p.scene, small.width, small.height, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  p.picture.layout = layout;
  p.picture.camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &small);
  for (size_t i = 0; i < p.scene->n_nodes; i++)
    cw_document_add_note(p.document, p.scene->nodes[i].node, 0, 0,
                         "Seen in every prompt that asks for a capital");
  p.picture.state = cw_document_peek_state(p.document);
  g_autoptr(GArray) notes = cwu_notes_place(face, &p.picture);
  g_assert_cmpuint(notes->len, ==, p.scene->n_nodes);
  for (guint i = 0; i < notes->len; i++)
    g_assert_true(cwu_rect_contains_rect(&small, &g_array_index(notes, CwuNoteCard, i).rect));
  painting_clear(&p);
}

static bool
place_further(CwuLabelPlacer *placer, CwuPoint at, CwuRect *card)
{
  for (int ring = 1; ring < 24; ring++)
    if (cwu_label_placer_place(placer, at, 7, 9 * ring, card))
      return true;
  return false;
}

/* A node in a row of others, between two bars: there is room beyond all of them, but no leader
 * runs through any. With a gap in the lower bar, the card goes there. */
static void
test_leaders_are_clear(void)
{
  const CwuRect bounds = { 0, 0, 800, 300 };
  const CwuPoint at = { 400, 100 };
  for (int has_gap = 0; has_gap < 2; has_gap++) {
    g_autoptr(CwuLabelPlacer) placer = cwu_label_placer_new(&bounds);
    CwuRect card = { 0, 0, 80, 16 }, bar = { 0, 70, 800, 18 };
    cwu_label_placer_block(placer, &bar);
    bar = (CwuRect){ 0, 112, has_gap ? 390 : 800, 18 };
    cwu_label_placer_block(placer, &bar);
    for (int i = -3; i <= 3; i++)
      cwu_label_placer_block(placer, &(CwuRect){ at.x + 40 * i - 7, at.y - 7, 14, 14 });
    g_assert_false(cwu_label_placer_place(placer, at, 7, 0, &card));
    g_assert_cmpint(place_further(placer, at, &card), ==, has_gap);
    g_assert_cmpint(card.y > at.y, ==, has_gap);
  }
}

/* Of outputs in a narrow picture the last have no name along the axis; selected, they have a
 * card. No output has both. */
static void
test_selected_logit_is_named(void)
{
  const CwuRect narrow = { 60, 60, 120, 300 };
  g_autoptr(CwGraph) graph = graph_random(400, 8, 5, 0.01, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, narrow.width, narrow.height, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  CwuPicture picture = picture_of(scene, layout, &narrow);
  guint n_cards = 0, n_logits = 0;
  for (size_t i = 0; i < scene->n_nodes; i++) {
    if (scene->nodes[i].kind != CW_NODE_LOGIT)
      continue;
    g_autoptr(CwuFocus) focus = cwu_focus_new(scene, (int64_t)i);
    picture.focus = focus;
    g_autoptr(GArray) cards = cwu_labels_place(face, &picture);
    bool has_card = cards->len > 0 && g_array_index(cards, CwuCard, 0).node == i;
    g_assert_true(has_card != cwu_axis_names_logit(face, &picture, i));
    n_cards += has_card;
    n_logits++;
  }
  g_assert_cmpuint(n_cards, >, 0);
  g_assert_cmpuint(n_cards, <, n_logits);
}

/* What stands over the picture covers no output's name: such a name is not drawn, or ends below
 * it; those beside it are as they were. */
static void
test_covered_logits(void)
{
  const CwuRect wide = { 60, 74, 400, 200 };
  g_autoptr(CwGraph) graph = graph_random(400, 8, 5, 0.01, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, wide.width, wide.height, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  CwuPicture picture = picture_of(scene, layout, &wide);
  guint n_free = 0, n_beside = 0, n_below = 0;
  for (size_t i = 0; i < scene->n_nodes; i++) {
    if (scene->nodes[i].kind != CW_NODE_LOGIT)
      continue;
    picture.covered = (CwuRect){ 0, 0, 0, 0 };
    bool is_named = cwu_axis_names_logit(face, &picture, i);
    double x = cwu_layout_at(layout, &picture.camera, i).x;
    picture.covered = (CwuRect){ 0, 0, x - 30, 50 };
    bool is_beside = cwu_axis_names_logit(face, &picture, i);
    picture.covered = (CwuRect){ 0, 0, 600, 50 };
    bool is_below = cwu_axis_names_logit(face, &picture, i);
    n_free += is_named;
    n_beside += is_beside;
    n_below += is_below;
  }
  g_assert_cmpuint(n_free, >, 0);
  g_assert_cmpuint(n_beside, >, 0);
  g_assert_cmpuint(n_below, ==, 0); /* no room for a single letter */
}

/* The selected node is named in the densest crowd, over no node that is joined
 * to it or pinned. */
static void
test_selected_is_named(void)
{
  TestRandom random = { 7 };
  g_autoptr(CwGraph) graph = graph_random(2500, 8, 5, 0.002, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autofree float *x = g_new0(float, scene->n_nodes), *y = g_new0(float, scene->n_nodes);
  g_autoptr(CwuLayout) layout = random_plane(scene->n_nodes, x, y, 1, &random);
  CwViewState view = { NAN, NAN, NULL };
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, &view, NULL);
  for (size_t i = 0; i < scene->n_nodes; i += 40)
    g_assert_true(cw_document_set_pinned(document, &scene->nodes[i].node, 1, true));
  CwuPicture picture = picture_of(scene, layout, &plot);
  picture.state = cw_document_peek_state(document);
  double r = cwu_painter_radius(&picture);
  size_t n_over = 0;
  for (int64_t node = 0; node < (int64_t)scene->n_nodes; node += 100) {
    g_autoptr(CwuFocus) focus = cwu_focus_new(scene, node);
    picture.focus = focus;
    g_autoptr(GArray) cards = cwu_labels_place(face, &picture);
    g_assert_cmpuint(cards->len, >, 0);
    const CwuCard *card = &g_array_index(cards, CwuCard, 0);
    g_assert_cmpuint(card->node, ==, node);
    for (size_t i = 0; i < scene->n_nodes; i++) {
      CwuPoint at = cwu_layout_at(layout, &picture.camera, i);
      CwuRect around = { at.x - r, at.y - r, 2 * r, 2 * r };
      bool is_over = cwu_rect_overlaps(&card->rect, &around);
      g_assert_true(!is_over || (focus->role[i] == CWU_ROLE_NONE && i % 40 != 0));
      n_over += is_over;
    }
  }
  g_assert_cmpuint(n_over, >, 0); /* else this was no crowd */
}

/* A pinned node that nobody has named has its number, and its layer is said once. */
static void
test_pinned_is_named(void)
{
  TestRandom random = { 5 };
  g_autoptr(CwGraph) graph = graph_random(300, 8, 5, 0.02, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autofree float *x = g_new0(float, scene->n_nodes), *y = g_new0(float, scene->n_nodes);
  g_autoptr(CwuLayout) layout = random_plane(scene->n_nodes, x, y, 1, &random);
  CwViewState view = { NAN, NAN, NULL };
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, &view, NULL);
  CwuPicture picture = picture_of(scene, layout, &plot);
  guint n_pinned = 0;
  for (size_t i = 0; i < scene->n_nodes && n_pinned < 5; i += 50) {
    uint32_t node = scene->nodes[i].node;
    if (scene->nodes[i].kind != CW_NODE_FEATURE)
      continue;
    g_assert_null(scene->labels[i]);
    g_assert_true(cw_document_set_pinned(document, &node, 1, true));
    picture.state = cw_document_peek_state(document);
    g_autoptr(GArray) cards = cwu_labels_place(face, &picture);
    g_autofree char *name = cwu_node_dup_name(graph, node);
    g_autofree char *words = cwu_node_dup_name_and_place(graph, picture.state, node);
    g_assert_cmpuint(cards->len, >, n_pinned);
    const CwuCard *card = &g_array_index(cards, CwuCard, n_pinned++);
    g_assert_cmpuint(card->node, ==, i);
    g_assert_cmpstr(card->text, ==, name);
    g_assert_true(g_str_has_prefix(words, "Feature "));
    g_assert_null(strstr(words, name));
    cw_document_set_label(document, node, "mine");
    g_autofree char *called =
        cwu_node_dup_name_and_place(graph, cw_document_peek_state(document), node);
    g_assert_true(g_str_has_prefix(called, "mine  ·  layer "));
    cw_document_set_label(document, node, NULL);
  }
  g_assert_cmpuint(n_pinned, ==, 5);
}

static bool
is_named_whole(Painting *p, double height)
{
  const CwuRect all = { 0, 0, 1200, height };
  CwuRect plot_now = cwu_painter_plot(&all);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autoptr(CwuLayout) layout =
      cwu_layers_layout_new(p->scene, plot_now.width, plot_now.height, NULL);
  p->picture.layout = layout;
  p->picture.camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &plot_now);
  /* Away from the right border. */
  p->picture.camera.offset_x = -100;
  g_autofree char *text = cwu_axis_dup_logit_text(face, &p->picture, 3);
  p->picture.layout = p->layout;
  g_assert_true(g_str_has_suffix(text, " 75%"));
  return g_str_has_prefix(text, "constellation ");
}

/* A tall picture has room above for whole names of outputs. */
static void
test_long_outputs(void)
{
  Painting p;
  painting_init(&p, -1);
  const char *own = p.scene->labels[3];
  p.scene->labels[3] = "constellation";
  g_assert_false(is_named_whole(&p, 600));
  g_assert_true(is_named_whole(&p, 1200));
  for (double height = 200; height < 1600; height += 100) {
    CwuRect now = cwu_painter_plot(&(CwuRect){ 0, 0, 1200, height });
    CwuRect low = cwu_painter_plot(&(CwuRect){ 0, 0, 1200, 200 });
    g_assert_cmpfloat_with_epsilon(now.y - low.y, cwu_painter_tallness(&now), 1e-9);
  }
  p.scene->labels[3] = own;
  painting_clear(&p);
}

/* How many nodes a card covers. */
static size_t
n_covered(const CwuPicture *picture, const CwuRect *card)
{
  size_t n = 0;
  double r = cwu_painter_radius(picture);
  for (size_t i = 0; i < picture->scene->n_nodes; i++) {
    CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, i);
    CwuRect square = { at.x - r, at.y - r, 2 * r, 2 * r };
    n += cwu_rect_overlaps(&square, card);
  }
  return n;
}

/* A note beside each of many nodes in turn: where it can, it covers none. */
static void
test_notes_keep_off_nodes(void)
{
  size_t n_over = 0, n_notes = 0;
  g_autoptr(CwGraph) graph = graph_random(60, 12, 8, 0.01, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  CwViewState view = { NAN, NAN, NULL };
  CwuPicture picture = { .scene = scene,
                         .layout = layout,
                         .theme = cwu_theme_get(CWU_THEME_LIGHT),
                         .hovered = -1,
                         .camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &plot) };
  for (size_t i = 0; i < scene->n_nodes; i += 3) {
    CwDocument *document = cw_document_new_from_graph(graph, &view, NULL);
    cw_document_add_note(document, scene->nodes[i].node, 0, 0, "Seen in every prompt");
    picture.state = cw_document_peek_state(document);
    g_autoptr(GArray) notes = cwu_notes_place(face, &picture);
    CwuRect card = g_array_index(notes, CwuNoteCard, 0).rect;
    g_assert_true(cwu_rect_contains_rect(&plot, &card));
    n_over += n_covered(&picture, &card) > 0;
    n_notes++;
    cw_document_free(document);
  }
  /* Straight below to the right, 52 of 58 would cover some. */
  g_assert_cmpuint(n_notes, >, 30);
  g_assert_cmpuint(n_over, <=, n_notes / 10);
}

/* A note leaves its own node to be taken hold of, wherever that is moved to, at the borders and
 * in the corners, too. */
static void
test_notes_keep_off_their_node(void)
{
  Painting p;
  painting_init(&p, -1);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autoptr(CwuLayout) plane =
      cwu_layout_new(CWU_LAYOUT_PLANE, p.scene->n_nodes, WIDTH, HEIGHT);
  plane->radius = 8;
  cw_document_add_note(p.document, p.scene->nodes[0].node, 0, 0, "Seen in every prompt");
  p.picture.state = cw_document_peek_state(p.document);
  p.picture.layout = plane;
  for (int i = 0; i <= 20; i++)
    for (int k = 0; k <= 20; k++) {
      plane->x[0] = (float)(WIDTH * i / 20);
      plane->y[0] = (float)(HEIGHT * k / 20);
      CwuPoint at = cwu_layout_at(plane, &p.picture.camera, 0);
      g_autoptr(GArray) notes = cwu_notes_place(face, &p.picture);
      CwuRect card = g_array_index(notes, CwuNoteCard, 0).rect;
      g_assert_false(cwu_rect_contains(&card, at.x, at.y));
      g_assert_true(cwu_rect_contains_rect(&plot, &card));
    }
  painting_clear(&p);
}

/* Points at every node in turn: the card covers neither the selected node nor its name, is
 * inside of the picture, and covers a third fewer nodes than always above them. */
static void
test_hover_keeps_off(void)
{
  size_t n_covers = 0, n_would = 0;
  g_autoptr(CwGraph) graph = graph_random(60, 17, 8, 0.02, 3);
  g_autoptr(CwuScene) scene = cwu_scene_new(graph, NULL, NULL);
  g_autoptr(CwuLayout) layout = cwu_layers_layout_new(scene, WIDTH, HEIGHT, NULL);
  g_autoptr(CwuTextFace) face = cwu_text_face_new();
  g_autoptr(CwuFocus) focus = cwu_focus_new(scene, 20);
  CwuPicture picture = { .scene = scene,
                         .layout = layout,
                         .theme = cwu_theme_get(CWU_THEME_LIGHT),
                         .focus = focus,
                         .camera = cwu_camera_at(&CWU_VIEWPOINT_ALL, &plot) };
  g_autoptr(GArray) cards = cwu_labels_place(face, &picture);
  g_autoptr(GArray) notes = cwu_notes_place(face, &picture);
  CwuShown shown = { cards, notes };
  const CwuCard *name = &g_array_index(cards, CwuCard, 0);
  CwuRect all = { 0, 0, plot.x + plot.width + 76, plot.y + plot.height + 66 };
  double radius = cwu_painter_radius(&picture);
  g_assert_true(name->is_bold && name->node == 20);
  for (size_t i = 0; i < scene->n_nodes; i++) {
    picture.hovered = (int64_t)i;
    CwuPoint at = cwu_layout_at(layout, &picture.camera, i);
    CwuRect card = cwu_labels_hover_card(face, &picture, &shown);
    CwuRect above = { at.x - card.width / 2, at.y - radius - 10 - card.height, card.width,
                      card.height };
    g_assert_cmpint(card.width > 0, ==, i != 20);
    CwuRect bounds = cwu_labels_hover_bounds(&picture, &card);
    g_assert_true(cwu_rect_contains(&bounds, at.x, at.y));
    if (card.width == 0)
      continue;
    g_assert_true(cwu_rect_contains_rect(&all, &card));
    g_assert_true(cwu_rect_contains_rect(&bounds, &card));
    g_assert_false(cwu_rect_overlaps(&card, &name->rect));
    g_assert_false(cwu_rect_contains(&card, name->at.x, name->at.y));
    n_covers += n_covered(&picture, &card);
    n_would += n_covered(&picture, &above);
  }
  g_assert_cmpuint(n_would, >, 20);
  g_assert_cmpuint(3 * n_covers, <, 2 * n_would);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ui/layout/closed-cells-keep-their-rows", test_closed_cells_keep_their_rows);
  g_test_add_func("/ui/layout/crowded-cells-open", test_crowded_cells_open);
  g_test_add_func("/ui/scene/from-masks", test_scene_from_masks);
  g_test_add_func("/ui/names/blank-pieces", test_blank_pieces);
  g_test_add_func("/ui/names/prompt-on-one-line", test_prompt_on_one_line);
  g_test_add_func("/ui/plane/turns-up-and-back", test_plane_turns_up_and_back);
  g_test_add_func("/ui/plane/frame-holds", test_frame_holds);
  g_test_add_func("/ui/plane/force-input-is-the-scene", test_force_input_is_the_scene);
  g_test_add_func("/ui/pick/nearest", test_pick);
  g_test_add_func("/ui/walk/along-cells", test_walk_along_cells);
  g_test_add_func("/ui/walk/along-edges", test_walk_along_edges);
  g_test_add_func("/ui/camera/zoom-keeps-the-point", test_zoom_keeps_the_point);
  g_test_add_func("/ui/camera/fit-shows-the-part", test_fit_shows_the_part);
  g_test_add_func("/ui/minimap/frame", test_minimap);
  g_test_add_func("/ui/painting/roles", test_roles_are_painted);
  g_test_add_func("/ui/painting/weak-edges-are-seen", test_weak_edges_are_seen);
  g_test_add_func("/ui/painting/pinned-has-a-ring", test_pinned_has_a_ring);
  g_test_add_func("/ui/painting/selected-logit-is-named", test_selected_logit_is_named);
  g_test_add_func("/ui/labels/cover-hides-no-logit", test_covered_logits);
  g_test_add_func("/ui/painting/cards-follow", test_cards_follow);
  g_test_add_func("/ui/painting/moving-cards-cover-nothing", test_moving_cards_cover_nothing);
  g_test_add_func("/ui/painting/notes", test_notes);
  g_test_add_func("/ui/painting/notes-stay-inside", test_notes_stay_inside);
  g_test_add_func("/ui/painting/notes-keep-off-nodes", test_notes_keep_off_nodes);
  g_test_add_func("/ui/painting/notes-keep-off-their-node", test_notes_keep_off_their_node);
  g_test_add_func("/ui/painting/hover-keeps-off", test_hover_keeps_off);
  g_test_add_func("/ui/painting/long-outputs", test_long_outputs);
  g_test_add_func("/ui/painting/leaders-are-clear", test_leaders_are_clear);
  g_test_add_func("/ui/painting/selected-is-named", test_selected_is_named);
  g_test_add_func("/ui/painting/pinned-is-named", test_pinned_is_named);
  return g_test_run();
}
