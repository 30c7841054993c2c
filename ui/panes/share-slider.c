/* share-slider.c - see share-slider.h.
 *
 * Thresholds are shares of influence kept, and the last percents hold most of the graph: on a
 * plain slider nothing happens for half its length and everything in the last few pixels. The
 * rest 1 - value therefore goes with a power of the way left. Measured on mary-and-john (1,337
 * nodes, 239,595 edges): tenths of the node slider keep 27, 38, 72, 131, 229, 378, 576, 821,
 * 1,068, 1,290 nodes; tenths of the edge slider keep 25, 88, 225, 779, 1,905, 3,948, 7,173,
 * 11,134, 15,255, 18,494 edges. */
#include "panes/share-slider.h"

#include <adwaita.h>
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#define MAX_DIGITS      5
#define WHEEL_MS        400 /* turns of the wheel that follow so soon are one step */
#define SLIDER_WIDTH_PX 120
#define SHORT_WIDTH_PX  96 /* of one beside other tools */

typedef struct {
  const char *name, *description;
  double exponent;
  double (*get)(const CwDocumentState *state);
  bool (*set)(CwDocument *core, double value);
  double usual; /* what a whole graph begins with */
} Kind;

struct _CwuShareSlider {
  GtkWidget parent_instance;
  CwuDocument *document;
  const Kind *kind;
  CwuShare share;
  GtkWidget *scale, *number; /* number: NULL for the gravity */
  bool is_updating, is_merging;
  guint wheel_timeout;
  size_t press_position; /* in the history, before the first press of a double click */
};

G_DEFINE_TYPE(CwuShareSlider, cwu_share_slider, GTK_TYPE_WIDGET)

/* ---- the three kinds ------------------------------------------------------------------- */

static bool
set_node_threshold(CwDocument *core, double value)
{
  const CwDocumentState *state = cw_document_peek_state(core);
  return cw_document_set_thresholds(core, value, cw_document_state_get_edge_threshold(state));
}

static bool
set_edge_threshold(CwDocument *core, double value)
{
  const CwDocumentState *state = cw_document_peek_state(core);
  return cw_document_set_thresholds(core, cw_document_state_get_node_threshold(state), value);
}

static const Kind kinds[] = {
  [CWU_SHARE_NODES] = { N_("Nodes"),
                        N_("Shows the nodes that carry this share of the influence on what the "
                           "model says."),
                        2, cw_document_state_get_node_threshold, set_node_threshold,
                        CW_DEFAULT_NODE_THRESHOLD },
  [CWU_SHARE_EDGES] = { N_("Edges"),
                        N_("Shows the edges that carry this share of what passes between the "
                           "nodes shown."),
                        3, cw_document_state_get_edge_threshold, set_edge_threshold,
                        CW_DEFAULT_EDGE_THRESHOLD },
  [CWU_SHARE_GRAVITY] = { N_("Order"),
                          N_("How strongly nodes are drawn to the height of their layer and "
                             "the "
                             "place of their token."),
                          1, cw_document_state_get_gravity, cw_document_set_gravity,
                          CW_DEFAULT_GRAVITY },
};

char *
cwu_share_dup_text(double value)
{
  char text[32];
  g_ascii_formatd(text, sizeof text, "%.5f", value);
  G_STATIC_ASSERT(MAX_DIGITS == 5);
  for (size_t n = strlen(text); text[n - 1] == '0' && text[n - 3] != '.'; n--)
    text[n - 1] = '\0';
  return g_strdup(text);
}

/* Rounded so that the rest keeps two digits: 0.98, 0.9925. */
double
cwu_share_at_place(CwuShare share, double place)
{
  double rest = pow(1 - CLAMP(place, 0, 1), kinds[share].exponent);
  if (rest > 0) {
    double unit = pow(10, floor(log10(rest)) - 1);
    rest = round(rest / unit) * unit;
  }
  g_autofree char *text = cwu_share_dup_text(1 - rest);
  return g_ascii_strtod(text, NULL);
}

double
cwu_share_place_of(CwuShare share, double value)
{
  return 1 - pow(1 - CLAMP(value, 0, 1), 1 / kinds[share].exponent);
}

/* ---- to and from the document ---------------------------------------------------------- */

static double
usual_value(CwuShareSlider *self)
{
  CwGraph *graph = cwu_document_peek_graph(self->document);
  bool is_all_there_is =
      self->share != CWU_SHARE_GRAVITY && graph != NULL && !cw_graph_is_whole(graph);
  return is_all_there_is ? 1 : self->kind->usual;
}

