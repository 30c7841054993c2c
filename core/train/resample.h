/* resample.h - dead features begin anew where the error is. */
#pragma once

#include "train/trainer-private.h"

/* After a step whose batch and gradients are still in the trainer's work: where that is due,
 * features that did not fire for dead_feature_window steps are pointed at tokens of the batch.
 * Their number is left in *n_changed. A function of state, batch and seed. */
bool cw_resample(CwTrainer *trainer, int64_t *n_changed, GError **error);
