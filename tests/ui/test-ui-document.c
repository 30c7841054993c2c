/* test-ui-document.c - the document that widgets observe: loading, masks that follow, undo over
 * traces, saving, the history of selections. No display is needed. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "models/document.h"
#include "test-support.h"

typedef struct {
  CwuDocument *document;
  GMainLoop *loop;
  GError *error;
  guint parts; /* of all "changed" */
  int n_graph_changed;
} Fixture;

static void
changed_cb(CwuDocument *document, guint parts, Fixture *f)
{
  f->parts |= parts;
}

/* The promise of document.h: a view never sees masks of another graph. */
static void
graph_changed_cb(CwuDocument *document, Fixture *f)
{
  CwGraph *graph = cwu_document_peek_graph(document);
  f->n_graph_changed++;
  g_assert_cmpuint(cwu_document_peek_pruned(document)->n_nodes, ==,
                   cw_graph_get_n_nodes(graph));
  g_assert_cmpuint(cwu_document_peek_pruned(document)->n_edges, ==,
                   cw_graph_get_n_edges(graph));
}

static void
set_up(Fixture *f, gconstpointer data)
{
  f->document = cwu_document_new();
  f->loop = g_main_loop_new(NULL, FALSE);
  g_signal_connect(f->document, "changed", G_CALLBACK(changed_cb), f);
  g_signal_connect(f->document, "graph-changed", G_CALLBACK(graph_changed_cb), f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  /* A task that has just ended may hold the document for a moment. */
  gint64 limit_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  g_object_add_weak_pointer(G_OBJECT(f->document), (gpointer *)&f->document);
  g_object_unref(f->document);
  while (f->document != NULL && g_get_monotonic_time() < limit_us) {
    g_main_context_iteration(NULL, FALSE);
    g_usleep(500);
  }
  g_assert_null(f->document);
  g_main_loop_unref(f->loop);
  g_clear_error(&f->error);
}

static GFile *
sample(const char *name)
{
  return g_file_new_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", name, NULL);
}

static void
loaded_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  cwu_document_load_finish(CWU_DOCUMENT(source), result, &f->error);
  g_main_loop_quit(f->loop);
}

static void
load(Fixture *f, GFile *file)
{
  g_clear_error(&f->error);
  cwu_document_load_async(f->document, file, loaded_cb, f);
  g_main_loop_run(f->loop);
}

static void
wait_for_masks(Fixture *f)
{
  while (cwu_document_is_pruning(f->document))
    g_main_context_iteration(NULL, TRUE);
}

static void
test_load(Fixture *f, gconstpointer data)
{
  g_autoptr(GFile) file = sample("capital-of-france.clew");
  load(f, file);
  g_assert_no_error(f->error);
  g_assert_true(f->parts & CW_DOCUMENT_GRAPH);
  g_assert_cmpint(f->n_graph_changed, ==, 1);
  g_assert_cmpstr(cwu_document_peek_title(f->document), ==, "The capital of France is");
  g_assert_true(cwu_document_is_saved(f->document));
  g_assert_false(cwu_document_is_pruning(f->document));
  g_assert_cmpfloat(cwu_document_get_scores(f->document).replacement, >, 0.1);
  g_assert_cmpfloat(cwu_document_get_scores(f->document).replacement, <, 1);
  /* A file that is none changes nothing. */
  g_autoptr(GFile) nothing = sample("README.md");
  load(f, nothing);
  g_assert_nonnull(f->error);
  g_assert_cmpstr(cwu_document_peek_title(f->document), ==, "The capital of France is");
  g_assert_cmpint(f->n_graph_changed, ==, 1);
}

/* Masks follow the thresholds both ways, and are those of the core. */
static void
test_thresholds(Fixture *f, gconstpointer data)
{
  g_autoptr(GFile) file = sample("capital-of-france.clew");
  load(f, file);
  CwDocument *core = cwu_document_peek_core(f->document);
  size_t n_first = cwu_document_peek_pruned(f->document)->n_kept_nodes;
  for (int i = 0; i < 40; i++) {
    cw_document_set_thresholds(core, 0.1 + i * 0.005, 0.9);
    cwu_document_sync(f->document);
  }
  wait_for_masks(f);
  g_autoptr(GError) error = NULL;
  g_autoptr(CwPruner) pruner =
      cw_pruner_new(cwu_document_peek_graph(f->document), NULL, &error);
  CwPruneOptions options = { 0.1 + 39 * 0.005, 0.9, NULL, false };
  g_autoptr(CwPruned) wanted = cw_pruner_run(pruner, &options, NULL, &error);
  const CwPruned *pruned = cwu_document_peek_pruned(f->document);
  g_assert_cmpmem(pruned->node_mask, pruned->n_nodes, wanted->node_mask, wanted->n_nodes);
  g_assert_cmpmem(pruned->edge_mask, pruned->n_edges, wanted->edge_mask, wanted->n_edges);
  g_assert_cmpuint(pruned->n_kept_nodes, <, n_first);
  cw_document_go_to(core, 0);
  cwu_document_sync(f->document);
  wait_for_masks(f);
  g_assert_cmpuint(cwu_document_peek_pruned(f->document)->n_kept_nodes, ==, n_first);
}

