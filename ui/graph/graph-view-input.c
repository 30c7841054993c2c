/* graph-view-input.c - pointer and keys of the canvas.
 *
 * A press takes hold of what lies on top: the minimap, a note, in a plane a node, else the
 * picture. A press that does not move is a click. */
#include <math.h>

#include "graph/graph-view-private.h"
#include "graph/minimap.h"
#include "graph/pick.h"

#define PICK_REACH_PX 18.0
#define WHEEL_STEP    1.2
#define DRAG_MIN_PX   4.0

/* ---- what lies there -------------------------------------------------------------------- */

/* The graph's node at a point, -1: none. */
static int64_t
node_at(CwuGraphView *self, double x, double y)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  if (state == NULL || cwu_graph_view_transition_done(self) < 1)
    return -1;
  CwuCamera camera = cwu_graph_view_shown_camera(self, state);
  const CwuRect *plot = &camera.plot;
  if (x < plot->x - PICK_REACH_PX || x > plot->x + plot->width + PICK_REACH_PX ||
      y < plot->y - PICK_REACH_PX || y > plot->y + plot->height + PICK_REACH_PX)
    return -1;
  int64_t i = cwu_pick_nearest(state->layout, state->scene, cwu_graph_view_focus(self, state),
                               &camera, x, y, PICK_REACH_PX);
  return i >= 0 ? (int64_t)state->scene->nodes[i].node : -1;
}

static bool
is_on_minimap(CwuGraphView *self, double x, double y, CwuRect *place)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  if (state == NULL || state->overview == NULL)
    return false;
  CwuCamera camera = cwu_graph_view_shown_camera(self, state);
  *place = cwu_minimap_place(state->layout, &camera.plot);
  return cwu_minimap_is_shown(&camera) && cwu_rect_contains(place, x, y);
}

static const CwuNoteCard *
note_at(CwuGraphView *self, double x, double y)
{
  return self->notes != NULL ? cwu_notes_find(self->notes, x, y) : NULL;
}

/* ---- hovering --------------------------------------------------------------------------- */

static void
motion_cb(GtkEventControllerMotion *controller, double x, double y, CwuGraphView *self)
{
  CwuRect place;
  self->pointer_x = x;
  self->pointer_y = y;
  if (self->document == NULL || self->grab.kind != CWU_GRAB_NONE)
    return;
  bool is_covered = is_on_minimap(self, x, y, &place) || note_at(self, x, y) != NULL;
  int64_t node = is_covered ? -1 : node_at(self, x, y);
  cwu_document_set_hovered(self->document, node);
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self), is_covered  ? "grab"
                                                    : node >= 0 ? "pointer"
                                                                : NULL);
}

static void
leave_cb(GtkEventControllerMotion *controller, CwuGraphView *self)
{
  if (self->document != NULL)
    cwu_document_set_hovered(self->document, -1);
}

/* ---- dragging --------------------------------------------------------------------------- */

static void
look_at_minimap(CwuGraphView *self, double x, double y)
{
  CwuRect place;
  const CwuPictureState *state = cwu_graph_view_shown(self);
  if (state == NULL)
    return;
  CwuCamera camera = cwu_graph_view_shown_camera(self, state);
  place = cwu_minimap_place(state->layout, &camera.plot);
  CwuViewpoint there = cwu_minimap_look_at(&place, &self->grab.from, x, y);
  cwu_document_set_viewpoint(self->document, &there);
}

static void
grab_node(CwuGraphView *self, int64_t node, double x, double y)
{
  double at_x, at_y;
  if (!cwu_graph_view_locate(self, node, &at_x, &at_y))
    return;
  self->grab.kind = CWU_GRAB_NODE;
  self->grab.node = node;
  self->grab.off = (CwuPoint){ x - at_x, y - at_y };
}

static void
drag_begin_cb(GtkGestureDrag *gesture, double x, double y, CwuGraphView *self)
{
  CwuRect place;
  self->grab = (CwuGrab){ .kind = CWU_GRAB_NONE };
  if (self->document == NULL)
    return;
  const CwuNoteCard *note = note_at(self, x, y);
  int64_t node = self->kind == CWU_LAYOUT_PLANE ? node_at(self, x, y) : -1;
  self->grab.kind = CWU_GRAB_PICTURE;
  self->grab.press = (CwuPoint){ x, y };
  self->grab.from = cwu_document_get_viewpoint(self->document);
  if (is_on_minimap(self, x, y, &place)) {
    self->grab.kind = CWU_GRAB_MINIMAP;
    look_at_minimap(self, x, y);
  } else if (note != NULL) {
    self->grab.kind = CWU_GRAB_NOTE;
    self->grab.note = note->id;
    self->grab.off = (CwuPoint){ x - note->rect.x, y - note->rect.y };
  } else if (node >= 0) {
    grab_node(self, node, x, y);
  }
}

