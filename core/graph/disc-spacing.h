/* disc-spacing.h - keeps discs of a plane from lying on each other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _CwDiscSpacing CwDiscSpacing;

/* Who may move how far: a disc is held (is_held), or stays within `leash` of its anchor
 * (is_anchored), or is free. Any of the arrays may be NULL: nobody is. */
typedef struct {
  size_t n;
  float *x, *y;        /* [n] finite */
  const float *radius; /* [n] > 0 */
  const uint8_t *is_held, *is_anchored;
  const float *anchor_x, *anchor_y;
  float leash;
} CwDiscs;

/* For up to n_most discs; NULL without memory. */
CwDiscSpacing *cw_disc_spacing_new(size_t n_most);
void cw_disc_spacing_free(CwDiscSpacing *spacing);

/* One sweep: pairs that overlap are pushed apart, half each unless one is held. Returns the
 * number of pairs that overlapped. O(n) for discs of similar size. */
size_t cw_disc_spacing_sweep(CwDiscSpacing *spacing, const CwDiscs *discs);
/* Sweeps until no two overlap, then moves those that still do to the nearest free place their
 * leash allows. Returns the number of pairs it had to leave: those nobody may part. */
size_t cw_disc_spacing_part(CwDiscSpacing *spacing, const CwDiscs *discs);
/* Puts an anchored disc back to within its leash. */
void cw_disc_spacing_pull_back(const CwDiscs *discs, size_t disc);
