/* test-schemas.c - data/schemas against what Clew really writes, and against what it must not.
 */
#include "cw-graph.h"
#include "test-schema.h"
#include "test-support.h"

#include <glib/gstdio.h>
#include <string.h>

static void
expect_fault(const char *schema, const char *json, const char *needle)
{
  g_autofree char *fault = test_schema_find_fault(schema, json);
  g_assert_nonnull(fault);
  if (strstr(fault, needle) == NULL)
    g_error("\"%s\" does not say \"%s\"", fault, needle);
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SETTINGS(hash, targets, probability)                                                \
  "{\"generator\":\"clew 1.2.3\",\"device\":\"CPU\",\"model\":\"m\",\"model_hash\":\"" hash \
  "\","                                                                                     \
  "\"transcoder\":\"t\",\"transcoder_hash\":\"" HASH                                        \
  "\",\"scan\":\"s\",\"targets\":\"" targets                                                \
  "\",\"max_n_logits\":10,\"desired_logit_prob\":" probability ",\"batch_size\":256,"       \
  "\"update_interval\":4,\"max_feature_nodes\":0,\"n_active_features\":7}"

static void
test_settings_faults(void)
{
  static const char schema[] = "settings.schema.json";
  test_schema_check(schema, SETTINGS(HASH, "tokens", "0.95"));
  expect_fault(schema, "[]", "$: is of type array");
  expect_fault(schema, "{}", "$: \"generator\" is missing");
  expect_fault(schema, SETTINGS("", "tokens", "1"), "$.model_hash: does not pass \"pattern\"");
  expect_fault(schema, SETTINGS(HASH, "all", "1"), "$.targets: does not pass \"enum\"");
  expect_fault(schema, SETTINGS(HASH, "tokens", "0"), "\"exclusiveMinimum\"");
  expect_fault(schema, SETTINGS(HASH, "tokens", "1.5"), "\"maximum\"");
  expect_fault(schema, SETTINGS(HASH, "tokens", "1,\"more\":1"),
               "$.more: the schema does not describe");
}

static void
test_view_faults(void)
{
  static const char schema[] = "view.schema.json";
  test_schema_check(schema, "{}");
  expect_fault(schema, "{\"pins\":[\"a\",3]}", "$.pins[1]: is of type integer");
  expect_fault(schema, "{\"places\":{\"a\":[1]}}", "$.places.a: does not pass \"minItems\"");
  expect_fault(schema, "{\"places\":{\"a\":[1,2,3]}}", "\"maxItems\"");
  expect_fault(schema, "{\"groups\":[{\"label\":\"g\"}]}",
               "$.groups[0]: \"members\" is missing");
  expect_fault(schema, "{\"notes\":[{\"text\":\"t\",\"id\":0}]}",
               "$.notes[0].id: does not pass");
  expect_fault(schema, "{\"camera\":{\"zoom\":0,\"x\":0,\"y\":0}}", "$.camera.zoom");
  expect_fault(schema, "{\"labels\":{\"a\":null}}", "$.labels.a: is of type null");
  expect_fault(schema, "{\"colour\":1}", "$.colour: the schema does not describe");
}

/* Loads a graph with this qParams and gives the view as Clew would save it. */
static char *
view_of(const char *q_params)
{
  g_autoptr(GError) error = NULL;
  CwViewState state = { 0 };
  g_autofree char *folder = test_temp_dir(), *path = g_build_filename(folder, "g.json", NULL);
  g_autofree char *text =
      g_strdup_printf("{\"nodes\":[{\"node_id\":\"a\"},{\"node_id\":\"b\"}],\"links\":[],"
                      "\"qParams\":%s}",
                      q_params);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, &state, NULL, &error);
  g_assert_no_error(error);
  test_remove_tree(folder);
  return state.view_json;
}

/* What other programs wrote becomes a view that the schema describes. */
static void
test_views_of_other_programs(void)
{
  static const char *const texts[] = {
    "{\"pinnedIds\":\"a, b\",\"supernodes\":\"[[\\\"g\\\",\\\"a\\\"]]\",\"sg_pos\":\"1 2\","
    "\"clickedId\":\"a\",\"linkType\":\"either\",\"clerps\":\"[[15204836,\\\"Texas\\\"]]\","
    "\"densityThreshold\":\"0.99\",\"pruningThreshold\":\"0.4\"}",
    "{\"pinnedIds\":[\"a\",3],\"supernodes\":[[],[\"g\",\"a\",4],[\"g\",\"b\"]],"
    "\"clerps\":[[\"a\",\"mine\"],[1],[]]}",
  };
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *view = view_of(texts[i]);
    g_assert_nonnull(view);
    test_schema_check("view.schema.json", view);
  }
}

/* The samples' settings, as the program that made them wrote them. */
static void
test_samples(void)
{
  g_autofree char *folder =
      g_build_filename(g_getenv("CLEW_SOURCE_ROOT"), "data", "samples", NULL);
  g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
  const char *name;
  int n_samples = 0;
  while ((name = g_dir_read_name(entries)) != NULL) {
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (!g_str_has_suffix(name, ".clew"))
      continue;
    g_autoptr(CwGraph) graph = cw_graph_load(path, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    test_schema_check("settings.schema.json", cw_graph_peek_settings_json(graph));
    n_samples++;
  }
  g_assert_cmpint(n_samples, >, 0);
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/schemas/settings-faults", test_settings_faults);
  g_test_add_func("/core/schemas/view-faults", test_view_faults);
  g_test_add_func("/core/schemas/views-of-other-programs", test_views_of_other_programs);
  g_test_add_func("/core/schemas/samples", test_samples);
  return g_test_run();
}
