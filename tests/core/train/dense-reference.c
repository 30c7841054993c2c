/* dense-reference.c - see dense-reference.h. */
#include "dense-reference.h"

#include <math.h>

static void
allocate(DenseParameters *self)
{
  int64_t n = self->n_layers * self->n_features;
  self->encoder = g_new0(double, n * self->width);
  self->decoder = g_new0(double, n * self->n_layers * self->width);
  self->bias = g_new0(double, n);
  self->log_threshold = g_new0(double, n);
  self->decoder_bias = g_new0(double, self->n_layers * self->width);
}

static int64_t
last_target(const DenseParameters *self, int64_t l)
{
  return self->is_cross_layer ? self->n_layers - 1 : l;
}

static double *
decoder_row(const DenseParameters *self, int64_t l, int64_t to, int64_t i)
{
  return self->decoder + ((l * self->n_layers + to) * self->n_features + i) * self->width;
}

void
dense_parameters_init(DenseParameters *self, const CwParameters *p, int64_t n_tokens)
{
  *self =
      (DenseParameters){ p->n_layers, p->n_features, p->width, n_tokens, p->is_cross_layer };
  allocate(self);
  int64_t padded = cw_parameters_padded_width(p), n = p->n_features;
  g_autofree float *row = g_new(float, p->width);
  for (int64_t l = 0; l < p->n_layers; l++) {
    for (int64_t j = 0; j < p->width; j++)
      self->decoder_bias[l * p->width + j] = (double)p->decoder_bias.value[l * padded + j];
    for (int64_t i = 0; i < n; i++) {
      self->bias[l * n + i] = (double)p->bias.value[l * n + i];
      self->log_threshold[l * n + i] = (double)p->log_threshold.value[l * n + i];
      for (int64_t j = 0; j < p->width; j++)
        self->encoder[(l * n + i) * p->width + j] =
            (double)p->encoder.value[(l * n + i) * padded + j];
      for (int64_t to = l; to <= last_target(self, l); to++) {
        cw_parameters_read_row(p, p->decoder.value, l, i, to - l, row);
        for (int64_t j = 0; j < p->width; j++)
          decoder_row(self, l, to, i)[j] = (double)row[j];
      }
    }
  }
}

void
dense_parameters_init_like(DenseParameters *self, const DenseParameters *other)
{
  *self = *other;
  allocate(self);
}

void
dense_parameters_clear(DenseParameters *self)
{
  g_free(self->encoder);
  g_free(self->decoder);
  g_free(self->bias);
  g_free(self->log_threshold);
  g_free(self->decoder_bias);
}

static double
pre_activation(const DenseParameters *self, const float *in, int64_t l, int64_t i, int64_t b)
{
  double h = self->bias[l * self->n_features + i];
  const float *x = in + (l * self->n_tokens + b) * self->width;
  const double *w = self->encoder + (l * self->n_features + i) * self->width;
  for (int64_t j = 0; j < self->width; j++)
    h += w[j] * (double)x[j];
  return h;
}

double
dense_nearest_threshold(const DenseParameters *self, const float *in)
{
  double nearest = INFINITY;
  for (int64_t l = 0; l < self->n_layers; l++)
    for (int64_t i = 0; i < self->n_features; i++)
      for (int64_t b = 0; b < self->n_tokens; b++)
        nearest = fmin(nearest, fabs(pre_activation(self, in, l, i, b) -
                                     exp(self->log_threshold[l * self->n_features + i])));
  return nearest;
}

typedef struct {
  const DenseParameters *self;
  const CwTrainSettings *settings;
  const float *in;
  double sparsity, dead; /* coefficients / B */
  double *h, *a;         /* [L, F, B] */
  double *error;         /* [L, B, D] dL/dy */
  DenseParameters *gradient;
} Pass;

