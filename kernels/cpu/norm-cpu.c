/* norm-cpu.c - RMSNorm and LayerNorm, and the adjoint with a frozen scale. Means and squares
 * are summed in double. */
#include "cpu/isa-kernels.h"

#define ROWS_PER_ITEM 8

typedef struct {
  const CwkNormArgs *args;
  const CwkRowKernels *isa;
} Norm;

static void
norm_rows(void *data, int64_t item)
{
  const Norm *job = data;
  int64_t end = (item + 1) * ROWS_PER_ITEM;
  for (int64_t row = item * ROWS_PER_ITEM; row < end && row < job->args->n_rows; row++)
    job->isa->norm_row(job->args, row);
}

CwkStatus
cwk_cpu_norm(CwkDevice *device, const CwkNormArgs *args)
{
  Norm job = { args, cwk_row_kernels(device->isa) };
  cwk_pool_run(device->pool, (args->n_rows + ROWS_PER_ITEM - 1) / ROWS_PER_ITEM, norm_rows,
               &job);
  return CWK_OK;
}

static void
adjoint_row(const CwkNormAdjointArgs *args, int64_t row)
{
  const float *x = args->x + row * args->n_cols, *weight = args->weight;
  float *out = args->out + row * args->n_cols;
  float inverse = 1.0f / args->scale[args->index[row]], mean = 0;
  if (args->is_layer_norm) {
    double sum = 0;
    for (int64_t i = 0; i < args->n_cols; i++)
      sum += (double)(weight != NULL ? x[i] * weight[i] : x[i]);
    mean = (float)(sum / (double)args->n_cols);
  }
  for (int64_t i = 0; i < args->n_cols; i++) {
    float y = ((weight != NULL ? x[i] * weight[i] : x[i]) - mean) * inverse;
    out[i] = args->accumulate ? out[i] + y : y;
  }
}

static void
adjoint_rows(void *data, int64_t item)
{
  const CwkNormAdjointArgs *args = data;
  int64_t end = (item + 1) * ROWS_PER_ITEM;
  for (int64_t row = item * ROWS_PER_ITEM; row < end && row < args->n_rows; row++)
    adjoint_row(args, row);
}

CwkStatus
cwk_cpu_norm_adjoint(CwkDevice *device, const CwkNormAdjointArgs *args)
{
  cwk_pool_run(device->pool, (args->n_rows + ROWS_PER_ITEM - 1) / ROWS_PER_ITEM, adjoint_rows,
               (void *)args);
  return CWK_OK;
}
