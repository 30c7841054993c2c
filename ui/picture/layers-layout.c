/* layers-layout.c - the geometry that readers of attribution graphs know from the published
 * explorers: a column per token, as wide as its busiest row needs; a row per layer, token
 * embeddings at the bottom and logits on top; nodes of a cell put side by side from the right
 * edge, logits by falling probability and everything else in the file's order.
 *
 * Zoomed in, cells that hold more nodes than stand side by side open: their nodes step up and
 * down within the row's band, in as many lines as it takes, and keep their x. Column widths
 * that change with the zoom were rejected: every edge of the picture would bend at each turn of
 * the wheel.
 *
 * One pass to count the cells, one to place, one to open. O(N + columns * rows). */
#include "picture/layers-layout.h"

#include <math.h>

#define PADDING_PX      8.0
#define NODE_SPACING_PX 20.0
#define MAX_RADIUS_PX   5.0
#define MIN_RADIUS_PX   1.5
/* Between these zooms crowded cells open. */
#define OPEN_FROM 1.25
/* Of a row's band, what open cells use; what their nodes would like to be, and the gap. */
#define OPEN_BAND      0.8
#define OPEN_RADIUS_PX 4.5
#define OPEN_GAP_PX    2.5
/* A file may claim any number of layers; more cells than this are no picture. */
#define MAX_CELLS ((int64_t)1 << 26)

typedef struct {
  const CwuScene *scene;
  CwuLayout *layout;
  uint32_t *count;  /* [n_columns * n_rows] nodes of a cell */
  uint32_t *rank;   /* [N] place in the cell, from the right */
  uint32_t *weight; /* [n_columns] of the busiest row */
} Job;

int64_t
cwu_layout_row(const CwuLayout *layout, const CwuSceneNode *node)
{
  if (node->kind == CW_NODE_TOKEN)
    return 0;
  if (node->kind == CW_NODE_LOGIT)
    return layout->n_rows - 1;
  return CLAMP((int64_t)node->layer + 1, 0, layout->n_rows - 1);
}

double
cwu_layout_row_y(const CwuLayout *layout, int64_t row)
{
  return ((double)(layout->n_rows - 1 - row) + 0.5) * layout->row_height;
}

double
cwu_layout_openness(double zoom)
{
  double t = CLAMP((zoom - OPEN_FROM) / (CWU_OPEN_ZOOM - OPEN_FROM), 0, 1);
  return t * t * (3 - 2 * t);
}

static size_t
cell_of(const Job *job, size_t node)
{
  const CwuSceneNode *n = &job->scene->nodes[node];
  int64_t column = CLAMP((int64_t)n->position, 0, job->layout->n_columns - 1);
  return (size_t)(column * job->layout->n_rows + cwu_layout_row(job->layout, n));
}

static void
rank_nodes(Job *job)
{
  for (size_t i = 0; i < job->scene->n_nodes; i++)
    if (job->scene->nodes[i].kind != CW_NODE_LOGIT)
      job->rank[i] = job->count[cell_of(job, i)]++;
  /* Importance puts logits by falling probability. */
  for (size_t k = 0; k < job->scene->n_nodes; k++) {
    uint32_t i = job->scene->node_order[k];
    if (job->scene->nodes[i].kind == CW_NODE_LOGIT)
      job->rank[i] = job->count[cell_of(job, i)]++;
  }
}

/* Tokens before the first one that has a node get no width, all others at least one node's. */
static double
weigh_columns(Job *job)
{
  double total = 0;
  bool begun = false;
  for (int64_t c = 0; c < job->layout->n_columns; c++) {
    uint32_t most = 0;
    for (int64_t r = 0; r < job->layout->n_rows; r++)
      most = MAX(most, job->count[c * job->layout->n_rows + r]);
    begun = begun || most > 0;
    job->weight[c] = begun ? MAX(most, 1) : 0;
    total += job->weight[c];
  }
  return total;
}

static void
place_columns(Job *job, double *padding, double *tightest)
{
  CwuLayout *layout = job->layout;
  double total = MAX(weigh_columns(job), 1), sum = 0, narrowest = layout->width;
  for (int64_t c = 0; c < layout->n_columns; c++) {
    sum += job->weight[c];
    layout->column_right[c + 1] = layout->width * sum / total;
    if (job->weight[c] > 0)
      narrowest = MIN(narrowest, layout->width * job->weight[c] / total);
  }
  *padding = MIN(PADDING_PX, narrowest / 2);
  *tightest = layout->width;
  for (int64_t c = 0; c < layout->n_columns; c++)
    if (job->weight[c] > 0)
      *tightest =
          MIN(*tightest, (layout->column_right[c + 1] - layout->column_right[c] - *padding) /
                             job->weight[c]);
}

/* Distance of two neighbours in a cell of so many nodes. */
static double
step_of(const Job *job, int64_t column, uint32_t count, double padding, double spacing)
{
  const double *right = job->layout->column_right;
  return MIN(spacing, (right[column + 1] - right[column] - padding) / count);
}

