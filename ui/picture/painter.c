/* painter.c - see painter.h. The picture says one thing at a time: without a selection the mass
 * of edges is a texture and outlines grow darker with a node's influence; with one, its edges
 * carry the colour and all that is not joined to it steps back. */
#include "picture/painter.h"

#include <math.h>

#include "picture/axis-names.h"
#include "picture/edge-raster.h"
#include "picture/label-painter.h"
#include "picture/layers-layout.h"
#include "picture/note-painter.h"

#define MARGIN_LEFT   60.0
#define MARGIN_RIGHT  76.0
#define MARGIN_TOP    74.0
#define MARGIN_BOTTOM 66.0
#define MARGIN_PLANE  20.0
/* A tall plot leaves more room above it: a px for so many beyond a short one. */
#define SHORT_PX      560.0
#define TALLER        9.0
#define MOST_TALL_PX  30.0
#define PLANE_TOP     48.0 /* room for the choice of views */
#define MAX_RADIUS_PX 11.0
#define GROWTH        0.45 /* of a radius with the zoom */
#define MAX_EDGE_PX   5.0
/* Of the selection's weakest edge: in a crowd, and how much more where there are few. */
#define MIN_EDGE_PX    0.7
#define MIN_EDGE_ALPHA 0.4
#define FEW_EDGES      12.0
#define FEW_MORE       0.4
#define ARROW_PX       5.0
/* Of the mass' opacity: the weakest edge of thousands, of a few, and the strongest. */
#define MASS_LEAST 0.08
#define FEW_LEAST  0.6
#define MASS_MOST  0.98

CwuRect
cwu_painter_plot(const CwuRect *picture)
{
  double low = MAX(picture->height - MARGIN_TOP - MARGIN_BOTTOM, 1);
  /* So that what is added is what cwu_painter_tallness() says of the plot that is left. */
  double top = MARGIN_TOP + CLAMP((low - SHORT_PX) / (TALLER + 1), 0, MOST_TALL_PX);
  return (CwuRect){ picture->x + MARGIN_LEFT, picture->y + top,
                    MAX(picture->width - MARGIN_LEFT - MARGIN_RIGHT, 1),
                    MAX(picture->height - top - MARGIN_BOTTOM, 1) };
}

double
cwu_painter_tallness(const CwuRect *plot)
{
  return CLAMP((plot->height - SHORT_PX) / TALLER, 0, MOST_TALL_PX);
}

CwuRect
cwu_painter_plot_for(CwuLayoutKind kind, const CwuRect *picture)
{
  if (kind == CWU_LAYOUT_LAYERS)
    return cwu_painter_plot(picture);
  return (CwuRect){ picture->x + MARGIN_PLANE, picture->y + PLANE_TOP,
                    MAX(picture->width - 2 * MARGIN_PLANE, 1),
                    MAX(picture->height - PLANE_TOP - MARGIN_PLANE, 1) };
}

double
cwu_painter_radius(const CwuPicture *picture)
{
  const CwuLayout *layout = picture->layout;
  const CwuCamera *camera = &picture->camera;
  double radius = layout->radius * pow(camera->zoom, GROWTH);
  double open = layout->open_radius * pow(camera->zoom / CWU_OPEN_ZOOM, GROWTH);
  radius += camera->openness * MAX(open - radius, 0);
  return MIN(radius, MAX(MAX_RADIUS_PX, layout->radius));
}

/* ---- ground ---------------------------------------------------------------------------- */

static void
draw_row_rules(CwuCanvas *canvas, const CwuPicture *picture)
{
  const CwuRect *plot = &picture->camera.plot;
  CwuStyle rule = { .stroke = picture->theme->hairline, .stroke_px = 1 };
  int64_t step = cwu_axis_row_step(picture);
  for (int64_t row = 0; row < picture->layout->n_rows; row++) {
    if (!cwu_axis_names_row(picture, row, step))
      continue;
    double y =
        cwu_camera_to_screen(&picture->camera, 0, cwu_layout_row_y(picture->layout, row)).y;
    y = floor(y) + 0.5;
    if (y >= plot->y && y <= plot->y + plot->height)
      canvas->class->line(canvas, (CwuPoint){ plot->x, y },
                          (CwuPoint){ plot->x + plot->width, y }, &rule);
  }
}

