/* test-node-pane.c - what the side pane says of a node is what the graph holds; names and notes
 * are edits of the document. */
#include <math.h>
#include <string.h>

#include "loop-watch.h"
#include "panes-support.h"
#include "panes/lazy-rows.h"
#include "panes/link-list.h"
#include "panes/link-row.h"
#include "panes/node-facts.h"
#include "panes/node-pane.h"
#include "panes/node-title.h"
#include "panes/note-editor.h"
#include "panes/overview-pane.h"
#include "test-support.h"
#include "widget-test.h"

#define SAMPLE "capital-of-france.clew"

/* A shown feature with a name made of what it promotes, and with shown sources. */
static int64_t
find_feature(CwuDocument *document)
{
  CwGraph *graph = cwu_document_peek_graph(document);
  const CwPruned *pruned = cwu_document_peek_pruned(document);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  for (size_t i = 0; i < pruned->n_nodes; i++)
    if (pruned->node_mask[i] && nodes[i].kind == CW_NODE_FEATURE && nodes[i].layer > 3 &&
        g_str_has_prefix(cw_graph_peek_label(graph, i), "~ "))
      return (int64_t)i;
  g_error("no feature has a name");
}

/* ---- lists ----------------------------------------------------------------------------- */

static double
sum_values(CwuLinkList *list, CwuLinkMeaning meaning, guint *n)
{
  double sum = 0, last = INFINITY, first = 0;
  *n = 0;
  for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(list)); i++) {
    g_autoptr(CwuLinkItem) item = g_list_model_get_item(G_LIST_MODEL(list), i);
    g_assert_cmpfloat(fabs(item->value), <=, last);
    last = fabs(item->value);
    first = i == 0 ? last : first;
    g_assert_cmpfloat_with_epsilon(item->length * first, last, 1e-12); /* one scale */
    if (item->meaning != meaning)
      continue;
    sum += fabs(item->value);
    (*n)++;
  }
  return sum;
}

/* Shares of shown sources, counted straight from the graph; with everything shown they are 1.
 */
static void
check_sources(CwGraph *graph, const CwPruned *pruned, CwuInputs *inputs, size_t node)
{
  const int64_t *row_start = cw_graph_peek_row_start(graph);
  const float *weight = cw_graph_peek_weight(graph);
  const uint32_t *source = cw_graph_peek_source(graph);
  g_autoptr(CwuLinkList) list = cwu_link_list_new_sources(inputs, pruned, node);
  double all = 0, shown = 0;
  guint n_shown = 0, n;
  for (int64_t e = row_start[node]; e < row_start[node + 1]; e++) {
    all += fabs((double)weight[e]);
    if (weight[e] != 0 && pruned->edge_mask[e] && pruned->node_mask[source[e]]) {
      shown += fabs((double)weight[e]);
      n_shown++;
    }
  }
  double sum = sum_values(list, CWU_LINK_SHARE, &n);
  g_assert_cmpuint(n, ==, n_shown);
  g_assert_cmpuint(cwu_link_list_get_n_listed(list), ==, n_shown);
  g_assert_cmpuint(cwu_link_list_get_n_all(list), >=, n_shown);
  /* Sums of up to 1,000 doubles in another order: 1,000 roundings of 1.1e-16. */
  if (all > 0)
    g_assert_cmpfloat_with_epsilon(sum, shown / all, 1.2e-13);
  g_assert_cmpfloat_with_epsilon(cwu_link_list_get_listed_share(list), sum, 1.2e-13);
  sum_values(list, CWU_LINK_UNATTRIBUTED, &n);
  float rest = cw_graph_peek_nodes(graph)[node].unattributed;
  g_assert_cmpuint(n, ==, all > 0 && !isnan(rest) && rest != 0);
}

/* Every edge that is shown is once in the list of its target and once in that of its source,
 * with the same share. */
static void
check_targets(CwGraph *graph, const CwPruned *pruned, CwuInputs *inputs, size_t node)
{
  g_autoptr(CwuLinkList) list = cwu_link_list_new_targets(inputs, pruned, node);
  for (guint i = 0; i < g_list_model_get_n_items(G_LIST_MODEL(list)); i++) {
    g_autoptr(CwuLinkItem) item = g_list_model_get_item(G_LIST_MODEL(list), i);
    g_autoptr(CwuLinkList) back = cwu_link_list_new_sources(inputs, pruned, (size_t)item->node);
    guint n_found = 0;
    for (guint k = 0; k < g_list_model_get_n_items(G_LIST_MODEL(back)); k++) {
      g_autoptr(CwuLinkItem) other = g_list_model_get_item(G_LIST_MODEL(back), k);
      n_found += other->node == (int64_t)node && other->value == item->value;
    }
    g_assert_cmpuint(n_found, ==, 1);
  }
}

