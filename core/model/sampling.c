/* sampling.c - see sampling.h.
 *
 * top_k keeps the k largest logits, top_p of those the fewest whose probabilities reach p
 * (Holtzman and others, 10.48550/arXiv.1904.09751). Sums are in double and in a fixed order. */
#include "model/sampling.h"

#include <math.h>
#include <stdlib.h>

bool
cw_sampling_check(const CwSampling *sampling, GError **error)
{
  if (sampling->temperature >= 0 && isfinite(sampling->temperature) && sampling->top_k >= 0 &&
      sampling->top_p > 0 && sampling->top_p <= 1)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
              "Sampling with temperature %g, top k %" G_GINT64_FORMAT
              " and top p %g: temperature and k must not be negative, p lies in (0, 1]",
              (double)sampling->temperature, sampling->top_k, (double)sampling->top_p);
  return false;
}

static int32_t
find_largest(const float *logits, int64_t n)
{
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (logits[i] > logits[best])
      best = i;
  return (int32_t)best;
}

/* A total order, so that no logits can lead the selection astray: NaN counts as the least. */
static int
compare_logits(const void *a, const void *b, void *user_data)
{
  const float *logits = user_data;
  int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  float x = isnan(logits[i]) ? -INFINITY : logits[i];
  float y = isnan(logits[j]) ? -INFINITY : logits[j];
  if (x != y)
    return x > y ? -1 : 1;
  return i < j ? -1 : i > j;
}

/* Moves what goes before order[k], in the order of compare_logits, in front of it. */
static void
select_first(int32_t *order, int64_t n, int64_t k, const float *logits)
{
  int64_t low = 0, high = n - 1;
  while (low < high) {
    int32_t pivot = order[low + (high - low) / 2];
    int64_t i = low, j = high;
    while (i <= j) {
      while (compare_logits(&order[i], &pivot, (void *)logits) < 0)
        i++;
      while (compare_logits(&order[j], &pivot, (void *)logits) > 0)
        j--;
      if (i <= j) {
        int32_t swapped = order[i];
        order[i++] = order[j];
        order[j--] = swapped;
      }
    }
    if (k <= j)
      high = j;
    else if (k >= i)
      low = i;
    else
      return;
  }
}

int32_t
cw_sampling_draw(const CwSampling *sampling, const float *logits, int64_t n, int32_t *order,
                 CwRng *rng)
{
  int32_t largest = find_largest(logits, n);
  if (sampling->temperature == 0)
    return largest;
  double scale = 1.0 / (double)sampling->temperature, top = (double)logits[largest];
  for (int64_t i = 0; i < n; i++)
    order[i] = (int32_t)i;
  int64_t n_kept = sampling->top_k > 0 ? MIN(sampling->top_k, n) : n;
  if (n_kept < n)
    select_first(order, n, n_kept - 1, logits);
  if (n_kept < n || sampling->top_p < 1)
    qsort_r(order, (size_t)n_kept, sizeof *order, compare_logits, (void *)logits);
  double sum = 0, reached = 0;
  for (int64_t i = 0; i < n_kept; i++)
    sum += exp(((double)logits[order[i]] - top) * scale);
  double wanted = (double)sampling->top_p * sum;
  int64_t n_drawn = 0;
  while (n_drawn < n_kept && (n_drawn == 0 || reached < wanted))
    reached += exp(((double)logits[order[n_drawn++]] - top) * scale);
  double target = cw_rng_next_uniform(rng) * reached, passed = 0;
  for (int64_t i = 0; i < n_drawn; i++) {
    passed += exp(((double)logits[order[i]] - top) * scale);
    if (target < passed)
      return order[i];
  }
  return order[n_drawn - 1];
}
