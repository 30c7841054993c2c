/* document-builder.h - .clew documents for tests, section by section, good ones and bad ones.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* The kinds of data/schemas/clew-document.md. */
enum {
  DOCUMENT_META = 1,
  DOCUMENT_NODES,
  DOCUMENT_LABELS,
  DOCUMENT_ROW_LENGTHS,
  DOCUMENT_SOURCES,
  DOCUMENT_WEIGHTS,
  DOCUMENT_TEXT,
  DOCUMENT_VIEW
};

typedef struct {
  uint32_t kind;
  const void *data;
  size_t n;
} DocumentSection;

/* A document whose header, frames and checksums are right whatever the sections hold. */
GByteArray *document_build(const DocumentSection *sections, size_t n);
/* Makes the header's hash right again after bytes of header or table were changed. */
void document_seal(GByteArray *document);

/* Where the entry of section i begins in the file. */
size_t document_entry(size_t i);
