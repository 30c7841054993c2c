/* run-draft.c - see run-draft.h. The command line has only what was set: a default that a later
 * version improves is then the better one. */
#include "runs/run-draft.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "cw-train.h"
#include "runs/run-fields.h"

struct _CwuRunDraft {
  CwRunKind kind;
  GArray *fields;    /* CwuField */
  GPtrArray *values; /* char *, [fields->len], "" for the default */
  char *name;
};

CwuRunDraft *
cwu_run_draft_new(CwRunKind kind)
{
  CwuRunDraft *draft = g_new0(CwuRunDraft, 1);
  draft->kind = kind;
  draft->fields = cwu_run_fields_new(kind);
  draft->values = g_ptr_array_new_with_free_func(g_free);
  draft->name = g_strdup("");
  for (guint i = 0; i < draft->fields->len; i++)
    g_ptr_array_add(draft->values, g_strdup(""));
  return draft;
}

void
cwu_run_draft_free(CwuRunDraft *draft)
{
  if (draft == NULL)
    return;
  g_array_unref(draft->fields);
  g_ptr_array_unref(draft->values);
  g_free(draft->name);
  g_free(draft);
}

CwRunKind
cwu_run_draft_get_kind(const CwuRunDraft *draft)
{
  return draft->kind;
}

size_t
cwu_run_draft_get_n_fields(const CwuRunDraft *draft)
{
  return draft->fields->len;
}

const CwuField *
cwu_run_draft_peek_field(const CwuRunDraft *draft, size_t i)
{
  return &g_array_index(draft->fields, CwuField, i);
}

size_t
cwu_run_draft_find(const CwuRunDraft *draft, const char *key)
{
  for (size_t i = 0; i < draft->fields->len; i++)
    if (strcmp(cwu_run_draft_peek_field(draft, i)->key, key) == 0)
      return i;
  g_error("a run has no field \"%s\"", key);
}

void
cwu_run_draft_set(CwuRunDraft *draft, size_t i, const char *text)
{
  char *value = g_strstrip(g_strdup(text != NULL ? text : ""));
  g_free(draft->values->pdata[i]);
  draft->values->pdata[i] = value;
}

const char *
cwu_run_draft_peek(const CwuRunDraft *draft, size_t i)
{
  return draft->values->pdata[i];
}

void
cwu_run_draft_set_name(CwuRunDraft *draft, const char *name)
{
  char *stripped = g_strstrip(g_strdup(name));
  g_free(draft->name);
  draft->name = stripped;
}

const char *
cwu_run_draft_peek_name(const CwuRunDraft *draft)
{
  return draft->name;
}

/* ---- defaults --------------------------------------------------------------------------- */

static bool
is_setting(const CwuRunDraft *draft, const CwuField *field)
{
  static const char *const others[] = { "activations", "initial", "device", "threads" };
  for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
    if (strcmp(field->key, others[i]) == 0)
      return false;
  return draft->kind == CW_RUN_TRAINING;
}

/* Sets the keys that others follow; what is wrong is left out. */
static void
take_leading(const CwuRunDraft *draft, CwTrainSettings *settings)
{
  static const char *const leading[] = { "recipe", "total_steps" };
  cw_train_settings_init(settings, CW_RECIPE_CLT_FORGE);
  for (size_t i = 0; i < G_N_ELEMENTS(leading); i++) {
    const char *text = cwu_run_draft_peek(draft, cwu_run_draft_find(draft, leading[i]));
    if (*text != '\0')
      cw_train_settings_set(settings, leading[i], text, NULL);
  }
}

static char *
dup_setting(const CwTrainSettings *settings, const char *key)
{
  g_autofree char *json = cw_train_settings_to_json(settings);
  g_autoptr(JsonNode) root = json_from_string(json, NULL);
  JsonNode *node = json_object_get_member(json_node_get_object(root), key);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  switch (json_node_get_value_type(node)) {
  case G_TYPE_STRING:
    return json_node_dup_string(node);
  case G_TYPE_BOOLEAN:
    return g_strdup(json_node_get_boolean(node) ? "true" : "false");
  default: /* For people: 0.03, not 0.029999999999999999. */
    return g_strdup(g_ascii_formatd(text, sizeof text, "%.10g", json_node_get_double(node)));
  }
}

