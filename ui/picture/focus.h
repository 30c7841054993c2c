/* focus.h - what is emphasised: one node, the edges that feed it and those it feeds. */
#pragma once

#include "picture/scene.h"

typedef enum {
  CWU_ROLE_NONE = 0,
  CWU_ROLE_SELECTED = 1 << 0,
  CWU_ROLE_FEEDS_IT = 1 << 1,  /* an edge from it into the selected node */
  CWU_ROLE_FED_BY_IT = 1 << 2, /* an edge from the selected node into it */
  CWU_ROLE_NEGATIVE = 1 << 3   /* the strongest edge between the two takes away */
} CwuRole;

typedef struct {
  int64_t selected; /* scene index */
  size_t n_edges;
  uint32_t *edges; /* [n_edges] weakest first, so that strong ones are drawn on top */
  uint8_t *role;   /* [N] CwuRole */
  uint32_t *order; /* [n_related] the selected node, then its neighbours, strongest first */
  size_t n_related;
} CwuFocus;

/* selected: a scene index in 0..N-1. O(N + degree log degree). */
CwuFocus *cwu_focus_new(const CwuScene *scene, int64_t selected);
void cwu_focus_free(CwuFocus *focus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuFocus, cwu_focus_free)