static void
test_lists(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  panes_show(f, cwu_node_pane_new(f->document), 360, 800);
  CwGraph *graph = cwu_document_peek_graph(f->document);
  g_autoptr(CwuInputs) inputs = cwu_inputs_new(graph);
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  for (size_t i = 0; i < pruned->n_nodes; i++)
    check_sources(graph, pruned, inputs, i);
  for (size_t i = 0; i < pruned->n_nodes; i += 40)
    check_targets(graph, pruned, inputs, i);
  CwDocument *core = cwu_document_peek_core(f->document);
  cw_document_set_thresholds(core, 1, 1);
  cwu_document_sync(f->document);
  panes_settle(f);
  int64_t node = find_feature(f->document);
  pruned = cwu_document_peek_pruned(f->document);
  check_sources(graph, pruned, inputs, (size_t)node);
}

static void
test_values(void)
{
  CwuLinkItem *item = g_object_new(CWU_TYPE_LINK_ITEM, NULL);
  static const struct {
    double value;
    CwuLinkMeaning meaning;
    const char *text;
  } cases[] = { { 0.052, CWU_LINK_SHARE, "+5%" },       { 0.0052, CWU_LINK_SHARE, "+0.5%" },
                { -0.12, CWU_LINK_SHARE, "−12%" },      { -0.0001, CWU_LINK_SHARE, "−0.01%" },
                { 0.00094, CWU_LINK_SHARE, "+0.09%" },  { -1e-7, CWU_LINK_SHARE, "<0.01%" },
                { 0.394, CWU_LINK_PROBABILITY, "39%" }, { 0.001, CWU_LINK_PROBABILITY, "<1%" },
                { -3, CWU_LINK_UNATTRIBUTED, "−300%" } };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    item->value = cases[i].value;
    item->meaning = cases[i].meaning;
    g_autofree char *text = cwu_link_dup_value(item);
    g_assert_cmpstr(text, ==, cases[i].text);
  }
  g_object_unref(item);
}

/* Under a list of few rows there is nothing empty: the next one begins where it always does. */
static void
test_short_lists(PanesFixture *f, gconstpointer data)
{
  guint n_short = 0;
  panes_open(f, SAMPLE);
  panes_show(f, cwu_node_pane_new(f->document), 360, 1200);
  g_autoptr(CwuInputs) inputs = cwu_inputs_new(cwu_document_peek_graph(f->document));
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  for (size_t i = 0; i < pruned->n_nodes && n_short < 3; i++) {
    g_autoptr(CwuLinkList) sources = cwu_link_list_new_sources(inputs, pruned, i);
    guint n = g_list_model_get_n_items(G_LIST_MODEL(sources));
    if (!pruned->node_mask[i] || n == 0 || n > 2)
      continue;
    cwu_document_set_selected(f->document, (int64_t)i);
    panes_settle(f);
    GtkWidget *list = panes_find(f->window, CWU_TYPE_LAZY_ROWS);
    int height;
    gtk_widget_measure(list, GTK_ORIENTATION_VERTICAL, -1, NULL, &height, NULL, NULL);
    g_assert_cmpint(gtk_widget_get_height(list), ==, height);
    n_short++;
  }
  g_assert_cmpuint(n_short, >, 0);
}

/* ---- facts ----------------------------------------------------------------------------- */

static void
test_promoted(void)
{
  g_auto(GStrv) tokens = cwu_promoted_dup("~ ,, ice, these");
  g_assert_cmpuint(g_strv_length(tokens), ==, 3);
  g_assert_cmpstr(tokens[0], ==, ",");
  g_assert_cmpstr(tokens[1], ==, "ice");
  g_assert_null(cwu_promoted_dup("say ice, snow"));
  g_assert_null(cwu_promoted_dup("~ "));
  g_assert_null(cwu_promoted_dup(""));
}

