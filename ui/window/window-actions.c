/* window-actions.c - everything the user can do, as actions "win.…" that work on the page in
 * front. Names, keys and words are in action-table.c; here is what is done. */
#include "desktop/settings.h"
#include "window/about.h"
#include "window/action-table.h"
#include "window/guide.h"
#include "window/page-files.h"

#define ZOOM_STEP      1.5
#define THRESHOLD_STEP 0.05
#define HELD_MS        1000 /* longer than any keyboard waits before it repeats */

static CwuDocument *
document_of(gpointer window)
{
  return cwu_page_peek_document(CWU_WINDOW(window)->page);
}

/* ---- files ----------------------------------------------------------------------------- */

static void
open_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_window_choose_files(user_data);
}

static void
new_tab_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_window_add_page(user_data);
}

/* In this tab where nothing is in it yet, else in a new one. */
static void
new_prompt_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  CwuWindow *self = user_data;
  CwuPage *page = cwu_page_is_blank(self->page) ? self->page : cwu_window_add_page(self);
  cwu_page_edit_prompt(page);
}

static void
runs_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_window_show_runs(user_data);
}

static void
save_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_page_save(CWU_WINDOW(user_data)->page, NULL, NULL);
}

static void
save_as_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_page_save_as(CWU_WINDOW(user_data)->page, NULL, NULL);
}

static void
export_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_page_export(CWU_WINDOW(user_data)->page);
}

static void
print_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_page_print(CWU_WINDOW(user_data)->page);
}

static void
close_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  CwuWindow *self = user_data;
  adw_tab_view_close_page(self->tabs, adw_tab_view_get_selected_page(self->tabs));
}

/* ---- editing --------------------------------------------------------------------------- */

static void
undo_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cw_document_undo(cwu_document_peek_core(document_of(user_data)));
  cwu_document_sync(document_of(user_data));
}

static void
redo_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cw_document_redo(cwu_document_peek_core(document_of(user_data)));
  cwu_document_sync(document_of(user_data));
}

static void
history_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_history_bar_popup(CWU_WINDOW(user_data)->history);
}

static void
pin_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_toggle_pin(document_of(user_data),
                          cwu_document_get_selected(document_of(user_data)));
}

static void
label_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_page_edit_label(CWU_WINDOW(user_data)->page);
}

static void
note_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_page_edit_note(CWU_WINDOW(user_data)->page);
}

static void
free_node_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  CwuDocument *document = document_of(user_data);
  int64_t node = cwu_document_get_selected(document);
  if (node >= 0)
    cw_document_free_place(cwu_document_peek_core(document), node);
  cwu_document_sync(document);
}

void
cwu_window_actions_release(CwuWindow *self)
{
  g_clear_handle_id(&self->held_timeout, g_source_remove);
  if (self->held != NULL)
    cw_document_end_merge(cwu_document_peek_core(self->held));
  g_clear_object(&self->held);
}

static gboolean
held_cb(gpointer user_data)
{
  CwuWindow *self = user_data;
  self->held_timeout = 0;
  cwu_window_actions_release(self);
  return G_SOURCE_REMOVE;
}

/* A key that is held down repeats: as with a drag, all of it is one step. */
static void
hold(CwuWindow *self, CwuDocument *document)
{
  g_clear_handle_id(&self->held_timeout, g_source_remove);
  self->held_timeout = g_timeout_add(HELD_MS, held_cb, self);
  if (self->held == document)
    return;
  if (self->held != NULL)
    cw_document_end_merge(cwu_document_peek_core(self->held));
  g_set_object(&self->held, document);
  cw_document_begin_merge(cwu_document_peek_core(document));
}

static void
change_threshold(gpointer window, double step)
{
  CwuDocument *document = document_of(window);
  CwDocumentState *state = cwu_document_peek_state(document);
  hold(window, document);
  double node = CLAMP(cw_document_state_get_node_threshold(state) + step, 0, 1);
  cw_document_set_thresholds(cwu_document_peek_core(document), node,
                             cw_document_state_get_edge_threshold(state));
  cwu_document_sync(document);
}

static void
threshold_lower_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  change_threshold(user_data, -THRESHOLD_STEP);
}

static void
threshold_raise_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  change_threshold(user_data, THRESHOLD_STEP);
}

/* ---- going about the circuit ----------------------------------------------------------- */

/* Escape ends what runs first; then it lets go of the node. */
static void
clear_selection_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  if (!cwu_page_cancel_trace(CWU_WINDOW(user_data)->page))
    cwu_document_set_selected(document_of(user_data), -1);
}

static void
go_back_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_go(document_of(user_data), -1);
}

static void
go_forward_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_go(document_of(user_data), 1);
}

static void
go_input_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_go_along(document_of(user_data), CWU_GO_TO_SOURCE);
}

static void
go_output_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_go_along(document_of(user_data), CWU_GO_TO_TARGET);
}

/* ---- the view -------------------------------------------------------------------------- */

static void
view_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_set_view(document_of(user_data), g_variant_get_string(parameter, NULL));
}

static void
zoom_in_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_graph_view_zoom(cwu_page_peek_view(CWU_WINDOW(user_data)->page), ZOOM_STEP);
}

static void
zoom_out_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_graph_view_zoom(cwu_page_peek_view(CWU_WINDOW(user_data)->page), 1 / ZOOM_STEP);
}

static void
zoom_fit_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_document_set_viewpoint(document_of(user_data), &CWU_VIEWPOINT_ALL);
}

static void
zoom_selection_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_graph_view_zoom_to_selection(cwu_page_peek_view(CWU_WINDOW(user_data)->page));
}

