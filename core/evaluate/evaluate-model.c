/* evaluate-model.c - what happens to a model's predictions when a transcoder stands in for its
 * MLPs.
 *
 * A first pass over the text finds the mean MLP outputs; then, window by window, the model as
 * it is, and once more for every way of replacing. The MLPs that are replaced are not computed,
 * and a single layer's replacement begins at that layer. */
#include <math.h>
#include <string.h>

#include "activations/texts.h"
#include "clt/transcoder-apply.h"
#include "evaluate/prediction-shift.h"
#include "model/forward.h"

typedef enum { OWN_STREAM, CHANGED_STREAM, ZERO, MEAN, N_WAYS } Way;

typedef struct {
  CwTranscoder *transcoder;
  CwModel *model;
  CwkDevice *device;
  const CwEvaluateModel *options;
  CwTexts *texts;
  CwPrediction *prediction;
  int64_t n_layers, width, context;
  bool is_raw;
  uint8_t *is_replaced; /* [L] */
  GArray *tokens;       /* of int32_t: all windows */
  GArray *lengths;      /* of int64_t */
  double *sums;         /* [L, D] of outputs */
  float *means;         /* [L, D] */
  float *predicted;     /* [L, context, D] by the features of the model's own stream */
  float *input;         /* [context, D] scratch */
  int64_t n_outputs;    /* rows in the sums */
  int64_t n_predictions;
  double cross_entropy;
  CwShiftSums shifts[N_WAYS];
  CwShiftSums *layer_shifts; /* [L, N_WAYS]; CHANGED_STREAM is not used */
  /* The window at work. */
  const int32_t *window;
  int64_t n;
  Way way;
  CwOwnPredictions own;
  int64_t n_passes; /* done, for progress */
} Session;

static void
session_clear(Session *session)
{
  g_clear_pointer(&session->texts, cw_texts_free);
  g_clear_pointer(&session->prediction, cw_prediction_free);
  g_clear_pointer(&session->tokens, g_array_unref);
  g_clear_pointer(&session->lengths, g_array_unref);
  g_free(session->is_replaced);
  g_free(session->sums);
  g_free(session->means);
  g_free(session->predicted);
  g_free(session->input);
  g_free(session->layer_shifts);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

static bool
session_init(Session *session, const CwTextOptions *text, GError **error)
{
  const CwModelConfig *config = cw_model_peek_config(session->model);
  session->n_layers = config->n_layers;
  session->width = config->width;
  session->is_raw =
      cw_transcoder_peek_config(session->transcoder)->output_hook == CW_OUTPUT_MLP_RAW;
  session->texts = cw_texts_new(session->model, text, error);
  if (session->texts == NULL)
    return false;
  session->context = cw_texts_get_context(session->texts);
  session->prediction =
      cw_prediction_new(session->transcoder, session->device, session->context, error);
  if (session->prediction == NULL)
    return false;
  gsize n = (gsize)(session->n_layers * session->width);
  session->tokens = g_array_new(FALSE, FALSE, sizeof(int32_t));
  session->lengths = g_array_new(FALSE, FALSE, sizeof(int64_t));
  session->is_replaced = g_new0(uint8_t, session->n_layers);
  session->layer_shifts = g_new0(CwShiftSums, session->n_layers * N_WAYS);
  session->sums = g_try_new0(double, n);
  session->means = g_try_new0(float, n);
  session->predicted = g_try_new(float, n *(gsize)session->context);
  session->input = g_try_new(float, (gsize)(session->context * session->width));
  if (session->sums && session->means && session->predicted && session->input)
    return true;
  cw_error_set_from_status(error, CWK_NO_MEMORY, "making room for replaced MLP outputs");
  return false;
}

/* ---- the text --------------------------------------------------------------------------- */

/* Windows with two tokens behind the first: one to predict from and one to predict. */
static bool
read_windows(Session *session, GError **error)
{
  g_autoptr(GError) failure = NULL;
  CwWindow window;
  int64_t most = session->options->n_tokens;
  while ((most <= 0 || session->n_predictions < most) &&
         cw_texts_next(session->texts, &window, &failure)) {
    if (window.n < 3)
      continue;
    g_array_append_vals(session->tokens, window.tokens, (guint)window.n);
    g_array_append_val(session->lengths, window.n);
    session->n_predictions += window.n - 2;
  }
  if (failure != NULL) {
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
  }
  if (session->lengths->len > 0)
    return true;
  g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT,
                      "The text has no window of three tokens to predict in");
  return false;
}

