/* prune-bar.h - one line under the picture: how much of the graph is shown, and what that
 * leaves. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_PRUNE_BAR (cwu_prune_bar_get_type())
G_DECLARE_FINAL_TYPE(CwuPruneBar, cwu_prune_bar, CWU, PRUNE_BAR, GtkWidget)

GtkWidget *cwu_prune_bar_new(CwuDocument *document);

/* "222 of 606 nodes · 3,937 edges · replacement 0.61 · completeness 0.86"; transfer full. The
 * document has a graph. */
char *cwu_prune_dup_counts(CwuDocument *document);

/* Layers, Force, Table: buttons of win.view that name their keys. */
GtkWidget *cwu_view_switcher_new(void);

G_END_DECLS
