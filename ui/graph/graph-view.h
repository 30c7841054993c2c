/* graph-view.h - the picture of a document as a widget, in two views of one graph: layers, and
 * forces. Zoom at the pointer, drag to pan, click to select, Ctrl and click to pin, arrow keys
 * to walk. In the view of forces nodes can be dragged: they stay where they are dropped until a
 * double click or a right click lets them go. Notes can be dragged in both. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_GRAPH_VIEW (cwu_graph_view_get_type())
G_DECLARE_FINAL_TYPE(CwuGraphView, cwu_graph_view, CWU, GRAPH_VIEW, GtkWidget)

/* Property "document". Signals: "failed" (const char *message), "edit-note" (guint64: the note
 * that was double clicked). */
CwuGraphView *cwu_graph_view_new(void);
void cwu_graph_view_set_document(CwuGraphView *self, CwuDocument *document);
/* A widget that stands over the picture's top: names of an axis keep clear of it. */
void cwu_graph_view_set_cover(CwuGraphView *self, GtkWidget *cover);

void cwu_graph_view_zoom(CwuGraphView *self, double factor);
/* Shows the selected node and its neighbours; nothing happens without one. */
void cwu_graph_view_zoom_to_selection(CwuGraphView *self);
/* Nothing of the picture is still being made or moves: for tests and screenshots. */
gboolean cwu_graph_view_is_complete(CwuGraphView *self);
/* The same, and names have been chosen anew for where everything lies now. */
gboolean cwu_graph_view_is_at_rest(CwuGraphView *self);
/* Of the view of forces: where its nodes lie, as CwuPictureOptions.places; NULL in another
 * view. Transfer full. */
float *cwu_graph_view_dup_places(CwuGraphView *self);
/* Where a node is drawn, in the widget; FALSE if it is not. */
gboolean cwu_graph_view_locate(CwuGraphView *self, int64_t node, double *x, double *y);
/* Where a note's card is drawn, in the widget; FALSE if it is not. */
gboolean cwu_graph_view_locate_note(CwuGraphView *self, uint64_t note, GdkRectangle *card);
/* What a place in the widget is in the picture, for a note that is put there: shares of its
 * width and height, 0..1. */
void cwu_graph_view_place_of(CwuGraphView *self, double x, double y, double *share_x,
                             double *share_y);

G_END_DECLS
