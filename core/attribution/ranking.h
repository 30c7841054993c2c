/* ranking.h - which features deserve a row next. Private to core/attribution. */
#pragma once

#include "attribution/row-store.h"

/* Influence of every active feature on the targets along the rows computed so far, [K] by
 * active index, in double: rows in order of falling layer, so one sweep is exact. probability:
 * of the logit rows, by number. Cost O(values stored). False if cancelled or
 * without memory. */
bool cw_ranking_influence(const CwRowStore *store, const float *probability, double *influence,
                          CwCancel *cancel, GError **error);

/* At most `n` unvisited features of most influence, ties by active index; writes their active
 * indices, marks them visited and returns how many there were; -1: no memory. */
int64_t cw_ranking_take(const double *influence, int64_t n_active, uint8_t *is_visited,
                        int64_t n, int64_t *taken, GError **error);
