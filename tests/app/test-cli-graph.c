/* test-cli-graph.c - clew info, prune, render and convert on golden and real files. */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "program.h"

typedef struct {
  char *folder; /* temporary, for outputs */
  char *graph;  /* a pruned graph as circuit-tracer wrote it: 25 nodes, 83 links */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
  fixture->folder = test_temp_dir();
  fixture->graph = test_golden_path("attribution/llama-clt/expected_graph.json");
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  test_remove_tree(fixture->folder);
  g_free(fixture->folder);
  g_free(fixture->graph);
}

static char *
output(const Fixture *fixture, const char *name)
{
  return g_build_filename(fixture->folder, name, NULL);
}

/* `clew info --json` of a path, as an object; *root keeps it. */
static JsonObject *
info(const char *path, JsonNode **root)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Outcome) outcome = run_clew("info", "--json", path, NULL);
  assert_status(outcome, 0);
  *root = json_from_string(outcome->out, &error);
  g_assert_no_error(error);
  return json_node_get_object(*root);
}

static void
assert_member(JsonObject *object, const char *name, int64_t value)
{
  if (!json_object_has_member(object, name))
    g_error("info lacks %s", name);
  g_assert_cmpint(json_object_get_int_member(object, name), ==, value);
}

static void
assert_kind(JsonObject *object, const char *kind)
{
  g_assert_cmpstr(json_object_get_string_member(object, "kind"), ==, kind);
}

/* ---- info ------------------------------------------------------------------------------- */

static void
test_info_of_every_kind(Fixture *fixture, gconstpointer data)
{
  g_autofree char *model = test_golden_path("attribution/gpt2-clt/model");
  g_autofree char *transcoder = test_golden_path("attribution/llama-plt_skip/transcoder");
  g_autofree char *tensors = test_golden_path("attribution/llama-clt/expected.safetensors");
  g_autoptr(JsonNode) root = NULL, root2 = NULL, root3 = NULL, root4 = NULL;
  JsonObject *object = info(model, &root);
  assert_kind(object, "model");
  g_assert_cmpstr(json_object_get_string_member(object, "architecture"), ==, "GPT-2");
  assert_member(object, "vocabulary", 259);
  g_assert_cmpuint(strlen(json_object_get_string_member(object, "sha256")), ==, 64);
  object = info(transcoder, &root2);
  assert_kind(object, "transcoder");
  g_assert_true(json_object_get_boolean_member(object, "skip"));
  object = info(tensors, &root3);
  assert_kind(object, "tensors");
  assert_member(object, "n_tensors", 18);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(object, "tensors")), ==,
                   18);
  object = info(fixture->graph, &root4);
  assert_kind(object, "graph");
  assert_member(object, "nodes", 25);
  assert_member(object, "edges", 83);
}

static void
test_info_of_smollm2(Fixture *fixture, gconstpointer data)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  g_autoptr(JsonNode) root = NULL;
  JsonObject *object = info(model, &root);
  assert_kind(object, "model");
  assert_member(object, "layers", 30);
  assert_member(object, "width", 576);
  assert_member(object, "vocabulary", 49152);
  g_assert_cmpstr(json_object_get_string_member(object, "name"), ==, "SmolLM2-135M-Instruct");
  g_assert_cmpstr(json_object_get_string_member(object, "given_name"), ==,
                  "Smollm2 135M 8k Lc100K Mix1 Ep2");
  g_autoptr(Outcome) plain = run_clew("info", "--no-hash", model, NULL);
  assert_status(plain, 0);
  assert_contains(plain->out, "Architecture         Llama\n");
  g_assert_null(strstr(plain->out, "SHA-256"));
}

/* Writes bytes to a file of the temporary folder and returns what info says of it. */
static Outcome *
info_of_bytes(const Fixture *fixture, const char *name, const char *bytes, gssize n)
{
  g_autofree char *path = output(fixture, name);
  g_assert_true(g_file_set_contents(path, bytes, n, NULL));
  return run_clew("info", path, NULL);
}

