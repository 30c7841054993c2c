/* test-graph-json.c - graph JSON: what circuit-tracer writes, every dialect, every defect. */
#include "golden-graph.h"
#include "test-support.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static char *temp_dir;

static char *
write_temp(const char *name, const char *text, gssize n)
{
  g_autoptr(GError) error = NULL;
  char *path = g_build_filename(temp_dir, name, NULL);
  g_remove(path); /* else the old contents are overwritten in place, not cut off */
  g_file_set_contents_full(path, text, n, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error(error);
  return path;
}

static CwGraph *
load_text(const char *text, CwLoadReport *report, CwViewState *state)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = write_temp("in.json", text, -1);
  CwGraph *graph = cw_graph_load(path, report, state, NULL, &error);
  g_assert_no_error(error);
  g_assert_nonnull(graph);
  return graph;
}

static void
expect_error(const char *text, gssize n, const char *needle)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = write_temp("bad.json", text, n);
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_null(graph);
  g_assert_error(error, CW_ERROR, CW_ERROR_FORMAT);
  if (strstr(error->message, needle) == NULL || strstr(error->message, "bad.json") == NULL)
    g_error("\"%s\" does not say \"%s\" or not the file", error->message, needle);
}

static char *
save(CwGraph *graph, const CwPruned *pruned, const CwViewState *state, char **text, gsize *n)
{
  g_autoptr(GError) error = NULL;
  char *path = g_build_filename(temp_dir, "out.json", NULL);
  g_assert_true(cw_graph_save_json(graph, pruned, state, path, NULL, &error));
  g_assert_no_error(error);
  if (text != NULL)
    g_file_get_contents(path, text, n, &error);
  return path;
}

/* ---- against circuit-tracer ---------------------------------------------------------------
 */

static const char *const GOLDEN_CASES[] = {
  "llama-clt", "llama-clt-limited", "llama-plt",  "llama-plt_skip",    "gpt2-clt",
  "gpt2-plt",  "gpt2-plt_skip",     "gemma2-clt", "gpt2-clt-residmid", "gemma2-plt",
  "qwen3-clt", "gemma2-plt_skip",   "qwen3-plt",  "qwen3-plt_skip",
};

static JsonObject *
parse(JsonParser *parser, const char *path)
{
  g_autoptr(GError) error = NULL;
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  return json_node_get_object(json_parser_get_root(parser));
}

static bool
is_error_node(JsonObject *node)
{
  return strstr(json_object_get_string_member(node, "feature_type"), "error") != NULL;
}

static void
assert_same_member(JsonObject *ours, JsonObject *theirs, const char *key)
{
  JsonNode *a = json_object_get_member(ours, key), *b = json_object_get_member(theirs, key);
  g_assert_nonnull(a);
  if (JSON_NODE_HOLDS_VALUE(b) && json_node_get_value_type(b) == G_TYPE_DOUBLE)
    g_assert_cmpfloat_with_epsilon(json_node_get_double(a), json_node_get_double(b), 1e-5);
  else
    g_assert_true(json_node_equal(a, b));
}

/* Both lists in the same order; labels are left to whoever makes them. Fills the map from the
 * other program's error ids, which may equal the id of a feature, to ours. */
static void
assert_same_nodes(JsonObject *ours, JsonObject *theirs, GHashTable *ids)
{
  static const char *const keys[] = { "feature",      "layer",           "ctx_idx",
                                      "feature_type", "token_prob",      "is_target_logit",
                                      "run_idx",      "reverse_ctx_idx", "influence",
                                      "activation" };
  JsonArray *a = json_object_get_array_member(ours, "nodes");
  JsonArray *b = json_object_get_array_member(theirs, "nodes");
  g_assert_cmpuint(json_array_get_length(a), ==, json_array_get_length(b));
  for (guint i = 0; i < json_array_get_length(a); i++) {
    JsonObject *x = json_array_get_object_element(a, i),
               *y = json_array_get_object_element(b, i);
    for (size_t k = 0; k < G_N_ELEMENTS(keys); k++)
      assert_same_member(x, y, keys[k]);
    if (is_error_node(y)) {
      g_hash_table_insert(ids, (gpointer)json_object_get_string_member(y, "node_id"),
                          (gpointer)json_object_get_string_member(x, "node_id"));
      continue;
    }
    assert_same_member(x, y, "node_id");
    assert_same_member(x, y, "jsNodeId");
    g_assert_cmpuint(json_object_get_size(x), ==, json_object_get_size(y));
  }
}

