/* wrap-layout.h - a layout manager that sets widgets in lines as words are: in a row while
 * there is room, on the next line when there is none. GTK has one from libadwaita 1.7 on. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_TYPE_WRAP_LAYOUT (cwu_wrap_layout_get_type())
G_DECLARE_FINAL_TYPE(CwuWrapLayout, cwu_wrap_layout, CWU, WRAP_LAYOUT, GtkLayoutManager)

/* Pixels between widgets of a line, and between lines. Children that expand share what a line
 * has left. */
GtkLayoutManager *cwu_wrap_layout_new(int column_spacing, int row_spacing);

/* A plain widget that lays its children out so; add them with gtk_box_append(). */
GtkWidget *cwu_wrap_box_new(int column_spacing, int row_spacing);

G_END_DECLS
