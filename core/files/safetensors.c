/* safetensors.c - reads the safetensors format.
 *
 * Eight bytes little-endian: the length of a JSON header; the header: name -> dtype, shape and
 * byte range, with an optional __metadata__ of strings; then the data. The ranges, sorted, must
 * tile the data exactly: a gap or a tail could hide another file, an overlap could alias two
 * tensors. Headers are some hundred bytes a tensor; the ceiling of 16 MiB is several times the
 * largest published one, and keeps the JSON tree within a few hundred megabytes. */
#include <stdlib.h>
#include <string.h>

#include "files/json-scan.h"
#include "files/tensor-file.h"

#define MAX_HEADER_BYTES ((size_t)16 << 20)

typedef struct {
  const char *name;
  CwTensorType type;
  CwkDtype dtype;
  size_t element_bytes;
} DtypeEntry;

static const DtypeEntry dtypes[] = {
  { "F32", CW_TYPE_FLOAT, CWK_F32, 4 },
  { "F16", CW_TYPE_FLOAT, CWK_F16, 2 },
  { "BF16", CW_TYPE_FLOAT, CWK_BF16, 2 },
  { "I64", CW_TYPE_I64, 0, 8 },
  { "I32", CW_TYPE_I32, 0, 4 },
  { "BOOL", CW_TYPE_BOOL, 0, 1 },
  { "F64", CW_TYPE_F64, 0, 8 },
  { "U8", CW_TYPE_U8, 0, 1 },
  { "I8", CW_TYPE_I8, 0, 1 },
  { "I16", CW_TYPE_OTHER, 0, 2 },
  { "U16", CW_TYPE_OTHER, 0, 2 },
  { "U32", CW_TYPE_OTHER, 0, 4 },
  { "U64", CW_TYPE_OTHER, 0, 8 },
  { "F8_E5M2", CW_TYPE_OTHER, 0, 1 },
  { "F8_E4M3", CW_TYPE_OTHER, 0, 1 },
  { "F8_E8M0", CW_TYPE_OTHER, 0, 1 },
  { "C64", CW_TYPE_OTHER, 0, 8 },
};

static bool fail(const CwTensorFile *file, CwErrorCode code, GError **error, const char *format,
                 ...) G_GNUC_PRINTF(4, 5);

static bool
fail(const CwTensorFile *file, CwErrorCode code, GError **error, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, CW_ERROR, code, "%s: %s", file->path, text);
  return false;
}

/* A whole number >= 0. json-glib wraps what exceeds 64 bits into the negative ones. */
static bool
read_count(JsonNode *node, int64_t *value)
{
  if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64)
    return false;
  *value = json_node_get_int(node);
  return *value >= 0;
}

static JsonArray *
array_member(JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member(object, key);
  return node != NULL && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

static bool
read_dtype(const CwTensorFile *file, JsonObject *entry, CwTensor *tensor, size_t *element_bytes,
           GError **error)
{
  JsonNode *node = json_object_get_member(entry, "dtype");
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
      json_node_get_value_type(node) != G_TYPE_STRING)
    return fail(file, CW_ERROR_FORMAT, error, "tensor %s has no dtype", tensor->name);
  const char *name = json_node_get_string(node);
  for (size_t i = 0; i < G_N_ELEMENTS(dtypes); i++) {
    if (strcmp(name, dtypes[i].name) != 0)
      continue;
    tensor->type = dtypes[i].type;
    tensor->dtype = dtypes[i].dtype;
    *element_bytes = dtypes[i].element_bytes;
    return true;
  }
  return fail(file, CW_ERROR_UNSUPPORTED, error, "tensor %s has the unsupported type %.40s",
              tensor->name, name);
}

static bool
read_shape(const CwTensorFile *file, JsonObject *entry, CwTensor *tensor, GError **error)
{
  JsonArray *shape = array_member(entry, "shape");
  if (shape == NULL)
    return fail(file, CW_ERROR_FORMAT, error, "tensor %s has no shape", tensor->name);
  guint n = json_array_get_length(shape);
  if (n > CW_MAX_DIMS)
    return fail(file, CW_ERROR_UNSUPPORTED, error, "tensor %s has %u dimensions, at most %d do",
                tensor->name, n, CW_MAX_DIMS);
  tensor->n_dims = (int)n;
  for (guint i = 0; i < n; i++)
    if (!read_count(json_array_get_element(shape, i), &tensor->shape[i]))
      return fail(file, CW_ERROR_FORMAT, error, "tensor %s has a size that is no count",
                  tensor->name);
  return true;
}

static bool
read_range(const CwTensorFile *file, JsonObject *entry, size_t data_begin, CwTensor *tensor,
           GError **error)
{
  int64_t begin, end;
  JsonArray *range = array_member(entry, "data_offsets");
  if (range == NULL || json_array_get_length(range) != 2 ||
      !read_count(json_array_get_element(range, 0), &begin) ||
      !read_count(json_array_get_element(range, 1), &end) || begin > end)
    return fail(file, CW_ERROR_FORMAT, error, "tensor %s has no valid data_offsets",
                tensor->name);
  if ((uint64_t)end > file->n_bytes - data_begin)
    return fail(file, CW_ERROR_FORMAT, error,
                "tensor %s ends at byte %" G_GINT64_FORMAT
                " of the data, which has %zu: the file is cut short",
                tensor->name, end, file->n_bytes - data_begin);
  if ((size_t)(end - begin) != tensor->n_bytes) {
    g_autofree char *shape = cw_tensor_dup_shape_text(tensor);
    return fail(file, CW_ERROR_FORMAT, error,
                "tensor %s %s needs %zu bytes, its range has %" G_GINT64_FORMAT, tensor->name,
                shape, tensor->n_bytes, end - begin);
  }
  tensor->data = file->bytes + data_begin + begin;
  return true;
}

