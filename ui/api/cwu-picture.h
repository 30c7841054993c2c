/* cwu-picture.h - the picture of an attribution graph as a file, for programs without a window.
 *
 * Cairo and pango only: runs on a node with no display. The same scene and painter draw the
 * window of clew-app. */
#pragma once

#include <cairo.h>

#include "cw-document.h"

G_BEGIN_DECLS

typedef enum {
  CWU_THEME_LIGHT,
  CWU_THEME_DARK,
  CWU_THEME_CONTRAST_LIGHT, /* high contrast: thicker outlines, no pale text */
  CWU_THEME_CONTRAST_DARK,
  CWU_N_THEMES
} CwuThemeKind;

typedef enum {
  CWU_PICTURE_TITLE = 1 << 0,  /* the prompt and the counts, above */
  CWU_PICTURE_LEGEND = 1 << 1, /* what glyphs and colours mean, below */
  CWU_PICTURE_BARE = 1 << 2    /* no names, numbers and notes, nor room for them: a small one */
} CwuPictureParts;

/* How much of the graph is on the page. */
typedef enum {
  CWU_SCOPE_GRAPH,    /* all that is not pruned */
  CWU_SCOPE_VIEW,     /* the part of it that a view shows */
  CWU_SCOPE_SELECTION /* the selected node and its neighbours, laid out anew; or a subset */
} CwuPictureScope;

typedef enum {
  CWU_VIEW_LAYERS, /* tokens across, layers up */
  CWU_VIEW_FORCE   /* what belongs together stands together */
} CwuPictureView;

typedef struct {
  double width, height; /* px of layout: 1440 x 900 */
  double scale;         /* pixels (PNG) or points (PDF, SVG) per px: 1 */
  CwuThemeKind theme;
  CwuPictureParts parts;
  CwuPictureScope scope;
  /* CWU_SCOPE_VIEW: zoom 1 shows everything; the centre is a share of the layout's width and
   * height, 0..1, NaN: the selected node, or the middle. */
  double zoom, centre_x, centre_y;
  int64_t selected;      /* graph node whose edges are drawn strong; -1: none */
  const uint8_t *subset; /* CWU_SCOPE_SELECTION: [nodes of the graph] others than those */
  size_t vector_edges;   /* SVG, PDF: edges of the faint mass drawn, strongest first: 4000 */
  CwuPictureView view;
  /* CWU_VIEW_FORCE: [nodes of the graph, 2] where nodes lie, in their diameters, y upwards, as
   * a window shows them; NULL: the forces are let settle, with the state's gravity and places.
   */
  const float *places;
  CwDocumentState *state; /* of this graph: labels, pins; NULL: the graph's labels, no pins */
} CwuPictureOptions;

void cwu_picture_options_init(CwuPictureOptions *options);

/* Usual sizes, each with text of 7 points or more on paper. */
typedef enum {
  CWU_SIZE_SCREEN, /* 1440 x 900 */
  CWU_SIZE_COLUMN, /* of a paper, 8.5 cm wide */
  CWU_SIZE_PAGE,   /* both columns, 17.5 cm wide */
  CWU_SIZE_SLIDE,  /* 16:9, 1920 x 1080 pixels or 960 x 540 points */
  CWU_N_SIZES
} CwuPictureSize;

/* Sets width, height, scale and vector_edges; pixels for PNG (300 a inch on paper), else
 * points. */
void cwu_picture_options_set_size(CwuPictureOptions *options, CwuPictureSize size,
                                  bool for_pixels);

/* Writes the picture of a graph to path, atomically; the ending says what: .png, .svg
 * (text as text) or .pdf (text can be selected). pruned NULL draws every node and edge. Errors:
 * unknown ending, a size that is no picture (1..32767 px a side after scaling), a selection of
 * nothing, no memory, a path that cannot be written. Same input, same bytes. Any thread.
 * O(N + E). */
bool cwu_picture_export(CwGraph *graph, const CwPruned *pruned,
                        const CwuPictureOptions *options, const char *path, GError **error);
/* The picture of a PNG as an image surface, its device scale set. Transfer full; NULL with an
 * error as above. Any thread. */
cairo_surface_t *cwu_picture_new_image(CwGraph *graph, const CwPruned *pruned,
                                       const CwuPictureOptions *options, GError **error);
/* The picture of a PDF, width x height px from the origin, on a context of the caller's: a page
 * that is printed. */
bool cwu_picture_draw(CwGraph *graph, const CwPruned *pruned, const CwuPictureOptions *options,
                      cairo_t *cr, GError **error);

G_END_DECLS