static void
drag_node(CwuGraphView *self, double x, double y)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  CwuScene *scene = cwu_force_driver_peek_scene(self->force);
  int64_t i = scene != NULL ? cwu_scene_find(scene, self->grab.node) : -1;
  if (state == NULL || i < 0)
    return;
  CwuCamera camera = cwu_graph_view_shown_camera(self, state);
  CwuPoint at = cwu_camera_to_layout(&camera, x - self->grab.off.x, y - self->grab.off.y);
  cwu_force_driver_drag(self->force, (size_t)i, state->layout->width, state->layout->height,
                        at);
}

/* Beside a node of whose it becomes, where it is dropped on one, else on the canvas. */
static void
drag_note(CwuGraphView *self, double x, double y)
{
  double share_x, share_y;
  cwu_graph_view_place_of(self, x - self->grab.off.x, y - self->grab.off.y, &share_x, &share_y);
  cw_document_move_note(cwu_document_peek_core(self->document), self->grab.note, -1, share_x,
                        share_y);
  cwu_document_sync(self->document);
}

static void
begin_moving(CwuGraphView *self)
{
  self->grab.has_moved = true;
  if (self->grab.kind == CWU_GRAB_NOTE || self->grab.kind == CWU_GRAB_NODE)
    cw_document_begin_merge(cwu_document_peek_core(self->document));
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self), "grabbing");
  cwu_document_set_hovered(self->document, -1);
}

static void
drag_update_cb(GtkGestureDrag *gesture, double dx, double dy, CwuGraphView *self)
{
  double x = self->grab.press.x, y = self->grab.press.y;
  if (self->document == NULL || self->grab.kind == CWU_GRAB_NONE ||
      (!self->grab.has_moved && hypot(dx, dy) < DRAG_MIN_PX))
    return;
  if (!self->grab.has_moved)
    begin_moving(self);
  CwuRect plot = cwu_graph_view_plot(self);
  if (self->grab.kind == CWU_GRAB_PICTURE) {
    CwuViewpoint viewpoint = cwu_viewpoint_pan(&self->grab.from, &plot, dx, dy);
    cwu_document_set_viewpoint(self->document, &viewpoint);
  } else if (self->grab.kind == CWU_GRAB_MINIMAP) {
    look_at_minimap(self, x + dx, y + dy);
  } else if (self->grab.kind == CWU_GRAB_NODE) {
    drag_node(self, x + dx, y + dy);
  } else {
    drag_note(self, x + dx, y + dy);
  }
}

static void
drop_node(CwuGraphView *self)
{
  CwuPoint at = cwu_force_driver_drop(self->force);
  CwDocument *core = cwu_document_peek_core(self->document);
  cw_document_set_place(core, (uint32_t)self->grab.node, (float)at.x, (float)at.y);
}

/* A note that is dropped on a node stands beside it from now on. */
static void
drop_note(CwuGraphView *self, double x, double y)
{
  int64_t node = node_at(self, x, y);
  double share_x, share_y;
  if (node < 0)
    return;
  cwu_graph_view_place_of(self, x, y, &share_x, &share_y);
  cw_document_move_note(cwu_document_peek_core(self->document), self->grab.note, node, share_x,
                        share_y);
}

static void
drag_end_cb(GtkGestureDrag *gesture, double dx, double dy, CwuGraphView *self)
{
  CwuPoint press = self->grab.press;
  CwuGrabKind kind = self->grab.kind;
  self->grab.kind = CWU_GRAB_NONE;
  if (!self->grab.has_moved || self->document == NULL)
    return;
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self), NULL);
  if (kind != CWU_GRAB_NODE && kind != CWU_GRAB_NOTE)
    return;
  if (kind == CWU_GRAB_NODE)
    drop_node(self);
  else
    drop_note(self, press.x + dx, press.y + dy);
  cw_document_end_merge(cwu_document_peek_core(self->document));
  cwu_document_sync(self->document);
}

/* ---- clicks ----------------------------------------------------------------------------- */

static bool
is_fixed(CwuGraphView *self, int64_t node)
{
  size_t n;
  const CwDocumentPlace *places =
      cw_document_state_peek_places(cwu_document_peek_state(self->document), &n);
  for (size_t i = 0; i < n; i++)
    if ((int64_t)places[i].node == node)
      return true;
  return false;
}

/* Lets a node that somebody put in a place move again. False: it was in none. */
static bool
free_node(CwuGraphView *self, int64_t node)
{
  if (self->kind != CWU_LAYOUT_PLANE || node < 0 || !is_fixed(self, node))
    return false;
  cw_document_free_place(cwu_document_peek_core(self->document), node);
  cwu_document_sync(self->document);
  return true;
}

static void
click_node(CwuGraphView *self, int64_t node, int n_press, bool pins)
{
  if (pins && node >= 0) {
    cwu_document_toggle_pin(self->document, node);
    return;
  }
  if (n_press == 2 && free_node(self, node))
    return;
  /* The second click of two does not take the first one back. */
  bool again = node == cwu_document_get_selected(self->document) && n_press == 1;
  cwu_document_set_selected(self->document, again ? -1 : node);
}

