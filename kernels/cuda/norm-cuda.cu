/* norm-cuda.cu - RMSNorm and LayerNorm, and the adjoint with a frozen scale: a block per row,
 * sums in double as on the CPU. */
#include "cuda-private.h"

static __global__ void
norm_rows(CwkNormArgs args)
{
  for (int64_t row = blockIdx.x; row < args.n_rows; row += gridDim.x) {
    const float *x = args.x + row * args.n_cols;
    double mean = 0, square = 0;
    if (args.is_layer_norm) {
      for (int64_t i = threadIdx.x; i < args.n_cols; i += blockDim.x)
        mean += (double)x[i];
      mean = cwk_cuda_block_sum(mean) / (double)args.n_cols;
    }
    for (int64_t i = threadIdx.x; i < args.n_cols; i += blockDim.x)
      square += ((double)x[i] - mean) * ((double)x[i] - mean);
    square = cwk_cuda_block_sum(square);
    float scale = (float)sqrt(square / (double)args.n_cols + (double)args.epsilon);
    float inverse = 1.0f / scale, shift = (float)mean;
    if (args.scale != NULL && threadIdx.x == 0)
      args.scale[row] = scale;
    for (int64_t i = threadIdx.x; i < args.n_cols; i += blockDim.x) {
      float h = (x[i] - shift) * inverse;
      float y = args.weight != NULL ? h * args.weight[i] : h;
      if (args.normalised != NULL)
        args.normalised[row * args.n_cols + i] = h;
      if (args.out != NULL)
        args.out[row * args.n_cols + i] = args.bias != NULL ? y + args.bias[i] : y;
    }
  }
}

CwkStatus
cwk_cuda_norm(CwkDevice *device, const CwkNormArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  if (args->n_rows == 0)
    return CWK_OK;
  unsigned n_blocks = cwk_cuda_n_blocks(state, args->n_rows * CWK_CUDA_THREADS);
  CWK_CUDA_LAUNCH(norm_rows, n_blocks, state, *args);
  return cwk_cuda_launched();
}

/* index is the device's copy. */
static __global__ void
norm_adjoint_rows(CwkNormAdjointArgs args)
{
  for (int64_t row = blockIdx.x; row < args.n_rows; row += gridDim.x) {
    const float *x = args.x + row * args.n_cols;
    float *out = args.out + row * args.n_cols;
    float inverse = 1.0f / args.scale[args.index[row]], mean = 0;
    if (args.is_layer_norm) {
      double sum = 0;
      for (int64_t i = threadIdx.x; i < args.n_cols; i += blockDim.x)
        sum += (double)(args.weight != NULL ? x[i] * args.weight[i] : x[i]);
      mean = (float)(cwk_cuda_block_sum(sum) / (double)args.n_cols);
    }
    for (int64_t i = threadIdx.x; i < args.n_cols; i += blockDim.x) {
      float y = ((args.weight != NULL ? x[i] * args.weight[i] : x[i]) - mean) * inverse;
      out[i] = args.accumulate ? out[i] + y : y;
    }
  }
}

CwkStatus
cwk_cuda_norm_adjoint(CwkDevice *device, const CwkNormAdjointArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  if (args->n_rows == 0)
    return CWK_OK;
  CwkNormAdjointArgs copy = *args;
  copy.index = (const int32_t *)cwk_cuda_upload_list(state, CWK_CUDA_SLOT_LIST, args->index,
                                                     (size_t)args->n_rows * sizeof(int32_t));
  if (copy.index == NULL)
    return CWK_NO_MEMORY;
  unsigned n_blocks = cwk_cuda_n_blocks(state, args->n_rows * CWK_CUDA_THREADS);
  CWK_CUDA_LAUNCH(norm_adjoint_rows, n_blocks, state, copy);
  return cwk_cuda_launched();
}
