/* graph-view.c - see graph-view.h. The widget, what it follows of its document, and the way
 * from one layout to another; a frame is in graph-view-draw.c, pointer and keys in
 * graph-view-input.c. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "desktop/settings.h"
#include "desktop/theme-watch.h"
#include "graph/graph-view-private.h"
#include "graph/minimap.h"
#include "graph/type-bin.h"
#include "picture/node-name.h"

#define TRANSITION_MS 320

G_DEFINE_TYPE(CwuGraphView, cwu_graph_view, GTK_TYPE_WIDGET)

enum { PROP_DOCUMENT = 1, N_PROPS };
enum { FAILED, EDIT_NOTE, N_SIGNALS };
static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* ---- what is seen ---------------------------------------------------------------------- */

CwuRect
cwu_graph_view_whole(CwuGraphView *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  return (CwuRect){ 0, 0, gtk_widget_get_width(widget), gtk_widget_get_height(widget) };
}

double
cwu_graph_view_scale(CwuGraphView *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  return gtk_widget_get_scale_factor(widget) * cwu_type_scale(widget);
}

CwuRect
cwu_graph_view_plot(CwuGraphView *self)
{
  CwuRect all = cwu_graph_view_whole(self);
  return cwu_painter_plot_for(self->kind, &all);
}

CwuCamera
cwu_graph_view_camera(CwuGraphView *self)
{
  CwuRect plot = cwu_graph_view_plot(self);
  CwuViewpoint viewpoint = cwu_document_get_viewpoint(self->document);
  return cwu_camera_at(&viewpoint, &plot);
}

const CwuPictureState *
cwu_graph_view_shown(CwuGraphView *self)
{
  const CwuPictureState *state = cwu_picture_runner_peek(self->runner);
  bool is_current = self->document != NULL && state->layout != NULL &&
                    state->scene->graph == cwu_document_peek_graph(self->document);
  return is_current ? state : NULL;
}

/* Until the layout that is wanted is there, the one that is there stays as it was seen; one for
 * another size is stretched. */
CwuCamera
cwu_graph_view_shown_camera(CwuGraphView *self, const CwuPictureState *state)
{
  if (state->layout->kind != self->kind && self->transition.scene != NULL)
    return self->transition.camera;
  CwuCamera camera = cwu_graph_view_camera(self);
  if (state->layout->width != camera.plot.width)
    camera.zoom *= camera.plot.width / state->layout->width;
  return camera;
}

const CwuFocus *
cwu_graph_view_focus(CwuGraphView *self, const CwuPictureState *state)
{
  int64_t selected = cwu_scene_find(state->scene, cwu_document_get_selected(self->document));
  bool fits = self->focus != NULL && self->focus_scene == state->scene &&
              self->focus->selected == selected;
  if (!fits) {
    g_clear_pointer(&self->focus, cwu_focus_free);
    g_clear_pointer(&self->focus_scene, cwu_scene_unref);
    if (selected >= 0) {
      self->focus = cwu_focus_new(state->scene, selected);
      self->focus_scene = cwu_scene_ref(state->scene);
    }
  }
  return self->focus;
}

/* The force driver's layout for the present size. */
static void
update_plane(CwuGraphView *self)
{
  CwuRect plot = cwu_graph_view_plot(self);
  g_clear_pointer(&self->plane, cwu_layout_unref);
  if (self->kind == CWU_LAYOUT_PLANE)
    self->plane = cwu_force_driver_dup_layout(self->force, plot.width, plot.height);
}

