/* test-chart.c - charts: axes, what is left of a million points, and the marks that are drawn.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "picture/chart-columns.h"
#include "picture/chart.h"
#include "test-support.h"

#define WIDTH  480
#define HEIGHT 240

static const CwuRect everything = { 0, 0, WIDTH, HEIGHT };

/* ---- axes ------------------------------------------------------------------------------- */

static char *
labels_of(double least, double most, CwuScale scale, double length_px, bool is_widened)
{
  CwuAxis wanted = { scale, NAN, NAN };
  CwuRange range = { INFINITY, -INFINITY, NAN };
  cwu_range_add(&range, least);
  cwu_range_add(&range, most);
  CwuChartAxis axis = { .from_px = length_px, .to_px = 0 };
  cwu_chart_axis_init(&axis, &wanted, &range, is_widened, 30);
  GString *text = g_string_new(NULL);
  for (size_t i = 0; i < axis.n_ticks; i++) {
    g_autofree char *label = cwu_chart_axis_dup_label(&axis, axis.ticks[i]);
    g_string_append_printf(text, "%s%s", i > 0 ? " " : "", label);
  }
  return g_string_free(text, FALSE);
}

static void
test_ticks(void)
{
  static const struct {
    double least, most;
    CwuScale scale;
    bool is_widened;
    const char *labels;
  } rows[] = {
    { 0.013, 0.71, CWU_SCALE_LINEAR, true, "0 0.2 0.4 0.6 0.8" },
    { 0.641, 0.652, CWU_SCALE_LINEAR, true, "0.640 0.642 0.644 0.646 0.648 0.650 0.652" },
    { 0, 20000, CWU_SCALE_LINEAR, false, "0 5k 10k 15k 20k" },
    { 0, 1.2e6, CWU_SCALE_LINEAR, false, "0 0.2M 0.4M 0.6M 0.8M 1.0M 1.2M" },
    { -3, 3, CWU_SCALE_LINEAR, true, "-3 -2 -1 0 1 2 3" },
    { 7, 7, CWU_SCALE_LINEAR, true, "2 4 6 8 10 12" },
    { 1.3, 42, CWU_SCALE_LOG, true, "1 2 5 10 20 50" },
    { 30, 2900, CWU_SCALE_LOG, true, "100 1000 20 5000" },
    { 3, 7e4, CWU_SCALE_LOG, true, "10 100 1000 10k 100k" },
    { 1e-4, 1e6, CWU_SCALE_LOG, true, "1e-4 0.01 1 100 10k 1M" },
    { 2e-6, 9e-6, CWU_SCALE_LINEAR, true, "2e-6 4e-6 6e-6 8e-6 1.0e-5" },
    { 5500, 6800, CWU_SCALE_LOG, true, "5500 6000 6500 7000" },
    { 0.9, 6, CWU_SCALE_LOG, true, "1 2 3 4 5 6" },
    { 0.02, 0.15, CWU_SCALE_LOG, true, "0.05 0.10 0.15" },
    { -1, 2500, CWU_SCALE_LOG, true, "1000 1500 2000 2500 3000 3500 4000" },
    { -2, -1, CWU_SCALE_LOG, true, "-2.0 -1.8 -1.6 -1.4 -1.2 -1.0" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *labels =
        labels_of(rows[i].least, rows[i].most, rows[i].scale, 180, rows[i].is_widened);
    g_assert_cmpstr(labels, ==, rows[i].labels);
  }
}

/* Whatever the data, an axis has a length, ticks within it and labels that differ. */
static void
test_ticks_of_anything(void)
{
  for (int i = 0; i < 4000; i++) {
    double size = pow(10, g_test_rand_double_range(-12, 14));
    double a = g_test_rand_double_range(-1, 1) * size;
    double b = a + pow(10, g_test_rand_double_range(-3, 3)) * fabs(a);
    CwuAxis wanted = { i % 2 ? CWU_SCALE_LOG : CWU_SCALE_LINEAR, NAN, NAN };
    CwuRange range = { INFINITY, -INFINITY, NAN };
    cwu_range_add(&range, a);
    cwu_range_add(&range, b);
    CwuChartAxis axis = { .from_px = 0, .to_px = g_test_rand_double_range(1, 900) };
    cwu_chart_axis_init(&axis, &wanted, &range, true, 30);
    g_assert_cmpfloat(axis.least, <, axis.most);
    char *last = NULL;
    for (size_t k = 0; k < axis.n_ticks; k++) {
      double px = cwu_chart_axis_to_px(&axis, axis.ticks[k]);
      g_assert_true(px > -1e-6 && px < axis.to_px * (1 + 1e-9) + 1e-6);
      char *label = cwu_chart_axis_dup_label(&axis, axis.ticks[k]);
      g_assert_cmpstr(label, !=, last);
      g_free(last);
      last = label;
    }
    g_free(last);
  }
}

static void
test_numbers(void)
{
  static const struct {
    double value;
    const char *text;
  } rows[] = { { 0.65123, "0.6512" },   { 12, "12" },
               { 12.5, "12.50" },       { 12345.6, "12.35k" },
               { 12345, "12345" },      { 2.5e6, "2500000" },
               { 2500001.5, "2.500M" }, { 0, "0" },
               { 1e-5, "1.00e-5" },     { NAN, "–" },
               { -0.25, "-0.2500" },    { 1234.2, "1234" },
               { 3e9 + 0.5, "3.000G" } };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = cwu_number_dup_short(rows[i].value);
    g_assert_cmpstr(text, ==, rows[i].text);
  }
}

