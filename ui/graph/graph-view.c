/* graph-view.c - see graph-view.h.
 *
 * A frame is two textures (all edges, edges of the selection; made by the runner, moved and
 * stretched until newer ones arrive) between two cairo nodes (ground; nodes and words). The
 * main thread never strokes an edge. */
#include "graph/graph-view.h"

#include <math.h>

#include "graph/pick.h"
#include "graph/picture-runner.h"
#include "window/theme-watch.h"

#define PICK_REACH_PX 18.0
#define WHEEL_STEP    1.2
#define DRAG_MIN_PX   4.0

struct _CwuGraphView {
  GtkWidget parent_instance;
  CwuDocument *document;
  CwuPictureRunner *runner;
  guint graph_generation;
  CwuCanvas *ground, *front; /* remember shaped text and stamps between frames */
  double canvas_scale;
  CwuFocus *focus; /* of focus_scene */
  CwuScene *focus_scene;
  CwuViewpoint drag_start, pinch_start;
  double pointer_x, pointer_y;
  bool is_dragging, was_dragged; /* now; since the last press */
};

G_DEFINE_TYPE(CwuGraphView, cwu_graph_view, GTK_TYPE_WIDGET)

enum { PROP_DOCUMENT = 1, N_PROPS };
enum { FAILED, N_SIGNALS };
static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* ---- what is seen ---------------------------------------------------------------------- */

static CwuRect
whole(CwuGraphView *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  return (CwuRect){ 0, 0, gtk_widget_get_width(widget), gtk_widget_get_height(widget) };
}

static CwuRect
plot_of(CwuGraphView *self)
{
  CwuRect all = whole(self);
  return cwu_painter_plot(&all);
}

static CwuCamera
camera_of(CwuGraphView *self)
{
  CwuRect plot = plot_of(self);
  CwuViewpoint viewpoint = cwu_document_get_viewpoint(self->document);
  return cwu_camera_at(&viewpoint, &plot);
}

/* The newest scene and layout, if they are of the document's present graph. */
static const CwuPictureState *
state_of(CwuGraphView *self)
{
  const CwuPictureState *state = cwu_picture_runner_peek(self->runner);
  bool is_current = state->layout != NULL && state->graph_generation == self->graph_generation;
  return is_current && self->document != NULL ? state : NULL;
}

/* A layout for another size is stretched until the right one arrives. */
static CwuCamera
camera_for_layout(CwuGraphView *self, const CwuLayout *layout)
{
  CwuCamera camera = camera_of(self);
  if (layout->width != camera.plot.width)
    camera.zoom *= camera.plot.width / layout->width;
  return camera;
}

static void
want(CwuGraphView *self)
{
  CwuRect all = whole(self);
  if (self->document == NULL || cwu_document_peek_graph(self->document) == NULL ||
      all.width < 2 || all.height < 2)
    return;
  CwuPictureWish wish = { .graph = cwu_document_peek_graph(self->document),
                          .pruned = cwu_document_peek_pruned(self->document),
                          .graph_generation = self->graph_generation,
                          .camera = camera_of(self),
                          .scale = gtk_widget_get_scale_factor(GTK_WIDGET(self)),
                          .theme = cwu_theme_kind_now(),
                          .selected = cwu_document_get_selected(self->document) };
  cwu_picture_runner_want(self->runner, &wish);
}

