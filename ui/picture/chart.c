/* chart.c - see chart.h. The gutter is the same for every chart, so that plots above each other
 * line up. Where points are denser than pixels a line would be a thicket: the band shows their
 * extremes, the line their mean. */
#include "picture/chart.h"

#include <math.h>

#include "picture/chart-columns.h"

#define TEXT_PX       11.0
#define TITLE_PX      12.0
#define TITLE_ROW_PX  20.0
#define LEGEND_ROW_PX 17.0
#define AXIS_ROW_PX   18.0
#define GUTTER_PX     46.0
#define RIGHT_PX      10.0
#define GAP_PX        6.0
#define SAMPLE_PX     18.0
#define ENTRY_GAP_PX  16.0
#define X_TICK_GAP_PX 64.0
#define Y_TICK_GAP_PX 30.0
#define VALUE_PX      9.0 /* from the end of a bar to the middle of its value */
#define LINE_PX       1.6
#define DOT_PX        2.6
#define BAND_ALPHA    0.22
#define BAR_SHARE     0.8 /* of the way to the next bar */
#define DENSE         1.5 /* points a px, from which on a line is drawn by columns */

typedef struct {
  CwuCanvas *canvas;
  const CwuTheme *theme;
  const CwuChart *chart;
  CwuRect plot;
  CwuChartAxis x, y;
  size_t n_columns;
  CwuChartColumn *columns; /* [n_series, n_columns] */
} Drawing;

void
cwu_chart_init(CwuChart *chart)
{
  *chart = (CwuChart){ .x = { CWU_SCALE_LINEAR, NAN, NAN },
                       .y = { CWU_SCALE_LINEAR, NAN, NAN },
                       .at = NAN };
}

CwuColour
cwu_tone_colour(const CwuTheme *theme, CwuTone tone)
{
  switch (tone) {
  case CWU_TONE_FIRST:
    return theme->positive;
  case CWU_TONE_SECOND:
    return theme->negative;
  case CWU_TONE_THIRD:
    return theme->selected;
  case CWU_TONE_QUIET:
  default:
    return theme->text_dim;
  }
}

bool
cwu_series_find(const CwuSeries *series, double x, size_t *index)
{
  size_t low = 0, high = series->n;
  while (low < high && !isnan(x)) {
    size_t middle = low + (high - low) / 2;
    if (series->x[middle] < x)
      low = middle + 1;
    else
      high = middle;
  }
  size_t after = isnan(x) ? series->n : low, before = after;
  while (after < series->n && !isfinite(series->y[after]))
    after++;
  while (before > 0 && !isfinite(series->y[before - 1]))
    before--;
  if (after == series->n && before == 0)
    return false;
  bool takes_after =
      before == 0 || (after < series->n && series->x[after] - x < x - series->x[before - 1]);
  *index = takes_after ? after : before - 1;
  return true;
}

/* ---- words ------------------------------------------------------------------------------ */

static double
draw_text(const Drawing *d, const char *words, CwuPoint at, double anchor, CwuColour colour)
{
  double width, height;
  CwuText text = {
    .text = words, .at = at, .anchor = anchor, .size_px = TEXT_PX, .colour = colour
  };
  d->canvas->class->text(d->canvas, &text);
  cwu_text_face_measure(d->canvas->face, words, TEXT_PX, false, &width, &height);
  return width;
}

/* The point that is read out at x: none where the series has ended or not begun. */
static bool
find_at(const CwuSeries *series, double x, size_t *index)
{
  if (!cwu_series_find(series, x, index))
    return false;
  if (isnan(x))
    return true;
  double first = series->x[0], last = series->x[series->n - 1];
  double way = series->n > 1 ? (last - first) / (double)(series->n - 1) : 0.5;
  return x >= first - way && x <= last + way;
}

static char *
dup_value_at(const CwuSeries *series, double x)
{
  size_t i;
  return find_at(series, x, &i) ? cwu_number_dup_short(series->y[i]) : g_strdup("–");
}

/* Whether no point is the last in time: nothing is read out before one is pointed at. */
static bool
is_read_whole(const CwuChart *chart)
{
  bool has_bars = false;
  for (size_t i = 0; i < chart->n_series; i++)
    has_bars |= chart->series[i].mark == CWU_MARK_BARS;
  return isnan(chart->at) && (chart->is_whole || has_bars);
}

/* "step 4,200", at the end of the row of the title; of a series without a name its value too.
 */
