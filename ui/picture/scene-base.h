/* scene-base.h - what every picture of one graph shares, whatever its thresholds are: each
 * edge's share of its target's input, the order of edges by strength, the names of nodes. Made
 * once a graph, so that a threshold step only picks from it. Immutable, any thread. */
#pragma once

#include "cw-document.h"

typedef struct {
  gint n_references;
  CwGraph *graph;
  float *share;    /* [E] signed: weight / sum of |weight| of all edges into the target */
  uint32_t *order; /* [E] edges, strongest share first; among equals by number */
  char **labels;   /* [N] for display; NULL where a node's label says nothing */
} CwuSceneBase;

/* NULL and CW_ERROR_NO_MEMORY where the graph is too large. O(N + E). */
CwuSceneBase *cwu_scene_base_new(CwGraph *graph, GError **error);
CwuSceneBase *cwu_scene_base_ref(CwuSceneBase *base);
void cwu_scene_base_unref(CwuSceneBase *base);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuSceneBase, cwu_scene_base_unref)