static bool
read_tensor(CwTensorFile *file, const char *name, JsonNode *node, size_t data_begin,
            GError **error)
{
  CwTensor tensor = { .name = name };
  size_t element_bytes = 0;
  if (strlen(name) > CW_MAX_NAME_BYTES)
    return fail(file, CW_ERROR_FORMAT, error, "a tensor's name is longer than %d bytes",
                CW_MAX_NAME_BYTES);
  if (!JSON_NODE_HOLDS_OBJECT(node))
    return fail(file, CW_ERROR_FORMAT, error, "tensor %s is described by no object", name);
  JsonObject *entry = json_node_get_object(node);
  if (!read_dtype(file, entry, &tensor, &element_bytes, error) ||
      !read_shape(file, entry, &tensor, error))
    return false;
  if (!cw_tensor_measure(&tensor, element_bytes))
    return fail(file, CW_ERROR_FORMAT, error, "tensor %s: its size overflows", name);
  return read_range(file, entry, data_begin, &tensor, error) &&
         cw_tensor_file_add(file, &tensor, error);
}

static bool
read_metadata(CwTensorFile *file, JsonNode *node, GError **error)
{
  if (!JSON_NODE_HOLDS_OBJECT(node))
    return fail(file, CW_ERROR_FORMAT, error, "__metadata__ is no object");
  JsonObjectIter iter;
  const char *key;
  JsonNode *member;
  json_object_iter_init(&iter, json_node_get_object(node));
  while (json_object_iter_next(&iter, &key, &member)) {
    if (!JSON_NODE_HOLDS_VALUE(member) || json_node_get_value_type(member) != G_TYPE_STRING)
      return fail(file, CW_ERROR_FORMAT, error, "__metadata__ %.100s is no string", key);
    CwMetadata *value = g_new0(CwMetadata, 1);
    value->kind = CW_METADATA_STRING;
    value->string = g_strdup(json_node_get_string(member));
    if (!cw_tensor_file_add_metadata(file, key, value, error))
      return false;
  }
  return true;
}

static int
compare_ranges(gconstpointer a, gconstpointer b)
{
  const CwTensor *x = *(const CwTensor *const *)a, *y = *(const CwTensor *const *)b;
  if (x->data != y->data)
    return (const char *)x->data < (const char *)y->data ? -1 : 1;
  return x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes;
}

/* The ranges tile the data: none overlaps, none is missing, nothing follows the last. */
static bool
check_tiling(const CwTensorFile *file, size_t data_begin, GError **error)
{
  guint n = file->tensors->len;
  g_autofree const CwTensor **sorted = g_new(const CwTensor *, n + 1);
  for (guint i = 0; i < n; i++)
    sorted[i] = &g_array_index(file->tensors, CwTensor, i);
  qsort(sorted, n, sizeof *sorted, compare_ranges);
  const uint8_t *at = file->bytes + data_begin;
  for (guint i = 0; i < n; i++) {
    if (sorted[i]->data != at)
      return fail(file, CW_ERROR_FORMAT, error, "tensor %s %s", sorted[i]->name,
                  (const uint8_t *)sorted[i]->data < at ? "overlaps another"
                                                        : "leaves a gap before it");
    at += sorted[i]->n_bytes;
  }
  if (at != file->bytes + file->n_bytes)
    return fail(file, CW_ERROR_FORMAT, error, "%zu bytes follow the last tensor",
                (size_t)(file->bytes + file->n_bytes - at));
  return true;
}

static bool
read_entries(CwTensorFile *file, JsonObject *header, size_t data_begin, GError **error)
{
  if (json_object_get_size(header) > CW_MAX_TENSORS)
    return fail(file, CW_ERROR_FORMAT, error, "has %u tensors, more than %d",
                json_object_get_size(header), CW_MAX_TENSORS);
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  json_object_iter_init_ordered(&iter, header);
  while (json_object_iter_next_ordered(&iter, &name, &node)) {
    bool is_metadata = strcmp(name, "__metadata__") == 0;
    if (is_metadata ? !read_metadata(file, node, error)
                    : !read_tensor(file, name, node, data_begin, error))
      return false;
  }
  return check_tiling(file, data_begin, error);
}

bool
cw_safetensors_parse(CwTensorFile *file, GError **error)
{
  uint64_t length = 0;
  if (file->n_bytes < sizeof length)
    return fail(file, CW_ERROR_FORMAT, error,
                "is neither GGUF nor safetensors: it has only %zu bytes", file->n_bytes);
  memcpy(&length, file->bytes, sizeof length);
  if (file->n_bytes > 8 && file->bytes[8] != '{')
    return fail(file, CW_ERROR_FORMAT, error, "is neither GGUF nor safetensors");
  if (length > MAX_HEADER_BYTES)
    return fail(file, CW_ERROR_FORMAT, error,
                "claims a header of %" G_GUINT64_FORMAT " bytes, more than %zu", length,
                MAX_HEADER_BYTES);
  if (length > file->n_bytes - 8)
    return fail(file, CW_ERROR_FORMAT, error,
                "has %zu bytes, fewer than its header of %" G_GUINT64_FORMAT
                ": it is cut short; fetch it again",
                file->n_bytes, length);
  g_autoptr(JsonNode) root = cw_json_parse((const char *)file->bytes + 8, (size_t)length,
                                           MAX_HEADER_BYTES, file->path, error);
  return root != NULL &&
         read_entries(file, json_node_get_object(root), 8 + (size_t)length, error);
}
