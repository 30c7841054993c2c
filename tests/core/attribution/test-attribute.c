/* test-attribute.c - attribution against circuit-tracer's own graphs of tiny models: fourteen
 * cases over four architectures, and what must hold of any graph. */
#include "cw-attribution.h"
#include "test-support.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static const char *const cases[] = {
  "llama-clt",         "llama-clt-limited", "llama-plt",     "llama-plt_skip", "gpt2-clt",
  "gpt2-clt-residmid", "gpt2-plt",          "gpt2-plt_skip", "gemma2-clt",     "gemma2-plt",
  "gemma2-plt_skip",   "qwen3-clt",         "qwen3-plt",     "qwen3-plt_skip",
};

typedef struct {
  CwModel *model;
  CwTranscoder *transcoder;
  CwkDevice *device;
  CwTensorFile *expected;
  int32_t *tokens;
  size_t n_tokens;
  CwAttributionOptions options;
} Case;

static const CwTensor *
expected_tensor(const Case *one, const char *name)
{
  const CwTensor *tensor = cw_tensor_file_find(one->expected, name);
  g_assert_nonnull(tensor);
  return tensor;
}

static int64_t
json_int(JsonObject *object, const char *key, int64_t otherwise)
{
  if (!json_object_has_member(object, key) || json_object_get_null_member(object, key))
    return otherwise;
  return json_object_get_int_member(object, key);
}

static void
read_options(Case *one, const char *folder)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autofree char *path = g_build_filename(folder, "case.json", NULL);
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  JsonObject *object = json_node_get_object(json_parser_get_root(parser));
  cw_attribution_options_init(&one->options);
  one->options.max_n_logits = json_int(object, "max_n_logits", 10);
  one->options.desired_logit_prob = json_object_get_double_member(object, "desired_logit_prob");
  one->options.batch_size = json_int(object, "batch_size", 256);
  one->options.update_interval = json_int(object, "update_interval", 4);
  one->options.max_feature_nodes = json_int(object, "max_feature_nodes", 0);
  one->options.keeps_tensors = true;
}

static void
case_open(Case *one, const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *rest = g_build_filename("attribution", name, NULL);
  g_autofree char *folder = test_golden_path(rest);
  g_autofree char *model = g_build_filename(folder, "model", NULL);
  g_autofree char *transcoder = g_build_filename(folder, "transcoder", NULL);
  g_autofree char *expected = g_build_filename(folder, "expected.safetensors", NULL);
  one->model = cw_model_load(model, &error);
  g_assert_no_error(error);
  one->transcoder = cw_transcoder_open(transcoder, &error);
  g_assert_no_error(error);
  one->expected = cw_tensor_file_open(expected, &error);
  g_assert_no_error(error);
  one->device = cwk_cpu_new(2);
  const CwTensor *tokens = expected_tensor(one, "input_tokens");
  one->n_tokens = (size_t)tokens->shape[0];
  one->tokens = g_new(int32_t, one->n_tokens);
  for (size_t i = 0; i < one->n_tokens; i++) {
    int64_t id;
    memcpy(&id, (const char *)tokens->data + 8 * i, 8);
    one->tokens[i] = (int32_t)id;
  }
  read_options(one, folder);
}

static void
case_close(Case *one)
{
  cw_model_unref(one->model);
  cw_transcoder_unref(one->transcoder);
  cw_tensor_file_close(one->expected);
  cwk_device_free(one->device);
  g_free(one->tokens);
}

static CwGraph *
case_run(Case *one, CwAttributionDetail **detail)
{
  g_autoptr(GError) error = NULL;
  CwGraph *graph = cw_attribute(one->model, one->transcoder, one->device, one->tokens,
                                one->n_tokens, &one->options, NULL, NULL, detail, &error);
  g_assert_no_error(error);
  return graph;
}

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
assert_same_features(const Case *one, const CwAttributionDetail *detail)
{
  const CwTensor *want = expected_tensor(one, "active_features");
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
  Case one;
  case_open(&one, name);
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = case_run(&one, &detail);
  assert_same_features(&one, detail);
  assert_close(detail->activation, expected_tensor(&one, "activation_values")->data,
               (size_t)detail->n_active, 1e-5, 1e-5);
  assert_same_ids(expected_tensor(&one, "selected_features"), detail->selected,
                  detail->n_selected);
  assert_same_ids(expected_tensor(&one, "logit_tokens"), detail->logit_tokens,
                  detail->n_logits);
  assert_close(detail->logit_probabilities, expected_tensor(&one, "logit_probabilities")->data,
               (size_t)detail->n_logits, 1e-5, 1e-6);
  const CwTensor *errors = expected_tensor(&one, "error_vectors");
  assert_close(detail->error_vectors, errors->data, errors->n_bytes / 4, 1e-4, 1e-5);
  const CwTensor *tokens = expected_tensor(&one, "token_vectors");
  assert_close(detail->token_vectors, tokens->data, tokens->n_bytes / 4, 1e-6, 1e-7);
  const CwTensor *adjacency = expected_tensor(&one, "adjacency");
  g_assert_cmpint(adjacency->shape[0], ==, (int64_t)cw_graph_get_n_nodes(graph));
  g_autofree float *dense = dense_adjacency(graph);
  assert_close(dense, adjacency->data, adjacency->n_bytes / 4, 1e-4, 1e-5);
  case_close(&one);
}

/* value = sum of edges + unattributed, for every feature and logit, with all features selected.
 */
static void
test_identity(gconstpointer name)
{
  Case one;
  case_open(&one, name);
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = case_run(&one, &detail);
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
  case_close(&one);
}

