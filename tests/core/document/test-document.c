/* test-document.c - documents: edits, history, files, and 10,000 random actions undone. */
#include "cw-document.h"
#include "cw-tensor-file.h"
#include "test-schema.h"
#include "test-support.h"

#include <math.h>
#include <string.h>

#define N_FEATURES 30
#define N_TOKENS   5
#define N_NODES    (N_FEATURES + N_TOKENS + 1)

/* Features 0..29 over five tokens, fed by the tokens, feeding one logit. */
static CwGraph *
graph_of_features(int64_t first_feature)
{
  g_autoptr(GError) error = NULL;
  CwGraphParts parts = { .n_positions = N_TOKENS, .n_layers = 3, .n_nodes = N_NODES };
  g_autoptr(GArray) source = g_array_new(FALSE, FALSE, sizeof(uint32_t));
  g_autoptr(GArray) weight = g_array_new(FALSE, FALSE, sizeof(float));
  parts.prompt = g_strdup("a b c d e");
  parts.prompt_tokens = g_new0(char *, N_TOKENS + 1);
  parts.nodes = g_new0(CwNode, N_NODES);
  parts.labels = g_new0(char *, N_NODES);
  parts.row_start = g_new0(int64_t, N_NODES + 1);
  for (int64_t i = 0; i < N_TOKENS; i++)
    parts.prompt_tokens[i] = g_strdup_printf(" %c", (char)('a' + i));
  for (uint32_t i = 0; i < N_NODES; i++) {
    parts.row_start[i] = source->len;
    if (i < N_FEATURES) {
      parts.nodes[i] = (CwNode){ CW_NODE_FEATURE,
                                 (int32_t)(i / 10),
                                 (int32_t)(i / 2 % 5),
                                 first_feature + i,
                                 1,
                                 NAN,
                                 0,
                                 1,
                                 0 };
      parts.labels[i] = g_strdup_printf("~ word%u", i);
      uint32_t token = N_FEATURES + i / 2 % 5;
      float strength = 1 + (float)(i % 7);
      g_array_append_val(source, token);
      g_array_append_val(weight, strength);
    } else if (i < N_FEATURES + N_TOKENS) {
      parts.nodes[i] =
          (CwNode){ CW_NODE_TOKEN, -1, (int32_t)(i - N_FEATURES), i, NAN, NAN, 0, NAN, NAN };
    } else {
      parts.nodes[i] = (CwNode){ CW_NODE_LOGIT, 3, 4, 9, NAN, NAN, 1, 2, 0 };
      parts.labels[i] = g_strdup("Output \" x\" (p=1.000)");
      for (uint32_t f = 0; f < N_FEATURES; f++) {
        float strength = f % 3 == 0 ? -1.f - (float)f : 1.f + (float)f;
        g_array_append_val(source, f);
        g_array_append_val(weight, strength);
      }
    }
  }
  parts.row_start[N_NODES] = source->len;
  parts.source = g_memdup2(source->data, source->len * sizeof(uint32_t));
  parts.weight = g_memdup2(weight->data, weight->len * sizeof(float));
  parts.settings_json = g_strdup("{}");
  CwGraph *graph = cw_graph_new_take(&parts, NULL, &error);
  g_assert_no_error(error);
  return graph;
}

static CwDocument *
document_new(void)
{
  g_autoptr(CwGraph) graph = graph_of_features(0);
  return cw_document_new_from_graph(graph, NULL, NULL);
}

/* The file that saving would write. */
static GBytes *
bytes_of(CwDocument *document)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "a.clew", NULL);
  CwDocumentState *state = cw_document_peek_state(document);
  CwViewState view;
  char *data;
  gsize n;
  cw_document_state_to_view(state, NULL, &view);
  g_assert_true(
      cw_graph_save_document(cw_document_state_peek_graph(state), &view, path, NULL, &error));
  g_assert_no_error(error);
  cw_view_state_clear(&view);
  g_assert_true(g_file_get_contents(path, &data, &n, &error));
  test_remove_tree(folder);
  return g_bytes_new_take(data, n);
}

