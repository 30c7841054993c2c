/* test-run-draft.c - every setting of a form reaches the command line, and the command takes
 * it; wrong ones are told beside their field. */
#include <math.h>
#include <string.h>

#include "cw-train.h"
#include "runs/run-draft.h"
#include "test-support.h"

static void
set(CwuRunDraft *draft, const char *key, const char *text)
{
  cwu_run_draft_set(draft, cwu_run_draft_find(draft, key), text);
}

static char *
error_of(const CwuRunDraft *draft, const char *key)
{
  return cwu_run_draft_dup_error(draft, cwu_run_draft_find(draft, key));
}

static char *
initial_of(const CwuRunDraft *draft, const char *key)
{
  return cwu_run_draft_dup_initial(draft, cwu_run_draft_find(draft, key));
}

/* A value other than the default, and right. */
static char *
another_value(const CwuRunDraft *draft, size_t i)
{
  const CwuField *field = cwu_run_draft_peek_field(draft, i);
  g_autofree char *initial = cwu_run_draft_dup_initial(draft, i);
  double value = g_ascii_strtod(initial, NULL);
  switch (field->kind) {
  case CWU_FIELD_FLAG:
    return g_strdup(strcmp(initial, "true") == 0 ? "false" : "true");
  case CWU_FIELD_CHOICE:
    return g_strdup(field->choices[strcmp(initial, field->choices[0]) == 0 ? 1 : 0]);
  case CWU_FIELD_INTEGER:
    return g_strdup_printf("%.0f", value + 1 <= field->most ? value + 1 : value - 1);
  case CWU_FIELD_NUMBER:
    return g_strdup(field->least <= 0.25 && field->most >= 0.25 ? "0.25" : "0.5");
  case CWU_FIELD_TEXT:
    return g_strdup("prose");
  case CWU_FIELD_PATH:
    return g_strdup("/");
  case CWU_FIELD_PATHS:
  default:
    return g_strdup("/\n/tmp");
  }
}

static bool
has(GStrv arguments, const char *word)
{
  return g_strv_contains((const char *const *)arguments, word);
}

/* Of a form whose fields have all been set, one by one, each is in the command line. */
static void
test_every_field_arrives(gconstpointer data)
{
  CwRunKind kind = (CwRunKind)GPOINTER_TO_INT(data);
  g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(kind);
  g_auto(GStrv) nothing = cwu_run_draft_dup_arguments(draft);
  g_assert_cmpuint(g_strv_length(nothing), ==, 0);
  for (size_t i = 0; i < cwu_run_draft_get_n_fields(draft); i++) {
    const CwuField *field = cwu_run_draft_peek_field(draft, i);
    g_autoptr(CwuRunDraft) one = cwu_run_draft_new(kind);
    g_autofree char *value = another_value(one, i), *option = g_strdup(field->key);
    if (strcmp(field->key, "k") == 0)
      set(one, "activation", "topk");
    if (strcmp(field->key, "part") == 0)
      set(one, "activations", "/");
    cwu_run_draft_set(one, i, value);
    g_auto(GStrv) arguments = cwu_run_draft_dup_arguments(one);
    g_strdelimit(option, "_", '-');
    g_autofree char *yes = g_strconcat("--", option, NULL);
    g_autofree char *no = g_strconcat("--no-", option, NULL);
    bool is_off = field->kind == CWU_FIELD_FLAG && strcmp(value, "false") == 0;
    g_assert_true(has(arguments, is_off ? no : yes));
    if (field->kind == CWU_FIELD_PATHS)
      g_assert_true(has(arguments, "/") && has(arguments, "/tmp"));
    else if (field->kind != CWU_FIELD_FLAG)
      g_assert_true(has(arguments, value));
  }
}