/* ---- marks ------------------------------------------------------------------------------ */

static char *
svg_of(const CwuChart *chart)
{
  size_t n_bytes;
  g_autoptr(CwuCanvas) canvas = cwu_canvas_svg_new(WIDTH, HEIGHT, 1, "test");
  cwu_chart_draw(canvas, cwu_theme_get(CWU_THEME_LIGHT), chart, &everything);
  return cwu_canvas_svg_finish(canvas, &n_bytes);
}

static guint
count(const char *text, const char *part)
{
  guint n = 0;
  for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
    n++;
  return n;
}

static const char blue[] = "stroke=\"#1a6cb5\"", orange[] = "stroke=\"#b85510\"";

static void
test_marks(void)
{
  const double x[] = { 0, 1, 2, 3, 4 }, y[] = { 1, 2, NAN, 4, 3 };
  const CwuSeries series[] = {
    { .name = "this run", .x = x, .y = y, .n = 5 },
    { .name = "the other", .x = x, .y = x, .n = 5, .tone = CWU_TONE_SECOND, .is_dashed = true },
    { .x = x, .y = y, .n = 5, .mark = CWU_MARK_DOTS, .tone = CWU_TONE_THIRD },
    { .x = x, .y = y, .n = 5, .mark = CWU_MARK_BARS, .tone = CWU_TONE_QUIET },
  };
  CwuChart chart;
  cwu_chart_init(&chart);
  chart.title = "Loss <per token>";
  chart.x_name = "step";
  chart.series = series;
  chart.n_series = G_N_ELEMENTS(series);
  g_autofree char *svg = svg_of(&chart);
  /* The gap parts the line: two of them, and the sample of the legend. */
  g_assert_cmpuint(count(svg, blue), ==, 3);
  g_assert_cmpuint(count(svg, orange), ==, 2);
  g_assert_cmpuint(count(svg, "stroke-dasharray"), ==, 2);
  g_assert_cmpuint(count(svg, "<circle"), ==, 4);
  g_assert_cmpuint(count(svg, "<rect"), ==, 1 + 4);
  g_assert_nonnull(strstr(svg, "Loss &lt;per token&gt;"));
  g_assert_nonnull(strstr(svg, ">step<"));
  g_assert_nonnull(strstr(svg, ">this run<"));
  g_assert_null(strstr(svg, "nan"));
}