/* ---- one edit of each kind --------------------------------------------------------------- */

static void
test_edits(void)
{
  g_autoptr(CwDocument) document = document_new();
  static const uint32_t few[] = { 3, 1, 3, 99999 }, one[] = { 7 };
  g_assert_true(cw_document_is_saved(document));
  g_assert_true(cw_document_set_pinned(document, few, 4, true));
  g_assert_false(cw_document_set_pinned(document, few, 2, true));
  g_assert_false(cw_document_is_saved(document));
  CwDocumentState *state = cw_document_peek_state(document);
  size_t n;
  const uint32_t *pins = cw_document_state_peek_pins(state, &n);
  g_assert_cmpuint(n, ==, 2);
  g_assert_cmpuint(pins[0], ==, 3);
  g_assert_cmpuint(pins[1], ==, 1);
  g_assert_true(cw_document_state_is_pinned(state, 1));
  g_assert_false(cw_document_state_is_pinned(state, 2));
  g_assert_false(cw_document_state_is_pinned(state, 99999));

  g_assert_true(cw_document_set_label(document, 3, "capitals"));
  g_assert_cmpstr(cw_document_state_peek_shown_label(cw_document_peek_state(document), 3), ==,
                  "capitals");
  g_assert_true(cw_document_set_label(document, 3, "~ word3"));
  g_assert_null(cw_document_state_peek_label(cw_document_peek_state(document), 3));
  g_assert_false(cw_document_set_label(document, N_NODES, "nobody"));

  uint64_t id = cw_document_add_group(document, "places", few, 4);
  uint64_t other = cw_document_add_group(document, "places", one, 1);
  g_assert_cmpuint(id, !=, other);
  state = cw_document_peek_state(document);
  g_assert_cmpuint(cw_document_state_get_n_groups(state), ==, 2);
  g_assert_true(cw_document_state_is_pinned(state, 7));
  /* A node that joins one group leaves the other, which goes when it is empty. */
  static const uint32_t all[] = { 1, 3, 7 };
  g_assert_true(cw_document_set_group_members(document, id, all, 3));
  state = cw_document_peek_state(document);
  g_assert_cmpuint(cw_document_state_get_n_groups(state), ==, 1);
  g_assert_cmpuint(cw_document_state_peek_group(state, 0)->n_members, ==, 3);
  g_assert_false(cw_document_rename_group(document, other, "gone"));
  g_assert_true(cw_document_rename_group(document, id, "towns"));
  g_assert_true(cw_document_remove_group(document, id));
  g_assert_cmpuint(cw_document_state_get_n_groups(cw_document_peek_state(document)), ==, 0);

  uint64_t note = cw_document_add_note(document, 3, 0, 0, "look here");
  g_assert_true(cw_document_move_note(document, note, -1, 0.25, 0.75));
  g_assert_false(cw_document_move_note(document, note, -1, NAN, 0.75));
  g_assert_true(cw_document_set_note_text(document, note, "and here"));
  g_assert_true(cw_document_remove_note(document, note));
  g_assert_false(cw_document_remove_note(document, note));
  g_assert_false(cw_document_set_thresholds(document, 1.5, 0.5));
  g_assert_false(cw_document_set_thresholds(document, NAN, 0.5));
  g_assert_false(cw_document_set_gravity(document, -1));
  g_assert_false(cw_document_set_place(document, 3, INFINITY, 0));
  g_assert_true(cw_document_set_place(document, 3, 1, 2));
  g_assert_false(cw_document_set_place(document, 3, 1, 2));
  g_assert_true(cw_document_free_place(document, 3));
  g_assert_false(cw_document_free_place(document, -1));
}

