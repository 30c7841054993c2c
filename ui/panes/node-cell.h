/* node-cell.h - one cell of the table of nodes. */
#pragma once

#include <gtk/gtk.h>

#include "panes/node-model.h"

G_BEGIN_DECLS

/* Makes cells of a column; the model outlives them. Transfer full. */
GtkListItemFactory *cwu_node_cell_factory_new(CwuDocument *document, CwuNodeModel *model,
                                              CwuNodeColumn column);

G_END_DECLS
