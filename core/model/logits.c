/* logits.c - probabilities and the largest entries of one row of logits. */
#include "cw-model.h"

#include <math.h>

double
cw_logits_log_sum(const float *logits, int64_t n)
{
  double largest = -INFINITY, sum = 0;
  for (int64_t i = 0; i < n; i++)
    largest = MAX(largest, (double)logits[i]);
  for (int64_t i = 0; i < n; i++)
    sum += exp(logits[i] - largest);
  return largest + log(sum);
}

/* An insertion list: nearly every entry fails the comparison with the smallest kept one, so one
 * pass over 262 thousand logits costs little more than reading them. */
void
cw_logits_top(const float *logits, int64_t n, int64_t n_top, int64_t *top)
{
  int64_t n_kept = 0;
  for (int64_t i = 0; i < n; i++) {
    if (n_kept == n_top && (n_top == 0 || logits[i] <= logits[top[n_kept - 1]]))
      continue;
    int64_t at = n_kept < n_top ? n_kept++ : n_kept - 1;
    for (; at > 0 && logits[top[at - 1]] < logits[i]; at--)
      top[at] = top[at - 1];
    top[at] = i;
  }
}
