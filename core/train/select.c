/* select.c - see select.h.
 *
 * BatchTopK (Bussmann and others, arXiv 2412.06410) takes the k B largest of a layer's F B
 * pre-activations, TopK (Gao and others, arXiv 2406.04093) the k largest of each token. Values
 * equal to the smallest are all taken, which happens to repeated tokens only. */
#include "train/select.h"

#include <math.h>
#include <string.h>

#include "train/settings.h"

#define THRESHOLD_MEMORY 0.99f /* of the exponential mean */
#define N_BINS           (1 << 16)
#define BIN_SHIFT        15 /* of a positive float's 31 bits */

typedef struct {
  CwTrainWork *work;
  float *scratch; /* [L, max(F, ...)] per layer: F values, or F B for batchtopk */
  int64_t scratch_floats;
} Selection;

/* Moves the n_top largest of values to its front (Hoare's selection); returns the smallest of
 * them. 1 <= n_top <= n. */
static float
select_largest(float *values, int64_t n, int64_t n_top)
{
  int64_t low = 0, high = n - 1, k = n_top - 1;
  while (low < high) {
    float pivot = values[low + (high - low) / 2];
    int64_t i = low, j = high;
    while (i <= j) {
      while (values[i] > pivot)
        i++;
      while (values[j] < pivot)
        j--;
      if (i <= j) {
        float kept = values[i];
        values[i++] = values[j];
        values[j--] = kept;
      }
    }
    if (k <= j)
      high = j;
    else if (k >= i)
      low = i;
    else
      break;
  }
  return values[k];
}

static void
mark(CwTrainWork *work, int64_t at, int64_t b, bool is_active)
{
  uint64_t bit = (uint64_t)1 << (b % 64);
  uint64_t *word = &work->active[at * work->n_words + b / 64];
  *word = is_active ? *word | bit : *word & ~bit;
}

static float
choose_of_batch(Selection *job, int64_t l, float *scratch)
{
  CwTrainWork *work = job->work;
  int64_t n = work->parameters->n_features, n_tokens = work->n_tokens, total = n * n_tokens;
  const float *pre = work->pre + l * total;
  memcpy(scratch, pre, (size_t)total * sizeof *pre);
  int64_t n_top = MIN(cw_train_settings_k(work->settings, l) * n_tokens, total);
  float limit = select_largest(scratch, total, n_top);
  for (int64_t i = 0; i < n; i++)
    for (int64_t b = 0; b < n_tokens; b++) {
      float h = pre[i * n_tokens + b];
      mark(work, l * n + i, b, h >= limit && h > 0);
    }
  return MAX(limit, 0);
}

static float
choose_of_tokens(Selection *job, int64_t l, float *scratch)
{
  CwTrainWork *work = job->work;
  int64_t n = work->parameters->n_features, n_tokens = work->n_tokens;
  const float *pre = work->pre + l * n * n_tokens;
  int64_t k = MIN(cw_train_settings_k(work->settings, l), n);
  double sum = 0;
  for (int64_t b = 0; b < n_tokens; b++) {
    for (int64_t i = 0; i < n; i++)
      scratch[i] = pre[i * n_tokens + b];
    float limit = select_largest(scratch, n, k);
    for (int64_t i = 0; i < n; i++) {
      float h = pre[i * n_tokens + b];
      mark(work, l * n + i, b, h >= limit && h > 0);
    }
    sum += (double)MAX(limit, 0);
  }
  return (float)(sum / (double)n_tokens);
}

static void
count_active(CwTrainWork *work, int64_t at)
{
  int64_t n_active = 0;
  for (int64_t w = 0; w < work->n_words; w++)
    n_active += __builtin_popcountll(work->active[at * work->n_words + w]);
  work->n_active[at] = n_active;
  work->n_band[at] = 0;
}

static void
move_threshold(CwParameters *p, int64_t at, float limit)
{
  float kept = p->threshold[at];
  p->threshold[at] = MAX(THRESHOLD_MEMORY * kept + (1 - THRESHOLD_MEMORY) * limit, 1e-30f);
  p->log_threshold.value[at] = logf(p->threshold[at]);
}

static void
choose_layer(void *data, int64_t l)
{
  Selection *job = data;
  CwTrainWork *work = job->work;
  CwParameters *p = work->parameters;
  float *scratch = job->scratch + l * job->scratch_floats;
  float limit = work->settings->activation == CW_TRAIN_BATCH_TOPK
                    ? choose_of_batch(job, l, scratch)
                    : choose_of_tokens(job, l, scratch);
  for (int64_t i = l * p->n_features; i < (l + 1) * p->n_features; i++) {
    count_active(work, i);
    move_threshold(p, i, limit);
  }
}

