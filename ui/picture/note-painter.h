/* note-painter.h - notes in the picture: small cards beside their node, or where somebody put
 * them. */
#pragma once

#include "picture/painter.h"

typedef struct {
  uint64_t id;
  CwuRect rect;
  char **lines;     /* as many as the card shows */
  bool has_node;    /* stands beside a node that is shown */
  CwuPoint of_node; /* where that is, on screen */
} CwuNoteCard;

/* The notes of the picture's state, in their order; one whose node is not shown is not there.
 * Transfer full, elements CwuNoteCard. */
GArray *cwu_notes_place(CwuTextFace *face, const CwuPicture *picture);
void cwu_notes_draw(CwuCanvas *canvas, const CwuPicture *picture, const GArray *notes);
/* The topmost note at a point; NULL: none. */
const CwuNoteCard *cwu_notes_find(const GArray *notes, double x, double y);
