/* test-graph-document.c - .clew documents: what goes in comes out, and damage is named. */
#include "cw-graph.h"
#include "test-support.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static CwGraph *
small_graph(void)
{
  g_autoptr(GError) error = NULL;
  CwGraphParts parts = { .n_positions = 2, .n_layers = 1, .n_nodes = 4 };
  parts.prompt = g_strdup("a b");
  parts.prompt_tokens = g_new0(char *, 3);
  parts.prompt_tokens[0] = g_strdup("a");
  parts.prompt_tokens[1] = g_strdup(" b");
  parts.token_ids = g_new0(int32_t, 2);
  parts.token_ids[1] = 7;
  parts.nodes = g_new0(CwNode, 4);
  parts.nodes[0] =
      (CwNode){ CW_NODE_FEATURE, 0, 1, (int64_t)1 << 40, 2.5f, NAN, 0, 2.5f, .25f };
  parts.nodes[1] = (CwNode){ CW_NODE_TOKEN, -1, 0, 0, NAN, NAN, 0, NAN, NAN };
  parts.nodes[2] = (CwNode){ CW_NODE_TOKEN, -1, 1, 7, NAN, NAN, 0, NAN, NAN };
  parts.nodes[3] = (CwNode){ CW_NODE_LOGIT, 1, 1, 9, NAN, NAN, .75f, 3, .5f };
  parts.labels = g_new0(char *, 4);
  parts.labels[0] = g_strdup("~ eis, Wasser");
  parts.labels[3] = g_strdup("Output \" x\" (p=0.750)");
  static const int64_t starts[] = { 0, 2, 2, 2, 4 };
  static const uint32_t sources[] = { 1, 2, 0, 2 };
  static const float weights[] = { 1.5f, -.5f, 2, .25f };
  parts.row_start = g_memdup2(starts, sizeof starts);
  parts.source = g_memdup2(sources, sizeof sources);
  parts.weight = g_memdup2(weights, sizeof weights);
  parts.settings_json = g_strdup("{\"model\":\"m\"}");
  CwGraph *graph = cw_graph_new_take(&parts, &error);
  g_assert_no_error(error);
  return graph;
}

static void
test_round_trip(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autoptr(CwGraph) graph = small_graph();
  CwViewState state = { .6, NAN, (char *)"{\"pins\":[3]}" }, got;
  g_assert_true(cw_graph_save_document(graph, &state, path, &error));
  g_assert_no_error(error);
  CwLoadReport report;
  g_autoptr(CwGraph) again = cw_graph_load(path, &report, &got, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(report.n_links, ==, 4);
  g_assert_cmpfloat(got.node_threshold, ==, .6);
  g_assert_true(isnan(got.edge_threshold));
  g_assert_cmpstr(got.view_json, ==, "{\"pins\":[3]}");
  g_assert_cmpuint(cw_graph_get_n_nodes(again), ==, 4);
  for (size_t i = 0; i < 4; i++) {
    const CwNode *a = &cw_graph_peek_nodes(graph)[i], *b = &cw_graph_peek_nodes(again)[i];
    g_assert_cmpint(a->kind, ==, b->kind);
    g_assert_cmpint(a->feature, ==, b->feature);
    g_assert_cmpint(memcmp(&a->activation, &b->activation, 20), ==, 0);
    g_assert_cmpstr(cw_graph_peek_label(graph, i), ==, cw_graph_peek_label(again, i));
  }
  g_assert_cmpmem(cw_graph_peek_weight(graph), 16, cw_graph_peek_weight(again), 16);
  g_assert_cmpmem(cw_graph_peek_source(graph), 16, cw_graph_peek_source(again), 16);
  g_assert_cmpstr(cw_graph_peek_settings_json(again), ==, "{\"model\":\"m\"}");
  g_assert_cmpstr(cw_graph_peek_prompt_token(again, 1), ==, " b");
  cw_view_state_clear(&got);
  cw_load_report_clear(&report);
  test_remove_tree(folder);
}

static char *
foreign_path_or_skip(void)
{
  return test_shared_path_or_skip("graphs/uzairname__war_ea.json");
}

/* A foreign graph comes back out of a document byte for byte. */
static void
test_foreign(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *source = foreign_path_or_skip();
  if (source == NULL)
    return;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autofree char *direct = g_build_filename(folder, "direct.json", NULL);
  g_autofree char *through = g_build_filename(folder, "through.json", NULL);
  g_autoptr(CwGraph) graph = cw_graph_load(source, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(cw_graph_save_document(graph, NULL, path, &error));
  g_autoptr(CwGraph) again = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(cw_graph_save_json(graph, NULL, NULL, direct, &error));
  g_assert_true(cw_graph_save_json(again, NULL, NULL, through, &error));
  g_autofree char *a = NULL, *b = NULL;
  gsize n_a, n_b;
  g_assert_true(g_file_get_contents(direct, &a, &n_a, NULL));
  g_assert_true(g_file_get_contents(through, &b, &n_b, NULL));
  g_assert_cmpmem(a, n_a, b, n_b);
  test_remove_tree(folder);
}

/* Without a sync: thousands of them would take a minute on a slow disk. GLib 2.74 does not cut
 * a longer file that it writes in place. */
static void
put_file(const char *path, const char *data, gsize n)
{
  g_autoptr(GError) error = NULL;
  g_unlink(path);
  g_file_set_contents_full(path, data, (gssize)n, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error(error);
}

static void
expect_refused(const char *path, const char *data, gsize n)
{
  g_autoptr(GError) error = NULL;
  put_file(path, data, n);
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_null(graph);
  g_assert_nonnull(error);
  g_assert_nonnull(strstr(error->message, path));
}

/* Cut at every byte, and every bit of header, table and frames flipped. */
static void
test_damage(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autoptr(CwGraph) graph = small_graph();
  g_assert_true(cw_graph_save_document(graph, NULL, path, &error));
  g_autofree char *data = NULL;
  gsize n;
  g_assert_true(g_file_get_contents(path, &data, &n, NULL));
  for (gsize cut = 0; cut < n; cut++)
    expect_refused(path, data, cut);
  g_autofree char *longer = g_malloc0(n + 1);
  memcpy(longer, data, n);
  expect_refused(path, longer, n + 1);
  for (gsize at = 0; at < n; at++)
    for (int bit = 0; bit < 8; bit += 3) {
      g_autoptr(GError) ignored = NULL;
      data[at] ^= (char)(1 << bit);
      put_file(path, data, n);
      g_autoptr(CwGraph) damaged = cw_graph_load(path, NULL, NULL, NULL, &ignored);
      /* A frame's reserved bit may mean nothing; the graph is then still the same. */
      if (damaged != NULL)
        g_assert_cmpmem(cw_graph_peek_weight(damaged), 16, cw_graph_peek_weight(graph), 16);
      else
        g_assert_nonnull(ignored);
      data[at] ^= (char)(1 << bit);
    }
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/graph-document/round-trip", test_round_trip);
  g_test_add_func("/core/graph-document/foreign", test_foreign);
  g_test_add_func("/core/graph-document/damage", test_damage);
  return g_test_run();
}