static void
test_read_out(void)
{
  const double x[] = { 0, 1000, 2000 }, y[] = { 0.5, 0.25, NAN };
  CwuSeries series = { .x = x, .y = y, .n = 3 };
  CwuChart chart;
  cwu_chart_init(&chart);
  chart.x_name = "step";
  chart.series = &series;
  chart.n_series = 1;
  g_autofree char *last = svg_of(&chart);
  g_assert_nonnull(strstr(last, ">0.2500<"));
  chart.at = 300;
  g_autofree char *at = svg_of(&chart);
  g_assert_nonnull(strstr(at, ">step 300 · 0.5000<"));
  g_assert_cmpuint(count(last, "<circle"), ==, 0);
  g_assert_cmpuint(count(at, "<circle"), ==, 1);
  /* A run that ended at 1000 has no value at 9000. */
  chart.at = 9000;
  g_autofree char *beyond = svg_of(&chart);
  g_assert_nonnull(strstr(beyond, ">step 9000 · –<"));
  g_assert_cmpuint(count(beyond, "<circle"), ==, 0);
}

/* Named bars carry their values, the highest within; a chart that is read as a whole says no
 * last value beside a name, but one that is pointed at does. */
static void
test_labels(void)
{
  const double x[] = { 0, 1, 2 }, y[] = { 3.5, 1.25, 41.5 };
  const char *const labels[] = { "model", "mean", "zero", NULL };
  CwuSeries series = { .name = "loss", .x = x, .y = y, .n = 3, .mark = CWU_MARK_BARS };
  CwuChart chart;
  cwu_chart_init(&chart);
  chart.series = &series;
  chart.n_series = 1;
  chart.is_whole = true;
  g_autofree char *plain = svg_of(&chart);
  g_assert_nonnull(strstr(plain, ">loss<"));
  g_assert_null(strstr(plain, ">41.50<"));
  g_assert_null(strstr(plain, ">model<"));
  chart.labels = labels;
  g_autofree char *named = svg_of(&chart);
  g_assert_nonnull(strstr(named, ">model<"));
  g_assert_nonnull(strstr(named, ">zero<"));
  g_assert_nonnull(strstr(named, ">1.250<"));
  g_assert_cmpuint(count(named, ">41.50<"), ==, 1);
  chart.labels = NULL;
  chart.at = 1;
  g_autofree char *at = svg_of(&chart);
  g_assert_nonnull(strstr(at, ">1.250<"));
}

static void
test_find(void)
{
  const double x[] = { 0, 10, 20, 30 }, y[] = { 1, NAN, NAN, 4 };
  CwuSeries series = { .x = x, .y = y, .n = 4 }, none = { .x = x + 1, .y = y + 1, .n = 2 };
  size_t i = 99;
  g_assert_true(cwu_series_find(&series, -5, &i) && i == 0);
  g_assert_true(cwu_series_find(&series, 14, &i) && i == 0);
  g_assert_true(cwu_series_find(&series, 16, &i) && i == 3);
  g_assert_true(cwu_series_find(&series, 99, &i) && i == 3);
  g_assert_true(cwu_series_find(&series, NAN, &i) && i == 3);
  g_assert_false(cwu_series_find(&none, 15, &i));
}

/* Zero cannot stand on a log axis: it lies at its foot, and the rest is where it belongs. */
static void
test_log_of_zero(void)
{
  const double x[] = { 0, 1, 2, 3 }, y[] = { 100, 0, 1, -5 };
  CwuSeries series = { .x = x, .y = y, .n = 4 };
  CwuChart chart;
  cwu_chart_init(&chart);
  chart.y.scale = CWU_SCALE_LOG;
  chart.series = &series;
  chart.n_series = 1;
  g_autofree char *svg = svg_of(&chart);
  const char *path = strstr(svg, "stroke-linejoin");
  g_assert_nonnull(path);
  while (*path != 'M')
    path--;
  double px[4], py[4];
  g_assert_cmpint(sscanf(path, "M%lf %lfL%lf %lfL%lf %lfL%lf %lf", px, py, px + 1, py + 1,
                         px + 2, py + 2, px + 3, py + 3),
                  ==, 8);
  g_assert_cmpfloat_with_epsilon(py[1], py[2], 0.01); /* 1 is the foot here */
  g_assert_cmpfloat_with_epsilon(py[3], py[2], 0.01);
  g_assert_cmpfloat(py[0], <, py[2] - 100);
  g_assert_nonnull(strstr(svg, ">10<"));

  const double zeros[] = { 0, 0, 0, 0 };
  series.y = zeros;
  g_autofree char *flat = svg_of(&chart);
  g_assert_null(strstr(flat, "nan"));
  g_assert_null(strstr(flat, "inf"));
}

