/* test-no-memory.c - every allocation in the middle of an attribution fails once, the Nth for
 * every N: the answer is an error that says so, nothing is handed out, and the same model,
 * transcoder and device then give the same graph as before. */
#include "../failing-memory.h"
#include "golden-case.h"

static void
assert_same_graph(const CwGraph *a, const CwGraph *b)
{
  size_t n = cw_graph_get_n_edges(a);
  g_assert_cmpuint(n, ==, cw_graph_get_n_edges(b));
  g_assert_cmpmem(cw_graph_peek_source(a), n * 4, cw_graph_peek_source(b), n * 4);
  g_assert_cmpmem(cw_graph_peek_weight(a), n * 4, cw_graph_peek_weight(b), n * 4);
}

/* True if the allocation was reached, and failed. A device of its own each time, so that its
 * scratch memory is asked for again. */
static bool
run_failing_at(GoldenCase *one, int n)
{
  g_autoptr(GError) error = NULL;
  CwAttributionDetail *detail = NULL;
  CwkDevice *device = cwk_cpu_new(1);
  failing_memory_set(n);
  g_autoptr(CwGraph) graph =
      cw_attribute(one->model, one->transcoder, device, one->tokens, one->n_tokens,
                   &one->options, NULL, NULL, &detail, &error);
  bool has_failed = failing_memory_take();
  if (has_failed) {
    g_assert_null(graph);
    g_assert_null(detail);
    g_assert_error(error, CW_ERROR, CW_ERROR_NO_MEMORY);
    g_assert_cmpstr(error->message, !=, "");
  } else {
    g_assert_no_error(error);
    g_assert_nonnull(graph);
  }
  cw_attribution_detail_free(detail);
  cwk_device_free(device);
  return has_failed;
}

static void
test_every_allocation(gconstpointer name)
{
  GoldenCase one;
  golden_case_open(&one, name);
  one.options.max_feature_nodes = 60;
  one.options.batch_size = 24;
  one.options.update_interval = 1;
  g_autoptr(CwGraph) before = golden_case_run(&one, NULL);
  int n = 0;
  while (run_failing_at(&one, n))
    n++;
  g_test_message("%d allocations, each failed once", n);
  g_assert_cmpint(n, >, 50);
  g_autoptr(CwGraph) after = golden_case_run(&one, NULL);
  assert_same_graph(before, after);
  golden_case_close(&one);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/core/attribute/no-memory/clt", "llama-clt", test_every_allocation);
  g_test_add_data_func("/core/attribute/no-memory/skip", "gemma2-plt_skip",
                       test_every_allocation);
  return g_test_run();
}
