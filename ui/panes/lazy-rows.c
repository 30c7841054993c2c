/* lazy-rows.c - see lazy-rows.h.
 *
 * GtkListView keeps up to 200 rows on each side of what is seen, and makes, styles and measures
 * them in one go: 60 ms for a node with 200 edges, more for the columns of a table. Rows of one
 * height need no such stock: which are seen follows from the scroll position, and a row that
 * leaves at one end comes back at the other. So a list costs the same however long it is.
 *
 * A row that has the keyboard keeps it while it is scrolled away. Rows are made and bound while
 * space is allocated, which GTK allows where all widgets around are being given space, too: it
 * would not draw those that are asked for space by their children then. So the list asks for a
 * resize whenever rows may come; where space comes otherwise, it asks for one a moment later.
 */
#include "panes/lazy-rows.h"

#include <math.h>

#include "panes/lazy-row.h"

#define NO_ROW GTK_INVALID_LIST_POSITION

/* ---- the list -------------------------------------------------------------------------- */

struct _CwuLazyRows {
  GtkWidget parent_instance;
  const CwuRowMaker *maker;
  gpointer data;
  bool is_single_click;
  GtkSingleSelection *model;     /* NULL: none */
  GtkAdjustment *adjustments[2]; /* by GtkOrientation; NULL: none */
  guint policies[2];             /* GtkScrollablePolicy; scrolled windows set them */
  GtkWidget *header;             /* NULL: none */
  GPtrArray *rows;               /* CwuLazyRow, children; there is always one */
  bool is_wanted, is_from_top;   /* to be scrolled when space is allocated */
  guint wanted;                  /* the row to be shown; NO_ROW: none */
  bool may_bind, is_allocating;
  guint later; /* idle source; 0: none */
};

enum { PROP_0, PROP_HADJUSTMENT, PROP_VADJUSTMENT, PROP_HSCROLL_POLICY, PROP_VSCROLL_POLICY };
enum { ACTIVATE, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_TYPE_WITH_CODE(CwuLazyRows, cwu_lazy_rows, GTK_TYPE_WIDGET,
                        G_IMPLEMENT_INTERFACE(GTK_TYPE_SCROLLABLE, NULL))

static guint
n_items(CwuLazyRows *self)
{
  return self->model != NULL ? g_list_model_get_n_items(G_LIST_MODEL(self->model)) : 0;
}

static CwuLazyRow *
row_at(CwuLazyRows *self, guint i)
{
  return g_ptr_array_index(self->rows, i);
}

/* The row that has the keyboard, itself or in it; NULL: none has. */
static CwuLazyRow *
focus_row(CwuLazyRows *self)
{
  GtkWidget *child = gtk_widget_get_focus_child(GTK_WIDGET(self));
  return child != NULL && CWU_IS_LAZY_ROW(child) ? CWU_LAZY_ROW(child) : NULL;
}

/* ---- what a row shows ------------------------------------------------------------------ */

static void
update_selected(CwuLazyRows *self, CwuLazyRow *row)
{
  bool is_selected = row->position != NO_ROW &&
                     gtk_single_selection_get_selected(self->model) == row->position;
  if (is_selected)
    gtk_widget_set_state_flags(GTK_WIDGET(row), GTK_STATE_FLAG_SELECTED, FALSE);
  else
    gtk_widget_unset_state_flags(GTK_WIDGET(row), GTK_STATE_FLAG_SELECTED);
  gtk_accessible_update_state(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_STATE_SELECTED, is_selected,
                              -1);
}

static void
bind(CwuLazyRows *self, CwuLazyRow *row, guint position)
{
  g_autoptr(GObject) item =
      position != NO_ROW ? g_list_model_get_item(G_LIST_MODEL(self->model), position) : NULL;
  row->position = position;
  if (item != NULL)
    gtk_accessible_update_relation(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_RELATION_POS_IN_SET,
                                   (int)position + 1, GTK_ACCESSIBLE_RELATION_SET_SIZE,
                                   (int)n_items(self), -1);
  if (g_set_object(&row->item, item)) {
    if (self->maker->bind(row->content, item, self->data))
      gtk_widget_add_css_class(GTK_WIDGET(row), "activatable");
    else
      gtk_widget_remove_css_class(GTK_WIDGET(row), "activatable");
  }
  gtk_widget_set_child_visible(GTK_WIDGET(row), item != NULL);
  update_selected(self, row);
}

void
cwu_lazy_rows_name(GtkWidget *content, const char *words)
{
  GtkWidget *row = gtk_widget_get_parent(content);
  if (row != NULL && CWU_IS_LAZY_ROW(row))
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, words,
                                   -1);
}

