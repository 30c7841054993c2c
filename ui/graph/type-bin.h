/* type-bin.h - shows a widget that draws its own words larger where the system's type is
 * larger: a picture of px grows as a whole, so that all its distances fit each other. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_TYPE_TYPE_BIN (cwu_type_bin_get_type())
G_DECLARE_FINAL_TYPE(CwuTypeBin, cwu_type_bin, CWU, TYPE_BIN, GtkWidget)

/* Takes the child, which is given less px and drawn with more. Pointers, too, are told to it in
 * its own px. */
GtkWidget *cwu_type_bin_new(GtkWidget *child);

/* How many px a px of such a child is: 1.5 where text is half as large again as usual. */
double cwu_type_scale(GtkWidget *widget);

G_END_DECLS
