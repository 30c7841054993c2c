/* quadtree.c - see quadtree.h.
 *
 * Barnes and Hut (1986, 10.1038/324446a0), for groups of neighbours instead of single points
 * (Barnes 1990, 10.1016/0021-9991(90)90232-P): the walk is paid once a group, and what a group
 * sees is a list that a vector loop takes in one go. Points are sorted by Morton code (16 bits
 * an axis, radix sort), so that a square is a range, and squares lie in the order of a walk in
 * depth: a square that is far is skipped by its `next`. Sized for 6,000 to 100,000 points. */
#include "graph/quadtree.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define AXIS_BITS 16

typedef struct {
  float x, y;                     /* centre of mass */
  float left, bottom, right, top; /* of the points within */
  uint32_t first, n;              /* points, in Morton order */
  uint32_t next;                  /* the square after this one and all within it */
  bool is_group;
} Square;

struct _CwQuadtree {
  size_t n_most, n, n_squares, n_groups;
  uint32_t *code, *order, *spare_code, *spare_order; /* [n_most] */
  float *x, *y;                                      /* [n_most] in Morton order */
  Square *squares;                                   /* [2 n_most] */
  uint32_t *group;                                   /* [n_most] squares that are groups */
  float *seen_x, *seen_y, *seen_mass;                /* [n_most] */
};

void
cw_quadtree_free(CwQuadtree *tree)
{
  if (tree == NULL)
    return;
  g_free(tree->code);
  g_free(tree->order);
  g_free(tree->spare_code);
  g_free(tree->spare_order);
  g_free(tree->x);
  g_free(tree->y);
  g_free(tree->squares);
  g_free(tree->group);
  g_free(tree->seen_x);
  g_free(tree->seen_y);
  g_free(tree->seen_mass);
  g_free(tree);
}

CwQuadtree *
cw_quadtree_new(size_t n_most)
{
  CwQuadtree *tree = g_try_new0(CwQuadtree, 1);
  if (tree == NULL)
    return NULL;
  size_t n = n_most + 1;
  tree->n_most = n_most;
  bool ok = (tree->code = g_try_new(uint32_t, n)) != NULL &&
            (tree->order = g_try_new(uint32_t, n)) != NULL &&
            (tree->spare_code = g_try_new(uint32_t, n)) != NULL &&
            (tree->spare_order = g_try_new(uint32_t, n)) != NULL &&
            (tree->x = g_try_new(float, n)) != NULL &&
            (tree->y = g_try_new(float, n)) != NULL &&
            (tree->squares = g_try_new(Square, 2 * n)) != NULL &&
            (tree->group = g_try_new(uint32_t, n)) != NULL &&
            (tree->seen_x = g_try_new(float, n)) != NULL &&
            (tree->seen_y = g_try_new(float, n)) != NULL &&
            (tree->seen_mass = g_try_new(float, n)) != NULL;
  if (!ok)
    g_clear_pointer(&tree, cw_quadtree_free);
  return tree;
}

/* ---- Morton order ---------------------------------------------------------------------- */

/* Bit i goes to bit 2 i. */
static uint32_t
spread_bits(uint32_t v)
{
  v = (v | v << 8) & 0x00FF00FFu;
  v = (v | v << 4) & 0x0F0F0F0Fu;
  v = (v | v << 2) & 0x33333333u;
  return (v | v << 1) & 0x55555555u;
}

static void
make_codes(CwQuadtree *tree, const float *x, const float *y)
{
  float left = x[0], right = x[0], bottom = y[0], top = y[0];
  for (size_t i = 1; i < tree->n; i++) {
    left = MIN(left, x[i]);
    right = MAX(right, x[i]);
    bottom = MIN(bottom, y[i]);
    top = MAX(top, y[i]);
  }
  double side = MAX((double)right - left, (double)top - bottom);
  double scale = side > 0 ? ((1 << AXIS_BITS) - 1) / side : 0;
  for (size_t i = 0; i < tree->n; i++) {
    uint32_t column = (uint32_t)(((double)x[i] - left) * scale);
    uint32_t row = (uint32_t)(((double)y[i] - bottom) * scale);
    tree->code[i] = spread_bits(column) | spread_bits(row) << 1;
    tree->order[i] = (uint32_t)i;
  }
}

static void
sort_by_code(CwQuadtree *tree)
{
  for (int shift = 0; shift < 32; shift += 8) {
    size_t start[257] = { 0 };
    for (size_t i = 0; i < tree->n; i++)
      start[(tree->code[i] >> shift & 255) + 1]++;
    for (int digit = 0; digit < 256; digit++)
      start[digit + 1] += start[digit];
    for (size_t i = 0; i < tree->n; i++) {
      size_t to = start[tree->code[i] >> shift & 255]++;
      tree->spare_code[to] = tree->code[i];
      tree->spare_order[to] = tree->order[i];
    }
    uint32_t *swap = tree->code;
    tree->code = tree->spare_code;
    tree->spare_code = swap;
    swap = tree->order;
    tree->order = tree->spare_order;
    tree->spare_order = swap;
  }
}

/* ---- squares --------------------------------------------------------------------------- */