static void
assert_same_links(JsonObject *ours, JsonObject *theirs, GHashTable *ids)
{
  JsonArray *a = json_object_get_array_member(ours, "links");
  JsonArray *b = json_object_get_array_member(theirs, "links");
  g_assert_cmpuint(json_array_get_length(a), ==, json_array_get_length(b));
  for (guint i = 0; i < json_array_get_length(a); i++) {
    JsonObject *x = json_array_get_object_element(a, i),
               *y = json_array_get_object_element(b, i);
    static const char *const ends[] = { "source", "target" };
    for (int k = 0; k < 2; k++) {
      const char *our_id = json_object_get_string_member(x, ends[k]);
      const char *their_id = json_object_get_string_member(y, ends[k]);
      if (strcmp(our_id, their_id) != 0)
        g_assert_cmpstr(our_id, ==, g_hash_table_lookup(ids, their_id));
    }
    g_assert_true(json_object_get_double_member(x, "weight") ==
                  json_object_get_double_member(y, "weight"));
  }
}

static void
test_equals_circuit_tracer(gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *rest =
      g_strdup_printf("attribution/%s/expected.safetensors", (const char *)data);
  g_autofree char *tensors = test_golden_path(rest);
  g_autofree char *json_rest =
      g_strdup_printf("attribution/%s/expected_graph.json", (const char *)data);
  g_autofree char *expected = test_golden_path(json_rest);
  g_autoptr(GoldenGraph) golden = golden_graph_load(tensors);
  g_autoptr(CwPruner) pruner = cw_pruner_new(golden->graph, NULL, &error);
  CwPruneOptions options = { 0.8, 0.98, NULL };
  g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &options, NULL, &error);
  g_autofree char *path = save(golden->graph, pruned, NULL, NULL, NULL);
  g_autoptr(JsonParser) our_parser = json_parser_new(), their_parser = json_parser_new();
  JsonObject *ours = parse(our_parser, path), *theirs = parse(their_parser, expected);
  g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
  assert_same_nodes(ours, theirs, ids);
  assert_same_links(ours, theirs, ids);
  g_assert_true(json_node_equal(json_object_get_member(ours, "qParams"),
                                json_object_get_member(theirs, "qParams")));
}

/* Reading the other program's file and saving it gives its bytes back. */
static void
test_golden_bytes(gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *rest =
      g_strdup_printf("attribution/%s/expected_graph.json", (const char *)data);
  g_autofree char *path = test_golden_path(rest), *before = NULL, *after = NULL;
  gsize n_before, n_after;
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  g_file_get_contents(path, &before, &n_before, &error);
  g_autofree char *out = save(graph, NULL, NULL, &after, &n_after);
  g_assert_cmpmem(before, n_before, after, n_after);
}

/* ---- real files ---------------------------------------------------------------------------
 */

typedef struct {
  const char *name;
  size_t n_nodes, n_links, n_zero, n_backward;
  size_t n_kind[5];
  int64_t n_positions;
  double weight;
} RealFile;

static const RealFile REAL_FILES[] = {
  { "IamKrill1n__galaxy-clt-hp.json",
    589,
    8796,
    0,
    0,
    { 437, 129, 13, 10, 0 },
    13,
    1676.08728 },
  { "IamKrill1n__dallas-austin-llamma.json",
    60,
    330,
    0,
    0,
    { 40, 0, 10, 10, 0 },
    10,
    1213.63379 },
  { "uzairname__dallas_ea.json", 352, 4564, 124, 38, { 260, 73, 9, 10, 0 }, 9, 2569.68267 },
  { "uzairname__war_ea.json", 109, 479, 0, 0, { 79, 14, 14, 2, 0 }, 14, 713.948761 },
};

