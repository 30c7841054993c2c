/* action-table.c - see action-table.h. Keys are GNOME's where GNOME has one, and single letters
 * on the picture where it has not. Letters go through a shortcut controller of the window, in
 * the bubble phase: application accelerators are looked at first of all, and would take every
 * "p" out of a prompt. */
#include "window/action-table.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define TYPING CWU_ACTION_OFF_WHILE_TYPING
#define UNDO   (CWU_ACTION_OFF_WHILE_TYPING | CWU_ACTION_UNDOES)
#define WIDGET CWU_ACTION_KEYS_OF_WIDGET

/* clang-format off */
static const CwuAction actions[] = {
  { "win.open", { "<Control>o" }, N_("Open a graph"), N_("_Open…"),
    N_("Opens a .clew document, or a graph .json of circuit-tracer, Neuronpedia or Anthropic."),
    "document-open-symbolic", CWU_SECTION_FILES, 0 },
  { "win.new-prompt", { "<Control>n" }, N_("New prompt"), N_("_New Prompt"),
    N_("Type a text, and see what makes the model continue it as it does."),
    "list-add-symbolic", CWU_SECTION_FILES, 0 },
  { "win.new-tab", { "<Control>t" }, N_("New tab"), N_("New _Tab"), NULL,
    "tab-new-symbolic", CWU_SECTION_FILES, 0 },
  { "win.runs", { "<Control>r" }, N_("Runs"), N_("_Runs"),
    N_("Starts and watches caches, trainings and evaluations of transcoders."),
    "system-run-symbolic", CWU_SECTION_FILES, 0 },
  { "win.save", { "<Control>s" }, N_("Save"), N_("_Save"),
    N_("Keeps the whole graph and all that was done to it in a .clew document."),
    "document-save-symbolic", CWU_SECTION_FILES, 0 },
  { "win.save-as", { "<Shift><Control>s" }, N_("Save as another file"), N_("Save _As…"), NULL,
    "document-save-as-symbolic", CWU_SECTION_FILES, 0 },
  { "win.export", { "<Control>e" }, N_("Export the picture"), N_("_Export Picture…"),
    N_("Writes the picture as PNG, SVG or PDF."),
    "image-x-generic-symbolic", CWU_SECTION_FILES, 0 },
  { "win.print", { "<Control>p" }, N_("Print the picture"), N_("_Print…"), NULL,
    "document-print-symbolic", CWU_SECTION_FILES, 0 },
  { "win.close", { "<Control>w" }, N_("Close the tab"), NULL, NULL,
    "window-close-symbolic", CWU_SECTION_FILES, 0 },
  { "app.quit", { "<Control>q" }, N_("Quit"), NULL, NULL,
    "application-exit-symbolic", CWU_SECTION_FILES, 0 },

  { "win.undo", { "<Control>z" }, N_("Undo"), NULL,
    N_("Takes back the last change; every change can be taken back."),
    "edit-undo-symbolic", CWU_SECTION_EDIT, UNDO },
  { "win.redo", { "<Shift><Control>z", "<Control>y" }, N_("Redo"), NULL, NULL,
    "edit-redo-symbolic", CWU_SECTION_EDIT, UNDO },
  { "win.history", { "<Control>h" }, N_("History of changes"), NULL,
    N_("Every step by its name; a click goes to it."),
    NULL, CWU_SECTION_EDIT, TYPING },
  { "win.pin", { "p" }, N_("Pin or unpin the node"), NULL,
    N_("A pinned node stays in the picture whatever the thresholds are."),
    "view-pin-symbolic", CWU_SECTION_EDIT, TYPING },
  { "win.free-node", { "f" }, N_("Free a node that was dragged"), NULL, NULL,
    NULL, CWU_SECTION_EDIT, TYPING },
  { "win.label", { "l" }, N_("Label the node"), NULL, NULL,
    "document-edit-symbolic", CWU_SECTION_EDIT, TYPING },
  { "win.note", { "n" }, N_("Write a note on the node"), NULL, NULL,
    "text-editor-symbolic", CWU_SECTION_EDIT, TYPING },

  { NULL, { "Left", "Right" }, N_("Walk along the tokens"), NULL, NULL,
    NULL, CWU_SECTION_CIRCUIT, WIDGET },
  { NULL, { "Up", "Down" }, N_("Walk up and down the layers"), NULL, NULL,
    NULL, CWU_SECTION_CIRCUIT, WIDGET },
  { NULL, { "<Shift>Down", "<Shift>Up" }, N_("Walk to the strongest input, or output"), NULL,
    NULL, NULL, CWU_SECTION_CIRCUIT, WIDGET },
  { NULL, { "<Shift>Right", "<Shift>Left" }, N_("Instead to the next weaker, or stronger"),
    NULL, NULL, NULL, CWU_SECTION_CIRCUIT, WIDGET },
  { NULL, { "Return", "space" }, N_("Select the node under the pointer"), NULL, NULL,
    NULL, CWU_SECTION_CIRCUIT, WIDGET },
  { "win.go-input", { "i" }, N_("Go to what feeds the node most"), NULL, NULL,
    NULL, CWU_SECTION_CIRCUIT, TYPING },
  { "win.go-output", { "o" }, N_("Go to what the node feeds most"), NULL, NULL,
    NULL, CWU_SECTION_CIRCUIT, TYPING },
  { "win.go-back", { "<Alt>Left" }, N_("Back to the node before"), NULL, NULL,
    "go-previous-symbolic", CWU_SECTION_CIRCUIT, TYPING },
  { "win.go-forward", { "<Alt>Right" }, N_("Forward again"), NULL, NULL,
    "go-next-symbolic", CWU_SECTION_CIRCUIT, TYPING },
  { "win.clear-selection", { "Escape" }, N_("Let go of the node"), NULL, NULL,
    "edit-clear-symbolic", CWU_SECTION_CIRCUIT, TYPING },
  { "win.threshold-lower", { "bracketleft" }, N_("Fewer nodes"), NULL,
    N_("Lowers the node threshold: only what carries most of the influence stays."),
    NULL, CWU_SECTION_EDIT, TYPING },
  { "win.threshold-raise", { "bracketright" }, N_("More nodes"), NULL, NULL,
    NULL, CWU_SECTION_EDIT, TYPING },

  { "win.view::layers", { "1" }, N_("Layers: tokens across, layers up"), NULL, NULL,
    NULL, CWU_SECTION_VIEW, TYPING },
  { "win.view::force", { "2" }, N_("Force: what belongs together stands together"), NULL, NULL,
    NULL, CWU_SECTION_VIEW, TYPING },
  { "win.view::table", { "3" }, N_("Table of nodes"), NULL, NULL,
    NULL, CWU_SECTION_VIEW, TYPING },
  { NULL, { "<Control>f" }, N_("Find nodes in the table"), NULL, NULL,
    NULL, CWU_SECTION_VIEW, WIDGET },
  { "win.zoom-in", { "<Control>plus", "<Control>equal" }, N_("Zoom in"), N_("Zoom _In"), NULL,
    "zoom-in-symbolic", CWU_SECTION_VIEW, 0 },
  { "win.zoom-out", { "<Control>minus" }, N_("Zoom out"), N_("Zoom _Out"), NULL,
    "zoom-out-symbolic", CWU_SECTION_VIEW, 0 },
  { "win.zoom-fit", { "<Control>0" }, N_("Show everything"), NULL, NULL,
    "zoom-fit-best-symbolic", CWU_SECTION_VIEW, 0 },
  { "win.zoom-selection", { "<Control>2" }, N_("Show the node and its neighbours"), NULL, NULL,
    NULL, CWU_SECTION_VIEW, 0 },
  { "win.side-pane", { "F9" }, N_("Side pane"), NULL, NULL,
    "sidebar-show-right-symbolic", CWU_SECTION_VIEW, 0 },
  { "win.fullscreen", { "F11" }, N_("Full screen"), N_("_Full Screen"), NULL,
    "view-fullscreen-symbolic", CWU_SECTION_VIEW, 0 },
  { NULL, { "F10" }, N_("Menu"), NULL, NULL,
    "open-menu-symbolic", CWU_SECTION_HELP, WIDGET },

  { "win.shortcuts", { "<Control>question" }, N_("Keyboard shortcuts"),
    N_("_Keyboard Shortcuts"), NULL,
    "preferences-desktop-keyboard-shortcuts-symbolic", CWU_SECTION_HELP, 0 },
  { "win.help", { "F1" }, N_("Guide"), N_("_Guide"),
    N_("What the picture shows, and how to work with it."),
    "help-browser-symbolic", CWU_SECTION_HELP, 0 },
  { "win.about", { NULL }, N_("About Clew"), N_("_About Clew"), NULL,
    "help-about-symbolic", CWU_SECTION_HELP, 0 },
};
/* clang-format on */

