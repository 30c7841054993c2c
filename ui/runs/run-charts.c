/* run-charts.c - see run-charts.h. Charts are made from one table; those a run has no numbers
 * for are not shown. Under the pointer all read out the same step. */
#include "runs/run-charts.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "graph/type-bin.h"
#include "runs/chart-view.h"

#define SPACING_PX  20
#define MAX_COLUMNS 3
#define MAX_A_CHART 4 /* series: of two runs, training and held out */

typedef struct {
  CwRunKind kind;
  const char *key, *held_out; /* of curves; held_out may be NULL */
  const char *title, *unit, *x_name;
  CwuScale scale;
  CwuMark mark;
  bool begins_at_zero;
} Row;

static const Row rows[] = {
  { CW_RUN_TRAINING, "loss", NULL, N_("Loss"), N_("per token"), N_("step"), CWU_SCALE_LOG,
    CWU_MARK_LINE, false },
  { CW_RUN_TRAINING, "explained_variance", "held_out/explained_variance",
    N_("Explained variance"), NULL, N_("step"), CWU_SCALE_LINEAR, CWU_MARK_LINE, true },
  { CW_RUN_TRAINING, "l0", "held_out/l0", N_("L0"), N_("active features per token and layer"),
    N_("step"), CWU_SCALE_LINEAR, CWU_MARK_LINE, true },
  { CW_RUN_TRAINING, "dead", NULL, N_("Dead features"), NULL, N_("step"), CWU_SCALE_LINEAR,
    CWU_MARK_LINE, true },
  { CW_RUN_TRAINING, "tokens_per_second", NULL, N_("Speed"), N_("tokens per second"),
    N_("step"), CWU_SCALE_LINEAR, CWU_MARK_LINE, true },
  { CW_RUN_TRAINING, "layer_explained_variance", NULL, N_("Explained variance"), N_("by layer"),
    N_("layer"), CWU_SCALE_LINEAR, CWU_MARK_BARS, true },
  { CW_RUN_TRAINING, "layer_l0", NULL, N_("L0"), N_("by layer"), N_("layer"), CWU_SCALE_LINEAR,
    CWU_MARK_BARS, true },
  { CW_RUN_TRAINING, "layer_dead", NULL, N_("Dead features"), N_("by layer"), N_("layer"),
    CWU_SCALE_LINEAR, CWU_MARK_BARS, true },
  { CW_RUN_CACHE, "fraction", NULL, N_("Share done"), N_("1 at the end"), N_("seconds"),
    CWU_SCALE_LINEAR, CWU_MARK_LINE, true },
  { CW_RUN_CACHE, "tokens_per_second", NULL, N_("Speed"), N_("tokens per second"),
    N_("seconds"), CWU_SCALE_LINEAR, CWU_MARK_LINE, true },
};

struct _CwuRunCharts {
  GtkWidget parent_instance;
  GtkWidget *grid; /* flow box */
  CwuChartView *charts[G_N_ELEMENTS(rows)];
};

G_DEFINE_TYPE(CwuRunCharts, cwu_run_charts, GTK_TYPE_WIDGET)

/* A run's series of a row at `series`; how many there are. */
static size_t
add_series(CwuSeries *series, const Row *row, const CwuRunDetails *details, const char *name,
           const char *held_out_name, bool is_other)
{
  if (details->kind != row->kind)
    return 0;
  const CwRunCurve *curve = cwu_run_details_peek_curve(details, row->key);
  const CwRunCurve *held_out =
      row->held_out != NULL ? cwu_run_details_peek_curve(details, row->held_out) : NULL;
  CwuTone tone = is_other ? CWU_TONE_SECOND : CWU_TONE_FIRST;
  size_t n = 0;
  if (curve != NULL)
    series[n++] = (CwuSeries){ name, curve->x, curve->y, curve->n, row->mark, tone, is_other };
  if (held_out != NULL)
    series[n++] = (CwuSeries){ held_out_name, held_out->x, held_out->y, held_out->n,
                               CWU_MARK_DOTS, tone,        false };
  /* Two rows of bars would cover each other. */
  if (is_other && row->mark == CWU_MARK_BARS && n > 0)
    series[0].mark = CWU_MARK_DOTS;
  return n;
}

