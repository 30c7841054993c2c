/* replacement.h - the local replacement model of one prompt: what attribution freezes.
 *
 * Private to core/attribution. Letters as everywhere: T positions, L layers, D width. */
#pragma once

#include "cw-attribution.h"

/* Columns are the active features by (position, layer, feature), so that at one position all
 * features of layers <= l are one run. Active indices follow circuit-tracer: (layer, position,
 * feature). */
typedef struct {
  CwModel *model;
  CwTranscoder *transcoder;
  CwkDevice *device;
  const CwModelConfig *config;
  const CwTranscoderConfig *dictionary;
  int64_t n_positions, n_layers, width; /* T, L, D */
  int32_t *tokens;                      /* [T] */
  uint8_t *is_zeroed;                   /* [T] positions without features and errors */
  CwForward *forward;

  int64_t n_active;          /* K */
  int32_t *active_layer;     /* [K] by active index */
  int32_t *active_position;  /* [K] */
  int64_t *active_feature;   /* [K] */
  float *activation;         /* [K]; equals the pre-activation where a feature is active */
  int64_t *column_of_active; /* [K] */
  int64_t *active_of_column; /* [K] */
  int64_t *cell_start;       /* [T * L + 1] first column of cell (position, layer) */

  float *error; /* [L, T, D] MLP output minus reconstruction, 0 at zeroed positions */
  float *rest;  /* [L, T, D] what the output hook receives from no node: decoder bias, or the
                   whole MLP output at zeroed positions */
  CwkDtype decoder_dtype;
  float *zero_row; /* [D] stands in for pairs without a decoder row */
} CwReplacement;

/* logits: CW_FORWARD_LAST_LOGITS or CW_FORWARD_ALL_LOGITS. */
CwReplacement *cw_replacement_new(CwModel *model, CwTranscoder *transcoder, CwkDevice *device,
                                  const int32_t *tokens, size_t n_tokens, CwForwardFlags logits,
                                  const CwProgress *progress, CwCancel *cancel, GError **error);
void cw_replacement_free(CwReplacement *replacement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwReplacement, cw_replacement_free)

/* Columns of position c that write to layer l: *first .. return value - 1. */
int64_t cw_replacement_writers(const CwReplacement *replacement, int64_t c, int64_t l,
                               int64_t *first);
/* rows[column] and scales[column] (activation included) of every column that writes to layer l.
 */
void cw_replacement_decoder_rows(const CwReplacement *replacement, int64_t l, const void **rows,
                                 float *scales);
