/* test-node-table.c - the table lists what the graph holds, and shares its selection with the
 * document through everything that is done to either. */
#include <math.h>
#include <string.h>

#include "loop-watch.h"
#include "panes-support.h"
#include "panes/lazy-rows.h"
#include "panes/node-columns.h"
#include "panes/node-row.h"
#include "panes/node-table.h"
#include "test-support.h"
#include "widget-test.h"

#define SAMPLE    "capital-of-france.clew"
#define N_ACTIONS 1000

static CwuNodeTable *
show(PanesFixture *f, const char *sample)
{
  panes_open(f, sample);
  CwuNodeTable *table = cwu_node_table_new(f->document);
  GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
  gtk_box_append(GTK_BOX(box), cwu_node_table_peek_tools(table));
  gtk_box_append(GTK_BOX(box), GTK_WIDGET(table));
  panes_show(f, box, 1000, 600);
  return table;
}

static guint
count(CwuNodeTable *table)
{
  return g_list_model_get_n_items(G_LIST_MODEL(cwu_node_table_peek_model(table)));
}

static CwuNodeItem *
item_at(CwuNodeTable *table, guint position) /* transfer full */
{
  return g_list_model_get_item(G_LIST_MODEL(cwu_node_table_peek_model(table)), position);
}

static int64_t
node_at(CwuNodeTable *table, guint position)
{
  g_autoptr(CwuNodeItem) item = item_at(table, position);
  return item != NULL ? (int64_t)cwu_node_item_get_node(item) : -1;
}

/* The node of the selected row; -1: none is. */
static int64_t
selected_row(CwuNodeTable *table)
{
  return node_at(table, gtk_single_selection_get_selected(
                            GTK_SINGLE_SELECTION(cwu_node_table_peek_model(table))));
}

static bool
is_listed(CwuNodeTable *table, int64_t node)
{
  for (guint i = 0; i < count(table); i++)
    if (node_at(table, i) == node)
      return true;
  return false;
}

/* In the smallest window the columns that tell nodes apart, and what they are sorted by, are
 * seen without scrolling. */
static void
test_narrow(PanesFixture *f, gconstpointer data)
{
  const int narrow_px = 616; /* of a window of 1024, beside the side pane */
  CwuNodeTable *table = show(f, SAMPLE);
  CwuNodeColumns *columns =
      CWU_NODE_COLUMNS(panes_find(GTK_WIDGET(table), CWU_TYPE_NODE_COLUMNS));
  static const CwuNodeColumn first[] = { CWU_COLUMN_NAME, CWU_COLUMN_INFLUENCE, CWU_COLUMN_TYPE,
                                         CWU_COLUMN_LAYER, CWU_COLUMN_TOKEN };
  for (size_t i = 0; i < G_N_ELEMENTS(first); i++) {
    CwuSpan span = cwu_node_columns_place(columns, first[i], narrow_px);
    g_assert_cmpint(span.x + span.width, <=, narrow_px);
  }
}

/* In a very wide window numbers stay near their names. */
static void
test_wide(PanesFixture *f, gconstpointer data)
{
  CwuNodeTable *table = show(f, SAMPLE);
  CwuNodeColumns *columns =
      CWU_NODE_COLUMNS(panes_find(GTK_WIDGET(table), CWU_TYPE_NODE_COLUMNS));
  int least = cwu_node_columns_get_least_width(columns);
  CwuSpan least_name = cwu_node_columns_place(columns, CWU_COLUMN_NAME, least);
  CwuSpan name = cwu_node_columns_place(columns, CWU_COLUMN_NAME, 2140);
  CwuSpan next = cwu_node_columns_place(columns, CWU_COLUMN_INFLUENCE, 2140);
  g_assert_cmpint(name.width, >, 2 * least_name.width);
  g_assert_cmpint(name.width, <, 3 * least_name.width);
  g_assert_cmpint(next.x - name.x - name.width, <, 40);
  g_assert_cmpint(cwu_node_columns_place(columns, CWU_COLUMN_NAME, 3000).width, ==, name.width);
}