static void
set_value(CwuShareSlider *self, double value)
{
  if (self->kind->set(cwu_document_peek_core(self->document), value))
    cwu_document_sync(self->document);
}

/* Asked for when it is wanted: to set a tooltip costs two round trips to an X server. */
static gboolean
cwu_share_slider_query_tooltip(GtkWidget *widget, int x, int y, gboolean keyboard,
                               GtkTooltip *tooltip)
{
  CwuShareSlider *self = CWU_SHARE_SLIDER(widget);
  CwGraph *graph = cwu_document_peek_graph(self->document);
  bool is_of_maker =
      self->share != CWU_SHARE_GRAVITY && graph != NULL && !cw_graph_is_whole(graph);
  g_autofree char *usual = cwu_share_dup_text(usual_value(self));
  g_autofree char *back = g_strdup_printf(_("Right-click or Backspace: back to %s"), usual);
  g_autofree char *text = g_strjoin(
      "\n", _(self->kind->description),
      is_of_maker ? _("Whoever made the file has pruned this graph: nodes rank by the "
                      "influence that it gives, and 1.00 shows all that it holds.")
                  : back,
      is_of_maker ? back : NULL, NULL);
  gtk_tooltip_set_text(tooltip, text);
  return TRUE;
}

/* The slider stays where the hand has it, as long as that place means the value. */
static void
update(CwuShareSlider *self)
{
  double value = self->kind->get(cwu_document_peek_state(self->document));
  self->is_updating = true;
  if (cwu_share_at_place(self->share, gtk_range_get_value(GTK_RANGE(self->scale))) != value)
    gtk_range_set_value(GTK_RANGE(self->scale), cwu_share_place_of(self->share, value));
  if (self->number != NULL)
    gtk_spin_button_set_value(GTK_SPIN_BUTTON(self->number), value);
  self->is_updating = false;
  g_autofree char *text = cwu_share_dup_text(value);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->scale),
                                 GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, text, -1);
}

static void
changed_cb(CwuShareSlider *self, guint parts)
{
  if (parts & (CW_DOCUMENT_GRAPH | CW_DOCUMENT_THRESHOLDS | CW_DOCUMENT_GRAVITY))
    update(self);
}

static void
slid_cb(CwuShareSlider *self)
{
  if (!self->is_updating)
    set_value(self,
              cwu_share_at_place(self->share, gtk_range_get_value(GTK_RANGE(self->scale))));
}

static void
typed_cb(CwuShareSlider *self)
{
  if (!self->is_updating)
    set_value(self, gtk_spin_button_get_value(GTK_SPIN_BUTTON(self->number)));
}

static gboolean
show_number_cb(GtkSpinButton *number, gpointer user_data)
{
  g_autofree char *text = cwu_share_dup_text(gtk_spin_button_get_value(number));
  if (strcmp(text, gtk_editable_get_text(GTK_EDITABLE(number))) != 0)
    gtk_editable_set_text(GTK_EDITABLE(number), text);
  return TRUE;
}

/* What is no number changes nothing; the comma is the German's point. */
static int
read_number_cb(GtkSpinButton *number, double *value, gpointer user_data)
{
  g_autofree char *text = g_strdup(gtk_editable_get_text(GTK_EDITABLE(number)));
  char *end;
  g_strdelimit(g_strstrip(text), ",", '.');
  *value = g_ascii_strtod(text, &end);
  return *text != '\0' && *end == '\0' && isfinite(*value) ? TRUE : GTK_INPUT_ERROR;
}

/* ---- a drag is one step ---------------------------------------------------------------- */

static void
begin_merge(CwuShareSlider *self)
{
  if (self->is_merging)
    return;
  self->is_merging = true;
  cw_document_begin_merge(cwu_document_peek_core(self->document));
}

static void
end_merge(CwuShareSlider *self)
{
  g_clear_handle_id(&self->wheel_timeout, g_source_remove);
  if (!self->is_merging)
    return;
  self->is_merging = false;
  cw_document_end_merge(cwu_document_peek_core(self->document));
}

static gboolean
wheel_rests_cb(gpointer user_data)
{
  CwuShareSlider *self = user_data;
  self->wheel_timeout = 0;
  end_merge(self);
  return G_SOURCE_REMOVE;
}

static void
wheel_turns(CwuShareSlider *self)
{
  begin_merge(self);
  g_clear_handle_id(&self->wheel_timeout, g_source_remove);
  self->wheel_timeout = g_timeout_add(WHEEL_MS, wheel_rests_cb, self);
}

