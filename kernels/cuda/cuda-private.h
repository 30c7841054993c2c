/* cuda-private.h - what the files of the CUDA module share.
 *
 * Where operands live: the numbers an op computes with (matrices, weights, scales, results) are
 * in device memory; the lists that only say where to look (CwkTile.rows, CwkRows.row_list,
 * n_positions, index and the like) are in host memory, and the addresses in row_list are the
 * device's.
 *
 * Kernels step through their work by the size of the grid, so they are right for any launch. */
#pragma once

#include "kernels-private.h"

#include <cublas_v2.h>
#include <cuda_runtime.h>

#define CWK_CUDA_THREADS 256

/* The few functions of cuBLAS in use, found by dlopen: a machine without it still starts. */
typedef struct {
  void *library;
  cublasHandle_t handle;
  decltype(&cublasDestroy_v2) destroy;
  decltype(&cublasSgemm_v2_64) sgemm;
} CwkCublas;

/* Scratch that lives until the next call asks the same slot for more. */
enum CwkCudaSlot {
  CWK_CUDA_SLOT_A,
  CWK_CUDA_SLOT_B,
  CWK_CUDA_SLOT_C,
  CWK_CUDA_SLOT_LIST,
  CWK_CUDA_SLOT_SECOND_LIST,
  CWK_CUDA_SLOT_THIRD_LIST,
  CWK_CUDA_N_SLOTS
};

typedef struct {
  int ordinal, n_processors;
  cudaStream_t stream;
  CwkCublas cublas;
  void *scratch[CWK_CUDA_N_SLOTS];
  size_t scratch_bytes[CWK_CUDA_N_SLOTS];
} CwkCudaState;

/* Weak: an op without a body here is NULL in the table, and so CWK_UNSUPPORTED. */
extern "C" {
#define CWK_OP(name, Args)                    \
  __attribute__((weak, visibility("hidden"))) \
  CwkStatus cwk_cuda_##name(CwkDevice *device, const Args *args);
#include "ops.def"
#undef CWK_OP
}

/* Makes the device current for the calling thread. */
CwkCudaState *cwk_cuda_enter(CwkDevice *device);
CwkStatus cwk_cuda_status(cudaError_t error);
/* What became of the launches since the last call of this. */
CwkStatus cwk_cuda_launched(void);
/* Blocks for n_items threads' worth of work: at most 16 per processor. */
unsigned cwk_cuda_n_blocks(const CwkCudaState *state, int64_t n_items);
/* NULL without memory. */
void *cwk_cuda_scratch(CwkCudaState *state, CwkCudaSlot slot, size_t n_bytes);
/* A host list copied into a slot; the list may be reused at once. NULL without memory. */
const void *cwk_cuda_upload_list(CwkCudaState *state, CwkCudaSlot slot, const void *list,
                                 size_t n_bytes);

/* Puts a kernel on the device's stream. */
/* clang-format off */
#define CWK_CUDA_LAUNCH(kernel, n_blocks, state, ...) \
  kernel<<<(n_blocks), CWK_CUDA_THREADS, 0, (state)->stream>>>(__VA_ARGS__)
/* clang-format on */

/* NULL, or why cuBLAS could not be had. */
const char *cwk_cublas_open(CwkCublas *cublas, cudaStream_t stream);
void cwk_cublas_close(CwkCublas *cublas);

/* out[i, :] = row first + i of rows, for i in [0, n_rows); row_list is already on the device.
 */
CwkStatus cwk_cuda_decode_rows(CwkCudaState *state, const CwkRows *rows,
                               const void *const *row_list, int64_t first, int64_t n_rows,
                               float *out);

/* The sum of every thread's x, in a fixed order; the block has a power of two of threads. */
template <typename T>
static __device__ T
cwk_cuda_block_sum(T x)
{
  __shared__ T partial[CWK_CUDA_THREADS];
  partial[threadIdx.x] = x;
  __syncthreads();
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (threadIdx.x < half)
      partial[threadIdx.x] += partial[threadIdx.x + half];
    __syncthreads();
  }
  T sum = partial[0];
  __syncthreads();
  return sum;
}
