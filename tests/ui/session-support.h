/* session-support.h - the real window under the hands of a script: keys and pointer go through
 * the X server (xdotool, by XTest), as a person's would, and every turn of the main loop is
 * measured. A session keeps its settings, state and recent files in a folder of its own. */
#pragma once

#include <adwaita.h>

#include "session-watch.h"
#include "window/window-private.h"

/* Sets up the tests and the toolkit, in folders of the session's own; false, with a skip said,
 * where there is no X display or no xdotool: the program then ends with success. */
bool session_init(int *argc, char ***argv);
/* Runs the tests and removes the folders. */
int session_run(void);
/* A folder for what the tests write; borrowed. */
const char *session_folder(void);

typedef struct {
  CwuContext *context;
  CwuWindow *window;
} Session;

/* A window of the program, shown, with the keys' focus. model: NULL for none; with one its
 * transcoder comes along. */
void session_open(Session *self, const char *model);
/* Closes it as if asked and answered, and sees that it goes. */
void session_close(Session *self);

CwuDocument *session_document(Session *self);
/* The first descendant of a type that is shown; ends the program if there is none. */
GtkWidget *session_find(GtkWidget *widget, GType type);
/* The same by a CSS class; NULL if there is none. */
GtkWidget *session_find_class(GtkWidget *widget, const char *name);

/* ---- what is seen ----------------------------------------------------------------------- */

/* What was sent has arrived and was dealt with; nothing is being read, pruned or painted. */
void session_settle(Session *self);
/* Writes the screen as DIR/NN-name.png where CLEW_TEST_SCREENSHOTS=DIR is set. */
void session_shoot(Session *self, const char *name);

/* ---- hands ------------------------------------------------------------------------------ */

/* Copies a text, as its owner in the eyes of the display as well: its word of an earlier owner
 * can come late, and a paste would ask that one. */
void session_copy(GtkWidget *widget, const char *text);
/* As xdotool calls them: "ctrl+shift+z"; several with spaces between. */
void session_keys(const char *keys);
void session_type(const char *text);
/* A place in a widget. */
void session_point(GtkWidget *widget, double x, double y);
/* button: 1 left, 2 middle, 3 right, 4 and 5 wheel up and down. */
void session_click(guint button);
/* Presses, moves by so much in some steps, and lets go. */
void session_drag(GtkWidget *widget, double x, double y, double dx, double dy);
/* Gives keys to a window that came up. */
void session_focus(GtkWindow *window);
/* Another xdotool command, as it is. */
void session_send(const char *format, ...) G_GNUC_PRINTF(1, 2);