static char *
dup_read_out(const CwuChart *chart)
{
  bool has_value =
      chart->n_series == 1 && chart->series[0].name == NULL && !is_read_whole(chart);
  g_autofree char *value = has_value ? dup_value_at(&chart->series[0], chart->at) : NULL;
  if (isnan(chart->at))
    return g_strdup(has_value ? value : "");
  g_autofree char *x = cwu_number_dup_short(chart->at);
  return g_strdup_printf("%s%s%s%s%s", chart->x_name != NULL ? chart->x_name : "",
                         chart->x_name != NULL ? " " : "", x, has_value ? " · " : "",
                         has_value ? value : "");
}

static void
draw_title(const Drawing *d, const CwuRect *rect)
{
  const CwuChart *chart = d->chart;
  double y = rect->y + TITLE_ROW_PX / 2, width = 0, height;
  double right = rect->x + rect->width - RIGHT_PX;
  g_autofree char *read_out = dup_read_out(chart);
  double used = draw_text(d, read_out, (CwuPoint){ right, y }, 1, d->theme->text);
  if (chart->title == NULL)
    return;
  CwuText title = { .text = chart->title,
                    .at = { rect->x, y },
                    .size_px = TITLE_PX,
                    .is_bold = true,
                    .colour = d->theme->text };
  d->canvas->class->text(d->canvas, &title);
  cwu_text_face_measure(d->canvas->face, chart->title, TITLE_PX, true, &width, &height);
  double left = rect->x + width + GAP_PX;
  if (chart->unit == NULL || left >= right - used)
    return;
  g_autofree char *unit = cwu_text_face_dup_fitting(d->canvas->face, chart->unit, TEXT_PX,
                                                    false, right - used - GAP_PX - left);
  draw_text(d, unit, (CwuPoint){ left, y + 0.5 }, 0, d->theme->text_dim);
}

static void
draw_sample(const Drawing *d, const CwuSeries *series, CwuPoint at)
{
  CwuColour colour = cwu_tone_colour(d->theme, series->tone);
  CwuStyle line = { .stroke = colour, .stroke_px = 2, .is_dashed = series->is_dashed };
  CwuStyle fill = { .fill = colour };
  CwuRect bar = { at.x + SAMPLE_PX / 2 - 3, at.y - 4, 6, 8 };
  CwuPoint end = { at.x + SAMPLE_PX, at.y }, middle = { at.x + SAMPLE_PX / 2, at.y };
  if (series->mark == CWU_MARK_LINE)
    d->canvas->class->line(d->canvas, at, end, &line);
  else if (series->mark == CWU_MARK_DOTS)
    d->canvas->class->glyph(d->canvas, CWU_SHAPE_CIRCLE, middle, DOT_PX, &fill);
  else
    d->canvas->class->box(d->canvas, &bar, 0, &fill);
}

/* Draws the legend (where `draws`) from `top`, and returns its height. */
static double
lay_legend(const Drawing *d, const CwuRect *rect, double top, bool draws)
{
  double x = rect->x, y = top, height;
  bool is_empty = true;
  for (size_t i = 0; i < d->chart->n_series; i++) {
    const CwuSeries *series = &d->chart->series[i];
    double name_width, value_width;
    if (series->name == NULL)
      continue;
    g_autofree char *value =
        is_read_whole(d->chart) ? g_strdup("") : dup_value_at(series, d->chart->at);
    cwu_text_face_measure(d->canvas->face, series->name, TEXT_PX, false, &name_width, &height);
    cwu_text_face_measure(d->canvas->face, value, TEXT_PX, false, &value_width, &height);
    double gap = *value != '\0' ? GAP_PX : 0;
    double width = SAMPLE_PX + GAP_PX + name_width + gap + value_width;
    if (x > rect->x && x + width > rect->x + rect->width) {
      x = rect->x;
      y += LEGEND_ROW_PX;
    }
    CwuPoint at = { x, y + LEGEND_ROW_PX / 2 };
    if (draws) {
      draw_sample(d, series, at);
      at.x += SAMPLE_PX + GAP_PX;
      at.x += draw_text(d, series->name, at, 0, d->theme->text_dim) + GAP_PX;
      draw_text(d, value, at, 0, d->theme->text);
    }
    x += width + ENTRY_GAP_PX;
    is_empty = false;
  }
  return is_empty ? 0 : y + LEGEND_ROW_PX - top;
}

/* ---- axes ------------------------------------------------------------------------------- */

