/* parameters.c - see parameters.h. */
#include "train/parameters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/room.h"

/* Streams of one seed. */
enum { STREAM_ENCODER = 1, STREAM_DECODER = 2 };

int64_t
cw_parameters_padded_width(const CwParameters *parameters)
{
  return parameters->n_tiles * CWK_TILE;
}

int64_t
cw_parameters_n_targets(const CwParameters *parameters, int64_t l)
{
  return parameters->is_cross_layer ? parameters->n_layers - l : 1;
}

int64_t
cw_parameters_decoder_offset(const CwParameters *parameters, int64_t l)
{
  int64_t n_blocks =
      parameters->is_cross_layer ? l * parameters->n_layers - l * (l - 1) / 2 : l;
  return n_blocks * parameters->n_features * cw_parameters_padded_width(parameters);
}

/* Zeros; passes touch hundreds of megabytes in order. */
static float *
new_floats(int64_t n)
{
  size_t n_bytes = (size_t)MAX(n, 1) * sizeof(float);
  void *memory = cw_pages_new(n_bytes);
  if (memory != NULL)
    memset(memory, 0, n_bytes);
  return memory;
}

static bool
init_moments(CwMoments *moments, int64_t n)
{
  moments->value = new_floats(n);
  moments->m = new_floats(n);
  moments->v = new_floats(n);
  return moments->value != NULL && moments->m != NULL && moments->v != NULL;
}

static void
clear_moments(CwMoments *moments)
{
  free(moments->value);
  free(moments->m);
  free(moments->v);
}

bool
cw_parameters_init(CwParameters *parameters, int64_t n_layers, int64_t n_features,
                   int64_t width, bool is_cross_layer, GError **error)
{
  *parameters = (CwParameters){ .n_layers = n_layers,
                                .n_features = n_features,
                                .width = width,
                                .n_tiles = (width + CWK_TILE - 1) / CWK_TILE,
                                .is_cross_layer = is_cross_layer };
  int64_t n = n_layers * n_features, padded = cw_parameters_padded_width(parameters);
  int64_t n_decoder = cw_parameters_decoder_offset(parameters, n_layers);
  double n_bytes = 12.0 * ((double)n_decoder + (double)n * (double)padded);
  bool fits = n_bytes < cw_free_memory_bytes();
  if (fits && init_moments(&parameters->encoder, n * padded) &&
      init_moments(&parameters->decoder, n_decoder) && init_moments(&parameters->bias, n) &&
      init_moments(&parameters->log_threshold, n) &&
      init_moments(&parameters->decoder_bias, n_layers * padded)) {
    parameters->threshold = new_floats(n);
    parameters->norm = new_floats(n);
    parameters->silent_steps = g_try_new0(int64_t, n);
    parameters->scale_in = new_floats(n_layers);
    parameters->scale_out = new_floats(n_layers);
  }
  if (parameters->threshold == NULL || parameters->norm == NULL ||
      parameters->silent_steps == NULL || parameters->scale_in == NULL ||
      parameters->scale_out == NULL) {
    cw_parameters_clear(parameters);
    g_set_error(
        error, CW_ERROR, CW_ERROR_NO_MEMORY,
        "%d layers of %d features need %.1f GiB for weights and moments; %.1f are free; "
        "take a smaller d_latent",
        (int)n_layers, (int)n_features, n_bytes / 1073741824.0,
        cw_free_memory_bytes() / 1073741824.0);
    return false;
  }
  for (int64_t i = 0; i < n; i++)
    parameters->threshold[i] = 1;
  for (int64_t l = 0; l < n_layers; l++)
    parameters->scale_in[l] = parameters->scale_out[l] = 1;
  return true;
}

void
cw_parameters_clear(CwParameters *parameters)
{
  clear_moments(&parameters->encoder);
  clear_moments(&parameters->decoder);
  clear_moments(&parameters->bias);
  clear_moments(&parameters->log_threshold);
  clear_moments(&parameters->decoder_bias);
  free(parameters->threshold);
  free(parameters->norm);
  g_free(parameters->silent_steps);
  free(parameters->scale_in);
  free(parameters->scale_out);
  memset(parameters, 0, sizeof *parameters);
}

