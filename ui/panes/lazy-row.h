/* lazy-row.h - a row of CwuLazyRows: what has the keyboard, around what is shown. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_TYPE_LAZY_ROW (cwu_lazy_row_get_type())
G_DECLARE_FINAL_TYPE(CwuLazyRow, cwu_lazy_row, CWU, LAZY_ROW, GtkWidget)

struct _CwuLazyRow {
  GtkWidget parent_instance;
  GtkWidget *content;
  guint position; /* GTK_INVALID_LIST_POSITION: spare */
  GObject *item;  /* NULL: spare */
};

/* Takes what stands in it. */
CwuLazyRow *cwu_lazy_row_new(GtkWidget *content);

G_END_DECLS