static void
draw_column_rules(CwuCanvas *canvas, const CwuPicture *picture)
{
  const CwuRect *plot = &picture->camera.plot;
  CwuStyle rule = { .stroke = picture->theme->hairline, .stroke_px = 1 };
  double last = -1e9;
  for (int64_t c = 0; c <= picture->layout->n_columns; c++) {
    double x = cwu_camera_to_screen(&picture->camera, picture->layout->column_right[c], 0).x;
    x = floor(x) + 0.5;
    if (x - last < 3 || x < plot->x || x > plot->x + plot->width + 1)
      continue;
    canvas->class->line(canvas, (CwuPoint){ x, plot->y },
                        (CwuPoint){ x, plot->y + plot->height }, &rule);
    last = x;
  }
}

void
cwu_painter_draw_ground(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *all)
{
  CwuStyle surface = { .fill = picture->theme->surface };
  canvas->class->box(canvas, all, 0, &surface);
  if (picture->layout->kind != CWU_LAYOUT_LAYERS)
    return;
  draw_column_rules(canvas, picture);
  draw_row_rules(canvas, picture);
}

/* ---- edges ----------------------------------------------------------------------------- */

/* Pixels around the plot in which nodes and edges may still be seen. */
static CwuRect
clip_of(const CwuPicture *picture)
{
  CwuRect clip = picture->camera.plot;
  double more = cwu_painter_radius(picture) + 3;
  clip.x -= more;
  clip.y -= more;
  clip.width += 2 * more;
  clip.height += 2 * more;
  return clip;
}

double
cwu_painter_mass_alpha(const CwuPicture *picture)
{
  return picture->focus != NULL ? 0.4 : 1;
}

void
cwu_painter_draw_mass(CwuCanvas *canvas, const CwuPicture *picture, size_t n_edges)
{
  const CwuScene *scene = picture->scene;
  CwuRect clip = clip_of(picture);
  double least = MASS_LEAST + (FEW_LEAST - MASS_LEAST) * cwu_edge_fewness(scene->n_edges);
  canvas->class->push_clip(canvas, &clip);
  for (size_t i = MIN(n_edges, scene->n_edges); i-- > 0;) {
    const CwuSceneEdge *edge = &scene->edges[scene->edge_order[i]];
    CwuCurve curve = cwu_edge_curve(picture->layout, &picture->camera, edge);
    double share = MIN(fabs((double)edge->share), 1.0);
    CwuColour colour = picture->theme->mass;
    colour.a *= cwu_painter_mass_alpha(picture) * (least + (MASS_MOST - least) * sqrt(share));
    CwuStyle style = { .stroke = colour, .stroke_px = 0.8 };
    canvas->class->curve(canvas, &curve, &style);
  }
  canvas->class->pop_clip(canvas);
}

/* Two short lines at the target's rim, along the way the edge comes in. */
static void
draw_arrow(CwuCanvas *canvas, const CwuCurve *curve, double off, const CwuStyle *edge)
{
  double dx = curve->p[3].x - curve->p[2].x, dy = curve->p[3].y - curve->p[2].y;
  double length = hypot(dx, dy), reach = ARROW_PX + edge->stroke_px;
  if (length < 1)
    return;
  dx /= length;
  dy /= length;
  CwuPoint tip = { curve->p[3].x - off * dx, curve->p[3].y - off * dy };
  CwuStyle style = *edge;
  style.is_dashed = false;
  for (int side = -1; side <= 1; side += 2) {
    CwuPoint end = { tip.x - reach * (dx + 0.5 * side * dy),
                     tip.y - reach * (dy - 0.5 * side * dx) };
    canvas->class->line(canvas, tip, end, &style);
  }
}

/* Most edges are weak: a dozen of them would hardly be told from the mass behind them. */
static double
focus_more(size_t n_edges)
{
  return CLAMP(FEW_MORE - 0.1 * log2((double)MAX(n_edges, 1) / FEW_EDGES), 0, FEW_MORE);
}

