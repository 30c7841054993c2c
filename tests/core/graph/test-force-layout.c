/* test-force-layout.c - the force-directed layout: always finite, always at rest in the end, no
 * discs on each other, kept nodes kept, fixed nodes fixed. */
#include "cw-layout.h"
#include "layout-graph.h"
#include "layout-quality.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS 2000

static CwForceLayout *
new_layout(const CwForceGraph *graph, double gravity)
{
  g_autoptr(GError) error = NULL;
  CwForceOptions options;
  cw_force_options_init(&options);
  options.gravity = gravity;
  CwForceLayout *layout = cw_force_layout_new(graph, &options, &error);
  g_assert_no_error(error);
  return layout;
}

static void
settle(CwForceLayout *layout)
{
  g_autoptr(GError) error = NULL;
  cw_force_layout_step(layout, MOST_STEPS, &error);
  g_assert_no_error(error);
  g_assert_true(cw_force_layout_is_settled(layout));
  for (size_t i = 0; i < cw_force_layout_get_n_nodes(layout); i++) {
    g_assert_true(isfinite(cw_force_layout_peek_x(layout)[i]));
    g_assert_true(isfinite(cw_force_layout_peek_y(layout)[i]));
  }
}

static DrawnGraph
drawn(const LayoutGraph *graph, const CwForceLayout *layout)
{
  return (DrawnGraph){ graph->n,
                       graph->n_edges,
                       graph->source,
                       graph->target,
                       cw_force_layout_peek_x(layout),
                       cw_force_layout_peek_y(layout) };
}

static LayoutGraph *
sample(const char *name, double node_threshold)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", name, NULL);
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  g_assert_no_error(error);
  return layout_graph_prune(graph, node_threshold, 0.98);
}

static const char *const samples[] = { "capital-of-france.clew", "grass-is-green.clew",
                                       "mary-and-john.clew", "opposite-of-hot.clew" };

/* ---- any input ------------------------------------------------------------------------- */

/* 0, 1, 2 and some nodes; no, few and many edges; all at one home; with loops. */
static void
test_degenerate(void)
{
  static const size_t sizes[] = { 0, 1, 2, 3, 17, 100 };
  for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++)
    for (size_t n_edges = 0; n_edges <= 400 && (n_edges == 0 || sizes[k] > 0); n_edges += 200)
      for (int same_home = 0; same_home < 2; same_home++) {
        g_autoptr(LayoutGraph) graph = layout_graph_random(sizes[k], n_edges, 3);
        for (size_t i = 0; i < graph->n && same_home; i++)
          graph->home_x[i] = graph->home_y[i] = 0.5f;
        CwForceGraph view = layout_graph_view(graph);
        for (double gravity = 0; gravity <= 1; gravity += 0.5) {
          g_autoptr(CwForceLayout) layout = new_layout(&view, gravity);
          settle(layout);
          DrawnGraph picture = drawn(graph, layout);
          g_assert_cmpuint(layout_quality_overlaps(&picture, NULL, 0.01), ==, 0);
        }
      }
}

static void
test_wild_weights(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(60, 300, 5);
  for (int kind = 0; kind < 5; kind++) {
    for (size_t e = 0; e < graph->n_edges; e++) {
      const float wild[] = { INFINITY, NAN, -INFINITY, 1, 0, -2 };
      float power = (float)pow(10, -38 + 76 * (double)e / 299);
      float share[] = { 0, power, -power, wild[e % 6], 1e-45f };
      graph->share[e] = share[kind];
    }
    CwForceGraph view = layout_graph_view(graph);
    g_autoptr(CwForceLayout) layout = new_layout(&view, 0.2);
    settle(layout);
    DrawnGraph picture = drawn(graph, layout);
    g_assert_cmpuint(layout_quality_overlaps(&picture, NULL, 0.01), ==, 0);
  }
}

static void
test_wild_homes_and_radii(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(50, 100, 7);
  const float wild[] = { NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0.3f };
  float radius[50], expected[50];
  for (size_t i = 0; i < graph->n; i++) {
    graph->home_x[i] = wild[i % 6];
    graph->home_y[i] = wild[(i + 1) % 6];
    radius[i] = wild[(i + 2) % 6];
    expected[i] = isfinite(radius[i]) ? CLAMP(radius[i], 0.05f, 20.0f) : 0.5f;
  }
  CwForceGraph view = layout_graph_view(graph);
  view.radius = radius;
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0.5);
  settle(layout);
  DrawnGraph picture = drawn(graph, layout);
  g_assert_cmpuint(layout_quality_overlaps(&picture, expected, 0.01), ==, 0);
}

