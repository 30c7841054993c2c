/* layout.c - the force-directed layout beside igraph's Fruchterman-Reingold: time of a step,
 * and how good the pictures are.
 *
 * Time: generated graphs of 600 / 10k, 2k / 10k and 10k / 500k nodes / edges; igraph's time an
 * iteration is the difference of two runs of different length, exact forces (no grid), as ours
 * are up to 6,000 nodes. Both run in turn on one thread; CPU time. Quality: the samples pruned
 * at 0.8 / 0.98, graphs named on the command line likewise, and a generated one; medians over
 * five seeds a side, gravity 0, 500 iterations of igraph. Before anything counts, what igraph
 * holds is read back and compared edge by edge. Prints one JSON object; --large adds the
 * quality of 10k nodes, which takes igraph ten minutes. */
#include "bench-support.h"
#include "golden-graph.h"
#include "layout-graph.h"
#include "layout-quality.h"

#include <igraph/igraph.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define N_ROUNDS     3
#define N_SEEDS      5
#define N_ITERATIONS 500

static double
now_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- the peer -------------------------------------------------------------------------- */

/* False if igraph holds another graph than ours. */
static bool
peer_graph_init(igraph_t *peer, const LayoutGraph *graph)
{
  igraph_vector_int_t ends;
  igraph_vector_int_init(&ends, (igraph_integer_t)(2 * graph->n_edges));
  for (size_t e = 0; e < graph->n_edges; e++) {
    VECTOR(ends)[2 * e] = graph->source[e];
    VECTOR(ends)[2 * e + 1] = graph->target[e];
  }
  igraph_create(peer, &ends, (igraph_integer_t)graph->n, IGRAPH_DIRECTED);
  igraph_vector_int_destroy(&ends);
  bool is_same =
      (size_t)igraph_vcount(peer) == graph->n && (size_t)igraph_ecount(peer) == graph->n_edges;
  for (size_t e = 0; e < graph->n_edges && is_same; e++)
    is_same =
        IGRAPH_FROM(peer, e) == graph->source[e] && IGRAPH_TO(peer, e) == graph->target[e];
  return is_same;
}

/* Lays the graph out from a random start; x and y may be NULL. */
static double
peer_run(igraph_t *peer, int n_iterations, int seed, float *x, float *y)
{
  igraph_matrix_t places;
  igraph_matrix_init(&places, 0, 0);
  igraph_rng_seed(igraph_rng_default(), (igraph_uint_t)seed);
  double start = now_ms();
  igraph_layout_fruchterman_reingold(peer, &places, false, n_iterations,
                                     sqrt((double)igraph_vcount(peer)), IGRAPH_LAYOUT_NOGRID,
                                     NULL, NULL, NULL, NULL, NULL);
  double took = now_ms() - start;
  for (igraph_integer_t i = 0; i < igraph_vcount(peer) && x != NULL; i++) {
    x[i] = (float)MATRIX(places, i, 0);
    y[i] = (float)MATRIX(places, i, 1);
  }
  igraph_matrix_destroy(&places);
  return took;
}

/* ---- time ------------------------------------------------------------------------------ */

typedef struct {
  const char *name;
  size_t n, n_edges;
  int few, many; /* iterations of the peer whose difference counts */
} TimeCase;

static CwForceLayout *
new_layout(const LayoutGraph *graph, double gravity, uint64_t seed)
{
  g_autoptr(GError) error = NULL;
  CwForceGraph view = layout_graph_view(graph);
  CwForceOptions options;
  cw_force_options_init(&options);
  options.gravity = gravity;
  options.seed = seed;
  CwForceLayout *layout = cw_force_layout_new(&view, &options, &error);
  if (layout == NULL)
    g_error("%s", error->message);
  return layout;
}

/* Steps until it rests; returns how many, and the CPU time of all. */
static int
settle(CwForceLayout *layout, double *took)
{
  int n = 0;
  double start = now_ms();
  for (; !cw_force_layout_is_settled(layout); n++)
    if (!cw_force_layout_step(layout, 1, NULL))
      g_error("no memory for a step");
  *took = now_ms() - start;
  return n;
}

