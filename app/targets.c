/* targets.c - --target and --target-difference as token ids. */
#include "targets.h"

/* What the user wrote wrong ends with the exit status of wrong usage. */
static bool
parse_target(const CwModel *model, const char *text, int32_t *id, GError **error)
{
  g_autoptr(GError) wrong = NULL;
  if (cw_attribution_parse_target(model, text, id, &wrong))
    return true;
  if (g_error_matches(wrong, CW_ERROR, CW_ERROR_ARGUMENT))
    g_set_error_literal(error, CWA_USAGE_ERROR, 0, wrong->message);
  else
    g_propagate_error(error, g_steal_pointer(&wrong));
  return false;
}

bool
cwa_targets_parse(const CwaRun *run, CwModel *model, CwAttributionOptions *options,
                  int32_t **ids, GError **error)
{
  bool is_difference = cwa_arguments_has(run->arguments, "target-difference");
  const char *const *texts =
      cwa_arguments_texts(run->arguments, is_difference ? "target-difference" : "target");
  size_t n = g_strv_length((char **)texts);
  g_autofree int32_t *tokens = g_new0(int32_t, n + 1);
  for (size_t i = 0; i < n; i++)
    if (!parse_target(model, texts[i], &tokens[i], error))
      return false;
  if (n == 0)
    return true;
  options->targets = is_difference ? CW_TARGETS_DIFFERENCE : CW_TARGETS_TOKENS;
  options->target_tokens = tokens;
  options->n_target_tokens = n;
  *ids = g_steal_pointer(&tokens);
  return true;
}