static void
test_lists_what_is_shown(PanesFixture *f, gconstpointer data)
{
  CwuNodeTable *table = show(f, SAMPLE);
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  size_t n_edges = 0;
  g_assert_cmpuint(count(table), ==, pruned->n_kept_nodes);
  for (guint i = 0; i < count(table); i++) {
    g_autoptr(CwuNodeItem) item = item_at(table, i);
    g_autofree char *inputs = cwu_node_item_dup_text(item, CWU_COLUMN_INPUTS);
    g_assert_cmpint(pruned->node_mask[cwu_node_item_get_node(item)], ==, 1);
    n_edges += g_ascii_strtoull(inputs, NULL, 10);
  }
  g_assert_cmpuint(n_edges, ==, pruned->n_kept_edges);
  cwu_node_table_set_all(table, TRUE);
  panes_settle(f);
  g_assert_cmpuint(count(table), ==, pruned->n_nodes);
  cwu_node_table_set_all(table, FALSE);
  cw_document_set_thresholds(cwu_document_peek_core(f->document), 0.5, 0.9);
  cwu_document_sync(f->document);
  panes_settle(f);
  g_assert_cmpuint(count(table), ==, cwu_document_peek_pruned(f->document)->n_kept_nodes);
}

static void
test_sorts(PanesFixture *f, gconstpointer data)
{
  CwuNodeTable *table = show(f, SAMPLE);
  cwu_node_table_set_all(table, TRUE);
  for (int column = 0; column < CWU_N_COLUMNS; column++)
    for (int order = GTK_SORT_ASCENDING; order <= GTK_SORT_DESCENDING; order++) {
      cwu_node_table_sort(table, (CwuNodeColumn)column, (GtkSortType)order);
      panes_settle(f);
      g_assert_cmpuint(count(table), ==, cwu_document_peek_pruned(f->document)->n_nodes);
      for (guint i = 1; i < count(table); i++) {
        g_autoptr(CwuNodeItem) before = item_at(table, i - 1), item = item_at(table, i);
        int sign = cwu_node_item_compare(before, item, (CwuNodeColumn)column);
        g_assert_cmpint(order == GTK_SORT_ASCENDING ? sign : -sign, <=, 0);
      }
    }
}

static void
test_searches(PanesFixture *f, gconstpointer data)
{
  CwuNodeTable *table = show(f, SAMPLE);
  CwGraph *graph = cwu_document_peek_graph(f->document);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  guint n_all = count(table), n_wanted = 0;
  cwu_node_table_search(table, "L0 France");
  panes_settle(f);
  g_assert_cmpuint(count(table), <, n_all);
  for (size_t i = 0; i < cw_graph_get_n_nodes(graph); i++) {
    g_autofree char *name = cwu_document_dup_node_name(f->document, i);
    bool names_it = strstr(name, "France") != NULL ||
                    strstr(cw_graph_peek_prompt_token(graph, nodes[i].position), "France");
    bool is_wanted =
        nodes[i].layer == 0 && names_it && cwu_document_peek_pruned(f->document)->node_mask[i];
    g_assert_true(is_listed(table, (int64_t)i) == is_wanted);
    n_wanted += is_wanted;
  }
  g_assert_cmpuint(n_wanted, >, 0);
  cwu_node_table_search(table, "tOKEn cApital");
  panes_settle(f);
  g_assert_cmpuint(count(table), ==, 1);
  cw_document_set_label(cwu_document_peek_core(f->document), (size_t)node_at(table, 0),
                        "seat of government");
  cwu_document_sync(f->document);
  cwu_node_table_search(table, "SEAT of");
  panes_settle(f);
  g_assert_cmpuint(count(table), ==, 1);
}

