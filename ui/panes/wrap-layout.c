/* wrap-layout.c - see wrap-layout.h. A line takes children at their natural width; one that is
 * wider than the whole line has a line of its own, down to its least width. A handful of
 * children: lines are found anew for every measure. */
#include "panes/wrap-layout.h"

struct _CwuWrapLayout {
  GtkLayoutManager parent_instance;
  int column_spacing, row_spacing;
};

G_DEFINE_TYPE(CwuWrapLayout, cwu_wrap_layout, GTK_TYPE_LAYOUT_MANAGER)

typedef struct {
  GtkWidget *first, *end; /* children from first up to, without, end */
  int width, height;      /* natural, with spacing */
  int n_expanding;
} Line;

static GtkWidget *
next_shown(GtkWidget *child)
{
  while (child != NULL && !gtk_widget_should_layout(child))
    child = gtk_widget_get_next_sibling(child);
  return child;
}

static int
natural_width(GtkWidget *child, int available)
{
  int minimum, natural;
  gtk_widget_measure(child, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, &natural, NULL, NULL);
  return MAX(minimum, available < 0 ? natural : MIN(natural, available));
}

static int
natural_height(GtkWidget *child, int width)
{
  int natural;
  gtk_widget_measure(child, GTK_ORIENTATION_VERTICAL, width, NULL, &natural, NULL, NULL);
  return natural;
}

/* The line that begins with a child; available < 0: there is room for all. */
static Line
find_line(CwuWrapLayout *self, GtkWidget *first, int available)
{
  Line line = { first, first, 0, 0, 0 };
  for (GtkWidget *child = first; child != NULL;
       child = next_shown(gtk_widget_get_next_sibling(child))) {
    int width = natural_width(child, available);
    int wanted = line.width + width + (child != first ? self->column_spacing : 0);
    if (child != first && available >= 0 && wanted > available)
      return line;
    line.width = wanted;
    line.height = MAX(line.height, natural_height(child, width));
    line.n_expanding += gtk_widget_compute_expand(child, GTK_ORIENTATION_HORIZONTAL);
    line.end = next_shown(gtk_widget_get_next_sibling(child));
  }
  return line;
}

static void
measure_width(CwuWrapLayout *self, GtkWidget *widget, int *minimum, int *natural)
{
  *minimum = 0;
  *natural = find_line(self, next_shown(gtk_widget_get_first_child(widget)), -1).width;
  for (GtkWidget *child = next_shown(gtk_widget_get_first_child(widget)); child != NULL;
       child = next_shown(gtk_widget_get_next_sibling(child)))
    *minimum = MAX(*minimum, natural_width(child, 0));
}

static void
cwu_wrap_layout_measure(GtkLayoutManager *manager, GtkWidget *widget,
                        GtkOrientation orientation, int for_size, int *minimum, int *natural,
                        int *minimum_baseline, int *natural_baseline)
{
  CwuWrapLayout *self = CWU_WRAP_LAYOUT(manager);
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    measure_width(self, widget, minimum, natural);
    return;
  }
  int height = 0;
  for (GtkWidget *child = next_shown(gtk_widget_get_first_child(widget)); child != NULL;) {
    Line line = find_line(self, child, for_size);
    height += line.height + (height > 0 ? self->row_spacing : 0);
    child = line.end;
  }
  *minimum = *natural = height;
}

static void
allocate_line(CwuWrapLayout *self, const Line *line, int width, int y, bool is_rtl)
{
  int left = MAX(width - line->width, 0), x = 0, n = line->n_expanding;
  for (GtkWidget *child = line->first; child != line->end;
       child = next_shown(gtk_widget_get_next_sibling(child))) {
    int own = natural_width(child, width);
    if (gtk_widget_compute_expand(child, GTK_ORIENTATION_HORIZONTAL)) {
      int share = left / n--;
      own += share;
      left -= share;
    }
    int at = is_rtl ? width - x - own : x;
    gtk_widget_size_allocate(child, &(GtkAllocation){ at, y, own, line->height }, -1);
    x += own + self->column_spacing;
  }
}

static void
cwu_wrap_layout_allocate(GtkLayoutManager *manager, GtkWidget *widget, int width, int height,
                         int baseline)
{
  CwuWrapLayout *self = CWU_WRAP_LAYOUT(manager);
  bool is_rtl = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
  int y = 0;
  for (GtkWidget *child = next_shown(gtk_widget_get_first_child(widget)); child != NULL;) {
    Line line = find_line(self, child, width);
    allocate_line(self, &line, width, y, is_rtl);
    y += line.height + self->row_spacing;
    child = line.end;
  }
}

static GtkSizeRequestMode
cwu_wrap_layout_get_request_mode(GtkLayoutManager *manager, GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
cwu_wrap_layout_class_init(CwuWrapLayoutClass *class)
{
  GtkLayoutManagerClass *layout_class = GTK_LAYOUT_MANAGER_CLASS(class);
  layout_class->measure = cwu_wrap_layout_measure;
  layout_class->allocate = cwu_wrap_layout_allocate;
  layout_class->get_request_mode = cwu_wrap_layout_get_request_mode;
}

static void
cwu_wrap_layout_init(CwuWrapLayout *self)
{
}

GtkLayoutManager *
cwu_wrap_layout_new(int column_spacing, int row_spacing)
{
  CwuWrapLayout *self = g_object_new(CWU_TYPE_WRAP_LAYOUT, NULL);
  self->column_spacing = column_spacing;
  self->row_spacing = row_spacing;
  return GTK_LAYOUT_MANAGER(self);
}

GtkWidget *
cwu_wrap_box_new(int column_spacing, int row_spacing)
{
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_set_layout_manager(box, cwu_wrap_layout_new(column_spacing, row_spacing));
  return box;
}
