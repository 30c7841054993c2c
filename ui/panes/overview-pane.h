/* overview-pane.h - what is said while no node is selected: what the model says next, how the
 * picture is to be read, what the file remarked. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_OVERVIEW_PANE (cwu_overview_pane_get_type())
G_DECLARE_FINAL_TYPE(CwuOverviewPane, cwu_overview_pane, CWU, OVERVIEW_PANE, GtkBox)

GtkWidget *cwu_overview_pane_new(CwuDocument *document);

G_END_DECLS
