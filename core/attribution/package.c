/* package.c - see package.h. */
#include "attribution/package.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* Where things are among the nodes, and which row belongs to which. */
typedef struct {
  int64_t n_selected, n_errors, n_tokens, n_logits, n_nodes;
  int64_t *selected;         /* [n_selected] active indices, ascending */
  int32_t *node_of_column;   /* [K], -1 where not selected */
  const CwRow **row_of_node; /* [n_nodes], NULL for errors and tokens */
} Layout;

static void
layout_clear(Layout *layout)
{
  g_free(layout->selected);
  g_free(layout->node_of_column);
  g_free(layout->row_of_node);
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
  g_autofree const CwRow **row_of_active = g_try_new0(const CwRow *, (gsize)MAX(K, 1));
  layout->node_of_column = g_try_new(int32_t, (gsize)MAX(K, 1));
  layout->selected = g_try_new(int64_t, (gsize)MAX(rows->len, 1));
  size_t most = (size_t)(layout->n_errors + layout->n_tokens) + rows->len;
  layout->row_of_node = g_try_new0(const CwRow *, most);
  if (row_of_active == NULL || layout->node_of_column == NULL || layout->selected == NULL ||
      layout->row_of_node == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making the graph");
    return false;
  }
  for (guint i = 0; i < rows->len; i++) {
    const CwRow *row = &g_array_index(rows, CwRow, i);
    if (row->active >= 0)
      row_of_active[row->active] = row;
  }
  for (int64_t i = 0; i < K; i++) {
    bool is_selected = row_of_active[i] != NULL;
    layout->node_of_column[replacement->column_of_active[i]] =
        is_selected ? (int32_t)layout->n_selected : -1;
    if (!is_selected)
      continue;
    layout->row_of_node[layout->n_selected] = row_of_active[i];
    layout->selected[layout->n_selected++] = i;
  }
  int64_t first_logit = layout->n_selected + layout->n_errors + layout->n_tokens;
  layout->n_nodes = first_logit + layout->n_logits;
  for (guint i = 0; i < rows->len; i++) {
    const CwRow *row = &g_array_index(rows, CwRow, i);
    if (row->active < 0)
      layout->row_of_node[first_logit + (-1 - row->active)] = row;
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

static bool
fill_edges(const CwPackage *package, const Layout *layout, CwGraphParts *parts, GError **error)
{
  parts->row_start = g_try_new0(int64_t, (gsize)layout->n_nodes + 1);
  if (parts->row_start == NULL) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "making the graph");
    return false;
  }
  for (int64_t i = 0; i < layout->n_nodes; i++) {
    EdgeSink count = { NULL, NULL, 0, 0 };
    if (layout->row_of_node[i] != NULL)
      put_row(package, layout, layout->row_of_node[i], &count);
    parts->row_start[i + 1] = parts->row_start[i] + count.n;
  }
  size_t n = (size_t)parts->row_start[layout->n_nodes];
  parts->source = g_try_new(uint32_t, MAX(n, 1));
  parts->weight = g_try_new(float, MAX(n, 1));
  if (parts->source == NULL || parts->weight == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory for a graph of %zu edges", n);
    return false;
  }
  for (int64_t i = 0; i < layout->n_nodes; i++) {
    EdgeSink sink = { parts->source + parts->row_start[i], parts->weight + parts->row_start[i],
                      0, 0 };
    if (layout->row_of_node[i] != NULL)
      put_row(package, layout, layout->row_of_node[i], &sink);
  }
  return true;
}

/* ---- nodes ----------------------------------------------------------------------------------
 */

static const CwNode blank_node = {
  .feature = -1, .activation = NAN, .influence = NAN, .value = NAN, .unattributed = NAN
};

/* What a target's edges leave of its value. With fewer selected than active features the
 * others' effects are counted here too: they are part of the value and of no edge. */
static float
unattributed(const CwPackage *package, const Layout *layout, const CwRow *row)
{
  EdgeSink kept = { NULL, NULL, 0, 0 };
  int64_t n = cw_row_store_length(package->store, row->layer, row->position);
  double all = 0;
  for (int64_t i = 0; i < n; i++)
    all += (double)row->values[i];
  put_row(package, layout, row, &kept);
  return (float)(row->rest + all - kept.sum);
}

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
    node.unattributed = unattributed(package, layout, layout->row_of_node[at]);
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
    node.unattributed = unattributed(package, layout, layout->row_of_node[at]);
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
cw_package_graph(const CwPackage *package, GError **error)
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
  fill_nodes(package, &layout, &parts);
  if (!fill_edges(package, &layout, &parts, error)) {
    parts_clear(&parts);
    return NULL;
  }
  return cw_graph_new_take(&parts, error);
}

static double
largest_rest_error(const CwRowStore *store)
{
  double largest = 0;
  for (guint i = 0; i < store->rows->len; i++) {
    const CwRow *row = &g_array_index(store->rows, CwRow, i);
    int64_t n = cw_row_store_length(store, row->layer, row->position);
    double sum = row->rest;
    for (int64_t j = 0; j < n; j++)
      sum += (double)row->values[j];
    double scale = row->sum_abs + fabs(row->rest) + 1e-30;
    largest = MAX(largest, fabs((double)row->value - sum) / scale);
  }
  return largest;
}

CwAttributionDetail *
cw_package_detail(const CwPackage *package)
{
  CwReplacement *replacement = package->replacement;
  const CwTargetSet *targets = package->targets;
  size_t K = (size_t)replacement->n_active;
  CwAttributionDetail *detail = g_new0(CwAttributionDetail, 1);
  g_auto(Layout) layout = { 0 };
  if (lay_out(package, &layout, NULL)) {
    detail->n_selected = layout.n_selected;
    detail->selected = g_steal_pointer(&layout.selected);
  }
  detail->n_active = replacement->n_active;
  detail->active_layer = g_memdup2(replacement->active_layer, K * sizeof(int32_t));
  detail->active_position = g_memdup2(replacement->active_position, K * sizeof(int32_t));
  detail->active_feature = g_memdup2(replacement->active_feature, K * sizeof(int64_t));
  detail->activation = g_memdup2(replacement->activation, K * sizeof(float));
  detail->n_logits = targets->n;
  detail->logit_tokens = g_memdup2(targets->token, (size_t)targets->n * sizeof(int64_t));
  detail->logit_probabilities =
      g_memdup2(targets->probability, (size_t)targets->n * sizeof(float));
  detail->largest_rest_error = largest_rest_error(package->store);
  if (package->options->keeps_tensors) {
    detail->error_vectors = g_steal_pointer(&replacement->error);
    detail->token_vectors = g_steal_pointer(&replacement->forward->embedding);
    detail->logits = g_steal_pointer(&replacement->forward->logits);
  }
  return detail;
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
