/* history-bar.h - undo, redo, and a menu of all steps, for a header bar. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

#define CWU_TYPE_HISTORY_BAR (cwu_history_bar_get_type())
G_DECLARE_FINAL_TYPE(CwuHistoryBar, cwu_history_bar, CWU, HISTORY_BAR, GtkBox)

CwuHistoryBar *cwu_history_bar_new(void);
/* Whose history it is; NULL: nobody's. */
void cwu_history_bar_set_document(CwuHistoryBar *self, CwuDocument *document);
/* Opens the menu. */
void cwu_history_bar_popup(CwuHistoryBar *self);

G_END_DECLS
