/* layout-quality.c - see layout-quality.h. Plain and slow on purpose: a yardstick. */
#include "layout-quality.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define ALL_SOURCES  4000
#define SOME_SOURCES 500
#define N_EDGE_PAIRS 200000

/* Undirected neighbours without repetition, CSR. */
typedef struct {
  size_t *start;
  uint32_t *neighbour;
} Neighbours;

static int
compare_u32(gconstpointer a, gconstpointer b)
{
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

static void
neighbours_init(Neighbours *neighbours, const DrawnGraph *drawn)
{
  size_t n = drawn->n_nodes, n_kept = 0;
  size_t *start = g_new0(size_t, n + 2), *fill = start + 1;
  for (size_t e = 0; e < drawn->n_edges; e++) {
    start[drawn->source[e] + 2]++;
    start[drawn->target[e] + 2]++;
  }
  for (size_t i = 2; i < n + 2; i++)
    start[i] += start[i - 1];
  uint32_t *list = g_new(uint32_t, 2 * drawn->n_edges + 1);
  for (size_t e = 0; e < drawn->n_edges; e++) {
    list[fill[drawn->source[e]]++] = drawn->target[e];
    list[fill[drawn->target[e]]++] = drawn->source[e];
  }
  neighbours->start = g_new0(size_t, n + 1);
  for (size_t i = 0; i < n; i++) {
    size_t first = start[i], end = start[i + 1];
    qsort(list + first, end - first, sizeof *list, compare_u32);
    for (size_t k = first; k < end; k++)
      if (list[k] != i && (k == first || list[k] != list[k - 1]))
        list[n_kept++] = list[k];
    neighbours->start[i + 1] = n_kept;
  }
  neighbours->neighbour = list;
  g_free(start);
}

static void
neighbours_clear(Neighbours *neighbours)
{
  g_free(neighbours->start);
  g_free(neighbours->neighbour);
}

/* Hops from one node to all; -1: no way. */
static void
hops_from(const Neighbours *neighbours, size_t n, size_t from, int32_t *hops, uint32_t *queue)
{
  memset(hops, 0xff, n * sizeof *hops);
  size_t head = 0, tail = 0;
  hops[from] = 0;
  queue[tail++] = (uint32_t)from;
  while (head < tail) {
    uint32_t at = queue[head++];
    for (size_t k = neighbours->start[at]; k < neighbours->start[at + 1]; k++) {
      uint32_t next = neighbours->neighbour[k];
      if (hops[next] < 0) {
        hops[next] = hops[at] + 1;
        queue[tail++] = next;
      }
    }
  }
}

static double
distance(const DrawnGraph *drawn, size_t a, size_t b)
{
  return hypot((double)drawn->x[a] - drawn->x[b], (double)drawn->y[a] - drawn->y[b]);
}

typedef struct {
  double distance;
  uint32_t node;
} Near;

static int
compare_near(gconstpointer a, gconstpointer b)
{
  const Near *left = a, *right = b;
  if (left->distance != right->distance)
    return left->distance < right->distance ? -1 : 1;
  return compare_u32(&left->node, &right->node);
}

static double
jaccard_of(const DrawnGraph *drawn, const Neighbours *neighbours, size_t node, Near *near)
{
  size_t degree = neighbours->start[node + 1] - neighbours->start[node], n = 0, n_shared = 0;
  for (size_t i = 0; i < drawn->n_nodes; i++)
    if (i != node)
      near[n++] = (Near){ distance(drawn, node, i), (uint32_t)i };
  qsort(near, n, sizeof *near, compare_near);
  const uint32_t *of_graph = neighbours->neighbour + neighbours->start[node];
  for (size_t k = 0; k < degree; k++)
    n_shared += bsearch(&near[k].node, of_graph, degree, sizeof *of_graph, compare_u32) != NULL;
  return (double)n_shared / (double)(2 * degree - n_shared);
}

static double
side(const DrawnGraph *drawn, uint32_t a, uint32_t b, uint32_t c)
{
  return ((double)drawn->x[b] - drawn->x[a]) * ((double)drawn->y[c] - drawn->y[a]) -
         ((double)drawn->y[b] - drawn->y[a]) * ((double)drawn->x[c] - drawn->x[a]);
}

static double
crossing_share(const DrawnGraph *drawn)
{
  size_t n_pairs = 0, n_crossing = 0;
  guint64 state = 1;
  for (size_t i = 0; i < N_EDGE_PAIRS && drawn->n_edges > 1; i++) {
    size_t pair[2];
    for (int k = 0; k < 2; k++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      pair[k] = (size_t)((state >> 33) % drawn->n_edges);
    }
    uint32_t a = drawn->source[pair[0]], b = drawn->target[pair[0]];
    uint32_t c = drawn->source[pair[1]], d = drawn->target[pair[1]];
    if (a == c || a == d || b == c || b == d)
      continue;
    n_pairs++;
    n_crossing += side(drawn, a, b, c) * side(drawn, a, b, d) < 0 &&
                  side(drawn, c, d, a) * side(drawn, c, d, b) < 0;
  }
  return n_pairs > 0 ? (double)n_crossing / (double)n_pairs : 0;
}

static double
length_variation(const DrawnGraph *drawn)
{
  double sum = 0, squares = 0, n = (double)drawn->n_edges;
  for (size_t e = 0; e < drawn->n_edges; e++) {
    double length = distance(drawn, drawn->source[e], drawn->target[e]);
    sum += length;
    squares += length * length;
  }
  return sum > 0 ? sqrt(MAX(0, squares / n - sum * sum / n / n)) / (sum / n) : 0;
}

void
layout_quality_measure(const DrawnGraph *drawn, LayoutQuality *quality)
{
  size_t n = drawn->n_nodes;
  size_t n_sources = n > ALL_SOURCES ? SOME_SOURCES : n, n_with_neighbours = 0;
  Neighbours neighbours;
  neighbours_init(&neighbours, drawn);
  g_autofree int32_t *hops = g_new(int32_t, n + 1);
  g_autofree uint32_t *queue = g_new(uint32_t, n + 1);
  g_autofree Near *near = g_new(Near, n + 1);
  double sum = 0, squares = 0, n_pairs = 0, jaccard = 0;
  for (size_t s = 0; s < n_sources; s++) {
    size_t from = s * n / n_sources;
    hops_from(&neighbours, n, from, hops, queue);
    for (size_t i = 0; i < n; i++)
      if (hops[i] > 0) {
        double ratio = distance(drawn, from, i) / hops[i];
        sum += ratio;
        squares += ratio * ratio;
        n_pairs++;
      }
    if (neighbours.start[from + 1] > neighbours.start[from]) {
      jaccard += jaccard_of(drawn, &neighbours, from, near);
      n_with_neighbours++;
    }
  }
  neighbours_clear(&neighbours);
  quality->stress = squares > 0 ? 1 - sum * sum / (n_pairs * squares) : 0;
  quality->neighbourhood = n_with_neighbours > 0 ? jaccard / (double)n_with_neighbours : 1;
  quality->crossings = crossing_share(drawn);
  quality->length_variation = length_variation(drawn);
}

double
layout_quality_upwardness(const DrawnGraph *drawn)
{
  size_t n_up = 0;
  for (size_t e = 0; e < drawn->n_edges; e++)
    n_up += drawn->y[drawn->target[e]] > drawn->y[drawn->source[e]];
  return drawn->n_edges > 0 ? (double)n_up / (double)drawn->n_edges : 1;
}

static int
compare_by_value(gconstpointer a, gconstpointer b, gpointer user_data)
{
  const float *value = user_data;
  float left = value[*(const uint32_t *)a], right = value[*(const uint32_t *)b];
  return (left > right) - (left < right);
}

/* Ranks, equal values at the mean of theirs. */
static double *
ranks_new(const float *value, size_t n)
{
  double *rank = g_new(double, n + 1);
  g_autofree uint32_t *order = g_new(uint32_t, n + 1);
  for (size_t i = 0; i < n; i++)
    order[i] = (uint32_t)i;
  if (n > 0)
    g_qsort_with_data(order, (int)n, sizeof *order, compare_by_value, (gpointer)value);
  for (size_t first = 0, end; first < n; first = end) {
    for (end = first + 1; end < n && value[order[end]] == value[order[first]]; end++)
      continue;
    for (size_t k = first; k < end; k++)
      rank[order[k]] = (double)(first + end - 1) / 2;
  }
  return rank;
}

double
layout_quality_token_order(const DrawnGraph *drawn, const float *token)
{
  size_t n = drawn->n_nodes;
  g_autofree double *a = ranks_new(drawn->x, n), *b = ranks_new(token, n);
  double middle = ((double)n - 1) / 2, ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < n; i++) {
    ab += (a[i] - middle) * (b[i] - middle);
    aa += (a[i] - middle) * (a[i] - middle);
    bb += (b[i] - middle) * (b[i] - middle);
  }
  return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 1;
}

size_t
layout_quality_overlaps(const DrawnGraph *drawn, const float *radius, double slack)
{
  size_t n_overlaps = 0;
  for (size_t i = 0; i < drawn->n_nodes; i++)
    for (size_t j = i + 1; j < drawn->n_nodes; j++) {
      double least = radius != NULL ? (double)radius[i] + radius[j] : 1;
      n_overlaps += distance(drawn, i, j) < least - slack;
    }
  return n_overlaps;
}
