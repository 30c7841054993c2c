/* cwu-chart.h - charts on any device: the curves of a run in the window, the page of an
 * evaluation. Cairo and pango only. */
#pragma once

#include "cwu-picture.h"

G_BEGIN_DECLS

typedef enum { CWU_SCALE_LINEAR, CWU_SCALE_LOG } CwuScale;

typedef enum {
  CWU_MARK_LINE, /* where points are denser than pixels: their mean, on the band of all */
  CWU_MARK_DOTS,
  CWU_MARK_BARS /* from zero, centred on x */
} CwuMark;

/* Blue, orange, purple and grey of the theme, >= 4.5 : 1 on its surface. Red-green blindness
 * keeps blue and orange apart; dashes keep them apart in print. */
typedef enum { CWU_TONE_FIRST, CWU_TONE_SECOND, CWU_TONE_THIRD, CWU_TONE_QUIET } CwuTone;

typedef struct {
  const char *name;    /* in the legend; NULL: is not in it */
  const double *x, *y; /* [n]; x does not fall; a y that is not finite is a gap */
  size_t n;
  CwuMark mark;
  CwuTone tone;
  bool is_dashed; /* lines */
} CwuSeries;

/* On a log axis what is not positive lies on its lower end; where nothing is positive the axis
 * is linear. */
typedef struct {
  CwuScale scale;
  double least, most; /* NaN: as the data has it, widened to whole ticks */
} CwuAxis;

typedef struct {
  const char *title;  /* "Loss" */
  const char *unit;   /* of y, "tokens per second"; may be NULL */
  const char *x_name; /* "step": under the axis, and in the read-out; may be NULL */
  CwuAxis x, y;
  const CwuSeries *series;
  size_t n_series;
  double at; /* x that is read out, NaN: the last one, without a mark */
  /* Curves over something other than time: no value is read out of them until `at` says
   * where. */
  bool is_whole;
  /* Names under the axis at x = 0, 1, ... instead of numbers; bars there carry their values.
   * NULL-terminated, or NULL. */
  const char *const *labels;
} CwuChart;

/* Empty, axes linear and as the data has it. */
void cwu_chart_init(CwuChart *chart);

/* Several charts on one page, in rows. */
typedef struct {
  const char *title;
  const char *const *notes; /* lines under the title; NULL-terminated, or NULL */
  const CwuChart *charts;
  size_t n_charts, n_columns;
  double chart_width, chart_height; /* px; text is 11 px */
  double scale;                     /* pixels (PNG) or points (PDF, SVG) per px */
  CwuThemeKind theme;
} CwuChartPage;

/* Two columns of 420 x 240 px, scale 1, light. */
void cwu_chart_page_init(CwuChartPage *page);
/* Writes the page as its ending says: .png, .svg (text as text) or .pdf. Errors as those of
 * cwu_picture_export(). Any thread. O(points). */
bool cwu_chart_page_write(const CwuChartPage *page, const char *path, GError **error);

G_END_DECLS
