/* test-type-bin.c - where the system's type is larger, a picture has fewer px and they are
 * larger. */
#include "graph/graph-view.h"
#include "graph/type-bin.h"
#include "panes-support.h"
#include "widget-test.h"

#define WIDTH  900
#define HEIGHT 600

static void
set_type(double scale)
{
  g_object_set(gtk_settings_get_default(), "gtk-xft-dpi", (int)(scale * 96 * 1024), NULL);
}

/* The picture covers its place, and what is pointed at is what lies there. */
static void
check(PanesFixture *f, GtkWidget *bin, GtkWidget *view, double scale)
{
  graphene_rect_t bounds;
  double x, y;
  panes_settle(f);
  g_assert_cmpfloat_with_epsilon(cwu_type_scale(view), scale, 1e-3);
  /* A px is lost to rounding, at the most. */
  g_assert_cmpfloat(ABS(gtk_widget_get_width(view) * scale - gtk_widget_get_width(bin)), <, 2);
  g_assert_cmpfloat(ABS(gtk_widget_get_height(view) * scale - gtk_widget_get_height(bin)), <,
                    2);
  g_assert_true(gtk_widget_compute_bounds(view, bin, &bounds));
  g_assert_cmpfloat(ABS(bounds.size.width - gtk_widget_get_width(bin)), <, 2);
  g_assert_true(gtk_widget_translate_coordinates(bin, view, 300, 150, &x, &y));
  g_assert_cmpfloat_with_epsilon(x, 300 / scale, 1e-3);
  g_assert_cmpfloat_with_epsilon(y, 150 / scale, 1e-3);
  g_assert_true(gtk_widget_pick(bin, WIDTH - 5, HEIGHT - 5, GTK_PICK_DEFAULT) == view);
}

static void
test_grows(PanesFixture *f, gconstpointer data)
{
  static const double scales[] = { 1, 1.25, 1.5, 1 };
  panes_open(f, "capital-of-france.clew");
  GtkWidget *view = GTK_WIDGET(cwu_graph_view_new()), *bin = cwu_type_bin_new(view);
  cwu_graph_view_set_document(CWU_GRAPH_VIEW(view), f->document);
  set_type(1);
  panes_show(f, bin, WIDTH, HEIGHT);
  for (size_t i = 0; i < G_N_ELEMENTS(scales); i++) {
    set_type(scales[i]);
    check(f, bin, view, scales[i]);
  }
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add("/ui/type-bin/a-picture-grows-with-type", PanesFixture, NULL, NULL, test_grows,
             panes_close);
  return g_test_run();
}
