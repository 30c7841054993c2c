/* width-first.h - a layout of one child whose width does not depend on a height. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Asked how wide it would be at a height, a box with labels that wrap tries widths until it
 * fits, and their texts are shaped anew for each: 90 ms of one frame for a sentence in a new
 * tab. Below this layout nobody is asked that. Transfer full. */
GtkLayoutManager *cwu_width_first_layout_new(void);

G_END_DECLS
