/* key-button.h - a button that says what it does and by which key: "Pin P". */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* For an action of the table; a toggle shows the action's state. */
GtkWidget *cwu_key_button_new(const char *word, const char *action, gboolean is_toggle);
void cwu_key_button_set_word(GtkWidget *button, const char *word);

G_END_DECLS
