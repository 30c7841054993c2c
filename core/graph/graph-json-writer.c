/* graph-json-writer.c - circuit-tracer's JSON, key for key, as its page and Neuronpedia read
 * it.
 *
 * Ids of error nodes follow its newer form, "layer_-1_position": the older one could equal the
 * id of a feature of layer 0. Numbers are written as Python writes a float32 made a float. */
#include <math.h>
#include <string.h>

#include "graph/graph-json-copy.h"
#include "graph/json-number.h"
#include "graph/view-state.h"

static int64_t
cantor_code(int64_t layer, int64_t index)
{
  int64_t sum = layer + index;
  return sum * (sum + 1) / 2 + index;
}

/* Slugs are part of addresses: letters, digits, '_', '.', '-'. */
static char *
dup_slug(const char *path)
{
  char *slug = g_path_get_basename(path);
  if (g_str_has_suffix(slug, ".json") && strlen(slug) > strlen(".json"))
    slug[strlen(slug) - strlen(".json")] = '\0';
  for (char *at = slug; *at != '\0'; at++)
    if (!g_ascii_isalnum(*at) && strchr("_.-", *at) == NULL)
      *at = '-';
  return slug;
}

/* The value of a string member of the settings, or NULL. */
static char *
dup_setting(const CwGraph *graph, const char *name)
{
  const char *settings = cw_graph_peek_settings_json(graph);
  CwJsonPull pull;
  CwJsonSpan key, value;
  bool is_first = true;
  cw_json_pull_init(&pull, "", settings, strlen(settings), NULL);
  if (!cw_json_pull_enter(&pull, '{'))
    return NULL;
  while (cw_json_pull_next_member(&pull, &is_first, &key)) {
    if (cw_json_span_equals(key, name) && cw_json_pull_peek(&pull) == '"')
      return cw_json_pull_string(&pull, &value) ? cw_json_span_unescape(value) : NULL;
    if (!cw_json_pull_skip(&pull, NULL))
      return NULL;
  }
  return NULL;
}

static void
write_threshold(CwJsonWriter *writer, double value)
{
  char text[CW_JSON_NUMBER_BYTES];
  cw_json_writer_put(writer, text, cw_json_number_format(value, text));
}

static void
write_metadata(const CwGraph *graph, const CwViewState *state, const char *path,
               CwJsonWriter *writer)
{
  g_autofree char *slug = dup_slug(path), *scan = dup_setting(graph, "scan");
  double node_threshold = state != NULL ? state->node_threshold : NAN;
  cw_json_writer_print(writer, "  \"metadata\": {\n    \"slug\": ");
  cw_json_writer_string(writer, slug);
  cw_json_writer_print(writer, ",\n    \"scan\": ");
  cw_json_writer_string(writer, scan != NULL ? scan : "clew");
  cw_json_writer_print(writer, ",\n    \"transcoder_list\": [],\n    \"prompt_tokens\": [");
  for (int64_t i = 0; i < cw_graph_get_n_positions(graph); i++) {
    cw_json_writer_print(writer, i > 0 ? ",\n      " : "\n      ");
    cw_json_writer_string(writer, cw_graph_peek_prompt_token(graph, i));
  }
  cw_json_writer_print(writer, "\n    ],\n    \"prompt\": ");
  cw_json_writer_string(writer, cw_graph_peek_prompt(graph));
  cw_json_writer_print(writer, ",\n    \"node_threshold\": ");
  write_threshold(writer, node_threshold);
  cw_json_writer_print(writer,
                       ",\n    \"schema_version\": 1,\n    \"n_layers\": %" G_GINT64_FORMAT
                       ",\n    \"info\": {\n      \"generator\": {\n        \"name\": "
                       "\"Clew\",\n        \"version\": \"" CLEW_VERSION "\"\n      }\n    },\n"
                       "    \"generation_settings\": ",
                       cw_graph_get_n_layers(graph));
  const char *settings = cw_graph_peek_settings_json(graph);
  cw_json_writer_put(writer, settings, strlen(settings));
  cw_json_writer_print(writer, ",\n    \"pruning_settings\": {\n      \"node_threshold\": ");
  write_threshold(writer, node_threshold);
  cw_json_writer_print(writer, ",\n      \"edge_threshold\": ");
  write_threshold(writer, state != NULL ? state->edge_threshold : NAN);
  cw_json_writer_print(writer, "\n    }\n  },\n");
}