/* Half the way between two bars, so that the outer ones are whole. */
static double
bar_margin(const CwuSeries *series)
{
  if (series->mark != CWU_MARK_BARS || series->n == 0)
    return 0;
  return series->n == 1
             ? 0.5
             : (series->x[series->n - 1] - series->x[0]) / (double)(series->n - 1) / 2;
}

static void
set_x_axis(Drawing *d)
{
  CwuRange range = { INFINITY, -INFINITY, NAN };
  for (size_t i = 0; i < d->chart->n_series; i++) {
    const CwuSeries *series = &d->chart->series[i];
    if (series->n == 0)
      continue;
    double margin = bar_margin(series);
    for (size_t k = 0; k < series->n && !isfinite(range.least_positive); k++)
      cwu_range_add(&range, series->x[k]);
    cwu_range_add(&range, series->x[0] - margin);
    cwu_range_add(&range, series->x[series->n - 1] + margin);
  }
  d->x.from_px = d->plot.x;
  d->x.to_px = d->plot.x + d->plot.width;
  cwu_chart_axis_init(&d->x, &d->chart->x, &range, false, X_TICK_GAP_PX);
}

/* Reduces all series to columns on the way. */
static void
set_y_axis(Drawing *d)
{
  CwuRange range = { INFINITY, -INFINITY, NAN };
  for (size_t i = 0; i < d->chart->n_series; i++) {
    cwu_chart_columns_fill(&d->chart->series[i], &d->x, d->columns + i * d->n_columns,
                           d->n_columns, &range);
    if (d->chart->series[i].mark == CWU_MARK_BARS && d->chart->y.scale == CWU_SCALE_LINEAR)
      cwu_range_add(&range, 0);
  }
  d->y.from_px = d->plot.y + d->plot.height;
  d->y.to_px = d->plot.y;
  cwu_chart_axis_init(&d->y, &d->chart->y, &range, true, Y_TICK_GAP_PX);
}

static void
draw_y_axis(const Drawing *d)
{
  CwuStyle hairline = { .stroke = d->theme->hairline, .stroke_px = 1 };
  for (size_t i = 0; i < d->y.n_ticks; i++) {
    double y = floor(cwu_chart_axis_to_px(&d->y, d->y.ticks[i])) + 0.5;
    g_autofree char *label = cwu_chart_axis_dup_label(&d->y, d->y.ticks[i]);
    d->canvas->class->line(d->canvas, (CwuPoint){ d->plot.x, y },
                           (CwuPoint){ d->plot.x + d->plot.width, y }, &hairline);
    draw_text(d, label, (CwuPoint){ d->plot.x - GAP_PX, y }, 1, d->theme->text_dim);
  }
}

/* Names of bars, cut to the way to the next one. */
static void
draw_labels(const Drawing *d, double row)
{
  double room = cwu_chart_axis_to_px(&d->x, 1) - cwu_chart_axis_to_px(&d->x, 0) - GAP_PX;
  for (size_t i = 0; d->chart->labels[i] != NULL; i++) {
    double x = cwu_chart_axis_to_px(&d->x, (double)i);
    g_autofree char *label =
        cwu_text_face_dup_fitting(d->canvas->face, d->chart->labels[i], TEXT_PX, false, room);
    draw_text(d, label, (CwuPoint){ x, row }, 0.5, d->theme->text_dim);
  }
}

static void
draw_x_axis(const Drawing *d)
{
  CwuStyle rule = { .stroke = d->theme->card_border, .stroke_px = 1 };
  double bottom = floor(d->plot.y + d->plot.height) + 0.5;
  double right = d->plot.x + d->plot.width, row = bottom + AXIS_ROW_PX / 2 + 2;
  d->canvas->class->line(d->canvas, (CwuPoint){ d->plot.x, bottom },
                         (CwuPoint){ right, bottom }, &rule);
  if (d->chart->x_name != NULL)
    right -= draw_text(d, d->chart->x_name, (CwuPoint){ right, row }, 1, d->theme->text_dim) +
             GAP_PX;
  if (d->chart->labels != NULL)
    draw_labels(d, row);
  for (size_t i = 0; i < d->x.n_ticks && d->chart->labels == NULL; i++) {
    double x = cwu_chart_axis_to_px(&d->x, d->x.ticks[i]), width, height;
    g_autofree char *label = cwu_chart_axis_dup_label(&d->x, d->x.ticks[i]);
    cwu_text_face_measure(d->canvas->face, label, TEXT_PX, false, &width, &height);
    if (x + width / 2 > right)
      continue;
    draw_text(d, label, (CwuPoint){ x, row }, 0.5, d->theme->text_dim);
  }
}

