/* node-columns.h - the heads of the table of nodes: where columns are, by which it is sorted.
 */
#pragma once

#include <gtk/gtk.h>

#include "panes/node-model.h"

G_BEGIN_DECLS

#define CWU_TYPE_NODE_COLUMNS (cwu_node_columns_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeColumns, cwu_node_columns, CWU, NODE_COLUMNS, GtkWidget)

/* Signals: "clicked" (int: CwuNodeColumn), "resized". */
GtkWidget *cwu_node_columns_new(void);
const char *cwu_node_columns_get_title(CwuNodeColumn column); /* translated */
/* Whether it holds numbers: they stand at the right. */
bool cwu_node_columns_is_number(CwuNodeColumn column);

void cwu_node_columns_set_sorted(CwuNodeColumns *self, CwuNodeColumn column, GtkSortType order);
int cwu_node_columns_get_least_width(CwuNodeColumns *self);

typedef struct {
  int x, width; /* px */
} CwuSpan;

/* Where a column's texts are in a row so wide; names take what others leave. */
CwuSpan cwu_node_columns_place(CwuNodeColumns *self, CwuNodeColumn column, int full_width);
/* The column at x; -1: between two. */
int cwu_node_columns_find(CwuNodeColumns *self, double x, int full_width);

G_END_DECLS
