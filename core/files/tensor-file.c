/* tensor-file.c - the front of both tensor formats: the map, look-up, metadata getters.
 *
 * Tensors are views into a read-only map, so opening a model of gigabytes costs its header, and
 * several processes share the pages. Everything a file claims has been checked by its format's
 * parser (safetensors.c, gguf.c) before the first view is handed out. */
#include "files/tensor-file.h"

#include <string.h>

#include "files/bounded-read.h"

G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN); /* both formats are, and views are direct */

void
cw_metadata_free(CwMetadata *value)
{
  if (value == NULL)
    return;
  switch (value->kind) {
  case CW_METADATA_STRING:
    g_free(value->string);
    break;
  case CW_METADATA_STRINGS:
    g_free(value->strings.values);
    g_free(value->strings.lengths);
    break;
  case CW_METADATA_INTS:
    g_free(value->ints);
    break;
  case CW_METADATA_FLOATS:
    g_free(value->floats);
    break;
  case CW_METADATA_INT:
  case CW_METADATA_DOUBLE:
  case CW_METADATA_BOOL:
  case CW_METADATA_OTHER:
    break;
  }
  g_free(value);
}

static bool
map_file(CwTensorFile *file, GError **error)
{
  size_t n_bytes;
  if (!cw_file_check_regular(file->path, &n_bytes, error))
    return false;
  g_autoptr(GError) map_error = NULL;
  file->map = g_mapped_file_new(file->path, FALSE, &map_error);
  if (file->map == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s: %s", file->path, map_error->message);
    return false;
  }
  file->bytes = (const uint8_t *)g_mapped_file_get_contents(file->map);
  file->n_bytes = g_mapped_file_get_length(file->map);
  return true;
}

static bool
begins_with(const CwTensorFile *file, const void *magic, size_t n)
{
  return file->n_bytes >= n && memcmp(file->bytes, magic, n) == 0;
}

/* What people open by mistake, each with its remedy. */
static const char *
foreign_kind(const CwTensorFile *file)
{
  if (begins_with(file, "PK\003\004", 4) || begins_with(file, "\x80\x02", 2) ||
      begins_with(file, "\x80\x04", 2))
    return "is a pickled PyTorch file, and opening one can run code; convert it to safetensors "
           "first";
  if (begins_with(file, "version https://git-lfs", 23))
    return "is a Git LFS pointer, not the tensors; fetch the real file with \"git lfs pull\"";
  if (begins_with(file, "lmgg", 4) || begins_with(file, "tjgg", 4) ||
      begins_with(file, "fmgg", 4))
    return "is of a format older than GGUF; convert it to GGUF";
  return NULL;
}

static bool
parse(CwTensorFile *file, GError **error)
{
  file->is_gguf = begins_with(file, "GGUF", 4);
  if (file->is_gguf)
    return cw_gguf_parse(file, error);
  const char *foreign = foreign_kind(file);
  if (foreign != NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_UNSUPPORTED, "%s: %s", file->path, foreign);
    return false;
  }
  return cw_safetensors_parse(file, error);
}

static CwTensorFile *
tensor_file_new(const char *path)
{
  CwTensorFile *file = g_new0(CwTensorFile, 1);
  file->path = g_strdup(path);
  file->tensors = g_array_new(FALSE, FALSE, sizeof(CwTensor));
  file->names = g_string_chunk_new(4096);
  file->by_name = g_hash_table_new(g_str_hash, g_str_equal);
  file->metadata =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)cw_metadata_free);
  return file;
}

CwTensorFile *
cw_tensor_file_open(const char *path, GError **error)
{
  g_return_val_if_fail(path != NULL, NULL);
  g_autoptr(CwTensorFile) file = tensor_file_new(path);
  if (!map_file(file, error) || !parse(file, error))
    return NULL;
  return g_steal_pointer(&file);
}

CwTensorFile *
cw_tensor_file_open_bytes(const char *name, const void *bytes, size_t n_bytes, GError **error)
{
  g_autoptr(CwTensorFile) file = tensor_file_new(name);
  file->bytes = bytes;
  file->n_bytes = n_bytes;
  if (!parse(file, error))
    return NULL;
  return g_steal_pointer(&file);
}