static void
count_pass(Session *session)
{
  double n_passes =
      2 + N_WAYS +
      (session->options->has_layers ? (double)((N_WAYS - 1) * session->n_layers) : 0);
  session->n_passes++;
  cw_progress_report(session->options->progress, "model",
                     (double)session->n_passes / (n_passes * session->lengths->len));
}

/* ---- means ------------------------------------------------------------------------------ */

static bool
add_outputs(Session *session, GError **error)
{
  g_autoptr(CwForward) forward =
      cw_model_forward(session->model, session->device, session->window, (size_t)session->n,
                       CW_FORWARD_TAPS, session->options->cancel, error);
  if (forward == NULL)
    return false;
  const float *output = cw_transcoder_find_outputs(session->transcoder, forward);
  for (int64_t l = 0; l < session->n_layers; l++)
    for (int64_t i = session->width; i < session->n * session->width; i++)
      session->sums[l * session->width + i % session->width] +=
          (double)output[l * session->n * session->width + i];
  session->n_outputs += session->n - 1;
  count_pass(session);
  return true;
}

static void
finish_means(Session *session)
{
  for (int64_t i = 0; i < session->n_layers * session->width; i++)
    session->means[i] = (float)(session->sums[i] / (double)session->n_outputs);
}

/* ---- replacing --------------------------------------------------------------------------- */

static bool
fill_output(gpointer data, int64_t l, const CwForward *forward, float *output, GError **error)
{
  Session *session = data;
  int64_t width = session->width, n = (session->n - 1) * width;
  float *to = output + width;
  switch (session->way) {
  case CHANGED_STREAM: {
    const float *input = cw_transcoder_find_input(session->transcoder, session->model, forward,
                                                  l, session->input);
    return cw_prediction_run_layer(session->prediction, l, input + width, session->n - 1, to,
                                   error);
  }
  case OWN_STREAM:
    memcpy(to, session->predicted + l * session->context * width, (size_t)n * sizeof *to);
    return true;
  case MEAN:
    for (int64_t i = 0; i < n; i++)
      to[i] = session->means[l * width + i % width];
    return true;
  case ZERO:
  case N_WAYS:
  default:
    memset(to, 0, (size_t)n * sizeof *to);
    return true;
  }
}

/* layer: the one to replace, in the pass `own` from its residual stream on; -1: all. */
static bool
run_way(Session *session, Way way, const CwForward *own, int64_t layer, CwShiftSums *sums,
        GError **error)
{
  memset(session->is_replaced, layer < 0, (size_t)session->n_layers);
  CwMlpReplacement replacement = { .is_replaced = session->is_replaced,
                                   .fill = fill_output,
                                   .data = session,
                                   .is_raw = session->is_raw };
  session->way = way;
  if (layer >= 0) {
    session->is_replaced[layer] = 1;
    replacement.first_layer = layer;
    replacement.resid_mid = own->resid_mid + layer * session->n * session->width;
  }
  CwForwardFlags flags = CW_FORWARD_ALL_LOGITS | (way == CHANGED_STREAM ? CW_FORWARD_TAPS : 0);
  g_autoptr(CwForward) forward = cw_forward_run_replaced(
      session->model, session->device, session->window, (size_t)session->n, flags, &replacement,
      session->options->cancel, error);
  if (forward == NULL)
    return false;
  count_pass(session);
  return cw_shift_sums_add(sums, session->device, &session->own,
                           forward->logits + session->own.n_vocabulary, error);
}

/* Predictions of every layer from the stream of the model as it is. */
static bool
predict(Session *session, const CwForward *own, GError **error)
{
  int64_t width = session->width;
  for (int64_t l = 0; l < session->n_layers; l++) {
    const float *input =
        cw_transcoder_find_input(session->transcoder, session->model, own, l, session->input);
    if (!cw_prediction_run_layer(session->prediction, l, input + width, session->n - 1,
                                 session->predicted + l * session->context * width, error))
      return false;
  }
  return true;
}

static bool
run_ways(Session *session, const CwForward *own, GError **error)
{
  for (Way way = 0; way < N_WAYS; way++)
    if (!run_way(session, way, own, -1, &session->shifts[way], error))
      return false;
  for (int64_t l = 0; session->options->has_layers && l < session->n_layers; l++)
    for (Way way = 0; way < N_WAYS; way++)
      if (way != CHANGED_STREAM &&
          !run_way(session, way, own, l, &session->layer_shifts[l * N_WAYS + way], error))
        return false;
  return true;
}

