/* toasts.h - words in passing over what is below them. */
#pragma once

#include <gtk/gtk.h>

#define CWU_TOAST_SECONDS   5
#define CWU_CONFIRM_SECONDS 2 /* what was asked for was done: nothing that must be read */

/* An AdwToastOverlay that keeps no key from its child: Escape closes what is told, and does
 * what it does without that. */
GtkWidget *cwu_toasts_new(GtkWidget *child);
void cwu_toasts_tell(GtkWidget *toasts, const char *message, guint seconds);
