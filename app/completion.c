/* completion.c - a bash completion script from the table of commands.
 *
 * The script is data: three case statements over "command" and "command --option". Everything
 * in it comes from the table, so that a new option completes without further work. */
#include <string.h>

#include "help.h"

static void
append_option_names(GString *out, const CwaOption *options)
{
  for (const CwaOption *option = options; option != NULL && option->name != NULL; option++)
    g_string_append_printf(out, " --%s", option->name);
}

static void
append_command_words(GString *out)
{
  for (const CwaCommand *const *command = cwa_commands(); *command != NULL; command++)
    g_string_append_printf(out, " %s", (*command)->name);
}

/* One case per option that takes a value: choices, files, or nothing to offer. */
static void
append_value_cases(GString *out, const char *command, const CwaOption *options)
{
  for (const CwaOption *option = options; option != NULL && option->name != NULL; option++) {
    if (option->kind == CWA_OPTION_FLAG)
      continue;
    g_string_append_printf(out, "    '%s --%s'", command, option->name);
    if (option->letter != 0)
      g_string_append_printf(out, "|'%s -%c'", command, option->letter);
    if (option->kind == CWA_OPTION_CHOICE) {
      g_autofree char *choices = g_strjoinv(" ", (char **)option->choices);
      g_string_append_printf(
          out, ") mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\"); return ;;\n",
          choices);
    } else if (option->kind == CWA_OPTION_PATH)
      g_string_append(out, ") mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); return ;;\n");
    else
      g_string_append(out, ") return ;;\n");
  }
}

static const char *
operand_action(CwaOperandKind kind)
{
  switch (kind) {
  case CWA_OPERAND_FILE:
    return "mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
  case CWA_OPERAND_COMMAND:
    return "mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\")";
  case CWA_OPERAND_BENCH:
    return "mapfile -t COMPREPLY < <(compgen -W \"$(clew bench 2>/dev/null)\" -- \"$word\")";
  case CWA_OPERAND_NONE:
  case CWA_OPERAND_TEXT:
    return ":";
  }
  g_return_val_if_reached(":");
}

static void
append_command_case(GString *out, const CwaCommand *command)
{
  g_string_append_printf(out, "    %s)\n      options='", command->name);
  append_option_names(out, command->options);
  append_option_names(out, cwa_common_options());
  g_string_append_printf(out, "'\n      [[ $word == -* ]] || { %s; return; } ;;\n",
                         operand_action(command->operand_kind));
}

char *
cwa_help_dup_bash_completion(void)
{
  GString *out =
      g_string_new("# bash completion of clew, made by `clew help --bash-completion`\n"
                   "_clew() {\n"
                   "  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
                   "  local before=${COMP_WORDS[COMP_CWORD-1]} options='' commands='");
  append_command_words(out);
  g_string_append(out,
                  "'\n  COMPREPLY=()\n"
                  "  if ((COMP_CWORD == 1)); then\n"
                  "    mapfile -t COMPREPLY < <(compgen -W \"$commands --help --version\" -- "
                  "\"$word\")\n    return\n  fi\n"
                  "  case \"$command $before\" in\n");
  for (const CwaCommand *const *command = cwa_commands(); *command != NULL; command++) {
    append_value_cases(out, (*command)->name, (*command)->options);
    append_value_cases(out, (*command)->name, cwa_common_options());
  }
  g_string_append(out, "  esac\n  case $command in\n");
  for (const CwaCommand *const *command = cwa_commands(); *command != NULL; command++)
    append_command_case(out, *command);
  g_string_append(
      out, "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n}\n"
           "complete -o filenames -o bashdefault -F _clew clew\n");
  return g_string_free(out, FALSE);
}
