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

static void
rotate_position(void *data, int64_t t)
{
  const CwkRopeArgs *args = data;
  int64_t half = args->n_rotary / 2;
  double position = (double)(args->first_position + t);
  for (int64_t i = 0; i < half; i++) {
    /* The angle as an f32 product, as every published implementation forms it. */
    float angle = (float)position * args->inverse_frequency[i];
    float c = cosf(angle) * args->attention_scaling, s = sinf(angle) * args->attention_scaling;
    int64_t first = args->is_interleaved ? 2 * i : i;
    int64_t second = args->is_interleaved ? 2 * i + 1 : i + half;
    for (int64_t h = 0; h < args->n_heads; h++) {
      float *x = args->x + t * args->stride + h * args->head_width;
      float x0 = x[first], x1 = x[second];
      x[first] = x0 * c - x1 * s;
      x[second] = x1 * c + x0 * s;
    }
  }
}

CwkStatus
cwk_cpu_rope(CwkDevice *device, const CwkRopeArgs *args)
{
  cwk_pool_run(device->pool, args->n_positions, rotate_position, (void *)args);
  return CWK_OK;
}
