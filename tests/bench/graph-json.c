/* graph-json.c - megabytes per second and peak memory of reading a large graph JSON, beside
 * json-glib's tree of the same file.
 *
 *   bench-graph-json [--megabytes 64] [--compact] [--rounds 3] [--file G.json]
 *
 * The file is made here: a layered graph with heavy-tailed weights in circuit-tracer's schema,
 * indented as circuit-tracer writes it, or compact. Each side is a process of its own, which
 * reads the file several times on one core; both must count the same nodes, links and weights
 * before a time counts. The rate is the file's size over the CPU seconds of one reading,
 * opening and checking included; memory is the peak of the whole process, the text among it.
 * Prints one JSON object. */
#include "bench-support.h"
#include "golden-graph.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char *side, *file_path;
static int n_megabytes = 64, n_rounds = 3, n_reads = 5;
static gboolean is_compact;

static const GOptionEntry entries[] = {
  { "megabytes", 0, 0, G_OPTION_ARG_INT, &n_megabytes, "size of the file, about", "N" },
  { "compact", 0, 0, G_OPTION_ARG_NONE, &is_compact, "without white space", NULL },
  { "rounds", 0, 0, G_OPTION_ARG_INT, &n_rounds, "processes a side", "N" },
  { "reads", 0, 0, G_OPTION_ARG_INT, &n_reads, "readings a process", "N" },
  { "file", 0, 0, G_OPTION_ARG_FILENAME, &file_path, "read this file instead", "PATH" },
  { "side", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &side, NULL, NULL },
  { NULL },
};

typedef struct {
  int64_t n_nodes, n_links;
  double sum_weight; /* of |weight| */
} Counts;

static double
cpu_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the file ---------------------------------------------------------------------------- */

#define MAX_EDGES        18e6 /* of the graph below, with every edge that causality allows */
#define BYTES_PER_LINK   112
#define BYTES_OF_COMPACT 70

/* Takes out the white space between values, in place. */
static void
compact(char *text)
{
  char *to = text;
  bool is_inside = false;
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == '"')
      is_inside = !is_inside;
    if (is_inside && *at == '\\')
      *to++ = *at++;
    if (is_inside || !g_ascii_isspace(*at))
      *to++ = *at;
  }
  *to = '\0';
}

