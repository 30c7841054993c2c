/* test-prune.c - influence, pruning and scores against circuit-tracer's own results. */
#include "golden-graph.h"
#include "test-support.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static const char *const GOLDEN_CASES[] = {
  "llama-clt", "llama-clt-limited", "llama-plt",  "llama-plt_skip",    "gpt2-clt",
  "gpt2-plt",  "gpt2-plt_skip",     "gemma2-clt", "gpt2-clt-residmid", "gemma2-plt",
  "qwen3-clt", "gemma2-plt_skip",   "qwen3-plt",  "qwen3-plt_skip",
};

static CwPruned *
prune(CwGraph *graph, double node_threshold, double edge_threshold, const uint8_t *pinned)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  g_assert_no_error(error);
  CwPruneOptions options = { node_threshold, edge_threshold, pinned };
  CwPruned *pruned = cw_pruner_run(pruner, &options, NULL, &error);
  g_assert_no_error(error);
  return pruned;
}

static void
assert_dense_masks(const GoldenGraph *golden, const CwPruned *pruned)
{
  size_t n = golden->n_nodes, n_edges = 0;
  const int64_t *row = cw_graph_peek_row_start(golden->graph);
  const uint32_t *source = cw_graph_peek_source(golden->graph);
  for (size_t i = 0; i < n; i++)
    g_assert_cmpint(pruned->node_mask[i], ==, golden->node_mask[i]);
  for (size_t t = 0; t < n; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      g_assert_cmpint(pruned->edge_mask[e], ==, golden->edge_mask[t * n + source[e]]);
  for (size_t i = 0; i < n * n; i++)
    n_edges += golden->edge_mask[i];
  g_assert_cmpuint(pruned->n_kept_edges, ==, n_edges);
}

static JsonObject *
case_object(JsonParser *parser, const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *rest = g_strdup_printf("attribution/%s/case.json", name);
  g_autofree char *path = test_golden_path(rest);
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  return json_node_get_object(json_parser_get_root(parser));
}

static void
test_golden(gconstpointer data)
{
  g_autofree char *rest =
      g_strdup_printf("attribution/%s/expected.safetensors", (const char *)data);
  g_autofree char *path = test_golden_path(rest);
  g_autoptr(GoldenGraph) golden = golden_graph_load(path);
  g_autoptr(JsonParser) parser = json_parser_new();
  JsonObject *expected = case_object(parser, data);
  g_autoptr(CwPruned) pruned =
      prune(golden->graph, json_object_get_double_member(expected, "node_threshold"),
            json_object_get_double_member(expected, "edge_threshold"), NULL);
  assert_dense_masks(golden, pruned);
  g_assert_cmpint(json_object_get_int_member(expected, "n_edges"), ==,
                  (gint64)pruned->n_kept_edges);
  g_assert_cmpfloat(test_max_difference(pruned->influence, golden->influence, golden->n_nodes),
                    <, 1e-6);
  g_assert_cmpfloat(
      test_max_difference(pruned->cumulative_share, golden->cumulative_share, golden->n_nodes),
      <, 1e-5);
  CwScores scores;
  cw_scores_compute(golden->graph, NULL, &scores);
  g_assert_cmpfloat_with_epsilon(
      scores.replacement, json_object_get_double_member(expected, "replacement_score"), 1e-6);
  g_assert_cmpfloat_with_epsilon(
      scores.completeness, json_object_get_double_member(expected, "completeness_score"), 1e-6);
}

static void
test_smollm2(void)
{
  g_autofree char *path = test_golden_path("smollm2/attribution-1024.safetensors");
  g_autoptr(GoldenGraph) golden = golden_graph_load(path);
  g_autoptr(CwPruned) pruned = prune(golden->graph, 0.8, 0.98, NULL);
  assert_dense_masks(golden, pruned);
  g_assert_cmpfloat(
      test_max_difference(pruned->cumulative_share, golden->cumulative_share, golden->n_nodes),
      <, 1e-5);
}

#define EXAMPLE_N 12

static CwGraph *
example_graph(void)
{
  static const int edges[][2] = { { 11, 1 }, { 11, 3 }, { 11, 6 }, { 11, 8 }, { 3, 0 },
                                  { 3, 1 },  { 3, 6 },  { 1, 9 },  { 1, 10 }, { 0, 9 } };
  float dense[EXAMPLE_N * EXAMPLE_N] = { 0 };
  CwNode nodes[EXAMPLE_N] = { 0 };
  for (size_t i = 0; i < G_N_ELEMENTS(edges); i++)
    dense[edges[i][0] * EXAMPLE_N + edges[i][1]] = i % 2 ? -0.25f : 0.25f;
  nodes[EXAMPLE_N - 1] = (CwNode){ .kind = CW_NODE_LOGIT, .layer = 1, .probability = 1 };
  return graph_from_dense(dense, nodes, EXAMPLE_N, 1, 1);
}

static void
test_example(void)
{
  static const float expected[EXAMPLE_N] = { 1 / 12.f, 1 / 3.f, 0,       1 / 4.f, 0,       0,
                                             1 / 3.f,  0,       1 / 4.f, 1 / 4.f, 1 / 6.f, 0 };
  g_autoptr(CwGraph) graph = example_graph();
  float influence[EXAMPLE_N];
  bool has_cycle = true;
  cw_influence_compute(graph, influence, &has_cycle);
  g_assert_false(has_cycle);
  g_assert_cmpfloat(test_max_difference(influence, expected, EXAMPLE_N), <, 1e-7);
}

static void
assert_same(const CwPruned *a, const CwPruned *b)
{
  g_assert_cmpmem(a->node_mask, a->n_nodes, b->node_mask, b->n_nodes);
  g_assert_cmpmem(a->edge_mask, a->n_edges, b->edge_mask, b->n_edges);
  g_assert_cmpuint(a->n_kept_nodes, ==, b->n_kept_nodes);
  g_assert_cmpuint(a->n_kept_edges, ==, b->n_kept_edges);
}

static void
test_equals_sorting(void)
{
  static const double thresholds[][2] = { { 0.8, 0.98 }, { 0.5, 0.9 },  { 0.3, 0.5 },
                                          { 0, 0 },      { 0.95, 0.1 }, { 0.01, 0.999 },
                                          { 0.999, 0 },  { 0.6, 0.6 } };
  g_autoptr(GError) error = NULL;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    g_autoptr(CwGraph) graph = graph_random(150 + 40 * (int64_t)seed, 5, 7, 0.1 * seed, seed);
    g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
    for (size_t i = 0; i < G_N_ELEMENTS(thresholds); i++) {
      CwPruneOptions options = { thresholds[i][0], thresholds[i][1], NULL };
      g_autoptr(CwPruned) ours = cw_pruner_run(pruner, &options, NULL, &error);
      g_assert_no_error(error);
      g_autoptr(CwPruned) theirs = prune_by_sorting(graph, thresholds[i][0], thresholds[i][1]);
      assert_same(ours, theirs);
    }
  }
}

