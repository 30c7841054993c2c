/* guide.h - the guide (data/guide) in a window of its own, in the user's language if there is a
 * guide in it. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Shows the window that is open already, or a new one. */
void cwu_guide_present(GtkApplication *application);

/* Fills a buffer from a restricted markdown: "# " and "## " headings, "- " list items,
 * paragraphs that end at an empty line, and within them **strong**, *emphasis* and `code`. A
 * line ![caption](name.png) between paragraphs is a picture of the guide. A mark without its
 * end is text. */
void cwu_guide_fill(GtkTextBuffer *buffer, const char *markdown);
/* The guide's text. Transfer full. */
char *cwu_guide_dup_text(void);

G_END_DECLS