void
cwu_graph_view_want(CwuGraphView *self)
{
  CwuRect all = cwu_graph_view_whole(self);
  if (self->document == NULL || cwu_document_peek_graph(self->document) == NULL ||
      all.width < 2 || all.height < 2)
    return;
  CwuCamera camera = cwu_graph_view_camera(self);
  if (self->plane != NULL &&
      (self->plane->width != camera.plot.width || self->plane->height != camera.plot.height))
    update_plane(self);
  CwuPictureWish wish = {
    .graph = cwu_document_peek_graph(self->document),
    .pruned = cwu_document_peek_pruned(self->document),
    .graph_generation = self->graph_generation,
    .camera = camera,
    .scale = cwu_graph_view_scale(self),
    .theme = cwu_theme_kind_now(),
    .selected = cwu_document_get_selected(self->document),
    .kind = self->kind,
    .plane = self->plane,
    .plane_scene = self->plane != NULL ? cwu_force_driver_peek_scene(self->force) : NULL,
    .is_moving = self->kind == CWU_LAYOUT_PLANE && !cwu_force_driver_is_settled(self->force),
    .wants_overview = cwu_minimap_is_shown(&camera)
  };
  cwu_picture_runner_want(self->runner, &wish);
}

/* ---- from one layout to another --------------------------------------------------------- */

static void
end_transition(CwuGraphView *self)
{
  g_clear_pointer(&self->transition.scene, cwu_scene_unref);
  g_clear_pointer(&self->transition.from, g_free);
  self->transition.start_us = 0;
  if (self->tick != 0)
    gtk_widget_remove_tick_callback(GTK_WIDGET(self), self->tick);
  self->tick = 0;
}

/* Remembers where the nodes are now; the way begins when the other layout is there. */
static void
prepare_transition(CwuGraphView *self)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  CwuTransition *transition = &self->transition;
  end_transition(self);
  if (state == NULL)
    return;
  transition->camera = cwu_graph_view_shown_camera(self, state);
  transition->scene = cwu_scene_ref(state->scene);
  transition->from = g_new(CwuPoint, state->scene->n_nodes + 1);
  for (size_t i = 0; i < state->scene->n_nodes; i++)
    transition->from[i] = cwu_layout_at(state->layout, &transition->camera, i);
}

double
cwu_graph_view_transition_done(CwuGraphView *self)
{
  const CwuTransition *transition = &self->transition;
  if (transition->scene == NULL || transition->start_us == 0)
    return 1;
  GdkFrameClock *clock = gtk_widget_get_frame_clock(GTK_WIDGET(self));
  gint64 now = clock != NULL ? gdk_frame_clock_get_frame_time(clock) : g_get_monotonic_time();
  double done = (double)(now - transition->start_us) / (TRANSITION_MS * 1000.0);
  return CLAMP(done, 0, 1);
}

static gboolean
tick_cb(GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  CwuGraphView *self = CWU_GRAPH_VIEW(widget);
  gtk_widget_queue_draw(widget);
  if (cwu_graph_view_transition_done(self) < 1)
    return G_SOURCE_CONTINUE;
  self->tick = 0;
  end_transition(self);
  return G_SOURCE_REMOVE;
}

static void
begin_transition(CwuGraphView *self)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  if (self->transition.scene == NULL || self->transition.start_us != 0 || state == NULL ||
      state->layout->kind != self->kind)
    return;
  GdkFrameClock *clock = gtk_widget_get_frame_clock(GTK_WIDGET(self));
  if (clock == NULL || cwu_settings_get_reduced_motion()) {
    end_transition(self);
    return;
  }
  self->transition.start_us = gdk_frame_clock_get_frame_time(clock);
  self->tick = gtk_widget_add_tick_callback(GTK_WIDGET(self), tick_cb, NULL, NULL);
}

static void
update_watched(CwuGraphView *self)
{
  bool is_seen = gtk_widget_get_mapped(GTK_WIDGET(self)) && self->kind == CWU_LAYOUT_PLANE;
  cwu_force_driver_set_watched(self->force, is_seen);
}

