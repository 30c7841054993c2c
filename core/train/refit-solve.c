/* refit-solve.c - one target layer's least squares.
 *
 * Conjugate gradients, scaled by the diagonal, for all columns at once, lead from the rows as
 * they are towards the optimum, so that the fit never gets worse. A factorisation would cost
 * n^3 / 3 for a target of n rows against 2 n^2 D an iteration, and could not stop early. */
#include "train/refit-solve.h"

#include <math.h>
#include <string.h>

#define CLOSE_ENOUGH 1e-4 /* of the first residual's norm */

/* The rows that write to a target, and the bias behind them. */
typedef struct {
  const CwRefit *refit;
  int64_t to, n;                                /* unknowns, the bias included */
  int64_t *layer, *feature;                     /* [n - 1] */
  float *matrix;                                /* [n, n], scaled to a diagonal of 1 */
  float *scale;                                 /* [n] */
  float *change, *residual, *direction, *image; /* [n, D] */
  double *square;                               /* [D] of residuals */
} Target;

static void
target_clear(Target *self)
{
  g_free(self->layer);
  g_free(self->feature);
  g_free(self->matrix);
  g_free(self->scale);
  g_free(self->change);
  g_free(self->residual);
  g_free(self->direction);
  g_free(self->image);
  g_free(self->square);
}

static bool
target_init(Target *self, const CwRefit *refit, int64_t to, GError **error)
{
  const CwParameters *p = &refit->trainer->parameters;
  int64_t n_most = (to + 1) * p->n_features;
  *self = (Target){ .refit = refit, .to = to };
  self->layer = g_new(int64_t, n_most);
  self->feature = g_new(int64_t, n_most);
  for (int64_t l = 0; l <= to; l++)
    for (int64_t i = 0; cw_refit_reaches(p, l, to) && i < p->n_features; i++)
      if (refit->is_kept[cw_refit_row_index(p, l, i, to)] &&
          refit->counts[l * p->n_features + i] > 0) {
        self->layer[self->n] = l;
        self->feature[self->n++] = i;
      }
  self->n++;
  int64_t n_floats = self->n * p->width;
  self->matrix = g_try_new(float, self->n * self->n);
  self->scale = g_new(float, self->n);
  self->change = g_try_new0(float, n_floats);
  self->residual = g_try_new(float, n_floats);
  self->direction = g_try_new(float, n_floats);
  self->image = g_try_new(float, n_floats);
  self->square = g_new(double, p->width);
  return (self->matrix && self->change && self->residual && self->direction && self->image) ||
         cw_refit_no_memory(4.0 * (double)self->n * (double)self->n + 16.0 * (double)n_floats,
                            error);
}

static double
gram_entry(const Target *self, int64_t a, int64_t b)
{
  const CwRefit *refit = self->refit;
  const CwParameters *p = &refit->trainer->parameters;
  int64_t n = p->n_features, last = self->n - 1;
  if (a == last && b == last)
    return (double)refit->n_tokens;
  if (b == last)
    return (double)refit->sums[self->layer[a] * n + self->feature[a]];
  int64_t l = self->layer[a], m = self->layer[b];
  int64_t pair = p->is_cross_layer ? cw_refit_pair_index(p->n_layers, l, m) : l;
  return (double)refit->gram[(pair * n + self->feature[a]) * n + self->feature[b]];
}

static double
diagonal(const Target *self, int64_t a)
{
  const CwRefit *refit = self->refit;
  double square = gram_entry(self, a, a);
  if (a == self->n - 1)
    return square;
  int64_t at = self->layer[a] * refit->trainer->parameters.n_features + self->feature[a];
  return square * (1 + refit->options->prior_tokens / (double)refit->counts[at]);
}

/* Rows are ordered by layer, so a <= b is the stored half. */
static void
fill_row(void *data, int64_t a)
{
  Target *self = data;
  for (int64_t b = a; b < self->n; b++) {
    double entry =
        a == b ? 1 : gram_entry(self, a, b) * (double)self->scale[a] * (double)self->scale[b];
    self->matrix[a * self->n + b] = self->matrix[b * self->n + a] = (float)entry;
  }
}

static void
read_pull(const Target *self, int64_t a, float *row)
{
  const CwRefit *refit = self->refit;
  const CwParameters *p = &refit->trainer->parameters;
  if (a == self->n - 1)
    memcpy(row, refit->bias_pull + self->to * cw_parameters_padded_width(p),
           (size_t)p->width * sizeof *row);
  else
    cw_parameters_read_row(p, p->decoder.m, self->layer[a], self->feature[a],
                           self->to - self->layer[a], row);
}

