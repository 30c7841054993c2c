/* cache-metrics.c - see cache-metrics.h. */
#include "cache-metrics.h"

#define LINE_EVERY_US (2 * G_USEC_PER_SEC)

static double
seconds_between(gint64 from_us, gint64 to_us)
{
  return (double)(to_us - from_us) / G_USEC_PER_SEC;
}

void
cwa_cache_metrics_made_cb(int64_t n_rows, double fraction, gpointer user_data)
{
  CwaCacheMetrics *metrics = user_data;
  gint64 now_us = g_get_monotonic_time();
  if (metrics->worker == NULL ||
      (metrics->began_us != 0 && now_us - metrics->lined_us < LINE_EVERY_US))
    return;
  if (metrics->began_us == 0) {
    metrics->began_us = now_us;
  } else {
    double rate =
        (double)(n_rows - metrics->lined_rows) / seconds_between(metrics->lined_us, now_us);
    g_autofree char *line =
        g_strdup_printf("{\"rows\": %" G_GINT64_FORMAT
                        ", \"fraction\": %.5f, \"seconds\": %.1f, \"tokens_per_second\": %.1f}",
                        n_rows, fraction, seconds_between(metrics->began_us, now_us), rate);
    cw_run_worker_tell(metrics->worker, line);
  }
  metrics->lined_us = now_us;
  metrics->lined_rows = n_rows;
}
