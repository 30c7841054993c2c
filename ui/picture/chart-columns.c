/* chart-columns.c - see chart-columns.h. Extremes are kept, so that a spike of one step in a
 * million is seen. */
#include "picture/chart-columns.h"

#include <math.h>

/* First point at or after x. O(log n). */
static size_t
lower_bound(const double *xs, size_t n, double x)
{
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (xs[middle] < x)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void
fill_column(CwuChartColumn *column, const double *x, const double *y, size_t n,
            double *least_positive)
{
  double least = INFINITY, most = -INFINITY, sum = 0, positive = *least_positive;
  size_t n_finite = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(y[i]))
      continue;
    least = y[i] < least ? y[i] : least;
    most = y[i] > most ? y[i] : most;
    positive = y[i] > 0 && !(y[i] >= positive) ? y[i] : positive;
    sum += y[i];
    n_finite++;
    column->last_x = x[i];
    column->last = y[i];
  }
  column->least = least;
  column->most = most;
  column->sum = sum;
  column->n = n_finite;
  column->has_gap = n_finite < n;
  *least_positive = positive;
}

void
cwu_chart_columns_fill(const CwuSeries *series, const CwuChartAxis *axis,
                       CwuChartColumn *columns, size_t n, CwuRange *range)
{
  size_t at = lower_bound(series->x, series->n, axis->least);
  size_t end = lower_bound(series->x, series->n, axis->most);
  while (end < series->n && series->x[end] <= axis->most)
    end++;
  for (size_t k = 0; k < n; k++) {
    double edge = cwu_chart_axis_to_value(axis, axis->from_px + (double)(k + 1));
    size_t next = k + 1 == n ? end : at + lower_bound(series->x + at, end - at, edge);
    columns[k] = (CwuChartColumn){ 0 };
    if (next > at)
      fill_column(&columns[k], series->x + at, series->y + at, next - at,
                  &range->least_positive);
    at = next;
    if (columns[k].n == 0)
      continue;
    range->least = fmin(range->least, columns[k].least);
    range->most = fmax(range->most, columns[k].most);
  }
}
