/* quadtree.h - points of a plane in nested squares, for forces from afar. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _CwQuadtree CwQuadtree;

/* For up to n_most points; NULL without memory. */
CwQuadtree *cw_quadtree_new(size_t n_most);
void cw_quadtree_free(CwQuadtree *tree);
/* Sorts the points (all finite) into squares. The arrays are read again by cw_quadtree_see. */
void cw_quadtree_build(CwQuadtree *tree, const float *x, const float *y, size_t n);

/* Points that lie together, and see the rest of the world alike. */
size_t cw_quadtree_get_n_groups(const CwQuadtree *tree);
/* The points of group g, at most CW_QUADTREE_GROUP: indices into the arrays built from. */
#define CW_QUADTREE_GROUP 32
const uint32_t *cw_quadtree_peek_group(const CwQuadtree *tree, size_t group, size_t *n);

/* What group g sees: near points one by one, with mass 1, and far squares as one point in their
 * centre of mass. A square is far where its side is less than theta times its distance. */
typedef struct {
  size_t n;
  const float *x, *y, *mass; /* [n] owned by the tree, until the next call */
} CwQuadtreeView;
void cw_quadtree_see(CwQuadtree *tree, size_t group, double theta, CwQuadtreeView *view);
