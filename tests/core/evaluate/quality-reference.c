/* quality-reference.c - see quality-reference.h. */
#include "quality-reference.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
  const CwTranscoder *transcoder;
  const CwTranscoderConfig *config;
  CwkDevice *device;
  int64_t n;
  double *active; /* [L, n, F] activations, 0 where a feature does not fire */
} Reference;

/* One row of a stored matrix as double. */
static void
read_row(const Reference *self, const void *row, CwkDtype dtype, float scale, double *to)
{
  int64_t n = self->config->width;
  g_autofree float *values = g_new(float, n);
  CwkDequantiseArgs args = {
    .rows = { .dtype = dtype, .n_rows = 1, .n_cols = n, .row_list = &row, .scales = &scale },
    .out = values
  };
  g_assert_cmpint(cwk_dequantise(self->device, &args), ==, CWK_OK);
  for (int64_t i = 0; i < n; i++)
    to[i] = (double)values[i];
}

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The smallest value that this share of all does not exceed. */
static double
quantile(double *values, int64_t n, double share)
{
  qsort(values, (size_t)n, sizeof *values, compare);
  int64_t i = 0;
  while ((double)(i + 1) < share * (double)n)
    i++;
  return values[i];
}

/* Keeps the k largest of a row. */
static void
keep_top(double *row, int64_t n, int64_t k)
{
  g_autofree double *sorted = g_memdup2(row, (gsize)n * sizeof *row);
  qsort(sorted, (size_t)n, sizeof *sorted, compare);
  for (int64_t f = 0; f < n; f++)
    if (row[f] < sorted[n - k])
      row[f] = 0;
}

static void
encode_layer(Reference *self, int64_t l, const float *in)
{
  const CwTranscoderConfig *config = self->config;
  const CwkRows *rows = cw_transcoder_peek_encoder(self->transcoder, l);
  const float *threshold = cw_transcoder_peek_threshold(self->transcoder, l);
  int64_t n_features = config->n_features, width = config->width;
  double *active = self->active + l * self->n * n_features;
  g_autofree double *weights = g_new(double, width);
  for (int64_t f = 0; f < n_features; f++) {
    read_row(self, (const char *)rows->data + (size_t)f * rows->row_bytes, rows->dtype,
             rows->scales != NULL ? rows->scales[f] : 1, weights);
    for (int64_t c = 0; c < self->n; c++) {
      double pre = (double)cw_transcoder_peek_encoder_bias(self->transcoder, l)[f];
      for (int64_t d = 0; d < width; d++)
        pre += weights[d] * (double)in[c * width + d];
      double least = threshold != NULL ? (double)threshold[f] : 0;
      bool is_top_k = config->gate == CW_GATE_TOPK;
      active[c * n_features + f] = is_top_k || pre > least ? pre : 0;
    }
  }
  for (int64_t c = 0; config->gate == CW_GATE_TOPK && c < self->n; c++)
    keep_top(active + c * n_features, n_features, config->top_k);
}

/* p [n, D], the prediction of layer l. */
static void
predict(const Reference *self, int64_t l, const float *in, double *p)
{
  int64_t n_features = self->config->n_features, width = self->config->width;
  const CwLinear *skip = cw_transcoder_peek_skip(self->transcoder, l);
  g_autofree double *weights = g_new(double, width);
  for (int64_t i = 0; i < self->n * width; i++)
    p[i] = (double)cw_transcoder_peek_decoder_bias(self->transcoder, l)[i % width];
  for (int64_t from = 0; from <= l; from++)
    for (int64_t f = 0; f < n_features; f++) {
      CwkDtype dtype;
      float scale;
      const void *row =
          cw_transcoder_peek_decoder_row(self->transcoder, from, f, l, &dtype, &scale);
      if (row == NULL)
        continue;
      read_row(self, row, dtype, scale, weights);
      for (int64_t c = 0; c < self->n; c++)
        for (int64_t d = 0; d < width; d++)
          p[c * width + d] += self->active[(from * self->n + c) * n_features + f] * weights[d];
    }
  for (int64_t r = 0; skip != NULL && r < width; r++) {
    bool is_output = skip->layout == CWK_B_ROWS_ARE_OUTPUTS;
    read_row(self, (const char *)skip->rows.data + (size_t)r * skip->rows.row_bytes,
             skip->rows.dtype, skip->rows.scales != NULL ? skip->rows.scales[r] : 1, weights);
    for (int64_t c = 0; c < self->n; c++)
      for (int64_t d = 0; d < width; d++)
        p[c * width + (is_output ? r : d)] +=
            weights[d] * (double)in[c * width + (is_output ? d : r)];
  }
}