/* A cell of the grid holds a bin that holds the chart. */
static GtkWidget *
cell_of(CwuRunCharts *self, size_t i)
{
  return gtk_widget_get_parent(gtk_widget_get_parent(GTK_WIDGET(self->charts[i])));
}

/* Zero is the foot where the newest value is above it: what was far below at first would press
 * all the rest to the top. */
static double
least_of(const Row *row, const CwuSeries *series, size_t n)
{
  size_t i;
  bool is_above = true;
  for (size_t k = 0; k < n; k++)
    is_above &= !cwu_series_find(&series[k], NAN, &i) || series[k].y[i] >= 0;
  return row->begins_at_zero && is_above ? 0 : NAN;
}

/* Whether there is something to see. */
static bool
update_chart(CwuRunCharts *self, size_t i, const char *name, const CwuRunDetails *details,
             const char *other_name, const CwuRunDetails *other)
{
  CwuSeries series[MAX_A_CHART];
  size_t n = 0;
  bool has_held_out = details != NULL && rows[i].held_out != NULL &&
                      cwu_run_details_peek_curve(details, rows[i].held_out) != NULL;
  const char *own = other != NULL ? name : has_held_out ? _("training") : NULL;
  if (details != NULL)
    n += add_series(series, &rows[i], details, own, _("held out"), false);
  if (other != NULL)
    n += add_series(series + n, &rows[i], other, other_name, NULL, true);
  cwu_chart_view_set_least(self->charts[i], least_of(&rows[i], series, n));
  cwu_chart_view_set_series(self->charts[i], series, n);
  gtk_widget_set_visible(cell_of(self, i), n > 0);
  return n > 0;
}

void
cwu_run_charts_set(CwuRunCharts *self, const char *name, const CwuRunDetails *details,
                   const char *other_name, const CwuRunDetails *other)
{
  bool is_any = false;
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    is_any |= update_chart(self, i, name, details, other_name, other);
  gtk_widget_set_visible(GTK_WIDGET(self), is_any);
}

/* What is read out in one chart is read out in all that have the same axis. */
static void
read_out_cb(CwuChartView *view, double x, CwuRunCharts *self)
{
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    if (g_strcmp0(cwu_chart_view_peek(self->charts[i])->x_name,
                  cwu_chart_view_peek(view)->x_name) == 0)
      cwu_chart_view_set_at(self->charts[i], x);
}

static void
cwu_run_charts_dispose(GObject *object)
{
  g_clear_pointer(&CWU_RUN_CHARTS(object)->grid, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_run_charts_parent_class)->dispose(object);
}

static void
cwu_run_charts_class_init(CwuRunChartsClass *class)
{
  G_OBJECT_CLASS(class)->dispose = cwu_run_charts_dispose;
  gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
}

static void
cwu_run_charts_init(CwuRunCharts *self)
{
  GtkFlowBox *grid = GTK_FLOW_BOX(gtk_flow_box_new());
  self->grid = GTK_WIDGET(grid);
  gtk_flow_box_set_selection_mode(grid, GTK_SELECTION_NONE);
  gtk_flow_box_set_homogeneous(grid, TRUE);
  gtk_flow_box_set_min_children_per_line(grid, 1);
  gtk_flow_box_set_max_children_per_line(grid, MAX_COLUMNS);
  gtk_flow_box_set_column_spacing(grid, SPACING_PX);
  gtk_flow_box_set_row_spacing(grid, SPACING_PX);
  gtk_widget_set_parent(self->grid, GTK_WIDGET(self));
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    const char *unit = rows[i].unit != NULL ? _(rows[i].unit) : NULL;
    self->charts[i] =
        cwu_chart_view_new(_(rows[i].title), unit, _(rows[i].x_name), rows[i].scale);
    g_signal_connect(self->charts[i], "read-out", G_CALLBACK(read_out_cb), self);
    GtkWidget *bin = cwu_type_bin_new(GTK_WIDGET(self->charts[i]));
    gtk_widget_set_hexpand(bin, TRUE);
    gtk_flow_box_append(grid, bin);
    GtkWidget *cell = cell_of(self, i);
    gtk_widget_set_focusable(cell, FALSE);
    gtk_widget_set_visible(cell, FALSE);
  }
}

CwuRunCharts *
cwu_run_charts_new(void)
{
  return g_object_new(CWU_TYPE_RUN_CHARTS, NULL);
}