static void
reset(CwuShareSlider *self)
{
  end_merge(self);
  set_value(self, usual_value(self));
}

/* Keys that move a slider; held down they are one step. */
static bool
moves_slider(guint key)
{
  static const guint keys[] = {
    GDK_KEY_Left,        GDK_KEY_Right,        GDK_KEY_Up,     GDK_KEY_Down,
    GDK_KEY_KP_Left,     GDK_KEY_KP_Right,     GDK_KEY_KP_Up,  GDK_KEY_KP_Down,
    GDK_KEY_Page_Up,     GDK_KEY_Page_Down,    GDK_KEY_Home,   GDK_KEY_End,
    GDK_KEY_plus,        GDK_KEY_minus,        GDK_KEY_KP_Add, GDK_KEY_KP_Subtract,
    GDK_KEY_bracketleft, GDK_KEY_bracketright,
  };
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
    if (keys[i] == key)
      return true;
  return false;
}

static gboolean
key_pressed(CwuShareSlider *self, guint key)
{
  if (key == GDK_KEY_BackSpace || key == GDK_KEY_Delete) {
    reset(self);
    return GDK_EVENT_STOP;
  }
  if (moves_slider(key))
    begin_merge(self);
  return GDK_EVENT_PROPAGATE;
}

static gboolean
event_cb(GtkEventControllerLegacy *controller, GdkEvent *event, CwuShareSlider *self)
{
  switch (gdk_event_get_event_type(event)) {
  case GDK_BUTTON_PRESS:
    if (gdk_button_event_get_button(event) == GDK_BUTTON_SECONDARY) {
      reset(self);
      return GDK_EVENT_STOP;
    }
    begin_merge(self);
    return GDK_EVENT_PROPAGATE;
  case GDK_TOUCH_BEGIN:
    begin_merge(self);
    return GDK_EVENT_PROPAGATE;
  case GDK_SCROLL:
    wheel_turns(self);
    return GDK_EVENT_PROPAGATE;
  case GDK_KEY_PRESS:
    return key_pressed(self, gdk_key_event_get_keyval(event));
  case GDK_BUTTON_RELEASE:
  case GDK_TOUCH_END:
  case GDK_TOUCH_CANCEL:
  case GDK_GRAB_BROKEN:
  case GDK_KEY_RELEASE:
    end_merge(self);
    return GDK_EVENT_PROPAGATE;
  default:
    return GDK_EVENT_PROPAGATE;
  }
}

/* The first press of a double click has moved the slider: that is taken back, so that the reset
 * is the only step. */
static void
pressed_cb(GtkGestureClick *gesture, int n_press, double x, double y, CwuShareSlider *self)
{
  CwDocument *core = cwu_document_peek_core(self->document);
  if (n_press != 2) {
    self->press_position = cw_document_get_position(core);
    return;
  }
  gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  if (cw_document_get_position(core) == self->press_position + 1)
    cw_document_undo(core);
  cwu_document_sync(self->document);
  reset(self);
}

/* ---- building -------------------------------------------------------------------------- */

static GtkWidget *
scale_new(CwuShareSlider *self)
{
  GtkWidget *scale = gtk_scale_new_with_range(GTK_ORIENTATION_HORIZONTAL, 0, 1, 0.01);
  GtkEventController *events = gtk_event_controller_legacy_new();
  GtkEventController *focus = gtk_event_controller_focus_new();
  GtkGesture *click = gtk_gesture_click_new();
  gtk_range_set_increments(GTK_RANGE(scale), 0.01, 0.1);
  gtk_range_set_round_digits(GTK_RANGE(scale), -1);
  gtk_widget_set_size_request(
      scale, self->share == CWU_SHARE_GRAVITY ? SHORT_WIDTH_PX : SLIDER_WIDTH_PX, -1);
  gtk_widget_set_hexpand(scale, TRUE);
  gtk_event_controller_set_propagation_phase(events, GTK_PHASE_CAPTURE);
  gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(click), GTK_PHASE_CAPTURE);
  g_signal_connect(events, "event", G_CALLBACK(event_cb), self);
  g_signal_connect(click, "pressed", G_CALLBACK(pressed_cb), self);
  g_signal_connect_swapped(focus, "leave", G_CALLBACK(end_merge), self);
  g_signal_connect_swapped(scale, "unmap", G_CALLBACK(end_merge), self);
  g_signal_connect_swapped(scale, "value-changed", G_CALLBACK(slid_cb), self);
  gtk_widget_add_controller(scale, events);
  gtk_widget_add_controller(scale, focus);
  gtk_widget_add_controller(scale, GTK_EVENT_CONTROLLER(click));
  return scale;
}

