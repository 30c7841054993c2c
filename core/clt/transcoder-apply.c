/* transcoder-apply.c - see transcoder-apply.h.
 *
 * Few features fire on a row, so a prediction gathers the decoder rows of those that do, with
 * their activations as the rows' scales: one product of a row of ones per row of the batch. */
#include "clt/transcoder-apply.h"

#include <stdlib.h>
#include <string.h>

/* ---- one layer -------------------------------------------------------------------------- */

const float *
cw_transcoder_find_input(const CwTranscoder *transcoder, const CwModel *model,
                         const CwForward *forward, int64_t l, float *scratch)
{
  int64_t width = transcoder->config.width, n = forward->n_positions * width;
  const float *hat = forward->mlp_hat + l * n;
  const CwLayer *layer = cw_model_peek_layer(model, l);
  switch (transcoder->config.input_hook) {
  case CW_INPUT_RESID_MID:
    return forward->resid_mid + l * n;
  case CW_INPUT_NORMALISED:
    return hat;
  case CW_INPUT_NORMALISED_AFFINE:
  case CW_INPUT_MLP_IN:
  default:
    for (int64_t i = 0; i < n; i++) {
      int64_t d = i % width;
      scratch[i] =
          hat[i] * layer->ln2_weight[d] + (layer->ln2_bias != NULL ? layer->ln2_bias[d] : 0);
    }
    return scratch;
  }
}

float *
cw_transcoder_find_outputs(const CwTranscoder *transcoder, const CwForward *forward)
{
  bool is_raw = transcoder->config.output_hook == CW_OUTPUT_MLP_RAW && forward->mlp_raw != NULL;
  return is_raw ? forward->mlp_raw : forward->mlp_out;
}

CwkStatus
cw_transcoder_encode(const CwTranscoder *transcoder, CwkDevice *device, int64_t l,
                     const float *in, int64_t n, float *pre)
{
  int64_t n_features = transcoder->config.n_features;
  const float *bias = transcoder->layers[l].encoder_bias;
  CwkMatmulArgs product = { .m = n,
                            .n = n_features,
                            .k = transcoder->config.width,
                            .a = { (float *)in, transcoder->config.width, NULL },
                            .b = transcoder->layers[l].encoder,
                            .b_layout = CWK_B_ROWS_ARE_OUTPUTS,
                            .c = { pre, n_features, NULL } };
  CwkStatus status = cwk_matmul(device, &product);
  for (int64_t c = 0; status == CWK_OK && c < n; c++)
    for (int64_t f = 0; f < n_features; f++)
      pre[c * n_features + f] += bias[f];
  return status;
}

static int
compare_descending(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x < y) - (x > y);
}

/* The k-th largest of a row: values equal to it beyond k are cut by their order. */
static float
top_k_threshold(const float *row, int64_t n, int64_t k, float *scratch, int64_t *n_ties)
{
  memcpy(scratch, row, (size_t)n * sizeof *row);
  qsort(scratch, (size_t)n, sizeof *scratch, compare_descending);
  float threshold = scratch[k - 1];
  *n_ties = 0;
  for (int64_t i = 0; i < k; i++)
    *n_ties += scratch[i] == threshold;
  return threshold;
}

int64_t
cw_transcoder_gate(const CwTranscoder *transcoder, int64_t l, const float *pre, float *scratch,
                   int32_t *active)
{
  const CwTranscoderConfig *config = &transcoder->config;
  const float *threshold = transcoder->layers[l].threshold;
  float cut = 0;
  int64_t n_ties = 0, n_active = 0;
  bool is_top_k = config->gate == CW_GATE_TOPK && config->top_k < config->n_features;
  if (is_top_k)
    cut = top_k_threshold(pre, config->n_features, config->top_k, scratch, &n_ties);
  for (int64_t f = 0; f < config->n_features; f++) {
    bool is_active;
    if (config->gate == CW_GATE_TOPK)
      is_active = !is_top_k || pre[f] > cut || (pre[f] == cut && n_ties-- > 0);
    else if (config->gate == CW_GATE_JUMPRELU)
      is_active = pre[f] > threshold[f];
    else
      is_active = pre[f] > 0;
    if (is_active && pre[f] != 0)
      active[n_active++] = (int32_t)f;
  }
  return n_active;
}

CwkStatus
cw_transcoder_apply_skip(const CwTranscoder *transcoder, CwkDevice *device, int64_t l,
                         const float *in, int64_t n, float *out)
{
  int64_t width = transcoder->config.width;
  const CwLinear *skip = &transcoder->layers[l].skip;
  CwkMatmulArgs product = { .m = n,
                            .n = width,
                            .k = width,
                            .a = { (float *)in, width, NULL },
                            .b = skip->rows,
                            .b_layout = skip->layout,
                            .c = { out, width, NULL } };
  return cwk_matmul(device, &product);
}

