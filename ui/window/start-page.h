/* start-page.h - what an empty tab offers: circuits that come with Clew, files opened last, and
 * a button to open others. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_TYPE_START_PAGE (cwu_start_page_get_type())
G_DECLARE_FINAL_TYPE(CwuStartPage, cwu_start_page, CWU, START_PAGE, GtkWidget)

/* Signal: "open" (GFile). samples: a folder, may be NULL. */
GtkWidget *cwu_start_page_new(const char *samples);

G_END_DECLS
