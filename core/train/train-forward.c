/* train-forward.c - a batch through the transcoder: activations, prediction, losses.
 *
 * The one dense product is the encoder's; decoding runs over the active entries. What is listed
 * as an entry is what later passes have work with: the active ones, and where all that stands
 * before the jump learns, the bandwidth's inactive ones too, see dense-band.c. */
#include "train/train-forward.h"

#include "train/select.h"

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
  return cw_train_check_status(cwk_matmul_batch(work->device, &args), "encoding", error);
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
  if (!cw_train_check_status(cwk_gate(work->device, &args), "gating", error))
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
count_entries(CwTrainWork *work, int64_t l, GError **error)
{
  int64_t n = work->parameters->n_features, sum = 0;
  CwLayerEntries *entries = &work->entries[l];
  for (int64_t i = 0; i < n; i++) {
    entries->first[i] = sum;
    if (!cw_train_work_is_through_all(work)) {
      sum += work->n_active[l * n + i];
      continue;
    }
    list_band(work, l, i);
    for (int64_t w = 0; w < work->n_words; w++)
      sum += __builtin_popcountll(work->active[(l * n + i) * work->n_words + w]);
  }
  entries->first[n] = sum;
  return cw_train_work_reserve_entries(work, l, sum, error);
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
    if (!count_entries(work, l, error))
      return false;
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
  if (!cw_train_check_status(cwk_active_lists(work->device, &args), "listing active features",
                             error))
    return false;
  if (cw_train_work_is_through_all(work)) {
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
  return cw_train_check_status(cwk_sparse_decode(work->device, &args), "decoding", error);
}

bool
cw_train_work_forward(CwTrainWork *work, GError **error)
{
  return cw_train_work_encode(work, error) && gate(work, error) && list_active(work, error) &&
         decode(work, error);
}

/* ---- losses and numbers ----------------------------------------------------------------- */

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
  return cw_train_check_status(cwk_tanh_penalty(work->device, &args),
                               "weighing active features", error);
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
  return cw_train_check_status(cwk_residual(work->device, &args), "comparing with the outputs",
                               error);
}

double
cw_sum_doubles(const double *values, int64_t n)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += values[i];
  return sum;
}

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