static void
released_cb(GtkGestureClick *gesture, int n_press, double x, double y, CwuGraphView *self)
{
  CwuRect place;
  gtk_widget_grab_focus(GTK_WIDGET(self));
  if (self->document == NULL || self->grab.has_moved || is_on_minimap(self, x, y, &place))
    return;
  GdkModifierType modifiers =
      gtk_event_controller_get_current_event_state(GTK_EVENT_CONTROLLER(gesture));
  const CwuNoteCard *note = note_at(self, x, y);
  if (note == NULL)
    click_node(self, node_at(self, x, y), n_press, (modifiers & GDK_CONTROL_MASK) != 0);
  else if (n_press == 2)
    cwu_graph_view_edit_note(self, note->id);
}

static void
secondary_cb(GtkGestureClick *gesture, int n_press, double x, double y, CwuGraphView *self)
{
  if (self->document != NULL)
    free_node(self, node_at(self, x, y));
}

/* ---- zooming ---------------------------------------------------------------------------- */

static void
zoom_at(CwuGraphView *self, const CwuViewpoint *from, double x, double y, double factor)
{
  CwuRect plot = cwu_graph_view_plot(self);
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
    CwuRect plot = cwu_graph_view_plot(self);
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
walk(CwuGraphView *self, CwuWalk way, bool along_edges)
{
  const CwuPictureState *state = cwu_graph_view_shown(self);
  if (state == NULL || state->scene->n_nodes == 0)
    return;
  const CwuScene *scene = state->scene;
  int64_t from = cwu_scene_find(scene, cwu_document_get_selected(self->document)), next;
  if (from < 0)
    next = scene->node_order[0];
  else if (along_edges)
    next = cwu_walk_edges(&self->edge_walk, scene, from, way);
  else
    next = cwu_walk_cells(state->layout, scene, from, way);
  if (!along_edges)
    self->edge_walk.at = -1;
  if (next >= 0)
    cwu_document_show_node(self->document, scene->nodes[next].node);
}

static gboolean
select_hovered(CwuGraphView *self)
{
  int64_t node = cwu_document_get_hovered(self->document);
  if (node < 0)
    return GDK_EVENT_PROPAGATE;
  cwu_document_set_selected(self->document, node);
  return GDK_EVENT_STOP;
}

static gboolean
key_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
       CwuGraphView *self)
{
  static const struct {
    guint key, on_pad;
    CwuWalk way;
  } ways[] = { { GDK_KEY_Left, GDK_KEY_KP_Left, CWU_WALK_LEFT },
               { GDK_KEY_Right, GDK_KEY_KP_Right, CWU_WALK_RIGHT },
               { GDK_KEY_Up, GDK_KEY_KP_Up, CWU_WALK_UP },
               { GDK_KEY_Down, GDK_KEY_KP_Down, CWU_WALK_DOWN } };
  if (self->document == NULL || (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK)))
    return GDK_EVENT_PROPAGATE;
  for (size_t i = 0; i < G_N_ELEMENTS(ways); i++)
    if (key == ways[i].key || key == ways[i].on_pad) {
      walk(self, ways[i].way, (modifiers & GDK_SHIFT_MASK) != 0);
      return GDK_EVENT_STOP;
    }
  if (key == GDK_KEY_Return || key == GDK_KEY_KP_Enter || key == GDK_KEY_space)
    return select_hovered(self);
  return GDK_EVENT_PROPAGATE;
}

/* ---- controllers ------------------------------------------------------------------------ */

static void
add(CwuGraphView *self, GtkEventController *controller, const char *signal, GCallback callback)
{
  g_signal_connect(controller, signal, callback, self);
  gtk_widget_add_controller(GTK_WIDGET(self), controller);
}

void
cwu_graph_view_add_controllers(CwuGraphView *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new();
  GtkGesture *click = gtk_gesture_click_new(), *secondary = gtk_gesture_click_new();
  GtkGesture *drag = gtk_gesture_drag_new(), *pinch = gtk_gesture_zoom_new();
  g_signal_connect(motion, "leave", G_CALLBACK(leave_cb), self);
  g_signal_connect(drag, "drag-begin", G_CALLBACK(drag_begin_cb), self);
  g_signal_connect(drag, "drag-update", G_CALLBACK(drag_update_cb), self);
  g_signal_connect(pinch, "begin", G_CALLBACK(pinch_begin_cb), self);
  gtk_gesture_single_set_button(GTK_GESTURE_SINGLE(secondary), GDK_BUTTON_SECONDARY);
  gtk_gesture_group(click, drag);
  add(self, motion, "motion", G_CALLBACK(motion_cb));
  add(self, gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES), "scroll",
      G_CALLBACK(scroll_cb));
  add(self, gtk_event_controller_key_new(), "key-pressed", G_CALLBACK(key_cb));
  add(self, GTK_EVENT_CONTROLLER(click), "released", G_CALLBACK(released_cb));
  add(self, GTK_EVENT_CONTROLLER(secondary), "released", G_CALLBACK(secondary_cb));
  add(self, GTK_EVENT_CONTROLLER(drag), "drag-end", G_CALLBACK(drag_end_cb));
  add(self, GTK_EVENT_CONTROLLER(pinch), "scale-changed", G_CALLBACK(pinch_cb));
}
