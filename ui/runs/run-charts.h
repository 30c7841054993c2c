/* run-charts.h - the curves of a run, and of another one beside it. */
#pragma once

#include <gtk/gtk.h>

#include "runs/run-snapshot.h"

G_BEGIN_DECLS

#define CWU_TYPE_RUN_CHARTS (cwu_run_charts_get_type())
G_DECLARE_FINAL_TYPE(CwuRunCharts, cwu_run_charts, CWU, RUN_CHARTS, GtkWidget)

CwuRunCharts *cwu_run_charts_new(void);
/* details NULL: nothing is known yet. other, with its name: drawn dashed in another tone; NULL:
 * none. Curves are copied. */
void cwu_run_charts_set(CwuRunCharts *self, const char *name, const CwuRunDetails *details,
                        const char *other_name, const CwuRunDetails *other);

G_END_DECLS
