/* node-title.h - the name of the selected node, which is a field to type another one into. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_NODE_TITLE (cwu_node_title_get_type())
G_DECLARE_FINAL_TYPE(CwuNodeTitle, cwu_node_title, CWU, NODE_TITLE, GtkBox)

GtkWidget *cwu_node_title_new(CwuDocument *document);
/* Begins to type, with the name there is; Enter or leaving keeps it, Escape does not. */
void cwu_node_title_edit(CwuNodeTitle *self);

G_END_DECLS
