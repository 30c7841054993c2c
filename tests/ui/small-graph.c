/* small-graph.c - see small-graph.h. */
#include "small-graph.h"

CwGraph *
small_graph_new(void)
{
  static const CwNode nodes[] = {
    { .kind = CW_NODE_FEATURE, .layer = 0, .position = 0, .feature = 7, .influence = 0.1f },
    { .kind = CW_NODE_FEATURE, .layer = 1, .position = 1, .feature = 8, .influence = 0.2f },
    { .kind = CW_NODE_FEATURE, .layer = 1, .position = 2, .feature = 9, .influence = 0.3f },
    { .kind = CW_NODE_LOGIT, .layer = 2, .position = 2, .feature = 3, .probability = 0.75f },
  };
  static const int64_t row_start[] = { 0, 0, 1, 1, 3 };
  static const uint32_t source[] = { 0, 0, 1 };
  static const float weight[] = { 1, 2, -1 };
  static const char *const labels[] = { "roots", "stems", "leaves",
                                        "Output \" tree\" (p=0.75)" };
  g_autoptr(GError) error = NULL;
  CwGraphParts parts = { .prompt = g_strdup("one two three"),
                         .prompt_tokens = g_new0(char *, 3),
                         .n_positions = 3,
                         .n_layers = 2,
                         .n_nodes = 4,
                         .nodes = g_memdup2(nodes, sizeof nodes),
                         .labels = g_new0(char *, 4),
                         .row_start = g_memdup2(row_start, sizeof row_start),
                         .source = g_memdup2(source, sizeof source),
                         .weight = g_memdup2(weight, sizeof weight) };
  for (int i = 0; i < 4; i++)
    parts.labels[i] = g_strdup(labels[i]);
  for (int i = 0; i < 3; i++)
    parts.prompt_tokens[i] = g_strdup_printf("t%d", i);
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
  g_assert_no_error(error);
  return graph;
}
