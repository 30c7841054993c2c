/* text-places.c - see text-places.h. Of a long paragraph the lines in sight are laid out once
 * more by themselves. From the start of a line on, lines break where they do in the whole
 * paragraph, so a few places asked from the text view tell where all of them are, and whether
 * that is true (it is not while an input method shows what it composes, nor from right to
 * left). Short paragraphs leave it to the text view. Rejected: fewer questions, one per token
 * (a hundred in sight took 25 ms); paragraphs cut in the buffer (the cursor would stop at each
 * cut). */
#include "trace/text-places.h"

#include <stdlib.h>
#include <string.h>

#define CURSOR_PX   1 /* that the text view leaves free behind a line */
#define ROUNDING_PX 1 /* a line's top is rounded from another origin */

/* Characters of one long paragraph. */
typedef struct {
  int start, end;
  GdkRectangle *places; /* [end - start]; NULL: they are not where they were expected */
} Stretch;

struct _CwuTextPlaces {
  GtkTextView *view;
  int first, last;
  GArray *stretches; /* Stretch */
};

static void
clear_stretch(gpointer data)
{
  Stretch *stretch = data;
  g_free(stretch->places);
}

/* A layout of `text` that breaks as the view does, as part of a paragraph from left to right.
 */
static PangoLayout *
layout_new(GtkTextView *view, const char *text)
{
  GdkRectangle seen;
  PangoContext *context = gtk_widget_create_pango_context(GTK_WIDGET(view));
  pango_context_set_base_dir(context, PANGO_DIRECTION_LTR);
  PangoLayout *layout = pango_layout_new(context);
  g_object_unref(context);
  gtk_text_view_get_visible_rect(view, &seen);
  int width_px = seen.width - gtk_text_view_get_left_margin(view) -
                 gtk_text_view_get_right_margin(view) - CURSOR_PX;
  pango_layout_set_auto_dir(layout, FALSE);
  pango_layout_set_width(layout, width_px * PANGO_SCALE);
  pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_spacing(layout, gtk_text_view_get_pixels_inside_wrap(view) * PANGO_SCALE);
  pango_layout_set_text(layout, text, -1);
  return layout;
}

/* Characters between which no cursor can stand share the place of all of them. */
static void
join_places(PangoLayout *layout, GdkRectangle *places, int n)
{
  int n_attributes, first = 0;
  const PangoLogAttr *attributes = pango_layout_get_log_attrs_readonly(layout, &n_attributes);
  for (int i = 1; i < n; i++) {
    if (attributes[i].is_cursor_position) {
      first = i;
      continue;
    }
    places[first].width += places[i].width;
    for (int j = first + 1; j <= i; j++)
      places[j] = places[first];
  }
}

/* The rectangle of each character; left and top of the layout are at 0. */
static void
read_places(PangoLayout *layout, GdkRectangle *places)
{
  const char *text = pango_layout_get_text(layout);
  g_autofree int *numbers = g_new0(int, strlen(text) + 1); /* of the character at a byte */
  int n = 0;
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
    numbers[at - text] = n++;
  PangoLayoutIter *iter = pango_layout_get_iter(layout);
  do {
    PangoRectangle extents;
    int index = pango_layout_iter_get_index(iter);
    pango_layout_iter_get_char_extents(iter, &extents);
    if (text[index] != '\0')
      places[numbers[index]] =
          (GdkRectangle){ PANGO_PIXELS(extents.x), PANGO_PIXELS(extents.y),
                          PANGO_PIXELS(extents.width), PANGO_PIXELS(extents.height) };
  } while (pango_layout_iter_next_char(iter));
  pango_layout_iter_free(iter);
  join_places(layout, places, n);
}

static bool
is_near(const GdkRectangle *a, const GdkRectangle *b)
{
  return abs(a->x - b->x) <= ROUNDING_PX && abs(a->y - b->y) <= ROUNDING_PX;
}

