/* test-graph-view.c - the canvas as a widget: two views of one document, what dragging, clicks
 * and keys do to it, and what moves when nothing should. Gestures are told what they would have
 * seen. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "desktop/settings.h"
#include "golden-graph.h"
#include "graph/graph-view-private.h"
#include "test-support.h"
#include "widget-test.h"

typedef struct {
  CwuDocument *document;
  CwuGraphView *view;
  GtkWindow *window;
  guint64 edited; /* the note of the last "edit-note" */
  bool is_set;
  guint tick;
} Fixture;

static void
turn_until_complete(Fixture *f)
{
  gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (!cwu_graph_view_is_complete(f->view) || cwu_document_is_pruning(f->document)) {
    g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(g_get_monotonic_time(), <, end);
  }
}

static void
turn_for(int ms)
{
  gint64 end = g_get_monotonic_time() + ms * 1000;
  while (g_get_monotonic_time() < end)
    if (!g_main_context_iteration(NULL, FALSE))
      g_usleep(1000);
}

static void
graph_set_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(GError) error = NULL;
  cwu_document_set_graph_finish(CWU_DOCUMENT(source), result, &error);
  g_assert_no_error(error);
  ((Fixture *)user_data)->is_set = true;
}

static void
edit_note_cb(CwuGraphView *view, guint64 note, Fixture *f)
{
  f->edited = note;
}

static gboolean
tick_cb(gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(CwGraph) graph = graph_random(250, 8, 7, 0.06, 4);
  g_settings_set_string(cwu_settings_peek(), "reduced-motion", "never");
  f->document = cwu_document_new();
  f->view = cwu_graph_view_new();
  f->window = GTK_WINDOW(gtk_window_new());
  g_signal_connect(f->view, "edit-note", G_CALLBACK(edit_note_cb), f);
  gtk_window_set_child(f->window, GTK_WIDGET(f->view));
  gtk_window_set_default_size(f->window, 900, 640);
  cwu_graph_view_set_document(f->view, f->document);
  gtk_window_present(f->window);
  f->tick = g_timeout_add(20, tick_cb, NULL); /* so that waiting for a turn ends */
  cwu_document_set_graph_async(f->document, graph, (double[]){ 0.8, 0.98 }, graph_set_cb, f);
  while (!f->is_set)
    g_main_context_iteration(NULL, TRUE);
  cw_document_set_thresholds(cwu_document_peek_core(f->document), 1, 1);
  cwu_document_sync(f->document);
  turn_until_complete(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  gtk_window_destroy(f->window);
  g_object_unref(f->document);
  g_source_remove(f->tick);
}

static size_t
n_nodes(Fixture *f)
{
  return cw_graph_get_n_nodes(cwu_document_peek_graph(f->document));
}

/* Of a kind of controller the first. */
static GtkEventController *
controller_of(Fixture *f, GType type)
{
  g_autoptr(GListModel) all = gtk_widget_observe_controllers(GTK_WIDGET(f->view));
  GtkEventController *found = NULL;
  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkEventController) controller = g_list_model_get_item(all, i);
    bool is_primary =
        !GTK_IS_GESTURE_SINGLE(controller) ||
        gtk_gesture_single_get_button(GTK_GESTURE_SINGLE(controller)) <= GDK_BUTTON_PRIMARY;
    if (g_type_is_a(G_OBJECT_TYPE(controller), type) && is_primary)
      found = controller;
  }
  g_assert_nonnull(found);
  return found;
}

/* The click of a button other than the first. */
static GtkEventController *
gesture_of(Fixture *f, guint button)
{
  g_autoptr(GListModel) all = gtk_widget_observe_controllers(GTK_WIDGET(f->view));
  for (guint i = 0; i < g_list_model_get_n_items(all); i++) {
    g_autoptr(GtkEventController) controller = g_list_model_get_item(all, i);
    if (GTK_IS_GESTURE_CLICK(controller) &&
        gtk_gesture_single_get_button(GTK_GESTURE_SINGLE(controller)) == button)
      return controller;
  }
  g_assert_not_reached();
}

static void
drag(Fixture *f, double x, double y, double dx, double dy)
{
  GtkEventController *gesture = controller_of(f, GTK_TYPE_GESTURE_DRAG);
  g_signal_emit_by_name(gesture, "drag-begin", x, y);
  for (int k = 1; k <= 8; k++) {
    g_signal_emit_by_name(gesture, "drag-update", dx * k / 8, dy * k / 8);
    turn_for(20);
  }
  g_signal_emit_by_name(gesture, "drag-end", dx, dy);
  GtkEventController *click = controller_of(f, GTK_TYPE_GESTURE_CLICK);
  g_signal_emit_by_name(click, "released", 1, x + dx, y + dy);
}