/* The forces lay out the newest scene. */
static void
follow_scene(CwuGraphView *self)
{
  CwuScene *newest = cwu_picture_runner_peek(self->runner)->newest;
  if (self->kind != CWU_LAYOUT_PLANE || self->document == NULL || newest == NULL ||
      newest->graph != cwu_document_peek_graph(self->document) ||
      newest == cwu_force_driver_peek_scene(self->force))
    return;
  g_clear_pointer(&self->plane, cwu_layout_unref);
  cwu_force_driver_set_scene(self->force, newest, cwu_document_peek_state(self->document));
}

/* Each view keeps its own viewpoint. */
static void
set_kind(CwuGraphView *self, CwuLayoutKind kind)
{
  if (self->kind == kind)
    return;
  CwuViewpoint now = cwu_document_get_viewpoint(self->document), other = self->other;
  prepare_transition(self);
  self->kind = kind;
  self->other = now;
  self->grab.kind = CWU_GRAB_NONE;
  cwu_force_driver_set_reduced_motion(self->force, cwu_settings_get_reduced_motion());
  update_watched(self);
  update_plane(self);
  cwu_document_set_viewpoint(self->document, &other);
  cwu_graph_view_want(self);
  follow_scene(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* ---- the runners ------------------------------------------------------------------------ */

static void
runner_changed_cb(const GError *error, gpointer user_data)
{
  CwuGraphView *self = user_data;
  if (error != NULL)
    g_signal_emit(self, signals[FAILED], 0, error->message);
  follow_scene(self);
  begin_transition(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
moved_cb(const GError *error, gpointer user_data)
{
  CwuGraphView *self = user_data;
  if (error != NULL) {
    g_signal_emit(self, signals[FAILED], 0, error->message);
    return;
  }
  if (self->kind != CWU_LAYOUT_PLANE || self->document == NULL)
    return;
  update_plane(self);
  cwu_graph_view_want(self);
}

static gboolean
cards_rest_cb(gpointer user_data)
{
  gtk_widget_queue_draw(GTK_WIDGET(user_data));
  return G_SOURCE_REMOVE;
}

/* ---- what is said of it ----------------------------------------------------------------- */

static char *
dup_strongest_input(CwuGraphView *self, const CwuPictureState *state, int64_t selected)
{
  const CwuScene *scene = state->scene;
  const CwuSceneEdge *best = NULL;
  for (uint32_t e = scene->in_start[selected]; e < scene->in_start[selected + 1]; e++)
    if (best == NULL || fabsf(scene->edges[e].share) > fabsf(best->share))
      best = &scene->edges[e];
  if (best == NULL)
    return g_strdup(_("Nothing in the picture feeds it."));
  g_autofree char *name =
      cwu_document_dup_node_name(self->document, scene->nodes[best->source].node);
  /* Translators: a node's name, and its share of the input in percent. */
  return g_strdup_printf(best->weight < 0
                             ? _("Most of its input comes from %s: takes away %.0f%%.")
                             : _("Most of its input comes from %s: adds %.0f%%."),
                         name, 100 * fabs((double)best->share));
}

/* A drawn node is no accessible object: the canvas says what is selected. */
static void
describe(CwuGraphView *self)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  int64_t node = self->document != NULL ? cwu_document_get_selected(self->document) : -1;
  int64_t i = state != NULL ? cwu_scene_find(state->scene, node) : -1;
  g_autofree char *words = NULL;
  if (i >= 0) {
    g_autofree char *name = cwu_document_dup_node_name(self->document, (size_t)node);
    g_autofree char *place = cwu_node_dup_place(state->scene->graph, (size_t)node);
    g_autofree char *input = dup_strongest_input(self, state, i);
    words = g_strdup_printf("%s, %s. %s", name, place, input);
  }
  gtk_accessible_update_property(
      GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
      self->kind == CWU_LAYOUT_LAYERS ? _("Attribution graph: tokens across, layers up")
                                      : _("Attribution graph: related nodes together"),
      GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
      words != NULL ? words : _("No node is selected. Arrow keys walk from node to node."), -1);
}

/* ---- the document ---------------------------------------------------------------------- */

static void
graph_changed_cb(CwuGraphView *self)
{
  self->graph_generation++;
  cwu_graph_view_want(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
reveal_cb(CwuGraphView *self, gint64 node)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  int64_t i = state != NULL ? cwu_scene_find(state->scene, node) : -1;
  if (i < 0 || state->layout->kind != self->kind)
    return;
  CwuRect plot = cwu_graph_view_plot(self);
  CwuViewpoint now = cwu_document_get_viewpoint(self->document);
  now = cwu_viewpoint_reveal(&now, &plot, (double)state->layout->x[i],
                             (double)state->layout->y[i]);
  cwu_document_set_viewpoint(self->document, &now);
}

static void
changed_cb(CwuGraphView *self, guint parts)
{
  const guint drawn =
      CW_DOCUMENT_PINS | CW_DOCUMENT_LABELS | CW_DOCUMENT_NOTES | CW_DOCUMENT_PLACES;
  if (parts & (CW_DOCUMENT_PLACES | CW_DOCUMENT_GRAVITY))
    cwu_force_driver_set_state(self->force, cwu_document_peek_state(self->document));
  if (parts & drawn)
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
seen_changed_cb(CwuGraphView *self)
{
  cwu_graph_view_want(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
selection_changed_cb(CwuGraphView *self)
{
  seen_changed_cb(self);
  describe(self);
}

/* The table is no picture: the canvas keeps the one it had. */
static void
view_changed_cb(CwuGraphView *self)
{
  const char *view = cwu_document_peek_view(self->document);
  if (strcmp(view, "force") == 0)
    set_kind(self, CWU_LAYOUT_PLANE);
  else if (strcmp(view, "layers") == 0)
    set_kind(self, CWU_LAYOUT_LAYERS);
  describe(self);
}

static void
follow_document(CwuGraphView *self)
{
  static const struct {
    const char *signal;
    void (*callback)(CwuGraphView *self);
  } followed[] = { { "graph-changed", graph_changed_cb },
                   { "selection-changed", selection_changed_cb },
                   { "viewpoint-changed", seen_changed_cb },
                   { "notify::view", view_changed_cb } };
  CwuDocument *document = self->document;
  for (size_t i = 0; i < G_N_ELEMENTS(followed); i++)
    g_signal_connect_swapped(document, followed[i].signal, G_CALLBACK(followed[i].callback),
                             self);
  g_signal_connect_swapped(document, "changed", G_CALLBACK(changed_cb), self);
  g_signal_connect_swapped(document, "reveal", G_CALLBACK(reveal_cb), self);
  g_signal_connect_swapped(document, "hover-changed", G_CALLBACK(gtk_widget_queue_draw), self);
}

void
cwu_graph_view_set_document(CwuGraphView *self, CwuDocument *document)
{
  if (self->document == document)
    return;
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data(self->document, self);
  g_set_object(&self->document, document);
  self->graph_generation++;
  self->grab.kind = CWU_GRAB_NONE;
  end_transition(self);
  if (document != NULL) {
    follow_document(self);
    view_changed_cb(self);
    cwu_graph_view_want(self);
  }
  gtk_widget_queue_draw(GTK_WIDGET(self));
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_DOCUMENT]);
}

/* ---- what others ask -------------------------------------------------------------------- */

void
cwu_graph_view_zoom(CwuGraphView *self, double factor)
{
  if (self->document == NULL)
    return;
  CwuRect plot = cwu_graph_view_plot(self);
  CwuViewpoint now = cwu_document_get_viewpoint(self->document);
  now = cwu_viewpoint_zoom(&now, &plot, plot.x + plot.width / 2, plot.y + plot.height / 2,
                           factor);
  cwu_document_set_viewpoint(self->document, &now);
}

void
cwu_graph_view_zoom_to_selection(CwuGraphView *self)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  const CwuFocus *focus = state != NULL ? cwu_graph_view_focus(self, state) : NULL;
  if (focus == NULL || state->layout->kind != self->kind)
    return;
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  for (size_t k = 0; k < focus->n_related; k++) {
    double x = (double)state->layout->x[focus->order[k]];
    double y = (double)state->layout->y[focus->order[k]];
    x0 = MIN(x0, x);
    x1 = MAX(x1, x);
    y0 = MIN(y0, y);
    y1 = MAX(y1, y);
  }
  CwuRect part = { x0, y0, x1 - x0, y1 - y0 }, plot = cwu_graph_view_plot(self);
  CwuViewpoint there = cwu_viewpoint_fit(&part, &plot);
  cwu_document_set_viewpoint(self->document, &there);
}

gboolean
cwu_graph_view_is_complete(CwuGraphView *self)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  bool is_at_rest = self->kind != CWU_LAYOUT_PLANE || cwu_force_driver_is_settled(self->force);
  return state != NULL && state->is_complete && is_at_rest && self->transition.scene == NULL;
}

gboolean
cwu_graph_view_is_at_rest(CwuGraphView *self)
{
  return cwu_graph_view_is_complete(self) && self->cards.timeout == 0;
}

float *
cwu_graph_view_dup_places(CwuGraphView *self)
{
  return self->kind == CWU_LAYOUT_PLANE ? cwu_force_driver_dup_places(self->force) : NULL;
}

gboolean
cwu_graph_view_locate(CwuGraphView *self, int64_t node, double *x, double *y)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  int64_t i = state != NULL ? cwu_scene_find(state->scene, node) : -1;
  if (i < 0)
    return FALSE;
  CwuCamera camera = cwu_graph_view_shown_camera(self, state);
  CwuPoint at = cwu_layout_at(state->layout, &camera, (size_t)i);
  *x = at.x;
  *y = at.y;
  return TRUE;
}

gboolean
cwu_graph_view_locate_note(CwuGraphView *self, uint64_t note, GdkRectangle *card)
{
  for (guint i = 0; self->notes != NULL && i < self->notes->len; i++) {
    const CwuNoteCard *drawn = &g_array_index(self->notes, CwuNoteCard, i);
    if (drawn->id != note)
      continue;
    *card = (GdkRectangle){ (int)drawn->rect.x, (int)drawn->rect.y, (int)drawn->rect.width,
                            (int)drawn->rect.height };
    return TRUE;
  }
  return FALSE;
}

void
cwu_graph_view_place_of(CwuGraphView *self, double x, double y, double *share_x,
                        double *share_y)
{
  CwuCamera camera = cwu_graph_view_camera(self);
  CwuPoint at = cwu_camera_to_layout(&camera, x, y);
  *share_x = CLAMP(at.x / camera.plot.width, 0, 1);
  *share_y = CLAMP(at.y / camera.plot.height, 0, 1);
}

void
cwu_graph_view_edit_note(CwuGraphView *self, uint64_t note)
{
  g_signal_emit(self, signals[EDIT_NOTE], 0, (guint64)note);
}

/* ---- the object ------------------------------------------------------------------------ */

static void
cwu_graph_view_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_DOCUMENT)
    cwu_graph_view_set_document(CWU_GRAPH_VIEW(object), g_value_get_object(value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
cwu_graph_view_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_DOCUMENT)
    g_value_set_object(value, CWU_GRAPH_VIEW(object)->document);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void
cwu_graph_view_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  cwu_graph_view_want(CWU_GRAPH_VIEW(widget));
}

static void
cwu_graph_view_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                       int *minimum, int *natural, int *minimum_baseline, int *natural_baseline)
{
  double usual = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 220;
  *minimum = (int)(usual / cwu_type_scale(widget));
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 900 : 640;
}