/* A drag is one step; one of another kind in between is a step of its own. */
static void
test_merge(void)
{
  g_autoptr(CwDocument) document = document_new();
  cw_document_begin_merge(document);
  for (int i = 0; i < 50; i++)
    cw_document_set_thresholds(document, 0.5 + i / 100.0, 0.9);
  cw_document_end_merge(document);
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 2);
  cw_document_set_thresholds(document, 0.1, 0.9);
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 3);
  cw_document_begin_merge(document);
  cw_document_set_label(document, 1, "a");
  cw_document_set_label(document, 1, "ab");
  cw_document_set_label(document, 2, "c");
  cw_document_end_merge(document);
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 5);
  /* Undone in the middle of a drag, the next edit does not change what was undone. */
  cw_document_begin_merge(document);
  cw_document_set_gravity(document, 0.1);
  g_assert_true(cw_document_undo(document));
  cw_document_set_gravity(document, 0.2);
  cw_document_end_merge(document);
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 6);
}

/* Letters in one go are one step, named by what stands there in the end. */
static void
test_typing(void)
{
  g_autoptr(CwDocument) document = document_new();
  g_assert_true(cw_document_set_prompt(document, "a b c d e!", true));
  g_assert_true(cw_document_set_prompt(document, "a b c d e!?", true));
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 2);
  g_assert_cmpstr(cw_document_get_step(document, 1).subject, ==, "a b c d e!?");
  /* After a pause, or on top of what was saved, a new step. */
  g_assert_true(cw_document_set_prompt(document, "a b", false));
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 3);
  cw_document_mark_saved(document, cw_document_peek_state(document));
  g_assert_true(cw_document_set_prompt(document, "a bc", true));
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 4);
  /* Typed and erased: nothing was done, and the file is still what is shown. */
  g_assert_true(cw_document_set_prompt(document, "a b", true));
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 3);
  g_assert_true(cw_document_is_saved(document));
  /* It does not go on with a step of another kind, nor with one that was undone. */
  g_assert_true(cw_document_set_gravity(document, 0.1));
  g_assert_true(cw_document_set_prompt(document, "x", true));
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 5);
  g_assert_true(cw_document_set_prompt(document, "xy", false));
  g_assert_true(cw_document_undo(document));
  g_assert_true(cw_document_set_prompt(document, "xz", true));
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 6);
  g_assert_true(cw_document_undo(document));
  g_assert_cmpstr(cw_document_state_peek_prompt(cw_document_peek_state(document)), ==, "x");
}

/* What is typed while a trace runs is not overwritten by its end. */
static void
test_typing_while_tracing(void)
{
  g_autoptr(CwDocument) document = document_new();
  g_autoptr(CwGraph) other = graph_of_features(4);
  g_assert_true(cw_document_set_prompt(document, "what comes next", false));
  g_assert_true(cw_document_set_graph(document, other, NULL));
  CwDocumentState *state = cw_document_peek_state(document);
  g_assert_cmpstr(cw_document_state_peek_prompt(state), ==, "what comes next");
  g_assert_cmpstr(cw_document_get_step(document, 2).subject, ==, "a b c d e");
}

static void
test_history(void)
{
  g_autoptr(CwDocument) document = document_new();
  g_assert_false(cw_document_undo(document));
  g_assert_false(cw_document_redo(document));
  CwDocumentState *first = cw_document_peek_state(document);
  cw_document_set_label(document, 1, "one");
  cw_document_set_label(document, 2, "two");
  g_assert_cmpstr(cw_document_get_step(document, 2).subject, ==, "two");
  g_assert_cmpint(cw_document_get_step(document, 2).edit, ==, CW_EDIT_LABEL);
  g_assert_true(cw_document_go_to(document, 0));
  g_assert_true(cw_document_peek_state(document) == first);
  g_assert_true(cw_document_is_saved(document));
  g_assert_true(cw_document_redo(document));
  cw_document_mark_saved(document, cw_document_peek_state(document));
  g_assert_true(cw_document_is_saved(document));
  cw_document_set_prompt(document, "another", false); /* what was undone is gone */
  g_assert_cmpuint(cw_document_get_n_steps(document), ==, 3);
  g_assert_false(cw_document_redo(document));
  g_assert_true(cw_document_undo(document));
  g_assert_true(cw_document_is_saved(document));
  cw_document_mark_unsaved(document);
  g_assert_false(cw_document_is_saved(document));
}