/* ---- a million points ------------------------------------------------------------------- */

#define MANY 1000000

static double *
ramp(void)
{
  double *x = g_new(double, MANY);
  for (int i = 0; i < MANY; i++)
    x[i] = i;
  return x;
}

static void
test_extremes_are_kept(void)
{
  g_autofree double *x = ramp(), *y = g_new(double, MANY);
  CwuChartColumn columns[400];
  CwuRange range = { INFINITY, -INFINITY, NAN };
  CwuChartAxis axis = { .least = 0, .most = MANY - 1, .from_px = 40, .to_px = 440 };
  CwuSeries series = { .x = x, .y = y, .n = MANY };
  for (int i = 0; i < MANY; i++)
    y[i] = g_test_rand_double_range(0.4, 0.6);
  y[250000] = 9;
  y[750000] = -9;
  y[500000] = NAN;
  cwu_chart_columns_fill(&series, &axis, columns, 400, &range);
  size_t n = 0;
  for (size_t k = 0; k < 400; k++) {
    n += columns[k].n;
    g_assert_cmpfloat(columns[k].most, ==, MAX(columns[k].most, k == 100 ? 9 : 0.4));
    g_assert_true((columns[k].most > 1) == (k == 100));
    g_assert_true((columns[k].least < 0) == (k == 300));
    g_assert_true(columns[k].has_gap == (k == 200));
  }
  g_assert_cmpuint(n, ==, MANY - 1);
  g_assert_cmpfloat(range.most, ==, 9);
  g_assert_cmpfloat(range.least, ==, -9);
  g_assert_true(range.least_positive > 0.4 && range.least_positive < 0.41);
}

static double
thread_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The goal is 5 ms; the test fails at twice that, in the best of several tries. */
static void
test_million_points(void)
{
  g_autofree double *x = ramp(), *y = g_new(double, MANY);
  for (int i = 0; i < MANY; i++)
    y[i] = exp(-i / 2e5) + g_test_rand_double_range(0, 0.1);
  y[500000] = 3;
  CwuSeries series = { .x = x, .y = y, .n = MANY };
  CwuChart chart;
  cwu_chart_init(&chart);
  chart.series = &series;
  chart.n_series = 1;
  cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
  cairo_t *cr = cairo_create(surface);
  g_autoptr(CwuCanvas) canvas = cwu_canvas_cairo_new(1);
  cwu_canvas_cairo_set_target(canvas, cr);
  double best = INFINITY;
  CwuChartAxis axis = { 0 };
  for (int i = 0; i < 8; i++) {
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    double begun = thread_ms();
    axis = cwu_chart_draw(canvas, cwu_theme_get(CWU_THEME_LIGHT), &chart, &everything);
    best = fmin(best, thread_ms() - begun);
  }
  g_test_message("a million points: %.2f ms", best);
  g_test_minimized_result(best, "a million points: %.2f ms", best);
  /* The spike of one point in a million has its pixel: blue, halfway up. */
  cairo_surface_flush(surface);
  const unsigned char *pixels = cairo_image_surface_get_data(surface);
  int column = (int)cwu_chart_axis_to_px(&axis, 500000),
      stride = cairo_image_surface_get_stride(surface);
  const unsigned char *pixel = pixels + 60 * stride + 4 * column;
  g_assert_cmpint(pixel[0], >, pixel[2] + 20);
  const unsigned char *beside = pixel + 4 * 20;
  g_assert_cmpint(beside[2], >=, 0xf0);
  cairo_destroy(cr);
  cairo_surface_destroy(surface);
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpfloat(best, <, 10);
#endif
}

/* ---- pages and tones -------------------------------------------------------------------- */

