/* picture-job.h - one step of making a picture, on a thread: scene and layout; a coarse texture
 * of the strongest edges, then the rest of them; the edges of the focus; the overview. */
#pragma once

#include "graph/picture-runner.h"
#include "picture/edge-raster.h"

/* A texture of all edges, finished or growing. */
typedef struct {
  CwuEdgeRaster *raster; /* NULL: none */
  CwuLayout *layout;
  CwuCamera camera;
  double scale;
  CwuThemeKind theme;
  size_t n_done;
} CwuMass;

void cwu_mass_clear(CwuMass *mass);

/* A wish that owns what it names. */
typedef struct {
  CwuPictureWish wish; /* graph, pruned, plane and plane_scene are not set */
  CwGraph *graph;
  GBytes *node_mask, *edge_mask, *share;
  CwuLayout *plane;
  CwuScene *plane_scene;
} CwuOwnWish;

/* before: the wish that this one follows, or NULL; masks of one generation are shared. */
CwuOwnWish *cwu_own_wish_new(const CwuPictureWish *wish, const CwuOwnWish *before);
CwuOwnWish *cwu_own_wish_copy(const CwuOwnWish *wish);
void cwu_own_wish_free(CwuOwnWish *own);

typedef struct {
  CwuOwnWish *wish;
  CwCancel *cancel;
  bool needs_mass, needs_focus, needs_overview;
  /* Given where they are there already, else made. The scene is that of the wish's graph
   * generation; the layout is of that scene, NULL while forces have not laid it out yet. */
  CwuSceneBase *base;
  CwuScene *scene;
  CwuLayout *layout;
  CwuMass mass;
  /* Made; NULL: not needed, or nothing to see. */
  cairo_surface_t *mass_image, *focus_image, *overview_image;
} CwuPictureJob;

void cwu_picture_job_free(CwuPictureJob *job);
/* False with an error where there is no memory. A raised cancel flag leaves things out. */
bool cwu_picture_job_run(CwuPictureJob *job, GError **error);
/* Edges in the texture when this wish is done. */
size_t cwu_picture_job_n_edges(const CwuPictureWish *wish, const CwuScene *scene);