static void
test_compare(void)
{
  g_autoptr(CwDocument) document = document_new();
  static const uint32_t one[] = { 7 };
  CwDocumentState *first = cw_document_peek_state(document);
  cw_document_set_pinned(document, one, 1, true);
  g_assert_cmpint(cw_document_state_compare(first, cw_document_peek_state(document)), ==,
                  CW_DOCUMENT_PINS);
  cw_document_set_thresholds(document, 0.3, 0.4);
  cw_document_set_place(document, 1, 1, 1);
  g_assert_cmpint(cw_document_state_compare(first, cw_document_peek_state(document)), ==,
                  CW_DOCUMENT_PINS | CW_DOCUMENT_THRESHOLDS | CW_DOCUMENT_PLACES);
}

/* A new trace of the same tokens keeps what was said of nodes it still has. */
static void
test_trace_again(void)
{
  g_autoptr(CwDocument) document = document_new();
  g_autoptr(CwGraph) shifted = graph_of_features(4); /* node i is feature i + 4 */
  static const uint32_t members[] = { 2, 34 };
  cw_document_set_label(document, 34, "the last token");
  cw_document_add_group(document, "both", members, 2);
  cw_document_set_place(document, 34, 5, 6);
  cw_document_add_note(document, 2, 0.5, 0.5, "goes");
  g_assert_true(cw_document_set_graph(document, shifted, NULL));
  CwDocumentState *state = cw_document_peek_state(document);
  size_t n_pins, n_places;
  const uint32_t *pins = cw_document_state_peek_pins(state, &n_pins);
  g_assert_cmpuint(n_pins, ==, 1); /* Feature 2 is not in the new graph. */
  g_assert_cmpuint(pins[0], ==, 34);
  g_assert_cmpstr(cw_document_state_peek_label(state, 34), ==, "the last token");
  g_assert_cmpuint(cw_document_state_peek_group(state, 0)->n_members, ==, 1);
  g_assert_cmpfloat((double)cw_document_state_peek_places(state, &n_places)->x, ==, 5);
  g_assert_cmpint(cw_document_state_peek_note(state, 0)->node, ==, -1);
  g_assert_true(cw_document_undo(document));
  g_assert_cmpuint(cw_document_state_peek_group(cw_document_peek_state(document), 0)->n_members,
                   ==, 2);
}

/* ---- files ------------------------------------------------------------------------------- */

static void
edit_everything(CwDocument *document)
{
  static const uint32_t some[] = { 9, 4, 12 }, group[] = { 20, 4 };
  cw_document_set_thresholds(document, 0.65, 0.9);
  cw_document_set_gravity(document, 0.25);
  cw_document_set_pinned(document, some, 3, true);
  cw_document_set_label(document, 4, "Städte \"x\"\n");
  cw_document_add_group(document, "a group", group, 2);
  cw_document_add_note(document, 12, 0.1, 0.2, "a note");
  cw_document_add_note(document, -1, 0.3, 0.4, "in the corner");
  cw_document_set_place(document, 20, 1.25f, -7.1f);
  cw_document_set_place(document, 3, 0.1f, 1e-7f);
  cw_document_set_prompt(document, "a b c d e f", false);
}

