/* document-reader.c - JSON lines, plain text, token ids, and folders of them.
 *
 * Documents are numbered in the order of the input, those of other jobs included, so that a
 * number means the same document in every job; what is passed over is neither parsed nor
 * tokenised. */
#include "activations/document-reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "files/bounded-read.h"
#include "graph/json-pull.h"

#define MAX_TEXT_BYTES ((size_t)1 << 30)

struct _CwDocumentReader {
  GPtrArray *paths;
  char *field;
  int64_t job, n_jobs;
  int32_t bos, eos;
  guint64 bytes_before, bytes_total, bytes_here; /* of files done, all files, the open one */
  guint file;                                    /* index of the open or next file */
  int64_t number;                                /* of the next document */
  /* The open file, one of: */
  FILE *lines;
  int64_t line;
  CwTensorFile *tensors;
  const CwTensor *ids;
  int64_t at; /* next token or row */
  /* The current document. */
  char *buffer;
  size_t buffer_size;
  char *text;
  int32_t *tokens;
};

static bool
is_json_lines(const char *path)
{
  return g_str_has_suffix(path, ".jsonl") || g_str_has_suffix(path, ".ndjson");
}

static bool
is_token_file(const char *path)
{
  return g_str_has_suffix(path, ".safetensors");
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
add_path(CwDocumentReader *reader, const char *path, GError **error)
{
  struct stat facts;
  if (stat(path, &facts) != 0) {
    g_set_error(error, CW_ERROR, errno == ENOENT ? CW_ERROR_NOT_FOUND : CW_ERROR_IO,
                "%s cannot be read: %s", path, g_strerror(errno));
    return false;
  }
  if (!S_ISDIR(facts.st_mode)) {
    g_ptr_array_add(reader->paths, g_strdup(path));
    reader->bytes_total += (guint64)facts.st_size;
    size_t n_bytes;
    return cw_file_check_regular(path, &n_bytes, error);
  }
  g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
    if (name[0] != '.')
      g_ptr_array_add(names, g_build_filename(path, name, NULL));
  g_ptr_array_sort(names, compare_names);
  guint n_before = reader->paths->len;
  for (guint i = 0; i < names->len; i++) {
    bool is_text = is_json_lines(names->pdata[i]) || is_token_file(names->pdata[i]) ||
                   g_str_has_suffix(names->pdata[i], ".txt") ||
                   g_str_has_suffix(names->pdata[i], ".md") ||
                   g_file_test(names->pdata[i], G_FILE_TEST_IS_DIR);
    if (is_text && !add_path(reader, names->pdata[i], error))
      return false;
  }
  if (reader->paths->len > n_before)
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_NOT_FOUND,
              "%s: a folder without .txt, .md, .jsonl or .safetensors files", path);
  return false;
}

CwDocumentReader *
cw_document_reader_new(const CwTextOptions *options, int32_t bos, int32_t eos, GError **error)
{
  g_autoptr(CwDocumentReader) reader = g_new0(CwDocumentReader, 1);
  reader->paths = g_ptr_array_new_with_free_func(g_free);
  reader->field = g_strdup(options->text_field != NULL ? options->text_field : "text");
  reader->job = options->job;
  reader->n_jobs = MAX(options->n_jobs, 1);
  reader->bos = bos;
  reader->eos = eos;
  for (const char *const *path = options->paths; path != NULL && *path != NULL; path++)
    if (!add_path(reader, *path, error))
      return NULL;
  if (reader->paths->len == 0) {
    g_set_error_literal(error, CW_ERROR, CW_ERROR_ARGUMENT, "No text is given");
    return NULL;
  }
  return g_steal_pointer(&reader);
}

static void
close_file(CwDocumentReader *reader)
{
  g_clear_pointer(&reader->lines, fclose);
  g_clear_pointer(&reader->tensors, cw_tensor_file_close);
  reader->ids = NULL;
  reader->at = reader->line = 0;
}

void
cw_document_reader_free(CwDocumentReader *reader)
{
  if (reader == NULL)
    return;
  close_file(reader);
  g_ptr_array_unref(reader->paths);
  g_free(reader->field);
  free(reader->buffer); /* getline's own */
  g_free(reader->text);
  g_free(reader->tokens);
  g_free(reader);
}