/* One feature: what it adds to the penalties, and its gradients once errors are known. */
static double
take_feature(const Pass *pass, int64_t l, int64_t i)
{
  const DenseParameters *self = pass->self;
  const CwTrainSettings *s = pass->settings;
  int64_t at = l * self->n_features + i;
  double theta = exp(self->log_threshold[at]), norm = 0, norm_slope = 0, penalty = 0;
  double theta_slope = 0;
  bool is_jump = s->activation == CW_TRAIN_JUMPRELU;
  for (int64_t to = l; to <= last_target(self, l); to++)
    for (int64_t j = 0; j < self->width; j++)
      norm += decoder_row(self, l, to, i)[j] * decoder_row(self, l, to, i)[j];
  norm = sqrt(norm);
  for (int64_t b = 0; b < self->n_tokens; b++) {
    double h = pass->h[at * self->n_tokens + b], a = pass->a[at * self->n_tokens + b];
    double t = tanh(s->tanh_scale * a * norm), below = fmax(theta - h, 0);
    penalty += pass->sparsity * t + pass->dead * below * norm;
    if (pass->gradient == NULL)
      continue;
    DenseParameters *g = pass->gradient;
    double slope = pass->sparsity * s->tanh_scale * norm * (1 - t * t); /* dL/da */
    norm_slope += pass->sparsity * s->tanh_scale * a * (1 - t * t) + pass->dead * below;
    for (int64_t to = l; to <= last_target(self, l); to++)
      for (int64_t j = 0; j < self->width; j++) {
        double e = pass->error[(to * self->n_tokens + b) * self->width + j];
        slope += e * decoder_row(self, l, to, i)[j];
        decoder_row(g, l, to, i)[j] += a * e;
      }
    bool is_near = is_jump && fabs(h - theta) < s->jumprelu_bandwidth / 2;
    double pre = a > 0 ? slope : 0;
    if (is_near) {
      theta_slope -= theta / s->jumprelu_bandwidth * slope;
      if (s->straight_through == CW_THROUGH_ALL)
        pre += theta / s->jumprelu_bandwidth * slope;
    }
    if (below > 0) {
      pre -= pass->dead * norm;
      theta_slope += is_jump ? pass->dead * norm : 0;
    }
    g->bias[at] += pre;
    const float *x = pass->in + (l * self->n_tokens + b) * self->width;
    for (int64_t j = 0; j < self->width; j++)
      g->encoder[at * self->width + j] += pre * (double)x[j];
  }
  if (pass->gradient != NULL) {
    pass->gradient->log_threshold[at] = theta * theta_slope;
    for (int64_t to = l; to <= last_target(self, l); to++)
      for (int64_t j = 0; j < self->width; j++)
        decoder_row(pass->gradient, l, to, i)[j] +=
            norm_slope / norm * decoder_row(self, l, to, i)[j];
  }
  return penalty;
}

/* What an output's squared error counts: one longer than outlier_norm sqrt(D) as if it were of
 * that length. */
static double
output_weight(const Pass *pass, const float *out)
{
  double longest = pass->settings->outlier_norm * sqrt((double)pass->self->width), square = 0;
  for (int64_t j = 0; j < pass->self->width; j++)
    square += (double)out[j] * (double)out[j];
  return longest > 0 ? fmin(1, longest * longest / square) : 1;
}

/* dL/dy of every layer; returns the mean square error. */
static double
take_errors(Pass *pass, const float *out)
{
  const DenseParameters *self = pass->self;
  double mse = 0, n_tokens = (double)self->n_tokens;
  for (int64_t to = 0; to < self->n_layers; to++)
    for (int64_t b = 0; b < self->n_tokens; b++)
      for (int64_t j = 0; j < self->width; j++) {
        double y = self->decoder_bias[to * self->width + j];
        for (int64_t l = self->is_cross_layer ? 0 : to; l <= to; l++)
          for (int64_t i = 0; i < self->n_features; i++)
            y += pass->a[(l * self->n_features + i) * self->n_tokens + b] *
                 decoder_row(self, l, to, i)[j];
        int64_t at = (to * self->n_tokens + b) * self->width + j;
        double e = y - (double)out[at];
        double weight = output_weight(pass, out + at - j);
        mse += weight * e * e / n_tokens;
        pass->error[at] = 2 * weight * e / n_tokens;
        if (pass->gradient != NULL)
          pass->gradient->decoder_bias[to * self->width + j] += pass->error[at];
      }
  return mse;
}

double
dense_loss(const DenseParameters *self, const CwTrainSettings *settings, double l0_coefficient,
           const float *in, const float *out, const bool *is_active, DenseParameters *gradient)
{
  int64_t n = self->n_layers * self->n_features * self->n_tokens;
  Pass pass = { self,
                settings,
                in,
                l0_coefficient / (double)self->n_tokens,
                settings->dead_penalty_coef / (double)self->n_tokens,
                g_new(double, n),
                g_new(double, n),
                g_new(double, self->n_layers * self->n_tokens * self->width),
                gradient };
  for (int64_t at = 0; at < n; at++) {
    int64_t feature = at / self->n_tokens, l = feature / self->n_features;
    pass.h[at] = pre_activation(self, in, l, feature % self->n_features, at % self->n_tokens);
    bool is_on =
        is_active != NULL ? is_active[at] : pass.h[at] > exp(self->log_threshold[feature]);
    pass.a[at] = is_on ? pass.h[at] : 0;
  }
  double loss = take_errors(&pass, out);
  for (int64_t l = 0; l < self->n_layers; l++)
    for (int64_t i = 0; i < self->n_features; i++)
      loss += take_feature(&pass, l, i);
  g_free(pass.h);
  g_free(pass.a);
  g_free(pass.error);
  return loss;
}
