/* ranking.c - best-first choice of features, as circuit-tracer's `max_feature_nodes` has it. */
#include "attribution/ranking.h"

#include <math.h>
#include <string.h>

#define ROW_SUM_FLOOR 1e-8

/* Indices of the rows by falling layer (a counting sort); NULL: no memory. */
static guint *
rows_by_layer(const CwRowStore *store)
{
  int64_t L = store->replacement->n_layers;
  g_autofree guint *start = g_try_new0(guint, (gsize)L + 2);
  guint *order = start != NULL ? g_try_new(guint, MAX(store->rows->len, 1)) : NULL;
  if (order == NULL)
    return NULL;
  for (guint i = 0; i < store->rows->len; i++)
    start[L - g_array_index(store->rows, CwRow, i).layer + 1]++;
  for (int64_t l = 0; l <= L; l++)
    start[l + 1] += start[l];
  for (guint i = 0; i < store->rows->len; i++)
    order[start[L - g_array_index(store->rows, CwRow, i).layer]++] = i;
  return order;
}

static void
spread_row(const CwRowStore *store, const CwRow *row, double influence, double *by_column)
{
  const CwReplacement *replacement = store->replacement;
  double share = influence / MAX(row->sum_abs, ROW_SUM_FLOOR);
  for (int64_t c = 0; c <= row->position; c++) {
    const int64_t *cells = replacement->cell_start + c * replacement->n_layers;
    const float *values = row->values + cw_row_store_block(store, row->layer, c);
    for (int64_t i = 0, n = cells[row->layer] - cells[0]; i < n; i++)
      by_column[cells[0] + i] += share * fabs((double)values[i]);
  }
}

bool
cw_ranking_influence(const CwRowStore *store, const float *probability, double *influence,
                     CwCancel *cancel, GError **error)
{
  const CwReplacement *replacement = store->replacement;
  int64_t K = replacement->n_active;
  g_autofree double *by_column = g_try_new0(double, (gsize)MAX(K, 1));
  g_autofree guint *order = rows_by_layer(store);
  if (by_column == NULL || order == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "ranking the features");
    return false;
  }
  for (guint i = 0; i < store->rows->len; i++) {
    const CwRow *row = &g_array_index(store->rows, CwRow, order[i]);
    if (cw_cancel_check(cancel, error))
      return false;
    double own = row->active < 0 ? (double)probability[-1 - row->active]
                                 : by_column[replacement->column_of_active[row->active]];
    if (own > 0)
      spread_row(store, row, own, by_column);
  }
  for (int64_t i = 0; i < K; i++)
    influence[i] = by_column[replacement->column_of_active[i]];
  return true;
}

typedef struct {
  double influence;
  int64_t active;
} Candidate;

static int
compare_candidates(const void *a, const void *b)
{
  const Candidate *x = a, *y = b;
  if (x->influence != y->influence)
    return x->influence < y->influence ? 1 : -1;
  return (x->active > y->active) - (x->active < y->active);
}

int64_t
cw_ranking_take(const double *influence, int64_t n_active, uint8_t *is_visited, int64_t n,
                int64_t *taken, GError **error)
{
  g_autofree Candidate *candidates = g_try_new(Candidate, (gsize)MAX(n_active, 1));
  if (candidates == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "ranking the features");
    return -1;
  }
  int64_t n_candidates = 0;
  for (int64_t i = 0; i < n_active; i++)
    if (!is_visited[i])
      candidates[n_candidates++] = (Candidate){ influence[i], i };
  qsort(candidates, (size_t)n_candidates, sizeof *candidates, compare_candidates);
  n = MIN(n, n_candidates);
  for (int64_t i = 0; i < n; i++) {
    taken[i] = candidates[i].active;
    is_visited[candidates[i].active] = 1;
  }
  return n;
}