static void
test_page(gconstpointer ending)
{
  const double x[] = { 0, 1, 2 }, y[] = { 3, 1, 2 };
  CwuSeries series = { .x = x, .y = y, .n = 3 };
  CwuChart charts[3];
  for (size_t i = 0; i < 3; i++) {
    cwu_chart_init(&charts[i]);
    charts[i].title = "Explained variance";
    charts[i].series = &series;
    charts[i].n_series = 1;
  }
  static const char *const notes[] = { "SmolLM2-135M", "1,024 tokens", NULL };
  CwuChartPage page;
  cwu_chart_page_init(&page);
  page.title = "Evaluation";
  page.notes = notes;
  page.charts = charts;
  page.n_charts = 3;
  g_autofree char *folder = test_temp_dir(), *first = NULL, *second = NULL;
  g_autofree char *path = g_strdup_printf("%s/page.%s", folder, (const char *)ending);
  g_autoptr(GError) error = NULL;
  gsize n_first, n_second;
  g_assert_true(cwu_chart_page_write(&page, path, &error));
  g_assert_true(g_file_get_contents(path, &first, &n_first, NULL));
  g_assert_true(cwu_chart_page_write(&page, path, &error));
  g_assert_true(g_file_get_contents(path, &second, &n_second, NULL));
  g_assert_cmpmem(first, n_first, second, n_second);
  if (g_str_equal(ending, "svg")) {
    g_assert_cmpuint(count(first, ">Explained variance<"), ==, 3);
    g_assert_nonnull(strstr(first, ">1,024 tokens<"));
  }
  g_autofree char *wrong = g_build_filename(folder, "page.txt", NULL);
  g_assert_false(cwu_chart_page_write(&page, wrong, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  test_remove_tree(folder);
}

/* What red-green blindness leaves of a colour (Vienot, Brettel, Mollon 1999, deuteranopia, in
 * the gamma space of the screen: rough, and enough). */
static CwuColour
deutan(CwuColour c)
{
  return (CwuColour){ 0.625 * c.r + 0.375 * c.g, 0.7 * c.r + 0.3 * c.g, 0.3 * c.g + 0.7 * c.b,
                      1 };
}

static double
distance(CwuColour a, CwuColour b)
{
  return hypot(hypot(a.r - b.r, a.g - b.g), a.b - b.b);
}

static void
test_tones(void)
{
  for (int kind = 0; kind < CWU_N_THEMES; kind++) {
    const CwuTheme *theme = cwu_theme_get((CwuThemeKind)kind);
    for (int tone = CWU_TONE_FIRST; tone <= CWU_TONE_QUIET; tone++)
      g_assert_cmpfloat(
          cwu_colour_contrast(cwu_tone_colour(theme, (CwuTone)tone), theme->surface), >=, 4.5);
    CwuColour first = cwu_tone_colour(theme, CWU_TONE_FIRST);
    CwuColour second = cwu_tone_colour(theme, CWU_TONE_SECOND);
    g_assert_cmpfloat(distance(deutan(first), deutan(second)), >, 0.3);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ui/chart/ticks", test_ticks);
  g_test_add_func("/ui/chart/ticks-of-anything", test_ticks_of_anything);
  g_test_add_func("/ui/chart/numbers", test_numbers);
  g_test_add_func("/ui/chart/marks", test_marks);
  g_test_add_func("/ui/chart/read-out", test_read_out);
  g_test_add_func("/ui/chart/labels", test_labels);
  g_test_add_func("/ui/chart/find", test_find);
  g_test_add_func("/ui/chart/log-of-zero", test_log_of_zero);
  g_test_add_func("/ui/chart/extremes-are-kept", test_extremes_are_kept);
  g_test_add_func("/ui/chart/million-points", test_million_points);
  g_test_add_data_func("/ui/chart/page/png", "png", test_page);
  g_test_add_data_func("/ui/chart/page/svg", "svg", test_page);
  g_test_add_data_func("/ui/chart/page/pdf", "pdf", test_page);
  g_test_add_func("/ui/chart/tones", test_tones);
  return g_test_run();
}
