/* quality-meter.c - a transcoder's numbers on rows of activations, in one pass over them.
 *
 * Variances need no second pass: squares and products are summed about the first row, which is
 * near enough to the mean for f64. Medians of L0 come from exact counts, those of relative
 * errors from all rows' values (a float per row and layer). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clt/transcoder-apply.h"
#include "cw-evaluate.h"

/* Sums over the rows of one layer; y and p are less the first row of y. */
typedef struct {
  double *origin;        /* [D] */
  double *sum_y, *sum_p; /* [D] */
  double yy, py;         /* all columns together */
  double errors, energy; /* of |y - p|^2, and |y|^2 as it is */
  double norms;          /* of |y| */
  GArray *ratios;        /* of float: |y - p| / |y| of rows where y is not 0 */
  int64_t *l0;           /* [F + 1] rows by their number of active features */
} LayerSums;

struct _CwQualityMeter {
  CwTranscoder *transcoder;
  const CwTranscoderConfig *config;
  CwkDevice *device;
  CwPrediction *prediction;
  int64_t most_rows, n_rows;
  float *predicted; /* [most_rows, D] */
  LayerSums *sums;  /* [L] */
  int64_t *n_fired; /* [L, F] */
};

static bool
allocate(CwQualityMeter *meter)
{
  gsize width = (gsize)meter->config->width, n_features = (gsize)meter->config->n_features;
  meter->predicted = g_try_new(float, (gsize)meter->most_rows *width);
  meter->n_fired = g_try_new0(int64_t, (gsize)meter->config->n_layers * n_features);
  bool is_had = meter->predicted != NULL && meter->n_fired != NULL;
  for (int64_t l = 0; is_had && l < meter->config->n_layers; l++) {
    LayerSums *sums = &meter->sums[l];
    sums->ratios = g_array_new(FALSE, FALSE, sizeof(float));
    sums->origin = g_try_new0(double, width);
    sums->sum_y = g_try_new0(double, width);
    sums->sum_p = g_try_new0(double, width);
    sums->l0 = g_try_new0(int64_t, n_features + 1);
    is_had = sums->origin && sums->sum_y && sums->sum_p && sums->l0;
  }
  return is_had;
}

CwQualityMeter *
cw_quality_meter_new(CwTranscoder *transcoder, CwkDevice *device, int64_t most_rows,
                     GError **error)
{
  g_autoptr(CwQualityMeter) meter = g_new0(CwQualityMeter, 1);
  meter->transcoder = cw_transcoder_ref(transcoder);
  meter->config = cw_transcoder_peek_config(transcoder);
  meter->device = device;
  meter->most_rows = most_rows;
  meter->sums = g_new0(LayerSums, meter->config->n_layers);
  meter->prediction = cw_prediction_new(transcoder, device, most_rows, error);
  if (meter->prediction == NULL)
    return NULL;
  if (allocate(meter))
    return g_steal_pointer(&meter);
  cw_error_set_from_status(error, CWK_NO_MEMORY, "making room for the sums of an evaluation");
  return NULL;
}

void
cw_quality_meter_free(CwQualityMeter *meter)
{
  if (meter == NULL)
    return;
  for (int64_t l = 0; l < meter->config->n_layers; l++) {
    LayerSums *sums = &meter->sums[l];
    g_clear_pointer(&sums->ratios, g_array_unref);
    g_free(sums->origin);
    g_free(sums->sum_y);
    g_free(sums->sum_p);
    g_free(sums->l0);
  }
  g_free(meter->sums);
  g_free(meter->predicted);
  g_free(meter->n_fired);
  cw_prediction_free(meter->prediction);
  cw_transcoder_unref(meter->transcoder);
  g_free(meter);
}

/* ---- rows ------------------------------------------------------------------------------- */

static void
add_row(LayerSums *sums, const float *y, const float *p, int64_t width)
{
  double errors = 0, energy = 0, yy = 0, py = 0;
  for (int64_t d = 0; d < width; d++) {
    double from_y = (double)y[d] - sums->origin[d], from_p = (double)p[d] - sums->origin[d];
    double error = (double)y[d] - (double)p[d];
    errors += error * error;
    energy += (double)y[d] * (double)y[d];
    yy += from_y * from_y;
    py += from_p * from_y;
    sums->sum_y[d] += from_y;
    sums->sum_p[d] += from_p;
  }
  sums->errors += errors;
  sums->energy += energy;
  sums->norms += sqrt(energy);
  sums->yy += yy;
  sums->py += py;
  if (energy > 0) {
    float ratio = (float)sqrt(errors / energy);
    g_array_append_val(sums->ratios, ratio);
  }
}

