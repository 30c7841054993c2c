/* test-session.c - a person's session with the real window, on every sample and on the graphs
 * of others: looking, walking, clicking, pinning, thresholds, names and notes, undo of all of
 * it, saving, opening again, exporting, closing. What is asserted is the document; that no turn
 * of the main loop takes long is asserted over all of it. */
#include <glib/gstdio.h>
#include <string.h>

#include "desktop/settings.h"
#include "panes/prune-bar.h"
#include "panes/share-slider.h"
#include "session-support.h"
#include "test-support.h"
#include "window/export-dialog.h"

#define FIRST "capital-of-france.clew"

typedef struct {
  Session session;
  char *path;       /* a copy of the graph, where it may be saved; NULL: not on this machine */
  char *first_text; /* of the document as it was opened */
  gsize first_length;
  char *full_text; /* after all edits */
  gsize full_length;
} Fixture;

static CwuDocument *
document_of(Fixture *f)
{
  return session_document(&f->session);
}

static CwuGraphView *
view_of(Fixture *f)
{
  return cwu_page_peek_view(f->session.window->page);
}

static CwDocument *
core_of(Fixture *f)
{
  return cwu_document_peek_core(document_of(f));
}

static void
do_step(Fixture *f, const char *name, void (*function)(Fixture *f))
{
  session_step(name);
  function(f);
  session_settle(&f->session);
  session_shoot(&f->session, name);
}

/* ---- opening and bytes ------------------------------------------------------------------ */

static void
open_file(Fixture *f)
{
  g_autoptr(GFile) file = g_file_new_for_path(f->path);
  cwu_window_open(f->session.window, file);
  session_until(cwu_document_peek_graph(document_of(f)) != NULL);
}

typedef struct {
  bool is_done;
  GError *error;
} Saving;

static void
saved_cb(GObject *source, GAsyncResult *result, gpointer data)
{
  Saving *saving = data;
  cwu_document_save_finish(CWU_DOCUMENT(source), result, &saving->error);
  saving->is_done = true;
}

/* The document's bytes, in the same view of it. */
static void
read_document(Fixture *f, char **text, gsize *length)
{
  g_autofree char *path = g_build_filename(session_folder(), "copy.clew", NULL);
  g_autoptr(GFile) file = g_file_new_for_path(path);
  Saving saving = { false, NULL };
  cwu_document_save_async(document_of(f), file, TRUE, saved_cb, &saving);
  session_until(saving.is_done);
  g_assert_no_error(saving.error);
  g_assert_true(g_file_get_contents(path, text, length, NULL));
}

static void
look_at_all(Fixture *f)
{
  session_keys("1 Escape ctrl+0");
  session_settle(&f->session);
  session_until(cwu_document_get_selected(document_of(f)) < 0);
}

/* ---- looking ---------------------------------------------------------------------------- */

static bool
is_view(Fixture *f, const char *view)
{
  return strcmp(cwu_document_peek_view(document_of(f)), view) == 0;
}

static bool
has_places(Fixture *f)
{
  g_autofree float *places = cwu_graph_view_dup_places(view_of(f));
  return places != NULL;
}

/* The order of the view of forces is set beside its name; the picture keeps its height. */
static void
show_forces(Fixture *f)
{
  int height = gtk_widget_get_height(GTK_WIDGET(view_of(f)));
  session_keys("2");
  session_until(is_view(f, "force") && has_places(f));
  session_settle(&f->session);
  g_assert_cmpint(gtk_widget_get_height(GTK_WIDGET(view_of(f))), ==, height);
}

static void
show_table(Fixture *f)
{
  session_keys("3");
  session_until(is_view(f, "table"));
  session_turn_for(50);
  session_keys("Down Down Down Page_Down");
}

static void
show_layers(Fixture *f)
{
  session_keys("1");
  session_until(is_view(f, "layers"));
}

static void
zoom(Fixture *f)
{
  GtkWidget *view = GTK_WIDGET(view_of(f));
  double width = gtk_widget_get_width(view), height = gtk_widget_get_height(view);
  session_point(view, width / 2, height / 2);
  for (int i = 0; i < 4; i++)
    session_click(4);
  session_until(cwu_document_get_viewpoint(document_of(f)).zoom > 1.5);
  double centre = cwu_document_get_viewpoint(document_of(f)).centre_x;
  session_drag(view, width / 2 + 5, height / 3, -width / 8, 20);
  session_until(cwu_document_get_viewpoint(document_of(f)).centre_x > centre);
  session_keys("ctrl+plus ctrl+minus ctrl+0");
  session_until(cwu_document_get_viewpoint(document_of(f)).zoom == 1.0);
}

