/* key-button.c - see key-button.h. */
#include "panes/key-button.h"

#include "window/action-table.h"

GtkWidget *
cwu_key_button_new(const char *word, const char *action, gboolean is_toggle)
{
  GtkWidget *button = is_toggle ? gtk_toggle_button_new() : gtk_button_new();
  GtkWidget *box = g_object_new(GTK_TYPE_BOX, "spacing", 8, "halign", GTK_ALIGN_CENTER, NULL);
  g_autofree char *key = cwu_action_dup_keys(action);
  GtkWidget *key_label = gtk_label_new(key);
  gtk_widget_add_css_class(button, "key-button");
  gtk_widget_add_css_class(key_label, "key-hint");
  gtk_box_append(GTK_BOX(box), gtk_label_new(word));
  gtk_box_append(GTK_BOX(box), key_label);
  gtk_button_set_child(GTK_BUTTON(button), box);
  cwu_action_bind(button, action);
  return button;
}

void
cwu_key_button_set_word(GtkWidget *button, const char *word)
{
  GtkWidget *box = gtk_button_get_child(GTK_BUTTON(button));
  gtk_label_set_text(GTK_LABEL(gtk_widget_get_first_child(box)), word);
}
