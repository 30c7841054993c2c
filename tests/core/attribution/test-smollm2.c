/* test-smollm2.c - the real default model with a real small transcoder, against
 * circuit-tracer's graph of the same prompt; memory that runs out in the middle; cancelling in
 * time. */
#include "cw-attribution.h"
#include "test-support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  CwModel *model;
  CwTranscoder *transcoder;
  CwTensorFile *expected;
  int32_t tokens[64];
  size_t n_tokens;
} Setup;

static bool
setup_or_skip(Setup *setup)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *model = test_smollm2_path_or_skip();
  g_autofree char *transcoder = model != NULL ? test_shared_path_or_skip("smollm2-clt") : NULL;
  if (transcoder == NULL)
    return false;
  g_autofree char *expected = test_golden_path("smollm2/attribution-1024.safetensors");
  setup->model = cw_model_load(model, &error);
  g_assert_no_error(error);
  setup->transcoder = cw_transcoder_open(transcoder, &error);
  g_assert_no_error(error);
  setup->expected = cw_tensor_file_open(expected, &error);
  g_assert_no_error(error);
  const CwTensor *tokens = cw_tensor_file_find(setup->expected, "input_tokens");
  setup->n_tokens = (size_t)tokens->shape[0];
  for (size_t i = 0; i < setup->n_tokens; i++)
    setup->tokens[i] = (int32_t)((const int64_t *)tokens->data)[i];
  return true;
}

static void
setup_clear(Setup *setup)
{
  cw_model_unref(setup->model);
  cw_transcoder_unref(setup->transcoder);
  cw_tensor_file_close(setup->expected);
}

/* (layer, position, feature) as one number. */
static int64_t
feature_key(int64_t layer, int64_t position, int64_t feature)
{
  return (layer * 1000 + position) * 1000000 + feature;
}

static GHashTable *
expected_features(const Setup *setup, const char *name, size_t *n)
{
  const CwTensor *active = cw_tensor_file_find(setup->expected, "active_features");
  const int64_t *triples = active->data;
  const CwTensor *chosen = name != NULL ? cw_tensor_file_find(setup->expected, name) : NULL;
  *n = (size_t)(chosen != NULL ? chosen->shape[0] : active->shape[0]);
  GHashTable *table = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
  for (size_t i = 0; i < *n; i++) {
    int64_t at = chosen != NULL ? ((const int64_t *)chosen->data)[i] : (int64_t)i;
    gint64 key = feature_key(triples[3 * at], triples[3 * at + 1], triples[3 * at + 2]);
    g_hash_table_insert(table, g_memdup2(&key, sizeof key), GSIZE_TO_POINTER(i + 1));
  }
  return table;
}

/* Where each of our nodes stands in the expected matrix, -1 if it is not there. */
static int64_t *
match_nodes(const Setup *setup, const CwGraph *graph, size_t *n_shared_features)
{
  size_t n_selected, n = cw_graph_get_n_nodes(graph);
  g_autoptr(GHashTable) selected = expected_features(setup, "selected_features", &n_selected);
  int64_t T = (int64_t)setup->n_tokens, L = cw_graph_get_n_layers(graph);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  int64_t *match = g_new(int64_t, n), n_logits = 0;
  *n_shared_features = 0;
  for (size_t i = 0; i < n; i++) {
    gint64 key = feature_key(nodes[i].layer, nodes[i].position, nodes[i].feature);
    gpointer found = NULL;
    switch (nodes[i].kind) {
    case CW_NODE_FEATURE:
      found = g_hash_table_lookup(selected, &key);
      match[i] = (int64_t)GPOINTER_TO_SIZE(found) - 1;
      *n_shared_features += found != NULL;
      break;
    case CW_NODE_ERROR:
      match[i] = (int64_t)n_selected + nodes[i].layer * T + nodes[i].position;
      break;
    case CW_NODE_TOKEN:
      match[i] = (int64_t)n_selected + L * T + nodes[i].position;
      break;
    default:
      match[i] = (int64_t)n_selected + L * T + T + n_logits++;
    }
  }
  return match;
}

static void
compare_edges(const Setup *setup, const CwGraph *graph, const int64_t *match)
{
  const CwTensor *adjacency = cw_tensor_file_find(setup->expected, "adjacency");
  const float *want = adjacency->data;
  int64_t N = adjacency->shape[0];
  double largest = test_max_abs(want, (size_t)(N * N));
  const int64_t *start = cw_graph_peek_row_start(graph);
  size_t n = cw_graph_get_n_nodes(graph), n_compared = 0;
  g_autofree float *row = g_new(float, N);
  for (size_t t = 0; t < n; t++) {
    if (match[t] < 0)
      continue;
    memset(row, 0, (size_t)N * sizeof *row);
    for (int64_t e = start[t]; e < start[t + 1]; e++) {
      int64_t source = match[cw_graph_peek_source(graph)[e]];
      if (source >= 0)
        row[source] = cw_graph_peek_weight(graph)[e];
    }
    /* Expected sources that we did not select are not compared. */
    for (size_t s = 0; s < n; s++) {
      if (match[s] < 0)
        continue;
      double w = (double)want[match[t] * N + match[s]];
      g_assert_cmpfloat(fabs((double)row[match[s]] - w), <=, 1e-3 * fabs(w) + 1e-4 * largest);
      n_compared += w != 0;
    }
  }
  g_assert_cmpuint(n_compared, >, 300000);
}