/* ---- selection ------------------------------------------------------------------------- */

static void
act(PanesFixture *f, CwuNodeTable *table, GRand *rand)
{
  static const char *const searches[] = { "", "feature", "is", "l0", "nothing at all" };
  CwDocument *core = cwu_document_peek_core(f->document);
  guint n = count(table);
  switch (g_rand_int_range(rand, 0, 9)) {
  case 0:
  case 1:
    if (n > 0)
      gtk_selection_model_select_item(cwu_node_table_peek_model(table),
                                      g_rand_int_range(rand, 0, (gint)n), TRUE);
    break;
  case 2:
  case 3:
    cwu_document_set_selected(
        f->document,
        g_rand_int_range(rand, -1, (gint)cwu_document_peek_pruned(f->document)->n_nodes));
    break;
  case 4:
    cwu_node_table_search(table, searches[g_rand_int_range(rand, 0, G_N_ELEMENTS(searches))]);
    break;
  case 5:
    cwu_node_table_sort(table, (CwuNodeColumn)g_rand_int_range(rand, 0, CWU_N_COLUMNS),
                        (GtkSortType)g_rand_int_range(rand, 0, 2));
    break;
  case 6:
    cwu_node_table_set_all(table, g_rand_boolean(rand));
    break;
  case 7:
    cw_document_set_thresholds(core, g_rand_double(rand), 0.98);
    cwu_document_sync(f->document);
    break;
  default:
    cwu_document_go(f->document, g_rand_boolean(rand) ? 1 : -1);
  }
}

/* What the document has selected is selected here, if it is listed. A row of a node that is
 * pruned away may be selected besides: then the document has none. */
static void
check_selection(PanesFixture *f, CwuNodeTable *table)
{
  int64_t node = cwu_document_get_selected(f->document), row = selected_row(table);
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  if (node >= 0)
    g_assert_cmpint(row, ==, is_listed(table, node) ? node : -1);
  else if (row >= 0)
    g_assert_cmpint(pruned->node_mask[row], ==, 0);
}

static void
test_selection(PanesFixture *f, gconstpointer data)
{
  CwuNodeTable *table = show(f, SAMPLE);
  g_autoptr(GRand) rand = g_rand_new_with_seed(7);
  int n_selected = 0, n_rows = 0;
  for (int i = 0; i < N_ACTIONS; i++) {
    act(f, table, rand);
    panes_drain(f);
    check_selection(f, table);
    n_selected += cwu_document_get_selected(f->document) >= 0;
    n_rows += selected_row(table) >= 0;
  }
  g_assert_cmpint(n_selected, >, N_ACTIONS / 10);
  g_assert_cmpint(n_rows, >, N_ACTIONS / 10);
}

/* ---- many nodes ------------------------------------------------------------------------ */

#define N_MANY 10000

static CwGraph *
many_nodes_new(void)
{
  g_autoptr(GError) error = NULL;
  CwGraphParts parts = { .prompt = g_strdup("a b"),
                         .prompt_tokens = g_new0(char *, 2),
                         .n_positions = 2,
                         .n_layers = 2,
                         .n_nodes = N_MANY,
                         .nodes = g_new0(CwNode, N_MANY),
                         .labels = g_new0(char *, N_MANY),
                         .row_start = g_new0(int64_t, N_MANY + 1),
                         .source = g_new0(uint32_t, N_MANY),
                         .weight = g_new0(float, N_MANY),
                         .settings_json = g_strdup("{}") };
  parts.prompt_tokens[0] = g_strdup("a");
  parts.prompt_tokens[1] = g_strdup("b");
  for (uint32_t i = 0; i + 1 < N_MANY; i++) {
    parts.nodes[i] =
        (CwNode){ CW_NODE_FEATURE, 0, (int32_t)i % 2, i, (float)i, NAN, 0, NAN, NAN };
    parts.labels[i] = g_strdup_printf("~ word%u, other", i * 7919 % N_MANY);
    parts.source[i] = i;
    parts.weight[i] = (float)(i + 1);
  }
  parts.nodes[N_MANY - 1] = (CwNode){ CW_NODE_LOGIT, 2, 1, 3, NAN, NAN, 1, NAN, NAN };
  parts.row_start[N_MANY] = N_MANY - 1;
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
  g_assert_no_error(error);
  return graph;
}

