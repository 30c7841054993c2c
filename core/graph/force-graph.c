/* force-graph.c - takes a graph into a force-directed layout: weights, connected parts, scale.
 *
 * An edge's weight is its share to the eighth power over the degrees of its ends to the power
 * 0.4, mean 1. Shares spread over many powers of ten, and as they are tear the picture apart;
 * hubs at full weight pull all they touch into one lump. With these exponents stress and
 * neighbourhood preservation, both of the graph without weights, are better than those of equal
 * weights (tests/bench/RESULTS.md, layout).
 *
 * Scale: moving all nodes apart by a factor changes the energy of repulsion by
 * -L^2 n (n - 1) / 2 and that of attraction by the sum of w d^3 / L, which are equal at rest.
 * So L follows from the extent that is wanted, and no unit needs to be found by trial. */
#include "graph/force-layout.h"

#include <math.h>
#include <string.h>

#define SHARE_POWER  0.125
#define DEGREE_POWER 0.4
#define COVERED      0.125 /* share of the picture that discs cover */
#define EDGE_LENGTH  0.7   /* (mean of d^3)^(1/3) of edges over the extent, as measured */
#define LEAST_IDEAL  0.5

/* ---- memory ---------------------------------------------------------------------------- */

void
cw_force_layout_free(CwForceLayout *layout)
{
  if (layout == NULL)
    return;
  g_free(layout->floats);
  g_free(layout->source);
  g_free(layout->target);
  g_free(layout->weight);
  g_free(layout->is_anchored);
  g_free(layout->is_fixed);
  g_free(layout->is_apart);
  cwk_device_free(layout->device);
  cw_quadtree_free(layout->tree);
  cw_disc_spacing_free(layout->spacing);
  g_free(layout);
}

static bool
allocate_nodes(CwForceLayout *layout, size_t n)
{
  float **const arrays[] = { &layout->stiffness, &layout->home_x,   &layout->home_y,
                             &layout->radius,    &layout->x,        &layout->y,
                             &layout->wish_x,    &layout->wish_y,   &layout->last_x,
                             &layout->last_y,    &layout->anchor_x, &layout->anchor_y };
  if (n > G_MAXUINT32 / 2)
    return false;
  layout->floats = g_try_new0(float, G_N_ELEMENTS(arrays) * n + 1);
  for (size_t k = 0; k < G_N_ELEMENTS(arrays) && layout->floats != NULL; k++)
    *arrays[k] = layout->floats + k * n;
  layout->is_anchored = g_try_new0(uint8_t, n + 1);
  layout->is_fixed = g_try_new0(uint8_t, n + 1);
  layout->is_apart = g_try_new0(uint8_t, n + 1);
  layout->device = cwk_cpu_new(layout->options.n_threads);
  layout->spacing = cw_disc_spacing_new(n);
  layout->tree = n > CW_FORCE_EXACT_NODES ? cw_quadtree_new(n) : NULL;
  layout->n = n;
  return layout->floats != NULL && layout->is_anchored != NULL && layout->is_fixed != NULL &&
         layout->is_apart != NULL && layout->device != NULL && layout->spacing != NULL &&
         (layout->tree != NULL || n <= CW_FORCE_EXACT_NODES);
}

static bool
allocate_edges(CwForceLayout *layout, size_t n)
{
  layout->source = g_try_new(uint32_t, n + 1);
  layout->target = g_try_new(uint32_t, n + 1);
  layout->weight = g_try_new(float, n + 1);
  return layout->source != NULL && layout->target != NULL && layout->weight != NULL;
}

/* ---- edges ----------------------------------------------------------------------------- */

static double
size_of_share(const CwForceGraph *graph, size_t edge)
{
  if (graph->share == NULL)
    return 1;
  double share = fabs((double)graph->share[edge]);
  return isfinite(share) ? share : 0;
}

static void
take_edges(CwForceLayout *layout, const CwForceGraph *graph)
{
  double largest = 0, total = 0;
  for (size_t e = 0; e < graph->n_edges; e++)
    largest = MAX(largest, size_of_share(graph, e));
  for (size_t e = 0; e < graph->n_edges && largest > 0; e++) {
    uint32_t a = graph->source[e], b = graph->target[e];
    double share = size_of_share(graph, e);
    if (a == b || share == 0)
      continue;
    layout->source[layout->n_edges] = a;
    layout->target[layout->n_edges] = b;
    layout->weight[layout->n_edges++] = (float)pow(share / largest, SHARE_POWER);
    layout->stiffness[a]++; /* the degree, for now */
    layout->stiffness[b]++;
  }
  for (size_t e = 0; e < layout->n_edges; e++) {
    float degrees = layout->stiffness[layout->source[e]] * layout->stiffness[layout->target[e]];
    layout->weight[e] *= powf(degrees, (float)-DEGREE_POWER);
    total += (double)layout->weight[e];
  }
  memset(layout->stiffness, 0, layout->n * sizeof(float));
  for (size_t e = 0; e < layout->n_edges; e++) {
    layout->weight[e] *= (float)((double)layout->n_edges / total);
    layout->stiffness[layout->source[e]] += layout->weight[e];
    layout->stiffness[layout->target[e]] += layout->weight[e];
  }
}