static void
draw_focus_edge(CwuCanvas *canvas, const CwuPicture *picture, const CwuSceneEdge *edge,
                const CwuRect *clip)
{
  CwuCurve curve = cwu_edge_curve(picture->layout, &picture->camera, edge);
  CwuRect bounds = cwu_curve_bounds(&curve);
  bounds.width += 1;
  bounds.height += 1;
  if (!cwu_rect_overlaps(&bounds, clip))
    return;
  double share = MIN(fabs((double)edge->share), 1.0);
  CwuColour colour = edge->weight < 0 ? picture->theme->negative : picture->theme->positive;
  double more = focus_more(picture->focus->n_edges), least_px = MIN_EDGE_PX + more;
  CwuStyle style = { .stroke =
                         cwu_colour_fade(colour, MIN(1, MIN_EDGE_ALPHA + more + 8 * share)),
                     .stroke_px = CLAMP(MAX_EDGE_PX * sqrt(share), least_px, MAX_EDGE_PX),
                     .is_dashed = edge->weight < 0 };
  canvas->class->curve(canvas, &curve, &style);
  if (edge->source == picture->focus->selected)
    draw_arrow(canvas, &curve, cwu_painter_radius(picture) + 1.5, &style);
}

void
cwu_painter_draw_focus(CwuCanvas *canvas, const CwuPicture *picture, size_t n_edges)
{
  if (picture->focus == NULL)
    return;
  CwuRect clip = clip_of(picture);
  size_t n = picture->focus->n_edges;
  canvas->class->push_clip(canvas, &clip);
  for (size_t i = n - MIN(n, n_edges); i < n; i++)
    draw_focus_edge(canvas, picture, &picture->scene->edges[picture->focus->edges[i]], &clip);
  canvas->class->pop_clip(canvas);
}

/* ---- nodes ----------------------------------------------------------------------------- */

static void
draw_mark(CwuCanvas *canvas, CwNodeKind kind, CwuPoint at, double radius, const CwuStyle *style)
{
  if (kind == CW_NODE_TOKEN || kind == CW_NODE_LOGIT)
    canvas->class->glyph(canvas, CWU_SHAPE_SQUARE, at, 0.9 * radius, style);
  else if (kind == CW_NODE_ERROR)
    canvas->class->glyph(canvas, CWU_SHAPE_DIAMOND, at, 1.05 * radius, style);
  else
    canvas->class->glyph(canvas, CWU_SHAPE_CIRCLE, at, radius, style);
}

void
cwu_painter_draw_node(CwuCanvas *canvas, const CwuTheme *theme, CwNodeKind kind, CwuPoint at,
                      double radius, CwuColour outline)
{
  CwuStyle style = { .fill = theme->surface,
                     .stroke = outline,
                     .stroke_px = theme->outline_px };
  draw_mark(canvas, kind, at, radius, &style);
}

/* Few different greys, so that few different stamps are needed. */
static CwuColour
outline_of(const CwuPicture *picture, size_t node)
{
  const CwuTheme *theme = picture->theme;
  const CwuSceneNode *n = &picture->scene->nodes[node];
  bool is_error = n->kind == CW_NODE_ERROR;
  if (picture->focus != NULL) {
    if (picture->focus->role[node] == CWU_ROLE_NONE)
      return theme->node_faint;
    return is_error ? theme->node_pale : theme->node_strong;
  }
  if (is_error)
    return theme->node_pale;
  double unimportance = n->kind == CW_NODE_LOGIT ? 0 : n->importance;
  return cwu_colour_mix(theme->node_strong, theme->node_pale, floor(unimportance * 4) / 4);
}

bool
cwu_picture_is_pinned(const CwuPicture *picture, size_t i)
{
  return picture->state != NULL &&
         cw_document_state_is_pinned(picture->state, picture->scene->nodes[i].node);
}

/* A pinned node has a second ring, whatever else it is. */
static void
draw_pinned(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *clip, double radius)
{
  size_t n;
  if (picture->state == NULL)
    return;
  const uint32_t *pins = cw_document_state_peek_pins(picture->state, &n);
  for (size_t k = 0; k < n; k++) {
    int64_t i = cwu_scene_find(picture->scene, pins[k]);
    if (i < 0)
      continue;
    CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, i);
    CwuStyle ring = { .stroke = picture->theme->node_strong, .stroke_px = 1.4 };
    if (cwu_rect_contains(clip, at.x, at.y))
      draw_mark(canvas, picture->scene->nodes[i].kind, at, radius + 3, &ring);
  }
}

/* A node that somebody put in its place has a dot. */
static void
draw_fixed(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *clip, double radius)
{
  size_t n;
  if (picture->state == NULL || picture->layout->kind != CWU_LAYOUT_PLANE)
    return;
  const CwDocumentPlace *places = cw_document_state_peek_places(picture->state, &n);
  CwuStyle dot = { .fill = picture->theme->node_strong };
  for (size_t k = 0; k < n; k++) {
    int64_t i = cwu_scene_find(picture->scene, places[k].node);
    if (i < 0)
      continue;
    CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, (size_t)i);
    if (cwu_rect_contains(clip, at.x, at.y))
      canvas->class->glyph(canvas, CWU_SHAPE_CIRCLE, at, MAX(0.36 * radius, 1.2), &dot);
  }
}

