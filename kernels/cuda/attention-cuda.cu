/* attention-cuda.cu - attention patterns, what they mix, and the adjoint of the mixing.
 *
 * A block per row of a pattern; a thread per element of what is mixed. Every sum runs in
 * ascending order of its index, so results do not depend on the launch. */
#include "cuda-private.h"

static __device__ float
block_max(float x)
{
  __shared__ float partial[CWK_CUDA_THREADS];
  partial[threadIdx.x] = x;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half)
      partial[threadIdx.x] = fmaxf(partial[threadIdx.x], partial[threadIdx.x + half]);
    __syncthreads();
  }
  float most = partial[0];
  __syncthreads();
  return most;
}

static __device__ float
score_of(const CwkAttentionPatternArgs *args, const float *q, const float *k)
{
  float score = 0;
  for (int64_t d = 0; d < args->head_width; d++)
    score += q[d] * k[d];
  score *= args->scale;
  return args->soft_cap > 0 ? args->soft_cap * tanhf(score / args->soft_cap) : score;
}

static __global__ void
pattern_rows(CwkAttentionPatternArgs args)
{
  for (int64_t item = blockIdx.x; item < args.n_heads * args.n_queries; item += gridDim.x) {
    int64_t h = item / args.n_queries, i = item % args.n_queries;
    int64_t last = i + args.n_keys - args.n_queries;
    int64_t first = args.window > 0 && last >= args.window ? last - args.window + 1 : 0;
    const float *q = args.q + i * args.q_stride + h * args.head_width;
    const float *k = args.k + h / (args.n_heads / args.n_kv_heads) * args.head_width;
    float *row = args.pattern + item * args.n_keys;
    float largest = -INFINITY, sum = 0;
    for (int64_t j = threadIdx.x; j < args.n_keys; j += blockDim.x) {
      bool is_seen = j >= first && j <= last;
      row[j] = is_seen ? score_of(&args, q, k + j * args.k_stride) : 0.0f;
      largest = is_seen ? fmaxf(largest, row[j]) : largest;
    }
    largest = block_max(largest);
    /* A thread reads back only what it wrote. */
    for (int64_t j = threadIdx.x; j < args.n_keys; j += blockDim.x)
      if (j >= first && j <= last) {
        row[j] = expf(row[j] - largest);
        sum += row[j];
      }
    float inverse = 1.0f / cwk_cuda_block_sum(sum);
    for (int64_t j = threadIdx.x; j < args.n_keys; j += blockDim.x)
      row[j] *= inverse;
  }
}

CwkStatus
cwk_cuda_attention_pattern(CwkDevice *device, const CwkAttentionPatternArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  if (args->n_queries <= 0)
    return CWK_OK;
  unsigned n_blocks =
      cwk_cuda_n_blocks(state, args->n_heads * args->n_queries * CWK_CUDA_THREADS);
  CWK_CUDA_LAUNCH(pattern_rows, n_blocks, state, *args);
  return cwk_cuda_launched();
}

static __global__ void
mix_elements(CwkAttentionMixArgs args)
{
  int64_t step = (int64_t)gridDim.x * blockDim.x;
  int64_t n = args.n_queries * args.n_heads * args.head_width;
  for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < n; at += step) {
    int64_t d = at % args.head_width, h = at / args.head_width % args.n_heads;
    int64_t i = at / args.head_width / args.n_heads;
    const float *row = args.pattern + (h * args.n_queries + i) * args.n_keys;
    const float *v = args.v + h / (args.n_heads / args.n_kv_heads) * args.head_width + d;
    float sum = 0;
    for (int64_t j = 0; j <= i + args.n_keys - args.n_queries; j++)
      sum += row[j] * v[j * args.v_stride];
    args.out[i * args.out_stride + h * args.head_width + d] = sum;
  }
}

CwkStatus
cwk_cuda_attention_mix(CwkDevice *device, const CwkAttentionMixArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  int64_t n = args->n_queries * args->n_heads * args->head_width;
  if (n <= 0)
    return CWK_OK;
  CWK_CUDA_LAUNCH(mix_elements, cwk_cuda_n_blocks(state, n), state, *args);
  return cwk_cuda_launched();
}

/* n_positions and first are the device's copies. A block works on one row of the batch. */
static __global__ void
adjoint_elements(CwkAttentionAdjointArgs args)
{
  int64_t width = args.head_width, per_group = args.n_heads / args.n_kv_heads;
  for (int64_t r = blockIdx.x; r < args.n_rows; r += gridDim.x) {
    int64_t n_positions = args.n_positions[r], n = n_positions * args.n_kv_heads * width;
    const float *z = args.z + args.first[r] * args.n_heads * width;
    float *out = args.out + args.first[r] * args.n_kv_heads * width;
    for (int64_t at = threadIdx.x; at < n; at += blockDim.x) {
      int64_t d = at % width, g = at / width % args.n_kv_heads;
      int64_t j = at / width / args.n_kv_heads;
      float sum = 0;
      for (int64_t h = g * per_group; h < (g + 1) * per_group; h++)
        for (int64_t i = j; i < n_positions; i++)
          sum += args.pattern[(h * args.pattern_t + i) * args.pattern_t + j] *
                 z[(i * args.n_heads + h) * width + d];
      out[at] = sum;
    }
  }
}

CwkStatus
cwk_cuda_attention_adjoint(CwkDevice *device, const CwkAttentionAdjointArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  if (args->n_rows == 0)
    return CWK_OK;
  CwkAttentionAdjointArgs copy = *args;
  size_t n = (size_t)args->n_rows;
  copy.n_positions = (const int32_t *)cwk_cuda_upload_list(
      state, CWK_CUDA_SLOT_LIST, args->n_positions, n * sizeof *args->n_positions);
  copy.first = (const int64_t *)cwk_cuda_upload_list(state, CWK_CUDA_SLOT_SECOND_LIST,
                                                     args->first, n * sizeof *args->first);
  if (copy.n_positions == NULL || copy.first == NULL)
    return CWK_NO_MEMORY;
  unsigned n_blocks = cwk_cuda_n_blocks(state, args->n_rows * CWK_CUDA_THREADS);
  CWK_CUDA_LAUNCH(adjoint_elements, n_blocks, state, copy);
  return cwk_cuda_launched();
}
