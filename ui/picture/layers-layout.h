/* layers-layout.h - where nodes lie in the layers view: tokens across, layers up. */
#pragma once

#include "picture/scene.h"

/* Positions for one plot size; px at zoom 1, origin at the plot's top left. Immutable. */
typedef struct {
  gint n_references;
  double width, height;
  float *x, *y;          /* [N] of the scene */
  int64_t n_columns;     /* prompt positions */
  double *column_right;  /* [n_columns + 1] boundaries; column c is [c] .. [c + 1] */
  double *column_centre; /* [n_columns] where its token's name belongs; NaN: no width */
  int64_t n_rows;        /* embeddings, layers, logits; row 0 is at the bottom */
  double row_height;
  double radius; /* of a node at zoom 1, so that no two touch where that is possible */
} CwuLayout;

CwuLayout *cwu_layers_layout_new(const CwuScene *scene, double width, double height,
                                 GError **error);
CwuLayout *cwu_layout_ref(CwuLayout *layout);
void cwu_layout_unref(CwuLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuLayout, cwu_layout_unref)

/* Row of a node: 0 tokens, 1 + layer, n_rows - 1 logits. */
int64_t cwu_layout_row(const CwuLayout *layout, const CwuSceneNode *node);
/* y of a row's middle. */
double cwu_layout_row_y(const CwuLayout *layout, int64_t row);
