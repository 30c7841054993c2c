/* activate-cpu.c - activation functions, gated or not, and rotary embeddings. */
#include "cpu/isa-kernels.h"

#include <math.h>

#define ELEMENTS_PER_ITEM 8192

typedef struct {
  const CwkActivateArgs *args;
  const CwkIsaKernels *isa;
} Activate;

static void
activate_part(void *data, int64_t item)
{
  const Activate *job = data;
  const CwkActivateArgs *args = job->args;
  int64_t first = item * ELEMENTS_PER_ITEM;
  int64_t n = args->n - first < ELEMENTS_PER_ITEM ? args->n - first : ELEMENTS_PER_ITEM;
  job->isa->activate(args->activation, args->gate + first,
                     args->up != NULL ? args->up + first : NULL, args->out + first, n);
}

CwkStatus
cwk_cpu_activate(CwkDevice *device, const CwkActivateArgs *args)
{
  Activate job = { args, cwk_isa_kernels(device->isa) };
  cwk_pool_run(device->pool, (args->n + ELEMENTS_PER_ITEM - 1) / ELEMENTS_PER_ITEM,
               activate_part, &job);
  return CWK_OK;
}

typedef struct {
  const CwkRopeArgs *args;
  const CwkRowKernels *isa;
  CwkDevice *device;
} Rope;

static void
rotate_position(void *data, int64_t t)
{
  const Rope *job = data;
  const CwkRopeArgs *args = job->args;
  int64_t half = args->n_rotary / 2;
  float position = (float)(args->first_position + t);
  float *cosine = job->device->scratch[cwk_pool_thread_index()], *sine = cosine + half;
  for (int64_t i = 0; i < half; i++) {
    /* The angle as an f32 product, as every published implementation forms it. */
    float angle = position * args->inverse_frequency[i];
    cosine[i] = cosf(angle) * args->attention_scaling;
    sine[i] = sinf(angle) * args->attention_scaling;
  }
  for (int64_t h = 0; h < args->n_heads; h++)
    job->isa->rotate_head(args->x + t * args->stride + h * args->head_width, cosine, sine, half,
                          args->is_interleaved);
}

CwkStatus
cwk_cpu_rope(CwkDevice *device, const CwkRopeArgs *args)
{
  Rope job = { args, cwk_row_kernels(device->isa), device };
  CwkStatus status = cwk_cpu_reserve_threads(device, (size_t)args->n_rotary * sizeof(float));
  if (status != CWK_OK)
    return status;
  cwk_pool_run(device->pool, args->n_positions, rotate_position, &job);
  return CWK_OK;
}
