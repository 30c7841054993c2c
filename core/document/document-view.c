/* document-view.c - a state of a document as the view of a file, and back.
 *
 * In memory nodes are indices; in files they are the ids that links use, so that a view stays
 * right when another program reorders the file. The keys are those of
 * data/schemas/view.schema.json; members that are none of ours are carried along unread. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "document/document-private.h"

/* Members of the view that a state or a session speaks of. */
static const char *const OURS[] = { "pins",    "labels", "groups",  "notes",  "places",
                                    "gravity", "prompt", "clicked", "camera", "view" };

void
cw_document_session_init(CwDocumentSession *session)
{
  *session = (CwDocumentSession){ -1, 1, 0.5, 0.5, "layers" };
}

/* ---- writing ----------------------------------------------------------------------------- */

static void
add_id(JsonBuilder *builder, const CwDocumentState *state, size_t node)
{
  g_autofree char *id = cw_graph_dup_node_id(state->graph, node);
  json_builder_add_string_value(builder, id);
}

static void
name_id(JsonBuilder *builder, const CwDocumentState *state, size_t node)
{
  g_autofree char *id = cw_graph_dup_node_id(state->graph, node);
  json_builder_set_member_name(builder, id);
}

static void
add_ids(JsonBuilder *builder, const CwDocumentState *state, const uint32_t *nodes, size_t n)
{
  json_builder_begin_array(builder);
  for (size_t i = 0; i < n; i++)
    add_id(builder, state, nodes[i]);
  json_builder_end_array(builder);
}

static void
add_number(JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name(builder, name);
  json_builder_add_double_value(builder, value);
}

static void
add_text(JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, value);
}

static void
write_labels(JsonBuilder *builder, const CwDocumentState *state)
{
  json_builder_set_member_name(builder, "labels");
  json_builder_begin_object(builder);
  for (size_t i = 0; i < cw_document_state_get_n_nodes(state); i++) {
    const char *label = cw_document_state_peek_label(state, i);
    if (label == NULL)
      continue;
    name_id(builder, state, i);
    json_builder_add_string_value(builder, label);
  }
  json_builder_end_object(builder);
}

