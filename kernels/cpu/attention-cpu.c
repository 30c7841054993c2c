/* attention-cpu.c - attention patterns, what they mix, and the adjoint of the mixing. */
#include "cpu/isa-kernels.h"

#include <math.h>
#include <string.h>

static inline int64_t
max_i64(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

typedef struct {
  const void *args;
  const CwkIsaKernels *isa;
} Job;

/* Keys that query i may see: first .. last. */
static inline int64_t
first_key(const CwkAttentionPatternArgs *args, int64_t last)
{
  return args->window > 0 ? max_i64(0, last - args->window + 1) : 0;
}

static void
pattern_row(void *data, int64_t item)
{
  const Job *job = data;
  const CwkAttentionPatternArgs *args = job->args;
  int64_t h = item / args->n_queries, i = item % args->n_queries;
  int64_t group = h / (args->n_heads / args->n_kv_heads);
  int64_t last = i + args->n_keys - args->n_queries, first = first_key(args, last);
  const float *q = args->q + i * args->q_stride + h * args->head_width;
  float *row = args->pattern + item * args->n_keys;
  for (int64_t j = first; j <= last; j++) {
    const float *k = args->k + j * args->k_stride + group * args->head_width;
    float score = job->isa->dot(q, k, args->head_width) * args->scale;
    row[j] = args->soft_cap > 0 ? args->soft_cap * tanhf(score / args->soft_cap) : score;
  }
  memset(row, 0, (size_t)first * sizeof *row);
  memset(row + last + 1, 0, (size_t)(args->n_keys - last - 1) * sizeof *row);
  int64_t n = last - first + 1;
  float sum = job->isa->exp_sum(row + first, n, job->isa->max(row + first, n));
  float inverse = 1.0f / sum;
  for (int64_t j = first; j <= last; j++)
    row[j] *= inverse;
}

CwkStatus
cwk_cpu_attention_pattern(CwkDevice *device, const CwkAttentionPatternArgs *args)
{
  Job job = { args, cwk_isa_kernels(device->isa) };
  cwk_pool_run(device->pool, args->n_heads * args->n_queries, pattern_row, &job);
  return CWK_OK;
}

static void
mix_row(void *data, int64_t item)
{
  const Job *job = data;
  const CwkAttentionMixArgs *args = job->args;
  int64_t h = item / args->n_queries, i = item % args->n_queries;
  int64_t group = h / (args->n_heads / args->n_kv_heads);
  const float *row = args->pattern + item * args->n_keys;
  float *out = args->out + i * args->out_stride + h * args->head_width;
  memset(out, 0, (size_t)args->head_width * sizeof *out);
  for (int64_t j = 0; j <= i + args->n_keys - args->n_queries; j++)
    if (row[j] != 0)
      job->isa->axpy(row[j], args->v + j * args->v_stride + group * args->head_width, out,
                     args->head_width);
}

CwkStatus
cwk_cpu_attention_mix(CwkDevice *device, const CwkAttentionMixArgs *args)
{
  Job job = { args, cwk_isa_kernels(device->isa) };
  cwk_pool_run(device->pool, args->n_heads * args->n_queries, mix_row, &job);
  return CWK_OK;
}

/* Queries i >= j see key j, so a block of four keys starts at its own first query; the few
 * entries above the diagonal inside the block are zeros of the pattern. */
static void
adjoint_row(void *data, int64_t r)
{
  const Job *job = data;
  const CwkAttentionAdjointArgs *args = job->args;
  int64_t n = args->n_positions[r], width = args->head_width;
  int64_t per_group = args->n_heads / args->n_kv_heads;
  int64_t z_stride = args->n_heads * width, out_stride = args->n_kv_heads * width;
  const float *z = args->z + args->first[r] * z_stride;
  float *out = args->out + args->first[r] * out_stride;
  for (int64_t h = 0; h < args->n_heads; h++) {
    const float *pattern = args->pattern + h * args->pattern_t * args->pattern_t;
    for (int64_t j = 0; j < n; j += 4)
      job->isa->mix_columns(pattern + j * args->pattern_t + j, args->pattern_t, n - j,
                            n - j < 4 ? n - j : 4, z + j * z_stride + h * width, z_stride,
                            out + j * out_stride + h / per_group * width, out_stride, width,
                            h % per_group != 0);
  }
}

CwkStatus
cwk_cpu_attention_adjoint(CwkDevice *device, const CwkAttentionAdjointArgs *args)
{
  Job job = { args, cwk_isa_kernels(device->isa) };
  cwk_pool_run(device->pool, args->n_rows, adjoint_row, &job);
  return CWK_OK;
}
