/* axis-names.h - the words along the axes of the layers view: layers beside it, tokens below,
 * the names of the logits above. A layout without axes has none. */
#pragma once

#include "picture/label-placer.h"
#include "picture/painter.h"

void cwu_axis_draw_names(CwuCanvas *canvas, const CwuPicture *picture);
/* The ground of the logits' names, which reach into the plot. */
void cwu_axis_block_names(CwuTextFace *face, CwuLabelPlacer *placer, const CwuPicture *picture);
/* A logit's token and probability: "Paris 63%". Transfer full. */
char *cwu_axis_dup_logit_text(CwuTextFace *face, const CwuPicture *picture, size_t node);
/* Whether a logit's name has room along the axis of a picture in layers. */
bool cwu_axis_names_logit(CwuTextFace *face, const CwuPicture *picture, size_t node);

/* Every how many layers a row has its name at this zoom, and whether a row has. */
int64_t cwu_axis_row_step(const CwuPicture *picture);
bool cwu_axis_names_row(const CwuPicture *picture, int64_t row, int64_t step);
