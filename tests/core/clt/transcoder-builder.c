/* transcoder-builder.c - see transcoder-builder.h. */
#include "transcoder-builder.h"

#include <string.h>

float
built_value(const char *name, int64_t i)
{
  uint64_t x = g_str_hash(name) * 0x9e3779b97f4a7c15u + (uint64_t)i * 0xbf58476d1ce4e5b9u;
  x ^= x >> 31;
  x *= 0x94d049bb133111ebu;
  x ^= x >> 29;
  return (float)((double)(x >> 40) / (1 << 23) - 1);
}

typedef struct {
  const BuiltTranscoder *what;
  GArray *tensors; /* of BuiltTensor */
} Builder;

static void
clear_tensor(gpointer data)
{
  BuiltTensor *tensor = data;
  g_free(tensor->name);
  g_free(tensor->values);
}

static Builder
builder_new(const BuiltTranscoder *what)
{
  Builder builder = { .what = what, .tensors = g_array_new(FALSE, FALSE, sizeof(BuiltTensor)) };
  g_array_set_clear_func(builder.tensors, clear_tensor);
  return builder;
}

static int64_t
n_elements(const BuiltTensor *tensor)
{
  int64_t n = 1;
  for (int i = 0; i < tensor->n_dims; i++)
    n *= tensor->shape[i];
  return n;
}

/* values NULL: made by name. The spoiler may ask for more elements than there were. */
static void
add(Builder *builder, const char *name, int n_dims, const int64_t *shape, const float *values)
{
  BuiltTensor tensor = { .name = g_strdup(name), .dtype = "F32", .n_dims = n_dims };
  memcpy(tensor.shape, shape, (size_t)n_dims * sizeof *shape);
  int64_t n = n_elements(&tensor);
  tensor.values = g_new0(float, n + 4096);
  for (int64_t i = 0; i < n; i++)
    tensor.values[i] = values != NULL ? values[i] : built_value(name, i);
  if (builder->what->spoil == NULL || builder->what->spoil(&tensor, builder->what->data))
    g_array_append_val(builder->tensors, tensor);
  else
    clear_tensor(&tensor);
}

/* Writes what has been added and begins anew. All elements have four bytes; nothing is synced,
 * so that hundreds of folders cost no time. */
