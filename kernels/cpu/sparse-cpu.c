/* sparse-cpu.c - decoders of sparse dictionaries: forward, backward and update.
 *
 * Everything passes tile by tile: of the vectors of all tokens 64 columns are in the cache (256
 * KiB at 1,024 tokens) while all features of a block use them, and decoder rows stream past in
 * the order in which they lie in memory. An entry costs two multiply-adds a column backward
 * (its adjoint and its row's gradient share the load), one forward and one more in the update,
 * where the gradient is summed again: cheaper than to write it out and read it back while few
 * features are active, and clipping by the global norm needs the norm first.
 *
 * Parts are cut into blocks of features that belong to one thread each, so every sum has one
 * writer and one order. Rejected: lists of entries by token for the gradient (atomics, or a
 * copy per thread), rows as [F, targets * D] (a tile of them is one cache line in each of 512
 * pages).
 */
#include "cpu/tile-kernels.h"

#include <string.h>

#define FEATURES_PER_BLOCK 512
#define TOKENS_PER_ITEM    1024

/* ---- blocks of parts -------------------------------------------------------------------- */

typedef struct {
  const void *args;
  const CwkTileKernels *tiles;
  CwkDevice *device;
  int64_t block_features, blocks_per_part;
} Blocks;

/* The features of a block: no more than fit the scratch, and few enough that there is work for
 * every thread. Sums do not depend on it. */
static Blocks
plan_blocks(CwkDevice *device, const void *args, int64_t n_parts, int64_t n_features)
{
  int64_t n_threads = cwk_pool_n_threads(device->pool);
  int64_t wanted = (4 * n_threads + n_parts - 1) / (n_parts > 0 ? n_parts : 1);
  int64_t size = (n_features + wanted - 1) / wanted;
  size = (size + 15) / 16 * 16;
  size = size < 16 ? 16 : cwk_min(size, FEATURES_PER_BLOCK);
  return (Blocks){ args, cwk_tile_kernels(device->isa), device, size,
                   (n_features + size - 1) / size };
}

static int64_t
block_of_item(const Blocks *blocks, int64_t item, int64_t n_features, int64_t *first)
{
  *first = item % blocks->blocks_per_part * blocks->block_features;
  return cwk_min(*first + blocks->block_features, n_features);
}

/* ---- decode ----------------------------------------------------------------------------- */

typedef struct {
  const CwkSparseDecodeArgs *args;
  const CwkTileKernels *tiles;
  int64_t n_token_blocks;
} Decode;

static void
decode_tokens(void *data, int64_t item)
{
  const Decode *job = data;
  const CwkSparseDecodeArgs *args = job->args;
  int64_t b0 = item % job->n_token_blocks * TOKENS_PER_ITEM;
  int64_t b1 = cwk_min(b0 + TOKENS_PER_ITEM, args->n_tokens);
  int64_t tile = item / job->n_token_blocks, k = tile / args->n_tiles, t = tile % args->n_tiles;
  float *out = args->out + tile * args->n_tokens * CWK_TILE;
  for (int64_t b = b0; b < b1; b++)
    memcpy(out + b * CWK_TILE, args->bias + tile * CWK_TILE, CWK_TILE * sizeof *out);
  for (int64_t l = args->is_cross_layer ? 0 : k; l <= k; l++) {
    const CwkDecodeSource *source = &args->sources[l];
    const float *weight =
        source->weight + ((k - l) * args->n_tiles + t) * source->n_features * CWK_TILE;
    for (int64_t b = b0; b < b1; b++) {
      int64_t first = source->entries.first[b];
      job->tiles->decode_token(source->entries.index + first, source->value + first,
                               source->entries.first[b + 1] - first, weight,
                               out + b * CWK_TILE);
    }
  }
}

CwkStatus
cwk_cpu_sparse_decode(CwkDevice *device, const CwkSparseDecodeArgs *args)
{
  Decode job = { args, cwk_tile_kernels(device->isa),
                 (args->n_tokens + TOKENS_PER_ITEM - 1) / TOKENS_PER_ITEM };
  cwk_pool_run(device->pool, args->n_targets * args->n_tiles * job.n_token_blocks,
               decode_tokens, &job);
  return CWK_OK;
}

/* ---- residual --------------------------------------------------------------------------- */

