/* cache-metrics.c - see cache-metrics.h. */
#include "cache-metrics.h"

#define LINE_EVERY_US (2 * G_USEC_PER_SEC)

static double
seconds_between(gint64 from_us, gint64 to_us)
{
  return (double)(to_us - from_us) / G_USEC_PER_SEC;
}

void
cwa_cache_metrics_begin(CwaCacheMetrics *metrics, CwRunWorker *worker)
{
  *metrics = (CwaCacheMetrics){ .worker = worker };
  if (worker == NULL)
    return;
  g_autoptr(CwRun) run = cw_run_open(cw_run_worker_peek_folder(worker));
  while ((cw_run_refresh(run) & CW_RUN_HAS_MORE) != 0)
    ;
  const CwRunCurve *fractions = cw_run_peek_curve(run, "fraction");
  if (fractions != NULL)
    metrics->earlier_seconds = fractions->x[fractions->n - 1];
}

static void
tell(CwaCacheMetrics *metrics, gint64 now_us)
{
  double seconds = metrics->earlier_seconds + seconds_between(metrics->began_us, now_us);
  double since = seconds_between(metrics->lined_us, now_us);
  int64_t n_new = metrics->rows - metrics->lined_rows;
  g_autofree char *rate = metrics->lined_us != 0 && since > 0
                              ? g_strdup_printf("%.1f", (double)n_new / since)
                              : g_strdup("null");
  g_autofree char *line = g_strdup_printf("{\"seconds\": %.3f, \"rows\": %" G_GINT64_FORMAT
                                          ", \"fraction\": %.5f, \"tokens_per_second\": %s}",
                                          seconds, metrics->rows, metrics->fraction, rate);
  cw_run_worker_tell(metrics->worker, line);
  metrics->lined_us = now_us;
  metrics->lined_rows = metrics->rows;
}

void
cwa_cache_metrics_made_cb(int64_t n_rows, double fraction, gpointer user_data)
{
  CwaCacheMetrics *metrics = user_data;
  gint64 now_us = g_get_monotonic_time();
  if (metrics->began_us == 0)
    metrics->began_us = now_us;
  metrics->rows = n_rows;
  metrics->fraction = fraction;
  if (metrics->worker != NULL &&
      (metrics->lined_us == 0 || now_us - metrics->lined_us >= LINE_EVERY_US))
    tell(metrics, now_us);
}

void
cwa_cache_metrics_end(CwaCacheMetrics *metrics)
{
  if (metrics->worker != NULL && metrics->rows > metrics->lined_rows)
    tell(metrics, g_get_monotonic_time());
}