static void
traced_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr(GError) error = NULL;
  cwu_document_set_graph_finish(CWU_DOCUMENT(source), result, &error);
  g_assert_no_error(error);
  *(bool *)user_data = true;
}

/* Ten thousand rows come, are searched and sorted; few are made, and the main loop is not held
 * up. */
static void
test_many(PanesFixture *f, gconstpointer data)
{
  CwuNodeTable *table = show(f, SAMPLE);
  g_autoptr(CwGraph) graph = many_nodes_new();
  bool is_done = false;
  LoopWatch watch;
  cwu_document_set_graph_async(f->document, graph, (double[]){ 0.8, 0.98 }, traced_cb,
                               &is_done);
  loop_watch_start(&watch);
  while (!is_done)
    g_main_context_iteration(NULL, TRUE);
  cwu_node_table_set_all(table, TRUE);
  panes_settle(f);
  g_assert_cmpuint(count(table), ==, N_MANY);
  cwu_node_table_search(table, "word12");
  panes_settle(f);
  guint n_found = 0;
  for (uint32_t i = 0; i + 1 < N_MANY; i++)
    n_found += strstr(cw_graph_peek_label(graph, i), "word12") != NULL;
  g_assert_cmpuint(count(table), ==, n_found);
  cwu_node_table_search(table, "");
  for (int column = 0; column < CWU_N_COLUMNS; column++) {
    cwu_node_table_sort(table, (CwuNodeColumn)column, GTK_SORT_DESCENDING);
    panes_settle(f);
    cw_document_set_label(cwu_document_peek_core(f->document), (size_t)node_at(table, 5), "x");
    cwu_document_sync(f->document);
    panes_settle(f);
  }
  loop_watch_stop(&watch);
  loop_check_turn("10,000 rows", watch.worst_cpu_ms);
  g_assert_cmpuint(count(table), ==, N_MANY);
  g_assert_cmpuint(panes_count(f->window, CWU_TYPE_NODE_ROW), <, 50);
}

/* ---- what is seen ---------------------------------------------------------------------- */

static GtkAdjustment *
adjustment_of(CwuNodeTable *table)
{
  GtkWidget *scroller = panes_find(GTK_WIDGET(table), GTK_TYPE_SCROLLED_WINDOW);
  return gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(scroller));
}

static double
scrolled(CwuNodeTable *table)
{
  return gtk_adjustment_get_value(adjustment_of(table));
}

static void
scroll(PanesFixture *f, CwuNodeTable *table, double value)
{
  gtk_adjustment_set_value(adjustment_of(table), value);
  panes_settle(f);
  g_assert_cmpfloat(scrolled(table), ==, value);
}

