/* view-state.c - see view-state.h.
 *
 * One key, many dialects: circuit-tracer's page saves pinnedIds as comma text and supernodes as
 * JSON text where its own files have lists; share links pair labels with feature numbers or
 * with ids. All become one view object. On the way back standard lists are written, but only
 * for what differs from the file, so that an untouched file keeps its text. */
#include "graph/view-state.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "files/json-scan.h"
#include "graph/json-number.h"
#include "graph/json-writer.h"

#define VIEW_MAX_BYTES ((size_t)64 << 20)

void
cw_view_state_clear(CwViewState *state)
{
  if (state == NULL)
    return;
  g_free(state->view_json);
  *state = (CwViewState){ NAN, NAN, NULL };
}

/* What the plain keys of qParams say; absent keys leave NULL or NaN. */
typedef struct {
  JsonArray *pins, *groups; /* groups: as in the file, lists of a label and ids */
  JsonObject *labels;
  char *clicked, *link_type, *positions;
  double pruning_threshold, density_threshold;
  CwJsonSpan own;
} Plain;

static void
plain_clear(Plain *plain)
{
  g_clear_pointer(&plain->pins, json_array_unref);
  g_clear_pointer(&plain->groups, json_array_unref);
  g_clear_pointer(&plain->labels, json_object_unref);
  g_free(plain->clicked);
  g_free(plain->link_type);
  g_free(plain->positions);
}

/* A string, or a number as its text; anything else is skipped and NULL. */
static char *
read_text(CwJsonPull *pull)
{
  CwJsonSpan span;
  switch (cw_json_pull_peek(pull)) {
  case '"':
    return cw_json_pull_string(pull, &span) ? cw_json_span_unescape(span) : NULL;
  case '0':
    return cw_json_pull_number(pull, NULL, &span) ? g_strndup(span.at, span.n) : NULL;
  default:
    cw_json_pull_skip(pull, NULL);
    return NULL;
  }
}

static double
read_threshold(CwJsonPull *pull)
{
  g_autofree char *text = read_text(pull);
  double value;
  if (text == NULL || cw_json_number_parse(text, &value) != strlen(text) ||
      !(value >= 0 && value <= 1))
    return NAN;
  return value;
}

static JsonArray *
read_strings(CwJsonPull *pull)
{
  JsonArray *strings = json_array_new();
  bool is_first = true;
  if (!cw_json_pull_enter(pull, '['))
    return strings;
  while (cw_json_pull_next_element(pull, &is_first)) {
    g_autofree char *text = read_text(pull);
    if (text != NULL)
      json_array_add_string_element(strings, text);
  }
  return strings;
}

/* Opens the JSON text inside a string; what is wrong in it is not the file's fault. */
static bool
open_inner(CwJsonPull *inner, const char *text)
{
  cw_json_pull_init(inner, "", text, strlen(text), NULL);
  return cw_json_pull_peek(inner) == '[';
}

static JsonArray *
unless_failed(const CwJsonPull *inner, JsonArray *array)
{
  if (!inner->has_failed)
    return array;
  json_array_unref(array);
  return NULL;
}

/* A list, JSON text of a list, or comma text. */
static JsonArray *
read_ids(CwJsonPull *pull)
{
  if (cw_json_pull_peek(pull) == '[')
    return read_strings(pull);
  g_autofree char *text = read_text(pull);
  CwJsonPull inner;
  if (text == NULL)
    return NULL;
  if (open_inner(&inner, text))
    return unless_failed(&inner, read_strings(&inner));
  JsonArray *ids = json_array_new();
  g_auto(GStrv) pieces = g_strsplit(text, ",", -1);
  for (char **piece = pieces; *piece != NULL; piece++)
    if (*g_strstrip(*piece) != '\0')
      json_array_add_string_element(ids, *piece);
  return ids;
}

static JsonArray *
read_lists(CwJsonPull *pull)
{
  JsonArray *lists = json_array_new();
  bool is_first = true;
  if (!cw_json_pull_enter(pull, '['))
    return lists;
  while (cw_json_pull_next_element(pull, &is_first)) {
    JsonArray *list = read_ids(pull);
    if (list != NULL)
      json_array_add_array_element(lists, list);
  }
  return lists;
}

static JsonArray *
read_groups(CwJsonPull *pull)
{
  if (cw_json_pull_peek(pull) == '[')
    return read_lists(pull);
  g_autofree char *text = read_text(pull);
  CwJsonPull inner;
  if (text == NULL || !open_inner(&inner, text))
    return NULL;
  return unless_failed(&inner, read_lists(&inner));
}