static void
test_golden_1024(void)
{
  Setup setup;
  if (!setup_or_skip(&setup))
    return;
  g_autoptr(GError) error = NULL;
  CwkDevice *device = cwk_cpu_new(2);
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  options.max_feature_nodes = 1024;
  options.batch_size = 64;
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph =
      cw_attribute(setup.model, setup.transcoder, device, setup.tokens, setup.n_tokens,
                   &options, NULL, NULL, &detail, &error);
  g_assert_no_error(error);
  size_t n_expected, n_shared = 0;
  g_autoptr(GHashTable) active = expected_features(&setup, NULL, &n_expected);
  for (int64_t i = 0; i < detail->n_active; i++) {
    gint64 key = feature_key(detail->active_layer[i], detail->active_position[i],
                             detail->active_feature[i]);
    n_shared += g_hash_table_contains(active, &key);
  }
  /* Pre-activations within 1e-4 of a threshold may fall on either side; there are none here. */
  g_assert_cmpuint(n_shared, ==, n_expected);
  g_assert_cmpint(detail->n_active, ==, (int64_t)n_expected);
  size_t n_selected_shared;
  g_autofree int64_t *match = match_nodes(&setup, graph, &n_selected_shared);
  g_test_message("%zu of %" G_GINT64_FORMAT " selected features shared", n_selected_shared,
                 detail->n_selected);
  g_assert_cmpuint(n_selected_shared * 100, >=, (size_t)detail->n_selected * 99);
  compare_edges(&setup, graph, match);
  g_assert_cmpfloat(detail->largest_rest_error, <=, 1e-5);
  cwk_device_free(device);
  setup_clear(&setup);
}

/* ---- cancelling -------------------------------------------------------------------------- */

static gpointer
trigger_later(gpointer data)
{
  g_usleep(300 * 1000);
  cw_cancel_trigger(data);
  return NULL;
}

static void
test_cancel_discards(void)
{
  Setup setup;
  if (!setup_or_skip(&setup))
    return;
  g_autoptr(GError) error = NULL;
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  CwkDevice *device = cwk_cpu_new(2);
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  options.max_feature_nodes = 0;
  GThread *thread = g_thread_new("cancel", trigger_later, cancel);
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph =
      cw_attribute(setup.model, setup.transcoder, device, setup.tokens, setup.n_tokens,
                   &options, NULL, cancel, &detail, &error);
  g_thread_join(thread);
  g_assert_null(graph);
  g_assert_null(detail);
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  cwk_device_free(device);
  setup_clear(&setup);
}

/* ---- no memory -----------------------------------------------------------------------------
 */

/* The sanitizers reserve terabytes of address space, so it cannot be limited under them. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Exit status of the child: 0 a graph, 1 a clean "no memory", anything else is a failure. */
static int
attribute_with_limit(const Setup *setup, size_t mebibytes_more)
{
  g_autoptr(GError) error = NULL;
  CwkDevice *device = cwk_cpu_new(1);
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  options.max_feature_nodes = 1024;
  FILE *statm = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  if (device == NULL || statm == NULL || fscanf(statm, "%lu", &pages) != 1)
    return 2;
  fclose(statm);
  struct rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + (mebibytes_more << 20);
  if (setrlimit(RLIMIT_AS, &limit) != 0)
    return 3;
  g_autoptr(CwGraph) graph =
      cw_attribute(setup->model, setup->transcoder, device, setup->tokens, setup->n_tokens,
                   &options, NULL, NULL, NULL, &error);
  if (graph != NULL)
    return 0;
  return g_error_matches(error, CW_ERROR, CW_ERROR_NO_MEMORY) && error->message[0] != 0 ? 1 : 4;
}

static void
test_no_memory(void)
{
  Setup setup;
  if (!setup_or_skip(&setup))
    return;
  int n_refused = 0, n_done = 0;
  /* Dense where a run may fail at every stage, sparse where it has all it needs. */
  for (size_t mebibytes = 4; mebibytes <= 1024; mebibytes += mebibytes < 64    ? 4
                                                             : mebibytes < 256 ? 64
                                                                               : 256) {
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
      _exit(attribute_with_limit(&setup, mebibytes));
    int status;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), <=, 1);
    n_refused += WEXITSTATUS(status) == 1;
    n_done += WEXITSTATUS(status) == 0;
  }
  g_assert_cmpint(n_refused, >, 3);
  g_assert_cmpint(n_done, >, 0);
  setup_clear(&setup);
}
#else
static void
test_no_memory(void)
{
  g_test_skip("sanitizers reserve terabytes of address space, so it cannot be limited");
}
#endif

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/attribute/smollm2/golden-1024", test_golden_1024);
  g_test_add_func("/core/attribute/smollm2/cancel-discards", test_cancel_discards);
  g_test_add_func("/core/attribute/smollm2/no-memory", test_no_memory);
  return g_test_run();
}
