/* text-face.c - see text-face.h. Sizes are absolute px and metrics are not hinted, so that a
 * picture does not depend on the screen it is made for. */
#include "picture/text-face.h"

#define MAX_REMEMBERED 4096

struct _CwuTextFace {
  PangoContext *context;
  GHashTable *layouts; /* char * -> PangoLayout */
};

CwuTextFace *
cwu_text_face_new(void)
{
  CwuTextFace *face = g_new0(CwuTextFace, 1);
  face->context = pango_font_map_create_context(pango_cairo_font_map_get_default());
  cairo_font_options_t *options = cairo_font_options_create();
  cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options(face->context, options);
  pango_cairo_context_set_resolution(face->context, 96);
  cairo_font_options_destroy(options);
  face->layouts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
  return face;
}

void
cwu_text_face_free(CwuTextFace *face)
{
  if (face == NULL)
    return;
  g_hash_table_unref(face->layouts);
  g_object_unref(face->context);
  g_free(face);
}

PangoLayout *
cwu_text_face_peek(CwuTextFace *face, const char *text, double size_px, bool is_bold)
{
  g_autofree char *key =
      g_strdup_printf("%d%c%s", (int)(size_px * 16), is_bold ? 'b' : 'n', text);
  PangoLayout *layout = g_hash_table_lookup(face->layouts, key);
  if (layout != NULL)
    return layout;
  if (g_hash_table_size(face->layouts) >= MAX_REMEMBERED)
    g_hash_table_remove_all(face->layouts);
  PangoFontDescription *font = pango_font_description_new();
  pango_font_description_set_family_static(font, CWU_FONT_FAMILIES);
  pango_font_description_set_absolute_size(font, size_px * PANGO_SCALE);
  if (is_bold)
    pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
  layout = pango_layout_new(face->context);
  pango_layout_set_font_description(layout, font);
  pango_layout_set_single_paragraph_mode(layout, TRUE);
  pango_layout_set_text(layout, text, -1);
  pango_font_description_free(font);
  g_hash_table_insert(face->layouts, g_steal_pointer(&key), layout);
  return layout;
}

void
cwu_text_face_measure(CwuTextFace *face, const char *text, double size_px, bool is_bold,
                      double *width, double *height)
{
  int w, h;
  pango_layout_get_size(cwu_text_face_peek(face, text, size_px, is_bold), &w, &h);
  *width = (double)w / PANGO_SCALE;
  *height = (double)h / PANGO_SCALE;
}

char *
cwu_text_face_dup_fitting(CwuTextFace *face, const char *text, double size_px, bool is_bold,
                          double max_width)
{
  double width, height;
  cwu_text_face_measure(face, text, size_px, is_bold, &width, &height);
  if (width <= max_width)
    return g_strdup(text);
  cwu_text_face_measure(face, "…", size_px, is_bold, &width, &height);
  int index, trailing;
  pango_layout_xy_to_index(cwu_text_face_peek(face, text, size_px, is_bold),
                           (int)(MAX(max_width - width, 0) * PANGO_SCALE), 0, &index,
                           &trailing);
  g_autofree char *part = g_strndup(text, (gsize)index);
  return g_strconcat(g_strchomp(part), "…", NULL);
}
