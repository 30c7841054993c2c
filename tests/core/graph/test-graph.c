/* test-graph.c - what a graph refuses, its order, its outgoing edges, its ids. */
#include "golden-graph.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

/* Three nodes: a token feeds a feature and a logit, the feature feeds the logit. */
static CwGraphParts
small_parts(void)
{
  static const CwNode nodes[] = {
    { CW_NODE_FEATURE, 2, 1, 70000 },
    { CW_NODE_ERROR, 1, 1, -1 },
    { CW_NODE_TOKEN, -1, 0, 504 },
    { .kind = CW_NODE_LOGIT, .layer = 3, .position = 1, .feature = 7, .probability = 0.5f },
  };
  static const int64_t row_start[] = { 0, 2, 2, 2, 4 };
  static const uint32_t source[] = { 1, 2, 0, 2 };
  static const float weight[] = { 0.5f, -1, 2, 3 };
  CwGraphParts parts = { .n_positions = 2, .n_layers = 3, .n_nodes = 4 };
  parts.nodes = g_memdup2(nodes, sizeof nodes);
  parts.row_start = g_memdup2(row_start, sizeof row_start);
  parts.source = g_memdup2(source, sizeof source);
  parts.weight = g_memdup2(weight, sizeof weight);
  return parts;
}

static void
expect_refused(CwGraphParts *parts)
{
  g_autoptr(GError) error = NULL;
  g_assert_null(cw_graph_new_take(parts, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
}

static void
test_refuses(void)
{
  CwGraphParts parts = small_parts();
  parts.source[3] = 4;
  expect_refused(&parts);
  parts = small_parts();
  parts.source[1] = 1;
  expect_refused(&parts);
  parts = small_parts();
  parts.weight[2] = NAN;
  expect_refused(&parts);
  parts = small_parts();
  parts.row_start[1] = 5;
  expect_refused(&parts);
  parts = small_parts();
  parts.row_start[0] = 1;
  expect_refused(&parts);
  parts = small_parts();
  parts.nodes[0].layer = 4;
  expect_refused(&parts);
  parts = small_parts();
  parts.nodes[1].position = 2;
  expect_refused(&parts);
  parts = small_parts();
  parts.nodes[3].probability = INFINITY;
  expect_refused(&parts);
}

static void
test_ids(void)
{
  static const char *const expected[] = { "2_70000_1", "1_-1_1", "E_504_0", "4_7_1" };
  CwGraphParts parts = small_parts();
  g_autoptr(CwGraph) graph = cw_graph_new_take(&parts, NULL, NULL);
  g_assert_null(parts.nodes);
  for (size_t i = 0; i < 4; i++) {
    g_autofree char *id = cw_graph_dup_node_id(graph, i);
    g_assert_cmpstr(id, ==, expected[i]);
  }
  g_assert_cmpstr(cw_graph_peek_label(graph, 0), ==, "");
  g_assert_cmpstr(cw_graph_peek_prompt_token(graph, 99), ==, "");
  g_assert_cmpstr(cw_graph_peek_settings_json(graph), ==, "{}");
}

static void
test_order_and_outgoing(void)
{
  g_autoptr(CwGraph) graph = graph_random(300, 6, 5, 0.3, 3);
  size_t n = cw_graph_get_n_nodes(graph), n_seen = 0;
  const uint32_t *order = cw_graph_peek_topological_order(graph);
  const int64_t *row = cw_graph_peek_row_start(graph), *start;
  const uint32_t *source = cw_graph_peek_source(graph), *edge, *target;
  g_autofree uint32_t *place = g_new(uint32_t, n);
  memset(place, 255, n * sizeof *place);
  g_assert_nonnull(order);
  for (size_t i = 0; i < n; i++) {
    g_assert_cmpuint(place[order[i]], ==, UINT32_MAX);
    place[order[i]] = (uint32_t)i;
  }
  for (size_t t = 0; t < n; t++)
    for (int64_t e = row[t]; e < row[t + 1]; e++)
      g_assert_cmpuint(place[source[e]], <, place[t]);
  cw_graph_peek_outgoing(graph, &start, &edge, &target);
  for (size_t s = 0; s < n; s++)
    for (int64_t k = start[s]; k < start[s + 1]; k++, n_seen++) {
      g_assert_cmpuint(source[edge[k]], ==, s);
      g_assert_true(row[target[k]] <= edge[k] && edge[k] < row[target[k] + 1]);
    }
  g_assert_cmpuint(n_seen, ==, cw_graph_get_n_edges(graph));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/graph/refuses-bad-parts", test_refuses);
  g_test_add_func("/core/graph/node-ids", test_ids);
  g_test_add_func("/core/graph/order-and-outgoing", test_order_and_outgoing);
  return g_test_run();
}
