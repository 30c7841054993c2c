/* repulsion-cpu.c - points pushing each other away: exact sums over all pairs.
 *
 * A pair costs a third of a cycle with the widest vectors, so that up to some thousands of
 * points the plain double loop is faster than any tree. Points that push each other meet once a
 * pair: what the row does to the column is subtracted there. The rows are dealt to a fixed
 * number of lanes with sums of their own, added up in order, so that results do not depend on
 * threads. */
#include "cpu/isa-kernels.h"

#include <string.h>

#define POINTS_PER_ITEM 256 /* a multiple of four vectors */
#define N_LANES         4

typedef struct {
  const CwkRepulsionArgs *args;
  const CwkIsaKernels *isa;
  int64_t n_padded;
  float *x, *y; /* [n_padded] */
  float *lanes; /* [N_LANES, 2, n_padded] */
} Repulsion;

static void
repel_part(void *data, int64_t item)
{
  const Repulsion *job = data;
  int64_t first = item * POINTS_PER_ITEM, rest = job->args->n_points - first;
  job->isa->repel(job->args, first, rest < POINTS_PER_ITEM ? rest : POINTS_PER_ITEM);
}

static void
repel_lane(void *data, int64_t lane)
{
  const Repulsion *job = data;
  float *sums = job->lanes + lane * 2 * job->n_padded;
  memset(sums, 0, 2 * (size_t)job->n_padded * sizeof *sums);
  job->isa->repel_mutually(job->x, job->y, job->args->n_points, job->args->softening, lane,
                           N_LANES, sums, sums + job->n_padded);
}

static void
add_lanes(const Repulsion *job)
{
  const CwkRepulsionArgs *args = job->args;
  size_t n_bytes = (size_t)args->n_points * sizeof(float);
  memcpy(args->force_x, job->lanes, n_bytes);
  memcpy(args->force_y, job->lanes + job->n_padded, n_bytes);
  for (int64_t lane = 1; lane < N_LANES; lane++) {
    const float *sums = job->lanes + lane * 2 * job->n_padded;
    job->isa->axpy(1, sums, args->force_x, args->n_points);
    job->isa->axpy(1, sums + job->n_padded, args->force_y, args->n_points);
  }
}

static CwkStatus
repel_mutually(CwkDevice *device, Repulsion *job)
{
  const CwkRepulsionArgs *args = job->args;
  int64_t n = args->n_points;
  job->n_padded = (n + CWK_ISA_WIDEST - 1) / CWK_ISA_WIDEST * CWK_ISA_WIDEST;
  size_t n_floats = (size_t)job->n_padded * (2 + 2 * N_LANES);
  job->x = cwk_cpu_scratch(device, device->n_scratch - 1, n_floats * sizeof(float));
  if (job->x == NULL)
    return CWK_NO_MEMORY;
  job->y = job->x + job->n_padded;
  job->lanes = job->y + job->n_padded;
  memset(job->x, 0, 2 * (size_t)job->n_padded * sizeof(float));
  memcpy(job->x, args->x, (size_t)n * sizeof(float));
  memcpy(job->y, args->y, (size_t)n * sizeof(float));
  cwk_pool_run(device->pool, N_LANES, repel_lane, job);
  add_lanes(job);
  return CWK_OK;
}

CwkStatus
cwk_cpu_repulsion(CwkDevice *device, const CwkRepulsionArgs *args)
{
  Repulsion job = { .args = args, .isa = cwk_isa_kernels(device->isa) };
  if (args->n_points == 0)
    return CWK_OK;
  if (args->source_x == NULL)
    return repel_mutually(device, &job);
  cwk_pool_run(device->pool, (args->n_points + POINTS_PER_ITEM - 1) / POINTS_PER_ITEM,
               repel_part, &job);
  return CWK_OK;
}