static void
test_info_refusals(Fixture *fixture, gconstpointer data)
{
  const struct {
    const char *name, *bytes;
    gssize n;
    const char *says;
  } files[] = {
    { "m.pt", "PK\003\004....", 8, "never does" },
    { "m.bin", "\200\002}q", 4, "never does" },
    { "m.gguf", "GGUF", 4, "m.gguf" },
    { "m.safetensors", "\377\377\377\377\377\377\377\377{", 9, "m.safetensors" },
    { "m.json", "{\"nodes\": [", 11, "m.json" },
    { "m.clew", "", 0, "m.clew" },
    { "m.txt", "hello\n", 6, "m.txt" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autoptr(Outcome) outcome =
        info_of_bytes(fixture, files[i].name, files[i].bytes, files[i].n);
    assert_status(outcome, 1);
    assert_contains(outcome->err, files[i].says);
    g_assert_cmpstr(outcome->out, ==, "");
  }
  g_autoptr(Outcome) absent = run_clew("info", "/nowhere/g.json", NULL);
  assert_status(absent, 1);
  assert_contains(absent->err, "/nowhere/g.json cannot be opened");
  g_autofree char *empty = output(fixture, "empty");
  g_assert_cmpint(g_mkdir(empty, 0755), ==, 0);
  g_autoptr(Outcome) folder = run_clew("info", empty, NULL);
  assert_status(folder, 1);
  assert_contains(folder->err, "a folder without config.json");
}

/* ---- prune, convert --------------------------------------------------------------------- */

static void
test_convert_round_trip(Fixture *fixture, gconstpointer data)
{
  g_autofree char *document = output(fixture, "whole.json");
  g_autofree char *back = output(fixture, "g.json");
  g_autoptr(Outcome) there = run_clew("convert", fixture->graph, document, NULL);
  assert_status(there, 0);
  g_autoptr(Outcome) again = run_clew("convert", document, back, NULL);
  assert_status(again, 0);
  g_autoptr(JsonNode) root_a = NULL, root_b = NULL;
  g_autoptr(GError) error = NULL;
  g_autofree char *text_a = NULL, *text_b = NULL;
  g_assert_true(g_file_get_contents(fixture->graph, &text_a, NULL, NULL));
  g_assert_true(g_file_get_contents(back, &text_b, NULL, NULL));
  root_a = json_from_string(text_a, &error);
  root_b = json_from_string(text_b, &error);
  g_assert_no_error(error);
  JsonObject *a = json_node_get_object(root_a), *b = json_node_get_object(root_b);
  static const char *const lists[] = { "nodes", "links" };
  for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(a, lists[i])), ==,
                     json_array_get_length(json_object_get_array_member(b, lists[i])));
  g_assert_cmpstr(
      json_object_get_string_member(json_object_get_object_member(a, "metadata"), "prompt"), ==,
      json_object_get_string_member(json_object_get_object_member(b, "metadata"), "prompt"));
}

static void
test_prune_by_threshold(Fixture *fixture, gconstpointer data)
{
  g_autofree char *small = output(fixture, "small.json");
  g_autofree char *whole = output(fixture, "whole.json");
  g_autoptr(Outcome) a =
      run_clew("prune", fixture->graph, "--node-threshold", "0.3", "-o", small, NULL);
  assert_status(a, 0);
  g_autoptr(Outcome) b = run_clew("prune", fixture->graph, "--node-threshold", "1",
                                  "--edge-threshold", "1", "-o", whole, NULL);
  assert_status(b, 0);
  g_autoptr(JsonNode) root_small = NULL, root_whole = NULL;
  JsonObject *of_small = info(small, &root_small), *of_whole = info(whole, &root_whole);
  g_assert_cmpint(json_object_get_int_member(of_small, "nodes"), <,
                  json_object_get_int_member(of_whole, "nodes"));
  g_assert_cmpfloat(json_object_get_double_member(of_small, "node_threshold"), ==, 0.3);
}

