/* facts.c - keeps two texts of the same facts, and prints one of them. */
#include "facts.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cw-base.h"

#define NAME_WIDTH        20
#define LONGEST_JSON_LINE 200 /* characters of a JSON object on a line */

struct _CwaFacts {
  JsonBuilder *json; /* its outermost object is open */
  GString *lines;
  bool is_in_item;
  bool is_item_begun; /* the item's line has a value already */
};

CwaFacts *
cwa_facts_new(void)
{
  CwaFacts *facts = g_new0(CwaFacts, 1);
  facts->json = json_builder_new();
  json_builder_begin_object(facts->json);
  facts->lines = g_string_new(NULL);
  return facts;
}

void
cwa_facts_free(CwaFacts *facts)
{
  if (facts == NULL)
    return;
  g_object_unref(facts->json);
  g_string_free(facts->lines, TRUE);
  g_free(facts);
}

/* A capital and spaces; abbreviations that begin a name are written as such. */
static char *
dup_label(const char *name)
{
  static const char *const abbreviations[][2] = {
    { "mlp_width", "MLP width" }, { "sha256", "SHA-256" }, { "bos", "BOS" }, { "eos", "EOS" }
  };
  for (size_t i = 0; i < G_N_ELEMENTS(abbreviations); i++)
    if (strcmp(name, abbreviations[i][0]) == 0)
      return g_strdup(abbreviations[i][1]);
  char *label = g_strdup(name);
  label[0] = g_ascii_toupper(label[0]);
  return g_strdelimit(label, "_", ' ');
}

static void
add_line(CwaFacts *facts, const char *name, const char *value)
{
  if (facts->is_in_item) {
    g_string_append_printf(facts->lines, "%s%s", facts->is_item_begun ? "  " : "", value);
    facts->is_item_begun = true;
    return;
  }
  g_autofree char *label = dup_label(name);
  g_string_append_printf(facts->lines, "%-*s %s\n", NAME_WIDTH, label, value);
}

/* JSON is UTF-8; a path need not be. */
void
cwa_facts_add_text_shown(CwaFacts *facts, const char *name, const char *value,
                         const char *shown)
{
  g_autofree char *valid = value != NULL ? g_utf8_make_valid(value, -1) : NULL;
  json_builder_set_member_name(facts->json, name);
  if (valid != NULL)
    json_builder_add_string_value(facts->json, valid);
  else
    json_builder_add_null_value(facts->json);
  if (shown != NULL)
    add_line(facts, name, shown);
}

void
cwa_facts_add_text(CwaFacts *facts, const char *name, const char *value)
{
  g_autofree char *shown = value != NULL ? cw_escape_dup(value, FALSE) : NULL;
  cwa_facts_add_text_shown(facts, name, value, shown);
}

void
cwa_facts_add_integer(CwaFacts *facts, const char *name, int64_t value)
{
  json_builder_set_member_name(facts->json, name);
  json_builder_add_int_value(facts->json, value);
  g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);
  add_line(facts, name, text);
}

void
cwa_facts_add_number(CwaFacts *facts, const char *name, double value, int n_decimals)
{
  json_builder_set_member_name(facts->json, name);
  if (!isfinite(value)) {
    json_builder_add_null_value(facts->json);
    add_line(facts, name, "unknown");
    return;
  }
  json_builder_add_double_value(facts->json, value);
  g_autofree char *text = g_strdup_printf("%.*f", n_decimals, value);
  add_line(facts, name, text);
}

void
cwa_facts_add_bool(CwaFacts *facts, const char *name, bool value)
{
  json_builder_set_member_name(facts->json, name);
  json_builder_add_boolean_value(facts->json, value);
  add_line(facts, name, value ? "yes" : "no");
}

void
cwa_facts_add_size(CwaFacts *facts, const char *name, uint64_t n_bytes)
{
  json_builder_set_member_name(facts->json, name);
  json_builder_add_int_value(facts->json, (gint64)n_bytes);
  g_autofree char *text = g_format_size(n_bytes);
  add_line(facts, name, text);
}

/* json-glib (1.6) writes 1e-08 as 1e-08.0, which no reader takes: behind an exponent ".0" goes,
 * within strings nothing does. */
static char *
dup_json(JsonNode *root, bool is_pretty)
{
  g_autofree char *text = json_to_string(root, is_pretty);
  GString *json = g_string_sized_new(strlen(text));
  bool is_string = false, has_exponent = false;
  for (const char *p = text; *p != '\0'; p++) {
    if (is_string && *p == '\\')
      g_string_append_c(json, *p++); /* what is escaped ends no string */
    else if (*p == '"')
      is_string = !is_string;
    if (has_exponent && *p == '.') {
      p++; /* the zero behind it too */
      continue;
    }
    has_exponent = !is_string && (*p == 'e' || (has_exponent && strchr("+-0123456789", *p)));
    g_string_append_c(json, *p);
  }
  return g_string_free(json, FALSE);
}

void
cwa_facts_add_json(CwaFacts *facts, const char *name, const char *object)
{
  g_autoptr(JsonParser) parser = json_parser_new();
  if (strcmp(object, "{}") == 0 || !json_parser_load_from_data(parser, object, -1, NULL))
    return;
  JsonNode *root = json_parser_steal_root(parser);
  g_autofree char *compact = dup_json(root, false);
  json_builder_set_member_name(facts->json, name);
  json_builder_add_value(facts->json, root);
  bool is_long = g_utf8_strlen(compact, -1) > LONGEST_JSON_LINE;
  g_autofree char *start = g_utf8_substring(compact, 0, is_long ? LONGEST_JSON_LINE : -1);
  g_autofree char *line = g_strconcat(start, is_long ? " ... (--json shows all)" : "", NULL);
  add_line(facts, name, line);
}

void
cwa_facts_begin_list(CwaFacts *facts, const char *name)
{
  json_builder_set_member_name(facts->json, name);
  json_builder_begin_array(facts->json);
  g_autofree char *label = dup_label(name);
  g_string_append_printf(facts->lines, "%s\n", label);
}

void
cwa_facts_begin_item(CwaFacts *facts)
{
  json_builder_begin_object(facts->json);
  g_string_append(facts->lines, "  ");
  facts->is_in_item = true;
  facts->is_item_begun = false;
}

void
cwa_facts_end_item(CwaFacts *facts)
{
  json_builder_end_object(facts->json);
  g_string_append_c(facts->lines, '\n');
  facts->is_in_item = false;
}

void
cwa_facts_end_list(CwaFacts *facts)
{
  json_builder_end_array(facts->json);
}

void
cwa_facts_print(CwaFacts *facts, bool as_json)
{
  if (!as_json) {
    fputs(facts->lines->str, stdout);
    return;
  }
  json_builder_end_object(facts->json);
  g_autoptr(JsonNode) root = json_builder_get_root(facts->json);
  g_autofree char *text = dup_json(root, true);
  puts(text);
}
