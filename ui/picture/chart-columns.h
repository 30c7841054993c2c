/* chart-columns.h - a million points as what a few hundred pixel columns show of them. */
#pragma once

#include "picture/chart-axis.h"

typedef struct {
  double least, most; /* of finite values */
  double sum;
  size_t n;     /* finite values; 0: none, then the rest means nothing */
  bool has_gap; /* a value that is not finite */
  double last_x, last;
} CwuChartColumn;

/* The points of a series within the axis by whole px, in one pass. columns: [n] for the px from
 * axis->from_px, the smaller end, on. Adds what is seen to range. O(points). */
void cwu_chart_columns_fill(const CwuSeries *series, const CwuChartAxis *axis,
                            CwuChartColumn *columns, size_t n, CwuRange *range);