static void
residual_tile(void *data, int64_t tile)
{
  const CwkResidualArgs *args = data;
  int64_t k = tile / args->n_tiles, column = tile % args->n_tiles * CWK_TILE;
  int64_t width = cwk_min(args->width - column, CWK_TILE), n = args->n_tokens;
  float *prediction = args->prediction + tile * n * CWK_TILE;
  const float *actual = args->actual + k * n * args->width + column;
  double mean[CWK_TILE] = { 0 }, sum[CWK_TILE] = { 0 };
  double errors = 0, weighted = 0, deviations = 0;
  for (int64_t b = 0; b < n; b++)
    for (int64_t j = 0; j < width; j++)
      mean[j] += (double)actual[b * args->width + j];
  for (int64_t j = 0; j < width; j++)
    mean[j] /= (double)n;
  for (int64_t b = 0; b < n; b++) {
    float *p = prediction + b * CWK_TILE;
    const float *y = actual + b * args->width;
    float weight = args->weight != NULL ? args->weight[k * n + b] : 1;
    double square = 0;
    for (int64_t j = 0; j < width; j++) {
      double error = (double)(p[j] - y[j]), deviation = (double)y[j] - mean[j];
      square += error * error;
      deviations += deviation * deviation;
      p[j] = args->factor * weight * (p[j] - y[j]);
      sum[j] += (double)p[j];
    }
    errors += square;
    weighted += (double)weight * square;
    for (int64_t j = width; j < CWK_TILE; j++)
      p[j] = 0;
  }
  for (int64_t j = 0; j < CWK_TILE; j++)
    args->column_sums[tile * CWK_TILE + j] = (float)sum[j];
  args->square_errors[tile] = errors;
  args->weighted_errors[tile] = weighted;
  args->square_deviations[tile] = deviations;
}

CwkStatus
cwk_cpu_residual(CwkDevice *device, const CwkResidualArgs *args)
{
  cwk_pool_run(device->pool, args->n_targets * args->n_tiles, residual_tile, (void *)args);
  return CWK_OK;
}

/* ---- adjoint ---------------------------------------------------------------------------- */

/* Fewer tokens than this share of all are added row by row. */
#define LISTS_PAY(n_band, n_tokens) ((n_band)*8 < (n_tokens))

/* How the bands of a block's features are summed: those of many tokens are looked up, the
 * others have their tokens listed. */
typedef struct {
  int64_t n_looked_up, n_listed, n_chunks;
  float *tables;    /* [CWK_TABLE_FLOATS] */
  float *sums;      /* [n_looked_up, strip] */
  int32_t *feature; /* looked up ones from the front, listed ones from the back */
  uint32_t *sets;   /* [n_chunks, n_looked_up] */
  int32_t *token;   /* of the listed ones, one after the other */
} Bands;

/* A feature has either a set or a list, which is at most as long as an eighth of the tokens. */
static size_t
bands_bytes(int64_t n_features, int64_t n_tokens)
{
  int64_t n_chunks = (n_tokens + CWK_CHUNK_TOKENS - 1) / CWK_CHUNK_TOKENS;
  int64_t words = CWK_TILE + 1 + n_chunks + n_tokens / 8 + 1;
  return (CWK_TABLE_FLOATS + (size_t)(n_features * words)) * sizeof(float);
}

static int32_t *
list_tokens(const uint64_t *set, int64_t n_words, int32_t *to)
{
  for (int64_t word = 0; word < n_words; word++)
    for (uint64_t bits = set[word]; bits != 0; bits &= bits - 1)
      *to++ = (int32_t)(word * 64 + __builtin_ctzll(bits));
  return to;
}

static Bands
plan_bands(const CwkSparseAdjointPart *part, int64_t first, int64_t end, void *scratch)
{
  int64_t n_words = (part->n_tokens + 63) / 64, n = end - first;
  Bands bands = { .n_chunks = (part->n_tokens + CWK_CHUNK_TOKENS - 1) / CWK_CHUNK_TOKENS,
                  .tables = scratch };
  bands.sums = bands.tables + CWK_TABLE_FLOATS;
  bands.feature = (int32_t *)(bands.sums + n * CWK_TILE);
  for (int64_t i = first; i < end; i++) {
    if (!LISTS_PAY(part->n_band[i], part->n_tokens))
      bands.feature[bands.n_looked_up++] = (int32_t)i;
    else if (part->n_band[i] > 0)
      bands.feature[n - ++bands.n_listed] = (int32_t)i;
  }
  bands.sets = (uint32_t *)(bands.feature + n);
  bands.token = (int32_t *)(bands.sets + bands.n_chunks * bands.n_looked_up);
  for (int64_t chunk = 0; chunk < bands.n_chunks; chunk++)
    for (int64_t i = 0; i < bands.n_looked_up; i++) {
      uint64_t word = part->band[bands.feature[i] * n_words + chunk / 2];
      bands.sets[chunk * bands.n_looked_up + i] = (uint32_t)(word >> (chunk % 2 * 32));
    }
  int32_t *token = bands.token;
  for (int64_t i = 1; i <= bands.n_listed; i++)
    token = list_tokens(part->band + bands.feature[n - i] * n_words, n_words, token);
  return bands;
}

