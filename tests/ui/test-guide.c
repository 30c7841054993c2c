/* test-guide.c - the guide's marks, its languages, and the facts of the about window. */
#include <string.h>

#include "widget-test.h"
#include "window/about.h"
#include "window/guide.h"

static char *
text_of(GtkTextBuffer *buffer)
{
  GtkTextIter start, end;
  gtk_text_buffer_get_bounds(buffer, &start, &end);
  return gtk_text_buffer_get_text(buffer, &start, &end, FALSE);
}

/* Whether the tag begins and ends just around the words. */
static void
assert_tagged(GtkTextBuffer *buffer, const char *words, const char *name)
{
  GtkTextIter start, from, to;
  GtkTextTag *tag = gtk_text_tag_table_lookup(gtk_text_buffer_get_tag_table(buffer), name);
  gtk_text_buffer_get_start_iter(buffer, &start);
  if (!gtk_text_iter_forward_search(&start, words, 0, &from, &to, NULL))
    g_error("\"%s\" is not in the text", words);
  g_assert_true(gtk_text_iter_starts_tag(&from, tag));
  g_assert_true(gtk_text_iter_ends_tag(&to, tag));
}

static void
test_marks(void)
{
  g_autoptr(GtkTextBuffer) buffer = gtk_text_buffer_new(NULL);
  cwu_guide_fill(buffer, "# Head\n\nOne **bold** and\n*slanted* `key` word.\n\n## Next\n\n"
                         "- first `a*b`\n- second\n");
  g_autofree char *text = text_of(buffer);
  g_assert_cmpstr(text, ==,
                  "Head\nOne bold and slanted key word.\nNext\n•  first a*b\n•  second\n");
  assert_tagged(buffer, "bold", "strong");
  assert_tagged(buffer, "slanted", "emphasis");
  assert_tagged(buffer, "key", "code");
  assert_tagged(buffer, "a*b", "code");
}

static void
test_marks_without_end(void)
{
  static const char *const odd[] = {
    "a ** b", "2 * 3", "`", "**", "***", "a `b ** c", "", "# "
  };
  g_autoptr(GtkTextBuffer) buffer = gtk_text_buffer_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(odd); i++)
    cwu_guide_fill(buffer, odd[i]);
  cwu_guide_fill(buffer, "2 * 3 and `x");
  g_autofree char *text = text_of(buffer);
  g_assert_cmpstr(text, ==, "2 * 3 and `x\n");
}

/* The first picture of a buffer; NULL if it has none. */
static GdkPaintable *
find_picture(GtkTextBuffer *buffer)
{
  GtkTextIter at;
  gtk_text_buffer_get_start_iter(buffer, &at);
  do
    if (gtk_text_iter_get_paintable(&at) != NULL)
      return gtk_text_iter_get_paintable(&at);
  while (gtk_text_iter_forward_char(&at));
  return NULL;
}

static void
test_picture(void)
{
  g_autoptr(GtkTextBuffer) buffer = gtk_text_buffer_new(NULL);
  cwu_guide_fill(buffer, "One\n\n![The *window*](window.png)\n\nTwo\n");
  g_autofree char *text = text_of(buffer);
  g_assert_cmpstr(text, ==, "One\n\nThe window\nTwo\n");
  GdkPaintable *picture = find_picture(buffer);
  g_assert_nonnull(picture);
  double ratio = gdk_paintable_get_intrinsic_aspect_ratio(picture);
  g_assert_cmpfloat(ratio, >, 1.2);
  g_assert_cmpfloat(ratio, <, 2);
  cwu_guide_fill(buffer, "![Gone](gone.png)\n");
  g_assert_null(find_picture(buffer));
  g_autofree char *caption = text_of(buffer);
  g_assert_cmpstr(caption, ==, "Gone\n");
  cwu_guide_fill(buffer, "![no end](window.png\n\nA ![b](window.png) c\n");
  g_assert_null(find_picture(buffer));
}

/* No mark is left over in the text that is shown, and both languages have the same parts. */
static void
test_guide(void)
{
  size_t n_lines[2];
  for (int i = 0; i < 2; i++) {
    g_setenv("LANGUAGE", i == 0 ? "C" : "de", TRUE);
    g_autofree char *markdown = cwu_guide_dup_text(), *text = NULL;
    g_autoptr(GtkTextBuffer) buffer = gtk_text_buffer_new(NULL);
    g_assert_true(g_utf8_validate(markdown, -1, NULL));
    g_assert_nonnull(strstr(markdown, i == 0 ? "Working with" : "Arbeiten mit"));
    cwu_guide_fill(buffer, markdown);
    text = text_of(buffer);
    g_assert_null(strpbrk(text, "*`"));
    g_assert_null(strchr(text, '#'));
    g_assert_null(strstr(text, "]("));
    g_assert_nonnull(find_picture(buffer));
    n_lines[i] = (size_t)gtk_text_buffer_get_line_count(buffer);
  }
  g_assert_cmpuint(n_lines[0], ==, n_lines[1]);
  g_unsetenv("LANGUAGE");
}

static void
test_debug_info(void)
{
  static const char *const words[] = { "Clew " CLEW_VERSION, "GTK 4.",    "libadwaita 1.",
                                       "Processor: ",        "Kernels: ", "Memory: " };
  g_autofree char *info = cwu_about_dup_debug_info();
  for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
    if (strstr(info, words[i]) == NULL)
      g_error("\"%s\" is not in:\n%s", words[i], info);
  g_assert_null(strstr(info, g_get_home_dir()));
}

/* The icons are inside the program, where the toolkit looks for those of an application. */
static void
test_own_icons(void)
{
  g_autoptr(GtkIconTheme) theme = gtk_icon_theme_new();
  g_assert_false(gtk_icon_theme_has_icon(theme, "io.github.clew_circuits.Clew"));
  gtk_icon_theme_add_resource_path(theme, "/io/github/clew_circuits/Clew/icons/");
  g_assert_true(gtk_icon_theme_has_icon(theme, "io.github.clew_circuits.Clew"));
  g_assert_true(gtk_icon_theme_has_icon(theme, "io.github.clew_circuits.Clew-symbolic"));
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add_func("/ui/guide/marks", test_marks);
  g_test_add_func("/ui/guide/marks-without-end", test_marks_without_end);
  g_test_add_func("/ui/guide/picture", test_picture);
  g_test_add_func("/ui/guide/both-languages", test_guide);
  g_test_add_func("/ui/about/debug-info", test_debug_info);
  g_test_add_func("/ui/about/own-icons", test_own_icons);
  return g_test_run();
}
