/* transcoder-apply.h - what a transcoder does to rows of activations: which features fire, and
 * what they write. Attribution and evaluation share it. */
#pragma once

#include "clt/transcoder.h"

/* What the features of layer l read in a pass made with CW_FORWARD_TAPS, [T, D]: a part of the
 * pass, or `scratch` [T, D] filled in. */
const float *cw_transcoder_find_input(const CwTranscoder *transcoder, const CwModel *model,
                                      const CwForward *forward, int64_t l, float *scratch);
/* The MLP outputs of such a pass that the transcoder stands in for, [L, T, D]. */
float *cw_transcoder_find_outputs(const CwTranscoder *transcoder, const CwForward *forward);

/* pre [n, F] = in [n, D] . W_enc^T + b_enc. */
CwkStatus cw_transcoder_encode(const CwTranscoder *transcoder, CwkDevice *device, int64_t l,
                               const float *in, int64_t n, float *pre) CWK_WARN_UNUSED;
/* The active features of one row of pre-activations, ascending, and their number; a feature's
 * activation is its pre-activation. scratch [F]. */
int64_t cw_transcoder_gate(const CwTranscoder *transcoder, int64_t l,
                           const float *pre /* [F] */, float *scratch,
                           int32_t *active /* [F] */);
/* out [n, D] = skip(in), for a transcoder that has one. */
CwkStatus cw_transcoder_apply_skip(const CwTranscoder *transcoder, CwkDevice *device, int64_t l,
                                   const float *in, int64_t n, float *out) CWK_WARN_UNUSED;

/* ---- predictions of a batch ------------------------------------------------------------- */

/* The active features of a batch of rows at one layer. */
typedef struct {
  int64_t *first;  /* [n_rows + 1] */
  GArray *feature; /* of int32_t */
  GArray *value;   /* of float */
} CwRowFeatures;

/* A batch of rows that is gone through from the first layer to the last. */
typedef struct _CwPrediction CwPrediction;

CwPrediction *cw_prediction_new(CwTranscoder *transcoder, CwkDevice *device, int64_t most_rows,
                                GError **error);
void cw_prediction_free(CwPrediction *prediction);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwPrediction, cw_prediction_free)

/* Layer l of n rows: finds what fires on in [n, D], and gives the prediction of the layer's MLP
 * output by the features of all layers so far, decoder bias and skip included. Layers in
 * ascending order from 0 on. out [n, D]. */
bool cw_prediction_run_layer(CwPrediction *prediction, int64_t l, const float *in, int64_t n,
                             float *out, GError **error);
/* What fired at a layer that was run; until it is run again. */
const CwRowFeatures *cw_prediction_peek_features(const CwPrediction *prediction, int64_t l);
