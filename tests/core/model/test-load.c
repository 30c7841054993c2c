/* test-load.c - what is wrong with a model is said by name, and nothing is read past an end.
 * Every case is a golden model with one thing changed. */
#include "model-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

static char *
read_golden(const char *rest, gsize *n)
{
  g_autofree char *path = test_golden_path(rest);
  g_autoptr(GError) error = NULL;
  char *data;
  g_file_get_contents(path, &data, n, &error);
  g_assert_no_error(error);
  return data;
}

static void
write_file(const char *folder, const char *name, const char *data, gsize n)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_autoptr(GError) error = NULL;
  g_file_set_contents(path, data, (gssize)n, &error);
  g_assert_no_error(error);
}

/* The first `from` in data becomes `to`, of the same length. */
static void
patch(char *data, gsize n, const char *from, const char *to)
{
  g_assert_cmpuint(strlen(from), ==, strlen(to));
  char *at = memmem(data, n, from, strlen(from));
  g_assert_nonnull(at);
  memcpy(at, to, strlen(to));
}

/* A copy of golden/model/gemma3/hf; config text and tensor names may be changed. */
static char *
make_folder(const char *config_from, const char *config_to, const char *weights_from,
            const char *weights_to)
{
  char *folder = test_temp_dir();
  gsize n_config, n_weights;
  g_autofree char *config = read_golden("model/gemma3/hf/config.json", &n_config);
  g_autofree char *weights = read_golden("model/gemma3/hf/model.safetensors", &n_weights);
  g_auto(GStrv) parts = g_strsplit(config, config_from != NULL ? config_from : "\n\n\n", 2);
  g_assert_true(config_from == NULL || parts[1] != NULL);
  g_autofree char *changed = g_strjoinv(config_to, parts);
  write_file(folder, "config.json", changed, strlen(changed));
  if (weights_from != NULL)
    patch(weights, n_weights, weights_from, weights_to);
  write_file(folder, "model.safetensors", weights, n_weights);
  return folder;
}

/* The model must fail to load with `code`, and the message must have each of the words. */
static void
assert_refused(const char *path, int code, const char *const *words)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwModel) model = cw_model_load(path, &error);
  g_assert_null(model);
  g_assert_nonnull(error);
  g_test_message("%s", error->message);
  g_assert_error(error, CW_ERROR, code);
  for (; *words != NULL; words++)
    g_assert_nonnull(strstr(error->message, *words));
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- descriptions ----------------------------------------------------------------------- */

