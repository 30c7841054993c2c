/* json-writer.h - JSON text as it goes to a file. */
#pragma once

#include "files/atomic-write.h"

/* A string with its quotes; what is not UTF-8 becomes U+FFFD. */
void cw_json_append_string(GString *json, const char *text);

/* A file written in pieces of a few 64 kB. After a failure, writing does nothing more. */
typedef struct {
  CwAtomicFile *file; /* NULL: the text stays in buffer */
  GString *buffer;
  CwCancel *cancel;
  GError **error;
  bool has_failed;
} CwJsonWriter;

bool cw_json_writer_begin(CwJsonWriter *writer, const char *path, CwCancel *cancel,
                          GError **error);
/* The same into memory, which cw_json_writer_finish_text gives back: NULL after a failure. */
void cw_json_writer_begin_text(CwJsonWriter *writer, GError **error);
void cw_json_writer_put(CwJsonWriter *writer, const char *text, size_t n);
void cw_json_writer_print(CwJsonWriter *writer, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A float with the shortest text of its value as a double; not finite: null. */
void cw_json_writer_float(CwJsonWriter *writer, float value);
void cw_json_writer_string(CwJsonWriter *writer, const char *text);
/* Commits the file, or drops it after a failure. Frees what the writer holds. */
bool cw_json_writer_finish(CwJsonWriter *writer);
char *cw_json_writer_finish_text(CwJsonWriter *writer);
