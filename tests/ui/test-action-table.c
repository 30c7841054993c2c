/* test-action-table.c - the table of actions, and what is made of it. */
#include <string.h>

#include "widget-test.h"
#include "window/action-table.h"

static int n_pins;

static void
pin_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  n_pins++;
}

static void
ignore_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
}

static GtkApplication *application; /* one a process: it has a place on the bus */

/* A window of few actions. */
static GtkWidget *
window_new(void)
{
  static const GActionEntry entries[] = {
    { "pin", pin_cb, NULL, NULL, NULL, { 0 } },
    { "open", ignore_cb, NULL, NULL, NULL, { 0 } },
    { "about", ignore_cb, NULL, NULL, NULL, { 0 } },
  };
  GtkWidget *window = gtk_application_window_new(application);
  g_action_map_add_action_entries(G_ACTION_MAP(window), entries, G_N_ELEMENTS(entries), NULL);
  return window;
}

static void
test_entries_are_whole(void)
{
  size_t n;
  const CwuAction *actions = cwu_action_table_peek(&n);
  g_assert_cmpuint(n, >, 20);
  for (size_t i = 0; i < n; i++) {
    g_assert_true(actions[i].title != NULL && *actions[i].title != 0);
    g_assert_cmpint(actions[i].section, <, CWU_N_SECTIONS);
    g_assert_cmpuint(strlen(cwu_action_section_peek_title(actions[i].section)), >, 0);
    g_assert_null(actions[i].keys[G_N_ELEMENTS(actions[i].keys) - 1]);
    bool is_named = actions[i].name != NULL;
    g_assert_true(is_named != ((actions[i].flags & CWU_ACTION_KEYS_OF_WIDGET) != 0));
    if (is_named) {
      g_autoptr(GError) error = NULL;
      g_autofree char *name = NULL;
      g_autoptr(GVariant) target = NULL;
      g_assert_true(g_action_parse_detailed_name(actions[i].name, &name, &target, &error));
      g_assert_true(cwu_action_table_find(actions[i].name) == &actions[i]);
    }
  }
}

static void
test_no_key_repeats(void)
{
  size_t n;
  const CwuAction *actions = cwu_action_table_peek(&n);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; actions[i].keys[k] != NULL; k++) {
      guint key;
      GdkModifierType modifiers;
      if (!gtk_accelerator_parse(actions[i].keys[k], &key, &modifiers))
        g_error("%s is no key", actions[i].keys[k]);
      if (!g_hash_table_add(seen, gtk_accelerator_name(key, modifiers)))
        g_error("%s: %s is taken", actions[i].title, actions[i].keys[k]);
    }
}

/* A key without Ctrl or Alt that types something must be off while somebody types; a widget
 * that listens itself hears it only where it has the focus. */
static void
test_letters_are_off_while_typing(void)
{
  size_t n;
  const CwuAction *actions = cwu_action_table_peek(&n);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; actions[i].keys[k] != NULL; k++) {
      guint key;
      GdkModifierType modifiers;
      gtk_accelerator_parse(actions[i].keys[k], &key, &modifiers);
      bool types = gdk_keyval_to_unicode(key) != 0 &&
                   (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK)) == 0;
      if (types && actions[i].flags != CWU_ACTION_KEYS_OF_WIDGET)
        g_assert_cmpint(actions[i].flags, ==, CWU_ACTION_OFF_WHILE_TYPING);
    }
}

static void
test_icons_exist(void)
{
  size_t n;
  const CwuAction *actions = cwu_action_table_peek(&n);
  GtkIconTheme *theme = gtk_icon_theme_get_for_display(gdk_display_get_default());
  for (size_t i = 0; i < n; i++)
    if (actions[i].icon != NULL && !gtk_icon_theme_has_icon(theme, actions[i].icon))
      g_error("there is no icon %s", actions[i].icon);
}

static void
test_tooltip(void)
{
  g_autofree char *open = cwu_action_dup_tooltip("win.open");
  g_autofree char *about = cwu_action_dup_tooltip("win.about");
  g_assert_cmpstr(open, ==, "Open a graph (Ctrl+O)");
  g_assert_cmpstr(about, ==, "About Clew");
}

static void
test_keys_are_installed(void)
{
  cwu_action_table_install_keys(application);
  g_auto(GStrv) open = gtk_application_get_accels_for_action(application, "win.open");
  g_auto(GStrv) pin = gtk_application_get_accels_for_action(application, "win.pin");
  g_assert_cmpstr(open[0], ==, "<Control>o");
  g_assert_null(pin[0]);
}

/* The shortcut of the window whose trigger is written so. */
static GtkShortcut *
find_shortcut(GtkWidget *window, const char *keys)
{
  g_autoptr(GListModel) controllers = gtk_widget_observe_controllers(window);
  for (guint i = 0; i < g_list_model_get_n_items(controllers); i++) {
    g_autoptr(GObject) controller = g_list_model_get_item(controllers, i);
    guint n = GTK_IS_SHORTCUT_CONTROLLER(controller) &&
                      gtk_event_controller_get_propagation_phase(
                          GTK_EVENT_CONTROLLER(controller)) == GTK_PHASE_BUBBLE
                  ? g_list_model_get_n_items(G_LIST_MODEL(controller))
                  : 0;
    for (guint k = 0; k < n; k++) {
      g_autoptr(GtkShortcut) shortcut = g_list_model_get_item(G_LIST_MODEL(controller), k);
      g_autofree char *text =
          gtk_shortcut_trigger_to_string(gtk_shortcut_get_trigger(shortcut));
      if (strcmp(text, keys) == 0)
        return shortcut;
    }
  }
  g_error("the window does not listen for %s", keys);
}

