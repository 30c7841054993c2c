/* axis-names.c - see axis-names.h. Slanted names stand as far apart as their lines are high;
 * where there is no room for all, those that matter most are there. */
#include "picture/axis-names.h"

#include <math.h>

#include "picture/layers-layout.h"
#include "picture/node-name.h"

#define ROW_NAME_PITCH_PX  26.0
#define TOKEN_ANGLE        (-0.61)
#define LOGIT_ANGLE        (-0.75)
#define LINE_PX            (1.2 * CWU_TEXT_PX)
#define MAX_NAME_PX        92.0
#define PERCENT_PX         30.0
#define MAX_CARD_NAME_PX   150.0 /* where a card has it, not an axis */
#define MAX_LOGIT_NAMES    20
#define MAX_LOGIT_SHIFT_PX 20.0
#define MAX_LOGIT_LEAD_PX  80.0 /* of a leader to the left */

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

/* A name of an axis: strong where it belongs to the selection. */
static CwuColour
name_colour(const CwuPicture *picture, size_t node)
{
  uint8_t role = role_of(picture, node);
  if (role & CWU_ROLE_SELECTED)
    return picture->theme->selected;
  if (picture->focus == NULL || role != CWU_ROLE_NONE)
    return picture->theme->text;
  return picture->theme->text_dim;
}

/* ---- layers ---------------------------------------------------------------------------- */

int64_t
cwu_axis_row_step(const CwuPicture *picture)
{
  static const int64_t steps[] = { 1, 2, 4, 5, 10, 20, 50, 100 };
  double pitch = picture->layout->row_height * picture->camera.zoom;
  for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
    if (pitch * (double)steps[i] >= ROW_NAME_PITCH_PX)
      return steps[i];
  return 1000;
}

bool
cwu_axis_names_row(const CwuPicture *picture, int64_t row, int64_t step)
{
  int64_t top = picture->layout->n_rows - 1;
  if (row == 0 || row == top)
    return true;
  double pitch = picture->layout->row_height * picture->camera.zoom;
  if ((double)MIN(row, top - row) * pitch < 0.7 * ROW_NAME_PITCH_PX)
    return false;
  return (row - 1) % step == 0;
}

static void
draw_row_names(CwuCanvas *canvas, const CwuPicture *picture)
{
  const CwuRect *plot = &picture->camera.plot;
  int64_t step = cwu_axis_row_step(picture), top = picture->layout->n_rows - 1;
  for (int64_t row = 0; row <= top; row++) {
    double y =
        cwu_camera_to_screen(&picture->camera, 0, cwu_layout_row_y(picture->layout, row)).y;
    if (!cwu_axis_names_row(picture, row, step) || y < plot->y || y > plot->y + plot->height)
      continue;
    char name[24];
    g_snprintf(name, sizeof name, "%" G_GINT64_FORMAT, row - 1);
    CwuText text = { .text = row == 0     ? "E"
                             : row == top ? "out"
                                          : name,
                     .at = { plot->x - 14, y },
                     .anchor = 1,
                     .size_px = CWU_TEXT_PX,
                     .colour = picture->theme->text_dim };
    canvas->class->text(canvas, &text);
  }
}

/* ---- tokens ---------------------------------------------------------------------------- */

/* The token's node in the embedding row, by column; -1 where there is none. */
static int64_t *
find_token_nodes(const CwuPicture *picture)
{
  int64_t n = picture->layout->n_columns;
  int64_t *node = g_new(int64_t, n);
  for (int64_t c = 0; c < n; c++)
    node[c] = -1;
  for (size_t i = 0; i < picture->scene->n_nodes; i++) {
    const CwuSceneNode *s = &picture->scene->nodes[i];
    if (s->kind == CW_NODE_TOKEN && s->position >= 0 && s->position < n)
      node[s->position] = (int64_t)i;
  }
  return node;
}

/* 0 goes first: selected, joined to it, by influence, no node at all. */
static double
column_rank(const CwuPicture *picture, int64_t node)
{
  if (node < 0)
    return 3;
  uint8_t role = role_of(picture, (size_t)node);
  if (role & CWU_ROLE_SELECTED)
    return 0;
  return (role != CWU_ROLE_NONE ? 0.5 : 1.5) + 0.5 * picture->scene->nodes[node].importance;
}

typedef struct {
  double rank;
  int64_t column, node;
} Column;

static int
compare_columns(gconstpointer a, gconstpointer b)
{
  const Column *x = a, *y = b;
  return x->rank < y->rank ? -1 : x->rank > y->rank ? 1 : x->column < y->column ? -1 : 1;
}