static void
test_config_mistakes(void)
{
  static const struct {
    const char *from, *to;
    int code;
    const char *words[3];
  } cases[] = {
    { "\"gemma3_text\"",
      "\"mamba\"",
      CW_ERROR_UNSUPPORTED,
      { "config.json", "mamba", "qwen3" } },
    { "\"model_type\"", "\"kind\"", CW_ERROR_FORMAT, { "config.json", "model_type" } },
    { "\"hidden_size\": 16", "\"hidden_size\": \"x\"", CW_ERROR_FORMAT, { "hidden_size" } },
    { "\"hidden_size\": 16", "\"hidden_size\": 16.5", CW_ERROR_FORMAT, { "hidden_size" } },
    { "\"hidden_size\": 16", "\"hidden_size\": -16", CW_ERROR_FORMAT, { "width", "-16" } },
    { "\"hidden_size\": 16", "\"hidden_size\": 1e300", CW_ERROR_FORMAT, { "hidden_size" } },
    { "\"hidden_size\"", "\"hidden\"", CW_ERROR_NOT_FOUND, { "hidden_size" } },
    { "\"num_hidden_layers\": 7", "\"num_hidden_layers\": 0", CW_ERROR_FORMAT, { "layers" } },
    { "\"num_hidden_layers\": 7",
      "\"num_hidden_layers\": 99999999",
      CW_ERROR_FORMAT,
      { "layers" } },
    { "\"num_key_value_heads\": 1",
      "\"num_key_value_heads\": 3",
      CW_ERROR_FORMAT,
      { "2 attention heads", "3 key/value" } },
    { "\"gelu_pytorch_tanh\"", "\"swoosh\"", CW_ERROR_UNSUPPORTED, { "swoosh", "silu" } },
    { "\"linear\"", "\"yarn\"", CW_ERROR_UNSUPPORTED, { "yarn", "llama3" } },
    { "\"factor\": 8.0", "\"factor\": 0", CW_ERROR_FORMAT, { "factor" } },
    { "\"rope_theta\": 1000000.0", "\"rope_theta\": -1", CW_ERROR_FORMAT, { "base" } },
    { "\"sliding_attention\"",
      "\"chunked_attention\"",
      CW_ERROR_UNSUPPORTED,
      { "chunked_attention" } },
    { "\"use_bidirectional_attention\": false",
      "\"use_bidirectional_attention\": true",
      CW_ERROR_UNSUPPORTED,
      { "bidirectional" } },
    { "{", "[", CW_ERROR_FORMAT, { "config.json" } },
    { "\"intermediate_size\": 24",
      "\"intermediate_size\": 25",
      CW_ERROR_MISMATCH,
      { "model.layers.0.mlp.gate_proj.weight", "[24, 16]", "25" } },
    { "\"vocab_size\": 64",
      "\"vocab_size\": 63",
      CW_ERROR_MISMATCH,
      { "model.embed_tokens.weight", "[64, 16]", "63" } },
    { "\"num_hidden_layers\": 7",
      "\"num_hidden_layers\": 8",
      CW_ERROR_FORMAT,
      { "layer_types", "8" } },
    { "\"vocab_size\"",
      "\"tie_word_embeddings\": false, \"vocab_size\"",
      CW_ERROR_NOT_FOUND,
      { "lm_head.weight" } },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *folder = make_folder(cases[i].from, cases[i].to, NULL, NULL);
    const char *words[4] = { cases[i].words[0], cases[i].words[1], cases[i].words[2], NULL };
    assert_refused(folder, cases[i].code, words);
    test_remove_tree(folder);
  }
}

static void
test_gguf_mistakes(void)
{
  g_autofree char *folder = test_temp_dir();
  g_autofree char *path = g_build_filename(folder, "m.gguf", NULL);
  static const struct {
    const char *from, *to;
    int code;
    const char *words[3];
  } cases[] = {
    { "gemma2", "mamba2", CW_ERROR_UNSUPPORTED, { "m.gguf", "mamba2", "gemma3" } },
    { "general.architecture",
      "general.orchitecture",
      CW_ERROR_FORMAT,
      { "m.gguf", "general" } },
    { "gemma2.block_count",
      "gemma2.block_caunt",
      CW_ERROR_NOT_FOUND,
      { "m.gguf", "gemma2.block_count" } },
    { "blk.1.ffn_gate.weight",
      "blk.1.ffn_gote.weight",
      CW_ERROR_NOT_FOUND,
      { "m.gguf", "blk.1.ffn_gate.weight" } },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
    gsize n;
    g_autofree char *data = read_golden("model/gemma2/model.gguf", &n);
    patch(data, n, cases[i].from, cases[i].to);
    write_file(folder, "m.gguf", data, n);
    const char *words[4] = { cases[i].words[0], cases[i].words[1], cases[i].words[2], NULL };
    assert_refused(path, cases[i].code, words);
  }
  test_remove_tree(folder);
}

/* ---- files ------------------------------------------------------------------------------ */

static void
test_missing_tensor(void)
{
  g_autofree char *folder = make_folder(NULL, NULL, "model.layers.3.mlp.up_proj.weight",
                                        "model.layers.3.mlp.up_praj.weight");
  assert_refused(folder, CW_ERROR_NOT_FOUND, WORDS("model.layers.3.mlp.up_proj.weight"));
  test_remove_tree(folder);
}

