/* test-attribute.c - attribution against circuit-tracer's own graphs of tiny models: fourteen
 * cases over four architectures, and what must hold of any graph. */
#include "golden-case.h"
#include "test-schema.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

static const char *const cases[] = {
  "llama-clt",         "llama-clt-limited", "llama-plt",     "llama-plt_skip", "gpt2-clt",
  "gpt2-clt-residmid", "gpt2-plt",          "gpt2-plt_skip", "gemma2-clt",     "gemma2-plt",
  "gemma2-plt_skip",   "qwen3-clt",         "qwen3-plt",     "qwen3-plt_skip",
};

/* The graph's edges as the dense matrix of circuit-tracer, row = target. */
static float *
dense_adjacency(const CwGraph *graph)
{
  size_t n = cw_graph_get_n_nodes(graph);
  float *dense = g_new0(float, n *n);
  const int64_t *start = cw_graph_peek_row_start(graph);
  for (size_t t = 0; t < n; t++)
    for (int64_t e = start[t]; e < start[t + 1]; e++)
      dense[t * n + cw_graph_peek_source(graph)[e]] = cw_graph_peek_weight(graph)[e];
  return dense;
}

static void
assert_close(const float *got, const float *want, size_t n, double relative, double absolute)
{
  double largest = test_max_abs(want, n);
  for (size_t i = 0; i < n; i++) {
    double limit = relative * fabs((double)want[i]) + absolute * largest;
    g_assert_cmpfloat(fabs((double)got[i] - (double)want[i]), <=, limit);
  }
}

static void
assert_same_ids(const CwTensor *want, const int64_t *got, int64_t n)
{
  g_assert_cmpint(want->shape[0], ==, n);
  for (int64_t i = 0; i < n; i++) {
    int64_t id;
    memcpy(&id, (const char *)want->data + 8 * i, 8);
    g_assert_cmpint(id, ==, got[i]);
  }
}

static void
assert_same_features(const GoldenCase *one, const CwAttributionDetail *detail)
{
  const CwTensor *want = golden_case_tensor(one, "active_features");
  g_assert_cmpint(want->shape[0], ==, detail->n_active);
  for (int64_t i = 0; i < detail->n_active; i++) {
    int64_t triple[3];
    memcpy(triple, (const char *)want->data + 24 * i, 24);
    g_assert_cmpint(triple[0], ==, detail->active_layer[i]);
    g_assert_cmpint(triple[1], ==, detail->active_position[i]);
    g_assert_cmpint(triple[2], ==, detail->active_feature[i]);
  }
}

static void
test_golden(gconstpointer name)
{
  GoldenCase one;
  golden_case_open(&one, name);
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = golden_case_run(&one, &detail);
  assert_same_features(&one, detail);
  assert_close(detail->activation, golden_case_tensor(&one, "activation_values")->data,
               (size_t)detail->n_active, 1e-5, 1e-5);
  assert_same_ids(golden_case_tensor(&one, "selected_features"), detail->selected,
                  detail->n_selected);
  assert_same_ids(golden_case_tensor(&one, "logit_tokens"), detail->logit_tokens,
                  detail->n_logits);
  assert_close(detail->logit_probabilities,
               golden_case_tensor(&one, "logit_probabilities")->data, (size_t)detail->n_logits,
               1e-5, 1e-6);
  const CwTensor *errors = golden_case_tensor(&one, "error_vectors");
  assert_close(detail->error_vectors, errors->data, errors->n_bytes / 4, 1e-4, 1e-5);
  const CwTensor *tokens = golden_case_tensor(&one, "token_vectors");
  assert_close(detail->token_vectors, tokens->data, tokens->n_bytes / 4, 1e-6, 1e-7);
  const CwTensor *adjacency = golden_case_tensor(&one, "adjacency");
  g_assert_cmpint(adjacency->shape[0], ==, (int64_t)cw_graph_get_n_nodes(graph));
  g_autofree float *dense = dense_adjacency(graph);
  assert_close(dense, adjacency->data, adjacency->n_bytes / 4, 1e-4, 1e-5);
  test_schema_check("settings.schema.json", cw_graph_peek_settings_json(graph));
  golden_case_close(&one);
}

