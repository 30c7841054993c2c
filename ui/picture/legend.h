/* legend.h - what glyphs and colours mean, in as many lines as it takes. */
#pragma once

#include "picture/canvas.h"

/* Height in px of the legend where it may be so wide. */
double cwu_legend_measure(CwuTextFace *face, double width);
/* Draws from `at` (left, top) into width. */
void cwu_legend_draw(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at, double width);