static int64_t
find_hidden(CwuDocument *document)
{
  const CwPruned *pruned = cwu_document_peek_pruned(document);
  for (size_t i = 0; i < pruned->n_nodes; i++)
    if (!pruned->node_mask[i])
      return (int64_t)i;
  return -1;
}

/* A pinned node stays whatever the thresholds are. */
static void
test_pin(Fixture *f, gconstpointer data)
{
  g_autoptr(GFile) file = sample("capital-of-france.clew");
  load(f, file);
  uint32_t node = (uint32_t)find_hidden(f->document);
  cw_document_set_pinned(cwu_document_peek_core(f->document), &node, 1, true);
  cwu_document_sync(f->document);
  wait_for_masks(f);
  g_assert_true(f->parts & CW_DOCUMENT_PINS);
  g_assert_cmpint(cwu_document_peek_pruned(f->document)->node_mask[node], ==, 1);
  g_assert_false(cwu_document_is_saved(f->document));
  cwu_document_set_selected(f->document, node);
  g_assert_cmpint(cwu_document_get_selected(f->document), ==, node);
  cwu_document_toggle_pin(f->document, node);
  wait_for_masks(f);
  /* What is not shown any more is not selected either. */
  g_assert_cmpint(cwu_document_get_selected(f->document), ==, -1);
}

static void
set_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  cwu_document_set_graph_finish(CWU_DOCUMENT(source), result, &f->error);
  g_main_loop_quit(f->loop);
}

/* Undoing a trace shows the graph before, with masks that fit it (see graph_changed_cb). */
static void
test_trace(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GFile) file = sample("capital-of-france.clew"),
                   other = sample("grass-is-green.clew");
  g_autofree char *path = g_file_get_path(other);
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
  load(f, file);
  CwGraph *first = cw_graph_ref(cwu_document_peek_graph(f->document));
  cwu_document_set_graph_async(f->document, graph, (double[]){ 0.8, 0.98 }, set_cb, f);
  g_main_loop_run(f->loop);
  g_assert_no_error(f->error);
  g_assert_true(cwu_document_peek_graph(f->document) == graph);
  g_assert_false(cwu_document_is_saved(f->document));
  for (int i = 0; i < 4; i++) {
    CwDocument *core = cwu_document_peek_core(f->document);
    if (i % 2 == 0)
      cw_document_undo(core);
    else
      cw_document_redo(core);
    cwu_document_sync(f->document);
    g_assert_true(cwu_document_peek_graph(f->document) == (i % 2 == 0 ? first : graph));
  }
  wait_for_masks(f);
  cw_graph_unref(first);
}

static void
test_visits(Fixture *f, gconstpointer data)
{
  g_autoptr(GFile) file = sample("capital-of-france.clew");
  load(f, file);
  CwuDocument *document = f->document;
  const CwPruned *pruned = cwu_document_peek_pruned(document);
  int64_t shown[3];
  size_t n = 0;
  for (size_t i = 0; i < pruned->n_nodes && n < 3; i++)
    if (pruned->node_mask[i])
      shown[n++] = (int64_t)i;
  cwu_document_set_selected(document, -1);
  for (size_t i = 0; i < 3; i++)
    cwu_document_set_selected(document, shown[i]);
  g_assert_false(cwu_document_can_go(document, 1));
  cwu_document_go(document, -1);
  g_assert_cmpint(cwu_document_get_selected(document), ==, shown[1]);
  cwu_document_set_selected(document, -1); /* Escape, then back: to where one was */
  cwu_document_go(document, -1);
  g_assert_cmpint(cwu_document_get_selected(document), ==, shown[0]);
  cwu_document_go(document, 1);
  g_assert_cmpint(cwu_document_get_selected(document), ==, shown[1]);
  cwu_document_set_selected(document, shown[0]);
  g_assert_false(cwu_document_can_go(document, 1));
}

