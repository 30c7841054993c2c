/* safetensors-writer.c - see safetensors-writer.h.
 *
 * Small writes are gathered to 256 KiB, so that a writer may append one row at a time. The
 * header is padded with spaces to a multiple of eight bytes, which aligns the data. */
#include "files/safetensors-writer.h"

#include <stdlib.h>
#include <string.h>

#include "files/atomic-write.h"

#define BUFFER_BYTES ((size_t)256 << 10)

struct _CwSafetensorsWriter {
  CwAtomicFile *file;
  char *path;
  uint64_t n_expected, n_appended;
  size_t n_buffered;
  uint8_t buffer[BUFFER_BYTES];
};

static size_t
element_bytes(const char *dtype)
{
  static const struct {
    const char *name;
    size_t bytes;
  } sizes[] = {
    { "F32", 4 }, { "F16", 2 },  { "BF16", 2 }, { "I64", 8 }, { "I32", 4 },
    { "F64", 8 }, { "BOOL", 1 }, { "U8", 1 },   { "I8", 1 },
  };
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
    if (strcmp(dtype, sizes[i].name) == 0)
      return sizes[i].bytes;
  return 0;
}

static bool
measure(const CwTensorOut *tensor, size_t *n_bytes)
{
  *n_bytes = element_bytes(tensor->dtype);
  if (*n_bytes == 0 || tensor->n_dims < 0 || tensor->n_dims > CW_MAX_DIMS)
    return false;
  for (int i = 0; i < tensor->n_dims; i++)
    if (tensor->shape[i] < 0 ||
        !g_size_checked_mul(n_bytes, *n_bytes, (size_t)tensor->shape[i]))
      return false;
  return true;
}

static void
append_json_string(GString *out, const char *text)
{
  g_string_append_c(out, '"');
  for (const char *p = text; *p != '\0'; p++) {
    unsigned char c = (unsigned char)*p;
    if (c == '"' || c == '\\')
      g_string_append_printf(out, "\\%c", c);
    else if (c < 0x20)
      g_string_append_printf(out, "\\u%04x", c);
    else
      g_string_append_c(out, (char)c);
  }
  g_string_append_c(out, '"');
}

static void
append_metadata(GString *header, const char *const *metadata)
{
  g_string_append(header, "\"__metadata__\":{");
  for (size_t i = 0; metadata[i] != NULL; i += 2) {
    g_string_append(header, i > 0 ? "," : "");
    append_json_string(header, metadata[i]);
    g_string_append_c(header, ':');
    append_json_string(header, metadata[i + 1]);
  }
  g_string_append_c(header, '}');
}

static void
append_entry(GString *header, const CwTensorOut *tensor, uint64_t begin, uint64_t end)
{
  append_json_string(header, tensor->name);
  g_string_append_printf(header, ":{\"dtype\":\"%s\",\"shape\":[", tensor->dtype);
  for (int i = 0; i < tensor->n_dims; i++)
    g_string_append_printf(header, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", tensor->shape[i]);
  g_string_append_printf(
      header, "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}", begin, end);
}

/* NULL if a tensor's type, name or size is no valid one. */
static GString *
make_header(const CwTensorOut *tensors, size_t n, const char *const *metadata, uint64_t *n_data)
{
  g_autoptr(GString) header = g_string_new("{");
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  bool has_metadata = metadata != NULL && metadata[0] != NULL;
  if (has_metadata)
    append_metadata(header, metadata);
  *n_data = 0;
  for (size_t i = 0; i < n; i++) {
    size_t n_bytes;
    uint64_t end;
    if (!measure(&tensors[i], &n_bytes) || !g_uint64_checked_add(&end, *n_data, n_bytes) ||
        !g_hash_table_add(names, (gpointer)tensors[i].name))
      return NULL;
    g_string_append(header, i > 0 || has_metadata ? "," : "");
    append_entry(header, &tensors[i], *n_data, end);
    *n_data = end;
  }
  g_string_append_c(header, '}');
  while (header->len % 8 != 0)
    g_string_append_c(header, ' ');
  return g_steal_pointer(&header);
}

CwSafetensorsWriter *
cw_safetensors_writer_begin(const char *path, const CwTensorOut *tensors, size_t n,
                            const char *const *metadata, GError **error)
{
  uint64_t n_data;
  g_autoptr(GString) header = make_header(tensors, n, metadata, &n_data);
  if (header == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: a tensor to be written has no valid type or size, or its name twice",
                path);
    return NULL;
  }
  g_autoptr(CwSafetensorsWriter) writer = g_try_new(CwSafetensorsWriter, 1);
  if (writer == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_NO_MEMORY, "%s: no memory for a buffer", path);
    return NULL;
  }
  writer->path = g_strdup(path);
  writer->n_expected = n_data;
  writer->n_appended = 0;
  writer->n_buffered = 0;
  writer->file = cw_atomic_file_begin(path, error);
  uint64_t length = header->len;
  if (writer->file == NULL || !cw_atomic_file_write(writer->file, &length, 8, error) ||
      !cw_atomic_file_write(writer->file, header->str, header->len, error))
    return NULL;
  return g_steal_pointer(&writer);
}

