/* node-pane.h - answers for the selected node: what is it, what feeds it, what does it feed. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_NODE_PANE (cwu_node_pane_get_type())
G_DECLARE_FINAL_TYPE(CwuNodePane, cwu_node_pane, CWU, NODE_PANE, GtkBox)

GtkWidget *cwu_node_pane_new(CwuDocument *document);
/* Begins to type another name, or a note, for the selected node. */
void cwu_node_pane_edit_label(CwuNodePane *self);
void cwu_node_pane_edit_note(CwuNodePane *self);

G_END_DECLS
