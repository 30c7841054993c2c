/* dense-band.h - dense products where most entries carry a gradient. */
#pragma once

#include "train/train-work.h"

/* Only where all that stands before the jump learns: the band's entries then need dL/dz one by
 * one. All functions do nothing for layers whose band is narrow. */

bool cw_dense_band_init(CwDenseBand *dense, const CwParameters *parameters);
void cw_dense_band_clear(CwDenseBand *dense);

/* Decides for each layer, by the numbers of its entries: the same for any threads and times. */
void cw_dense_band_choose(CwTrainWork *work);
/* Adds dL/dy . w to the adjoints of dense layers. work->pre is used up. */
bool cw_dense_band_adjoint(CwTrainWork *work, GError **error);
/* The gradients of dense layers' encoder rows, but for what all tokens share, out of the
 * entries' coefficients. */
bool cw_dense_band_encoder(CwTrainWork *work, GError **error);