static void
runner_changed_cb(const GError *error, gpointer user_data)
{
  CwuGraphView *self = user_data;
  if (error != NULL)
    g_signal_emit(self, signals[FAILED], 0, error->message);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static const CwuFocus *
focus_of(CwuGraphView *self, const CwuPictureState *state)
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

/* ---- drawing --------------------------------------------------------------------------- */

static void
append_texture(GtkSnapshot *snapshot, GdkTexture *texture, const CwuCamera *made_for,
               const CwuCamera *now, double alpha)
{
  if (texture == NULL)
    return;
  double k = now->zoom / made_for->zoom;
  if (made_for->plot.width != now->plot.width)
    k = now->plot.width / made_for->plot.width * now->zoom / made_for->zoom;
  double x = now->plot.x + now->offset_x - k * made_for->offset_x;
  double y = now->plot.y + now->offset_y - k * made_for->offset_y;
  graphene_rect_t clip = GRAPHENE_RECT_INIT((float)now->plot.x, (float)now->plot.y,
                                            (float)now->plot.width, (float)now->plot.height);
  graphene_rect_t at = GRAPHENE_RECT_INIT((float)x, (float)y, (float)(k * made_for->plot.width),
                                          (float)(k * made_for->plot.height));
  gtk_snapshot_push_clip(snapshot, &clip);
  gtk_snapshot_push_opacity(snapshot, alpha);
  gtk_snapshot_append_texture(snapshot, texture, &at);
  gtk_snapshot_pop(snapshot);
  gtk_snapshot_pop(snapshot);
}

static void
ensure_canvases(CwuGraphView *self)
{
  double scale = gtk_widget_get_scale_factor(GTK_WIDGET(self));
  if (self->front != NULL && self->canvas_scale == scale)
    return;
  g_clear_pointer(&self->ground, cwu_canvas_free);
  g_clear_pointer(&self->front, cwu_canvas_free);
  self->ground = cwu_canvas_cairo_new(scale);
  self->front = cwu_canvas_cairo_new(scale);
  self->canvas_scale = scale;
}

static void
snapshot_picture(CwuGraphView *self, GtkSnapshot *snapshot, const CwuPictureState *state)
{
  CwuRect all = whole(self);
  graphene_rect_t bounds = GRAPHENE_RECT_INIT(0, 0, (float)all.width, (float)all.height);
  CwuCamera camera = camera_of(self);
  CwuPicture picture = { .scene = state->scene,
                         .layout = state->layout,
                         .theme = cwu_theme_now(),
                         .focus = focus_of(self, state),
                         .hovered = cwu_scene_find(state->scene,
                                                   cwu_document_get_hovered(self->document)),
                         .camera = camera_for_layout(self, state->layout),
                         .state = cwu_document_peek_state(self->document) };
  ensure_canvases(self);
  cairo_t *cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(self->ground, cr);
  cwu_painter_draw_ground(self->ground, &picture, &all);
  cairo_destroy(cr);
  append_texture(snapshot, state->mass, &state->mass_camera, &camera,
                 cwu_painter_mass_alpha(&picture));
  if (state->focus_selected == cwu_document_get_selected(self->document))
    append_texture(snapshot, state->focus, &state->focus_camera, &camera, 1);
  cr = gtk_snapshot_append_cairo(snapshot, &bounds);
  cwu_canvas_cairo_set_target(self->front, cr);
  cwu_painter_draw_front(self->front, &picture);
  cairo_destroy(cr);
}

static void
cwu_graph_view_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuGraphView *self = CWU_GRAPH_VIEW(widget);
  const CwuPictureState *state = state_of(self);
  if (state != NULL) {
    snapshot_picture(self, snapshot, state);
    return;
  }
  CwuRect all = whole(self);
  GdkRGBA surface = cwu_colour_to_rgba(cwu_theme_now()->surface);
  gtk_snapshot_append_color(snapshot, &surface,
                            &GRAPHENE_RECT_INIT(0, 0, (float)all.width, (float)all.height));
}

static void
cwu_graph_view_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  want(CWU_GRAPH_VIEW(widget));
}

static void
cwu_graph_view_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                       int *minimum, int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 320 : 220;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 900 : 640;
}

/* ---- pointing -------------------------------------------------------------------------- */

static int64_t
node_at(CwuGraphView *self, double x, double y)
{
  const CwuPictureState *state = state_of(self);
  CwuRect plot = plot_of(self);
  if (state == NULL || x < plot.x - PICK_REACH_PX || x > plot.x + plot.width + PICK_REACH_PX ||
      y < plot.y - PICK_REACH_PX || y > plot.y + plot.height + PICK_REACH_PX)
    return -1;
  CwuCamera camera = camera_for_layout(self, state->layout);
  int64_t i = cwu_pick_nearest(state->layout, state->scene, focus_of(self, state), &camera, x,
                               y, PICK_REACH_PX);
  return i >= 0 ? (int64_t)state->scene->nodes[i].node : -1;
}

