/* package.c - see package.h. */
#include "attribution/package.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* Where things are among the nodes, and which row belongs to which. */
typedef struct {
  int64_t n_selected, n_errors, n_tokens, n_logits, n_nodes;
  int64_t *selected;       /* [n_selected] active indices, ascending */
  int32_t *node_of_column; /* [K], -1 where not selected */
  int32_t *node_of_row;    /* [rows], by place in the store */
  float *unattributed;     /* [n_nodes], NaN for errors and tokens */
} Layout;

static void
layout_clear(Layout *layout)
{
  g_free(layout->selected);
  g_free(layout->node_of_column);
  g_free(layout->node_of_row);
  g_free(layout->unattributed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Layout, layout_clear)

static bool
lay_out(const CwPackage *package, Layout *layout, GError **error)
{
  const CwReplacement *replacement = package->replacement;
  GArray *rows = package->store->rows;
  int64_t K = replacement->n_active;
  layout->n_errors = replacement->n_layers * replacement->n_positions;
  layout->n_tokens = replacement->n_positions;
  layout->n_logits = package->targets->n;
  g_autofree guint *row_of_active = g_try_new0(guint, (gsize)MAX(K, 1)); /* 1 + row */
  layout->node_of_column = g_try_new(int32_t, (gsize)MAX(K, 1));
  layout->selected = g_try_new(int64_t, (gsize)MAX(rows->len, 1));
  layout->node_of_row = g_try_new(int32_t, (gsize)MAX(rows->len, 1));
  if (row_of_active == NULL || layout->node_of_column == NULL || layout->selected == NULL ||
      layout->node_of_row == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making the graph");
    return false;
  }
  for (guint i = 0; i < rows->len; i++) {
    const CwRow *row = &g_array_index(rows, CwRow, i);
    if (row->active >= 0)
      row_of_active[row->active] = i + 1;
  }
  for (int64_t i = 0; i < K; i++) {
    bool is_selected = row_of_active[i] != 0;
    layout->node_of_column[replacement->column_of_active[i]] =
        is_selected ? (int32_t)layout->n_selected : -1;
    if (!is_selected)
      continue;
    layout->node_of_row[row_of_active[i] - 1] = (int32_t)layout->n_selected;
    layout->selected[layout->n_selected++] = i;
  }
  int64_t first_logit = layout->n_selected + layout->n_errors + layout->n_tokens;
  layout->n_nodes = first_logit + layout->n_logits;
  for (guint i = 0; i < rows->len; i++) {
    const CwRow *row = &g_array_index(rows, CwRow, i);
    if (row->active < 0)
      layout->node_of_row[i] = (int32_t)(first_logit + (-1 - row->active));
  }
  return true;
}

/* ---- edges ----------------------------------------------------------------------------------
 */

typedef struct {
  uint32_t *source; /* NULL: only count */
  float *weight;
  int64_t n;
  double sum;
} EdgeSink;

static inline void
put_edge(EdgeSink *sink, int64_t source, float weight)
{
  if (weight == 0)
    return;
  if (sink->source != NULL) {
    sink->source[sink->n] = (uint32_t)source;
    sink->weight[sink->n] = weight;
  }
  sink->sum += (double)weight;
  sink->n++;
}

/* The edges of one row, sources ascending: features by (layer, position), errors, tokens. */
static void
put_row(const CwPackage *package, const Layout *layout, const CwRow *row, EdgeSink *sink)
{
  const CwReplacement *replacement = package->replacement;
  const CwRowStore *store = package->store;
  int64_t L = replacement->n_layers, T = replacement->n_positions;
  for (int64_t l = 0; l < row->layer; l++)
    for (int64_t c = 0; c <= row->position; c++) {
      const int64_t *cells = replacement->cell_start + c * L;
      const float *block = row->values + cw_row_store_block(store, row->layer, c) - cells[0];
      for (int64_t column = cells[l]; column < cells[l + 1]; column++)
        if (layout->node_of_column[column] >= 0)
          put_edge(sink, layout->node_of_column[column], block[column]);
    }
  for (int64_t l = 0; l < row->layer; l++)
    for (int64_t c = 0; c <= row->position; c++)
      put_edge(sink, layout->n_selected + l * T + c,
               row->values[cw_row_store_error(store, row->layer, l, c)]);
  for (int64_t c = 0; c <= row->position; c++)
    put_edge(sink, layout->n_selected + layout->n_errors + c,
             row->values[cw_row_store_token(store, row->layer, c)]);
}

/* What a target's edges leave of its value, and the number of its edges. With fewer selected
 * than active features the others' effects are counted here too: they are part of the value and
 * of no edge. */
static int64_t
measure_row(CwPackage *package, const Layout *layout, const CwRow *row, float *unattributed)
{
  EdgeSink kept = { NULL, NULL, 0, 0 };
  int64_t n = cw_row_store_length(package->store, row->layer, row->position);
  double all = 0;
  for (int64_t i = 0; i < n; i++)
    all += (double)row->values[i];
  put_row(package, layout, row, &kept);
  *unattributed = (float)(row->rest + all - kept.sum);
  double scale = row->sum_abs + fabs(row->rest) + 1e-30;
  double missing = fabs((double)row->value - (row->rest + all)) / scale;
  package->largest_rest_error = MAX(package->largest_rest_error, missing);
  return kept.n;
}

/* Row starts and rests of all nodes. */
static bool
measure_rows(CwPackage *package, Layout *layout, CwGraphParts *parts, GError **error)
{
  GArray *rows = package->store->rows;
  parts->row_start = g_try_new0(int64_t, (gsize)layout->n_nodes + 1);
  layout->unattributed = g_try_new(float, (gsize)layout->n_nodes);
  if (parts->row_start == NULL || layout->unattributed == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making the graph");
    return false;
  }
  for (int64_t i = 0; i < layout->n_nodes; i++)
    layout->unattributed[i] = NAN;
  for (guint i = 0; i < rows->len; i++) {
    int32_t node = layout->node_of_row[i];
    if (cw_cancel_check(package->cancel, error))
      return false;
    parts->row_start[node + 1] = measure_row(package, layout, &g_array_index(rows, CwRow, i),
                                             &layout->unattributed[node]);
  }
  for (int64_t i = 0; i < layout->n_nodes; i++)
    parts->row_start[i + 1] += parts->row_start[i];
  return true;
}

/* Rows become edges chunk by chunk, and each chunk is given back: at no time do all rows stand
 * beside all edges. */
static bool
fill_edges(CwPackage *package, const Layout *layout, CwGraphParts *parts, GError **error)
{
  CwRowStore *store = package->store;
  size_t n = (size_t)parts->row_start[layout->n_nodes];
  parts->source = g_try_new(uint32_t, MAX(n, 1));
  parts->weight = g_try_new(float, MAX(n, 1));
  if (parts->source == NULL || parts->weight == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory for a graph of %zu edges", n);
    return false;
  }
  guint i = 0;
  for (guint chunk = 0; chunk < store->chunks->len; chunk++) {
    for (; i < g_array_index(store->chunk_end, guint, chunk); i++) {
      int64_t start = parts->row_start[layout->node_of_row[i]];
      EdgeSink sink = { parts->source + start, parts->weight + start, 0, 0 };
      if (cw_cancel_check(package->cancel, error))
        return false;
      put_row(package, layout, &g_array_index(store->rows, CwRow, i), &sink);
    }
    cw_row_store_drop_chunk(store, chunk);
  }
  return true;
}

/* ---- nodes ----------------------------------------------------------------------------------
 */

static const CwNode blank_node = {
  .feature = -1, .activation = NAN, .influence = NAN, .value = NAN, .unattributed = NAN
};

static char *
token_piece(const CwReplacement *replacement, int64_t id)
{
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(replacement->model);
  if (tokenizer == NULL || id >= cw_tokenizer_get_n_tokens(tokenizer))
    return g_strdup_printf("#%" G_GINT64_FORMAT, id);
  return cw_tokenizer_dup_piece(tokenizer, (int32_t)id);
}

static char *
logit_label(const CwPackage *package, int64_t i)
{
  g_autofree char *piece = NULL;
  if (package->options->targets == CW_TARGETS_DIFFERENCE) {
    g_autofree char *a = token_piece(package->replacement, package->options->target_tokens[0]);
    g_autofree char *b = token_piece(package->replacement, package->options->target_tokens[1]);
    return g_strdup_printf("Output \"%s\" - \"%s\" (p=%.3f)", a, b,
                           (double)package->targets->probability[i]);
  }
  piece = token_piece(package->replacement, package->targets->token[i]);
  return g_strdup_printf("Output \"%s\" (p=%.3f)", piece,
                         (double)package->targets->probability[i]);
}

static void
fill_nodes(const CwPackage *package, const Layout *layout, CwGraphParts *parts)
{
  const CwReplacement *replacement = package->replacement;
  int64_t T = replacement->n_positions, at = 0;
  for (int64_t i = 0; i < layout->n_selected; i++, at++) {
    int64_t active = layout->selected[i];
    CwNode node = blank_node;
    node.kind = CW_NODE_FEATURE;
    node.layer = replacement->active_layer[active];
    node.position = replacement->active_position[active];
    node.feature = replacement->active_feature[active];
    node.activation = node.value = replacement->activation[active];
    node.unattributed = layout->unattributed[at];
    parts->nodes[at] = node;
    parts->labels[at] = g_strdup(g_ptr_array_index(package->names, active));
  }
  for (int64_t i = 0; i < layout->n_errors; i++, at++) {
    parts->nodes[at] = blank_node;
    parts->nodes[at].kind = CW_NODE_ERROR;
    parts->nodes[at].layer = (int32_t)(i / T);
    parts->nodes[at].position = (int32_t)(i % T);
  }
  for (int64_t c = 0; c < T; c++, at++) {
    parts->nodes[at] = blank_node;
    parts->nodes[at].kind = CW_NODE_TOKEN;
    parts->nodes[at].layer = -1;
    parts->nodes[at].position = (int32_t)c;
    parts->nodes[at].feature = replacement->tokens[c];
  }
  for (int64_t i = 0; i < layout->n_logits; i++, at++) {
    CwNode node = blank_node;
    node.kind = CW_NODE_LOGIT;
    node.layer = (int32_t)replacement->n_layers;
    node.position = (int32_t)T - 1;
    node.feature = package->targets->token[i];
    node.probability = package->targets->probability[i];
    node.value = package->targets->value[i];
    node.unattributed = layout->unattributed[at];
    parts->nodes[at] = node;
    parts->labels[at] = logit_label(package, i);
  }
}

/* ---- the whole
 * -------------------------------------------------------------------------------- */

static void
add_int(JsonBuilder *builder, const char *name, int64_t value)
{
  json_builder_set_member_name(builder, name);
  json_builder_add_int_value(builder, value);
}

static void
add_string(JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, value != NULL ? value : "");
}

