/* walk.h - where an arrow key leads from a node: along the cells of the picture, or along the
 * edges of the circuit. */
#pragma once

#include "picture/picture-layout.h"

typedef enum { CWU_WALK_LEFT, CWU_WALK_RIGHT, CWU_WALK_UP, CWU_WALK_DOWN } CwuWalk;

/* Layers: left and right to the next node of the row, up and down to the next row of the token
 * that has a node; where there is none, and in a plane, to what lies most that way. -1: there
 * is nothing. O(N). */
int64_t cwu_walk_cells(const CwuLayout *layout, const CwuScene *scene, int64_t from,
                       CwuWalk way);

/* The edge walked last: its ends and how many of the same node's are stronger. */
typedef struct {
  int64_t from, at; /* scene nodes; at -1: none was walked */
  bool is_upwards;  /* from the source to the target */
  size_t rank;
} CwuEdgeWalk;

/* Down: to what feeds the node most; up: to what it feeds most. Left and right, just after one
 * of these: to the next stronger or weaker of the edges there was a choice of. -1: there is no
 * such edge. O(degree log degree). */
int64_t cwu_walk_edges(CwuEdgeWalk *walk, const CwuScene *scene, int64_t from, CwuWalk way);
