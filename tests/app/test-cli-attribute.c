/* test-cli-attribute.c - clew attribute: the golden graph by the command line alone, all output
 * forms, refusals, and an end by Ctrl+C. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cw-tensor-file.h"
#include "program.h"
#include "test-schema.h"

#define CASE "attribution/llama-clt"

typedef struct {
  char *folder; /* temporary, for outputs */
  char *model, *transcoder, *ids;
  CwTensorFile *expected;
} Fixture;

static char *
dup_token_ids(const CwTensorFile *file)
{
  const CwTensor *tensor = cw_tensor_file_find(file, "input_tokens");
  GString *text = g_string_new(NULL);
  for (int64_t i = 0; i < tensor->shape[0]; i++) {
    int64_t id;
    memcpy(&id, (const char *)tensor->data + i * 8, 8);
    g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", id);
  }
  return g_string_free(text, FALSE);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *expected = test_golden_path(CASE "/expected.safetensors");
  fixture->folder = test_temp_dir();
  fixture->model = test_golden_path(CASE "/model");
  fixture->transcoder = test_golden_path(CASE "/transcoder");
  fixture->expected = cw_tensor_file_open(expected, &error);
  g_assert_no_error(error);
  fixture->ids = dup_token_ids(fixture->expected);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  test_remove_tree(fixture->folder);
  cw_tensor_file_close(fixture->expected);
  g_free(fixture->folder);
  g_free(fixture->model);
  g_free(fixture->transcoder);
  g_free(fixture->ids);
}

/* Runs the golden case into `output`, with what follows up to NULL. */
static Outcome *
attribute(const Fixture *fixture, const char *output, ...)
{
  g_autoptr(GPtrArray) words = g_ptr_array_new();
  const char *fixed[] = { "attribute",    "--model",           fixture->model,
                          "--transcoder", fixture->transcoder, "--token-ids",
                          fixture->ids,   "--output",          output };
  for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
    g_ptr_array_add(words, (gpointer)fixed[i]);
  va_list list;
  va_start(list, output);
  for (const char *word; (word = va_arg(list, const char *)) != NULL;)
    g_ptr_array_add(words, (gpointer)word);
  va_end(list);
  g_ptr_array_add(words, NULL);
  return run_clew_signalled((const char *const *)words->pdata, 0, -1);
}

/* ---- golden ----------------------------------------------------------------------------- */

static float *
dup_floats(const CwTensorFile *file, const char *name, size_t *n)
{
  const CwTensor *tensor = cw_tensor_file_find(file, name);
  if (tensor == NULL)
    g_error("%s has no tensor %s", cw_tensor_file_peek_path(file), name);
  *n = tensor->n_bytes / sizeof(float);
  return g_memdup2(tensor->data, tensor->n_bytes);
}

static void
assert_same_bytes(const CwTensorFile *got, const CwTensorFile *expected, const char *name)
{
  const CwTensor *a = cw_tensor_file_find(got, name), *b = cw_tensor_file_find(expected, name);
  g_assert_nonnull(a);
  g_assert_nonnull(b);
  if (a->n_bytes != b->n_bytes || memcmp(a->data, b->data, a->n_bytes) != 0)
    g_error("%s differs from the golden value", name);
}

/* The agreement that the golden values ask: 1e-4 relative + 1e-5 of the largest entry. */
static void
assert_close(const CwTensorFile *got, const CwTensorFile *expected, const char *name)
{
  size_t n = 0, n_expected = 0;
  g_autofree float *a = dup_floats(got, name, &n);
  g_autofree float *b = dup_floats(expected, name, &n_expected);
  g_assert_cmpuint(n, ==, n_expected);
  double floor_limit = 1e-5 * test_max_abs(b, n);
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)a[i] - b[i]) <= 1e-4 * fabs((double)b[i]) + floor_limit))
      g_error("%s[%zu] is %g, not %g", name, i, (double)a[i], (double)b[i]);
}

