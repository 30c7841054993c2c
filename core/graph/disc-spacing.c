/* disc-spacing.c - see disc-spacing.h.
 *
 * Overlaps are resolved one after the other on positions, as in position based dynamics (Müller
 * and others 2007, 10.1016/j.jvcir.2007.01.005), with a grid of cells as wide as the largest
 * disc to find them. What sweeps cannot resolve, since discs are packed or on a leash, is put
 * into the nearest free place, found on rings of growing radius. Order is that of the indices:
 * same input, same result. */
#include "graph/disc-spacing.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define GAP         0.02f  /* left between two discs, beyond what f32 rounds away */
#define TOLERANCE   0.005f /* less than this is no overlap */
#define MOST_SWEEPS 60
#define RING_STEP   0.25
#define MOST_RINGS  400
#define NOBODY      UINT32_MAX

struct _CwDiscSpacing {
  size_t n_most, n_cells_most;
  uint32_t *first; /* [n_cells_most] of a cell's list */
  uint32_t *next;  /* [n_most] in the same cell */
  float left, bottom, cell;
  int64_t n_columns, n_rows;
  float largest; /* radius */
};

CwDiscSpacing *
cw_disc_spacing_new(size_t n_most)
{
  CwDiscSpacing *spacing = g_try_new0(CwDiscSpacing, 1);
  if (spacing == NULL)
    return NULL;
  spacing->n_most = n_most;
  spacing->n_cells_most = 8 * n_most + 64;
  spacing->first = g_try_new(uint32_t, spacing->n_cells_most);
  spacing->next = g_try_new(uint32_t, n_most + 1);
  if (spacing->first == NULL || spacing->next == NULL)
    g_clear_pointer(&spacing, cw_disc_spacing_free);
  return spacing;
}

void
cw_disc_spacing_free(CwDiscSpacing *spacing)
{
  if (spacing == NULL)
    return;
  g_free(spacing->first);
  g_free(spacing->next);
  g_free(spacing);
}

/* ---- the grid -------------------------------------------------------------------------- */

static int64_t
cell_of(const CwDiscSpacing *spacing, float x, float y, int64_t *column, int64_t *row)
{
  *column = CLAMP((int64_t)((x - spacing->left) / spacing->cell), 0, spacing->n_columns - 1);
  *row = CLAMP((int64_t)((y - spacing->bottom) / spacing->cell), 0, spacing->n_rows - 1);
  return *row * spacing->n_columns + *column;
}

/* Cells are as wide as two of the largest discs reach, wider where the discs lie far apart. */
static void
measure(CwDiscSpacing *spacing, const CwDiscs *discs)
{
  float right = discs->x[0], top = discs->y[0];
  spacing->left = right;
  spacing->bottom = top;
  spacing->largest = 0;
  for (size_t i = 0; i < discs->n; i++) {
    spacing->left = MIN(spacing->left, discs->x[i]);
    right = MAX(right, discs->x[i]);
    spacing->bottom = MIN(spacing->bottom, discs->y[i]);
    top = MAX(top, discs->y[i]);
    spacing->largest = MAX(spacing->largest, discs->radius[i]);
  }
  double width = (double)right - spacing->left, height = (double)top - spacing->bottom;
  double cell = 2 * (double)spacing->largest + GAP;
  while ((floor(width / cell) + 1) * (floor(height / cell) + 1) > spacing->n_cells_most)
    cell *= 1.5;
  spacing->cell = (float)cell;
  spacing->n_columns = (int64_t)(width / cell) + 1;
  spacing->n_rows = (int64_t)(height / cell) + 1;
}

static void
add_to_grid(CwDiscSpacing *spacing, const CwDiscs *discs, size_t disc)
{
  int64_t column, row;
  int64_t cell = cell_of(spacing, discs->x[disc], discs->y[disc], &column, &row);
  spacing->next[disc] = spacing->first[cell];
  spacing->first[cell] = (uint32_t)disc;
}

static void
remove_from_grid(CwDiscSpacing *spacing, const CwDiscs *discs, size_t disc)
{
  int64_t column, row;
  int64_t cell = cell_of(spacing, discs->x[disc], discs->y[disc], &column, &row);
  uint32_t *link = &spacing->first[cell];
  while (*link != disc)
    link = &spacing->next[*link];
  *link = spacing->next[disc];
}