static void
assert_same_graph(const CwGraph *a, const CwGraph *b)
{
  size_t n = cw_graph_get_n_nodes(a), n_edges = cw_graph_get_n_edges(a);
  g_assert_cmpuint(n, ==, cw_graph_get_n_nodes(b));
  g_assert_cmpuint(n_edges, ==, cw_graph_get_n_edges(b));
  g_assert_cmpint(cw_graph_get_n_layers(a), ==, cw_graph_get_n_layers(b));
  g_assert_cmpint(cw_graph_get_n_positions(a), ==, cw_graph_get_n_positions(b));
  for (size_t i = 0; i < n; i++) {
    const CwNode *x = &cw_graph_peek_nodes(a)[i], *y = &cw_graph_peek_nodes(b)[i];
    g_autofree char *p = cw_graph_dup_node_id(a, i), *q = cw_graph_dup_node_id(b, i);
    g_assert_cmpint(x->kind, ==, y->kind);
    g_assert_cmpint(x->layer, ==, y->layer);
    g_assert_cmpint(x->position, ==, y->position);
    g_assert_cmpint(x->feature, ==, y->feature);
    g_assert_cmpstr(p, ==, q);
    g_assert_cmpstr(cw_graph_peek_label(a, i), ==, cw_graph_peek_label(b, i));
  }
  g_assert_cmpmem(cw_graph_peek_source(a), n_edges * 4, cw_graph_peek_source(b), n_edges * 4);
  g_assert_cmpmem(cw_graph_peek_weight(a), n_edges * 4, cw_graph_peek_weight(b), n_edges * 4);
}

static void
test_real_file(gconstpointer data)
{
  const RealFile *file = data;
  g_autoptr(GError) error = NULL;
  g_autofree char *rest = g_build_filename("graphs", file->name, NULL);
  g_autofree char *path = test_shared_path_or_skip(rest), *before = NULL, *after = NULL;
  gsize n_before, n_after;
  CwLoadReport report = { 0 };
  size_t n_kind[5] = { 0 };
  double weight = 0;
  if (path == NULL)
    return;
  g_autoptr(CwGraph) graph = cw_graph_load(path, &report, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(report.n_nodes, ==, file->n_nodes);
  g_assert_cmpuint(report.n_links, ==, file->n_links);
  g_assert_cmpuint(report.n_zero_links, ==, file->n_zero);
  g_assert_cmpuint(report.n_backward_links, ==, file->n_backward);
  g_assert_cmpuint(report.n_dropped_links + report.n_duplicate_links +
                       report.n_duplicate_nodes + report.n_missing_fields,
                   ==, 0);
  g_assert_cmpuint(report.messages->len, ==, (file->n_zero > 0) + (file->n_backward > 0));
  for (size_t i = 0; i < file->n_nodes; i++)
    n_kind[cw_graph_peek_nodes(graph)[i].kind]++;
  g_assert_cmpmem(n_kind, sizeof n_kind, file->n_kind, sizeof file->n_kind);
  g_assert_cmpint(cw_graph_get_n_layers(graph), ==, 26);
  g_assert_cmpint(cw_graph_get_n_positions(graph), ==, file->n_positions);
  for (size_t e = 0; e < cw_graph_get_n_edges(graph); e++)
    weight += (double)cw_graph_peek_weight(graph)[e];
  g_assert_cmpfloat_with_epsilon(weight, file->weight, 1e-4);
  g_file_get_contents(path, &before, &n_before, &error);
  g_autofree char *out = save(graph, NULL, NULL, &after, &n_after);
  g_assert_cmpmem(before, n_before, after, n_after);
  g_autoptr(CwGraph) again = cw_graph_load(out, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  assert_same_graph(graph, again);
  cw_load_report_clear(&report);
}

/* Codes beyond 31 bits, of a dictionary with 98,304 features per layer. */
static void
test_galaxy_features(void)
{
  g_autofree char *path = test_shared_path_or_skip("graphs/IamKrill1n__galaxy-clt-hp.json");
  if (path == NULL)
    return;
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, NULL);
  bool has_large = false;
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++) {
    const CwNode *node = &cw_graph_peek_nodes(graph)[i];
    int64_t sum = node->layer + node->feature;
    if (node->kind != CW_NODE_FEATURE)
      continue;
    has_large |= sum * (sum + 1) / 2 + node->feature > G_MAXINT32;
    g_assert_cmpint(node->feature, <, 98304);
  }
  g_assert_true(has_large);
  g_assert_cmpstr(cw_graph_peek_prompt_token(graph, 12), ==, " to");
  g_assert_nonnull(strstr(cw_graph_peek_metadata_json(graph), "\"creator_name\""));
  g_assert_nonnull(strstr(cw_graph_peek_settings_json(graph), "\"batch_size\": 48"));
}

