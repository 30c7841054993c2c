/* panes-support.h - a document with a sample in it, and a window to show panes in. */
#pragma once

#include <gtk/gtk.h>

#include "models/document.h"

typedef struct {
  CwuDocument *document;
  GtkWidget *window;
} PanesFixture;

/* Opens data/samples/<name> and prunes it. */
void panes_open(PanesFixture *f, const char *name);
void panes_open_path(PanesFixture *f, const char *path);
/* Shows a pane in a window and lays it out. Takes the pane. */
void panes_show(PanesFixture *f, GtkWidget *pane, int width, int height);
void panes_close(PanesFixture *f, gconstpointer data);

/* Runs the main loop until nothing is left to do, masks are those asked for, and what was laid
 * out is drawn. */
void panes_settle(PanesFixture *f);
/* The same without waiting for frames. */
void panes_drain(PanesFixture *f);

/* The first descendant of a type; with a name: whose accessible text, label or tooltip begins
 * so (GtkLabel, GtkButton). Ends the program if there is none. */
GtkWidget *panes_find(GtkWidget *widget, GType type);
guint panes_count(GtkWidget *widget, GType type);
/* Text of all visible labels below a widget, joined by "|"; transfer full. */
char *panes_dup_words(GtkWidget *widget);

/* Undoes or redoes, and tells views. */
void panes_step(PanesFixture *f, int step);