static void
target_fill(Target *self)
{
  const CwParameters *p = &self->refit->trainer->parameters;
  for (int64_t a = 0; a < self->n; a++)
    self->scale[a] = (float)(1 / sqrt(diagonal(self, a)));
  if (self->refit->options->drops_biases) /* an equation of its own that says 0 */
    self->scale[self->n - 1] = 0;
  cwk_parallel_for(self->refit->options->device, self->n, fill_row, self);
  memset(self->square, 0, (size_t)p->width * sizeof(double));
  g_autofree float *row = g_new(float, p->width);
  for (int64_t a = 0; a < self->n; a++) {
    read_pull(self, a, row);
    for (int64_t j = 0; j < p->width; j++) {
      float value = self->scale[a] * row[j];
      self->residual[a * p->width + j] = self->direction[a * p->width + j] = value;
      self->square[j] += (double)value * (double)value;
    }
  }
}

static bool
multiply(Target *self, GError **error)
{
  int64_t n = self->n, width = self->refit->trainer->parameters.width;
  const CwkMatmulArgs args = {
    .m = n,
    .n = width,
    .k = n,
    .a = { .data = self->matrix, .stride = n },
    .b = { .data = self->direction,
           .dtype = CWK_F32,
           .n_rows = n,
           .n_cols = width,
           .row_bytes = (size_t)width * sizeof(float) },
    .b_layout = CWK_B_ROWS_ARE_INPUTS,
    .c = { .data = self->image, .stride = width },
  };
  return cw_train_check_status(cwk_matmul(self->refit->options->device, &args),
                               "solving for decoder rows", error);
}

/* One step of conjugate gradients in every column; columns are independent systems. */
static void
step(Target *self)
{
  int64_t width = self->refit->trainer->parameters.width;
  g_autofree double *along = g_new0(double, width), *square = g_new0(double, width);
  for (int64_t at = 0; at < self->n * width; at++)
    along[at % width] += (double)self->direction[at] * (double)self->image[at];
  for (int64_t j = 0; j < width; j++)
    along[j] = along[j] > 0 ? self->square[j] / along[j] : 0;
  for (int64_t at = 0; at < self->n * width; at++) {
    self->change[at] += (float)along[at % width] * self->direction[at];
    self->residual[at] -= (float)along[at % width] * self->image[at];
    square[at % width] += (double)self->residual[at] * (double)self->residual[at];
  }
  for (int64_t j = 0; j < width; j++) {
    along[j] = self->square[j] > 0 ? square[j] / self->square[j] : 0;
    self->square[j] = square[j];
  }
  for (int64_t at = 0; at < self->n * width; at++)
    self->direction[at] = self->residual[at] + (float)along[at % width] * self->direction[at];
}

static void
apply(const Target *self)
{
  CwParameters *p = &self->refit->trainer->parameters;
  g_autofree float *row = g_new(float, p->width);
  float *bias = p->decoder_bias.value + self->to * cw_parameters_padded_width(p);
  for (int64_t a = 0; a < self->n - 1; a++) {
    int64_t l = self->layer[a], i = self->feature[a];
    cw_parameters_read_row(p, p->decoder.value, l, i, self->to - l, row);
    for (int64_t j = 0; j < p->width; j++)
      row[j] += self->scale[a] * self->change[a * p->width + j];
    cw_parameters_write_row(p, p->decoder.value, l, i, self->to - l, row);
  }
  for (int64_t j = 0; !self->refit->options->drops_biases && j < p->width; j++)
    bias[j] += self->scale[self->n - 1] * self->change[(self->n - 1) * p->width + j];
}

bool
cw_refit_solve(const CwRefit *refit, int64_t to, GError **error)
{
  Target target;
  int64_t width = refit->trainer->parameters.width;
  bool is_done = target_init(&target, refit, to, error);
  if (is_done)
    target_fill(&target);
  double first = is_done ? cw_sum_doubles(target.square, width) : 0;
  for (int64_t k = 0; is_done && k < refit->options->n_iterations; k++) {
    if (cw_sum_doubles(target.square, width) <= CLOSE_ENOUGH * CLOSE_ENOUGH * first)
      break;
    is_done = !cw_cancel_check(refit->options->cancel, error) && multiply(&target, error);
    if (is_done)
      step(&target);
  }
  if (is_done)
    apply(&target);
  target_clear(&target);
  return is_done;
}