/* ---- nodes ------------------------------------------------------------------------------ */

static void
walk(Fixture *f)
{
  static const char *const keys[] = { "Up",          "Right",    "Down", "Left", "shift+Down",
                                      "shift+Right", "shift+Up", "Up",   "Up",   "Left" };
  int n_moves = 0;
  int64_t at = cwu_document_get_selected(document_of(f));
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    session_keys(keys[i]);
    session_settle(&f->session);
    n_moves += cwu_document_get_selected(document_of(f)) != at;
    at = cwu_document_get_selected(document_of(f));
  }
  /* At a border a key leads nowhere. */
  g_assert_cmpint(n_moves, >=, 3);
  session_keys("alt+Left");
  session_until(cwu_document_get_selected(document_of(f)) != at);
  session_keys("alt+Right");
  session_until(cwu_document_get_selected(document_of(f)) == at);
}

/* Points at some node that is in the picture, other than the one named. */
static int64_t
point_at_node(Fixture *f, int64_t other)
{
  CwuDocument *document = document_of(f);
  size_t n_nodes = cw_graph_get_n_nodes(cwu_document_peek_graph(document));
  double x, y;
  for (size_t i = 0; i < n_nodes; i++) {
    int64_t node = (int64_t)((n_nodes / 2 + i) % n_nodes);
    if (node == other || !cwu_graph_view_locate(view_of(f), node, &x, &y))
      continue;
    session_point(GTK_WIDGET(view_of(f)), x, y);
    session_settle(&f->session);
    int64_t hovered = cwu_document_get_hovered(document);
    if (hovered >= 0 && hovered != other)
      return hovered;
  }
  g_error("no node can be pointed at");
}

static void
click_node(Fixture *f)
{
  int64_t node = point_at_node(f, cwu_document_get_selected(document_of(f)));
  session_click(1);
  session_until(cwu_document_get_selected(document_of(f)) == node);
}

static bool
is_pinned(Fixture *f, int64_t node)
{
  return cw_document_state_is_pinned(cwu_document_peek_state(document_of(f)), (size_t)node);
}

static void
pin_node(Fixture *f)
{
  int64_t node = point_at_node(f, cwu_document_get_selected(document_of(f)));
  bool was_pinned = is_pinned(f, node);
  session_send("keydown ctrl");
  session_click(1);
  session_send("keyup ctrl");
  session_until(is_pinned(f, node) != was_pinned);
}

static void
label_node(Fixture *f)
{
  int64_t node = cwu_document_get_selected(document_of(f));
  g_assert_cmpint(node, >=, 0);
  session_keys("l");
  session_settle(&f->session);
  session_keys("ctrl+a");
  session_type("Paris, by its country");
  session_keys("Return");
  session_until(g_strcmp0(cw_document_state_peek_label(cwu_document_peek_state(document_of(f)),
                                                       (size_t)node),
                          "Paris, by its country") == 0);
}

static void
write_note(Fixture *f)
{
  size_t n = cw_document_state_get_n_notes(cwu_document_peek_state(document_of(f)));
  session_keys("n");
  session_settle(&f->session);
  session_type("Seen in every prompt");
  session_keys("ctrl+Return");
  session_until(cw_document_state_get_n_notes(cwu_document_peek_state(document_of(f))) ==
                n + 1);
}

/* ---- thresholds ------------------------------------------------------------------------- */

static double
threshold(Fixture *f, int which)
{
  CwDocumentState *state = cwu_document_peek_state(document_of(f));
  return which == 0 ? cw_document_state_get_node_threshold(state)
                    : cw_document_state_get_edge_threshold(state);
}

