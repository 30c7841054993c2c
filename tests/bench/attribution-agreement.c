/* attribution-agreement.c - see attribution-agreement.h.
 *
 * A budget of features is spent best first, so two programs whose influences differ in the last
 * bits may take another feature at the border; edges are compared between the nodes both have.
 */
#include "attribution-agreement.h"

#include "cw-tensor-file.h"

#include <math.h>

/* ---- writing ----------------------------------------------------------------------------- */

static float *
dense_adjacency(const CwGraph *graph)
{
  size_t n = cw_graph_get_n_nodes(graph);
  const int64_t *start = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  const float *weight = cw_graph_peek_weight(graph);
  float *dense = g_try_new0(float, n *n);
  for (size_t t = 0; dense != NULL && t < n; t++)
    for (int64_t e = start[t]; e < start[t + 1]; e++)
      dense[t * n + source[e]] = weight[e];
  return dense;
}

bool
attribution_write(const CwGraph *graph, const CwAttributionDetail *detail,
                  const int32_t *tokens, size_t n_tokens, const char *path, GError **error)
{
  int64_t K = detail->n_active, N = (int64_t)cw_graph_get_n_nodes(graph);
  int64_t T = (int64_t)n_tokens;
  g_autofree float *adjacency = dense_adjacency(graph);
  g_autofree int64_t *triples = g_new(int64_t, 3 * MAX(K, 1));
  g_autofree int64_t *ids = g_new(int64_t, T);
  if (adjacency == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory for a dense graph");
    return false;
  }
  for (int64_t i = 0; i < K; i++) {
    triples[3 * i] = detail->active_layer[i];
    triples[3 * i + 1] = detail->active_position[i];
    triples[3 * i + 2] = detail->active_feature[i];
  }
  for (int64_t i = 0; i < T; i++)
    ids[i] = tokens[i];
  const CwTensorOut tensors[] = {
    { "input_tokens", "I64", 1, { T }, ids },
    { "active_features", "I64", 2, { K, 3 }, triples },
    { "activation_values", "F32", 1, { K }, detail->activation },
    { "selected_features", "I64", 1, { detail->n_selected }, detail->selected },
    { "adjacency", "F32", 2, { N, N }, adjacency },
    { "logit_tokens", "I64", 1, { detail->n_logits }, detail->logit_tokens },
    { "logit_probabilities", "F32", 1, { detail->n_logits }, detail->logit_probabilities },
  };
  return cw_safetensors_write(path, tensors, G_N_ELEMENTS(tensors), NULL, error);
}

/* ---- reading ----------------------------------------------------------------------------- */

typedef struct {
  CwTensorFile *file;
  const int64_t *active, *selected, *logit_tokens; /* the file's tensors, which are aligned */
  const float *adjacency;
  int64_t n_active, n_selected, n_logits, n_tokens, n_nodes;
  GHashTable *index_of_active, *row_of_selected; /* by key, values + 1 */
} Run;