static void
test_round_trip(void)
{
  g_autoptr(CwDocument) document = document_new();
  CwDocumentSession session, got;
  CwViewState view, again;
  edit_everything(document);
  cw_document_session_init(&session);
  session.selected = 12;
  session.zoom = 2.5;
  session.centre_x = 0.125;
  g_strlcpy(session.view, "force", sizeof session.view);
  CwDocumentState *state = cw_document_peek_state(document);
  cw_document_state_to_view(state, &session, &view);
  test_schema_check("view.schema.json", view.view_json);
  g_autoptr(CwDocument) copy =
      cw_document_new_from_graph(cw_document_state_peek_graph(state), &view, &got);
  cw_document_state_to_view(cw_document_peek_state(copy), &got, &again);
  g_assert_cmpstr(view.view_json, ==, again.view_json);
  g_assert_cmpfloat(again.node_threshold, ==, 0.65);
  g_assert_cmpfloat(again.edge_threshold, ==, 0.9);
  g_assert_cmpint(got.selected, ==, 12);
  g_assert_cmpfloat(got.zoom, ==, 2.5);
  g_assert_cmpstr(got.view, ==, "force");
  g_assert_cmpstr(cw_document_state_peek_prompt(cw_document_peek_state(copy)), ==,
                  "a b c d e f");
  /* New ids do not meet old ones. */
  uint64_t id = cw_document_add_note(copy, -1, 0, 0, "new");
  for (size_t i = 0; i < cw_document_state_get_n_notes(state); i++)
    g_assert_cmpuint(cw_document_state_peek_note(state, i)->id, !=, id);
  cw_view_state_clear(&view);
  cw_view_state_clear(&again);
}

/* A view made by somebody else: unknown members stay, nonsense is passed over. */
static void
test_foreign_view(void)
{
  g_autoptr(CwGraph) graph = graph_of_features(0);
  g_autofree char *id = cw_graph_dup_node_id(graph, 3);
  g_autofree char *text = g_strdup_printf(
      "{\"palette\":{\"x\":[1,2]},\"pins\":[\"%s\",\"nobody\",7],\"labels\":{\"%s\":\"towns\","
      "\"6\":\"by number\",\"x\":3},\"groups\":[{\"label\":\"g\",\"members\":[\"%s\"]},"
      "{\"id\":-4,\"members\":[]},5],\"notes\":[{\"text\":\"t\",\"id\":1e300}],"
      "\"places\":{\"%s\":[1]},\"gravity\":9,\"camera\":{\"zoom\":0},\"link_type\":\"both\"}",
      id, id, id, id);
  CwViewState view = { NAN, NAN, text }, again;
  CwDocumentSession session;
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, &view, &session);
  CwDocumentState *state = cw_document_peek_state(document);
  size_t n;
  cw_document_state_peek_pins(state, &n);
  g_assert_cmpuint(n, ==, 1);
  g_assert_cmpstr(cw_document_state_peek_label(state, 3), ==, "towns");
  /* 6 = 3 (3 + 1) / 2 + 0 pairs layer 3 and index 0, which this graph has not. */
  g_assert_null(cw_document_state_peek_label(state, 6));
  g_assert_cmpuint(cw_document_state_get_n_groups(state), ==, 1);
  g_assert_cmpint(cw_document_state_peek_note(state, 0)->node, ==, -1);
  g_assert_cmpfloat(cw_document_state_get_gravity(state), ==, CW_DEFAULT_GRAVITY);
  g_assert_cmpfloat(cw_document_state_get_node_threshold(state), ==, 0.8);
  g_assert_cmpfloat(session.zoom, ==, 1);
  cw_document_state_to_view(state, NULL, &again);
  g_assert_nonnull(strstr(again.view_json, "\"palette\":{\"x\":[1,2]}"));
  g_assert_nonnull(strstr(again.view_json, "\"link_type\":\"both\""));
  cw_view_state_clear(&again);
}

/* Labels by Cantor's number are for every node of the feature. */
static void
test_feature_number(void)
{
  g_autoptr(CwGraph) graph = graph_of_features(0);
  const CwNode *node = &cw_graph_peek_nodes(graph)[13];
  guint64 sum = (guint64)node->layer + (guint64)node->feature;
  g_autofree char *text =
      g_strdup_printf("{\"labels\":{\"%" G_GUINT64_FORMAT "\":\"thirteen\"}}",
                      sum * (sum + 1) / 2 + (guint64)node->feature);
  CwViewState view = { NAN, NAN, text };
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, &view, NULL);
  g_assert_cmpstr(cw_document_state_peek_label(cw_document_peek_state(document), 13), ==,
                  "thirteen");
}

