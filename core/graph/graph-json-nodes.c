/* graph-json-nodes.c - nodes of graph JSON, in every dialect that was met.
 *
 * circuit-tracer and Neuronpedia write a layer as text, others as a number; a feature is a
 * Cantor code of (layer, index), layer * 10^k + index, or the plain index, depending on the
 * version and the dictionary. All of them name a feature "layer_index_position", so that name
 * is believed first and the code is only compared with it. Which rule holds is known when the
 * whole file has been read, since metadata may come last: nodes are settled then. */
#include "graph/graph-json-reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/json-number.h"

#define CANTOR_LIMIT ((int64_t)1 << 60) /* 8 z + 1 must fit 64 bits */

/* The whole number a span says, whether it is written as 3 or 3.0. */
static bool
span_to_integer(CwJsonSpan span, int64_t *value)
{
  char text[40], *end;
  if (span.n == 0 || span.n >= sizeof text)
    return false;
  memcpy(text, span.at, span.n);
  text[span.n] = '\0';
  errno = 0;
  int64_t number = g_ascii_strtoll(text, &end, 10);
  if (*end == '\0' && errno == 0 && (g_ascii_isdigit(*text) || *text == '-')) {
    *value = number;
    return true;
  }
  double real;
  if (cw_json_number_parse(text, &real) != span.n || real != floor(real) || fabs(real) > 9e15)
    return false;
  *value = (int64_t)real;
  return true;
}

/* A number or its text; false and nothing read if it is anything else, which is skipped. */
static bool
read_integer(CwJsonPull *pull, int64_t *value)
{
  CwJsonSpan span = { 0 };
  switch (cw_json_pull_peek(pull)) {
  case '0':
    return cw_json_pull_number(pull, NULL, &span) && span_to_integer(span, value);
  case '"':
    return cw_json_pull_string(pull, &span) && span_to_integer(span, value);
  default:
    cw_json_pull_skip(pull, NULL);
    return false;
  }
}

static float
read_float(CwJsonPull *pull)
{
  CwJsonSpan span;
  double value = NAN;
  switch (cw_json_pull_peek(pull)) {
  case '0':
    cw_json_pull_number(pull, &value, NULL);
    break;
  case '"':
    if (!cw_json_pull_string(pull, &span) || cw_json_number_parse(span.at, &value) != span.n)
      value = NAN;
    break;
  default:
    cw_json_pull_skip(pull, NULL);
  }
  return (float)value;
}

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

static bool
read_true(CwJsonPull *pull)
{
  bool is_true = cw_json_pull_peek(pull) == 't';
  return cw_json_pull_skip(pull, NULL) && is_true;
}

static bool
read_layer(CwJsonPull *pull, CwReadNode *read)
{
  int64_t layer;
  cw_json_pull_peek(pull);
  const char *at = pull->at;
  if (*at == '"' && (at[1] == 'E' || at[1] == 'e')) {
    read->layer_form = at[2] == '1' ? CW_LAYER_LOGIT : CW_LAYER_EMBEDDING;
    return cw_json_pull_skip(pull, NULL);
  }
  if (!read_integer(pull, &layer))
    return !pull->has_failed;
  if (layer < -1 || layer >= CW_GRAPH_JSON_MAX_LAYERS)
    return cw_json_pull_fail(pull, at, "the layer %" G_GINT64_FORMAT " is not in 0..%d", layer,
                             CW_GRAPH_JSON_MAX_LAYERS - 1);
  read->layer_form = layer < 0 ? CW_LAYER_EMBEDDING : CW_LAYER_NUMBER;
  read->node.layer = (int32_t)layer;
  return true;
}

static bool
read_position(CwJsonPull *pull, CwReadNode *read)
{
  int64_t position;
  cw_json_pull_peek(pull);
  const char *at = pull->at;
  if (!read_integer(pull, &position))
    return !pull->has_failed;
  if (position < 0 || position >= CW_GRAPH_JSON_MAX_POSITIONS)
    return cw_json_pull_fail(pull, at, "the position %" G_GINT64_FORMAT " is not in 0..%d",
                             position, CW_GRAPH_JSON_MAX_POSITIONS - 1);
  read->node.position = (int32_t)position;
  read->has_position = true;
  return true;
}

typedef struct {
  CwReadNode read;
  char *id, *js_id, *label, *type;
  bool is_logit;
} Draft;