static void
saved_cb(GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *f = user_data;
  cwu_document_save_finish(CWU_DOCUMENT(source), result, &f->error);
  g_main_loop_quit(f->loop);
}

static void
test_save(Fixture *f, gconstpointer data)
{
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autoptr(GFile) file = sample("capital-of-france.clew"), to = g_file_new_for_path(path);
  load(f, file);
  CwuDocument *document = f->document;
  int64_t node = find_hidden(document);
  cw_document_set_label(cwu_document_peek_core(document), (size_t)node, "mine");
  cw_document_set_thresholds(cwu_document_peek_core(document), 1, 1);
  cwu_document_sync(document);
  wait_for_masks(f);
  cwu_document_set_selected(document, node);
  cwu_document_set_view(document, "force");
  cwu_document_save_async(document, to, FALSE, saved_cb, f);
  cw_document_set_gravity(cwu_document_peek_core(document), 0.125); /* after the call */
  cwu_document_sync(document);
  g_main_loop_run(f->loop);
  g_assert_no_error(f->error);
  g_assert_false(cwu_document_is_saved(document)); /* The gravity is not in the file. */
  cw_document_undo(cwu_document_peek_core(document));
  cwu_document_sync(document);
  g_assert_true(cwu_document_is_saved(document));
  load(f, to);
  g_assert_cmpint(cwu_document_get_selected(document), ==, node);
  g_assert_cmpstr(cwu_document_peek_view(document), ==, "force");
  g_autofree char *name = cwu_document_dup_node_name(document, (size_t)node);
  g_assert_cmpstr(name, ==, "mine");
  /* A folder that is not there: told, and nothing is lost. */
  g_autoptr(GFile) nowhere = g_file_new_for_path("/nonexistent/folder/a.clew");
  cwu_document_save_async(document, nowhere, FALSE, saved_cb, f);
  g_main_loop_run(f->loop);
  g_assert_nonnull(f->error);
  g_assert_true(g_file_equal(cwu_document_peek_file(document), to));
  test_remove_tree(folder);
}

/* The mode's bits decide, also for root, whom the system would let write. */
static void
test_read_only(Fixture *f, gconstpointer data)
{
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  g_autofree char *before = NULL, *after = NULL;
  gsize n_before = 0, n_after = 0;
  g_autoptr(GFile) file = sample("capital-of-france.clew"), copy = g_file_new_for_path(path);
  g_assert_true(g_file_copy(file, copy, G_FILE_COPY_NONE, NULL, NULL, NULL, NULL));
  load(f, copy);
  CwDocument *core = cwu_document_peek_core(f->document);
  g_assert_true(g_file_get_contents(path, &before, &n_before, NULL));
  cw_document_set_gravity(core, 0.125);
  cwu_document_sync(f->document);
  g_assert_cmpint(g_chmod(path, 0444), ==, 0);
  cwu_document_save_async(f->document, copy, FALSE, saved_cb, f);
  g_main_loop_run(f->loop);
  g_assert_error(f->error, CW_ERROR, CW_ERROR_IO);
  g_assert_nonnull(strstr(f->error->message, "a.clew is read-only"));
  g_assert_false(cwu_document_is_saved(f->document));
  g_assert_true(g_file_get_contents(path, &after, &n_after, NULL));
  g_assert_cmpmem(before, n_before, after, n_after);
  g_clear_error(&f->error);
  g_assert_cmpint(g_chmod(path, 0644), ==, 0);
  cwu_document_save_async(f->document, copy, FALSE, saved_cb, f);
  g_main_loop_run(f->loop);
  g_assert_no_error(f->error);
  g_assert_true(cwu_document_is_saved(f->document));
  test_remove_tree(folder);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*run)(Fixture *f, gconstpointer data);
  } cases[] = {
    { "/ui/document/loads", test_load },
    { "/ui/document/masks-follow-thresholds", test_thresholds },
    { "/ui/document/pinned-nodes-stay", test_pin },
    { "/ui/document/undo-of-a-trace", test_trace },
    { "/ui/document/back-and-forward", test_visits },
    { "/ui/document/saves", test_save },
    { "/ui/document/leaves-a-read-only-file", test_read_only },
  };
  g_test_init(&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
    g_test_add(cases[i].name, Fixture, NULL, set_up, cases[i].run, tear_down);
  return g_test_run();
}