char *
cwu_run_draft_dup_initial(const CwuRunDraft *draft, size_t i)
{
  static const struct {
    const char *key, *initial;
  } rows[] = { { "device", "auto" },       { "threads", "0" },     { "tokens", "0" },
               { "context", "128" },       { "quantise", "int8" }, { "error", "0" },
               { "held-out", "0.015625" }, { "field", "text" },    { "batch", "0" },
               { "reduced", "false" },     { "seed", "0" },        { "part", "held-out" },
               { "limit", "16384" },       { "samples", "false" }, { "predictions", "1024" },
               { "each-layer", "false" } };
  const CwuField *field = cwu_run_draft_peek_field(draft, i);
  if (is_setting(draft, field)) {
    CwTrainSettings settings;
    take_leading(draft, &settings);
    return dup_setting(&settings, field->key);
  }
  for (size_t k = 0; k < G_N_ELEMENTS(rows); k++)
    if (strcmp(rows[k].key, field->key) == 0)
      return g_strdup(rows[k].initial);
  return g_strdup("");
}

char *
cwu_run_draft_dup_value(const CwuRunDraft *draft, size_t i)
{
  const char *set = cwu_run_draft_peek(draft, i);
  return *set != '\0' ? g_strdup(set) : cwu_run_draft_dup_initial(draft, i);
}

static bool
is_set(const CwuRunDraft *draft, const char *key)
{
  return *cwu_run_draft_peek(draft, cwu_run_draft_find(draft, key)) != '\0';
}

bool
cwu_run_draft_is_relevant(const CwuRunDraft *draft, size_t i)
{
  const char *key = cwu_run_draft_peek_field(draft, i)->key;
  if (draft->kind == CW_RUN_EVALUATION && strcmp(key, "part") == 0)
    return is_set(draft, "activations");
  if (draft->kind != CW_RUN_TRAINING || strcmp(key, "k") != 0)
    return true;
  g_autofree char *gate =
      cwu_run_draft_dup_value(draft, cwu_run_draft_find(draft, "activation"));
  return strcmp(gate, "jumprelu") != 0;
}

double
cwu_run_draft_get_tokens(const CwuRunDraft *draft)
{
  static const char *const factors[] = { "total_steps", "batch",
                                         "gradient_accumulation_steps" };
  double product = 1;
  for (size_t i = 0; i < G_N_ELEMENTS(factors); i++) {
    g_autofree char *text =
        cwu_run_draft_dup_value(draft, cwu_run_draft_find(draft, factors[i]));
    char *end = NULL;
    product *= g_ascii_strtod(text, &end);
    if (*text == '\0' || *end != '\0')
      return NAN;
  }
  return product;
}

/* ---- errors ----------------------------------------------------------------------------- */

static char *
number_error(const CwuField *field, const char *text)
{
  char *end = NULL;
  double value = g_ascii_strtod(text, &end);
  bool is_integer = field->kind == CWU_FIELD_INTEGER;
  if (*end == '\0' && isfinite(value) && value >= field->least && value <= field->most &&
      (!is_integer || value == floor(value)))
    return NULL;
  return g_strdup_printf(is_integer ? _("A whole number from %.10g to %.16g is wanted")
                                    : _("A number from %.10g to %.16g is wanted"),
                         field->least, field->most);
}

static char *
path_error(const char *path)
{
  g_autofree char *shown = g_filename_display_name(path);
  if (!g_path_is_absolute(path))
    return g_strdup_printf(_("“%s” is no absolute path"), shown);
  if (!g_file_test(path, G_FILE_TEST_EXISTS))
    return g_strdup_printf(_("“%s” is not there"), shown);
  return NULL;
}

static char *
paths_error(const char *text)
{
  g_auto(GStrv) paths = g_strsplit(text, "\n", -1);
  for (char **path = paths; *path != NULL; path++) {
    char *message = path_error(*path);
    if (message != NULL)
      return message;
  }
  return NULL;
}