/* ---- of all layers ------------------------------------------------------------------------
 *
 * The limit of L F B scores, exactly and on all threads: positive floats order as their bits
 * do, so a histogram of their upper bits finds the bin that holds the limit, and only that
 * bin's scores are looked at again. */

typedef struct {
  CwTrainWork *work;
  uint32_t *counts; /* [L, N_BINS] */
  float *scores;    /* of the bin, layer by layer */
  int64_t *first;   /* [L + 1] into scores */
  uint32_t bin;
  float limit;
} Together;

static float
score(const CwTrainWork *work, int64_t at, int64_t b)
{
  return work->pre[at * work->n_tokens + b] * work->parameters->norm[at];
}

static uint32_t
bin_of(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits >> BIN_SHIFT;
}

static void
count_bins(void *data, int64_t l)
{
  const Together *job = data;
  const CwTrainWork *work = job->work;
  int64_t n = work->parameters->n_features;
  uint32_t *counts = job->counts + l * N_BINS;
  memset(counts, 0, N_BINS * sizeof *counts);
  for (int64_t at = l * n; at < (l + 1) * n; at++)
    for (int64_t b = 0; b < work->n_tokens; b++) {
      float value = score(work, at, b);
      if (value > 0)
        counts[bin_of(value)]++;
    }
}

static void
gather_bin(void *data, int64_t l)
{
  const Together *job = data;
  const CwTrainWork *work = job->work;
  int64_t n = work->parameters->n_features, to = job->first[l];
  for (int64_t at = l * n; at < (l + 1) * n; at++)
    for (int64_t b = 0; b < work->n_tokens; b++) {
      float value = score(work, at, b);
      if (value > 0 && bin_of(value) == job->bin)
        job->scores[to++] = value;
    }
}

static void
mark_together(void *data, int64_t l)
{
  const Together *job = data;
  CwTrainWork *work = job->work;
  CwParameters *p = work->parameters;
  for (int64_t at = l * p->n_features; at < (l + 1) * p->n_features; at++) {
    for (int64_t b = 0; b < work->n_tokens; b++) {
      float value = score(work, at, b);
      mark(work, at, b, value >= job->limit && value > 0);
    }
    count_active(work, at);
    if (p->norm[at] > 0)
      move_threshold(p, at, job->limit / p->norm[at]);
  }
}

/* The bin that the n_top largest scores end in, and how many of it they take; -1 if there are
 * not as many positive scores. */
static int64_t
find_bin(Together *job, int64_t n_top)
{
  int64_t n_layers = job->work->parameters->n_layers, left = n_top;
  for (int64_t bin = N_BINS - 1; bin >= 0; bin--) {
    int64_t here = 0;
    for (int64_t l = 0; l < n_layers; l++)
      here += job->counts[l * N_BINS + bin];
    if (here >= left) {
      job->bin = (uint32_t)bin;
      for (int64_t l = 0; l < n_layers; l++)
        job->first[l + 1] = job->first[l] + job->counts[l * N_BINS + bin];
      return left;
    }
    left -= here;
  }
  return -1;
}

static bool
select_together(CwTrainWork *work)
{
  int64_t n_layers = work->parameters->n_layers;
  int64_t n_top = work->settings->k * n_layers * work->n_tokens;
  Together job = { .work = work,
                   .counts = g_try_new(uint32_t, n_layers * N_BINS),
                   .first = g_new0(int64_t, n_layers + 1) };
  bool is_done = job.counts != NULL;
  if (is_done) {
    cwk_parallel_for(work->device, n_layers, count_bins, &job);
    int64_t left = find_bin(&job, n_top);
    job.scores = g_try_new(float, MAX(job.first[n_layers], 1));
    is_done = job.scores != NULL;
    if (is_done && left > 0) {
      cwk_parallel_for(work->device, n_layers, gather_bin, &job);
      job.limit = select_largest(job.scores, job.first[n_layers], left);
    }
  }
  if (is_done)
    cwk_parallel_for(work->device, n_layers, mark_together, &job);
  g_free(job.counts);
  g_free(job.scores);
  g_free(job.first);
  return is_done;
}

static bool
no_memory(const CwTrainWork *work, GError **error)
{
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "no memory to choose among %d features of %d tokens; take a smaller batch",
              (int)work->parameters->n_features, (int)work->n_tokens);
  return false;
}

bool
cw_select_top(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  if (work->settings->activation == CW_TRAIN_ALL_TOPK)
    return select_together(work) || no_memory(work, error);
  bool is_batch = work->settings->activation == CW_TRAIN_BATCH_TOPK;
  Selection job = { work, NULL, is_batch ? p->n_features * work->n_tokens : p->n_features };
  job.scratch = g_try_new(float, p->n_layers *job.scratch_floats);
  if (job.scratch == NULL)
    return no_memory(work, error);
  cwk_parallel_for(work->device, p->n_layers, choose_layer, &job);
  g_free(job.scratch);
  return true;
}
