/* text-sight.c - see text-sight.h. */
#include "text-sight.h"

bool
text_sight_has_cursor(GtkTextView *view)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(view);
  GtkTextIter cursor;
  GdkRectangle seen, place;
  gtk_text_buffer_get_iter_at_mark(buffer, &cursor, gtk_text_buffer_get_insert(buffer));
  gtk_text_view_get_visible_rect(view, &seen);
  gtk_text_view_get_iter_location(view, &cursor, &place);
  return place.y >= seen.y && place.y + place.height <= seen.y + seen.height;
}
