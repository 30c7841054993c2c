/* type-bin.c - see type-bin.h. Desktops tell of larger text as a higher resolution for it. */
#include "graph/type-bin.h"

#define USUAL_DPI (96 * 1024) /* as GTK counts */
#define MAX_SCALE 2.5         /* so that something of a picture is left in a small window */

struct _CwuTypeBin {
  GtkWidget parent_instance;
  GtkWidget *child;
};

G_DEFINE_TYPE(CwuTypeBin, cwu_type_bin, GTK_TYPE_WIDGET)

double
cwu_type_scale(GtkWidget *widget)
{
  int dpi = -1;
  g_object_get(gtk_widget_get_settings(widget), "gtk-xft-dpi", &dpi, NULL);
  return dpi > 0 ? CLAMP((double)dpi / USUAL_DPI, 1, MAX_SCALE) : 1;
}

static void
cwu_type_bin_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                     int *natural, int *minimum_baseline, int *natural_baseline)
{
  double scale = cwu_type_scale(widget);
  int least, usual;
  gtk_widget_measure(CWU_TYPE_BIN(widget)->child, orientation, -1, &least, &usual, NULL, NULL);
  *minimum = (int)(least * scale);
  *natural = (int)(usual * scale);
}

static void
cwu_type_bin_size_allocate(GtkWidget *widget, int width, int height, int baseline)
{
  float scale = (float)cwu_type_scale(widget);
  GskTransform *transform = scale > 1 ? gsk_transform_scale(NULL, scale, scale) : NULL;
  gtk_widget_allocate(CWU_TYPE_BIN(widget)->child, (int)((float)width / scale + 0.999f),
                      (int)((float)height / scale + 0.999f), -1, transform);
}

/* The size stays, what is drawn does not. */
static void
cwu_type_bin_system_setting_changed(GtkWidget *widget, GtkSystemSetting setting)
{
  GTK_WIDGET_CLASS(cwu_type_bin_parent_class)->system_setting_changed(widget, setting);
  gtk_widget_queue_resize(CWU_TYPE_BIN(widget)->child);
}

static gboolean
cwu_type_bin_grab_focus(GtkWidget *widget)
{
  return gtk_widget_grab_focus(CWU_TYPE_BIN(widget)->child);
}

static void
cwu_type_bin_dispose(GObject *object)
{
  g_clear_pointer(&CWU_TYPE_BIN(object)->child, gtk_widget_unparent);
  G_OBJECT_CLASS(cwu_type_bin_parent_class)->dispose(object);
}

static void
cwu_type_bin_class_init(CwuTypeBinClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_type_bin_dispose;
  widget_class->measure = cwu_type_bin_measure;
  widget_class->size_allocate = cwu_type_bin_size_allocate;
  widget_class->system_setting_changed = cwu_type_bin_system_setting_changed;
  widget_class->grab_focus = cwu_type_bin_grab_focus;
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_GROUP);
}

static void
cwu_type_bin_init(CwuTypeBin *self)
{
  gtk_widget_set_overflow(GTK_WIDGET(self), GTK_OVERFLOW_HIDDEN);
}

GtkWidget *
cwu_type_bin_new(GtkWidget *child)
{
  CwuTypeBin *self = g_object_new(CWU_TYPE_TYPE_BIN, NULL);
  self->child = child;
  gtk_widget_set_parent(child, GTK_WIDGET(self));
  return GTK_WIDGET(self);
}
