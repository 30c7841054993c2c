/* legend.h - what glyphs and colours mean, in one line. */
#pragma once

#include "picture/canvas.h"

/* Draws from `at` (left, middle line) rightwards; leaves out what does not fit into width. */
void cwu_legend_draw(CwuCanvas *canvas, const CwuTheme *theme, CwuPoint at, double width);