static void
motion_cb(GtkEventControllerMotion *controller, double x, double y, CwuGraphView *self)
{
  self->pointer_x = x;
  self->pointer_y = y;
  if (self->document == NULL || self->is_dragging)
    return;
  int64_t node = node_at(self, x, y);
  cwu_document_set_hovered(self->document, node);
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self), node >= 0 ? "pointer" : NULL);
}

static void
leave_cb(GtkEventControllerMotion *controller, CwuGraphView *self)
{
  if (self->document != NULL)
    cwu_document_set_hovered(self->document, -1);
}

static void
released_cb(GtkGestureClick *gesture, int n_press, double x, double y, CwuGraphView *self)
{
  gtk_widget_grab_focus(GTK_WIDGET(self));
  if (self->document == NULL || self->was_dragged)
    return;
  int64_t node = node_at(self, x, y);
  bool again = node == cwu_document_get_selected(self->document);
  cwu_document_set_selected(self->document, again ? -1 : node);
}

static void
drag_begin_cb(GtkGestureDrag *gesture, double x, double y, CwuGraphView *self)
{
  self->is_dragging = self->was_dragged = false;
  if (self->document != NULL)
    self->drag_start = cwu_document_get_viewpoint(self->document);
}

static void
drag_update_cb(GtkGestureDrag *gesture, double dx, double dy, CwuGraphView *self)
{
  if (self->document == NULL || (!self->is_dragging && hypot(dx, dy) < DRAG_MIN_PX))
    return;
  self->is_dragging = self->was_dragged = true;
  CwuRect plot = plot_of(self);
  CwuViewpoint viewpoint = cwu_viewpoint_pan(&self->drag_start, &plot, dx, dy);
  cwu_document_set_viewpoint(self->document, &viewpoint);
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self), "grabbing");
}

static void
drag_end_cb(GtkGestureDrag *gesture, double dx, double dy, CwuGraphView *self)
{
  if (self->is_dragging)
    gtk_widget_set_cursor_from_name(GTK_WIDGET(self), NULL);
  self->is_dragging = false;
}

static void
zoom_at(CwuGraphView *self, const CwuViewpoint *from, double x, double y, double factor)
{
  CwuRect plot = plot_of(self);
  CwuViewpoint viewpoint = cwu_viewpoint_zoom(from, &plot, x, y, factor);
  cwu_document_set_viewpoint(self->document, &viewpoint);
}

/* A wheel zooms; two fingers on a touchpad pan, with Ctrl they zoom. */
static gboolean
scroll_cb(GtkEventControllerScroll *controller, double dx, double dy, CwuGraphView *self)
{
  if (self->document == NULL)
    return GDK_EVENT_PROPAGATE;
  GdkDevice *device =
      gtk_event_controller_get_current_event_device(GTK_EVENT_CONTROLLER(controller));
  GdkModifierType modifiers =
      gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(controller));
  bool is_touchpad = device != NULL && gdk_device_get_source(device) == GDK_SOURCE_TOUCHPAD;
  CwuViewpoint now = cwu_document_get_viewpoint(self->document);
  if (is_touchpad && !(modifiers & GDK_CONTROL_MASK)) {
    CwuRect plot = plot_of(self);
    now = cwu_viewpoint_pan(&now, &plot, -dx, -dy);
    cwu_document_set_viewpoint(self->document, &now);
  } else {
    zoom_at(self, &now, self->pointer_x, self->pointer_y, pow(WHEEL_STEP, -dy));
  }
  return GDK_EVENT_STOP;
}

static void
pinch_begin_cb(GtkGesture *gesture, GdkEventSequence *sequence, CwuGraphView *self)
{
  if (self->document != NULL)
    self->pinch_start = cwu_document_get_viewpoint(self->document);
}

