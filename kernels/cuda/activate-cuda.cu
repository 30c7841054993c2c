/* activate-cuda.cu - activation functions, gated or not, and rotary embeddings. */
#include "cuda-private.h"

static __device__ float
activation_of(CwkActivation activation, float x)
{
  switch (activation) {
  case CWK_SILU:
    return x / (1.0f + expf(-x));
  case CWK_GELU_TANH:
    return 0.5f * x * (1.0f + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
  case CWK_GELU_ERF:
    return 0.5f * x * (1.0f + erff(x * 0.7071067812f));
  default: /* CWK_RELU; NaN stays NaN */
    return x < 0 ? 0.0f : x;
  }
}

static __global__ void
activate_elements(CwkActivateArgs args)
{
  int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < args.n; i += step) {
    float y = activation_of(args.activation, args.gate[i]);
    args.out[i] = args.up != NULL ? y * args.up[i] : y;
  }
}

CwkStatus
cwk_cuda_activate(CwkDevice *device, const CwkActivateArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  if (args->n == 0)
    return CWK_OK;
  CWK_CUDA_LAUNCH(activate_elements, cwk_cuda_n_blocks(state, args->n), state, *args);
  return cwk_cuda_launched();
}

static __global__ void
rotate_pairs(CwkRopeArgs args)
{
  int64_t half = args.n_rotary / 2, step = (int64_t)gridDim.x * blockDim.x;
  int64_t n_pairs = args.n_positions * args.n_heads * half;
  for (int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; at < n_pairs; at += step) {
    int64_t i = at % half, h = at / half % args.n_heads, t = at / half / args.n_heads;
    float angle = (float)(args.first_position + t) * args.inverse_frequency[i];
    float c = cosf(angle) * args.attention_scaling, s = sinf(angle) * args.attention_scaling;
    float *x = args.x + t * args.stride + h * args.head_width;
    int64_t first = args.is_interleaved ? 2 * i : i;
    int64_t second = args.is_interleaved ? 2 * i + 1 : i + half;
    float x0 = x[first], x1 = x[second];
    x[first] = x0 * c - x1 * s;
    x[second] = x1 * c + x0 * s;
  }
}

CwkStatus
cwk_cuda_rope(CwkDevice *device, const CwkRopeArgs *args)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  int64_t n_pairs = args->n_positions * args->n_heads * (args->n_rotary / 2);
  if (n_pairs <= 0)
    return CWK_OK;
  CWK_CUDA_LAUNCH(rotate_pairs, cwk_cuda_n_blocks(state, n_pairs), state, *args);
  return cwk_cuda_launched();
}
