/* raw-tensors.c - an attribution run as a safetensors file of raw tensors.
 *
 * For comparing with other programs and for scripts: everything dense and by the names of
 * circuit-tracer's graph object. A graph of 8,600 nodes gives 370 MB; a .json file
 * holds what pruning keeps. */
#include "raw-tensors.h"

#include <string.h>

/* Values of the file made here, freed together. */
typedef struct {
  int64_t *input_tokens, *active_features;
  float *adjacency;
  uint8_t *edge_mask;
} Dense;

static void
dense_clear(Dense *dense)
{
  g_free(dense->input_tokens);
  g_free(dense->active_features);
  g_free(dense->adjacency);
  g_free(dense->edge_mask);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Dense, dense_clear)

static bool
dense_alloc(Dense *dense, const CwaRawTensors *raw, size_t n_nodes, GError **error)
{
  bool fits = n_nodes < ((size_t)1 << 31);
  size_t n_cells = fits ? n_nodes * n_nodes : 0;
  dense->input_tokens = g_try_new(int64_t, raw->n_tokens);
  dense->active_features = g_try_new(int64_t, 3 * MAX((size_t)raw->detail->n_active, 1));
  dense->adjacency = fits ? g_try_new0(float, n_cells) : NULL;
  dense->edge_mask = fits ? g_try_new0(uint8_t, n_cells) : NULL;
  if (dense->input_tokens != NULL && dense->active_features != NULL &&
      dense->adjacency != NULL && dense->edge_mask != NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "a dense matrix of %zu x %zu nodes does not fit into memory; write a .json "
              "document, or fewer nodes with --max-feature-nodes",
              n_nodes, n_nodes);
  return false;
}

static void
fill_edges(Dense *dense, const CwaRawTensors *raw, size_t n_nodes)
{
  const int64_t *row_start = cw_graph_peek_row_start(raw->graph);
  const uint32_t *source = cw_graph_peek_source(raw->graph);
  const float *weight = cw_graph_peek_weight(raw->graph);
  for (size_t target = 0; target < n_nodes; target++)
    for (int64_t e = row_start[target]; e < row_start[target + 1]; e++) {
      size_t cell = target * n_nodes + source[e];
      dense->adjacency[cell] = weight[e];
      dense->edge_mask[cell] = raw->pruned->edge_mask[e] != 0;
    }
}

static void
fill_lists(Dense *dense, const CwaRawTensors *raw)
{
  const CwAttributionDetail *detail = raw->detail;
  for (size_t t = 0; t < raw->n_tokens; t++)
    dense->input_tokens[t] = raw->tokens[t];
  for (int64_t i = 0; i < detail->n_active; i++) {
    dense->active_features[3 * i] = detail->active_layer[i];
    dense->active_features[3 * i + 1] = detail->active_position[i];
    dense->active_features[3 * i + 2] = detail->active_feature[i];
  }
}

bool
cwa_raw_tensors_write(const char *path, const CwaRawTensors *raw, GError **error)
{
  const CwAttributionDetail *detail = raw->detail;
  const CwPruned *pruned = raw->pruned;
  int64_t n = (int64_t)cw_graph_get_n_nodes(raw->graph);
  int64_t n_t = (int64_t)raw->n_tokens, width = raw->config->width;
  int64_t n_a = detail->n_active, n_v = raw->config->n_vocabulary;
  g_auto(Dense) dense = { 0 };
  if (!dense_alloc(&dense, raw, (size_t)n, error))
    return false;
  fill_lists(&dense, raw);
  fill_edges(&dense, raw, (size_t)n);
  const CwTensorOut tensors[] = {
    { "input_tokens", "I64", 1, { n_t }, dense.input_tokens },
    { "logits", "F32", 2, { n_t, n_v }, detail->logits },
    { "active_features", "I64", 2, { n_a, 3 }, dense.active_features },
    { "activation_values", "F32", 1, { n_a }, detail->activation },
    { "selected_features", "I64", 1, { detail->n_selected }, detail->selected },
    { "adjacency", "F32", 2, { n, n }, dense.adjacency },
    { "logit_tokens", "I64", 1, { detail->n_logits }, detail->logit_tokens },
    { "logit_probabilities", "F32", 1, { detail->n_logits }, detail->logit_probabilities },
    { "node_mask", "BOOL", 1, { n }, pruned->node_mask },
    { "edge_mask", "BOOL", 2, { n, n }, dense.edge_mask },
    { "cumulative_scores", "F32", 1, { n }, pruned->cumulative_share },
    { "node_influence", "F32", 1, { n }, pruned->influence },
    { "error_vectors", "F32", 3, { raw->config->n_layers, n_t, width }, detail->error_vectors },
    { "token_vectors", "F32", 2, { n_t, width }, detail->token_vectors },
  };
  const char *metadata[] = { "program", "clew " CLEW_VERSION, "settings",
                             cw_graph_peek_settings_json(raw->graph), NULL };
  return cw_safetensors_write(path, tensors, G_N_ELEMENTS(tensors), metadata, error);
}
