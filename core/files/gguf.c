/* gguf.c - reads the GGUF format, versions 2 and 3, little-endian.
 *
 * Counts, then typed key/value pairs, then tensor descriptions, then the data, which begins at
 * the next multiple of general.alignment. Every count is compared with the bytes that are left
 * before anything is allocated for it, and every sum and product is checked where it is made:
 * the published weaknesses of other readers are wrapped products, lengths near 2^64, unknown
 * types used as table indices, and offsets past the end. String arrays (a vocabulary of 262,144
 * pieces) stay in the map: twelve bytes a piece are kept. */
#include <stdlib.h>
#include <string.h>

#include "files/tensor-file.h"

#define DEFAULT_ALIGNMENT 32
#define MAX_ALIGNMENT     65536

typedef enum {
  KIND_U8,
  KIND_I8,
  KIND_U16,
  KIND_I16,
  KIND_U32,
  KIND_I32,
  KIND_F32,
  KIND_BOOL,
  KIND_STRING,
  KIND_ARRAY,
  KIND_U64,
  KIND_I64,
  KIND_F64,
  N_KINDS
} ValueKind;

/* Bytes of a value; of a string at least. */
static const uint8_t kind_bytes[N_KINDS] = {
  [KIND_U8] = 1,  [KIND_I8] = 1,  [KIND_U16] = 2,  [KIND_I16] = 2,    [KIND_U32] = 4,
  [KIND_I32] = 4, [KIND_F32] = 4, [KIND_BOOL] = 1, [KIND_STRING] = 8, [KIND_ARRAY] = 12,
  [KIND_U64] = 8, [KIND_I64] = 8, [KIND_F64] = 8,
};

typedef struct {
  uint32_t id; /* ggml's number */
  CwTensorType type;
  CwkDtype dtype;
  size_t element_bytes;
} GgmlType;

static const GgmlType ggml_types[] = {
  { 0, CW_TYPE_FLOAT, CWK_F32, 4 },   { 1, CW_TYPE_FLOAT, CWK_F16, 2 },
  { 2, CW_TYPE_FLOAT, CWK_Q4_0, 0 },  { 3, CW_TYPE_FLOAT, CWK_Q4_1, 0 },
  { 6, CW_TYPE_FLOAT, CWK_Q5_0, 0 },  { 7, CW_TYPE_FLOAT, CWK_Q5_1, 0 },
  { 8, CW_TYPE_FLOAT, CWK_Q8_0, 0 },  { 12, CW_TYPE_FLOAT, CWK_Q4_K, 0 },
  { 13, CW_TYPE_FLOAT, CWK_Q5_K, 0 }, { 14, CW_TYPE_FLOAT, CWK_Q6_K, 0 },
  { 24, CW_TYPE_I8, 0, 1 },           { 25, CW_TYPE_OTHER, 0, 2 },
  { 26, CW_TYPE_I32, 0, 4 },          { 27, CW_TYPE_I64, 0, 8 },
  { 28, CW_TYPE_F64, 0, 8 },          { 30, CW_TYPE_FLOAT, CWK_BF16, 2 },
};