static void
draft_clear(Draft *draft)
{
  g_free(draft->id);
  g_free(draft->js_id);
  g_free(draft->label);
  g_free(draft->type);
}

/* A text member: a key given twice counts once, the last time, as in every other reader. */
static void
replace_text(CwJsonPull *pull, char **text)
{
  char *value = read_text(pull);
  g_free(*text);
  *text = value;
}

static bool
read_member(CwJsonPull *pull, CwJsonSpan key, Draft *draft)
{
  CwReadNode *read = &draft->read;
  if (cw_json_span_equals(key, "node_id"))
    replace_text(pull, &draft->id);
  else if (cw_json_span_equals(key, "jsNodeId"))
    replace_text(pull, &draft->js_id);
  else if (cw_json_span_equals(key, "clerp"))
    replace_text(pull, &draft->label);
  else if (cw_json_span_equals(key, "feature_type"))
    replace_text(pull, &draft->type);
  else if (cw_json_span_equals(key, "layer"))
    return read_layer(pull, read);
  else if (cw_json_span_equals(key, "ctx_idx"))
    return read_position(pull, read);
  else if (cw_json_span_equals(key, "feature"))
    read->has_feature = read_integer(pull, &read->node.feature);
  else if (cw_json_span_equals(key, "token_prob"))
    read->node.probability = read_float(pull);
  else if (cw_json_span_equals(key, "influence"))
    read->node.influence = read_float(pull);
  else if (cw_json_span_equals(key, "activation"))
    read->node.activation = read_float(pull);
  else if (cw_json_span_equals(key, "isLogit"))
    draft->is_logit = read_true(pull);
  else
    return cw_json_pull_skip(pull, NULL);
  return !pull->has_failed;
}

static CwNodeKind
kind_of(const Draft *draft)
{
  const char *type = draft->type;
  if (draft->is_logit || draft->read.layer_form == CW_LAYER_LOGIT)
    return CW_NODE_LOGIT;
  if (type == NULL) {
    if (draft->read.layer_form == CW_LAYER_EMBEDDING)
      return CW_NODE_TOKEN;
    return draft->read.has_feature && draft->read.node.feature == -1 ? CW_NODE_ERROR
                                                                     : CW_NODE_FEATURE;
  }
  if (strcmp(type, "embedding") == 0)
    return CW_NODE_TOKEN;
  if (strcmp(type, "logit") == 0)
    return CW_NODE_LOGIT;
  if (strstr(type, "error") != NULL)
    return CW_NODE_ERROR;
  if (strstr(type, "transcoder") != NULL || strcmp(type, "unexplored node") == 0)
    return CW_NODE_FEATURE;
  return CW_NODE_OTHER;
}

/* A logit's probability, from its label "... (p=0.123)" if there is no field for it. */
static void
settle_probability(CwNode *node, const char *label)
{
  const char *found = label != NULL ? g_strrstr(label, "(p=") : NULL;
  double value;
  if (node->kind != CW_NODE_LOGIT) {
    node->probability = 0;
    return;
  }
  if (!(node->probability > 0) && found != NULL && cw_json_number_parse(found + 3, &value) > 0)
    node->probability = (float)value;
  if (!isfinite(node->probability) || node->probability < 0)
    node->probability = 0;
}

static bool
reserve_node(CwGraphReader *reader)
{
  if (reader->n_nodes < reader->node_capacity)
    return true;
  size_t capacity = MAX(1024, reader->node_capacity + reader->node_capacity / 2);
  void *nodes = g_try_realloc_n(reader->nodes, capacity, sizeof *reader->nodes);
  if (nodes != NULL)
    reader->nodes = nodes;
  void *ids = g_try_realloc_n(reader->ids, capacity + 1, sizeof *reader->ids);
  if (ids != NULL)
    reader->ids = ids;
  void *labels = g_try_realloc_n(reader->labels, capacity, sizeof *reader->labels);
  if (labels != NULL)
    reader->labels = labels;
  if (nodes == NULL || ids == NULL || labels == NULL || capacity >= INT32_MAX)
    return cw_graph_reader_fail_memory(reader);
  reader->node_capacity = capacity;
  return true;
}

