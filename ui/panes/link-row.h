/* link-row.h - a row that shows a CwuLinkItem: glyph, name, place, share, and a bar behind; and
 * lists of such rows. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"
#include "panes/link-list.h"

G_BEGIN_DECLS

#define CWU_TYPE_LINK_ROW (cwu_link_row_get_type())
G_DECLARE_FINAL_TYPE(CwuLinkRow, cwu_link_row, CWU, LINK_ROW, GtkWidget)

/* "+5.2%", "−12%", "<1%": transfer full. */
char *cwu_link_dup_value(const CwuLinkItem *item);

/* A list of rows over a model that is set later. A click, or Enter, goes to the node; with Ctrl
 * it pins; the pointer or the keyboard on a row rings the node in the picture. Names and pins
 * follow the document, which outlives the list. */
GtkWidget *cwu_link_list_view_new(CwuDocument *document, const char *name);
/* Keeps the keyboard in the list if it was there and there is something to stand on. */
void cwu_link_list_view_set_model(GtkWidget *list, CwuLinkList *model);

G_END_DECLS
