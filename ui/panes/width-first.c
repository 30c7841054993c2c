/* width-first.c - see width-first.h. */
#include "panes/width-first.h"

static GtkSizeRequestMode
request_mode(GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
        int *minimum_baseline, int *natural_baseline)
{
  GtkWidget *child = gtk_widget_get_first_child(widget);
  if (child != NULL)
    gtk_widget_measure(child, orientation,
                       orientation == GTK_ORIENTATION_HORIZONTAL ? -1 : for_size, minimum,
                       natural, minimum_baseline, natural_baseline);
}

static void
allocate(GtkWidget *widget, int width, int height, int baseline)
{
  GtkWidget *child = gtk_widget_get_first_child(widget);
  if (child != NULL)
    gtk_widget_allocate(child, width, height, baseline, NULL);
}

GtkLayoutManager *
cwu_width_first_layout_new(void)
{
  return gtk_custom_layout_new(request_mode, measure, allocate);
}
