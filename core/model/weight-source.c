/* weight-source.c - see weight-source.h.
 *
 * A sharded folder's index says which file holds which tensor, but the files themselves are the
 * truth: every file it names is opened, and tensors are found by what the files contain. */
#include "model/weight-source.h"

#include <string.h>

#include "files/json-scan.h"

#define MAX_INDEX_BYTES (64 << 20)
#define MAX_SHARDS      4096

void
cw_weight_source_free(CwWeightSource *source)
{
  if (source == NULL)
    return;
  g_clear_pointer(&source->vectors, g_ptr_array_unref);
  g_clear_pointer(&source->file_of, g_hash_table_unref);
  g_clear_pointer(&source->files, g_ptr_array_unref);
  cwk_device_free(source->converter);
  g_free(source->path);
  g_free(source);
}

static bool
add_file(CwWeightSource *source, const char *path, GError **error)
{
  CwTensorFile *file = cw_tensor_file_open(path, error);
  if (file == NULL)
    return false;
  g_ptr_array_add(source->files, file);
  for (size_t i = 0; i < cw_tensor_file_get_n_tensors(file); i++) {
    const CwTensor *tensor = cw_tensor_file_peek_tensor(file, i);
    CwTensorFile *other = g_hash_table_lookup(source->file_of, tensor->name);
    if (other != NULL) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: tensor \"%s\" is also in %s", path,
                  tensor->name, cw_tensor_file_peek_path(other));
      return false;
    }
    g_hash_table_insert(source->file_of, (gpointer)tensor->name, file);
  }
  return true;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The distinct file names of the index, sorted, so that the order is the same on every run. */
static GPtrArray *
read_shard_names(const char *index_path, GError **error)
{
  g_autoptr(JsonNode) root = cw_json_load(index_path, MAX_INDEX_BYTES, error);
  if (root == NULL)
    return NULL;
  JsonNode *map = json_object_get_member(json_node_get_object(root), "weight_map");
  if (map == NULL || !JSON_NODE_HOLDS_OBJECT(map)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: \"weight_map\" is missing", index_path);
    return NULL;
  }
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  JsonObjectIter iter;
  JsonNode *node;
  json_object_iter_init(&iter, json_node_get_object(map));
  while (json_object_iter_next(&iter, NULL, &node)) {
    const char *name = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
    if (name == NULL || *name == '\0' || strchr(name, '/') != NULL) {
      g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                  "%s: \"weight_map\" names a file that is not in its folder", index_path);
      return NULL;
    }
    g_hash_table_add(names, (gpointer)name);
  }
  if (g_hash_table_size(names) == 0 || g_hash_table_size(names) > MAX_SHARDS) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: names %u files; 1 to %d are expected",
                index_path, g_hash_table_size(names), MAX_SHARDS);
    return NULL;
  }
  GPtrArray *sorted = g_ptr_array_new_with_free_func(g_free);
  GHashTableIter table;
  gpointer name;
  g_hash_table_iter_init(&table, names);
  while (g_hash_table_iter_next(&table, &name, NULL))
    g_ptr_array_add(sorted, g_strdup(name));
  g_ptr_array_sort(sorted, compare_names);
  return sorted;
}

static bool
add_folder(CwWeightSource *source, GError **error)
{
  g_autofree char *index = g_build_filename(source->path, "model.safetensors.index.json", NULL);
  g_autofree char *single = g_build_filename(source->path, "model.safetensors", NULL);
  g_autofree char *pickle = g_build_filename(source->path, "pytorch_model.bin", NULL);
  if (g_file_test(single, G_FILE_TEST_EXISTS))
    return add_file(source, single, error);
  if (!g_file_test(index, G_FILE_TEST_EXISTS)) {
    bool is_pickled = g_file_test(pickle, G_FILE_TEST_EXISTS);
    g_set_error(error, CW_ERROR, is_pickled ? CW_ERROR_UNSUPPORTED : CW_ERROR_NOT_FOUND,
                is_pickled ? "%s: pytorch_model.bin is a pickle, and opening one runs code in "
                             "it; convert the model to safetensors"
                           : "%s: the folder has no model.safetensors and no "
                             "model.safetensors.index.json",
                source->path);
    return false;
  }
  g_autoptr(GPtrArray) names = read_shard_names(index, error);
  if (names == NULL)
    return false;
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename(source->path, names->pdata[i], NULL);
    if (!add_file(source, path, error))
      return false;
  }
  return true;
}

