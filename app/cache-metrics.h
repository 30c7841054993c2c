/* cache-metrics.h - lines of metrics of a cache that is being made, for windows that watch it.
 */
#pragma once

#include "cw-runs.h"

/* Zero but for the worker; NULL: nobody watches. */
typedef struct {
  CwRunWorker *worker;
  double earlier_seconds;    /* of the workers before that made part of it */
  gint64 began_us, lined_us; /* 0: no window has been made yet */
  int64_t rows, lined_rows;  /* made; those that the last line told of */
  double fraction;
} CwaCacheMetrics;

/* Goes on behind the lines that are there. */
void cwa_cache_metrics_begin(CwaCacheMetrics *metrics, CwRunWorker *worker);
/* CwCollectOptions.made; user_data: CwaCacheMetrics. A line with the first window, its speed
 * not known, and then every two seconds. */
void cwa_cache_metrics_made_cb(int64_t n_rows, double fraction, gpointer user_data);
/* A line of what came since the last one. */
void cwa_cache_metrics_end(CwaCacheMetrics *metrics);
