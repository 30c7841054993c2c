/* clt-forge-writer.h - writes CLT-Forge's checkpoint: clt_cfg.json, clt_weights.safetensors. */
#pragma once

#include "cw-transcoder.h"

/* Where the rows come from: a transcoder that was opened, or one in training. Rows are D
 * floats, as the model's own activations are read and written (no normalisation left to fold).
 */
typedef struct {
  const CwTranscoderConfig *config;
  /* [D] of feature i of layer l; to: the target layer, l <= to. Errors are the reader's. */
  bool (*encoder_row)(void *data, int64_t l, int64_t i, float *row, GError **error);
  bool (*decoder_row)(void *data, int64_t l, int64_t i, int64_t to, float *row, GError **error);
  /* All [F]; or [D] for the decoder's bias. */
  void (*encoder_bias)(void *data, int64_t l, float *bias);
  void (*threshold)(void *data, int64_t l, float *threshold);
  void (*decoder_bias)(void *data, int64_t l, float *bias);
  void *data;
} CwDictionarySource;

/* folder is made where it is not there. Thresholds must be positive, as CLT-Forge keeps their
 * logarithm: 0 is written as the least positive number. */
bool cw_clt_forge_write(const CwDictionarySource *source, const char *folder, GError **error);
