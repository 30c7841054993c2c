/* train-step.c - one step of training, exact, with work in proportion to what is active.
 *
 * The one dense product is the encoder's. Decoding, the gradients of decoder and encoder rows
 * and their updates run over the active entries. Two gradients reach further:
 *
 * - thresholds learn from all entries within the bandwidth. What they need of the decoder is
 *   only sum over the band of dL/dy . w = (sum over the band of dL/dy) . w, see
 *   cwk_sparse_adjoint; where all that stands before the jump learns, every entry needs its
 *   own, see dense-band.c;
 * - the penalty on dead features pulls every inactive entry alike, by -dead_penalty_coef n / B
 *   per unit of pre-activation: all of them together are the sum over all tokens less the
 *   active ones, a rank-one term and a correction to the entries' coefficients.
 *
 * Both penalties depend on decoder rows through their norm alone and add a multiple of the row
 * to its gradient. Gradients of rows are not stored: their norm is summed in the backward pass,
 * and the update sums them again once the clipping factor is known. */
#include "train/train-step.h"

#include <math.h>
#include <string.h>

#include "train/dense-band.h"

/* ---- gradients of decoders -------------------------------------------------------------- */

/* What both penalties add to a decoder row, as a multiple of it; and the adjoints' share that
 * comes from the tanh penalty. */
static void
prepare_adjoint(CwTrainWork *work, const CwTrainStep *result)
{
  const CwParameters *p = work->parameters;
  double sparsity = result->l0_coefficient / (double)work->n_tokens;
  double dead = work->settings->dead_penalty_coef / (double)work->n_tokens;
  for (int64_t i = 0; i < p->n_layers * p->n_features; i++) {
    double norm = (double)p->norm[i];
    double slope = sparsity * work->norm_sum[i] + dead * work->shortfall[i];
    work->weight_scale[i] = norm > 0 ? (float)(slope / norm) : 0;
  }
  for (int64_t l = 0; l < p->n_layers; l++) {
    CwLayerEntries *entries = &work->entries[l];
    for (int64_t e = 0; e < entries->n_entries; e++)
      entries->adjoint[e] = (float)sparsity * entries->derivative[e];
  }
}

static bool
is_dense(const CwTrainWork *work, int64_t l)
{
  return cw_train_work_is_through_all(work) && work->dense.is_dense[l];
}

static bool
pull_back(CwTrainWork *work, GError **error)
{
  if (cw_train_work_is_through_all(work))
    cw_dense_band_choose(work);
  const CwParameters *p = work->parameters;
  int64_t n = p->n_features, tile_floats = work->n_tokens * CWK_TILE;
  bool has_band =
      work->settings->activation == CW_TRAIN_JUMPRELU && !cw_train_work_is_through_all(work);
  g_autofree CwkSparseAdjointPart *parts = g_new0(CwkSparseAdjointPart, p->n_layers);
  for (int64_t l = 0; l < p->n_layers; l++) {
    const CwLayerEntries *entries = &work->entries[l];
    bool is_listed = !is_dense(work, l); /* else what fires, for the rows' norm */
    parts[l] = (CwkSparseAdjointPart){
      .n_features = n,
      .n_tokens = work->n_tokens,
      .n_tiles = cw_parameters_n_targets(p, l) * p->n_tiles,
      .upstream = work->prediction + l * p->n_tiles * tile_floats,
      .weight = p->decoder.value + cw_parameters_decoder_offset(p, l),
      .entries = { is_listed ? entries->first : entries->firing_first,
                   is_listed ? entries->token : entries->firing_token },
      .value = is_listed ? entries->value : entries->firing_value,
      .adjoint = is_listed ? entries->adjoint : entries->firing_adjoint,
      .weight_scale = work->weight_scale + l * n,
      .gradient_norm2 = work->row_norm2 + l * n,
      .band = has_band ? work->band + l * n * work->n_words : NULL,
      .n_band = work->n_band + l * n,
      .band_sum = work->band_dot + l * n,
    };
  }
  const CwkSparseAdjointArgs args = { p->n_layers, parts };
  return cw_train_check_status(cwk_sparse_adjoint(work->device, &args),
                               "going back through decoders", error) &&
         (!cw_train_work_is_through_all(work) || cw_dense_band_adjoint(work, error));
}

/* ---- thresholds, biases ----------------------------------------------------------------- */

typedef struct {
  CwTrainWork *work;
  double sparsity, dead; /* coefficients / B */
} Slopes;

static int64_t
count_inactive_band(const CwTrainWork *work, int64_t i)
{
  int64_t n = 0;
  for (int64_t w = 0; w < work->n_words; w++)
    n += __builtin_popcountll(work->band[i * work->n_words + w] &
                              ~work->active[i * work->n_words + w]);
  return n;
}

