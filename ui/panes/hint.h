/* hint.h - what a control without words of its own does: shown by the pointer, and read aloud.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* As the tooltip and as the accessible name; a tooltip alone is only a description. */
void cwu_hint_set(GtkWidget *widget, const char *words);

G_END_DECLS