/* Drags one of the two sliders from its knob; a drag is one step of the history. */
static void
drag_slider(Fixture *f, int which, double to)
{
  GtkWidget *bar = session_find(GTK_WIDGET(f->session.window->page), CWU_TYPE_PRUNE_BAR);
  GtkWidget *slider = session_find(bar, CWU_TYPE_SHARE_SLIDER);
  for (int i = 0; i < which; i++)
    do
      slider = gtk_widget_get_next_sibling(slider);
    while (!CWU_IS_SHARE_SLIDER(slider));
  GtkWidget *scale = session_find(slider, GTK_TYPE_SCALE);
  GdkRectangle trough;
  int begin, end;
  size_t n_steps = cw_document_get_position(core_of(f));
  double before = threshold(f, which);
  gtk_range_get_range_rect(GTK_RANGE(scale), &trough);
  gtk_range_get_slider_range(GTK_RANGE(scale), &begin, &end);
  if (fabs(cwu_share_place_of((CwuShare)which, before) - to) < 0.1)
    to /= 2; /* the graph opens just there */
  double from = (begin + end) / 2.0;
  session_drag(scale, from, trough.y + trough.height / 2.0, trough.width * to - from, 0);
  session_settle(&f->session);
  g_assert_cmpfloat(threshold(f, which), !=, before);
  g_assert_cmpuint(cw_document_get_position(core_of(f)), ==, n_steps + 1);
}

static void
drag_node_slider(Fixture *f)
{
  drag_slider(f, 0, 0.3);
}

static void
drag_edge_slider(Fixture *f)
{
  drag_slider(f, 1, 0.45);
}

static void
type_thresholds(Fixture *f)
{
  double before = threshold(f, 0);
  gtk_widget_grab_focus(GTK_WIDGET(view_of(f)));
  session_keys("bracketright");
  session_until(threshold(f, 0) != before);
}

/* Held down, a key repeats: one step. Pressed again, it is another. */
static void
hold_threshold_key(Fixture *f)
{
  for (int i = 0; i < 2; i++) {
    size_t n = cw_document_get_position(core_of(f));
    double before = threshold(f, 0);
    gtk_widget_grab_focus(GTK_WIDGET(view_of(f)));
    session_send("keydown bracketleft");
    session_until(threshold(f, 0) <= before - 0.09); /* two repeats at least */
    session_send("keyup bracketleft");
    session_settle(&f->session);
    g_assert_cmpuint(cw_document_get_position(core_of(f)), ==, n + 1);
    session_keys("bracketright");
    session_settle(&f->session);
    g_assert_cmpuint(cw_document_get_position(core_of(f)), ==, n + 2);
  }
}

static void
drag_force_node(Fixture *f)
{
  show_forces(f);
  session_settle(&f->session);
  GtkWidget *view = GTK_WIDGET(view_of(f));
  size_t n = cw_document_get_position(core_of(f));
  int64_t node = point_at_node(f, -1);
  double x, y;
  g_assert_true(cwu_graph_view_locate(view_of(f), node, &x, &y));
  session_drag(view, x, y, x < gtk_widget_get_width(view) / 2 ? 60 : -60, 10);
  session_until(cw_document_get_position(core_of(f)) == n + 1);
}

/* ---- history and files ------------------------------------------------------------------ */

static void
undo_all(Fixture *f)
{
  gtk_widget_grab_focus(GTK_WIDGET(view_of(f)));
  while (cw_document_get_position(core_of(f)) > 0) {
    size_t position = cw_document_get_position(core_of(f));
    session_keys("ctrl+z");
    session_until(cw_document_get_position(core_of(f)) == position - 1);
  }
}

static void
redo_all(Fixture *f)
{
  while (cw_document_get_position(core_of(f)) + 1 < cw_document_get_n_steps(core_of(f))) {
    size_t position = cw_document_get_position(core_of(f));
    session_keys("ctrl+shift+z");
    session_until(cw_document_get_position(core_of(f)) == position + 1);
  }
}

static bool
hides_counts(Fixture *f)
{
  GtkWidget *page = GTK_WIDGET(f->session.window->page);
  GtkWidget *bar = session_find(page, CWU_TYPE_PRUNE_BAR);
  GtkWidget *toast = session_find(page, g_type_from_name("AdwToastWidget"));
  graphene_rect_t a, b;
  return gtk_widget_compute_bounds(bar, page, &a) &&
         gtk_widget_compute_bounds(toast, page, &b) && graphene_rect_intersection(&a, &b, NULL);
}

static bool
has_label(GtkWidget *widget, const char *text)
{
  if (GTK_IS_LABEL(widget) && strcmp(gtk_label_get_text(GTK_LABEL(widget)), text) == 0)
    return gtk_widget_get_mapped(widget);
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    if (has_label(child, text))
      return true;
  return false;
}

