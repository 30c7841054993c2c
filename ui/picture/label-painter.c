/* label-painter.c - see label-painter.h. */
#include "picture/label-painter.h"

#include <math.h>

#include "picture/axis-names.h"
#include "picture/clear-place.h"
#include "picture/label-placer.h"
#include "picture/node-name.h"

#define MAX_CARD_PX     190.0
#define MAX_HOVER_PX    420.0
#define CARD_PADDING_PX 5.0
/* A card per so much ground: fewer than would fit, so that the eye finds the important ones. */
#define CARD_GROUND_PX2 21000.0
#define CARD_AIR_X_PX   14.0
#define CARD_AIR_Y_PX   5.0
#define MAX_CANDIDATES  2500
/* Neighbours of the selected node that are named by number where they have no label. */
#define N_NUMBERED 8
/* From this probability on a logit is always named. */
#define MAIN_PROBABILITY 0.1f
/* A hidden card comes back with so much air, so that a card at a border does not flicker. */
#define RETURN_AIR_PX 4.0
/* How far off a card goes that must be there. */
#define N_RINGS 24
#define RING_PX 9.0
/* Of covering the selected node's name, or another's; see clear-place.h. */
#define MAIN_WEIGHT 6.0
#define CARD_WEIGHT 3.0
/* From the outermost nodes to the names along the axes. */
#define AXIS_AIR_PX 8.0

static CwuPoint
screen_of(const CwuPicture *picture, size_t node)
{
  return cwu_layout_at(picture->layout, &picture->camera, node);
}

static uint8_t
role_of(const CwuPicture *picture, size_t node)
{
  return picture->focus != NULL ? picture->focus->role[node] : (uint8_t)CWU_ROLE_NONE;
}

/* ---- cards ----------------------------------------------------------------------------- */

static void
card_clear(gpointer data)
{
  g_free(((CwuCard *)data)->text);
}

/* What cards are placed with. */
typedef struct {
  CwuTextFace *face;
  const CwuPicture *picture;
  const CwuRect *blocked; /* [n_blocked] notes and the like */
  size_t n_blocked;
  CwuLabelPlacer *placer;
  GArray *cards;
} Placing;

/* with_faded: also of nodes that have stepped back for the selected one. */
static void
block_nodes(CwuLabelPlacer *placer, const CwuPicture *picture, bool with_faded)
{
  double r = cwu_painter_radius(picture) + picture->theme->outline_px + 0.5;
  for (size_t i = 0; i < picture->scene->n_nodes; i++) {
    if (!with_faded && role_of(picture, i) == CWU_ROLE_NONE &&
        !cwu_picture_is_pinned(picture, i))
      continue;
    CwuPoint at = screen_of(picture, i);
    CwuRect square = { at.x - r, at.y - r, 2 * r, 2 * r };
    cwu_label_placer_block(placer, &square);
  }
}

static CwuLabelPlacer *
placer_new(const Placing *placing, bool with_faded)
{
  CwuLabelPlacer *placer = cwu_label_placer_new(&placing->picture->camera.plot);
  block_nodes(placer, placing->picture, with_faded);
  cwu_axis_block_names(placing->face, placer, placing->picture);
  for (size_t i = 0; i < placing->n_blocked; i++)
    cwu_label_placer_block(placer, &placing->blocked[i]);
  return placer;
}

/* Some nodes have a card even in a crowd: further off, with a leader. */
static bool
place_card(CwuLabelPlacer *placer, CwuCard *card, double radius, bool must)
{
  for (int ring = 0; ring < (must ? N_RINGS : 1); ring++)
    if (cwu_label_placer_place(placer, card->at, radius, RING_PX * ring, &card->rect))
      return true;
  return false;
}

/* The selected node has its name also where the crowd is so dense that there is no free ground
 * far and wide: over nodes that have stepped back for it. It is the first to be placed. */
static bool
place_over_faded(const Placing *placing, CwuCard *card, double radius)
{
  g_autoptr(CwuLabelPlacer) placer = placer_new(placing, false);
  if (!place_card(placer, card, radius, true))
    return false;
  cwu_label_placer_block(placing->placer, &card->rect);
  return true;
}

