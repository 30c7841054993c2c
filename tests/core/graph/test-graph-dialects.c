/* test-graph-dialects.c - graph JSON as each program writes it, one small file a dialect: what
 * is read, what is reported, and that saving gives every byte back. */
#include "cw-graph.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

#define MAX_NODES 7

typedef struct {
  CwNodeKind kind;
  int32_t layer, position;
  int64_t feature;
} Expected;

typedef struct {
  const char *name;
  int64_t n_layers, n_positions;
  size_t n_nodes, n_links, n_edges;
  size_t n_dropped, n_duplicate_nodes, n_duplicate_links, n_backward, n_zero, n_missing;
  Expected nodes[MAX_NODES];
  const char *view; /* as read from qParams, NULL: nothing */
} Dialect;

static const Dialect dialects[] = {
  { "anthropic",
    3,
    3,
    5,
    4,
    4,
    0,
    0,
    0,
    0,
    0,
    0,
    { { CW_NODE_FEATURE, 2, 1, 1200345 },
      { CW_NODE_FEATURE, 1, 2, 3 },
      { CW_NODE_ERROR, 0, 2, -1 },
      { CW_NODE_TOKEN, -1, 1, 5 },
      { CW_NODE_LOGIT, 3, 2, 77 } },
    "{\"pins\":[\"2_1200345_1\",\"E1_77_2\"],\"groups\":[{\"label\":\"sun\",\"members\":["
    "\"2_1200345_1\"]}]}" },
  { "circuit-tracer-custom",
    2,
    2,
    4,
    4,
    4,
    0,
    0,
    0,
    1,
    1,
    0,
    { { CW_NODE_FEATURE, 0, 1, 4294967296 },
      { CW_NODE_FEATURE, 1, 1, 7 },
      { CW_NODE_ERROR, 1, 0, -1 },
      { CW_NODE_LOGIT, 2, 1, 50000 } },
    NULL },
  { "neuronpedia",
    26,
    2,
    7,
    8,
    6,
    1,
    0,
    1,
    0,
    0,
    0,
    { { CW_NODE_FEATURE, 20, 1, 163792 },
      { CW_NODE_OTHER, 5, 1, 10 },
      { CW_NODE_ERROR, 5, 1, -1 },
      { CW_NODE_OTHER, 3, 0, -1 },
      { CW_NODE_OTHER, 3, 0, 1 },
      { CW_NODE_TOKEN, -1, 0, 9 },
      { CW_NODE_LOGIT, 26, 1, 6 } },
    "{\"pins\":[\"20_163792_1\"],\"groups\":[{\"label\":\"a\",\"members\":[\"20_163792_1\"]},"
    "{\"label\":\"a\",\"members\":[\"5_10_1\"]}],\"labels\":{\"20_163792_1\":\"mine\"},"
    "\"density_threshold\":0.98999999999999999}" },
  { "eleuther",
    12,
    2,
    3,
    2,
    2,
    0,
    0,
    0,
    0,
    0,
    0,
    { { CW_NODE_FEATURE, 3, 1, 17 }, { CW_NODE_TOKEN, -1, 0, 1 }, { CW_NODE_LOGIT, 12, 1, 2 } },
    NULL },
  { "missing-fields",
    10,
    2,
    5,
    5,
    3,
    2,
    0,
    0,
    0,
    3,
    27,
    { { CW_NODE_FEATURE, 2, 1, 8 },
      { CW_NODE_FEATURE, 0, 0, -1 },
      { CW_NODE_TOKEN, -1, 0, 4 },
      { CW_NODE_FEATURE, 9, 1, 3 },
      { CW_NODE_LOGIT, 10, 1, -1 } },
    NULL },
  { "duplicates",
    3,
    2,
    3,
    4,
    3,
    0,
    1,
    1,
    1,
    0,
    0,
    { { CW_NODE_FEATURE, 0, 1, 2 }, { CW_NODE_ERROR, 2, 1, -1 }, { CW_NODE_LOGIT, 3, 1, 7 } },
    NULL },
};

static char *
fixture_path(const char *name)
{
  g_autofree char *file = g_strconcat(name, ".json", NULL);
  return g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "tests", "core", "graph", "dialects",
                          file, NULL);
}

static void
check_report(const Dialect *dialect, const CwLoadReport *report)
{
  g_assert_cmpuint(report->n_nodes, ==, dialect->n_nodes);
  g_assert_cmpuint(report->n_links, ==, dialect->n_links);
  g_assert_cmpuint(report->n_dropped_links, ==, dialect->n_dropped);
  g_assert_cmpuint(report->n_duplicate_nodes, ==, dialect->n_duplicate_nodes);
  g_assert_cmpuint(report->n_duplicate_links, ==, dialect->n_duplicate_links);
  g_assert_cmpuint(report->n_backward_links, ==, dialect->n_backward);
  g_assert_cmpuint(report->n_zero_links, ==, dialect->n_zero);
  g_assert_cmpuint(report->n_missing_fields, ==, dialect->n_missing);
}