static void
pressed_cb(GtkGestureClick *gesture, int n_press, double x, double y, CwuLazyRow *row)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(gtk_widget_get_parent(GTK_WIDGET(row)));
  if (n_press == 2 && !self->is_single_click && row->position != NO_ROW)
    g_signal_emit(self, signals[ACTIVATE], 0, row->position);
}

static void
released_cb(GtkGestureClick *gesture, int n_press, double x, double y, CwuLazyRow *row)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(gtk_widget_get_parent(GTK_WIDGET(row)));
  guint position = row->position;
  if (position == NO_ROW || !gtk_widget_contains(GTK_WIDGET(row), x, y))
    return;
  gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  if (focus_row(self) != row)
    gtk_widget_grab_focus(GTK_WIDGET(row));
  gtk_single_selection_set_selected(self->model, position);
  if (self->is_single_click)
    g_signal_emit(self, signals[ACTIVATE], 0, position);
}

static CwuLazyRow *
row_new(CwuLazyRows *self)
{
  CwuLazyRow *row = cwu_lazy_row_new(self->maker->make(self->data));
  GtkGesture *click = gtk_gesture_click_new();
  g_signal_connect(click, "pressed", G_CALLBACK(pressed_cb), row);
  g_signal_connect(click, "released", G_CALLBACK(released_cb), row);
  gtk_widget_add_controller(GTK_WIDGET(row), GTK_EVENT_CONTROLLER(click));
  gtk_widget_set_child_visible(GTK_WIDGET(row), FALSE);
  gtk_widget_insert_before(GTK_WIDGET(row), GTK_WIDGET(self), self->header);
  g_ptr_array_add(self->rows, row);
  return row;
}

/* ---- asking for space ------------------------------------------------------------------- */

static void
ask(CwuLazyRows *self)
{
  if (self->is_allocating)
    return;
  self->may_bind = true;
  gtk_widget_queue_resize(GTK_WIDGET(self));
}

static gboolean
later_cb(gpointer user_data)
{
  CwuLazyRows *self = user_data;
  self->later = 0;
  ask(self);
  return G_SOURCE_REMOVE;
}

/* ---- which rows there are -------------------------------------------------------------- */

/* Of a position that no row shows yet: a row that shows nothing, or nothing of [first, end). */
static CwuLazyRow *
take_row(CwuLazyRows *self, guint first, guint end)
{
  CwuLazyRow *focus = focus_row(self);
  for (guint i = 0; i < self->rows->len; i++) {
    CwuLazyRow *row = row_at(self, i);
    if (row != focus && (row->position < first || row->position >= end))
      return row;
  }
  return row_new(self);
}

static CwuLazyRow *
find_row(CwuLazyRows *self, guint position)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (row_at(self, i)->position == position)
      return row_at(self, i);
  return NULL;
}

/* Rows for [first, end), and no others save that of the keyboard and some that are spare. */
static void
show_range(CwuLazyRows *self, guint first, guint end)
{
  CwuLazyRow *focus = focus_row(self);
  if (!self->may_bind) {
    for (guint position = first; position < end && self->later == 0; position++)
      if (find_row(self, position) == NULL)
        self->later = g_idle_add_full(G_PRIORITY_HIGH_IDLE, later_cb, self, NULL);
    return;
  }
  for (guint position = first; position < end; position++)
    if (find_row(self, position) == NULL)
      bind(self, take_row(self, first, end), position);
  for (guint i = self->rows->len; i-- > 0;) {
    CwuLazyRow *row = row_at(self, i);
    if (row == focus || (row->position >= first && row->position < end))
      continue;
    bind(self, row, NO_ROW);
    if (self->rows->len <= 2 * (end - first) + 1)
      continue;
    g_ptr_array_remove_index(self->rows, i);
    gtk_widget_unparent(GTK_WIDGET(row));
  }
}

