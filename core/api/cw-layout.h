/* cw-layout.h - where the nodes of a graph lie: a force-directed layout that can be watched,
 * dragged and carried over to another selection of nodes.
 *
 * The unit of length is a node's diameter. x grows to the right with the token, y upwards with
 * the layer. Forces are those of Fruchterman and Reingold (1991, 10.1002/spe.4380211102):
 * attraction along an edge grows with the square of its length, any two nodes repel each other
 * by the inverse of their distance; gravity pulls every node to its home, the place that layer
 * and token give it. Node discs do not overlap at rest.
 *
 * One thread at a time per layout. Same input and same instruction set: same bits. */
#pragma once

#include "cw-base.h"

G_BEGIN_DECLS

/* What is laid out; arrays are borrowed during the call. */
typedef struct {
  size_t n_nodes, n_edges;
  const uint32_t *source, *target; /* [E], below n_nodes */
  const float *share;              /* [E] of the target's input; sign is ignored; NULL: equal */
  const float *home_x;             /* [N] token order, 0 first .. 1 last */
  const float *home_y;             /* [N] layer height, 0 lowest .. 1 highest */
  const float *radius;             /* [N] in diameters, or NULL: 0.5 */
} CwForceGraph;

typedef struct {
  double gravity;     /* 0: free, 0.5: as strong as the edges, 1: nearly the layered picture */
  double repulsion;   /* 1; larger pushes nodes of a cluster apart */
  double edge_length; /* 1: nodes cover an eighth of the picture; scales all distances */
  uint64_t seed;      /* of the jitter that tells nodes of one home apart */
  int n_threads;      /* 1; 0: one per core */
} CwForceOptions;

/* gravity 0.5, all else as named above. */
void cw_force_options_init(CwForceOptions *options);

typedef struct _CwForceLayout CwForceLayout;

/* NULL and CW_ERROR_ARGUMENT where an index or option is out of range, CW_ERROR_NO_MEMORY where
 * the graph is too large. Values that are not finite count as 0. O(N + E). */
CwForceLayout *cw_force_layout_new(const CwForceGraph *graph, const CwForceOptions *options,
                                   GError **error);
void cw_force_layout_free(CwForceLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwForceLayout, cw_force_layout_free)

/* Goes over to another selection of nodes and edges, as after a threshold step. previous[i] is
 * node i's index before the call, or -1. Kept nodes stay where they are and move less than one
 * diameter until the layout has settled again; new ones start between their neighbours. The
 * bound holds until the next reheat or update. On failure the layout is untouched. O(N + E). */
bool cw_force_layout_update(CwForceLayout *layout, const CwForceGraph *graph,
                            const int64_t *previous, GError **error);

/* At most n_steps steps, fewer if the layout settles. False where memory for a step could not
 * be had. A step is O(N^2 + E) up to 6,000 nodes, O(N log N + E) above. */
bool cw_force_layout_step(CwForceLayout *layout, int64_t n_steps, GError **error);
bool cw_force_layout_is_settled(const CwForceLayout *layout);

size_t cw_force_layout_get_n_nodes(const CwForceLayout *layout);
/* [N], owned by the layout, valid until the next call that changes it. */
const float *cw_force_layout_peek_x(const CwForceLayout *layout);
const float *cw_force_layout_peek_y(const CwForceLayout *layout);
/* How far a node may move in the next step, in diameters; falls while the layout cools. */
double cw_force_layout_get_temperature(const CwForceLayout *layout);
/* How far nodes moved in the last step, on average, in diameters. */
double cw_force_layout_get_movement(const CwForceLayout *layout);

/* Holds a node in a place (while it is dragged, or for good); it still pushes and pulls. The
 * layout is no longer settled; how much the others give way is told by a reheat. */
void cw_force_layout_fix(CwForceLayout *layout, size_t node, float x, float y);
void cw_force_layout_unfix(CwForceLayout *layout, size_t node);
bool cw_force_layout_is_fixed(const CwForceLayout *layout, size_t node);

/* 0..1: 1 is the temperature of a new layout. Lets go of the places that an update kept. */
void cw_force_layout_reheat(CwForceLayout *layout, double amount);
/* Takes effect with the next step; a settled layout wants a reheat. */
void cw_force_layout_set_gravity(CwForceLayout *layout, double gravity);

G_END_DECLS
