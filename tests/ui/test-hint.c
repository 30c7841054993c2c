/* test-hint.c - whoever hears the panes instead of seeing them is told what every control is.
 */
#include "loop-watch.h"
#include "panes-support.h"
#include "panes/lazy-row.h"
#include "panes/node-pane.h"
#include "panes/node-table.h"
#include "panes/overview-pane.h"
#include "panes/prune-bar.h"
#include "runs/runs-pane.h"
#include "test-support.h"
#include "widget-test.h"

#define SAMPLE "capital-of-france.clew"

static bool
has_name(GtkWidget *widget)
{
  return gtk_test_accessible_has_property(GTK_ACCESSIBLE(widget),
                                          GTK_ACCESSIBLE_PROPERTY_LABEL) ||
         gtk_test_accessible_has_relation(GTK_ACCESSIBLE(widget),
                                          GTK_ACCESSIBLE_RELATION_LABELLED_BY);
}

static bool
has_words(GtkWidget *widget)
{
  if (GTK_IS_LABEL(widget) && *gtk_label_get_text(GTK_LABEL(widget)) != '\0')
    return true;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    if (has_words(child))
      return true;
  return false;
}

/* What the keyboard can stand on, save for what only holds others. */
static bool
wants_name(GtkWidget *widget)
{
  if (CWU_IS_LAZY_ROW(widget))
    return CWU_LAZY_ROW(widget)->item != NULL;
  if (GTK_IS_LIST_BOX(widget) && gtk_widget_get_ancestor(widget, ADW_TYPE_PREFERENCES_GROUP))
    return false; /* The toolkit's, for the rows of a form. */
  return gtk_widget_get_focusable(widget) && !GTK_IS_SCROLLED_WINDOW(widget) &&
         !GTK_IS_PANED(widget) && !GTK_IS_LABEL(widget) && !GTK_IS_TEXT(widget) &&
         !GTK_IS_POPOVER(widget);
}

static guint
check(GtkWidget *widget)
{
  guint n = 0;
  if (!gtk_widget_get_visible(widget) || GTK_IS_POPOVER(widget))
    return 0;
  if (wants_name(widget)) {
    /* The toggle in a menu button is named by it. */
    GtkWidget *parent = gtk_widget_get_parent(widget);
    bool is_inner = parent != NULL && GTK_IS_MENU_BUTTON(parent);
    bool is_read = GTK_IS_BUTTON(widget) || GTK_IS_LIST_BOX_ROW(widget);
    if (!has_name(is_inner ? parent : widget) && (!is_read || !has_words(widget)))
      g_error("a %s has no name", G_OBJECT_TYPE_NAME(widget));
    n++;
  }
  if (GTK_IS_DROP_DOWN(widget)) /* What is in it is the toolkit's. */
    return n;
  for (GtkWidget *child = gtk_widget_get_first_child(widget); child != NULL;
       child = gtk_widget_get_next_sibling(child))
    n += check(child);
  return n;
}

static void
pin_and_note(PanesFixture *f, uint32_t node)
{
  CwDocument *core = cwu_document_peek_core(f->document);
  cw_document_set_pinned(core, &node, 1, true);
  cw_document_set_label(core, node, "capitals");
  cw_document_add_note(core, node, 0, 0, "look here");
  cwu_document_sync(f->document);
  cwu_document_set_selected(f->document, node);
}

static uint32_t
find_shown(CwuDocument *document)
{
  const CwPruned *pruned = cwu_document_peek_pruned(document);
  const CwNode *nodes = cw_graph_peek_nodes(cwu_document_peek_graph(document));
  for (uint32_t i = 0; i < pruned->n_nodes; i++)
    if (pruned->node_mask[i] && nodes[i].kind == CW_NODE_FEATURE)
      return i;
  g_error("no feature is shown");
}

static void
test_names(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
  GtkWidget *left = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  CwuNodeTable *table = cwu_node_table_new(f->document);
  gtk_box_append(GTK_BOX(left), cwu_node_table_peek_tools(table));
  gtk_box_append(GTK_BOX(left), GTK_WIDGET(table));
  gtk_box_append(GTK_BOX(left), cwu_prune_bar_new(f->document));
  gtk_box_append(GTK_BOX(box), left);
  gtk_box_append(GTK_BOX(box), cwu_node_pane_new(f->document));
  gtk_box_append(GTK_BOX(box), cwu_overview_pane_new(f->document));
  panes_show(f, box, 1500, 700);
  pin_and_note(f, find_shown(f->document));
  panes_settle(f);
  g_assert_cmpuint(check(f->window), >, 60);
}

/* The pane of runs, over one that has curves and a log, and with each of its forms. */
static void
test_runs(void)
{
  g_autofree char *root = test_temp_dir();
  g_autofree char *folder = g_build_filename(root, "one", NULL);
  g_autofree char *settings = g_build_filename(folder, "settings.json", NULL);
  g_autofree char *metrics = g_build_filename(folder, "metrics.jsonl", NULL);
  g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
  g_assert_true(g_file_set_contents(settings, "{}", -1, NULL));
  g_assert_true(g_file_set_contents(metrics, "{\"step\": 1, \"loss\": 2}\n", -1, NULL));
  g_autoptr(CwuRunsWatch) watch = cwu_runs_watch_new(root, NULL);
  CwuRunsPane *pane = cwu_runs_pane_new(watch);
  GtkWidget *window = gtk_window_new();
  gtk_window_set_child(GTK_WINDOW(window), GTK_WIDGET(pane));
  gtk_window_present(GTK_WINDOW(window));
  loop_turn_until(cwu_runs_watch_peek_details(watch, folder) != NULL);
  loop_turn_for(50);
  g_assert_cmpuint(check(window), >, 5);
  for (int kind = CW_RUN_CACHE; kind <= CW_RUN_EVALUATION; kind++) {
    cwu_runs_pane_begin(pane, (CwRunKind)kind);
    loop_turn_for(50);
    g_assert_cmpuint(check(window), >, 15);
  }
  gtk_window_destroy(GTK_WINDOW(window));
  loop_turn_for(20);
  test_remove_tree(root);
}

int
main(int argc, char **argv)
{
  g_setenv("GTK_A11Y", "test", TRUE); /* Names are kept where this test can ask for them. */
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add("/ui/hint/every-control-has-a-name", PanesFixture, NULL, NULL, test_names,
             panes_close);
  g_test_add_func("/ui/hint/runs", test_runs);
  return g_test_run();
}
