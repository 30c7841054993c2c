/* parameters.h - what is trained: weights and their moments, in the layout the ops want.
 *
 * Columns are padded to whole tiles; padding is 0 and stays 0. Encoder of layer l: [F, Dp] rows
 * (Dp = n_tiles * CWK_TILE). Decoder of layer l: [n_targets(l) * n_tiles, F, CWK_TILE], the
 * nearest target first. Not circuit-tracer's [F, n_targets, D]: every pass takes a tile of all
 * features at once, which there is a piece of a cache line group in each of F pages. */
#pragma once

#include "cw-train.h"

/* Values with their Adam moments. */
typedef struct {
  float *value, *m, *v;
} CwMoments;

typedef struct {
  int64_t n_layers, n_features, width, n_tiles;
  bool is_cross_layer;
  CwMoments encoder;           /* [L, F, Dp] */
  CwMoments decoder;           /* all layers, one after the other */
  CwMoments bias;              /* [L, F] of encoders */
  CwMoments log_threshold;     /* [L, F] natural logarithm */
  CwMoments decoder_bias;      /* [L, Dp] */
  float *threshold;            /* [L, F] exp of the above */
  float *norm;                 /* [L, F] of all that a feature writes */
  int64_t *silent_steps;       /* [L, F] since a feature fired */
  float *scale_in, *scale_out; /* [L] normalisation */
} CwParameters;

/* Zeros, thresholds of 1, scales of 1. The error says how much memory is needed. */
bool cw_parameters_init(CwParameters *parameters, int64_t n_layers, int64_t n_features,
                        int64_t width, bool is_cross_layer, GError **error);
void cw_parameters_clear(CwParameters *parameters);

int64_t cw_parameters_n_targets(const CwParameters *parameters, int64_t l);
/* Floats in front of layer l's decoder, and of all decoders at l = L. */
int64_t cw_parameters_decoder_offset(const CwParameters *parameters, int64_t l);
int64_t cw_parameters_padded_width(const CwParameters *parameters);

/* Draws encoders and decoders. */
void cw_parameters_draw(CwParameters *parameters, CwEncoderInit encoder, double threshold,
                        uint64_t seed);
/* threshold from log_threshold, norm from the decoders. */
void cw_parameters_update_derived(CwParameters *parameters);

/* Row i of layer l's decoder to target l + to as [D] plain columns, and back. `array` is one of
 * decoder's three. */
void cw_parameters_read_row(const CwParameters *parameters, const float *array, int64_t l,
                            int64_t i, int64_t to, float *row);
void cw_parameters_write_row(const CwParameters *parameters, float *array, int64_t l, int64_t i,
                             int64_t to, const float *row);
