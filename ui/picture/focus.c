/* focus.c - see focus.h. */
#include "picture/focus.h"

#include <math.h>

static int
compare_share(gconstpointer a, gconstpointer b, gpointer user_data)
{
  const CwuScene *scene = user_data;
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  float x = fabsf(scene->edges[i].share), y = fabsf(scene->edges[j].share);
  return x < y ? -1 : x > y ? 1 : i > j ? -1 : i < j;
}

static void
relate(CwuFocus *focus, uint32_t node, CwuRole role, float weight)
{
  if (focus->role[node] == CWU_ROLE_NONE) {
    focus->order[focus->n_related++] = node;
    focus->role[node] |= weight < 0 ? CWU_ROLE_NEGATIVE : CWU_ROLE_NONE;
  }
  focus->role[node] |= role;
}

CwuFocus *
cwu_focus_new(const CwuScene *scene, int64_t selected)
{
  CwuFocus *focus = g_new0(CwuFocus, 1);
  uint32_t in = scene->in_start[selected], in_end = scene->in_start[selected + 1];
  uint32_t out = scene->out_start[selected], out_end = scene->out_start[selected + 1];
  focus->selected = selected;
  focus->edges = g_new(uint32_t, (in_end - in) + (out_end - out) + 1);
  focus->role = g_new0(uint8_t, scene->n_nodes + 1);
  focus->order = g_new(uint32_t, scene->n_nodes + 1);
  for (; in < in_end; in++)
    focus->edges[focus->n_edges++] = in;
  for (; out < out_end; out++)
    focus->edges[focus->n_edges++] = scene->out_edge[out];
  g_qsort_with_data(focus->edges, (gint)focus->n_edges, sizeof(uint32_t), compare_share,
                    (gpointer)scene);
  relate(focus, (uint32_t)selected, CWU_ROLE_SELECTED, 1);
  for (size_t i = focus->n_edges; i-- > 0;) {
    const CwuSceneEdge *edge = &scene->edges[focus->edges[i]];
    if (edge->target == selected)
      relate(focus, edge->source, CWU_ROLE_FEEDS_IT, edge->weight);
    else
      relate(focus, edge->target, CWU_ROLE_FED_BY_IT, edge->weight);
  }
  return focus;
}

void
cwu_focus_free(CwuFocus *focus)
{
  if (focus == NULL)
    return;
  g_free(focus->edges);
  g_free(focus->role);
  g_free(focus->order);
  g_free(focus);
}