static void
cwu_graph_view_map(GtkWidget *widget)
{
  GTK_WIDGET_CLASS(cwu_graph_view_parent_class)->map(widget);
  update_watched(CWU_GRAPH_VIEW(widget));
}

static void
cwu_graph_view_unmap(GtkWidget *widget)
{
  GTK_WIDGET_CLASS(cwu_graph_view_parent_class)->unmap(widget);
  update_watched(CWU_GRAPH_VIEW(widget));
}

void
cwu_graph_view_set_cover(CwuGraphView *self, GtkWidget *cover)
{
  g_set_weak_pointer(&self->cover, cover);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
cwu_graph_view_dispose(GObject *object)
{
  CwuGraphView *self = CWU_GRAPH_VIEW(object);
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data(self->document, self);
  end_transition(self);
  g_clear_weak_pointer(&self->cover);
  g_clear_object(&self->document);
  g_clear_pointer(&self->runner, cwu_picture_runner_free);
  g_clear_pointer(&self->force, cwu_force_driver_free);
  g_clear_pointer(&self->plane, cwu_layout_unref);
  g_clear_pointer(&self->focus, cwu_focus_free);
  g_clear_pointer(&self->focus_scene, cwu_scene_unref);
  g_clear_pointer(&self->notes, g_array_unref);
  cwu_card_keeper_clear(&self->cards);
  cwu_graph_view_clear_frame(self);
  cwu_frame_image_clear(&self->image);
  cwu_frame_memory_clear(&self->memory);
  g_clear_pointer(&self->ground, cwu_canvas_free);
  g_clear_pointer(&self->front, cwu_canvas_free);
  g_clear_pointer(&self->hover, cwu_canvas_free);
  G_OBJECT_CLASS(cwu_graph_view_parent_class)->dispose(object);
}

static void
cwu_graph_view_class_init(CwuGraphViewClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  object_class->set_property = cwu_graph_view_set_property;
  object_class->get_property = cwu_graph_view_get_property;
  object_class->dispose = cwu_graph_view_dispose;
  widget_class->snapshot = cwu_graph_view_snapshot;
  widget_class->measure = cwu_graph_view_measure;
  widget_class->size_allocate = cwu_graph_view_size_allocate;
  widget_class->map = cwu_graph_view_map;
  widget_class->unmap = cwu_graph_view_unmap;
  properties[PROP_DOCUMENT] =
      g_param_spec_object("document", NULL, NULL, CWU_TYPE_DOCUMENT,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties(object_class, N_PROPS, properties);
  signals[FAILED] = g_signal_new("failed", CWU_TYPE_GRAPH_VIEW, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[EDIT_NOTE] = g_signal_new("edit-note", CWU_TYPE_GRAPH_VIEW, G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
  gtk_widget_class_set_css_name(widget_class, "graphview");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
cwu_graph_view_init(CwuGraphView *self)
{
  static const char *const styles[] = { "notify::dark", "notify::high-contrast" };
  GtkWidget *widget = GTK_WIDGET(self);
  self->runner = cwu_picture_runner_new(runner_changed_cb, self);
  self->force = cwu_force_driver_new(moved_cb, self);
  self->other = CWU_VIEWPOINT_ALL;
  self->edge_walk.at = -1;
  cwu_card_keeper_init(&self->cards, cards_rest_cb, self);
  gtk_widget_set_focusable(widget, TRUE);
  gtk_widget_set_overflow(widget, GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_hexpand(widget, TRUE);
  gtk_widget_set_vexpand(widget, TRUE);
  for (size_t i = 0; i < G_N_ELEMENTS(styles); i++)
    g_signal_connect_object(adw_style_manager_get_default(), styles[i],
                            G_CALLBACK(seen_changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_swapped(self, "notify::scale-factor", G_CALLBACK(seen_changed_cb), self);
  update_watched(self);
  describe(self);
  cwu_graph_view_add_controllers(self);
}

CwuGraphView *
cwu_graph_view_new(void)
{
  return g_object_new(CWU_TYPE_GRAPH_VIEW, NULL);
}
