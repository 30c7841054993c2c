/* targets.c - the logits a graph ends in.
 *
 * A target's vector is its unembedding column minus the mean over the vocabulary, because a
 * softmax does not see a constant added to all logits; a difference of two tokens needs no
 * mean. */
#include "attribution/targets.h"

#include <math.h>
#include <string.h>

#define CHUNK_TOKENS 4096

static void
softmax(const float *logits, int64_t n, float *out)
{
  float largest = -INFINITY;
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    largest = MAX(largest, logits[i]);
  for (int64_t i = 0; i < n; i++) {
    out[i] = expf(logits[i] - largest);
    sum += (double)out[i];
  }
  for (int64_t i = 0; i < n; i++)
    out[i] = (float)((double)out[i] / sum);
}

/* The most probable tokens until their sum reaches the mass: a selection of at most max of V,
 * so repeated scans are cheap. Equal probabilities: the smaller id first. -1: no memory. */
static int64_t
choose_top(const float *probability, int64_t n, int64_t max, double mass, int64_t *chosen)
{
  g_autofree uint8_t *is_taken = g_try_new0(uint8_t, (gsize)n);
  if (is_taken == NULL)
    return -1;
  double sum = 0;
  int64_t n_chosen = 0;
  while (n_chosen < MIN(max, n)) {
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++)
      if (!is_taken[i] && (best < 0 || probability[i] > probability[best]))
        best = i;
    is_taken[best] = 1;
    chosen[n_chosen++] = best;
    sum += (double)probability[best];
    if (sum >= mass)
      break;
  }
  return n_chosen;
}

static bool
choose_given(const CwReplacement *replacement, const CwAttributionOptions *options,
             GError **error)
{
  size_t needed = options->targets == CW_TARGETS_DIFFERENCE ? 2 : 1;
  if (options->n_target_tokens < needed) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT, "%zu target token%s given, %zu needed",
                options->n_target_tokens, options->n_target_tokens == 1 ? "" : "s", needed);
    return false;
  }
  for (size_t i = 0; i < options->n_target_tokens; i++) {
    int32_t id = options->target_tokens[i];
    if (id < 0 || id >= replacement->config->n_vocabulary) {
      g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                  "Target token %d is outside the vocabulary (0 to %" G_GINT64_FORMAT ")", id,
                  replacement->config->n_vocabulary - 1);
      return false;
    }
  }
  return true;
}

/* Unembedding columns of some tokens as rows [n, D], whatever way the matrix is stored. */
static CwkStatus
unembedding_columns(const CwReplacement *replacement, const int64_t *tokens, int64_t n,
                    float *out)
{
  const CwLinear *unembedding = cw_model_peek_unembedding(replacement->model);
  const CwkRows *rows = &unembedding->rows;
  int64_t D = replacement->width, V = replacement->config->n_vocabulary;
  if (unembedding->layout == CWK_B_ROWS_ARE_OUTPUTS) {
    g_autofree const void **list = g_try_new(const void *, (gsize)n);
    g_autofree float *scales = g_try_new(float, (gsize)n);
    if (list == NULL || scales == NULL)
      return CWK_NO_MEMORY;
    for (int64_t i = 0; i < n; i++) {
      list[i] = (const char *)rows->data + (size_t)tokens[i] * rows->row_bytes;
      scales[i] = rows->scales != NULL ? rows->scales[tokens[i]] : 1;
    }
    CwkDequantiseArgs args = { { NULL, rows->dtype, n, D, 0, list, scales }, out };
    return cwk_dequantise(replacement->device, &args);
  }
  g_autofree float *row = g_try_new(float, (gsize)V);
  if (row == NULL)
    return CWK_NO_MEMORY;
  for (int64_t d = 0; d < D; d++) {
    CwkDequantiseArgs args = { *rows, row };
    args.rows.data = (const char *)rows->data + (size_t)d * rows->row_bytes;
    args.rows.scales = rows->scales != NULL ? rows->scales + d : NULL;
    args.rows.n_rows = 1;
    CwkStatus status = cwk_dequantise(replacement->device, &args);
    if (status != CWK_OK)
      return status;
    for (int64_t i = 0; i < n; i++)
      out[i * D + d] = row[tokens[i]];
  }
  return CWK_OK;
}

/* Mean over the vocabulary of the unembedding columns, [D]: ones . W in chunks, added in
 * double. */
static CwkStatus
mean_column(const CwReplacement *replacement, double *mean)
{
  const CwLinear *unembedding = cw_model_peek_unembedding(replacement->model);
  int64_t D = replacement->width, V = replacement->config->n_vocabulary;
  bool by_token = unembedding->layout == CWK_B_ROWS_ARE_OUTPUTS;
  int64_t n_chunk = by_token ? CHUNK_TOKENS : V;
  g_autofree float *ones = g_try_new(float, (gsize)n_chunk);
  g_autofree float *sum = g_try_new(float, (gsize)D);
  if (ones == NULL || sum == NULL)
    return CWK_NO_MEMORY;
  for (int64_t i = 0; i < n_chunk; i++)
    ones[i] = 1;
  memset(mean, 0, (size_t)D * sizeof *mean);
  for (int64_t first = 0; first < V; first += n_chunk) {
    int64_t n = MIN(n_chunk, V - first);
    CwkRows rows = unembedding->rows;
    if (by_token) {
      rows.data = (const char *)rows.data + (size_t)first * rows.row_bytes;
      rows.scales = rows.scales != NULL ? rows.scales + first : NULL;
      rows.n_rows = n;
    }
    CwkMatmulArgs product = { .m = 1,
                              .n = D,
                              .k = n,
                              .a = { ones, n, NULL },
                              .b = rows,
                              .b_layout =
                                  by_token ? CWK_B_ROWS_ARE_INPUTS : CWK_B_ROWS_ARE_OUTPUTS,
                              .c = { sum, D, NULL } };
    CwkStatus status = cwk_matmul(replacement->device, &product);
    if (status != CWK_OK)
      return status;
    for (int64_t d = 0; d < D; d++)
      mean[d] += (double)sum[d];
  }
  for (int64_t d = 0; d < D; d++)
    mean[d] /= (double)V;
  return CWK_OK;
}

