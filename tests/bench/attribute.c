/* attribute.c - time and memory of an attribution graph, beside circuit-tracer on
 * TransformerLens with the same weights.
 *
 *   bench-attribute --transcoder FOLDER --peer-python VENV/bin/python [--nodes 1024]
 *
 * Each side is a process of its own. First one run of each writes its graph; ours must agree
 * with the peer's, and with the golden one where the settings are the golden's, before any time
 * counts. Then ours runs --rounds times, and a last process measures what the matrix products
 * of this machine reach, to which the sweeps are compared. Without --peer-python, or with a
 * saved graph of the peer (--peer-graph), the peer does not run. */
#include "attribution-agreement.h"
#include "attribution-case.h"
#include "bench-support.h"
#include "matmul-rate.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

static char *model_path, *transcoder_path, *peer_python, *peer_graph, *side, *graph_path;
static int n_tokens = 0, n_threads = 2, n_rounds = 3, n_nodes = 1024, batch_size = 64,
           update_interval = 4;

static const GOptionEntry entries[] = {
  { "model", 0, 0, G_OPTION_ARG_FILENAME, &model_path, "GGUF file", "M" },
  { "transcoder", 0, 0, G_OPTION_ARG_FILENAME, &transcoder_path, "its transcoder", "FOLDER" },
  { "peer-python", 0, 0, G_OPTION_ARG_FILENAME, &peer_python, "a Python with circuit-tracer",
    "PATH" },
  { "peer-graph", 0, 0, G_OPTION_ARG_FILENAME, &peer_graph,
    "what the peer wrote before: only agreement is checked", "FILE" },
  { "tokens", 0, 0, G_OPTION_ARG_INT, &n_tokens, "0: the golden prompt; else a long one", "N" },
  { "nodes", 0, 0, G_OPTION_ARG_INT, &n_nodes, "feature nodes, 0: all", "N" },
  { "batch-size", 0, 0, G_OPTION_ARG_INT, &batch_size, "rows a batch", "N" },
  { "update-interval", 0, 0, G_OPTION_ARG_INT, &update_interval, "batches a ranking", "N" },
  { "threads", 0, 0, G_OPTION_ARG_INT, &n_threads, "threads of both sides", "N" },
  { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "timed runs of ours", "N" },
  { "side", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &side, NULL, NULL },
  { "graph", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &graph_path, NULL, NULL },
  { NULL },
};

static double
process_cpu_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- our side ----------------------------------------------------------------------------
 */

static bool
run_ours(GError **error)
{
  AttributionCase opened;
  if (!attribution_case_open(&opened, model_path, transcoder_path, n_tokens, error))
    return false;
  CwkDevice *device = cwk_cpu_new(n_threads);
  CwAttributionOptions options;
  cw_attribution_options_init(&options);
  options.max_feature_nodes = n_nodes;
  options.batch_size = batch_size;
  options.update_interval = update_interval;
  BenchMemory memory;
  bench_memory_mark(&memory);
  gint64 start = g_get_monotonic_time();
  double cpu = process_cpu_seconds();
  g_autoptr(CwAttributionDetail) detail = NULL;
  g_autoptr(CwGraph) graph =
      cw_attribute(opened.model, opened.transcoder, device, opened.tokens, opened.n_tokens,
                   &options, NULL, NULL, &detail, error);
  double seconds = (double)(g_get_monotonic_time() - start) * 1e-6, peak, growth;
  cpu = process_cpu_seconds() - cpu;
  bool is_good = graph != NULL;
  bench_memory_peak(&memory, &peak, &growth);
  if (is_good && graph_path != NULL)
    is_good =
        attribution_write(graph, detail, opened.tokens, opened.n_tokens, graph_path, error);
  if (is_good)
    printf("{\"seconds\": %.4f, \"cpu_seconds\": %.4f, \"call_peak_mib\": %.1f, "
           "\"call_growth_mib\": %.1f, \"forward\": %.4f, \"rows\": %.4f, \"select\": %.4f, "
           "\"graph\": %.4f, \"flop_rows\": %.4e, \"active\": %" G_GINT64_FORMAT
           ", \"selected\": %" G_GINT64_FORMAT ", \"nodes\": %zu, \"edges\": %zu}\n",
           seconds, cpu, peak, growth, detail->seconds_forward, detail->seconds_rows,
           detail->seconds_select,
           seconds - detail->seconds_forward - detail->seconds_rows - detail->seconds_select,
           detail->flop_rows, detail->n_active, detail->n_selected, cw_graph_get_n_nodes(graph),
           cw_graph_get_n_edges(graph));
  cwk_device_free(device);
  attribution_case_clear(&opened);
  return is_good;
}

