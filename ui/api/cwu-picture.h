/* cwu-picture.h - the picture of an attribution graph as a file, for programs without a window.
 *
 * Cairo and pango only: runs on a node with no display. The same scene and painter draw the
 * window of clew-app. */
#pragma once

#include "cw-graph.h"

G_BEGIN_DECLS

typedef enum {
  CWU_THEME_LIGHT,
  CWU_THEME_DARK,
  CWU_THEME_CONTRAST_LIGHT, /* high contrast: thicker outlines, no pale text */
  CWU_THEME_CONTRAST_DARK,
  CWU_N_THEMES
} CwuThemeKind;

typedef enum {
  CWU_PICTURE_TITLE = 1 << 0, /* the prompt and the counts, above */
  CWU_PICTURE_LEGEND = 1 << 1 /* what glyphs and colours mean, below */
} CwuPictureParts;

typedef struct {
  double width, height; /* in px (PNG) or points (PDF, SVG): 1440 x 900 */
  double scale;         /* PNG: device pixels per px: 1; 2 for print */
  CwuThemeKind theme;
  CwuPictureParts parts;
  int64_t selected;    /* graph node whose edges are drawn strong; -1: none */
  size_t vector_edges; /* SVG, PDF: edges of the faint mass drawn, strongest first: 4000 */
} CwuPictureOptions;

void cwu_picture_options_init(CwuPictureOptions *options);

/* Writes the layers view of a graph to path, atomically; the ending says what: .png, .svg
 * (text as text) or .pdf (text can be selected). pruned NULL draws every node and edge. Errors:
 * unknown ending, a size that is no picture (1..32767 px a side after scaling), no memory, a
 * path that cannot be written. Same input, same bytes. Any thread. O(N + E). */
bool cwu_picture_export(CwGraph *graph, const CwPruned *pruned,
                        const CwuPictureOptions *options, const char *path, GError **error);

G_END_DECLS