/* ---- dialects -----------------------------------------------------------------------------
 */

#define NODE(id, rest) "{\"node_id\":\"" id "\"," rest "}"
#define F(layer, pos)                    \
  "\"layer\":" layer ",\"ctx_idx\":" pos \
  ",\"feature_type\":\"cross layer transcoder\",\"clerp\":\"\",\"feature\":"

static void
test_links_first(void)
{
  CwLoadReport report = { 0 };
  g_autoptr(CwGraph) graph = load_text(
      "{\"links\":[{\"weight\":2,\"source\":\"E_5_0\",\"target\":\"2_9_0\"},"
      "{\"source\":\"E_5_0\",\"target\":\"nobody\",\"weight\":1},"
      "{\"source\":\"E_5_0\",\"target\":\"2_9_0\",\"weight\":0.5},"
      "{\"source\":\"1_3_0\",\"target\":\"0_4_0\",\"weight\":1},"
      "{\"source\":\"0_4_0\",\"target\":\"2_9_0\",\"weight\":0}],"
      "\"extra\":{\"a\":[1,{}]},"
      "\"nodes\":[" NODE("0_4_0", F("0", "0") "14") "," NODE(
          "E_5_0",
          "\"layer\":\"E\",\"ctx_idx\":0,\"feature\":0,\"clerp\":\"\","
          "\"feature_type\":\"embedding\"") "," NODE("1_3_0",
                                                     F("\"1\"",
                                                       "\"0\"") "13") "," NODE("2_9_0",
                                                                               "\"layer\""
                                                                               ":\"E1\","
                                                                               "\"feature"
                                                                               "\":9,"
                                                                               "\"ctx_"
                                                                               "idx\":0,"
                                                                               "\"feature"
                                                                               "_type\":"
                                                                               "\"logit\""
                                                                               ","
                                                                               "\"clerp\""
                                                                               ":\"output"
                                                                               ": 'x' "
                                                                               "(p=0.25)"
                                                                               "\"") "],"
                                                                                     "\"m"
                                                                                     "eta"
                                                                                     "dat"
                                                                                     "a\""
                                                                                     ":{"
                                                                                     "\"s"
                                                                                     "che"
                                                                                     "ma_"
                                                                                     "ver"
                                                                                     "sio"
                                                                                     "n\""
                                                                                     ":1,"
                                                                                     "\"p"
                                                                                     "rom"
                                                                                     "pt"
                                                                                     "\":"
                                                                                     "\"x"
                                                                                     "\","
                                                                                     "\"p"
                                                                                     "rom"
                                                                                     "pt_"
                                                                                     "tok"
                                                                                     "ens"
                                                                                     "\":"
                                                                                     "[\""
                                                                                     "x\""
                                                                                     "]}"
                                                                                     "}",
      &report, NULL);
  g_assert_cmpuint(report.n_links, ==, 5);
  g_assert_cmpuint(report.n_dropped_links, ==, 1);
  g_assert_cmpuint(report.n_duplicate_links, ==, 1);
  g_assert_cmpuint(report.n_backward_links, ==, 1);
  g_assert_cmpuint(report.n_zero_links, ==, 1);
  g_assert_cmpuint(report.n_missing_fields, ==, 0);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  g_assert_cmpint(nodes[0].feature, ==, 4);
  g_assert_cmpint(nodes[1].kind, ==, CW_NODE_TOKEN);
  g_assert_cmpint(nodes[1].feature, ==, 5);
  g_assert_cmpint(nodes[2].layer, ==, 1);
  g_assert_cmpint(nodes[3].kind, ==, CW_NODE_LOGIT);
  g_assert_cmpint(nodes[3].layer, ==, 2);
  g_assert_cmpfloat(nodes[3].probability, ==, 0.25f);
  g_assert_cmpuint(cw_graph_get_n_edges(graph), ==, 3);
  g_assert_cmpfloat(cw_graph_peek_weight(graph)[cw_graph_peek_row_start(graph)[3] + 1], ==,
                    2.5f);
  cw_load_report_clear(&report);
}