static int
run_generate(void)
{
  g_autoptr(GError) error = NULL;
  double n_links = n_megabytes * 1e6 / (is_compact ? BYTES_OF_COMPACT : BYTES_PER_LINK);
  g_autoptr(CwGraph) graph = graph_random(8192, 26, 16, MIN(n_links / MAX_EDGES, 1), 3);
  g_autofree char *text = NULL;
  bool is_good = cw_graph_save_json(graph, NULL, NULL, file_path, NULL, &error);
  if (is_good && is_compact && g_file_get_contents(file_path, &text, NULL, &error)) {
    compact(text);
    is_good = g_file_set_contents(file_path, text, -1, &error);
  }
  if (error != NULL) {
    fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  printf("{\"made\": %s}\n", is_good ? "true" : "false");
  return is_good ? 0 : 1;
}

/* ---- the sides --------------------------------------------------------------------------- */

static bool
read_ours(Counts *counts, GError **error)
{
  CwLoadReport report = { 0 };
  g_autoptr(CwGraph) graph = cw_graph_load(file_path, &report, NULL, NULL, error);
  if (graph == NULL)
    return false;
  *counts = (Counts){ (int64_t)report.n_nodes, (int64_t)report.n_links, 0 };
  for (size_t e = 0; e < cw_graph_get_n_edges(graph); e++)
    counts->sum_weight += fabs((double)cw_graph_peek_weight(graph)[e]);
  cw_load_report_clear(&report);
  return true;
}

static bool
read_tree(Counts *counts, GError **error)
{
  g_autoptr(JsonParser) parser = json_parser_new_immutable();
  if (!json_parser_load_from_file(parser, file_path, error))
    return false;
  JsonObject *root = json_node_get_object(json_parser_get_root(parser));
  JsonArray *links = json_object_get_array_member(root, "links");
  *counts = (Counts){ json_array_get_length(json_object_get_array_member(root, "nodes")),
                      json_array_get_length(links), 0 };
  for (guint i = 0; i < json_array_get_length(links); i++) {
    JsonObject *link = json_array_get_object_element(links, i);
    counts->sum_weight += fabs((double)(float)json_object_get_double_member(link, "weight"));
  }
  return true;
}

static int
run_side_here(bool (*read)(Counts *counts, GError **error))
{
  g_autoptr(GError) error = NULL;
  Counts counts = { 0, 0, 0 };
  double best = INFINITY;
  for (int i = 0; i < n_reads; i++) {
    double start = cpu_seconds();
    if (!read(&counts, &error)) {
      fprintf(stderr, "%s\n", error->message);
      return 1;
    }
    best = MIN(best, cpu_seconds() - start);
  }
  printf("{\"cpu_seconds\": %.6f, \"nodes\": %" G_GINT64_FORMAT ", \"links\": %" G_GINT64_FORMAT
         ", \"weight\": %.17g}\n",
         best, counts.n_nodes, counts.n_links, counts.sum_weight);
  return 0;
}

/* ---- the driver -------------------------------------------------------------------------- */

typedef struct {
  double cpu_seconds, peak_mebibytes;
  Counts counts;
} Best;

static bool
run_side(const char *self, const char *which, int reads, Best *best)
{
  g_autoptr(GError) error = NULL;
  BenchRun run = { 0 };
  g_autofree char *megabytes = g_strdup_printf("%d", n_megabytes);
  g_autofree char *reads_text = g_strdup_printf("%d", reads);
  const char *argv[] = {
    self,      "--side",   which,         "--file",  file_path,
    "--reads", reads_text, "--megabytes", megabytes, is_compact ? "--compact" : NULL,
    NULL
  };
  if (!bench_run(argv, &run, &error)) {
    fprintf(stderr, "%s\n", error->message);
    return false;
  }
  JsonObject *report = json_node_get_object(run.report);
  if (json_object_has_member(report, "cpu_seconds")) {
    best->cpu_seconds =
        MIN(best->cpu_seconds, json_object_get_double_member(report, "cpu_seconds"));
    best->peak_mebibytes = MAX(best->peak_mebibytes, run.peak_mebibytes);
    best->counts = (Counts){ json_object_get_int_member(report, "nodes"),
                             json_object_get_int_member(report, "links"),
                             json_object_get_double_member(report, "weight") };
  }
  bench_run_clear(&run);
  return true;
}

/* Links with the same ends would be one edge on our side; the file has none. The weights are
 * summed in different orders, hence the last bits. */
static bool
sides_agree(const Counts *ours, const Counts *tree)
{
  bool is_same = ours->n_nodes == tree->n_nodes && ours->n_links == tree->n_links &&
                 fabs(ours->sum_weight - tree->sum_weight) <= 1e-9 * tree->sum_weight;
  if (!is_same)
    fprintf(stderr,
            "The sides do not agree: %" G_GINT64_FORMAT " nodes, %" G_GINT64_FORMAT
            " links, weight %g against %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", %g\n",
            ours->n_nodes, ours->n_links, ours->sum_weight, tree->n_nodes, tree->n_links,
            tree->sum_weight);
  return is_same;
}

static void
print_side(const char *name, const Best *best, double file_bytes)
{
  printf("\"%s\": {\"cpu_seconds\": %.4f, \"megabytes_per_second\": %.1f, \"peak_mib\": %.0f, "
         "\"peak_over_file\": %.2f}, ",
         name, best->cpu_seconds, file_bytes * 1e-6 / best->cpu_seconds, best->peak_mebibytes,
         best->peak_mebibytes * 1048576 / file_bytes);
}

static int
run_driver(const char *self)
{
  g_autofree char *machine = bench_describe_machine();
  g_autofree char *temp = NULL;
  Best ours = { .cpu_seconds = INFINITY }, tree = { .cpu_seconds = INFINITY };
  if (file_path == NULL) {
    g_autofree char *name = g_strdup_printf("bench-graph-json-%d.json", (int)getpid());
    file_path = temp = g_build_filename(g_get_tmp_dir(), name, NULL);
    if (!run_side(self, "generate", 1, &ours))
      return 1;
  }
  struct stat info;
  bool is_good = stat(file_path, &info) == 0;
  for (int round = 0; is_good && round < n_rounds; round++)
    is_good = run_side(self, "ours", n_reads, &ours) && run_side(self, "tree", 1, &tree) &&
              sides_agree(&ours.counts, &tree.counts);
  if (temp != NULL)
    g_unlink(temp);
  if (!is_good)
    return 1;
  double file_bytes = (double)info.st_size;
  printf("{\"case\": \"graph-json\", \"machine\": \"%s\", \"layout\": \"%s\", "
         "\"file_megabytes\": %.1f, \"nodes\": %" G_GINT64_FORMAT
         ", \"links\": %" G_GINT64_FORMAT ", ",
         machine, is_compact ? "compact" : "indented", file_bytes * 1e-6, ours.counts.n_nodes,
         ours.counts.n_links);
  print_side("ours", &ours, file_bytes);
  print_side("json_glib_tree", &tree, file_bytes);
  printf("\"rate_ratio\": %.1f, \"memory_ratio\": %.1f}\n", tree.cpu_seconds / ours.cpu_seconds,
         tree.peak_mebibytes / ours.peak_mebibytes);
  return 0;
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
  if (g_strcmp0(side, "generate") == 0)
    return run_generate();
  if (side != NULL)
    return run_side_here(strcmp(side, "ours") == 0 ? read_ours : read_tree);
  return run_driver(argv[0]);
}
