/* node-columns.c - see node-columns.h. Heads are buttons, so that the keyboard reaches them;
 * all but that of names have a left edge that can be dragged. */
#include "panes/node-columns.h"

#include <glib/gi18n-lib.h>

#define GAP_PX   20 /* between the texts of two columns */
#define EDGE_PX  5
#define LEAST_PX 40
/* Letters of the widest name: in a wider table its numbers would be far from it. */
#define MOST_NAME 60

static const struct {
  const char *title;
  int width; /* letters */
  bool is_number;
} columns[CWU_N_COLUMNS] = {
  [CWU_COLUMN_NAME] = { N_("Name"), 21, false },
  [CWU_COLUMN_INFLUENCE] = { N_("Influence"), 8, true },
  [CWU_COLUMN_TYPE] = { N_("Type"), 11, false },
  [CWU_COLUMN_LAYER] = { N_("Layer"), 4, true },
  [CWU_COLUMN_TOKEN] = { N_("Token"), 11, false },
  [CWU_COLUMN_ACTIVATION] = { N_("Activation"), 9, true },
  [CWU_COLUMN_INPUTS] = { N_("Inputs"), 7, true },
  [CWU_COLUMN_OUTPUTS] = { N_("Outputs"), 8, true },
  [CWU_COLUMN_PINNED] = { N_("Pinned"), 7, false },
};

struct _CwuNodeColumns {
  GtkWidget parent_instance;
  GtkWidget *buttons[CWU_N_COLUMNS], *arrows[CWU_N_COLUMNS];
  int given[CWU_N_COLUMNS];  /* px, by whoever dragged; 0: nobody did */
  int widths[CWU_N_COLUMNS]; /* px, as they were measured last */
  int most_rest;             /* px, of what is left over: for names */
  int dragged, start;        /* column, its width when it began */
};

enum { CLICKED, RESIZED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_TYPE(CwuNodeColumns, cwu_node_columns, GTK_TYPE_WIDGET)

/* ---- where columns are ----------------------------------------------------------------- */

const char *
cwu_node_columns_get_title(CwuNodeColumn column)
{
  return _(columns[column].title);
}

bool
cwu_node_columns_is_number(CwuNodeColumn column)
{
  return columns[column].is_number;
}

/* Of the font, as wide as they are on average: px. */
static double
letter_width(CwuNodeColumns *self)
{
  PangoFontMetrics *metrics =
      pango_context_get_metrics(gtk_widget_get_pango_context(GTK_WIDGET(self)), NULL, NULL);
  int letter = pango_font_metrics_get_approximate_char_width(metrics);
  int digit = pango_font_metrics_get_approximate_digit_width(metrics);
  pango_font_metrics_unref(metrics);
  return (double)MAX(letter, digit) / PANGO_SCALE;
}

/* No column is narrower than its head, unless somebody wants it so. What a dragged column takes
 * or gives is the names' loss or gain, so that its edge follows the pointer. */
static void
measure_columns(CwuNodeColumns *self)
{
  double letter = letter_width(self);
  for (int i = 0; i < CWU_N_COLUMNS; i++) {
    int head;
    gtk_widget_measure(self->buttons[i], GTK_ORIENTATION_HORIZONTAL, -1, NULL, &head, NULL,
                       NULL);
    self->widths[i] = MAX((int)(columns[i].width * letter), head - GAP_PX);
    if (i == (int)CWU_COLUMN_NAME)
      self->most_rest = (int)(MOST_NAME * letter) - self->widths[i];
    if (self->given[i] > 0) {
      self->most_rest -= self->given[i] - self->widths[i];
      self->widths[i] = self->given[i];
    }
  }
}

int
cwu_node_columns_get_least_width(CwuNodeColumns *self)
{
  int sum = CWU_N_COLUMNS * GAP_PX;
  for (int i = 0; i < CWU_N_COLUMNS; i++)
    sum += self->widths[i];
  return sum;
}

CwuSpan
cwu_node_columns_place(CwuNodeColumns *self, CwuNodeColumn column, int full_width)
{
  int rest = full_width - cwu_node_columns_get_least_width(self);
  rest = MAX(MIN(rest, self->most_rest), 0);
  int x = GAP_PX / 2 + (column != CWU_COLUMN_NAME ? rest : 0);
  for (int i = 0; i < (int)column; i++)
    x += self->widths[i] + GAP_PX;
  int width = self->widths[column] + (column == CWU_COLUMN_NAME ? rest : 0);
  bool is_rtl = gtk_widget_get_direction(GTK_WIDGET(self)) == GTK_TEXT_DIR_RTL;
  return (CwuSpan){ is_rtl ? full_width - x - width : x, width };
}

int
cwu_node_columns_find(CwuNodeColumns *self, double x, int full_width)
{
  for (int i = 0; i < CWU_N_COLUMNS; i++) {
    CwuSpan span = cwu_node_columns_place(self, (CwuNodeColumn)i, full_width);
    if (x >= span.x && x < span.x + span.width)
      return i;
  }
  return -1;
}

static void
cwu_node_columns_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                         int *minimum, int *natural, int *minimum_baseline,
                         int *natural_baseline)
{
  CwuNodeColumns *self = CWU_NODE_COLUMNS(widget);
  *minimum = 0;
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    measure_columns(self);
    *minimum = cwu_node_columns_get_least_width(self);
  }
  for (int i = 0; i < CWU_N_COLUMNS && orientation == GTK_ORIENTATION_VERTICAL; i++) {
    int height;
    gtk_widget_measure(self->buttons[i], orientation, -1, &height, NULL, NULL, NULL);
    *minimum = MAX(*minimum, height);
  }
  *natural = *minimum;
}

