/* gate-cpu.c - which features are active on which tokens: gates, lists by feature and by token,
 * the tanh penalty.
 *
 * All of it is linear in the pre-activations and small beside the encoder's product; the lists
 * are made from the gates' bits, a word of 64 tokens at a time. */
#include "cpu/tile-kernels.h"

#define FEATURES_PER_ITEM 32

const CwkTileKernels *
cwk_tile_kernels(CwkIsa isa)
{
#if defined(__x86_64__)
  if (isa == CWK_ISA_AVX512)
    return &cwk_tiles_avx512;
  if (isa == CWK_ISA_AVX2)
    return &cwk_tiles_avx2;
#endif
  return &cwk_tiles_baseline;
}

static inline int64_t
n_blocks(int64_t n)
{
  return (n + FEATURES_PER_ITEM - 1) / FEATURES_PER_ITEM;
}

/* ---- gate ------------------------------------------------------------------------------- */

typedef struct {
  const CwkGateArgs *args;
  const CwkTileKernels *tiles;
  int64_t blocks_per_part;
} Gate;

static void
gate_block(void *data, int64_t item)
{
  const Gate *job = data;
  const CwkGatePart *part = &job->args->parts[item / job->blocks_per_part];
  int64_t first = item % job->blocks_per_part * FEATURES_PER_ITEM;
  int64_t end = cwk_min(first + FEATURES_PER_ITEM, part->n_features);
  int64_t n_words = (part->n_tokens + 63) / 64;
  for (int64_t i = first; i < end; i++) {
    CwkGateCounts counts =
        job->tiles->gate_row(part->pre + i * part->n_tokens, part->n_tokens, part->bias[i],
                             part->threshold[i], part->half_band, part->active + i * n_words,
                             part->band != NULL ? part->band + i * n_words : NULL);
    part->n_active[i] = counts.n_active;
    part->shortfall[i] = counts.shortfall;
    if (part->n_band != NULL)
      part->n_band[i] = counts.n_band;
  }
}

CwkStatus
cwk_cpu_gate(CwkDevice *device, const CwkGateArgs *args)
{
  int64_t most = 0;
  for (int64_t p = 0; p < args->n_parts; p++)
    most = args->parts[p].n_features > most ? args->parts[p].n_features : most;
  Gate job = { args, cwk_tile_kernels(device->isa), n_blocks(most) };
  cwk_pool_run(device->pool, args->n_parts * job.blocks_per_part, gate_block, &job);
  return CWK_OK;
}

/* ---- lists ------------------------------------------------------------------------------ */

/* The entries of one feature, tokens ascending. */
static void
list_feature(const CwkActiveListsPart *part, int64_t i, int64_t n_words)
{
  const float *h = part->pre + i * part->n_tokens;
  int64_t e = part->first[i];
  for (int64_t word = 0; word < n_words; word++)
    for (uint64_t bits = part->active[i * n_words + word]; bits != 0; bits &= bits - 1) {
      int64_t token = word * 64 + __builtin_ctzll(bits);
      part->token[e] = (int32_t)token;
      part->value[e++] = h[token];
    }
}

/* The same entries by token: the lists are passed in ascending order of features, so each
 * token's come out ascending. */
static void
list_tokens(const CwkActiveListsPart *part)
{
  int64_t n_entries = part->first[part->n_features];
  int64_t *next = part->token_first;
  for (int64_t b = 0; b <= part->n_tokens; b++)
    next[b] = 0;
  for (int64_t e = 0; e < n_entries; e++)
    next[part->token[e] + 1]++;
  for (int64_t b = 0; b < part->n_tokens; b++)
    next[b + 1] += next[b];
  for (int64_t i = 0; i < part->n_features; i++)
    for (int64_t e = part->first[i]; e < part->first[i + 1]; e++) {
      int64_t to = next[part->token[e]]++;
      part->feature[to] = (int32_t)i;
      part->token_value[to] = part->value[e];
    }
  for (int64_t b = part->n_tokens; b > 0; b--)
    next[b] = next[b - 1];
  next[0] = 0;
}

static void
list_part(void *data, int64_t item)
{
  const CwkActiveListsArgs *args = data;
  const CwkActiveListsPart *part = &args->parts[item];
  int64_t n_words = (part->n_tokens + 63) / 64;
  for (int64_t i = 0; i < part->n_features; i++)
    list_feature(part, i, n_words);
  list_tokens(part);
}

CwkStatus
cwk_cpu_active_lists(CwkDevice *device, const CwkActiveListsArgs *args)
{
  cwk_pool_run(device->pool, args->n_parts, list_part, (void *)args);
  return CWK_OK;
}

/* ---- tanh penalty ----------------------------------------------------------------------- */

typedef struct {
  const CwkTanhPenaltyArgs *args;
  const CwkTileKernels *tiles;
} TanhPenalty;

static void
penalise_part(void *data, int64_t item)
{
  const TanhPenalty *job = data;
  const CwkTanhPenaltyPart *part = &job->args->parts[item];
  for (int64_t i = 0; i < part->n_features; i++) {
    int64_t first = part->entries.first[i], n = part->entries.first[i + 1] - first;
    double sums[3];
    job->tiles->tanh_row(part->value + first, n, part->scale, part->norm[i], part->threshold[i],
                         part->half_band, part->derivative + first, sums);
    part->sum[i] = sums[0];
    part->norm_sum[i] = sums[1];
    part->band_sum[i] = sums[2];
  }
}

CwkStatus
cwk_cpu_tanh_penalty(CwkDevice *device, const CwkTanhPenaltyArgs *args)
{
  TanhPenalty job = { args, cwk_tile_kernels(device->isa) };
  cwk_pool_run(device->pool, args->n_parts, penalise_part, &job);
  return CWK_OK;
}
