/* settings.h - preferences and window state, kept by the desktop (GSettings). The keys are in
 * data/io.github.clew_circuits.Clew.gschema.xml. Main thread. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define CWU_SETTINGS_ID          "io.github.clew_circuits.Clew"
#define CWU_RECENT_PROMPTS_LIMIT 20

/* Where the schema was found. */
typedef enum {
  CWU_SETTINGS_OF_BUILD,  /* the build folder that the program runs from */
  CWU_SETTINGS_INSTALLED, /* the desktop's schemas, or those beside the installed program */
  CWU_SETTINGS_IN_MEMORY  /* nowhere: the program's own copy, and nothing is kept */
} CwuSettingsOrigin;

/* Never NULL. Borrowed, made on first use, for the life of the process. */
GSettings *cwu_settings_peek(void);
/* New settings whose schema comes from there, NULL if it is not there. Transfer full. */
GSettings *cwu_settings_new_from(CwuSettingsOrigin origin);

/* Puts a prompt before the others; said again it moves there, and the last falls out. */
void cwu_settings_add_recent_prompt(const char *prompt);
/* Gives a new window the size that was chosen last, and remembers its own. */
void cwu_settings_restore_window(GtkWindow *window);
/* Whether to leave out motion: the user's choice, else the desktop's. */
gboolean cwu_settings_get_reduced_motion(void);

G_END_DECLS