static void
test_golden(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(fixture->folder, "g.safetensors", NULL);
  g_autoptr(Outcome) outcome = attribute(fixture, path, "--max-n-logits", "5", "--batch-size",
                                         "16", "--max-feature-nodes", "0", "--quiet", NULL);
  assert_status(outcome, 0);
  g_assert_cmpstr(outcome->err, ==, "");
  g_autoptr(CwTensorFile) got = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  static const char *const same[] = { "input_tokens", "active_features", "selected_features",
                                      "logit_tokens", "node_mask",       "edge_mask" };
  static const char *const close[] = { "logits",        "activation_values",
                                       "adjacency",     "logit_probabilities",
                                       "error_vectors", "token_vectors",
                                       "node_influence" };
  for (size_t i = 0; i < G_N_ELEMENTS(same); i++)
    assert_same_bytes(got, fixture->expected, same[i]);
  for (size_t i = 0; i < G_N_ELEMENTS(close); i++)
    assert_close(got, fixture->expected, close[i]);
}

static JsonObject *
parse_object(const char *text, JsonNode **root)
{
  g_autoptr(GError) error = NULL;
  *root = json_from_string(text, &error);
  g_assert_no_error(error);
  return json_node_get_object(*root);
}

static void
test_summary_and_json_output(Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename(fixture->folder, "g.json", NULL);
  g_autoptr(Outcome) outcome = attribute(fixture, path, "--max-n-logits", "5",
                                         "--max-feature-nodes", "0", "--json", NULL);
  assert_status(outcome, 0);
  g_autoptr(JsonNode) root = NULL;
  JsonObject *summary = parse_object(outcome->out, &root);
  g_assert_cmpint(json_object_get_int_member(summary, "nodes"), ==, 217);
  g_assert_cmpint(json_object_get_int_member(summary, "features"), ==, 160);
  g_assert_cmpfloat(
      fabs(json_object_get_double_member(summary, "replacement") - 0.5288354158401489), <=,
      1e-4);
  g_assert_cmpfloat(
      fabs(json_object_get_double_member(summary, "completeness") - 0.7763817310333252), <=,
      1e-4);
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_autoptr(JsonNode) graph_root = NULL;
  JsonObject *graph = parse_object(text, &graph_root);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(graph, "nodes")), ==, 25);
  g_assert_cmpuint(json_array_get_length(json_object_get_array_member(graph, "links")), ==, 83);
}

static void
test_several_outputs_and_targets(Fixture *fixture, gconstpointer data)
{
  g_autofree char *json = g_build_filename(fixture->folder, "g.json", NULL);
  g_autofree char *document = g_build_filename(fixture->folder, "second.json", NULL);
  g_autoptr(Outcome) outcome =
      attribute(fixture, json, "-o", document, "--target", "10", "--target", "id:11", NULL);
  assert_status(outcome, 0);
  g_assert_true(g_file_test(json, G_FILE_TEST_EXISTS));
  g_assert_true(g_file_test(document, G_FILE_TEST_EXISTS));
  assert_contains(outcome->out, "Logits               2\n");
  g_autoptr(Outcome) difference =
      attribute(fixture, document, "--target-difference", "10", "11", NULL);
  assert_status(difference, 0);
  assert_contains(difference->out, "Logits               1\n");
}

static void
test_options_reach_the_run(Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename(fixture->folder, "g.json", NULL);
  g_autoptr(Outcome) outcome =
      attribute(fixture, path, "--max-feature-nodes", "20", "--max-n-logits", "1", NULL);
  assert_status(outcome, 0);
  assert_contains(outcome->out, "Features             20\n");
  assert_contains(outcome->out, "Logits               1\n");
}

/* ---- the common options ----------------------------------------------------------------- */