/* The command's help names every option that a form may use. */
static void
test_command_knows_options(gconstpointer data)
{
  CwRunKind kind = (CwRunKind)GPOINTER_TO_INT(data);
  const char *argv[] = { g_getenv("CLEW_PROGRAM"), cw_run_kind_name(kind), "--help", NULL };
  g_autofree char *help = NULL;
  int status = -1;
  if (argv[0] == NULL) {
    g_test_skip("CLEW_PROGRAM is not set");
    return;
  }
  g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &help,
                             NULL, &status, NULL));
  if (status != 0) {
    g_test_skip("this clew has no such command");
    return;
  }
  g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(kind);
  for (size_t i = 0; i < cwu_run_draft_get_n_fields(draft); i++) {
    const CwuField *field = cwu_run_draft_peek_field(draft, i);
    g_autofree char *value = another_value(draft, i);
    set(draft, field->key, value);
    if (strcmp(field->key, "activation") == 0)
      set(draft, "activation", "topk");
    g_auto(GStrv) arguments = cwu_run_draft_dup_arguments(draft);
    for (char **argument = arguments; *argument != NULL; argument++)
      if (g_str_has_prefix(*argument, "--") && strstr(help, *argument) == NULL)
        g_error("clew %s has no %s", argv[1], *argument);
  }
}

static void
test_presets(void)
{
  g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(CW_RUN_TRAINING);
  g_autofree char *forge = initial_of(draft, "l0_coefficient");
  set(draft, "recipe", "anthropic-2025-01");
  g_autofree char *anthropic = initial_of(draft, "l0_coefficient");
  set(draft, "total_steps", "5000");
  g_autofree char *decay = initial_of(draft, "lr_decay_steps");
  g_autofree char *threshold = initial_of(draft, "jumprelu_init_threshold");
  g_autofree char *shuffle = initial_of(draft, "shuffle");
  g_assert_cmpstr(forge, ==, "2");
  g_assert_cmpstr(anthropic, ==, "10");
  g_assert_cmpstr(decay, ==, "1000");
  g_assert_cmpstr(threshold, ==, "0.1");
  g_assert_cmpstr(shuffle, ==, "true");
  set(draft, "batch", "2000");
  g_assert_cmpfloat(cwu_run_draft_get_tokens(draft), ==, 1e7);
  set(draft, "batch", "many");
  g_assert_true(isnan(cwu_run_draft_get_tokens(draft)));
}

static void
test_errors(void)
{
  g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(CW_RUN_TRAINING);
  g_autofree char *needed = error_of(draft, "activations"), *none = error_of(draft, "batch");
  g_assert_nonnull(needed);
  g_assert_null(none);
  set(draft, "activations", "/no/such/cache");
  set(draft, "batch", "0");
  g_autofree char *missing = error_of(draft, "activations"), *range = error_of(draft, "batch");
  g_assert_nonnull(strstr(missing, "/no/such/cache"));
  g_assert_true(g_str_has_prefix(range, "batch is 0"));
  set(draft, "batch", "512");
  /* Told beside the first that it names, and beside no other. */
  set(draft, "total_steps", "100");
  set(draft, "lr_warm_up_steps", "90");
  set(draft, "lr_decay_steps", "20");
  g_autofree char *warm = error_of(draft, "lr_warm_up_steps");
  g_autofree char *decay = error_of(draft, "lr_decay_steps");
  g_autofree char *lr = error_of(draft, "lr");
  g_assert_nonnull(warm);
  g_assert_null(decay);
  g_assert_null(lr);
  set(draft, "lr_warm_up_steps", "");
  g_autofree char *again = error_of(draft, "lr_warm_up_steps");
  g_assert_null(again);

  g_autoptr(CwuRunDraft) cache = cwu_run_draft_new(CW_RUN_CACHE);
  set(cache, "context", "1");
  set(cache, "text", "/tmp\n/no/such/text");
  g_autofree char *context = error_of(cache, "context"), *text = error_of(cache, "text");
  g_assert_nonnull(strstr(context, "2"));
  g_assert_nonnull(strstr(text, "/no/such/text"));
  set(cache, "context", "64.5");
  g_autofree char *fraction = error_of(cache, "context");
  g_assert_nonnull(fraction);
}

