/* train-step.c - one step of training, exact, with work in proportion to what is active.
 *
 * The one dense product is the encoder's. Decoding, the gradients of decoder and encoder rows
 * and their updates run over the active entries. Two gradients reach further:
 *
 * - thresholds learn from all entries within the bandwidth. What they need of the decoder is
 *   only sum over the band of dL/dy . w = (sum over the band of dL/dy) . w, see
 *   cwk_sparse_adjoint; where all that stands before the jump learns, every entry needs its
 * own, see dense-band.c;
 * - the penalty on dead features pulls every inactive entry alike, by -dead_penalty_coef n / B
 *   per unit of pre-activation: all of them together are the sum over all tokens less the
 *   active ones, a rank-one term and a correction to the entries' coefficients.
 *
 * Both penalties depend on decoder rows through their norm alone and add a multiple of the row
 * to its gradient. Gradients of rows are not stored: their norm is summed in the backward pass,
 * and the update sums them again once the clipping factor is known. */
#include "train/train-step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/dense-band.h"
#include "train/select.h"

/* ---- memory ------------------------------------------------------------------------------ */

static float *
floats(int64_t n)
{
  void *memory = NULL;
  return posix_memalign(&memory, 64, (size_t)MAX(n, 1) * sizeof(float)) == 0 ? memory : NULL;
}

static bool
is_through_all(const CwTrainWork *work)
{
  return work->settings->straight_through == CW_THROUGH_ALL;
}

static bool
allocate(CwTrainWork *work)
{
  const CwParameters *p = work->parameters;
  int64_t n = p->n_layers * p->n_features, rows = p->n_layers * work->n_tokens;
  int64_t padded = cw_parameters_padded_width(p), n_words = n * work->n_words;
  bool ok = true;
  work->in = floats(rows * padded);
  work->out = floats(rows * p->width);
  if (work->settings->outlier_norm > 0)
    ok = (work->weight = floats(rows)) != NULL;
  work->pre = floats(n * work->n_tokens);
  work->prediction = floats(rows * padded);
  work->in_sum = floats(p->n_layers * padded);
  work->column_sums = floats(p->n_layers * padded);
  float **per_feature[] = { &work->weight_scale, &work->shift_scale, &work->bias_gradient,
                            &work->threshold_gradient };
  double **sums[] = { &work->shortfall, &work->tanh_sum, &work->norm_sum,
                      &work->band_sum,  &work->band_dot, &work->row_norm2 };
  ok = ok && work->in && work->out && work->pre && work->prediction && work->in_sum &&
       work->column_sums;
  for (size_t i = 0; i < G_N_ELEMENTS(per_feature); i++)
    ok = (*per_feature[i] = floats(n)) != NULL && ok;
  for (size_t i = 0; i < G_N_ELEMENTS(sums); i++)
    ok = (*sums[i] = g_try_new0(double, n)) != NULL && ok;
  work->active = g_try_new0(uint64_t, n_words);
  work->band = g_try_new0(uint64_t, n_words);
  work->n_active = g_try_new0(int64_t, n);
  work->n_band = g_try_new0(int64_t, n);
  work->square_errors = g_try_new0(double, p->n_layers * p->n_tiles);
  work->weighted_errors = g_try_new0(double, p->n_layers * p->n_tiles);
  work->square_deviations = g_try_new0(double, p->n_layers * p->n_tiles);
  work->layer_explained_variance = g_try_new0(double, p->n_layers);
  work->layer_l0 = g_try_new0(double, p->n_layers);
  work->layer_dead = g_try_new0(int64_t, p->n_layers);
  work->entries = g_try_new0(CwLayerEntries, p->n_layers);
  ok = ok && work->active && work->band && work->n_active && work->n_band &&
       work->square_errors && work->weighted_errors && work->square_deviations &&
       work->layer_explained_variance && work->layer_l0 && work->layer_dead && work->entries;
  for (int64_t l = 0; ok && l < p->n_layers; l++) {
    CwLayerEntries *entries = &work->entries[l];
    entries->first = entries->firing_first = g_try_new0(int64_t, p->n_features + 1);
    entries->token_first = g_try_new0(int64_t, work->n_tokens + 1);
    ok = entries->first != NULL && entries->token_first != NULL;
    if (is_through_all(work))
      ok = (entries->firing_first = g_try_new0(int64_t, p->n_features + 1)) != NULL && ok;
  }
  return ok && (!is_through_all(work) || cw_dense_band_init(&work->dense, p));
}