/* Another order, search or look begins at the top; unless that hides what is selected. */
static void
test_top(PanesFixture *f, gconstpointer data)
{
  CwuNodeTable *table = show(f, SAMPLE);
  cwu_node_table_set_all(table, TRUE);
  panes_settle(f);
  scroll(f, table, 200);
  cwu_node_table_sort(table, CWU_COLUMN_NAME, GTK_SORT_DESCENDING);
  panes_settle(f);
  g_assert_cmpfloat(scrolled(table), ==, 0);
  scroll(f, table, 200);
  cwu_node_table_search(table, "e");
  panes_settle(f);
  g_assert_cmpfloat(scrolled(table), ==, 0);
  cwu_node_table_search(table, "");
  panes_settle(f);
  scroll(f, table, 200);
  gtk_widget_set_visible(GTK_WIDGET(table), FALSE);
  panes_settle(f);
  gtk_widget_set_visible(GTK_WIDGET(table), TRUE);
  panes_settle(f);
  g_assert_cmpfloat(scrolled(table), ==, 0);
  /* What is selected stands last, then first. */
  cwu_node_table_set_all(table, FALSE);
  panes_settle(f);
  cwu_document_set_selected(f->document, node_at(table, count(table) - 1));
  panes_settle(f);
  double end = scrolled(table);
  g_assert_cmpfloat(end, >, 200);
  scroll(f, table, 0);
  cwu_node_table_sort(table, CWU_COLUMN_NAME, GTK_SORT_DESCENDING);
  panes_settle(f);
  g_assert_cmpfloat(scrolled(table), ==, end);
  cwu_node_table_sort(table, CWU_COLUMN_NAME, GTK_SORT_ASCENDING);
  panes_settle(f);
  g_assert_cmpfloat(scrolled(table), ==, 0);
}

/* By influence, what feeds the output most comes first, whether a file ranks or has shares. */
static void
check_influence(const char *name, bool is_ranked)
{
  g_autofree char *path = test_shared_path_or_skip(name);
  if (path == NULL)
    return;
  PanesFixture f = { 0 };
  panes_open_path(&f, path);
  CwuNodeTable *table = cwu_node_table_new(f.document);
  panes_show(&f, GTK_WIDGET(table), 1000, 600);
  const CwNode *nodes = cw_graph_peek_nodes(cwu_document_peek_graph(f.document));
  g_assert_true(cw_graph_has_ranks(cwu_document_peek_graph(f.document)) == is_ranked);
  g_assert_cmpuint(count(table), >, 20);
  for (guint i = 1; i < count(table); i++) {
    const CwNode *before = &nodes[node_at(table, i - 1)], *node = &nodes[node_at(table, i)];
    double rise = (double)node->influence - before->influence;
    g_autoptr(CwuNodeItem) item = item_at(table, i);
    g_autofree char *text = cwu_node_item_dup_text(item, CWU_COLUMN_INFLUENCE);
    if (node->kind == CW_NODE_LOGIT)
      continue;
    g_assert_cmpint(before->kind, !=, CW_NODE_LOGIT); /* They come last. */
    g_assert_true(g_str_has_prefix(text, "first ") == is_ranked);
    if (is_ranked)
      g_assert_cmpfloat(rise, >=, 0);
  }
  panes_close(&f, NULL);
}

static void
test_influence(void)
{
  check_influence("graphs/IamKrill1n__galaxy-clt-hp.json", true);
  check_influence("graphs/uzairname__dallas_ea.json", false);
}

int
main(int argc, char **argv)
{
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add("/ui/node-table/lists-what-is-shown", PanesFixture, NULL, NULL,
             test_lists_what_is_shown, panes_close);
  g_test_add("/ui/node-table/first-columns-fit", PanesFixture, NULL, NULL, test_narrow,
             panes_close);
  g_test_add("/ui/node-table/names-are-near-numbers", PanesFixture, NULL, NULL, test_wide,
             panes_close);
  g_test_add("/ui/node-table/sorts", PanesFixture, NULL, NULL, test_sorts, panes_close);
  g_test_add("/ui/node-table/searches", PanesFixture, NULL, NULL, test_searches, panes_close);
  g_test_add("/ui/node-table/selection-is-the-documents", PanesFixture, NULL, NULL,
             test_selection, panes_close);
  g_test_add("/ui/node-table/begins-at-its-top", PanesFixture, NULL, NULL, test_top,
             panes_close);
  g_test_add_func("/ui/node-table/ranks-where-a-file-ranks", test_influence);
  g_test_add("/ui/node-table/many-nodes", PanesFixture, NULL, NULL, test_many, panes_close);
  return g_test_run();
}
