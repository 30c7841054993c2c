/* cache-metrics.h - lines of metrics of a cache that is being made, for windows that watch it.
 */
#pragma once

#include "cw-runs.h"

/* Zero but for the worker; NULL: nobody watches. */
typedef struct {
  CwRunWorker *worker;
  gint64 began_us, lined_us; /* 0: no window has been made yet */
  int64_t lined_rows;
} CwaCacheMetrics;

/* CwCollectOptions.made; user_data: CwaCacheMetrics. A line every two seconds. */
void cwa_cache_metrics_made_cb(int64_t n_rows, double fraction, gpointer user_data);