static void
draw_token_name(CwuCanvas *canvas, const CwuPicture *picture, const Column *column, double x)
{
  const CwuRect *plot = &picture->camera.plot;
  g_autofree char *name =
      cwu_piece_dup_display(cw_graph_peek_prompt_token(picture->scene->graph, column->column));
  /* The name of the first token ends at the picture's edge. */
  double room = (x - 4) / cos(TOKEN_ANGLE);
  g_autofree char *shown =
      cwu_text_face_dup_fitting(canvas->face, name, CWU_TEXT_PX, false, MIN(room, MAX_NAME_PX));
  uint8_t role = column->node >= 0 ? role_of(picture, (size_t)column->node) : 0;
  CwuText text = { .text = shown,
                   .at = { x + 5, plot->y + plot->height + 9 },
                   .anchor = 1,
                   .angle = TOKEN_ANGLE,
                   .size_px = CWU_TEXT_PX,
                   .is_bold = (role & CWU_ROLE_SELECTED) != 0,
                   .colour = column->node >= 0 ? name_colour(picture, (size_t)column->node)
                                               : picture->theme->text_dim };
  canvas->class->text(canvas, &text);
}

static void
draw_token_names(CwuCanvas *canvas, const CwuPicture *picture)
{
  const double pitch = LINE_PX / sin(-TOKEN_ANGLE);
  const CwuRect *plot = &picture->camera.plot;
  int64_t n = picture->layout->n_columns;
  g_autofree int64_t *node = find_token_nodes(picture);
  g_autofree Column *columns = g_new(Column, n);
  for (int64_t c = 0; c < n; c++)
    columns[c] = (Column){ column_rank(picture, node[c]), c, node[c] };
  qsort(columns, (size_t)n, sizeof(Column), compare_columns);
  g_autoptr(CwuLabelPlacer) taken =
      cwu_label_placer_new(&(CwuRect){ plot->x, 0, plot->width + 2 * pitch, 1 });
  for (int64_t k = 0; k < n; k++) {
    double centre = picture->layout->column_centre[columns[k].column];
    double x = cwu_camera_to_screen(&picture->camera, centre, 0).x;
    CwuRect room = { x, 0, pitch, 1 };
    if (isnan(centre) || x < plot->x || x > plot->x + plot->width ||
        !cwu_label_placer_is_free(taken, &room))
      continue;
    cwu_label_placer_block(taken, &room);
    draw_token_name(canvas, picture, &columns[k], x);
  }
}

/* ---- logits ---------------------------------------------------------------------------- */

/* For a token in front of its probability: more above a tall plot, except at the right border,
 * which the name would reach beyond. */
static double
logit_room(const CwuPicture *picture, size_t node)
{
  const CwuRect *plot = &picture->camera.plot;
  double up = cwu_painter_tallness(plot) / sin(-LOGIT_ANGLE);
  double right = (plot->x + plot->width - screen_of(picture, node).x) / cos(LOGIT_ANGLE);
  return MAX_NAME_PX - PERCENT_PX + CLAMP(right, 0, up);
}

char *
cwu_axis_dup_logit_text(CwuTextFace *face, const CwuPicture *picture, size_t node)
{
  const CwuScene *scene = picture->scene;
  double p = cw_graph_peek_nodes(scene->graph)[scene->nodes[node].node].probability;
  double most =
      picture->layout->kind == CWU_LAYOUT_LAYERS ? logit_room(picture, node) : MAX_CARD_NAME_PX;
  g_autofree char *name = cwu_text_face_dup_fitting(
      face, scene->labels[node] != NULL ? scene->labels[node] : "", CWU_TEXT_PX, false, most);
  if (p <= 0)
    return g_strdup(name);
  if (p < 0.005)
    return g_strdup_printf("%s <1%%", name);
  return g_strdup_printf("%s %.0f%%", name, 100 * p);
}

/* Slots of the logits' names: all as far to the right of their squares as the last one stands;
 * where they would be too near each other, further left, so that every name can be read. A
 * short leader joins name and square. Of a row too crowded for that the likeliest have names.
 */
typedef struct {
  uint32_t node;
  CwuPoint at; /* of the square */
  double slot; /* x of the name */
} LogitName;

static int
compare_from_right(gconstpointer a, gconstpointer b)
{
  const LogitName *x = a, *y = b;
  return x->at.x > y->at.x ? -1 : x->at.x < y->at.x ? 1 : x->node < y->node ? -1 : 1;
}

static bool
has_near_slot(const LogitName *name, const CwuRect *plot)
{
  return name->slot >= plot->x && name->at.x - name->slot <= MAX_LOGIT_LEAD_PX;
}

static CwuPoint
logit_name_start(const CwuPicture *picture, const LogitName *name)
{
  return (CwuPoint){ name->slot + 2, name->at.y - cwu_painter_radius(picture) - 17 };
}

/* Does not end below what stands over the picture. */
static bool
is_clear(CwuTextFace *face, const CwuPicture *picture, const LogitName *name)
{
  const CwuRect *covered = &picture->covered;
  if (covered->width <= 0)
    return true;
  g_autofree char *words = cwu_axis_dup_logit_text(face, picture, name->node);
  CwuPoint start = logit_name_start(picture, name);
  double width, height, half = 0.4 * CWU_TEXT_PX * cos(LOGIT_ANGLE);
  double room = start.y - half - (covered->y + covered->height);
  cwu_text_face_measure(face, words, CWU_TEXT_PX, false, &width, &height);
  if (width * sin(-LOGIT_ANGLE) < room)
    return true;
  double x = start.x + MAX(room, 0) / tan(-LOGIT_ANGLE);
  return x - half > covered->x + covered->width;
}

