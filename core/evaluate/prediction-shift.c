/* prediction-shift.c - see prediction-shift.h.
 *
 * Rows are the pool's items; their results are added in order, so that sums do not depend on
 * the number of threads. KL is summed as p (log p - log q), term by term: where the two agree
 * every term is small, and no difference of large sums is taken. */
#include "evaluate/prediction-shift.h"

#include <math.h>

static void
describe_row(void *data, int64_t row)
{
  CwOwnPredictions *own = data;
  const float *logits = own->logits + row * own->n_vocabulary;
  float *p = own->probabilities + row * own->n_vocabulary;
  own->log_sums[row] = cw_logits_log_sum(logits, own->n_vocabulary);
  for (int64_t v = 0; v < own->n_vocabulary; v++)
    p[v] = (float)exp((double)logits[v] - own->log_sums[row]);
  cw_logits_top(logits, own->n_vocabulary, 1, &own->best[row]);
}

bool
cw_own_predictions_init(CwOwnPredictions *own, CwkDevice *device, const float *logits,
                        const int32_t *next, int64_t n_rows, int64_t n_vocabulary,
                        GError **error)
{
  *own = (CwOwnPredictions){
    .n_rows = n_rows, .n_vocabulary = n_vocabulary, .next = next, .logits = logits
  };
  own->probabilities = g_try_new(float, (gsize)(n_rows * n_vocabulary));
  own->log_sums = g_new(double, n_rows);
  own->best = g_new(int64_t, n_rows);
  if (own->probabilities == NULL && n_rows > 0) {
    cw_own_predictions_clear(own);
    cw_error_set_from_status(error, CWK_NO_MEMORY, "comparing predictions");
    return false;
  }
  cwk_parallel_for(device, n_rows, describe_row, own);
  return true;
}

void
cw_own_predictions_clear(CwOwnPredictions *own)
{
  g_clear_pointer(&own->probabilities, g_free);
  g_clear_pointer(&own->log_sums, g_free);
  g_clear_pointer(&own->best, g_free);
}

double
cw_own_predictions_cross_entropy(const CwOwnPredictions *own)
{
  double sum = 0;
  for (int64_t row = 0; row < own->n_rows; row++)
    sum += own->log_sums[row] - (double)own->logits[row * own->n_vocabulary + own->next[row]];
  return sum;
}

typedef struct {
  const CwOwnPredictions *own;
  const float *logits;
  CwShiftSums *rows; /* [n_rows] */
} Comparison;

static void
compare_row(void *data, int64_t row)
{
  const Comparison *comparison = data;
  const CwOwnPredictions *own = comparison->own;
  int64_t n = own->n_vocabulary, best;
  const float *other = comparison->logits + row * n, *logits = own->logits + row * n;
  const float *p = own->probabilities + row * n;
  double log_sum = cw_logits_log_sum(other, n), kl = 0;
  double offset = log_sum - own->log_sums[row];
  for (int64_t v = 0; v < n; v++)
    kl += (double)p[v] * ((double)logits[v] - (double)other[v] + offset);
  cw_logits_top(other, n, 1, &best);
  comparison->rows[row] =
      (CwShiftSums){ .cross_entropy = log_sum - (double)other[own->next[row]],
                     .kl = kl,
                     .n_agreeing = best == own->best[row] };
}

bool
cw_shift_sums_add(CwShiftSums *sums, CwkDevice *device, const CwOwnPredictions *own,
                  const float *logits, GError **error)
{
  g_autofree CwShiftSums *rows = g_new(CwShiftSums, own->n_rows);
  Comparison comparison = { own, logits, rows };
  cwk_parallel_for(device, own->n_rows, compare_row, &comparison);
  for (int64_t row = 0; row < own->n_rows; row++) {
    if (!isfinite(rows[row].cross_entropy) || !isfinite(rows[row].kl)) {
      g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                  "With MLPs replaced the model's logits are no finite numbers; the "
                  "transcoder's predictions are too large for it");
      return false;
    }
    sums->cross_entropy += rows[row].cross_entropy;
    sums->kl += rows[row].kl;
    sums->n_agreeing += rows[row].n_agreeing;
  }
  return true;
}
