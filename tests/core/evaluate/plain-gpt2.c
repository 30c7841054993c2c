/* plain-gpt2.c - see plain-gpt2.h. */
#include "plain-gpt2.h"

#include <math.h>
#include <string.h>

static double
weight(const CwLinear *linear, int64_t in, int64_t out)
{
  bool is_output = linear->layout == CWK_B_ROWS_ARE_OUTPUTS;
  g_assert_cmpint(linear->rows.dtype, ==, CWK_F32);
  const char *row =
      (const char *)linear->rows.data + (size_t)(is_output ? out : in) * linear->rows.row_bytes;
  return (double)((const float *)(const void *)row)[is_output ? in : out];
}

/* y [n, n_out] = x [n, n_in] . W + bias. */
static void
apply(const CwLinear *linear, const double *x, int64_t n, int64_t n_in, int64_t n_out,
      double *y)
{
  for (int64_t t = 0; t < n; t++)
    for (int64_t j = 0; j < n_out; j++) {
      double sum = linear->bias != NULL ? (double)linear->bias[j] : 0;
      for (int64_t i = 0; i < n_in; i++)
        sum += x[t * n_in + i] * weight(linear, i, j);
      y[t * n_out + j] = sum;
    }
}

/* hat may be NULL. */
static void
normalise(const double *x, int64_t n, int64_t width, double epsilon, const float *gain,
          const float *bias, double *hat, double *y)
{
  for (int64_t t = 0; t < n; t++, x += width, y += width) {
    double mean = 0, variance = 0;
    for (int64_t d = 0; d < width; d++)
      mean += x[d] / (double)width;
    for (int64_t d = 0; d < width; d++)
      variance += (x[d] - mean) * (x[d] - mean) / (double)width;
    for (int64_t d = 0; d < width; d++) {
      double value = (x[d] - mean) / sqrt(variance + epsilon);
      if (hat != NULL)
        hat[t * width + d] = value;
      y[d] = value * (double)gain[d] + (double)bias[d];
    }
  }
}

static void
attend(const CwModelConfig *config, const double *q, const double *k, const double *v,
       int64_t n, double *mixed)
{
  int64_t width = config->n_heads * config->head_width;
  memset(mixed, 0, (size_t)(n * width) * sizeof *mixed);
  for (int64_t h = 0; h < config->n_heads; h++)
    for (int64_t t = 0; t < n; t++) {
      g_autofree double *weights = g_new0(double, t + 1);
      double sum = 0;
      for (int64_t s = 0; s <= t; s++) {
        double score = 0;
        for (int64_t i = h * config->head_width; i < (h + 1) * config->head_width; i++)
          score += q[t * width + i] * k[s * width + i];
        weights[s] = exp(score / sqrt((double)config->head_width));
        sum += weights[s];
      }
      for (int64_t s = 0; s <= t; s++)
        for (int64_t i = h * config->head_width; i < (h + 1) * config->head_width; i++)
          mixed[t * width + i] += weights[s] / sum * v[s * width + i];
    }
}

static void
add(double *to, const double *from, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    to[i] += from[i];
}

typedef struct {
  const CwModelConfig *config;
  int64_t n;
  double *x;            /* [n, D] the stream */
  double *mid, *hat;    /* [L, n, D] */
  double *read, *wrote; /* [n, D] */
  double *q, *k, *v, *mixed;
  double *hidden; /* [n, mlp_width] */
} Plain;

static void
run_layer(Plain *self, const CwLayer *layer, int64_t l, PlainMlp mlp, gpointer data)
{
  int64_t n = self->n, width = self->config->width, mlp_width = self->config->mlp_width;
  double epsilon = (double)self->config->norm_epsilon;
  normalise(self->x, n, width, epsilon, layer->ln1_weight, layer->ln1_bias, NULL, self->read);
  apply(&layer->q, self->read, n, width, width, self->q);
  apply(&layer->k, self->read, n, width, width, self->k);
  apply(&layer->v, self->read, n, width, width, self->v);
  attend(self->config, self->q, self->k, self->v, n, self->mixed);
  apply(&layer->o, self->mixed, n, width, width, self->wrote);
  add(self->x, self->wrote, n * width);
  memcpy(self->mid + l * n * width, self->x, (size_t)(n * width) * sizeof(double));
  normalise(self->x, n, width, epsilon, layer->ln2_weight, layer->ln2_bias,
            self->hat + l * n * width, self->read);
  apply(&layer->up, self->read, n, width, mlp_width, self->hidden);
  for (int64_t i = 0; i < n * mlp_width; i++) {
    double u = self->hidden[i];
    self->hidden[i] = 0.5 * u * (1 + tanh(sqrt(2 / G_PI) * (u + 0.044715 * u * u * u)));
  }
  apply(&layer->down, self->hidden, n, mlp_width, width, self->wrote);
  mlp(data, l, self->mid, self->hat, self->wrote);
  add(self->x, self->wrote, n * width);
}

void
plain_gpt2_run(CwModel *model, const int32_t *tokens, int64_t n, PlainMlp mlp, gpointer data,
               double *logits)
{
  const CwModelConfig *config = cw_model_peek_config(model);
  int64_t width = config->width, size = n * width;
  g_assert_cmpint(config->architecture, ==, CW_ARCHITECTURE_GPT2);
  g_autofree double *memory =
      g_new0(double, (7 + 2 * config->n_layers) * size + n * config->mlp_width);
  Plain self = { .config = config, .n = n };
  double **arrays[] = {
    &self.x, &self.read, &self.wrote, &self.q, &self.k, &self.v, &self.mixed
  };
  for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
    *arrays[i] = memory + (int64_t)i * size;
  self.mid = memory + 7 * size;
  self.hat = self.mid + config->n_layers * size;
  self.hidden = self.hat + config->n_layers * size;
  const CwkRows *embedding = cw_model_peek_embedding(model);
  for (int64_t t = 0; t < n; t++) {
    const char *row = (const char *)embedding->data + (size_t)tokens[t] * embedding->row_bytes;
    for (int64_t d = 0; d < width; d++)
      self.x[t * width + d] = (double)((const float *)(const void *)row)[d] +
                              (double)cw_model_peek_positions(model)[t * width + d];
  }
  for (int64_t l = 0; l < config->n_layers; l++)
    run_layer(&self, cw_model_peek_layer(model, l), l, mlp, data);
  normalise(self.x, n, width, (double)config->norm_epsilon,
            cw_model_peek_final_norm_weight(model), cw_model_peek_final_norm_bias(model), NULL,
            self.read);
  apply(cw_model_peek_unembedding(model), self.read, n, width, config->n_vocabulary, logits);
}