/* The leader would seem to come from any node that it runs over: only as a last resort. */
static bool
place_across(CwuLabelPlacer *placer, CwuCard *card, double radius)
{
  for (int ring = 1; ring < N_RINGS; ring++)
    if (cwu_label_placer_place(placer, card->at, radius + RING_PX * ring, 0, &card->rect))
      return true;
  return false;
}

static char *
dup_card_name(CwuTextFace *face, const CwuPicture *picture, size_t node, size_t rank)
{
  const CwuScene *scene = picture->scene;
  CwNodeKind kind = scene->nodes[node].kind;
  bool has_axes = picture->layout->kind == CWU_LAYOUT_LAYERS;
  bool is_selected = (role_of(picture, node) & CWU_ROLE_SELECTED) != 0;
  if (has_axes && kind == CW_NODE_TOKEN)
    return NULL; /* Named along the axis, as logits are that have room there. */
  if (has_axes && kind == CW_NODE_LOGIT &&
      (!is_selected || cwu_axis_names_logit(face, picture, node)))
    return NULL;
  if (kind == CW_NODE_LOGIT)
    return cwu_axis_dup_logit_text(face, picture, node);
  uint32_t i = scene->nodes[node].node;
  if (picture->state != NULL && cw_document_state_peek_label(picture->state, i) != NULL)
    return cwu_node_dup_shown_name(scene->graph, picture->state, i);
  if (scene->labels[node] != NULL)
    return g_strdup(scene->labels[node]);
  bool is_asked_for = picture->focus != NULL
                          ? rank <= N_NUMBERED && (kind != CW_NODE_ERROR || rank == 0)
                          : cwu_picture_is_pinned(picture, node);
  return is_asked_for ? cwu_node_dup_name(scene->graph, i) : NULL;
}

/* What the model is likeliest to say; along an axis it has its name in any case. */
static bool
is_main_logit(const CwuPicture *picture, size_t node)
{
  return picture->layout->kind == CWU_LAYOUT_PLANE &&
         picture->scene->nodes[node].kind == CW_NODE_LOGIT &&
         picture->scene->nodes[node].importance <= -MAIN_PROBABILITY;
}

static void
try_card(Placing *placing, size_t node, size_t rank)
{
  const CwuPicture *picture = placing->picture;
  CwuPoint at = screen_of(picture, node);
  double radius = cwu_painter_radius(picture);
  bool is_selected = (role_of(picture, node) & CWU_ROLE_SELECTED) != 0;
  bool must = is_selected || is_main_logit(picture, node) ||
              (picture->focus == NULL && cwu_picture_is_pinned(picture, node));
  if (!cwu_rect_contains(&picture->camera.plot, at.x, at.y))
    return;
  g_autofree char *name = dup_card_name(placing->face, picture, node, rank);
  if (name == NULL)
    return;
  CwuCard card = { .node = (uint32_t)node, .at = at, .is_bold = is_selected };
  g_autofree char *text =
      cwu_text_face_dup_fitting(placing->face, name, CWU_TEXT_PX, is_selected, MAX_CARD_PX);
  cwu_text_face_measure(placing->face, text, CWU_TEXT_PX, is_selected, &card.rect.width,
                        &card.rect.height);
  card.rect.width += 2 * CARD_PADDING_PX;
  card.rect.height += 2;
  if (!place_card(placing->placer, &card, radius, must) &&
      !(is_selected && place_over_faded(placing, &card, radius)) &&
      !(must && place_across(placing->placer, &card, radius)))
    return;
  card.text = g_steal_pointer(&text);
  CwuRect air = { card.rect.x - CARD_AIR_X_PX, card.rect.y - CARD_AIR_Y_PX,
                  card.rect.width + 2 * CARD_AIR_X_PX, card.rect.height + 2 * CARD_AIR_Y_PX };
  cwu_label_placer_block(placing->placer, &air);
  g_array_append_val(placing->cards, card);
}

/* What somebody pinned is named before what the influence makes important, in any crowd, and by
 * its number where it has no label. */