static void
click(Fixture *f, int n_press, double x, double y)
{
  GtkEventController *gesture = controller_of(f, GTK_TYPE_GESTURE_DRAG);
  g_signal_emit_by_name(gesture, "drag-begin", x, y);
  g_signal_emit_by_name(gesture, "drag-end", 0.0, 0.0);
  g_signal_emit_by_name(controller_of(f, GTK_TYPE_GESTURE_CLICK), "released", n_press, x, y);
}

static bool
press_key(Fixture *f, guint key, GdkModifierType modifiers)
{
  gboolean is_used = FALSE;
  g_signal_emit_by_name(controller_of(f, GTK_TYPE_EVENT_CONTROLLER_KEY), "key-pressed", key, 0,
                        modifiers, &is_used);
  return is_used;
}

static bool
is_shown(Fixture *f, size_t node)
{
  return cwu_document_peek_pruned(f->document)->node_mask[node];
}

/* The feature with most edges: it has inputs to walk to. */
static int64_t
busiest(Fixture *f)
{
  const CwuScene *scene = cwu_graph_view_shown(f->view)->scene;
  uint32_t most = 0;
  int64_t node = -1;
  for (size_t i = 0; i < scene->n_nodes; i++) {
    uint32_t n = scene->in_start[i + 1] - scene->in_start[i];
    if (scene->nodes[i].kind != CW_NODE_FEATURE || n <= most)
      continue;
    most = n;
    node = scene->nodes[i].node;
  }
  g_assert_cmpint(node, >=, 0);
  return node;
}

static CwuPoint
place_of(Fixture *f, int64_t node)
{
  CwuPoint at;
  g_assert_true(cwu_graph_view_locate(f->view, node, &at.x, &at.y));
  return at;
}

static size_t
n_places(Fixture *f)
{
  size_t n;
  cw_document_state_peek_places(cwu_document_peek_state(f->document), &n);
  return n;
}

static void
show_force(Fixture *f)
{
  cwu_document_set_view(f->document, "force");
  turn_until_complete(f);
}

/* ---- two views ----------------------------------------------------------------------------
 */

static void
test_switches_and_back(Fixture *f, gconstpointer data)
{
  g_autofree CwuPoint *before = g_new(CwuPoint, n_nodes(f));
  size_t n_moved = 0;
  for (size_t i = 0; i < n_nodes(f); i++)
    before[i] = is_shown(f, i) ? place_of(f, (int64_t)i) : (CwuPoint){ 0, 0 };
  show_force(f);
  CwuRect plot = cwu_graph_view_plot(f->view);
  for (size_t i = 0; i < n_nodes(f); i++) {
    if (!is_shown(f, i))
      continue;
    CwuPoint now = place_of(f, (int64_t)i);
    g_assert_true(cwu_rect_contains(&plot, now.x, now.y));
    n_moved += hypot(now.x - before[i].x, now.y - before[i].y) > 5;
  }
  g_assert_cmpuint(n_moved, >, n_nodes(f) / 2);
  cwu_document_set_view(f->document, "layers");
  turn_until_complete(f);
  for (size_t i = 0; i < n_nodes(f); i++) {
    if (!is_shown(f, i))
      continue;
    CwuPoint now = place_of(f, (int64_t)i);
    g_assert_cmpfloat(hypot(now.x - before[i].x, now.y - before[i].y), <, 1e-3);
  }
}

/* Each view is seen as it was left. */
static void
test_views_keep_their_viewpoints(Fixture *f, gconstpointer data)
{
  CwuViewpoint near = { 4, 0.6, 0.4 };
  cwu_document_set_viewpoint(f->document, &near);
  show_force(f);
  CwuViewpoint now = cwu_document_get_viewpoint(f->document);
  g_assert_true(cwu_viewpoint_equal(&now, &CWU_VIEWPOINT_ALL));
  cwu_document_set_view(f->document, "layers");
  now = cwu_document_get_viewpoint(f->document);
  g_assert_true(cwu_viewpoint_equal(&now, &near));
}

static void
test_reduced_motion_has_no_transition(Fixture *f, gconstpointer data)
{
  g_settings_set_string(cwu_settings_peek(), "reduced-motion", "always");
  cwu_document_set_view(f->document, "force");
  gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (!cwu_graph_view_is_complete(f->view)) {
    g_assert_cmpint(f->view->transition.start_us, ==, 0);
    g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(g_get_monotonic_time(), <, end);
  }
}