const CwuAction *
cwu_action_table_peek(size_t *n_actions)
{
  *n_actions = G_N_ELEMENTS(actions);
  return actions;
}

const CwuAction *
cwu_action_table_find(const char *name)
{
  for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
    if (g_strcmp0(actions[i].name, name) == 0)
      return &actions[i];
  return NULL;
}

const char *
cwu_action_section_peek_title(CwuActionSection section)
{
  static const char *const titles[CWU_N_SECTIONS] = {
    [CWU_SECTION_FILES] = N_("Files"),     [CWU_SECTION_EDIT] = N_("Editing"),
    [CWU_SECTION_CIRCUIT] = N_("Circuit"), [CWU_SECTION_VIEW] = N_("View"),
    [CWU_SECTION_HELP] = N_("Help"),
  };
  g_return_val_if_fail((unsigned)section < CWU_N_SECTIONS, NULL);
  return _(titles[section]);
}

char *
cwu_action_dup_keys(const char *name)
{
  const CwuAction *action = cwu_action_table_find(name);
  guint key;
  GdkModifierType modifiers;
  g_return_val_if_fail(action != NULL, NULL);
  if (action->keys[0] == NULL || !gtk_accelerator_parse(action->keys[0], &key, &modifiers))
    return g_strdup("");
  return gtk_accelerator_get_label(key, modifiers);
}

