/* test-schema.c - the part of JSON Schema (draft 07) that data/schemas uses; a keyword beyond
 * it fails the test rather than being passed over. */
#include "test-schema.h"

#include <json-glib/json-glib.h>
#include <string.h>

typedef struct {
  GString *fault; /* empty: none so far */
} Check;

static void check_value(Check *check, JsonObject *schema, JsonNode *value, const char *place);

G_GNUC_PRINTF(3, 4)
static void
note_fault(Check *check, const char *place, const char *format, ...)
{
  va_list args;
  if (check->fault->len > 0)
    return;
  g_string_append_printf(check->fault, "%s: ", place);
  va_start(args, format);
  g_string_append_vprintf(check->fault, format, args);
  va_end(args);
}

static const char *
type_of(JsonNode *value)
{
  switch (JSON_NODE_TYPE(value)) {
  case JSON_NODE_OBJECT:
    return "object";
  case JSON_NODE_ARRAY:
    return "array";
  case JSON_NODE_NULL:
    return "null";
  default:
    break;
  }
  GType type = json_node_get_value_type(value);
  return type == G_TYPE_STRING    ? "string"
         : type == G_TYPE_BOOLEAN ? "boolean"
         : type == G_TYPE_INT64   ? "integer"
                                  : "number";
}

static bool
has_type(JsonNode *value, const char *wanted)
{
  const char *type = type_of(value);
  return strcmp(type, wanted) == 0 ||
         (strcmp(type, "integer") == 0 && strcmp(wanted, "number") == 0);
}

static void
check_members(Check *check, JsonObject *schema, JsonObject *object, const char *place)
{
  JsonObject *properties = json_object_has_member(schema, "properties")
                               ? json_object_get_object_member(schema, "properties")
                               : NULL;
  JsonNode *others = json_object_get_member(schema, "additionalProperties");
  g_autoptr(GList) keys = json_object_get_members(object);
  for (GList *key = keys; key != NULL; key = key->next) {
    g_autofree char *inner = g_strconcat(place, ".", key->data, NULL);
    JsonNode *value = json_object_get_member(object, key->data);
    if (properties != NULL && json_object_has_member(properties, key->data))
      check_value(check, json_object_get_object_member(properties, key->data), value, inner);
    else if (others != NULL && JSON_NODE_HOLDS_OBJECT(others))
      check_value(check, json_node_get_object(others), value, inner);
    else
      note_fault(check, inner, "the schema does not describe this member");
  }
}

static void
check_required(Check *check, JsonArray *required, JsonObject *object, const char *place)
{
  for (guint i = 0; i < json_array_get_length(required); i++) {
    const char *key = json_array_get_string_element(required, i);
    if (!json_object_has_member(object, key))
      note_fault(check, place, "\"%s\" is missing", key);
  }
}

static void
check_items(Check *check, JsonObject *schema, JsonArray *array, const char *place)
{
  for (guint i = 0; i < json_array_get_length(array); i++) {
    g_autofree char *inner = g_strdup_printf("%s[%u]", place, i);
    check_value(check, schema, json_array_get_element(array, i), inner);
  }
}

static bool
is_listed(JsonArray *list, JsonNode *value)
{
  for (guint i = 0; i < json_array_get_length(list); i++)
    if (json_node_equal(json_array_get_element(list, i), value))
      return true;
  return false;
}

/* Whether the value passes one keyword that speaks of it alone. */
static bool
passes(const char *keyword, JsonNode *wanted, JsonNode *value)
{
  if (strcmp(keyword, "type") == 0)
    return has_type(value, json_node_get_string(wanted));
  if (strcmp(keyword, "enum") == 0)
    return is_listed(json_node_get_array(wanted), value);
  if (strcmp(keyword, "pattern") == 0)
    return g_regex_match_simple(json_node_get_string(wanted), json_node_get_string(value), 0,
                                0);
  if (strcmp(keyword, "minLength") == 0)
    return g_utf8_strlen(json_node_get_string(value), -1) >= json_node_get_int(wanted);
  if (strcmp(keyword, "maxLength") == 0)
    return g_utf8_strlen(json_node_get_string(value), -1) <= json_node_get_int(wanted);
  if (strcmp(keyword, "minItems") == 0)
    return json_array_get_length(json_node_get_array(value)) >= json_node_get_int(wanted);
  if (strcmp(keyword, "maxItems") == 0)
    return json_array_get_length(json_node_get_array(value)) <= json_node_get_int(wanted);
  if (strcmp(keyword, "minimum") == 0)
    return json_node_get_double(value) >= json_node_get_double(wanted);
  if (strcmp(keyword, "maximum") == 0)
    return json_node_get_double(value) <= json_node_get_double(wanted);
  if (strcmp(keyword, "exclusiveMinimum") == 0)
    return json_node_get_double(value) > json_node_get_double(wanted);
  g_error("the schema says \"%s\", which this check does not know", keyword);
}

static void
check_value(Check *check, JsonObject *schema, JsonNode *value, const char *place)
{
  static const char *const notes[] = {
    "$schema", "title", "description", "properties", "additionalProperties", NULL
  };
  /* The type first: the other keywords take it for granted. */
  JsonNode *type = json_object_get_member(schema, "type");
  if (type == NULL || !passes("type", type, value)) {
    note_fault(check, place, "is of type %s", type_of(value));
    return;
  }
  g_autoptr(GList) keywords = json_object_get_members(schema);
  for (GList *k = keywords; k != NULL; k = k->next) {
    JsonNode *wanted = json_object_get_member(schema, k->data);
    if (g_strv_contains(notes, k->data))
      continue;
    if (strcmp(k->data, "required") == 0)
      check_required(check, json_node_get_array(wanted), json_node_get_object(value), place);
    else if (strcmp(k->data, "items") == 0)
      check_items(check, json_node_get_object(wanted), json_node_get_array(value), place);
    else if (!passes(k->data, wanted, value))
      note_fault(check, place, "does not pass \"%s\"", (const char *)k->data);
  }
  if (JSON_NODE_HOLDS_OBJECT(value))
    check_members(check, schema, json_node_get_object(value), place);
}

char *
test_schema_find_fault(const char *schema, const char *json)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "schemas", schema, NULL);
  g_autoptr(JsonParser) parser = json_parser_new();
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  g_autoptr(JsonNode) value = json_from_string(json, &error);
  g_assert_no_error(error);
  Check check = { g_string_new(NULL) };
  check_value(&check, json_node_get_object(json_parser_get_root(parser)), value, "$");
  bool is_good = check.fault->len == 0;
  char *fault = g_string_free(check.fault, is_good);
  return is_good ? NULL : fault;
}

void
test_schema_check(const char *schema, const char *json)
{
  g_autofree char *fault = test_schema_find_fault(schema, json);
  if (fault != NULL)
    g_error("%s: %s in %s", schema, fault, json);
}
