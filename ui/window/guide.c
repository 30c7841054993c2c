/* guide.c - see guide.h. The text is inside the program, so that help works however it was
 * installed; a few kinds of marks are enough for it, and need no library. */
#include "window/guide.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "clew-window-resources.h"

#define PLACE        "/io/github/clew_circuits/Clew/window/guide/"
#define WINDOW_NAME  "clew-guide"
#define SIDE_PX      36
#define ITEM_LEFT_PX 22
#define PICTURE_PX   680

/* ---- text ------------------------------------------------------------------------------- */

static void
add_tags(GtkTextBuffer *buffer)
{
  gtk_text_buffer_create_tag(buffer, "h1", "weight", PANGO_WEIGHT_BOLD, "scale", 1.6,
                             "pixels-below-lines", 12, NULL);
  gtk_text_buffer_create_tag(buffer, "h2", "weight", PANGO_WEIGHT_BOLD, "scale", 1.2,
                             "pixels-above-lines", 16, "pixels-below-lines", 6, NULL);
  gtk_text_buffer_create_tag(buffer, "paragraph", "pixels-above-lines", 4, "pixels-below-lines",
                             8, NULL);
  gtk_text_buffer_create_tag(buffer, "item", "left-margin", SIDE_PX + ITEM_LEFT_PX, "indent",
                             -ITEM_LEFT_PX + 8, "pixels-below-lines", 5, NULL);
  gtk_text_buffer_create_tag(buffer, "picture", "pixels-above-lines", 10, NULL);
  gtk_text_buffer_create_tag(buffer, "caption", "style", PANGO_STYLE_ITALIC, "scale", 0.9,
                             "pixels-above-lines", 6, "pixels-below-lines", 10, NULL);
  gtk_text_buffer_create_tag(buffer, "strong", "weight", PANGO_WEIGHT_BOLD, NULL);
  gtk_text_buffer_create_tag(buffer, "emphasis", "style", PANGO_STYLE_ITALIC, NULL);
  gtk_text_buffer_create_tag(buffer, "code", "family", "monospace", "scale", 0.95, NULL);
}

static void
insert(GtkTextBuffer *buffer, const char *text, gssize length, const char *block,
       const char *mark)
{
  GtkTextIter end;
  gtk_text_buffer_get_end_iter(buffer, &end);
  gtk_text_buffer_insert_with_tags_by_name(buffer, &end, text, (int)length, block, mark, NULL);
}

/* The mark that text begins with; NULL if it begins with none. */
static const char *
find_mark(const char *text, const char **tag)
{
  static const struct {
    const char *mark, *tag;
  } marks[] = { { "**", "strong" }, { "*", "emphasis" }, { "`", "code" } };
  for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
    if (g_str_has_prefix(text, marks[i].mark)) {
      *tag = marks[i].tag;
      return marks[i].mark;
    }
  return NULL;
}

static void
insert_marked(GtkTextBuffer *buffer, const char *text, const char *block)
{
  const char *plain = text, *p = text;
  while (*p != 0) {
    const char *tag = NULL, *mark = find_mark(p, &tag);
    size_t n = mark != NULL ? strlen(mark) : 0;
    const char *end = mark != NULL ? strstr(p + n, mark) : NULL;
    if (end == NULL || end == p + n) {
      p = g_utf8_next_char(p);
      continue;
    }
    insert(buffer, plain, p - plain, block, NULL);
    insert(buffer, p + n, end - p - (gssize)n, block, tag);
    p = plain = end + n;
  }
  insert(buffer, plain, p - plain, block, NULL);
  insert(buffer, "\n", 1, block, NULL);
}