/* Places every node; returns the least distance between two neighbours in a cell. */
static double
place_nodes(Job *job, double padding, double spacing)
{
  double least = spacing;
  CwuLayout *layout = job->layout;
  for (int64_t c = 0; c < layout->n_columns; c++)
    layout->column_centre[c] =
        job->weight[c] > 0 ? layout->column_right[c + 1] - 1.5 * padding : NAN;
  for (size_t i = 0; i < job->scene->n_nodes; i++) {
    size_t cell = cell_of(job, i);
    int64_t column = (int64_t)cell / layout->n_rows;
    double right = layout->column_right[column + 1];
    double step = step_of(job, column, job->count[cell], padding, spacing);
    layout->x[i] = (float)(right - 1.5 * padding - job->rank[i] * step);
    layout->y[i] = (float)cwu_layout_row_y(layout, (int64_t)cell % layout->n_rows);
    if (job->count[cell] > 1)
      least = MIN(least, step);
  }
  return least;
}

/* Lines into which a cell opens, and how far apart they are at zoom 1. */
typedef struct {
  uint32_t n;
  double pitch;
} Lines;

static Lines
lines_of(const CwuLayout *layout, uint32_t count, double step)
{
  double wanted = (2 * OPEN_RADIUS_PX + OPEN_GAP_PX) / CWU_OPEN_ZOOM;
  double band = OPEN_BAND * layout->row_height;
  uint32_t most = (uint32_t)CLAMP(band / wanted, 1, count);
  uint32_t n = (uint32_t)CLAMP(ceil(wanted / step), 1, most);
  return (Lines){ n, MIN(1.25 * wanted, band / n) };
}

/* Opens cells, and finds how large nodes may be that then do not touch. */
static void
open_cells(Job *job, double padding, double spacing)
{
  CwuLayout *layout = job->layout;
  double least = INFINITY;
  for (size_t i = 0; i < job->scene->n_nodes; i++) {
    size_t cell = cell_of(job, i);
    double step =
        step_of(job, (int64_t)cell / layout->n_rows, job->count[cell], padding, spacing);
    Lines lines = lines_of(layout, job->count[cell], step);
    layout->fan[i] = (float)(((job->rank[i] % lines.n) - 0.5 * (lines.n - 1)) * lines.pitch);
    if (job->count[cell] > 1)
      least = MIN(least, lines.n == 1 ? step : MIN(lines.n * step, hypot(step, lines.pitch)));
  }
  layout->open_radius = CLAMP(0.5 * (least * CWU_OPEN_ZOOM - OPEN_GAP_PX),
                              layout->radius * pow(CWU_OPEN_ZOOM, 0.45), OPEN_RADIUS_PX);
}

static bool
allocate(Job *job, GError **error)
{
  CwuLayout *layout = job->layout;
  if (layout->n_rows > MAX_CELLS / layout->n_columns) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "A graph of %" G_GINT64_FORMAT " tokens and %" G_GINT64_FORMAT
                " layers cannot be drawn: check the layer numbers in its file",
                layout->n_columns, layout->n_rows - 2);
    return false;
  }
  size_t n = job->scene->n_nodes, columns = (size_t)layout->n_columns;
  layout->fan = g_try_new0(float, n + 1);
  layout->column_right = g_try_new0(double, columns + 1);
  layout->column_centre = g_try_new0(double, columns + 1);
  job->rank = g_try_new0(uint32_t, n + 1);
  job->weight = g_try_new0(uint32_t, columns + 1);
  job->count = g_try_malloc0_n(columns * sizeof(uint32_t), (size_t)layout->n_rows);
  if (layout->fan != NULL && layout->column_right != NULL && layout->column_centre != NULL &&
      job->rank != NULL && job->weight != NULL && job->count != NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "Not enough memory to lay out %zu nodes over %zu tokens and %" G_GINT64_FORMAT
              " layers",
              n, columns, layout->n_rows - 2);
  return false;
}

static CwuLayout *
layout_new(const CwuScene *scene, double width, double height, GError **error)
{
  CwuLayout *layout = cwu_layout_new(CWU_LAYOUT_LAYERS, scene->n_nodes, width, height);
  if (layout == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "Not enough memory to lay out %zu nodes",
                scene->n_nodes);
    return NULL;
  }
  layout->n_columns = MAX(cw_graph_get_n_positions(scene->graph), 1);
  layout->n_rows = cw_graph_get_n_layers(scene->graph) + 2;
  layout->row_height = layout->height / (double)layout->n_rows;
  return layout;
}

CwuLayout *
cwu_layers_layout_new(const CwuScene *scene, double width, double height, GError **error)
{
  g_autoptr(CwuLayout) layout = layout_new(scene, width, height, error);
  Job job = { .scene = scene, .layout = layout };
  if (layout == NULL)
    return NULL;
  if (allocate(&job, error)) {
    double padding, tightest;
    rank_nodes(&job);
    place_columns(&job, &padding, &tightest);
    double spacing = MAX(NODE_SPACING_PX, tightest);
    double least = place_nodes(&job, padding, spacing);
    layout->radius =
        CLAMP(0.5 * MIN(least, 0.9 * layout->row_height), MIN_RADIUS_PX, MAX_RADIUS_PX);
    open_cells(&job, padding, spacing);
  } else {
    g_clear_pointer(&layout, cwu_layout_unref);
  }
  g_free(job.count);
  g_free(job.rank);
  g_free(job.weight);
  return g_steal_pointer(&layout);
}