/* Pairs of a key (a feature number or an id) and a label. */
static JsonObject *
read_labels(CwJsonPull *pull)
{
  g_autoptr(JsonArray) pairs = read_groups(pull);
  if (pairs == NULL)
    return NULL;
  JsonObject *labels = json_object_new();
  for (guint i = 0; i < json_array_get_length(pairs); i++) {
    JsonArray *pair = json_array_get_array_element(pairs, i);
    if (json_array_get_length(pair) == 2)
      json_object_set_string_member(labels, json_array_get_string_element(pair, 0),
                                    json_array_get_string_element(pair, 1));
  }
  return labels;
}

static bool
read_plain_member(CwJsonPull *pull, CwJsonSpan key, Plain *plain)
{
  if (cw_json_span_equals(key, "pinnedIds") && plain->pins == NULL)
    plain->pins = read_ids(pull);
  else if (cw_json_span_equals(key, "supernodes") && plain->groups == NULL)
    plain->groups = read_groups(pull);
  else if (cw_json_span_equals(key, "clerps") && plain->labels == NULL)
    plain->labels = read_labels(pull);
  else if (cw_json_span_equals(key, "clickedId") && plain->clicked == NULL)
    plain->clicked = read_text(pull);
  else if (cw_json_span_equals(key, "linkType") && plain->link_type == NULL)
    plain->link_type = read_text(pull);
  else if (cw_json_span_equals(key, "sg_pos") && plain->positions == NULL)
    plain->positions = read_text(pull);
  else if (cw_json_span_equals(key, "pruningThreshold"))
    plain->pruning_threshold = read_threshold(pull);
  else if (cw_json_span_equals(key, "densityThreshold"))
    plain->density_threshold = read_threshold(pull);
  else if (cw_json_span_equals(key, "clew"))
    return cw_json_pull_skip(pull, &plain->own);
  else
    return cw_json_pull_skip(pull, NULL);
  return !pull->has_failed;
}

static bool
read_plain(CwJsonPull *pull, CwJsonSpan q_params, Plain *plain)
{
  CwJsonPull inside = *pull;
  CwJsonSpan key;
  bool is_first = true;
  *plain = (Plain){ .pruning_threshold = NAN, .density_threshold = NAN };
  if (q_params.at == NULL || *q_params.at != '{')
    return true;
  inside.at = q_params.at;
  cw_json_pull_enter(&inside, '{');
  while (cw_json_pull_next_member(&inside, &is_first, &key))
    if (!read_plain_member(&inside, key, plain))
      break;
  pull->has_failed |= inside.has_failed;
  return !inside.has_failed;
}

/* ---- the view object --------------------------------------------------------------------- */

static char *
node_to_text(JsonNode *node)
{
  return json_to_string(node, FALSE);
}

static char *
object_to_text(JsonObject *object)
{
  g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
  return node_to_text(node);
}

static char *
array_to_text(JsonArray *array)
{
  g_autoptr(JsonNode) node = json_node_init_array(json_node_alloc(), array);
  return node_to_text(node);
}

