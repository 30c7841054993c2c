/* about.c - see about.h. */
#include "window/about.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cwk.h"

static void
append_version(GString *out, const char *name, unsigned major, unsigned minor, unsigned micro)
{
  g_string_append_printf(out, "%s %u.%u.%u\n", name, major, minor, micro);
}

/* The value of the first line "key : value" of a /proc file; NULL if there is none. */
static char *
dup_proc_value(const char *path, const char *key)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL))
    return NULL;
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    char *colon = strchr(*line, ':');
    if (g_str_has_prefix(*line, key) && colon != NULL)
      return g_strdup(g_strstrip(colon + 1));
  }
  return NULL;
}

static void
append_machine(GString *out)
{
  struct utsname system;
  g_autofree char *os = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
  g_autofree char *processor = dup_proc_value("/proc/cpuinfo", "model name");
  CwkDevice *device = cwk_cpu_new(1);
  g_autofree char *memory = dup_proc_value("/proc/meminfo", "MemTotal");
  g_autofree char *available = dup_proc_value("/proc/meminfo", "MemAvailable");
  if (uname(&system) == 0)
    g_string_append_printf(out, "System: %s, %s %s, %s\n", os != NULL ? os : "unknown",
                           system.sysname, system.release, system.machine);
  g_string_append_printf(out, "Processor: %s, %u threads\nKernels: %s\n",
                         processor != NULL ? processor : "unknown", g_get_num_processors(),
                         device != NULL ? cwk_device_name(device) : "no memory");
  cwk_device_free(device);
  g_string_append_printf(out, "Memory: %s, %s available\n", memory != NULL ? memory : "unknown",
                         available != NULL ? available : "unknown");
  g_string_append_printf(
      out, "NVIDIA driver: %s\n",
      g_file_test("/proc/driver/nvidia/version", G_FILE_TEST_EXISTS) ? "loaded" : "none");
}

static void
append_display(GString *out)
{
  GdkDisplay *display = gdk_display_get_default();
  const char *renderer = g_getenv("GSK_RENDERER");
  if (display == NULL)
    return;
  GListModel *monitors = gdk_display_get_monitors(display);
  g_string_append_printf(out, "Display: %s, %u monitors, renderer %s\n",
                         G_OBJECT_TYPE_NAME(display), g_list_model_get_n_items(monitors),
                         renderer != NULL ? renderer : "default");
}

char *
cwu_about_dup_debug_info(void)
{
  GString *out = g_string_new("Clew " CLEW_VERSION "\n");
  append_version(out, "GTK", gtk_get_major_version(), gtk_get_minor_version(),
                 gtk_get_micro_version());
  append_version(out, "libadwaita", adw_get_major_version(), adw_get_minor_version(),
                 adw_get_micro_version());
  append_version(out, "GLib", glib_major_version, glib_minor_version, glib_micro_version);
  g_string_append_printf(out, "Pango %s\ncairo %s\n", pango_version_string(),
                         cairo_version_string());
  append_machine(out);
  append_display(out);
  return g_string_free(out, FALSE);
}

void
cwu_about_present(GtkWindow *parent)
{
  static const char *const developers[] = { "The Clew project", NULL };
  g_autofree char *debug_info = cwu_about_dup_debug_info();
  AdwAboutWindow *about = ADW_ABOUT_WINDOW(adw_about_window_new());
  adw_about_window_set_application_name(about, "Clew");
  adw_about_window_set_application_icon(about, "io.github.clew_circuits.Clew");
  adw_about_window_set_version(about, CLEW_VERSION);
  adw_about_window_set_developer_name(about, _("The Clew project"));
  adw_about_window_set_developers(about, (const char **)developers);
  adw_about_window_set_comments(
      about, _("Takes a language model apart into readable circuits.\n\nThe name: a clew is "
               "the ball of thread that led Theseus out of the labyrinth."));
  adw_about_window_set_license_type(about, GTK_LICENSE_MIT_X11);
  /* Translators: put your own name here. */
  adw_about_window_set_translator_credits(about, _("translator-credits"));
  adw_about_window_add_legal_section(about, _("The model SmolLM2-135M-Instruct"),
                                     "Hugging Face", GTK_LICENSE_APACHE_2_0, NULL);
  adw_about_window_set_debug_info(about, debug_info);
  adw_about_window_set_debug_info_filename(about, "clew-debug-info.txt");
  gtk_window_set_transient_for(GTK_WINDOW(about), parent);
  gtk_window_set_modal(GTK_WINDOW(about), TRUE);
  gtk_window_present(GTK_WINDOW(about));
}
