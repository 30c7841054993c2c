/* graph-view.h - the picture of a document as a widget: zoom at the pointer, drag to pan, click
 * to select, arrow keys to walk. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_GRAPH_VIEW (cwu_graph_view_get_type())
G_DECLARE_FINAL_TYPE(CwuGraphView, cwu_graph_view, CWU, GRAPH_VIEW, GtkWidget)

/* Property "document". Signal "failed" (const char *message). */
CwuGraphView *cwu_graph_view_new(void);
void cwu_graph_view_set_document(CwuGraphView *self, CwuDocument *document);

void cwu_graph_view_zoom(CwuGraphView *self, double factor);
/* Nothing of the picture is still being made: for tests and screenshots. */
gboolean cwu_graph_view_is_complete(CwuGraphView *self);
/* Where a node is drawn, in the widget; FALSE if it is not. */
gboolean cwu_graph_view_locate(CwuGraphView *self, int64_t node, double *x, double *y);

G_END_DECLS
