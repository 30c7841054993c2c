/* select.c - see select.h.
 *
 * BatchTopK (Bussmann and others, arXiv 2412.06410) takes the k B largest of a layer's F B
 * pre-activations, TopK (Gao and others, arXiv 2406.04093) the k largest of each token. Values
 * equal to the smallest are all taken, which happens to repeated tokens only. */
#include "train/select.h"

#include <math.h>
#include <string.h>

#define THRESHOLD_MEMORY 0.99f /* of the exponential mean */

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
  int64_t n_top = MIN(work->settings->k * n_tokens, total);
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
  double sum = 0;
  for (int64_t b = 0; b < n_tokens; b++) {
    for (int64_t i = 0; i < n; i++)
      scratch[i] = pre[i * n_tokens + b];
    float limit = select_largest(scratch, n, MIN(work->settings->k, n));
    for (int64_t i = 0; i < n; i++) {
      float h = pre[i * n_tokens + b];
      mark(work, l * n + i, b, h >= limit && h > 0);
    }
    sum += (double)MAX(limit, 0);
  }
  return (float)(sum / (double)n_tokens);
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
    int64_t n_active = 0;
    for (int64_t w = 0; w < work->n_words; w++)
      n_active += __builtin_popcountll(work->active[i * work->n_words + w]);
    work->n_active[i] = n_active;
    work->n_band[i] = 0;
    float kept = p->threshold[i];
    p->threshold[i] = MAX(THRESHOLD_MEMORY * kept + (1 - THRESHOLD_MEMORY) * limit, 1e-30f);
    p->log_threshold.value[i] = logf(p->threshold[i]);
  }
}

bool
cw_select_top(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  bool is_batch = work->settings->activation == CW_TRAIN_BATCH_TOPK;
  Selection job = { work, NULL, is_batch ? p->n_features * work->n_tokens : p->n_features };
  job.scratch = g_try_new(float, p->n_layers *job.scratch_floats);
  if (job.scratch == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "no memory to choose among %d features of %d tokens; take a smaller batch",
                (int)p->n_features, (int)work->n_tokens);
    return false;
  }
  cwk_parallel_for(work->device, p->n_layers, choose_layer, &job);
  g_free(job.scratch);
  return true;
}