/* Mass and bounds of a square from its points. O(n) a level, and levels are few. */
static void
summarise(const CwQuadtree *tree, Square *square)
{
  double x = 0, y = 0;
  uint32_t first = square->first, end = first + square->n;
  square->left = square->right = tree->x[first];
  square->bottom = square->top = tree->y[first];
  for (uint32_t i = first; i < end; i++) {
    x += (double)tree->x[i];
    y += (double)tree->y[i];
    square->left = MIN(square->left, tree->x[i]);
    square->right = MAX(square->right, tree->x[i]);
    square->bottom = MIN(square->bottom, tree->y[i]);
    square->top = MAX(square->top, tree->y[i]);
  }
  square->x = (float)(x / square->n);
  square->y = (float)(y / square->n);
}

/* The first point of first .. end - 1 whose code has the bits of `prefix` or more. */
static uint32_t
find_code(const CwQuadtree *tree, uint32_t first, uint32_t end, uint32_t prefix)
{
  while (first < end) {
    uint32_t middle = first + (end - first) / 2;
    if (tree->code[middle] < prefix)
      first = middle + 1;
    else
      end = middle;
  }
  return first;
}

/* Adds the square of points first .. end - 1, whose codes share all bits above `shift`, and all
 * within it. Levels that would hold one square alone are passed over; points of one code are
 * cut into groups as they come. Depth is at most AXIS_BITS. */
static void
add_square(CwQuadtree *tree, uint32_t first, uint32_t end, int shift)
{
  uint32_t differing = tree->code[first] ^ tree->code[end - 1];
  while (shift > 0 && differing >> (shift - 2) == 0)
    shift -= 2;
  size_t index = tree->n_squares++;
  Square *square = &tree->squares[index];
  square->first = first;
  square->n = end - first;
  square->is_group = square->n <= CW_QUADTREE_GROUP;
  summarise(tree, square);
  if (square->is_group) {
    tree->group[tree->n_groups++] = (uint32_t)index;
  } else if (shift == 0) {
    for (uint32_t at = first; at < end; at += CW_QUADTREE_GROUP)
      add_square(tree, at, MIN(at + CW_QUADTREE_GROUP, end), 0);
  } else {
    uint32_t base = shift < 32 ? tree->code[first] >> shift << shift : 0;
    for (uint32_t quarter = 0; quarter < 4; quarter++) {
      uint32_t beyond = base + ((quarter + 1) << (shift - 2));
      uint32_t at = quarter < 3 ? find_code(tree, first, end, beyond) : end;
      if (at > first)
        add_square(tree, first, at, shift - 2);
      first = at;
    }
  }
  tree->squares[index].next = (uint32_t)tree->n_squares;
}

void
cw_quadtree_build(CwQuadtree *tree, const float *x, const float *y, size_t n)
{
  tree->n = MIN(n, tree->n_most);
  tree->n_squares = tree->n_groups = 0;
  if (tree->n == 0)
    return;
  make_codes(tree, x, y);
  sort_by_code(tree);
  for (size_t i = 0; i < tree->n; i++) {
    tree->x[i] = x[tree->order[i]];
    tree->y[i] = y[tree->order[i]];
  }
  add_square(tree, 0, (uint32_t)tree->n, 32);
}

size_t
cw_quadtree_get_n_groups(const CwQuadtree *tree)
{
  return tree->n_groups;
}

const uint32_t *
cw_quadtree_peek_group(const CwQuadtree *tree, size_t group, size_t *n)
{
  const Square *square = &tree->squares[tree->group[group]];
  *n = square->n;
  return tree->order + square->first;
}

/* ---- the view of a group --------------------------------------------------------------- */

/* Distance of a point from the bounds of a group; 0 within. */
static inline float
distance_squared(const Square *group, float x, float y)
{
  float dx = MAX(MAX(group->left - x, x - group->right), 0);
  float dy = MAX(MAX(group->bottom - y, y - group->top), 0);
  return dx * dx + dy * dy;
}

void
cw_quadtree_see(CwQuadtree *tree, size_t group, double theta, CwQuadtreeView *view)
{
  const Square *own = &tree->squares[tree->group[group]];
  float theta_squared = (float)(theta * theta);
  size_t n = 0;
  for (uint32_t at = 0; at < tree->n_squares;) {
    const Square *square = &tree->squares[at];
    float side = MAX(square->right - square->left, square->top - square->bottom);
    float d2 = distance_squared(own, square->x, square->y);
    if (side * side < theta_squared * d2) {
      tree->seen_x[n] = square->x;
      tree->seen_y[n] = square->y;
      tree->seen_mass[n++] = (float)square->n;
      at = square->next;
    } else if (square->is_group) {
      memcpy(tree->seen_x + n, tree->x + square->first, square->n * sizeof(float));
      memcpy(tree->seen_y + n, tree->y + square->first, square->n * sizeof(float));
      for (uint32_t i = 0; i < square->n; i++)
        tree->seen_mass[n++] = 1;
      at = square->next;
    } else {
      at++;
    }
  }
  *view = (CwQuadtreeView){ n, tree->seen_x, tree->seen_y, tree->seen_mass };
}
