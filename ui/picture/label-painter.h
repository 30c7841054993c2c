/* label-painter.h - all words in a picture: layers and tokens along the axes, the logits' names
 * above them, cards beside nodes. */
#pragma once

#include "picture/painter.h"

typedef struct {
  uint32_t node; /* scene index */
  char *text;
  bool is_bold;
  CwuPoint at; /* of the node, on screen */
  CwuRect rect;
} CwuCard;

/* Cards where there is room, the most important first: of labelled features, or, with a focus,
 * of the selected node and its neighbours. None covers a node, another card or a logit's name;
 * all lie inside the plot. Transfer full, elements CwuCard. */
GArray *cwu_labels_place(CwuTextFace *face, const CwuPicture *picture);
void cwu_labels_draw(CwuCanvas *canvas, const CwuPicture *picture, const GArray *cards);

/* Every how many layers a row has its name at this zoom, and whether a row has. */
int64_t cwu_axis_row_step(const CwuPicture *picture);
bool cwu_axis_names_row(const CwuPicture *picture, int64_t row, int64_t step);
