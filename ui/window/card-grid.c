/* card-grid.c - see card-grid.h. A flow box fills each row and leaves the last one short: of
 * four cards, where three fit, it sets one below. */
#include "window/card-grid.h"

#include <stdbool.h>

#define GAP_PX       16
#define LEAST_PX     208 /* of a card, still read well */
#define USUAL_PX     264
#define MOST_COLUMNS 4

struct _CwuCardGrid {
  GtkLayoutManager parent_instance;
};

G_DEFINE_TYPE(CwuCardGrid, cwu_card_grid, GTK_TYPE_LAYOUT_MANAGER)

static int
card_width(int columns, int width)
{
  return (width + GAP_PX) / columns - GAP_PX;
}

/* Worst is a card alone in its row; then rows count, then narrow cards, then holes. */
static int
cost_of(int n, int columns, int width)
{
  int n_rows = (n + columns - 1) / columns, n_holes = n_rows * columns - n;
  bool is_lone = n_rows > 1 && (columns == 1 || n % columns == 1);
  bool is_tight = card_width(columns, width) < USUAL_PX;
  return (is_lone ? 1000 : 0) + 20 * n_rows + (is_tight ? 10 : 0) + n_holes;
}

int
cwu_card_grid_get_columns(int n, int width)
{
  int best = 1;
  for (int columns = 2; columns <= MIN(n, MOST_COLUMNS); columns++)
    if (card_width(columns, width) >= LEAST_PX &&
        cost_of(n, columns, width) < cost_of(n, best, width))
      best = columns;
  return best;
}

static int
count(GtkWidget *widget)
{
  int n = 0;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    n += gtk_widget_should_layout(child);
  return n;
}

/* All cards are as high as the highest. */
static int
card_height(GtkWidget *widget, int width)
{
  int most = 0;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    int height;
    gtk_widget_measure(child, GTK_ORIENTATION_VERTICAL, width, NULL, &height, NULL, NULL);
    most = MAX(most, height);
  }
  return most;
}

static void
cwu_card_grid_measure(GtkLayoutManager *manager, GtkWidget *widget, GtkOrientation orientation,
                      int for_size, int *minimum, int *natural, int *minimum_baseline,
                      int *natural_baseline)
{
  int n = count(widget), least = LEAST_PX;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child)) {
    int own;
    gtk_widget_measure(child, GTK_ORIENTATION_HORIZONTAL, -1, &own, NULL, NULL, NULL);
    least = MAX(least, own);
  }
  int all = MAX(MIN(n, MOST_COLUMNS) * (USUAL_PX + GAP_PX) - GAP_PX, least);
  *minimum = least;
  *natural = all;
  if (orientation == GTK_ORIENTATION_HORIZONTAL || n == 0)
    return;
  int width = for_size >= 0 ? for_size : all, columns = cwu_card_grid_get_columns(n, width);
  int n_rows = (n + columns - 1) / columns;
  *minimum = *natural =
      n_rows * (card_height(widget, card_width(columns, width)) + GAP_PX) - GAP_PX;
}

static void
cwu_card_grid_allocate(GtkLayoutManager *manager, GtkWidget *widget, int width, int height,
                       int baseline)
{
  bool is_rtl = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
  int n = count(widget), columns = cwu_card_grid_get_columns(n, width), i = 0;
  int own = card_width(columns, width), row = card_height(widget, own);
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child), i++) {
    int x = i % columns * (own + GAP_PX);
    GtkAllocation at = { is_rtl ? width - x - own : x, i / columns * (row + GAP_PX), own, row };
    gtk_widget_size_allocate(child, &at, -1);
  }
}

static GtkSizeRequestMode
cwu_card_grid_get_request_mode(GtkLayoutManager *manager, GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
cwu_card_grid_class_init(CwuCardGridClass *class)
{
  GtkLayoutManagerClass *layout_class = GTK_LAYOUT_MANAGER_CLASS(class);
  layout_class->measure = cwu_card_grid_measure;
  layout_class->allocate = cwu_card_grid_allocate;
  layout_class->get_request_mode = cwu_card_grid_get_request_mode;
}

static void
cwu_card_grid_init(CwuCardGrid *self)
{
}

GtkLayoutManager *
cwu_card_grid_new(void)
{
  return g_object_new(CWU_TYPE_CARD_GRID, NULL);
}
