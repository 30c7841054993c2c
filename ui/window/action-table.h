/* action-table.h - everything the user can do, in one table: keys, menu, tooltips and the
 * shortcuts window are made from it, so that they cannot disagree. What an action does is its
 * owner's matter (window-actions.c, app/main.c): the table names it, and what no owner has
 * added is shown nowhere. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

G_BEGIN_DECLS

typedef enum {
  CWU_SECTION_FILES,
  CWU_SECTION_EDIT,
  CWU_SECTION_CIRCUIT,
  CWU_SECTION_VIEW,
  CWU_SECTION_HELP,
  CWU_N_SECTIONS
} CwuActionSection;

typedef enum {
  /* The keys are left to a text entry that has the focus. */
  CWU_ACTION_OFF_WHILE_TYPING = 1 << 0,
  /* A widget listens for the keys itself: the shortcuts window names them, nothing else. */
  CWU_ACTION_KEYS_OF_WIDGET = 1 << 1,
  /* Undo and redo: a text that keeps no undo of its own leaves it to the document. */
  CWU_ACTION_UNDOES = 1 << 2
} CwuActionFlags;

typedef struct {
  const char *name;        /* detailed: "win.open", "win.view::layers" */
  const char *keys[3];     /* at most two, as gtk_accelerator_parse() reads them */
  const char *title;       /* "Open a graph": untranslated, as are the next two */
  const char *label;       /* in the primary menu, with its mnemonic; NULL: is not in it */
  const char *description; /* one sentence that says more than the title; NULL: there is none */
  const char *icon;        /* symbolic icon name; NULL: has none */
  CwuActionSection section;
  CwuActionFlags flags;
} CwuAction;

/* The table, in the order in which menus and the shortcuts window show it. Static. */
const CwuAction *cwu_action_table_peek(size_t *n_actions);
/* NULL if the table has no such action. O(n). */
const CwuAction *cwu_action_table_find(const char *name);
/* Translated; static. */
const char *cwu_action_section_peek_title(CwuActionSection section);
/* "Open a graph (Ctrl+O)", translated. Transfer full. */
char *cwu_action_dup_tooltip(const char *name);

/* "Ctrl+O", as people write it; "" for an action without keys. Transfer full. */
char *cwu_action_dup_keys(const char *name);

/* Keys that work wherever the focus is. */
void cwu_action_table_install_keys(GtkApplication *application);
/* Keys that a text entry with the focus keeps for itself, for one window. They come last: a
 * widget that uses such a key (a list its arrows, a popover Escape) has it. */
void cwu_action_table_add_keys(GtkWidget *window);

/* Names the action on a button or another actionable: its icon (where the button has neither
 * child nor label), its tooltip with keys, its accessible name and description. */
void cwu_action_bind(GtkWidget *actionable, const char *name);
/* The primary menu: one section of it per section of the table, of actions that the window or
 * its application has. Transfer full. */
GMenu *cwu_action_table_menu_new(GtkApplicationWindow *window);
/* The shortcuts window, of actions that the window or its application has; transient for it,
 * modal, not yet shown. Transfer none: the toolkit keeps it until it is closed. */
GtkWindow *cwu_shortcuts_window_new(GtkApplicationWindow *window);

G_END_DECLS