/* ---- space ----------------------------------------------------------------------------- */

static int
measure(GtkWidget *widget, GtkOrientation orientation)
{
  int minimum = 0, natural = 0;
  if (widget != NULL)
    gtk_widget_measure(widget, orientation, -1, &minimum, &natural, NULL, NULL);
  return orientation == GTK_ORIENTATION_VERTICAL ? natural : minimum;
}

static int
row_height(CwuLazyRows *self)
{
  int height = 1;
  for (guint i = 0; i < self->rows->len; i++)
    height = MAX(height, measure(GTK_WIDGET(row_at(self, i)), GTK_ORIENTATION_VERTICAL));
  return height;
}

static int
least_width(CwuLazyRows *self)
{
  return MAX(measure(GTK_WIDGET(row_at(self, 0)), GTK_ORIENTATION_HORIZONTAL),
             measure(self->header, GTK_ORIENTATION_HORIZONTAL));
}

static void
cwu_lazy_rows_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                      int *natural, int *minimum_baseline, int *natural_baseline)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(widget);
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = *natural = least_width(self);
    return;
  }
  int height = row_height(self), above = measure(self->header, orientation);
  *minimum = above + (n_items(self) > 0 ? height : 0);
  *natural = (int)MIN(above + (gint64)n_items(self) * height, G_MAXINT / 2);
}

/* To where a row is seen that is wanted, with a row beside it where there is room: what goes on
 * beyond an edge fades towards it. */
static double
wanted_value(CwuLazyRows *self, double value, int height, int page)
{
  double top = (double)self->wanted * height, air = CLAMP((page - height) / 2, 0, height);
  if (self->is_wanted && self->is_from_top)
    value = 0;
  if (self->is_wanted && self->wanted != NO_ROW)
    value = CLAMP(value, top + height + air - page, top - air);
  self->is_wanted = false;
  return value;
}

static double
configure(GtkAdjustment *adjustment, double value, double upper, double page, double step)
{
  if (adjustment == NULL)
    return 0;
  gtk_adjustment_configure(adjustment, CLAMP(value, 0, MAX(upper - page, 0)), 0,
                           MAX(upper, page), step, page * 0.9, page);
  return gtk_adjustment_get_value(adjustment);
}

static double
value_of(CwuLazyRows *self, GtkOrientation orientation)
{
  GtkAdjustment *adjustment = self->adjustments[orientation];
  return adjustment != NULL ? gtk_adjustment_get_value(adjustment) : 0;
}

static void
cwu_lazy_rows_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(widget);
  int above = measure(self->header, GTK_ORIENTATION_VERTICAL), high = row_height(self);
  int full = MAX(width, least_width(self)), page = MAX(height - above, 0);
  guint n = n_items(self);
  self->is_allocating = true;
  double left = configure(self->adjustments[GTK_ORIENTATION_HORIZONTAL],
                          value_of(self, GTK_ORIENTATION_HORIZONTAL), full, width, 40);
  double top = value_of(self, GTK_ORIENTATION_VERTICAL);
  top = configure(self->adjustments[GTK_ORIENTATION_VERTICAL],
                  wanted_value(self, top, high, page), (double)n * high, page, high);
  guint first = MIN((guint)(top / high), n);
  show_range(self, first, MIN((guint)((top + page) / high) + 1, n));
  for (guint i = 0; i < self->rows->len; i++) {
    GtkWidget *row = GTK_WIDGET(row_at(self, i));
    gint64 y = above + (gint64)row_at(self, i)->position * high - (gint64)top;
    if (!gtk_widget_get_child_visible(row))
      continue;
    gtk_widget_measure(row, GTK_ORIENTATION_HORIZONTAL, -1, NULL, NULL, NULL, NULL);
    gtk_widget_size_allocate(
        row, &(GtkAllocation){ (int)-left, (int)CLAMP(y, -100000, 100000), full, high }, -1);
  }
  if (self->header != NULL)
    gtk_widget_size_allocate(self->header, &(GtkAllocation){ (int)-left, 0, full, above }, -1);
  self->is_allocating = self->may_bind = false;
}

