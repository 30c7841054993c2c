/* about.h - who made Clew, under which terms, and what it runs on. */
#pragma once

#include <adwaita.h>

void cwu_about_present(GtkWindow *parent);
/* Versions, system, processor, memory and display as lines of text, to be copied into a report;
 * nothing of the user's files. Transfer full. */
char *cwu_about_dup_debug_info(void);