static void
test_weights_of_another_type(void)
{
  g_autofree char *folder = make_folder(NULL, NULL, "\"dtype\":\"F32\"", "\"dtype\":\"I32\"");
  assert_refused(folder, CW_ERROR_UNSUPPORTED, WORDS("model.", "tensor"));
  test_remove_tree(folder);
}

/* Every length that is a hundredth of the file, and one byte less than all. */
static void
test_truncated_files(gconstpointer user_data)
{
  g_autofree char *golden = g_strdup_printf("model/%s", (const char *)user_data);
  g_autofree char *folder = test_temp_dir();
  gsize n;
  g_autofree char *data = read_golden(golden, &n);
  bool is_gguf = g_str_has_suffix(golden, ".gguf");
  const char *name = is_gguf ? "model.gguf" : "model.safetensors";
  g_autofree char *path = is_gguf ? g_build_filename(folder, name, NULL) : g_strdup(folder);
  if (!is_gguf) {
    gsize n_config;
    g_autofree char *config = read_golden("model/gemma3/hf/config.json", &n_config);
    write_file(folder, "config.json", config, n_config);
  }
  for (int i = 0; i <= 100; i++) {
    write_file(folder, name, data, i < 100 ? n * (gsize)i / 100 : n - 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(CwModel) model = cw_model_load(path, &error);
    g_assert_null(model);
    g_assert_nonnull(strstr(error->message, name));
  }
  test_remove_tree(folder);
}

static void
test_folders_that_are_no_model(void)
{
  g_autofree char *folder = test_temp_dir();
  assert_refused(folder, CW_ERROR_NOT_FOUND, WORDS("config.json"));
  gsize n;
  g_autofree char *config = read_golden("model/gemma3/hf/config.json", &n);
  write_file(folder, "config.json", config, n);
  assert_refused(folder, CW_ERROR_NOT_FOUND, WORDS("model.safetensors"));
  write_file(folder, "pytorch_model.bin", "x", 1);
  assert_refused(folder, CW_ERROR_UNSUPPORTED, WORDS("pickle", "safetensors"));
  test_remove_tree(folder);
  g_autofree char *weights = test_golden_path("model/gemma3/hf/model.safetensors");
  assert_refused(weights, CW_ERROR_ARGUMENT, WORDS("config.json", "folder"));
  assert_refused("/nowhere/at/all.gguf", CW_ERROR_NOT_FOUND, WORDS("/nowhere/at/all.gguf"));
}

static void
test_shards(void)
{
  static const char *const files[] = { "config.json", "model.safetensors.index.json",
                                       "model-00001-of-00002.safetensors",
                                       "model-00002-of-00002.safetensors" };
  g_autofree char *folder = test_temp_dir();
  for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
    gsize n;
    g_autofree char *golden = g_strdup_printf("model/llama3/hf/%s", files[i]);
    g_autofree char *data = read_golden(golden, &n);
    write_file(folder, files[i], data, n);
  }
  g_autoptr(CwModel) model = fixture_load_model(folder);
  g_assert_false(cw_model_peek_config(model)->is_tied);
  g_autofree char *last = g_build_filename(folder, files[3], NULL);
  g_assert_cmpint(g_unlink(last), ==, 0);
  assert_refused(folder, CW_ERROR_NOT_FOUND, WORDS("model-00002-of-00002.safetensors"));
  gsize n;
  g_autofree char *twice = read_golden("model/llama3/hf/model-00001-of-00002.safetensors", &n);
  write_file(folder, files[3], twice, n);
  assert_refused(folder, CW_ERROR_FORMAT, WORDS("model-00002", "model-00001", "also"));
  const char *outside = "{\"weight_map\": {\"a\": \"../../secret.safetensors\"}}";
  write_file(folder, files[1], outside, strlen(outside));
  assert_refused(folder, CW_ERROR_FORMAT, WORDS("index.json", "not in its folder"));
  write_file(folder, files[1], "{}", 2);
  assert_refused(folder, CW_ERROR_FORMAT, WORDS("weight_map"));
  test_remove_tree(folder);
}

