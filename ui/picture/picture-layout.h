/* picture-layout.h - where the nodes of a scene lie, whoever put them there: by token and layer
 * (layers-layout.h) or by forces (force-plane.h). */
#pragma once

#include "picture/geometry.h"
#include "picture/scene.h"

typedef enum {
  CWU_LAYOUT_LAYERS, /* tokens across, layers up; has columns and rows */
  CWU_LAYOUT_PLANE   /* no axes: only what is near to what says something */
} CwuLayoutKind;

/* Positions for one plot size; px at zoom 1, origin at the plot's top left. Immutable. */
typedef struct {
  gint n_references;
  CwuLayoutKind kind;
  size_t n_nodes;
  double width, height;
  float *x, *y;  /* [N] of the scene */
  double radius; /* of a node at zoom 1, so that no two touch where that is possible */

  /* CWU_LAYOUT_LAYERS; else 0 and NULL. */
  float *fan;            /* [N] how far down a node of a crowded cell steps when it opens */
  double open_radius;    /* px on screen at the zoom at which cells are open */
  int64_t n_columns;     /* prompt positions */
  double *column_right;  /* [n_columns + 1] boundaries; column c is [c] .. [c + 1] */
  double *column_centre; /* [n_columns] where its token's name belongs; NaN: no width */
  int64_t n_rows;        /* embeddings, layers, logits; row 0 is at the bottom */
  double row_height;
} CwuLayout;

/* Positions are 0. NULL without memory. */
CwuLayout *cwu_layout_new(CwuLayoutKind kind, size_t n_nodes, double width, double height);
CwuLayout *cwu_layout_ref(CwuLayout *layout);
void cwu_layout_unref(CwuLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuLayout, cwu_layout_unref)

/* Where node i is on screen. Crowded cells open as the camera says. */
static inline CwuPoint
cwu_layout_at(const CwuLayout *layout, const CwuCamera *camera, size_t i)
{
  double y = (double)layout->y[i];
  if (layout->fan != NULL)
    y += camera->openness * (double)layout->fan[i];
  return cwu_camera_to_screen(camera, (double)layout->x[i], y);
}