static bool
add_node(CwGraphReader *reader, Draft *draft, const char *at)
{
  if (draft->id == NULL)
    draft->id = g_strdup(draft->js_id);
  if (draft->id == NULL)
    return cw_json_pull_fail(&reader->pull, at, "the node that begins here has no node_id");
  if (!reserve_node(reader))
    return false;
  draft->read.node.kind = kind_of(draft);
  settle_probability(&draft->read.node, draft->label);
  size_t i = reader->n_nodes++;
  reader->nodes[i] = draft->read;
  reader->ids[i] = g_steal_pointer(&draft->id);
  bool has_label = draft->label != NULL && *draft->label != '\0';
  reader->labels[i] = has_label ? g_steal_pointer(&draft->label) : NULL;
  bool is_new;
  if (!cw_node_table_add(&reader->table, reader->ids, (uint32_t)i, &is_new))
    return cw_graph_reader_fail_memory(reader);
  if (!is_new && reader->report.n_duplicate_nodes++ == 0)
    cw_graph_reader_note(reader, 1, "Node \"%s\" is there twice; links go to the first",
                         reader->ids[i]);
  return true;
}

static bool
read_node(CwGraphReader *reader)
{
  CwJsonPull *pull = &reader->pull;
  Draft draft = { .read.layer_form = CW_LAYER_MISSING };
  draft.read.node.feature = -1;
  draft.read.node.activation = draft.read.node.influence = NAN;
  draft.read.node.value = draft.read.node.unattributed = NAN;
  bool is_first = true, has_feature = false;
  CwJsonSpan key;
  cw_json_pull_peek(pull);
  const char *at = pull->at;
  if (!cw_json_pull_enter(pull, '{'))
    return false;
  while (cw_json_pull_next_member(pull, &is_first, &key)) {
    has_feature |= cw_json_span_equals(key, "feature");
    if (!read_member(pull, key, &draft))
      break;
  }
  reader->report.n_missing_fields +=
      (size_t)((draft.id == NULL) + !has_feature + (draft.type == NULL) +
               (draft.label == NULL) + (draft.read.layer_form == CW_LAYER_MISSING) +
               !draft.read.has_position);
  bool is_good = !pull->has_failed && add_node(reader, &draft, at);
  draft_clear(&draft);
  return is_good;
}

bool
cw_graph_json_read_nodes(CwGraphReader *reader)
{
  bool is_first = true;
  if (!cw_json_pull_enter(&reader->pull, '['))
    return false;
  while (cw_json_pull_next_element(&reader->pull, &is_first)) {
    if (!read_node(reader))
      return false;
    if (reader->n_nodes % 1024 == 0 && cw_cancel_check(reader->cancel, reader->error)) {
      reader->pull.has_failed = true;
      return false;
    }
  }
  return !reader->pull.has_failed;
}

/* ---- settling ---------------------------------------------------------------------------- */

/* The three numbers of "a_b_c"; a is -1 for E. */
static bool
split_id(const char *id, int64_t part[3])
{
  char *end;
  for (int i = 0; i < 3; i++) {
    if (i == 0 && g_str_has_prefix(id, "E_")) {
      part[0] = -1;
      id += 2;
      continue;
    }
    if (!g_ascii_isdigit(*id) && *id != '-')
      return false;
    errno = 0;
    part[i] = g_ascii_strtoll(id, &end, 10);
    if (end == id || errno != 0 || *end != (i < 2 ? '_' : '\0'))
      return false;
    id = end + 1;
  }
  return true;
}

static bool
decode_cantor(int64_t code, int64_t *layer, int64_t *index)
{
  if (code < 0 || code >= CANTOR_LIMIT)
    return false;
  int64_t w = (int64_t)((sqrt(8.0 * (double)code + 1) - 1) / 2);
  while (w * (w + 1) / 2 > code)
    w--;
  while ((w + 1) * (w + 2) / 2 <= code)
    w++;
  *index = code - w * (w + 1) / 2;
  *layer = w - *index;
  return true;
}

typedef struct {
  size_t n_disagree, n_without_layer, n_without_position;
  int64_t n_layers, logit_layer, n_positions;
} Settling;

