/* attention-cpu.c - attention: patterns, what they mix, both in one, and the adjoint of mixing.
 *
 * A block of queries of one head is a pair of small matrix products around a softmax, so the
 * register tile of matmul-cpu.c does the work: keys and values are packed once per call, 48
 * queries at a time are packed, multiplied with the panels of keys they may see, turned into
 * patterns row by row, and multiplied with the panels of values. Where nobody asked for the
 * patterns they never leave a scratch array of [48, T], which stays in the cache. Few queries
 * (a step of generation) pay no packing: they take dot products. */
#include "cpu/isa-kernels.h"

#include <math.h>
#include <string.h>

/* Whole register tiles of every instruction set: 12, 6 and 4 rows. */
#define QUERY_BLOCK 48
#define FEW_QUERIES 4
#define MAX_MR      12
#define MAX_NR      32

static inline int64_t
max_i64(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* One call, of whichever of the three ops. */
typedef struct {
  CwkAttentionArgs args;
  const CwkIsaKernels *isa;
  CwkDevice *device;
  float *pattern;  /* [H, n_queries, n_keys] to write or read, or NULL */
  bool has_scores; /* patterns are to be computed */
  bool has_mix;    /* they are to be applied to the values */
  int64_t n_key_panels, n_width_panels;
  float *packed_k;    /* [G][n_key_panels][K][nr] */
  float *packed_v;    /* [G][n_width_panels][n_keys][nr] */
  int64_t row_stride; /* of patterns in a thread's scratch */
} Attention;

/* Keys that query i may see: first_key .. last_key. */
static inline int64_t
last_key(const CwkAttentionArgs *args, int64_t i)
{
  return i + args->n_keys - args->n_queries;
}

static inline int64_t
first_key(const CwkAttentionArgs *args, int64_t i)
{
  return args->window > 0 ? max_i64(0, last_key(args, i) - args->window + 1) : 0;
}

/* Scores of the keys first .. last into a distribution, and 0 in the rest of from .. end - 1.
 */
static void
finish_row(const Attention *job, int64_t i, float *row, int64_t from, int64_t end)
{
  const CwkAttentionArgs *args = &job->args;
  int64_t first = first_key(args, i), last = last_key(args, i), n = last - first + 1;
  if (args->soft_cap > 0)
    job->isa->soft_cap(row + first, n, args->soft_cap);
  float sum = job->isa->exp_sum(row + first, n, job->isa->max(row + first, n));
  float inverse = 1.0f / sum;
  for (int64_t j = first; j <= last; j++)
    row[j] *= inverse;
  memset(row + from, 0, (size_t)(first - from) * sizeof *row);
  memset(row + last + 1, 0, (size_t)(end - last - 1) * sizeof *row);
}

/* ---- packing ---------------------------------------------------------------------------- */

static void
pack_key_panel(void *data, int64_t item)
{
  const Attention *job = data;
  const CwkAttentionArgs *args = &job->args;
  int64_t nr = job->isa->nr, g = item / job->n_key_panels, panel = item % job->n_key_panels;
  int64_t n = cwk_min(nr, args->n_keys - panel * nr);
  const float *rows[MAX_NR];
  for (int64_t j = 0; j < n; j++)
    rows[j] = args->k + (panel * nr + j) * args->k_stride + g * args->head_width;
  job->isa->transpose_panel(rows, n, args->head_width, nr,
                            job->packed_k + item * args->head_width * nr);
}

static void
pack_value_panel(void *data, int64_t item)
{
  const Attention *job = data;
  const CwkAttentionArgs *args = &job->args;
  int64_t nr = job->isa->nr, g = item / job->n_width_panels;
  int64_t first = item % job->n_width_panels * nr, n = cwk_min(nr, args->head_width - first);
  float *out = job->packed_v + item * args->n_keys * nr;
  for (int64_t j = 0; j < args->n_keys; j++, out += nr) {
    memcpy(out, args->v + j * args->v_stride + g * args->head_width + first,
           (size_t)n * sizeof *out);
    memset(out + n, 0, (size_t)(nr - n) * sizeof *out);
  }
}

/* ---- a block of queries of one head ------------------------------------------------------
 */

typedef struct {
  int64_t h, first, n; /* queries first .. first + n - 1 */
  float *rows;         /* patterns of the block, row_stride apart */
  int64_t row_stride;
  float *packed; /* of queries, then of patterns */
} Block;

/* out[m, n] = a . b over k where the register tile may reach beyond m rows and n columns. */
static void
multiply_tile(const CwkIsaKernels *isa, int64_t k, const float *a, const float *b, float *out,
              int64_t stride, int64_t m, int64_t n)
{
  if (m == isa->mr && n == isa->nr) {
    isa->micro_tile(k, a, b, out, stride, false);
    return;
  }
  float edge[MAX_MR * MAX_NR] __attribute__((aligned(64)));
  isa->micro_tile(k, a, b, edge, isa->nr, false);
  for (int64_t i = 0; i < m; i++)
    memcpy(out + i * stride, edge + i * isa->nr, (size_t)n * sizeof *out);
}

static void
score_block(const Attention *job, const Block *block)
{
  const CwkAttentionArgs *args = &job->args;
  int64_t mr = job->isa->mr, nr = job->isa->nr, width = args->head_width;
  int64_t group = block->h / (args->n_heads / args->n_kv_heads);
  for (int64_t i = 0; i < block->n; i += mr) {
    const float *rows[MAX_MR];
    int64_t n = cwk_min(mr, block->n - i);
    for (int64_t r = 0; r < n; r++)
      rows[r] = args->q + (block->first + i + r) * args->q_stride + block->h * width;
    job->isa->transpose_panel(rows, n, width, mr, block->packed + i * width);
  }
  for (int64_t i = 0; i < cwk_round_up(block->n, mr) * width; i++)
    block->packed[i] *= args->scale;
  int64_t from = first_key(args, block->first);
  int64_t end = last_key(args, block->first + block->n - 1) + 1;
  for (int64_t panel = from / nr; panel * nr < end; panel++) {
    const float *keys = job->packed_k + (group * job->n_key_panels + panel) * width * nr;
    for (int64_t i = 0; i < block->n; i += mr)
      multiply_tile(job->isa, width, block->packed + i * width, keys,
                    block->rows + i * block->row_stride + panel * nr, block->row_stride,
                    cwk_min(mr, block->n - i), cwk_min(nr, args->n_keys - panel * nr));
  }
  bool is_kept = job->pattern != NULL;
  for (int64_t i = 0; i < block->n; i++)
    finish_row(job, block->first + i, block->rows + i * block->row_stride, is_kept ? 0 : from,
               is_kept ? args->n_keys : end);
}

static void
mix_block(const Attention *job, const Block *block)
{
  const CwkAttentionArgs *args = &job->args;
  int64_t mr = job->isa->mr, nr = job->isa->nr, width = args->head_width;
  int64_t group = block->h / (args->n_heads / args->n_kv_heads);
  int64_t from = first_key(args, block->first);
  int64_t n_keys = last_key(args, block->first + block->n - 1) + 1 - from;
  for (int64_t i = 0; i < block->n; i += mr) {
    const float *rows[MAX_MR];
    int64_t n = cwk_min(mr, block->n - i);
    for (int64_t r = 0; r < n; r++)
      rows[r] = block->rows + (i + r) * block->row_stride + from;
    job->isa->transpose_panel(rows, n, n_keys, mr, block->packed);
    for (int64_t r = 0; r < n; r++) /* whatever the pattern says of keys behind the query */
      for (int64_t j = last_key(args, block->first + i + r) + 1 - from; j < n_keys; j++)
        block->packed[j * mr + r] = 0;
    float *out = args->out + (block->first + i) * args->out_stride + block->h * width;
    for (int64_t panel = 0; panel < job->n_width_panels; panel++)
      multiply_tile(job->isa, n_keys, block->packed,
                    job->packed_v +
                        ((group * job->n_width_panels + panel) * args->n_keys + from) * nr,
                    out + panel * nr, args->out_stride, n, cwk_min(nr, width - panel * nr));
  }
}

static void
run_block(void *data, int64_t item)
{
  const Attention *job = data;
  const CwkAttentionArgs *args = &job->args;
  int64_t n_blocks = (args->n_queries + QUERY_BLOCK - 1) / QUERY_BLOCK;
  Block block = { .h = item / n_blocks, .first = item % n_blocks * QUERY_BLOCK };
  block.n = cwk_min(QUERY_BLOCK, args->n_queries - block.first);
  float *scratch = job->device->scratch[cwk_pool_thread_index()];
  if (job->pattern != NULL) {
    block.rows = job->pattern + (block.h * args->n_queries + block.first) * args->n_keys;
    block.row_stride = args->n_keys;
    block.packed = scratch;
  } else {
    block.rows = scratch;
    block.row_stride = job->row_stride;
    block.packed = scratch + QUERY_BLOCK * job->row_stride;
  }
  if (job->has_scores)
    score_block(job, &block);
  if (job->has_mix)
    mix_block(job, &block);
}

/* ---- few queries ------------------------------------------------------------------------ */

static void
run_row(void *data, int64_t item)
{
  const Attention *job = data;
  const CwkAttentionArgs *args = &job->args;
  int64_t h = item / args->n_queries, i = item % args->n_queries, width = args->head_width;
  int64_t group = h / (args->n_heads / args->n_kv_heads);
  int64_t first = first_key(args, i), last = last_key(args, i);
  float *row = job->pattern != NULL ? job->pattern + item * args->n_keys
                                    : job->device->scratch[cwk_pool_thread_index()];
  if (job->has_scores) {
    const float *q = args->q + i * args->q_stride + h * width;
    for (int64_t j = first; j <= last; j++)
      row[j] =
          job->isa->dot(q, args->k + j * args->k_stride + group * width, width) * args->scale;
    finish_row(job, i, row, 0, args->n_keys);
  }
  if (!job->has_mix)
    return;
  float *out = args->out + i * args->out_stride + h * width;
  memset(out, 0, (size_t)width * sizeof *out);
  for (int64_t j = first; j <= last; j++)
    job->isa->axpy(row[j], args->v + j * args->v_stride + group * width, out, width);
}

/* ---- the ops ---------------------------------------------------------------------------- */

static CwkStatus
reserve(Attention *job)
{
  const CwkAttentionArgs *args = &job->args;
  CwkDevice *device = job->device;
  int64_t mr = job->isa->mr, nr = job->isa->nr, width = args->head_width;
  job->row_stride = cwk_round_up(args->n_keys, nr);
  int64_t packed = max_i64(QUERY_BLOCK * width, mr * args->n_keys);
  int64_t rows = job->pattern == NULL ? QUERY_BLOCK * job->row_stride : 0;
  CwkStatus status = cwk_cpu_reserve_threads(device, (size_t)(rows + packed) * sizeof(float));
  if (status != CWK_OK)
    return status;
  job->n_key_panels = job->has_scores ? (args->n_keys + nr - 1) / nr : 0;
  job->n_width_panels = job->has_mix ? (width + nr - 1) / nr : 0;
  int64_t n_k = args->n_kv_heads * job->n_key_panels * width * nr;
  int64_t n_v = args->n_kv_heads * job->n_width_panels * args->n_keys * nr;
  job->packed_k =
      cwk_cpu_scratch(device, device->n_scratch - 1, (size_t)(n_k + n_v) * sizeof(float));
  job->packed_v = job->packed_k + n_k;
  return job->packed_k != NULL ? CWK_OK : CWK_NO_MEMORY;
}

static CwkStatus
run(Attention *job)
{
  const CwkAttentionArgs *args = &job->args;
  CwkDevice *device = job->device;
  if (args->n_queries == 0)
    return CWK_OK;
  if (args->n_queries < FEW_QUERIES) {
    CwkStatus few = cwk_cpu_reserve_threads(device, (size_t)args->n_keys * sizeof(float));
    if (few == CWK_OK)
      cwk_pool_run(device->pool, args->n_heads * args->n_queries, run_row, job);
    return few;
  }
  CwkStatus status = reserve(job);
  if (status != CWK_OK)
    return status;
  cwk_pool_run(device->pool, args->n_kv_heads * job->n_key_panels, pack_key_panel, job);
  cwk_pool_run(device->pool, args->n_kv_heads * job->n_width_panels, pack_value_panel, job);
  int64_t n_blocks = (args->n_queries + QUERY_BLOCK - 1) / QUERY_BLOCK;
  cwk_pool_run(device->pool, args->n_heads * n_blocks, run_block, job);
  return CWK_OK;
}

CwkStatus
cwk_cpu_attention(CwkDevice *device, const CwkAttentionArgs *args)
{
  Attention job = { .args = *args,
                    .isa = cwk_isa_kernels(device->isa),
                    .device = device,
                    .has_scores = true,
                    .has_mix = true };
  return run(&job);
}

CwkStatus
cwk_cpu_attention_pattern(CwkDevice *device, const CwkAttentionPatternArgs *args)
{
  Attention job = { .args = { .n_queries = args->n_queries,
                              .n_keys = args->n_keys,
                              .n_heads = args->n_heads,
                              .n_kv_heads = args->n_kv_heads,
                              .head_width = args->head_width,
                              .q = args->q,
                              .k = args->k,
                              .q_stride = args->q_stride,
                              .k_stride = args->k_stride,
                              .scale = args->scale,
                              .soft_cap = args->soft_cap,
                              .window = args->window },
                    .isa = cwk_isa_kernels(device->isa),
                    .device = device,
                    .pattern = args->pattern,
                    .has_scores = true };
  return run(&job);
}

CwkStatus
cwk_cpu_attention_mix(CwkDevice *device, const CwkAttentionMixArgs *args)
{
  Attention job = { .args = { .n_queries = args->n_queries,
                              .n_keys = args->n_keys,
                              .n_heads = args->n_heads,
                              .n_kv_heads = args->n_kv_heads,
                              .head_width = args->head_width,
                              .v = args->v,
                              .v_stride = args->v_stride,
                              .out = args->out,
                              .out_stride = args->out_stride },
                    .isa = cwk_isa_kernels(device->isa),
                    .device = device,
                    .pattern = (float *)args->pattern,
                    .has_mix = true };
  return run(&job);
}

/* ---- the adjoint --------------------------------------------------------------------------
 */

/* Positions an item holds: what its rows have in one head stays in a 1 MiB L2. */
#define ADJOINT_POSITIONS 2048

typedef struct {
  const CwkAttentionAdjointArgs *args;
  const CwkIsaKernels *isa;
  CwkDevice *device;
  int64_t rows_per_item, longest;
  int64_t whole_width; /* of a head: in whole register tiles */
} Adjoint;

/* One head of one row as panels of nr elements: [whole_width / nr][n][nr]. */
static void
pack_head(const Adjoint *job, const float *z, int64_t n, float *out)
{
  int64_t nr = job->isa->nr, stride = job->args->n_heads * job->args->head_width;
  for (int64_t d = 0; d < job->whole_width; d += nr)
    for (int64_t i = 0; i < n; i++, out += nr)
      memcpy(out, z + i * stride + d, (size_t)nr * sizeof *out);
}

/* What n queries give to the mr keys that the first of them begins; `queries`: where its panels
 * (panel_stride apart) have the first query. */
static void
mix_keys(const Adjoint *job, const float *columns, const float *queries, int64_t panel_stride,
         int64_t n, float *out, bool accumulate)
{
  const CwkAttentionAdjointArgs *args = job->args;
  int64_t mr = job->isa->mr, nr = job->isa->nr, stride = args->n_kv_heads * args->head_width;
  float tile[MAX_MR * MAX_NR] __attribute__((aligned(64)));
  for (int64_t d = 0; d < job->whole_width; d += nr, queries += panel_stride) {
    if (n >= mr) {
      job->isa->micro_tile(n, columns, queries, out + d, stride, accumulate);
      continue;
    }
    job->isa->micro_tile(n, columns, queries, tile, nr, false);
    for (int64_t j = 0; j < n; j++)
      for (int64_t e = 0; e < nr; e++)
        out[j * stride + d + e] = tile[j * nr + e] + (accumulate ? out[j * stride + d + e] : 0);
  }
}

/* What no whole tile covers of a head's width, four keys at a time. */
static void
mix_rest(const Adjoint *job, const float *pattern, int64_t n, const float *z, float *out,
         bool accumulate)
{
  const CwkAttentionAdjointArgs *args = job->args;
  int64_t z_stride = args->n_heads * args->head_width, d = job->whole_width;
  int64_t out_stride = args->n_kv_heads * args->head_width;
  for (int64_t j = 0; j < n && d < args->head_width; j += 4)
    job->isa->mix_columns(pattern + j * (args->pattern_t + 1), args->pattern_t, n - j,
                          cwk_min(4, n - j), z + j * z_stride + d, z_stride,
                          out + j * out_stride + d, out_stride, args->head_width - d,
                          accumulate);
}

/* Some rows of one head: columns of the pattern are packed once for all of them. */
static void
adjoint_head(const Adjoint *job, int64_t from, int64_t to, int64_t h, float *scratch)
{
  const CwkAttentionAdjointArgs *args = job->args;
  int64_t mr = job->isa->mr, width = args->head_width, longest = 0;
  int64_t per_group = args->n_heads / args->n_kv_heads, g = h / per_group;
  const float *pattern = args->pattern + h * args->pattern_t * args->pattern_t;
  float *columns = scratch, *packed = scratch + cwk_round_up(job->longest * mr, 16);
  for (int64_t r = from; r < to; r++) {
    int64_t n = args->n_positions[r];
    const float *z = args->z + (args->first[r] * args->n_heads + h) * width;
    longest = max_i64(longest, n);
    pack_head(job, z, n, packed + (r - from) * job->longest * job->whole_width);
    mix_rest(job, pattern, n, z, args->out + (args->first[r] * args->n_kv_heads + g) * width,
             h % per_group != 0);
  }
  for (int64_t key = 0; key < longest && job->whole_width > 0; key += mr) {
    job->isa->pack_columns(pattern + key * (args->pattern_t + 1), args->pattern_t,
                           longest - key, columns);
    for (int64_t r = from; r < to; r++) {
      int64_t n = args->n_positions[r];
      const float *queries = packed + (r - from) * job->longest * job->whole_width;
      if (n > key)
        mix_keys(job, columns, queries + key * job->isa->nr, n * job->isa->nr, n - key,
                 args->out + ((args->first[r] + key) * args->n_kv_heads + g) * width,
                 h % per_group != 0);
    }
  }
}

static void
adjoint_item(void *data, int64_t item)
{
  const Adjoint *job = data;
  const CwkAttentionAdjointArgs *args = job->args;
  int64_t g = item % args->n_kv_heads, per_group = args->n_heads / args->n_kv_heads;
  int64_t from = item / args->n_kv_heads * job->rows_per_item;
  int64_t to = cwk_min(from + job->rows_per_item, args->n_rows);
  for (int64_t h = g * per_group; h < (g + 1) * per_group; h++)
    adjoint_head(job, from, to, h, job->device->scratch[cwk_pool_thread_index()]);
}

CwkStatus
cwk_cpu_attention_adjoint(CwkDevice *device, const CwkAttentionAdjointArgs *args)
{
  Adjoint job = { .args = args, .isa = cwk_isa_kernels(device->isa), .device = device };
  job.whole_width = args->head_width / job.isa->nr * job.isa->nr;
  for (int64_t r = 0; r < args->n_rows; r++)
    job.longest = max_i64(job.longest, args->n_positions[r]);
  if (job.longest == 0)
    return CWK_OK;
  /* Fewer rows an item where that many would leave threads without work. */
  int64_t fair =
      args->n_rows * args->n_kv_heads / (4 * (int64_t)cwk_pool_n_threads(device->pool));
  job.rows_per_item = max_i64(1, cwk_min(ADJOINT_POSITIONS / job.longest, fair));
  size_t n_floats = (size_t)(cwk_round_up(job.longest * job.isa->mr, 16) +
                             job.rows_per_item * job.longest * job.whole_width);
  for (int i = 0; i < device->n_scratch - 1; i++)
    if (cwk_cpu_scratch(device, i, n_floats * sizeof(float)) == NULL)
      return CWK_NO_MEMORY;
  int64_t n_items = (args->n_rows + job.rows_per_item - 1) / job.rows_per_item;
  cwk_pool_run(device->pool, n_items * args->n_kv_heads, adjoint_item, &job);
  return CWK_OK;
}
