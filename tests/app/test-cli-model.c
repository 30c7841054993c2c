/* test-cli-model.c - clew tokenize and clew logits against golden values, and what they say
 * about input that cannot be used. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "cw-tensor-file.h"
#include "program.h"

static JsonNode *
parse_json(const char *text)
{
  g_autoptr(GError) error = NULL;
  JsonNode *root = json_from_string(text, &error);
  g_assert_no_error(error);
  return root;
}

static JsonNode *
load_golden_json(const char *name)
{
  g_autofree char *path = test_golden_path(name);
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  return parse_json(text);
}

/* ---- tokenize --------------------------------------------------------------------------- */

static void
check_tokens(JsonArray *tokens, JsonArray *ids)
{
  g_assert_cmpuint(json_array_get_length(tokens), ==, json_array_get_length(ids));
  for (guint i = 0; i < json_array_get_length(ids); i++) {
    JsonObject *token = json_array_get_object_element(tokens, i);
    g_assert_cmpint(json_object_get_int_member(token, "id"), ==,
                    json_array_get_int_element(ids, i));
    g_assert_nonnull(json_object_get_string_member(token, "piece"));
  }
}

static void
test_tokenize_golden(void)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  g_autoptr(JsonNode) cases = load_golden_json("smollm2/tokenizer-cases.json");
  JsonArray *list = json_node_get_array(cases);
  for (guint i = 0; i < json_array_get_length(list); i += 9) {
    JsonObject *c = json_array_get_object_element(list, i);
    const char *text = json_object_get_string_member(c, "text");
    g_autoptr(Outcome) outcome =
        run_clew("tokenize", "--model", model, "--json", "--", text, NULL);
    assert_status(outcome, 0);
    g_autoptr(JsonNode) root = parse_json(outcome->out);
    check_tokens(json_object_get_array_member(json_node_get_object(root), "tokens"),
                 json_object_get_array_member(c, "ids"));
  }
}

static void
test_tokenize_bos_and_lines(void)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  g_autoptr(Outcome) plain = run_clew("tokenize", "--model", model, "The\ncat", NULL);
  assert_status(plain, 0);
  assert_contains(plain->out, "    504  \"The\"\n");
  assert_contains(plain->out, "\"\\n\"");
  g_autoptr(Outcome) bos = run_clew("tokenize", "--bos", "--model", model, "The", NULL);
  assert_status(bos, 0);
  g_assert_true(g_str_has_prefix(bos->out, "      1  "));
  g_autoptr(Outcome) once =
      run_clew("tokenize", "--bos", "--model", model, "<|im_start|>The", NULL);
  g_assert_cmpstr(once->out, ==, bos->out);
  g_autoptr(Outcome) empty = run_clew("tokenize", "--model", model, "", NULL);
  assert_status(empty, 0);
  g_assert_cmpstr(empty->out, ==, "");
}

/* ---- logits ----------------------------------------------------------------------------- */

static void
check_top(JsonArray *top, JsonArray *golden)
{
  g_assert_cmpuint(json_array_get_length(top), ==, json_array_get_length(golden));
  for (guint i = 0; i < json_array_get_length(golden); i++) {
    JsonObject *mine = json_array_get_object_element(top, i);
    JsonArray *pair = json_array_get_array_element(golden, i);
    g_assert_cmpstr(json_object_get_string_member(mine, "piece"), ==,
                    json_array_get_string_element(pair, 0));
    /* Logits agree within 2e-3: probabilities within that share, plus the file's rounding. */
    double expected = json_array_get_double_element(pair, 1);
    double got = json_object_get_double_member(mine, "probability");
    g_assert_cmpfloat(fabs(got - expected), <=, 4e-3 * expected + 1e-5);
  }
}