static uint32_t
root_of(uint32_t *parent, uint32_t node)
{
  while (parent[node] != node)
    node = parent[node] = parent[parent[node]];
  return node;
}

/* Marks what is not of the largest connected part. False without memory. */
static bool
find_apart(CwForceLayout *layout)
{
  size_t n = layout->n;
  g_autofree uint32_t *parent = g_try_new(uint32_t, n + 1);
  g_autofree uint32_t *size = g_try_new0(uint32_t, n + 1);
  if (parent == NULL || size == NULL)
    return false;
  for (size_t i = 0; i < n; i++)
    parent[i] = (uint32_t)i;
  for (size_t e = 0; e < layout->n_edges; e++) {
    uint32_t a = root_of(parent, layout->source[e]), b = root_of(parent, layout->target[e]);
    parent[MAX(a, b)] = MIN(a, b);
  }
  uint32_t largest = 0;
  for (size_t i = 0; i < n; i++)
    size[root_of(parent, (uint32_t)i)]++;
  for (size_t i = 0; i < n; i++)
    if (size[i] > size[largest])
      largest = (uint32_t)i;
  for (size_t i = 0; i < n; i++)
    layout->is_apart[i] = root_of(parent, (uint32_t)i) != largest;
  return true;
}

/* ---- nodes and scale ------------------------------------------------------------------- */

static float
share_or_zero(float value)
{
  return isfinite(value) ? CLAMP(value, 0.0f, 1.0f) : 0;
}

static void
take_nodes(CwForceLayout *layout, const CwForceGraph *graph)
{
  double area = 0;
  for (size_t i = 0; i < layout->n; i++) {
    float radius = graph->radius != NULL ? graph->radius[i] : 0.5f;
    layout->radius[i] = isfinite(radius) ? CLAMP(radius, 0.05f, 20.0f) : 0.5f;
    layout->home_x[i] = share_or_zero(graph->home_x[i]);
    layout->home_y[i] = share_or_zero(graph->home_y[i]);
    area += (double)layout->radius[i] * (double)layout->radius[i];
  }
  layout->natural_extent = layout->options.edge_length * sqrt(area / COVERED);
}

void
cw_force_layout_set_extent(CwForceLayout *layout, double extent)
{
  double n = (double)layout->n, n_pairs = MAX(n * (n - 1) / 2, 1);
  layout->extent = extent;
  layout->ideal = EDGE_LENGTH * extent * cbrt((double)layout->n_edges / n_pairs);
  layout->ideal = MAX(layout->ideal, LEAST_IDEAL);
}

static bool
is_valid(const CwForceGraph *graph, const CwForceOptions *options, GError **error)
{
  for (size_t e = 0; e < graph->n_edges; e++)
    if (graph->source[e] >= graph->n_nodes || graph->target[e] >= graph->n_nodes) {
      g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                  "edge %zu of the layout joins nodes %u and %u, of %zu nodes", e,
                  graph->source[e], graph->target[e], graph->n_nodes);
      return false;
    }
  bool is_good = options->gravity >= 0 && options->gravity <= 1 && options->repulsion > 0 &&
                 options->repulsion <= 100 && options->edge_length > 0 &&
                 options->edge_length <= 100 && options->n_threads >= 0;
  if (!is_good)
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "a layout takes gravity 0..1 (not %g), repulsion and edge length above 0, at "
                "most 100 (not %g and %g), and no negative number of threads (%d)",
                options->gravity, options->repulsion, options->edge_length, options->n_threads);
  return is_good;
}

CwForceLayout *
cw_force_graph_take_in(const CwForceGraph *graph, const CwForceOptions *options, GError **error)
{
  if (!is_valid(graph, options, error))
    return NULL;
  g_autoptr(CwForceLayout) layout = g_new0(CwForceLayout, 1);
  layout->options = *options;
  bool ok = allocate_nodes(layout, graph->n_nodes) && allocate_edges(layout, graph->n_edges);
  if (ok) {
    take_edges(layout, graph);
    take_nodes(layout, graph);
    cw_force_layout_set_extent(layout, layout->natural_extent);
    ok = find_apart(layout);
  }
  if (!ok) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "not enough memory to lay out %zu nodes and %zu edges; raise the thresholds",
                graph->n_nodes, graph->n_edges);
    return NULL;
  }
  return g_steal_pointer(&layout);
}
