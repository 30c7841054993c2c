/* window-private.h - the parts of the window that its actions work on. */
#pragma once

#include "cwu-window.h"
#include "panes/history-bar.h"
#include "window/page.h"

struct _CwuWindow {
  AdwApplicationWindow parent_instance;
  CwuContext *context;
  AdwTabView *tabs;
  gboolean may_close;             /* asked and answered */
  GtkWidget *title, *side_button; /* header bar */
  CwuHistoryBar *history;
  GtkWidget *toasts;     /* over everything */
  CwuPage *page;         /* in front; NULL while the window is torn down */
  GBinding *bindings[3]; /* of the title to the page in front */
  CwuDocument *held;     /* whose threshold a key that is down moves; NULL: none */
  guint held_timeout;    /* the key may be let go where nobody sees it */
};

void cwu_window_actions_init(CwuWindow *self);
/* After another page came to the front, or its document changed. */
void cwu_window_actions_update(CwuWindow *self);
/* A key was let go, or the document may go: what a held key did is one step of its history. */
void cwu_window_actions_release(CwuWindow *self);
/* Asks before a tab (NULL: all of the window's) is closed that has what is in no file. done is
 * called with whether it may be closed. window-close.c */
typedef void (*CwuMayCloseCb)(CwuWindow *self, AdwTabPage *tab, gboolean may_close);
void cwu_window_ask_close(CwuWindow *self, AdwTabPage *tab, CwuMayCloseCb done);
CwuPage *cwu_window_page_of(AdwTabPage *tab);
void cwu_window_show_runs(CwuWindow *self);
/* A new tab, in front. */
CwuPage *cwu_window_add_page(CwuWindow *self);
