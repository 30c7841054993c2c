/* window-private.h - the parts of the window that its actions work on. */
#pragma once

#include "cwu-window.h"
#include "graph/graph-view.h"
#include "models/document.h"

struct _CwuWindow {
  AdwApplicationWindow parent_instance;
  CwuDocument *document;
  GFile *opening;                               /* the file being read, NULL if none */
  GtkWidget *title, *open_button, *side_button; /* header bar */
  GtkWidget *toasts;                            /* over everything */
  GtkWidget *banner, *banner_text;              /* an error, until it is closed */
  GtkWidget *stack;                             /* "empty", "loading", "graph" */
  GtkWidget *empty;                             /* status page */
  GtkWidget *view, *status_line;
  GtkWidget *side, *panes; /* side: hidden with F9; panes: stack "overview", "node" */
  guint loading_timeout;
};

void cwu_window_actions_init(CwuWindow *self);
/* Tells of a failure inline; the message says what to do. */
void cwu_window_tell(CwuWindow *self, const char *message);