static void
test_threads_give_the_same_bits(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *one = g_build_filename(fixture->folder, "1.safetensors", NULL);
  g_autofree char *two = g_build_filename(fixture->folder, "2.safetensors", NULL);
  g_autoptr(Outcome) a = attribute(fixture, one, "--threads", "1", "--device", "cpu", NULL);
  assert_status(a, 0);
  g_autoptr(Outcome) b =
      attribute(fixture, two, "--threads", "2", "--seed", "5", "--device", "cpu", NULL);
  assert_status(b, 0);
  g_autoptr(CwTensorFile) first = cw_tensor_file_open(one, &error);
  g_assert_no_error(error);
  g_autoptr(CwTensorFile) second = cw_tensor_file_open(two, &error);
  g_assert_no_error(error);
  assert_same_bytes(first, second, "adjacency");
  assert_same_bytes(first, second, "node_influence");
}

static void
test_cuda_works_or_says_why(Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename(fixture->folder, "g.json", NULL);
  g_autoptr(Outcome) outcome = attribute(fixture, path, "--device", "cuda", NULL);
  if (outcome->status == 0)
    return;
  assert_status(outcome, 1);
  assert_contains(outcome->err, "--device cpu");
  g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* What the program prints with a terminal as stdout and stderr; transfer full. */
static char *
run_on_terminal(const char *const *arguments, int *status)
{
  int terminal = -1;
  pid_t child = forkpty(&terminal, NULL, NULL, NULL);
  g_assert_cmpint(child, >=, 0);
  if (child == 0) {
    g_setenv("TERM", "xterm", TRUE);
    execv(arguments[0], (char **)arguments);
    _exit(127);
  }
  GString *text = g_string_new(NULL);
  char buffer[4096];
  ssize_t n;
  while ((n = read(terminal, buffer, sizeof buffer)) > 0)
    g_string_append_len(text, buffer, n);
  close(terminal);
  g_assert_cmpint(waitpid(child, status, 0), ==, child);
  return g_string_free(text, FALSE);
}

static void
test_bar_on_a_terminal(Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename(fixture->folder, "g.json", NULL);
  const char *arguments[] = { g_getenv("CLEW_PROGRAM"),
                              "attribute",
                              "--model",
                              fixture->model,
                              "--transcoder",
                              fixture->transcoder,
                              "--token-ids",
                              fixture->ids,
                              "--output",
                              path,
                              NULL,
                              NULL };
  int status = -1;
  g_autofree char *shown = run_on_terminal(arguments, &status);
  g_assert_cmpint(status, ==, 0);
  assert_contains(shown, "] forward ");
  assert_contains(shown, "\r\033[KModel "); /* the bar is gone before the summary */
  arguments[10] = "--quiet";
  g_autofree char *quiet = run_on_terminal(arguments, &status);
  g_assert_cmpint(status, ==, 0);
  g_assert_null(strchr(quiet, '\033'));
}

static void
test_lines_elsewhere(Fixture *fixture, gconstpointer data)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  g_autofree char *path = g_build_filename(fixture->folder, "g.json", NULL);
  g_autoptr(Outcome) outcome =
      run_clew("attribute", "--prompt", "The capital of the state containing Dallas is", "-o",
               path, NULL);
  assert_status(outcome, 0);
  assert_contains(outcome->err, "rows      done in ");
  g_assert_null(strchr(outcome->err, '\r'));
  g_assert_null(strchr(outcome->err, '\033'));
}

/* ---- refusals --------------------------------------------------------------------------- */