/* A spin button without its buttons: arrow keys and the wheel do their work. */
static GtkWidget *
number_new(CwuShareSlider *self)
{
  GtkWidget *number = gtk_spin_button_new_with_range(0, 1, 0.01);
  gtk_spin_button_set_digits(GTK_SPIN_BUTTON(number), MAX_DIGITS);
  gtk_spin_button_set_update_policy(GTK_SPIN_BUTTON(number), GTK_UPDATE_IF_VALID);
  gtk_editable_set_width_chars(GTK_EDITABLE(number), 5);
  gtk_editable_set_max_width_chars(GTK_EDITABLE(number), 5);
  gtk_widget_add_css_class(number, "share-number");
  for (GtkWidget *child = gtk_widget_get_first_child(number); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    if (GTK_IS_BUTTON(child))
      gtk_widget_set_visible(child, FALSE);
  g_signal_connect(number, "input", G_CALLBACK(read_number_cb), NULL);
  g_signal_connect(number, "output", G_CALLBACK(show_number_cb), NULL);
  g_signal_connect_swapped(number, "value-changed", G_CALLBACK(typed_cb), self);
  gtk_widget_set_valign(number, GTK_ALIGN_CENTER);
  return number;
}

static void
add_word(CwuShareSlider *self, const char *word, const char *css_class)
{
  GtkWidget *label = gtk_label_new(word);
  gtk_widget_add_css_class(label, css_class);
  gtk_widget_set_parent(label, GTK_WIDGET(self));
}

/* A name that the ends of the slider can do without, where there is no room for it. */
static void
add_spare_name(CwuShareSlider *self, const char *name)
{
  GtkWidget *label = gtk_label_new(name), *squeezer = adw_squeezer_new();
  adw_squeezer_add(ADW_SQUEEZER(squeezer), label);
  adw_squeezer_set_allow_none(ADW_SQUEEZER(squeezer), TRUE);
  gtk_widget_add_css_class(squeezer, "share-name");
  gtk_widget_set_parent(squeezer, GTK_WIDGET(self));
}

static void
build(CwuShareSlider *self)
{
  const char *name = _(self->kind->name);
  self->scale = scale_new(self);
  gtk_widget_set_hexpand(GTK_WIDGET(self), TRUE);
  gtk_widget_set_has_tooltip(GTK_WIDGET(self), TRUE);
  if (self->share == CWU_SHARE_GRAVITY)
    add_spare_name(self, name);
  else
    add_word(self, name, "share-name");
  if (self->share == CWU_SHARE_GRAVITY)
    add_word(self, C_("order of the force view", "free"), "share-end");
  gtk_widget_set_parent(self->scale, GTK_WIDGET(self));
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->scale), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 name, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                 _(self->kind->description), -1);
  if (self->share == CWU_SHARE_GRAVITY) {
    add_word(self, C_("order of the force view", "layered"), "share-end");
    return;
  }
  self->number = number_new(self);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->number), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 name, -1);
  gtk_widget_set_parent(self->number, GTK_WIDGET(self));
}

static void
cwu_share_slider_dispose(GObject *object)
{
  CwuShareSlider *self = CWU_SHARE_SLIDER(object);
  GtkWidget *child;
  g_clear_handle_id(&self->wheel_timeout, g_source_remove);
  while ((child = gtk_widget_get_first_child(GTK_WIDGET(self))) != NULL)
    gtk_widget_unparent(child);
  g_clear_object(&self->document);
  G_OBJECT_CLASS(cwu_share_slider_parent_class)->dispose(object);
}

static void
cwu_share_slider_class_init(CwuShareSliderClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_share_slider_dispose;
  widget_class->query_tooltip = cwu_share_slider_query_tooltip;
  gtk_widget_class_set_css_name(widget_class, "shareslider");
  gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
cwu_share_slider_init(CwuShareSlider *self)
{
}

GtkWidget *
cwu_share_slider_new(CwuDocument *document, CwuShare share)
{
  CwuShareSlider *self = g_object_new(CWU_TYPE_SHARE_SLIDER, NULL);
  self->document = g_object_ref(document);
  self->share = share;
  self->kind = &kinds[share];
  build(self);
  update(self);
  g_signal_connect_object(document, "changed", G_CALLBACK(changed_cb), self, G_CONNECT_SWAPPED);
  return GTK_WIDGET(self);
}