static void
check_nodes(const Dialect *dialect, const CwGraph *graph)
{
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  g_assert_cmpint(cw_graph_get_n_layers(graph), ==, dialect->n_layers);
  g_assert_cmpint(cw_graph_get_n_positions(graph), ==, dialect->n_positions);
  g_assert_cmpuint(cw_graph_get_n_edges(graph), ==, dialect->n_edges);
  for (size_t i = 0; i < dialect->n_nodes; i++) {
    const Expected *expected = &dialect->nodes[i];
    g_test_message("node %zu", i);
    g_assert_cmpint(nodes[i].kind, ==, expected->kind);
    g_assert_cmpint(nodes[i].layer, ==, expected->layer);
    g_assert_cmpint(nodes[i].position, ==, expected->position);
    g_assert_cmpint(nodes[i].feature, ==, expected->feature);
  }
}

/* Saved whole it is the same file; saved again after that too. */
static void
check_bytes(const char *path, CwGraph *graph, const CwViewState *state)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *out = g_build_filename(folder, "a.json", NULL);
  g_autofree char *before = NULL, *after = NULL;
  gsize n_before, n_after;
  g_assert_true(g_file_get_contents(path, &before, &n_before, NULL));
  for (int i = 0; i < 2; i++) {
    g_assert_true(cw_graph_save_json(graph, NULL, state, out, NULL, &error));
    g_clear_pointer(&after, g_free);
    g_assert_true(g_file_get_contents(out, &after, &n_after, NULL));
    if (strstr(before, "qParams") != NULL)
      g_assert_cmpmem(before, n_before, after, n_after);
  }
  g_autoptr(CwGraph) again = cw_graph_load(out, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(cw_graph_get_n_edges(again), ==, cw_graph_get_n_edges(graph));
  test_remove_tree(folder);
}

static void
test_dialect(gconstpointer data)
{
  const Dialect *dialect = data;
  g_autoptr(GError) error = NULL;
  CwLoadReport report = { 0 };
  CwViewState state = { 0 };
  g_autofree char *path = fixture_path(dialect->name);
  g_autoptr(CwGraph) graph = cw_graph_load(path, &report, &state, NULL, &error);
  g_assert_no_error(error);
  check_report(dialect, &report);
  check_nodes(dialect, graph);
  g_assert_cmpstr(state.view_json, ==, dialect->view);
  check_bytes(path, graph, &state);
  cw_load_report_clear(&report);
  cw_view_state_clear(&state);
}

/* Keys of other programs survive in what is left after pruning and with another view. */
static void
test_unknown_keys_survive(void)
{
  static const char *const kept[] = { "\"qk_tracing_results\":{\"pair_wise_contributors\":[[",
                                      "\"qk_only_nodes\":{\"E_8_1\"",
                                      "\"later\": {\"k\":[1,2]}",
                                      "\"neuronpedia_lorsa_source_set\":\"lorsa-16k\"",
                                      "\"replacement_score\":0.5",
                                      "\"feature\":13417431370" };
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *text = NULL;
  g_autofree char *out = g_build_filename(folder, "a.json", NULL);
  g_autofree char *path = fixture_path("neuronpedia");
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  CwPruneOptions options = { 0.99, 1, NULL };
  g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &options, NULL, &error);
  CwViewState state = { 0.5, 0.9, (char *)"{\"notes\":[]}" };
  g_assert_true(cw_graph_save_json(graph, pruned, &state, out, NULL, &error));
  g_assert_true(g_file_get_contents(out, &text, NULL, NULL));
  for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
    if (strstr(text, kept[i]) == NULL)
      g_error("%s is lost in %s", kept[i], text);
  test_remove_tree(folder);
}

/* The list of graphs beside the graphs is JSON too; opening it says what it is not. */
static void
test_index_is_no_graph(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "graph-metadata.json", NULL);
  g_assert_true(g_file_set_contents(path, "{\"graphs\":[{\"slug\":\"a\"}]}", -1, NULL));
  g_assert_null(cw_graph_load(path, NULL, NULL, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  g_assert_nonnull(strstr(error->message, "no attribution graph"));
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(dialects); i++) {
    g_autofree char *name = g_strdup_printf("/core/graph-dialects/%s", dialects[i].name);
    g_test_add_data_func(name, &dialects[i], test_dialect);
  }
  g_test_add_func("/core/graph-dialects/unknown-keys-survive", test_unknown_keys_survive);
  g_test_add_func("/core/graph-dialects/index-is-no-graph", test_index_is_no_graph);
  return g_test_run();
}
