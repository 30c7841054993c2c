/* scene.h - what a picture shows of a graph, independent of size, device and selection: the
 * kept nodes and edges, each edge with its share of its target's input. Immutable, reference
 * counted, any thread. */
#pragma once

#include "picture/scene-base.h"

typedef struct {
  uint32_t node; /* index in the graph */
  CwNodeKind kind;
  int32_t layer, position;
  float importance; /* 0 = matters most .. 1; logits are negative, the likeliest first */
} CwuSceneNode;

typedef struct {
  uint32_t source, target; /* indices in the scene */
  float weight;
  float share; /* signed: weight / sum of |weight| of all edges into the target */
} CwuSceneEdge;

typedef struct {
  gint n_references;
  CwuSceneBase *base;
  CwGraph *graph; /* the base's */
  size_t n_nodes, n_edges;
  CwuSceneNode *nodes;  /* [N] in the graph's order */
  CwuSceneEdge *edges;  /* [E] by target: those into t are in_start[t] .. in_start[t + 1] */
  uint32_t *in_start;   /* [N + 1] */
  uint32_t *out_start;  /* [N + 1] into out_edge */
  uint32_t *out_edge;   /* [E] edge indices by source */
  uint32_t *edge_order; /* [E] strongest share first */
  uint32_t *node_order; /* [N] most important first */
  int32_t *of_node;     /* [nodes of the graph] scene index, -1 if not shown */
  const char **labels;  /* [N] the base's, for display; NULL: a node's label says nothing */
} CwuScene;

/* pruned NULL shows everything. Shares are of the whole file's input, so they do not change
 * with a threshold. NULL and CW_ERROR_NO_MEMORY where the graph is too large. O(N log N + E);
 * 500,000 edges take 10 ms. */
CwuScene *cwu_scene_new_from(CwuSceneBase *base, const CwPruned *pruned, GError **error);
/* With a base of its own. */
CwuScene *cwu_scene_new(CwGraph *graph, const CwPruned *pruned, GError **error);
CwuScene *cwu_scene_ref(CwuScene *scene);
void cwu_scene_unref(CwuScene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuScene, cwu_scene_unref)

/* Scene index of a graph node, -1 if it is not shown. */
int64_t cwu_scene_find(const CwuScene *scene, int64_t node);