static bool
bench_time(const TimeCase *test)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(test->n, test->n_edges, 1);
  igraph_t peer;
  if (!peer_graph_init(&peer, graph)) {
    fprintf(stderr, "%s: igraph holds another graph\n", test->name);
    return false;
  }
  double ours[N_ROUNDS], theirs[N_ROUNDS], whole[N_ROUNDS];
  int n_steps = 0;
  for (int round = 0; round < N_ROUNDS; round++) {
    g_autoptr(CwForceLayout) layout = new_layout(graph, 0.5, 1);
    double start = now_ms();
    if (!cw_force_layout_step(layout, 50, NULL))
      g_error("no memory for a step");
    ours[round] = (now_ms() - start) / 50;
    n_steps = 50 + settle(layout, &whole[round]);
    whole[round] += 50 * ours[round];
    double few = peer_run(&peer, test->few, 1, NULL, NULL);
    theirs[round] =
        (peer_run(&peer, test->many, 1, NULL, NULL) - few) / (test->many - test->few);
  }
  igraph_destroy(&peer);
  double step = bench_median(ours, N_ROUNDS), iteration = bench_median(theirs, N_ROUNDS);
  printf("  \"%s\": {\"nodes\": %zu, \"edges\": %zu, \"same_graph\": true, \"step_ms\": %.3f, "
         "\"step_fastest_ms\": %.3f, \"igraph_iteration_ms\": %.3f, "
         "\"igraph_iteration_fastest_ms\": %.3f, \"ratio\": %.1f, \"steps_to_rest\": %d, "
         "\"to_rest_ms\": %.0f},\n",
         test->name, test->n, test->n_edges, step, bench_minimum(ours, N_ROUNDS), iteration,
         bench_minimum(theirs, N_ROUNDS), iteration / step, n_steps,
         bench_median(whole, N_ROUNDS));
  fflush(stdout);
  return true;
}

/* ---- quality --------------------------------------------------------------------------- */

/* Medians over the seeds. */
typedef struct {
  double stress, neighbourhood, crossings, length_variation, upwardness, token_order;
} Picture;

static Picture
median_picture(const LayoutGraph *graph, igraph_t *peer, double gravity, int n_seeds)
{
  g_autofree float *x = g_new(float, graph->n + 1), *y = g_new(float, graph->n + 1);
  double values[6][N_SEEDS];
  for (int seed = 0; seed < n_seeds; seed++) {
    g_autoptr(CwForceLayout) layout = NULL;
    double took;
    if (peer != NULL) {
      peer_run(peer, N_ITERATIONS, seed + 1, x, y);
    } else {
      layout = new_layout(graph, gravity, (uint64_t)seed + 1);
      settle(layout, &took);
      memcpy(x, cw_force_layout_peek_x(layout), graph->n * sizeof *x);
      memcpy(y, cw_force_layout_peek_y(layout), graph->n * sizeof *y);
    }
    DrawnGraph drawn = { graph->n, graph->n_edges, graph->source, graph->target, x, y };
    LayoutQuality quality;
    layout_quality_measure(&drawn, &quality);
    values[0][seed] = quality.stress;
    values[1][seed] = quality.neighbourhood;
    values[2][seed] = quality.crossings;
    values[3][seed] = quality.length_variation;
    values[4][seed] = layout_quality_upwardness(&drawn);
    values[5][seed] = layout_quality_token_order(&drawn, graph->home_x);
  }
  double median[6];
  for (int k = 0; k < 6; k++)
    median[k] = bench_median(values[k], (size_t)n_seeds);
  return (Picture){ median[0], median[1], median[2], median[3], median[4], median[5] };
}

static void
print_picture(const char *name, const Picture *picture, const char *separator)
{
  printf("    \"%s\": {\"stress\": %.4f, \"neighbourhood\": %.4f, \"crossings\": %.3f, "
         "\"length_variation\": %.2f, \"upwardness\": %.2f, \"token_order\": %.2f}%s\n",
         name, picture->stress, picture->neighbourhood, picture->crossings,
         picture->length_variation, picture->upwardness, picture->token_order, separator);
}

/* Sums of logarithms of ratios to the peer, for the geometric mean over graphs. */
typedef struct {
  double stress, neighbourhood;
  int n_graphs, n_better_stress, n_better_neighbourhood;
} Balance;

