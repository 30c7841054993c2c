/* golden-graph.c - see golden-graph.h. */
#include "golden-graph.h"

#include "cw-tensor-file.h"

#include <math.h>
#include <string.h>

static const CwTensor *
find(CwTensorFile *file, const char *name)
{
  const CwTensor *tensor = cw_tensor_file_find(file, name);
  if (tensor == NULL)
    g_error("%s has no tensor %s", cw_tensor_file_peek_path(file), name);
  return tensor;
}

static void *
dup_tensor(CwTensorFile *file, const char *name)
{
  const CwTensor *tensor = find(file, name);
  return g_memdup2(tensor->data, tensor->n_bytes);
}

CwGraph *
graph_from_dense(const float *adjacency, const CwNode *nodes, size_t n, int64_t n_layers,
                 int64_t n_positions)
{
  CwGraphParts parts = { 0 };
  size_t n_edges = 0;
  for (size_t i = 0; i < n * n; i++)
    n_edges += adjacency[i] != 0;
  parts.n_nodes = n;
  parts.n_layers = n_layers;
  parts.n_positions = n_positions;
  parts.nodes = g_memdup2(nodes, n * sizeof *nodes);
  parts.row_start = g_new0(int64_t, n + 1);
  parts.source = g_new(uint32_t, n_edges + 1);
  parts.weight = g_new(float, n_edges + 1);
  n_edges = 0;
  for (size_t t = 0; t < n; t++) {
    for (size_t s = 0; s < n; s++)
      if (adjacency[t * n + s] != 0) {
        parts.source[n_edges] = (uint32_t)s;
        parts.weight[n_edges++] = adjacency[t * n + s];
      }
    parts.row_start[t + 1] = (int64_t)n_edges;
  }
  g_autoptr(GError) error = NULL;
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
  g_assert_no_error(error);
  return graph;
}

static CwNode *
golden_nodes(CwTensorFile *file, size_t n, int64_t *n_layers, int64_t *n_positions)
{
  g_autofree int64_t *active = dup_tensor(file, "active_features");
  g_autofree int64_t *selected = dup_tensor(file, "selected_features");
  g_autofree int64_t *tokens = dup_tensor(file, "input_tokens");
  g_autofree int64_t *logits = dup_tensor(file, "logit_tokens");
  g_autofree float *probabilities = dup_tensor(file, "logit_probabilities");
  g_autofree float *activations = dup_tensor(file, "activation_values");
  int64_t n_selected = find(file, "selected_features")->shape[0];
  int64_t n_logits = find(file, "logit_tokens")->shape[0];
  int64_t n_tokens = find(file, "input_tokens")->shape[0];
  int64_t layers = ((int64_t)n - n_selected - n_logits - n_tokens) / n_tokens;
  CwNode *nodes = g_new0(CwNode, n), *node = nodes;
  for (int64_t i = 0; i < n_selected; i++, node++) {
    const int64_t *at = active + 3 * selected[i];
    *node = (CwNode){ CW_NODE_FEATURE, (int32_t)at[0], (int32_t)at[1], at[2] };
    node->activation = activations[selected[i]];
  }
  for (int64_t i = 0; i < layers * n_tokens; i++, node++)
    *node =
        (CwNode){ CW_NODE_ERROR, (int32_t)(i / n_tokens), (int32_t)(i % n_tokens), -1, NAN };
  for (int64_t i = 0; i < n_tokens; i++, node++)
    *node = (CwNode){ CW_NODE_TOKEN, -1, (int32_t)i, tokens[i], NAN };
  for (int64_t i = 0; i < n_logits; i++, node++) {
    *node = (CwNode){ CW_NODE_LOGIT, (int32_t)layers, (int32_t)n_tokens - 1, logits[i], NAN };
    node->probability = probabilities[i];
  }
  for (size_t i = 0; i < n; i++)
    nodes[i].influence = nodes[i].value = nodes[i].unattributed = NAN;
  *n_layers = layers;
  *n_positions = n_tokens;
  return nodes;
}

