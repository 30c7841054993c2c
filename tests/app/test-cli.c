/* test-cli.c - the frame of the command line: help, completion, exit statuses, mistyped names
 * and values, for every command of the table. */
#include <string.h>

#include "program.h"

/* The commands that the overview lists. */
static char **
dup_commands(void)
{
  g_autoptr(Outcome) help = run_clew("help", NULL);
  assert_status(help, 0);
  g_auto(GStrv) lines = g_strsplit(help->out, "\n", -1);
  GPtrArray *names = g_ptr_array_new();
  bool is_in_list = false;
  for (char **line = lines; *line != NULL; line++) {
    if (strcmp(*line, "Commands:") == 0)
      is_in_list = true;
    else if (**line == '\0')
      is_in_list = false;
    else if (is_in_list && (*line)[2] != ' ')
      g_ptr_array_add(names, g_strndup(*line + 2, strcspn(*line + 2, " ")));
  }
  g_assert_cmpuint(names->len, >=, 1);
  g_ptr_array_add(names, NULL);
  return (char **)g_ptr_array_free(names, FALSE);
}

/* "--name" of every line of a help text that describes an option. */
static GPtrArray *
options_in_help(const char *help)
{
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    const char *at = *line;
    if (g_str_has_prefix(at, "  -") && at[3] != '-' && at[4] == ',')
      at += strlen("  -q, ");
    else if (g_str_has_prefix(at, "  --"))
      at += strlen("  ");
    if (at != *line)
      g_ptr_array_add(names, g_strndup(at, strcspn(at, " ")));
  }
  return names;
}

static void
test_help_of_every_command(void)
{
  g_auto(GStrv) commands = dup_commands();
  for (char **command = commands; *command != NULL; command++) {
    g_autoptr(Outcome) direct = run_clew(*command, "--help", NULL);
    g_autoptr(Outcome) by_help = run_clew("help", *command, NULL);
    assert_status(direct, 0);
    assert_status(by_help, 0);
    g_assert_cmpstr(direct->out, ==, by_help->out);
    g_assert_cmpstr(direct->err, ==, "");
    assert_contains(direct->out, "Usage: clew ");
    assert_contains(direct->out, "Examples:\n  clew ");
    assert_contains(direct->out, "Exit status: 0 done, 1 failed, 2 wrong usage, 130");
    g_auto(GStrv) lines = g_strsplit(direct->out, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
      if (g_utf8_strlen(*line, -1) > 80 && !g_str_has_prefix(*line, "  clew "))
        g_error("help of %s has a line of over 80 columns: %s", *command, *line);
  }
}

static void
test_completion_knows_every_option(void)
{
  g_autoptr(Outcome) script = run_clew("help", "--bash-completion", NULL);
  assert_status(script, 0);
  g_auto(GStrv) commands = dup_commands();
  for (char **command = commands; *command != NULL; command++) {
    g_autoptr(Outcome) help = run_clew("help", *command, NULL);
    g_autoptr(GPtrArray) names = options_in_help(help->out);
    g_autofree char *begin = g_strdup_printf("    %s)\n      options=' ", *command);
    const char *listed = strstr(script->out, begin);
    g_assert_nonnull(listed);
    listed += strlen(begin);
    g_autofree char *words = g_strndup(listed, strcspn(listed, "'"));
    g_auto(GStrv) completed = g_strsplit(words, " ", -1);
    g_assert_cmpuint(g_strv_length(completed), ==, names->len);
    for (guint i = 0; i < names->len; i++)
      g_assert_true(g_strv_contains((const char *const *)completed, names->pdata[i]));
  }
}

/* Bash itself completes a line: the words after the script's function ran. */
static char *
complete_in_bash(const char *script_path, const char *line, int word)
{
  g_autofree char *program = g_strdup_printf(
      "source '%s'; COMP_WORDS=(%s); COMP_CWORD=%d; _clew; printf '%%s\\n' \"${COMPREPLY[@]}\"",
      script_path, line, word);
  const char *argv[] = { "bash", "-c", program, NULL };
  char *out = NULL;
  g_autoptr(GError) error = NULL;
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL,
               &error);
  g_assert_no_error(error);
  return out;
}

