/* train-work.h - the memory of a step: what lies between its passes. */
#pragma once

#include "train/parameters.h"

/* What one layer leaves between the passes; arrays of entries grow as they must. */
typedef struct {
  int64_t n_entries, capacity;
  int64_t *first;    /* [F + 1] */
  int32_t *token;    /* [n_entries] by feature */
  float *value;      /* activations */
  float *derivative; /* of tanh(scale a n) to a */
  float *adjoint;    /* dL/da, then the coefficient of the encoder's row */
  /* Those of them that have a value, by feature: the arrays above, or where all that stands
   * before the jump learns, arrays of their own. */
  int64_t *firing_first; /* [F + 1] */
  int32_t *firing_token;
  float *firing_value, *firing_adjoint;
  int64_t *token_first; /* [B + 1] */
  int32_t *feature;     /* by token, those that have a value */
  float *token_value;
} CwLayerEntries;

/* See dense-band.h; all NULL where thresholds alone learn through the jump. */
typedef struct {
  bool *is_dense;  /* [L] */
  float *gradient; /* [L, F, Dp] of encoder rows */
  /* A full matrix as entries: one a feature, its own row. */
  int64_t *first; /* [F + 1] */
  int32_t *row;   /* [F] */
  float *one;     /* [F] */
} CwDenseBand;

typedef struct {
  CwParameters *parameters;
  const CwTrainSettings *settings;
  CwkDevice *device;
  int64_t n_tokens, n_words;
  float *in;                  /* [L, B, Dp] normalised and padded */
  float *out;                 /* [L, B, D] normalised */
  float *weight;              /* [L, B] of the errors, or NULL: 1 */
  float *pre;                 /* [L, F, B] */
  uint64_t *active, *band;    /* [L, F, n_words] */
  int64_t *n_active, *n_band; /* [L, F] */
  double *shortfall, *tanh_sum, *norm_sum, *band_sum, *band_dot; /* [L, F] */
  double *row_norm2;                                             /* [L, F] */
  float *weight_scale, *shift_scale;                             /* [L, F] */
  float *in_sum;                                                 /* [L, Dp] over tokens */
  CwLayerEntries *entries;                                       /* [L] */
  CwDenseBand dense;
  float *prediction;  /* [L, n_tiles, B, CWK_TILE], then its gradient */
  float *column_sums; /* [L, Dp] */
  double *square_errors, *weighted_errors, *square_deviations; /* [L, n_tiles] */
  float *bias_gradient, *threshold_gradient;                   /* [L, F] */
  int64_t t;                                                   /* Adam's count of steps */
  double *layer_explained_variance, *layer_l0;                 /* [L] */
  int64_t *layer_dead;                                         /* [L] */
} CwTrainWork;

bool cw_train_work_init(CwTrainWork *work, CwParameters *parameters,
                        const CwTrainSettings *settings, CwkDevice *device, GError **error);
void cw_train_work_clear(CwTrainWork *work);

/* Whether all that stands before the jump learns, not thresholds alone. */
bool cw_train_work_is_through_all(const CwTrainWork *work);
/* Room for n entries of layer l; their contents are lost where it has to grow. */
bool cw_train_work_reserve_entries(CwTrainWork *work, int64_t l, int64_t n, GError **error);

/* Whether an op went well; `doing` is part of the message. */
bool cw_train_check_status(CwkStatus status, const char *doing, GError **error);
