/* text-places.h - where the characters lie that a text view shows, for drawing beside them. A
 * text view finds the place of one character in a time that grows with the paragraph before it:
 * a quarter of a millisecond at the end of 36 KB. */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

G_BEGIN_DECLS

/* Characters of a paragraph that is long. In one no tag may change the look of the text. */
#define CWU_LONG_PARAGRAPH 2000

typedef struct _CwuTextPlaces CwuTextPlaces;

/* What view shows now; stays true until its text, size or position change. O(characters in
 * sight
 * + characters of their paragraphs). */
CwuTextPlaces *cwu_text_places_new(GtkTextView *view);
void cwu_text_places_free(CwuTextPlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwuTextPlaces, cwu_text_places_free)

/* The first and the last character in sight. */
void cwu_text_places_get_range(const CwuTextPlaces *places, int *first, int *last);
/* The place of a character in the coordinates of the buffer; false, and place untouched, where
 * it belongs to a long paragraph and is out of sight, or is not where it was expected. */
bool cwu_text_places_find(const CwuTextPlaces *places, int character, GdkRectangle *place);

G_END_DECLS
