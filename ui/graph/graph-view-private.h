/* graph-view-private.h - the canvas as its own files see it: the widget and its document
 * (graph-view.c), a frame (graph-view-draw.c), pointer and keys (graph-view-input.c). */
#pragma once

#include "graph/card-keeper.h"
#include "graph/force-driver.h"
#include "graph/frame-image.h"
#include "graph/frame-memory.h"
#include "graph/graph-view.h"
#include "graph/picture-runner.h"
#include "graph/walk.h"
#include "picture/note-painter.h"

/* What a press has taken hold of. */
typedef enum {
  CWU_GRAB_NONE,
  CWU_GRAB_PICTURE, /* pans */
  CWU_GRAB_MINIMAP,
  CWU_GRAB_NODE, /* of a plane: is put in a place */
  CWU_GRAB_NOTE
} CwuGrabKind;

typedef struct {
  CwuGrabKind kind;
  bool has_moved;    /* far enough to be no click */
  CwuViewpoint from; /* at the press */
  CwuPoint press;    /* in the widget */
  CwuPoint off;      /* NOTE, NODE: the press, from their corner or middle */
  uint64_t note;
  int64_t node; /* of the graph */
} CwuGrab;

/* From one layout to the other: where the nodes were on screen. */
typedef struct {
  CwuScene *scene; /* NULL: no transition */
  CwuPoint *from;  /* [N of the scene] */
  CwuCamera camera;
  gint64 start_us; /* 0: the new layout is not there yet */
} CwuTransition;

/* Parts of a frame that are made again only when they change. */
typedef struct {
  GskRenderNode *ground, *front; /* front NULL: ground is all of it, in software */
  GdkTexture *mass, *focus;      /* in it, in software */
  CwuLayout *layout;
  CwDocumentState *state;
  const CwuTheme *theme;
  CwuCamera camera;
  CwuRect all;
  double scale;
  int64_t selected; /* of the scene */
  guint cards;      /* their number */
} CwuFrame;

struct _CwuGraphView {
  GtkWidget parent_instance;
  CwuDocument *document;
  GtkWidget *cover; /* weak; over the picture's top */
  CwuPictureRunner *runner;
  CwuForceDriver *force;
  CwuLayoutKind kind; /* wanted; what is shown may still be of the other */
  CwuLayout *plane;   /* the force driver's newest, for the present size */
  CwuViewpoint other; /* of the kind that is not wanted */
  guint graph_generation;
  CwuTransition transition;
  guint tick;

  CwuCanvas *ground, *front, *hover; /* remember shaped text and stamps between frames */
  double canvas_scale;
  CwuFrame frame;
  CwuFrameImage image;
  CwuFrameMemory memory;
  bool is_software; /* GTK draws without a GPU: a frame is an image */
  CwuFocus *focus;  /* of focus_scene */
  CwuScene *focus_scene;
  CwuCardKeeper cards;
  GArray *notes; /* CwuNoteCard, as drawn last */

  CwuGrab grab;
  CwuViewpoint pinch_start;
  double pointer_x, pointer_y;
  CwuEdgeWalk edge_walk;
};

CwuRect cwu_graph_view_whole(CwuGraphView *self);
/* Device pixels per px of the picture. */
double cwu_graph_view_scale(CwuGraphView *self);
/* The plot and camera of the kind that is wanted. */
CwuRect cwu_graph_view_plot(CwuGraphView *self);
CwuCamera cwu_graph_view_camera(CwuGraphView *self);
/* What is shown, NULL if there is nothing of the document's graph, and the camera it is seen
 * with. */
const CwuPictureState *cwu_graph_view_shown(CwuGraphView *self);
CwuCamera cwu_graph_view_shown_camera(CwuGraphView *self, const CwuPictureState *state);
const CwuFocus *cwu_graph_view_focus(CwuGraphView *self, const CwuPictureState *state);
/* How far a transition has come, 0..1; 1: there is none. */
double cwu_graph_view_transition_done(CwuGraphView *self);
/* Asks the runner for what is seen now. */
void cwu_graph_view_want(CwuGraphView *self);

void cwu_graph_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot);
void cwu_graph_view_clear_frame(CwuGraphView *self);

void cwu_graph_view_add_controllers(CwuGraphView *self);
/* The signal "edit-note". */
void cwu_graph_view_edit_note(CwuGraphView *self, uint64_t note);