static void
run_clear(Run *run)
{
  g_clear_pointer(&run->file, cw_tensor_file_close);
  g_clear_pointer(&run->index_of_active, g_hash_table_unref);
  g_clear_pointer(&run->row_of_selected, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static gint64
key_of(const Run *run, int64_t active)
{
  const int64_t *triple = run->active + 3 * active;
  return (triple[0] << 52) | (triple[1] << 32) | triple[2];
}

static void
put_key(GHashTable *table, gint64 key, int64_t value)
{
  g_hash_table_insert(table, g_memdup2(&key, sizeof key), GSIZE_TO_POINTER(value + 1));
}

static const void *
require(Run *run, const char *name, int n_dims, int64_t *n, GError **error)
{
  const int64_t any[] = { -1, -1 };
  const CwTensor *tensor = cw_tensor_file_require(run->file, name, n_dims, any, error);
  if (tensor == NULL)
    return NULL;
  *n = tensor->shape[0];
  return tensor->data;
}

static bool
run_open(Run *run, const char *path, GError **error)
{
  run->file = cw_tensor_file_open(path, error);
  if (run->file == NULL || require(run, "input_tokens", 1, &run->n_tokens, error) == NULL ||
      (run->active = require(run, "active_features", 2, &run->n_active, error)) == NULL ||
      (run->selected = require(run, "selected_features", 1, &run->n_selected, error)) == NULL ||
      (run->logit_tokens = require(run, "logit_tokens", 1, &run->n_logits, error)) == NULL ||
      (run->adjacency = require(run, "adjacency", 2, &run->n_nodes, error)) == NULL)
    return false;
  run->index_of_active = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  run->row_of_selected = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  for (int64_t i = 0; i < run->n_active; i++)
    put_key(run->index_of_active, key_of(run, i), i);
  for (int64_t i = 0; i < run->n_selected; i++)
    put_key(run->row_of_selected, key_of(run, run->selected[i]), i);
  return true;
}

/* ---- comparing --------------------------------------------------------------------------- */

/* Row of b for every row of a, -1 where b has none; errors, tokens and logits in order. */
static int64_t *
match_nodes(const Run *a, const Run *b, int64_t *n_shared)
{
  int64_t *match = g_new(int64_t, a->n_nodes);
  *n_shared = 0;
  for (int64_t i = 0; i < a->n_nodes; i++) {
    if (i >= a->n_selected) {
      match[i] = i - a->n_selected + b->n_selected;
      continue;
    }
    gint64 key = key_of(a, a->selected[i]);
    match[i] = (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(b->row_of_selected, &key)) - 1;
    *n_shared += match[i] >= 0;
  }
  return match;
}

static void
compare_edges(const Run *a, const Run *b, const int64_t *match, AttributionAgreement *agreement)
{
  for (int64_t i = 0; i < b->n_nodes * b->n_nodes; i++)
    agreement->largest = MAX(agreement->largest, fabs((double)b->adjacency[i]));
  for (int64_t t = 0; t < a->n_nodes; t++)
    for (int64_t s = 0; match[t] >= 0 && s < a->n_nodes; s++) {
      if (match[s] < 0)
        continue;
      double x = (double)a->adjacency[t * a->n_nodes + s];
      double y = (double)b->adjacency[match[t] * b->n_nodes + match[s]];
      double difference = fabs(x - y), allowed = 1e-3 * fabs(y) + 1e-4 * agreement->largest;
      /* Written so that a NaN counts as the worst. */
      if (!(difference <= agreement->worst * agreement->largest))
        agreement->worst = difference / agreement->largest;
      if (!(difference <= agreement->worst_allowed * allowed))
        agreement->worst_allowed = difference / allowed;
      agreement->n_edges += y != 0;
    }
}

bool
attribution_compare(const char *path_a, const char *path_b, AttributionAgreement *agreement,
                    GError **error)
{
  g_auto(Run) a = { 0 }, b = { 0 };
  *agreement = (AttributionAgreement){ 0 };
  if (!run_open(&a, path_a, error) || !run_open(&b, path_b, error))
    return false;
  agreement->n_active_a = a.n_active;
  agreement->n_active_b = b.n_active;
  agreement->n_selected_a = a.n_selected;
  agreement->n_selected_b = b.n_selected;
  for (int64_t i = 0; i < a.n_active; i++) {
    gint64 key = key_of(&a, i);
    agreement->n_active_shared += g_hash_table_contains(b.index_of_active, &key);
  }
  g_autofree int64_t *match = match_nodes(&a, &b, &agreement->n_selected_shared);
  bool fits = a.n_nodes - a.n_selected == b.n_nodes - b.n_selected && a.n_logits == b.n_logits;
  agreement->has_same_logits = fits;
  for (int64_t i = 0; fits && i < a.n_logits; i++)
    agreement->has_same_logits &= a.logit_tokens[i] == b.logit_tokens[i];
  if (fits)
    compare_edges(&a, &b, match, agreement);
  return true;
}

bool
attribution_agrees(const AttributionAgreement *agreement)
{
  return agreement->has_same_logits && agreement->n_active_a == agreement->n_active_b &&
         agreement->n_active_shared == agreement->n_active_b &&
         agreement->n_selected_a == agreement->n_selected_b &&
         agreement->n_selected_shared * 100 >= agreement->n_selected_b * 99 &&
         agreement->n_edges > 0 && agreement->worst_allowed <= 1;
}

char *
attribution_agreement_to_json(const AttributionAgreement *agreement)
{
  return g_strdup_printf(
      "{\"agrees\": %s, \"active\": %" G_GINT64_FORMAT ", \"active_shared\": %" G_GINT64_FORMAT
      ", \"selected\": %" G_GINT64_FORMAT ", \"selected_shared\": %" G_GINT64_FORMAT
      ", \"edges\": %" G_GINT64_FORMAT
      ", \"worst_over_largest\": %.2e, \"worst_over_allowed\": %.3f}",
      attribution_agrees(agreement) ? "true" : "false", agreement->n_active_b,
      agreement->n_active_shared, agreement->n_selected_b, agreement->n_selected_shared,
      agreement->n_edges, agreement->worst, agreement->worst_allowed);
}
