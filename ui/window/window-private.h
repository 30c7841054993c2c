/* window-private.h - the parts of the window that its actions work on. */
#pragma once

#include "cwu-window.h"
#include "window/page.h"

struct _CwuWindow {
  AdwApplicationWindow parent_instance;
  AdwTabView *tabs;
  GtkWidget *title, *side_button; /* header bar */
  GtkWidget *toasts;              /* over everything */
  CwuPage *page;                  /* in front; NULL while the window is torn down */
  GBinding *bindings[3];          /* of the title to the page in front */
};

void cwu_window_actions_init(CwuWindow *self);
/* After another page came to the front, or its document changed. */
void cwu_window_actions_update(CwuWindow *self);
/* A new tab, in front. */
CwuPage *cwu_window_add_page(CwuWindow *self);
