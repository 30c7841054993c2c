/* text-sight.h - what is in sight of a text that scrolls. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

/* Whether the line of the cursor is, from its top to its bottom. */
bool text_sight_has_cursor(GtkTextView *view);