static void
test_keeps_all_at_one(void)
{
  g_autoptr(CwGraph) graph = graph_random(200, 4, 5, 0.5, 9);
  g_autoptr(CwPruned) pruned = prune(graph, 1, 1, NULL);
  const int64_t *row = cw_graph_peek_row_start(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  for (size_t t = 0; t < pruned->n_nodes; t++) {
    CwNodeKind kind = cw_graph_peek_nodes(graph)[t].kind;
    bool is_forced = kind == CW_NODE_TOKEN || kind == CW_NODE_LOGIT;
    if (!is_forced && pruned->node_mask[t])
      g_assert_cmpfloat(pruned->influence[t], >, 0);
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      g_assert_cmpint(pruned->edge_mask[e], ==,
                      pruned->node_mask[t] && pruned->node_mask[source[e]]);
  }
}

static void
test_keeps_logits_at_zero(void)
{
  g_autoptr(CwGraph) graph = graph_random(200, 4, 5, 0.5, 10);
  g_autoptr(CwPruned) pruned = prune(graph, 0, 0, NULL);
  size_t n_forced = 0;
  for (size_t i = 0; i < pruned->n_nodes; i++) {
    CwNodeKind kind = cw_graph_peek_nodes(graph)[i].kind;
    if (kind == CW_NODE_TOKEN || kind == CW_NODE_LOGIT) {
      n_forced++;
      g_assert_true(pruned->node_mask[i]);
    }
  }
  g_assert_cmpuint(pruned->n_kept_nodes, <=, n_forced + 1);
  g_assert_cmpuint(pruned->n_kept_edges, ==, 1);
}

static void
test_keeps_pinned(void)
{
  g_autoptr(CwGraph) graph = graph_random(300, 5, 6, 0.4, 11);
  g_autoptr(CwPruned) before = prune(graph, 0.3, 0.5, NULL);
  g_autofree uint8_t *pinned = g_new0(uint8_t, before->n_nodes);
  for (size_t i = 0; i < before->n_nodes; i += 17)
    pinned[i] = 1;
  g_autoptr(CwPruned) after = prune(graph, 0.3, 0.5, pinned);
  for (size_t i = 0; i < before->n_nodes; i++)
    if (pinned[i])
      g_assert_true(after->node_mask[i]);
  g_assert_cmpuint(after->n_kept_nodes, >, before->n_kept_nodes);
}

static void
test_refuses_thresholds(void)
{
  static const double bad[] = { -0.1, 1.1, NAN, INFINITY };
  g_autoptr(CwGraph) graph = example_graph();
  g_autoptr(GError) error = NULL;
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
    CwPruneOptions nodes = { bad[i], 0.5, NULL }, edges = { 0.5, bad[i], NULL };
    g_assert_null(cw_pruner_run(pruner, &nodes, NULL, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
    g_clear_error(&error);
    g_assert_null(cw_pruner_run(pruner, &edges, NULL, &error));
    g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
    g_clear_error(&error);
  }
}

/* logit <- a (weight 1), a <- b and token 1:1, b <- a: a = 1 + b, b = a / 2, so a = 2, b = 1.
 */
static void
test_cycle_converges(void)
{
  float dense[16] = { 0 };
  CwNode nodes[4] = { { CW_NODE_FEATURE, 0, 0, 1 },
                      { CW_NODE_FEATURE, 1, 0, 1 },
                      { CW_NODE_TOKEN, -1, 0, 1 },
                      { .kind = CW_NODE_LOGIT, .layer = 2, .probability = 1 } };
  float influence[4];
  bool has_cycle = false;
  dense[3 * 4 + 0] = 3;
  dense[0 * 4 + 1] = -2;
  dense[0 * 4 + 2] = 2;
  dense[1 * 4 + 0] = 1;
  g_autoptr(CwGraph) graph = graph_from_dense(dense, nodes, 4, 2, 1);
  g_assert_null(cw_graph_peek_topological_order(graph));
  cw_influence_compute(graph, influence, &has_cycle);
  g_assert_true(has_cycle);
  g_assert_cmpfloat_with_epsilon(influence[0], 2, 1e-6);
  g_assert_cmpfloat_with_epsilon(influence[1], 1, 1e-6);
  g_assert_cmpfloat_with_epsilon(influence[2], 1, 1e-6);
  g_autoptr(CwPruned) pruned = prune(graph, 1, 1, NULL);
  g_assert_true(pruned->has_cycle);
  g_assert_cmpuint(pruned->n_kept_edges, ==, 4);
}

/* A cycle that loses nothing has no finite influence; the sweeps stop all the same. */
static void
test_closed_cycle_ends(void)
{
  float dense[9] = { 0 };
  CwNode nodes[3] = { { CW_NODE_FEATURE, 0, 0, 1 },
                      { CW_NODE_FEATURE, 1, 0, 1 },
                      { .kind = CW_NODE_LOGIT, .layer = 2, .probability = 1 } };
  float influence[3];
  dense[2 * 3 + 0] = 1;
  dense[0 * 3 + 1] = 1;
  dense[1 * 3 + 0] = 1;
  g_autoptr(CwGraph) graph = graph_from_dense(dense, nodes, 3, 2, 1);
  cw_influence_compute(graph, influence, NULL);
  g_assert_true(isfinite(influence[0]) && isfinite(influence[1]));
  g_autoptr(CwPruned) pruned = prune(graph, 0.8, 0.98, NULL);
  g_assert_nonnull(pruned);
}

static void
test_pruned_scores(void)
{
  g_autoptr(CwGraph) graph = graph_random(300, 5, 6, 0.4, 12);
  g_autoptr(CwPruned) all = prune(graph, 1, 1, NULL);
  g_autoptr(CwPruned) some = prune(graph, 0.5, 0.8, NULL);
  CwScores whole, same, less;
  cw_scores_compute(graph, NULL, &whole);
  memset(all->edge_mask, 1, all->n_edges);
  cw_scores_compute(graph, all, &same);
  cw_scores_compute(graph, some, &less);
  g_assert_cmpfloat_with_epsilon(whole.replacement, same.replacement, 1e-12);
  g_assert_cmpfloat_with_epsilon(whole.completeness, same.completeness, 1e-12);
  g_assert_true(less.replacement >= 0 && less.replacement <= 1);
  g_assert_cmpfloat(fabs(less.completeness - whole.completeness), >, 1e-6);
}

/* No node, no edge, no logit: nothing to explain, nothing to fail on. */
static void
test_empty(void)
{
  CwNode nodes[2] = { { CW_NODE_TOKEN, -1, 0, 1 }, { CW_NODE_FEATURE, 0, 0, 1 } };
  float dense[4] = { 0 };
  for (size_t n = 0; n <= 2; n++) {
    g_autoptr(CwGraph) graph = graph_from_dense(dense, nodes, n, 1, 1);
    g_autoptr(CwPruned) pruned = prune(graph, 0.8, 0.98, NULL);
    CwScores scores;
    g_assert_cmpuint(pruned->n_kept_nodes, ==, MIN(n, 1));
    g_assert_cmpuint(pruned->n_kept_edges, ==, 0);
    cw_scores_compute(graph, pruned, &scores);
    g_assert_cmpfloat(scores.replacement, ==, 0);
  }
}

/* Four features that feed one logit, each more than the one before. */
static CwGraph *
graph_ranked(const float *influence)
{
  static const int64_t row_start[] = { 0, 0, 0, 0, 0, 4 };
  static const uint32_t source[] = { 0, 1, 2, 3 };
  static const float weight[] = { 0.05f, 0.1f, 0.2f, 2 };
  g_autoptr(GError) error = NULL;
  CwGraphParts parts = { .prompt = g_strdup(""),
                         .prompt_tokens = g_new0(char *, 1),
                         .n_positions = 1,
                         .n_layers = 1,
                         .n_nodes = 5,
                         .nodes = g_new0(CwNode, 5),
                         .labels = g_new0(char *, 5),
                         .row_start = g_memdup2(row_start, sizeof row_start),
                         .source = g_memdup2(source, sizeof source),
                         .weight = g_memdup2(weight, sizeof weight) };
  parts.prompt_tokens[0] = g_strdup("a");
  for (int i = 0; i < 4; i++)
    parts.nodes[i] =
        (CwNode){ .kind = CW_NODE_FEATURE, .feature = i, .influence = influence[i] };
  parts.nodes[4] =
      (CwNode){ .kind = CW_NODE_LOGIT, .layer = 1, .probability = 1, .influence = NAN };
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
  g_assert_no_error(error);
  return graph;
}

/* Some foreign files give each node's own share in place of the cumulative one: they are not
 * ranked by it, which would keep the least important. */
static void
test_own_shares_are_no_ranks(void)
{
  static const float cumulative[] = { 0.5f, 0.7f, 0.8f, 0.9f };
  static const float own[] = { 0.5f, 0.2f, 0.1f, 0.05f };
  for (int is_own = 0; is_own < 2; is_own++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(CwGraph) graph = graph_ranked(is_own ? own : cumulative);
    g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
    g_assert_no_error(error);
    CwPruneOptions options = { 0.86, 1, NULL, .ranks_as_file = true };
    g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &options, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(cw_graph_has_ranks(graph) == !is_own);
    /* Node 3 has the largest edge to the logit. */
    g_assert_cmpint(pruned->node_mask[0], ==, !is_own);
    g_assert_cmpint(pruned->node_mask[3], ==, is_own);
  }
}

static void
test_cancel(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = graph_random(300, 5, 6, 0.4, 13);
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, cancel, &error);
  g_assert_no_error(error);
  CwPruneOptions options = { 0.8, 0.98, NULL };
  cw_cancel_trigger(cancel);
  g_assert_null(cw_pruner_run(pruner, &options, cancel, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  g_clear_error(&error);
  g_assert_null(cw_pruner_new(graph, cancel, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  /* The pruner is as good as before. */
  g_autoptr(CwPruned) again = cw_pruner_run(pruner, &options, NULL, NULL);
  g_autoptr(CwPruned) fresh = prune(graph, 0.8, 0.98, NULL);
  g_assert_cmpmem(again->edge_mask, again->n_edges, fresh->edge_mask, fresh->n_edges);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(GOLDEN_CASES); i++) {
    g_autofree char *name = g_strdup_printf("/core/prune/golden/%s", GOLDEN_CASES[i]);
    g_test_add_data_func(name, GOLDEN_CASES[i], test_golden);
  }
  g_test_add_func("/core/prune/golden/smollm2-1024", test_smollm2);
  g_test_add_func("/core/influence/twelve-node-example", test_example);
  g_test_add_func("/core/influence/cycle-converges", test_cycle_converges);
  g_test_add_func("/core/influence/closed-cycle-ends", test_closed_cycle_ends);
  g_test_add_func("/core/prune/equals-sorting", test_equals_sorting);
  g_test_add_func("/core/prune/keeps-all-at-one", test_keeps_all_at_one);
  g_test_add_func("/core/prune/keeps-logits-at-zero-threshold", test_keeps_logits_at_zero);
  g_test_add_func("/core/prune/keeps-pinned", test_keeps_pinned);
  g_test_add_func("/core/prune/refuses-thresholds", test_refuses_thresholds);
  g_test_add_func("/core/prune/empty-graphs", test_empty);
  g_test_add_func("/core/prune/own-shares-are-no-ranks", test_own_shares_are_no_ranks);
  g_test_add_func("/core/prune/cancel", test_cancel);
  g_test_add_func("/core/scores/of-pruned", test_pruned_scores);
  return g_test_run();
}