static bool
no_memory(const CwTrainWork *work, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "no memory for a step of %d tokens; take a smaller batch", (int)work->n_tokens);
  return false;
}

bool
cw_train_work_init(CwTrainWork *work, CwParameters *parameters, const CwTrainSettings *settings,
                   CwkDevice *device, GError **error)
{
  int64_t n_tokens = settings->batch * settings->gradient_accumulation_steps;
  *work = (CwTrainWork){ .parameters = parameters,
                         .settings = settings,
                         .device = device,
                         .n_tokens = n_tokens,
                         .n_words = (n_tokens + 63) / 64 };
  if (allocate(work)) {
    int64_t rows = parameters->n_layers * n_tokens;
    memset(work->in, 0,
           (size_t)(rows * cw_parameters_padded_width(parameters)) * sizeof(float));
    return true;
  }
  cw_train_work_clear(work);
  work->n_tokens = n_tokens;
  return no_memory(work, error);
}

static void
free_entries(CwLayerEntries *entries)
{
  if (entries->firing_token != entries->token) {
    g_free(entries->firing_token);
    g_free(entries->firing_value);
    g_free(entries->firing_adjoint);
  }
  entries->firing_token = NULL;
  entries->firing_value = entries->firing_adjoint = NULL;
  g_free(entries->token);
  g_free(entries->value);
  g_free(entries->derivative);
  g_free(entries->adjoint);
  g_free(entries->feature);
  g_free(entries->token_value);
  entries->token = entries->feature = NULL;
  entries->value = entries->derivative = entries->adjoint = entries->token_value = NULL;
  entries->capacity = 0;
}

void
cw_train_work_clear(CwTrainWork *work)
{
  cw_dense_band_clear(&work->dense);
  for (int64_t l = 0; work->entries != NULL && l < work->parameters->n_layers; l++) {
    CwLayerEntries *entries = &work->entries[l];
    free_entries(entries);
    if (entries->firing_first != entries->first)
      g_free(entries->firing_first);
    g_free(entries->first);
    g_free(entries->token_first);
  }
  void *aligned[] = { work->in,
                      work->out,
                      work->weight,
                      work->pre,
                      work->prediction,
                      work->in_sum,
                      work->column_sums,
                      work->weight_scale,
                      work->shift_scale,
                      work->bias_gradient,
                      work->threshold_gradient };
  for (size_t i = 0; i < G_N_ELEMENTS(aligned); i++)
    free(aligned[i]);
  void *plain[] = { work->shortfall,
                    work->tanh_sum,
                    work->norm_sum,
                    work->band_sum,
                    work->band_dot,
                    work->row_norm2,
                    work->active,
                    work->band,
                    work->n_active,
                    work->n_band,
                    work->square_errors,
                    work->weighted_errors,
                    work->square_deviations,
                    work->layer_explained_variance,
                    work->layer_l0,
                    work->layer_dead,
                    work->entries };
  for (size_t i = 0; i < G_N_ELEMENTS(plain); i++)
    g_free(plain[i]);
  memset(work, 0, sizeof *work);
}

