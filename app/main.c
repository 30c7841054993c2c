/* main.c - clew-app: the window on a graph. Opens the files it is given, each in a tab of
 * its own unless one already shows it; without any, a start page. */
#include <glib/gi18n.h>
#include <locale.h>

#include "cwu-window.h"
#include "places.h"

#define APPLICATION_ID "io.github.clew_circuits.Clew"
/* What to do in place of showing a start page: the name of an action. */
#define FIRST_ACTION "clew-first-action"

/* What an earlier run left unsaved comes back with the first window. */
static CwuWindow *
new_window(GtkApplication *application)
{
  CwuWindow *window = cwu_window_new(ADW_APPLICATION(application),
                                     g_object_get_data(G_OBJECT(application), "context"));
  cwu_window_recover(window);
  return window;
}

/* The window that shows the file, else the one in front; NULL if there is none yet. */
static CwuWindow *
find_window(GtkApplication *application, GFile *file)
{
  CwuWindow *front = NULL;
  for (GList *l = gtk_application_get_windows(application); l != NULL; l = l->next) {
    if (!CWU_IS_WINDOW(l->data))
      continue;
    if (cwu_window_has_file(l->data, file))
      return l->data;
    if (front == NULL)
      front = l->data;
  }
  return front;
}

static void
open_file(GtkApplication *application, GFile *file)
{
  CwuWindow *window = find_window(application, file);
  if (window == NULL)
    window = new_window(application);
  cwu_window_open(window, file);
  gtk_window_present(GTK_WINDOW(window));
}

static void
open_cb(GtkApplication *application, GFile **files, int n_files, const char *hint,
        gpointer user_data)
{
  for (int i = 0; i < n_files; i++)
    open_file(application, files[i]);
}

/* ---- what the desktop file offers ------------------------------------------------------- */

static GtkWindow *
show_new_window(gpointer application)
{
  GtkWindow *window = GTK_WINDOW(new_window(application));
  gtk_window_present(window);
  return window;
}

static void
new_window_cb(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  show_new_window(application);
}

static void
new_prompt_cb(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  gtk_widget_activate_action(GTK_WIDGET(show_new_window(application)), "win.new-prompt", NULL);
}

/* Windows are asked one by one, so that unsaved work can keep its own open. */
static void
quit_cb(GSimpleAction *action, GVariant *parameter, gpointer application)
{
  g_autoptr(GList) windows = g_list_copy(gtk_application_get_windows(application));
  for (GList *l = windows; l != NULL; l = l->next)
    if (CWU_IS_WINDOW(l->data))
      gtk_window_close(l->data);
}

static const GActionEntry entries[] = {
  { "new-window", new_window_cb, NULL, NULL, NULL, { 0 } },
  { "new-prompt", new_prompt_cb, NULL, NULL, NULL, { 0 } },
  { "quit", quit_cb, NULL, NULL, NULL, { 0 } },
};

static void
activate_cb(GtkApplication *application, gpointer user_data)
{
  const char *first = g_object_get_data(G_OBJECT(application), FIRST_ACTION);
  if (first != NULL) {
    g_action_group_activate_action(G_ACTION_GROUP(application), first, NULL);
    g_object_set_data(G_OBJECT(application), FIRST_ACTION, NULL);
    return;
  }
  GtkWindow *window = gtk_application_get_active_window(application);
  if (window != NULL) {
    gtk_window_present(window);
    return;
  }
  gtk_window_present(GTK_WINDOW(new_window(application)));
}

static void
startup_cb(GtkApplication *application, gpointer user_data)
{
  g_autofree char *samples = cwa_places_find_data("samples");
  g_autofree char *model = cwa_places_find_default_model();
  g_autofree char *transcoder = cwa_places_find_default_transcoder();
  g_autofree char *program = cwa_places_find_program();
  CwuPlaces places = { samples, model, transcoder, program };
  g_object_set_data_full(G_OBJECT(application), "context", cwu_context_new(&places),
                         g_object_unref);
  g_action_map_add_action_entries(G_ACTION_MAP(application), entries, G_N_ELEMENTS(entries),
                                  application);
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

/* An action is done by the program that runs already, else by this one once it is up. */
static int
do_first(GApplication *application, const char *action)
{
  g_autoptr(GError) error = NULL;
  if (!g_application_register(application, NULL, &error)) {
    g_printerr("clew-app: %s\n", error->message);
    return 1;
  }
  if (!g_application_get_is_remote(application)) {
    g_object_set_data(G_OBJECT(application), FIRST_ACTION, (gpointer)action);
    return -1;
  }
  g_action_group_activate_action(G_ACTION_GROUP(application), action, NULL);
  return 0;
}

static int
handle_options_cb(GApplication *application, GVariantDict *options, gpointer user_data)
{
  if (g_variant_dict_contains(options, "version")) {
    g_print("clew-app %s\n", CLEW_VERSION);
    return 0;
  }
  if (g_variant_dict_contains(options, "new-prompt"))
    return do_first(application, "new-prompt");
  if (g_variant_dict_contains(options, "new-window"))
    return do_first(application, "new-window");
  return -1;
}

static void
add_options(GApplication *application)
{
  g_application_add_main_option(application, "version", 0, 0, G_OPTION_ARG_NONE,
                                _("Print the version and exit"), NULL);
  g_application_add_main_option(application, "new-window", 0, 0, G_OPTION_ARG_NONE,
                                _("Open a new window"), NULL);
  g_application_add_main_option(application, "new-prompt", 0, 0, G_OPTION_ARG_NONE,
                                _("Open a new window for a prompt"), NULL);
  g_application_set_option_context_parameter_string(application, _("[GRAPH…]"));
  g_application_set_option_context_summary(
      application, _("Shows attribution graphs: .clew documents, or .json of circuit-tracer, "
                     "Neuronpedia or Anthropic."));
}

int
main(int argc, char **argv)
{
  set_up_language();
  g_set_application_name("Clew");
  g_autoptr(AdwApplication) application =
      adw_application_new(APPLICATION_ID, G_APPLICATION_HANDLES_OPEN);
  GApplication *app = G_APPLICATION(application);
  add_options(app);
  g_signal_connect(application, "handle-local-options", G_CALLBACK(handle_options_cb), NULL);
  g_signal_connect(application, "startup", G_CALLBACK(startup_cb), NULL);
  g_signal_connect(application, "activate", G_CALLBACK(activate_cb), NULL);
  g_signal_connect(application, "open", G_CALLBACK(open_cb), NULL);
  return g_application_run(app, argc, argv);
}
