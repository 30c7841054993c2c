/* test-graph-document.c - .clew documents: what goes in comes out, and damage is named. */
#include "document-builder.h"
#include "graph/graph-document.h"
#include "test-support.h"

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
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
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
  g_assert_true(cw_graph_save_document(graph, &state, path, NULL, &error));
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
  g_assert_true(cw_graph_save_document(graph, NULL, path, NULL, &error));
  g_autoptr(CwGraph) again = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_true(cw_graph_save_json(graph, NULL, NULL, direct, NULL, &error));
  g_assert_true(cw_graph_save_json(again, NULL, NULL, through, NULL, &error));
  g_autofree char *a = NULL, *b = NULL;
  gsize n_a, n_b;
  g_assert_true(g_file_get_contents(direct, &a, &n_a, NULL));
  g_assert_true(g_file_get_contents(through, &b, &n_b, NULL));
  g_assert_cmpmem(a, n_a, b, n_b);
  test_remove_tree(folder);
}

static CwGraph *
read_bytes(const void *data, gsize n, CwViewState *state, GError **error)
{
  return cw_graph_document_read(data, n, "a.clew", NULL, state, NULL, error);
}

/* Refused with an error that names the file and says `needle`. */
static void
expect_refused(const void *data, gsize n, const char *needle)
{
  g_autoptr(GError) error = NULL;
  CwViewState state = { 0 };
  g_autoptr(CwGraph) graph = read_bytes(data, n, &state, &error);
  g_assert_null(graph);
  g_assert_nonnull(error);
  if (strstr(error->message, needle) == NULL || !g_str_has_prefix(error->message, "a.clew"))
    g_error("\"%s\" does not say \"%s\" or not the file", error->message, needle);
}

static char *
saved_bytes(gsize *n)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autoptr(CwGraph) graph = small_graph();
  CwViewState state = { .6, .9, (char *)"{\"pins\":[3]}" };
  char *data = NULL;
  g_assert_true(cw_graph_save_document(graph, &state, path, NULL, &error));
  g_assert_true(g_file_get_contents(path, &data, n, NULL));
  test_remove_tree(folder);
  return data;
}

/* Cut at every byte, and every bit of header, table and frames flipped. */
static void
test_damage(void)
{
  g_autoptr(CwGraph) graph = small_graph();
  gsize n;
  g_autofree char *data = saved_bytes(&n);
  for (gsize cut = 8; cut < n; cut++) {
    g_autofree char *exact = g_memdup2(data, cut);
    expect_refused(exact, cut, "");
  }
  g_autofree char *longer = g_malloc0(n + 1);
  memcpy(longer, data, n);
  expect_refused(longer, n + 1, "something behind it");
  for (gsize at = 8; at < n; at++)
    for (int bit = 0; bit < 8; bit++) {
      g_autoptr(GError) ignored = NULL;
      data[at] ^= (char)(1 << bit);
      g_autoptr(CwGraph) damaged = read_bytes(data, n, NULL, &ignored);
      /* A frame's reserved bit may mean nothing; the graph is then still the same. */
      if (damaged != NULL)
        g_assert_cmpmem(cw_graph_peek_weight(damaged), 16, cw_graph_peek_weight(graph), 16);
      else
        g_assert_nonnull(ignored);
      data[at] ^= (char)(1 << bit);
    }
}

/* Through the file system: a file that was cut, or does not begin as a document. */
static void
test_damaged_file(void)
{
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  gsize n;
  g_autofree char *data = saved_bytes(&n);
  for (gsize cut = 0; cut < n; cut = cut * 2 + 1) {
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(path, data, (gssize)cut, NULL));
    g_assert_null(cw_graph_load(path, NULL, NULL, NULL, &error));
    g_assert_nonnull(strstr(error->message, path));
  }
  test_remove_tree(folder);
}

/* ---- lies under right checksums -----------------------------------------------------------
 */

#define META(rest) "{\"n_layers\":1,\"prompt_tokens\":[\"a\",\"b\"]" rest "}"

typedef struct {
  int32_t kind, layer, position;
  int32_t feature[2]; /* 64 bits, at an offset of 12 */
  float activation, influence, probability, value, unattributed;
} PackedNode;

/* Two nodes, one edge: everything is right unless a case changes a section. */
static const PackedNode GOOD_NODES[] = { { 2, -1, 0, { 5, 0 }, 0, 0, 0, 0, 0 },
                                         { 3, 1, 1, { 9, 0 }, 0, 0, 0.5f, 0, 0 } };