/* No edge against the order of layers or positions. */
static void
test_causal(void)
{
  Case one;
  case_open(&one, "gemma2-clt");
  g_autoptr(CwGraph) graph = case_run(&one, NULL);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  const int64_t *start = cw_graph_peek_row_start(graph);
  for (size_t t = 0; t < cw_graph_get_n_nodes(graph); t++)
    for (int64_t e = start[t]; e < start[t + 1]; e++) {
      const CwNode *source = &nodes[cw_graph_peek_source(graph)[e]];
      g_assert_cmpint(source->layer, <, nodes[t].layer);
      g_assert_cmpint(source->position, <=, nodes[t].position);
    }
  case_close(&one);
}

/* Batches and threads must not change a bit of a row. */
static void
test_batches_same_bits(void)
{
  Case one;
  case_open(&one, "qwen3-clt");
  g_autoptr(CwGraph) graph = case_run(&one, NULL);
  one.options.batch_size = 7;
  one.options.update_interval = 1;
  cwk_device_free(one.device);
  one.device = cwk_cpu_new(1);
  g_autoptr(CwGraph) again = case_run(&one, NULL);
  size_t n = cw_graph_get_n_edges(graph);
  g_assert_cmpuint(n, ==, cw_graph_get_n_edges(again));
  g_autofree float *a = dense_adjacency(graph), *b = dense_adjacency(again);
  size_t n_nodes = cw_graph_get_n_nodes(graph);
  assert_close(a, b, n_nodes * n_nodes, 1e-6, 1e-6);
  case_close(&one);
}

static void
test_difference(void)
{
  Case one;
  case_open(&one, "llama-clt");
  int32_t pair[2] = { 70, 35 };
  one.options.targets = CW_TARGETS_TOKENS;
  one.options.target_tokens = pair;
  one.options.n_target_tokens = 2;
  g_autoptr(CwGraph) both = case_run(&one, NULL);
  one.options.targets = CW_TARGETS_DIFFERENCE;
  g_autoptr(CwGraph) difference = case_run(&one, NULL);
  size_t n2 = cw_graph_get_n_nodes(both), n1 = cw_graph_get_n_nodes(difference);
  g_assert_cmpuint(n1 + 1, ==, n2);
  g_autofree float *a = dense_adjacency(both), *b = dense_adjacency(difference);
  g_autofree float *minus = g_new(float, n1);
  for (size_t s = 0; s < n1; s++)
    minus[s] = a[(n2 - 2) * n2 + s] - a[(n2 - 1) * n2 + s];
  assert_close(b + (n1 - 1) * n1, minus, n1, 1e-4, 1e-5);
  g_assert_cmpint(cw_graph_peek_nodes(difference)[n1 - 1].feature, ==,
                  cw_model_peek_config(one.model)->n_vocabulary);
  case_close(&one);
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
  Case one;
  case_open(&one, "llama-clt");
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
  case_close(&one);
}

/* ---- what stops the peer ----------------------------------------------------------------- */

static void
test_one_token(void)
{
  Case one;
  case_open(&one, "llama-clt");
  one.n_tokens = 1;
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = case_run(&one, &detail);
  g_assert_cmpint(detail->n_active, ==, 0);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  size_t n = cw_graph_get_n_nodes(graph);
  g_assert_cmpint(nodes[n - 1].kind, ==, CW_NODE_LOGIT);
  g_assert_cmpfloat(detail->largest_rest_error, <=, 1e-5);
  case_close(&one);
}

static void
test_more_logits_than_vocabulary(void)
{
  Case one;
  case_open(&one, "gpt2-plt");
  one.options.max_n_logits = 100000;
  one.options.desired_logit_prob = 1.0;
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph = case_run(&one, &detail);
  g_assert_cmpint(detail->n_logits, <=, cw_model_peek_config(one.model)->n_vocabulary);
  g_assert_cmpint(detail->n_logits, >, 200);
  case_close(&one);
}

static void
test_bos_id_zero(void)
{
  Case one;
  case_open(&one, "qwen3-plt");
  one.tokens[0] = 0;
  g_autoptr(CwGraph) graph = case_run(&one, NULL);
  g_assert_cmpuint(cw_graph_get_n_edges(graph), >, 0);
  case_close(&one);
}

static void
test_refusals(void)
{
  Case one;
  case_open(&one, "llama-clt");
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
  Case other;
  case_open(&other, "gemma2-plt");
  cw_attribution_options_init(&one.options);
  one.options.desired_logit_prob = 0;
  g_assert_null(cw_attribute(one.model, one.transcoder, one.device, one.tokens, one.n_tokens,
                             &one.options, NULL, NULL, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  case_close(&one);
  case_close(&other);
}

/* ---- cancel -------------------------------------------------------------------------------
 */

typedef struct {
  CwCancel *cancel;
  int n_calls, stop_at;
} Stopper;

static void
stop_at_call(const char *phase, double fraction, gpointer user_data)
{
  Stopper *stopper = user_data;
  if (stopper->n_calls++ == stopper->stop_at)
    cw_cancel_trigger(stopper->cancel);
}

static void
test_cancel_anywhere(void)
{
  Case one;
  case_open(&one, "llama-clt");
  one.options.batch_size = 8;
  one.options.update_interval = 1;
  one.options.max_feature_nodes = 300;
  for (int moment = 0; moment < 20; moment++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(CwCancel) cancel = cw_cancel_new();
    Stopper stopper = { cancel, 0, moment };
    CwProgress progress = { stop_at_call, &stopper };
    g_assert_null(cw_attribute(one.model, one.transcoder, one.device, one.tokens, one.n_tokens,
                               &one.options, &progress, cancel, NULL, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  }
  case_close(&one);
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
