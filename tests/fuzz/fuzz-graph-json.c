/* fuzz-graph-json.c - graph JSON of other programs: no input harms the reader, and what it lets
 * through can be used, pruned, saved and read again. */
#include <string.h>

#include "fuzz-graph.h"
#include "fuzz.h"
#include "graph/graph-json-reader.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
  g_autoptr(GError) error = NULL;
  CwLoadReport report = { 0 };
  CwViewState state = { 0 };
  char *text = g_malloc(n + 1);
  memcpy(text, data, n);
  text[n] = '\0';
  g_autoptr(CwGraph) graph =
      cw_graph_json_read_take(text, n, "f", &report, &state, NULL, &error);
  if ((graph == NULL) != (error != NULL))
    g_error("a result and an error at once, or neither");
  if (graph == NULL)
    return 0;
  fuzz_use_graph(graph);
  fuzz_save_graph(graph, &state);
  cw_load_report_clear(&report);
  cw_view_state_clear(&state);
  return 0;
}

GPtrArray *
fuzz_make_seeds(void)
{
  static const char *const texts[] = {
    "{\"metadata\":{\"slug\":\"s\",\"schema_version\":1,\"n_layers\":3,\"prompt\":\"a b\","
    "\"prompt_tokens\":[\"a\",\" b\"],\"generation_settings\":{\"k\":1}},\n"
    "\"qParams\":{\"pinnedIds\":[\"0_4_0\"],\"supernodes\":[[\"g\",\"0_4_0\"]],"
    "\"linkType\":\"both\",\"clickedId\":\"\",\"sg_pos\":\"\"},\"nodes\":["
    "{\"node_id\":\"0_4_0\",\"layer\":\"0\",\"ctx_idx\":0,\"feature\":14,\"feature_type\":"
    "\"cross layer transcoder\",\"clerp\":\"x\",\"influence\":0.5,\"activation\":2.5},"
    "{\"node_id\":\"1_-1_1\",\"layer\":\"1\",\"ctx_idx\":1,\"feature\":-1,"
    "\"feature_type\":\"mlp reconstruction error\",\"clerp\":\"\"},"
    "{\"node_id\":\"E_7_0\",\"layer\":\"E\",\"ctx_idx\":0,\"feature\":0,"
    "\"feature_type\":\"embedding\",\"clerp\":\"\"},"
    "{\"node_id\":\"4_9_1\",\"layer\":\"4\",\"ctx_idx\":1,\"feature\":9,\"token_prob\":0.7,"
    "\"feature_type\":\"logit\",\"clerp\":\"Output \\\" b\\\" (p=0.7)\"}],"
    "\"links\":[{\"source\":\"E_7_0\",\"target\":\"0_4_0\",\"weight\":1.5},"
    "{\"source\":\"0_4_0\",\"target\":\"4_9_1\",\"weight\":-2e-1},"
    "{\"source\":\"1_-1_1\",\"target\":\"4_9_1\",\"weight\":0.25}]}",
    "{\"links\":[{\"weight\":1,\"source\":\"b\",\"target\":\"a\",\"x\":[]},{\"source\":\"a\","
    "\"target\":\"b\",\"weight\":1}],\"nodes\":[{\"node_id\":\"a\",\"layer\":2},"
    "{\"jsNodeId\":\"b\",\"feature\":\"12\",\"isLogit\":true}],\"qk_only_nodes\":{},"
    "\"qParams\":{\"pinnedIds\":\"a, b\",\"supernodes\":\"[[\\\"g\\\",\\\"a\\\"]]\","
    "\"clerps\":\"[[1,\\\"T\\\"]]\",\"pruningThreshold\":\"0.4\",\"densityThreshold\":0.9,"
    "\"clew\":{\"node_threshold\":0.5,\"view\":{\"pins\":[\"a\"],\"notes\":[]}}}}",
    "{\"nodes\":[{\"node_id\":\"\\u00e4\\ud83d\\ude00\",\"layer\":\"E1\",\"ctx_idx\":2}],"
    "\"links\":[{\"source\":\"\xc3\xa4\xf0\x9f\x98\x80\",\"target\":null,\"weight\":\"NaN\"},"
    "{\"source\":\"\xc3\xa4\xf0\x9f\x98\x80\",\"target\":\"\\u00e4\\ud83d\\ude00\","
    "\"weight\":123456789012345678901e-20}],\"qParams\":null,\"metadata\":[]}",
    "\xef\xbb\xbf { \"nodes\" : [ ] , \"links\" : [ ] } ",
  };
  return fuzz_seeds_of_texts(texts, G_N_ELEMENTS(texts));
}