static void
measure_errors(const Reference *self, const float *y, const double *p, ReferenceLayer *layer)
{
  int64_t n = self->n, width = self->config->width;
  double errors = 0, energy = 0, deviations = 0, product = 0;
  g_autofree double *ratios = g_new(double, n);
  for (int64_t c = 0; c < n; c++) {
    double row_error = 0, row_energy = 0;
    for (int64_t d = 0; d < width; d++) {
      double value = (double)y[c * width + d], error = value - p[c * width + d];
      row_error += error * error;
      row_energy += value * value;
    }
    errors += row_error;
    energy += row_energy;
    layer->output_norm += sqrt(row_energy) / (double)n;
    ratios[c] = sqrt(row_error / row_energy);
  }
  for (int64_t d = 0; d < width; d++) {
    double mean_y = 0, mean_p = 0;
    for (int64_t c = 0; c < n; c++) {
      mean_y += (double)y[c * width + d] / (double)n;
      mean_p += p[c * width + d] / (double)n;
    }
    for (int64_t c = 0; c < n; c++) {
      double deviation = (double)y[c * width + d] - mean_y;
      deviations += deviation * deviation;
      product += deviation * (p[c * width + d] - mean_p);
    }
  }
  layer->explained_variance = 1 - errors / (double)n / (deviations / (double)n + 1e-6);
  layer->error_energy = errors / energy;
  layer->slope = product / deviations;
  layer->error_median = quantile(ratios, n, 0.5);
  layer->error_p95 = quantile(ratios, n, 0.95);
}

static void
count_features(const Reference *self, int64_t l, ReferenceLayer *layer)
{
  int64_t n = self->n, n_features = self->config->n_features;
  const double *active = self->active + l * n * n_features;
  g_autofree double *l0 = g_new0(double, n);
  g_autofree double *fired = g_new0(double, n_features);
  for (int64_t i = 0; i < n * n_features; i++) {
    l0[i / n_features] += active[i] != 0;
    fired[i % n_features] += active[i] != 0;
  }
  for (int64_t c = 0; c < n; c++)
    layer->l0 += l0[c] / (double)n;
  for (int64_t f = 0; f < n_features; f++)
    layer->n_dead += fired[f] == 0;
  layer->l0_median = (int64_t)quantile(l0, n, 0.5);
  layer->l0_p95 = (int64_t)quantile(l0, n, 0.95);
}

static double
median_norm(const Reference *self, int64_t l)
{
  int64_t n_features = self->config->n_features, width = self->config->width;
  g_autofree double *norms = g_new0(double, n_features);
  g_autofree double *weights = g_new(double, width);
  for (int64_t f = 0; f < n_features; f++) {
    for (int64_t to = l; to < self->config->n_layers; to++) {
      CwkDtype dtype;
      float scale;
      const void *row =
          cw_transcoder_peek_decoder_row(self->transcoder, l, f, to, &dtype, &scale);
      if (row != NULL)
        read_row(self, row, dtype, scale, weights);
      for (int64_t d = 0; row != NULL && d < width; d++)
        norms[f] += weights[d] * weights[d];
    }
    norms[f] = sqrt(norms[f]);
  }
  return quantile(norms, n_features, 0.5);
}

void
quality_reference_measure(const CwTranscoder *transcoder, const float *in, const float *out,
                          int64_t n, ReferenceLayer *layers)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  int64_t size = n * config->width;
  g_autofree double *active = g_new(double, config->n_layers *n * config->n_features);
  g_autofree double *p = g_new(double, size);
  Reference self = { transcoder, config, cwk_cpu_new(1), n, active };
  for (int64_t l = 0; l < config->n_layers; l++) {
    layers[l] = (ReferenceLayer){ 0 };
    encode_layer(&self, l, in + l * size);
    predict(&self, l, in + l * size, p);
    measure_errors(&self, out + l * size, p, &layers[l]);
    count_features(&self, l, &layers[l]);
    layers[l].norm_median = median_norm(&self, l);
  }
  cwk_device_free(self.device);
}

void
quality_reference_predict(const CwTranscoder *transcoder, const float *in, int64_t n, int64_t l,
                          double *p)
{
  const CwTranscoderConfig *config = cw_transcoder_peek_config(transcoder);
  int64_t size = n * config->width;
  g_autofree double *active = g_new(double, config->n_layers *n * config->n_features);
  Reference self = { transcoder, config, cwk_cpu_new(1), n, active };
  for (int64_t from = 0; from <= l; from++)
    encode_layer(&self, from, in + from * size);
  predict(&self, l, in + l * size, p);
  cwk_device_free(self.device);
}
