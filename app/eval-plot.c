/* eval-plot.c - an evaluation as one page of charts. */
#include <math.h>
#include <string.h>

#include "cwu-chart.h"
#include "eval-report.h"

#define MOST_CHARTS 8
#define MOST_SERIES 4
#define CHART_PX    400.0
#define N_WAYS      5

/* What the charts point into while the page is drawn. */
typedef struct {
  const CwaEvaluation *evaluation;
  GPtrArray *values; /* of double *, owned */
  GPtrArray *labels; /* of char *, owned */
  CwuChart charts[MOST_CHARTS];
  CwuSeries series[MOST_CHARTS][MOST_SERIES];
  size_t n_charts;
} Page;

static double *
new_values(Page *page, int64_t n)
{
  double *values = g_new0(double, MAX(n, 1));
  g_ptr_array_add(page->values, values);
  return values;
}

/* 0, 1, ..., n - 1 */
static double *
count_up(Page *page, int64_t n)
{
  double *values = new_values(page, n);
  for (int64_t i = 0; i < n; i++)
    values[i] = (double)i;
  return values;
}

static CwuChart *
add_chart(Page *page, const char *title, const char *unit, const char *x_name)
{
  CwuChart *chart = &page->charts[page->n_charts];
  cwu_chart_init(chart);
  chart->title = title;
  chart->unit = unit;
  chart->x_name = x_name;
  chart->is_whole = true;
  chart->series = page->series[page->n_charts++];
  return chart;
}

static CwuSeries *
add_series(Page *page, CwuChart *chart, const char *name, const double *x, const double *y,
           int64_t n)
{
  CwuSeries *series = &page->series[chart - page->charts][chart->n_series];
  *series = (CwuSeries){
    .name = name, .x = x, .y = y, .n = (size_t)n, .tone = (CwuTone)chart->n_series
  };
  chart->n_series++;
  return series;
}

/* ---- by layer --------------------------------------------------------------------------- */

typedef double (*OfLayer)(const CwLayerQuality *layer);

static double
explained_variance(const CwLayerQuality *layer)
{
  return layer->explained_variance;
}
static double
slope(const CwLayerQuality *layer)
{
  return layer->slope;
}
static double
l0_mean(const CwLayerQuality *layer)
{
  return layer->l0;
}
static double
l0_p95(const CwLayerQuality *layer)
{
  return (double)layer->l0_p95;
}
static double
error_median(const CwLayerQuality *layer)
{
  return layer->error_median;
}
static double
error_p95(const CwLayerQuality *layer)
{
  return layer->error_p95;
}
static double
norm_p5(const CwLayerQuality *layer)
{
  return layer->decoder_norms[1];
}
static double
norm_median(const CwLayerQuality *layer)
{
  return layer->decoder_norms[3];
}
static double
norm_p95(const CwLayerQuality *layer)
{
  return layer->decoder_norms[5];
}

static CwuSeries *
add_layers(Page *page, CwuChart *chart, const char *name, OfLayer of)
{
  const CwActivationQuality *quality = page->evaluation->activations;
  double *y = new_values(page, quality->n_layers);
  for (int64_t l = 0; l < quality->n_layers; l++)
    y[l] = of(&quality->layers[l]);
  return add_series(page, chart, name, count_up(page, quality->n_layers), y, quality->n_layers);
}