GoldenGraph *
golden_graph_load(const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwTensorFile) file = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  GoldenGraph *golden = g_new0(GoldenGraph, 1);
  golden->n_nodes = (size_t)find(file, "adjacency")->shape[0];
  golden->adjacency = dup_tensor(file, "adjacency");
  golden->node_mask = dup_tensor(file, "node_mask");
  golden->edge_mask = dup_tensor(file, "edge_mask");
  golden->cumulative_share = dup_tensor(file, "cumulative_scores");
  if (cw_tensor_file_find(file, "node_influence") != NULL)
    golden->influence = dup_tensor(file, "node_influence");
  int64_t n_layers, n_positions;
  g_autofree CwNode *nodes = golden_nodes(file, golden->n_nodes, &n_layers, &n_positions);
  golden->graph =
      graph_from_dense(golden->adjacency, nodes, golden->n_nodes, n_layers, n_positions);
  return golden;
}

void
golden_graph_free(GoldenGraph *golden)
{
  if (golden == NULL)
    return;
  cw_graph_unref(golden->graph);
  g_free(golden->adjacency);
  g_free(golden->node_mask);
  g_free(golden->edge_mask);
  g_free(golden->cumulative_share);
  g_free(golden->influence);
  g_free(golden);
}

static double
uniform(uint64_t *state)
{
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static CwNode *
random_nodes(int64_t n_features, int64_t n_layers, int64_t n_positions, size_t n)
{
  CwNode *nodes = g_new0(CwNode, n), *node = nodes;
  for (int64_t i = 0; i < n_features; i++, node++) {
    int64_t cell = i * n_layers * n_positions / n_features;
    *node = (CwNode){ CW_NODE_FEATURE, (int32_t)(cell / n_positions),
                      (int32_t)(cell % n_positions), 7 * i };
    node->activation = 1;
  }
  for (int64_t i = 0; i < n_layers * n_positions; i++, node++)
    *node =
        (CwNode){ CW_NODE_ERROR, (int32_t)(i / n_positions), (int32_t)(i % n_positions), -1 };
  for (int64_t i = 0; i < n_positions; i++, node++)
    *node = (CwNode){ CW_NODE_TOKEN, -1, (int32_t)i, 11 * i };
  for (int64_t i = 0; node < nodes + n; i++, node++) {
    *node = (CwNode){ CW_NODE_LOGIT, (int32_t)n_layers, (int32_t)n_positions - 1, 13 * i };
    node->probability = 0.5f / (float)(i + 1);
  }
  for (size_t i = 0; i < n; i++)
    nodes[i].influence = nodes[i].value = nodes[i].unattributed = NAN;
  return nodes;
}

static bool
may_feed(const CwNode *source, const CwNode *target)
{
  return (target->kind == CW_NODE_FEATURE || target->kind == CW_NODE_LOGIT) &&
         source->layer < target->layer && source->position <= target->position;
}

CwGraph *
graph_random(int64_t n_features, int64_t n_layers, int64_t n_positions, double density,
             uint64_t seed)
{
  CwGraphParts parts = { 0 };
  parts.n_layers = n_layers;
  parts.n_positions = n_positions;
  parts.n_nodes = (size_t)(n_features + n_layers * n_positions + n_positions + 10);
  parts.nodes = random_nodes(n_features, n_layers, n_positions, parts.n_nodes);
  parts.row_start = g_new0(int64_t, parts.n_nodes + 1);
  g_autoptr(GArray) source = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) weight = g_array_new(FALSE, FALSE, sizeof(float));
  for (size_t t = 0; t < parts.n_nodes; t++) {
    for (uint32_t s = 0; s < parts.n_nodes; s++)
      if (may_feed(&parts.nodes[s], &parts.nodes[t]) && uniform(&seed) < density) {
        /* Heavy tails, as real graphs have them. */
        double u = uniform(&seed) + 1e-6;
        float w = (float)((uniform(&seed) - 0.5) / u);
        g_array_append_val(source, s);
        g_array_append_val(weight, w);
      }
    parts.row_start[t + 1] = source->len;
  }
  parts.source = (uint32_t *)g_array_steal(source, NULL);
  parts.weight = (float *)g_array_steal(weight, NULL);
  g_autoptr(GError) error = NULL;
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
  g_assert_no_error(error);
  return graph;
}
