/* chart.h - draws a chart on a canvas: see cwu-chart.h. */
#pragma once

#include "picture/canvas.h"
#include "picture/chart-axis.h"

/* Draws the chart into rect, from its title to the numbers under its axis. Returns the x axis
 * as it was drawn, for hits. O(points); a million take less than 5 ms. */
CwuChartAxis cwu_chart_draw(CwuCanvas *canvas, const CwuTheme *theme, const CwuChart *chart,
                            const CwuRect *rect);

/* The point of the series nearest to x, among those with finite y; false: there is none. x NaN
 * takes the last. O(log n), more only across gaps. */
bool cwu_series_find(const CwuSeries *series, double x, size_t *index);
/* The colour of a tone. */
CwuColour cwu_tone_colour(const CwuTheme *theme, CwuTone tone);