static void
place_pinned(Placing *placing)
{
  const CwuPicture *picture = placing->picture;
  size_t n = 0;
  const uint32_t *pins =
      picture->state != NULL ? cw_document_state_peek_pins(picture->state, &n) : NULL;
  for (size_t k = 0; k < n; k++) {
    int64_t i = cwu_scene_find(picture->scene, pins[k]);
    if (i >= 0)
      try_card(placing, (size_t)i, k);
  }
}

GArray *
cwu_labels_place(CwuTextFace *face, const CwuPicture *picture)
{
  return cwu_labels_place_around(face, picture, NULL, 0);
}

GArray *
cwu_labels_place_around(CwuTextFace *face, const CwuPicture *picture, const CwuRect *blocked,
                        size_t n_blocked)
{
  Placing placing = { face, picture, blocked, n_blocked, NULL, NULL };
  g_autoptr(CwuLabelPlacer) placer = placer_new(&placing, true);
  placing.placer = placer;
  placing.cards = g_array_new(FALSE, FALSE, sizeof(CwuCard));
  g_array_set_clear_func(placing.cards, card_clear);
  const uint32_t *order =
      picture->focus != NULL ? picture->focus->order : picture->scene->node_order;
  size_t n = picture->focus != NULL ? picture->focus->n_related : picture->scene->n_nodes;
  const CwuRect *plot = &picture->camera.plot;
  guint most = (guint)CLAMP(plot->width * plot->height / CARD_GROUND_PX2, 4, 400);
  if (picture->focus == NULL)
    place_pinned(&placing);
  for (size_t k = 0; k < MIN(n, MAX_CANDIDATES) && placing.cards->len < most; k++)
    if (picture->focus != NULL || !cwu_picture_is_pinned(picture, order[k]))
      try_card(&placing, order[k], k);
  return placing.cards;
}

static CwuRect
rect_with_air(const CwuRect *rect, double air)
{
  return (CwuRect){ rect->x - air, rect->y - air, rect->width + 2 * air,
                    rect->height + 2 * air };
}

/* What a card must keep clear to be seen. */
static CwuRect
ground_of(const CwuCard *card)
{
  return rect_with_air(&card->rect, card->was_hidden ? RETURN_AIR_PX : 0);
}

/* Of two cards that have run into each other the more important one stays. */
static void
hide_overlapping(CwuLabelPlacer *placer, GArray *cards)
{
  for (guint k = 0; k < cards->len; k++) {
    CwuCard *card = &g_array_index(cards, CwuCard, k);
    CwuRect ground = ground_of(card);
    card->is_hidden = !cwu_label_placer_is_free(placer, &ground);
    if (!card->is_hidden)
      cwu_label_placer_block(placer, &card->rect);
  }
}

/* Cards over a node that has run below them. The placer knows where there are cards at all. */
static void
hide_covering(const CwuLabelPlacer *placer, const CwuPicture *picture, GArray *cards)
{
  double r = cwu_painter_radius(picture);
  for (size_t i = 0; i < picture->scene->n_nodes; i++) {
    CwuPoint at = screen_of(picture, i);
    CwuRect node = { at.x - r, at.y - r, 2 * r, 2 * r };
    if (!cwu_rect_contains_rect(&picture->camera.plot, &node) ||
        cwu_label_placer_is_free(placer, &node))
      continue;
    for (guint k = 0; k < cards->len; k++) {
      CwuCard *card = &g_array_index(cards, CwuCard, k);
      CwuRect ground = ground_of(card);
      card->is_hidden |= card->node != i && cwu_rect_overlaps(&ground, &node);
    }
  }
}

guint
cwu_labels_follow(GArray *cards, const CwuPicture *picture)
{
  guint n_hidden = 0;
  g_autoptr(CwuLabelPlacer) placer = cwu_label_placer_new(&picture->camera.plot);
  for (guint k = 0; k < cards->len; k++) {
    CwuCard *card = &g_array_index(cards, CwuCard, k);
    CwuPoint at = screen_of(picture, card->node);
    card->rect.x += at.x - card->at.x;
    card->rect.y += at.y - card->at.y;
    card->at = at;
    card->was_hidden = card->is_hidden;
  }
  hide_overlapping(placer, cards);
  hide_covering(placer, picture, cards);
  for (guint k = 0; k < cards->len; k++)
    n_hidden += g_array_index(cards, CwuCard, k).is_hidden;
  return n_hidden;
}