static bool
offers_save_as(Fixture *f)
{
  GtkWidget *page = GTK_WIDGET(f->session.window->page);
  GtkWidget *banner = session_find_class(page, "error-banner");
  for (GtkWidget *child = banner != NULL ? gtk_widget_get_first_child(banner) : NULL;
       child != NULL; child = gtk_widget_get_next_sibling(child))
    if (GTK_IS_BUTTON(child) && gtk_widget_get_mapped(child) &&
        g_strcmp0(gtk_actionable_get_action_name(GTK_ACTIONABLE(child)), "win.save-as") == 0)
      return true;
  return false;
}

/* Ctrl+S with nothing to save: the file stays as whoever made it left it. */
static void
save_nothing(Fixture *f)
{
  g_autofree char *before = NULL, *after = NULL;
  gsize n_before = 0, n_after = 0;
  GStatBuf was, is;
  g_assert_true(cwu_document_is_saved(document_of(f)));
  g_assert_true(g_file_get_contents(f->path, &before, &n_before, NULL));
  g_assert_cmpint(g_stat(f->path, &was), ==, 0);
  session_keys("ctrl+s");
  session_until(has_label(GTK_WIDGET(f->session.window->page), "No changes to save"));
  session_settle(&f->session);
  g_assert_cmpint(g_stat(f->path, &is), ==, 0);
  g_assert_cmpuint(was.st_ino, ==, is.st_ino);
  g_assert_true(g_file_get_contents(f->path, &after, &n_after, NULL));
  g_assert_cmpmem(before, n_before, after, n_after);
}

/* Ctrl+S onto a file that may not be written: told inline, with the way out beside it. */
static void
save_read_only(Fixture *f)
{
  g_assert_cmpint(g_chmod(f->path, 0444), ==, 0);
  session_keys("ctrl+s");
  session_until(offers_save_as(f));
  g_assert_false(cwu_document_is_saved(document_of(f)));
  g_assert_cmpint(g_chmod(f->path, 0644), ==, 0);
}

static void
save(Fixture *f)
{
  g_assert_false(cwu_document_is_saved(document_of(f)));
  if (g_str_has_suffix(f->path, ".json")) { /* Its file cannot hold it all. */
    g_autofree char *stem = g_strndup(f->path, strlen(f->path) - strlen(".json"));
    g_free(f->path);
    f->path = g_strconcat(stem, ".clew", NULL);
    g_autoptr(GFile) file = g_file_new_for_path(f->path);
    Saving saving = { false, NULL };
    cwu_document_save_async(document_of(f), file, FALSE, saved_cb, &saving);
    session_until(saving.is_done);
    g_assert_no_error(saving.error);
  } else {
    session_keys("ctrl+s");
    session_until(cwu_document_is_saved(document_of(f)));
    session_until(!hides_counts(f)); /* It comes from below. */
    session_until(!offers_save_as(f));
  }
  session_until(cwu_document_is_saved(document_of(f)));
}

static void
new_tab(Fixture *f)
{
  CwuPage *page = f->session.window->page;
  session_keys("ctrl+t");
  session_until(f->session.window->page != page);
}

static void
first_tab(Fixture *f)
{
  AdwTabView *tabs = f->session.window->tabs;
  adw_tab_view_set_selected_page(tabs, adw_tab_view_get_nth_page(tabs, 0));
}

/* Nobody moved the line between picture and side pane: it is where it was. */
static void
close_tab(Fixture *f)
{
  AdwTabView *tabs = f->session.window->tabs;
  session_keys("ctrl+w");
  session_until(adw_tab_view_get_n_pages(tabs) == 1);
  g_autoptr(GVariant) left = g_settings_get_user_value(cwu_settings_peek(), "side-pane-width");
  g_assert_null(left);
}

/* ---- dialogs ---------------------------------------------------------------------------- */

static GtkWindow *
find_dialog(GType type)
{
  GListModel *windows = gtk_window_get_toplevels();
  for (guint i = 0; i < g_list_model_get_n_items(windows); i++) {
    g_autoptr(GtkWindow) window = g_list_model_get_item(windows, i);
    if (g_type_is_a(G_OBJECT_TYPE(window), type) && gtk_widget_get_mapped(GTK_WIDGET(window)))
      return window;
  }
  return NULL;
}

