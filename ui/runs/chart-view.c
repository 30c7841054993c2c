/* chart-view.c - see chart-view.h. */
#include "runs/chart-view.h"

#include <math.h>

#include "desktop/theme-watch.h"

#define WIDTH_PX   260
#define HEIGHT_PX  190
#define KEY_STEP   0.02 /* of the axis */
#define MAX_SERIES 8

struct _CwuChartView {
  GtkWidget parent_instance;
  CwuChart chart;
  CwuSeries series[MAX_SERIES]; /* names and numbers owned */
  CwuChartAxis axis;            /* as drawn last; most <= least: was not drawn yet */
  CwuCanvas *canvas;
  int canvas_scale;
};

G_DEFINE_TYPE(CwuChartView, cwu_chart_view, GTK_TYPE_WIDGET)

static guint read_out_signal;

/* ---- what is shown ---------------------------------------------------------------------- */

static void
drop_series(CwuChartView *self)
{
  for (size_t i = 0; i < self->chart.n_series; i++) {
    g_free((char *)self->series[i].name);
    g_free((double *)self->series[i].x);
    g_free((double *)self->series[i].y);
  }
  self->chart.n_series = 0;
}

/* "Loss 43.4": what a reader who does not see the curve wants first. */
static void
tell_reader(CwuChartView *self)
{
  size_t i;
  const CwuSeries *series = self->chart.n_series > 0 ? &self->series[0] : NULL;
  bool has_value = series != NULL && cwu_series_find(series, self->chart.at, &i);
  g_autofree char *value = has_value ? cwu_number_dup_short(series->y[i]) : g_strdup("–");
  g_autofree char *label = g_strdup_printf("%s %s", self->chart.title, value);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                 -1);
}

void
cwu_chart_view_set_series(CwuChartView *self, const CwuSeries *series, size_t n)
{
  g_return_if_fail(n <= MAX_SERIES);
  drop_series(self);
  for (size_t i = 0; i < n; i++) {
    self->series[i] = series[i];
    self->series[i].name = g_strdup(series[i].name);
    self->series[i].x = g_memdup2(series[i].x, series[i].n * sizeof *series[i].x);
    self->series[i].y = g_memdup2(series[i].y, series[i].n * sizeof *series[i].y);
  }
  self->chart.n_series = n;
  tell_reader(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

void
cwu_chart_view_set_least(CwuChartView *self, double least)
{
  self->chart.y.least = least;
}

void
cwu_chart_view_set_at(CwuChartView *self, double x)
{
  if (self->chart.at == x || (isnan(self->chart.at) && isnan(x)))
    return;
  self->chart.at = x;
  tell_reader(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

const CwuChart *
cwu_chart_view_peek(CwuChartView *self)
{
  return &self->chart;
}

static void
cwu_chart_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuChartView *self = CWU_CHART_VIEW(widget);
  float width = (float)gtk_widget_get_width(widget),
        height = (float)gtk_widget_get_height(widget);
  int scale = gtk_widget_get_scale_factor(widget);
  if (self->canvas_scale != scale) {
    g_clear_pointer(&self->canvas, cwu_canvas_free);
    self->canvas = cwu_canvas_cairo_new(scale);
    self->canvas_scale = scale;
  }
  cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &GRAPHENE_RECT_INIT(0, 0, width, height));
  CwuRect rect = { 0, 0, width, height };
  cwu_canvas_cairo_set_target(self->canvas, cr);
  self->axis = cwu_chart_draw(self->canvas, cwu_theme_now(), &self->chart, &rect);
  cairo_destroy(cr);
}

/* ---- reading out ------------------------------------------------------------------------ */

static void
read_out(CwuChartView *self, double x)
{
  size_t i;
  double at = NAN;
  /* Where a number was taken, not between two. */
  if (self->chart.n_series > 0 && !isnan(x) && cwu_series_find(&self->series[0], x, &i))
    at = self->series[0].x[i];
  cwu_chart_view_set_at(self, at);
  g_signal_emit(self, read_out_signal, 0, at);
}

static void
motion_cb(GtkEventControllerMotion *motion, double x, double y, CwuChartView *self)
{
  bool is_inside = self->axis.most > self->axis.least && x >= self->axis.from_px - 4 &&
                   x <= self->axis.to_px + 4;
  read_out(self, is_inside ? cwu_chart_axis_to_value(&self->axis, x) : NAN);
}

static void
leave_cb(CwuChartView *self)
{
  read_out(self, NAN);
}

static gboolean
key_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
       CwuChartView *self)
{
  double range = self->axis.most - self->axis.least;
  double at = isnan(self->chart.at) ? self->axis.most : self->chart.at;
  if (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK) || !(range > 0))
    return GDK_EVENT_PROPAGATE;
  switch (key) {
  case GDK_KEY_Left:
    read_out(self, at - KEY_STEP * range);
    return GDK_EVENT_STOP;
  case GDK_KEY_Right:
    read_out(self, at + KEY_STEP * range);
    return GDK_EVENT_STOP;
  case GDK_KEY_Home:
    read_out(self, self->axis.least);
    return GDK_EVENT_STOP;
  case GDK_KEY_End:
    read_out(self, self->axis.most);
    return GDK_EVENT_STOP;
  default:
    return GDK_EVENT_PROPAGATE;
  }
}

/* ---- the widget ------------------------------------------------------------------------- */

static void
cwu_chart_view_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                       int *minimum, int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? WIDTH_PX : HEIGHT_PX;
}

static void
cwu_chart_view_finalize(GObject *object)
{
  CwuChartView *self = CWU_CHART_VIEW(object);
  drop_series(self);
  cwu_canvas_free(self->canvas);
  G_OBJECT_CLASS(cwu_chart_view_parent_class)->finalize(object);
}

static void
cwu_chart_view_class_init(CwuChartViewClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->finalize = cwu_chart_view_finalize;
  widget_class->snapshot = cwu_chart_view_snapshot;
  widget_class->measure = cwu_chart_view_measure;
  gtk_widget_class_set_css_name(widget_class, "chartview");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  read_out_signal = g_signal_new("read-out", CWU_TYPE_CHART_VIEW, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, G_TYPE_DOUBLE);
}

static void
cwu_chart_view_init(CwuChartView *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new();
  GtkEventController *keys = gtk_event_controller_key_new();
  cwu_chart_init(&self->chart);
  self->chart.series = self->series;
  gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
  g_signal_connect(motion, "motion", G_CALLBACK(motion_cb), self);
  g_signal_connect_swapped(motion, "leave", G_CALLBACK(leave_cb), self);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(key_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), motion);
  gtk_widget_add_controller(GTK_WIDGET(self), keys);
  cwu_theme_watch(GTK_WIDGET(self));
}

CwuChartView *
cwu_chart_view_new(const char *title, const char *unit, const char *x_name, CwuScale scale)
{
  CwuChartView *self = g_object_new(CWU_TYPE_CHART_VIEW, NULL);
  self->chart.title = title;
  self->chart.unit = unit;
  self->chart.x_name = x_name;
  self->chart.y.scale = scale;
  tell_reader(self);
  return self;
}
