/* test-text-places.c - where characters of a long paragraph lie, beside where the text view
 * says that they do: all of them in sight, for texts of several scripts. Wants a display. */
#include <string.h>

#include "loop-watch.h"
#include "trace/text-places.h"
#include "widget-test.h"

#define LENGTH 3000 /* characters */
#define ROUNDING_PX                                                        \
  1 /* a line's top and a character's left are rounded from another origin \
     */

typedef struct {
  GtkWidget *window;
  GtkTextView *view;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  GtkWidget *scroller = gtk_scrolled_window_new();
  f->window = adw_window_new();
  f->view = GTK_TEXT_VIEW(gtk_text_view_new());
  gtk_text_view_set_wrap_mode(f->view, GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_left_margin(f->view, 8);
  gtk_text_view_set_right_margin(f->view, 12);
  gtk_text_view_set_pixels_above_lines(f->view, 4);
  gtk_text_view_set_pixels_inside_wrap(f->view, 9);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), GTK_WIDGET(f->view));
  adw_window_set_content(ADW_WINDOW(f->window), scroller);
  gtk_window_set_default_size(GTK_WINDOW(f->window), 500, 160);
  gtk_window_present(GTK_WINDOW(f->window));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  gtk_window_destroy(GTK_WINDOW(f->window));
}

/* Scrolls to the cursor; false while it is not in sight. */
static bool
is_in_sight(Fixture *f)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(f->view);
  GdkRectangle seen, place;
  GtkTextIter at;
  gtk_text_view_scroll_to_mark(f->view, gtk_text_buffer_get_insert(buffer), 0, TRUE, 0, 0.5);
  gtk_text_buffer_get_iter_at_mark(buffer, &at, gtk_text_buffer_get_insert(buffer));
  gtk_text_view_get_visible_rect(f->view, &seen);
  gtk_text_view_get_iter_location(f->view, &at, &place);
  return place.y >= seen.y && place.y + place.height <= seen.y + seen.height;
}

/* One paragraph of `piece` between two of other words, scrolled so that `share` of all is
 * above.
 */
static void
show(Fixture *f, const char *piece, double share)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(f->view);
  GString *text = g_string_new("Before\n");
  GtkTextIter at;
  for (glong n = 0; n < LENGTH; n += g_utf8_strlen(piece, -1))
    g_string_append(text, piece);
  g_string_append(text, "\nAfter");
  gtk_text_buffer_set_text(buffer, text->str, -1);
  g_string_free(text, TRUE);
  int n = gtk_text_buffer_get_char_count(buffer);
  gtk_text_buffer_get_iter_at_offset(buffer, &at, (int)(share * n));
  gtk_text_buffer_place_cursor(buffer, &at);
  loop_turn_for(20);
  loop_turn_until(is_in_sight(f));
}

/* Returns how many characters were found, each of them where the text view has it. */
static int
compare(Fixture *f)
{
  g_autoptr(CwuTextPlaces) places = cwu_text_places_new(f->view);
  int first, last, n_found = 0;
  cwu_text_places_get_range(places, &first, &last);
  g_assert_cmpint(last, >, first + 20);
  for (int i = first; i <= last; i++) {
    GtkTextIter at;
    GdkRectangle found, expected;
    if (!cwu_text_places_find(places, i, &found))
      continue;
    n_found++;
    gtk_text_buffer_get_iter_at_offset(gtk_text_view_get_buffer(f->view), &at, i);
    gtk_text_view_get_iter_location(f->view, &at, &expected);
    g_assert_cmpint(abs(found.x - expected.x), <=, ROUNDING_PX);
    g_assert_cmpint(abs(found.y - expected.y), <=, ROUNDING_PX);
    g_assert_cmpint(abs(found.height - expected.height), <=, ROUNDING_PX);
    g_assert_cmpint(abs(found.width - expected.width), <=, ROUNDING_PX);
  }
  return n_found;
}

static void
test_places(Fixture *f, gconstpointer data)
{
  static const char *const pieces[] = { " cat",
                                        "The capital of France is  Paris. ",
                                        "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας. ",
                                        "x\t1,\ty\t22; ",
                                        "unbreakable",
                                        "日本の首都は東京です。",
                                        "e\xcc\x81t\xc3\xa9 na\xc3\xafve " };
  static const double shares[] = { 0, 0.37, 1 };
  for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++)
    for (size_t j = 0; j < G_N_ELEMENTS(shares); j++) {
      show(f, pieces[i], shares[j]);
      int n = compare(f);
      g_test_message("%s at %.2f: %d characters", pieces[i], shares[j], n);
      g_assert_cmpint(n, >, 50);
    }
}

/* Where it lays a line out in another way than the text view it says so, and nothing else. */
static void
test_unknown(Fixture *f, gconstpointer data)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer(f->view);
  GtkTextIter start, end;
  show(f, "שלום עולם ", 0.5);
  g_assert_cmpint(compare(f), ==, 0);
  show(f, " cat", 0.5);
  gtk_text_buffer_get_bounds(buffer, &start, &end);
  gtk_text_buffer_apply_tag(
      buffer, gtk_text_buffer_create_tag(buffer, NULL, "scale", 1.3, NULL), &start, &end);
  loop_turn_for(60);
  g_assert_cmpint(compare(f), ==, 0);
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add("/ui/text-places/same-as-the-view", Fixture, NULL, set_up, test_places, tear_down);
  g_test_add("/ui/text-places/unknown", Fixture, NULL, set_up, test_unknown, tear_down);
  return g_test_run();
}
