/* scene.c - from a graph and its masks to what is drawn: the nodes and edges that masks leave,
 * picked from the scene's base. Edges are in order of strength, so that a picture with a time
 * budget draws the strongest and a cut loses only what can hardly be seen. */
#include "picture/scene.h"

#include <math.h>
#include <string.h>

#define NOT_SHOWN G_MAXUINT32

static bool
allocate(CwuScene *scene, size_t n_all, GError **error)
{
  size_t n = scene->n_nodes, e = scene->n_edges;
  scene->nodes = g_try_new0(CwuSceneNode, n + 1);
  scene->edges = g_try_new0(CwuSceneEdge, e + 1);
  scene->in_start = g_try_new0(uint32_t, n + 1);
  scene->out_start = g_try_new0(uint32_t, n + 2);
  scene->out_edge = g_try_new0(uint32_t, e + 1);
  scene->edge_order = g_try_new0(uint32_t, e + 1);
  scene->node_order = g_try_new0(uint32_t, n + 1);
  scene->of_node = g_try_new0(int32_t, n_all + 1);
  scene->labels = g_try_new0(const char *, n + 1);
  if (scene->nodes != NULL && scene->edges != NULL && scene->in_start != NULL &&
      scene->out_start != NULL && scene->out_edge != NULL && scene->edge_order != NULL &&
      scene->node_order != NULL && scene->of_node != NULL && scene->labels != NULL)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
              "Not enough memory to draw %zu nodes and %zu edges: prune the graph further", n,
              e);
  return false;
}

static bool
shows_node(const CwPruned *pruned, size_t node)
{
  return pruned == NULL || pruned->node_mask[node];
}

static bool
shows_edge(const CwGraph *graph, const CwPruned *pruned, int64_t edge, size_t target)
{
  return (pruned == NULL || pruned->edge_mask[edge]) && shows_node(pruned, target) &&
         shows_node(pruned, cw_graph_peek_source(graph)[edge]) &&
         cw_graph_peek_weight(graph)[edge] != 0;
}

static void
count(CwuScene *scene, const CwPruned *pruned)
{
  const int64_t *row_start = cw_graph_peek_row_start(scene->graph);
  size_t n_all = cw_graph_get_n_nodes(scene->graph);
  for (size_t t = 0; t < n_all; t++) {
    if (!shows_node(pruned, t))
      continue;
    scene->n_nodes++;
    for (int64_t e = row_start[t]; e < row_start[t + 1]; e++)
      scene->n_edges += shows_edge(scene->graph, pruned, e, t);
  }
}

static float
importance(const CwGraph *graph, const CwPruned *pruned, size_t i)
{
  const CwNode *node = &cw_graph_peek_nodes(graph)[i];
  if (node->kind == CW_NODE_LOGIT)
    return -node->probability;
  if (cw_graph_has_ranks(graph) && !isnan(node->influence))
    return CLAMP(node->influence, 0, 1);
  return pruned != NULL ? CLAMP(pruned->cumulative_share[i], 0, 1) : 0.5f;
}

static void
fill_nodes(CwuScene *scene, const CwPruned *pruned)
{
  const CwNode *nodes = cw_graph_peek_nodes(scene->graph);
  size_t n_all = cw_graph_get_n_nodes(scene->graph), n = 0;
  for (size_t i = 0; i < n_all; i++) {
    scene->of_node[i] = shows_node(pruned, i) ? (int32_t)n : -1;
    if (scene->of_node[i] < 0)
      continue;
    scene->nodes[n] = (CwuSceneNode){ .node = (uint32_t)i,
                                      .kind = nodes[i].kind,
                                      .layer = nodes[i].layer,
                                      .position = nodes[i].position,
                                      .importance = importance(scene->graph, pruned, i) };
    scene->node_order[n] = (uint32_t)n;
    scene->labels[n] = scene->base->labels[i];
    n++;
  }
}

