/* train-work.c - the memory of a step: what lies between its passes. */
#include "train/train-work.h"

#include <stdlib.h>
#include <string.h>

#include "train/dense-band.h"

static float *
floats(int64_t n)
{
  void *memory = NULL;
  return posix_memalign(&memory, 64, (size_t)MAX(n, 1) * sizeof(float)) == 0 ? memory : NULL;
}

bool
cw_train_work_is_through_all(const CwTrainWork *work)
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
    if (cw_train_work_is_through_all(work))
      ok = (entries->firing_first = g_try_new0(int64_t, p->n_features + 1)) != NULL && ok;
  }
  return ok && (!cw_train_work_is_through_all(work) || cw_dense_band_init(&work->dense, p));
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
bool
cw_train_work_reserve_entries(CwTrainWork *work, int64_t l, int64_t n, GError **error)
{
  CwLayerEntries *entries = &work->entries[l];
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
  ok = reserve_firing(entries, cw_train_work_is_through_all(work), capacity) && ok;
  if (!ok) {
    free_entries(entries);
    return no_memory(work, error);
  }
  entries->capacity = capacity;
  return true;
}

bool
cw_train_check_status(CwkStatus status, const char *doing, GError **error)
{
  if (status == CWK_OK)
    return true;
  cw_error_set_from_status(error, status, doing);
  return false;
}
