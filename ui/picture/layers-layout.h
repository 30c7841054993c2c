/* layers-layout.h - where nodes lie in the layers view: tokens across, layers up. */
#pragma once

#include "picture/picture-layout.h"

CwuLayout *cwu_layers_layout_new(const CwuScene *scene, double width, double height,
                                 GError **error);

/* Row of a node: 0 tokens, 1 + layer, n_rows - 1 logits. */
int64_t cwu_layout_row(const CwuLayout *layout, const CwuSceneNode *node);
/* y of a row's middle. */
double cwu_layout_row_y(const CwuLayout *layout, int64_t row);
/* How far crowded cells are open at this zoom, 0..1: closed in the whole picture, whose
 * geometry readers know; open once the room for it is there. */
double cwu_layout_openness(double zoom);
/* The zoom from which on they are open. */
#define CWU_OPEN_ZOOM 2.25