/* shown[e] becomes the scene's index of the graph's edge e. */
static void
fill_edges_into(CwuScene *scene, const CwPruned *pruned, size_t target, uint32_t *shown,
                uint32_t *n)
{
  const int64_t *row_start = cw_graph_peek_row_start(scene->graph);
  const uint32_t *source = cw_graph_peek_source(scene->graph);
  const float *weight = cw_graph_peek_weight(scene->graph);
  for (int64_t e = row_start[target]; e < row_start[target + 1]; e++) {
    if (!shows_edge(scene->graph, pruned, e, target))
      continue;
    uint32_t s = (uint32_t)scene->of_node[source[e]];
    shown[e] = *n;
    scene->edges[(*n)++] = (CwuSceneEdge){ .source = s,
                                           .target = (uint32_t)scene->of_node[target],
                                           .weight = weight[e],
                                           .share = scene->base->share[e] };
    scene->out_start[s + 2]++;
  }
}

/* Counting sort by source; out_start[s + 2] holds the counts on entry. */
static void
index_outgoing(CwuScene *scene)
{
  for (size_t s = 2; s <= scene->n_nodes; s++)
    scene->out_start[s] += scene->out_start[s - 1];
  for (uint32_t e = 0; e < scene->n_edges; e++)
    scene->out_edge[scene->out_start[scene->edges[e].source + 1]++] = e;
}

static void
order_edges(CwuScene *scene, const uint32_t *shown)
{
  const uint32_t *order = scene->base->order;
  size_t n_all = cw_graph_get_n_edges(scene->graph);
  for (size_t k = 0, n = 0; k < n_all && n < scene->n_edges; k++)
    if (shown[order[k]] != NOT_SHOWN)
      scene->edge_order[n++] = shown[order[k]];
}

static bool
fill_edges(CwuScene *scene, const CwPruned *pruned, GError **error)
{
  size_t n_all = cw_graph_get_n_edges(scene->graph);
  g_autofree uint32_t *shown = g_try_new(uint32_t, n_all + 1);
  uint32_t n = 0;
  if (shown == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY,
                "Not enough memory to draw a graph of %zu edges", n_all);
    return false;
  }
  memset(shown, 0xff, n_all * sizeof *shown);
  for (size_t t = 0; t < scene->n_nodes; t++) {
    scene->in_start[t] = n;
    fill_edges_into(scene, pruned, scene->nodes[t].node, shown, &n);
  }
  scene->in_start[scene->n_nodes] = n;
  index_outgoing(scene);
  order_edges(scene, shown);
  return true;
}

static int
compare_importance(gconstpointer a, gconstpointer b, gpointer user_data)
{
  const CwuScene *scene = user_data;
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  float x = scene->nodes[i].importance, y = scene->nodes[j].importance;
  return x < y ? -1 : x > y ? 1 : i < j ? -1 : i > j;
}

CwuScene *
cwu_scene_new_from(CwuSceneBase *base, const CwPruned *pruned, GError **error)
{
  g_autoptr(CwuScene) scene = g_new0(CwuScene, 1);
  scene->n_references = 1;
  scene->base = cwu_scene_base_ref(base);
  scene->graph = base->graph;
  count(scene, pruned);
  if (!allocate(scene, cw_graph_get_n_nodes(base->graph), error))
    return NULL;
  fill_nodes(scene, pruned);
  if (!fill_edges(scene, pruned, error))
    return NULL;
  g_qsort_with_data(scene->node_order, (gint)scene->n_nodes, sizeof(uint32_t),
                    compare_importance, scene);
  return g_steal_pointer(&scene);
}

CwuScene *
cwu_scene_new(CwGraph *graph, const CwPruned *pruned, GError **error)
{
  g_autoptr(CwuSceneBase) base = cwu_scene_base_new(graph, error);
  return base != NULL ? cwu_scene_new_from(base, pruned, error) : NULL;
}

CwuScene *
cwu_scene_ref(CwuScene *scene)
{
  g_atomic_int_inc(&scene->n_references);
  return scene;
}

void
cwu_scene_unref(CwuScene *scene)
{
  if (scene == NULL || !g_atomic_int_dec_and_test(&scene->n_references))
    return;
  cwu_scene_base_unref(scene->base);
  g_free(scene->labels);
  g_free(scene->nodes);
  g_free(scene->edges);
  g_free(scene->in_start);
  g_free(scene->out_start);
  g_free(scene->out_edge);
  g_free(scene->edge_order);
  g_free(scene->node_order);
  g_free(scene->of_node);
  g_free(scene);
}

int64_t
cwu_scene_find(const CwuScene *scene, int64_t node)
{
  if (node < 0 || (size_t)node >= cw_graph_get_n_nodes(scene->graph))
    return -1;
  return scene->of_node[node];
}
