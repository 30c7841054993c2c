/* help.c - help texts from the table of commands, wrapped at 80 columns. */
#include "help.h"

#include <string.h>

#define TEXT_WIDTH    80
#define OPTION_COLUMN 26

/* Appends `text` word by word; lines after the first begin with `indent` spaces. `column` is
 * where the first line stands. */
static void
append_wrapped(GString *out, const char *text, int indent, int column)
{
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  bool is_first = true;
  for (char **word = words; *word != NULL; word++) {
    int length = (int)g_utf8_strlen(*word, -1);
    if (!is_first && column + 1 + length > TEXT_WIDTH) {
      g_string_append_printf(out, "\n%*s", indent, "");
      column = indent;
    } else if (!is_first) {
      g_string_append_c(out, ' ');
      column++;
    }
    g_string_append(out, *word);
    column += length;
    is_first = false;
  }
  g_string_append_c(out, '\n');
}

static void
append_paragraphs(GString *out, const char *text)
{
  g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", -1);
  for (char **paragraph = paragraphs; *paragraph != NULL; paragraph++) {
    append_wrapped(out, *paragraph, 0, 0);
    g_string_append_c(out, '\n');
  }
}

static char *
dup_option_help(const CwaOption *option)
{
  GString *text = g_string_new(option->help);
  if (option->is_repeatable)
    g_string_append(text, "; may be given several times");
  if (option->needs != NULL)
    g_string_append_printf(text, "; only with --%s", option->needs);
  if (option->is_required)
    g_string_append(text, " (required)");
  else if (option->initial != NULL)
    g_string_append_printf(text, " (%s)", option->initial);
  return g_string_free(text, FALSE);
}

static void
append_option(GString *out, const CwaOption *option)
{
  GString *left = g_string_new("  ");
  if (option->letter != 0)
    g_string_append_printf(left, "-%c, ", option->letter);
  g_string_append_printf(left, "--%s", option->name);
  if (option->value != NULL)
    g_string_append_printf(left, " %s", option->value);
  if (left->len + 2 > OPTION_COLUMN)
    g_string_append_printf(out, "%s\n%*s", left->str, OPTION_COLUMN, "");
  else
    g_string_append_printf(out, "%-*s", OPTION_COLUMN, left->str);
  g_autofree char *help = dup_option_help(option);
  append_wrapped(out, help, OPTION_COLUMN, OPTION_COLUMN);
  g_string_free(left, TRUE);
}

static void
append_options(GString *out, const char *heading, const CwaOption *options)
{
  if (options == NULL || options->name == NULL)
    return;
  g_string_append_printf(out, "%s\n", heading);
  for (const CwaOption *option = options; option->name != NULL; option++)
    append_option(out, option);
  g_string_append_c(out, '\n');
}

static void
append_examples(GString *out, const char *examples)
{
  g_auto(GStrv) lines = g_strsplit(examples, "\n", -1);
  g_string_append(out, "Examples:\n");
  for (char **line = lines; *line != NULL; line++)
    g_string_append_printf(out, "  %s\n", *line);
  g_string_append_c(out, '\n');
}

static const char exit_status_text[] =
    "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted (143 by SIGTERM).\n";

char *
cwa_help_dup_command(const CwaCommand *command)
{
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "clew %s - %s\n\nUsage: ", command->name, command->summary);
  g_autofree char *usage = g_strdup_printf("clew %s %s", command->name, command->usage);
  append_wrapped(out, usage, 12, 7);
  g_string_append_c(out, '\n');
  append_paragraphs(out, command->description);
  append_options(out, "Options:", command->options);
  append_options(out, "Options of every command:", cwa_common_options());
  append_paragraphs(out, command->common_note);
  append_examples(out, command->examples);
  g_string_append(out, exit_status_text);
  return g_string_free(out, FALSE);
}

char *
cwa_help_dup_overview(void)
{
  GString *out = g_string_new("clew - takes a language model apart into readable circuits\n\n"
                              "Usage: clew COMMAND [OPTIONS] ...\n\n"
                              "Commands:\n");
  for (const CwaCommand *const *command = cwa_commands(); *command != NULL; command++) {
    g_string_append_printf(out, "  %-12s", (*command)->name);
    append_wrapped(out, (*command)->summary, 14, 14);
  }
  g_string_append(out, "\n`clew help COMMAND` shows a command's options and examples; "
                       "`clew --version` the\nversion. Results go to standard output, progress "
                       "and errors to standard error.\n\n");
  g_string_append(out, exit_status_text);
  return g_string_free(out, FALSE);
}