/* start is the first character of a line; end lies one line below those in sight. */
static void
add_stretch(CwuTextPlaces *places, const GtkTextIter *start, const GtkTextIter *end)
{
  Stretch stretch = { gtk_text_iter_get_offset(start), gtk_text_iter_get_offset(end), NULL };
  int n = stretch.end - stretch.start;
  GtkTextIter last = *end;
  GdkRectangle first_place, last_place;
  gtk_text_iter_backward_char(&last);
  g_autofree char *text = gtk_text_iter_get_slice(start, end);
  g_autoptr(PangoLayout) layout = layout_new(places->view, text);
  stretch.places = g_new0(GdkRectangle, n);
  read_places(layout, stretch.places);
  gtk_text_view_get_iter_location(places->view, start, &first_place);
  gtk_text_view_get_iter_location(places->view, &last, &last_place);
  int x = gtk_text_view_get_left_margin(places->view);
  int y = first_place.y - stretch.places[0].y;
  for (int i = 0; i < n; i++) {
    stretch.places[i].x += x;
    stretch.places[i].y += y;
  }
  if (!is_near(&stretch.places[0], &first_place) ||
      !is_near(&stretch.places[n - 1], &last_place))
    g_clear_pointer(&stretch.places, g_free);
  g_array_append_val(places->stretches, stretch);
}

CwuTextPlaces *
cwu_text_places_new(GtkTextView *view)
{
  CwuTextPlaces *places = g_new0(CwuTextPlaces, 1);
  GdkRectangle seen;
  GtkTextIter at, bottom;
  places->view = view;
  places->stretches = g_array_new(FALSE, FALSE, sizeof(Stretch));
  g_array_set_clear_func(places->stretches, clear_stretch);
  gtk_text_view_get_visible_rect(view, &seen);
  gtk_text_view_get_iter_at_location(view, &at, 0, seen.y);
  gtk_text_view_get_iter_at_location(view, &bottom, seen.x + seen.width, seen.y + seen.height);
  places->first = gtk_text_iter_get_offset(&at);
  places->last = gtk_text_iter_get_offset(&bottom);
  gtk_text_view_backward_display_line_start(view, &at);
  /* Where the last line in sight breaks is told by the word behind it. */
  gtk_text_view_forward_display_line(view, &bottom);
  gtk_text_view_forward_display_line_end(view, &bottom);
  do {
    GtkTextIter end = at;
    if (!gtk_text_iter_ends_line(&end))
      gtk_text_iter_forward_to_line_end(&end);
    if (gtk_text_iter_compare(&bottom, &end) < 0)
      end = bottom;
    if (gtk_text_iter_get_chars_in_line(&at) > CWU_LONG_PARAGRAPH &&
        gtk_text_iter_compare(&at, &end) < 0)
      add_stretch(places, &at, &end);
  } while (gtk_text_iter_forward_line(&at) && gtk_text_iter_compare(&at, &bottom) < 0);
  return places;
}

void
cwu_text_places_free(CwuTextPlaces *places)
{
  if (places == NULL)
    return;
  g_array_unref(places->stretches);
  g_free(places);
}

void
cwu_text_places_get_range(const CwuTextPlaces *places, int *first, int *last)
{
  *first = places->first;
  *last = places->last;
}

bool
cwu_text_places_find(const CwuTextPlaces *places, int character, GdkRectangle *place)
{
  GtkTextIter at;
  for (guint i = 0; i < places->stretches->len; i++) {
    const Stretch *stretch = &g_array_index(places->stretches, Stretch, i);
    if (character < stretch->start || character >= stretch->end)
      continue;
    if (stretch->places != NULL)
      *place = stretch->places[character - stretch->start];
    return stretch->places != NULL;
  }
  gtk_text_buffer_get_iter_at_offset(gtk_text_view_get_buffer(places->view), &at, character);
  if (gtk_text_iter_get_chars_in_line(&at) > CWU_LONG_PARAGRAPH &&
      !gtk_text_iter_ends_line(&at))
    return false;
  gtk_text_view_get_iter_location(places->view, &at, place);
  return true;
}