static bool
bench_quality(const char *name, const LayoutGraph *graph, int n_seeds, Balance *balance)
{
  igraph_t peer;
  if (!peer_graph_init(&peer, graph)) {
    fprintf(stderr, "%s: igraph holds another graph\n", name);
    return false;
  }
  Picture theirs = median_picture(graph, &peer, 0, n_seeds);
  igraph_destroy(&peer);
  Picture free = median_picture(graph, NULL, 0, n_seeds);
  Picture usual = median_picture(graph, NULL, 0.5, n_seeds);
  printf("  \"quality %s\": {\"nodes\": %zu, \"edges\": %zu, \"same_graph\": true,\n", name,
         graph->n, graph->n_edges);
  print_picture("igraph", &theirs, ",");
  print_picture("gravity 0", &free, ",");
  print_picture("gravity 0.5", &usual, "},");
  fflush(stdout);
  balance->stress += log(free.stress / theirs.stress);
  balance->neighbourhood += log(free.neighbourhood / theirs.neighbourhood);
  balance->n_better_stress += free.stress <= theirs.stress;
  balance->n_better_neighbourhood += free.neighbourhood >= theirs.neighbourhood;
  balance->n_graphs++;
  return true;
}

static bool
bench_file(const char *path, Balance *balance)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  if (graph == NULL) {
    fprintf(stderr, "%s\n", error->message);
    return false;
  }
  g_autoptr(LayoutGraph) pruned = layout_graph_prune(graph, 0.8, 0.98);
  g_autofree char *name = g_path_get_basename(path);
  return bench_quality(name, pruned, N_SEEDS, balance);
}

static bool
bench_samples(Balance *balance)
{
  static const char *const samples[] = { "capital-of-france", "grass-is-green", "mary-and-john",
                                         "opposite-of-hot" };
  bool ok = true;
  for (size_t i = 0; i < G_N_ELEMENTS(samples) && ok; i++) {
    g_autofree char *file = g_strconcat(samples[i], ".clew", NULL);
    g_autofree char *path =
        g_build_filename(BENCH_SOURCE_DIR, "..", "..", "data", "samples", file, NULL);
    ok = bench_file(path, balance);
  }
  return ok;
}

/* A layered graph as attribution makes them, whole. */
static bool
bench_generated(const char *name, int64_t n_features, double density, int n_seeds,
                Balance *balance)
{
  g_autoptr(CwGraph) graph = graph_random(n_features, 16, 22, density, 2);
  g_autoptr(LayoutGraph) whole = layout_graph_prune(graph, 1, 1);
  return bench_quality(name, whole, n_seeds, balance);
}

int
main(int argc, char **argv)
{
  static const TimeCase times[] = { { "time 600/10k", 600, 10000, 10, 210 },
                                    { "time 2k/10k", 2000, 10000, 10, 60 },
                                    { "time 10k/500k", 10000, 500000, 1, 4 } };
  g_autofree char *machine = bench_describe_machine();
  printf("{\n  \"machine\": \"%s\", \"igraph\": \"%s\",\n", machine, IGRAPH_VERSION);
  Balance balance = { 0 };
  bool ok = true, is_large = false;
  for (size_t i = 0; i < G_N_ELEMENTS(times) && ok; i++)
    ok = bench_time(&times[i]);
  ok = ok && bench_samples(&balance);
  for (int i = 1; i < argc && ok; i++)
    if (strcmp(argv[i], "--large") == 0)
      is_large = true;
    else
      ok = bench_file(argv[i], &balance);
  ok = ok && bench_generated("generated 2k", 2200, 0.0203, N_SEEDS, &balance);
  if (ok && is_large)
    ok = bench_generated("generated 10k", 9600, 0.0203, 1, &balance);
  if (balance.n_graphs > 0)
    printf("  \"gravity 0 over igraph\": {\"stress\": %.4f, \"neighbourhood\": %.4f, "
           "\"graphs\": %d, \"stress_not_worse\": %d, \"neighbourhood_not_worse\": %d}\n",
           exp(balance.stress / balance.n_graphs),
           exp(balance.neighbourhood / balance.n_graphs), balance.n_graphs,
           balance.n_better_stress, balance.n_better_neighbourhood);
  printf("}\n");
  return ok ? 0 : 1;
}
