/* label-placer.h - puts cards beside points so that no card covers a node or another card. */
#pragma once

#include "picture/geometry.h"

typedef struct _CwuLabelPlacer CwuLabelPlacer;

CwuLabelPlacer *cwu_label_placer_new(const CwuRect *bounds);
void cwu_label_placer_free(CwuLabelPlacer *placer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuLabelPlacer, cwu_label_placer_free)

/* Ground that no card may cover; parts outside the bounds are ignored. */
void cwu_label_placer_block(CwuLabelPlacer *placer, const CwuRect *rect);
bool cwu_label_placer_is_free(const CwuLabelPlacer *placer, const CwuRect *rect);
/* A card of the size of *card beside a point of this radius: right, left, above, below, then
 * the corners. `off` is how much further away than close by: a leader joins the two, which runs
 * over blocked ground no more than the card does. On success *card is blocked ground for those
 * that come later. */
bool cwu_label_placer_place(CwuLabelPlacer *placer, CwuPoint at, double radius, double off,
                            CwuRect *card);