/* Buttons reach half way into the gaps. A column that was dragged narrow cuts its head. */
static void
cwu_node_columns_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  CwuNodeColumns *self = CWU_NODE_COLUMNS(widget);
  for (int i = 0; i < CWU_N_COLUMNS; i++) {
    CwuSpan span = cwu_node_columns_place(self, (CwuNodeColumn)i, width);
    int least;
    gtk_widget_measure(self->buttons[i], GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL,
                       NULL);
    gtk_widget_size_allocate(
        self->buttons[i],
        &(GtkAllocation){ span.x - GAP_PX / 2, 0, MAX(span.width + GAP_PX, least), height },
        -1);
  }
}

/* ---- sorting --------------------------------------------------------------------------- */

void
cwu_node_columns_set_sorted(CwuNodeColumns *self, CwuNodeColumn column, GtkSortType order)
{
  bool is_rising = order == GTK_SORT_ASCENDING;
  for (int i = 0; i < CWU_N_COLUMNS; i++) {
    GtkAccessibleSort sort = i != (int)column ? GTK_ACCESSIBLE_SORT_NONE
                             : is_rising      ? GTK_ACCESSIBLE_SORT_ASCENDING
                                              : GTK_ACCESSIBLE_SORT_DESCENDING;
    gtk_widget_set_opacity(self->arrows[i], i == (int)column ? 1 : 0);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->buttons[i]),
                                   GTK_ACCESSIBLE_PROPERTY_SORT, sort, -1);
  }
  gtk_image_set_from_icon_name(GTK_IMAGE(self->arrows[column]),
                               is_rising ? "pan-up-symbolic" : "pan-down-symbolic");
}

static void
clicked_cb(GtkWidget *button, CwuNodeColumns *self)
{
  for (int i = 0; i < CWU_N_COLUMNS; i++)
    if (self->buttons[i] == button)
      g_signal_emit(self, signals[CLICKED], 0, i);
}

/* ---- dragging edges -------------------------------------------------------------------- */

/* The column at whose left edge x is; 0: none. */
static int
find_edge(CwuNodeColumns *self, double x)
{
  bool is_rtl = gtk_widget_get_direction(GTK_WIDGET(self)) == GTK_TEXT_DIR_RTL;
  for (int i = 1; i < CWU_N_COLUMNS; i++) {
    CwuSpan span =
        cwu_node_columns_place(self, (CwuNodeColumn)i, gtk_widget_get_width(GTK_WIDGET(self)));
    double edge = is_rtl ? span.x + span.width + GAP_PX / 2 : span.x - GAP_PX / 2;
    if (ABS(x - edge) <= EDGE_PX)
      return i;
  }
  return 0;
}

static void
drag_begin_cb(GtkGestureDrag *gesture, double x, double y, CwuNodeColumns *self)
{
  self->dragged = find_edge(self, x);
  self->start = self->dragged > 0 ? self->widths[self->dragged] : 0;
  gtk_gesture_set_state(GTK_GESTURE(gesture), self->dragged > 0 ? GTK_EVENT_SEQUENCE_CLAIMED
                                                                : GTK_EVENT_SEQUENCE_DENIED);
}