const GPtrArray *
cw_document_reader_peek_paths(const CwDocumentReader *reader)
{
  return reader->paths;
}

void
cw_document_reader_rewind(CwDocumentReader *reader)
{
  close_file(reader);
  reader->file = 0;
  reader->number = 0;
  reader->bytes_before = reader->bytes_here = 0;
}

double
cw_document_reader_get_fraction(const CwDocumentReader *reader)
{
  double done = (double)(reader->bytes_before + reader->bytes_here);
  return reader->bytes_total > 0 ? MIN(done / (double)reader->bytes_total, 1) : 1;
}

static void
next_file(CwDocumentReader *reader)
{
  struct stat facts;
  if (stat(reader->paths->pdata[reader->file], &facts) == 0)
    reader->bytes_before += (guint64)facts.st_size;
  reader->bytes_here = 0;
  reader->file++;
  close_file(reader);
}

static bool
is_wanted(const CwDocumentReader *reader, int64_t number, int64_t least)
{
  return number >= least && number % reader->n_jobs == reader->job;
}

/* ---- JSON lines ------------------------------------------------------------------------- */

static bool
parse_line(CwDocumentReader *reader, size_t n, CwTextDocument *document, GError **error)
{
  const char *path = reader->paths->pdata[reader->file];
  g_autofree char *what = g_strdup_printf("%s:%" G_GINT64_FORMAT, path, reader->line);
  CwJsonPull pull;
  CwJsonSpan key, content = { NULL, 0 };
  bool is_first = true;
  cw_json_pull_init(&pull, what, reader->buffer, n, error);
  if (!cw_json_pull_enter(&pull, '{'))
    return false;
  while (cw_json_pull_next_member(&pull, &is_first, &key))
    if (cw_json_span_equals(key, reader->field) && cw_json_pull_peek(&pull) == '"')
      cw_json_pull_string(&pull, &content);
    else
      cw_json_pull_skip(&pull, NULL);
  if (pull.has_failed || !cw_json_pull_finish(&pull))
    return false;
  if (content.at == NULL) {
    g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
                "%s: no text under \"%s\"; name the field that holds it", what, reader->field);
    return false;
  }
  g_free(reader->text);
  reader->text = cw_json_span_unescape(content);
  document->text = reader->text;
  document->n_bytes = strlen(reader->text);
  return true;
}

static bool
next_line(CwDocumentReader *reader, int64_t least, CwTextDocument *document, bool *is_found,
          GError **error)
{
  ssize_t n;
  while ((n = getline(&reader->buffer, &reader->buffer_size, reader->lines)) >= 0) {
    reader->line++;
    reader->bytes_here += (guint64)n;
    if (strspn(reader->buffer, " \t\r\n") == (size_t)n)
      continue;
    int64_t number = reader->number++;
    if (!is_wanted(reader, number, least))
      continue;
    document->number = number;
    *is_found = parse_line(reader, (size_t)n, document, error);
    return *is_found;
  }
  if (!ferror(reader->lines))
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s cannot be read to its end",
              (const char *)reader->paths->pdata[reader->file]);
  return false;
}

/* ---- token ids -------------------------------------------------------------------------- */

static bool
open_tokens(CwDocumentReader *reader, const char *path, GError **error)
{
  reader->tensors = cw_tensor_file_open(path, error);
  if (reader->tensors == NULL)
    return false;
  reader->ids = cw_tensor_file_find(reader->tensors, "tokens");
  if (reader->ids == NULL)
    reader->ids = cw_tensor_file_find(reader->tensors, "input_ids");
  const CwTensor *ids = reader->ids;
  if (ids != NULL && (ids->type == CW_TYPE_I64 || ids->type == CW_TYPE_I32) &&
      (ids->n_dims == 1 || ids->n_dims == 2))
    return true;
  g_set_error(error, CW_ERROR, CW_ERROR_FORMAT,
              "%s: holds no tensor tokens or input_ids of I32 or I64, [N] or [documents, T]",
              path);
  return false;
}

