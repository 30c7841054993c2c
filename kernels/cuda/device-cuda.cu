/* device-cuda.cu - the CUDA device: its query, memory, scratch and table of ops, and the one
 * symbol the loader looks up.
 *
 * The module is linked with the static CUDA runtime, which itself opens the driver at run time:
 * on a machine without one the device count answers with an error, which here means "no GPU",
 * not a failure. All work of a device runs on one stream, so ops follow each other in order. */
#include "cuda-private.h"

#include <stdio.h>
#include <stdlib.h>

CwkCudaState *
cwk_cuda_enter(CwkDevice *device)
{
  CwkCudaState *state = (CwkCudaState *)device->state;
  /* A failure shows in the call that follows. */
  (void)cudaSetDevice(state->ordinal);
  return state;
}

CwkStatus
cwk_cuda_status(cudaError_t error)
{
  if (error == cudaSuccess)
    return CWK_OK;
  (void)cudaGetLastError();
  return error == cudaErrorMemoryAllocation ? CWK_NO_MEMORY : CWK_DEVICE;
}

CwkStatus
cwk_cuda_launched(void)
{
  return cwk_cuda_status(cudaGetLastError());
}

unsigned
cwk_cuda_n_blocks(const CwkCudaState *state, int64_t n_items)
{
  int64_t n = (n_items + CWK_CUDA_THREADS - 1) / CWK_CUDA_THREADS;
  int64_t most = (int64_t)state->n_processors * 16;
  return (unsigned)(n < 1 ? 1 : n < most ? n : most);
}

void *
cwk_cuda_scratch(CwkCudaState *state, CwkCudaSlot slot, size_t n_bytes)
{
  if (state->scratch_bytes[slot] >= n_bytes)
    return state->scratch[slot];
  /* cudaFree waits for the kernels that may still read the old memory. */
  (void)cudaFree(state->scratch[slot]);
  state->scratch[slot] = NULL;
  state->scratch_bytes[slot] = 0;
  void *grown = NULL;
  if (cwk_cuda_status(cudaMalloc(&grown, n_bytes)) != CWK_OK)
    return NULL;
  state->scratch[slot] = grown;
  state->scratch_bytes[slot] = n_bytes;
  return grown;
}

const void *
cwk_cuda_upload_list(CwkCudaState *state, CwkCudaSlot slot, const void *list, size_t n_bytes)
{
  void *copy = cwk_cuda_scratch(state, slot, n_bytes > 0 ? n_bytes : 1);
  if (copy == NULL ||
      cwk_cuda_status(cudaMemcpyAsync(copy, list, n_bytes, cudaMemcpyHostToDevice,
                                      state->stream)) != CWK_OK)
    return NULL;
  return copy;
}

/* ---- memory ----------------------------------------------------------------------------- */

static CwkStatus
memory_alloc(CwkDevice *device, size_t n_bytes, void **memory)
{
  cwk_cuda_enter(device);
  return cwk_cuda_status(cudaMalloc(memory, n_bytes > 0 ? n_bytes : 1));
}

static void
memory_free(CwkDevice *device, void *memory)
{
  cwk_cuda_enter(device);
  (void)cudaFree(memory);
}

static CwkStatus
memory_copy(CwkDevice *device, void *to, const void *from, size_t n_bytes, cudaMemcpyKind kind)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  CwkStatus status = cwk_cuda_status(cudaMemcpyAsync(to, from, n_bytes, kind, state->stream));
  return status != CWK_OK ? status : cwk_cuda_status(cudaStreamSynchronize(state->stream));
}

static CwkStatus
memory_upload(CwkDevice *device, void *to, const void *from_host, size_t n_bytes)
{
  return memory_copy(device, to, from_host, n_bytes, cudaMemcpyHostToDevice);
}

static CwkStatus
memory_download(CwkDevice *device, void *to_host, const void *from, size_t n_bytes)
{
  return memory_copy(device, to_host, from, n_bytes, cudaMemcpyDeviceToHost);
}

/* ---- opening ---------------------------------------------------------------------------- */

static void
close_device(CwkDevice *device)
{
  CwkCudaState *state = cwk_cuda_enter(device);
  cwk_cublas_close(&state->cublas);
  for (int i = 0; i < CWK_CUDA_N_SLOTS; i++)
    (void)cudaFree(state->scratch[i]);
  if (state->stream != NULL)
    (void)cudaStreamDestroy(state->stream);
  free(state);
  device->state = NULL;
}

static const CwkTable table = {
#define CWK_OP(name, Args) cwk_cuda_##name,
#include "ops.def"
#undef CWK_OP
  memory_alloc, memory_free, memory_upload, memory_download, close_device,
};

static const char *
query_device(CwkDevice *device, CwkCudaState *state, int ordinal)
{
  int n_devices = 0;
  cudaError_t error = cudaGetDeviceCount(&n_devices);
  (void)cudaGetLastError();
  if (error == cudaErrorInsufficientDriver)
    return "no NVIDIA driver on this machine, or one too old for CUDA 13";
  if (error != cudaSuccess || n_devices == 0)
    return "no CUDA device on this machine";
  if (ordinal < 0 || ordinal >= n_devices)
    return "this machine has fewer CUDA devices than the one asked for";
  cudaDeviceProp properties;
  if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess)
    return "the CUDA device does not answer";
  if (properties.major < 8)
    return "the CUDA device is older than Ampere (compute capability 8.0)";
  state->ordinal = ordinal;
  state->n_processors = properties.multiProcessorCount;
  snprintf(device->name, sizeof device->name, "%.80s, %.0f GiB, sm_%d%d", properties.name,
           (double)properties.totalGlobalMem / 1073741824.0, properties.major,
           properties.minor);
  return NULL;
}

/* Fills a device whose kind and module the loader has set. Sizes are compared, so that a module
 * of another build is refused and not run. Returns NULL, or why there is no device. */
extern "C" __attribute__((visibility("default"))) const char *
clew_cuda_open(CwkDevice *device, size_t device_bytes, size_t table_bytes, int ordinal)
{
  if (device_bytes != sizeof *device || table_bytes != sizeof table)
    return "the CUDA module belongs to another version of Clew";
  CwkCudaState *state = (CwkCudaState *)calloc(1, sizeof *state);
  if (state == NULL)
    return "not enough memory";
  device->state = state;
  const char *why = query_device(device, state, ordinal);
  if (why == NULL &&
      (cudaSetDevice(ordinal) != cudaSuccess ||
       cudaStreamCreateWithFlags(&state->stream, cudaStreamNonBlocking) != cudaSuccess))
    why = "the CUDA device is busy or out of memory";
  if (why == NULL)
    why = cwk_cublas_open(&state->cublas, state->stream);
  if (why != NULL) {
    if (state->stream != NULL)
      (void)cudaStreamDestroy(state->stream);
    free(state);
    device->state = NULL;
    return why;
  }
  device->table = &table;
  return NULL;
}
