/* picture-subject.c - see picture-subject.h. */
#include "window/picture-subject.h"

struct _CwuPictureSubject {
  CwGraph *graph;
  CwPruned pruned; /* of what a picture reads */
  bool is_pruned;
  CwuPictureOptions view;
  char *name;
  float *places;
};

CwuPictureSubject *
cwu_picture_subject_new(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *view,
                        const char *name)
{
  CwuPictureSubject *subject = g_atomic_rc_box_new0(CwuPictureSubject);
  subject->graph = cw_graph_ref(graph);
  subject->view = *view;
  subject->view.subset = NULL;
  if (view->places != NULL)
    subject->places = g_memdup2(view->places, 2 * cw_graph_get_n_nodes(graph) * sizeof(float));
  subject->view.places = subject->places;
  if (view->state != NULL)
    cw_document_state_ref(view->state);
  subject->name = g_strdup(name != NULL && *name != 0 ? name : "graph");
  subject->is_pruned = pruned != NULL;
  if (pruned == NULL)
    return subject;
  subject->pruned.n_nodes = pruned->n_nodes;
  subject->pruned.n_edges = pruned->n_edges;
  subject->pruned.n_kept_nodes = pruned->n_kept_nodes;
  subject->pruned.n_kept_edges = pruned->n_kept_edges;
  subject->pruned.node_mask = g_memdup2(pruned->node_mask, pruned->n_nodes);
  subject->pruned.edge_mask = g_memdup2(pruned->edge_mask, pruned->n_edges);
  subject->pruned.cumulative_share =
      g_memdup2(pruned->cumulative_share, pruned->n_nodes * sizeof(float));
  return subject;
}

CwuPictureSubject *
cwu_picture_subject_ref(CwuPictureSubject *subject)
{
  return g_atomic_rc_box_acquire(subject);
}

static void
clear(gpointer data)
{
  CwuPictureSubject *subject = data;
  cw_graph_unref(subject->graph);
  g_free(subject->pruned.node_mask);
  g_free(subject->pruned.edge_mask);
  g_free(subject->pruned.cumulative_share);
  g_free(subject->name);
  g_free(subject->places);
  cw_document_state_unref(subject->view.state);
}

void
cwu_picture_subject_unref(CwuPictureSubject *subject)
{
  if (subject != NULL)
    g_atomic_rc_box_release_full(subject, clear);
}

CwGraph *
cwu_picture_subject_peek_graph(CwuPictureSubject *subject)
{
  return subject->graph;
}

const CwPruned *
cwu_picture_subject_peek_pruned(CwuPictureSubject *subject)
{
  return subject->is_pruned ? &subject->pruned : NULL;
}

const CwuPictureOptions *
cwu_picture_subject_peek_view(CwuPictureSubject *subject)
{
  return &subject->view;
}

const char *
cwu_picture_subject_peek_name(CwuPictureSubject *subject)
{
  return subject->name;
}