/* Kept nodes move less than a diameter by one threshold step. */
static void
test_threshold_step_keeps_places(Fixture *f, gconstpointer data)
{
  show_force(f);
  g_autofree CwuPoint *before = g_new(CwuPoint, n_nodes(f));
  for (size_t i = 0; i < n_nodes(f); i++)
    before[i] = is_shown(f, i) ? place_of(f, (int64_t)i) : (CwuPoint){ 0, 0 };
  /* What is drawn of a node is a little less than its disc. */
  double diameter = 2 * f->view->plane->radius / 0.8;
  cw_document_set_thresholds(cwu_document_peek_core(f->document), 0.98, 1);
  cwu_document_sync(f->document);
  turn_until_complete(f);
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  g_assert_cmpuint(pruned->n_kept_nodes, <, pruned->n_nodes);
  for (size_t i = 0; i < n_nodes(f); i++) {
    if (!pruned->node_mask[i])
      continue;
    CwuPoint now = place_of(f, (int64_t)i);
    g_assert_cmpfloat(hypot(now.x - before[i].x, now.y - before[i].y), <=, diameter);
  }
}

/* CPU of the whole process while nothing happens: a thread that stepped on, or a canvas that
 * drew on, would take all of it. */
static void
test_rests(Fixture *f, gconstpointer data)
{
  struct timespec t;
  show_force(f);
  turn_for(300);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  double start = (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
  turn_for(500);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  g_assert_cmpfloat((double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6 - start, <, 50);
}

/* ---- dragging -----------------------------------------------------------------------------
 */

static void
test_dropped_node_stays(Fixture *f, gconstpointer data)
{
  show_force(f);
  const int64_t node = busiest(f);
  CwDocument *core = cwu_document_peek_core(f->document);
  size_t steps = cw_document_get_n_steps(core);
  CwuPoint from = place_of(f, node);
  double dx = from.x < 450 ? 60 : -60;
  drag(f, from.x, from.y, dx, 30);
  g_assert_cmpuint(n_places(f), ==, 1);
  g_assert_cmpuint(cw_document_get_n_steps(core), ==, steps + 1);
  g_assert_cmpint(cwu_document_get_selected(f->document), ==, -1);
  turn_until_complete(f);
  size_t n;
  const CwDocumentPlace place =
      *cw_document_state_peek_places(cwu_document_peek_state(f->document), &n);
  g_assert_cmpint(place.node, ==, node);
  CwuPoint there = place_of(f, node);
  /* The picture may be fitted anew after the drop. */
  double diameter = 2 * f->view->plane->radius / 0.8;
  g_assert_cmpfloat(hypot(there.x - from.x - dx, there.y - from.y - 30), <, 2 * diameter);
  /* Undo lets it go, redo takes it back there. */
  cw_document_undo(core);
  cwu_document_sync(f->document);
  turn_until_complete(f);
  g_assert_cmpuint(n_places(f), ==, 0);
  cw_document_redo(core);
  cwu_document_sync(f->document);
  turn_until_complete(f);
  g_assert_cmpuint(n_places(f), ==, 1);
}

static void
test_clicks_free(Fixture *f, gconstpointer data)
{
  show_force(f);
  int64_t node = busiest(f);
  for (int way = 0; way < 2; way++) {
    CwuPoint at = place_of(f, node);
    drag(f, at.x, at.y, at.x < 450 ? 50 : -50, 20);
    turn_until_complete(f);
    g_assert_cmpuint(n_places(f), ==, 1);
    at = place_of(f, node);
    if (way == 0) {
      click(f, 2, at.x, at.y);
    } else {
      GtkEventController *secondary = gesture_of(f, GDK_BUTTON_SECONDARY);
      g_signal_emit_by_name(secondary, "released", 1, at.x, at.y);
    }
    g_assert_cmpuint(n_places(f), ==, 0);
    turn_until_complete(f);
  }
}

static void
test_pan_stays_in_the_picture(Fixture *f, gconstpointer data)
{
  CwuViewpoint near = { 3, 0.5, 0.5 };
  cwu_document_set_viewpoint(f->document, &near);
  turn_until_complete(f);
  int64_t selected = cwu_document_get_selected(f->document);
  drag(f, 450, 320, -90, 40);
  CwuViewpoint now = cwu_document_get_viewpoint(f->document);
  g_assert_cmpfloat(now.centre_x, >, near.centre_x);
  g_assert_cmpfloat(now.centre_y, <, near.centre_y);
  g_assert_cmpint(cwu_document_get_selected(f->document), ==, selected);
}

static void
test_notes(Fixture *f, gconstpointer data)
{
  CwDocument *core = cwu_document_peek_core(f->document);
  uint64_t id = cw_document_add_note(core, -1, 0.2, 0.2, "look here");
  cwu_document_sync(f->document);
  turn_for(150);
  g_assert_cmpuint(f->view->notes->len, ==, 1);
  CwuRect card = g_array_index(f->view->notes, CwuNoteCard, 0).rect;
  size_t steps = cw_document_get_n_steps(core);
  drag(f, card.x + 5, card.y + 5, 80, 40);
  g_assert_cmpuint(cw_document_get_n_steps(core), ==, steps + 1);
  turn_for(150);
  CwuRect now = g_array_index(f->view->notes, CwuNoteCard, 0).rect;
  g_assert_cmpfloat(fabs(now.x - card.x - 80), <, 1);
  g_assert_cmpfloat(fabs(now.y - card.y - 40), <, 1);
  click(f, 2, now.x + 5, now.y + 5);
  g_assert_cmpuint(f->edited, ==, id);
  CwuPoint node = place_of(f, busiest(f));
  drag(f, now.x + 5, now.y + 5, node.x - now.x - 5, node.y - now.y - 5);
  const CwDocumentNote *note =
      cw_document_state_peek_note(cwu_document_peek_state(f->document), 0);
  g_assert_cmpint(note->node, >=, 0);
}

/* ---- clicks and keys ----------------------------------------------------------------------
 */

static void
test_click_selects(Fixture *f, gconstpointer data)
{
  CwuPoint at = place_of(f, busiest(f));
  click(f, 1, at.x, at.y);
  int64_t selected = cwu_document_get_selected(f->document);
  g_assert_cmpint(selected, >=, 0);
  CwuPoint there = place_of(f, selected);
  g_assert_cmpfloat(hypot(there.x - at.x, there.y - at.y), <, 1);
  click(f, 1, at.x, at.y);
  g_assert_cmpint(cwu_document_get_selected(f->document), ==, -1);
}

static void
test_keys_walk(Fixture *f, gconstpointer data)
{
  g_assert_true(press_key(f, GDK_KEY_Down, 0));
  g_assert_cmpint(cwu_document_get_selected(f->document), >=, 0);
  int64_t first = busiest(f);
  cwu_document_set_selected(f->document, first);
  g_assert_true(press_key(f, GDK_KEY_Down, GDK_SHIFT_MASK));
  int64_t input = cwu_document_get_selected(f->document);
  g_assert_cmpint(input, !=, first);
  g_assert_true(press_key(f, GDK_KEY_Right, GDK_SHIFT_MASK));
  int64_t weaker = cwu_document_get_selected(f->document);
  g_assert_cmpint(weaker, !=, input);
  g_assert_true(press_key(f, GDK_KEY_Left, GDK_SHIFT_MASK));
  g_assert_cmpint(cwu_document_get_selected(f->document), ==, input);
  cwu_document_set_selected(f->document, -1);
  g_assert_false(press_key(f, GDK_KEY_Return, 0));
  cwu_document_set_hovered(f->document, first);
  g_assert_true(press_key(f, GDK_KEY_Return, 0));
  g_assert_cmpint(cwu_document_get_selected(f->document), ==, first);
  g_assert_false(press_key(f, GDK_KEY_Left, GDK_CONTROL_MASK));
}

static void
test_zoom_to_selection(Fixture *f, gconstpointer data)
{
  cwu_document_set_selected(f->document, busiest(f));
  turn_until_complete(f);
  cwu_graph_view_zoom_to_selection(f->view);
  const CwuPictureState *state = cwu_graph_view_shown(f->view);
  const CwuFocus *focus = cwu_graph_view_focus(f->view, state);
  CwuRect plot = cwu_graph_view_plot(f->view);
  for (size_t k = 0; k < focus->n_related; k++) {
    CwuPoint at = place_of(f, state->scene->nodes[focus->order[k]].node);
    g_assert_true(cwu_rect_contains(&plot, at.x, at.y));
  }
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test)(Fixture *f, gconstpointer data);
  } tests[] = {
    { "switches-and-back", test_switches_and_back },
    { "views-keep-their-viewpoints", test_views_keep_their_viewpoints },
    { "reduced-motion-has-no-transition", test_reduced_motion_has_no_transition },
    { "threshold-step-keeps-places", test_threshold_step_keeps_places },
    { "rests", test_rests },
    { "dropped-node-stays", test_dropped_node_stays },
    { "clicks-free", test_clicks_free },
    { "pan-stays-in-the-picture", test_pan_stays_in_the_picture },
    { "notes", test_notes },
    { "click-selects", test_click_selects },
    { "keys-walk", test_keys_walk },
    { "zoom-to-selection", test_zoom_to_selection },
  };
  if (!widget_test_init(&argc, &argv))
    return 0;
  for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
    g_autofree char *path = g_strdup_printf("/ui/graph-view/%s", tests[i].path);
    g_test_add(path, Fixture, NULL, set_up, tests[i].test, tear_down);
  }
  return g_test_run();
}
