/* attribution-agreement.h - is it the same graph? Tensors of a run in a file, and two files
 * compared feature by feature. */
#pragma once

#include "cw-attribution.h"

/* Writes the tensors circuit-tracer's graph has, under the names of tests/golden: adjacency
 * [N, N] dense, rows being targets. */
bool attribution_write(const CwGraph *graph, const CwAttributionDetail *detail,
                       const int32_t *tokens, size_t n_tokens, const char *path,
                       GError **error);

typedef struct {
  int64_t n_active_a, n_active_b, n_active_shared;
  int64_t n_selected_a, n_selected_b, n_selected_shared;
  int64_t n_edges;      /* non-zero in b, between nodes that both have */
  double largest;       /* |weight| of b */
  double worst;         /* |a - b| over largest */
  double worst_allowed; /* |a - b| over (1e-3 |b| + 1e-4 largest): 1 and less agrees */
  bool has_same_logits;
} AttributionAgreement;

/* b is the reference. False only if a file cannot be read. */
bool attribution_compare(const char *path_a, const char *path_b,
                         AttributionAgreement *agreement, GError **error);
/* What the golden data asks: active features equal, 99 % of the selected ones shared, edges
 * within the allowance. */
bool attribution_agrees(const AttributionAgreement *agreement);
/* As a JSON object. Transfer full. */
char *attribution_agreement_to_json(const AttributionAgreement *agreement);
