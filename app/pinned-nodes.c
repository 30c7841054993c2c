/* pinned-nodes.c - the pins of a saved view as a mask over the graph's nodes. */
#include "pinned-nodes.h"

#include <json-glib/json-glib.h>

/* The ids as keys; NULL if there are none. */
static GHashTable *
read_pins(JsonNode *root)
{
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
    return NULL;
  JsonNode *list = json_object_get_member(json_node_get_object(root), "pins");
  if (list == NULL || !JSON_NODE_HOLDS_ARRAY(list))
    return NULL;
  GHashTable *pins = g_hash_table_new(g_str_hash, g_str_equal);
  JsonArray *array = json_node_get_array(list);
  for (guint i = 0; i < json_array_get_length(array); i++) {
    JsonNode *pin = json_array_get_element(array, i);
    if (json_node_get_value_type(pin) == G_TYPE_STRING)
      g_hash_table_add(pins, (gpointer)json_node_get_string(pin));
  }
  return pins;
}

uint8_t *
cwa_pinned_nodes_dup(const CwGraph *graph, const CwViewState *state)
{
  g_autoptr(JsonNode) root =
      state->view_json != NULL ? json_from_string(state->view_json, NULL) : NULL;
  g_autoptr(GHashTable) pins = read_pins(root);
  size_t n_nodes = cw_graph_get_n_nodes(graph);
  if (pins == NULL || g_hash_table_size(pins) == 0)
    return NULL;
  uint8_t *mask = g_try_new0(uint8_t, n_nodes);
  bool has_any = false;
  for (size_t i = 0; mask != NULL && i < n_nodes; i++) {
    g_autofree char *id = cw_graph_dup_node_id(graph, i);
    mask[i] = g_hash_table_contains(pins, id);
    has_any = has_any || mask[i] != 0;
  }
  if (!has_any)
    g_clear_pointer(&mask, g_free);
  return mask;
}
