/* weighted-select.c - circuit-tracer sorts all scores, sums them up and looks where the sum
 * reaches the share asked for. The score found there is what we want, not the order: sums by
 * the upper 15 bits of the score tell the bucket, sums by its lower 16 bits the score. Sums are
 * in double, so scores of 24 bits add up exactly but for extreme ranges. */
#include "graph/weighted-select.h"

#include <string.h>

#define LOW_COUNT (1u << CW_SELECT_LOW_BITS)

bool
cw_select_init(CwSelect *select, GError **error)
{
  select->sum = g_try_malloc0_n(CW_SELECT_BUCKETS + LOW_COUNT, sizeof *select->sum);
  if (select->sum == NULL)
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory to select edges");
  return select->sum != NULL;
}

void
cw_select_reset(CwSelect *select)
{
  memset(select->sum, 0, CW_SELECT_BUCKETS * sizeof *select->sum);
}

void
cw_select_clear(CwSelect *select)
{
  g_free(select->sum);
  select->sum = NULL;
}

/* Walks down from the largest; *above gains what lies above the index returned, or -1. */
static int64_t
walk_down(const double *sum, uint32_t n, double goal, double *above)
{
  int64_t last = -1;
  for (int64_t i = (int64_t)n - 1; i >= 0; i--) {
    if (sum[i] <= 0)
      continue;
    if (*above + sum[i] >= goal)
      return i;
    *above += sum[i];
    last = i;
  }
  /* Rounding kept the sum below the goal: the smallest score there is, as if clamped. */
  if (last >= 0)
    *above -= sum[last];
  return last;
}

static float
float_of_bits(uint32_t u)
{
  union {
    uint32_t u;
    float f;
  } bits = { .u = u };
  return bits.f;
}

float
cw_select_threshold(const CwSelect *select, const float *scores, size_t n, double share)
{
  double total = 0, above = 0;
  for (int64_t i = CW_SELECT_BUCKETS - 1; i >= 0; i--)
    total += select->sum[i];
  int64_t bucket = walk_down(select->sum, CW_SELECT_BUCKETS, share * total, &above);
  if (bucket < 0)
    return 0;
  double *low = select->sum + CW_SELECT_BUCKETS;
  memset(low, 0, LOW_COUNT * sizeof *low);
  for (size_t i = 0; i < n; i++)
    if (cw_select_bits(scores[i]) >> CW_SELECT_LOW_BITS == (uint32_t)bucket)
      low[cw_select_bits(scores[i]) & (LOW_COUNT - 1)] += (double)scores[i];
  int64_t rest = walk_down(low, LOW_COUNT, share * total, &above);
  return float_of_bits((uint32_t)bucket << CW_SELECT_LOW_BITS | (uint32_t)MAX(rest, 0));
}
