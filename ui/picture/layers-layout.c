/* layers-layout.c - the geometry that readers of attribution graphs know from the published
 * explorers: a column per token, as wide as its busiest row needs; a row per layer, token
 * embeddings at the bottom and logits on top; nodes of a cell put side by side from the right
 * edge, logits by falling probability and everything else in the file's order.
 *
 * One pass to count the cells (a hash table: of positions x layers cells few are used), one to
 * place. O(N). */
#include "picture/layers-layout.h"

#include <math.h>

#define PADDING_PX      8.0
#define NODE_SPACING_PX 20.0
#define MAX_RADIUS_PX   5.0
#define MIN_RADIUS_PX   1.5
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
    double left = layout->column_right[column], right = layout->column_right[column + 1];
    double step = MIN(spacing, (right - left - padding) / job->count[cell]);
    layout->x[i] = (float)(right - 1.5 * padding - job->rank[i] * step);
    layout->y[i] = (float)cwu_layout_row_y(layout, (int64_t)cell % layout->n_rows);
    if (job->count[cell] > 1)
      least = MIN(least, step);
  }
  return least;
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
  layout->x = g_try_new0(float, n + 1);
  layout->y = g_try_new0(float, n + 1);
  layout->column_right = g_try_new0(double, columns + 1);
  layout->column_centre = g_try_new0(double, columns + 1);
  job->rank = g_try_new0(uint32_t, n + 1);
  job->weight = g_try_new0(uint32_t, columns + 1);
  job->count = g_try_malloc0_n(columns * sizeof(uint32_t), (size_t)layout->n_rows);
  if (layout->x != NULL && layout->y != NULL && layout->column_right != NULL &&
      layout->column_centre != NULL && job->rank != NULL && job->weight != NULL &&
      job->count != NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "Not enough memory to lay out %zu nodes over %zu tokens and %" G_GINT64_FORMAT
              " layers",
              n, columns, layout->n_rows - 2);
  return false;
}

CwuLayout *
cwu_layers_layout_new(const CwuScene *scene, double width, double height, GError **error)
{
  g_autoptr(CwuLayout) layout = g_new0(CwuLayout, 1);
  layout->n_references = 1;
  layout->width = MAX(width, 1);
  layout->height = MAX(height, 1);
  layout->n_columns = MAX(cw_graph_get_n_positions(scene->graph), 1);
  layout->n_rows = cw_graph_get_n_layers(scene->graph) + 2;
  layout->row_height = layout->height / (double)layout->n_rows;
  Job job = { .scene = scene, .layout = layout };
  if (allocate(&job, error)) {
    double padding, tightest;
    rank_nodes(&job);
    place_columns(&job, &padding, &tightest);
    double least = place_nodes(&job, padding, MAX(NODE_SPACING_PX, tightest));
    layout->radius =
        CLAMP(0.5 * MIN(least, 0.9 * layout->row_height), MIN_RADIUS_PX, MAX_RADIUS_PX);
  } else {
    g_clear_pointer(&layout, cwu_layout_unref);
  }
  g_free(job.count);
  g_free(job.rank);
  g_free(job.weight);
  return g_steal_pointer(&layout);
}

CwuLayout *
cwu_layout_ref(CwuLayout *layout)
{
  g_atomic_int_inc(&layout->n_references);
  return layout;
}

void
cwu_layout_unref(CwuLayout *layout)
{
  if (layout == NULL || !g_atomic_int_dec_and_test(&layout->n_references))
    return;
  g_free(layout->x);
  g_free(layout->y);
  g_free(layout->column_right);
  g_free(layout->column_centre);
  g_free(layout);
}