char *
cwu_action_dup_tooltip(const char *name)
{
  const CwuAction *action = cwu_action_table_find(name);
  g_autofree char *keys = cwu_action_dup_keys(name);
  g_return_val_if_fail(action != NULL, NULL);
  if (*keys == '\0')
    return g_strdup(_(action->title));
  /* Translators: what an action does, then its keys, as in "Open a graph (Ctrl+O)". */
  return g_strdup_printf(_("%s (%s)"), _(action->title), keys);
}

/* ---- keys ------------------------------------------------------------------------------- */

void
cwu_action_table_install_keys(GtkApplication *application)
{
  for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
    if (actions[i].name != NULL && actions[i].keys[0] != NULL && actions[i].flags == 0)
      gtk_application_set_accels_for_action(application, actions[i].name, actions[i].keys);
}

/* Whether the focus is in a text that leaves its undo to the document. */
static bool
has_no_undo(GtkWidget *focus)
{
  return GTK_IS_TEXT_VIEW(focus) &&
         !gtk_text_buffer_get_enable_undo(gtk_text_view_get_buffer(GTK_TEXT_VIEW(focus)));
}

static bool
is_typing(GtkWidget *focus)
{
  if (GTK_IS_TEXT_VIEW(focus))
    return gtk_text_view_get_editable(GTK_TEXT_VIEW(focus));
  if (GTK_IS_EDITABLE_LABEL(focus))
    return gtk_editable_label_get_editing(GTK_EDITABLE_LABEL(focus));
  return GTK_IS_EDITABLE(focus) && gtk_editable_get_editable(GTK_EDITABLE(focus));
}

static gboolean
key_cb(GtkWidget *window, GVariant *arguments, gpointer user_data)
{
  const CwuAction *action = user_data;
  g_autofree char *name = NULL;
  g_autoptr(GVariant) target = NULL;
  GtkWidget *focus = gtk_root_get_focus(GTK_ROOT(window));
  bool is_left =
      is_typing(focus) && !((action->flags & CWU_ACTION_UNDOES) && has_no_undo(focus));
  if (is_left || !g_action_parse_detailed_name(action->name, &name, &target, NULL))
    return FALSE;
  return gtk_widget_activate_action_variant(window, name, target);
}

void
cwu_action_table_add_keys(GtkWidget *window)
{
  GtkEventController *controller = gtk_shortcut_controller_new();
  for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
    const CwuAction *action = &actions[i];
    for (size_t k = 0; (action->flags & TYPING) && action->keys[k] != NULL; k++)
      gtk_shortcut_controller_add_shortcut(
          GTK_SHORTCUT_CONTROLLER(controller),
          gtk_shortcut_new(gtk_shortcut_trigger_parse_string(action->keys[k]),
                           gtk_callback_action_new(key_cb, (gpointer)action, NULL)));
  }
  gtk_widget_add_controller(window, controller);
}

/* ---- buttons and menus ------------------------------------------------------------------ */