/* For every page, now and later: pages are bound to the setting. */
static void
side_pane_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  GSettings *settings = cwu_settings_peek();
  g_settings_set_boolean(settings, "side-pane-visible",
                         !g_settings_get_boolean(settings, "side-pane-visible"));
}

static void
fullscreen_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  GtkWindow *window = user_data;
  if (gtk_window_is_fullscreen(window))
    gtk_window_unfullscreen(window);
  else
    gtk_window_fullscreen(window);
}

static void
shortcuts_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  gtk_window_present(cwu_shortcuts_window_new(user_data));
}

static void
help_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_guide_present(gtk_window_get_application(user_data));
}

static void
about_cb(GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  cwu_about_present(user_data);
}

/* ---- the table ------------------------------------------------------------------------- */

static const GActionEntry entries[] = {
  { "open", open_cb, NULL, NULL, NULL, { 0 } },
  { "new-prompt", new_prompt_cb, NULL, NULL, NULL, { 0 } },
  { "new-tab", new_tab_cb, NULL, NULL, NULL, { 0 } },
  { "runs", runs_cb, NULL, NULL, NULL, { 0 } },
  { "save", save_cb, NULL, NULL, NULL, { 0 } },
  { "save-as", save_as_cb, NULL, NULL, NULL, { 0 } },
  { "export", export_cb, NULL, NULL, NULL, { 0 } },
  { "print", print_cb, NULL, NULL, NULL, { 0 } },
  { "close", close_cb, NULL, NULL, NULL, { 0 } },
  { "undo", undo_cb, NULL, NULL, NULL, { 0 } },
  { "redo", redo_cb, NULL, NULL, NULL, { 0 } },
  { "history", history_cb, NULL, NULL, NULL, { 0 } },
  { "pin", pin_cb, NULL, NULL, NULL, { 0 } },
  { "label", label_cb, NULL, NULL, NULL, { 0 } },
  { "note", note_cb, NULL, NULL, NULL, { 0 } },
  { "free-node", free_node_cb, NULL, NULL, NULL, { 0 } },
  { "threshold-lower", threshold_lower_cb, NULL, NULL, NULL, { 0 } },
  { "threshold-raise", threshold_raise_cb, NULL, NULL, NULL, { 0 } },
  { "clear-selection", clear_selection_cb, NULL, NULL, NULL, { 0 } },
  { "go-back", go_back_cb, NULL, NULL, NULL, { 0 } },
  { "go-forward", go_forward_cb, NULL, NULL, NULL, { 0 } },
  { "go-input", go_input_cb, NULL, NULL, NULL, { 0 } },
  { "go-output", go_output_cb, NULL, NULL, NULL, { 0 } },
  { "view", view_cb, "s", "'layers'", NULL, { 0 } },
  { "zoom-in", zoom_in_cb, NULL, NULL, NULL, { 0 } },
  { "zoom-out", zoom_out_cb, NULL, NULL, NULL, { 0 } },
  { "zoom-fit", zoom_fit_cb, NULL, NULL, NULL, { 0 } },
  { "zoom-selection", zoom_selection_cb, NULL, NULL, NULL, { 0 } },
  { "side-pane", side_pane_cb, NULL, "true", NULL, { 0 } },
  { "fullscreen", fullscreen_cb, NULL, NULL, NULL, { 0 } },
  { "shortcuts", shortcuts_cb, NULL, NULL, NULL, { 0 } },
  { "help", help_cb, NULL, NULL, NULL, { 0 } },
  { "about", about_cb, NULL, NULL, NULL, { 0 } },
};

static void
enable(CwuWindow *self, const char *name, bool enabled)
{
  GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), name);
  g_simple_action_set_enabled(G_SIMPLE_ACTION(action), enabled);
}

void
cwu_window_actions_update(CwuWindow *self)
{
  static const char *const on_graph[] = {
    "save",     "save-as",  "export",          "print",           "view",     "zoom-in",
    "zoom-out", "zoom-fit", "threshold-lower", "threshold-raise", "side-pane"
  };
  static const char *const on_node[] = { "pin",       "label",          "note",
                                         "free-node", "zoom-selection", "go-input",
                                         "go-output" };
  if (self->page == NULL)
    return;
  CwuDocument *document = document_of(self);
  CwDocument *core = cwu_document_peek_core(document);
  bool has_graph = cwu_document_peek_graph(document) != NULL;
  bool has_node = cwu_document_get_selected(document) >= 0;
  for (size_t i = 0; i < G_N_ELEMENTS(on_graph); i++)
    enable(self, on_graph[i], has_graph);
  for (size_t i = 0; i < G_N_ELEMENTS(on_node); i++)
    enable(self, on_node[i], has_node);
  enable(self, "undo", cw_document_get_position(core) > 0);
  enable(self, "redo", cw_document_get_position(core) + 1 < cw_document_get_n_steps(core));
  enable(self, "go-back", cwu_document_can_go(document, -1));
  enable(self, "go-forward", cwu_document_can_go(document, 1));
  GAction *view = g_action_map_lookup_action(G_ACTION_MAP(self), "view");
  g_simple_action_set_state(G_SIMPLE_ACTION(view),
                            g_variant_new_string(cwu_document_peek_view(document)));
}

static void
update_side_pane(CwuWindow *self)
{
  gboolean is_shown = g_settings_get_boolean(cwu_settings_peek(), "side-pane-visible");
  GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), "side-pane");
  g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_boolean(is_shown));
}

void
cwu_window_actions_init(CwuWindow *self)
{
  g_action_map_add_action_entries(G_ACTION_MAP(self), entries, G_N_ELEMENTS(entries), self);
  g_signal_connect_object(cwu_settings_peek(), "changed::side-pane-visible",
                          G_CALLBACK(update_side_pane), self, G_CONNECT_SWAPPED);
  update_side_pane(self);
}
