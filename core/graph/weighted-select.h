/* weighted-select.h - the score at which a share of the total is reached, without sorting. */
#pragma once

#include "cw-base.h"

/* Sums of scores by the upper bits of their float form, filled as scores are made. */
typedef struct {
  double *sum; /* [CW_SELECT_BUCKETS] */
} CwSelect;

#define CW_SELECT_LOW_BITS 16
#define CW_SELECT_BUCKETS  (1u << (31 - CW_SELECT_LOW_BITS))

/* score >= 0 and finite: then its bits, read as an integer, are in the same order. */
static inline uint32_t
cw_select_bits(float score)
{
  union {
    float f;
    uint32_t u;
  } bits = { .f = score };
  return bits.u;
}

static inline void
cw_select_add(CwSelect *select, float score)
{
  select->sum[cw_select_bits(score) >> CW_SELECT_LOW_BITS] += (double)score;
}

bool cw_select_init(CwSelect *select, GError **error);
void cw_select_reset(CwSelect *select);
void cw_select_clear(CwSelect *select);
/* The largest score s such that the scores >= s make up `share` of the total; the smallest
 * score if none does. scores: those that were added. Cost O(n) at worst, mostly O(n / 100). */
float cw_select_threshold(const CwSelect *select, const float *scores, size_t n, double share);
