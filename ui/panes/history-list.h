/* history-list.h - the steps of a document's history, by name. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

G_BEGIN_DECLS

/* "Pin “water, ice”", translated; transfer full. */
char *cwu_step_dup_name(CwDocumentStep step);

#define CWU_TYPE_HISTORY_LIST (cwu_history_list_get_type())
G_DECLARE_FINAL_TYPE(CwuHistoryList, cwu_history_list, CWU, HISTORY_LIST, GtkBox)

/* The newest first, the present one marked, those undone pale; a click goes there. */
CwuHistoryList *cwu_history_list_new(void);
/* NULL: none. The list follows the document while it is seen. */
void cwu_history_list_set_document(CwuHistoryList *self, CwuDocument *document);

G_END_DECLS