/* ---- predictions of a batch ------------------------------------------------------------- */

struct _CwPrediction {
  CwTranscoder *transcoder;
  CwkDevice *device;
  int64_t most_rows;
  float *pre;        /* [most_rows, F] */
  float *scratch;    /* [F] */
  int32_t *active;   /* [F] */
  float *skipped;    /* [most_rows, D] where there is a skip */
  CwRowFeatures *at; /* [L] */
  /* Decoder rows of one target, the features of row c from starts[c] to starts[c + 1]. */
  int64_t *starts;         /* [most_rows + 1] */
  GArray *rows;            /* of const void * */
  GArray *scales;          /* of float */
  GArray *ones;            /* of float: as many as the row with the most features has */
  CwkMatmulArgs *products; /* [most_rows] */
};

static bool
no_memory(const CwPrediction *prediction, GError **error)
{
  const CwTranscoderConfig *config = &prediction->transcoder->config;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "%s: no memory to run %" G_GINT64_FORMAT " rows through %" G_GINT64_FORMAT
              " layers of %" G_GINT64_FORMAT " features",
              cw_transcoder_peek_path(prediction->transcoder), prediction->most_rows,
              config->n_layers, config->n_features);
  return false;
}

CwPrediction *
cw_prediction_new(CwTranscoder *transcoder, CwkDevice *device, int64_t most_rows,
                  GError **error)
{
  const CwTranscoderConfig *config = &transcoder->config;
  gsize n_pre, n_out;
  g_autoptr(CwPrediction) prediction = g_new0(CwPrediction, 1);
  prediction->transcoder = cw_transcoder_ref(transcoder);
  prediction->device = device;
  prediction->most_rows = most_rows;
  prediction->rows = g_array_new(FALSE, FALSE, sizeof(const void *));
  prediction->scales = g_array_new(FALSE, FALSE, sizeof(float));
  prediction->ones = g_array_new(FALSE, FALSE, sizeof(float));
  prediction->at = g_new0(CwRowFeatures, config->n_layers);
  if (!g_size_checked_mul(&n_pre, (gsize)most_rows, (gsize)config->n_features) ||
      !g_size_checked_mul(&n_out, (gsize)most_rows, (gsize)config->width)) {
    no_memory(prediction, error);
    return NULL;
  }
  prediction->pre = g_try_new(float, n_pre);
  prediction->scratch = g_try_new(float, (gsize)config->n_features);
  prediction->active = g_try_new(int32_t, (gsize)config->n_features);
  prediction->skipped = config->has_skip ? g_try_new(float, n_out) : NULL;
  prediction->starts = g_try_new(int64_t, (gsize)most_rows + 1);
  prediction->products = g_try_new0(CwkMatmulArgs, (gsize)most_rows);
  bool is_had = prediction->pre && prediction->scratch && prediction->active &&
                (prediction->skipped || !config->has_skip) && prediction->starts &&
                prediction->products;
  for (int64_t l = 0; is_had && l < config->n_layers; l++) {
    CwRowFeatures *at = &prediction->at[l];
    at->feature = g_array_new(FALSE, FALSE, sizeof(int32_t));
    at->value = g_array_new(FALSE, FALSE, sizeof(float));
    at->first = g_try_new0(int64_t, (gsize)most_rows + 1);
    is_had = at->first != NULL;
  }
  if (is_had)
    return g_steal_pointer(&prediction);
  no_memory(prediction, error);
  return NULL;
}

void
cw_prediction_free(CwPrediction *prediction)
{
  if (prediction == NULL)
    return;
  for (int64_t l = 0; l < prediction->transcoder->config.n_layers; l++) {
    g_free(prediction->at[l].first);
    g_clear_pointer(&prediction->at[l].feature, g_array_unref);
    g_clear_pointer(&prediction->at[l].value, g_array_unref);
  }
  g_free(prediction->at);
  g_free(prediction->pre);
  g_free(prediction->scratch);
  g_free(prediction->active);
  g_free(prediction->skipped);
  g_free(prediction->starts);
  g_free(prediction->products);
  g_array_unref(prediction->rows);
  g_array_unref(prediction->scales);
  g_array_unref(prediction->ones);
  cw_transcoder_unref(prediction->transcoder);
  g_free(prediction);
}

const CwRowFeatures *
cw_prediction_peek_features(const CwPrediction *prediction, int64_t l)
{
  return &prediction->at[l];
}

