/* recent-button.h - a button whose popover lists recent prompts. The list is its owner's. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_TYPE_RECENT_BUTTON (cwu_recent_button_get_type())
G_DECLARE_FINAL_TYPE(CwuRecentButton, cwu_recent_button, CWU, RECENT_BUTTON, GtkWidget)

/* Signal "chosen" (string). */
CwuRecentButton *cwu_recent_button_new(void);
/* Of GtkStringObject, the newest first; the first 20 are shown. May be NULL. */
void cwu_recent_button_set_model(CwuRecentButton *self, GListModel *model);

G_END_DECLS
