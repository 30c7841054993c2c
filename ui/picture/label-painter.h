/* label-painter.h - cards with names beside nodes. */
#pragma once

#include "picture/note-painter.h"

typedef struct {
  uint32_t node; /* scene index */
  char *text;
  bool is_bold;
  bool is_hidden;  /* not wholly inside the plot, or in the way since things moved */
  bool was_hidden; /* before it was carried along last */
  CwuPoint at;     /* of the node, on screen */
  CwuRect rect;
} CwuCard;

/* Ground that cards keep off besides: notes and the like. */
GArray *cwu_labels_place_around(CwuTextFace *face, const CwuPicture *picture,
                                const CwuRect *blocked, size_t n_blocked);
/* Cards where there is room, the most important first: of labelled features, or, with a focus,
 * of the selected node and its neighbours. None covers a node, another card or a logit's name;
 * all lie inside the plot. Transfer full, elements CwuCard. */
GArray *cwu_labels_place(CwuTextFace *face, const CwuPicture *picture);
/* After the camera or a node has moved: cards go with their nodes, without being chosen or
 * placed anew; what would cover another card or a node is hidden. Returns how many are. O(N).
 */
guint cwu_labels_follow(GArray *cards, const CwuPicture *picture);
/* Words along the axes, and cards. */
void cwu_labels_draw(CwuCanvas *canvas, const CwuPicture *picture, const GArray *cards);

/* What else is shown; borrowed. */
typedef struct {
  const GArray *cards; /* CwuCard */
  const GArray *notes; /* CwuNoteCard */
} CwuShown;

/* Where the name and place of the hovered node go: beside it, where they cover least. Of no
 * width where the node's card says as much. O(N). */
CwuRect cwu_labels_hover_card(CwuTextFace *face, const CwuPicture *picture,
                              const CwuShown *shown);
/* That card, with a ring around the node. */
void cwu_labels_draw_hover(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *card);
/* The ground of both. */
CwuRect cwu_labels_hover_bounds(const CwuPicture *picture, const CwuRect *card);