static void
write_file(Builder *builder, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_autoptr(GString) header = g_string_new("{");
  g_autoptr(GByteArray) data = g_byte_array_new();
  for (guint i = 0; i < builder->tensors->len; i++) {
    const BuiltTensor *tensor = &g_array_index(builder->tensors, BuiltTensor, i);
    guint begin = data->len;
    g_byte_array_append(data, (const uint8_t *)tensor->values, (guint)n_elements(tensor) * 4);
    g_string_append_printf(header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i > 0 ? "," : "",
                           tensor->name, tensor->dtype);
    for (int d = 0; d < tensor->n_dims; d++)
      g_string_append_printf(header, "%s%d", d > 0 ? "," : "", (int)tensor->shape[d]);
    g_string_append_printf(header, "],\"data_offsets\":[%u,%u]}", begin, data->len);
  }
  g_string_append_c(header, '}');
  while (header->len % 8 != 0)
    g_string_append_c(header, ' ');
  uint64_t length = header->len;
  g_byte_array_prepend(data, (const uint8_t *)header->str, (guint)header->len);
  g_byte_array_prepend(data, (const uint8_t *)&length, sizeof length);
  g_assert_true(g_file_set_contents_full(path, (const char *)data->data, data->len,
                                         G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  g_array_set_size(builder->tensors, 0);
}

static void
add_vectors(Builder *builder, int64_t l)
{
  const BuiltTranscoder *what = builder->what;
  char name[32];
  g_snprintf(name, sizeof name, "b_enc_%d", (int)l);
  add(builder, name, 1, &what->n_features, NULL);
  g_snprintf(name, sizeof name, "b_dec_%d", (int)l);
  add(builder, name, 1, &what->width, NULL);
  g_snprintf(name, sizeof name, "threshold_%d", (int)l);
  if (what->has_threshold)
    add(builder, name, 1, &what->n_features, NULL);
}

static void
write_cross_layer(Builder *builder, const char *folder, int64_t l)
{
  const BuiltTranscoder *what = builder->what;
  char name[32], file[64];
  add_vectors(builder, l);
  g_snprintf(name, sizeof name, "W_enc_%d", (int)l);
  g_snprintf(file, sizeof file, "%s.safetensors", name);
  add(builder, name, 2, (int64_t[]){ what->n_features, what->width }, NULL);
  write_file(builder, folder, file);
  g_snprintf(name, sizeof name, "W_dec_%d", (int)l);
  g_snprintf(file, sizeof file, "%s.safetensors", name);
  add(builder, name, 3, (int64_t[]){ what->n_features, what->n_layers - l, what->width }, NULL);
  write_file(builder, folder, file);
}

static void
write_per_layer(Builder *builder, const char *folder, int64_t l)
{
  const BuiltTranscoder *what = builder->what;
  char file[64];
  int64_t matrix[2] = { what->n_features, what->width };
  add(builder, "W_enc", 2, matrix, NULL);
  add(builder, "W_dec", 2, matrix, NULL);
  add(builder, "b_enc", 1, &what->n_features, NULL);
  add(builder, "b_dec", 1, &what->width, NULL);
  if (what->has_threshold)
    add(builder, "activation_function.threshold", 1, &what->n_features, NULL);
  if (what->has_skip)
    add(builder, "W_skip", 2, (int64_t[]){ what->width, what->width }, NULL);
  g_snprintf(file, sizeof file, "layer_%d.safetensors", (int)l);
  write_file(builder, folder, file);
}

static void
write_text(const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename(folder, name, NULL);
  g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

void
build_circuit_tracer(const char *folder, const BuiltTranscoder *what, const char *config)
{
  Builder builder = builder_new(what);
  for (int64_t l = 0; l < what->n_layers; l++)
    if (what->is_cross_layer)
      write_cross_layer(&builder, folder, l);
    else
      write_per_layer(&builder, folder, l);
  g_array_unref(builder.tensors);
  g_autofree char *plain =
      g_strdup_printf("model_name: m\nmodel_kind: %s\nfeature_input_hook: hook_resid_mid\n"
                      "feature_output_hook: hook_mlp_out\n",
                      what->is_cross_layer ? "cross_layer_transcoder" : "transcoder_set");
  write_text(folder, "config.yaml", config != NULL ? config : plain);
}

/* Features [first, first + n) of the whole [outer, F, inner] tensor `name`. */
static void
add_slice(Builder *builder, const char *name, int64_t outer, int64_t first, int64_t n,
          int64_t inner)
{
  int64_t n_features = builder->what->n_features;
  g_autofree float *values = g_new(float, outer *n *inner);
  for (int64_t o = 0; o < outer; o++)
    for (int64_t f = 0; f < n; f++)
      for (int64_t i = 0; i < inner; i++)
        values[(o * n + f) * inner + i] =
            built_value(name, (o * n_features + first + f) * inner + i);
  if (strcmp(name, "W_dec") == 0)
    add(builder, name, 3, (int64_t[]){ outer, n, inner }, values);
  else if (strcmp(name, "W_enc") == 0)
    add(builder, name, 3, (int64_t[]){ builder->what->n_layers, builder->what->width, n },
        values);
  else
    add(builder, name, 2, (int64_t[]){ outer, n }, values);
}

static void
add_checkpoint(Builder *builder, int64_t first, int64_t n)
{
  const BuiltTranscoder *what = builder->what;
  int64_t n_layers = what->n_layers;
  int64_t n_pairs = what->is_cross_layer ? n_layers * (n_layers + 1) / 2 : n_layers;
  g_autofree float *scales = g_new(float, n_layers);
  add_slice(builder, "W_enc", n_layers * what->width, first, n, 1); /* [L, D, F] */
  add_slice(builder, "W_dec", n_pairs, first, n, what->width);
  add_slice(builder, "b_enc", n_layers, first, n, 1);
  add_slice(builder, "log_threshold", n_layers, first, n, 1);
  add(builder, "b_dec", 2, (int64_t[]){ n_pairs, what->width }, NULL);
  for (int64_t l = 0; l < n_layers; l++)
    scales[l] = 1 + 0.25f * (float)l;
  add(builder, "estimated_norm_scaling_factor_in", 1, &n_layers, scales);
  for (int64_t l = 0; l < n_layers; l++)
    scales[l] = 2 + 0.5f * (float)l;
  add(builder, "estimated_norm_scaling_factor_out", 1, &n_layers, scales);
}

void
build_clt_forge(const char *folder, const BuiltTranscoder *what, int n_shards,
                const char *config)
{
  Builder builder = builder_new(what);
  int64_t n = what->n_features / MAX(n_shards, 1);
  for (int rank = 0; rank < MAX(n_shards, 1); rank++) {
    g_autofree char *name = g_strdup_printf("rank%d_clt_weights.safetensors", rank);
    add_checkpoint(&builder, rank * n, n);
    write_file(&builder, folder, n_shards > 0 ? name : "clt_weights.safetensors");
  }
  g_array_unref(builder.tensors);
  g_autofree char *plain =
      g_strdup_printf("{\"model_name\":\"m\",\"n_layers\":%d,\"d_latent\":%d,\"d_in\":%d,"
                      "\"cross_layer_decoders\":%s}",
                      (int)what->n_layers, (int)what->n_features, (int)what->width,
                      what->is_cross_layer ? "true" : "false");
  write_text(folder, "clt_cfg.json", config != NULL ? config : plain);
}