static void
write_groups(JsonBuilder *builder, const CwDocumentState *state)
{
  json_builder_set_member_name(builder, "groups");
  json_builder_begin_array(builder);
  for (size_t i = 0; i < cw_document_state_get_n_groups(state); i++) {
    const CwDocumentGroup *group = cw_document_state_peek_group(state, i);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "id");
    json_builder_add_int_value(builder, (gint64)group->id);
    add_text(builder, "label", group->label);
    json_builder_set_member_name(builder, "members");
    add_ids(builder, state, group->members, group->n_members);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

static void
write_notes(JsonBuilder *builder, const CwDocumentState *state)
{
  json_builder_set_member_name(builder, "notes");
  json_builder_begin_array(builder);
  for (size_t i = 0; i < cw_document_state_get_n_notes(state); i++) {
    const CwDocumentNote *note = cw_document_state_peek_note(state, i);
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "id");
    json_builder_add_int_value(builder, (gint64)note->id);
    add_text(builder, "text", note->text);
    if (note->node >= 0) {
      json_builder_set_member_name(builder, "node");
      add_id(builder, state, (size_t)note->node);
    }
    add_number(builder, "x", note->x);
    add_number(builder, "y", note->y);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

static void
write_places(JsonBuilder *builder, const CwDocumentState *state)
{
  size_t n;
  const CwDocumentPlace *places = cw_document_state_peek_places(state, &n);
  json_builder_set_member_name(builder, "places");
  json_builder_begin_object(builder);
  for (size_t i = 0; i < n; i++) {
    name_id(builder, state, places[i].node);
    json_builder_begin_array(builder);
    json_builder_add_double_value(builder, (double)places[i].x);
    json_builder_add_double_value(builder, (double)places[i].y);
    json_builder_end_array(builder);
  }
  json_builder_end_object(builder);
}

static void
write_state(JsonBuilder *builder, const CwDocumentState *state)
{
  size_t n_pins;
  const uint32_t *pins = cw_document_state_peek_pins(state, &n_pins);
  if (n_pins > 0) {
    json_builder_set_member_name(builder, "pins");
    add_ids(builder, state, pins, n_pins);
  }
  if (state->labels != NULL)
    write_labels(builder, state);
  if (state->groups != NULL)
    write_groups(builder, state);
  if (state->notes != NULL)
    write_notes(builder, state);
  if (state->places != NULL)
    write_places(builder, state);
  if (state->gravity != CW_DEFAULT_GRAVITY)
    add_number(builder, "gravity", state->gravity);
  if (strcmp(state->prompt, cw_graph_peek_typed_prompt(state->graph)) != 0)
    add_text(builder, "prompt", state->prompt);
}

static void
write_session(JsonBuilder *builder, const CwDocumentState *state,
              const CwDocumentSession *session)
{
  CwDocumentSession usual;
  cw_document_session_init(&usual);
  if (session->selected >= 0 &&
      session->selected < (int64_t)cw_document_state_get_n_nodes(state)) {
    json_builder_set_member_name(builder, "clicked");
    add_id(builder, state, (size_t)session->selected);
  }
  if (session->zoom != usual.zoom || session->centre_x != usual.centre_x ||
      session->centre_y != usual.centre_y) {
    json_builder_set_member_name(builder, "camera");
    json_builder_begin_object(builder);
    add_number(builder, "zoom", session->zoom);
    add_number(builder, "x", session->centre_x);
    add_number(builder, "y", session->centre_y);
    json_builder_end_object(builder);
  }
  if (strcmp(session->view, usual.view) != 0)
    add_text(builder, "view", session->view);
}

/* Members that are none of ours come first, in their order. */
static void
write_others(JsonBuilder *builder, const CwDocumentState *state)
{
  if (state->view == NULL)
    return;
  g_autoptr(JsonNode) root = json_from_string(state->view, NULL);
  if (root == NULL)
    return;
  JsonObject *object = json_node_get_object(root);
  g_autoptr(GList) keys = json_object_get_members(object);
  for (GList *key = keys; key != NULL; key = key->next) {
    json_builder_set_member_name(builder, key->data);
    json_builder_add_value(builder, json_object_dup_member(object, key->data));
  }
}

void
cw_document_state_to_view(const CwDocumentState *state, const CwDocumentSession *session,
                          CwViewState *view)
{
  g_autoptr(JsonBuilder) builder = json_builder_new();
  *view = (CwViewState){ state->node_threshold, state->edge_threshold, NULL };
  if (state->graph == NULL)
    return;
  json_builder_begin_object(builder);
  write_others(builder, state);
  write_state(builder, state);
  if (session != NULL)
    write_session(builder, state, session);
  json_builder_end_object(builder);
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  if (json_object_get_size(json_node_get_object(root)) > 0)
    view->view_json = json_to_string(root, FALSE);
}

/* ---- reading ----------------------------------------------------------------------------- */

typedef struct {
  CwDocumentState *state;
  GHashTable *node_of_id; /* char * -> index + 1 */
} Reader;

static int64_t
find_node(const Reader *reader, const char *id)
{
  if (id == NULL)
    return -1;
  return (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(reader->node_of_id, id)) - 1;
}

static void
index_ids(Reader *reader)
{
  size_t n = cw_document_state_get_n_nodes(reader->state);
  reader->node_of_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (size_t i = n; i-- > 0;) /* Of nodes with the same id the first is meant. */
    g_hash_table_replace(reader->node_of_id, cw_graph_dup_node_id(reader->state->graph, i),
                         GSIZE_TO_POINTER(i + 1));
}

static const char *
string_of(JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                 json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : NULL;
}

static double
number_of(JsonNode *node)
{
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node))
    return NAN;
  GType type = json_node_get_value_type(node);
  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double(node) : NAN;
}