/* What is listed apart where it is not the same. */
static bool
reserve_firing(CwLayerEntries *entries, bool is_apart, int64_t capacity)
{
  entries->firing_token = is_apart ? g_try_new(int32_t, capacity) : entries->token;
  entries->firing_value = is_apart ? g_try_new(float, capacity) : entries->value;
  entries->firing_adjoint = is_apart ? g_try_new(float, capacity) : entries->adjoint;
  return entries->firing_token && entries->firing_value && entries->firing_adjoint;
}

/* A tenth more than asked for, so that small changes from step to step ask for nothing. */
static bool
reserve_entries(CwLayerEntries *entries, bool is_apart, int64_t n)
{
  entries->n_entries = n;
  if (n <= entries->capacity)
    return true;
  free_entries(entries);
  int64_t capacity = n + n / 10 + 16;
  entries->token = g_try_new(int32_t, capacity);
  entries->feature = g_try_new(int32_t, capacity);
  entries->value = g_try_new(float, capacity);
  entries->derivative = g_try_new(float, capacity);
  entries->adjoint = g_try_new(float, capacity);
  entries->token_value = g_try_new(float, capacity);
  bool ok = entries->token && entries->feature && entries->value && entries->derivative &&
            entries->adjoint && entries->token_value;
  ok = reserve_firing(entries, is_apart, capacity) && ok;
  if (ok)
    entries->capacity = capacity;
  else
    free_entries(entries);
  return ok;
}

/* ---- forward ----------------------------------------------------------------------------- */

static bool
check(CwkStatus status, const char *doing, GError **error)
{
  if (status == CWK_OK)
    return true;
  cw_error_set_from_status(error, status, doing);
  return false;
}

bool
cw_train_work_encode(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  int64_t padded = cw_parameters_padded_width(p), n_features = p->n_features;
  g_autofree CwkMatmulArgs *products = g_new0(CwkMatmulArgs, p->n_layers);
  for (int64_t l = 0; l < p->n_layers; l++)
    products[l] = (CwkMatmulArgs){
      .m = n_features,
      .n = work->n_tokens,
      .k = padded,
      .a = { .data = p->encoder.value + l * n_features * padded, .stride = padded },
      .b = { .data = work->in + l * work->n_tokens * padded,
             .dtype = CWK_F32,
             .n_rows = work->n_tokens,
             .n_cols = padded,
             .row_bytes = (size_t)padded * sizeof(float) },
      .b_layout = CWK_B_ROWS_ARE_OUTPUTS,
      .c = { .data = work->pre + l * n_features * work->n_tokens, .stride = work->n_tokens },
    };
  const CwkMatmulBatchArgs args = { p->n_layers, products };
  return check(cwk_matmul_batch(work->device, &args), "encoding", error);
}

static bool
gate(CwTrainWork *work, GError **error)
{
  CwParameters *p = work->parameters;
  int64_t n = p->n_features;
  g_autofree CwkGatePart *parts = g_new0(CwkGatePart, p->n_layers);
  for (int64_t l = 0; l < p->n_layers; l++)
    parts[l] = (CwkGatePart){
      .n_features = n,
      .n_tokens = work->n_tokens,
      .pre = work->pre + l * n * work->n_tokens,
      .bias = p->bias.value + l * n,
      .threshold = p->threshold + l * n,
      .half_band = (float)(work->settings->jumprelu_bandwidth / 2),
      .active = work->active + l * n * work->n_words,
      .band = work->band + l * n * work->n_words,
      .n_active = work->n_active + l * n,
      .n_band = work->n_band + l * n,
      .shortfall = work->shortfall + l * n,
    };
  const CwkGateArgs args = { p->n_layers, parts };
  if (!check(cwk_gate(work->device, &args), "gating", error))
    return false;
  if (work->settings->activation == CW_TRAIN_JUMPRELU)
    return true;
  return cw_select_top(work, error);
}

/* Where all that stands before the jump learns, the band's inactive entries are listed too,
 * with an activation of 0. */