static void
settle_feature(CwGraphReader *reader, CwReadNode *read, const int64_t *part, Settling *settling)
{
  CwNode *node = &read->node;
  int64_t layer = -1, index = -1;
  bool is_coded = reader->schema_version >= 1 && read->has_feature &&
                  decode_cantor(node->feature, &layer, &index);
  if (read->layer_form != CW_LAYER_NUMBER && read->layer_form != CW_LAYER_EMBEDDING) {
    int64_t found = part != NULL ? part[0] : layer;
    read->layer_form = CW_LAYER_NUMBER;
    node->layer = found >= 0 && found < CW_GRAPH_JSON_MAX_LAYERS ? (int32_t)found : 0;
    settling->n_without_layer += found != node->layer;
  }
  if (part != NULL && part[0] == node->layer) {
    settling->n_disagree += is_coded && (layer != node->layer || index != part[1]);
    node->feature = part[1];
  } else if (is_coded) {
    node->feature = index;
  }
}

static void
settle_error(CwReadNode *read, const int64_t *part, Settling *settling)
{
  if (read->layer_form != CW_LAYER_NUMBER) {
    int64_t layer = part == NULL ? -1 : part[1] == -1 ? part[0] : part[1];
    bool is_good = layer >= 0 && layer < CW_GRAPH_JSON_MAX_LAYERS;
    read->node.layer = is_good ? (int32_t)layer : 0;
    settling->n_without_layer += !is_good;
  }
  read->node.feature = -1;
}

static void
settle_node(CwGraphReader *reader, size_t i, Settling *settling)
{
  CwReadNode *read = &reader->nodes[i];
  CwNode *node = &read->node;
  int64_t parts[3], *part = split_id(reader->ids[i], parts) ? parts : NULL;
  if (!read->has_position) {
    bool is_good = part != NULL && part[2] >= 0 && part[2] < CW_GRAPH_JSON_MAX_POSITIONS;
    node->position = is_good ? (int32_t)part[2] : 0;
    settling->n_without_position += !is_good;
  }
  settling->n_positions = MAX(settling->n_positions, node->position + 1);
  switch (node->kind) {
  case CW_NODE_TOKEN:
    node->layer = -1;
    if (part != NULL && part[0] == -1)
      node->feature = part[1];
    return;
  case CW_NODE_LOGIT:
    if (!read->has_feature && part != NULL)
      node->feature = part[1];
    if (read->layer_form == CW_LAYER_NUMBER)
      settling->logit_layer = MAX(settling->logit_layer, node->layer);
    return;
  case CW_NODE_ERROR:
    settle_error(read, part, settling);
    break;
  default:
    settle_feature(reader, read, part, settling);
    if (read->layer_form == CW_LAYER_EMBEDDING)
      node->layer = -1;
  }
  settling->n_layers = MAX(settling->n_layers, node->layer + 1);
}

/* circuit-tracer puts logits at the number of layers plus one; a pruned graph need not have a
 * node in the last layer. */
static int64_t
number_of_layers(const CwGraphReader *reader, const Settling *settling)
{
  if (reader->n_layers >= settling->n_layers)
    return reader->n_layers;
  return MAX(settling->n_layers, settling->logit_layer - 1);
}

bool
cw_graph_json_finish_nodes(CwGraphReader *reader, CwGraphParts *parts)
{
  Settling settling = { .logit_layer = -1, .n_positions = reader->prompt_tokens->len };
  for (size_t i = 0; i < reader->n_nodes; i++)
    settle_node(reader, i, &settling);
  cw_graph_reader_note(reader, settling.n_disagree,
                       "%zu features are numbered otherwise than their node_id says; the "
                       "node_id was believed",
                       settling.n_disagree);
  cw_graph_reader_note(reader, settling.n_without_layer,
                       "%zu nodes have no readable layer and were put into layer 0",
                       settling.n_without_layer);
  cw_graph_reader_note(reader, settling.n_without_position,
                       "%zu nodes have no readable position and were put at position 0",
                       settling.n_without_position);
  parts->n_nodes = reader->n_nodes;
  parts->n_positions = settling.n_positions;
  parts->n_layers = number_of_layers(reader, &settling);
  parts->nodes = g_try_malloc_n(reader->n_nodes + 1, sizeof *parts->nodes);
  if (parts->nodes == NULL)
    return cw_graph_reader_fail_memory(reader);
  for (size_t i = 0; i < reader->n_nodes; i++) {
    parts->nodes[i] = reader->nodes[i].node;
    if (parts->nodes[i].kind == CW_NODE_LOGIT)
      parts->nodes[i].layer = (int32_t)parts->n_layers;
  }
  return true;
}