/* Two cliques and lone nodes stay in one picture. */
static void
test_disconnected(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(40, 190, 1);
  size_t n = 0;
  for (uint32_t a = 0; a < 14; a++)
    for (uint32_t b = a + 1; b < 14; b++, n += 2) {
      graph->source[n] = a;
      graph->target[n] = b;
      graph->source[n + 1] = 14 + a;
      graph->target[n + 1] = 14 + b;
      graph->share[n] = graph->share[n + 1] = 1;
      if (n + 4 > 190)
        a = b = 14;
    }
  CwForceGraph view = layout_graph_view(graph);
  view.n_edges = n;
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0);
  settle(layout);
  /* 40 nodes fill a disc of radius 9; twice that in each direction is one picture. */
  g_assert_cmpfloat(test_max_abs(cw_force_layout_peek_x(layout), 40), <, 18);
  g_assert_cmpfloat(test_max_abs(cw_force_layout_peek_y(layout), 40), <, 18);
}

static void
test_refuses_nonsense(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(5, 4, 1);
  CwForceGraph view = layout_graph_view(graph);
  CwForceOptions options;
  cw_force_options_init(&options);
  g_autoptr(GError) error = NULL;
  graph->target[2] = 5;
  g_assert_null(cw_force_layout_new(&view, &options, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_assert_nonnull(strstr(error->message, "edge 2"));
  g_clear_error(&error);
  graph->target[2] = 4;
  options.gravity = NAN;
  g_assert_null(cw_force_layout_new(&view, &options, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
  g_clear_error(&error);
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0);
  int64_t previous[5] = { 0, 1, 2, 3, 5 };
  g_assert_false(cw_force_layout_update(layout, &view, previous, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_ARGUMENT);
}

/* ---- the same again -------------------------------------------------------------------- */

static void
test_same_bits(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(700, 2000, 9);
  CwForceGraph view = layout_graph_view(graph);
  CwForceLayout *layouts[3];
  for (int k = 0; k < 3; k++) {
    CwForceOptions options;
    cw_force_options_init(&options);
    options.n_threads = k + 1;
    options.seed = 4;
    layouts[k] = cw_force_layout_new(&view, &options, NULL);
    settle(layouts[k]);
  }
  for (int k = 1; k < 3; k++) {
    g_assert_cmpmem(cw_force_layout_peek_x(layouts[0]), graph->n * sizeof(float),
                    cw_force_layout_peek_x(layouts[k]), graph->n * sizeof(float));
    g_assert_cmpmem(cw_force_layout_peek_y(layouts[0]), graph->n * sizeof(float),
                    cw_force_layout_peek_y(layouts[k]), graph->n * sizeof(float));
  }
  for (int k = 0; k < 3; k++)
    cw_force_layout_free(layouts[k]);
}

/* ---- real graphs ----------------------------------------------------------------------- */

static void
test_reads_left_to_right_and_up(void)
{
  for (size_t s = 0; s < G_N_ELEMENTS(samples); s++) {
    g_autoptr(LayoutGraph) graph = sample(samples[s], 0.8);
    CwForceGraph view = layout_graph_view(graph);
    double up[3], order[3];
    for (int k = 0; k < 3; k++) {
      g_autoptr(CwForceLayout) layout = new_layout(&view, 0.5 * k);
      settle(layout);
      DrawnGraph picture = drawn(graph, layout);
      g_assert_cmpuint(layout_quality_overlaps(&picture, NULL, 0.01), ==, 0);
      up[k] = layout_quality_upwardness(&picture);
      order[k] = layout_quality_token_order(&picture, graph->home_x);
    }
    g_test_message("%s: upward %.2f %.2f %.2f, token order %.2f %.2f %.2f at gravity 0, 0.5, 1",
                   samples[s], up[0], up[1], up[2], order[0], order[1], order[2]);
    /* The more gravity the more it reads; by default three edges of four go up. */
    g_assert_true(up[0] < up[1] && up[1] < up[2]);
    g_assert_true(order[0] < order[1] && order[1] < order[2]);
    g_assert_cmpfloat(up[1], >, 0.75);
    g_assert_cmpfloat(order[1], >, 0.75);
  }
}

typedef struct {
  float *x, *y;
} Places;

static Places
copy_places(const CwForceLayout *layout)
{
  size_t n_bytes = cw_force_layout_get_n_nodes(layout) * sizeof(float);
  return (Places){ g_memdup2(cw_force_layout_peek_x(layout), n_bytes),
                   g_memdup2(cw_force_layout_peek_y(layout), n_bytes) };
}

static void
places_clear(Places *places)
{
  g_free(places->x);
  g_free(places->y);
}

/* The farthest that a kept node went from `before`; *mean is over all kept. */
static double
farthest_kept(const CwForceLayout *layout, const Places *before, const int64_t *previous,
              double *mean)
{
  double farthest = 0, sum = 0;
  size_t n_kept = 0;
  for (size_t i = 0; i < cw_force_layout_get_n_nodes(layout); i++)
    if (previous[i] >= 0) {
      double d = hypot((double)cw_force_layout_peek_x(layout)[i] - before->x[previous[i]],
                       (double)cw_force_layout_peek_y(layout)[i] - before->y[previous[i]]);
      farthest = MAX(farthest, d);
      sum += d;
      n_kept++;
    }
  *mean = n_kept > 0 ? sum / (double)n_kept : 0;
  return farthest;
}

/* The threshold goes down and up again in twenty steps. */
static void
test_stable_under_thresholds(void)
{
  double farthest = 0, mean_of_all = 0;
  for (size_t s = 0; s < G_N_ELEMENTS(samples); s++) {
    LayoutGraph *graph = sample(samples[s], 0.8);
    CwForceGraph view = layout_graph_view(graph);
    g_autoptr(CwForceLayout) layout = new_layout(&view, 0.5);
    settle(layout);
    for (int step = 1; step <= 20; step++) {
      LayoutGraph *next =
          sample(samples[s], step <= 10 ? 0.8 - 0.04 * step : 0.4 + 0.055 * (step - 10));
      g_autofree int64_t *previous = layout_graph_map(next, graph);
      Places before = copy_places(layout);
      CwForceGraph next_view = layout_graph_view(next);
      g_autoptr(GError) error = NULL;
      g_assert_true(cw_force_layout_update(layout, &next_view, previous, &error));
      g_assert_no_error(error);
      settle(layout);
      double mean;
      farthest = MAX(farthest, farthest_kept(layout, &before, previous, &mean));
      mean_of_all += mean / 20 / G_N_ELEMENTS(samples);
      DrawnGraph picture = drawn(next, layout);
      g_assert_cmpuint(layout_quality_overlaps(&picture, NULL, 0.01), ==, 0);
      places_clear(&before);
      layout_graph_free(graph);
      graph = next;
    }
    layout_graph_free(graph);
  }
  g_test_message("kept nodes moved %.2f diameters on average, at most %.2f", mean_of_all,
                 farthest);
  g_assert_cmpfloat(farthest, <, 1);
}

/* ---- hands on -------------------------------------------------------------------------- */

static void
test_fixed_stays(void)
{
  g_autoptr(LayoutGraph) graph = sample(samples[0], 0.8);
  CwForceGraph view = layout_graph_view(graph);
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0.5);
  cw_force_layout_fix(layout, 3, 40, -7);
  cw_force_layout_fix(layout, 9, 40.2f, -7);
  cw_force_layout_fix(layout, 10, NAN, 0);
  cw_force_layout_fix(layout, graph->n, 0, 0);
  Places before = copy_places(layout);
  settle(layout);
  for (int round = 0; round < 3; round++) {
    const float *x = cw_force_layout_peek_x(layout), *y = cw_force_layout_peek_y(layout);
    g_assert_true(x[3] == 40 && y[3] == -7 && x[9] == 40.2f && y[9] == -7);
    g_assert_true(x[10] == before.x[10] && y[10] == before.y[10]);
    /* Two held upon each other are the only ones that may overlap. */
    DrawnGraph picture = drawn(graph, layout);
    g_assert_cmpuint(layout_quality_overlaps(&picture, NULL, 0.01), ==, 1);
    if (round == 0) {
      g_autofree int64_t *same = layout_graph_map(graph, graph);
      g_assert_true(cw_force_layout_update(layout, &view, same, NULL));
    } else {
      cw_force_layout_reheat(layout, 1);
    }
    g_assert_true(cw_force_layout_is_fixed(layout, 3));
    settle(layout);
  }
  cw_force_layout_unfix(layout, 3);
  cw_force_layout_reheat(layout, 0.5);
  settle(layout);
  g_assert_true(cw_force_layout_peek_x(layout)[3] != 40);
  places_clear(&before);
}

/* A node dragged far away pulls its neighbours after it, and all comes to rest each time. */
static void
test_drag(void)
{
  g_autoptr(LayoutGraph) graph = sample(samples[1], 0.6);
  CwForceGraph view = layout_graph_view(graph);
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0.5);
  settle(layout);
  g_assert_cmpfloat(cw_force_layout_get_temperature(layout), ==, 0);
  for (float far = 1; far < 1e38f; far *= 1e4f) {
    cw_force_layout_fix(layout, 0, far, -far);
    cw_force_layout_reheat(layout, 0.1);
    g_assert_false(cw_force_layout_is_settled(layout));
    g_assert_cmpfloat(cw_force_layout_get_temperature(layout), >, 0);
    settle(layout);
  }
}

/* Let go outside the picture, a node comes back among the others. */
static void
test_let_go(void)
{
  g_autoptr(LayoutGraph) graph = sample(samples[1], 0.6);
  CwForceGraph view = layout_graph_view(graph);
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0.5);
  settle(layout);
  float size = (float)test_max_abs(cw_force_layout_peek_x(layout), graph->n);
  cw_force_layout_fix(layout, 5, 3 * size, 0);
  cw_force_layout_reheat(layout, 0.1);
  settle(layout);
  cw_force_layout_unfix(layout, 5);
  cw_force_layout_reheat(layout, 0.3);
  settle(layout);
  g_assert_cmpfloat(test_max_abs(cw_force_layout_peek_x(layout), graph->n), <, 1.5 * size);
}

static void
test_gravity_leads_home(void)
{
  g_autoptr(LayoutGraph) graph = sample(samples[2], 0.8);
  CwForceGraph view = layout_graph_view(graph);
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0);
  settle(layout);
  DrawnGraph picture = drawn(graph, layout);
  double before = layout_quality_upwardness(&picture);
  cw_force_layout_set_gravity(layout, 1);
  cw_force_layout_reheat(layout, 0.3);
  settle(layout);
  picture = drawn(graph, layout);
  g_assert_cmpfloat(layout_quality_upwardness(&picture), >, before + 0.2);
}

