/* node-row.h - one row of the table of nodes. */
#pragma once

#include <gtk/gtk.h>

#include "panes/node-columns.h"
#include "panes/node-model.h"

G_BEGIN_DECLS

#define CWU_TYPE_NODE_ROW (cwu_node_row_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeRow, cwu_node_row, CWU, NODE_ROW, GtkWidget)

/* What is given outlives the row. It says anew what it says at "refresh" of the model, and
 * where at "resized" of the columns. */
GtkWidget *cwu_node_row_new(CwuDocument *document, CwuNodeModel *model,
                            CwuNodeColumns *columns);
/* NULL: none, for now. */
void cwu_node_row_set_item(CwuNodeRow *self, CwuNodeItem *item);

G_END_DECLS