CwWeightSource *
cw_weight_source_new(const char *path, GError **error)
{
  g_autoptr(CwWeightSource) source = g_new0(CwWeightSource, 1);
  source->path = g_strdup(path);
  source->files = g_ptr_array_new_with_free_func((GDestroyNotify)cw_tensor_file_close);
  source->file_of = g_hash_table_new(g_str_hash, g_str_equal);
  source->vectors = g_ptr_array_new_with_free_func(g_free);
  source->converter = cwk_cpu_new(1);
  if (source->converter == NULL) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_NO_MEMORY, "No memory for a CPU device");
    return NULL;
  }
  bool is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);
  if (!(is_folder ? add_folder(source, error) : add_file(source, path, error)))
    return NULL;
  return g_steal_pointer(&source);
}

const CwTensor *
cw_weight_source_find(const CwWeightSource *source, const char *name)
{
  CwTensorFile *file = g_hash_table_lookup(source->file_of, name);
  return file != NULL ? cw_tensor_file_find(file, name) : NULL;
}

const CwTensor *
cw_weight_source_require(const CwWeightSource *source, const char *name, int n_dims,
                         const int64_t *shape, GError **error)
{
  CwTensorFile *file = g_hash_table_lookup(source->file_of, name);
  if (file == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND,
                "%s: tensor \"%s\" is missing: the file is incomplete or its description "
                "belongs to another model",
                source->path, name);
    return NULL;
  }
  const CwTensor *tensor = cw_tensor_file_require(file, name, n_dims, shape, error);
  if (tensor != NULL && tensor->type != CW_TYPE_FLOAT) {
    g_autofree char *text = cw_tensor_dup_shape_text(tensor);
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED,
                "%s: tensor \"%s\" is %s, an element type that weights cannot have",
                cw_tensor_file_peek_path(file), name, text);
    return NULL;
  }
  return tensor;
}

bool
cw_weight_source_get_rows(const CwWeightSource *source, const char *name, int64_t n_rows,
                          int64_t n_cols, CwkRows *rows, GError **error)
{
  const int64_t shape[] = { n_rows, n_cols };
  const CwTensor *tensor = cw_weight_source_require(source, name, 2, shape, error);
  if (tensor == NULL)
    return false;
  *rows = (CwkRows){ .data = tensor->data,
                     .dtype = tensor->dtype,
                     .n_rows = tensor->shape[0],
                     .n_cols = tensor->shape[1],
                     .row_bytes = cwk_dtype_row_bytes(tensor->dtype, tensor->shape[1]) };
  return true;
}

float *
cw_weight_source_new_floats(CwWeightSource *source, size_t n)
{
  float *floats = g_try_new0(float, n);
  if (floats != NULL)
    g_ptr_array_add(source->vectors, floats);
  return floats;
}

const float *
cw_weight_source_get_floats(CwWeightSource *source, const char *name, int n_dims,
                            const int64_t *shape, float add, GError **error)
{
  const CwTensor *tensor = cw_weight_source_require(source, name, n_dims, shape, error);
  if (tensor == NULL)
    return NULL;
  int64_t n_cols = tensor->shape[n_dims - 1], n_rows = n_dims == 2 ? tensor->shape[0] : 1;
  float *floats = cw_weight_source_new_floats(source, (size_t)(n_rows * n_cols));
  CwkDequantiseArgs args = { .rows = { .data = tensor->data,
                                       .dtype = tensor->dtype,
                                       .n_rows = n_rows,
                                       .n_cols = n_cols,
                                       .row_bytes =
                                           cwk_dtype_row_bytes(tensor->dtype, n_cols) },
                             .out = floats };
  CwkStatus status = floats != NULL ? cwk_dequantise(source->converter, &args) : CWK_NO_MEMORY;
  if (status != CWK_OK) {
    g_autofree char *doing = g_strdup_printf("reading tensor \"%s\" of %s", name, source->path);
    cw_error_set_from_status(error, status, doing);
    return NULL;
  }
  for (int64_t i = 0; add != 0 && i < n_rows * n_cols; i++)
    floats[i] += add;
  return floats;
}