/* Core's message, less the place it names. */
static char *
setting_error(const char *key, const char *text)
{
  CwTrainSettings settings;
  g_autoptr(GError) error = NULL;
  cw_train_settings_init(&settings, CW_RECIPE_CLT_FORGE);
  if (cw_train_settings_set(&settings, key, text, &error))
    return NULL;
  const char *message = error->message;
  return g_strdup(g_str_has_prefix(message, "settings: ") ? strchr(message, ' ') + 1 : message);
}

/* Whether the word stands in the message by itself. */
static const char *
find_word(const char *message, const char *word)
{
  for (const char *p = message; (p = strstr(p, word)) != NULL; p++) {
    char after = p[strlen(word)];
    bool begins = p == message || (!g_ascii_isalnum(p[-1]) && p[-1] != '_');
    if (begins && !g_ascii_isalnum(after) && after != '_')
      return p;
  }
  return NULL;
}

/* The field that a contradiction is told beside: the first of those it names. */
static bool
is_named_first(const CwuRunDraft *draft, const char *message, size_t i)
{
  const char *own = find_word(message, cwu_run_draft_peek_field(draft, i)->key);
  if (own == NULL)
    return false;
  for (size_t k = 0; k < draft->fields->len; k++) {
    const char *other = find_word(message, cwu_run_draft_peek_field(draft, k)->key);
    if (other != NULL && other < own)
      return false;
  }
  return true;
}

/* A gate that counts says nothing by itself. */
static bool
wants_k(const CwuRunDraft *draft)
{
  return cwu_run_draft_is_relevant(draft, cwu_run_draft_find(draft, "k")) &&
         !is_set(draft, "k");
}

/* All settings together, where each by itself is right. */
static char *
contradiction(const CwuRunDraft *draft, size_t i)
{
  if (wants_k(draft))
    return i == cwu_run_draft_find(draft, "k") ? g_strdup(_("Is needed")) : NULL;
  CwTrainSettings settings;
  g_autoptr(GError) error = NULL;
  take_leading(draft, &settings);
  for (size_t k = 0; k < draft->fields->len; k++) {
    const char *text = cwu_run_draft_peek(draft, k);
    const CwuField *field = cwu_run_draft_peek_field(draft, k);
    bool is_leading =
        strcmp(field->key, "recipe") == 0 || strcmp(field->key, "total_steps") == 0;
    if (*text != '\0' && !is_leading && is_setting(draft, field) &&
        cwu_run_draft_is_relevant(draft, k) &&
        !cw_train_settings_set(&settings, field->key, text, NULL))
      return NULL; /* That field has a message of its own. */
  }
  if (cw_train_settings_check(&settings, &error))
    return NULL;
  return is_named_first(draft, error->message, i) ? g_strdup(error->message) : NULL;
}

/* An evaluation is made on one of these. */
static bool
lacks_source(const CwuRunDraft *draft)
{
  return draft->kind == CW_RUN_EVALUATION && !is_set(draft, "activations") &&
         !is_set(draft, "text") && !is_set(draft, "samples");
}

char *
cwu_run_draft_dup_error(const CwuRunDraft *draft, size_t i)
{
  const CwuField *field = cwu_run_draft_peek_field(draft, i);
  const char *text = cwu_run_draft_peek(draft, i);
  if (!cwu_run_draft_is_relevant(draft, i))
    return NULL;
  if (is_setting(draft, field)) {
    char *message = *text != '\0' ? setting_error(field->key, text) : NULL;
    return message != NULL ? message : contradiction(draft, i);
  }
  if (strcmp(field->key, "activations") == 0 && lacks_source(draft))
    return g_strdup(_("Activations, texts or the sample prompts are needed"));
  if (*text == '\0')
    return field->is_required ? g_strdup(_("Is needed")) : NULL;
  switch (field->kind) {
  case CWU_FIELD_INTEGER:
  case CWU_FIELD_NUMBER:
    return number_error(field, text);
  case CWU_FIELD_PATH:
    return path_error(text);
  case CWU_FIELD_PATHS:
    return paths_error(text);
  case CWU_FIELD_FLAG:
  case CWU_FIELD_CHOICE:
  case CWU_FIELD_TEXT:
  default:
    return NULL;
  }
}