/* Shares of all ranked nodes are 1, ranks are all different where influence is. */
static void
test_influence(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  panes_show(f, cwu_node_pane_new(f->document), 360, 800);
  CwGraph *graph = cwu_document_peek_graph(f->document);
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  double sum = 0;
  size_t best = 0, n_first = 0;
  for (size_t i = 0; i < pruned->n_nodes; i++) {
    CwuInfluence influence = cwu_influence_of(graph, pruned, i);
    if (cw_graph_peek_nodes(graph)[i].kind == CW_NODE_LOGIT) {
      g_assert_cmpuint(influence.rank, ==, 0);
      continue;
    }
    sum += influence.share;
    n_first += influence.rank == 1;
    if (influence.rank == 1)
      best = i;
  }
  /* Floats added to doubles: one rounding of 6e-8 in each share. */
  g_assert_cmpfloat_with_epsilon(sum, 1, 6e-8);
  g_assert_cmpuint(n_first, ==, 1);
  for (size_t i = 0; i < pruned->n_nodes; i++)
    if (cw_graph_peek_nodes(graph)[i].kind != CW_NODE_LOGIT)
      g_assert_cmpfloat(pruned->influence[i], <=, pruned->influence[best]);
}

static void
test_words(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  panes_show(f, cwu_node_pane_new(f->document), 360, 800);
  int64_t node = find_feature(f->document);
  CwGraph *graph = cwu_document_peek_graph(f->document);
  const CwNode *n = &cw_graph_peek_nodes(graph)[node];
  cwu_document_set_selected(f->document, node);
  panes_settle(f);
  g_autofree char *words = panes_dup_words(f->window);
  g_autofree char *place = g_strdup_printf(" · layer %d, at ", n->layer);
  g_autofree char *activation = g_strdup_printf("|Activation|%.3g|", n->activation);
  g_auto(GStrv) tokens = cwu_promoted_dup(cw_graph_peek_label(graph, (size_t)node));
  g_assert_nonnull(strstr(words, place));
  g_assert_nonnull(strstr(words, activation));
  g_assert_nonnull(strstr(words, cw_graph_peek_label(graph, (size_t)node)));
  for (guint i = 0; tokens[i] != NULL; i++) {
    g_autofree char *chip = g_strdup_printf("|%s|", tokens[i]);
    g_assert_nonnull(strstr(words, chip));
  }
}

/* ---- names ----------------------------------------------------------------------------- */

static CwuNodeTitle *
select_and_edit(PanesFixture *f, int64_t *node)
{
  panes_open(f, SAMPLE);
  panes_show(f, cwu_node_pane_new(f->document), 360, 800);
  *node = find_feature(f->document);
  cwu_document_set_selected(f->document, *node);
  CwuNodeTitle *title = CWU_NODE_TITLE(panes_find(f->window, CWU_TYPE_NODE_TITLE));
  cwu_node_title_edit(title);
  panes_settle(f);
  return title;
}

static void
test_label(PanesFixture *f, gconstpointer data)
{
  int64_t node;
  CwuNodeTitle *title = select_and_edit(f, &node);
  CwDocument *core = cwu_document_peek_core(f->document);
  GtkWidget *entry = panes_find(GTK_WIDGET(title), GTK_TYPE_ENTRY);
  g_autofree char *own = cwu_document_dup_node_name(f->document, (size_t)node);
  g_assert_cmpstr(gtk_editable_get_text(GTK_EDITABLE(entry)), ==, own);
  gtk_editable_set_text(GTK_EDITABLE(entry), " capitals ");
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpuint(cw_document_get_n_steps(core), ==, 2);
  g_assert_cmpint(cw_document_get_step(core, 1).edit, ==, CW_EDIT_LABEL);
  g_assert_cmpstr(
      cw_document_state_peek_label(cwu_document_peek_state(f->document), (size_t)node), ==,
      "capitals");
  panes_settle(f);
  g_autofree char *words = panes_dup_words(GTK_WIDGET(title));
  g_assert_true(g_str_has_prefix(words, "capitals|In the graph: ~ "));
  panes_step(f, -1);
  g_autofree char *before = panes_dup_words(GTK_WIDGET(title));
  g_assert_true(g_str_has_prefix(before, own));
  g_assert_null(strstr(before, "In the graph"));
  /* The old text again is no edit, nor is the graph's own. */
  cwu_node_title_edit(title);
  g_signal_emit_by_name(entry, "activate");
  g_assert_cmpuint(cw_document_get_position(core), ==, 0);
}

/* Another node is selected while a name is typed: it is the first node's. */
static void
test_label_is_kept(PanesFixture *f, gconstpointer data)
{
  int64_t node;
  CwuNodeTitle *title = select_and_edit(f, &node);
  GtkWidget *entry = panes_find(GTK_WIDGET(title), GTK_TYPE_ENTRY);
  gtk_editable_set_text(GTK_EDITABLE(entry), "capitals");
  cwu_document_go_along(f->document, CWU_GO_TO_SOURCE);
  g_assert_cmpint(cwu_document_get_selected(f->document), !=, node);
  g_assert_cmpstr(
      cw_document_state_peek_label(cwu_document_peek_state(f->document), (size_t)node), ==,
      "capitals");
  g_assert_cmpuint(cw_document_get_n_steps(cwu_document_peek_core(f->document)), ==, 2);
}