void
cw_tensor_file_close(CwTensorFile *file)
{
  if (file == NULL)
    return;
  g_clear_pointer(&file->by_name, g_hash_table_unref);
  g_clear_pointer(&file->metadata, g_hash_table_unref);
  g_clear_pointer(&file->tensors, g_array_unref);
  g_clear_pointer(&file->names, g_string_chunk_free);
  g_clear_pointer(&file->map, g_mapped_file_unref);
  g_free(file->path);
  g_free(file);
}

bool
cw_tensor_file_add(CwTensorFile *file, const CwTensor *tensor, GError **error)
{
  if (g_hash_table_contains(file->by_name, tensor->name)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: has two tensors named %s", file->path,
                tensor->name);
    return false;
  }
  CwTensor copy = *tensor;
  copy.name = g_string_chunk_insert(file->names, tensor->name);
  g_array_append_val(file->tensors, copy);
  g_hash_table_insert(file->by_name, (gpointer)copy.name, GUINT_TO_POINTER(file->tensors->len));
  return true;
}

bool
cw_tensor_file_add_metadata(CwTensorFile *file, const char *key, CwMetadata *value,
                            GError **error)
{
  if (g_hash_table_contains(file->metadata, key)) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT, "%s: has the metadata key %s twice",
                file->path, key);
    cw_metadata_free(value);
    return false;
  }
  g_hash_table_insert(file->metadata, g_strdup(key), value);
  return true;
}

bool
cw_tensor_measure(CwTensor *tensor, size_t element_bytes)
{
  size_t n_rows = 1;
  int64_t n_columns = tensor->n_dims > 0 ? tensor->shape[tensor->n_dims - 1] : 1;
  for (int i = 0; i < tensor->n_dims; i++) {
    if (tensor->shape[i] < 0)
      return false;
    if (i + 1 < tensor->n_dims &&
        !g_size_checked_mul(&n_rows, n_rows, (size_t)tensor->shape[i]))
      return false;
  }
  size_t row_bytes;
  if (tensor->type == CW_TYPE_FLOAT) {
    row_bytes = cwk_dtype_row_bytes(tensor->dtype, n_columns);
    if (row_bytes == 0 && n_columns != 0)
      return false;
  } else if (!g_size_checked_mul(&row_bytes, (size_t)n_columns, element_bytes)) {
    return false;
  }
  return g_size_checked_mul(&tensor->n_bytes, n_rows, row_bytes);
}

/* ---- look-up --------------------------------------------------------------------------- */

const char *
cw_tensor_file_peek_path(const CwTensorFile *file)
{
  return file->path;
}

bool
cw_tensor_file_is_gguf(const CwTensorFile *file)
{
  return file->is_gguf;
}

size_t
cw_tensor_file_get_n_tensors(const CwTensorFile *file)
{
  return file->tensors->len;
}

const CwTensor *
cw_tensor_file_peek_tensor(const CwTensorFile *file, size_t i)
{
  g_return_val_if_fail(i < file->tensors->len, NULL);
  return &g_array_index(file->tensors, CwTensor, i);
}

const CwTensor *
cw_tensor_file_find(const CwTensorFile *file, const char *name)
{
  guint i = GPOINTER_TO_UINT(g_hash_table_lookup(file->by_name, name));
  return i > 0 ? &g_array_index(file->tensors, CwTensor, i - 1) : NULL;
}

static char *
dup_dims_text(int n_dims, const int64_t *shape)
{
  GString *text = g_string_new("[");
  for (int i = 0; i < n_dims; i++) {
    g_string_append(text, i > 0 ? ", " : "");
    if (shape[i] < 0)
      g_string_append_c(text, '*');
    else
      g_string_append_printf(text, "%" G_GINT64_FORMAT, shape[i]);
  }
  return g_string_free(g_string_append_c(text, ']'), FALSE);
}