static void
list_band(CwTrainWork *work, int64_t l, int64_t i)
{
  int64_t at = (l * work->parameters->n_features + i) * work->n_words;
  for (int64_t w = 0; w < work->n_words; w++)
    work->active[at + w] |= work->band[at + w];
}

static bool
count_entries(CwTrainWork *work, int64_t l)
{
  int64_t n = work->parameters->n_features, sum = 0;
  CwLayerEntries *entries = &work->entries[l];
  for (int64_t i = 0; i < n; i++) {
    entries->first[i] = sum;
    if (!is_through_all(work)) {
      sum += work->n_active[l * n + i];
      continue;
    }
    list_band(work, l, i);
    for (int64_t w = 0; w < work->n_words; w++)
      sum += __builtin_popcountll(work->active[(l * n + i) * work->n_words + w]);
  }
  entries->first[n] = sum;
  return reserve_entries(entries, is_through_all(work), sum);
}

/* What fires is listed apart; decoders have nothing to do with the rest. */
static void
list_firing(void *data, int64_t l)
{
  CwTrainWork *work = data;
  CwLayerEntries *entries = &work->entries[l];
  const float *threshold = work->parameters->threshold + l * work->parameters->n_features;
  int64_t n = 0, n_features = work->parameters->n_features;
  for (int64_t i = 0; i < n_features; i++) {
    entries->firing_first[i] = n;
    for (int64_t e = entries->first[i]; e < entries->first[i + 1]; e++) {
      if (!(entries->value[e] > threshold[i])) {
        entries->value[e] = 0;
        continue;
      }
      entries->firing_token[n] = entries->token[e];
      entries->firing_adjoint[n] = 0;
      entries->firing_value[n++] = entries->value[e];
    }
  }
  entries->firing_first[n_features] = n;
}

/* The same of the lists by token, in their place. */
static void
drop_silent(void *data, int64_t l)
{
  CwTrainWork *work = data;
  CwLayerEntries *entries = &work->entries[l];
  const float *threshold = work->parameters->threshold + l * work->parameters->n_features;
  int64_t n = 0, from = 0;
  for (int64_t b = 0; b < work->n_tokens; b++) {
    int64_t end = entries->token_first[b + 1];
    entries->token_first[b] = n;
    for (; from < end; from++)
      if (entries->token_value[from] > threshold[entries->feature[from]]) {
        entries->feature[n] = entries->feature[from];
        entries->token_value[n++] = entries->token_value[from];
      }
  }
  entries->token_first[work->n_tokens] = n;
}

static bool
list_active(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  g_autofree CwkActiveListsPart *parts = g_new0(CwkActiveListsPart, p->n_layers);
  for (int64_t l = 0; l < p->n_layers; l++) {
    CwLayerEntries *entries = &work->entries[l];
    if (!count_entries(work, l))
      return no_memory(work, error);
    parts[l] = (CwkActiveListsPart){
      .n_features = p->n_features,
      .n_tokens = work->n_tokens,
      .pre = work->pre + l * p->n_features * work->n_tokens,
      .active = work->active + l * p->n_features * work->n_words,
      .first = entries->first,
      .token = entries->token,
      .value = entries->value,
      .token_first = entries->token_first,
      .feature = entries->feature,
      .token_value = entries->token_value,
    };
  }
  const CwkActiveListsArgs args = { p->n_layers, parts };
  if (!check(cwk_active_lists(work->device, &args), "listing active features", error))
    return false;
  if (is_through_all(work)) {
    cwk_parallel_for(work->device, p->n_layers, list_firing, work);
    cwk_parallel_for(work->device, p->n_layers, drop_silent, work);
  }
  return true;
}