/* Feature numbers by rule: Cantor code, plain index, layer * 10^k + index; the id decides. */
static void
test_feature_numbers(void)
{
  g_autoptr(CwGraph) coded = load_text(
      "{\"metadata\":{\"schema_version\":1},\"links\":[],\"nodes\":[" NODE(
          "odd",
          F("20", "3") "13417431370") "," NODE("0_1_2",
                                               F("0",
                                                 "2") "2") "," NODE("61_1048576_0",
                                                                    F("\"61\"",
                                                                      "0") "549821351779") "]}",
      NULL, NULL);
  const CwNode *nodes = cw_graph_peek_nodes(coded);
  g_assert_cmpint(nodes[0].feature, ==, 163792);
  g_assert_cmpint(nodes[1].feature, ==, 1);
  g_assert_cmpint(nodes[2].feature, ==, 1048576);
  CwLoadReport report = { 0 };
  g_autoptr(CwGraph) old = load_text(
      "{\"metadata\":{\"scan\":\"gemma-2-2b\"},\"links\":[],\"nodes\":[" NODE(
          "12_345_2",
          F("12", "2") "1200345") "," NODE("a",
                                           F("3", "1") "77") "," NODE("b",
                                                                      F("3", "1") "null") "]}",
      &report, NULL);
  nodes = cw_graph_peek_nodes(old);
  g_assert_cmpint(nodes[0].feature, ==, 345);
  g_assert_cmpint(nodes[1].feature, ==, 77);
  g_assert_cmpint(nodes[2].feature, ==, -1);
  cw_load_report_clear(&report);
}

static void
test_error_ids(void)
{
  CwLoadReport report = { 0 };
  g_autoptr(CwGraph) graph = load_text(
      "{\"metadata\":{\"schema_version\":1},\"links\":["
      "{\"source\":\"0_5_1\",\"target\":\"3_-1_1\",\"weight\":1}],\"nodes\":"
      "[" NODE(
          "0_5_1",
          "\"feature\":-1,\"feature_type\":\"mlp reconstruction "
          "error\"") "," NODE("3_-1_1",
                              "\"feature\":-1,\"layer\":"
                              "\"3\",\"feature_type\":"
                              "\"lorsa error\"") "," NODE("0_5_1",
                                                          F("0",
                                                            "1") "20") "," NODE("b_1",
                                                                                "\"feature_"
                                                                                "type\":"
                                                                                "\"bias\","
                                                                                "\"layer\":2,"
                                                                                "\"ctx_idx\":1,"
                                                                                "\"feature\":"
                                                                                "null") "]}",
      &report, NULL);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  g_assert_cmpint(nodes[0].kind, ==, CW_NODE_ERROR);
  g_assert_cmpint(nodes[0].layer, ==, 5);
  g_assert_cmpint(nodes[0].position, ==, 1);
  g_assert_cmpint(nodes[1].layer, ==, 3);
  g_assert_cmpint(nodes[2].kind, ==, CW_NODE_FEATURE);
  g_assert_cmpint(nodes[3].kind, ==, CW_NODE_OTHER);
  g_assert_cmpuint(report.n_duplicate_nodes, ==, 1);
  g_assert_cmpuint(cw_graph_peek_source(graph)[0], ==, 0);
  g_assert_cmpuint(report.n_missing_fields, >, 0);
  cw_load_report_clear(&report);
}

static const char *const VIEW_HEAD = "{\"nodes\":[],\"links\":[],\"qParams\":";

static char *
view_of(const char *q_params, double *threshold)
{
  CwViewState state = { 0 };
  g_autofree char *text = g_strconcat(VIEW_HEAD, q_params, "}", NULL);
  g_autoptr(CwGraph) graph = load_text(text, NULL, &state);
  if (threshold != NULL)
    *threshold = state.node_threshold;
  return state.view_json;
}