static void
test_refusals(Fixture *fixture, gconstpointer data)
{
  g_autofree char *out = g_build_filename(fixture->folder, "g.json", NULL);
  const struct {
    const char *extra[3];
    int status;
    const char *says;
  } refusals[] = {
    { { "--node-threshold", "1.5" }, 2, "--node-threshold takes a number from 0 to 1" },
    { { "--edge-threshold", "nan" }, 2, "--edge-threshold takes a number from 0 to 1" },
    { { "--target", "259" }, 2, "no token id of this model: 0 to 258" },
    { { "--target", "id:x" }, 2, "no token id" },
    { { "--target-difference", "1" }, 2, "--target-difference needs a value" },
    { { "--prompt", "a" }, 2, "cannot be given together" },
    { { "--batch-size", "0" }, 2, "--batch-size takes a whole number from 1" },
    { { "--output", "g.txt" }, 2, ".json, .safetensors" },
    { { "--output", "/nowhere/g.json" }, 1, "there is no folder /nowhere" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
    g_autoptr(Outcome) outcome =
        attribute(fixture, out, refusals[i].extra[0], refusals[i].extra[1], NULL);
    assert_status(outcome, refusals[i].status);
    assert_contains(outcome->err, refusals[i].says);
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
  }
}

static void
test_model_and_transcoder_must_fit(Fixture *fixture, gconstpointer data)
{
  g_autofree char *out = g_build_filename(fixture->folder, "g.json", NULL);
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  g_autoptr(Outcome) outcome =
      run_clew("attribute", "--model", model, "--transcoder", fixture->transcoder, "--prompt",
               "a", "--output", out, NULL);
  assert_status(outcome, 1);
  assert_contains(outcome->err, "30");
  assert_contains(outcome->err, "3 ");
  g_autoptr(Outcome) absent = run_clew("attribute", "--model", model, "--transcoder",
                                       "/nowhere/t", "--prompt", "a", "--output", out, NULL);
  assert_status(absent, 1);
  assert_contains(absent->err, "/nowhere/t");
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

/* 145 thousand features make more edges than a graph may hold: said before the first row, with
 * what would fit. */
static void
test_too_large_is_refused_early(Fixture *fixture, gconstpointer data)
{
  g_autofree char *out = g_build_filename(fixture->folder, "g.clew", NULL);
  g_autofree char *model = test_smollm2_path_or_skip();
  g_autofree char *transcoder = test_shared_path_or_skip("smollm2-clt");
  if (model == NULL || transcoder == NULL)
    return;
  GString *ids = g_string_new("1");
  for (int i = 1; i < 512; i++)
    g_string_append_printf(ids, ",%d", 500 + i * 7 % 9000);
  g_autoptr(Outcome) outcome =
      run_clew("attribute", "--model", model, "--transcoder", transcoder, "--token-ids",
               ids->str, "--max-feature-nodes", "0", "--output", out, NULL);
  g_string_free(ids, TRUE);
  assert_status(outcome, 1);
  assert_contains(outcome->err, "max_feature_nodes");
  assert_contains(outcome->err, "would fit");
  g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

/* A number of a JSON report, by the path that leads to it. */
static double
number_at(const char *json, const char *path)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonNode) root = json_from_string(json, &error);
  g_assert_no_error(error);
  g_autoptr(JsonNode) found = json_path_query(path, root, &error);
  g_assert_no_error(error);
  JsonArray *values = json_node_get_array(found);
  g_assert_cmpuint(json_array_get_length(values), ==, 1);
  return json_array_get_double_element(values, 0);
}

/* clew eval gives the scores of the graph that clew attribute makes, and ends by Ctrl+C without
 * a report. */
static void
test_eval(Fixture *fixture, gconstpointer data)
{
  g_autofree char *out = g_build_filename(fixture->folder, "g.clew", NULL);
  g_autofree char *report = g_build_filename(fixture->folder, "report.json", NULL);
  g_autofree char *model = test_smollm2_path_or_skip();
  g_autofree char *transcoder = test_shared_path_or_skip("smollm2-clt");
  if (model == NULL || transcoder == NULL)
    return;
  const char *prompt = "The opposite of hot is";
  g_autoptr(Outcome) graph =
      run_clew("attribute", "--model", model, "--transcoder", transcoder, "--prompt", prompt,
               "--output", out, "--json", "--quiet", NULL);
  assert_status(graph, 0);
  g_autoptr(Outcome) scores = run_clew("eval", "--model", model, "--transcoder", transcoder,
                                       "--prompt", prompt, "--json", "--quiet", NULL);
  assert_status(scores, 0);
  test_schema_check("evaluation.schema.json", scores->out);
  g_assert_cmpfloat_with_epsilon(number_at(scores->out, "$.prompts[0].replacement"),
                                 number_at(graph->out, "$.replacement"), 1e-6);
  g_assert_cmpfloat_with_epsilon(number_at(scores->out, "$.prompts[0].completeness"),
                                 number_at(graph->out, "$.completeness"), 1e-6);
  g_assert_cmpfloat_with_epsilon(number_at(scores->out, "$.prompts[0].next_token_probability"),
                                 number_at(graph->out, "$.targets[0].probability"), 1e-6);
  assert_contains(scores->out, "\" cold\"");
  const char *const arguments[] = { "eval",     "--model",  model,  "--transcoder",
                                    transcoder, "--prompt", prompt, "--prompt",
                                    prompt,     "--output", report, NULL };
  g_autoptr(Outcome) stopped = run_clew_signalled(arguments, SIGINT, 300);
  assert_status(stopped, 130);
  g_assert_false(g_file_test(report, G_FILE_TEST_EXISTS));
}

/* ---- Ctrl+C ----------------------------------------------------------------------------- */

static guint
count_files(const char *folder)
{
  guint n = 0;
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  while (g_dir_read_name(dir) != NULL)
    n++;
  return n;
}

/* At several moments of a run of seconds: an end within half a second, status 130, and an empty
 * folder. */
static void
test_interrupt(Fixture *fixture, gconstpointer data)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  g_autofree char *transcoder = test_shared_path_or_skip("smollm2-clt");
  if (model == NULL || transcoder == NULL)
    return;
  GString *prompt = g_string_new(NULL);
  for (int i = 0; i < 12; i++)
    g_string_append(prompt, "The capital of the state containing Dallas is Austin, and ");
  g_autofree char *out = g_build_filename(fixture->folder, "second.json", NULL);
  const char *const arguments[] = { "attribute", "--model",  model,       "--transcoder",
                                    transcoder,  "--prompt", prompt->str, "--output",
                                    out,         NULL };
  static const int moments_ms[] = { 100, 400, 1200 };
  g_autoptr(Outcome) terminated = run_clew_signalled(arguments, SIGTERM, 300);
  assert_status(terminated, 143);
  for (size_t i = 0; i < G_N_ELEMENTS(moments_ms); i++) {
    gint64 start_us = g_get_monotonic_time();
    g_autoptr(Outcome) outcome = run_clew_signalled(arguments, SIGINT, moments_ms[i]);
    double seconds = (double)(g_get_monotonic_time() - start_us) / G_USEC_PER_SEC;
    assert_status(outcome, 130);
    assert_contains(outcome->err, "interrupted; nothing was written");
    g_assert_cmpstr(outcome->out, ==, "");
    g_assert_cmpuint(count_files(fixture->folder), ==, 0);
    g_test_message("after %d ms: ended at %.3f s", moments_ms[i], seconds);
  }
  g_string_free(prompt, TRUE);
}

#define ADD(name, function) \
  g_test_add("/app/attribute/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  ADD("eval", test_eval);
  ADD("golden", test_golden);
  ADD("summary-and-json-output", test_summary_and_json_output);
  ADD("several-outputs-and-targets", test_several_outputs_and_targets);
  ADD("options-reach-the-run", test_options_reach_the_run);
  ADD("threads-give-the-same-bits", test_threads_give_the_same_bits);
  ADD("cuda-works-or-says-why", test_cuda_works_or_says_why);
  ADD("bar-on-a-terminal", test_bar_on_a_terminal);
  ADD("lines-elsewhere", test_lines_elsewhere);
  ADD("refusals", test_refusals);
  ADD("model-and-transcoder-must-fit", test_model_and_transcoder_must_fit);
  ADD("too-large-is-refused-early", test_too_large_is_refused_early);
  ADD("interrupt", test_interrupt);
  return g_test_run();
}
