/* lazy-row.c - see lazy-row.h. */
#include "panes/lazy-row.h"

G_DEFINE_TYPE(CwuLazyRow, cwu_lazy_row, GTK_TYPE_WIDGET)

static void
cwu_lazy_row_dispose(GObject *object)
{
  CwuLazyRow *self = CWU_LAZY_ROW(object);
  g_clear_pointer(&self->content, gtk_widget_unparent);
  g_clear_object(&self->item);
  G_OBJECT_CLASS(cwu_lazy_row_parent_class)->dispose(object);
}

/* The keyboard stands on the row, then on what is in it. */
static gboolean
cwu_lazy_row_focus(GtkWidget *widget, GtkDirectionType direction)
{
  GtkWidget *content = CWU_LAZY_ROW(widget)->content;
  if (gtk_widget_is_focus(widget))
    return direction == GTK_DIR_TAB_FORWARD && gtk_widget_child_focus(content, direction);
  if (gtk_widget_get_focus_child(widget) == NULL)
    return gtk_widget_grab_focus(widget);
  return gtk_widget_child_focus(content, direction) ||
         (direction == GTK_DIR_TAB_BACKWARD && gtk_widget_grab_focus(widget));
}

static void
cwu_lazy_row_class_init(CwuLazyRowClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = cwu_lazy_row_dispose;
  widget_class->focus = cwu_lazy_row_focus;
  gtk_widget_class_set_css_name(widget_class, "row");
  gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_LIST_ITEM);
}

static void
cwu_lazy_row_init(CwuLazyRow *self)
{
  self->position = GTK_INVALID_LIST_POSITION;
  gtk_widget_set_focusable(GTK_WIDGET(self), TRUE);
}

CwuLazyRow *
cwu_lazy_row_new(GtkWidget *content)
{
  CwuLazyRow *self = g_object_new(CWU_TYPE_LAZY_ROW, NULL);
  self->content = content;
  gtk_widget_set_parent(content, GTK_WIDGET(self));
  return self;
}