/* Features by firing rate, as many bars a decade as there are bins. */
static void
add_rates(Page *page)
{
  const CwActivationQuality *quality = page->evaluation->activations;
  double *x = new_values(page, CW_RATE_BINS), *y = new_values(page, CW_RATE_BINS);
  int first = CW_RATE_BINS;
  for (int i = CW_RATE_BINS - 1; i >= 0; i--) {
    x[i] = CW_RATE_LEAST_LOG10 + (i + 0.5) / CW_RATE_BINS_PER_DECADE;
    for (int64_t l = 0; l < quality->n_layers; l++)
      y[i] += (double)quality->layers[l].rates[i];
    first = y[i] > 0 ? i : first;
  }
  /* Whole decades, from the first that has a feature. */
  first -= first % CW_RATE_BINS_PER_DECADE;
  CwuChart *chart = add_chart(page, "Firing rates", "features, by log10 of the rate", NULL);
  chart->x.least = CW_RATE_LEAST_LOG10 + (double)first / CW_RATE_BINS_PER_DECADE;
  chart->x.most = 0;
  add_series(page, chart, NULL, x + first, y + first, CW_RATE_BINS - first)->mark =
      CWU_MARK_BARS;
}

static void
add_activations(Page *page)
{
  CwuChart *chart =
      add_chart(page, "Explained variance", "and slope of the prediction", "layer");
  add_layers(page, chart, "explained variance", explained_variance)->mark = CWU_MARK_BARS;
  add_layers(page, chart, "slope", slope)->mark = CWU_MARK_DOTS;
  chart = add_chart(page, "Active features", "per token", "layer");
  add_layers(page, chart, "mean", l0_mean)->mark = CWU_MARK_BARS;
  add_layers(page, chart, "95 % of tokens below", l0_p95)->mark = CWU_MARK_DOTS;
  chart = add_chart(page, "Relative error", "|error| / |output|", "layer");
  add_layers(page, chart, "median token", error_median);
  add_layers(page, chart, "95 % of tokens below", error_p95)->is_dashed = true;
  chart->y.scale = CWU_SCALE_LOG; /* outlier tokens reach far beyond 1 */
  add_rates(page);
  chart = add_chart(page, "Decoder norms", "of all that a feature writes", "layer");
  add_layers(page, chart, "median", norm_median);
  add_layers(page, chart, "5 and 95 %", norm_p5)->is_dashed = true;
  CwuSeries *upper = add_layers(page, chart, NULL, norm_p95);
  upper->is_dashed = true;
  upper->tone = CWU_TONE_SECOND;
}

/* ---- inside the model ------------------------------------------------------------------- */

static void
add_ways(Page *page)
{
  static const char *const labels[N_WAYS + 1] = { "model", "own stream", "changed",
                                                  "mean",  "zero",       NULL };
  const CwModelQuality *inside = page->evaluation->inside;
  const double values[N_WAYS] = { inside->cross_entropy, inside->own_stream.cross_entropy,
                                  inside->changed_stream.cross_entropy,
                                  inside->mean.cross_entropy, inside->zero.cross_entropy };
  double *y = new_values(page, N_WAYS);
  memcpy(y, values, sizeof values);
  CwuChart *chart =
      add_chart(page, "Cross-entropy", "nats a token, all MLP outputs replaced", NULL);
  chart->labels = labels;
  add_series(page, chart, NULL, count_up(page, N_WAYS), y, N_WAYS)->mark = CWU_MARK_BARS;
}

/* One MLP at a time; KL on a log axis, since layers differ by orders of magnitude. */
static void
add_each_layer(Page *page)
{
  const CwModelQuality *inside = page->evaluation->inside;
  double *replaced = new_values(page, inside->n_layers);
  double *mean = new_values(page, inside->n_layers);
  double *zero = new_values(page, inside->n_layers);
  const double *x = count_up(page, inside->n_layers);
  for (int64_t l = 0; l < inside->n_layers; l++) {
    replaced[l] = inside->layers[l].replaced.kl;
    mean[l] = inside->layers[l].mean.kl;
    zero[l] = inside->layers[l].zero.kl;
  }
  CwuChart *chart = add_chart(page, "One MLP at a time", "KL, nats a token", "layer");
  chart->y.scale = CWU_SCALE_LOG;
  add_series(page, chart, "predicted", x, replaced, inside->n_layers);
  add_series(page, chart, "mean", x, mean, inside->n_layers)->is_dashed = true;
  CwuSeries *last = add_series(page, chart, "zero", x, zero, inside->n_layers);
  last->tone = CWU_TONE_QUIET;
}

