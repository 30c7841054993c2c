/* prediction-shift.h - how next-token predictions change: cross-entropy, KL, agreement. */
#pragma once

#include "cw-evaluate.h"

/* The predictions of the model as it is, on one window. */
typedef struct {
  int64_t n_rows, n_vocabulary;
  const int32_t *next;  /* [n_rows] tokens that came */
  const float *logits;  /* [n_rows, V] */
  float *probabilities; /* [n_rows, V] */
  double *log_sums;     /* [n_rows] */
  int64_t *best;        /* [n_rows] most likely tokens */
} CwOwnPredictions;

/* Sums over tokens. */
typedef struct {
  double cross_entropy, kl, n_agreeing;
} CwShiftSums;

/* Borrows logits and next. */
bool cw_own_predictions_init(CwOwnPredictions *own, CwkDevice *device, const float *logits,
                             const int32_t *next, int64_t n_rows, int64_t n_vocabulary,
                             GError **error);
void cw_own_predictions_clear(CwOwnPredictions *own);
double cw_own_predictions_cross_entropy(const CwOwnPredictions *own); /* sum */
/* Adds what other logits [n_rows, V] for the same tokens come to. */
bool cw_shift_sums_add(CwShiftSums *sums, CwkDevice *device, const CwOwnPredictions *own,
                       const float *logits, GError **error);
