/* memory-check.h - whether a run's rows and edges fit into what is free. Private to
 * core/attribution. */
#pragma once

#include "attribution/row-store.h"

/* Before the first row: refuses a run that cannot fit and names the number of feature nodes
 * that would. n_features: nodes that will get a row. */
bool cw_memory_check_plan(const CwRowStore *store, int64_t n_features, GError **error);

/* Before a step: the plan takes rows of mean length, the chosen ones may be longer. */
bool cw_memory_check_rows(const CwRowStore *store, const CwRow *rows, size_t n, GError **error);