static void
test_typing_keeps_letters(void)
{
  GtkWidget *window = window_new();
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0), *entry = gtk_entry_new();
  GtkWidget *button = gtk_button_new_with_label("Trace"), *text = gtk_text_view_new();
  gtk_box_append(GTK_BOX(box), entry);
  gtk_box_append(GTK_BOX(box), text);
  gtk_box_append(GTK_BOX(box), button);
  gtk_window_set_child(GTK_WINDOW(window), box);
  cwu_action_table_add_keys(window);
  gtk_window_present(GTK_WINDOW(window));
  GtkShortcutAction *pin = gtk_shortcut_get_action(find_shortcut(window, "p"));
  n_pins = 0;
  gtk_widget_grab_focus(button);
  g_assert_true(gtk_shortcut_action_activate(pin, 0, window, NULL));
  g_assert_cmpint(n_pins, ==, 1);
  gtk_widget_grab_focus(entry);
  g_assert_false(gtk_shortcut_action_activate(pin, 0, window, NULL));
  gtk_widget_grab_focus(text);
  g_assert_false(gtk_shortcut_action_activate(pin, 0, window, NULL));
  g_assert_cmpint(n_pins, ==, 1);
  /* An action that nobody has added leaves its key to others. */
  gtk_widget_grab_focus(button);
  GtkShortcutAction *label = gtk_shortcut_get_action(find_shortcut(window, "l"));
  g_assert_false(gtk_shortcut_action_activate(label, 0, window, NULL));
  gtk_window_destroy(GTK_WINDOW(window));
}

static void
test_bind(void)
{
  GtkWidget *button = g_object_ref_sink(gtk_button_new());
  cwu_action_bind(button, "win.open");
  g_assert_cmpstr(gtk_actionable_get_action_name(GTK_ACTIONABLE(button)), ==, "win.open");
  g_assert_cmpstr(gtk_button_get_icon_name(GTK_BUTTON(button)), ==, "document-open-symbolic");
  g_autofree char *tooltip = gtk_widget_get_tooltip_text(button) != NULL
                                 ? g_strdup(gtk_widget_get_tooltip_text(button))
                                 : NULL;
  g_assert_cmpstr(tooltip, ==, "Open a graph (Ctrl+O)");
  g_object_unref(button);
}

static void
test_menu_has_what_exists(void)
{
  GtkWidget *window = window_new();
  g_autoptr(GMenu) menu = cwu_action_table_menu_new(GTK_APPLICATION_WINDOW(window));
  GMenuModel *model = G_MENU_MODEL(menu);
  static const char *const expected[] = { "win.open", "win.about" };
  g_assert_cmpint(g_menu_model_get_n_items(model), ==, G_N_ELEMENTS(expected));
  for (int i = 0; i < (int)G_N_ELEMENTS(expected); i++) {
    g_autoptr(GMenuModel) part = g_menu_model_get_item_link(model, i, G_MENU_LINK_SECTION);
    g_autofree char *name = NULL;
    g_assert_cmpint(g_menu_model_get_n_items(part), ==, 1);
    g_assert_true(g_menu_model_get_item_attribute(part, 0, "action", "s", &name));
    g_assert_cmpstr(name, ==, expected[i]);
  }
  gtk_window_destroy(GTK_WINDOW(window));
}

/* In groups: the page of search results has each once more. */
static guint
count_shortcuts(GtkWidget *widget)
{
  guint n = GTK_IS_SHORTCUTS_SHORTCUT(widget) &&
            gtk_widget_get_ancestor(widget, GTK_TYPE_SHORTCUTS_GROUP) != NULL;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    n += count_shortcuts(child);
  return n;
}

static void
test_shortcuts_window(void)
{
  GtkWidget *window = window_new();
  GtkWindow *shortcuts = cwu_shortcuts_window_new(GTK_APPLICATION_WINDOW(window));
  g_assert_true(gtk_window_get_transient_for(shortcuts) == GTK_WINDOW(window));
  size_t n, n_of_widgets = 0;
  const CwuAction *actions = cwu_action_table_peek(&n);
  for (size_t i = 0; i < n; i++)
    n_of_widgets += actions[i].name == NULL;
  /* Pin and open have keys, about has none. */
  g_assert_cmpuint(count_shortcuts(GTK_WIDGET(shortcuts)), ==, n_of_widgets + 2);
  gtk_window_present(shortcuts);
  while (g_main_context_iteration(NULL, FALSE))
    ;
  gtk_window_destroy(shortcuts);
  gtk_window_destroy(GTK_WINDOW(window));
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  application = gtk_application_new(NULL, G_APPLICATION_NON_UNIQUE);
  if (!g_application_register(G_APPLICATION(application), NULL, NULL))
    g_error("the application could not be registered");
  g_test_add_func("/ui/action-table/entries-are-whole", test_entries_are_whole);
  g_test_add_func("/ui/action-table/no-key-repeats", test_no_key_repeats);
  g_test_add_func("/ui/action-table/letters-are-off-while-typing",
                  test_letters_are_off_while_typing);
  g_test_add_func("/ui/action-table/icons-exist", test_icons_exist);
  g_test_add_func("/ui/action-table/tooltip-names-keys", test_tooltip);
  g_test_add_func("/ui/action-table/keys-are-installed", test_keys_are_installed);
  g_test_add_func("/ui/action-table/typing-keeps-letters", test_typing_keeps_letters);
  g_test_add_func("/ui/action-table/binds-a-button", test_bind);
  g_test_add_func("/ui/action-table/menu-has-what-exists", test_menu_has_what_exists);
  g_test_add_func("/ui/action-table/shortcuts-window", test_shortcuts_window);
  int status = g_test_run();
  g_object_unref(application);
  return status;
}
