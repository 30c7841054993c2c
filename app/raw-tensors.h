/* raw-tensors.h - an attribution run as a safetensors file of raw tensors. */
#pragma once

#include "cw-attribution.h"

/* N nodes in the graph's order, A active features, S selected ones. Written: input_tokens [T],
 * logits [T, V], active_features [A, 3] (layer, position, feature), activation_values [A],
 * selected_features [S], adjacency [N, N] (row = target), logit_tokens, logit_probabilities,
 * node_mask [N], edge_mask [N, N], cumulative_scores [N], node_influence [N], error_vectors
 * [L, T, D], token_vectors [T, D]. The dense matrices need 5 N^2 bytes of memory. `settings`
 * goes into the file's metadata. Atomic. */
typedef struct {
  CwGraph *graph;
  const CwAttributionDetail *detail;
  const CwPruned *pruned;
  const CwModelConfig *config;
  const int32_t *tokens;
  size_t n_tokens;
} CwaRawTensors;

bool cwa_raw_tensors_write(const char *path, const CwaRawTensors *raw, GError **error);