/* The fields whose form depends on the kind of node. */
static void
write_identity(const CwGraph *graph, size_t i, CwJsonWriter *writer)
{
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  const char *type = "cross layer transcoder";
  g_autofree char *id = cw_graph_dup_node_id(graph, i);
  g_autofree char *js_id =
      g_strdup_printf("%d_%" G_GINT64_FORMAT "-0", node->layer, node->feature);
  g_autofree char *layer = g_strdup_printf("%d", node->layer);
  int64_t feature = node->feature;
  if (node->kind == CW_NODE_TOKEN) {
    type = "embedding";
    feature = node->position;
    g_free(layer);
    layer = g_strdup("E");
    g_free(js_id);
    js_id = g_strdup_printf("E_%" G_GINT64_FORMAT "-%d", node->feature, node->position);
  } else if (node->kind == CW_NODE_LOGIT) {
    type = "logit";
    g_free(layer);
    layer = g_strdup_printf("%" G_GINT64_FORMAT, cw_graph_get_n_layers(graph) + 1);
    g_free(js_id);
    js_id = g_strdup_printf("L_%" G_GINT64_FORMAT "-%d", node->feature, node->position);
  } else if (node->kind == CW_NODE_ERROR) {
    type = "mlp reconstruction error";
    feature = -1;
    g_free(js_id);
    js_id = g_strdup_printf("%d_-1-%d", node->layer, node->position);
  } else {
    feature = cantor_code(node->layer, node->feature);
  }
  cw_json_writer_print(
      writer, "      \"node_id\": \"%s\",\n      \"feature\": %" G_GINT64_FORMAT, id, feature);
  cw_json_writer_print(writer, ",\n      \"layer\": \"%s\",\n      \"ctx_idx\": %d", layer,
                       node->position);
  cw_json_writer_print(writer,
                       ",\n      \"feature_type\": \"%s\",\n      \"token_prob\": ", type);
  cw_json_writer_float(writer, node->probability);
  cw_json_writer_print(
      writer, ",\n      \"is_target_logit\": %s",
      node->kind == CW_NODE_LOGIT &&
              (i == 0 || cw_graph_peek_nodes(graph)[i - 1].kind != CW_NODE_LOGIT)
          ? "true"
          : "false");
  cw_json_writer_print(writer,
                       ",\n      \"run_idx\": 0,\n      \"reverse_ctx_idx\": 0,\n"
                       "      \"jsNodeId\": \"%s\",\n      \"clerp\": ",
                       js_id);
  cw_json_writer_string(writer, cw_graph_peek_label(graph, i));
}

static void
write_nodes(const CwGraph *graph, const CwPruned *pruned, const CwPruned *shares,
            CwJsonWriter *writer)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  const char *separator = "\n    {\n";
  cw_json_writer_print(writer, "  \"nodes\": [");
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph) && !writer->has_failed; i++) {
    if (pruned != NULL && !pruned->node_mask[i])
      continue;
    cw_json_writer_print(writer, "%s", separator);
    separator = ",\n    {\n";
    write_identity(graph, i, writer);
    cw_json_writer_print(writer, ",\n      \"influence\": ");
    cw_json_writer_float(writer,
                         nodes[i].kind == CW_NODE_LOGIT ? NAN : shares->cumulative_share[i]);
    cw_json_writer_print(writer, ",\n      \"activation\": ");
    cw_json_writer_float(writer, nodes[i].kind == CW_NODE_FEATURE ? nodes[i].activation : NAN);
    cw_json_writer_print(writer, "\n    }");
  }
  cw_json_writer_print(writer, "\n  ],\n");
}

static void
write_links(const CwGraph *graph, const CwPruned *pruned, CwJsonWriter *writer)
{
  const int64_t *row = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  const float *weight = cw_graph_peek_weight(graph);
  size_t n = cw_graph_get_n_nodes(graph);
  const char *separator = "\n    {\n      \"source\": \"";
  g_auto(GStrv) ids = g_new0(char *, n + 1);
  for (size_t i = 0; i < n; i++)
    ids[i] = cw_graph_dup_node_id(graph, i);
  cw_json_writer_print(writer, "  \"links\": [");
  for (size_t t = 0; t < n && !writer->has_failed; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++) {
      if (pruned != NULL && !pruned->edge_mask[e])
        continue;
      cw_json_writer_print(writer,
                           "%s%s\",\n      \"target\": \"%s\",\n      \"weight\": ", separator,
                           ids[source[e]], ids[t]);
      cw_json_writer_float(writer, weight[e]);
      cw_json_writer_put(writer, "\n    }", strlen("\n    }"));
      separator = ",\n    {\n      \"source\": \"";
    }
  cw_json_writer_print(writer, "\n  ]\n");
}

/* A graph of our own: everything is written anew. */
static bool
write_graph(CwGraph *graph, const CwPruned *pruned, const CwViewState *state, const char *path,
            CwJsonWriter *writer)
{
  g_autoptr(CwPruned) all = NULL;
  g_autofree char *q_params = cw_view_state_write(state, (CwJsonSpan){ 0 }, writer->error);
  if (q_params == NULL)
    return false;
  if (pruned == NULL) {
    CwPruneOptions everything = { 1, 1, NULL };
    g_autoptr(CwPruner) pruner = cw_pruner_new(graph, writer->cancel, writer->error);
    if (pruner == NULL ||
        (all = cw_pruner_run(pruner, &everything, writer->cancel, writer->error)) == NULL)
      return false;
  }
  cw_json_writer_print(writer, "{\n");
  write_metadata(graph, state, path, writer);
  cw_json_writer_print(writer, "  \"qParams\": ");
  cw_json_writer_put(writer, q_params, strlen(q_params));
  cw_json_writer_print(writer, ",\n");
  write_nodes(graph, pruned, pruned != NULL ? pruned : all, writer);
  write_links(graph, pruned, writer);
  cw_json_writer_print(writer, "}\n");
  return true;
}

bool
cw_graph_save_json(CwGraph *graph, const CwPruned *pruned, const CwViewState *state,
                   const char *path, CwCancel *cancel, GError **error)
{
  CwJsonWriter writer;
  if (pruned != NULL && (pruned->n_nodes != cw_graph_get_n_nodes(graph) ||
                         pruned->n_edges != cw_graph_get_n_edges(graph))) {
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH,
                "The pruning is of %zu nodes and %zu edges, the graph has %zu and %zu",
                pruned->n_nodes, pruned->n_edges, cw_graph_get_n_nodes(graph),
                cw_graph_get_n_edges(graph));
    return false;
  }
  if (!cw_json_writer_begin(&writer, path, cancel, error))
    return false;
  bool is_written = graph->text != NULL ? cw_graph_json_copy(graph, pruned, state, &writer)
                                        : write_graph(graph, pruned, state, path, &writer);
  writer.has_failed |= !is_written;
  return cw_json_writer_finish(&writer);
}
