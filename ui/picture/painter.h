/* painter.h - draws a scene on a canvas, in four layers from back to front, so that a window
 * can keep the slow ones as pictures. */
#pragma once

#include "picture/canvas.h"
#include "picture/focus.h"

/* Text in the picture, px; 9 pt on a common screen. */
#define CWU_TEXT_PX 12.0

/* What is drawn; all borrowed. */
typedef struct {
  const CwuScene *scene;
  const CwuLayout *layout;
  const CwuTheme *theme;
  const CwuFocus *focus; /* NULL: nothing is selected */
  int64_t hovered;       /* scene index or -1 */
  CwuCamera camera;
  const CwDocumentState *state; /* pins and labels; NULL: none */
  CwuRect covered; /* by what stands over the picture's top; without width: nothing */
} CwuPicture;

/* The plot inside a picture of this size: what is left beside the axes' names. */
CwuRect cwu_painter_plot(const CwuRect *picture);
/* The plot of a layout of this kind; without axes it is nearly all of the picture. */
CwuRect cwu_painter_plot_for(CwuLayoutKind kind, const CwuRect *picture);

/* Px more above a plot with axes than above a short one, for longer names. */
double cwu_painter_tallness(const CwuRect *plot);

/* Surface, row and column rules. */
void cwu_painter_draw_ground(CwuCanvas *canvas, const CwuPicture *picture, const CwuRect *all);
/* The strongest edges as faint curves, for vector formats (pixels: edge-raster.h). */
void cwu_painter_draw_mass(CwuCanvas *canvas, const CwuPicture *picture, size_t n_edges);
/* How strongly the mass is shown: it steps back behind a focus. */
double cwu_painter_mass_alpha(const CwuPicture *picture);
/* The edges of the focus, at most so many, the strongest. Those that the selected node sends
 * out end in an arrow; those it gets begin at a filled node. */
void cwu_painter_draw_focus(CwuCanvas *canvas, const CwuPicture *picture, size_t n_edges);
/* Nodes; cards (CwuCard) tell which have a name. */
void cwu_painter_draw_nodes(CwuCanvas *canvas, const CwuPicture *picture, const GArray *cards);
/* Nodes, names and cards. */
void cwu_painter_draw_front(CwuCanvas *canvas, const CwuPicture *picture);

/* Radius on screen: grows with the zoom, slower than the distances do. */
double cwu_painter_radius(const CwuPicture *picture);
/* Whether somebody pinned the scene's i-th node. */
bool cwu_picture_is_pinned(const CwuPicture *picture, size_t i);
/* One node's mark, for legends and lists too. */
void cwu_painter_draw_node(CwuCanvas *canvas, const CwuTheme *theme, CwNodeKind kind,
                           CwuPoint at, double radius, CwuColour outline);
