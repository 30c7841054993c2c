/* test-prune-bar.c - sliders and what they leave: values, steps of the history, words. */
#include <math.h>
#include <string.h>

#include "panes-support.h"
#include "panes/prune-bar.h"
#include "panes/share-slider.h"
#include "widget-test.h"

/* Every value that a slider can stand at is shown digit for digit, and the ends are exact. */
static void
test_values(void)
{
  for (int share = CWU_SHARE_NODES; share <= CWU_SHARE_GRAVITY; share++) {
    double last = -1;
    for (int i = 0; i <= 1000; i++) {
      double value = cwu_share_at_place((CwuShare)share, i / 1000.0);
      g_autofree char *text = cwu_share_dup_text(value);
      g_assert_cmpfloat(g_ascii_strtod(text, NULL), ==, value);
      g_assert_cmpfloat(value, >=, last);
      last = value;
    }
    g_assert_cmpfloat(cwu_share_at_place((CwuShare)share, 0), ==, 0);
    g_assert_cmpfloat(cwu_share_at_place((CwuShare)share, 1), ==, 1);
    static const double usual[] = { 0.8, 0.98, 0.5 };
    double place = cwu_share_place_of((CwuShare)share, usual[share]);
    g_assert_cmpfloat(cwu_share_at_place((CwuShare)share, place), ==, usual[share]);
  }
}

static void
check_text(double value, const char *wanted)
{
  g_autofree char *text = cwu_share_dup_text(value);
  g_assert_cmpstr(text, ==, wanted);
}

static void
test_text(void)
{
  check_text(0, "0.00");
  check_text(0.8, "0.80");
  check_text(0.975, "0.975");
  check_text(0.99988, "0.99988");
  check_text(1, "1.00");
}

/* As a drag does: many values between a press and a release. */
static void
test_drag_is_one_step(PanesFixture *f, gconstpointer data)
{
  panes_open(f, "capital-of-france.clew");
  panes_show(f, cwu_prune_bar_new(f->document), 900, 100);
  CwDocument *core = cwu_document_peek_core(f->document);
  GtkWidget *scale = panes_find(f->window, GTK_TYPE_SCALE);
  GtkWidget *number = panes_find(f->window, GTK_TYPE_SPIN_BUTTON);
  size_t n_kept = cwu_document_peek_pruned(f->document)->n_kept_nodes;
  g_autofree char *before = panes_dup_words(f->window);
  double place = gtk_range_get_value(GTK_RANGE(scale));
  double first = gtk_spin_button_get_value(GTK_SPIN_BUTTON(number));
  int width = gtk_widget_get_width(scale);
  cw_document_begin_merge(core);
  for (int i = 0; i < 50; i++) {
    gtk_range_set_value(GTK_RANGE(scale), 0.02 + i * 0.004);
    panes_settle(f);
    g_assert_cmpint(gtk_widget_get_width(scale), ==, width);
  }
  cw_document_end_merge(core);
  g_assert_cmpuint(cw_document_get_n_steps(core), ==, 2);
  g_assert_cmpuint(cwu_document_peek_pruned(f->document)->n_kept_nodes, <, n_kept);
  double value = cw_document_state_get_node_threshold(cwu_document_peek_state(f->document));
  g_assert_cmpfloat(value, ==, cwu_share_at_place(CWU_SHARE_NODES, 0.02 + 49 * 0.004));
  g_assert_cmpfloat(gtk_spin_button_get_value(GTK_SPIN_BUTTON(number)), ==, value);
  panes_step(f, -1);
  panes_settle(f);
  g_autofree char *after = panes_dup_words(f->window);
  g_assert_cmpstr(after, ==, before);
  g_assert_cmpfloat_with_epsilon(gtk_range_get_value(GTK_RANGE(scale)), place, 1e-12);
  g_assert_cmpfloat(gtk_spin_button_get_value(GTK_SPIN_BUTTON(number)), ==, first);
  g_assert_cmpuint(cwu_document_peek_pruned(f->document)->n_kept_nodes, ==, n_kept);
}

static void
test_typed(PanesFixture *f, gconstpointer data)
{
  panes_open(f, "capital-of-france.clew");
  panes_show(f, cwu_prune_bar_new(f->document), 900, 100);
  GtkWidget *number = panes_find(f->window, GTK_TYPE_SPIN_BUTTON);
  gtk_editable_set_text(GTK_EDITABLE(number), "0.4375");
  gtk_spin_button_update(GTK_SPIN_BUTTON(number));
  CwDocumentState *state = cwu_document_peek_state(f->document);
  g_assert_cmpfloat(cw_document_state_get_node_threshold(state), ==, 0.4375);
  g_assert_cmpstr(gtk_editable_get_text(GTK_EDITABLE(number)), ==, "0.4375");
  gtk_editable_set_text(GTK_EDITABLE(number), "much");
  gtk_spin_button_update(GTK_SPIN_BUTTON(number));
  state = cwu_document_peek_state(f->document);
  g_assert_cmpfloat(cw_document_state_get_node_threshold(state), ==, 0.4375);
  g_assert_cmpstr(gtk_editable_get_text(GTK_EDITABLE(number)), ==, "0.4375");
  g_assert_cmpuint(cw_document_get_n_steps(cwu_document_peek_core(f->document)), ==, 2);
}