static void
test_logits_golden_prompts(void)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  g_autoptr(JsonNode) prompts = load_golden_json("smollm2/prompts.json");
  JsonArray *list = json_node_get_array(prompts);
  for (guint i = 0; i < json_array_get_length(list); i++) {
    JsonObject *c = json_array_get_object_element(list, i);
    g_autoptr(Outcome) outcome =
        run_clew("logits", "--model", model, "--prompt",
                 json_object_get_string_member(c, "prompt"), "--top", "5", "--json", NULL);
    assert_status(outcome, 0);
    g_autoptr(JsonNode) root = parse_json(outcome->out);
    JsonObject *result = json_node_get_object(root);
    check_tokens(json_object_get_array_member(result, "tokens"),
                 json_object_get_array_member(c, "tokens"));
    check_top(json_object_get_array_member(result, "top"),
              json_object_get_array_member(c, "top"));
  }
}

static char *
dup_ids_text(const CwTensorFile *file, const char *name)
{
  const CwTensor *tensor = cw_tensor_file_find(file, name);
  g_assert_nonnull(tensor);
  GString *text = g_string_new(NULL);
  for (int64_t i = 0; i < tensor->shape[0]; i++) {
    int64_t id;
    memcpy(&id, (const char *)tensor->data + i * 8, 8);
    g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", id);
  }
  return g_string_free(text, FALSE);
}

/* A copy that is aligned, whatever the file's offsets. */
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
check_floats(const CwTensorFile *got, const char *name, const CwTensorFile *expected,
             const char *expected_name, double limit)
{
  size_t n = 0, n_expected = 0;
  g_autofree float *a = dup_floats(got, name, &n);
  g_autofree float *b = dup_floats(expected, expected_name, &n_expected);
  g_assert_cmpuint(n, ==, n_expected);
  g_assert_cmpfloat(test_max_difference(a, b, n), <=, limit);
}

static void
test_logits_file(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *model = test_golden_path("attribution/llama-clt/model");
  g_autofree char *golden = test_golden_path("attribution/llama-clt/expected.safetensors");
  g_autoptr(CwTensorFile) expected = cw_tensor_file_open(golden, &error);
  g_assert_no_error(error);
  g_autofree char *ids = dup_ids_text(expected, "input_tokens");
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "logits.safetensors", NULL);
  g_autoptr(Outcome) outcome = run_clew("logits", "--model", model, "--token-ids", ids,
                                        "--output", path, "--taps", "--quiet", NULL);
  assert_status(outcome, 0);
  g_assert_cmpstr(outcome->err, ==, "");
  g_autoptr(CwTensorFile) got = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  check_floats(got, "logits", expected, "logits", 1e-4);
  static const char *const taps[] = { "resid_mid", "mlp_hat", "mlp_in", "mlp_out" };
  for (size_t i = 0; i < G_N_ELEMENTS(taps); i++)
    for (int l = 0; l < 3; l++) {
      g_autofree char *name = g_strdup_printf("%s.%d", taps[i], l);
      const int64_t shape[] = { 13, 32 };
      g_assert_nonnull(cw_tensor_file_require(got, name, 2, shape, &error));
    }
  test_remove_tree(folder);
}

static void
test_logits_taps_of_smollm2(void)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  g_autoptr(GError) error = NULL;
  g_autofree char *golden = test_golden_path("smollm2/expected.safetensors");
  g_autoptr(CwTensorFile) expected = cw_tensor_file_open(golden, &error);
  g_assert_no_error(error);
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "taps.safetensors", NULL);
  g_autoptr(Outcome) outcome =
      run_clew("logits", "--model", model, "--prompt", "The capital of France is", "--output",
               path, "--taps", NULL);
  assert_status(outcome, 0);
  g_autoptr(CwTensorFile) got = cw_tensor_file_open(path, &error);
  g_assert_no_error(error);
  static const char *const names[] = { "resid_mid.0", "resid_mid.14", "resid_mid.29",
                                       "mlp_out.0",   "mlp_out.14",   "mlp_out.29" };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
    size_t n = 0;
    g_autofree char *golden_name = g_strdup_printf("0.%s", names[i]);
    g_autofree float *values = dup_floats(expected, golden_name, &n);
    check_floats(got, names[i], expected, golden_name, 1e-4 * test_max_abs(values, n));
  }
  test_remove_tree(folder);
}