static void
test_completion_works_in_bash(void)
{
  g_autofree char *bash = g_find_program_in_path("bash");
  if (bash == NULL) {
    g_test_skip("bash is not installed");
    return;
  }
  g_autoptr(Outcome) script = run_clew("help", "--bash-completion", NULL);
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "clew", NULL);
  g_assert_true(g_file_set_contents(path, script->out, -1, NULL));
  g_autofree char *commands = complete_in_bash(path, "clew he", 1);
  g_assert_cmpstr(commands, ==, "help\n");
  g_autofree char *options = complete_in_bash(path, "clew help --th", 2);
  g_assert_cmpstr(options, ==, "--threads\n");
  g_autofree char *choices = complete_in_bash(path, "clew help --device c", 3);
  g_assert_cmpstr(choices, ==, "cpu\ncuda\n");
  test_remove_tree(folder);
}

/* Each line: arguments by |, then what stderr must say. All are wrong usage. */
static const char *const wrong_usage[][2] = {
  { "hepl", "did you mean help?" },
  { "zzz", "there is no command \"zzz\"" },
  { "help|--thread|2", "did you mean --threads?" },
  { "help|--zzzzzz", "there is no option --zzzzzz" },
  { "help|-z", "there is no option -z" },
  { "help|--threads", "--threads needs a value: --threads N" },
  { "help|--threads|--quiet", "--threads needs a value, but --quiet follows" },
  { "help|--threads|two", "--threads takes a whole number from 0 to 4096, not \"two\"" },
  { "help|--threads|5000", "--threads takes a whole number from 0 to 4096, not \"5000\"" },
  { "help|--threads|1.5", "not \"1.5\"" },
  { "help|--threads=", "not \"\"" },
  { "help|--seed|-1", "--seed takes a whole number from 0" },
  { "help|--seed|1|--seed|2", "--seed was given twice" },
  { "help|--device|tpu", "--device takes one of auto, cpu, cuda, not \"tpu\"" },
  { "help|--quiet=yes", "--quiet takes no value" },
  { "help|help|help", "one argument too many" },
  { "help|hepl", "did you mean help?" },
};

static void
test_wrong_usage(void)
{
  for (size_t i = 0; i < G_N_ELEMENTS(wrong_usage); i++) {
    g_auto(GStrv) arguments = g_strsplit(wrong_usage[i][0], "|", -1);
    g_autoptr(Outcome) outcome = run_clew_signalled((const char *const *)arguments, 0, -1);
    g_test_message("%s", wrong_usage[i][0]);
    assert_status(outcome, 2);
    assert_contains(outcome->err, wrong_usage[i][1]);
    g_assert_cmpstr(outcome->out, ==, "");
  }
}

static void
test_no_command_shows_the_overview(void)
{
  g_autoptr(Outcome) outcome = run_clew(NULL, NULL);
  assert_status(outcome, 2);
  assert_contains(outcome->err, "Commands:");
  g_assert_cmpstr(outcome->out, ==, "");
  g_autoptr(Outcome) version = run_clew("--version", NULL);
  assert_status(version, 0);
  g_assert_cmpstr(version->out, ==, "clew " CLEW_VERSION "\n");
}

static void
test_full_output_is_an_error(void)
{
  const char *argv[] = { "sh", "-c", "\"$CLEW_PROGRAM\" help > /dev/full", NULL };
  g_autofree char *err = NULL;
  int status = 0;
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &err, &status,
               NULL);
  g_assert_cmpint(status >> 8, ==, 1);
  assert_contains(err, "standard output could not be written");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/cli/help-of-every-command", test_help_of_every_command);
  g_test_add_func("/app/cli/completion-knows-every-option", test_completion_knows_every_option);
  g_test_add_func("/app/cli/completion-works-in-bash", test_completion_works_in_bash);
  g_test_add_func("/app/cli/wrong-usage", test_wrong_usage);
  g_test_add_func("/app/cli/no-command-shows-the-overview", test_no_command_shows_the_overview);
  g_test_add_func("/app/cli/full-output-is-an-error", test_full_output_is_an_error);
  return g_test_run();
}