static bool
run_window(Session *session, GError **error)
{
  int64_t n_vocabulary = cw_model_peek_config(session->model)->n_vocabulary;
  g_autoptr(CwForward) own = cw_model_forward(
      session->model, session->device, session->window, (size_t)session->n,
      CW_FORWARD_ALL_LOGITS | CW_FORWARD_TAPS, session->options->cancel, error);
  if (own == NULL || !predict(session, own, error))
    return false;
  count_pass(session);
  /* Position t predicts token t + 1; the first position's prediction is left out. */
  if (!cw_own_predictions_init(&session->own, session->device, own->logits + n_vocabulary,
                               session->window + 2, session->n - 2, n_vocabulary, error))
    return false;
  session->cross_entropy += cw_own_predictions_cross_entropy(&session->own);
  bool is_done = run_ways(session, own, error);
  cw_own_predictions_clear(&session->own);
  return is_done;
}

static bool
each_window(Session *session, bool (*run)(Session *, GError **), GError **error)
{
  session->window = (const int32_t *)(void *)session->tokens->data;
  for (guint i = 0; i < session->lengths->len; i++) {
    session->n = g_array_index(session->lengths, int64_t, i);
    if (!run(session, error))
      return false;
    session->window += session->n;
  }
  return true;
}

/* ---- numbers ---------------------------------------------------------------------------- */

/* NaN where ablation changes nothing: there is nothing to recover. */
static double
recovered(const Session *session, const CwShiftSums *shift, const CwShiftSums *ablated)
{
  double lost = ablated->cross_entropy - session->cross_entropy;
  return lost != 0 ? (ablated->cross_entropy - shift->cross_entropy) / lost : (double)NAN;
}

static CwReplacedQuality
describe(const Session *session, const CwShiftSums *ways, Way way)
{
  double n = (double)session->n_predictions;
  const CwShiftSums *shift = &ways[way];
  return (CwReplacedQuality){ .cross_entropy = shift->cross_entropy / n,
                              .kl = shift->kl / n,
                              .agreement = shift->n_agreeing / n,
                              .recovered_zero = recovered(session, shift, &ways[ZERO]),
                              .recovered_mean = recovered(session, shift, &ways[MEAN]) };
}

static CwModelQuality *
finish(const Session *session)
{
  CwModelQuality *quality = g_new0(CwModelQuality, 1);
  *quality = (CwModelQuality){
    .n_tokens = session->n_predictions,
    .n_windows = session->lengths->len,
    .cross_entropy = session->cross_entropy / (double)session->n_predictions,
    .zero = describe(session, session->shifts, ZERO),
    .mean = describe(session, session->shifts, MEAN),
    .own_stream = describe(session, session->shifts, OWN_STREAM),
    .changed_stream = describe(session, session->shifts, CHANGED_STREAM),
    .n_layers = session->n_layers,
  };
  if (!session->options->has_layers)
    return quality;
  quality->layers = g_new0(CwReplacedLayer, session->n_layers);
  for (int64_t l = 0; l < session->n_layers; l++) {
    const CwShiftSums *ways = session->layer_shifts + l * N_WAYS;
    quality->layers[l].replaced = describe(session, ways, OWN_STREAM);
    quality->layers[l].zero = describe(session, ways, ZERO);
    quality->layers[l].mean = describe(session, ways, MEAN);
  }
  return quality;
}

CwModelQuality *
cw_evaluate_model(CwTranscoder *transcoder, CwModel *model, CwkDevice *device,
                  const CwTextOptions *text, const CwEvaluateModel *options, GError **error)
{
  g_auto(Session) session = {
    .transcoder = transcoder, .model = model, .device = device, .options = options
  };
  if (!cw_transcoder_check_fits(transcoder, model, error) ||
      !session_init(&session, text, error) || !read_windows(&session, error) ||
      !each_window(&session, add_outputs, error))
    return NULL;
  finish_means(&session);
  return each_window(&session, run_window, error) ? finish(&session) : NULL;
}

void
cw_model_quality_free(CwModelQuality *quality)
{
  if (quality == NULL)
    return;
  g_free(quality->layers);
  g_free(quality);
}
