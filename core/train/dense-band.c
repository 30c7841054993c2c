/* dense-band.c - dense products where most entries carry a gradient.
 *
 * Where all that stands before the jump learns, every entry of the band needs its own
 * dL/dz = dL/dy . w, and its encoder row a multiple of the token's input. While the band is
 * wide, as it is when a run of anthropic-2025-01 begins, these are products of full matrices
 * less a part that is thrown away; a blocked product over all entries does several times as
 * many multiply-adds a second as rows picked one by one, see LEAST_SHARE. The values of the
 * active entries, which decoders read and are learnt from, stay lists. */
#include "train/dense-band.h"

#include <stdlib.h>
#include <string.h>

/* Of a layer's entries, from which on the dense products are faster: measured with AVX2, see
 * tests/bench/RESULTS.md. */
#define LEAST_SHARE 0.4

bool
cw_dense_band_init(CwDenseBand *dense, const CwParameters *parameters)
{
  int64_t n = parameters->n_features;
  int64_t n_floats = parameters->n_layers * n * cw_parameters_padded_width(parameters);
  void *gradient = NULL;
  if (posix_memalign(&gradient, 64, (size_t)MAX(n_floats, 1) * sizeof(float)) != 0)
    gradient = NULL;
  dense->gradient = gradient;
  dense->is_dense = g_try_new0(bool, parameters->n_layers);
  dense->first = g_try_new(int64_t, n + 1);
  dense->row = g_try_new(int32_t, n);
  dense->one = g_try_new(float, n);
  if (dense->gradient == NULL || dense->is_dense == NULL || dense->first == NULL ||
      dense->row == NULL || dense->one == NULL)
    return false;
  for (int64_t i = 0; i < n; i++) {
    dense->first[i] = i;
    dense->row[i] = (int32_t)i;
    dense->one[i] = 1;
  }
  dense->first[n] = n;
  return true;
}

void
cw_dense_band_clear(CwDenseBand *dense)
{
  free(dense->gradient);
  g_free(dense->is_dense);
  g_free(dense->first);
  g_free(dense->row);
  g_free(dense->one);
}

void
cw_dense_band_choose(CwTrainWork *work)
{
  double n = (double)(work->parameters->n_features * work->n_tokens);
  for (int64_t l = 0; l < work->parameters->n_layers; l++)
    work->dense.is_dense[l] = (double)work->entries[l].n_entries >= LEAST_SHARE * n;
}

static bool
run_products(CwTrainWork *work, GArray *products, GError **error)
{
  const CwkMatmulBatchArgs args = { products->len,
                                    (const CwkMatmulArgs *)(const void *)products->data };
  CwkStatus status = products->len > 0 ? cwk_matmul_batch(work->device, &args) : CWK_OK;
  return cw_train_check_status(status, "multiplying over the band", error);
}

/* ---- adjoints --------------------------------------------------------------------------- */

/* Tile t of the decoder rows of layer l against that of the upstream gradient. */
static CwkMatmulArgs
adjoint_product(const CwTrainWork *work, int64_t l, int64_t t)
{
  const CwParameters *p = work->parameters;
  int64_t n = p->n_features, tile_floats = work->n_tokens * CWK_TILE;
  const float *upstream = work->prediction + (l * p->n_tiles + t) * tile_floats;
  float *weight = p->decoder.value + cw_parameters_decoder_offset(p, l) + t * n * CWK_TILE;
  return (CwkMatmulArgs){
    .m = n,
    .n = work->n_tokens,
    .k = CWK_TILE,
    .a = { .data = weight, .stride = CWK_TILE },
    .b = { .data = upstream,
           .dtype = CWK_F32,
           .n_rows = work->n_tokens,
           .n_cols = CWK_TILE,
           .row_bytes = CWK_TILE * sizeof(float) },
    .b_layout = CWK_B_ROWS_ARE_OUTPUTS,
    .c = { .data = work->pre + l * n * work->n_tokens, .stride = work->n_tokens },
    .accumulate = t > 0,
  };
}

static void
add_adjoints(void *data, int64_t l)
{
  CwTrainWork *work = data;
  int64_t n = work->parameters->n_features;
  CwLayerEntries *entries = &work->entries[l];
  if (!work->dense.is_dense[l])
    return;
  for (int64_t i = 0; i < n; i++) {
    const float *row = work->pre + (l * n + i) * work->n_tokens;
    for (int64_t e = entries->first[i]; e < entries->first[i + 1]; e++)
      entries->adjoint[e] += row[entries->token[e]];
  }
}

bool
cw_dense_band_adjoint(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  int64_t most = (p->is_cross_layer ? p->n_layers : 1) * p->n_tiles;
  g_autoptr(GArray) products = g_array_new(FALSE, FALSE, sizeof(CwkMatmulArgs));
  for (int64_t t = 0; t < most; t++) {
    g_array_set_size(products, 0);
    for (int64_t l = 0; l < p->n_layers; l++)
      if (work->dense.is_dense[l] && t < cw_parameters_n_targets(p, l) * p->n_tiles) {
        CwkMatmulArgs product = adjoint_product(work, l, t);
        g_array_append_val(products, product);
      }
    if (!run_products(work, products, error))
      return false;
  }
  cwk_parallel_for(work->device, p->n_layers, add_adjoints, work);
  return true;
}

/* ---- encoders --------------------------------------------------------------------------- */

/* The coefficients as a full matrix in work->pre. */
static void
spread_coefficients(void *data, int64_t l)
{
  CwTrainWork *work = data;
  int64_t n = work->parameters->n_features;
  const CwLayerEntries *entries = &work->entries[l];
  if (!work->dense.is_dense[l])
    return;
  for (int64_t i = 0; i < n; i++) {
    float *row = work->pre + (l * n + i) * work->n_tokens;
    memset(row, 0, (size_t)work->n_tokens * sizeof *row);
    for (int64_t e = entries->first[i]; e < entries->first[i + 1]; e++)
      row[entries->token[e]] = entries->adjoint[e];
  }
}

bool
cw_dense_band_encoder(CwTrainWork *work, GError **error)
{
  const CwParameters *p = work->parameters;
  int64_t n = p->n_features, padded = cw_parameters_padded_width(p);
  g_autoptr(GArray) products = g_array_new(FALSE, FALSE, sizeof(CwkMatmulArgs));
  cwk_parallel_for(work->device, p->n_layers, spread_coefficients, work);
  for (int64_t l = 0; l < p->n_layers; l++) {
    const CwkMatmulArgs product = {
      .m = n,
      .n = padded,
      .k = work->n_tokens,
      .a = { .data = work->pre + l * n * work->n_tokens, .stride = work->n_tokens },
      .b = { .data = work->in + l * work->n_tokens * padded,
             .dtype = CWK_F32,
             .n_rows = work->n_tokens,
             .n_cols = padded,
             .row_bytes = (size_t)padded * sizeof(float) },
      .b_layout = CWK_B_ROWS_ARE_INPUTS,
      .c = { .data = work->dense.gradient + l * n * padded, .stride = padded },
    };
    if (work->dense.is_dense[l])
      g_array_append_val(products, product);
  }
  return run_products(work, products, error);
}
