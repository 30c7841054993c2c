/* main.c - clew-app: the window on a graph. Opens the files it is given, each in a window of
 * its own unless one already shows it; without any, the first sample that comes with Clew. */
#include <glib/gi18n.h>
#include <locale.h>

#include "cwu-window.h"
#include "places.h"

#define APPLICATION_ID "io.github.clew_circuits.Clew"

static CwuWindow *
find_window(GtkApplication *application, GFile *file)
{
  for (GList *l = gtk_application_get_windows(application); l != NULL; l = l->next) {
    GFile *shown = CWU_IS_WINDOW(l->data) ? cwu_window_peek_file(l->data) : NULL;
    if (shown != NULL && g_file_equal(shown, file))
      return l->data;
  }
  return NULL;
}

/* A window that shows nothing yet is used before another is made. */
static CwuWindow *
find_empty_window(GtkApplication *application)
{
  for (GList *l = gtk_application_get_windows(application); l != NULL; l = l->next)
    if (CWU_IS_WINDOW(l->data) && cwu_window_peek_file(l->data) == NULL)
      return l->data;
  return NULL;
}

static void
open_file(GtkApplication *application, GFile *file)
{
  CwuWindow *window = find_window(application, file);
  if (window == NULL) {
    window = find_empty_window(application);
    if (window == NULL)
      window = cwu_window_new(ADW_APPLICATION(application));
    cwu_window_open(window, file);
  }
  gtk_window_present(GTK_WINDOW(window));
}

static void
open_cb(GtkApplication *application, GFile **files, int n_files, const char *hint,
        gpointer user_data)
{
  for (int i = 0; i < n_files; i++)
    open_file(application, files[i]);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

/* The alphabetically first graph of data/samples, NULL if there is none. Transfer full. */
static GFile *
find_sample(void)
{
  g_autofree char *folder = cwa_places_find_data("samples");
  g_autoptr(GDir) dir = folder != NULL ? g_dir_open(folder, 0, NULL) : NULL;
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
    if (g_str_has_suffix(name, ".clew"))
      g_ptr_array_add(names, g_strdup(name));
  g_ptr_array_sort(names, compare_names);
  return names->len > 0 ? g_file_new_build_filename(folder, names->pdata[0], NULL) : NULL;
}

static void
activate_cb(GtkApplication *application, gpointer user_data)
{
  GtkWindow *window = gtk_application_get_active_window(application);
  if (window != NULL) {
    gtk_window_present(window);
    return;
  }
  g_autoptr(GFile) sample = find_sample();
  if (sample != NULL)
    open_file(application, sample);
  else
    gtk_window_present(GTK_WINDOW(cwu_window_new(ADW_APPLICATION(application))));
}

static void
startup_cb(GtkApplication *application, gpointer user_data)
{
  gtk_window_set_default_icon_name(APPLICATION_ID);
  cwu_window_install_keys(application);
}

static void
set_up_language(void)
{
  g_autofree char *folder = cwa_places_find_translations();
  setlocale(LC_ALL, "");
  bindtextdomain(GETTEXT_PACKAGE, folder);
  bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
  textdomain(GETTEXT_PACKAGE);
}

static int
handle_options_cb(GApplication *application, GVariantDict *options, gpointer user_data)
{
  if (!g_variant_dict_contains(options, "version"))
    return -1;
  g_print("clew-app %s\n", CLEW_VERSION);
  return 0;
}

int
main(int argc, char **argv)
{
  set_up_language();
  g_set_application_name("Clew");
  g_autoptr(AdwApplication) application =
      adw_application_new(APPLICATION_ID, G_APPLICATION_HANDLES_OPEN);
  GApplication *app = G_APPLICATION(application);
  g_application_add_main_option(app, "version", 0, 0, G_OPTION_ARG_NONE,
                                _("Print the version and exit"), NULL);
  g_application_set_option_context_parameter_string(app, _("[GRAPH…]"));
  g_application_set_option_context_summary(
      app,
      _("Shows attribution graphs: .clew documents, or .json of circuit-tracer, Neuronpedia "
        "or Anthropic."));
  g_signal_connect(application, "handle-local-options", G_CALLBACK(handle_options_cb), NULL);
  g_signal_connect(application, "startup", G_CALLBACK(startup_cb), NULL);
  g_signal_connect(application, "activate", G_CALLBACK(activate_cb), NULL);
  g_signal_connect(application, "open", G_CALLBACK(open_cb), NULL);
  return g_application_run(app, argc, argv);
}