static void
export_picture(Fixture *f)
{
  static const char *const endings[] = { ".pdf", ".svg", ".png" };
  static const char *const heads[] = { "%PDF", "<?xml", "\x89PNG" };
  for (int format = CWU_FORMAT_PDF; format <= CWU_FORMAT_PNG; format++) {
    GtkWindow *dialog = NULL;
    g_autofree char *path = g_strconcat(f->path, endings[format], NULL);
    g_autofree char *text = NULL;
    g_autoptr(GFile) file = g_file_new_for_path(path);
    session_keys("ctrl+e");
    session_until((dialog = find_dialog(CWU_TYPE_EXPORT_DIALOG)) != NULL);
    cwu_export_dialog_set_format(CWU_EXPORT_DIALOG(dialog), (CwuExportFormat)format);
    session_until(cwu_export_dialog_is_current(CWU_EXPORT_DIALOG(dialog)));
    if (format == CWU_FORMAT_PDF)
      session_shoot(&f->session, "export-dialog");
    cwu_export_dialog_save(CWU_EXPORT_DIALOG(dialog), file);
    session_until(find_dialog(CWU_TYPE_EXPORT_DIALOG) == NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, heads[format]));
    session_focus(GTK_WINDOW(f->session.window));
  }
}

/* Asked for, thought better of, asked for again, thrown away. */
static void
answer_question(Fixture *f)
{
  AdwTabView *tabs = f->session.window->tabs;
  CwuPage *page = f->session.window->page;
  session_keys("bracketleft");
  session_until(!cwu_document_is_saved(document_of(f)));
  session_keys("ctrl+t");
  session_until(f->session.window->page != page);
  adw_tab_view_set_selected_page(tabs, adw_tab_view_get_nth_page(tabs, 0));
  static const char *const answers[] = { "Escape", "alt+d" };
  for (int i = 0; i < 2; i++) {
    GtkWindow *dialog = NULL;
    session_keys("ctrl+w");
    session_until((dialog = find_dialog(ADW_TYPE_MESSAGE_DIALOG)) != NULL);
    session_focus(dialog);
    if (i == 0)
      session_shoot(&f->session, "question");
    session_keys(answers[i]);
    session_until(find_dialog(ADW_TYPE_MESSAGE_DIALOG) == NULL);
    session_focus(GTK_WINDOW(f->session.window));
    g_assert_cmpint(adw_tab_view_get_n_pages(tabs), ==, 2 - i);
  }
}

/* ---- the session ------------------------------------------------------------------------ */

static void
set_up(Fixture *f, gconstpointer data)
{
  const char *name = data;
  g_autofree char *from =
      g_str_has_prefix(name, "graphs/")
          ? test_shared_path_or_skip(name)
          : g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", name, NULL);
  if (from == NULL)
    return;
  g_autofree char *base = g_path_get_basename(from);
  g_autofree char *text = NULL;
  gsize length;
  f->path = g_build_filename(session_folder(), base, NULL);
  g_assert_true(g_file_get_contents(from, &text, &length, NULL));
  g_assert_true(g_file_set_contents(f->path, text, (gssize)length, NULL));
  /* One sees everything move; the others get to the point. */
  g_settings_set_string(cwu_settings_peek(), "reduced-motion",
                        strcmp(name, FIRST) == 0 ? "never" : "always");
  session_step("start");
  session_open(&f->session, NULL);
  session_settle(&f->session);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  if (f->path != NULL)
    session_close(&f->session);
  session_step(NULL);
  g_free(f->path);
  g_free(f->first_text);
  g_free(f->full_text);
}

static void
edit(Fixture *f)
{
  do_step(f, "walk by keys", walk);
  do_step(f, "click a node", click_node);
  do_step(f, "pin a node", pin_node);
  do_step(f, "name a node", label_node);
  do_step(f, "write a note", write_note);
  do_step(f, "drag the node slider", drag_node_slider);
  do_step(f, "drag the edge slider", drag_edge_slider);
  do_step(f, "step the threshold", type_thresholds);
  do_step(f, "hold the threshold key", hold_threshold_key);
  do_step(f, "drag a node", drag_force_node);
  do_step(f, "look at all", look_at_all);
}