static void
fill_grid(CwDiscSpacing *spacing, const CwDiscs *discs)
{
  measure(spacing, discs);
  memset(spacing->first, 0xff,
         (size_t)(spacing->n_columns * spacing->n_rows) * sizeof *spacing->first);
  for (size_t i = discs->n; i-- > 0;)
    add_to_grid(spacing, discs, i);
}

/* ---- sweeps ---------------------------------------------------------------------------- */

static inline bool
is_held(const CwDiscs *discs, size_t disc)
{
  return discs->is_held != NULL && discs->is_held[disc];
}

void
cw_disc_spacing_pull_back(const CwDiscs *discs, size_t disc)
{
  if (is_held(discs, disc) || discs->is_anchored == NULL || !discs->is_anchored[disc])
    return;
  float dx = discs->x[disc] - discs->anchor_x[disc],
        dy = discs->y[disc] - discs->anchor_y[disc];
  float length = sqrtf(dx * dx + dy * dy);
  if (length <= discs->leash)
    return;
  discs->x[disc] = discs->anchor_x[disc] + dx * (discs->leash / length);
  discs->y[disc] = discs->anchor_y[disc] + dy * (discs->leash / length);
}

/* How readily a disc gives way: one on a leash gives little beside a free one. */
static float
readiness(const CwDiscs *discs, size_t disc)
{
  if (is_held(discs, disc))
    return 0;
  return discs->is_anchored != NULL && discs->is_anchored[disc] ? 0.001f : 1;
}

static bool
push_apart(const CwDiscs *discs, uint32_t a, uint32_t b)
{
  float dx = discs->x[b] - discs->x[a], dy = discs->y[b] - discs->y[a];
  float least = discs->radius[a] + discs->radius[b], d2 = dx * dx + dy * dy;
  if (d2 >= (least - TOLERANCE) * (least - TOLERANCE))
    return false;
  float ra = readiness(discs, a), rb = readiness(discs, b);
  if (ra + rb == 0)
    return false;
  float distance = sqrtf(d2);
  if (distance > 1e-4f) {
    dx /= distance;
    dy /= distance;
  } else {
    /* In one place: every pair has its own direction, the golden angle from the next. */
    float angle = 2.3999632f * (float)(b & 0xffff);
    dx = cosf(angle);
    dy = sinf(angle);
  }
  float push = (least + GAP - distance) / (ra + rb);
  discs->x[a] -= dx * push * ra;
  discs->y[a] -= dy * push * ra;
  discs->x[b] += dx * push * rb;
  discs->y[b] += dy * push * rb;
  cw_disc_spacing_pull_back(discs, a);
  cw_disc_spacing_pull_back(discs, b);
  return true;
}

/* Within a sweep the grid stays as it was filled: who is pushed into the reach of a new
 * neighbour meets it in the next one. */
size_t
cw_disc_spacing_sweep(CwDiscSpacing *spacing, const CwDiscs *discs)
{
  if (discs->n < 2)
    return 0;
  fill_grid(spacing, discs);
  size_t n_overlaps = 0;
  for (int64_t row = 0; row < spacing->n_rows; row++)
    for (int64_t column = 0; column < spacing->n_columns; column++) {
      /* This cell with itself and with four of its eight neighbours. */
      static const int steps[5][2] = { { 0, 0 }, { 1, 0 }, { -1, 1 }, { 0, 1 }, { 1, 1 } };
      uint32_t here = spacing->first[row * spacing->n_columns + column];
      for (int k = 0; here != NOBODY && k < 5; k++) {
        int64_t c = column + steps[k][0], r = row + steps[k][1];
        if (c < 0 || c >= spacing->n_columns || r >= spacing->n_rows)
          continue;
        for (uint32_t a = here; a != NOBODY; a = spacing->next[a]) {
          uint32_t b = k == 0 ? spacing->next[a] : spacing->first[r * spacing->n_columns + c];
          for (; b != NOBODY; b = spacing->next[b])
            n_overlaps += push_apart(discs, a, b);
        }
      }
    }
  return n_overlaps;
}