static void
test_q_params(void)
{
  static const char *const same[] = {
    "{\"pinnedIds\":[\"a\",\"b\"],\"supernodes\":[[\"g\",\"a\",\"b\"]]}",
    "{\"pinnedIds\":\"a, b\",\"supernodes\":\"[[\\\"g\\\",\\\"a\\\",\\\"b\\\"]]\"}",
    "{\"pinnedIds\":\"[\\\"a\\\",\\\"b\\\"]\",\"supernodes\":[[\"g\",\"a\",\"b\"]],"
    "\"clickedId\":null,\"linkType\":\"\",\"sg_pos\":\"\",\"clerps\":null}",
  };
  static const char *const nothing[] = { "null",
                                         "{}",
                                         "[]",
                                         "\"x\"",
                                         "{\"pinnedIds\":null,\"supernodes\":null}",
                                         "{\"pinnedIds\":[],\"supernodes\":\"\",\"clerps\":3}",
                                         "{\"pinnedIds\":\"\",\"supernodes\":\"[[\"}" };
  for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
    g_autofree char *view = view_of(same[i], NULL);
    g_assert_cmpstr(view, ==,
                    "{\"pins\":[\"a\",\"b\"],\"groups\":[{\"label\":\"g\",\"members\":"
                    "[\"a\",\"b\"]}]}");
  }
  for (size_t i = 0; i < G_N_ELEMENTS(nothing); i++) {
    g_autofree char *view = view_of(nothing[i], NULL);
    g_assert_cmpstr(view, ==, NULL);
  }
  double threshold;
  g_autofree char *view = view_of("{\"pruningThreshold\":\"0.4\",\"densityThreshold\":0.99,"
                                  "\"clerps\":\"[[15204836,\\\"Texas\\\"]]\",\"linkType\":"
                                  "\"either\",\"clickedId\":\"a\",\"sg_pos\":\"1 2\"}",
                                  &threshold);
  g_assert_cmpfloat(threshold, ==, 0.4);
  g_assert_nonnull(strstr(view, "\"labels\":{\"15204836\":\"Texas\"}"));
  g_assert_nonnull(strstr(view, "\"link_type\":\"either\""));
  g_assert_nonnull(strstr(view, "\"density_threshold\":0.9"));
}

/* ---- saving -------------------------------------------------------------------------------
 */

static const char ODD[] =
    "{ \"zzz\" : [1.50e+0, {\"k\":null}],\n"
    " \"links\":[ {\"w\":1,\"source\":\"E_5_0\",\"target\":\"2_9_0\",\"weight\":1.250000e1}\n"
    "   , {\"source\":\"0_4_0\",\"target\":\"2_9_0\",\"weight\":1e-3 } ,\n"
    "{\"source\":\"x\",\"target\":\"2_9_0\",\"weight\":7}],\n"
    " \"qParams\":{\"mine\":{\"deep\":[0.10]},\"pinnedIds\":\"0_4_0\",\"sg_pos\":\"\"},\n"
    " \"nodes\":[ {\"vis_link\":\"\\u00e9\\/\",\"node_id\":\"0_4_0\",\"layer\":0,\"ctx_idx\":0,"
    "\"feature\":14,\"feature_type\":\"cross layer transcoder\",\"clerp\":\"a \\u0041\"},\n"
    "  {\"node_id\":\"E_5_0\",\"layer\":\"E\",\"feature_type\":\"embedding\",\"feature\":0,"
    "\"ctx_idx\":0},{\"node_id\":\"2_9_0\",\"layer\":\"2\",\"feature_type\":\"logit\",\"ctx_"
    "idx\":"
    "0,\"feature\":9,\"token_prob\":5.0E-1} ]\n,\"qk_only_nodes\":{}}  \n";

static void
test_saves_bytes(void)
{
  g_autofree char *after = NULL;
  gsize n;
  CwViewState state = { 0 };
  g_autoptr(CwGraph) graph = load_text(ODD, NULL, &state);
  g_assert_cmpstr(cw_graph_peek_label(graph, 0), ==, "a A");
  g_autofree char *path = save(graph, NULL, &state, &after, &n);
  g_assert_cmpstr(after, ==, ODD);
  cw_view_state_clear(&state);
}