/* value = sum of edges + unattributed, for every feature and logit, with all features selected.
 */
static void
test_identity(gconstpointer name)
{
  GoldenCase one;
  golden_case_open(&one, name);
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = golden_case_run(&one, &detail);
  g_assert_cmpfloat(detail->largest_rest_error, <=, 1e-5);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  const int64_t *start = cw_graph_peek_row_start(graph);
  size_t n_targets = 0;
  for (size_t t = 0; t < cw_graph_get_n_nodes(graph); t++) {
    if (nodes[t].kind != CW_NODE_FEATURE && nodes[t].kind != CW_NODE_LOGIT)
      continue;
    double sum = (double)nodes[t].unattributed, scale = fabs(sum);
    for (int64_t e = start[t]; e < start[t + 1]; e++) {
      sum += (double)cw_graph_peek_weight(graph)[e];
      scale += fabs((double)cw_graph_peek_weight(graph)[e]);
    }
    g_assert_cmpfloat(fabs(sum - (double)nodes[t].value), <=, 1e-5 * MAX(scale, 1));
    n_targets++;
  }
  g_assert_cmpint((int64_t)n_targets, ==, detail->n_selected + detail->n_logits);
  golden_case_close(&one);
}

/* No edge against the order of layers or positions. */
static void
test_causal(void)
{
  GoldenCase one;
  golden_case_open(&one, "gemma2-clt");
  g_autoptr(CwGraph) graph = golden_case_run(&one, NULL);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  const int64_t *start = cw_graph_peek_row_start(graph);
  for (size_t t = 0; t < cw_graph_get_n_nodes(graph); t++)
    for (int64_t e = start[t]; e < start[t + 1]; e++) {
      const CwNode *source = &nodes[cw_graph_peek_source(graph)[e]];
      g_assert_cmpint(source->layer, <, nodes[t].layer);
      g_assert_cmpint(source->position, <=, nodes[t].position);
    }
  golden_case_close(&one);
}

/* Batches and threads must not change a bit of a row. */
static void
test_batches_same_bits(void)
{
  GoldenCase one;
  golden_case_open(&one, "qwen3-clt");
  g_autoptr(CwGraph) graph = golden_case_run(&one, NULL);
  one.options.batch_size = 7;
  one.options.update_interval = 1;
  cwk_device_free(one.device);
  one.device = cwk_cpu_new(1);
  g_autoptr(CwGraph) again = golden_case_run(&one, NULL);
  size_t n = cw_graph_get_n_edges(graph);
  g_assert_cmpuint(n, ==, cw_graph_get_n_edges(again));
  g_autofree float *a = dense_adjacency(graph), *b = dense_adjacency(again);
  size_t n_nodes = cw_graph_get_n_nodes(graph);
  assert_close(a, b, n_nodes * n_nodes, 1e-6, 1e-6);
  golden_case_close(&one);
}

static void
test_difference(void)
{
  GoldenCase one;
  golden_case_open(&one, "llama-clt");
  int32_t pair[2] = { 70, 35 };
  one.options.targets = CW_TARGETS_TOKENS;
  one.options.target_tokens = pair;
  one.options.n_target_tokens = 2;
  g_autoptr(CwGraph) both = golden_case_run(&one, NULL);
  one.options.targets = CW_TARGETS_DIFFERENCE;
  g_autoptr(CwGraph) difference = golden_case_run(&one, NULL);
  test_schema_check("settings.schema.json", cw_graph_peek_settings_json(both));
  test_schema_check("settings.schema.json", cw_graph_peek_settings_json(difference));
  size_t n2 = cw_graph_get_n_nodes(both), n1 = cw_graph_get_n_nodes(difference);
  g_assert_cmpuint(n1 + 1, ==, n2);
  g_autofree float *a = dense_adjacency(both), *b = dense_adjacency(difference);
  g_autofree float *minus = g_new(float, n1);
  for (size_t s = 0; s < n1; s++)
    minus[s] = a[(n2 - 2) * n2 + s] - a[(n2 - 1) * n2 + s];
  assert_close(b + (n1 - 1) * n1, minus, n1, 1e-4, 1e-5);
  g_assert_cmpint(cw_graph_peek_nodes(difference)[n1 - 1].feature, ==,
                  cw_model_peek_config(one.model)->n_vocabulary);
  golden_case_close(&one);
}