static const uint32_t GOOD_LENGTHS[] = { 0, 1 }, GOOD_SOURCES[] = { 0 };
static const float GOOD_WEIGHTS[] = { 1.5f };

static GByteArray *
document_with(uint32_t kind, const void *data, size_t n)
{
  DocumentSection sections[] = {
    { DOCUMENT_META, META(""), strlen(META("")) },
    { DOCUMENT_NODES, GOOD_NODES, sizeof GOOD_NODES },
    { DOCUMENT_LABELS, "x\0y", 4 },
    { DOCUMENT_ROW_LENGTHS, GOOD_LENGTHS, sizeof GOOD_LENGTHS },
    { DOCUMENT_SOURCES, GOOD_SOURCES, sizeof GOOD_SOURCES },
    { DOCUMENT_WEIGHTS, GOOD_WEIGHTS, sizeof GOOD_WEIGHTS },
    { DOCUMENT_VIEW, "{\"pins\":[]}", 11 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(sections); i++)
    if (sections[i].kind == kind)
      sections[i] = (DocumentSection){ kind, data, n };
  return document_build(sections, G_N_ELEMENTS(sections));
}

static void
expect_lie(uint32_t kind, const void *data, size_t n, const char *needle)
{
  g_autoptr(GByteArray) document = document_with(kind, data, n);
  expect_refused(document->data, document->len, needle);
}

static void
test_lying_metadata(void)
{
  static const struct {
    const char *meta, *needle;
  } cases[] = {
    { "", "JSON" },
    { "[]", "no object" },
    { "{}", "prompt_tokens" },
    { "{\"n_layers\":1,\"n_layers\":1,\"prompt_tokens\":[\"a\",\"b\"]}", "twice" },
    { "{\"prompt_tokens\":[\"a\",\"b\"]}", "n_layers is no number" },
    { "{\"n_layers\":-1,\"prompt_tokens\":[\"a\",\"b\"]}", "n_layers is no number" },
    { "{\"n_layers\":1e300,\"prompt_tokens\":[\"a\",\"b\"]}", "n_layers is no number" },
    { "{\"n_layers\":\"1\",\"prompt_tokens\":[\"a\",\"b\"]}", "n_layers is no number" },
    { "{\"n_layers\":1,\"prompt_tokens\":[\"a\"]}", "position 1" },
    { "{\"n_layers\":1,\"prompt_tokens\":[\"a\",3]}", "prompt_tokens[1] is no text" },
    { META(",\"token_ids\":[1]"), "do not fit together" },
    { META(",\"token_ids\":[1,\"2\"]"), "token_ids[1] is no token id" },
    { META(",\"token_ids\":[1,-2]"), "token_ids[1] is no token id" },
    { META(",\"token_ids\":[1,[]]"), "token_ids[1] is no token id" },
    { META(",\"token_ids\":[1,4294967298]"), "token_ids[1] is no token id" },
    { META(",\"settings\":\"[1]\""), "settings: the JSON is no object" },
    { META(",\"settings\":\"{\""), "settings" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
    expect_lie(DOCUMENT_META, cases[i].meta, strlen(cases[i].meta), cases[i].needle);
}

static void
expect_bad_node(size_t i, PackedNode node, const char *needle)
{
  PackedNode nodes[2];
  memcpy(nodes, GOOD_NODES, sizeof nodes);
  nodes[i] = node;
  expect_lie(DOCUMENT_NODES, nodes, sizeof nodes, needle);
}

static void
test_lying_arrays(void)
{
  static const uint32_t many[] = { 0, 0xffffffff }, cross[] = { 1, 1 }, outside[] = { 2 };
  static const float infinite[] = { INFINITY };
  g_autoptr(GByteArray) good = document_with(0, NULL, 0);
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = read_bytes(good->data, good->len, NULL, &error);
  g_assert_no_error(error);
  expect_bad_node(0, (PackedNode){ .kind = 9 }, "node 0");
  expect_bad_node(0, (PackedNode){ .kind = -1 }, "node 0");
  expect_bad_node(0, (PackedNode){ .layer = 2 }, "node 0");
  expect_bad_node(0, (PackedNode){ .layer = -2 }, "node 0");
  expect_bad_node(1, (PackedNode){ .position = 2 }, "node 1");
  expect_bad_node(1, (PackedNode){ .position = -1 }, "node 1");
  expect_bad_node(1, (PackedNode){ .kind = 3, .probability = NAN }, "probability");
  expect_bad_node(1, (PackedNode){ .kind = 3, .probability = -1 }, "probability");
  expect_lie(DOCUMENT_NODES, GOOD_NODES, 79, "\"nodes\" claims 79 bytes");
  expect_lie(DOCUMENT_NODES, GOOD_NODES, 40, "1 nodes, but 2 rows");
  expect_lie(DOCUMENT_LABELS, "x", 2, "1 labels for 2 nodes");
  expect_lie(DOCUMENT_LABELS, "", 0, "0 labels for 2 nodes");
  expect_lie(DOCUMENT_ROW_LENGTHS, many, sizeof many, "rows of 4294967295 edges");
  expect_lie(DOCUMENT_ROW_LENGTHS, cross, sizeof cross, "rows of 2 edges");
  expect_lie(DOCUMENT_SOURCES, outside, sizeof outside, "comes from node 2");
  expect_lie(DOCUMENT_SOURCES, "", 0, "0 sources");
  expect_lie(DOCUMENT_WEIGHTS, "", 0, "0 weights");
  expect_lie(DOCUMENT_WEIGHTS, infinite, sizeof infinite, "no finite weight");
  expect_lie(DOCUMENT_VIEW, "[]", 2, "view: the JSON is no object");
  expect_lie(DOCUMENT_VIEW, "", 0, "view");
}

/* Every field of header and table at the edges of its type, with the hash made right again. */
static void
test_lying_table(void)
{
  static const uint64_t edges[] = { 0,          1,          40,
                                    0x7fffffff, 0xffffffff, 1ull << 32,
                                    INT64_MAX,  1ull << 63, UINT64_MAX - 1,
                                    UINT64_MAX };
  g_autoptr(GByteArray) good = document_with(0, NULL, 0);
  for (size_t section = 0; section < 7; section++)
    for (size_t field = 8; field <= 24; field += 8)
      for (size_t i = 0; i < G_N_ELEMENTS(edges); i++) {
        g_autoptr(GByteArray) bad = g_byte_array_new();
        g_byte_array_append(bad, good->data, good->len);
        guint8 *at = bad->data + document_entry(section) + field;
        if (memcmp(at, &edges[i], 8) == 0)
          continue;
        memcpy(at, &edges[i], 8);
        document_seal(bad);
        expect_refused(bad->data, bad->len, "section");
      }
  for (size_t section = 0; section < 6; section++) {
    g_autoptr(GByteArray) bad = g_byte_array_new();
    g_byte_array_append(bad, good->data, good->len);
    bad->data[document_entry(section)] = 99;
    document_seal(bad);
    expect_refused(bad->data, bad->len, "is missing");
  }
}

static void
test_lying_header(void)
{
  static const struct {
    size_t at;
    uint8_t value;
    const char *needle;
  } cases[] = {
    { 8, 2, "of version 2; this Clew reads version 1" },
    { 8, 0, "of version 0" },
    { 12, 0, "a table of 0 sections" },
    { 12, 17, "a table of 17 sections" },
    { 15, 0x80, "sections in" },
    { 16, 1, "its header says" },
    { 23, 0xff, "its header says" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GByteArray) bad = document_with(0, NULL, 0);
    bad->data[cases[i].at] = cases[i].value;
    if (cases[i].at >= 16)
      document_seal(bad);
    expect_refused(bad->data, bad->len, cases[i].needle);
  }
}

/* A small frame that unpacks to a gigabyte is refused before memory is asked for. */
static void
test_bomb(void)
{
  size_t n = (size_t)64 << 20;
  g_autofree char *zeros = g_malloc0(n);
  expect_lie(DOCUMENT_LABELS, zeros, n, "\"labels\" claims 67108864 bytes");
}

/* Thresholds that are none are not taken over; a view is, whatever its size. */
static void
test_view(void)
{
  static const char meta[] = META(",\"node_threshold\":7,\"edge_threshold\":\"0.5\"");
  g_autoptr(GError) error = NULL;
  g_autoptr(GByteArray) odd = document_with(DOCUMENT_META, meta, strlen(meta));
  CwViewState state = { 0 };
  g_autoptr(CwGraph) graph = read_bytes(odd->data, odd->len, &state, &error);
  g_assert_no_error(error);
  g_assert_true(isnan(state.node_threshold) && isnan(state.edge_threshold));
  g_assert_cmpstr(state.view_json, ==, "{\"pins\":[]}");
  cw_view_state_clear(&state);
  g_autoptr(GString) large = g_string_new("{\"notes\":[");
  for (int i = 0; i < 200000; i++)
    g_string_append_printf(large, "%s\"note %d\"", i > 0 ? "," : "", i);
  g_string_append(large, "]}");
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  CwViewState written = { NAN, NAN, large->str };
  g_assert_true(cw_graph_save_document(graph, &written, path, NULL, &error));
  g_autoptr(CwGraph) again = cw_graph_load(path, NULL, &state, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(state.view_json, ==, large->str);
  written.view_json = (char *)"[1]";
  g_assert_false(cw_graph_save_document(graph, &written, path, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  cw_view_state_clear(&state);
  test_remove_tree(folder);
}

/* Enough edges that every section takes several pieces. */
static CwGraph *
large_graph(void)
{
  g_autoptr(GError) error = NULL;
  const size_t n = 1200;
  CwGraphParts parts = { .n_positions = 1, .n_layers = (int64_t)n, .n_nodes = n };
  parts.prompt_tokens = g_new0(char *, 2);
  parts.prompt_tokens[0] = g_strdup("a");
  parts.nodes = g_new0(CwNode, n);
  parts.labels = g_new0(char *, n);
  parts.row_start = g_new0(int64_t, n + 1);
  parts.source = g_new0(uint32_t, n * (n - 1) / 2);
  parts.weight = g_new0(float, n *(n - 1) / 2);
  for (size_t t = 0; t < n; t++) {
    int64_t start = parts.row_start[t];
    parts.nodes[t] = (CwNode){ .kind = t + 1 < n ? CW_NODE_FEATURE : CW_NODE_LOGIT,
                               .layer = (int32_t)t,
                               .probability = t + 1 < n ? 0 : 1 };
    for (size_t s = 0; s < t; s++) {
      parts.source[start + (int64_t)s] = (uint32_t)s;
      parts.weight[start + (int64_t)s] = sinf((float)(t * n + s)) + 2;
    }
    parts.row_start[t + 1] = start + (int64_t)t;
  }
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
  g_assert_no_error(error);
  return graph;
}

static void
test_large(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autoptr(CwGraph) graph = large_graph();
  size_t n_bytes = cw_graph_get_n_edges(graph) * 4;
  g_assert_true(cw_graph_save_document(graph, NULL, path, NULL, &error));
  g_autoptr(CwGraph) again = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpmem(cw_graph_peek_weight(graph), n_bytes, cw_graph_peek_weight(again), n_bytes);
  g_assert_cmpmem(cw_graph_peek_source(graph), n_bytes, cw_graph_peek_source(again), n_bytes);
  test_remove_tree(folder);
}

static void
expect_cancelled(bool is_done, GError **error)
{
  g_assert_false(is_done);
  g_assert_error(*error, CW_ERROR, CW_ERROR_CANCELLED);
  g_clear_error(error);
}

/* A cancelled save leaves the file of before and nothing beside it. */
static void
test_cancel(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autofree char *json = g_build_filename(folder, "a.json", NULL);
  g_autoptr(CwGraph) graph = large_graph();
  g_autoptr(CwGraph) small = small_graph();
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  g_assert_true(cw_graph_save_document(small, NULL, path, NULL, &error));
  cw_cancel_trigger(cancel);
  expect_cancelled(cw_graph_save_document(graph, NULL, path, cancel, &error), &error);
  expect_cancelled(cw_graph_save_json(graph, NULL, NULL, json, cancel, &error), &error);
  g_autoptr(CwGraph) again = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(cw_graph_get_n_nodes(again), ==, 4);
  expect_cancelled(cw_graph_load(path, NULL, NULL, cancel, &error) != NULL, &error);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  g_assert_cmpstr(g_dir_read_name(dir), ==, "a.clew");
  g_assert_null(g_dir_read_name(dir));
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/graph-document/round-trip", test_round_trip);
  g_test_add_func("/core/graph-document/foreign", test_foreign);
  g_test_add_func("/core/graph-document/damage", test_damage);
  g_test_add_func("/core/graph-document/damaged-file", test_damaged_file);
  g_test_add_func("/core/graph-document/lying-metadata", test_lying_metadata);
  g_test_add_func("/core/graph-document/lying-arrays", test_lying_arrays);
  g_test_add_func("/core/graph-document/lying-table", test_lying_table);
  g_test_add_func("/core/graph-document/lying-header", test_lying_header);
  g_test_add_func("/core/graph-document/bomb", test_bomb);
  g_test_add_func("/core/graph-document/view", test_view);
  g_test_add_func("/core/graph-document/large", test_large);
  g_test_add_func("/core/graph-document/cancel", test_cancel);
  return g_test_run();
}