/* A picture of the guide as wide as the text, sharp on finer screens; NULL: there is none. */
static GdkPaintable *
picture_new(const char *name)
{
  g_autofree char *place = g_strconcat(PLACE, name, NULL);
  g_autoptr(GBytes) bytes = g_resource_lookup_data(clew_window_get_resource(), place,
                                                   G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_autoptr(GdkTexture) texture =
      bytes != NULL ? gdk_texture_new_from_bytes(bytes, NULL) : NULL;
  if (texture == NULL)
    return NULL;
  double height = PICTURE_PX * (double)gdk_texture_get_height(texture) /
                  (double)gdk_texture_get_width(texture);
  GtkSnapshot *snapshot = gtk_snapshot_new();
  graphene_size_t size = GRAPHENE_SIZE_INIT(PICTURE_PX, (float)height);
  gdk_paintable_snapshot(GDK_PAINTABLE(texture), snapshot, PICTURE_PX, height);
  return gtk_snapshot_free_to_paintable(snapshot, &size);
}

/* A line that is ![caption](name); false: it is none. A picture that is not there leaves its
 * caption. */
static bool
insert_picture(GtkTextBuffer *buffer, const char *line)
{
  const char *middle = g_str_has_prefix(line, "![") ? strstr(line, "](") : NULL;
  if (middle == NULL || !g_str_has_suffix(middle, ")"))
    return false;
  g_autofree char *caption = g_strndup(line + 2, (gsize)(middle - line) - 2);
  g_autofree char *name = g_strndup(middle + 2, strlen(middle) - 3);
  g_autoptr(GdkPaintable) picture = picture_new(name);
  if (picture != NULL) {
    GtkTextIter start, end;
    gtk_text_buffer_get_end_iter(buffer, &end);
    int offset = gtk_text_iter_get_offset(&end);
    gtk_text_buffer_insert_paintable(buffer, &end, picture);
    gtk_text_buffer_insert(buffer, &end, "\n", 1);
    gtk_text_buffer_get_iter_at_offset(buffer, &start, offset);
    gtk_text_buffer_apply_tag_by_name(buffer, "picture", &start, &end);
  }
  insert_marked(buffer, caption, "caption");
  return true;
}

static void
flush_paragraph(GtkTextBuffer *buffer, GString *paragraph)
{
  if (paragraph->len > 0)
    insert_marked(buffer, paragraph->str, "paragraph");
  g_string_truncate(paragraph, 0);
}

void
cwu_guide_fill(GtkTextBuffer *buffer, const char *markdown)
{
  g_auto(GStrv) lines = g_strsplit(markdown, "\n", -1);
  g_autoptr(GString) paragraph = g_string_new(NULL);
  if (gtk_text_tag_table_lookup(gtk_text_buffer_get_tag_table(buffer), "h1") == NULL)
    add_tags(buffer);
  gtk_text_buffer_set_text(buffer, "", 0);
  for (char **line = lines; *line != NULL; line++) {
    bool is_item = g_str_has_prefix(*line, "- ");
    const char *heading = g_str_has_prefix(*line, "# ")    ? "h1"
                          : g_str_has_prefix(*line, "## ") ? "h2"
                                                           : NULL;
    if (heading != NULL || is_item || **line == 0)
      flush_paragraph(buffer, paragraph);
    if (paragraph->len == 0 && insert_picture(buffer, *line))
      continue;
    if (heading != NULL) {
      insert_marked(buffer, strchr(*line, ' ') + 1, heading);
    } else if (is_item) {
      g_autofree char *item = g_strconcat("•  ", *line + 2, NULL);
      insert_marked(buffer, item, "item");
    } else if (**line != 0) {
      g_string_append_printf(paragraph, "%s%s", paragraph->len > 0 ? " " : "", *line);
    }
  }
  flush_paragraph(buffer, paragraph);
}

char *
cwu_guide_dup_text(void)
{
  g_autoptr(GBytes) bytes = NULL;
  for (const char *const *language = g_get_language_names(); *language != NULL && bytes == NULL;
       language++) {
    g_autofree char *place = g_strconcat(PLACE "index.", *language, ".md", NULL);
    if (g_str_equal(*language, "C") || g_str_has_prefix(*language, "en"))
      break;
    bytes = g_resource_lookup_data(clew_window_get_resource(), place,
                                   G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  }
  if (bytes == NULL)
    bytes = g_resource_lookup_data(clew_window_get_resource(), PLACE "index.md",
                                   G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_return_val_if_fail(bytes != NULL, g_strdup(""));
  return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

/* ---- the window ------------------------------------------------------------------------- */

static GtkWidget *
text_view_new(void)
{
  GtkWidget *view = gtk_text_view_new();
  g_autofree char *text = cwu_guide_dup_text();
  g_object_set(view, "editable", FALSE, "cursor-visible", FALSE, "wrap-mode",
               GTK_WRAP_WORD_CHAR, "left-margin", SIDE_PX, "right-margin", SIDE_PX,
               "top-margin", 18, "bottom-margin", 24, "pixels-inside-wrap", 3, NULL);
  gtk_accessible_update_property(GTK_ACCESSIBLE(view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _("Guide"), -1);
  cwu_guide_fill(gtk_text_view_get_buffer(GTK_TEXT_VIEW(view)), text);
  return view;
}

static GtkWindow *
window_new(GtkApplication *application)
{
  GtkWidget *window = adw_window_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *scroller = gtk_scrolled_window_new();
  GtkEventController *keys = gtk_shortcut_controller_new();
  gtk_shortcut_controller_add_shortcut(
      GTK_SHORTCUT_CONTROLLER(keys),
      gtk_shortcut_new(gtk_shortcut_trigger_parse_string("Escape|<Control>w"),
                       gtk_named_action_new("window.close")));
  gtk_widget_add_controller(window, keys);
  gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroller), text_view_new());
  gtk_widget_set_vexpand(scroller, TRUE);
  gtk_widget_set_size_request(scroller, PICTURE_PX + 2 * SIDE_PX, -1);
  gtk_box_append(GTK_BOX(box), adw_header_bar_new());
  gtk_box_append(GTK_BOX(box), scroller);
  adw_window_set_content(ADW_WINDOW(window), box);
  gtk_window_set_title(GTK_WINDOW(window), _("Guide"));
  gtk_widget_set_name(window, WINDOW_NAME);
  gtk_window_set_default_size(GTK_WINDOW(window), PICTURE_PX + 2 * SIDE_PX + 20, 760);
  gtk_window_set_application(GTK_WINDOW(window), application);
  return GTK_WINDOW(window);
}

void
cwu_guide_present(GtkApplication *application)
{
  for (GList *l = gtk_application_get_windows(application); l != NULL; l = l->next)
    if (g_str_equal(gtk_widget_get_name(l->data), WINDOW_NAME)) {
      gtk_window_present(l->data);
      return;
    }
  gtk_window_present(window_new(application));
}
