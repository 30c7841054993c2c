/* legend.h - what glyphs and colours mean, in as many lines as it takes. */
#pragma once

#include "picture/canvas.h"

/* Height in px of the legend where it may be so wide. */
double cwu_legend_measure(CwuTextFace *face, double width);
/* Draws from `at` (left, top) into width. */
void cwu_legend_draw(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at, double width);

/* Samples: a node with a card; a node that feeds the selected one; an edge that leaves the
 * selected one, from `at` to the right. */
void cwu_legend_draw_named(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at,
                           double radius);
void cwu_legend_draw_feeder(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at,
                            double radius);
void cwu_legend_draw_arrow(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at,
                           double length);