static void
cwu_lazy_rows_snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(widget);
  int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
  int above = measure(self->header, GTK_ORIENTATION_VERTICAL);
  gtk_snapshot_push_clip(
      snapshot, &GRAPHENE_RECT_INIT(0, (float)above, (float)width, (float)(height - above)));
  for (guint i = 0; i < self->rows->len; i++)
    gtk_widget_snapshot_child(widget, GTK_WIDGET(row_at(self, i)), snapshot);
  gtk_snapshot_pop(snapshot);
  if (self->header != NULL)
    gtk_widget_snapshot_child(widget, self->header, snapshot);
}

/* ---- the model ------------------------------------------------------------------------- */

/* The row of the keyboard stays with its item, if it is still there, else where it is. */
static void
keep_focus(CwuLazyRows *self, CwuLazyRow *row)
{
  guint n = n_items(self);
  for (guint i = 0; i < n; i++) {
    g_autoptr(GObject) item = g_list_model_get_item(G_LIST_MODEL(self->model), i);
    if (item == row->item) {
      bind(self, row, i);
      return;
    }
  }
  bind(self, row, n > 0 ? MIN(row->position, n - 1) : NO_ROW);
}

static void
items_changed_cb(CwuLazyRows *self, guint position, guint n_removed, guint n_added)
{
  CwuLazyRow *focus = focus_row(self);
  for (guint i = 0; i < self->rows->len; i++) {
    CwuLazyRow *row = row_at(self, i);
    if (row != focus && row->position >= position)
      bind(self, row, NO_ROW);
  }
  if (focus != NULL && focus->position >= position)
    keep_focus(self, focus);
  ask(self);
}

static void
selection_changed_cb(CwuLazyRows *self)
{
  for (guint i = 0; i < self->rows->len; i++)
    update_selected(self, row_at(self, i));
}

static void
let_go(CwuLazyRows *self)
{
  if (self->model == NULL)
    return;
  g_signal_handlers_disconnect_by_data(self->model, self);
  for (guint i = 0; i < self->rows->len; i++)
    bind(self, row_at(self, i), NO_ROW);
  g_clear_object(&self->model);
}

void
cwu_lazy_rows_set_model(CwuLazyRows *self, GtkSingleSelection *model)
{
  let_go(self);
  self->model = g_object_ref(model);
  g_signal_connect_swapped(model, "items-changed", G_CALLBACK(items_changed_cb), self);
  g_signal_connect_swapped(model, "selection-changed", G_CALLBACK(selection_changed_cb), self);
  ask(self);
}

GtkSingleSelection *
cwu_lazy_rows_peek_model(CwuLazyRows *self)
{
  return self->model;
}

/* ---- scrolling ------------------------------------------------------------------------- */

static void
want(CwuLazyRows *self, guint position, bool is_from_top)
{
  self->is_from_top = is_from_top;
  self->wanted = position;
  self->is_wanted = true;
  ask(self);
}

void
cwu_lazy_rows_scroll_to(CwuLazyRows *self, guint position)
{
  want(self, position, self->is_wanted && self->is_from_top);
}

void
cwu_lazy_rows_scroll_to_top(CwuLazyRows *self, guint position)
{
  want(self, position, true);
}

static void
set_adjustment(CwuLazyRows *self, GtkOrientation orientation, GtkAdjustment *adjustment)
{
  GtkAdjustment *old = self->adjustments[orientation];
  if (old == adjustment)
    return;
  if (old != NULL)
    g_signal_handlers_disconnect_by_data(old, self);
  g_set_object(&self->adjustments[orientation], adjustment);
  if (adjustment != NULL)
    g_signal_connect_swapped(adjustment, "value-changed", G_CALLBACK(ask), self);
  ask(self);
}