/* Rows say what somebody called a node at once, and whether it is pinned. */
static void
test_rows_follow(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  panes_show(f, cwu_node_pane_new(f->document), 360, 800);
  cwu_document_set_selected(f->document, find_feature(f->document));
  panes_settle(f);
  g_autoptr(CwuInputs) inputs = cwu_inputs_new(cwu_document_peek_graph(f->document));
  g_autoptr(CwuLinkList) sources =
      cwu_link_list_new_sources(inputs, cwu_document_peek_pruned(f->document),
                                (size_t)cwu_document_get_selected(f->document));
  g_autoptr(CwuLinkItem) first = g_list_model_get_item(G_LIST_MODEL(sources), 0);
  if (first->meaning == CWU_LINK_UNATTRIBUTED) {
    g_object_unref(first);
    first = g_list_model_get_item(G_LIST_MODEL(sources), 1);
  }
  cw_document_set_label(cwu_document_peek_core(f->document), (size_t)first->node, "first");
  cwu_document_sync(f->document);
  g_autofree char *words = panes_dup_words(f->window);
  g_assert_nonnull(strstr(words, "|first|"));
}

/* ---- notes, pins ----------------------------------------------------------------------- */

static void
test_overview(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  panes_show(f, cwu_overview_pane_new(f->document), 360, 1200);
  g_autofree char *before = panes_dup_words(f->window);
  g_assert_nonnull(strstr(before, "|Paris|"));
  g_assert_nonnull(
      strstr(before, "6\u00a0tokens, 10\u00a0outputs, ")); /* no line begins "outputs" */
  g_assert_null(strstr(before, "Pinned"));
  g_assert_null(strstr(before, "Notes"));
  uint32_t node = (uint32_t)find_feature(f->document);
  CwDocument *core = cwu_document_peek_core(f->document);
  cw_document_set_pinned(core, &node, 1, true);
  cw_document_set_label(core, node, "capitals");
  cw_document_add_note(core, node, 0, 0, "look here");
  g_assert_cmpuint(cwu_note_find(f->document, node), ==, 0); /* not told yet */
  cwu_document_sync(f->document);
  g_assert_cmpuint(cwu_note_find(f->document, node), !=, 0);
  panes_settle(f);
  g_autofree char *after = panes_dup_words(f->window);
  g_assert_nonnull(strstr(after, "Pinned|capitals|"));
  g_assert_nonnull(strstr(after, "Notes|capitals|look here|"));
  for (int i = 0; i < 3; i++)
    panes_step(f, -1);
  panes_settle(f);
  g_autofree char *undone = panes_dup_words(f->window);
  g_assert_cmpstr(undone, ==, before);
}

static void
test_note_editor(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  GtkWidget *pane = cwu_node_pane_new(f->document);
  panes_show(f, pane, 360, 800);
  int64_t node = find_feature(f->document);
  CwDocument *core = cwu_document_peek_core(f->document);
  cwu_document_set_selected(f->document, node);
  static const char *const texts[] = { "a note", "another text", "" };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    cwu_node_pane_edit_note(CWU_NODE_PANE(pane));
    panes_settle(f);
    GtkWidget *popover = panes_find(f->window, CWU_TYPE_NOTE_EDITOR);
    g_assert_true(gtk_widget_get_mapped(popover));
    GtkWidget *text = panes_find(popover, GTK_TYPE_TEXT_VIEW);
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(GTK_TEXT_VIEW(text)), texts[i], -1);
    gtk_popover_popdown(GTK_POPOVER(popover));
    panes_settle(f);
    g_assert_false(gtk_widget_get_mapped(popover));
    g_assert_cmpuint(cw_document_get_n_steps(core), ==, i + 2);
    const CwDocumentState *state = cwu_document_peek_state(f->document);
    g_assert_cmpuint(cw_document_state_get_n_notes(state), ==, *texts[i] != '\0');
    if (*texts[i] != '\0')
      g_assert_cmpstr(cw_document_state_peek_note(state, 0)->text, ==, texts[i]);
  }
}

/* ---- speed ----------------------------------------------------------------------------- */

static size_t
n_links(const CwGraph *graph, size_t node)
{
  const int64_t *row_start = cw_graph_peek_row_start(graph), *start;
  const uint32_t *edge, *target;
  cw_graph_peek_outgoing((CwGraph *)graph, &start, &edge, &target);
  return (size_t)(row_start[node + 1] - row_start[node] + start[node + 1] - start[node]);
}

