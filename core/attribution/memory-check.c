/* memory-check.c - whether a run's rows and edges fit into what is free.
 *
 * Linux grants more memory than there is and kills the process that uses it, so asking the
 * allocator is not enough. Rows (4 bytes a value) turn into edges (8 bytes) chunk by chunk, so
 * what must fit is the larger of both; with n of K active features an edge from a feature is
 * kept with probability n / K. A graph's edges are counted in 32 bits. Without /proc/meminfo
 * nothing is refused. */
#include "attribution/memory-check.h"

#include <math.h>

#define SHARE_TO_USE                                                       \
  0.9 /* of the free memory: the graph's nodes, labels and ranks need some \
       */
#define MAX_EDGES 4294967295.0

/* Mean lengths over the active features: what a row has of features, and of the rest. */
typedef struct {
  double features, others, n_active;
} MeanRow;

static MeanRow
mean_row(const CwRowStore *store)
{
  const CwReplacement *replacement = store->replacement;
  double total = 0, others = 0;
  for (int64_t i = 0; i < replacement->n_active; i++) {
    int32_t l = replacement->active_layer[i], c = replacement->active_position[i];
    total += (double)cw_row_store_length(store, l, c);
    others += (double)(c + 1) * (double)(l + 1);
  }
  double n = (double)MAX(replacement->n_active, 1);
  return (MeanRow){ (total - others) / n, others / n, n };
}

static double
n_edges(const MeanRow *row, double n)
{
  return n * (row->features * n / row->n_active + row->others);
}

/* The most features whose edges are at most so many: a quadratic in n. */
static double
most_features(const MeanRow *row, double most_edges)
{
  double a = row->features / row->n_active, b = row->others;
  if (a <= 0)
    return b > 0 ? most_edges / b : row->n_active;
  return (sqrt(b * b + 4 * a * most_edges) - b) / (2 * a);
}

bool
cw_memory_check_plan(const CwRowStore *store, int64_t n_features, GError **error)
{
  MeanRow row = mean_row(store);
  double n = (double)n_features, length = row.features + row.others;
  double usable = SHARE_TO_USE * cw_free_memory_bytes();
  double edges = n_edges(&row, n);
  double bytes = MAX(n * length * sizeof(float), edges * 8);
  if (bytes <= usable && edges <= MAX_EDGES)
    return true;
  double fitting = MIN(usable / (MAX(length, 1) * sizeof(float)),
                       most_features(&row, MIN(usable / 8, MAX_EDGES)));
  g_set_error(
      error, CW_ERROR, CW_ERROR_NO_MEMORY,
      "%" G_GINT64_FORMAT " feature nodes of %" G_GINT64_FORMAT
      " active ones make about %.3g edges and need %.1f GiB, %.1f GiB are free (a graph "
      "holds at most 4.29e9 edges); max_feature_nodes of %" G_GINT64_FORMAT " would fit",
      n_features, store->replacement->n_active, edges, bytes / 0x1p30,
      usable / SHARE_TO_USE / 0x1p30, (int64_t)(0.9 * fitting));
  return false;
}

bool
cw_memory_check_rows(const CwRowStore *store, const CwRow *rows, size_t n, GError **error)
{
  double bytes = 0, available = cw_free_memory_bytes();
  for (size_t i = 0; i < n; i++)
    bytes +=
        sizeof(float) * (double)cw_row_store_length(store, rows[i].layer, rows[i].position);
  if (bytes <= SHARE_TO_USE * available)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "%zu more rows after %u need %.1f GiB, %.1f GiB are free; ask for fewer feature "
              "nodes",
              n, store->rows->len, bytes / 0x1p30, available / 0x1p30);
  return false;
}