static void
test_logits_generate(void)
{
  g_autofree char *model = test_smollm2_path_or_skip();
  if (model == NULL)
    return;
  char *texts[2] = { NULL, NULL };
  for (int i = 0; i < 2; i++) {
    g_autoptr(Outcome) outcome =
        run_clew("logits", "--model", model, "--prompt", "Once upon a time", "--generate", "8",
                 "--temperature", "0.9", "--seed", "7", "--json", NULL);
    assert_status(outcome, 0);
    g_autoptr(JsonNode) root = parse_json(outcome->out);
    JsonObject *result = json_node_get_object(root);
    texts[i] = g_strdup(json_object_get_string_member(result, "continuation"));
    g_assert_cmpint(json_object_get_int_member(result, "seed"), ==, 7);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(result, "generated")),
                     <=, 8);
  }
  g_assert_cmpstr(texts[0], ==, texts[1]);
  g_free(texts[0]);
  g_free(texts[1]);
}

/* ---- refusals --------------------------------------------------------------------------- */

/* MODEL stands for the golden model, which has no tokenizer; 259 tokens, 3 layers. */
static const struct {
  const char *arguments;
  int status;
  const char *says;
} refusals[] = {
  { "logits|--model|MODEL", 2, "--prompt TEXT or --token-ids" },
  { "logits|--model|MODEL|--prompt|", 2, "--prompt is empty" },
  { "logits|--model|MODEL|--token-ids|", 2, "--token-ids is empty" },
  { "logits|--model|MODEL|--token-ids|1,x", 2, "not \"x\"" },
  { "logits|--model|MODEL|--token-ids|1,,2", 2, "not \"\"" },
  { "logits|--model|MODEL|--token-ids|1,-2", 2, "not \"-2\"" },
  { "logits|--model|MODEL|--token-ids|1,259", 1, "259" },
  { "logits|--model|MODEL|--prompt|a|--token-ids|1", 2, "cannot be given together" },
  { "logits|--model|MODEL|--prompt|a", 1, "no tokenizer" },
  { "logits|--model|/nowhere/m.gguf|--prompt|a", 1, "/nowhere/m.gguf" },
  { "logits|--model|MODEL|--token-ids|1|--precision|int8", 1, "Run the model in f32" },
  { "logits|--model|MODEL|--token-ids|1|--precision|int4", 2, "f32, int8" },
  { "logits|--model|MODEL|--token-ids|1|--taps", 2, "only together with --output" },
  { "logits|--model|MODEL|--token-ids|1|--temperature|1", 2, "only together with --generate" },
  { "logits|--model|MODEL|--token-ids|1|--output|x.bin", 2, ".safetensors" },
  { "logits|--model|MODEL|--token-ids|1|--output|/nowhere/x.safetensors", 1, "no folder" },
  { "logits|--model|MODEL|--token-ids|1|--top|0", 2, "--top takes a whole number from 1" },
  { "tokenize|--model|MODEL|hi", 1, "no tokenizer" },
  { "tokenize|--model|MODEL", 2, "an argument is missing" },
  { "tokenize|--model|MODEL|two|words", 2, "goes in quotes" },
};

static void
test_refusals(void)
{
  g_autofree char *model = test_golden_path("attribution/llama-clt/model");
  for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
    g_auto(GStrv) words = g_strsplit(refusals[i].arguments, "|", -1);
    for (char **word = words; *word != NULL; word++)
      if (strcmp(*word, "MODEL") == 0) {
        g_free(*word);
        *word = g_strdup(model);
      }
    g_test_message("%s", refusals[i].arguments);
    g_autoptr(Outcome) outcome = run_clew_signalled((const char *const *)words, 0, -1);
    assert_status(outcome, refusals[i].status);
    assert_contains(outcome->err, refusals[i].says);
    g_assert_cmpstr(outcome->out, ==, "");
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/app/tokenize/golden", test_tokenize_golden);
  g_test_add_func("/app/tokenize/bos-and-lines", test_tokenize_bos_and_lines);
  g_test_add_func("/app/logits/golden-prompts", test_logits_golden_prompts);
  g_test_add_func("/app/logits/file", test_logits_file);
  g_test_add_func("/app/logits/taps-of-smollm2", test_logits_taps_of_smollm2);
  g_test_add_func("/app/logits/generate", test_logits_generate);
  g_test_add_func("/app/logits/refusals", test_refusals);
  return g_test_run();
}