const CwTensor *
cw_tensor_file_require(const CwTensorFile *file, const char *name, int n_dims,
                       const int64_t *shape, GError **error)
{
  const CwTensor *tensor = cw_tensor_file_find(file, name);
  if (tensor == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND, "%s: has no tensor %s", file->path, name);
    return NULL;
  }
  bool fits = tensor->n_dims == n_dims;
  for (int i = 0; fits && i < n_dims; i++)
    fits = shape[i] < 0 || shape[i] == tensor->shape[i];
  if (!fits) {
    g_autofree char *found = dup_dims_text(tensor->n_dims, tensor->shape);
    g_autofree char *wanted = dup_dims_text(n_dims, shape);
    g_set_error(error, CW_ERROR, CW_ERROR_MISMATCH, "%s: %s has the shape %s, expected %s",
                file->path, name, found, wanted);
    return NULL;
  }
  return tensor;
}

char *
cw_tensor_dup_shape_text(const CwTensor *tensor)
{
  static const char *const names[] = {
    [CW_TYPE_I64] = "i64",     [CW_TYPE_I32] = "i32", [CW_TYPE_BOOL] = "bool",
    [CW_TYPE_F64] = "f64",     [CW_TYPE_U8] = "u8",   [CW_TYPE_I8] = "i8",
    [CW_TYPE_OTHER] = "other",
  };
  g_autofree char *dims = dup_dims_text(tensor->n_dims, tensor->shape);
  return g_strdup_printf("%s %s", dims,
                         tensor->type == CW_TYPE_FLOAT ? cwk_dtype_name(tensor->dtype)
                                                       : names[tensor->type]);
}

/* ---- metadata -------------------------------------------------------------------------- */

static const CwMetadata *
find_metadata(const CwTensorFile *file, const char *key, CwMetadataKind kind)
{
  const CwMetadata *value = g_hash_table_lookup(file->metadata, key);
  return value != NULL && value->kind == kind ? value : NULL;
}

bool
cw_tensor_file_get_string(const CwTensorFile *file, const char *key, const char **value)
{
  const CwMetadata *found = find_metadata(file, key, CW_METADATA_STRING);
  if (found != NULL)
    *value = found->string;
  return found != NULL;
}

bool
cw_tensor_file_get_int(const CwTensorFile *file, const char *key, int64_t *value)
{
  const CwMetadata *found = find_metadata(file, key, CW_METADATA_INT);
  if (found != NULL)
    *value = found->integer;
  return found != NULL;
}

bool
cw_tensor_file_get_double(const CwTensorFile *file, const char *key, double *value)
{
  const CwMetadata *found = find_metadata(file, key, CW_METADATA_DOUBLE);
  if (found != NULL)
    *value = found->number;
  return found != NULL;
}

bool
cw_tensor_file_get_bool(const CwTensorFile *file, const char *key, bool *value)
{
  const CwMetadata *found = find_metadata(file, key, CW_METADATA_BOOL);
  if (found != NULL)
    *value = found->flag;
  return found != NULL;
}

bool
cw_tensor_file_get_strings(const CwTensorFile *file, const char *key,
                           const char *const **values, const uint32_t **lengths, size_t *n)
{
  const CwMetadata *found = find_metadata(file, key, CW_METADATA_STRINGS);
  if (found == NULL)
    return false;
  *values = found->strings.values;
  *lengths = found->strings.lengths;
  *n = found->n;
  return true;
}

bool
cw_tensor_file_get_floats(const CwTensorFile *file, const char *key, const float **values,
                          size_t *n)
{
  const CwMetadata *found = find_metadata(file, key, CW_METADATA_FLOATS);
  if (found == NULL)
    return false;
  *values = found->floats;
  *n = found->n;
  return true;
}

bool
cw_tensor_file_get_ints(const CwTensorFile *file, const char *key, const int32_t **values,
                        size_t *n)
{
  const CwMetadata *found = find_metadata(file, key, CW_METADATA_INTS);
  if (found == NULL)
    return false;
  *values = found->ints;
  *n = found->n;
  return true;
}