/* Through the jump all entries of the band count, threshold / bandwidth each. */
static double
sum_through_jump(const CwTrainWork *work, CwLayerEntries *entries, int64_t l, int64_t i)
{
  const CwTrainSettings *settings = work->settings;
  float threshold = work->parameters->threshold[l * work->parameters->n_features + i];
  float jump = (float)((double)threshold / settings->jumprelu_bandwidth);
  double sum = 0;
  for (int64_t e = entries->first[i]; e < entries->first[i + 1]; e++) {
    bool is_active = entries->value[e] > 0;
    bool is_near =
        !is_active || entries->value[e] - threshold < (float)settings->jumprelu_bandwidth / 2;
    if (is_near)
      sum += (double)entries->adjoint[e];
    entries->adjoint[e] *= (is_active ? 1 : 0) + (is_near ? jump : 0);
  }
  return sum;
}

static void
slope_feature(const Slopes *slopes, int64_t l, int64_t i)
{
  CwTrainWork *work = slopes->work;
  const CwParameters *p = work->parameters;
  CwLayerEntries *entries = &work->entries[l];
  int64_t at = l * p->n_features + i;
  double norm = (double)p->norm[at], threshold = (double)p->threshold[at], band = 0;
  double n_inactive = (double)(work->n_tokens - work->n_active[at]);
  double pull = slopes->dead * norm; /* of an inactive entry */
  if (cw_train_work_is_through_all(work))
    band = sum_through_jump(work, entries, l, i);
  else if (work->settings->activation == CW_TRAIN_JUMPRELU)
    band = work->band_dot[at] +
           slopes->sparsity * (work->band_sum[at] + work->settings->tanh_scale * norm *
                                                        (double)count_inactive_band(work, at));
  double bias = -pull * n_inactive;
  for (int64_t e = entries->first[i]; e < entries->first[i + 1]; e++) {
    bias += (double)entries->adjoint[e];
    if (entries->value[e] > 0)
      entries->adjoint[e] += (float)pull;
  }
  work->bias_gradient[at] = (float)bias;
  work->shift_scale[at] = (float)-pull;
  double slope = -threshold / work->settings->jumprelu_bandwidth * band + pull * n_inactive;
  work->threshold_gradient[at] =
      work->settings->activation == CW_TRAIN_JUMPRELU ? (float)(threshold * slope) : 0;
}

static void
slope_layer(void *data, int64_t l)
{
  const Slopes *slopes = data;
  CwTrainWork *work = slopes->work;
  int64_t padded = cw_parameters_padded_width(work->parameters);
  const float *in = work->in + l * work->n_tokens * padded;
  float *sum = work->in_sum + l * padded;
  memset(sum, 0, (size_t)padded * sizeof *sum);
  for (int64_t b = 0; b < work->n_tokens; b++)
    for (int64_t j = 0; j < padded; j++)
      sum[j] += in[b * padded + j];
  for (int64_t i = 0; i < work->parameters->n_features; i++)
    slope_feature(slopes, l, i);
}

/* ---- rows ------------------------------------------------------------------------------- */

/* The rows of the encoder (is_encoder) or decoder of layer l. */
static CwkSparseRowsPart
rows_part(CwTrainWork *work, int64_t l, bool is_encoder)
{
  CwParameters *p = work->parameters;
  CwLayerEntries *entries = &work->entries[l];
  int64_t n = p->n_features, padded = cw_parameters_padded_width(p);
  int64_t offset = is_encoder ? l * n * padded : cw_parameters_decoder_offset(p, l);
  CwMoments *moments = is_encoder ? &p->encoder : &p->decoder;
  CwkSparseRowsPart part = { .n_features = n,
                             .weight = moments->value + offset,
                             .m = moments->m + offset,
                             .v = moments->v + offset,
                             .norm2 = work->row_norm2 + l * n };
  if (is_encoder) {
    part.n_tiles = p->n_tiles;
    part.entries = (CwkEntries){ entries->first, entries->token };
    part.coefficient = entries->adjoint;
    part.source = work->in + l * work->n_tokens * padded;
    if (is_dense(work, l)) {
      part.entries = (CwkEntries){ work->dense.first, work->dense.row };
      part.coefficient = work->dense.one;
      part.source = work->dense.gradient + l * n * padded;
    }
    part.source_tile_stride = part.tile_stride = CWK_TILE;
    part.source_token_stride = part.row_stride = padded;
    part.shift = work->in_sum + l * padded;
    part.shift_scale = work->shift_scale + l * n;
  } else {
    part.n_tiles = cw_parameters_n_targets(p, l) * p->n_tiles;
    part.entries = (CwkEntries){ entries->firing_first, entries->firing_token };
    part.coefficient = entries->firing_value;
    part.source = work->prediction + l * p->n_tiles * work->n_tokens * CWK_TILE;
    part.source_tile_stride = work->n_tokens * CWK_TILE;
    part.source_token_stride = part.row_stride = CWK_TILE;
    part.tile_stride = n * CWK_TILE;
    part.weight_scale = work->weight_scale + l * n;
  }
  return part;
}

