/* command-help.c - clew help: the texts made from the table of commands. */
#include <stdio.h>

#include "commands.h"
#include "help.h"

static bool
run_help(CwaRun *run, GError **error)
{
  if (cwa_arguments_flag(run->arguments, "bash-completion")) {
    g_autofree char *script = cwa_help_dup_bash_completion();
    fputs(script, stdout);
    return true;
  }
  if (cwa_arguments_n_operands(run->arguments) == 0) {
    g_autofree char *overview = cwa_help_dup_overview();
    fputs(overview, stdout);
    return true;
  }
  const char *name = cwa_arguments_operand(run->arguments, 0);
  const CwaCommand *command = cwa_command_find(name);
  if (command == NULL) {
    const char *near = cwa_suggest_command(name);
    g_set_error(error, CWA_USAGE_ERROR, 0, "there is no command \"%s\"%s%s%s", name,
                near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                near != NULL ? "?" : "; clew help lists them");
    return false;
  }
  g_autofree char *text = cwa_help_dup_command(command);
  fputs(text, stdout);
  return true;
}

static const CwaOption help_options[] = {
  { "bash-completion", CWA_OPTION_FLAG, NULL,
    "print a bash completion script: source <(clew help --bash-completion)" },
  { NULL },
};

const CwaCommand cwa_command_help = {
  .name = "help",
  .summary = "what the commands do, and their options",
  .usage = "[COMMAND]",
  .description = "Without COMMAND lists the commands; with it shows the same text as "
                 "`clew COMMAND --help`.",
  .examples = "clew help\nclew help attribute",
  .options = help_options,
  .n_operands_most = 1,
  .operand_kind = CWA_OPERAND_COMMAND,
  .common_note = "Help computes nothing: --device, --threads and --seed are accepted, as by "
                 "every command, and change nothing.",
  .run = run_help,
};