/* ---- series ----------------------------------------------------------------------------- */

static void
draw_line(const Drawing *d, const CwuSeries *series, const CwuPoint *points, size_t n)
{
  CwuColour colour = cwu_tone_colour(d->theme, series->tone);
  CwuStyle line = { .stroke = colour, .stroke_px = LINE_PX, .is_dashed = series->is_dashed };
  CwuStyle dot = { .fill = colour };
  if (n == 1)
    d->canvas->class->glyph(d->canvas, CWU_SHAPE_CIRCLE, points[0], LINE_PX, &dot);
  else if (n > 1)
    d->canvas->class->path(d->canvas, points, n, &line);
}

static void
draw_points_line(const Drawing *d, const CwuSeries *series)
{
  g_autofree CwuPoint *points = g_new(CwuPoint, series->n);
  size_t n = 0;
  for (size_t i = 0; i <= series->n; i++) {
    if (i < series->n && isfinite(series->y[i])) {
      points[n++] = (CwuPoint){ cwu_chart_axis_to_px(&d->x, series->x[i]),
                                cwu_chart_axis_to_px(&d->y, series->y[i]) };
      continue;
    }
    draw_line(d, series, points, n);
    n = 0;
  }
}

/* The band of columns from..to, all of them with points: along the top, back along the foot. */
static void
draw_band(const Drawing *d, const CwuSeries *series, const CwuPoint *tops, const CwuPoint *feet,
          size_t n)
{
  g_autofree CwuPoint *outline = g_new(CwuPoint, 2 * n);
  CwuColour colour = cwu_colour_fade(cwu_tone_colour(d->theme, series->tone), BAND_ALPHA);
  CwuStyle band = { .fill = colour, .stroke = colour, .stroke_px = 1 };
  for (size_t i = 0; i < n; i++) {
    outline[i] = tops[i];
    outline[2 * n - 1 - i] = feet[i];
  }
  if (n > 1)
    d->canvas->class->path(d->canvas, outline, 2 * n, &band);
}

static void
draw_columns_line(const Drawing *d, const CwuSeries *series, const CwuChartColumn *columns)
{
  g_autofree CwuPoint *points = g_new(CwuPoint, 3 * d->n_columns);
  CwuPoint *tops = points + d->n_columns, *feet = tops + d->n_columns;
  size_t n = 0;
  for (size_t k = 0; k <= d->n_columns; k++) {
    if (k < d->n_columns && columns[k].n > 0) {
      double x = d->plot.x + (double)k + 0.5, mean = columns[k].sum / (double)columns[k].n;
      points[n] = (CwuPoint){ x, cwu_chart_axis_to_px(&d->y, mean) };
      tops[n] = (CwuPoint){ x, cwu_chart_axis_to_px(&d->y, columns[k].most) };
      feet[n++] = (CwuPoint){ x, cwu_chart_axis_to_px(&d->y, columns[k].least) };
      continue;
    }
    if (k < d->n_columns && !columns[k].has_gap)
      continue;
    draw_band(d, series, tops, feet, n);
    draw_line(d, series, points, n);
    n = 0;
  }
}

static void
draw_dots(const Drawing *d, const CwuSeries *series)
{
  CwuStyle dot = { .fill = cwu_tone_colour(d->theme, series->tone) };
  for (size_t i = 0; i < series->n; i++) {
    CwuPoint at = { cwu_chart_axis_to_px(&d->x, series->x[i]),
                    cwu_chart_axis_to_px(&d->y, series->y[i]) };
    if (isfinite(series->y[i]) && cwu_rect_contains(&d->plot, at.x, at.y))
      d->canvas->class->glyph(d->canvas, CWU_SHAPE_CIRCLE, at, DOT_PX, &dot);
  }
}