/* ---- large graphs ---------------------------------------------------------------------- */

static void
test_tree_settles(void)
{
  g_autoptr(LayoutGraph) graph = layout_graph_random(6500, 20000, 2);
  CwForceGraph view = layout_graph_view(graph);
  g_autoptr(CwForceLayout) layout = new_layout(&view, 0.5);
  settle(layout);
  DrawnGraph picture = drawn(graph, layout);
  g_assert_cmpuint(layout_quality_overlaps(&picture, NULL, 0.01), ==, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/force-layout/degenerate", test_degenerate);
  g_test_add_func("/core/force-layout/wild-weights", test_wild_weights);
  g_test_add_func("/core/force-layout/wild-homes-and-radii", test_wild_homes_and_radii);
  g_test_add_func("/core/force-layout/disconnected", test_disconnected);
  g_test_add_func("/core/force-layout/refuses-nonsense", test_refuses_nonsense);
  g_test_add_func("/core/force-layout/same-bits", test_same_bits);
  g_test_add_func("/core/force-layout/reads-left-to-right-and-up",
                  test_reads_left_to_right_and_up);
  g_test_add_func("/core/force-layout/stable-under-thresholds", test_stable_under_thresholds);
  g_test_add_func("/core/force-layout/fixed-stays", test_fixed_stays);
  g_test_add_func("/core/force-layout/drag", test_drag);
  g_test_add_func("/core/force-layout/let-go", test_let_go);
  g_test_add_func("/core/force-layout/gravity-leads-home", test_gravity_leads_home);
  g_test_add_func("/core/force-layout/tree-settles", test_tree_settles);
  return g_test_run();
}