/* ---- requests --------------------------------------------------------------------------- */

static void
assert_run_refused(CwModel *model, CwkDevice *device, const int32_t *tokens, size_t n, int code,
                   const char *const *words)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(CwForward) forward =
      cw_model_forward(model, device, tokens, n, CW_FORWARD_ALL_LOGITS, NULL, &error);
  g_assert_null(forward);
  g_assert_error(error, CW_ERROR, code);
  g_test_message("%s", error->message);
  for (; *words != NULL; words++)
    g_assert_nonnull(strstr(error->message, *words));
}

static void
test_prompts_that_cannot_run(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("model/gpt2/model.gguf");
  CwkDevice *device = cwk_cpu_new(1);
  int32_t tokens[65] = { 0 };
  assert_run_refused(model, device, tokens, 0, CW_ERROR_ARGUMENT, WORDS("empty"));
  assert_run_refused(model, device, tokens, 65, CW_ERROR_ARGUMENT,
                     WORDS("65", "64", "tiny gpt2"));
  tokens[2] = 64;
  assert_run_refused(model, device, tokens, 3, CW_ERROR_ARGUMENT,
                     WORDS("64", "position 2", "63"));
  tokens[2] = -1;
  assert_run_refused(model, device, tokens, 3, CW_ERROR_ARGUMENT, WORDS("-1", "position 2"));
  tokens[2] = 63;
  g_autoptr(CwForward) forward = fixture_run(model, device, tokens, 64, CW_FORWARD_ALL_LOGITS);
  g_assert_cmpint(forward->n_logit_rows, ==, 64);
  cwk_device_free(device);
}

/* Patterns of 2^22 positions would need 2^49 bytes and more, beyond any address space. */
static void
test_no_memory_is_an_error(void)
{
  g_autofree char *folder = make_folder("\"max_position_embeddings\": 256",
                                        "\"max_position_embeddings\": 8388608", NULL, NULL);
  g_autoptr(CwModel) model = fixture_load_model(folder);
  CwkDevice *device = cwk_cpu_new(1);
  size_t n = (size_t)1 << 22;
  g_autofree int32_t *tokens = g_new0(int32_t, n);
  g_autoptr(GError) error = NULL;
  g_autoptr(CwForward) forward =
      cw_model_forward(model, device, tokens, n, CW_FORWARD_FROZEN, NULL, &error);
  g_assert_null(forward);
  g_assert_error(error, CW_ERROR, CW_ERROR_NO_MEMORY);
  cwk_device_free(device);
  test_remove_tree(folder);
}

static void
test_cancel(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("model/gpt2/model.gguf");
  CwkDevice *device = cwk_cpu_new(1);
  g_autoptr(CwCancel) cancel = cw_cancel_new();
  cw_cancel_trigger(cancel);
  const int32_t tokens[] = { 1, 2, 3 };
  g_autoptr(GError) error = NULL;
  g_assert_null(
      cw_model_forward(model, device, tokens, 3, CW_FORWARD_ALL_LOGITS, cancel, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_CANCELLED);
  cwk_device_free(device);
}

static void
test_hash_is_of_the_weights(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("model/gemma3/hf");
  gsize n;
  g_autofree char *data = read_golden("model/gemma3/hf/model.safetensors", &n);
  g_autofree char *expected =
      g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, n);
  g_assert_cmpstr(cw_model_get_hash(model), ==, expected);
  g_assert_cmpstr(cw_model_get_hash(model), ==, expected);
}