static void
draw_selected(CwuCanvas *canvas, const CwuPicture *picture, double radius)
{
  if (picture->focus == NULL)
    return;
  const CwuTheme *theme = picture->theme;
  int64_t i = picture->focus->selected;
  CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, (size_t)i);
  CwuStyle style = { .fill = cwu_colour_mix(theme->surface, theme->selected, 0.25),
                     .stroke = theme->selected,
                     .stroke_px = 2.2 };
  draw_mark(canvas, picture->scene->nodes[i].kind, at, radius + 1.5, &style);
}

/* What feeds the selected node is filled in the colour of its edge. */
static CwuColour
fill_of(const CwuPicture *picture, size_t node)
{
  uint8_t role = picture->focus != NULL ? picture->focus->role[node] : (uint8_t)CWU_ROLE_NONE;
  if ((role & CWU_ROLE_FEEDS_IT) == 0)
    return picture->theme->surface;
  return role & CWU_ROLE_NEGATIVE ? picture->theme->negative : picture->theme->positive;
}

static void
draw_some_nodes(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *clip, bool related)
{
  const CwuScene *scene = picture->scene;
  double radius = cwu_painter_radius(picture);
  for (size_t k = scene->n_nodes; k-- > 0;) {
    uint32_t i = scene->node_order[k];
    bool is_related = picture->focus != NULL && picture->focus->role[i] != CWU_ROLE_NONE;
    CwuPoint at = cwu_layout_at(picture->layout, &picture->camera, i);
    if (is_related != related || !cwu_rect_contains(clip, at.x, at.y))
      continue;
    CwuStyle style = { .fill = fill_of(picture, i),
                       .stroke = outline_of(picture, i),
                       .stroke_px = picture->theme->outline_px };
    draw_mark(canvas, scene->nodes[i].kind, at, radius, &style);
  }
}

/* A node with a card is filled, so that it is plain whose card it is; where a node is selected,
 * filling says something else. */
static void
draw_named(CwuCanvas *canvas, const CwuPicture *picture, const GArray *cards)
{
  double radius = cwu_painter_radius(picture);
  for (guint k = 0; k < cards->len && picture->focus == NULL; k++) {
    const CwuCard *card = &g_array_index(cards, CwuCard, k);
    if (card->is_hidden)
      continue;
    CwuColour ink = picture->scene->nodes[card->node].kind == CW_NODE_ERROR
                        ? picture->theme->node_pale
                        : picture->theme->node_strong;
    CwuStyle style = { .fill = ink, .stroke = ink, .stroke_px = picture->theme->outline_px };
    draw_mark(canvas, picture->scene->nodes[card->node].kind, card->at, radius, &style);
  }
}

void
cwu_painter_draw_nodes(CwuCanvas *canvas, const CwuPicture *picture, const GArray *cards)
{
  CwuRect clip = clip_of(picture);
  double radius = cwu_painter_radius(picture);
  canvas->class->push_clip(canvas, &clip);
  draw_some_nodes(canvas, picture, &clip, false);
  if (picture->focus != NULL)
    draw_some_nodes(canvas, picture, &clip, true);
  draw_named(canvas, picture, cards);
  draw_pinned(canvas, picture, &clip, radius);
  draw_selected(canvas, picture, radius);
  draw_fixed(canvas, picture, &clip, radius);
  canvas->class->pop_clip(canvas);
}

void
cwu_painter_draw_front(CwuCanvas *canvas, const CwuPicture *picture)
{
  g_autoptr(GArray) notes = cwu_notes_place(canvas->face, picture);
  g_autofree CwuRect *ground = g_new(CwuRect, notes->len + 1);
  for (guint i = 0; i < notes->len; i++)
    ground[i] = g_array_index(notes, CwuNoteCard, i).rect;
  g_autoptr(GArray) cards = cwu_labels_place_around(canvas->face, picture, ground, notes->len);
  cwu_painter_draw_nodes(canvas, picture, cards);
  cwu_labels_draw(canvas, picture, cards);
  cwu_notes_draw(canvas, picture, notes);
}