/* ---- the keyboard ---------------------------------------------------------------------- */

bool
cwu_lazy_rows_focus(CwuLazyRows *self, guint position)
{
  if (position >= n_items(self))
    return false;
  CwuLazyRow *row = find_row(self, position);
  if (row == NULL) {
    row = take_row(self, NO_ROW, NO_ROW);
    bind(self, row, position);
  }
  cwu_lazy_rows_scroll_to(self, position);
  return gtk_widget_grab_focus(GTK_WIDGET(row));
}

/* Where the keyboard would come in. */
static guint
entry_of(CwuLazyRows *self)
{
  guint selected =
      self->model != NULL ? gtk_single_selection_get_selected(self->model) : NO_ROW;
  if (selected != NO_ROW)
    return selected;
  double height = row_height(self);
  return (guint)ceil(value_of(self, GTK_ORIENTATION_VERTICAL) / height);
}

static gboolean
cwu_lazy_rows_grab_focus(GtkWidget *widget)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(widget);
  return cwu_lazy_rows_focus(self, entry_of(self));
}

/* Tab goes: header, row, what is in the row, out. */
static gboolean
cwu_lazy_rows_focus_vfunc(GtkWidget *widget, GtkDirectionType direction)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(widget);
  CwuLazyRow *row = focus_row(self);
  GtkWidget *inside = gtk_widget_get_focus_child(widget);
  bool is_back = direction == GTK_DIR_TAB_BACKWARD || direction == GTK_DIR_UP;
  if (inside != NULL && gtk_widget_child_focus(inside, direction))
    return TRUE;
  if (row != NULL)
    return is_back && self->header != NULL && gtk_widget_child_focus(self->header, direction);
  if (inside == NULL && !is_back && self->header != NULL &&
      gtk_widget_child_focus(self->header, direction))
    return TRUE;
  return (inside == NULL || !is_back) && gtk_widget_grab_focus(widget);
}

static guint
position_after(CwuLazyRows *self, guint position, guint key)
{
  gint64 last = (gint64)n_items(self) - 1, to = position;
  gint64 page = (gint64)(gtk_widget_get_height(GTK_WIDGET(self)) / row_height(self)) - 1;
  switch (key) {
  case GDK_KEY_Up:
  case GDK_KEY_KP_Up:
    return (guint)MAX(to - 1, 0);
  case GDK_KEY_Down:
  case GDK_KEY_KP_Down:
    return (guint)MIN(to + 1, last);
  case GDK_KEY_Page_Up:
  case GDK_KEY_KP_Page_Up:
    return (guint)MAX(to - MAX(page, 1), 0);
  case GDK_KEY_Page_Down:
  case GDK_KEY_KP_Page_Down:
    return (guint)MIN(to + MAX(page, 1), last);
  case GDK_KEY_Home:
  case GDK_KEY_KP_Home:
    return 0;
  case GDK_KEY_End:
  case GDK_KEY_KP_End:
    return (guint)last;
  case GDK_KEY_space:
    return position;
  default:
    return NO_ROW;
  }
}

static gboolean
key_cb(GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
       CwuLazyRows *self)
{
  CwuLazyRow *row = focus_row(self);
  if (row == NULL || row->position == NO_ROW ||
      (modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK | GDK_SHIFT_MASK)))
    return FALSE;
  if (key == GDK_KEY_Return || key == GDK_KEY_KP_Enter || key == GDK_KEY_ISO_Enter) {
    g_signal_emit(self, signals[ACTIVATE], 0, row->position);
    return TRUE;
  }
  guint position = position_after(self, row->position, key);
  if (position == NO_ROW)
    return FALSE;
  cwu_lazy_rows_focus(self, position);
  gtk_single_selection_set_selected(self->model, position);
  return TRUE;
}

/* ---- building -------------------------------------------------------------------------- */