/* A graph that its maker pruned opens with all that is in it. */
static void
test_pruned_file(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = test_shared_path_or_skip("graphs/IamKrill1n__galaxy-clt-hp.json");
  if (path == NULL)
    return;
  CwViewState view;
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, &view, NULL, &error);
  g_assert_no_error(error);
  g_assert_false(cw_graph_is_whole(graph));
  view.node_threshold = NAN;
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graph, &view, NULL);
  CwDocumentState *state = cw_document_peek_state(document);
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  g_autoptr(CwPruned) all = cw_document_state_prune(state, pruner, NULL, &error);
  g_assert_cmpuint(all->n_kept_nodes, ==, cw_graph_get_n_nodes(graph));
  g_assert_cmpuint(all->n_kept_edges, ==, cw_graph_get_n_edges(graph));
  cw_document_set_thresholds(document, 0.5, 1);
  state = cw_document_peek_state(document);
  g_autoptr(CwPruned) half = cw_document_state_prune(state, pruner, NULL, &error);
  const CwNode *nodes = cw_graph_peek_nodes(graph);
  for (size_t i = 0; i < half->n_nodes; i++)
    if (nodes[i].kind == CW_NODE_FEATURE)
      g_assert_cmpint(half->node_mask[i], ==,
                      isnan(nodes[i].influence) || (double)nodes[i].influence <= 0.5);
  cw_view_state_clear(&view);
}

/* A node that the thresholds drop stays once it is pinned. */
static void
test_pruned_but_pins(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwDocument) document = document_new();
  CwGraph *graph = cw_document_state_peek_graph(cw_document_peek_state(document));
  g_autoptr(CwPruner) pruner = cw_pruner_new(graph, NULL, &error);
  cw_document_set_thresholds(document, 0.1, 0.5);
  g_autoptr(CwPruned) few =
      cw_document_state_prune(cw_document_peek_state(document), pruner, NULL, &error);
  g_assert_no_error(error);
  uint32_t dropped = 0;
  while (dropped < few->n_nodes && few->node_mask[dropped])
    dropped++;
  g_assert_cmpuint(dropped, <, few->n_nodes);
  g_assert_true(cw_document_set_pinned(document, &dropped, 1, true));
  g_autoptr(CwPruned) with =
      cw_document_state_prune(cw_document_peek_state(document), pruner, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpint(with->node_mask[dropped], ==, 1);
}

