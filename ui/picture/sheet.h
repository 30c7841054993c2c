/* sheet.h - a page with a picture: title, plot, legend, and how much of the graph is on it. */
#pragma once

#include "picture/painter.h"

typedef struct {
  CwuPictureOptions options;
  CwuRect page;
  CwuPicture picture;
  double title_px, legend_px; /* heights; 0: left out */
  CwuScene *scene;            /* owned, as are the next two */
  CwuLayout *layout;
  CwuFocus *focus;
} CwuSheet;

/* Errors: a selection of nothing, a selected node that is pruned, no memory. O(N log N + E). */
CwuSheet *cwu_sheet_new(CwGraph *graph, const CwPruned *pruned,
                        const CwuPictureOptions *options, GError **error);
void cwu_sheet_free(CwuSheet *sheet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuSheet, cwu_sheet_free)

/* With the strongest edges of the mass as curves. */
void cwu_sheet_draw_curves(CwuCanvas *canvas, const CwuSheet *sheet);
/* With the mass as a texture, for pixels at options.scale. */
bool cwu_sheet_draw_pixels(cairo_t *cr, const CwuSheet *sheet, GError **error);
