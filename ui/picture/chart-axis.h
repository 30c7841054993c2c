/* chart-axis.h - an axis of a chart: its range, its ticks, its numbers. */
#pragma once

#include <stddef.h>

#include "cwu-chart.h"

#define CWU_MAX_TICKS 24

typedef struct {
  bool is_log;
  double least, most;    /* least < most, both positive on a log axis */
  double from_px, to_px; /* where those lie; from may be the larger */
  double ticks[CWU_MAX_TICKS];
  size_t n_ticks;
  double step; /* between ticks; on a log axis 0 */
} CwuChartAxis;

/* What is to be seen; least_positive is NaN where nothing is positive. least > most: nothing at
 * all. */
typedef struct {
  double least, most, least_positive;
} CwuRange;

void cwu_range_add(CwuRange *range, double value);

/* An axis over the range, or over what `wanted` fixes, between two places, with ticks at least
 * gap_px apart. Ends that are not fixed are widened to ticks where is_widened. */
void cwu_chart_axis_init(CwuChartAxis *axis, const CwuAxis *wanted, const CwuRange *range,
                         bool is_widened, double gap_px);
/* from_px and to_px are set first. On a log axis what is not positive lies at the lower end. */
double cwu_chart_axis_to_px(const CwuChartAxis *axis, double value);
double cwu_chart_axis_to_value(const CwuChartAxis *axis, double px);

/* "0.25", "12k", "1e-6": as short as tells ticks apart. Transfer full. */
char *cwu_chart_axis_dup_label(const CwuChartAxis *axis, double value);
/* "0.6512", "12.35k": four digits; whole numbers have all of theirs, "12,345". Transfer full.
 */
char *cwu_number_dup_short(double value);
