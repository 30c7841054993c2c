/* run-words.c - see run-words.h. */
#include "runs/run-words.h"

#include <glib/gi18n-lib.h>
#include <math.h>

const char *
cwu_run_kind_peek_title(CwRunKind kind)
{
  static const char *const titles[] = { [CW_RUN_CACHE] = N_("Cache"),
                                        [CW_RUN_TRAINING] = N_("Training"),
                                        [CW_RUN_EVALUATION] = N_("Evaluation") };
  g_return_val_if_fail((size_t)kind < G_N_ELEMENTS(titles), NULL);
  return _(titles[kind]);
}

static const struct {
  const char *title, *icon;
} states[] = {
  [CW_RUN_WAITING] = { N_("Starting"), "content-loading-symbolic" },
  [CW_RUN_RUNNING] = { N_("Running"), "media-playback-start-symbolic" },
  [CW_RUN_STOPPING] = { N_("Saving"), "document-save-symbolic" },
  [CW_RUN_PAUSED] = { N_("Paused"), "media-playback-pause-symbolic" },
  [CW_RUN_STOPPED] = { N_("Stopped"), "media-playback-stop-symbolic" },
  [CW_RUN_FINISHED] = { N_("Finished"), "object-select-symbolic" },
  [CW_RUN_FAILED] = { N_("Failed"), "dialog-error-symbolic" },
  [CW_RUN_DEAD] = { N_("Died"), "dialog-error-symbolic" },
  [CW_RUN_DAMAGED] = { N_("Damaged"), "dialog-warning-symbolic" },
};

const char *
cwu_run_state_peek_title(CwRunState state)
{
  g_return_val_if_fail((size_t)state < G_N_ELEMENTS(states), NULL);
  return _(states[state].title);
}

const char *
cwu_run_state_peek_icon(CwRunState state)
{
  g_return_val_if_fail((size_t)state < G_N_ELEMENTS(states), NULL);
  return states[state].icon;
}

bool
cwu_run_state_is_bad(CwRunState state)
{
  return state == CW_RUN_FAILED || state == CW_RUN_DEAD || state == CW_RUN_DAMAGED;
}

bool
cwu_run_state_is_live(CwRunState state)
{
  return state == CW_RUN_WAITING || state == CW_RUN_RUNNING || state == CW_RUN_STOPPING;
}

char *
cwu_run_dup_duration(double seconds)
{
  if (!isfinite(seconds) || seconds < 0)
    return NULL;
  int64_t s = (int64_t)ceil(seconds), minutes = (s + 59) / 60, hours = minutes / 60;
  if (s < 60)
    return g_strdup_printf(_("%d s"), (int)s);
  if (hours == 0)
    return g_strdup_printf(_("%d min"), (int)minutes);
  if (hours < 48)
    return g_strdup_printf(_("%d h %02d min"), (int)hours, (int)(minutes % 60));
  return g_strdup_printf(_("%d d %d h"), (int)(hours / 24), (int)(hours % 24));
}

char *
cwu_run_dup_subtitle(const CwRunFacts *facts)
{
  g_autofree char *left = cwu_run_dup_duration(facts->seconds_left);
  const char *state = cwu_run_state_peek_title(facts->state);
  if (facts->state == CW_RUN_DAMAGED)
    return g_strdup(state);
  if (facts->state != CW_RUN_RUNNING || left == NULL)
    return g_strdup_printf("%s · %s", cwu_run_kind_peek_title(facts->kind), state);
  g_autofree char *words = g_strdup_printf(_("%s left"), left);
  return g_strdup_printf("%s · %s", cwu_run_kind_peek_title(facts->kind), words);
}

char *
cwu_run_dup_moment(int64_t unix_s)
{
  g_autoptr(GDateTime) moment = g_date_time_new_from_unix_local(unix_s);
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  if (moment == NULL || now == NULL)
    return g_strdup("");
  bool is_today = g_date_time_get_year(moment) == g_date_time_get_year(now) &&
                  g_date_time_get_day_of_year(moment) == g_date_time_get_day_of_year(now);
  /* Translators: as strftime() has it: a time of today, and of another day. */
  return g_date_time_format(moment, is_today ? _("%H:%M") : _("%e %B %Y, %H:%M"));
}
