/* cwu-window.h - the window of clew-app: tabs, one document each. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Where the program's data lies; each may be NULL. */
typedef struct {
  const char *samples;    /* folder of .clew documents that the start page offers */
  const char *model;      /* what prompts are traced with, unless the settings say otherwise */
  const char *transcoder; /* the same */
  const char *program;    /* `clew`, the worker of runs */
} CwuPlaces;

/* What the windows of one program share. */
#define CWU_TYPE_CONTEXT (cwu_context_get_type())
G_DECLARE_FINAL_TYPE(CwuContext, cwu_context, CWU, CONTEXT, GObject)
CwuContext *cwu_context_new(const CwuPlaces *places);

#define CWU_TYPE_WINDOW (cwu_window_get_type())
G_DECLARE_FINAL_TYPE(CwuWindow, cwu_window, CWU, WINDOW, AdwApplicationWindow)

/* A window with one tab, in which nothing is open yet. Keeps the context. */
CwuWindow *cwu_window_new(AdwApplication *application, CwuContext *context);
/* Opens the file in a tab of its own, or in front if a tab has it already; an empty tab is used
 * first. It is read on another thread; a failure is told in the tab. */
void cwu_window_open(CwuWindow *self, GFile *file);
/* Whether a tab shows the file or is about to. */
gboolean cwu_window_has_file(CwuWindow *self, GFile *file);
/* Opens what an earlier run left unsaved when it ended without being asked; a tab each. Returns
 * how many there are. */
guint cwu_window_recover(CwuWindow *self);
/* Keys of all actions, set for the application. */
void cwu_window_install_keys(GtkApplication *application);

G_END_DECLS