/* k means something only where the gate counts, and goes when the gate does. */
static void
test_irrelevant(void)
{
  g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(CW_RUN_TRAINING);
  set(draft, "activation", "topk");
  g_autofree char *wanting = error_of(draft, "k");
  set(draft, "k", "16");
  g_autofree char *right = error_of(draft, "k");
  g_auto(GStrv) with = cwu_run_draft_dup_arguments(draft);
  set(draft, "activation", "");
  g_auto(GStrv) without = cwu_run_draft_dup_arguments(draft);
  g_assert_nonnull(wanting);
  g_assert_null(right);
  g_assert_true(has(with, "--k"));
  g_assert_false(has(without, "--k"));
  g_assert_false(cwu_run_draft_is_relevant(draft, cwu_run_draft_find(draft, "k")));
}

/* An evaluation wants something to be made on, and a part only of a cache. */
static void
test_evaluation(void)
{
  static const char *const sources[][2] = { { "activations", "/" },
                                            { "text", "/" },
                                            { "samples", "true" } };
  for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
    g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(CW_RUN_EVALUATION);
    g_autofree char *wanting = error_of(draft, "activations");
    set(draft, sources[i][0], sources[i][1]);
    set(draft, "part", "all");
    g_autofree char *right = error_of(draft, "activations");
    g_auto(GStrv) arguments = cwu_run_draft_dup_arguments(draft);
    g_assert_nonnull(wanting);
    g_assert_null(right);
    g_assert_true(has(arguments, "--part") == (i == 0));
  }
}

static void
test_command(void)
{
  g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(CW_RUN_CACHE);
  set(draft, "text", "/a/my texts\n/b/it's.txt");
  set(draft, "tokens", "1e6");
  set(draft, "reduced", "true");
  cwu_run_draft_set_name(draft, " prose ");
  g_autofree char *command = cwu_run_draft_dup_command(draft, "/runs");
  g_assert_cmpstr(
      command, ==,
      "clew cache --output /runs/prose/cache --text '/a/my texts' '/b/it'\\''s.txt' "
      "--tokens 1000000 --reduced");
  g_auto(GStrv) words = NULL;
  g_assert_true(g_shell_parse_argv(command, NULL, &words, NULL));
  g_assert_true(has(words, "/b/it's.txt"));
}

static void
test_names(void)
{
  g_autofree char *root = test_temp_dir();
  g_autoptr(CwuRunDraft) draft = cwu_run_draft_new(CW_RUN_TRAINING);
  static const char *const bad[] = { "a/b", ".hidden", ".." };
  g_autofree char *empty = cwu_run_draft_dup_name_error(draft, root);
  g_assert_null(empty);
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
    cwu_run_draft_set_name(draft, bad[i]);
    g_autofree char *error = cwu_run_draft_dup_name_error(draft, root);
    g_assert_nonnull(error);
  }
  g_autofree char *taken = g_build_filename(root, "base", NULL);
  g_assert_cmpint(g_mkdir_with_parents(taken, 0777), ==, 0);
  cwu_run_draft_set_name(draft, "base");
  g_autofree char *error = cwu_run_draft_dup_name_error(draft, root);
  g_assert_nonnull(error);
  test_remove_tree(root);
}

int
main(int argc, char **argv)
{
  static const CwRunKind kinds[] = { CW_RUN_CACHE, CW_RUN_TRAINING, CW_RUN_EVALUATION };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autofree char *arrives =
        g_strdup_printf("/ui/run-draft/every-field-arrives/%s", cw_run_kind_name(kinds[i]));
    g_autofree char *knows =
        g_strdup_printf("/ui/run-draft/command-knows-options/%s", cw_run_kind_name(kinds[i]));
    g_test_add_data_func(arrives, GINT_TO_POINTER(kinds[i]), test_every_field_arrives);
    g_test_add_data_func(knows, GINT_TO_POINTER(kinds[i]), test_command_knows_options);
  }
  g_test_add_func("/ui/run-draft/presets", test_presets);
  g_test_add_func("/ui/run-draft/errors", test_errors);
  g_test_add_func("/ui/run-draft/irrelevant", test_irrelevant);
  g_test_add_func("/ui/run-draft/evaluation", test_evaluation);
  g_test_add_func("/ui/run-draft/command", test_command);
  g_test_add_func("/ui/run-draft/names", test_names);
  return g_test_run();
}
