/* cwu-window.h - the window of clew-app: tabs, one document each. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define CWU_TYPE_WINDOW (cwu_window_get_type())
G_DECLARE_FINAL_TYPE(CwuWindow, cwu_window, CWU, WINDOW, AdwApplicationWindow)

/* A window with one tab, in which nothing is open yet. */
CwuWindow *cwu_window_new(AdwApplication *application);
/* Opens the file in a tab of its own, or in front if a tab has it already; an empty tab is used
 * first. It is read on another thread; a failure is told in the tab. */
void cwu_window_open(CwuWindow *self, GFile *file);
/* Whether a tab shows the file or is about to. */
gboolean cwu_window_has_file(CwuWindow *self, GFile *file);
/* Keys of all actions, set for the application. */
void cwu_window_install_keys(GtkApplication *application);

G_END_DECLS