static JsonArray *
array_of(JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member(object, key);
  return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static JsonObject *
object_of(JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static GArray *
read_ids(const Reader *reader, JsonArray *ids)
{
  GArray *nodes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  for (guint i = 0; ids != NULL && i < json_array_get_length(ids); i++) {
    int64_t node = find_node(reader, string_of(json_array_get_element(ids, i)));
    uint32_t index = (uint32_t)node;
    if (node >= 0)
      g_array_append_val(nodes, index);
  }
  return nodes;
}

/* circuit-tracer's page labels a feature by its number, Cantor's pairing of layer and index;
 * then the label is for each of its nodes. */
static void
label_feature(const Reader *reader, GHashTable *labels, const char *key, const char *label)
{
  const CwNode *nodes = cw_graph_peek_nodes(reader->state->graph);
  char *end;
  guint64 number = g_ascii_strtoull(key, &end, 10);
  if (*end != '\0' || end == key)
    return;
  for (size_t i = 0; i < cw_document_state_get_n_nodes(reader->state); i++) {
    if (nodes[i].kind != CW_NODE_FEATURE || nodes[i].feature < 0 || nodes[i].layer < 0)
      continue;
    guint64 sum = (guint64)nodes[i].layer + (guint64)nodes[i].feature;
    if (sum * (sum + 1) / 2 + (guint64)nodes[i].feature == number)
      g_hash_table_insert(labels, GUINT_TO_POINTER((guint)i), g_strdup(label));
  }
}

static void
read_labels(const Reader *reader, JsonObject *members)
{
  GHashTable *labels = cw_document_labels_copy(NULL);
  g_autoptr(GList) keys = members != NULL ? json_object_get_members(members) : NULL;
  for (GList *key = keys; key != NULL; key = key->next) {
    const char *label = string_of(json_object_get_member(members, key->data));
    int64_t node = find_node(reader, key->data);
    if (label == NULL || *label == '\0')
      continue;
    if (node >= 0)
      g_hash_table_insert(labels, GUINT_TO_POINTER((guint)node), g_strdup(label));
    else
      label_feature(reader, labels, key->data, label);
  }
  cw_document_state_take_labels(reader->state, labels);
}

/* The file's id, or a new one where it has none or one that is taken. */
static uint64_t
read_id(const Reader *reader, GHashTable *taken, JsonObject *object)
{
  double number = number_of(json_object_get_member(object, "id"));
  uint64_t id = number >= 1 && number < 9e15 ? (uint64_t)number : 0;
  if (id == 0 || g_hash_table_contains(taken, GSIZE_TO_POINTER(id)))
    id = reader->state->next_id;
  while (g_hash_table_contains(taken, GSIZE_TO_POINTER(id)))
    id++;
  g_hash_table_add(taken, GSIZE_TO_POINTER(id));
  reader->state->next_id = MAX(reader->state->next_id, id + 1);
  return id;
}

static void
read_groups(const Reader *reader, GHashTable *taken, JsonArray *items)
{
  GPtrArray *groups = cw_document_groups_copy(NULL);
  for (guint i = 0; items != NULL && i < json_array_get_length(items); i++) {
    JsonObject *object = object_of(json_array_get_element(items, i));
    if (object == NULL)
      continue;
    const char *label = string_of(json_object_get_member(object, "label"));
    g_autoptr(GArray) members = read_ids(reader, array_of(object, "members"));
    if (members->len > 0)
      g_ptr_array_add(
          groups, cw_owned_group_new(read_id(reader, taken, object), label != NULL ? label : "",
                                     (uint32_t *)(void *)members->data, members->len));
  }
  cw_document_state_take_groups(reader->state, groups);
}

static void
read_notes(const Reader *reader, GHashTable *taken, JsonArray *items)
{
  GPtrArray *notes = cw_document_notes_copy(NULL);
  for (guint i = 0; items != NULL && i < json_array_get_length(items); i++) {
    JsonObject *object = object_of(json_array_get_element(items, i));
    const char *text =
        object != NULL ? string_of(json_object_get_member(object, "text")) : NULL;
    if (text == NULL)
      continue;
    double x = number_of(json_object_get_member(object, "x"));
    double y = number_of(json_object_get_member(object, "y"));
    CwDocumentNote note = { read_id(reader, taken, object), text,
                            find_node(reader,
                                      string_of(json_object_get_member(object, "node"))),
                            isfinite(x) ? x : 0.5, isfinite(y) ? y : 0.5 };
    g_ptr_array_add(notes, cw_owned_note_new(&note));
  }
  cw_document_state_take_notes(reader->state, notes);
}

static int
compare_places(gconstpointer a, gconstpointer b)
{
  uint32_t x = ((const CwDocumentPlace *)a)->node, y = ((const CwDocumentPlace *)b)->node;
  return (x > y) - (x < y);
}

static void
read_places(const Reader *reader, JsonObject *members)
{
  GArray *places = cw_document_places_copy(NULL);
  g_autoptr(GList) keys = members != NULL ? json_object_get_members(members) : NULL;
  for (GList *key = keys; key != NULL; key = key->next) {
    int64_t node = find_node(reader, key->data);
    JsonArray *at = array_of(members, key->data);
    if (node < 0 || at == NULL || json_array_get_length(at) != 2)
      continue;
    CwDocumentPlace place = { (uint32_t)node, (float)number_of(json_array_get_element(at, 0)),
                              (float)number_of(json_array_get_element(at, 1)) };
    if (isfinite(place.x) && isfinite(place.y))
      g_array_append_val(places, place);
  }
  g_array_sort(places, compare_places);
  cw_document_state_take_places(reader->state, places);
}

static void
read_state(const Reader *reader, JsonObject *view)
{
  CwDocumentState *state = reader->state;
  g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
  g_autoptr(GArray) pins = read_ids(reader, array_of(view, "pins"));
  const char *prompt = string_of(json_object_get_member(view, "prompt"));
  double gravity = number_of(json_object_get_member(view, "gravity"));
  cw_document_state_take_pins(state,
                              cw_document_pins_new((uint32_t *)(void *)pins->data, pins->len,
                                                   cw_document_state_get_n_nodes(state)));
  read_labels(reader, object_of(json_object_get_member(view, "labels")));
  read_groups(reader, taken, array_of(view, "groups"));
  read_notes(reader, taken, array_of(view, "notes"));
  read_places(reader, object_of(json_object_get_member(view, "places")));
  if (gravity >= 0 && gravity <= 1)
    state->gravity = gravity;
  if (prompt != NULL) {
    g_ref_string_release(state->prompt);
    state->prompt = g_ref_string_new(prompt);
  }
}

static void
read_session(const Reader *reader, JsonObject *view, CwDocumentSession *session)
{
  JsonObject *camera = object_of(json_object_get_member(view, "camera"));
  const char *name = string_of(json_object_get_member(view, "view"));
  session->selected = find_node(reader, string_of(json_object_get_member(view, "clicked")));
  if (name != NULL && strlen(name) < sizeof session->view)
    g_strlcpy(session->view, name, sizeof session->view);
  if (camera == NULL)
    return;
  double zoom = number_of(json_object_get_member(camera, "zoom"));
  double x = number_of(json_object_get_member(camera, "x"));
  double y = number_of(json_object_get_member(camera, "y"));
  if (!(zoom > 0) || !isfinite(zoom) || !isfinite(x) || !isfinite(y))
    return;
  session->zoom = zoom;
  session->centre_x = x;
  session->centre_y = y;
}

void
cw_document_state_read_view(CwDocumentState *state, const char *view_json,
                            CwDocumentSession *session)
{
  if (view_json == NULL)
    return;
  g_autoptr(JsonNode) root = json_from_string(view_json, NULL);
  JsonObject *view = object_of(root);
  if (view == NULL)
    return;
  Reader reader = { state, NULL };
  index_ids(&reader);
  read_state(&reader, view);
  if (session != NULL)
    read_session(&reader, view, session);
  for (size_t i = 0; i < G_N_ELEMENTS(OURS); i++)
    json_object_remove_member(view, OURS[i]);
  if (json_object_get_size(view) > 0) {
    g_autofree char *others = json_to_string(root, FALSE);
    state->view = g_ref_string_new(others);
  }
  g_hash_table_unref(reader.node_of_id);
}
