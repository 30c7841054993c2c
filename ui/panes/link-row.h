/* link-row.h - a row that shows a CwuLinkItem: glyph, name, place, share, and a bar behind. */
#pragma once

#include "models/document.h"
#include "panes/link-item.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_TYPE_LINK_ROW (cwu_link_row_get_type())
G_DECLARE_FINAL_TYPE(CwuLinkRow, cwu_link_row, CWU, LINK_ROW, GtkWidget)

void cwu_link_row_set_item(CwuLinkRow *self, CwuLinkItem *item);

/* A list of rows over a model that is set later; a click selects the node in the document, the
 * pointer over a row rings it in the picture. The document outlives the list. */
GtkWidget *cwu_link_list_view_new(CwuDocument *document);
void cwu_link_list_view_set_model(GtkWidget *list, GListModel *model);

G_END_DECLS
