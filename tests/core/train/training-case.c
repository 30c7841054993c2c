/* training-case.c - see training-case.h. */
#include "training-case.h"

#include <string.h>

static void
read_settings(TrainingCase *self, const char *folder)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(folder, "case.json", NULL);
  g_autoptr(JsonParser) parser = json_parser_new();
  json_parser_load_from_file(parser, path, &error);
  g_assert_no_error(error);
  self->node = json_parser_steal_root(parser);
  /* "log" and "oracle" are no settings: the numbers to compare with, and where they come from.
   * Numbers are written anew, since json-glib 1.6 writes 1e-08 as "1e-08.0". */
  g_autoptr(GString) text = g_string_new("{\"normalise\": false, \"shuffle\": false");
  JsonObject *object = json_node_get_object(self->node);
  g_autoptr(GList) names = json_object_get_members(object);
  for (GList *name = names; name != NULL; name = name->next) {
    JsonNode *node = json_object_get_member(object, name->data);
    if (strcmp(name->data, "log") == 0 || strcmp(name->data, "oracle") == 0)
      continue;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *other = NULL;
    if (json_node_get_value_type(node) == G_TYPE_DOUBLE)
      g_ascii_dtostr(number, sizeof number, json_node_get_double(node));
    else
      other = json_to_string(node, FALSE);
    g_string_append_printf(text, ", \"%s\": %s", (char *)name->data, other ? other : number);
  }
  g_string_append_c(text, '}');
  cw_train_settings_init(&self->settings, CW_RECIPE_CLT_FORGE);
  cw_train_settings_read(&self->settings, text->str, path, &error);
  g_assert_no_error(error);
}

void
training_case_init(TrainingCase *self, const char *name, int n_threads)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *place = g_build_filename("training", name, NULL);
  g_autofree char *folder = test_golden_path(place);
  g_autofree char *activations =
      g_build_filename(folder, "activations_split_0.safetensors", NULL);
  g_autofree char *expected = g_build_filename(folder, "expected.safetensors", NULL);
  g_autofree char *initial = g_build_filename(folder, "initial", NULL);
  *self = (TrainingCase){ 0 };
  read_settings(self, folder);
  self->activations = cw_tensor_file_open(activations, &error);
  g_assert_no_error(error);
  self->expected = cw_tensor_file_open(expected, &error);
  g_assert_no_error(error);
  self->device = cwk_cpu_new(n_threads);
  self->trainer = cw_trainer_new(&self->settings, self->settings.n_layers,
                                 self->settings.d_model, self->device, &error);
  g_assert_no_error(error);
  g_autoptr(CwTranscoder) transcoder = cw_transcoder_open(initial, &error);
  g_assert_no_error(error);
  cw_trainer_take_transcoder(self->trainer, transcoder, &error);
  g_assert_no_error(error);
  size_t n = (size_t)(self->settings.n_layers * self->settings.batch * self->settings.d_model);
  self->in = g_new(float, n);
  self->out = g_new(float, n);
}

void
training_case_clear(TrainingCase *self)
{
  cw_trainer_free(self->trainer);
  cwk_device_free(self->device);
  cw_tensor_file_close(self->activations);
  cw_tensor_file_close(self->expected);
  json_node_unref(self->node);
  g_free(self->in);
  g_free(self->out);
}

static void
load_side(TrainingCase *self, int64_t step, const char *name, float *to)
{
  const CwTensor *tensor = cw_tensor_file_find(self->activations, name);
  int64_t n_layers = self->settings.n_layers, width = self->settings.d_model;
  int64_t n = self->settings.batch;
  g_assert_nonnull(tensor);
  g_assert_cmpint(tensor->shape[0], >=, (step + 1) * n);
  const float *from = (const float *)tensor->data + step * n * n_layers * width;
  for (int64_t b = 0; b < n; b++)
    for (int64_t l = 0; l < n_layers; l++)
      memcpy(to + (l * n + b) * width, from + (b * n_layers + l) * width,
             (size_t)width * sizeof *to);
}

void
training_case_load_batch(TrainingCase *self, int64_t step)
{
  load_side(self, step, "act_in", self->in);
  load_side(self, step, "act_out", self->out);
}

static JsonArray *
log_of(const TrainingCase *self)
{
  return json_object_get_array_member(json_node_get_object(self->node), "log");
}

double
training_case_logged(const TrainingCase *self, int64_t step, const char *key)
{
  JsonObject *entry = json_array_get_object_element(log_of(self), (guint)step);
  g_assert_true(json_object_has_member(entry, key));
  return json_object_get_double_member(entry, key);
}

int64_t
training_case_n_logged(const TrainingCase *self)
{
  return json_array_get_length(log_of(self));
}

float *
training_case_dup_expected(const TrainingCase *self, const char *name, size_t n)
{
  g_autoptr(GError) error = NULL;
  const CwTensor *tensor = cw_tensor_file_find(self->expected, name);
  g_assert_nonnull(tensor);
  g_assert_cmpuint(tensor->n_bytes, ==, n * sizeof(float));
  float *values = cw_tensor_dup_floats(tensor, &error);
  g_assert_no_error(error);
  return values;
}

float *
training_case_dup_encoder(const TrainingCase *self, const float *array)
{
  const CwParameters *p = &self->trainer->parameters;
  int64_t n = p->n_features, width = p->width, padded = cw_parameters_padded_width(p);
  float *out = g_new(float, p->n_layers *width *n);
  for (int64_t l = 0; l < p->n_layers; l++)
    for (int64_t j = 0; j < width; j++)
      for (int64_t i = 0; i < n; i++)
        out[(l * width + j) * n + i] = array[(l * n + i) * padded + j];
  return out;
}

float *
training_case_dup_decoder(const TrainingCase *self, const float *array)
{
  const CwParameters *p = &self->trainer->parameters;
  int64_t n = p->n_features, width = p->width, block = 0;
  float *out = g_new(float, cw_parameters_decoder_offset(p, p->n_layers));
  for (int64_t l = 0; l < p->n_layers; l++)
    for (int64_t to = 0; to < cw_parameters_n_targets(p, l); to++, block++)
      for (int64_t i = 0; i < n; i++)
        cw_parameters_read_row(p, array, l, i, to, out + (block * n + i) * width);
  return out;
}