/* ---- anything at all --------------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t
random_below(uint32_t n)
{
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 33) % n;
}

static double
random_share(void)
{
  return random_below(1001) / 1000.0;
}

static uint64_t
random_group(const CwDocumentState *state)
{
  size_t n = cw_document_state_get_n_groups(state);
  return n > 0 ? cw_document_state_peek_group(state, random_below((uint32_t)n))->id : 77777;
}

static uint64_t
random_note(const CwDocumentState *state)
{
  size_t n = cw_document_state_get_n_notes(state);
  return n > 0 ? cw_document_state_peek_note(state, random_below((uint32_t)n))->id : 77777;
}

static void
random_edit(CwDocument *document, CwGraph *const graphs[2])
{
  uint32_t nodes[4];
  const CwDocumentState *state = cw_document_peek_state(document);
  g_autofree char *text = g_strdup_printf("text %u", random_below(50));
  uint32_t n = 1 + random_below(4), node = random_below(N_NODES + 2);
  for (uint32_t i = 0; i < 4; i++)
    nodes[i] = random_below(N_NODES + 1);
  switch (random_below(20)) {
  case 0:
    cw_document_set_graph(document, graphs[random_below(2)], NULL);
    break;
  case 1:
    cw_document_set_prompt(document, text, false);
    break;
  case 2:
    cw_document_set_thresholds(document, random_share(), random_share());
    break;
  case 3:
    cw_document_set_gravity(document, random_share());
    break;
  case 4:
  case 5:
    cw_document_set_pinned(document, nodes, n, random_below(2) == 0);
    break;
  case 6:
    cw_document_set_label(document, node, random_below(4) == 0 ? NULL : text);
    break;
  case 7:
    cw_document_add_group(document, text, nodes, n);
    break;
  case 8:
    cw_document_rename_group(document, random_group(state), text);
    break;
  case 9:
    cw_document_set_group_members(document, random_group(state), nodes, n - 1);
    break;
  case 10:
    cw_document_remove_group(document, random_group(state));
    break;
  case 11:
    cw_document_add_note(document, (int64_t)node - 1, random_share(), random_share(), text);
    break;
  case 12:
    cw_document_set_note_text(document, random_note(state), text);
    break;
  case 13:
    cw_document_move_note(document, random_note(state), (int64_t)node - 1, random_share(), 0);
    break;
  case 14:
    cw_document_remove_note(document, random_note(state));
    break;
  case 15:
    cw_document_set_place(document, node, (float)random_share(), -3);
    break;
  case 16:
    cw_document_free_place(document, (int64_t)node - 1);
    break;
  case 17:
    cw_document_set_prompt(document, random_below(4) == 0 ? "" : text, true);
    break;
  case 18:
    cw_document_begin_merge(document);
    break;
  default:
    cw_document_end_merge(document);
    break;
  }
}

/* Every state that is left is written down; going back and forth meets the same again. */
static void
test_undo_everything(void)
{
  CwGraph *graphs[2] = { graph_of_features(0), graph_of_features(4) };
  g_autoptr(CwDocument) document = cw_document_new_from_graph(graphs[0], NULL, NULL);
  g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
  random_state = 20261126;
  edit_everything(document);
  cw_document_go_to(document, 0);
  g_autoptr(GBytes) first = bytes_of(document);
  for (int i = 0; i < 10000; i++) {
    uint32_t what = random_below(12);
    if (what == 0)
      cw_document_undo(document);
    else if (what == 1)
      cw_document_redo(document);
    else
      random_edit(document, graphs);
  }
  size_t n = cw_document_get_n_steps(document);
  g_assert_cmpuint(n, >, 1000);
  cw_document_go_to(document, n - 1);
  for (size_t i = n; i-- > 0;) {
    if (i % 97 == 0)
      g_ptr_array_add(seen, bytes_of(document));
    g_assert_true(cw_document_undo(document) == (i > 0));
  }
  g_autoptr(GBytes) last = bytes_of(document);
  g_assert_true(g_bytes_equal(first, last));
  g_assert_true(cw_document_is_saved(document));
  for (size_t i = 0; i < n; i++) {
    if (i % 97 == 0) {
      g_autoptr(GBytes) again = bytes_of(document);
      g_assert_true(g_bytes_equal(again, g_ptr_array_index(seen, seen->len - 1 - i / 97)));
    }
    cw_document_redo(document);
  }
  cw_graph_unref(graphs[0]);
  cw_graph_unref(graphs[1]);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/document/edits", test_edits);
  g_test_add_func("/core/document/drag-is-one-step", test_merge);
  g_test_add_func("/core/document/typing-is-one-step", test_typing);
  g_test_add_func("/core/document/typing-while-tracing-stays", test_typing_while_tracing);
  g_test_add_func("/core/document/history", test_history);
  g_test_add_func("/core/document/says-what-differs", test_compare);
  g_test_add_func("/core/document/trace-again-keeps-annotations", test_trace_again);
  g_test_add_func("/core/document/round-trip", test_round_trip);
  g_test_add_func("/core/document/foreign-view", test_foreign_view);
  g_test_add_func("/core/document/labels-by-feature-number", test_feature_number);
  g_test_add_func("/core/document/prunes-all-but-pins", test_pruned_but_pins);
  g_test_add_func("/core/document/pruned-file-opens-whole", test_pruned_file);
  g_test_add_func("/core/document/10000-actions-undone", test_undo_everything);
  return g_test_run();
}