static GArray *
place_logit_names(CwuTextFace *face, const CwuPicture *picture)
{
  const double pitch = LINE_PX / sin(-LOGIT_ANGLE);
  const CwuRect *plot = &picture->camera.plot;
  GArray *names = g_array_new(FALSE, FALSE, sizeof(LogitName));
  for (size_t k = 0; k < picture->scene->n_nodes && names->len < MAX_LOGIT_NAMES; k++) {
    uint32_t i = picture->scene->node_order[k];
    if (picture->scene->nodes[i].kind != CW_NODE_LOGIT)
      break; /* Logits come first, the likeliest before the others. */
    LogitName name = { i, screen_of(picture, i), 0 };
    if (cwu_rect_contains(plot, name.at.x, name.at.y))
      g_array_append_val(names, name);
  }
  g_array_sort(names, compare_from_right);
  double next = plot->x + plot->width + MAX_LOGIT_SHIFT_PX, shift = 0;
  for (guint k = 0; k < names->len; k++) {
    LogitName *name = &g_array_index(names, LogitName, k);
    if (k == 0) { /* Half of what the row lacks is gained on the right. */
      double row = name->at.x - g_array_index(names, LogitName, names->len - 1).at.x;
      shift = CLAMP((names->len * pitch - row) / 2, 0, MAX_LOGIT_SHIFT_PX);
    }
    name->slot = MIN(name->at.x + shift, next);
    next = name->slot - pitch;
  }
  guint n = 0;
  for (guint k = 0; k < names->len; k++) {
    LogitName name = g_array_index(names, LogitName, k);
    if (!has_near_slot(&name, plot))
      break; /* Further left, leaders only grow longer. */
    if (is_clear(face, picture, &name))
      g_array_index(names, LogitName, n++) = name;
  }
  g_array_set_size(names, n);
  return names;
}

bool
cwu_axis_names_logit(CwuTextFace *face, const CwuPicture *picture, size_t node)
{
  g_autoptr(GArray) names = place_logit_names(face, picture);
  for (guint i = 0; i < names->len; i++)
    if (g_array_index(names, LogitName, i).node == node)
      return true;
  return false;
}

static void
draw_logit_name(CwuCanvas *canvas, const CwuPicture *picture, const LogitName *name)
{
  g_autofree char *words = cwu_axis_dup_logit_text(canvas->face, picture, name->node);
  uint8_t role = role_of(picture, name->node);
  CwuColour colour = name_colour(picture, name->node);
  CwuPoint start = logit_name_start(picture, name);
  CwuStyle leader = { .stroke = picture->theme->card_border, .stroke_px = 1 };
  canvas->class->line(canvas,
                      (CwuPoint){ name->at.x, name->at.y - cwu_painter_radius(picture) - 2 },
                      (CwuPoint){ name->slot, start.y + 5 }, &leader);
  CwuText text = { .text = words,
                   .at = start,
                   .angle = LOGIT_ANGLE,
                   .size_px = CWU_TEXT_PX,
                   .is_bold = (role & CWU_ROLE_SELECTED) != 0,
                   .colour = colour };
  canvas->class->text(canvas, &text);
}

static void
draw_logit_names(CwuCanvas *canvas, const CwuPicture *picture)
{
  g_autoptr(GArray) names = place_logit_names(canvas->face, picture);
  for (guint i = 0; i < names->len; i++)
    draw_logit_name(canvas, picture, &g_array_index(names, LogitName, i));
}

/* A slanted name is blocked as a chain of small squares. */
void
cwu_axis_block_names(CwuTextFace *face, CwuLabelPlacer *placer, const CwuPicture *picture)
{
  if (picture->layout->kind != CWU_LAYOUT_LAYERS)
    return;
  g_autoptr(GArray) names = place_logit_names(face, picture);
  for (guint i = 0; i < names->len; i++) {
    const LogitName *name = &g_array_index(names, LogitName, i);
    g_autofree char *words = cwu_axis_dup_logit_text(face, picture, name->node);
    CwuPoint from = logit_name_start(picture, name);
    double width, height;
    cwu_text_face_measure(face, words, CWU_TEXT_PX, false, &width, &height);
    for (double t = -12; t < width; t += 6) {
      CwuRect square = { from.x + t * cos(LOGIT_ANGLE) - 7, from.y + t * sin(LOGIT_ANGLE) - 7,
                         14, 14 };
      cwu_label_placer_block(placer, &square);
    }
  }
}

void
cwu_axis_draw_names(CwuCanvas *canvas, const CwuPicture *picture)
{
  if (picture->layout->kind != CWU_LAYOUT_LAYERS)
    return;
  draw_row_names(canvas, picture);
  draw_token_names(canvas, picture);
  draw_logit_names(canvas, picture);
}
