/* sweep.h - one reverse sweep through the frozen model for many targets at once.
 *
 * Private to core/attribution. */
#pragma once

#include "attribution/row-store.h"

typedef struct _CwSweep CwSweep;

/* Buffers for sweeps over one replacement model; one thread at a time. */
CwSweep *cw_sweep_new(const CwReplacement *replacement, GError **error);
void cw_sweep_free(CwSweep *sweep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwSweep, cw_sweep_free)

/* From now on every batch reports the rows done so far as a share of n_rows. */
void cw_sweep_watch(CwSweep *sweep, const CwProgress *progress, int64_t n_rows);

/* Adds the vector of a logit target, u [D], which it takes over, and its constant part (what
 * the target's value has beyond u . normalised stream). Returns its number. */
int64_t cw_sweep_add_logit(CwSweep *sweep, float *u, double constant);

/* Computes rows (layer, position, active and value set) and appends them to the store. Any
 * order, any mixture of layers and positions. On failure, cancelling included, the store keeps
 * what it had and perhaps some of the new rows' places: it must then be thrown away. */
bool cw_sweep_run(CwSweep *sweep, CwRowStore *store, const CwRow *rows, size_t n,
                  CwCancel *cancel, GError **error);

/* Floating point operations in matrix products so far. */
double cw_sweep_get_flop(const CwSweep *sweep);