static void
draw_bars(const Drawing *d, const CwuSeries *series)
{
  CwuStyle style = { .fill = cwu_tone_colour(d->theme, series->tone) };
  double zero = d->y.is_log ? d->y.from_px : cwu_chart_axis_to_px(&d->y, 0);
  double margin = bar_margin(series) * BAR_SHARE;
  for (size_t i = 0; i < series->n; i++) {
    double left = cwu_chart_axis_to_px(&d->x, series->x[i] - margin);
    double right = cwu_chart_axis_to_px(&d->x, series->x[i] + margin);
    double y = cwu_chart_axis_to_px(&d->y, series->y[i]);
    CwuRect bar = { left, fmin(y, zero), fmax(right - left, 1), fabs(zero - y) };
    if (!isfinite(series->y[i]))
      continue;
    d->canvas->class->box(d->canvas, &bar, 0, &style);
    g_autofree char *value =
        d->chart->labels != NULL ? cwu_number_dup_short(series->y[i]) : NULL;
    /* In the bar where there is no room above it. */
    bool is_inside = value != NULL && bar.y - d->plot.y < TITLE_ROW_PX;
    CwuPoint at = { (left + right) / 2, bar.y + (is_inside ? 1 : -1) * VALUE_PX };
    if (value != NULL)
      draw_text(d, value, at, 0.5, is_inside ? d->theme->surface : d->theme->text);
  }
}

static bool
is_dense(const CwuChartColumn *columns, size_t n_columns)
{
  size_t n = 0;
  for (size_t k = 0; k < n_columns; k++)
    n += columns[k].n;
  return (double)n > DENSE * (double)n_columns;
}

static void
draw_series(const Drawing *d)
{
  /* What lies on the edge is drawn whole. */
  CwuRect clip = { d->plot.x - DOT_PX - 1, d->plot.y - DOT_PX - 1,
                   d->plot.width + 2 * DOT_PX + 2, d->plot.height + 2 * DOT_PX + 2 };
  d->canvas->class->push_clip(d->canvas, &clip);
  for (size_t i = 0; i < d->chart->n_series; i++) {
    const CwuSeries *series = &d->chart->series[i];
    const CwuChartColumn *columns = d->columns + i * d->n_columns;
    if (series->mark == CWU_MARK_DOTS)
      draw_dots(d, series);
    else if (series->mark == CWU_MARK_BARS)
      draw_bars(d, series);
    else if (is_dense(columns, d->n_columns))
      draw_columns_line(d, series, columns);
    else
      draw_points_line(d, series);
  }
  d->canvas->class->pop_clip(d->canvas);
}

static void
draw_hover(const Drawing *d)
{
  CwuStyle rule = { .stroke = d->theme->node_pale, .stroke_px = 1 };
  double x = floor(cwu_chart_axis_to_px(&d->x, d->chart->at)) + 0.5;
  if (isnan(x) || x < d->plot.x || x > d->plot.x + d->plot.width + 1)
    return;
  d->canvas->class->line(d->canvas, (CwuPoint){ x, d->plot.y },
                         (CwuPoint){ x, d->plot.y + d->plot.height }, &rule);
  for (size_t i = 0; i < d->chart->n_series; i++) {
    const CwuSeries *series = &d->chart->series[i];
    CwuStyle dot = { .fill = cwu_tone_colour(d->theme, series->tone),
                     .stroke = d->theme->surface,
                     .stroke_px = 1.5 };
    size_t k;
    if (!find_at(series, d->chart->at, &k))
      continue;
    CwuPoint at = { cwu_chart_axis_to_px(&d->x, series->x[k]),
                    cwu_chart_axis_to_px(&d->y, series->y[k]) };
    if (cwu_rect_contains(&d->plot, at.x, at.y))
      d->canvas->class->glyph(d->canvas, CWU_SHAPE_CIRCLE, at, DOT_PX + 1, &dot);
  }
}

CwuChartAxis
cwu_chart_draw(CwuCanvas *canvas, const CwuTheme *theme, const CwuChart *chart,
               const CwuRect *rect)
{
  Drawing d = { .canvas = canvas, .theme = theme, .chart = chart };
  double legend = lay_legend(&d, rect, 0, false);
  double top = rect->y + TITLE_ROW_PX + legend + GAP_PX;
  d.plot = (CwuRect){ floor(rect->x + GUTTER_PX), top,
                      fmax(floor(rect->width - GUTTER_PX - RIGHT_PX), 1),
                      fmax(rect->y + rect->height - AXIS_ROW_PX - top, 1) };
  d.n_columns = (size_t)d.plot.width;
  d.columns = g_new(CwuChartColumn, MAX(chart->n_series, 1) * d.n_columns);
  set_x_axis(&d);
  set_y_axis(&d);
  draw_title(&d, rect);
  lay_legend(&d, rect, rect->y + TITLE_ROW_PX, true);
  draw_y_axis(&d);
  draw_x_axis(&d);
  draw_series(&d);
  draw_hover(&d);
  g_free(d.columns);
  return d.x;
}
