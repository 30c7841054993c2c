/* metrics.c - see metrics.h. */
#include "train/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct _CwMetrics {
  char *path;
  FILE *file;
};

static bool
set_errno_error(GError **error, const char *path)
{
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", path, g_strerror(errno));
  return false;
}

/* The step that a line is about, -1 if it is none of ours. */
static int64_t
step_of_line(const char *line)
{
  static const char start[] = "{\"step\": ";
  return g_str_has_prefix(line, start) ? g_ascii_strtoll(line + strlen(start), NULL, 10) : -1;
}

/* Bytes of whole lines in front of the first that is about `step` or later. */
static gsize
kept_bytes(const char *text, gsize n_bytes, int64_t step)
{
  gsize kept = 0;
  while (kept < n_bytes) {
    const char *end = memchr(text + kept, '\n', n_bytes - kept);
    if (end == NULL || step_of_line(text + kept) >= step)
      break;
    kept = (gsize)(end - text) + 1;
  }
  return kept;
}

CwMetrics *
cw_metrics_open(const char *folder, int64_t step, GError **error)
{
  g_autofree char *path = g_build_filename(folder, "metrics.jsonl", NULL);
  g_autofree char *text = NULL;
  gsize n_bytes = 0;
  if (g_file_get_contents(path, &text, &n_bytes, NULL) &&
      truncate(path, (off_t)kept_bytes(text, n_bytes, step)) != 0) {
    set_errno_error(error, path);
    return NULL;
  }
  FILE *file = fopen(path, "a");
  if (file == NULL) {
    set_errno_error(error, path);
    return NULL;
  }
  CwMetrics *metrics = g_new(CwMetrics, 1);
  *metrics = (CwMetrics){ g_steal_pointer(&path), file };
  return metrics;
}

bool
cw_metrics_write(CwMetrics *metrics, const char *line, GError **error)
{
  /* Flushed at once: the window and `tail -f` read along. */
  if (fputs(line, metrics->file) >= 0 && fputc('\n', metrics->file) != EOF &&
      fflush(metrics->file) == 0)
    return true;
  return set_errno_error(error, metrics->path);
}

bool
cw_metrics_close(CwMetrics *metrics, GError **error)
{
  bool is_closed = fclose(metrics->file) == 0 || set_errno_error(error, metrics->path);
  g_free(metrics->path);
  g_free(metrics);
  return is_closed;
}

/* ---- lines --------------------------------------------------------------------------------
 */

/* NaN and infinity, which JSON lacks, as null. */
static void
add_number(GString *line, const char *key, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (isfinite(value))
    g_string_append_printf(line, ", \"%s\": %s", key,
                           g_ascii_formatd(text, sizeof text, "%.9g", value));
  else
    g_string_append_printf(line, ", \"%s\": null", key);
}

static void
add_numbers(GString *line, const char *key, const double *values, int64_t n)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf(line, ", \"%s\": [", key);
  for (int64_t i = 0; i < n; i++)
    g_string_append_printf(
        line, "%s%s", i > 0 ? ", " : "",
        isfinite(values[i]) ? g_ascii_formatd(text, sizeof text, "%.6g", values[i]) : "null");
  g_string_append_c(line, ']');
}

static int
compare_floats(const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static void
add_thresholds(GString *line, const CwParameters *p)
{
  int64_t n = p->n_layers * p->n_features;
  g_autofree float *sorted = g_try_new(float, n);
  if (sorted == NULL)
    return;
  double sum = 0;
  memcpy(sorted, p->threshold, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, compare_floats);
  for (int64_t i = 0; i < n; i++)
    sum += (double)sorted[i];
  add_number(line, "threshold_mean", sum / (double)n);
  add_number(line, "threshold_min", (double)sorted[0]);
  add_number(line, "threshold_median", (double)sorted[n / 2]);
  add_number(line, "threshold_max", (double)sorted[n - 1]);
}

static double
resident_bytes(void)
{
  g_autofree char *text = NULL;
  long n_pages = 0;
  if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL) &&
      sscanf(text, "%*d %ld", &n_pages) == 1)
    return (double)n_pages * (double)sysconf(_SC_PAGESIZE);
  return NAN;
}

static void
add_layers(GString *line, const CwTrainStep *step, int64_t n_layers)
{
  add_numbers(line, "layer_explained_variance", step->layer_explained_variance, n_layers);
  add_numbers(line, "layer_l0", step->layer_l0, n_layers);
}

char *
cw_metrics_step_line(const CwTrainer *trainer, const CwTrainStep *step, double seconds,
                     double tokens_per_second)
{
  int64_t n_layers = trainer->parameters.n_layers;
  GString *line = g_string_new(NULL);
  g_string_append_printf(line, "{\"step\": %" G_GINT64_FORMAT, step->step);
  add_number(line, "tokens", (double)((step->step + 1) * trainer->work.n_tokens));
  add_number(line, "lr", step->lr);
  add_number(line, "l0_coefficient", step->l0_coefficient);
  add_number(line, "loss", step->loss);
  add_number(line, "mse", step->mse);
  add_number(line, "l0_loss", step->l0_loss);
  add_number(line, "dead_loss", step->dead_loss);
  add_number(line, "grad_norm", step->grad_norm);
  add_number(line, "l0", step->l0);
  add_number(line, "explained_variance", step->explained_variance);
  add_number(line, "dead", (double)step->dead);
  add_number(line, "resampled", (double)step->resampled);
  add_number(line, "band", step->band);
  add_thresholds(line, &trainer->parameters);
  add_layers(line, step, n_layers);
  g_autofree double *dead = g_new(double, n_layers);
  for (int64_t l = 0; l < n_layers; l++)
    dead[l] = (double)step->layer_dead[l];
  add_numbers(line, "layer_dead", dead, n_layers);
  add_number(line, "seconds", seconds);
  add_number(line, "tokens_per_second", tokens_per_second);
  add_number(line, "memory_bytes", resident_bytes());
  g_string_append_c(line, '}');
  return g_string_free(line, FALSE);
}

char *
cw_metrics_held_out_line(const CwTrainStep *step, int64_t n_layers, int64_t n_tokens)
{
  GString *line = g_string_new(NULL);
  g_string_append_printf(line,
                         "{\"step\": %" G_GINT64_FORMAT ", \"held_out\": {\"n_tokens\": %d",
                         step->step, (int)n_tokens);
  add_number(line, "mse", step->mse);
  add_number(line, "l0", step->l0);
  add_number(line, "explained_variance", step->explained_variance);
  add_layers(line, step, n_layers);
  g_string_append(line, "}}");
  return g_string_free(line, FALSE);
}