static bool
flush(CwSafetensorsWriter *writer, GError **error)
{
  size_t n = writer->n_buffered;
  writer->n_buffered = 0;
  return n == 0 || cw_atomic_file_write(writer->file, writer->buffer, n, error);
}

bool
cw_safetensors_writer_append(CwSafetensorsWriter *writer, const void *data, size_t n_bytes,
                             GError **error)
{
  writer->n_appended += n_bytes;
  if (n_bytes > BUFFER_BYTES - writer->n_buffered && !flush(writer, error))
    return false;
  if (n_bytes > BUFFER_BYTES)
    return cw_atomic_file_write(writer->file, data, n_bytes, error);
  if (n_bytes > 0)
    memcpy(writer->buffer + writer->n_buffered, data, n_bytes);
  writer->n_buffered += n_bytes;
  return true;
}

bool
cw_safetensors_writer_finish(CwSafetensorsWriter *writer, GError **error)
{
  g_autoptr(CwSafetensorsWriter) owned = writer;
  if (owned->n_appended != owned->n_expected) {
    g_set_error(error, CW_ERROR, CW_ERROR_ARGUMENT,
                "%s: %" G_GUINT64_FORMAT " bytes of tensors were written, %" G_GUINT64_FORMAT
                " were announced",
                owned->path, owned->n_appended, owned->n_expected);
    return false;
  }
  return flush(owned, error) && cw_atomic_file_commit(g_steal_pointer(&owned->file), error);
}

void
cw_safetensors_writer_discard(CwSafetensorsWriter *writer)
{
  if (writer == NULL)
    return;
  cw_atomic_file_discard(writer->file);
  g_free(writer->path);
  g_free(writer);
}

/* By falling element size, then as given: every tensor is aligned to its own elements. */
static int
compare_for_alignment(gconstpointer a, gconstpointer b)
{
  const CwTensorOut *x = *(const CwTensorOut *const *)a, *y = *(const CwTensorOut *const *)b;
  size_t wide_x = element_bytes(x->dtype), wide_y = element_bytes(y->dtype);
  if (wide_x != wide_y)
    return wide_x > wide_y ? -1 : 1;
  return x < y ? -1 : x > y;
}

bool
cw_safetensors_write(const char *path, const CwTensorOut *tensors, size_t n,
                     const char *const *metadata, GError **error)
{
  g_autofree const CwTensorOut **order = g_new(const CwTensorOut *, n + 1);
  g_autofree CwTensorOut *sorted = g_new(CwTensorOut, n + 1);
  for (size_t i = 0; i < n; i++)
    order[i] = &tensors[i];
  qsort(order, n, sizeof *order, compare_for_alignment);
  for (size_t i = 0; i < n; i++)
    sorted[i] = *order[i];
  g_autoptr(CwSafetensorsWriter) writer =
      cw_safetensors_writer_begin(path, sorted, n, metadata, error);
  if (writer == NULL)
    return false;
  for (size_t i = 0; i < n; i++) {
    size_t n_bytes;
    if (!measure(&sorted[i], &n_bytes) ||
        !cw_safetensors_writer_append(writer, sorted[i].data, n_bytes, error))
      return false;
  }
  return cw_safetensors_writer_finish(g_steal_pointer(&writer), error);
}