static void
test_convert_transcoder(Fixture *fixture, gconstpointer data)
{
  g_autofree char *transcoder = test_golden_path("attribution/llama-clt/transcoder");
  g_autofree char *compact = output(fixture, "t.safetensors");
  g_autofree char *folder = output(fixture, "expanded");
  g_autoptr(Outcome) there = run_clew("convert", transcoder, compact, NULL);
  assert_status(there, 0);
  g_autoptr(Outcome) back = run_clew("convert", compact, folder, NULL);
  assert_status(back, 0);
  g_autoptr(JsonNode) a = NULL, b = NULL, c = NULL;
  static const char *const same[] = { "layers", "features_per_layer", "width" };
  JsonObject *original = info(transcoder, &a);
  JsonObject *packed = info(compact, &b), *expanded = info(folder, &c);
  assert_kind(packed, "transcoder");
  for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
    int64_t value = json_object_get_int_member(original, same[i]);
    assert_member(packed, same[i], value);
    assert_member(expanded, same[i], value);
  }
  g_autoptr(Outcome) twice = run_clew("convert", compact, folder, NULL);
  assert_status(twice, 1);
  assert_contains(twice->err, "has files in it");
}

/* ---- render ----------------------------------------------------------------------------- */

static void
assert_begins_with(const char *path, const char *magic)
{
  g_autofree char *bytes = NULL;
  gsize n = 0;
  g_assert_true(g_file_get_contents(path, &bytes, &n, NULL));
  g_assert_cmpuint(n, >, 500);
  g_assert_cmpmem(bytes, strlen(magic), magic, strlen(magic));
}

/* Width and height of a PNG, from its header. */
static void
assert_png_size(const char *path, unsigned width, unsigned height)
{
  g_autofree char *bytes = NULL;
  gsize n_bytes;
  g_assert_true(g_file_get_contents(path, &bytes, &n_bytes, NULL));
  g_assert_cmpuint(n_bytes, >, 24);
  const guint32 *size = (const guint32 *)(const void *)(bytes + 16);
  g_assert_cmpuint(GUINT32_FROM_BE(size[0]), ==, width);
  g_assert_cmpuint(GUINT32_FROM_BE(size[1]), ==, height);
}

static char *
first_logit_id(const char *path)
{
  g_autoptr(JsonParser) parser = json_parser_new();
  g_assert_true(json_parser_load_from_file(parser, path, NULL));
  JsonArray *nodes =
      json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)), "nodes");
  for (guint i = 0; i < json_array_get_length(nodes); i++) {
    JsonObject *node = json_array_get_object_element(nodes, i);
    if (strcmp(json_object_get_string_member(node, "feature_type"), "logit") == 0)
      return g_strdup(json_object_get_string_member(node, "node_id"));
  }
  g_error("%s has no logit", path);
}

static void
test_render_scopes(Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = first_logit_id(fixture->graph);
  g_autofree char *column = output(fixture, "column.png"), *part = output(fixture, "part.svg");
  g_autofree char *near = output(fixture, "near.png"), *whole = output(fixture, "whole.svg");
  g_autoptr(Outcome) a =
      run_clew("render", fixture->graph, "-o", column, "--size", "column", NULL);
  assert_status(a, 0);
  assert_png_size(column, 1004, 1205);
  g_autoptr(Outcome) b =
      run_clew("render", fixture->graph, "-o", near, "--zoom", "4", "--select", id, NULL);
  assert_status(b, 0);
  assert_png_size(near, 1440, 900);
  g_autoptr(Outcome) c =
      run_clew("render", fixture->graph, "-o", part, "--selection", id, NULL);
  g_autoptr(Outcome) d = run_clew("render", fixture->graph, "-o", whole, NULL);
  assert_status(c, 0);
  assert_status(d, 0);
  g_autofree char *part_svg = NULL, *whole_svg = NULL;
  g_assert_true(g_file_get_contents(part, &part_svg, NULL, NULL));
  g_assert_true(g_file_get_contents(whole, &whole_svg, NULL, NULL));
  assert_contains(whole_svg, "25 nodes");
  g_assert_null(strstr(part_svg, "25 nodes"));
  g_autoptr(Outcome) e =
      run_clew("render", fixture->graph, "-o", part, "--selection", id, "--zoom", "2", NULL);
  assert_status(e, 2);
}