static CwkSparseRowsPart *
rows_parts(CwTrainWork *work, bool is_encoder)
{
  CwkSparseRowsPart *parts = g_new0(CwkSparseRowsPart, work->parameters->n_layers);
  for (int64_t l = 0; l < work->parameters->n_layers; l++)
    parts[l] = rows_part(work, l, is_encoder);
  return parts;
}

bool
cw_train_work_add_outer(CwTrainWork *work, GError **error)
{
  g_autofree CwkSparseRowsPart *parts = rows_parts(work, false);
  const CwkSparseRowsArgs args = { work->parameters->n_layers, parts };
  return cw_train_check_status(cwk_sparse_gradient_sum(work->device, &args),
                               "summing over tokens", error);
}

/* ---- the whole step --------------------------------------------------------------------- */

static double
sum_squares(const float *values, int64_t n)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += (double)values[i] * (double)values[i];
  return sum;
}

static bool
finish_gradients(CwTrainWork *work, CwTrainStep *result, GError **error)
{
  const CwParameters *p = work->parameters;
  int64_t n = p->n_layers * p->n_features;
  double norm2 = cw_sum_doubles(work->row_norm2, n);
  Slopes slopes = { work, result->l0_coefficient / (double)work->n_tokens,
                    work->settings->dead_penalty_coef / (double)work->n_tokens };
  cwk_parallel_for(work->device, p->n_layers, slope_layer, &slopes);
  if (cw_train_work_is_through_all(work) && !cw_dense_band_encoder(work, error))
    return false;
  g_autofree CwkSparseRowsPart *parts = rows_parts(work, true);
  const CwkSparseRowsArgs args = { p->n_layers, parts };
  if (!cw_train_check_status(cwk_sparse_gradient_norm(work->device, &args),
                             "measuring gradients", error))
    return false;
  norm2 += cw_sum_doubles(work->row_norm2, n) + sum_squares(work->bias_gradient, n) +
           sum_squares(work->threshold_gradient, n) +
           sum_squares(work->column_sums, p->n_layers * cw_parameters_padded_width(p));
  result->grad_norm = sqrt(norm2);
  return true;
}

bool
cw_train_work_backward(CwTrainWork *work, CwTrainStep *result, GError **error)
{
  if (!cw_train_work_measure(work, result, error))
    return false;
  prepare_adjoint(work, result);
  return pull_back(work, error) && finish_gradients(work, result, error);
}

static bool
update_rows(CwTrainWork *work, bool is_encoder, float factor, const CwkAdam *adam,
            GError **error)
{
  g_autofree CwkSparseRowsPart *parts = rows_parts(work, is_encoder);
  for (int64_t l = 0; is_encoder && l < work->parameters->n_layers; l++)
    parts[l].norm2 = NULL;
  const CwkSparseAdamArgs args = { work->parameters->n_layers, parts, factor, *adam };
  return cw_train_check_status(cwk_sparse_adam(work->device, &args), "updating rows", error);
}

static bool
update_values(CwTrainWork *work, CwMoments *moments, const float *gradient, int64_t n,
              float factor, const CwkAdam *adam, GError **error)
{
  const CwkAdamArgs args = {
    n, gradient, moments->value, moments->m, moments->v, factor, *adam
  };
  return cw_train_check_status(cwk_adam(work->device, &args), "updating biases", error);
}

bool
cw_train_work_update(CwTrainWork *work, const CwTrainStep *result, GError **error)
{
  const CwTrainSettings *s = work->settings;
  CwParameters *p = work->parameters;
  int64_t n = p->n_layers * p->n_features, t = result->step + 1;
  /* PyTorch's clip_grad_norm_. */
  double limit = s->grad_clip_norm > 0 ? s->grad_clip_norm / (result->grad_norm + 1e-6) : 1;
  float factor = (float)MIN(limit, 1);
  const CwkAdam adam = {
    .beta1 = (float)s->adam_beta1,
    .beta2 = (float)s->adam_beta2,
    .step_size = (float)(result->lr / (1 - pow(s->adam_beta1, (double)t))),
    .inverse_root_correction = (float)(1 / sqrt(1 - pow(s->adam_beta2, (double)t))),
    .epsilon = (float)s->adam_eps,
  };
  if (!update_rows(work, true, factor, &adam, error) ||
      !update_rows(work, false, factor, &adam, error) ||
      !update_values(work, &p->bias, work->bias_gradient, n, factor, &adam, error) ||
      !update_values(work, &p->decoder_bias, work->column_sums,
                     p->n_layers * cw_parameters_padded_width(p), factor, &adam, error))
    return false;
  if (s->activation == CW_TRAIN_JUMPRELU &&
      !update_values(work, &p->log_threshold, work->threshold_gradient, n, factor, &adam,
                     error))
    return false;
  for (int64_t i = 0; i < n; i++) {
    p->norm[i] = (float)sqrt(work->row_norm2[i]);
    if (s->activation == CW_TRAIN_JUMPRELU)
      p->threshold[i] = expf(p->log_threshold.value[i]);
    p->silent_steps[i] = work->n_active[i] > 0 ? 0 : p->silent_steps[i] + 1;
  }
  return true;
}