/* What the products of the sweeps could reach: many rows, a residual width of 576. */
static bool
run_rate(GError **error)
{
  CwkDevice *device = cwk_cpu_new(n_threads);
  MatmulCase stored, plain;
  if (!matmul_case_new(&stored, 3000, 576, 576, CWK_Q4_1) ||
      !matmul_case_new(&plain, 3000, 576, 576, CWK_F32)) {
    cw_error_set_from_status(error, CWK_NO_MEMORY, "preparing a product");
    return false;
  }
  printf("{\"f32\": %.1f, \"q4_1\": %.1f}\n", matmul_case_rate(&plain, device, 1.0),
         matmul_case_rate(&stored, device, 1.0));
  matmul_case_clear(&stored);
  matmul_case_clear(&plain);
  cwk_device_free(device);
  return true;
}

/* ---- the driver --------------------------------------------------------------------------
 */

static double
member(const BenchRun *run, const char *name)
{
  return json_object_get_double_member(json_node_get_object(run->report), name);
}

static char *
describe_run(const BenchRun *run)
{
  return g_strdup_printf("{\"wall\": %.3f, \"cpu\": %.3f, \"peak_mib\": %.1f, "
                         "\"others_cpu\": %.2f, \"call\": %s}",
                         run->wall_seconds, run->cpu_seconds, run->peak_mebibytes,
                         run->others_cpu_seconds, run->line);
}

/* Arguments of a run of this program with its settings, the part given. */
static char **
own_arguments(const char *self, const char *part, const char *graph)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  const struct {
    const char *name;
    int value;
  } numbers[] = { { "--tokens", n_tokens },
                  { "--nodes", n_nodes },
                  { "--batch-size", batch_size },
                  { "--update-interval", update_interval },
                  { "--threads", n_threads } };
  g_strv_builder_add_many(builder, self, "--side", part, "--model", model_path, "--transcoder",
                          transcoder_path, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
    g_autofree char *value = g_strdup_printf("%d", numbers[i].value);
    g_strv_builder_add_many(builder, numbers[i].name, value, NULL);
  }
  if (graph != NULL)
    g_strv_builder_add_many(builder, "--graph", graph, NULL);
  return g_strv_builder_end(builder);
}

static bool
run_self(const char *self, const char *part, const char *graph, BenchRun *run, GError **error)
{
  g_auto(GStrv) argv = own_arguments(self, part, graph);
  return bench_run((const char *const *)argv, run, error);
}

static bool
run_peer(const char *graph, BenchRun *run, GError **error)
{
  AttributionCase opened;
  if (!attribution_case_open(&opened, model_path, transcoder_path, n_tokens, error))
    return false;
  g_autoptr(GString) tokens = g_string_new(NULL);
  for (size_t i = 0; i < opened.n_tokens; i++)
    g_string_append_printf(tokens, "%s%d", i == 0 ? "" : ",", opened.tokens[i]);
  attribution_case_clear(&opened);
  g_autofree char *script = g_build_filename(BENCH_SOURCE_DIR, "peers", "attribute.py", NULL);
  g_autofree char *threads = g_strdup_printf("%d", n_threads);
  g_autofree char *nodes = g_strdup_printf("%d", n_nodes);
  g_autofree char *batch = g_strdup_printf("%d", batch_size);
  g_autofree char *interval = g_strdup_printf("%d", update_interval);
  const char *argv[] = { peer_python, script, model_path, transcoder_path, tokens->str, threads,
                         nodes,       batch,  interval,   graph,           NULL };
  return bench_run(argv, run, error);
}

/* Compares and prints; false stops the bench. */
static bool
check_agreement(const char *name, const char *ours, const char *reference, GError **error)
{
  AttributionAgreement agreement;
  if (!attribution_compare(ours, reference, &agreement, error))
    return false;
  g_autofree char *json = attribution_agreement_to_json(&agreement);
  printf("  \"%s\": %s,\n", name, json);
  fflush(stdout);
  if (attribution_agrees(&agreement))
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH, "The graphs do not agree: %s", name);
  return false;
}

