/* train-step.h - one step: loss, exact gradients, clipping, Adam. */
#pragma once

#include "train/train-forward.h"

/* work->in and out hold a normalised batch. Fills in losses and gradients, result's schedules
 * being set by the caller; parameters stay as they are. */
bool cw_train_work_backward(CwTrainWork *work, CwTrainStep *result, GError **error);
/* Takes the step whose gradients backward left. */
bool cw_train_work_update(CwTrainWork *work, const CwTrainStep *result, GError **error);
/* work->prediction holds some x of every target and token: adds the sum over tokens of a x to
 * the decoders' first moments, a being the activations. */
bool cw_train_work_add_outer(CwTrainWork *work, GError **error);