static void
pinch_cb(GtkGestureZoom *gesture, double factor, CwuGraphView *self)
{
  double x, y;
  if (self->document != NULL &&
      gtk_gesture_get_bounding_box_center(GTK_GESTURE(gesture), &x, &y))
    zoom_at(self, &self->pinch_start, x, y, factor);
}

/* ---- keys ------------------------------------------------------------------------------ */

static void
select_scene_node(CwuGraphView *self, const CwuPictureState *state, int64_t i)
{
  cwu_document_show_node(self->document, state->scene->nodes[i].node);
}

static void
walk(CwuGraphView *self, int dx, int dy)
{
  const CwuPictureState *state = state_of(self);
  if (state == NULL || state->scene->n_nodes == 0)
    return;
  int64_t from = cwu_scene_find(state->scene, cwu_document_get_selected(self->document));
  int64_t next = from < 0 ? state->scene->node_order[0]
                          : cwu_pick_towards(state->layout, state->scene, from, dx, dy);
  if (next >= 0)
    select_scene_node(self, state, next);
}

static gboolean
key_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
       CwuGraphView *self)
{
  if (self->document == NULL || (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK)))
    return GDK_EVENT_PROPAGATE;
  switch (key) {
  case GDK_KEY_Left:
    walk(self, -1, 0);
    return GDK_EVENT_STOP;
  case GDK_KEY_Right:
    walk(self, 1, 0);
    return GDK_EVENT_STOP;
  case GDK_KEY_Up:
    walk(self, 0, -1);
    return GDK_EVENT_STOP;
  case GDK_KEY_Down:
    walk(self, 0, 1);
    return GDK_EVENT_STOP;
  default:
    return GDK_EVENT_PROPAGATE;
  }
}

/* ---- the document ---------------------------------------------------------------------- */

