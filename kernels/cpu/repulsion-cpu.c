/* repulsion-cpu.c - points pushing each other away: exact sums over all pairs.
 *
 * A pair costs three to six cycles a vector, so that up to some thousands of points the plain
 * double loop is faster than any tree. Every pair is computed twice: the symmetric form saves a
 * third, but then two threads write the same points. */
#include "cpu/isa-kernels.h"

#define POINTS_PER_ITEM 256 /* a multiple of four vectors */

typedef struct {
  const CwkRepulsionArgs *args;
  const CwkIsaKernels *isa;
} Repulsion;

static void
repel_part(void *data, int64_t item)
{
  const Repulsion *job = data;
  int64_t first = item * POINTS_PER_ITEM, rest = job->args->n_points - first;
  job->isa->repel(job->args, first, rest < POINTS_PER_ITEM ? rest : POINTS_PER_ITEM);
}

CwkStatus
cwk_cpu_repulsion(CwkDevice *device, const CwkRepulsionArgs *args)
{
  Repulsion job = { args, cwk_isa_kernels(device->isa) };
  cwk_pool_run(device->pool, (args->n_points + POINTS_PER_ITEM - 1) / POINTS_PER_ITEM,
               repel_part, &job);
  return CWK_OK;
}