/* From the node to the nearest point of a card that lies further off. */
static void
draw_leader(CwuCanvas *canvas, const CwuPicture *picture, const CwuCard *card)
{
  const CwuRect *r = &card->rect;
  CwuPoint to = { CLAMP(card->at.x, r->x, r->x + r->width),
                  CLAMP(card->at.y, r->y, r->y + r->height) };
  double dx = to.x - card->at.x, dy = to.y - card->at.y, length = hypot(dx, dy);
  double radius = cwu_painter_radius(picture) + 3;
  if (length < radius + 4)
    return;
  CwuPoint from = { card->at.x + dx / length * radius, card->at.y + dy / length * radius };
  CwuStyle style = { .stroke =
                         card->is_bold ? picture->theme->selected : picture->theme->text_dim,
                     .stroke_px = 1 };
  canvas->class->line(canvas, from, to, &style);
}

static void
draw_card(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *rect, const char *words,
          CwuColour colour, bool is_bold)
{
  const CwuTheme *theme = picture->theme;
  CwuStyle style = { .fill = theme->card, .stroke = theme->card_border, .stroke_px = 1 };
  CwuRect sharp = { floor(rect->x) + 0.5, floor(rect->y) + 0.5, rect->width, rect->height };
  CwuText text = { .text = words,
                   .at = { sharp.x + CARD_PADDING_PX, sharp.y + rect->height / 2 },
                   .size_px = CWU_TEXT_PX,
                   .is_bold = is_bold,
                   .colour = colour };
  canvas->class->box(canvas, &sharp, 4, &style);
  canvas->class->text(canvas, &text);
}

/* Leaders first: none crosses another card's words. */
static void
draw_cards(CwuCanvas *canvas, const CwuPicture *picture, const GArray *cards)
{
  for (guint i = 0; i < cards->len; i++)
    if (!g_array_index(cards, CwuCard, i).is_hidden)
      draw_leader(canvas, picture, &g_array_index(cards, CwuCard, i));
  for (guint i = 0; i < cards->len; i++) {
    const CwuCard *card = &g_array_index(cards, CwuCard, i);
    if (!card->is_hidden)
      draw_card(canvas, picture, &card->rect, card->text,
                card->is_bold ? picture->theme->selected : picture->theme->text, card->is_bold);
  }
}

/* The hovered node's name and place; "" where its card says as much. Transfer full. */
static char *
dup_hover_words(CwuTextFace *face, const CwuPicture *picture)
{
  const CwuScene *scene = picture->scene;
  uint32_t node = scene->nodes[picture->hovered].node;
  if (picture->focus != NULL && picture->focus->selected == picture->hovered)
    return g_strdup("");
  g_autofree char *words = cwu_node_dup_name_and_place(scene->graph, picture->state, node);
  return cwu_text_face_dup_fitting(face, words, CWU_TEXT_PX, false, MAX_HOVER_PX);
}

/* What the card of the hovered node keeps off: nodes, other nodes' names, notes and the names
 * along the axes. */
static GArray *
hover_obstacles(const CwuPicture *picture, const CwuShown *shown, const CwuRect *reach)
{
  const CwuRect *plot = &picture->camera.plot;
  GArray *obstacles = cwu_obstacles_new(picture, reach);
  for (guint i = 0; i < shown->cards->len; i++) {
    const CwuCard *card = &g_array_index(shown->cards, CwuCard, i);
    if (!card->is_hidden && card->node != picture->hovered)
      cwu_obstacles_add(obstacles, &card->rect, card->is_bold ? MAIN_WEIGHT : CARD_WEIGHT);
  }
  for (guint i = 0; i < shown->notes->len; i++)
    cwu_obstacles_add(obstacles, &g_array_index(shown->notes, CwuNoteCard, i).rect,
                      CARD_WEIGHT);
  if (picture->layout->kind == CWU_LAYOUT_LAYERS) {
    CwuRect above = { plot->x, 0, plot->width, plot->y - AXIS_AIR_PX };
    CwuRect below = { plot->x, plot->y + plot->height + AXIS_AIR_PX, plot->width, 60 };
    cwu_obstacles_add(obstacles, &above, CARD_WEIGHT);
    cwu_obstacles_add(obstacles, &below, CARD_WEIGHT);
  }
  return obstacles;
}

