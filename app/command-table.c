/* command-table.c - the list of all commands, the options that all have, and looking up names
 * in both, mistyped ones included. */
#include <math.h>
#include <string.h>

#include "commands.h"

/* In the order of `clew help`. */
/* clang-format off */
static const CwaCommand *const all_commands[] = {
  &cwa_command_info,
  &cwa_command_tokenize,
  &cwa_command_logits,
  &cwa_command_cache,
  &cwa_command_train,
  &cwa_command_refit,
  &cwa_command_eval,
  &cwa_command_attribute,
  &cwa_command_prune,
  &cwa_command_render,
  &cwa_command_convert,
  &cwa_command_bench,
  &cwa_command_help,
  NULL,
};
/* clang-format on */

static const char *const device_choices[] = { "auto", "cpu", "cuda", NULL };

static const CwaOption common_options[] = {
  { "device", CWA_OPTION_CHOICE, "auto|cpu|cuda",
    "where to compute; auto is the CPU, models do not run on CUDA yet", "auto",
    .choices = device_choices },
  { "threads", CWA_OPTION_INTEGER, "N",
    "threads to compute with, 0 for one a core; results do not depend on it", "0", 0, 4096 },
  { "seed", CWA_OPTION_INTEGER, "N", "start of every random draw", "0", 0, 0x1p53 },
  { "quiet", CWA_OPTION_FLAG, NULL, "no progress and no remarks; errors are still printed",
    .letter = 'q' },
  { "help", CWA_OPTION_FLAG, NULL, "show this text", .letter = 'h' },
  { NULL },
};

const CwaCommand *const *
cwa_commands(void)
{
  return all_commands;
}

const CwaOption *
cwa_common_options(void)
{
  return common_options;
}

const CwaCommand *
cwa_command_find(const char *name)
{
  for (const CwaCommand *const *command = all_commands; *command != NULL; command++)
    if (strcmp((*command)->name, name) == 0)
      return *command;
  return NULL;
}

static const CwaOption *
find_in(const CwaOption *options, const char *name)
{
  for (const CwaOption *option = options; option != NULL && option->name != NULL; option++)
    if (strcmp(option->name, name) == 0)
      return option;
  return NULL;
}

const CwaOption *
cwa_command_find_option(const CwaCommand *command, const char *name)
{
  const CwaOption *option = find_in(command->options, name);
  return option != NULL ? option : find_in(common_options, name);
}

/* ---- mistyped names --------------------------------------------------------------------- */

/* Keeps in *best the name nearest to `typed`; a common beginning of three counts as near. */
static void
consider(const char *name, const char *typed, const char **best, size_t *best_distance)
{
  size_t n = strlen(typed);
  size_t distance = cw_edit_distance(name, typed);
  bool is_beginning = n >= 3 && g_str_has_prefix(name, typed);
  if (is_beginning)
    distance = 1;
  if (distance <= 1 + n / 4 && distance < *best_distance) {
    *best = name;
    *best_distance = distance;
  }
}

const char *
cwa_suggest_command(const char *typed)
{
  const char *best = NULL;
  size_t distance = G_MAXSIZE;
  for (const CwaCommand *const *command = all_commands; *command != NULL; command++)
    consider((*command)->name, typed, &best, &distance);
  return best;
}

const char *
cwa_suggest_option(const CwaCommand *command, const char *typed)
{
  const char *best = NULL;
  size_t distance = G_MAXSIZE;
  for (const CwaOption *o = command->options; o != NULL && o->name != NULL; o++)
    consider(o->name, typed, &best, &distance);
  for (const CwaOption *o = common_options; o->name != NULL; o++)
    consider(o->name, typed, &best, &distance);
  return best;
}
