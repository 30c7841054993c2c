/* json-writer.c - see json-writer.h. */
#include "graph/json-writer.h"

#include <stdarg.h>
#include <string.h>

#include "graph/json-number.h"

#define FLUSH_BYTES (1 << 16)

void
cw_json_append_string(GString *json, const char *text)
{
  g_autofree char *valid = NULL;
  if (!g_utf8_validate(text, -1, NULL))
    text = valid = g_utf8_make_valid(text, -1);
  g_string_append_c(json, '"');
  for (const char *at = text; *at != '\0'; at++) {
    unsigned char c = (unsigned char)*at;
    const char *found = strchr("\"\"\\\\\bb\ff\nn\rr\tt", c);
    if (found != NULL && (c < 0x20 || c == '"' || c == '\\')) {
      g_string_append_c(json, '\\');
      g_string_append_c(json, found[1]);
    } else if (c < 0x20 || c == 0x7f) {
      g_string_append_printf(json, "\\u%04x", c);
    } else {
      g_string_append_c(json, (char)c);
    }
  }
  g_string_append_c(json, '"');
}

bool
cw_json_writer_begin(CwJsonWriter *writer, const char *path, CwCancel *cancel, GError **error)
{
  *writer = (CwJsonWriter){ .cancel = cancel, .error = error };
  writer->file = cw_atomic_file_begin(path, error);
  if (writer->file == NULL)
    return false;
  writer->buffer = g_string_sized_new(FLUSH_BYTES + 4096);
  return true;
}

void
cw_json_writer_begin_text(CwJsonWriter *writer, GError **error)
{
  *writer = (CwJsonWriter){ .error = error, .buffer = g_string_new(NULL) };
}

static void
flush(CwJsonWriter *writer)
{
  if (writer->file == NULL)
    return;
  if (!writer->has_failed && (cw_cancel_check(writer->cancel, writer->error) ||
                              !cw_atomic_file_write(writer->file, writer->buffer->str,
                                                    writer->buffer->len, writer->error)))
    writer->has_failed = true;
  g_string_truncate(writer->buffer, 0);
}

void
cw_json_writer_put(CwJsonWriter *writer, const char *text, size_t n)
{
  if (n >= FLUSH_BYTES && writer->file != NULL) {
    flush(writer);
    if (!writer->has_failed && !cw_atomic_file_write(writer->file, text, n, writer->error))
      writer->has_failed = true;
    return;
  }
  g_string_append_len(writer->buffer, text, (gssize)n);
  if (writer->buffer->len >= FLUSH_BYTES)
    flush(writer);
}

void
cw_json_writer_print(CwJsonWriter *writer, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_string_append_vprintf(writer->buffer, format, args);
  va_end(args);
  if (writer->buffer->len >= FLUSH_BYTES)
    flush(writer);
}

void
cw_json_writer_float(CwJsonWriter *writer, float value)
{
  char text[CW_JSON_NUMBER_BYTES];
  cw_json_writer_put(writer, text, cw_json_number_format((double)value, text));
}

void
cw_json_writer_string(CwJsonWriter *writer, const char *text)
{
  cw_json_append_string(writer->buffer, text);
  if (writer->buffer->len >= FLUSH_BYTES)
    flush(writer);
}

bool
cw_json_writer_finish(CwJsonWriter *writer)
{
  flush(writer);
  g_string_free(writer->buffer, TRUE);
  if (writer->has_failed) {
    cw_atomic_file_discard(writer->file);
    return false;
  }
  return cw_atomic_file_commit(writer->file, writer->error);
}

char *
cw_json_writer_finish_text(CwJsonWriter *writer)
{
  char *text = g_string_free(writer->buffer, writer->has_failed);
  writer->buffer = NULL;
  return text;
}