static void
test_folder_with_tokenizer(void)
{
  g_autofree char *folder = make_folder(NULL, NULL, NULL, NULL);
  gsize n;
  g_autofree char *tokenizer = read_golden("tokenizer/gpt2.json", &n);
  write_file(folder, "tokenizer.json", tokenizer, n);
  g_autoptr(CwModel) model = fixture_load_model(folder);
  g_assert_nonnull(cw_model_peek_tokenizer(model));
  write_file(folder, "tokenizer.json", tokenizer, n / 2);
  assert_refused(folder, CW_ERROR_FORMAT, WORDS("tokenizer.json"));
  test_remove_tree(folder);
}

static void
test_reduced_precision_is_refused(void)
{
  g_autoptr(CwModel) model = fixture_load_golden_model("model/gpt2/model.gguf");
  CwkDevice *device = cwk_cpu_new(1);
  const int32_t token = 1;
  g_autoptr(GError) error = NULL;
  g_assert_null(cw_model_forward(model, device, &token, 1, CW_FORWARD_REDUCED, NULL, &error));
  g_assert_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED);
  cwk_device_free(device);
}

/* What a file says of itself, as others see it. */
static void
test_config(void)
{
  g_autoptr(CwModel) gemma = fixture_load_golden_model("model/gemma3/hf");
  const CwModelConfig *config = cw_model_peek_config(gemma);
  g_assert_cmpint(config->architecture, ==, CW_ARCHITECTURE_GEMMA3);
  g_assert_cmpint(config->n_vocabulary, ==, 64);
  g_assert_true(config->has_post_norms && config->has_qk_norms && config->is_tied);
  g_assert_cmpfloat(config->embedding_scale, ==, 4);
  g_assert_cmpint(cw_model_peek_layer(gemma, 4)->window, ==, 5);
  g_assert_cmpint(cw_model_peek_layer(gemma, 5)->window, ==, 0);
  g_autoptr(CwModel) gpt2 = fixture_load_golden_model("attribution/gpt2-clt/model");
  g_assert_nonnull(cw_model_peek_positions(gpt2));
  const CwLayer *layer = cw_model_peek_layer(gpt2, 1);
  g_assert_cmpint(layer->k.layout, ==, CWK_B_ROWS_ARE_INPUTS);
  g_assert_cmpint(layer->k.rows.n_cols, ==, 32);
  g_assert_cmpuint(layer->k.rows.row_bytes, ==, 96 * 4);
  g_assert_true(layer->k.bias == layer->q.bias + 32);
  g_assert_cmpstr(cw_model_peek_config(gpt2)->name, ==, "model");
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/core/load/config-mistakes", test_config_mistakes);
  g_test_add_func("/core/load/gguf-mistakes", test_gguf_mistakes);
  g_test_add_func("/core/load/missing-tensor", test_missing_tensor);
  g_test_add_func("/core/load/weights-of-another-type", test_weights_of_another_type);
  g_test_add_data_func("/core/load/truncated-gguf", "gemma2/model.gguf", test_truncated_files);
  g_test_add_data_func("/core/load/truncated-safetensors", "gemma3/hf/model.safetensors",
                       test_truncated_files);
  g_test_add_func("/core/load/folders-that-are-no-model", test_folders_that_are_no_model);
  g_test_add_func("/core/load/shards", test_shards);
  g_test_add_func("/core/load/prompts-that-cannot-run", test_prompts_that_cannot_run);
  g_test_add_func("/core/load/no-memory-is-an-error", test_no_memory_is_an_error);
  g_test_add_func("/core/load/cancel", test_cancel);
  g_test_add_func("/core/load/hash-is-of-the-weights", test_hash_is_of_the_weights);
  g_test_add_func("/core/load/folder-with-tokenizer", test_folder_with_tokenizer);
  g_test_add_func("/core/load/reduced-precision-is-refused", test_reduced_precision_is_refused);
  g_test_add_func("/core/load/config", test_config);
  return g_test_run();
}
