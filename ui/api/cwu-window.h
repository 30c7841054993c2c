/* cwu-window.h - the window of clew-app. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define CWU_TYPE_WINDOW (cwu_window_get_type())
G_DECLARE_FINAL_TYPE(CwuWindow, cwu_window, CWU, WINDOW, AdwApplicationWindow)

/* An empty window: it says how to open a graph. */
CwuWindow *cwu_window_new(AdwApplication *application);
/* Reads the file on another thread and shows it; a failure is told in the window, which keeps
 * what it showed before. A later call replaces an earlier one that is still reading. */
void cwu_window_open(CwuWindow *self, GFile *file);
/* The file shown; NULL if there is none. Borrowed. */
GFile *cwu_window_peek_file(CwuWindow *self);
/* Keys of the window's actions ("win.open" ...), set for the application. */
void cwu_window_install_keys(GtkApplication *application);

G_END_DECLS