static void
test_session(Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize length;
  if (f->path == NULL)
    return;
  do_step(f, "open", open_file);
  do_step(f, "look at all", look_at_all);
  do_step(f, "save nothing", save_nothing);
  read_document(f, &f->first_text, &f->first_length);
  do_step(f, "forces", show_forces);
  do_step(f, "table", show_table);
  do_step(f, "layers", show_layers);
  do_step(f, "zoom and pan", zoom);
  edit(f);
  read_document(f, &f->full_text, &f->full_length);
  do_step(f, "undo all", undo_all);
  do_step(f, "look at all", look_at_all);
  read_document(f, &text, &length);
  g_assert_cmpmem(text, length, f->first_text, f->first_length);
  g_free(g_steal_pointer(&text));
  do_step(f, "redo all", redo_all);
  do_step(f, "look at all", look_at_all);
  if (g_str_has_suffix(f->path, FIRST))
    do_step(f, "save read-only", save_read_only);
  do_step(f, "save", save);
  do_step(f, "export", export_picture);
  do_step(f, "new tab", new_tab);
  do_step(f, "another tab", first_tab);
  do_step(f, "close the tab", close_tab);
  do_step(f, "open again", open_file);
  do_step(f, "look at all", look_at_all);
  read_document(f, &text, &length);
  g_assert_cmpmem(text, length, f->full_text, f->full_length);
  do_step(f, "close with changes", answer_question);
}

static int
side_width(Fixture *f)
{
  GtkWidget *paned = session_find(GTK_WIDGET(f->session.window->page), GTK_TYPE_PANED);
  return gtk_widget_get_width(gtk_paned_get_end_child(GTK_PANED(paned))) + 2;
}

/* GTK makes no window wider than the screen, unless what is in it asks for that. */
static void
resize(Fixture *f, int width)
{
  gtk_widget_set_size_request(GTK_WIDGET(f->session.window->page), width, -1);
  gtk_window_set_default_size(GTK_WINDOW(f->session.window), width, 900);
  session_until(ABS(gtk_widget_get_width(GTK_WIDGET(f->session.window)) - width) < 40);
  session_settle(&f->session);
}

/* A very wide window gives some of its width to the side pane, until somebody drags its edge.
 */
static void
test_side_width(Fixture *f, gconstpointer data)
{
  open_file(f);
  GtkWidget *paned = session_find(GTK_WIDGET(f->session.window->page), GTK_TYPE_PANED);
  resize(f, 1440);
  g_assert_cmpint(side_width(f), ==, 360);
  resize(f, 2560);
  g_assert_cmpint(side_width(f), >, 410);
  g_assert_cmpint(side_width(f), <=, 2560 / 6);
  resize(f, 1440);
  g_assert_cmpint(side_width(f), ==, 360);
  gtk_paned_set_position(GTK_PANED(paned), gtk_paned_get_position(GTK_PANED(paned)) - 50);
  session_settle(&f->session);
  resize(f, 2560);
  g_assert_cmpint(side_width(f), ==, 410);
  new_tab(f);
  session_until(g_settings_get_int(cwu_settings_peek(), "side-pane-width") == 410);
  g_settings_reset(cwu_settings_peek(), "side-pane-width");
}

/* Large type makes the pane wider while it is large: nobody dragged its edge. */
static void
test_side_width_forced(Fixture *f, gconstpointer data)
{
  open_file(f);
  resize(f, 1440);
  GtkWidget *side = cwu_page_peek_side(f->session.window->page);
  gtk_widget_set_size_request(side, 430, -1);
  session_until(side_width(f) >= 430);
  session_settle(&f->session);
  new_tab(f);
  g_autoptr(GVariant) left = g_settings_get_user_value(cwu_settings_peek(), "side-pane-width");
  g_assert_null(left);
  first_tab(f);
  gtk_widget_set_size_request(side, 300, -1);
  session_until(side_width(f) == 360);
}

/* All the sessions together. */
static void
test_stalls(void)
{
  session_check_stalls();
}

int
main(int argc, char **argv)
{
  static const char *const names[] = { FIRST,
                                       "grass-is-green.clew",
                                       "mary-and-john.clew",
                                       "opposite-of-hot.clew",
                                       "graphs/IamKrill1n__dallas-austin-llamma.json",
                                       "graphs/IamKrill1n__galaxy-clt-hp.json",
                                       "graphs/uzairname__dallas_ea.json",
                                       "graphs/uzairname__war_ea.json" };
  if (!session_init(&argc, &argv))
    return 0;
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *base = g_path_get_basename(names[i]);
    g_autofree char *path = g_strconcat("/ui/session/", base, NULL);
    g_test_add(path, Fixture, names[i], set_up, test_session, tear_down);
  }
  g_test_add("/ui/session/side-width", Fixture, FIRST, set_up, test_side_width, tear_down);
  g_test_add("/ui/session/side-width-forced", Fixture, FIRST, set_up, test_side_width_forced,
             tear_down);
  g_test_add_func("/ui/session/never-stands-still", test_stalls);
  return session_run();
}