/* How the graph was made: data/schemas/settings.schema.json. */
static char *
settings_json(const CwPackage *package)
{
  CwReplacement *replacement = package->replacement;
  const CwAttributionOptions *options = package->options;
  static const char *const targets[] = { "top_logits", "tokens", "difference" };
  g_autoptr(JsonBuilder) builder = json_builder_new();
  json_builder_begin_object(builder);
  add_string(builder, "generator", "clew " CLEW_VERSION);
  add_string(builder, "device", cwk_device_name(replacement->device));
  add_string(builder, "model", replacement->config->name);
  add_string(builder, "model_hash", cw_model_get_hash(replacement->model));
  add_string(builder, "transcoder", replacement->dictionary->scan);
  add_string(builder, "transcoder_hash", cw_transcoder_get_hash(replacement->transcoder));
  add_string(builder, "scan", replacement->dictionary->scan);
  add_string(builder, "targets", targets[options->targets]);
  add_int(builder, "max_n_logits", options->max_n_logits);
  json_builder_set_member_name(builder, "desired_logit_prob");
  json_builder_add_double_value(builder, options->desired_logit_prob);
  add_int(builder, "batch_size", options->batch_size);
  add_int(builder, "update_interval", options->update_interval);
  add_int(builder, "max_feature_nodes", options->max_feature_nodes);
  add_int(builder, "n_active_features", replacement->n_active);
  json_builder_end_object(builder);
  g_autoptr(JsonNode) root = json_builder_get_root(builder);
  return json_to_string(root, FALSE);
}