void
cwu_action_bind(GtkWidget *actionable, const char *name)
{
  const CwuAction *action = cwu_action_table_find(name);
  g_return_if_fail(action != NULL && GTK_IS_ACTIONABLE(actionable));
  g_autofree char *tooltip = cwu_action_dup_tooltip(name);
  gtk_actionable_set_detailed_action_name(GTK_ACTIONABLE(actionable), name);
  if (action->icon != NULL && GTK_IS_BUTTON(actionable) &&
      gtk_button_get_child(GTK_BUTTON(actionable)) == NULL)
    gtk_button_set_icon_name(GTK_BUTTON(actionable), action->icon);
  gtk_widget_set_tooltip_text(actionable, tooltip);
  gtk_accessible_update_property(GTK_ACCESSIBLE(actionable), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 _(action->title), -1);
  if (action->description != NULL)
    gtk_accessible_update_property(GTK_ACCESSIBLE(actionable),
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, _(action->description),
                                   -1);
}

/* Whether somebody has added the action, so that it does something. */
static bool
exists(GtkApplicationWindow *window, const CwuAction *action)
{
  g_autofree char *name = NULL;
  g_autoptr(GVariant) target = NULL;
  if (action->name == NULL)
    return true;
  if (!g_action_parse_detailed_name(action->name, &name, &target, NULL))
    return false;
  GtkApplication *application = gtk_window_get_application(GTK_WINDOW(window));
  bool is_of_window = g_str_has_prefix(name, "win.");
  GActionGroup *group = is_of_window ? G_ACTION_GROUP(window) : G_ACTION_GROUP(application);
  return group != NULL && g_action_group_has_action(group, strchr(name, '.') + 1);
}

GMenu *
cwu_action_table_menu_new(GtkApplicationWindow *window)
{
  GMenu *menu = g_menu_new();
  for (int section = 0; section < CWU_N_SECTIONS; section++) {
    g_autoptr(GMenu) part = g_menu_new();
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
      if (actions[i].section == (CwuActionSection)section && actions[i].label != NULL &&
          exists(window, &actions[i]))
        g_menu_append(part, _(actions[i].label), actions[i].name);
    if (g_menu_model_get_n_items(G_MENU_MODEL(part)) > 0)
      g_menu_append_section(menu, NULL, G_MENU_MODEL(part));
  }
  return menu;
}

/* ---- the shortcuts window --------------------------------------------------------------- */

static void
append_property(GString *out, const char *name, const char *value)
{
  g_autofree char *escaped = g_markup_escape_text(value, -1);
  g_string_append_printf(out, "<property name='%s'>%s</property>", name, escaped);
}

static void
append_group(GString *out, GtkApplicationWindow *window, CwuActionSection section)
{
  g_autoptr(GString) rows = g_string_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
    const CwuAction *action = &actions[i];
    if (action->section != section || action->keys[0] == NULL || !exists(window, action))
      continue;
    /* A second key is told where it does another thing; all of them would widen every row. */
    g_autofree char *keys = action->flags & WIDGET ? g_strjoinv(" ", (char **)action->keys)
                                                   : g_strdup(action->keys[0]);
    g_string_append(rows, "<child><object class='GtkShortcutsShortcut'>");
    append_property(rows, "title", _(action->title));
    append_property(rows, "accelerator", keys);
    g_string_append(rows, "</object></child>");
  }
  if (rows->len == 0)
    return;
  g_string_append(out, "<child><object class='GtkShortcutsGroup'>");
  append_property(out, "title", cwu_action_section_peek_title(section));
  g_string_append_len(out, rows->str, (gssize)rows->len);
  g_string_append(out, "</object></child>");
}

/* Before GTK 4.14 only GtkBuilder can fill a shortcuts window, so it gets what it reads. */
GtkWindow *
cwu_shortcuts_window_new(GtkApplicationWindow *window)
{
  GString *xml = g_string_new("<interface><object class='GtkShortcutsWindow' id='window'>"
                              "<child><object class='GtkShortcutsSection'>"
                              "<property name='section-name'>all</property>"
                              "<property name='max-height'>11</property>");
  for (int section = 0; section < CWU_N_SECTIONS; section++)
    append_group(xml, window, (CwuActionSection)section);
  g_string_append(xml, "</object></child></object></interface>");
  g_autoptr(GtkBuilder) builder = gtk_builder_new_from_string(xml->str, (gssize)xml->len);
  GtkWindow *shortcuts = GTK_WINDOW(gtk_builder_get_object(builder, "window"));
  g_string_free(xml, TRUE);
  gtk_window_set_transient_for(shortcuts, GTK_WINDOW(window));
  gtk_window_set_modal(shortcuts, TRUE);
  return shortcuts;
}
