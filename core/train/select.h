/* select.h - which features are active where their number is given: TopK, BatchTopK. */
#pragma once

#include "train/train-step.h"

/* Replaces what the gate decided on work->pre: per token (topk) or per batch (batchtopk) the k
 * largest positive pre-activations of each layer are active, thresholds of the layer follow the
 * smallest of them (an exponential mean, for use without a batch), and nothing is in a band.
 */
bool cw_select_top(CwTrainWork *work, GError **error);
