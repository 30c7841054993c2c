/* node-model.h - the nodes of a document's graph as a list model, searched and sorted, with the
 * numbers a table shows of each. */
#pragma once

#include <gio/gio.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_NODE_ITEM (cwu_node_item_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeItem, cwu_node_item, CWU, NODE_ITEM, GObject)

#define CWU_TYPE_NODE_MODEL (cwu_node_model_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeModel, cwu_node_model, CWU, NODE_MODEL, GObject)

typedef enum {
  CWU_COLUMN_NAME,
  CWU_COLUMN_INFLUENCE,
  CWU_COLUMN_TYPE,
  CWU_COLUMN_LAYER,
  CWU_COLUMN_TOKEN,
  CWU_COLUMN_ACTIVATION,
  CWU_COLUMN_INPUTS,
  CWU_COLUMN_OUTPUTS,
  CWU_COLUMN_PINNED,
  CWU_N_COLUMNS
} CwuNodeColumn;

/* Signal "refresh": what is said of the same nodes has changed (names, pins, masks). */
CwuNodeModel *cwu_node_model_new(CwuDocument *document);
/* Takes the document's present graph; without it the model is empty. A table that nobody looks
 * at need not be filled. */
void cwu_node_model_fill(CwuNodeModel *self);
void cwu_node_model_clear(CwuNodeModel *self);

/* What is listed: nodes in whose name, type or token all words occur ("L19" is the layer); of
 * those that are shown, or of all. Falling: without a number last. The list follows at once, or
 * some turns of the main loop later. */
void cwu_node_model_search(CwuNodeModel *self, const char *text);
void cwu_node_model_sort(CwuNodeModel *self, CwuNodeColumn column, bool is_falling);
void cwu_node_model_set_all(CwuNodeModel *self, bool is_all);
/* Position of a node in the list; G_MAXUINT: it is not listed. O(1). */
guint cwu_node_model_find(CwuNodeModel *self, int64_t node);

size_t cwu_node_item_get_node(CwuNodeItem *item);
bool cwu_node_item_is_shown(CwuNodeItem *item);
/* What a cell says; transfer full. */
char *cwu_node_item_dup_text(CwuNodeItem *item, CwuNodeColumn column);
/* Smaller comes first when rising. */
int cwu_node_item_compare(CwuNodeItem *a, CwuNodeItem *b, CwuNodeColumn column);

G_END_DECLS
