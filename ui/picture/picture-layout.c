/* picture-layout.c - see picture-layout.h. */
#include "picture/picture-layout.h"

CwuLayout *
cwu_layout_new(CwuLayoutKind kind, size_t n_nodes, double width, double height)
{
  CwuLayout *layout = g_new0(CwuLayout, 1);
  layout->n_references = 1;
  layout->kind = kind;
  layout->n_nodes = n_nodes;
  layout->width = MAX(width, 1);
  layout->height = MAX(height, 1);
  layout->x = g_try_new0(float, n_nodes + 1);
  layout->y = g_try_new0(float, n_nodes + 1);
  if (layout->x == NULL || layout->y == NULL)
    g_clear_pointer(&layout, cwu_layout_unref);
  return layout;
}

CwuLayout *
cwu_layout_ref(CwuLayout *layout)
{
  g_atomic_int_inc(&layout->n_references);
  return layout;
}

void
cwu_layout_unref(CwuLayout *layout)
{
  if (layout == NULL || !g_atomic_int_dec_and_test(&layout->n_references))
    return;
  g_free(layout->x);
  g_free(layout->y);
  g_free(layout->fan);
  g_free(layout->column_right);
  g_free(layout->column_centre);
  g_free(layout);
}
