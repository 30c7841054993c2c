/* dense-reference.h - the objective of training and its gradients, written out in double with
 * nothing left out or shared: what the trainer is compared with. */
#pragma once

#include "train/trainer-private.h"

/* Everything dense and unpadded. */
typedef struct {
  int64_t n_layers, n_features, width, n_tokens;
  bool is_cross_layer;
  double *encoder;       /* [L, F, D] */
  double *decoder;       /* [L, L, F, D]: source, target; only pairs that are written to */
  double *bias;          /* [L, F] */
  double *log_threshold; /* [L, F] */
  double *decoder_bias;  /* [L, D] */
} DenseParameters;

void dense_parameters_init(DenseParameters *self, const CwParameters *parameters,
                           int64_t n_tokens);
void dense_parameters_init_like(DenseParameters *self, const DenseParameters *other);
void dense_parameters_clear(DenseParameters *self);

/* in, out: [L, B, D]. is_active [L, F, B] says which entries are active where their number is
 * given (TopK); NULL: by thresholds. gradient may be NULL. Returns the loss. */
double dense_loss(const DenseParameters *self, const CwTrainSettings *settings,
                  double l0_coefficient, const float *in, const float *out,
                  const bool *is_active, DenseParameters *gradient);
/* The distance of the pre-activation that is nearest to its threshold. */
double dense_nearest_threshold(const DenseParameters *self, const float *in);