/* The counts are the masks', and the bar is the same in every view: a picture must not change
 * its height with the view. */
static void
test_words(PanesFixture *f, gconstpointer data)
{
  panes_open(f, "capital-of-france.clew");
  panes_show(f, cwu_prune_bar_new(f->document), 900, 100);
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  g_autofree char *counts = cwu_prune_dup_counts(f->document);
  g_autofree char *begin =
      g_strdup_printf("%zu of %zu nodes", pruned->n_kept_nodes, pruned->n_nodes);
  g_autofree char *words = panes_dup_words(f->window);
  g_assert_true(g_str_has_prefix(counts, begin));
  g_assert_nonnull(strstr(words, counts));
  cwu_document_set_view(f->document, "force");
  g_autofree char *force = panes_dup_words(f->window);
  g_assert_cmpstr(force, ==, words);
}

/* A narrow bar has more lines, and nothing of it is cut off. */
static void
test_wraps(PanesFixture *f, gconstpointer data)
{
  panes_open(f, "capital-of-france.clew");
  GtkWidget *bar = cwu_prune_bar_new(f->document);
  panes_show(f, bar, 1200, 100);
  GtkWidget *counts = panes_find(panes_find(bar, GTK_TYPE_STACK), GTK_TYPE_LABEL);
  int one_line, least, lines;
  gtk_widget_measure(bar, GTK_ORIENTATION_VERTICAL, 1200, &one_line, NULL, NULL, NULL);
  gtk_widget_measure(bar, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  gtk_widget_measure(bar, GTK_ORIENTATION_VERTICAL, 500, &lines, NULL, NULL, NULL);
  g_assert_cmpint(least, <=, 320);
  g_assert_cmpint(lines, >, one_line);
  for (int width = 1200; width >= least; width -= (1200 - least) / 8) {
    gtk_window_set_default_size(GTK_WINDOW(f->window), width, 200);
    while (gtk_widget_get_width(f->window) > width)
      panes_settle(f);
    g_assert_cmpint(gtk_widget_get_width(counts), <=, width);
    g_assert_false(pango_layout_is_ellipsized(gtk_label_get_layout(GTK_LABEL(counts))));
  }
}

/* Of a label's words, in px of the bar. */
static double
middle_of(GtkWidget *label, GtkWidget *bar)
{
  int x, y, height;
  graphene_point_t at;
  gtk_label_get_layout_offsets(GTK_LABEL(label), &x, &y);
  pango_layout_get_pixel_size(gtk_label_get_layout(GTK_LABEL(label)), NULL, &height);
  g_assert_true(gtk_widget_compute_point(
      label, bar, &GRAPHENE_POINT_INIT(0, (float)y + (float)height / 2), &at));
  return (double)at.y;
}

/* Where there is room for one line, all words stand on it. */
static void
test_one_line(PanesFixture *f, gconstpointer data)
{
  panes_open(f, "capital-of-france.clew");
  GtkWidget *bar = cwu_prune_bar_new(f->document);
  panes_show(f, bar, 1500, 200);
  GtkWidget *stack = panes_find(bar, GTK_TYPE_STACK);
  GtkWidget *counts = gtk_stack_get_visible_child(GTK_STACK(stack));
  GtkWidget *name = panes_find(panes_find(bar, CWU_TYPE_SHARE_SLIDER), GTK_TYPE_LABEL);
  g_assert_cmpfloat(fabs(middle_of(counts, bar) - middle_of(name, bar)), <=, 1);
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add_func("/ui/prune-bar/values-are-what-is-shown", test_values);
  g_test_add_func("/ui/prune-bar/text-of-values", test_text);
  g_test_add("/ui/prune-bar/drag-is-one-step", PanesFixture, NULL, NULL, test_drag_is_one_step,
             panes_close);
  g_test_add("/ui/prune-bar/typed-values-are-exact", PanesFixture, NULL, NULL, test_typed,
             panes_close);
  g_test_add("/ui/prune-bar/says-what-is-shown", PanesFixture, NULL, NULL, test_words,
             panes_close);
  g_test_add("/ui/prune-bar/one-line", PanesFixture, NULL, NULL, test_one_line, panes_close);
  g_test_add("/ui/prune-bar/wraps", PanesFixture, NULL, NULL, test_wraps, panes_close);
  return g_test_run();
}
