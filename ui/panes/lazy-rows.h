/* lazy-rows.h - a list whose rows exist only where they are seen: all of one height, over a
 * model in which one is selected, in a scrolled window; with a header above them, if wanted. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

G_BEGIN_DECLS

#define CWU_TYPE_LAZY_ROWS (cwu_lazy_rows_get_type())
G_DECLARE_FINAL_TYPE(CwuLazyRows, cwu_lazy_rows, CWU, LAZY_ROWS, GtkWidget)

typedef struct {
  /* What stands in a row; transfer full, floating. */
  GtkWidget *(*make)(gpointer data);
  /* Shows another item of the model in it; NULL: none, for now. Returns whether there is
   * something to activate. */
  bool (*bind)(GtkWidget *content, gpointer item, gpointer data);
} CwuRowMaker;

/* Signal "activate" (guint position): a double click, or a single one where that is asked for,
 * or Enter. The list keeps the maker and its data as they are given. */
GtkWidget *cwu_lazy_rows_new(const CwuRowMaker *maker, gpointer data, bool is_single_click);
/* Takes a reference of the model, none of the header. */
void cwu_lazy_rows_set_model(CwuLazyRows *self, GtkSingleSelection *model);
GtkSingleSelection *cwu_lazy_rows_peek_model(CwuLazyRows *self);
/* Rows and header are as wide as the wider of them, and go to the side together. */
void cwu_lazy_rows_set_header(CwuLazyRows *self, GtkWidget *header);

/* Scrolls as little as shows the row, when the list is given its space next. */
void cwu_lazy_rows_scroll_to(CwuLazyRows *self, guint position);
/* To the top, or as little below it as shows the row; GTK_INVALID_LIST_POSITION: none. */
void cwu_lazy_rows_scroll_to_top(CwuLazyRows *self, guint position);
/* Scrolls to the row and gives it the keyboard. */
bool cwu_lazy_rows_focus(CwuLazyRows *self, guint position);

/* For contents: what their row is called by those who read it aloud. */
void cwu_lazy_rows_name(GtkWidget *content, const char *words);

G_END_DECLS