/* ---- the rest -------------------------------------------------------------------------- */

/* Is the place free of others for this disc? It is not in the grid. */
static uint32_t
who_is_there(const CwDiscSpacing *spacing, const CwDiscs *discs, size_t disc, float x, float y)
{
  int64_t column, row;
  cell_of(spacing, x, y, &column, &row);
  for (int64_t r = MAX(row - 1, 0); r <= MIN(row + 1, spacing->n_rows - 1); r++)
    for (int64_t c = MAX(column - 1, 0); c <= MIN(column + 1, spacing->n_columns - 1); c++)
      for (uint32_t b = spacing->first[r * spacing->n_columns + c]; b != NOBODY;
           b = spacing->next[b]) {
        float dx = discs->x[b] - x, dy = discs->y[b] - y;
        float least = discs->radius[disc] + discs->radius[b] - TOLERANCE;
        if (b != disc && dx * dx + dy * dy < least * least)
          return b;
      }
  return NOBODY;
}

/* Moves a disc to the nearest free place on rings about where it is. */
static bool
find_place(CwDiscSpacing *spacing, const CwDiscs *discs, size_t disc)
{
  bool has_leash = discs->is_anchored != NULL && discs->is_anchored[disc];
  double reach = has_leash ? 2 * (double)discs->leash : RING_STEP * MOST_RINGS;
  for (double ring = RING_STEP; ring <= reach; ring += RING_STEP) {
    int n_places = (int)(2 * G_PI * ring / RING_STEP);
    for (int k = 0; k < n_places; k++) {
      double angle = 2 * G_PI * k / n_places;
      float x = discs->x[disc] + (float)(ring * cos(angle));
      float y = discs->y[disc] + (float)(ring * sin(angle));
      if (has_leash &&
          hypotf(x - discs->anchor_x[disc], y - discs->anchor_y[disc]) > discs->leash)
        continue;
      if (who_is_there(spacing, discs, disc, x, y) != NOBODY)
        continue;
      remove_from_grid(spacing, discs, disc);
      discs->x[disc] = x;
      discs->y[disc] = y;
      add_to_grid(spacing, discs, disc);
      return true;
    }
  }
  return false;
}

/* The freer of the two moves; the other if that one finds no place. */
static bool
part_pair(CwDiscSpacing *spacing, const CwDiscs *discs, size_t a, size_t b)
{
  if (readiness(discs, b) > readiness(discs, a)) {
    size_t swap = a;
    a = b;
    b = swap;
  }
  if (!is_held(discs, a) && find_place(spacing, discs, a))
    return true;
  return !is_held(discs, b) && find_place(spacing, discs, b);
}

/* Puts every disc that overlaps into a free place; returns how many found none. */
static size_t
place_the_rest(CwDiscSpacing *spacing, const CwDiscs *discs)
{
  fill_grid(spacing, discs);
  size_t n_left = 0;
  for (size_t i = 0; i < discs->n; i++) {
    uint32_t other;
    while ((other = who_is_there(spacing, discs, i, discs->x[i], discs->y[i])) != NOBODY)
      if (!part_pair(spacing, discs, i, other)) {
        n_left++;
        break;
      }
  }
  return n_left;
}

size_t
cw_disc_spacing_part(CwDiscSpacing *spacing, const CwDiscs *discs)
{
  if (discs->n < 2)
    return 0;
  for (int sweep = 0; sweep < MOST_SWEEPS; sweep++)
    if (cw_disc_spacing_sweep(spacing, discs) == 0)
      break;
  size_t n_left = place_the_rest(spacing, discs);
  if (n_left == 0 || discs->is_anchored == NULL)
    return n_left;
  /* Neighbours on a leash may have jammed each other; at their anchors they had room. */
  for (size_t i = 0; i < discs->n; i++)
    if (discs->is_anchored[i] && !is_held(discs, i)) {
      discs->x[i] = discs->anchor_x[i];
      discs->y[i] = discs->anchor_y[i];
    }
  return place_the_rest(spacing, discs);
}
