/* trainer-private.h - the trainer's insides, for its own files and tests. */
#pragma once

#include "train/train-step.h"

struct _CwTrainer {
  CwTrainSettings settings;
  CwkDevice *device; /* borrowed */
  CwParameters parameters;
  CwTrainWork work;
  int64_t step;            /* steps done */
  double unexplained_mean; /* running, of 1 - explained variance, for spikes; 0 at first */
  double l0_mean;          /* running, over about 100 steps; for optimal_l0 */
  bool is_initialised;     /* by a transcoder or a checkpoint */
};

/* Copies a batch [L, B, D] into work, normalised and padded. */
void cw_trainer_load_batch(CwTrainer *trainer, const float *in, const float *out);
