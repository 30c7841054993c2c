/* run-snapshot.c - see run-snapshot.h. */
#include "runs/run-snapshot.h"

#include <string.h>

#include "runs/run-layers.h"

#define LOG_LINES 200

CwRunFacts *
cwu_run_facts_copy(const CwRunFacts *facts)
{
  CwRunFacts *copy = g_memdup2(facts, sizeof *facts);
  copy->folder = g_strdup(facts->folder);
  copy->name = g_strdup(facts->name);
  copy->reason = g_strdup(facts->reason);
  copy->version = g_strdup(facts->version);
  copy->arguments = (const char *const *)g_strdupv((char **)facts->arguments);
  copy->host = g_strdup(facts->host);
  copy->phase = g_strdup(facts->phase);
  copy->result = g_strdup(facts->result);
  return copy;
}

void
cwu_run_facts_free(CwRunFacts *facts)
{
  if (facts == NULL)
    return;
  g_free((char *)facts->folder);
  g_free((char *)facts->name);
  g_free((char *)facts->reason);
  g_free((char *)facts->version);
  g_strfreev((char **)facts->arguments);
  g_free((char *)facts->host);
  g_free((char *)facts->phase);
  g_free((char *)facts->result);
  g_free(facts);
}

void
cwu_run_curve_free(gpointer data)
{
  CwRunCurve *curve = data;
  g_free((char *)curve->key);
  g_free((double *)curve->x);
  g_free((double *)curve->y);
  g_free(curve);
}

static CwRunCurve *
curve_copy(const CwRunCurve *curve)
{
  CwRunCurve *copy = g_new(CwRunCurve, 1);
  *copy = (CwRunCurve){ .key = g_strdup(curve->key),
                        .n = curve->n,
                        .x = g_memdup2(curve->x, curve->n * sizeof *curve->x),
                        .y = g_memdup2(curve->y, curve->n * sizeof *curve->y) };
  return copy;
}

/* The log less the lines of metrics in it: those are drawn. Transfer full. */
static char *
dup_words(const CwRun *run)
{
  g_autofree char *log = cw_run_dup_log_tail(run, LOG_LINES);
  g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
  GString *words = g_string_new(NULL);
  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0' && !g_str_has_prefix(*line, "{\"step\": "))
      g_string_append_printf(words, "%s\n", *line);
  return g_string_free(words, FALSE);
}

CwuRunDetails *
cwu_run_details_new(const CwRun *run)
{
  CwuRunDetails *details = g_atomic_rc_box_new0(CwuRunDetails);
  size_t n;
  const CwRunCurve *curves = cw_run_peek_curves(run, &n);
  details->folder = g_strdup(cw_run_peek_facts(run)->folder);
  details->kind = cw_run_peek_facts(run)->kind;
  details->curves = g_ptr_array_new_with_free_func(cwu_run_curve_free);
  for (size_t i = 0; i < n; i++)
    g_ptr_array_add(details->curves, curve_copy(&curves[i]));
  details->log = dup_words(run);
  cwu_run_layers_add(details->curves, run);
  return details;
}

static void
details_clear(gpointer data)
{
  CwuRunDetails *details = data;
  g_free(details->folder);
  g_ptr_array_unref(details->curves);
  g_free(details->log);
}

CwuRunDetails *
cwu_run_details_ref(CwuRunDetails *details)
{
  return g_atomic_rc_box_acquire(details);
}

void
cwu_run_details_unref(CwuRunDetails *details)
{
  if (details != NULL)
    g_atomic_rc_box_release_full(details, details_clear);
}

const CwRunCurve *
cwu_run_details_peek_curve(const CwuRunDetails *details, const char *key)
{
  for (guint i = 0; i < details->curves->len; i++) {
    const CwRunCurve *curve = details->curves->pdata[i];
    if (strcmp(curve->key, key) == 0)
      return curve;
  }
  return NULL;
}
