/* golden-case.c - see golden-case.h. */
#include "golden-case.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "test-support.h"

const CwTensor *
golden_case_tensor(const GoldenCase *one, const char *name)
{
  const CwTensor *tensor = cw_tensor_file_find(one->expected, name);
  g_assert_nonnull(tensor);
  return tensor;
}

static int64_t
json_int(JsonObject *object, const char *key, int64_t otherwise)
{
  if (!json_object_has_member(object, key) || json_object_get_null_member(object, key))
    return otherwise;
  return json_object_get_int_member(object, key);
}

static void
read_options(GoldenCase *one, const char *folder)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autofree char *path = g_build_filename(folder, "case.json", NULL);
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  JsonObject *object = json_node_get_object(json_parser_get_root(parser));
  cw_attribution_options_init(&one->options);
  one->options.max_n_logits = json_int(object, "max_n_logits", 10);
  one->options.desired_logit_prob = json_object_get_double_member(object, "desired_logit_prob");
  one->options.batch_size = json_int(object, "batch_size", 256);
  one->options.update_interval = json_int(object, "update_interval", 4);
  one->options.max_feature_nodes = json_int(object, "max_feature_nodes", 0);
  one->options.keeps_tensors = true;
}

void
golden_case_open(GoldenCase *one, const char *name)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *rest = g_build_filename("attribution", name, NULL);
  g_autofree char *folder = test_golden_path(rest);
  g_autofree char *model = g_build_filename(folder, "model", NULL);
  g_autofree char *transcoder = g_build_filename(folder, "transcoder", NULL);
  g_autofree char *expected = g_build_filename(folder, "expected.safetensors", NULL);
  one->model = cw_model_load(model, &error);
  g_assert_no_error(error);
  one->transcoder = cw_transcoder_open(transcoder, &error);
  g_assert_no_error(error);
  one->expected = cw_tensor_file_open(expected, &error);
  g_assert_no_error(error);
  one->device = cwk_cpu_new(2);
  const CwTensor *tokens = golden_case_tensor(one, "input_tokens");
  one->n_tokens = (size_t)tokens->shape[0];
  one->tokens = g_new(int32_t, one->n_tokens);
  for (size_t i = 0; i < one->n_tokens; i++) {
    int64_t id;
    memcpy(&id, (const char *)tokens->data + 8 * i, 8);
    one->tokens[i] = (int32_t)id;
  }
  read_options(one, folder);
}

void
golden_case_close(GoldenCase *one)
{
  cw_model_unref(one->model);
  cw_transcoder_unref(one->transcoder);
  cw_tensor_file_close(one->expected);
  cwk_device_free(one->device);
  g_free(one->tokens);
}

CwGraph *
golden_case_run(GoldenCase *one, CwAttributionDetail **detail)
{
  g_autoptr(GError) error = NULL;
  CwGraph *graph = cw_attribute(one->model, one->transcoder, one->device, one->tokens,
                                one->n_tokens, &one->options, NULL, NULL, detail, &error);
  g_assert_no_error(error);
  return graph;
}