static bool
is_golden_setting(void)
{
  return n_tokens == 0 && n_nodes == 1024 && batch_size * update_interval == 256;
}

/* First runs of both sides and their agreement. *peer has wall 0 if it did not run. */
static bool
agree_first(const char *self, BenchRun *peer, GError **error)
{
  g_autofree char *ours =
      g_build_filename(g_get_tmp_dir(), "bench-attribute-ours.safetensors", NULL);
  g_autofree char *written =
      g_build_filename(g_get_tmp_dir(), "bench-attribute-peer.safetensors", NULL);
  g_autofree char *golden = g_build_filename(BENCH_SOURCE_DIR, "..", "golden", "smollm2",
                                             "attribution-1024.safetensors", NULL);
  BenchRun first = { 0 };
  if (!run_self(self, "ours", ours, &first, error))
    return false;
  bench_run_clear(&first);
  if (is_golden_setting() && !check_agreement("golden", ours, golden, error))
    return false;
  if (peer_graph != NULL)
    return check_agreement("peer_agreement", ours, peer_graph, error);
  if (peer_python == NULL)
    return true;
  return run_peer(written, peer, error) &&
         check_agreement("peer_agreement", ours, written, error);
}

static bool
time_ours(const char *self, BenchRun *best, GError **error)
{
  best->wall_seconds = INFINITY;
  printf("  \"ours\": [");
  for (int i = 0; i < n_rounds; i++) {
    BenchRun run = { 0 };
    if (!run_self(self, "ours", NULL, &run, error))
      return false;
    g_autofree char *text = describe_run(&run);
    printf("%s\n    %s", i == 0 ? "" : ",", text);
    if (run.wall_seconds >= best->wall_seconds) {
      bench_run_clear(&run);
      continue;
    }
    bench_run_clear(best);
    *best = run;
  }
  printf("],\n");
  return true;
}

static bool
run_driver(const char *self, GError **error)
{
  g_autofree char *machine = bench_describe_machine();
  printf("{\n  \"case\": \"attribute\", \"machine\": \"%s\", \"tokens\": %d, \"nodes\": %d, "
         "\"batch_size\": %d, \"update_interval\": %d, \"threads\": %d,\n",
         machine, n_tokens == 0 ? 17 : n_tokens, n_nodes, batch_size, update_interval,
         n_threads);
  BenchRun peer = { 0 }, best = { 0 }, rate = { 0 };
  if (!agree_first(self, &peer, error) || !time_ours(self, &best, error) ||
      !run_self(self, "rate", NULL, &rate, error))
    return false;
  if (peer.report != NULL) {
    g_autofree char *text = describe_run(&peer);
    printf("  \"peer\": %s,\n", text);
    printf(
        "  \"ratio_wall_process\": %.1f, \"ratio_wall_call\": %.1f, \"ratio_cpu_call\": %.1f, "
        "\"ratio_memory\": %.2f,\n",
        peer.wall_seconds / best.wall_seconds,
        member(&peer, "seconds") / member(&best, "seconds"),
        member(&peer, "cpu_seconds") / member(&best, "cpu_seconds"),
        peer.peak_mebibytes / best.peak_mebibytes);
  }
  double reached = member(&best, "flop_rows") / member(&best, "rows") * 1e-9;
  printf("  \"sweep_gflops\": %.1f, \"product_gflops\": {\"f32\": %.1f, \"q4_1\": %.1f}, "
         "\"share_of_product_rate\": %.3f\n}\n",
         reached, member(&rate, "f32"), member(&rate, "q4_1"), reached / member(&rate, "q4_1"));
  bench_run_clear(&peer);
  bench_run_clear(&best);
  bench_run_clear(&rate);
  return true;
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return 2;
  }
  if (transcoder_path == NULL && g_strcmp0(side, "rate") != 0) {
    fprintf(stderr, "bench-attribute: --transcoder FOLDER is needed\n");
    return 2;
  }
  g_autofree char *path = attribution_case_model_path(model_path);
  model_path = path;
  bool is_good = side == NULL                ? run_driver(argv[0], &error)
                 : g_str_equal(side, "rate") ? run_rate(&error)
                                             : run_ours(&error);
  if (!is_good)
    fprintf(stderr, "%s\n", error->message);
  return is_good ? 0 : 1;
}