static void
drag_update_cb(GtkGestureDrag *gesture, double dx, double dy, CwuNodeColumns *self)
{
  bool is_rtl = gtk_widget_get_direction(GTK_WIDGET(self)) == GTK_TEXT_DIR_RTL;
  if (self->dragged <= 0)
    return;
  self->given[self->dragged] = MAX(self->start + (int)(is_rtl ? dx : -dx), LEAST_PX);
  measure_columns(self);
  gtk_widget_queue_resize(GTK_WIDGET(self));
  g_signal_emit(self, signals[RESIZED], 0);
}

static void
motion_cb(GtkEventControllerMotion *controller, double x, double y, CwuNodeColumns *self)
{
  gtk_widget_set_cursor_from_name(GTK_WIDGET(self),
                                  find_edge(self, x) > 0 ? "col-resize" : NULL);
}

/* ---- building -------------------------------------------------------------------------- */

static void
cwu_node_columns_dispose(GObject *object)
{
  GtkWidget *child;
  while ((child = gtk_widget_get_first_child(GTK_WIDGET(object))) != NULL)
    gtk_widget_unparent(child);
  G_OBJECT_CLASS(cwu_node_columns_parent_class)->dispose(object);
}

static void
cwu_node_columns_class_init(CwuNodeColumnsClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_node_columns_dispose;
  widget_class->measure = cwu_node_columns_measure;
  widget_class->size_allocate = cwu_node_columns_size_allocate;
  signals[CLICKED] = g_signal_new("clicked", CWU_TYPE_NODE_COLUMNS, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT);
  signals[RESIZED] = g_signal_new("resized", CWU_TYPE_NODE_COLUMNS, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_css_name(widget_class, "nodecolumns");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
add_head(CwuNodeColumns *self, int i)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2), *title;
  title = gtk_label_new(cwu_node_columns_get_title((CwuNodeColumn)i));
  self->arrows[i] = gtk_image_new_from_icon_name("pan-down-symbolic");
  gtk_widget_set_halign(box, columns[i].is_number          ? GTK_ALIGN_END
                             : i == (int)CWU_COLUMN_PINNED ? GTK_ALIGN_CENTER
                                                           : GTK_ALIGN_START);
  if (columns[i].is_number) {
    gtk_box_append(GTK_BOX(box), self->arrows[i]);
    gtk_box_append(GTK_BOX(box), title);
  } else {
    gtk_box_append(GTK_BOX(box), title);
    gtk_box_append(GTK_BOX(box), self->arrows[i]);
  }
  self->buttons[i] = gtk_button_new();
  gtk_button_set_child(GTK_BUTTON(self->buttons[i]), box);
  gtk_widget_add_css_class(self->buttons[i], "flat");
  gtk_widget_set_overflow(self->buttons[i], GTK_OVERFLOW_HIDDEN);
  gtk_accessible_update_property(GTK_ACCESSIBLE(self->buttons[i]),
                                 GTK_ACCESSIBLE_PROPERTY_LABEL,
                                 cwu_node_columns_get_title((CwuNodeColumn)i), -1);
  gtk_widget_set_parent(self->buttons[i], GTK_WIDGET(self));
  g_signal_connect(self->buttons[i], "clicked", G_CALLBACK(clicked_cb), self);
}

static void
cwu_node_columns_init(CwuNodeColumns *self)
{
  GtkGesture *drag = gtk_gesture_drag_new();
  GtkEventController *motion = gtk_event_controller_motion_new();
  for (int i = 0; i < CWU_N_COLUMNS; i++)
    add_head(self, i);
  gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(drag), GTK_PHASE_CAPTURE);
  g_signal_connect(drag, "drag-begin", G_CALLBACK(drag_begin_cb), self);
  g_signal_connect(drag, "drag-update", G_CALLBACK(drag_update_cb), self);
  g_signal_connect(motion, "motion", G_CALLBACK(motion_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drag));
  gtk_widget_add_controller(GTK_WIDGET(self), motion);
}

GtkWidget *
cwu_node_columns_new(void)
{
  return g_object_new(CWU_TYPE_NODE_COLUMNS, NULL);
}