static double
mean_bias(const CwReplacement *replacement)
{
  const float *bias = cw_model_peek_unembedding(replacement->model)->bias;
  double sum = 0;
  for (int64_t i = 0; bias != NULL && i < replacement->config->n_vocabulary; i++)
    sum += (double)bias[i];
  return sum / (double)replacement->config->n_vocabulary;
}

/* The final norm's output at the last position. */
static CwkStatus
last_normalised(const CwReplacement *replacement, float *out)
{
  const CwForward *forward = replacement->forward;
  int64_t D = replacement->width;
  CwkNormArgs args = {
    .n_rows = 1,
    .n_cols = D,
    .x = forward->final_resid + (replacement->n_positions - 1) * D,
    .is_layer_norm = replacement->config->is_layer_norm,
    .epsilon = replacement->config->norm_epsilon,
    .weight = cw_model_peek_final_norm_weight(replacement->model),
    .bias = cw_model_peek_final_norm_bias(replacement->model),
    .out = out,
  };
  return cwk_norm(replacement->device, &args);
}

/* Vectors, constants and values of the chosen tokens. */
static CwkStatus
fill_vectors(const CwReplacement *replacement, CwTargetSet *set)
{
  int64_t D = replacement->width;
  const float *bias = cw_model_peek_unembedding(replacement->model)->bias;
  g_autofree double *mean = g_try_new(double, (gsize)D);
  g_autofree float *stream = g_try_new(float, (gsize)D);
  if (mean == NULL || stream == NULL)
    return CWK_NO_MEMORY;
  CwkStatus status = unembedding_columns(replacement, set->token, set->n, set->vectors);
  if (status == CWK_OK)
    status = mean_column(replacement, mean);
  if (status == CWK_OK)
    status = last_normalised(replacement, stream);
  double shift = mean_bias(replacement);
  for (int64_t i = 0; status == CWK_OK && i < set->n; i++) {
    float *u = set->vectors + i * D;
    double value = set->constant[i] = bias != NULL ? (double)bias[set->token[i]] - shift : 0;
    for (int64_t d = 0; d < D; d++) {
      u[d] = (float)((double)u[d] - mean[d]);
      value += (double)u[d] * (double)stream[d];
    }
    set->value[i] = (float)value;
  }
  return status;
}

/* One node out of two: a - b. Its weight is 1, its id the first beyond the vocabulary. */
static void
make_difference(const CwReplacement *replacement, CwTargetSet *set)
{
  for (int64_t d = 0; d < replacement->width; d++)
    set->vectors[d] -= set->vectors[replacement->width + d];
  set->n = 1;
  set->token[0] = replacement->config->n_vocabulary;
  set->probability[0] = 1;
  set->value[0] -= set->value[1];
  set->constant[0] -= set->constant[1];
}

CwTargetSet *
cw_target_set_new(const CwReplacement *replacement, const CwAttributionOptions *options,
                  GError **error)
{
  const CwForward *forward = replacement->forward;
  int64_t V = replacement->config->n_vocabulary;
  bool is_top = options->targets == CW_TARGETS_TOP_LOGITS;
  if (!is_top && !choose_given(replacement, options, error))
    return NULL;
  g_autoptr(CwTargetSet) set = g_new0(CwTargetSet, 1);
  int64_t most =
      is_top ? CLAMP(options->max_n_logits, 1, V) : (int64_t)options->n_target_tokens;
  if (options->targets == CW_TARGETS_DIFFERENCE)
    most = 2;
  set->token = g_try_new0(int64_t, (gsize)most);
  set->probability = g_try_new0(float, (gsize)most);
  set->value = g_try_new0(float, (gsize)most);
  set->constant = g_try_new0(double, (gsize)most);
  set->vectors = g_try_new0(float, (gsize)(most * replacement->width));
  g_autofree float *probability = g_try_new(float, (gsize)V);
  if (set->token == NULL || set->probability == NULL || set->value == NULL ||
      set->constant == NULL || set->vectors == NULL || probability == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "choosing targets");
    return NULL;
  }
  softmax(forward->logits + (forward->n_logit_rows - 1) * V, V, probability);
  set->n =
      is_top ? choose_top(probability, V, most, options->desired_logit_prob, set->token) : most;
  if (set->n < 0) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "choosing targets");
    return NULL;
  }
  for (int64_t i = 0; i < set->n; i++) {
    if (!is_top)
      set->token[i] = options->target_tokens[i];
    set->probability[i] = probability[set->token[i]];
  }
  CwkStatus status = fill_vectors(replacement, set);
  if (status != CWK_OK) {
    cw_error_set_from_status(error, status, "reading the unembedding");
    return NULL;
  }
  if (options->targets == CW_TARGETS_DIFFERENCE)
    make_difference(replacement, set);
  return g_steal_pointer(&set);
}

void
cw_target_set_free(CwTargetSet *set)
{
  if (set == NULL)
    return;
  g_free(set->token);
  g_free(set->probability);
  g_free(set->value);
  g_free(set->constant);
  g_free(set->vectors);
  g_free(set);
}
