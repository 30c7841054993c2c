/* card-grid.h - a layout manager for a few cards of equal size, in rows of equal length as far
 * as their number allows: none stands alone below the others. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_TYPE_CARD_GRID (cwu_card_grid_get_type())
G_DECLARE_FINAL_TYPE(CwuCardGrid, cwu_card_grid, CWU, CARD_GRID, GtkLayoutManager)

GtkLayoutManager *cwu_card_grid_new(void);
/* How many of n cards stand in a row so wide. */
int cwu_card_grid_get_columns(int n, int width);

G_END_DECLS