static JsonObject *
find_object(JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member(object, key);
  return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonArray *
find_array(JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member(object, key);
  return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static const char *
find_string(JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member(object, key);
  return node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
}

static double
find_number(JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member(object, key);
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
      json_node_get_value_type(node) == G_TYPE_STRING ||
      json_node_get_value_type(node) == G_TYPE_BOOLEAN)
    return NAN;
  return json_node_get_double(node);
}

static void
add_strings(JsonArray *to, JsonArray *from)
{
  for (guint i = 0; from != NULL && i < json_array_get_length(from); i++) {
    JsonNode *node = json_array_get_element(from, i);
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
      json_array_add_string_element(to, json_node_get_string(node));
  }
}

/* The view's groups as other programs write them: a label, then the members. */
static JsonArray *
groups_to_lists(JsonObject *view)
{
  JsonArray *lists = json_array_new(), *groups = find_array(view, "groups");
  for (guint i = 0; groups != NULL && i < json_array_get_length(groups); i++) {
    JsonNode *node = json_array_get_element(groups, i);
    if (!JSON_NODE_HOLDS_OBJECT(node))
      continue;
    JsonObject *group = json_node_get_object(node);
    const char *label = find_string(group, "label");
    JsonArray *list = json_array_new();
    json_array_add_string_element(list, label != NULL ? label : "");
    add_strings(list, find_array(group, "members"));
    json_array_add_array_element(lists, list);
  }
  return lists;
}

static JsonArray *
lists_to_groups(JsonArray *lists)
{
  JsonArray *groups = json_array_new();
  for (guint i = 0; i < json_array_get_length(lists); i++) {
    JsonArray *list = json_array_get_array_element(lists, i);
    guint n = json_array_get_length(list);
    if (n == 0)
      continue;
    JsonObject *group = json_object_new();
    JsonArray *members = json_array_new();
    json_object_set_string_member(group, "label", json_array_get_string_element(list, 0));
    for (guint k = 1; k < n; k++)
      json_array_add_string_element(members, json_array_get_string_element(list, k));
    json_object_set_array_member(group, "members", members);
    json_array_add_object_element(groups, group);
  }
  return groups;
}

/* Groups of our own view may say more than the plain list; they stay unless it was changed. */
static void
merge_groups(JsonObject *view, JsonArray *lists)
{
  g_autoptr(JsonArray) known = groups_to_lists(view);
  g_autofree char *ours = array_to_text(known), *theirs = array_to_text(lists);
  if (strcmp(ours, theirs) != 0)
    json_object_set_array_member(view, "groups", lists_to_groups(lists));
}

static void
merge_text(JsonObject *view, const char *key, const char *text)
{
  if (text != NULL && *text != '\0')
    json_object_set_string_member(view, key, text);
}

static void
merge_plain(JsonObject *view, const Plain *plain)
{
  if (plain->pins != NULL &&
      (json_array_get_length(plain->pins) > 0 || json_object_has_member(view, "pins")))
    json_object_set_array_member(view, "pins", json_array_ref(plain->pins));
  if (plain->groups != NULL)
    merge_groups(view, plain->groups);
  if (plain->labels != NULL && json_object_get_size(plain->labels) > 0 &&
      !json_object_has_member(view, "labels"))
    json_object_set_object_member(view, "labels", json_object_ref(plain->labels));
  merge_text(view, "clicked", plain->clicked);
  if (g_strcmp0(plain->link_type, "both") != 0 || json_object_has_member(view, "link_type"))
    merge_text(view, "link_type", plain->link_type);
  merge_text(view, "subgraph_positions", plain->positions);
  if (!isnan(plain->density_threshold))
    json_object_set_double_member(view, "density_threshold", plain->density_threshold);
}

/* Our own key, NULL if it is absent or not what we write. */
static JsonObject *
parse_object(CwJsonSpan span)
{
  if (span.at == NULL)
    return NULL;
  g_autoptr(JsonNode) node = cw_json_parse(span.at, span.n, VIEW_MAX_BYTES, "", NULL);
  return node != NULL ? json_node_dup_object(node) : NULL;
}

static double
find_threshold(JsonObject *own, const char *key)
{
  double value = own != NULL ? find_number(own, key) : NAN;
  return value >= 0 && value <= 1 ? value : NAN;
}

bool
cw_view_state_read(CwJsonPull *pull, CwJsonSpan q_params, CwViewState *state)
{
  Plain plain;
  *state = (CwViewState){ NAN, NAN, NULL };
  if (!read_plain(pull, q_params, &plain)) {
    plain_clear(&plain);
    return false;
  }
  g_autoptr(JsonObject) own = parse_object(plain.own);
  JsonObject *known = own != NULL ? find_object(own, "view") : NULL;
  g_autoptr(JsonObject) view = known != NULL ? json_object_ref(known) : json_object_new();
  merge_plain(view, &plain);
  state->node_threshold = find_threshold(own, "node_threshold");
  state->edge_threshold = find_threshold(own, "edge_threshold");
  if (isnan(state->node_threshold))
    state->node_threshold = plain.pruning_threshold;
  if (json_object_get_size(view) > 0)
    state->view_json = object_to_text(view);
  plain_clear(&plain);
  return true;
}

/* ---- writing ----------------------------------------------------------------------------- */

static char *
text_to_json(const char *text)
{
  GString *json = g_string_new(NULL);
  cw_json_append_string(json, text != NULL ? text : "");
  return g_string_free(json, FALSE);
}

static char *
number_to_json(double value)
{
  char text[CW_JSON_NUMBER_BYTES];
  cw_json_number_format(value, text);
  return g_strdup(text);
}

static char *
own_to_json(const CwViewState *state, JsonObject *view)
{
  g_autoptr(JsonObject) own = json_object_new();
  if (!isnan(state->node_threshold))
    json_object_set_double_member(own, "node_threshold", state->node_threshold);
  if (!isnan(state->edge_threshold))
    json_object_set_double_member(own, "edge_threshold", state->edge_threshold);
  json_object_set_object_member(own, "view", json_object_ref(view));
  return object_to_text(own);
}

static char *
labels_to_json(JsonObject *view)
{
  JsonObject *labels = find_object(view, "labels");
  g_autoptr(JsonArray) pairs = json_array_new();
  g_autoptr(GList) keys = labels != NULL ? json_object_get_members(labels) : NULL;
  for (GList *key = keys; key != NULL; key = key->next) {
    const char *label = find_string(labels, key->data);
    if (label == NULL)
      continue;
    JsonArray *pair = json_array_new();
    json_array_add_string_element(pair, key->data);
    json_array_add_string_element(pair, label);
    json_array_add_array_element(pairs, pair);
  }
  return json_array_get_length(pairs) > 0 ? array_to_text(pairs) : NULL;
}

/* The keys we write, in circuit-tracer's order, and their values; NULL: only if it was there.
 */
#define N_KEYS 9
static const char *const KEYS[N_KEYS] = { "pinnedIds", "supernodes",       "linkType",
                                          "clickedId", "sg_pos",           "clerps",
                                          "clew",      "pruningThreshold", "densityThreshold" };

static void
fill_values(const CwViewState *state, JsonObject *view, char *values[N_KEYS])
{
  g_autoptr(JsonArray) pins = json_array_new(), groups = groups_to_lists(view);
  const char *link_type = find_string(view, "link_type");
  bool is_empty = json_object_get_size(view) == 0 && isnan(state->node_threshold) &&
                  isnan(state->edge_threshold);
  add_strings(pins, find_array(view, "pins"));
  values[0] = array_to_text(pins);
  values[1] = array_to_text(groups);
  values[2] = text_to_json(link_type != NULL ? link_type : "both");
  values[3] = text_to_json(find_string(view, "clicked"));
  values[4] = text_to_json(find_string(view, "subgraph_positions"));
  values[5] = labels_to_json(view);
  values[6] = is_empty ? NULL : own_to_json(state, view);
  values[7] = isnan(state->node_threshold) ? NULL : number_to_json(state->node_threshold);
  double density = find_number(view, "density_threshold");
  values[8] = isnan(density) ? NULL : number_to_json(density);
}

static void
append_member(GString *out, const char *key, size_t n_key, const char *value, size_t n_value)
{
  g_string_append(out, out->len > 1 ? ",\n    \"" : "\n    \"");
  g_string_append_len(out, key, (gssize)n_key);
  g_string_append(out, "\": ");
  g_string_append_len(out, value, (gssize)n_value);
}

/* Members of the old qParams in their order, ours in their place, then what is new. */
static char *
merge_values(CwJsonSpan old, char *values[N_KEYS])
{
  GString *out = g_string_new("{");
  bool is_written[N_KEYS] = { 0 }, is_first = true;
  CwJsonPull pull;
  CwJsonSpan key, value;
  cw_json_pull_init(&pull, "", old.at != NULL ? old.at : "{}", old.at != NULL ? old.n : 2,
                    NULL);
  if (cw_json_pull_peek(&pull) == '{' && cw_json_pull_enter(&pull, '{'))
    while (cw_json_pull_next_member(&pull, &is_first, &key)) {
      cw_json_pull_peek(&pull);
      if (!cw_json_pull_skip(&pull, &value))
        break;
      int known = 0;
      while (known < N_KEYS && !cw_json_span_equals(key, KEYS[known]))
        known++;
      if (known == N_KEYS) {
        append_member(out, key.at, key.n, value.at, value.n);
      } else if (!is_written[known] && values[known] != NULL) {
        append_member(out, key.at, key.n, values[known], strlen(values[known]));
        is_written[known] = true;
      }
    }
  for (int i = 0; i < N_KEYS; i++)
    if (!is_written[i] && values[i] != NULL && i < 7)
      append_member(out, KEYS[i], strlen(KEYS[i]), values[i], strlen(values[i]));
  g_string_append(out, "\n  }");
  return g_string_free(out, FALSE);
}

static bool
is_same_threshold(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

/* Whether the old text says all that state says. */
static bool
is_unchanged(const CwViewState *state, CwJsonSpan old)
{
  CwJsonPull pull;
  CwViewState found;
  cw_json_pull_init(&pull, "", old.at, old.n, NULL);
  bool is_same = cw_view_state_read(&pull, old, &found) &&
                 g_strcmp0(found.view_json, state->view_json) == 0 &&
                 is_same_threshold(found.node_threshold, state->node_threshold) &&
                 is_same_threshold(found.edge_threshold, state->edge_threshold);
  cw_view_state_clear(&found);
  return is_same;
}

char *
cw_view_state_write(const CwViewState *state, CwJsonSpan old, GError **error)
{
  CwViewState nothing = { NAN, NAN, NULL };
  char *values[N_KEYS] = { 0 };
  g_autoptr(JsonObject) view = NULL;
  if (old.at != NULL && (state == NULL || is_unchanged(state, old)))
    return g_strndup(old.at, old.n);
  if (state == NULL)
    state = &nothing;
  if (state->view_json != NULL) {
    g_autoptr(JsonNode) node = cw_json_parse(state->view_json, strlen(state->view_json),
                                             VIEW_MAX_BYTES, "The state of the view", error);
    if (node == NULL)
      return NULL;
    view = json_node_dup_object(node);
  } else {
    view = json_object_new();
  }
  fill_values(state, view, values);
  char *text = merge_values(old, values);
  for (int i = 0; i < N_KEYS; i++)
    g_free(values[i]);
  return text;
}
