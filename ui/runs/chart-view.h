/* chart-view.h - a chart in the window. The pointer, or the arrow keys, read out its values. */
#pragma once

#include <gtk/gtk.h>

#include "picture/chart.h"

G_BEGIN_DECLS

#define CWU_TYPE_CHART_VIEW (cwu_chart_view_get_type())
G_DECLARE_FINAL_TYPE(CwuChartView, cwu_chart_view, CWU, CHART_VIEW, GtkWidget)

/* Signal "read-out" (double): x under the pointer, NaN when it left; the view shows it itself,
 * others may follow. title, unit and x_name are static. */
CwuChartView *cwu_chart_view_new(const char *title, const char *unit, const char *x_name,
                                 CwuScale scale);
/* Copies names and numbers. O(points). */
void cwu_chart_view_set_series(CwuChartView *self, const CwuSeries *series, size_t n);
/* The least of the y axis; NaN: as the data has it. */
void cwu_chart_view_set_least(CwuChartView *self, double least);
/* NaN: the newest values, without a mark. */
void cwu_chart_view_set_at(CwuChartView *self, double x);
/* What is shown now; borrowed, for tests. */
const CwuChart *cwu_chart_view_peek(CwuChartView *self);

G_END_DECLS