static void
cwu_lazy_rows_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(object);
  if (id == PROP_HADJUSTMENT || id == PROP_VADJUSTMENT)
    g_value_set_object(value, self->adjustments[id == PROP_VADJUSTMENT]);
  else
    g_value_set_enum(value, (int)self->policies[id == PROP_VSCROLL_POLICY]);
}

static void
cwu_lazy_rows_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(object);
  if (id == PROP_HADJUSTMENT || id == PROP_VADJUSTMENT)
    set_adjustment(self, (GtkOrientation)(id == PROP_VADJUSTMENT), g_value_get_object(value));
  else
    self->policies[id == PROP_VSCROLL_POLICY] = (guint)g_value_get_enum(value);
}

static void
cwu_lazy_rows_dispose(GObject *object)
{
  CwuLazyRows *self = CWU_LAZY_ROWS(object);
  g_clear_handle_id(&self->later, g_source_remove);
  let_go(self);
  set_adjustment(self, GTK_ORIENTATION_HORIZONTAL, NULL);
  set_adjustment(self, GTK_ORIENTATION_VERTICAL, NULL);
  for (guint i = self->rows->len; i-- > 0;)
    gtk_widget_unparent(GTK_WIDGET(row_at(self, i)));
  g_ptr_array_set_size(self->rows, 0);
  g_clear_pointer(&self->header, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_lazy_rows_parent_class)->dispose(object);
}

static void
cwu_lazy_rows_finalize(GObject *object)
{
  g_ptr_array_unref(CWU_LAZY_ROWS(object)->rows);
  G_OBJECT_CLASS(cwu_lazy_rows_parent_class)->finalize(object);
}

static void
cwu_lazy_rows_class_init(CwuLazyRowsClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS(class);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  object_class->get_property = cwu_lazy_rows_get_property;
  object_class->set_property = cwu_lazy_rows_set_property;
  object_class->dispose = cwu_lazy_rows_dispose;
  object_class->finalize = cwu_lazy_rows_finalize;
  widget_class->measure = cwu_lazy_rows_measure;
  widget_class->size_allocate = cwu_lazy_rows_size_allocate;
  widget_class->snapshot = cwu_lazy_rows_snapshot;
  widget_class->focus = cwu_lazy_rows_focus_vfunc;
  widget_class->grab_focus = cwu_lazy_rows_grab_focus;
  g_object_class_override_property(object_class, PROP_HADJUSTMENT, "hadjustment");
  g_object_class_override_property(object_class, PROP_VADJUSTMENT, "vadjustment");
  g_object_class_override_property(object_class, PROP_HSCROLL_POLICY, "hscroll-policy");
  g_object_class_override_property(object_class, PROP_VSCROLL_POLICY, "vscroll-policy");
  signals[ACTIVATE] = g_signal_new("activate", CWU_TYPE_LAZY_ROWS, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  gtk_widget_class_set_css_name(widget_class, "listview");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_LIST);
}

static void
cwu_lazy_rows_init(CwuLazyRows *self)
{
  GtkEventController *keys = gtk_event_controller_key_new();
  self->rows = g_ptr_array_new();
  gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
  g_signal_connect(keys, "key-pressed", G_CALLBACK(key_cb), self);
  gtk_widget_add_controller(GTK_WIDGET(self), keys);
}

GtkWidget *
cwu_lazy_rows_new(const CwuRowMaker *maker, gpointer data, bool is_single_click)
{
  CwuLazyRows *self = g_object_new(CWU_TYPE_LAZY_ROWS, NULL);
  self->maker = maker;
  self->data = data;
  self->is_single_click = is_single_click;
  self->may_bind = true;
  row_new(self); /* to be measured */
  return GTK_WIDGET(self);
}

void
cwu_lazy_rows_set_header(CwuLazyRows *self, GtkWidget *header)
{
  g_clear_pointer(&self->header, gtk_widget_unparent);
  self->header = header;
  gtk_widget_insert_before(header, GTK_WIDGET(self), NULL);
}