/* Out of range of 32 bits becomes -1, which the model then names. */
static int32_t
token_at(const CwTensor *ids, int64_t i)
{
  int64_t wide;
  int32_t narrow;
  if (ids->type == CW_TYPE_I32) {
    memcpy(&narrow, (const char *)ids->data + (size_t)i * sizeof narrow, sizeof narrow);
    return narrow;
  }
  memcpy(&wide, (const char *)ids->data + (size_t)i * sizeof wide, sizeof wide);
  return wide >= 0 && wide <= INT32_MAX ? (int32_t)wide : -1;
}

static bool
is_separator(const CwDocumentReader *reader, int32_t id)
{
  return id >= 0 && (id == reader->bos || id == reader->eos);
}

/* First and end of the next document's tokens; false at the end of the file. */
static bool
find_tokens(CwDocumentReader *reader, int64_t *first, int64_t *end)
{
  const CwTensor *ids = reader->ids;
  int64_t n = ids->shape[0];
  if (ids->n_dims == 2) {
    int64_t width = ids->shape[1];
    if (reader->at == n)
      return false;
    *first = reader->at++ * width;
    *end = *first + width;
    while (*end > *first && is_separator(reader, token_at(ids, *end - 1)))
      *end -= 1;
    while (*first < *end && is_separator(reader, token_at(ids, *first)))
      *first += 1;
    return true;
  }
  while (reader->at < n && is_separator(reader, token_at(ids, reader->at)))
    reader->at++;
  *first = reader->at;
  while (reader->at < n && !is_separator(reader, token_at(ids, reader->at)))
    reader->at++;
  *end = reader->at;
  return *first < n;
}

static bool
next_tokens(CwDocumentReader *reader, int64_t least, CwTextDocument *document, bool *is_found,
            GError **error)
{
  int64_t first, end;
  while (find_tokens(reader, &first, &end)) {
    int64_t number = reader->number++;
    if (!is_wanted(reader, number, least))
      continue;
    g_free(reader->tokens);
    reader->tokens = g_new(int32_t, (gsize)MAX(end - first, 1));
    for (int64_t i = first; i < end; i++)
      reader->tokens[i - first] = token_at(reader->ids, i);
    document->number = number;
    document->tokens = reader->tokens;
    document->n_tokens = (size_t)(end - first);
    *is_found = true;
    size_t width = reader->ids->type == CW_TYPE_I64 ? 8 : 4;
    reader->bytes_here = (guint64)end * width;
    return true;
  }
  return true;
}

/* ---- any file --------------------------------------------------------------------------- */

static bool
open_file(CwDocumentReader *reader, GError **error)
{
  const char *path = reader->paths->pdata[reader->file];
  if (reader->lines != NULL || reader->tensors != NULL)
    return true;
  if (is_token_file(path))
    return open_tokens(reader, path, error);
  if (!is_json_lines(path))
    return true;
  reader->lines = fopen(path, "rb");
  if (reader->lines == NULL)
    g_set_error(error, CW_ERROR, CW_ERROR_IO, "%s cannot be read: %s", path, g_strerror(errno));
  return reader->lines != NULL;
}

/* A plain file is one document, read when it is wanted. */
static bool
next_plain(CwDocumentReader *reader, int64_t least, CwTextDocument *document, bool *is_found,
           GError **error)
{
  int64_t number = reader->number++;
  if (is_wanted(reader, number, least)) {
    g_free(reader->text);
    reader->text = cw_file_read_bounded(reader->paths->pdata[reader->file], MAX_TEXT_BYTES,
                                        &document->n_bytes, error);
    if (reader->text == NULL)
      return false;
    document->number = number;
    document->text = reader->text;
    *is_found = true;
  }
  next_file(reader);
  return true;
}

bool
cw_document_reader_next(CwDocumentReader *reader, int64_t least, CwTextDocument *document,
                        GError **error)
{
  bool is_found = false;
  *document = (CwTextDocument){ 0 };
  while (!is_found && reader->file < reader->paths->len) {
    if (!open_file(reader, error))
      return false;
    bool is_plain = reader->lines == NULL && reader->tensors == NULL;
    bool is_read = is_plain ? next_plain(reader, least, document, &is_found, error)
                   : reader->lines != NULL
                       ? next_line(reader, least, document, &is_found, error)
                       : next_tokens(reader, least, document, &is_found, error);
    if (!is_read)
      return false;
    if (!is_found && !is_plain)
      next_file(reader);
  }
  return is_found;
}