static void
add_prompts(Page *page)
{
  const CwaEvaluation *evaluation = page->evaluation;
  double *replacement = new_values(page, (int64_t)evaluation->n_prompts);
  double *completeness = new_values(page, (int64_t)evaluation->n_prompts);
  for (size_t i = 0; i < evaluation->n_prompts; i++) {
    const CwPromptQuality *quality = &evaluation->prompt_qualities[i];
    replacement[i] = quality->replacement;
    completeness[i] = quality->completeness;
    char *piece = cw_tokenizer_dup_piece(evaluation->tokenizer, quality->top_token);
    g_ptr_array_add(page->labels, piece != NULL ? g_strstrip(piece) : g_strdup("?"));
  }
  g_ptr_array_add(page->labels, NULL);
  int64_t n = (int64_t)evaluation->n_prompts;
  const double *x = count_up(page, n);
  CwuChart *chart = add_chart(page, "Attribution graphs", "by the prompts' next tokens", NULL);
  chart->labels = (const char *const *)page->labels->pdata;
  add_series(page, chart, "replacement", x, replacement, n)->mark = CWU_MARK_BARS;
  add_series(page, chart, "completeness", x, completeness, n)->mark = CWU_MARK_DOTS;
  chart->y.least = 0;
  chart->y.most = 1;
}

/* ---- the page --------------------------------------------------------------------------- */

static char *
dup_summary(const CwaEvaluation *evaluation)
{
  GString *line = g_string_new(NULL);
  const CwActivationQuality *quality = evaluation->activations;
  const CwModelQuality *inside = evaluation->inside;
  if (quality != NULL)
    g_string_append_printf(
        line,
        "%" G_GINT64_FORMAT " tokens: explained variance %.3f, %.1f active features per layer, "
        "%.1f %% dead.  ",
        quality->n_rows, quality->explained_variance, quality->l0,
        100 * (double)quality->n_dead / (double)(quality->n_layers * quality->n_features));
  if (inside != NULL)
    g_string_append_printf(line,
                           "%" G_GINT64_FORMAT
                           " predictions: %.1f %% of the loss from zeroing the MLPs recovered.",
                           inside->n_tokens, 100 * inside->own_stream.recovered_zero);
  return g_string_free(line, FALSE);
}

static char *
dup_transcoder(const CwTranscoder *transcoder)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  return g_strdup_printf("%s, %" G_GINT64_FORMAT " layers of %" G_GINT64_FORMAT " features",
                         config->kind == CW_TRANSCODER_CROSS_LAYER ? "Cross-layer transcoder"
                                                                   : "Per-layer transcoders",
                         config->n_layers, config->n_features);
}

bool
cwa_evaluation_plot(const CwaEvaluation *evaluation, const char *path, double scale,
                    GError **error)
{
  g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
  Page page = { .evaluation = evaluation, .values = values, .labels = labels };
  if (evaluation->activations != NULL)
    add_activations(&page);
  if (evaluation->inside != NULL)
    add_ways(&page);
  if (evaluation->inside != NULL && evaluation->inside->layers != NULL)
    add_each_layer(&page);
  if (evaluation->n_prompts > 0)
    add_prompts(&page);
  g_autofree char *kind = dup_transcoder(evaluation->transcoder);
  g_autofree char *summary = dup_summary(evaluation);
  const char *const notes[] = { cw_transcoder_peek_path(evaluation->transcoder), summary,
                                NULL };
  CwuChartPage sheet;
  cwu_chart_page_init(&sheet);
  sheet.title = kind;
  sheet.notes = notes;
  sheet.charts = page.charts;
  sheet.n_charts = page.n_charts;
  sheet.n_columns = MIN(page.n_charts, 3);
  sheet.chart_width = CHART_PX;
  sheet.scale = scale;
  return cwu_chart_page_write(&sheet, path, error);
}