/* Above the node, if that covers nothing; else below, beside or at a corner, where it covers
 * least, and inside of the picture. */
static CwuRect
hover_card(CwuTextFace *face, const CwuPicture *picture, const CwuShown *shown,
           const char *words)
{
  const CwuRect *plot = &picture->camera.plot;
  CwuPoint at = screen_of(picture, (size_t)picture->hovered);
  double ring = cwu_painter_radius(picture) + 4, off = ring + 6, corner = 0.75 * ring + 2, w, h;
  cwu_text_face_measure(face, words, CWU_TEXT_PX, false, &w, &h);
  w += 2 * CARD_PADDING_PX;
  h += 6;
  const CwuRect places[] = {
    { at.x - w / 2, at.y - off - h, w, h },     { at.x - w / 2, at.y + off, w, h },
    { at.x + off, at.y - h / 2, w, h },         { at.x - off - w, at.y - h / 2, w, h },
    { at.x + corner, at.y - corner - h, w, h }, { at.x - corner - w, at.y - corner - h, w, h },
    { at.x + corner, at.y + corner, w, h },     { at.x - corner - w, at.y + corner, w, h },
  };
  CwuRect reach = { at.x - off - w, at.y - off - h, 2 * (off + w), 2 * (off + h) };
  CwuRect bounds = { 4, 4, plot->x + plot->width + 56, plot->y + plot->height + 40 };
  g_autoptr(GArray) obstacles = hover_obstacles(picture, shown, &reach);
  return cwu_obstacles_clearest(obstacles, places, G_N_ELEMENTS(places), &bounds);
}

CwuRect
cwu_labels_hover_card(CwuTextFace *face, const CwuPicture *picture, const CwuShown *shown)
{
  g_autofree char *words = dup_hover_words(face, picture);
  return *words != '\0' ? hover_card(face, picture, shown, words) : (CwuRect){ 0 };
}

CwuRect
cwu_labels_hover_bounds(const CwuPicture *picture, const CwuRect *card)
{
  CwuPoint at = screen_of(picture, (size_t)picture->hovered);
  double ring = cwu_painter_radius(picture) + 6;
  double x0 = at.x - ring, y0 = at.y - ring, x1 = at.x + ring, y1 = at.y + ring;
  if (card->width > 0) {
    x0 = MIN(x0, card->x);
    y0 = MIN(y0, card->y);
    x1 = MAX(x1, card->x + card->width);
    y1 = MAX(y1, card->y + card->height);
  }
  return (CwuRect){ floor(x0 - 2), floor(y0 - 2), ceil(x1 + 2) - floor(x0 - 2),
                    ceil(y1 + 2) - floor(y0 - 2) };
}

void
cwu_labels_draw_hover(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *card)
{
  g_autofree char *words = dup_hover_words(canvas->face, picture);
  CwuPoint at = screen_of(picture, (size_t)picture->hovered);
  CwuStyle ring = { .stroke = picture->theme->selected, .stroke_px = 1.4 };
  canvas->class->glyph(canvas, CWU_SHAPE_CIRCLE, at, cwu_painter_radius(picture) + 4, &ring);
  if (card->width > 0)
    draw_card(canvas, picture, card, words, picture->theme->text, false);
}

void
cwu_labels_draw(CwuCanvas *canvas, const CwuPicture *picture, const GArray *cards)
{
  cwu_axis_draw_names(canvas, picture);
  draw_cards(canvas, picture, cards);
}
