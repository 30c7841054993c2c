/* node-table.h - the nodes as a table: the picture for those who read it aloud, and the place
 * to sort and search. What is selected here is selected in the document, and the other way. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"
#include "panes/node-model.h"

G_BEGIN_DECLS

#define CWU_TYPE_NODE_TABLE (cwu_node_table_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeTable, cwu_node_table, CWU, NODE_TABLE, GtkBox)

CwuNodeTable *cwu_node_table_new(CwuDocument *document);
/* Search, order, and whether all nodes are listed: a row of widgets for whoever places the
 * table, to put above it. */
GtkWidget *cwu_node_table_peek_tools(CwuNodeTable *self);

/* As the tools do. */
void cwu_node_table_search(CwuNodeTable *self, const char *text);
void cwu_node_table_sort(CwuNodeTable *self, CwuNodeColumn column, GtkSortType order);
void cwu_node_table_set_all(CwuNodeTable *self, gboolean all);
/* What is listed, in its order: of CwuNodeItem. */
GtkSelectionModel *cwu_node_table_peek_model(CwuNodeTable *self);

G_END_DECLS
