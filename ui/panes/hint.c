/* hint.c - see hint.h. */
#include "panes/hint.h"

void
cwu_hint_set(GtkWidget *widget, const char *words)
{
  gtk_widget_set_tooltip_text(widget, words);
  gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                 -1);
}