static void
gate_rows(CwPrediction *prediction, int64_t l, int64_t n)
{
  int64_t n_features = prediction->transcoder->config.n_features;
  CwRowFeatures *at = &prediction->at[l];
  g_array_set_size(at->feature, 0);
  g_array_set_size(at->value, 0);
  for (int64_t c = 0; c < n; c++) {
    const float *row = prediction->pre + c * n_features;
    int64_t n_active = cw_transcoder_gate(prediction->transcoder, l, row, prediction->scratch,
                                          prediction->active);
    for (int64_t i = 0; i < n_active; i++)
      g_array_append_val(at->value, row[prediction->active[i]]);
    g_array_append_vals(at->feature, prediction->active, (guint)n_active);
    at->first[c + 1] = at->first[c] + n_active;
  }
}

/* Decoder rows of what fired at layer `from` on row c, writing to layer l. */
static void
gather_rows(CwPrediction *prediction, int64_t from, int64_t c, int64_t l, CwkDtype *dtype)
{
  const CwRowFeatures *at = &prediction->at[from];
  for (int64_t i = at->first[c]; i < at->first[c + 1]; i++) {
    float scale = 1;
    const void *row = cw_transcoder_peek_decoder_row(
        prediction->transcoder, from, g_array_index(at->feature, int32_t, i), l, dtype, &scale);
    if (row == NULL)
      continue;
    scale *= g_array_index(at->value, float, i);
    g_array_append_val(prediction->rows, row);
    g_array_append_val(prediction->scales, scale);
  }
}

/* What the gathered features of one source layer write, added to the others' or as the first.
 */
static CwkStatus
add_gathered(CwPrediction *prediction, int64_t n, CwkDtype dtype, bool accumulate, float *out)
{
  int64_t width = prediction->transcoder->config.width, most = 1;
  for (int64_t c = 0; c < n; c++)
    most = MAX(most, prediction->starts[c + 1] - prediction->starts[c]);
  while ((int64_t)prediction->ones->len < most) {
    float one = 1;
    g_array_append_val(prediction->ones, one);
  }
  const void *const *rows = (const void *const *)(void *)prediction->rows->data;
  const float *scales = (const float *)(void *)prediction->scales->data;
  for (int64_t c = 0; c < n; c++) {
    int64_t start = prediction->starts[c], k = prediction->starts[c + 1] - start;
    prediction->products[c] = (CwkMatmulArgs){
      .m = 1,
      .n = width,
      .k = k,
      .a = { (float *)(void *)prediction->ones->data, MAX(k, 1), NULL },
      .b = { NULL, dtype, k, width, 0, rows + start, scales + start },
      .b_layout = CWK_B_ROWS_ARE_INPUTS,
      .c = { out + c * width, width, NULL },
      .accumulate = accumulate,
    };
  }
  CwkMatmulBatchArgs batch = { n, prediction->products };
  return cwk_matmul_batch(prediction->device, &batch);
}

/* A source layer at a time: the rows that it writes to one target stay in the cache for the
 * whole batch, those of all sources would not. */
static CwkStatus
decode(CwPrediction *prediction, int64_t l, int64_t n, float *out)
{
  const CwTranscoder *transcoder = prediction->transcoder;
  int64_t first = transcoder->config.kind == CW_TRANSCODER_CROSS_LAYER ? 0 : l;
  CwkStatus status = CWK_OK;
  for (int64_t from = first; status == CWK_OK && from <= l; from++) {
    CwkDtype dtype = transcoder->layers[from].decoder_dtype;
    g_array_set_size(prediction->rows, 0);
    g_array_set_size(prediction->scales, 0);
    prediction->starts[0] = 0;
    for (int64_t c = 0; c < n; c++) {
      gather_rows(prediction, from, c, l, &dtype);
      prediction->starts[c + 1] = prediction->rows->len;
    }
    status = add_gathered(prediction, n, dtype, from > first, out);
  }
  return status;
}

bool
cw_prediction_run_layer(CwPrediction *prediction, int64_t l, const float *in, int64_t n,
                        float *out, GError **error)
{
  g_return_val_if_fail(n >= 0 && n <= prediction->most_rows, false);
  const CwTranscoder *transcoder = prediction->transcoder;
  int64_t width = transcoder->config.width;
  const float *bias = transcoder->layers[l].decoder_bias;
  CwkStatus status =
      cw_transcoder_encode(transcoder, prediction->device, l, in, n, prediction->pre);
  if (status == CWK_OK) {
    gate_rows(prediction, l, n);
    status = decode(prediction, l, n, out);
  }
  bool has_skip = transcoder->config.has_skip;
  if (status == CWK_OK && has_skip)
    status =
        cw_transcoder_apply_skip(transcoder, prediction->device, l, in, n, prediction->skipped);
  if (status != CWK_OK) {
    cw_error_set_from_status(error, status, "predicting the MLP outputs");
    return false;
  }
  for (int64_t i = 0; i < n * width; i++)
    out[i] += bias[i % width] + (has_skip ? prediction->skipped[i] : 0);
  return true;
}
