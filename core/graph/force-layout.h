/* force-layout.h - the inside of a CwForceLayout: force-graph.c takes a graph in,
 * force-field.c computes what pulls at its nodes, force-layout.c moves them, force-update.c
 * goes over to another selection. */
#pragma once

#include "cw-layout.h"
#include "graph/disc-spacing.h"
#include "graph/quadtree.h"

/* Pairs are summed one by one up to here; above, a tree is faster. */
#define CW_FORCE_EXACT_NODES 6000
/* A kept node's leash, in diameters: less than one, with room for rounding. */
#define CW_FORCE_LEASH 0.9f
/* The temperature at rest: a hundredth of a diameter is not seen. */
#define CW_FORCE_COLDEST 0.01

struct _CwForceLayout {
  CwForceOptions options;
  size_t n, n_edges;
  float *floats;              /* the arrays of f32 below, one after the other */
  uint32_t *source, *target;  /* [E] without loops */
  float *weight;              /* [E] mean 1 */
  float *stiffness;           /* [N] sum of the weights of a node's edges */
  float *home_x, *home_y;     /* [N] 0..1 */
  float *radius;              /* [N] */
  float *x, *y;               /* [N] */
  float *wish_x, *wish_y;     /* [N] where the forces of this step lead, relative to x, y */
  float *last_x, *last_y;     /* [N] the wish of the step before */
  float *anchor_x, *anchor_y; /* [N] where an update found a node */
  uint8_t *is_anchored;       /* [N] kept by the last update */
  uint8_t *is_fixed;          /* [N] held by the user */
  uint8_t *is_apart;          /* [N] not of the largest connected part */
  CwkDevice *device;
  CwQuadtree *tree; /* NULL up to CW_FORCE_EXACT_NODES */
  CwDiscSpacing *spacing;
  bool has_anchors;
  double natural_extent; /* radius of the disc that this many nodes are meant to fill */
  double extent;         /* the same, as in force: an update keeps it where it can */
  double ideal;          /* L of the forces: the distance of a single edge's ends */
  double temperature, speed, movement;
  bool is_settled;
};

/* A layout of the graph with no node placed yet; extent is natural. NULL with an error. */
CwForceLayout *cw_force_graph_take_in(const CwForceGraph *graph, const CwForceOptions *options,
                                      GError **error);
void cw_force_layout_set_extent(CwForceLayout *layout, double extent);

/* Repulsion, attraction, gravity and anchors, as the wish of every node. False without memory.
 */
bool cw_force_field_compute(CwForceLayout *layout, GError **error);
/* Pull of home beside the pull of edges: 0 at gravity 0, 1 at 0.5, 50 at 1. */
double cw_force_gravity_factor(double gravity);

/* Where gravity pulls a node. */
void cw_force_layout_home(const CwForceLayout *layout, size_t node, float *x, float *y);
/* Warms the layout to this share of a new one's temperature; anchors stay. */
void cw_force_layout_warm(CwForceLayout *layout, double amount);