static void
look_up_bands(const CwkTileKernels *tiles, const CwkSparseAdjointPart *part, const Bands *bands,
              const float *upstream, const float *weight)
{
  for (int64_t column = 0; column < CWK_TILE; column += tiles->strip) {
    memset(bands->sums, 0, (size_t)(bands->n_looked_up * tiles->strip) * sizeof(float));
    for (int64_t chunk = 0; chunk < bands->n_chunks; chunk++) {
      int64_t b = chunk * CWK_CHUNK_TOKENS;
      tiles->build_tables(upstream + b * CWK_TILE + column, part->n_tokens - b, bands->tables);
      tiles->add_by_table(bands->sets + chunk * bands->n_looked_up, bands->n_looked_up,
                          bands->tables, bands->sums);
    }
    for (int64_t i = 0; i < bands->n_looked_up; i++)
      part->band_sum[bands->feature[i]] += (double)tiles->dot_strip(
          bands->sums + i * tiles->strip, weight + bands->feature[i] * CWK_TILE + column);
  }
}

/* Over one tile. */
static void
sum_bands(const CwkTileKernels *tiles, const CwkSparseAdjointPart *part, const Bands *bands,
          int64_t n_features, const float *upstream, const float *weight)
{
  if (bands->n_looked_up > 0)
    look_up_bands(tiles, part, bands, upstream, weight);
  const int32_t *token = bands->token;
  for (int64_t k = 1; k <= bands->n_listed; k++) {
    int64_t i = bands->feature[n_features - k];
    part->band_sum[i] +=
        tiles->dot_rows(token, part->n_band[i], upstream, weight + i * CWK_TILE);
    token += part->n_band[i];
  }
}

static void
adjoint_block(void *data, int64_t item)
{
  const Blocks *blocks = data;
  const CwkSparseAdjointArgs *args = blocks->args;
  const CwkSparseAdjointPart *part = &args->parts[item / blocks->blocks_per_part];
  int64_t first, end = block_of_item(blocks, item, part->n_features, &first);
  Bands bands = { 0 };
  if (part->band != NULL)
    bands = plan_bands(part, first, end, blocks->device->scratch[cwk_pool_thread_index()]);
  for (int64_t i = first; i < end; i++) {
    part->gradient_norm2[i] = 0;
    if (part->band != NULL)
      part->band_sum[i] = 0;
  }
  for (int64_t t = 0; t < part->n_tiles; t++) {
    const float *upstream = part->upstream + t * part->n_tokens * CWK_TILE;
    const float *weight = part->weight + t * part->n_features * CWK_TILE;
    if (part->band != NULL)
      sum_bands(blocks->tiles, part, &bands, end - first, upstream, weight);
    for (int64_t i = first; i < end; i++) {
      int64_t e = part->entries.first[i];
      CwkRowGradient row = { .token = part->entries.index + e,
                             .coefficient = part->value + e,
                             .n = part->entries.first[i + 1] - e,
                             .source = upstream,
                             .token_stride = CWK_TILE,
                             .weight_scale = part->weight_scale[i] };
      part->gradient_norm2[i] +=
          blocks->tiles->adjoint_tile(&row, weight + i * CWK_TILE, part->adjoint + e);
    }
  }
}

CwkStatus
cwk_cpu_sparse_adjoint(CwkDevice *device, const CwkSparseAdjointArgs *args)
{
  int64_t most = 0, n_tokens = 0;
  for (int64_t p = 0; p < args->n_parts; p++) {
    most = args->parts[p].n_features > most ? args->parts[p].n_features : most;
    n_tokens = args->parts[p].n_tokens > n_tokens ? args->parts[p].n_tokens : n_tokens;
  }
  Blocks blocks = plan_blocks(device, args, args->n_parts, most);
  size_t n_bytes = bands_bytes(blocks.block_features, n_tokens);
  if (cwk_cpu_reserve_threads(device, n_bytes) != CWK_OK)
    return CWK_NO_MEMORY;
  cwk_pool_run(device->pool, args->n_parts * blocks.blocks_per_part, adjoint_block, &blocks);
  return CWK_OK;
}