char *
cwu_run_draft_dup_name_error(const CwuRunDraft *draft, const char *root)
{
  const char *name = draft->name;
  if (*name == '\0')
    return NULL;
  if (strchr(name, '/') != NULL || *name == '.')
    return g_strdup(_("No slash, and no dot at the beginning"));
  g_autofree char *folder = root != NULL ? g_build_filename(root, name, NULL) : NULL;
  if (folder != NULL && g_file_test(folder, G_FILE_TEST_EXISTS))
    return g_strdup(_("There is a run of this name already"));
  return NULL;
}

/* ---- the command line ------------------------------------------------------------------- */

/* "--d-latent"; a flag that is on by itself is turned off by "--no-shuffle". */
static char *
option_of(const CwuRunDraft *draft, const CwuField *field)
{
  bool is_no = field->kind == CWU_FIELD_FLAG && is_setting(draft, field);
  char *option = g_strdup_printf("--%s%s", is_no ? "no-" : "", field->key);
  return g_strdelimit(option, "_", '-');
}

/* A whole number may be typed as 1e4; the command line takes it in digits. */
static char *
dup_argument(const CwuField *field, const char *text)
{
  char *end = NULL;
  double value = g_ascii_strtod(text, &end);
  bool is_number = field->kind == CWU_FIELD_INTEGER && *end == '\0' && isfinite(value);
  return is_number ? g_strdup_printf("%.0f", value) : g_strdup(text);
}

static void
append_field(GStrvBuilder *arguments, const CwuRunDraft *draft, size_t i)
{
  const CwuField *field = cwu_run_draft_peek_field(draft, i);
  const char *text = cwu_run_draft_peek(draft, i);
  g_autofree char *initial = cwu_run_draft_dup_initial(draft, i);
  if (*text == '\0' || !cwu_run_draft_is_relevant(draft, i))
    return;
  if (field->kind == CWU_FIELD_FLAG && strcmp(text, initial) == 0)
    return;
  g_autofree char *option = option_of(draft, field);
  g_auto(GStrv) parts = g_strsplit(text, "\n", -1);
  g_strv_builder_add(arguments, option);
  for (char **part = parts; field->kind != CWU_FIELD_FLAG && *part != NULL; part++) {
    g_autofree char *argument = dup_argument(field, *part);
    g_strv_builder_add(arguments, argument);
  }
}

GStrv
cwu_run_draft_dup_arguments(const CwuRunDraft *draft)
{
  g_autoptr(GStrvBuilder) arguments = g_strv_builder_new();
  for (size_t i = 0; i < draft->fields->len; i++)
    append_field(arguments, draft, i);
  return g_strv_builder_end(arguments);
}

/* Quoted only where a shell would not take it as it is. */
static void
append_quoted(GString *line, const char *word)
{
  bool is_plain = *word != '\0';
  for (const char *p = word; *p != '\0'; p++)
    is_plain &= g_ascii_isalnum(*p) || strchr("-_./,:=+@%", *p) != NULL;
  g_autofree char *quoted = is_plain ? g_strdup(word) : g_shell_quote(word);
  g_string_append_printf(line, "%s%s", line->len > 0 ? " " : "", quoted);
}

char *
cwu_run_dup_command(CwRunKind kind, const char *folder, const char *const *arguments)
{
  static const char *const results[] = {
    [CW_RUN_CACHE] = "cache", [CW_RUN_TRAINING] = NULL, [CW_RUN_EVALUATION] = "report.json"
  };
  g_autofree char *output = g_build_filename(folder, results[kind], NULL);
  const char *own[] = { "clew", cw_run_kind_name(kind), "--output", output };
  GString *line = g_string_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
    append_quoted(line, own[i]);
  for (const char *const *argument = arguments; *argument != NULL; argument++)
    append_quoted(line, *argument);
  return g_string_free(line, FALSE);
}

char *
cwu_run_draft_dup_command(const CwuRunDraft *draft, const char *root)
{
  g_auto(GStrv) arguments = cwu_run_draft_dup_arguments(draft);
  const char *name = *draft->name != '\0' ? draft->name : cw_run_kind_name(draft->kind);
  g_autofree char *folder = g_build_filename(root, name, NULL);
  return cwu_run_dup_command(draft->kind, folder, (const char *const *)arguments);
}
