/* picture-runner.h - makes the slow parts of a picture on another thread: scene and layout, the
 * texture of all edges, the edges of the focus, the overview. One job at a time; a newer wish
 * cuts the job under way short, so what arrives is never older than what was shown. */
#pragma once

#include <gtk/gtk.h>

#include "cw-graph.h"
#include "picture/painter.h"

/* What is wanted. Graph and masks are borrowed until cwu_picture_runner_want returns (the
 * runner copies the masks). */
typedef struct {
  CwGraph *graph;
  const CwPruned *pruned;
  guint graph_generation; /* changes when graph or masks do */
  CwuCamera camera;
  double scale; /* device pixels per px */
  CwuThemeKind theme;
  int64_t selected; /* graph node or -1 */
  CwuLayoutKind kind;
  /* CWU_LAYOUT_PLANE: where forces have put the nodes of a scene that the runner gave out;
   * NULL, or of another scene than the newest: that is only made, and what is shown stays. */
  CwuLayout *plane;
  CwuScene *plane_scene;
  bool is_moving;      /* the next layout comes in a moment: only the strongest edges */
  bool wants_overview; /* the small picture of the whole */
} CwuPictureWish;

/* What there is; textures may be NULL, and made for another camera than the one wanted now. */
typedef struct {
  CwuScene *scene; /* with its layout; NULL: nothing yet */
  CwuLayout *layout;
  GdkTexture *mass;
  CwuCamera mass_camera;
  GdkTexture *focus;
  CwuCamera focus_camera;
  int64_t focus_selected;
  GdkTexture *overview;
  CwuScene *newest; /* the newest scene, which may wait for its layout */
  bool is_complete; /* nothing of the wish is still being made */
} CwuPictureState;

typedef struct _CwuPictureRunner CwuPictureRunner;

/* changed is called on the main thread after every step; error is not NULL if one failed. */
typedef void (*CwuPictureChangedCb)(const GError *error, gpointer user_data);
CwuPictureRunner *cwu_picture_runner_new(CwuPictureChangedCb changed, gpointer user_data);
/* Returns at once; a job under way is cancelled and frees itself. */
void cwu_picture_runner_free(CwuPictureRunner *runner);
void cwu_picture_runner_want(CwuPictureRunner *runner, const CwuPictureWish *wish);
const CwuPictureState *cwu_picture_runner_peek(const CwuPictureRunner *runner);