static void
parts_clear(CwGraphParts *parts)
{
  for (size_t i = 0; parts->labels != NULL && i < parts->n_nodes; i++)
    g_free(parts->labels[i]);
  g_free(parts->labels);
  for (int64_t c = 0; parts->prompt_tokens != NULL && c < parts->n_positions; c++)
    g_free(parts->prompt_tokens[c]);
  g_free(parts->prompt_tokens);
  g_free(parts->prompt);
  g_free(parts->token_ids);
  g_free(parts->nodes);
  g_free(parts->row_start);
  g_free(parts->source);
  g_free(parts->weight);
  g_free(parts->settings_json);
}

static char *
prompt_text(const CwReplacement *replacement)
{
  CwTokenizer *tokenizer = cw_model_peek_tokenizer(replacement->model);
  if (tokenizer == NULL)
    return g_strdup("");
  size_t n_bytes;
  g_autofree char *bytes = cw_tokenizer_decode(tokenizer, replacement->tokens,
                                               (size_t)replacement->n_positions, &n_bytes);
  return g_utf8_make_valid(bytes, (gssize)n_bytes);
}

CwGraph *
cw_package_graph(CwPackage *package, GError **error)
{
  const CwReplacement *replacement = package->replacement;
  int64_t T = replacement->n_positions;
  g_auto(Layout) layout = { 0 };
  if (!lay_out(package, &layout, error))
    return NULL;
  CwGraphParts parts = { .n_positions = T,
                         .n_layers = replacement->n_layers,
                         .n_nodes = (size_t)layout.n_nodes };
  parts.nodes = g_try_new0(CwNode, (gsize)layout.n_nodes);
  parts.labels = g_try_new0(char *, (gsize)layout.n_nodes);
  if (parts.nodes == NULL || parts.labels == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making the graph");
    parts_clear(&parts);
    return NULL;
  }
  parts.token_ids = g_memdup2(replacement->tokens, (size_t)T * sizeof(int32_t));
  parts.prompt_tokens = g_new0(char *, T);
  for (int64_t c = 0; c < T; c++)
    parts.prompt_tokens[c] = token_piece(replacement, replacement->tokens[c]);
  parts.prompt = prompt_text(replacement);
  parts.settings_json = settings_json(package);
  if (!measure_rows(package, &layout, &parts, error)) {
    parts_clear(&parts);
    return NULL;
  }
  fill_nodes(package, &layout, &parts);
  if (!fill_edges(package, &layout, &parts, error)) {
    parts_clear(&parts);
    return NULL;
  }
  return cw_graph_new_take(&parts, package->cancel, error);
}

