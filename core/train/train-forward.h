/* train-forward.h - a batch through the transcoder: activations, prediction, losses. */
#pragma once

#include "train/train-work.h"

/* In all functions work->in and out hold a normalised batch. */

/* The encoder's product alone: work->pre without bias. */
bool cw_train_work_encode(CwTrainWork *work, GError **error);
/* Activations and prediction ([L, n_tiles, B, CWK_TILE] in work->prediction). */
bool cw_train_work_forward(CwTrainWork *work, GError **error);
/* Losses and numbers too; leaves dL/d prediction in the prediction's place. result's schedules
 * are set by the caller. */
bool cw_train_work_measure(CwTrainWork *work, CwTrainStep *result, GError **error);

/* In order. */
double cw_sum_doubles(const double *values, int64_t n);