static bool
decode(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  g_autofree CwkDecodeSource *sources = g_new0(CwkDecodeSource, p->n_layers);
  for (int64_t l = 0; l < p->n_layers; l++)
    sources[l] = (CwkDecodeSource){
      .n_features = p->n_features,
      .entries = { work->entries[l].token_first, work->entries[l].feature },
      .value = work->entries[l].token_value,
      .weight = p->decoder.value + cw_parameters_decoder_offset(p, l),
    };
  const CwkSparseDecodeArgs args = { .n_targets = p->n_layers,
                                     .n_tokens = work->n_tokens,
                                     .n_tiles = p->n_tiles,
                                     .is_cross_layer = p->is_cross_layer,
                                     .sources = sources,
                                     .bias = p->decoder_bias.value,
                                     .out = work->prediction };
  return check(cwk_sparse_decode(work->device, &args), "decoding", error);
}

bool
cw_train_work_forward(CwTrainWork *work, GError **error)
{
  return cw_train_work_encode(work, error) && gate(work, error) && list_active(work, error) &&
         decode(work, error);
}

/* ---- backward ---------------------------------------------------------------------------- */

static bool
penalise(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  int64_t n = p->n_features;
  g_autofree CwkTanhPenaltyPart *parts = g_new0(CwkTanhPenaltyPart, p->n_layers);
  for (int64_t l = 0; l < p->n_layers; l++)
    parts[l] = (CwkTanhPenaltyPart){
      .n_features = n,
      .entries = { work->entries[l].first, work->entries[l].token },
      .value = work->entries[l].value,
      .norm = p->norm + l * n,
      .threshold = p->threshold + l * n,
      .half_band = (float)(work->settings->jumprelu_bandwidth / 2),
      .scale = (float)work->settings->tanh_scale,
      .sum = work->tanh_sum + l * n,
      .norm_sum = work->norm_sum + l * n,
      .band_sum = work->band_sum + l * n,
      .derivative = work->entries[l].derivative,
    };
  const CwkTanhPenaltyArgs args = { p->n_layers, parts };
  return check(cwk_tanh_penalty(work->device, &args), "weighing active features", error);
}

static bool
compare(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  const CwkResidualArgs args = { .n_targets = p->n_layers,
                                 .n_tokens = work->n_tokens,
                                 .n_tiles = p->n_tiles,
                                 .width = p->width,
                                 .prediction = work->prediction,
                                 .actual = work->out,
                                 .weight = work->weight,
                                 .factor = 2 / (float)work->n_tokens,
                                 .column_sums = work->column_sums,
                                 .square_errors = work->square_errors,
                                 .weighted_errors = work->weighted_errors,
                                 .square_deviations = work->square_deviations };
  return check(cwk_residual(work->device, &args), "comparing with the outputs", error);
}

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
  return is_through_all(work) && work->dense.is_dense[l];
}

static bool
pull_back(CwTrainWork *work, GError **error)
{
  if (is_through_all(work))
    cw_dense_band_choose(work);
  const CwParameters *p = work->parameters;
  int64_t n = p->n_features, tile_floats = work->n_tokens * CWK_TILE;
  bool has_band = work->settings->activation == CW_TRAIN_JUMPRELU && !is_through_all(work);
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
  return check(cwk_sparse_adjoint(work->device, &args), "going back through decoders", error) &&
         (!is_through_all(work) || cw_dense_band_adjoint(work, error));
}

/* ---- thresholds, biases, encoders ---------------------------------------------------------
 */

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
  if (is_through_all(work))
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
  return check(cwk_sparse_gradient_sum(work->device, &args), "summing over tokens", error);
}

double
cw_sum_doubles(const double *values, int64_t n)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += values[i];
  return sum;
}

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
  if (is_through_all(work) && !cw_dense_band_encoder(work, error))
    return false;
  g_autofree CwkSparseRowsPart *parts = rows_parts(work, true);
  const CwkSparseRowsArgs args = { p->n_layers, parts };
  if (!check(cwk_sparse_gradient_norm(work->device, &args), "measuring gradients", error))
    return false;
  norm2 += cw_sum_doubles(work->row_norm2, n) + sum_squares(work->bias_gradient, n) +
           sum_squares(work->threshold_gradient, n) +
           sum_squares(work->column_sums, p->n_layers * cw_parameters_padded_width(p));
  result->grad_norm = sqrt(norm2);
  return true;
}