static void
count_features(CwQualityMeter *meter, int64_t l, int64_t n)
{
  const CwRowFeatures *features = cw_prediction_peek_features(meter->prediction, l);
  int64_t *n_fired = meter->n_fired + l * meter->config->n_features;
  for (guint i = 0; i < features->feature->len; i++)
    n_fired[g_array_index(features->feature, int32_t, i)]++;
  for (int64_t c = 0; c < n; c++)
    meter->sums[l].l0[features->first[c + 1] - features->first[c]]++;
}

bool
cw_quality_meter_add(CwQualityMeter *meter, const float *in, const float *out, int64_t n,
                     int64_t layer_rows, GError **error)
{
  g_return_val_if_fail(n <= meter->most_rows && n <= layer_rows, false);
  int64_t width = meter->config->width;
  for (int64_t l = 0; l < meter->config->n_layers; l++) {
    const float *x = in + l * layer_rows * width, *y = out + l * layer_rows * width;
    LayerSums *sums = &meter->sums[l];
    if (!cw_prediction_run_layer(meter->prediction, l, x, n, meter->predicted, error))
      return false;
    for (int64_t d = 0; meter->n_rows == 0 && n > 0 && d < width; d++)
      sums->origin[d] = (double)y[d];
    for (int64_t c = 0; c < n; c++)
      add_row(sums, y + c * width, meter->predicted + c * width, width);
    count_features(meter, l, n);
  }
  meter->n_rows += n;
  return true;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static int
compare_floats(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static int
compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The smallest value that has at least this share of the n values up to it: its place. */
static int64_t
rank(double share, int64_t n)
{
  return CLAMP((int64_t)ceil(share * (double)n) - 1, 0, n - 1);
}

static int64_t
count_quantile(const int64_t *counts, double share, int64_t n)
{
  int64_t value = 0, seen = counts[0];
  while (seen <= rank(share, n))
    seen += counts[++value];
  return value;
}

static void
finish_l0(const CwQualityMeter *meter, const LayerSums *sums, CwLayerQuality *layer)
{
  double sum = 0;
  for (int64_t i = 0; i <= meter->config->n_features; i++) {
    sum += (double)i * (double)sums->l0[i];
    if (sums->l0[i] > 0)
      layer->l0_most = i;
  }
  layer->l0 = sum / (double)meter->n_rows;
  layer->l0_median = count_quantile(sums->l0, 0.5, meter->n_rows);
  layer->l0_p95 = count_quantile(sums->l0, 0.95, meter->n_rows);
}

static void
finish_rates(const CwQualityMeter *meter, const int64_t *n_fired, CwLayerQuality *layer)
{
  for (int64_t f = 0; f < meter->config->n_features; f++) {
    double rate = (double)n_fired[f] / (double)meter->n_rows;
    layer->n_dead += n_fired[f] == 0;
    layer->n_dense += rate > CW_DENSE_RATE;
    if (n_fired[f] == 0)
      continue;
    double bin = (log10(rate) - CW_RATE_LEAST_LOG10) * CW_RATE_BINS_PER_DECADE;
    layer->rates[CLAMP((int64_t)floor(bin), 0, CW_RATE_BINS - 1)]++;
  }
}

/* Variance of y about its mean, and covariance of p with it, summed over columns and rows. */
static void
centre(const LayerSums *sums, int64_t width, int64_t n, double *variance, double *covariance)
{
  *variance = sums->yy;
  *covariance = sums->py;
  for (int64_t d = 0; d < width; d++) {
    *variance -= sums->sum_y[d] * sums->sum_y[d] / (double)n;
    *covariance -= sums->sum_p[d] * sums->sum_y[d] / (double)n;
  }
}

static void
finish_errors(const CwQualityMeter *meter, LayerSums *sums, CwLayerQuality *layer)
{
  double n = (double)meter->n_rows, variance, covariance;
  centre(sums, meter->config->width, meter->n_rows, &variance, &covariance);
  /* CLT-Forge's guard against a constant output, as the trainer has it. */
  layer->normalised_mse = sums->errors / n / (variance / n + 1e-6);
  layer->explained_variance = 1 - layer->normalised_mse;
  layer->error_energy = sums->energy > 0 ? sums->errors / sums->energy : 0;
  layer->slope = variance > 0 ? covariance / variance : 0;
  layer->output_norm = sums->norms / n;
  if (sums->ratios->len == 0)
    return;
  g_array_sort(sums->ratios, compare_floats);
  layer->error_median =
      (double)g_array_index(sums->ratios, float, rank(0.5, sums->ratios->len));
  layer->error_p95 = (double)g_array_index(sums->ratios, float, rank(0.95, sums->ratios->len));
}

/* Norms of the features of layer l over all that they write. */
static bool
measure_norms(const CwQualityMeter *meter, int64_t l, double *norms, GError **error)
{
  int64_t n_targets = cw_transcoder_n_targets(meter->transcoder, l);
  int64_t width = meter->config->width;
  g_autofree const void **rows = g_new(const void *, n_targets);
  g_autofree float *scales = g_new(float, n_targets);
  g_autofree float *values = g_try_new(float, n_targets *width);
  CwkStatus status = values != NULL ? CWK_OK : CWK_NO_MEMORY;
  for (int64_t f = 0; status == CWK_OK && f < meter->config->n_features; f++) {
    CwkDtype dtype = CWK_F32;
    for (int64_t to = 0; to < n_targets; to++)
      rows[to] =
          cw_transcoder_peek_decoder_row(meter->transcoder, l, f, l + to, &dtype, &scales[to]);
    CwkDequantiseArgs args = { .rows = { .dtype = dtype,
                                         .n_rows = n_targets,
                                         .n_cols = width,
                                         .row_list = rows,
                                         .scales = scales },
                               .out = values };
    status = cwk_dequantise(meter->device, &args);
    double sum = 0;
    for (int64_t i = 0; i < n_targets * width; i++)
      sum += (double)values[i] * (double)values[i];
    norms[f] = sqrt(sum);
  }
  if (status != CWK_OK)
    cw_error_set_from_status(error, status, "measuring decoder rows");
  return status == CWK_OK;
}

static bool
finish_norms(const CwQualityMeter *meter, int64_t l, CwLayerQuality *layer, GError **error)
{
  static const double shares[G_N_ELEMENTS(layer->decoder_norms)] = { 0,    0.05, 0.25, 0.5,
                                                                     0.75, 0.95, 1 };
  int64_t n = meter->config->n_features;
  g_autofree double *norms = g_new(double, n);
  if (!measure_norms(meter, l, norms, error))
    return false;
  qsort(norms, (size_t)n, sizeof *norms, compare_doubles);
  for (size_t i = 0; i < G_N_ELEMENTS(shares); i++)
    layer->decoder_norms[i] = norms[rank(shares[i], n)];
  return true;
}

static void
finish_totals(const CwQualityMeter *meter, CwActivationQuality *quality)
{
  double errors = 0, variances = 0, variance, covariance;
  double n_layers = (double)quality->n_layers;
  for (int64_t l = 0; l < quality->n_layers; l++) {
    const CwLayerQuality *layer = &quality->layers[l];
    centre(&meter->sums[l], meter->config->width, meter->n_rows, &variance, &covariance);
    errors += meter->sums[l].errors;
    variances += variance;
    quality->explained_variance += layer->explained_variance / n_layers;
    quality->l0 += layer->l0 / n_layers;
    quality->slope += layer->slope / n_layers;
    quality->n_dead += layer->n_dead;
    quality->n_dense += layer->n_dense;
  }
  quality->pooled_explained_variance = variances > 0 ? 1 - errors / variances : 0;
  for (int64_t l = 0; l < quality->n_layers; l++)
    quality->layers[l].error_share = errors > 0 ? meter->sums[l].errors / errors : 0;
}

CwActivationQuality *
cw_quality_meter_finish(CwQualityMeter *meter, GError **error)
{
  if (meter->n_rows == 0) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT,
                        "There are no rows to evaluate the transcoder on");
    return NULL;
  }
  int64_t n_features = meter->config->n_features;
  g_autoptr(CwActivationQuality) quality = g_new0(CwActivationQuality, 1);
  quality->n_rows = meter->n_rows;
  quality->n_layers = meter->config->n_layers;
  quality->n_features = n_features;
  quality->layers = g_new0(CwLayerQuality, quality->n_layers);
  quality->n_fired = g_memdup2(meter->n_fired, (gsize)(quality->n_layers * n_features) *
                                                   sizeof *quality->n_fired);
  for (int64_t l = 0; l < quality->n_layers; l++) {
    CwLayerQuality *layer = &quality->layers[l];
    finish_errors(meter, &meter->sums[l], layer);
    finish_l0(meter, &meter->sums[l], layer);
    finish_rates(meter, meter->n_fired + l * n_features, layer);
    if (!finish_norms(meter, l, layer, error))
      return NULL;
  }
  finish_totals(meter, quality);
  return g_steal_pointer(&quality);
}

void
cw_activation_quality_free(CwActivationQuality *quality)
{
  if (quality == NULL)
    return;
  g_free(quality->layers);
  g_free(quality->n_fired);
  g_free(quality);
}