static void
test_saves_pruned(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *after = NULL;
  gsize n;
  CwLoadReport report = { 0 };
  g_autoptr(CwGraph) graph = load_text(ODD, NULL, NULL);
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  CwPruneOptions options = { 0.5, 0.5, NULL };
  g_autoptr(CwPruned) pruned = cw_pruner_run(pruner, &options, NULL, &error);
  g_assert_no_error(error);
  g_autofree char *path = save(graph, pruned, NULL, &after, &n);
  g_assert_nonnull(strstr(after, "1.250000e1"));
  g_assert_nonnull(strstr(after, "\"zzz\" : [1.50e+0, {\"k\":null}]"));
  g_assert_null(strstr(after, "vis_link"));
  g_assert_null(strstr(after, "1e-3"));
  g_autoptr(CwGraph) again = cw_graph_load(path, &report, NULL, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(report.n_nodes, ==, 2);
  g_assert_cmpuint(report.n_links, ==, 1);
  g_assert_cmpuint(report.n_dropped_links, ==, 0);
  cw_load_report_clear(&report);
}

static void
test_saves_view(void)
{
  static const char view[] = "{\"pins\":[\"E_5_0\"],\"groups\":[{\"label\":\"g\",\"members\":"
                             "[\"E_5_0\"],\"colour\":\"red\"}],\"labels\":{\"0_4_0\":\"mine\"},"
                             "\"notes\":[{\"text\":\"so\"}]}";
  g_autoptr(GError) error = NULL;
  g_autofree char *after = NULL;
  gsize n;
  CwViewState state = { 0.7, 0.9, g_strdup(view) }, found = { 0 };
  g_autoptr(CwGraph) graph = load_text(ODD, NULL, NULL);
  g_autofree char *path = save(graph, NULL, &state, &after, &n);
  g_assert_nonnull(strstr(after, "\"mine\": {\"deep\":[0.10]}"));
  g_assert_nonnull(strstr(after, "\"pinnedIds\": [\"E_5_0\"]"));
  g_assert_nonnull(strstr(after, "\"supernodes\": [[\"g\",\"E_5_0\"]]"));
  g_assert_nonnull(strstr(after, "\"clerps\": [[\"0_4_0\",\"mine\"]]"));
  g_assert_nonnull(strstr(after, "\"clerp\":\"a \\u0041\""));
  g_autoptr(CwGraph) again = cw_graph_load(path, NULL, &found, NULL, &error);
  g_assert_no_error(error);
  assert_same_graph(graph, again);
  g_assert_cmpstr(found.view_json, ==, view);
  g_assert_cmpfloat(found.node_threshold, ==, 0.7);
  g_assert_cmpfloat(found.edge_threshold, ==, 0.9);
  g_free(state.view_json);
  state.view_json = g_strdup("[1]");
  g_assert_false(cw_graph_save_json(again, NULL, &state, path, NULL, &error));
  g_assert_nonnull(error);
  cw_view_state_clear(&state);
  cw_view_state_clear(&found);
}

/* A graph of our own, written whole and read back: ids, kinds and float texts survive. */
static void
test_own_round_trip(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = graph_random(200, 4, 5, 0.5, 77);
  CwViewState state = { 0.75, NAN, NULL }, found = { 0 };
  CwLoadReport report = { 0 };
  g_autofree char *path = save(graph, NULL, &state, NULL, NULL);
  g_autoptr(CwGraph) again = cw_graph_load(path, &report, &found, NULL, &error);
  g_assert_no_error(error);
  assert_same_graph(graph, again);
  g_assert_cmpuint(report.messages->len, ==, 0);
  g_assert_cmpfloat(found.node_threshold, ==, 0.75);
  cw_load_report_clear(&report);
  cw_view_state_clear(&found);
}

/* ---- defects ------------------------------------------------------------------------------
 */

static void
test_bad_files(void)
{
  static const struct {
    const char *text, *needle;
  } cases[] = {
    { "", "the file ends where an object" },
    { "[]", "byte 0: found '[' where an object" },
    { "{}", "no list \"nodes\"" },
    { "{\"nodes\":{}}", "byte 9: found '{' where a list" },
    { "{\"nodes\":[]", "byte 11: the file ends" },
    { "{\"nodes\":[],\"nodes\":[]}", "byte 13: \"nodes\" is there twice" },
    { "{\"nodes\":[{}]}", "byte 10: the node that begins here has no node_id" },
    { "{\"nodes\":[],\"links\":[]} x", "something follows" },
    { "{\"nodes\":[1]}", "found '1' where an object" },
    { "{\"nodes\":[],\"links\":[{\"weight\":01}]}", "found '0'" },
    { "{\"nodes\":[],\"links\":[{\"weight\":1.}]}", "found '1'" },
    { "{\"nodes\":[],\"links\":[{\"weight\":1e}]}", "found '1'" },
    { "{\"nodes\":[],}", "found '}'" },
    { "{\"nodes\":[{\"node_id\":\"a\",\"layer\":70000}]}", "the layer 70000 is not in" },
    { "{\"nodes\":[{\"node_id\":\"a\",\"ctx_idx\":-1}]}", "the position -1 is not in" },
    { "{\"nodes\":[{\"node_id\":\"a\",\"ctx_idx\":2000000}]}", "position 2000000" },
    { "{\"nodes\":[{\"node_id\":\"a\\x\"}]}", "no such escape" },
    { "{\"nodes\":[{\"node_id\":\"a\\u12\"}]}", "four hexadecimal" },
    { "{\"nodes\":[{\"node_id\":\"a", "has no end" },
    { "{\"nodes\":[{\"node_id\":\"a\n\"}]}", "control character" },
    { "{\"nodes\":[{\"node_id\":\"\xff\"}]}", "not UTF-8" },
    { "{\"nodes\":[{\"node_id\":\"a\",\"x\":tru}]}", "where a value" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
    expect_error(cases[i].text, -1, cases[i].needle);
  expect_error("{\"nodes\":[]\0}", 13, "byte 11");
  g_autoptr(GString) deep = g_string_new("{\"nodes\":[],\"x\":");
  for (int i = 0; i < 100000; i++)
    g_string_append_c(deep, '[');
  expect_error(deep->str, -1, "nested more than 64 deep");
  g_autoptr(GString) tall = g_string_new("{\"nodes\":[{\"node_id\":\"");
  for (int i = 0; i < 17 << 20; i++)
    g_string_append_c(tall, 'a');
  g_string_append(tall, "\"}]}");
  expect_error(tall->str, -1, "the limit is");
}

/* Every prefix of a file is refused, with the place where it ends or an error before it. */
static void
test_truncated(void)
{
  g_autoptr(GError) error = NULL;
  for (size_t n = 0; n < strlen(ODD) - 4; n++)
    expect_error(ODD, (gssize)n, "byte");
}

static void
test_cancelled(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = graph_random(2000, 4, 5, 0.1, 78);
  g_autofree char *path = save(graph, NULL, NULL, NULL, NULL);
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  cw_cancel_trigger(cancel);
  g_assert_null(cw_graph_load(path, NULL, NULL, cancel, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  temp_dir = test_temp_dir();
  for (size_t i = 0; i < G_N_ELEMENTS(GOLDEN_CASES); i++) {
    g_autofree char *same =
        g_strdup_printf("/core/graph-json/equals-circuit-tracer/%s", GOLDEN_CASES[i]);
    g_autofree char *bytes =
        g_strdup_printf("/core/graph-json/gives-bytes-back/%s", GOLDEN_CASES[i]);
    g_test_add_data_func(same, GOLDEN_CASES[i], test_equals_circuit_tracer);
    g_test_add_data_func(bytes, GOLDEN_CASES[i], test_golden_bytes);
  }
  for (size_t i = 0; i < G_N_ELEMENTS(REAL_FILES); i++) {
    g_autofree char *name = g_strdup_printf("/core/graph-json/real/%s", REAL_FILES[i].name);
    g_test_add_data_func(name, &REAL_FILES[i], test_real_file);
  }
  g_test_add_func("/core/graph-json/real/large-features", test_galaxy_features);
  g_test_add_func("/core/graph-json/links-first", test_links_first);
  g_test_add_func("/core/graph-json/feature-numbers", test_feature_numbers);
  g_test_add_func("/core/graph-json/error-ids", test_error_ids);
  g_test_add_func("/core/graph-json/q-params-dialects", test_q_params);
  g_test_add_func("/core/graph-json/saves-bytes", test_saves_bytes);
  g_test_add_func("/core/graph-json/saves-pruned", test_saves_pruned);
  g_test_add_func("/core/graph-json/saves-view", test_saves_view);
  g_test_add_func("/core/graph-json/own-round-trip", test_own_round_trip);
  g_test_add_func("/core/graph-json/bad-files", test_bad_files);
  g_test_add_func("/core/graph-json/truncated", test_truncated);
  g_test_add_func("/core/graph-json/cancelled", test_cancelled);
  int status = g_test_run();
  test_remove_tree(temp_dir);
  g_free(temp_dir);
  return status;
}
