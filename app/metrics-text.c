/* metrics-text.c - see metrics-text.h. */
#include "metrics-text.h"

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* What is said of a step and of an evaluation, in this order; what a line lacks is left out. */
static const struct {
  const char *key, *before, *after;
  int n_decimals;
} parts[] = {
  { "loss", "loss ", "", 4 },
  { "explained_variance", "explained variance ", "", 3 },
  { "l0", "L0 ", "", 1 },
  { "dead", "", " dead", 0 },
  { "tokens_per_second", "", " tokens/s", 0 },
};

static void
append_parts(GString *text, JsonObject *numbers)
{
  const char *mark = ": ";
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
    JsonNode *node = json_object_get_member(numbers, parts[i].key);
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node))
      continue;
    g_string_append_printf(text, "%s%s%.*f%s", mark, parts[i].before, parts[i].n_decimals,
                           json_node_get_double(node), parts[i].after);
    mark = ", ";
  }
}

char *
cwa_metrics_dup_text(const char *json)
{
  g_autoptr(JsonNode) root = json_from_string(json, NULL);
  JsonObject *line =
      root != NULL && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
  if (line == NULL || !json_object_has_member(line, "step"))
    return g_strdup(json);
  JsonNode *held_out = json_object_get_member(line, "held_out");
  bool is_held_out = held_out != NULL && JSON_NODE_HOLDS_OBJECT(held_out);
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "step %" G_GINT64_FORMAT "%s",
                         json_object_get_int_member(line, "step"),
                         is_held_out ? ", held-out text" : "");
  append_parts(text, is_held_out ? json_node_get_object(held_out) : line);
  return g_string_free(text, FALSE);
}