/* ---- rows: norms of gradients, and Adam ---------------------------------------------------
 */

typedef struct {
  Blocks blocks;
  const CwkSparseRowsPart *parts;
  const CwkSparseAdamArgs *adam; /* NULL: norms only */
} Rows;

static CwkRowGradient
row_gradient(const CwkSparseRowsPart *part, int64_t i, int64_t t)
{
  int64_t e = part->entries.first[i];
  return (CwkRowGradient){ .token = part->entries.index + e,
                           .coefficient = part->coefficient + e,
                           .n = part->entries.first[i + 1] - e,
                           .source = part->source + t * part->source_tile_stride,
                           .token_stride = part->source_token_stride,
                           .weight_scale = part->weight_scale ? part->weight_scale[i] : 0,
                           .shift = part->shift ? part->shift + t * CWK_TILE : NULL,
                           .shift_scale = part->shift ? part->shift_scale[i] : 0 };
}

static void
rows_block(void *data, int64_t item)
{
  const Rows *job = data;
  const CwkSparseRowsPart *part = &job->parts[item / job->blocks.blocks_per_part];
  const CwkTileKernels *tiles = job->blocks.tiles;
  int64_t first, end = block_of_item(&job->blocks, item, part->n_features, &first);
  for (int64_t i = first; part->norm2 != NULL && i < end; i++)
    part->norm2[i] = 0;
  for (int64_t t = 0; t < part->n_tiles; t++)
    for (int64_t i = first; i < end; i++) {
      int64_t at = t * part->tile_stride + i * part->row_stride;
      CwkRowGradient row = row_gradient(part, i, t);
      double norm2 = job->adam == NULL
                         ? tiles->gradient_norm_tile(&row, part->weight + at)
                         : tiles->adam_tile(&row, job->adam->gradient_factor, &job->adam->adam,
                                            part->weight + at, part->m + at, part->v + at);
      if (part->norm2 != NULL)
        part->norm2[i] += norm2;
    }
}

static void
sum_block(void *data, int64_t item)
{
  const Rows *job = data;
  const CwkSparseRowsPart *part = &job->parts[item / job->blocks.blocks_per_part];
  int64_t first, end = block_of_item(&job->blocks, item, part->n_features, &first);
  for (int64_t t = 0; t < part->n_tiles; t++)
    for (int64_t i = first; i < end; i++) {
      CwkRowGradient row = row_gradient(part, i, t);
      job->blocks.tiles->decode_token(row.token, row.coefficient, row.n, row.source,
                                      part->m + t * part->tile_stride + i * part->row_stride);
    }
}

static void
run_rows(CwkDevice *device, const CwkSparseRowsPart *parts, int64_t n_parts,
         const CwkSparseAdamArgs *adam, CwkTask task)
{
  int64_t most = 0;
  for (int64_t p = 0; p < n_parts; p++)
    most = parts[p].n_features > most ? parts[p].n_features : most;
  Rows job = { plan_blocks(device, NULL, n_parts, most), parts, adam };
  cwk_pool_run(device->pool, n_parts * job.blocks.blocks_per_part, task, &job);
}

CwkStatus
cwk_cpu_sparse_gradient_norm(CwkDevice *device, const CwkSparseRowsArgs *args)
{
  run_rows(device, args->parts, args->n_parts, NULL, rows_block);
  return CWK_OK;
}

CwkStatus
cwk_cpu_sparse_gradient_sum(CwkDevice *device, const CwkSparseRowsArgs *args)
{
  run_rows(device, args->parts, args->n_parts, NULL, sum_block);
  return CWK_OK;
}

CwkStatus
cwk_cpu_sparse_adam(CwkDevice *device, const CwkSparseAdamArgs *args)
{
  run_rows(device, args->parts, args->n_parts, args, rows_block);
  return CWK_OK;
}

#define VALUES_PER_ITEM 4096

typedef struct {
  const CwkAdamArgs *args;
  const CwkTileKernels *tiles;
} Values;

static void
adam_part(void *data, int64_t item)
{
  const Values *job = data;
  int64_t first = item * VALUES_PER_ITEM;
  job->tiles->adam_values(job->args, first, cwk_min(VALUES_PER_ITEM, job->args->n - first));
}

CwkStatus
cwk_cpu_adam(CwkDevice *device, const CwkAdamArgs *args)
{
  Values job = { args, cwk_tile_kernels(device->isa) };
  cwk_pool_run(device->pool, (args->n + VALUES_PER_ITEM - 1) / VALUES_PER_ITEM, adam_part,
               &job);
  return CWK_OK;
}
