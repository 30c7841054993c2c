/* arguments.c - parses a command line by the command's table of options.
 *
 * Forms: --name VALUE, --name=VALUE, -n VALUE, `--` before operands that begin with a dash.
 * GOptionContext was not taken: it knows neither ranges, choices, pairs nor which options need
 * or exclude each other, and those would live apart from the table that help and completion
 * are made of. */
#include "arguments.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "command.h"

G_DEFINE_QUARK(cwa - usage - error, cwa_usage_error)

struct _CwaArguments {
  const CwaCommand *command;
  GHashTable *values; /* option name -> GPtrArray of char * */
  GPtrArray *operands;
};

static GPtrArray *
text_array_new(void)
{
  GPtrArray *array = g_ptr_array_new_with_free_func(g_free);
  return array;
}

static bool usage_error(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
usage_error(GError **error, const char *format, ...)
{
  va_list list;
  va_start(list, format);
  g_autofree char *message = g_strdup_vprintf(format, list);
  va_end(list);
  g_set_error_literal(error, CWA_USAGE_ERROR, 0, message);
  return false;
}

/* ---- values ----------------------------------------------------------------------------- */

static bool
parse_integer(const char *text, int64_t *value)
{
  char *end = NULL;
  errno = 0;
  *value = g_ascii_strtoll(text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && !g_ascii_isspace(text[0]);
}

static bool
parse_number(const char *text, double *value)
{
  char *end = NULL;
  errno = 0;
  *value = g_ascii_strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*value) && !g_ascii_isspace(text[0]);
}

static bool
check_range(const CwaOption *option, const char *text, bool is_number, double value,
            GError **error)
{
  if (is_number && value >= option->least && value <= option->most)
    return true;
  const char *what = option->kind == CWA_OPTION_INTEGER ? "a whole number" : "a number";
  if (isinf(option->most) || option->most >= 0x1p53)
    return usage_error(error, "--%s takes %s from %g on, not \"%s\"", option->name, what,
                       option->least, text);
  return usage_error(error, "--%s takes %s from %g to %.0f, not \"%s\"", option->name, what,
                     option->least, option->most, text);
}

static bool
check_choice(const CwaOption *option, const char *text, GError **error)
{
  for (const char *const *choice = option->choices; *choice != NULL; choice++)
    if (strcmp(*choice, text) == 0)
      return true;
  g_autofree char *list = g_strjoinv(", ", (char **)option->choices);
  return usage_error(error, "--%s takes one of %s, not \"%s\"", option->name, list, text);
}

static bool
check_value(const CwaOption *option, const char *text, GError **error)
{
  int64_t whole = 0;
  double number = 0;
  bool is_number;
  switch (option->kind) {
  case CWA_OPTION_INTEGER:
    is_number = parse_integer(text, &whole);
    return check_range(option, text, is_number, (double)whole, error);
  case CWA_OPTION_NUMBER:
    is_number = parse_number(text, &number);
    return check_range(option, text, is_number, number, error);
  case CWA_OPTION_CHOICE:
    return check_choice(option, text, error);
  case CWA_OPTION_PATH:
    if (*text == '\0')
      return usage_error(error, "--%s is empty: give the path of a file", option->name);
    return true;
  case CWA_OPTION_FLAG:
  case CWA_OPTION_TEXT:
  case CWA_OPTION_PAIR:
    return true;
  }
  g_return_val_if_reached(false);
}

static bool
store(CwaArguments *arguments, const CwaOption *option, const char *text, GError **error)
{
  if (!check_value(option, text, error))
    return false;
  GPtrArray *array = g_hash_table_lookup(arguments->values, option->name);
  if (array == NULL) {
    array = text_array_new();
    g_hash_table_insert(arguments->values, (gpointer)option->name, array);
  }
  g_ptr_array_add(array, g_strdup(text));
  return true;
}

/* ---- the line --------------------------------------------------------------------------- */

typedef struct {
  int argc, next;
  char **argv;
} Line;

static bool
unknown_option(const CwaCommand *command, const char *typed, GError **error)
{
  const char *near = cwa_suggest_option(command, typed);
  if (near != NULL)
    return usage_error(error, "there is no option --%s; did you mean --%s?", typed, near);
  return usage_error(error, "there is no option --%s", typed);
}

/* The next word as the value of `option`. A word that is itself an option is taken for a
 * forgotten value, not for a value. */
static const char *
take_value(const CwaCommand *command, const CwaOption *option, Line *line, GError **error)
{
  const char *word = line->next < line->argc ? line->argv[line->next] : NULL;
  bool is_option = word != NULL && g_str_has_prefix(word, "--") && word[2] != '\0' &&
                   cwa_command_find_option(command, word + 2) != NULL;
  if (word == NULL) {
    usage_error(error, "--%s needs a value: --%s %s", option->name, option->name,
                option->value);
    return NULL;
  }
  if (is_option) {
    usage_error(error, "--%s needs a value, but %s follows; write --%s=%s if that is the value",
                option->name, word, option->name, word);
    return NULL;
  }
  line->next++;
  return word;
}

static bool
parse_option(CwaArguments *arguments, const CwaOption *option, const char *attached, Line *line,
             GError **error)
{
  bool is_new = !g_hash_table_contains(arguments->values, option->name);
  if (!is_new && !option->is_repeatable && option->kind != CWA_OPTION_FLAG)
    return usage_error(error, "--%s was given twice", option->name);
  if (option->kind == CWA_OPTION_FLAG) {
    if (attached != NULL)
      return usage_error(error, "--%s takes no value, but \"%s\" was given", option->name,
                         attached);
    return store(arguments, option, "", error);
  }
  const char *text =
      attached != NULL ? attached : take_value(arguments->command, option, line, error);
  if (text == NULL || !store(arguments, option, text, error))
    return false;
  if (option->kind != CWA_OPTION_PAIR)
    return true;
  text = take_value(arguments->command, option, line, error);
  return text != NULL && store(arguments, option, text, error);
}

static const CwaOption *
find_letter(const CwaCommand *command, char letter)
{
  for (const CwaOption *o = command->options; o != NULL && o->name != NULL; o++)
    if (o->letter == letter)
      return o;
  for (const CwaOption *o = cwa_common_options(); o->name != NULL; o++)
    if (o->letter == letter)
      return o;
  return NULL;
}

static bool
parse_dashed(CwaArguments *arguments, const char *word, Line *line, GError **error)
{
  if (word[1] != '-') {
    const CwaOption *option = word[2] == '\0' ? find_letter(arguments->command, word[1]) : NULL;
    if (option == NULL)
      return usage_error(error, "there is no option %s; put -- before words that begin with -",
                         word);
    return parse_option(arguments, option, NULL, line, error);
  }
  const char *equals = strchr(word, '=');
  g_autofree char *name =
      equals != NULL ? g_strndup(word + 2, (size_t)(equals - word - 2)) : g_strdup(word + 2);
  const CwaOption *option = cwa_command_find_option(arguments->command, name);
  if (option == NULL)
    return unknown_option(arguments->command, name, error);
  return parse_option(arguments, option, equals != NULL ? equals + 1 : NULL, line, error);
}

static bool
parse_line(CwaArguments *arguments, Line *line, GError **error)
{
  const CwaCommand *command = arguments->command;
  bool is_past_options = false;
  while (line->next < line->argc) {
    const char *word = line->argv[line->next++];
    /* A command that passes its operands on to another program leaves them all to it. */
    if (command->n_operands_most < 0 && arguments->operands->len > 0)
      is_past_options = true;
    if (!is_past_options && strcmp(word, "--") == 0)
      is_past_options = true;
    else if (!is_past_options && word[0] == '-' && word[1] != '\0') {
      if (!parse_dashed(arguments, word, line, error))
        return false;
    } else
      g_ptr_array_add(arguments->operands, g_strdup(word));
  }
  return true;
}

/* ---- what belongs together -------------------------------------------------------------- */

static bool
check_excludes(const CwaArguments *arguments, const CwaOption *option, GError **error)
{
  g_auto(GStrv) others = g_strsplit(option->excludes, " ", -1);
  for (char **other = others; *other != NULL; other++)
    if (cwa_arguments_has(arguments, *other))
      return usage_error(error, "--%s and --%s cannot be given together", option->name, *other);
  return true;
}

static bool
check_option(const CwaArguments *arguments, const CwaOption *option, GError **error)
{
  bool is_given = cwa_arguments_has(arguments, option->name);
  if (option->is_required && !is_given)
    return usage_error(error, "--%s %s is missing", option->name, option->value);
  if (is_given && option->needs != NULL && !cwa_arguments_has(arguments, option->needs))
    return usage_error(error, "--%s has a meaning only together with --%s", option->name,
                       option->needs);
  return !is_given || option->excludes == NULL || check_excludes(arguments, option, error);
}

static bool
check_operands(const CwaArguments *arguments, GError **error)
{
  const CwaCommand *command = arguments->command;
  int n = (int)arguments->operands->len;
  if (n < command->n_operands_least)
    return usage_error(error, "an argument is missing: clew %s %s", command->name,
                       command->usage);
  if (command->n_operands_most >= 0 && n > command->n_operands_most)
    return usage_error(error,
                       "\"%s\" is one argument too many: clew %s %s (text with spaces "
                       "goes in quotes)",
                       (char *)arguments->operands->pdata[command->n_operands_most],
                       command->name, command->usage);
  return true;
}

static bool
check_whole(const CwaArguments *arguments, GError **error)
{
  for (const CwaOption *o = arguments->command->options; o != NULL && o->name != NULL; o++)
    if (!check_option(arguments, o, error))
      return false;
  return check_operands(arguments, error);
}

CwaArguments *
cwa_arguments_parse(const CwaCommand *command, int argc, char **argv, GError **error)
{
  g_autoptr(CwaArguments) arguments = g_new0(CwaArguments, 1);
  arguments->command = command;
  arguments->values =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  arguments->operands = text_array_new();
  Line line = { argc, 0, argv };
  if (!parse_line(arguments, &line, error))
    return NULL;
  if (!cwa_arguments_has(arguments, "help") && !check_whole(arguments, error))
    return NULL;
  GHashTableIter iter;
  gpointer array;
  g_hash_table_iter_init(&iter, arguments->values);
  while (g_hash_table_iter_next(&iter, NULL, &array))
    g_ptr_array_add(array, NULL);
  return g_steal_pointer(&arguments);
}

void
cwa_arguments_free(CwaArguments *arguments)
{
  if (arguments == NULL)
    return;
  g_hash_table_unref(arguments->values);
  g_ptr_array_unref(arguments->operands);
  g_free(arguments);
}

/* ---- reading ---------------------------------------------------------------------------- */

static const CwaOption *
require_option(const CwaArguments *arguments, const char *name)
{
  const CwaOption *option = cwa_command_find_option(arguments->command, name);
  if (option == NULL)
    g_error("the table of clew %s has no option --%s", arguments->command->name, name);
  return option;
}

bool
cwa_arguments_has(const CwaArguments *arguments, const char *name)
{
  require_option(arguments, name);
  return g_hash_table_contains(arguments->values, name);
}

bool
cwa_arguments_flag(const CwaArguments *arguments, const char *name)
{
  return cwa_arguments_has(arguments, name);
}

const char *
cwa_arguments_text(const CwaArguments *arguments, const char *name)
{
  const CwaOption *option = require_option(arguments, name);
  GPtrArray *array = g_hash_table_lookup(arguments->values, name);
  return array != NULL ? array->pdata[0] : option->initial;
}

int64_t
cwa_arguments_integer(const CwaArguments *arguments, const char *name)
{
  const char *text = cwa_arguments_text(arguments, name);
  int64_t value = 0;
  if (text != NULL)
    parse_integer(text, &value);
  return value;
}

double
cwa_arguments_number(const CwaArguments *arguments, const char *name)
{
  const char *text = cwa_arguments_text(arguments, name);
  double value = 0;
  if (text != NULL)
    parse_number(text, &value);
  return value;
}

const char *const *
cwa_arguments_texts(const CwaArguments *arguments, const char *name)
{
  static const char *const none[] = { NULL };
  require_option(arguments, name);
  GPtrArray *array = g_hash_table_lookup(arguments->values, name);
  return array != NULL ? (const char *const *)array->pdata : none;
}

size_t
cwa_arguments_n_operands(const CwaArguments *arguments)
{
  return arguments->operands->len;
}

const char *
cwa_arguments_operand(const CwaArguments *arguments, size_t i)
{
  g_return_val_if_fail(i < arguments->operands->len, NULL);
  return arguments->operands->pdata[i];
}

/* A flag has no value to follow it, a pair one name and two values. */
static void
add_option_words(GStrvBuilder *words, const CwaOption *option, const GPtrArray *values)
{
  g_autofree char *name = g_strconcat("--", option->name, NULL);
  for (guint i = 0; i + 1 < values->len; i++) {
    const char *value = values->pdata[i];
    if (option->kind != CWA_OPTION_PAIR || i % 2 == 0)
      g_strv_builder_add(words, name);
    g_autofree char *path =
        option->kind == CWA_OPTION_PATH ? g_canonicalize_filename(value, NULL) : NULL;
    if (option->kind != CWA_OPTION_FLAG)
      g_strv_builder_add(words, path != NULL ? path : value);
    else
      return;
  }
}

/* Behind "--", so that none is taken for an option. */
static void
add_operand_word(GStrvBuilder *words, const CwaArguments *arguments, guint i)
{
  const char *operand = arguments->operands->pdata[i];
  bool is_path = arguments->command->operand_kind == CWA_OPERAND_FILE;
  g_autofree char *path = is_path ? g_canonicalize_filename(operand, NULL) : NULL;
  if (i == 0)
    g_strv_builder_add(words, "--");
  g_strv_builder_add(words, path != NULL ? path : operand);
}

char **
cwa_arguments_dup_words(const CwaArguments *arguments, const char *const *except)
{
  g_autoptr(GStrvBuilder) words = g_strv_builder_new();
  const CwaOption *const tables[] = { arguments->command->options, cwa_common_options() };
  for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
    for (const CwaOption *o = tables[i]; o != NULL && o->name != NULL; o++) {
      const GPtrArray *values = g_hash_table_lookup(arguments->values, o->name);
      if (values != NULL && !g_strv_contains(except, o->name))
        add_option_words(words, o, values);
    }
  for (guint i = 0; i < arguments->operands->len; i++)
    add_operand_word(words, arguments, i);
  return g_strv_builder_end(words);
}