static void
graph_changed_cb(CwuGraphView *self)
{
  self->graph_generation++;
  want(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
reveal_cb(CwuGraphView *self, gint64 node)
{
  const CwuPictureState *state = state_of(self);
  int64_t i = state != NULL ? cwu_scene_find(state->scene, node) : -1;
  if (i < 0)
    return;
  CwuRect plot = plot_of(self);
  CwuViewpoint now = cwu_document_get_viewpoint(self->document);
  now = cwu_viewpoint_reveal(&now, &plot, state->layout->x[i], state->layout->y[i]);
  cwu_document_set_viewpoint(self->document, &now);
}

static void
changed_cb(CwuGraphView *self, guint parts)
{
  if (parts & (CW_DOCUMENT_PINS | CW_DOCUMENT_LABELS | CW_DOCUMENT_NOTES))
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

static void
view_changed_cb(CwuGraphView *self)
{
  want(self);
  gtk_widget_queue_draw(GTK_WIDGET(self));
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
  if (document != NULL) {
    g_signal_connect_swapped(document, "graph-changed", G_CALLBACK(graph_changed_cb), self);
    g_signal_connect_swapped(document, "changed", G_CALLBACK(changed_cb), self);
    g_signal_connect_swapped(document, "reveal", G_CALLBACK(reveal_cb), self);
    g_signal_connect_swapped(document, "selection-changed", G_CALLBACK(view_changed_cb), self);
    g_signal_connect_swapped(document, "viewpoint-changed", G_CALLBACK(view_changed_cb), self);
    g_signal_connect_swapped(document, "hover-changed", G_CALLBACK(gtk_widget_queue_draw),
                             self);
    want(self);
  }
  gtk_widget_queue_draw(GTK_WIDGET(self));
  g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_DOCUMENT]);
}

void
cwu_graph_view_zoom(CwuGraphView *self, double factor)
{
  if (self->document == NULL)
    return;
  CwuRect plot = plot_of(self);
  CwuViewpoint now = cwu_document_get_viewpoint(self->document);
  zoom_at(self, &now, plot.x + plot.width / 2, plot.y + plot.height / 2, factor);
}

gboolean
cwu_graph_view_is_complete(CwuGraphView *self)
{
  const CwuPictureState *state = state_of(self);
  return state != NULL && state->is_complete;
}

gboolean
cwu_graph_view_locate(CwuGraphView *self, int64_t node, double *x, double *y)
{
  const CwuPictureState *state = state_of(self);
  int64_t i = state != NULL ? cwu_scene_find(state->scene, node) : -1;
  if (i < 0)
    return FALSE;
  CwuCamera camera = camera_for_layout(self, state->layout);
  CwuPoint at = cwu_camera_to_screen(&camera, state->layout->x[i], state->layout->y[i]);
  *x = at.x;
  *y = at.y;
  return TRUE;
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
cwu_graph_view_dispose(GObject *object)
{
  CwuGraphView *self = CWU_GRAPH_VIEW(object);
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data(self->document, self);
  g_clear_object(&self->document);
  g_clear_pointer(&self->runner, cwu_picture_runner_free);
  g_clear_pointer(&self->focus, cwu_focus_free);
  g_clear_pointer(&self->focus_scene, cwu_scene_unref);
  g_clear_pointer(&self->ground, cwu_canvas_free);
  g_clear_pointer(&self->front, cwu_canvas_free);
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
  properties[PROP_DOCUMENT] =
      g_param_spec_object("document", NULL, NULL, CWU_TYPE_DOCUMENT,
                          G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties(object_class, N_PROPS, properties);
  signals[FAILED] = g_signal_new("failed", CWU_TYPE_GRAPH_VIEW, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  gtk_widget_class_set_css_name(widget_class, "graphview");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
add_controllers(CwuGraphView *self)
{
  GtkWidget *widget = GTK_WIDGET(self);
  GtkEventController *motion = gtk_event_controller_motion_new();
  GtkEventController *scroll =
      gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkEventController *key = gtk_event_controller_key_new();
  GtkGesture *click = gtk_gesture_click_new(), *drag = gtk_gesture_drag_new();
  GtkGesture *pinch = gtk_gesture_zoom_new();
  g_signal_connect(motion, "motion", G_CALLBACK(motion_cb), self);
  g_signal_connect(motion, "leave", G_CALLBACK(leave_cb), self);
  g_signal_connect(scroll, "scroll", G_CALLBACK(scroll_cb), self);
  g_signal_connect(key, "key-pressed", G_CALLBACK(key_cb), self);
  g_signal_connect(click, "released", G_CALLBACK(released_cb), self);
  g_signal_connect(drag, "drag-begin", G_CALLBACK(drag_begin_cb), self);
  g_signal_connect(drag, "drag-update", G_CALLBACK(drag_update_cb), self);
  g_signal_connect(drag, "drag-end", G_CALLBACK(drag_end_cb), self);
  g_signal_connect(pinch, "begin", G_CALLBACK(pinch_begin_cb), self);
  g_signal_connect(pinch, "scale-changed", G_CALLBACK(pinch_cb), self);
  gtk_gesture_group(click, drag);
  gtk_widget_add_controller(widget, motion);
  gtk_widget_add_controller(widget, scroll);
  gtk_widget_add_controller(widget, key);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(click));
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(pinch));
}

static void
cwu_graph_view_init(CwuGraphView *self)
{
  AdwStyleManager *manager = adw_style_manager_get_default();
  self->runner = cwu_picture_runner_new(runner_changed_cb, self);
  gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
  gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
  gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
  gtk_widget_set_vexpand(GTK_WIDGET(self), TRUE);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 "Attribution graph: tokens across, layers up", -1);
  g_signal_connect_object(manager, "notify::dark", G_CALLBACK(view_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_object(manager, "notify::high-contrast", G_CALLBACK(view_changed_cb), self,
                          G_CONNECT_SWAPPED);
  g_signal_connect_swapped(self, "notify::scale-factor", G_CALLBACK(view_changed_cb), self);
  add_controllers(self);
}

CwuGraphView *
cwu_graph_view_new(void)
{
  return g_object_new(CWU_TYPE_GRAPH_VIEW, NULL);
}
