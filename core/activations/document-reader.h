/* document-reader.h - one document after the other out of files of several kinds. */
#pragma once

#include "cw-activations.h"

/* Text, or token ids where tokens is not NULL; until the next call. */
typedef struct {
  int64_t number;
  const char *text;
  size_t n_bytes;
  const int32_t *tokens;
  size_t n_tokens;
} CwTextDocument;

typedef struct _CwDocumentReader CwDocumentReader;

/* bos, eos: ids that stand between documents of token ids; -1 for none. */
CwDocumentReader *cw_document_reader_new(const CwTextOptions *options, int32_t bos, int32_t eos,
                                         GError **error);
void cw_document_reader_free(CwDocumentReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CwDocumentReader, cw_document_reader_free)
const GPtrArray *cw_document_reader_peek_paths(const CwDocumentReader *reader);
/* The next document from number `least` on that belongs to the job; false at the end (no error)
 * or on failure. */
bool cw_document_reader_next(CwDocumentReader *reader, int64_t least, CwTextDocument *document,
                             GError **error);
void cw_document_reader_rewind(CwDocumentReader *reader);
double cw_document_reader_get_fraction(const CwDocumentReader *reader);