static void
test_render(Fixture *fixture, gconstpointer data)
{
  g_autofree char *png = output(fixture, "g.png");
  g_autofree char *svg = output(fixture, "g.svg");
  g_autofree char *pdf = output(fixture, "g.pdf");
  g_autoptr(Outcome) a = run_clew("render", fixture->graph, "--output", png, "--width", "640",
                                  "--height", "400", "--theme", "dark", NULL);
  assert_status(a, 0);
  assert_begins_with(png, "\211PNG\r\n\032\n");
  g_autofree unsigned char *bytes = NULL;
  g_assert_true(g_file_get_contents(png, (char **)&bytes, NULL, NULL));
  g_assert_cmpint(bytes[18] * 256 + bytes[19], ==, 640);
  g_assert_cmpint(bytes[22] * 256 + bytes[23], ==, 400);
  g_autoptr(Outcome) b = run_clew("render", fixture->graph, "-o", svg, NULL);
  assert_status(b, 0);
  assert_begins_with(svg, "<?xml");
  g_autoptr(Outcome) c = run_clew("render", fixture->graph, "-o", pdf, "--plain", NULL);
  assert_status(c, 0);
  assert_begins_with(pdf, "%PDF");
}

static void
test_graph_refusals(Fixture *fixture, gconstpointer data)
{
  const struct {
    const char *arguments;
    int status;
    const char *says;
  } refusals[] = {
    { "render|GRAPH|--output|g.jpg", 2, ".png, .svg, .pdf" },
    { "render|GRAPH", 2, "--output F is missing" },
    { "render|/nowhere/g.json|--output|g.png", 1, "/nowhere/g.json" },
    { "render|GRAPH|--output|/nowhere/g.png", 1, "there is no folder" },
    { "render|GRAPH|--output|g.png|--width|0", 2, "--width takes a number from 1" },
    { "render|GRAPH|--output|g.png|--view|tree", 2, "--view takes one of layers, force" },
    { "render|GRAPH|--output|g.png|--select|nobody", 2, "ids look like" },
    { "render|GRAPH|--output|g.png|--selection|nobody", 2, "ids look like" },
    { "render|GRAPH|--output|g.png|--size|poster", 2, "--size takes one of screen" },
    { "prune|GRAPH", 2, "--output G2 is missing" },
    { "prune|GRAPH|--node-threshold|-0.1|--output|g.json", 2, "from 0 to 1" },
    { "prune|GRAPH|--output|g.png", 2, "one of .clew" },
    { "convert|GRAPH", 2, "an argument is missing" },
    { "convert|GRAPH|g.png", 2, "one of .clew" },
    { "convert|/nowhere/x|g.json", 1, "/nowhere/x cannot be opened" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
    g_auto(GStrv) words = g_strsplit(refusals[i].arguments, "|", -1);
    for (char **word = words; *word != NULL; word++)
      if (strcmp(*word, "GRAPH") == 0) {
        g_free(*word);
        *word = g_strdup(fixture->graph);
      }
    g_test_message("%s", refusals[i].arguments);
    g_autoptr(Outcome) outcome = run_clew_signalled((const char *const *)words, 0, -1);
    assert_status(outcome, refusals[i].status);
    assert_contains(outcome->err, refusals[i].says);
    g_assert_cmpstr(outcome->out, ==, "");
  }
}

#define ADD(name, function) \
  g_test_add("/app/graph/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  ADD("info-of-every-kind", test_info_of_every_kind);
  ADD("info-of-smollm2", test_info_of_smollm2);
  ADD("info-refusals", test_info_refusals);
  ADD("convert-round-trip", test_convert_round_trip);
  ADD("prune-by-threshold", test_prune_by_threshold);
  ADD("convert-transcoder", test_convert_transcoder);
  ADD("render", test_render);
  ADD("render-scopes", test_render_scopes);
  ADD("refusals", test_graph_refusals);
  return g_test_run();
}