/* ---- progress ---------------------------------------------------------------------------- */

typedef struct {
  double last;
  int n_reports;
} RowsSeen;

static void
see_rows(const char *phase, double fraction, gpointer data)
{
  RowsSeen *seen = data;
  if (!g_str_equal(phase, "rows"))
    return;
  g_assert_cmpfloat(fraction, >=, seen->last);
  seen->last = fraction;
  seen->n_reports++;
}

/* Rows are counted batch by batch, those of logits too, and end at the whole. */
static void
test_rows_are_reported(void)
{
  g_autoptr(GError) error = NULL;
  GoldenCase one;
  golden_case_open(&one, "llama-clt");
  one.options.max_feature_nodes = 40;
  one.options.batch_size = 4;
  one.options.update_interval = 2;
  RowsSeen seen = { 0, 0 };
  CwProgress progress = { see_rows, &seen };
  g_autoptr(CwGraph) graph =
      cw_attribute(one.model, one.transcoder, one.device, one.tokens, one.n_tokens,
                   &one.options, &progress, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpfloat(seen.last, ==, 1);
  g_assert_cmpint(seen.n_reports, ==, 1 + 1 + 5);
  golden_case_close(&one);
}

/* ---- what stops the peer ----------------------------------------------------------------- */

static void
test_one_token(void)
{
  GoldenCase one;
  golden_case_open(&one, "llama-clt");
  one.n_tokens = 1;
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = golden_case_run(&one, &detail);
  g_assert_cmpint(detail->n_active, ==, 0);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  size_t n = cw_graph_get_n_nodes(graph);
  g_assert_cmpint(nodes[n - 1].kind, ==, CW_NODE_LOGIT);
  g_assert_cmpfloat(detail->largest_rest_error, <=, 1e-5);
  golden_case_close(&one);
}

static void
test_more_logits_than_vocabulary(void)
{
  GoldenCase one;
  golden_case_open(&one, "gpt2-plt");
  one.options.max_n_logits = 100000;
  one.options.desired_logit_prob = 1.0;
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = golden_case_run(&one, &detail);
  g_assert_cmpint(detail->n_logits, <=, cw_model_peek_config(one.model)->n_vocabulary);
  g_assert_cmpint(detail->n_logits, >, 200);
  golden_case_close(&one);
}

static void
test_bos_id_zero(void)
{
  GoldenCase one;
  golden_case_open(&one, "qwen3-plt");
  one.tokens[0] = 0;
  g_autoptr(CwGraph) graph = golden_case_run(&one, NULL);
  g_assert_cmpuint(cw_graph_get_n_edges(graph), >, 0);
  golden_case_close(&one);
}

static void
test_refusals(void)
{
  GoldenCase one;
  golden_case_open(&one, "llama-clt");
  g_autoptr(GError) error = NULL;
  int32_t bad = 100000;
  one.options.targets = CW_TARGETS_TOKENS;
  one.options.target_tokens = &bad;
  one.options.n_target_tokens = 1;
  g_assert_null(cw_attribute(one.model, one.transcoder, one.device, one.tokens, one.n_tokens,
                             &one.options, NULL, NULL, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(error->message, "100000"));
  g_clear_error(&error);
  GoldenCase other;
  golden_case_open(&other, "gemma2-plt");
  cw_attribution_options_init(&one.options);
  one.options.desired_logit_prob = 0;
  g_assert_null(cw_attribute(one.model, one.transcoder, one.device, one.tokens, one.n_tokens,
                             &one.options, NULL, NULL, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  golden_case_close(&one);
  golden_case_close(&other);
}

/* ---- cancel -------------------------------------------------------------------------------
 */

typedef struct {
  CwCancel *cancel;
  int n_calls, stop_at; /* stop_at negative: never */
  GHashTable *phases;   /* in which the run was stopped, or all of them */
} Stopper;

static void
stop_at_call(const char *phase, double fraction, gpointer user_data)
{
  Stopper *stopper = user_data;
  if (stopper->stop_at < 0 || stopper->n_calls == stopper->stop_at)
    g_hash_table_add(stopper->phases, g_strdup(phase));
  if (stopper->n_calls++ == stopper->stop_at)
    cw_cancel_trigger(stopper->cancel);
}

static CwGraph *
run_stopped(GoldenCase *one, Stopper *stopper, GError **error)
{
  CwProgress progress = { stop_at_call, stopper };
  CwAttributionDetail *detail = NULL;
  CwGraph *graph =
      cw_attribute(one->model, one->transcoder, one->device, one->tokens, one->n_tokens,
                   &one->options, &progress, stopper->cancel, &detail, error);
  g_assert_true((graph == NULL) == (detail == NULL));
  cw_attribution_detail_free(detail);
  return graph;
}

/* Twenty moments spread over the whole run, first and last report among them, in every phase
 * that reports; what was done by then is discarded and the next run is right. */
static void
test_cancel_anywhere(void)
{
  GoldenCase one;
  golden_case_open(&one, "llama-clt");
  one.options.batch_size = 8;
  one.options.update_interval = 1;
  one.options.max_feature_nodes = 300;
  g_autoptr(GHashTable) all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GHashTable) stopped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Stopper watch = { NULL, 0, -1, all };
  g_autoptr(CwGraph) whole = run_stopped(&one, &watch, NULL);
  g_assert_nonnull(whole);
  g_assert_cmpint(watch.n_calls, >=, 20);
  for (int moment = 0; moment < 20; moment++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(CwCancel) cancel = cw_cancel_new();
    Stopper stopper = { cancel, 0, moment * (watch.n_calls - 1) / 19, stopped };
    g_autoptr(CwGraph) graph = run_stopped(&one, &stopper, &error);
    g_assert_null(graph);
    g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  }
  g_assert_cmpuint(g_hash_table_size(stopped), ==, g_hash_table_size(all));
  watch.n_calls = 0;
  g_autoptr(CwGraph) again = run_stopped(&one, &watch, NULL);
  size_t n = cw_graph_get_n_edges(whole);
  g_assert_cmpmem(cw_graph_peek_weight(whole), n * 4, cw_graph_peek_weight(again),
                  cw_graph_get_n_edges(again) * 4);
  golden_case_close(&one);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *golden = g_strdup_printf("/core/attribute/golden/%s", cases[i]);
    g_autofree char *identity = g_strdup_printf("/core/attribute/identity/%s", cases[i]);
    g_test_add_data_func(golden, cases[i], test_golden);
    g_test_add_data_func(identity, cases[i], test_identity);
  }
  g_test_add_func("/core/attribute/causal", test_causal);
  g_test_add_func("/core/attribute/batches-same-bits", test_batches_same_bits);
  g_test_add_func("/core/attribute/difference", test_difference);
  g_test_add_func("/core/attribute/rows-are-reported", test_rows_are_reported);
  g_test_add_func("/core/attribute/one-token", test_one_token);
  g_test_add_func("/core/attribute/more-logits-than-vocabulary",
                  test_more_logits_than_vocabulary);
  g_test_add_func("/core/attribute/bos-id-zero", test_bos_id_zero);
  g_test_add_func("/core/attribute/refusals", test_refusals);
  g_test_add_func("/core/attribute/cancel-anywhere", test_cancel_anywhere);
  return g_test_run();
}
