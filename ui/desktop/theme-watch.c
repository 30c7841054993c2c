/* theme-watch.c - see theme-watch.h. */
#include "desktop/theme-watch.h"

CwuThemeKind
cwu_theme_kind_now(void)
{
  AdwStyleManager *manager = adw_style_manager_get_default();
  bool is_dark = adw_style_manager_get_dark(manager);
  if (adw_style_manager_get_high_contrast(manager))
    return is_dark ? CWU_THEME_CONTRAST_DARK : CWU_THEME_CONTRAST_LIGHT;
  return is_dark ? CWU_THEME_DARK : CWU_THEME_LIGHT;
}

const CwuTheme *
cwu_theme_now(void)
{
  return cwu_theme_get(cwu_theme_kind_now());
}

GdkRGBA
cwu_colour_to_rgba(CwuColour colour)
{
  return (GdkRGBA){ (float)colour.r, (float)colour.g, (float)colour.b, (float)colour.a };
}

static void
append_definition(GString *out, const char *name, CwuColour colour)
{
  GdkRGBA rgba = cwu_colour_to_rgba(colour);
  g_autofree char *text = gdk_rgba_to_string(&rgba);
  g_string_append_printf(out, "@define-color %s %s;\n", name, text);
}

static void
define_cb(GtkCssProvider *provider)
{
  GString *out = g_string_new(NULL);
  append_definition(out, "clew_positive", cwu_theme_now()->positive);
  append_definition(out, "clew_negative", cwu_theme_now()->negative);
  append_definition(out, "clew_selected", cwu_theme_now()->selected);
  append_definition(out, "clew_surface", cwu_theme_now()->surface);
  append_definition(out, "clew_border", cwu_theme_now()->card_border);
  gtk_css_provider_load_from_data(provider, out->str, (gssize)out->len);
  g_string_free(out, TRUE);
}

void
cwu_theme_define_colours(void)
{
  AdwStyleManager *manager = adw_style_manager_get_default();
  g_autoptr(GtkCssProvider) provider = gtk_css_provider_new();
  define_cb(provider);
  g_signal_connect_object(manager, "notify::dark", G_CALLBACK(define_cb), provider,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(manager, "notify::high-contrast", G_CALLBACK(define_cb), provider,
                          G_CONNECT_SWAPPED);
  gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                             GTK_STYLE_PROVIDER(provider),
                                             GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
}

void
cwu_theme_watch(GtkWidget *widget)
{
  AdwStyleManager *manager = adw_style_manager_get_default();
  g_signal_connect_object(manager, "notify::dark", G_CALLBACK(gtk_widget_queue_draw), widget,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(manager, "notify::high-contrast", G_CALLBACK(gtk_widget_queue_draw),
                          widget, G_CONNECT_SWAPPED);
}