/* ---- numbers ------------------------------------------------------------------------------
 */

static void
measure_layer(CwTrainWork *work, int64_t l, CwTrainStep *result)
{
  const CwParameters *p = work->parameters;
  double n_tokens = (double)work->n_tokens;
  double errors = cw_sum_doubles(work->square_errors + l * p->n_tiles, p->n_tiles) / n_tokens;
  double deviations =
      cw_sum_doubles(work->square_deviations + l * p->n_tiles, p->n_tiles) / n_tokens;
  int64_t n_active = 0, n_band = 0, n_dead = 0;
  for (int64_t i = l * p->n_features; i < (l + 1) * p->n_features; i++) {
    n_active += work->n_active[i];
    n_band += work->n_band[i];
    result->l0_loss += work->tanh_sum[i];
    result->dead_loss += work->shortfall[i] * (double)p->norm[i];
    n_dead +=
        work->n_active[i] == 0 && p->silent_steps[i] + 1 > work->settings->dead_feature_window;
  }
  result->mse += cw_sum_doubles(work->weighted_errors + l * p->n_tiles, p->n_tiles) / n_tokens;
  /* CLT-Forge's definition, its guard against a constant output included. */
  work->layer_explained_variance[l] = 1 - errors / (deviations + 1e-6);
  work->layer_l0[l] = (double)n_active / n_tokens;
  work->layer_dead[l] = n_dead;
  result->explained_variance += work->layer_explained_variance[l];
  result->l0 += work->layer_l0[l];
  result->dead += n_dead;
  result->band += (double)n_band / n_tokens / (double)p->n_features;
}

static void
measure(CwTrainWork *work, CwTrainStep *result)
{
  double n_layers = (double)work->parameters->n_layers, n_tokens = (double)work->n_tokens;
  result->mse = result->l0_loss = result->dead_loss = 0;
  result->l0 = result->explained_variance = result->band = 0;
  result->dead = 0;
  for (int64_t l = 0; l < work->parameters->n_layers; l++)
    measure_layer(work, l, result);
  result->l0_loss *= result->l0_coefficient / n_tokens;
  result->dead_loss *= work->settings->dead_penalty_coef / n_tokens;
  result->loss = result->mse + result->l0_loss + result->dead_loss;
  result->explained_variance /= n_layers;
  result->l0 /= n_layers;
  result->band /= n_layers;
  result->layer_explained_variance = work->layer_explained_variance;
  result->layer_l0 = work->layer_l0;
  result->layer_dead = work->layer_dead;
}

bool
cw_train_work_measure(CwTrainWork *work, CwTrainStep *result, GError **error)
{
  if (!cw_train_work_forward(work, error) || !penalise(work, error) || !compare(work, error))
    return false;
  measure(work, result);
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

/* ---- update -------------------------------------------------------------------------------
 */

static bool
update_rows(CwTrainWork *work, bool is_encoder, float factor, const CwkAdam *adam,
            GError **error)
{
  g_autofree CwkSparseRowsPart *parts = rows_parts(work, is_encoder);
  for (int64_t l = 0; is_encoder && l < work->parameters->n_layers; l++)
    parts[l].norm2 = NULL;
  const CwkSparseAdamArgs args = { work->parameters->n_layers, parts, factor, *adam };
  return check(cwk_sparse_adam(work->device, &args), "updating rows", error);
}

static bool
update_values(CwTrainWork *work, CwMoments *moments, const float *gradient, int64_t n,
              float factor, const CwkAdam *adam, GError **error)
{
  const CwkAdamArgs args = {
    n, gradient, moments->value, moments->m, moments->v, factor, *adam
  };
  return check(cwk_adam(work->device, &args), "updating biases", error);
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