/* A copy of n elements, or NULL with *is_complete false. */
static void *
try_copy(const void *from, size_t n, size_t size, bool *is_complete)
{
  void *copy = g_try_malloc_n(MAX(n, 1), size);
  if (copy != NULL && n > 0)
    memcpy(copy, from, n * size);
  *is_complete = *is_complete && copy != NULL;
  return copy;
}

CwAttributionDetail *
cw_package_detail(const CwPackage *package, GError **error)
{
  CwReplacement *replacement = package->replacement;
  const CwTargetSet *targets = package->targets;
  size_t K = (size_t)replacement->n_active, n = (size_t)targets->n;
  bool is_complete = true;
  g_auto(Layout) layout = { 0 };
  if (!lay_out(package, &layout, error))
    return NULL;
  g_autoptr(CwAttributionDetail) detail = g_new0(CwAttributionDetail, 1);
  detail->n_selected = layout.n_selected;
  detail->selected = g_steal_pointer(&layout.selected);
  detail->n_active = replacement->n_active;
  detail->active_layer = try_copy(replacement->active_layer, K, sizeof(int32_t), &is_complete);
  detail->active_position =
      try_copy(replacement->active_position, K, sizeof(int32_t), &is_complete);
  detail->active_feature =
      try_copy(replacement->active_feature, K, sizeof(int64_t), &is_complete);
  detail->activation = try_copy(replacement->activation, K, sizeof(float), &is_complete);
  detail->n_logits = targets->n;
  detail->logit_tokens = try_copy(targets->token, n, sizeof(int64_t), &is_complete);
  detail->logit_probabilities = try_copy(targets->probability, n, sizeof(float), &is_complete);
  if (!is_complete) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "describing the run");
    return NULL;
  }
  detail->largest_rest_error = package->largest_rest_error;
  if (package->options->keeps_tensors) {
    detail->error_vectors = g_steal_pointer(&replacement->error);
    detail->token_vectors = g_steal_pointer(&replacement->forward->embedding);
    detail->logits = g_steal_pointer(&replacement->forward->logits);
  }
  return g_steal_pointer(&detail);
}

void
cw_attribution_detail_free(CwAttributionDetail *detail)
{
  if (detail == NULL)
    return;
  g_free(detail->active_layer);
  g_free(detail->active_position);
  g_free(detail->active_feature);
  g_free(detail->activation);
  g_free(detail->selected);
  g_free(detail->logit_tokens);
  g_free(detail->logit_probabilities);
  g_free(detail->error_vectors);
  g_free(detail->token_vectors);
  g_free(detail->logits);
  g_free(detail);
}