/* Names of the types we do not compute with, for the error message. */
static const char *
unsupported_type_name(uint32_t id)
{
  static const struct {
    uint32_t id;
    const char *name;
  } names[] = {
    { 9, "Q8_1" },     { 10, "Q2_K" },   { 11, "Q3_K" },    { 15, "Q8_K" },
    { 16, "IQ2_XXS" }, { 17, "IQ2_XS" }, { 18, "IQ3_XXS" }, { 19, "IQ1_S" },
    { 20, "IQ4_NL" },  { 21, "IQ3_S" },  { 22, "IQ2_S" },   { 23, "IQ4_XS" },
    { 29, "IQ1_M" },   { 34, "TQ1_0" },  { 35, "TQ2_0" },   { 39, "MXFP4" },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (names[i].id == id)
      return names[i].name;
  return "unknown";
}

typedef struct {
  CwTensorFile *file;
  size_t at;
  const char *place; /* for messages: what is being read */
} Cursor;

static size_t
left(const Cursor *cursor)
{
  return cursor->file->n_bytes - cursor->at;
}

static bool fail(const Cursor *cursor, CwErrorCode code, GError **error, const char *format,
                 ...) G_GNUC_PRINTF(4, 5);

static bool
fail(const Cursor *cursor, CwErrorCode code, GError **error, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error(error, CW_ERROR, code, "%s: %s (%s, byte %zu)", cursor->file->path, text,
              cursor->place, cursor->at);
  return false;
}

static bool
take(Cursor *cursor, void *to, size_t n, GError **error)
{
  if (n > left(cursor))
    return fail(cursor, CW_ERROR_FORMAT, error, "the file is cut short; fetch it again");
  memcpy(to, cursor->file->bytes + cursor->at, n);
  cursor->at += n;
  return true;
}

/* A string's place in the map. It has no NUL behind it, and may hold some. */
static bool
take_string(Cursor *cursor, const char **text, size_t *n, GError **error)
{
  uint64_t length = 0;
  if (!take(cursor, &length, sizeof length, error))
    return false;
  if (length > left(cursor))
    return fail(cursor, CW_ERROR_FORMAT, error,
                "a string claims %" G_GUINT64_FORMAT " bytes, %zu are left", length,
                left(cursor));
  *text = (const char *)cursor->file->bytes + cursor->at;
  *n = (size_t)length;
  cursor->at += (size_t)length;
  return true;
}

/* A key or a tensor's name: short text without NUL. Transfer full. */
static char *
take_name(Cursor *cursor, GError **error)
{
  const char *text;
  size_t n;
  if (!take_string(cursor, &text, &n, error))
    return NULL;
  if (n == 0 || n > CW_MAX_NAME_BYTES || !g_utf8_validate_len(text, n, NULL)) {
    fail(cursor, CW_ERROR_FORMAT, error, "a name is empty, too long or no UTF-8 text");
    return NULL;
  }
  return g_strndup(text, n);
}

/* ---- metadata -------------------------------------------------------------------------- */

/* One scalar as an integer (false: it is none, or exceeds int64) or as a number. */
static bool
load_integer(ValueKind kind, const uint8_t *from, int64_t *value)
{
  uint64_t bits = 0;
  memcpy(&bits, from, kind_bytes[kind]);
  switch (kind) {
  case KIND_I8:
    *value = (int8_t)bits;
    return true;
  case KIND_I16:
    *value = (int16_t)bits;
    return true;
  case KIND_I32:
    *value = (int32_t)bits;
    return true;
  case KIND_U64:
    *value = (int64_t)bits;
    return *value >= 0;
  case KIND_BOOL:
  case KIND_U8:
  case KIND_U16:
  case KIND_U32:
  case KIND_I64:
    *value = (int64_t)bits;
    return true;
  default:
    return false;
  }
}

static double
load_number(ValueKind kind, const uint8_t *from)
{
  float single;
  double number;
  if (kind == KIND_F32) {
    memcpy(&single, from, sizeof single);
    return single;
  }
  memcpy(&number, from, sizeof number);
  return number;
}

static bool
no_memory(const Cursor *cursor, GError **error)
{
  return fail(cursor, CW_ERROR_NO_MEMORY, error, "no memory for an array");
}

static bool
take_strings(Cursor *cursor, size_t n, CwMetadata *value, GError **error)
{
  value->kind = CW_METADATA_STRINGS;
  value->n = n;
  value->strings.values = g_try_new(const char *, MAX(n, 1));
  value->strings.lengths = g_try_new(uint32_t, MAX(n, 1));
  if (value->strings.values == NULL || value->strings.lengths == NULL)
    return no_memory(cursor, error);
  for (size_t i = 0; i < n; i++) {
    size_t length;
    if (!take_string(cursor, &value->strings.values[i], &length, error))
      return false;
    if (length > G_MAXUINT32)
      return fail(cursor, CW_ERROR_FORMAT, error, "a string is longer than 4 GiB");
    value->strings.lengths[i] = (uint32_t)length;
  }
  return true;
}

static bool
take_floats(Cursor *cursor, ValueKind kind, size_t n, CwMetadata *value, GError **error)
{
  value->kind = CW_METADATA_FLOATS;
  value->n = n;
  value->floats = g_try_new(float, MAX(n, 1));
  if (value->floats == NULL)
    return no_memory(cursor, error);
  const uint8_t *from = cursor->file->bytes + cursor->at;
  for (size_t i = 0; i < n; i++)
    value->floats[i] = (float)load_number(kind, from + i * kind_bytes[kind]);
  cursor->at += n * kind_bytes[kind];
  return true;
}

/* An array with a value outside int32 is kept as one no getter hands out. */
static bool
take_ints(Cursor *cursor, ValueKind kind, size_t n, CwMetadata *value, GError **error)
{
  value->kind = CW_METADATA_INTS;
  value->n = n;
  value->ints = g_try_new(int32_t, MAX(n, 1));
  if (value->ints == NULL)
    return no_memory(cursor, error);
  const uint8_t *from = cursor->file->bytes + cursor->at;
  cursor->at += n * kind_bytes[kind];
  for (size_t i = 0; i < n; i++) {
    int64_t wide;
    if (!load_integer(kind, from + i * kind_bytes[kind], &wide) || wide < G_MININT32 ||
        wide > G_MAXINT32) {
      g_clear_pointer(&value->ints, g_free);
      value->kind = CW_METADATA_OTHER;
      return true;
    }
    value->ints[i] = (int32_t)wide;
  }
  return true;
}

static bool
take_array(Cursor *cursor, CwMetadata *value, GError **error)
{
  uint32_t kind = 0;
  uint64_t n = 0;
  if (!take(cursor, &kind, sizeof kind, error) || !take(cursor, &n, sizeof n, error))
    return false;
  if (kind >= N_KINDS)
    return fail(cursor, CW_ERROR_FORMAT, error, "an array of the unknown type %u", kind);
  if (kind == KIND_ARRAY)
    return fail(cursor, CW_ERROR_UNSUPPORTED, error, "an array of arrays");
  if (n > left(cursor) / kind_bytes[kind])
    return fail(cursor, CW_ERROR_FORMAT, error,
                "an array claims %" G_GUINT64_FORMAT " entries, more than the %zu bytes left",
                n, left(cursor));
  if (kind == KIND_STRING)
    return take_strings(cursor, (size_t)n, value, error);
  if (kind == KIND_F32 || kind == KIND_F64)
    return take_floats(cursor, kind, (size_t)n, value, error);
  return take_ints(cursor, kind, (size_t)n, value, error);
}

static bool
take_scalar(Cursor *cursor, ValueKind kind, CwMetadata *value, GError **error)
{
  uint8_t raw[8];
  if (!take(cursor, raw, kind_bytes[kind], error))
    return false;
  if (kind == KIND_F32 || kind == KIND_F64) {
    value->kind = CW_METADATA_DOUBLE;
    value->number = load_number(kind, raw);
  } else if (kind == KIND_BOOL) {
    if (raw[0] > 1)
      return fail(cursor, CW_ERROR_FORMAT, error, "a truth value is neither 0 nor 1");
    value->kind = CW_METADATA_BOOL;
    value->flag = raw[0] != 0;
  } else {
    bool fits = load_integer(kind, raw, &value->integer);
    value->kind = fits ? CW_METADATA_INT : CW_METADATA_OTHER;
  }
  return true;
}

static bool
take_text(Cursor *cursor, CwMetadata *value, GError **error)
{
  const char *text;
  size_t n;
  if (!take_string(cursor, &text, &n, error))
    return false;
  char *copy = g_try_malloc(n + 1);
  if (copy == NULL)
    return no_memory(cursor, error);
  memcpy(copy, text, n);
  copy[n] = '\0';
  value->kind = CW_METADATA_STRING;
  value->string = copy;
  return true;
}

static bool
take_pair(Cursor *cursor, GError **error)
{
  uint32_t kind = 0;
  cursor->place = "metadata";
  g_autofree char *key = take_name(cursor, error);
  if (key == NULL)
    return false;
  cursor->place = key;
  if (!take(cursor, &kind, sizeof kind, error))
    return false;
  if (kind >= N_KINDS)
    return fail(cursor, CW_ERROR_FORMAT, error, "metadata of the unknown type %u", kind);
  CwMetadata *value = g_new0(CwMetadata, 1);
  value->kind = CW_METADATA_OTHER;
  bool is_read = kind == KIND_STRING  ? take_text(cursor, value, error)
                 : kind == KIND_ARRAY ? take_array(cursor, value, error)
                                      : take_scalar(cursor, kind, value, error);
  if (!is_read) {
    cw_metadata_free(value);
    return false;
  }
  return cw_tensor_file_add_metadata(cursor->file, key, value, error);
}

/* ---- tensors --------------------------------------------------------------------------- */

static bool
take_type(Cursor *cursor, CwTensor *tensor, size_t *element_bytes, GError **error)
{
  uint32_t id = 0;
  if (!take(cursor, &id, sizeof id, error))
    return false;
  for (size_t i = 0; i < G_N_ELEMENTS(ggml_types); i++) {
    if (ggml_types[i].id != id)
      continue;
    tensor->type = ggml_types[i].type;
    tensor->dtype = ggml_types[i].dtype;
    *element_bytes = ggml_types[i].element_bytes;
    return true;
  }
  return fail(cursor, CW_ERROR_UNSUPPORTED, error,
              "tensor %s has the unsupported type %u (%s); quantise the model as Q8_0 or "
              "Q4_K_M",
              tensor->name, id, unsupported_type_name(id));
}

static bool
take_shape(Cursor *cursor, CwTensor *tensor, GError **error)
{
  uint32_t n_dims = 0;
  if (!take(cursor, &n_dims, sizeof n_dims, error))
    return false;
  if (n_dims > CW_MAX_DIMS)
    return fail(cursor, CW_ERROR_FORMAT, error, "tensor %s has %u dimensions, at most %d do",
                tensor->name, n_dims, CW_MAX_DIMS);
  tensor->n_dims = (int)n_dims;
  for (uint32_t i = 0; i < n_dims; i++) {
    uint64_t size = 0;
    if (!take(cursor, &size, sizeof size, error))
      return false;
    if (size > G_MAXINT64)
      return fail(cursor, CW_ERROR_FORMAT, error, "tensor %s has a negative size",
                  tensor->name);
    tensor->shape[n_dims - 1 - i] = (int64_t)size; /* ours is outermost first */
  }
  return true;
}

static bool
take_tensor(Cursor *cursor, size_t *offset, GError **error)
{
  CwTensor tensor = { 0 };
  size_t element_bytes = 0;
  uint64_t wide_offset = 0;
  cursor->place = "tensor descriptions";
  g_autofree char *name = take_name(cursor, error);
  if (name == NULL)
    return false;
  tensor.name = name;
  if (!take_shape(cursor, &tensor, error) ||
      !take_type(cursor, &tensor, &element_bytes, error) ||
      !take(cursor, &wide_offset, sizeof wide_offset, error))
    return false;
  if (!cw_tensor_measure(&tensor, element_bytes)) {
    g_autofree char *shape = cw_tensor_dup_shape_text(&tensor);
    return fail(cursor, CW_ERROR_FORMAT, error,
                "tensor %s %s: its size overflows, or its rows hold no whole blocks", name,
                shape);
  }
  *offset = (size_t)wide_offset;
  return cw_tensor_file_add(cursor->file, &tensor, error);
}

static int
compare_data(gconstpointer a, gconstpointer b)
{
  const CwTensor *x = *(const CwTensor *const *)a, *y = *(const CwTensor *const *)b;
  if (x->data != y->data)
    return (const char *)x->data < (const char *)y->data ? -1 : 1;
  return x->n_bytes < y->n_bytes ? -1 : x->n_bytes > y->n_bytes;
}

static bool
check_overlaps(const Cursor *cursor, GError **error)
{
  const GArray *tensors = cursor->file->tensors;
  g_autofree const CwTensor **sorted = g_new(const CwTensor *, tensors->len + 1);
  for (guint i = 0; i < tensors->len; i++)
    sorted[i] = &g_array_index(tensors, CwTensor, i);
  qsort(sorted, tensors->len, sizeof *sorted, compare_data);
  for (guint i = 1; i < tensors->len; i++)
    if ((const char *)sorted[i - 1]->data + sorted[i - 1]->n_bytes >
        (const char *)sorted[i]->data)
      return fail(cursor, CW_ERROR_FORMAT, error, "tensor %s overlaps %s", sorted[i]->name,
                  sorted[i - 1]->name);
  return true;
}

static bool
read_alignment(const Cursor *cursor, size_t *alignment, GError **error)
{
  int64_t value = DEFAULT_ALIGNMENT;
  if (g_hash_table_contains(cursor->file->metadata, "general.alignment") &&
      !cw_tensor_file_get_int(cursor->file, "general.alignment", &value))
    return fail(cursor, CW_ERROR_FORMAT, error, "general.alignment is no integer");
  if (value < 1 || value > MAX_ALIGNMENT || (value & (value - 1)) != 0)
    return fail(cursor, CW_ERROR_FORMAT, error,
                "general.alignment is %" G_GINT64_FORMAT ", no power of two up to %d", value,
                MAX_ALIGNMENT);
  *alignment = (size_t)value;
  return true;
}

/* Offsets count from the first multiple of the alignment behind the descriptions. */
static bool
place_tensors(Cursor *cursor, const size_t *offsets, GError **error)
{
  CwTensorFile *file = cursor->file;
  size_t alignment = 0;
  cursor->place = "tensor data";
  if (!read_alignment(cursor, &alignment, error))
    return false;
  size_t begin = (cursor->at + alignment - 1) / alignment * alignment;
  size_t n_data = begin < file->n_bytes ? file->n_bytes - begin : 0;
  const uint8_t *data = file->bytes + MIN(begin, file->n_bytes);
  for (guint i = 0; i < file->tensors->len; i++) {
    CwTensor *tensor = &g_array_index(file->tensors, CwTensor, i);
    if (offsets[i] % alignment != 0)
      return fail(cursor, CW_ERROR_FORMAT, error, "tensor %s is not aligned to %zu bytes",
                  tensor->name, alignment);
    if (offsets[i] > n_data || tensor->n_bytes > n_data - offsets[i])
      return fail(cursor, CW_ERROR_FORMAT, error,
                  "tensor %s of %zu bytes at offset %zu exceeds the %zu bytes of data: the "
                  "file is cut short; fetch it again",
                  tensor->name, tensor->n_bytes, offsets[i], n_data);
    tensor->data = data + offsets[i];
  }
  return check_overlaps(cursor, error);
}

/* ---- the whole ------------------------------------------------------------------------- */

static bool
take_version(Cursor *cursor, GError **error)
{
  uint32_t version = 0;
  cursor->place = "header";
  cursor->at = 4; /* behind "GGUF" */
  if (!take(cursor, &version, sizeof version, error))
    return false;
  if (version == GUINT32_SWAP_LE_BE_CONSTANT(2u) || version == GUINT32_SWAP_LE_BE_CONSTANT(3u))
    return fail(cursor, CW_ERROR_UNSUPPORTED, error, "is big-endian; convert it");
  if (version != 2 && version != 3)
    return fail(cursor, CW_ERROR_UNSUPPORTED, error, "is GGUF version %u; 2 and 3 are read",
                version);
  return true;
}

/* A count of things that take at least min_bytes each. */
static bool
take_count(Cursor *cursor, const char *things, size_t min_bytes, size_t limit, size_t *n,
           GError **error)
{
  uint64_t wide = 0;
  if (!take(cursor, &wide, sizeof wide, error))
    return false;
  if (wide > limit || wide > left(cursor) / min_bytes)
    return fail(cursor, CW_ERROR_FORMAT, error,
                "claims %" G_GUINT64_FORMAT " %s, more than it can hold", wide, things);
  *n = (size_t)wide;
  return true;
}

bool
cw_gguf_parse(CwTensorFile *file, GError **error)
{
  Cursor cursor = { .file = file };
  size_t n_tensors, n_pairs;
  if (!take_version(&cursor, error) ||
      !take_count(&cursor, "tensors", 24, CW_MAX_TENSORS, &n_tensors, error) ||
      !take_count(&cursor, "metadata keys", 13, CW_MAX_METADATA_KEYS, &n_pairs, error))
    return false;
  for (size_t i = 0; i < n_pairs; i++)
    if (!take_pair(&cursor, error))
      return false;
  g_autofree size_t *offsets = g_new(size_t, n_tensors + 1); /* n_tensors is capped */
  for (size_t i = 0; i < n_tensors; i++)
    if (!take_tensor(&cursor, &offsets[i], error))
      return false;
  return place_tensors(&cursor, offsets, error);
}
