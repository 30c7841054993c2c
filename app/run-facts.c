/* run-facts.c - see run-facts.h. */
#include "run-facts.h"

#include <math.h>
#include <string.h>

#include "cw-train.h"

static void
add_time(CwaFacts *facts, const char *name, int64_t unix_s)
{
  if (unix_s == 0)
    return;
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(unix_s);
  g_autofree char *text = time != NULL ? g_date_time_format_iso8601(time) : NULL;
  cwa_facts_add_text(facts, name, text);
}

static void
add_number_if_known(CwaFacts *facts, const char *name, double value, int n_decimals)
{
  if (isfinite(value))
    cwa_facts_add_number(facts, name, value, n_decimals);
}

static void
add_text_if_known(CwaFacts *facts, const char *name, const char *value)
{
  if (value != NULL)
    cwa_facts_add_text(facts, name, value);
}

/* The newest value of each curve worth a line, and where it stands. */
static void
add_metrics(CwaFacts *facts, const CwRun *run)
{
  static const struct {
    const char *key, *name;
    int n_decimals;
  } shown[] = {
    { "loss", "loss", 4 },
    { "explained_variance", "explained_variance", 4 },
    { "l0", "l0", 2 },
    { "dead", "dead_features", 0 },
    { "held_out/explained_variance", "held_out_explained_variance", 4 },
    { "held_out/l0", "held_out_l0", 2 },
    { "tokens_per_second", "tokens_per_second", 1 },
  };
  size_t n_curves;
  const CwRunCurve *curves = cw_run_peek_curves(run, &n_curves);
  const CwRunCurve *first = cw_run_peek_curve(run, "loss");
  const CwRunCurve *rows = cw_run_peek_curve(run, "rows"); /* of a cache */
  if (first == NULL && n_curves > 0)
    first = &curves[0];
  if (rows != NULL)
    cwa_facts_add_integer(facts, "rows", (int64_t)rows->y[rows->n - 1]);
  else if (first != NULL)
    cwa_facts_add_integer(facts, "step", (int64_t)first->x[first->n - 1]);
  for (size_t i = 0; i < G_N_ELEMENTS(shown); i++) {
    const CwRunCurve *curve = cw_run_peek_curve(run, shown[i].key);
    if (curve != NULL)
      add_number_if_known(facts, shown[i].name, curve->y[curve->n - 1], shown[i].n_decimals);
  }
}

static void
add_checkpoints(CwaFacts *facts, const CwRun *run)
{
  g_autoptr(GPtrArray) list = cw_run_list_checkpoints(run);
  if (list->len == 0)
    return;
  cwa_facts_begin_list(facts, "checkpoints");
  for (guint i = 0; i < list->len; i++) {
    cwa_facts_begin_item(facts);
    cwa_facts_add_text(facts, "path", list->pdata[i]);
    cwa_facts_end_item(facts);
  }
  cwa_facts_end_list(facts);
}

/* As a shell takes them. */
static void
add_arguments(CwaFacts *facts, const char *const *arguments)
{
  if (arguments == NULL)
    return;
  GString *line = g_string_new(NULL);
  for (; *arguments != NULL; arguments++) {
    bool is_plain = strspn(*arguments, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_./=,:+@") ==
                    strlen(*arguments);
    g_autofree char *word =
        is_plain && **arguments != '\0' ? g_strdup(*arguments) : g_shell_quote(*arguments);
    g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", word);
  }
  cwa_facts_add_text(facts, "arguments", line->str);
  g_string_free(line, TRUE);
}

bool
cwa_run_facts_add(CwaFacts *facts, const char *folder, GError **error)
{
  g_autoptr(CwRun) run = cw_run_open(folder);
  const CwRunFacts *f = cw_run_peek_facts(run);
  if (f->state == CW_RUN_DAMAGED) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_FORMAT, f->reason);
    return false;
  }
  while ((cw_run_refresh(run) & CW_RUN_HAS_MORE) != 0)
    ;
  cwa_facts_add_text(facts, "kind", "run");
  cwa_facts_add_text(facts, "command", cw_run_kind_name(f->kind));
  cwa_facts_add_text(facts, "state", cw_run_state_name(f->state));
  add_text_if_known(facts, "reason", f->reason);
  if (f->pid != 0) {
    cwa_facts_add_integer(facts, "process", f->pid);
    add_text_if_known(facts, "host", f->host);
  }
  add_text_if_known(facts, "phase", f->phase);
  add_number_if_known(facts, "fraction", f->fraction, 4);
  add_number_if_known(facts, "seconds_left", f->seconds_left, 0);
  add_time(facts, "created", f->created_s);
  add_time(facts, "ended", f->ended_s);
  add_text_if_known(facts, "program", f->version);
  add_arguments(facts, f->arguments);
  add_metrics(facts, run);
  add_text_if_known(facts, "result", f->result);
  add_checkpoints(facts, run);
  return true;
}

bool
cwa_checkpoint_facts_add(CwaFacts *facts, const char *folder, CwaRun *run, GError **error)
{
  CwCheckpointFacts checkpoint = { 0 };
  bool is_verified = !cwa_arguments_flag(run->arguments, "no-hash");
  if (!cw_checkpoint_describe(folder, &checkpoint, error))
    return false;
  if (is_verified && !cw_checkpoint_verify(folder, &run->reports, run->cancel, error)) {
    cw_checkpoint_facts_clear(&checkpoint);
    return false;
  }
  cwa_facts_add_text(facts, "kind", "checkpoint");
  cwa_facts_add_integer(facts, "step", checkpoint.step);
  add_number_if_known(facts, "l0_mean", checkpoint.l0_mean, 2);
  add_number_if_known(facts, "explained_variance_mean", 1 - checkpoint.unexplained_mean, 4);
  cwa_facts_add_text(facts, "data_sha256", checkpoint.data_hash);
  cwa_facts_add_json(facts, "settings", checkpoint.settings_json);
  cwa_facts_add_bool(facts, "checksums_compared", is_verified);
  cw_checkpoint_facts_clear(&checkpoint);
  return true;
}