static int64_t
row_offset(const CwParameters *parameters, int64_t l, int64_t i, int64_t to, int64_t tile)
{
  int64_t block = to * parameters->n_tiles + tile;
  return cw_parameters_decoder_offset(parameters, l) +
         (block * parameters->n_features + i) * CWK_TILE;
}

static size_t
tile_bytes(const CwParameters *parameters, int64_t tile)
{
  return (size_t)MIN(parameters->width - tile * CWK_TILE, CWK_TILE) * sizeof(float);
}

void
cw_parameters_read_row(const CwParameters *parameters, const float *array, int64_t l, int64_t i,
                       int64_t to, float *row)
{
  for (int64_t t = 0; t < parameters->n_tiles; t++)
    memcpy(row + t * CWK_TILE, array + row_offset(parameters, l, i, to, t),
           tile_bytes(parameters, t));
}

void
cw_parameters_write_row(const CwParameters *parameters, float *array, int64_t l, int64_t i,
                        int64_t to, const float *row)
{
  for (int64_t t = 0; t < parameters->n_tiles; t++)
    memcpy(array + row_offset(parameters, l, i, to, t), row + t * CWK_TILE,
           tile_bytes(parameters, t));
}

static void
draw_row(CwRng *rng, double bound, float *row, int64_t n)
{
  for (int64_t j = 0; j < n; j++)
    row[j] = (float)((2 * cw_rng_next_uniform(rng) - 1) * bound);
}

/* Decoders: U(+-1/sqrt(L D)). Encoders: U(+-1/sqrt(F)), or where tied the decoder row of the
 * layer's own target times D / F (Anthropic, January 2025, for dictionaries of one layer). */
void
cw_parameters_draw(CwParameters *parameters, CwEncoderInit encoder, double threshold,
                   uint64_t seed)
{
  int64_t n_features = parameters->n_features, width = parameters->width;
  int64_t padded = cw_parameters_padded_width(parameters);
  CwRng encoder_rng = { .seed = seed, .stream = STREAM_ENCODER };
  CwRng decoder_rng = { .seed = seed, .stream = STREAM_DECODER };
  double bound = 1 / sqrt((double)parameters->n_layers * (double)width);
  g_autofree float *row = g_new(float, width);
  for (int64_t l = 0; l < parameters->n_layers; l++)
    for (int64_t i = 0; i < n_features; i++) {
      float *to = parameters->encoder.value + (l * n_features + i) * padded;
      for (int64_t k = 0; k < cw_parameters_n_targets(parameters, l); k++) {
        draw_row(&decoder_rng, bound, row, width);
        cw_parameters_write_row(parameters, parameters->decoder.value, l, i, k, row);
        if (k == 0 && encoder == CW_ENCODER_TIED)
          for (int64_t j = 0; j < width; j++)
            to[j] = row[j] * (float)((double)width / (double)n_features);
      }
      if (encoder == CW_ENCODER_UNIFORM)
        draw_row(&encoder_rng, 1 / sqrt((double)n_features), to, width);
      parameters->log_threshold.value[l * n_features + i] = (float)log(threshold);
    }
  cw_parameters_update_derived(parameters);
}

void
cw_parameters_update_derived(CwParameters *parameters)
{
  int64_t n_features = parameters->n_features;
  for (int64_t i = 0; i < parameters->n_layers * n_features; i++)
    parameters->threshold[i] = expf(parameters->log_threshold.value[i]);
  for (int64_t l = 0; l < parameters->n_layers; l++) {
    const float *decoder =
        parameters->decoder.value + cw_parameters_decoder_offset(parameters, l);
    int64_t n_blocks = cw_parameters_n_targets(parameters, l) * parameters->n_tiles;
    for (int64_t i = 0; i < n_features; i++) {
      double sum = 0;
      for (int64_t t = 0; t < n_blocks; t++)
        for (int64_t j = 0; j < CWK_TILE; j++) {
          double w = (double)decoder[(t * n_features + i) * CWK_TILE + j];
          sum += w * w;
        }
      parameters->norm[l * n_features + i] = (float)sqrt(sum);
    }
  }
}