/* The node with the most links of those with fewer than a limit. */
static int64_t
find_widest(CwuDocument *document, size_t limit)
{
  const CwGraph *graph = cwu_document_peek_graph(document);
  const CwPruned *pruned = cwu_document_peek_pruned(document);
  int64_t widest = -1;
  for (size_t i = 0; i < pruned->n_nodes; i++)
    if (pruned->node_mask[i] && n_links(graph, i) < limit &&
        (widest < 0 || n_links(graph, i) > n_links(graph, (size_t)widest)))
      widest = (int64_t)i;
  return widest;
}

static void
show_all(PanesFixture *f)
{
  cw_document_set_thresholds(cwu_document_peek_core(f->document), 1, 1);
  cwu_document_sync(f->document);
  panes_settle(f);
}

/* The ten nodes of the most links, one after the other. */
static void
check_selects_quickly(PanesFixture *f)
{
  const CwGraph *graph = cwu_document_peek_graph(f->document);
  LoopWatch watch;
  size_t limit = SIZE_MAX;
  panes_settle(f);
  loop_watch_start(&watch);
  for (int i = 0; i < 10; i++) {
    int64_t node = find_widest(f->document, limit);
    loop_turn_for(10);
    g_assert_cmpint(node, >=, 0);
    limit = n_links(graph, (size_t)node);
    cwu_document_set_selected(f->document, node);
    panes_settle(f);
  }
  loop_watch_stop(&watch);
  loop_check_turn("the widest nodes", watch.worst_cpu_ms);
}

/* A list of thousands of rows makes those that are seen, and quickly. */
static void
test_long_list(PanesFixture *f, gconstpointer data)
{
  panes_open(f, SAMPLE);
  panes_show(f, cwu_node_pane_new(f->document), 360, 800);
  show_all(f);
  int64_t widest = find_widest(f->document, SIZE_MAX);
  cwu_document_set_selected(f->document, widest);
  panes_settle(f);
  g_assert_cmpuint(n_links(cwu_document_peek_graph(f->document), (size_t)widest), >, 600);
  /* 800 px of rows of 30 px, and as many spare. */
  g_assert_cmpuint(panes_count(f->window, CWU_TYPE_LINK_ROW), >, 10);
  g_assert_cmpuint(panes_count(f->window, CWU_TYPE_LINK_ROW), <, 2 * 800 / 30);
  check_selects_quickly(f);
}

/* What others have published. */
static void
check_shared(PanesFixture *f, const char *name)
{
  g_autofree char *path = test_shared_path_or_skip(name);
  if (path == NULL)
    return;
  panes_open_path(f, path);
  panes_show(f, cwu_node_pane_new(f->document), 360, 800);
  check_selects_quickly(f);
  show_all(f);
  check_selects_quickly(f);
  panes_close(f, NULL);
}

static void
test_shared(void)
{
  static const char *const names[] = { "graphs/IamKrill1n__dallas-austin-llamma.json",
                                       "graphs/IamKrill1n__galaxy-clt-hp.json",
                                       "graphs/uzairname__dallas_ea.json",
                                       "graphs/uzairname__war_ea.json" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    PanesFixture f = { 0 };
    check_shared(&f, names[i]);
  }
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(PanesFixture *f, gconstpointer data);
  } cases[] = {
    { "/ui/node-pane/lists-are-the-graphs", test_lists },
    { "/ui/node-pane/short-lists-are-short", test_short_lists },
    { "/ui/node-pane/influence-shares-and-ranks", test_influence },
    { "/ui/node-pane/says-what-it-is", test_words },
    { "/ui/node-pane/label-is-one-step", test_label },
    { "/ui/node-pane/label-of-the-node-it-was-typed-for", test_label_is_kept },
    { "/ui/node-pane/rows-follow-names", test_rows_follow },
    { "/ui/node-pane/overview-lists-pins-and-notes", test_overview },
    { "/ui/node-pane/note-editor", test_note_editor },
    { "/ui/node-pane/long-list", test_long_list },
  };
  if (!widget_test_init(&argc, &argv))
    return 0;
  g_test_add_func("/ui/node-pane/values-as-words", test_values);
  g_test_add_func("/ui/node-pane/promoted-tokens", test_promoted);
  g_test_add_func("/ui/node-pane/published-graphs", test_shared);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
    g_test_add(cases[i].name, PanesFixture, NULL, NULL, cases[i].run, panes_close);
  return g_test_run();
}
